"""``python -m lle_utils``, and the command ``lle``."""

import signal
import sys

from lle_utils.process import stop_held_back, stop_noticed


def run() -> None:
    """Run the command line and end the process."""
    try:
        with stop_noticed(), stop_held_back():
            from lle_utils.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left to do is to end
    sys.exit(code)


if __name__ == "__main__":
    run()
