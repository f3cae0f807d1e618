"""Keep what TensorFlow's libraries remark about the computer off the screen."""

import contextlib
import faulthandler
import os
import re
import sys
import tempfile
from collections.abc import Iterator

LOG_LINE = re.compile(
    rb"WARNING: All log messages before absl|[IWE]\d{4} [\d:.]+ +\d+ \S+\.(cc|cu|h):\d+\]"
    rb"|\x1b\[0;93m[-\d:. ]+\[W:onnxruntime:"
)


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Drop the log lines that C++ libraries write while they are imported in this block.

    "Could not find cuda drivers" and the like go straight to the process's standard error, before
    any setting reaches the library. Only lines of that form are dropped, and none that reports a
    fatal error; all else that arrives there is passed on when the block ends, however it ends. The
    lines are shown where the environment asks for them by ``TF_CPP_MIN_LOG_LEVEL=0``.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    screen = os.dup(2)
    alone = not faulthandler.is_enabled()
    if alone:
        faulthandler.enable(screen)  # a library that takes the process down is still heard of
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            if alone:
                faulthandler.disable()
            os.close(screen)
            caught.seek(0)
            for line in caught:
                if not LOG_LINE.match(line):
                    os.write(2, line)
