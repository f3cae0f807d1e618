"""Ctrl-C: stop with one line, whatever library is at work.

An extension module that is interrupted halfway through its import, or a callback of TensorFlow's,
turns KeyboardInterrupt into an error of its own, or prints it and goes on. So it is noted down that
somebody asked to stop.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _State:
    stopped_by: int | None = None
    held: bool = False


@contextlib.contextmanager
def noticed() -> Iterator[None]:
    """Note down Ctrl-C and a request to end (SIGTERM) in this block, and raise KeyboardInterrupt.

    Elsewhere than in the main thread, and where Ctrl-C is handled already, nothing is changed.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    _State.stopped_by = None
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, _stop)) for number in _SIGNALS]
    show = sys.unraisablehook
    sys.unraisablehook = lambda problem: None if _State.stopped_by else show(problem)
    try:
        yield
    finally:
        _State.stopped_by = None  # a later call in this process was not asked to stop
        sys.unraisablehook = show
        for number, handler in before:
            signal.signal(number, handler)


def _stop(number: int, _frame) -> None:
    _State.stopped_by = number
    if not _State.held:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Let an import, or the writing of a file, in this block come to its end first."""
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
