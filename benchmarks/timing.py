"""What the benchmarks share: seconds per call, and peak throughput."""

import time
from collections.abc import Callable

import numpy as np

MACS = 67_104
"""Multiplications of a forward pass per pixel: the weights of three channels without biases."""


def time_once(run: Callable) -> float:
    """Return the seconds of a call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def seconds_of(run: Callable) -> float:
    """Return the median seconds of three calls or of three seconds, after one to warm up."""
    run()
    found = []
    while sum(found) < 3 or len(found) < 3:
        found.append(time_once(run))
    return float(np.median(found))


def matrix_product() -> float:
    """Return the GFLOP/s with which Keras's backend squares a matrix in 32 bits."""
    from lle_utils.backend import ops

    size = 2048
    matrix = np.ones((size, size), np.float32)
    # One value of the result, so that the backend has to wait for it.
    seconds = seconds_of(lambda: ops.convert_to_numpy(ops.matmul(matrix, matrix)[0, 0]))
    return 2 * size**3 / seconds / 1e9
