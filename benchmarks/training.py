"""How long a training step takes, and how close it gets to what this machine can multiply.

    python benchmarks/training.py

Prints a table. The share is that of a large matrix product in 32 bits, measured in the same run.
"""

import dataclasses

import numpy as np
from timing import MACS, matrix_product, seconds_of

from lle_utils.backend import keras
from lle_utils.enhancer import SIDE
from lle_utils.network import REACH
from lle_utils.recipes import RECIPES
from lle_utils.training import build_trainee, compile_trainee


def training_step(precision: str) -> tuple[float, float]:
    """Return the seconds of a step of the packaged recipe, and its GFLOP/s."""
    recipe = dataclasses.replace(RECIPES["enhancer"], precision=precision)
    trainee = build_trainee(recipe)
    compile_trainee(trainee, recipe, 100)
    count, side = recipe.batch_size, recipe.crop
    rng = np.random.default_rng(0)
    low = {
        "thumbnail": rng.random((count, SIDE, SIDE, 3), dtype=np.float32) / 8,
        "crop": rng.random((count, side, side, 3), dtype=np.float32) / 8,
        "box": np.tile(np.float32([0.1, 0.1, 0.3, 0.2]), (count, 1)),
        "depth": np.full(count, 8, np.int32),
    }
    high = {name: 4 * low[name] for name in ("thumbnail", "crop")}
    seconds = seconds_of(lambda: trainee.train_on_batch(low, high))
    pixels = recipe.depths[1] * (SIDE + 2 * REACH) ** 2
    details = [factor for factor in recipe.schedule if isinstance(factor, int)]
    pixels += sum((side // factor + 2 * REACH) ** 2 for factor in details)
    # Backward takes twice as much as forward.
    return seconds, 3 * 2 * MACS * count * pixels / seconds / 1e9


def main() -> None:
    """Print the table."""
    best = matrix_product()
    print(f"{keras.backend.backend()}, matrix product: {best:.0f} GFLOP/s")
    print("precision        seconds  GFLOP/s  share")
    for precision in ("float32", "mixed_bfloat16"):
        seconds, speed = training_step(precision)
        print(f"{precision:15s}  {seconds:7.3f}  {speed:7.0f}  {100 * speed / best:4.0f} %")


if __name__ == "__main__":
    main()
