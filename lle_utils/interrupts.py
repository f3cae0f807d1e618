"""Ctrl-C: stop with one line, whatever library is at work.

Where KeyboardInterrupt is raised in a library's import or callback, the library may print it and
go on, or raise an error of its own. So it is noted down that somebody asked to stop.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator


class _State:
    stopped_by: int | None = None
    held: bool = False


@contextlib.contextmanager
def noticed() -> Iterator[None]:
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
def held_back() -> Iterator[None]:
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
