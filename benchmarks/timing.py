"""What the benchmarks share: seconds per call, and peak throughput."""

import time
from collections.abc import Callable

import numpy as np

MACS = 67_104
"""Multiplications of a forward pass per pixel: the weights of three channels without biases."""


def time_once(run: Callable, clock: Callable = time.perf_counter) -> float:
    """Return the seconds of a call.

    With ``time.process_time`` as the clock it is the processor's time, which other processes on a
    busy machine change little.
    """
    started = clock()
    run()
    return clock() - started


def seconds_of(run: Callable, clock: Callable = time.perf_counter) -> float:
    """Return the median seconds of three calls or of three seconds, after one to warm up."""
    run()
    begin, found = clock(), []
    while clock() - begin < 3 or len(found) < 3:
        found.append(time_once(run, clock))
    return float(np.median(found))


def matrix_product(multiply: Callable, size: int = 2048, clock=time.perf_counter) -> float:
    """Return the GFLOP/s of ``multiply(matrix)``, the square of a matrix in 32 bits."""
    matrix = np.ones((size, size), np.float32)
    return 2 * size**3 / seconds_of(lambda: multiply(matrix), clock=clock) / 1e9
