"""``python -m lle_utils``."""

import sys

from lle_utils.cli import main

sys.exit(main())
