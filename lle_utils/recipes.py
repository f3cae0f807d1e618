"""What a training run is determined by, and the recipes of the packaged weights."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from lle_utils.data import SOURCES
from lle_utils.enhancer import EXPOSURE, SCHEDULE

LOSSES = ("mse", "mae", "detail")
PRECISIONS = ("float32", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that a training run is determined by.

    Attributes
    ----------
    sources : sequence of (str, float)
        What is trained on (see `data.load_source`), and what share of each epoch comes from it.
    schedule : sequence of "exposure", "thumbnail" or int
        What each iteration looks at; see `enhancer.Enhancer`.
    depths : tuple of two int
        The fewest and the most iterations: each picture of a batch is iterated a number of times
        of its own, drawn anew.
    crop : int
        Side in pixels of the square crops on which details are trained.
    loss : {"detail", "mse", "mae"}
        The error of crops: "detail" is the mean squared error, plus the same after scaling to the
        reference's mean, plus a share of 1 - SSIM. Thumbnails always have mean squared error.
    augment : bool
        Whether pictures are flipped, turned, cut to windows, re-exposed, recolored and partly lit
        at random.
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

    Raises
    ------
    ValueError
        If a value is none of these; the message names it.
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
        """Check what no other part of the package checks."""
        for field, choices in (("loss", LOSSES), ("precision", PRECISIONS)):
            value = getattr(self, field)
            if value not in choices:
                names = ", ".join(f'"{choice}"' for choice in choices)
                raise ValueError(f"{field} must be one of {names}, not {value!r}")
        for field in ("crop", "batch_size", "epochs", "steps_per_epoch"):
            value = getattr(self, field)
            if value is None and field == "steps_per_epoch":
                continue
            if value != int(value) or value < 1:
                raise ValueError(f"{field} must be a whole number of 1 or more, not {value!r}")
        depths = tuple(self.depths)
        if len(depths) != 2 or not 1 <= depths[0] <= depths[1]:
            raise ValueError(f"depths must be two whole numbers, 1 <= a <= b, not {depths!r}")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging must be in [0, 1), not {self.averaging!r}")
        sources = self.sources
        if isinstance(sources, Mapping):
            sources = sources.items()
        sources = tuple((str(name), float(share)) for name, share in sources)
        unknown = [name for name, _ in sources if name not in SOURCES and not Path(name).is_dir()]
        if unknown or not sources or min(share for _, share in sources) <= 0:
            raise ValueError(
                f"sources must be some of {', '.join(SOURCES)} or folders of pairs, with shares "
                f"above 0, not {sources!r}"
            )
        # JSON has lists only; a recipe read from it must equal the one that was written.
        object.__setattr__(self, "sources", sources)
        object.__setattr__(self, "schedule", tuple(self.schedule))
        object.__setattr__(self, "depths", depths)


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
"""Recipes by name."""
