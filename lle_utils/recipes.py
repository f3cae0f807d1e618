"""What a training run is determined by, and the recipes of the packaged weights."""

import dataclasses
from collections.abc import Sequence

from lle_utils.curve import FLOOR

OBJECTIVES = ("curve", "founding")
LOSSES = ("mse", "mae", "mse+ssim")
PRECISIONS = ("float32", "mixed_bfloat16")
COMPANION_FIELDS = ("keep_colors", "evenness", "mirrored", "grayness", "settle")
"""What a recipe and a `model.RecursiveEnhancer` say of a companion, and need one for."""


def check_shares(settings) -> None:
    """Raise a ValueError if a share that a recipe or an enhancer has is not in [0, 1]."""
    for name in ("evenness", "grayness", "settle"):
        share = getattr(settings, name)
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1, not {share!r}")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that a training run is determined by, apart from the pairs.

    Attributes
    ----------
    objective : {"curve", "founding"}
        "curve": the error is that of the enhanced picture, through the recursion. "founding": the
        error is that of the *map*, against the bright picture, for inputs in 0..255, as published.
    loss : {"mse", "mae", "mse+ssim"}
        The error: mean squared, mean absolute, or mean squared plus a share of 1 - SSIM (on crops
        alone; whole pictures keep the mean squared error).
    channels, merge, conditioned, initial_map, rest
        The network; see `model.build_network`.
    schedule, iterations, floor
        The recursion; see `model.RecursiveEnhancer`. Not used by the founding objective.
    keep_colors : bool
        Whether maps have one tint a picture; see `model.RecursiveEnhancer`. This and the next four
        need shrunk whole pictures: `shrink`, and `depths` or `crop`.
    evenness : float
        How far coarse maps are drawn to their mean over the picture; see there, too.
    mirrored : bool
        Whether the trained enhancer looks at mirror images, too; see there. Training does not.
    grayness : float
        How far the trained enhancer's coarse maps are drawn to gray; see there. Training does not.
    settle : float
        Below which value the trained enhancer's coarse maps become 0; see there. Training does not.
    depths : tuple of two int, or None
        The fewest and the most iterations: each picture of a batch is iterated a number of times
        of its own, drawn anew. None: always `iterations`.
    stride : int
        Train on every n-th pixel of every n-th row. Unlike averaging it leaves the noise as it is.
    shrink : int
        Train on pictures whose pixels are the means of n x n. Next to no noise is left.
    crop : int or None
        Side of random square crops in pixels, None for whole pictures. Where `shrink` is 1, crops
        (of what `stride` leaves) take the pictures' place. Where it is more, they are of full size
        and go along with the shrunk whole pictures: the maps of the schedule's coarse iterations
        are predicted from those and applied to both, its fine iterations see the crop itself.
    window : float
        Share of a picture's width and height that every second batch shows, at a place drawn anew:
        the same scene then asks for other exposures, and no one size is learned by heart. Every
        fourth batch stands upright. 1: all batches show whole pictures, lying down.
    batch_size, epochs : int
    steps_per_epoch : int or None
        Batches an epoch; None for all of them.
    learning_rate : float
        Of Adam, at the start.
    cosine_decay : bool
        Whether the learning rate falls to a fiftieth along half a cosine.
    exposures : int
        How many dark pictures of each scene: the photographed one, and others that the camera
        model makes of the bright picture. See `data.load`.
    sample : int
        How many camera-made exposures of each of the embedded sample's training scenes go among
        LOL's pairs. See `data.load_training`. 0: none.
    exposure_stops : float
        The dark picture is made darker or brighter by up to so many stops (code values doubled or
        halved), and rounded to 8 bits again. 0: as it is.
    white_balance : float
        Each channel is scaled by up to this share more or less. 0: as it is.
    lit : float
        Share of the dark pictures that are mixed with their bright ones, by any proportion. From
        these the network learns to leave alone what is bright enough already. 0: none.
    colors : float
        Share of the pairs whose colors are changed, on both sides alike: channels change places and
        saturation falls or rises. Else a network learns which colors a data set's rooms have, and
        paints others over. 0: none.
    precision : {"float32", "mixed_bfloat16"}
        "mixed_bfloat16" multiplies in 16 bits in layers 2 to 6. On a processor that has the
        instructions (AVX512-BF16, AMX) a step takes half the time; on others it is slower.
    seed : int
        Of the initial weights, the order of the pairs and every random choice.
    """

    objective: str = "curve"
    loss: str = "mse"
    channels: int = 3
    merge: str = "concatenate"
    conditioned: bool = True
    initial_map: float = 0.5
    rest: float = 0.0
    schedule: Sequence[int] = (1,)
    iterations: int = 8
    floor: float = FLOOR
    keep_colors: bool = False
    evenness: float = 0.0
    mirrored: bool = False
    grayness: float = 0.0
    settle: float = 0.0
    depths: Sequence[int] | None = None
    stride: int = 1
    shrink: int = 1
    crop: int | None = None
    window: float = 1.0
    batch_size: int = 8
    epochs: int = 10
    steps_per_epoch: int | None = None
    learning_rate: float = 1e-3
    cosine_decay: bool = True
    exposures: int = 1
    sample: int = 0
    exposure_stops: float = 0.0
    white_balance: float = 0.0
    lit: float = 0.0
    colors: float = 0.0
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        """Check what no other part of the package checks."""
        for field, choices in (
            ("objective", OBJECTIVES),
            ("loss", LOSSES),
            ("precision", PRECISIONS),
        ):
            value = getattr(self, field)
            if value not in choices:
                names = ", ".join(f'"{choice}"' for choice in choices)
                raise ValueError(f"{field} must be one of {names}, not {value!r}")
        for field in ("stride", "shrink", "batch_size", "epochs", "crop", "steps_per_epoch"):
            value = getattr(self, field)
            if value is None and field in ("crop", "steps_per_epoch"):
                continue
            if value != int(value) or value < 1:
                raise ValueError(f"{field} must be a whole number of 1 or more, not {value!r}")
        if not 0 < self.window <= 1:
            raise ValueError(f"window must be above 0 and at most 1, not {self.window!r}")
        check_shares(self)
        for field in COMPANION_FIELDS:
            if getattr(self, field) and (self.shrink == 1 or not (self.depths or self.crop)):
                raise ValueError(
                    f"{field} is for training on shrunk whole pictures: it needs shrink above 1, "
                    "and depths or crop"
                )
        object.__setattr__(self, "schedule", tuple(self.schedule))
        if self.depths is not None:
            depths = tuple(self.depths)
            if len(depths) != 2 or not 1 <= depths[0] <= depths[1]:
                raise ValueError(f"depths must be two whole numbers, 1 <= a <= b, not {depths!r}")
            object.__setattr__(self, "depths", depths)

    @property
    def two_scales(self) -> bool:
        """Whether full-size crops go along with shrunk whole pictures."""
        return self.crop is not None and self.shrink > 1

    @property
    def companion(self) -> int | None:
        """The companion of the trained enhancer; see `model.RecursiveEnhancer`."""
        needed = self.two_scales or any(getattr(self, field) for field in COMPANION_FIELDS)
        return self.shrink if needed else None


_ANY_DEPTH = {
    "schedule": (32, 32, 32, 32, 2, 1, 1, 32),
    "shrink": 32,
    "depths": (7, 16),
    "rest": 0.1,
    "window": 0.8,
    "sample": 8,
    "exposure_stops": 0.25,
    "white_balance": 0.1,
    "lit": 0.15,
    "colors": 0.3,
    "precision": "mixed_bfloat16",
}

RECIPES = {
    # As the founding project did it: whole pictures one at a time, 20 epochs of 24 steps. Ours
    # keeps every third pixel only, which makes an epoch nine times cheaper.
    "founding": Recipe(
        objective="founding",
        channels=1,
        conditioned=False,
        stride=3,
        batch_size=1,
        epochs=20,
        steps_per_epoch=24,
        cosine_decay=False,
    ),
    # Exposure first: each map is predicted from a picture shrunk 32 times, which costs next to
    # nothing and sees the whole scene. One channel for the three colors: at so coarse a scale,
    # three gave colored patches. The bias starts the map near the best constant.
    "curve8": Recipe(
        channels=1,
        schedule=(32,),
        initial_map=0.38,
        stride=8,
        epochs=64,
        learning_rate=1.5e-3,
        exposure_stops=1.0,
        white_balance=0.1,
    ),
    # Exposure by a recursion that learns when to stop: pictures shrunk 32 times, LOL's and the
    # sample's.
    "exposure": Recipe(
        **{**_ANY_DEPTH, "schedule": (32,)},
        initial_map=0.38,
        batch_size=16,
        epochs=100,
        learning_rate=2e-3,
    ),
    # Then noise, from the weights of "exposure": full-size crops go along with the whole pictures.
    # After four coarse iterations three fine ones see the grain; all later ones are coarse again.
    "anydepth": Recipe(
        **_ANY_DEPTH,
        loss="mse+ssim",
        crop=96,
        keep_colors=True,
        evenness=0.85,
        mirrored=True,
        grayness=0.3,
        settle=0.09,
        epochs=165,
    ),
}
"""The recipes of the committed weights, by name, and of what they start from."""
