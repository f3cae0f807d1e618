"""What concerns the whole process: Ctrl-C, and what C++ libraries write to its screen.

Where KeyboardInterrupt is raised in a library's import or callback, the library may print it and
go on, or raise an error of its own. So it is noted down that somebody asked to stop.
"""

import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator

LOG_LINE = re.compile(
    rb"WARNING: All log messages before absl|[IWE]\d{4} [\d:.]+ +\d+ \S+\.(cc|cu|h):\d+\]"
    rb"|\x1b\[0;93m[-\d:. ]+\[W:onnxruntime:"
)


class _State:
    stopped_by: int | None = None
    held: bool = False


@contextlib.contextmanager
def stop_noticed() -> Iterator[None]:
    """Note down Ctrl-C and a request to end (SIGTERM) in this block, and raise KeyboardInterrupt.

    Where Ctrl-C is ignored or handled already, nothing is changed.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    show = sys.unraisablehook
    sys.unraisablehook = lambda problem: None if _State.stopped_by else show(problem)
    try:
        yield
    finally:
        _State.stopped_by = None  # a later call in this process was not asked to stop
        sys.unraisablehook = show
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame) -> None:
    _State.stopped_by = number
    if not _State.held:
        raise KeyboardInterrupt


@contextlib.contextmanager
def stop_held_back() -> Iterator[None]:
    """Let an import in this block come to its end first."""
    _State.held = True
    try:
        yield
    finally:
        _State.held = False
    raise_if_stopped()


def stopped_by() -> int | None:
    """Return the number of the signal that asked to stop, or None."""
    return _State.stopped_by


def raise_if_stopped() -> None:
    """Raise KeyboardInterrupt if somebody asked to stop."""
    if _State.stopped_by:
        raise KeyboardInterrupt


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Drop the log lines that C++ libraries write while they are imported in this block.

    "Could not find cuda drivers" and the like go straight to the process's standard error, before
    any setting reaches the library. Only lines of that form are dropped, and none that reports a
    fatal error; all else is passed on when the block ends. ``TF_CPP_MIN_LOG_LEVEL=0`` shows all.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            caught.seek(0)
            for line in caught:
                if not LOG_LINE.match(line):
                    os.write(2, line)
