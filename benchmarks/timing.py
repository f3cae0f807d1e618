"""What the benchmarks share: seconds per call, and peak throughput."""

import time
from collections.abc import Callable

import numpy as np

MACS = 67_104
"""Multiplications of a forward pass per pixel: the weights of three channels without biases."""


def seconds_of(run: Callable, least: float = 3.0, calls: int = 3, clock=time.perf_counter) -> float:
    """Return the median seconds of a call, after one to warm up.

    With ``clock=time.process_time`` it is the processor's time, which other processes on a busy
    machine change little.
    """
    run()
    begin, found = clock(), []
    while clock() - begin < least or len(found) < calls:
        started = clock()
        run()
        found.append(clock() - started)
    return float(np.median(found))


def matrix_product(multiply: Callable, size: int = 2048, clock=time.perf_counter) -> float:
    """Return the GFLOP/s of ``multiply(matrix)``, the square of a matrix in 32 bits."""
    matrix = np.ones((size, size), np.float32)
    return 2 * size**3 / seconds_of(lambda: multiply(matrix), clock=clock) / 1e9
