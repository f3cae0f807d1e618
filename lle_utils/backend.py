"""Keras, imported as a whole, and without the log lines of its back end."""

import functools
import os

from lle_utils.errors import LleError
from lle_utils.process import stop_held_back, without_log_lines

with stop_held_back(), without_log_lines():
    import keras
    from keras import ops

__all__ = ["check_process", "keras", "ops"]


@functools.cache
def _first_process() -> int:
    """Return the process that first used a model; a forked one inherits the number."""
    return os.getpid()


def check_process() -> None:
    """Refuse a process that was forked after Keras was used: it would wait for ever."""
    if _first_process() != os.getpid():
        raise LleError(
            "this process was forked from one that had used Keras, whose threads it lacks: "
            'start it with multiprocessing.get_context("spawn")'
        )
