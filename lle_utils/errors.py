"""The exception that a user of the package may see."""

import contextlib
import re
from collections.abc import Iterator


class LleError(Exception):
    """Something went wrong that the user can understand and usually fix.

    The message is complete by itself: what was wrong, with which file or value, and what to do.
    The command line prints it without a traceback and exits with code 1.
    """


@contextlib.contextmanager
def small_memory_named(what: str) -> Iterator[None]:
    """Raise LleError for what Python and each back end raise where the memory is too small."""
    try:
        yield
    except Exception as error:
        said = f"{type(error).__name__} {error}"
        if re.search("MemoryError|resource_?exhausted|failed to allocate|bad_alloc", said, re.I):
            raise LleError(f"{what} is too large for this computer's memory") from error
        raise
