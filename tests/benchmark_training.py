"""How fast a training step is, against what this machine can multiply: prints a table.

    python tests/benchmark_training.py

Not a test: the figures depend on the machine and on what else it does. The share is that of a large
matrix product in 32 bits, measured in the same run.
"""

import time

import keras
import numpy as np
from keras import ops
from lle_utils.model import RecursiveEnhancer, build_network

MACS = 67_104  # multiplications of one pass a pixel: the weights of three channels without biases
CASES = (  # pictures, side in pixels, iterations: crops for noise, shrunk pictures for exposure
    (8, 96, 2),
    (8, 25, 8),
    (8, 13, 8),
)


def seconds_of(run, least: float = 3.0) -> float:
    """Return the median seconds of a call, after one to warm up."""
    run()
    begin, found = time.perf_counter(), []
    while time.perf_counter() - begin < least or len(found) < 3:
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return float(np.median(found))


def matrix_product(size: int = 2048) -> float:
    """Return the GFLOP/s of a product of two square matrices."""
    matrix = ops.ones((size, size), "float32")
    seconds = seconds_of(lambda: ops.convert_to_numpy(ops.matmul(matrix, matrix)[0, 0]))
    return 2 * size**3 / seconds / 1e9


def training_step(pictures: int, side: int, iterations: int, dtype: str) -> tuple[float, float]:
    """Return the seconds of a step and its GFLOP/s: forward, and backward for twice as much."""
    enhancer = RecursiveEnhancer(build_network(seed=0, dtype=dtype), (1,), iterations)
    enhancer.compile(optimizer="adam", loss="mse")
    low = np.random.default_rng(0).random((pictures, side, side, 3), dtype=np.float32)
    seconds = seconds_of(lambda: enhancer.train_on_batch(low / 5, low))
    return seconds, 3 * 2 * MACS * pictures * side**2 * iterations / seconds / 1e9


def main() -> None:
    """Print the table."""
    best = matrix_product()
    print(f"{keras.backend.backend()}, matrix product: {best:.0f} GFLOP/s")
    print("pictures  side  iterations  precision        seconds  GFLOP/s  share")
    for case in CASES:
        for dtype in ("float32", "mixed_bfloat16"):
            seconds, speed = training_step(*case, dtype)
            print(f"{case[0]:8d}  {case[1]:4d}  {case[2]:10d}  {dtype:15s}  {seconds:7.3f}"
                  f"  {speed:7.0f}  {100 * speed / best:4.0f} %")  # fmt: skip


if __name__ == "__main__":
    main()
