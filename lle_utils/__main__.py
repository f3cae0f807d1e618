"""``python -m lle_utils``."""

import sys

try:
    from lle_utils.cli import main
except KeyboardInterrupt:  # while the libraries were still being imported
    sys.exit(130)

sys.exit(main())
