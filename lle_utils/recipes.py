"""What a training run is determined by, and the recipe of the packaged enhancer.

(The founding weights' settings are in ``weights/founding.json``.)
"""

import dataclasses
from collections.abc import Sequence

from lle_utils.enhancer import EXPOSURE, SCHEDULE


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that a training run is determined by.

    Attributes
    ----------
    sources : sequence of (str, float), or a mapping
        What is trained on (see `data.load_source`), and what share of each epoch comes from it.
    schedule : sequence of "exposure", "thumbnail" or int
        What each iteration looks at; see `enhancer.Enhancer`.
    depths : tuple of two int
        The fewest and the most iterations, drawn anew for each picture of a batch.
    crop : int
        Side in pixels of the square crops on which details are trained.
    loss : {"detail", "mse", "mae"}
        The error of crops: `training.detail_loss`, or the mean squared or absolute error.
        Thumbnails always have mean squared error.
    augment : bool
        Whether pairs are varied at random, as `batches.augment` does.
    batch_size, epochs : int
    steps_per_epoch : int or None
        Batches an epoch. None: every pair once.
    learning_rate : float
        Of Adam, at the start; it falls to a hundredth along half a cosine.
    averaging : float
        Momentum of the weights' moving average, which is what is validated and kept.
    precision : {"float32", "mixed_bfloat16"}
        "mixed_bfloat16" multiplies in 16 bits in layers 2 to 6. On a processor that has the
        instructions (AVX512-BF16, AMX) a step takes half the time; on others it is slower.
    start : str or None
        Weights to start from: a packaged name or a ``.keras`` file. None: fresh ones.
    seed : int
        Of the initial weights, the order of the pairs and every random choice.
    """

    sources: Sequence = (("sample", 1.0),)
    schedule: Sequence = SCHEDULE
    depths: Sequence[int] = (7, 8)
    crop: int = 64
    loss: str = "detail"
    augment: bool = True
    batch_size: int = 8
    epochs: int = 10
    steps_per_epoch: int | None = None
    learning_rate: float = 1e-3
    averaging: float = 0.999
    precision: str = "float32"
    start: str | None = None
    seed: int = 0

    def __post_init__(self):
        """Make tuples of lists: a recipe read from JSON must equal the one that was written."""
        sources = tuple((name, float(share)) for name, share in dict(self.sources).items())
        object.__setattr__(self, "sources", sources)
        object.__setattr__(self, "schedule", tuple(self.schedule))
        object.__setattr__(self, "depths", tuple(self.depths))


RECIPES = {
    # The packaged weights.
    "enhancer": Recipe(
        sources=(("lol", 0.5), ("photos", 0.4), ("pairs", 0.1)),
        epochs=14,
        steps_per_epoch=500,
        learning_rate=1.5e-3,
        precision="mixed_bfloat16",
    ),
    # How much light, and nothing else: seconds on the sample, for notebook 04.
    "exposure": Recipe(schedule=8 * (EXPOSURE,), crop=32, loss="mse", epochs=20, averaging=0.9),
}
