"""From pairs to batches: which pictures, which part of them, how dark."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from lle_utils.backend import keras
from lle_utils.curve import FLOOR
from lle_utils.data import PairedSet
from lle_utils.enhancer import SIDE
from lle_utils.recipes import Recipe


def count_devices() -> int:
    """Return among how many devices Keras shares each batch."""
    distribution = keras.distribution.distribution()
    return distribution.device_mesh.devices.size if distribution else 1


class Batches(keras.utils.PyDataset):
    """Batches of dark and bright pictures, for `fit`.

    What a batch holds depends on the seed, the epoch and its index only, so that an interrupted run
    resumes with the very batches it would have seen. The epoch is set by `training.EpochSetter`.

    Parameters
    ----------
    sources : sequence of (PairedSet, float)
        Pairs, and what share of an epoch comes from them.
    recipe : Recipe
    validation : bool, default False
        The pairs in order, as they are, and iterated 8 times; crops are twice as wide and high,
        from the middle.
    """

    def __init__(
        self,
        sources: Sequence[tuple[PairedSet, float]],
        recipe: Recipe,
        *,
        validation: bool = False,
    ):
        super().__init__()
        self.sources, self.recipe, self.validation = list(sources), recipe, validation
        self.epoch = 0
        self._order = (None, [])

    def __len__(self) -> int:
        every = -(-sum(len(pairs) for pairs, _ in self.sources) // self.recipe.batch_size)
        return every if self.validation else self.recipe.steps_per_epoch or every

    def __getitem__(self, index: int) -> tuple[dict, dict]:
        """Return a batch: what goes into the network, and what should come out.

        Returns
        -------
        inputs : dict
            ``thumbnail``, float32 (batch, SIDE, SIDE, 3), and ``crop``, float32 (batch, side, side,
            3), of dark pictures in [0, 1]; ``box``, float32 (batch, 4), what part of the picture
            the crop is (see `resample.enlarge_thumbnail`); ``depth``, int32 (batch,), how often
            each is iterated.
        targets : dict
            ``thumbnail`` and ``crop`` of the bright pictures.
        """
        recipe, n = self.recipe, count_devices()
        chosen = self.order()[index * recipe.batch_size :][: recipe.batch_size]
        # Devices share a batch evenly: of a last, smaller one some pairs come twice.
        chosen = list(itertools.islice(itertools.cycle(chosen), -(-len(chosen) // n) * n))
        rng = np.random.default_rng([recipe.seed, self.epoch, index])
        drawn = [self._draw(*pair, rng) for pair in chosen]
        inputs, targets = zip(*drawn, strict=True)
        return _stack(inputs), _stack(targets)

    def order(self) -> list[tuple[int, int]]:
        """Return the epoch's pairs in order, each as the numbers of its source and of its pair.

        From each source comes its share, every pair as often as any other, shuffled.
        """
        if self._order[0] != self.epoch:
            self._order = (self.epoch, self._shuffled())
        return self._order[1]

    def _shuffled(self) -> list[tuple[int, int]]:
        if self.validation:
            return [(s, i) for s, (pairs, _) in enumerate(self.sources) for i in range(len(pairs))]
        rng = np.random.default_rng([self.recipe.seed, self.epoch])
        if self.recipe.steps_per_epoch is None:
            counts = [len(pairs) for pairs, _ in self.sources]
        else:
            shares = np.array([share for _, share in self.sources])
            counts = np.ceil(len(self) * self.recipe.batch_size * shares / shares.sum()).astype(int)
        order = []
        for source, ((pairs, _), count) in enumerate(zip(self.sources, counts, strict=True)):
            rounds = -(-count // len(pairs))
            numbers = np.concatenate([rng.permutation(len(pairs)) for _ in range(rounds)])[:count]
            order += [(source, int(number)) for number in numbers]
        rng.shuffle(order)
        return [tuple(map(int, pair)) for pair in order]

    def _draw(self, source: int, number: int, rng: np.random.Generator) -> tuple[dict, dict]:
        """Return one pair's part of a batch."""
        low, high = self.sources[source][0].uint8(number)
        if not self.validation and self.recipe.augment:
            low, high = augment(low, high, rng, least=self.recipe.crop)
        box, window = self._crop(low.shape, rng)
        low, high = as_unit(low), as_unit(high)
        inputs = {
            "thumbnail": make_thumbnail(np.maximum(low, np.float32(FLOOR))),
            "crop": low[window],
            "box": np.float32(box),
            "depth": np.int32(self._depth(rng)),
        }
        return inputs, {"thumbnail": make_thumbnail(high), "crop": high[window]}

    def _depth(self, rng: np.random.Generator) -> int:
        fewest, most = self.recipe.depths
        return 8 if self.validation else int(rng.integers(fewest, most + 1))

    def _crop(self, shape: tuple, rng: np.random.Generator) -> tuple:
        """Return where the crop is: its box, and the slices of the picture."""
        height, width = shape[:2]
        side = self._side()
        if self.validation:
            top, left = (height - side) // 2, (width - side) // 2
        else:
            top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        box = (top / height, left / width, side / height, side / width)
        return box, np.s_[top : top + side, left : left + side]

    def _side(self) -> int:
        """Return the side of all crops: the recipe's, or less where a picture is smaller."""
        if not hasattr(self, "_smallest"):
            self._smallest = min(
                min(pairs.uint8(i)[1].shape[:2])
                for pairs, _ in self.sources
                for i in range(len(pairs))
            )
        return min(2 * self.recipe.crop if self.validation else self.recipe.crop, self._smallest)


def _stack(parts: Sequence[dict]) -> dict:
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def as_unit(picture: np.ndarray) -> np.ndarray:
    """Return an 8-bit picture as float32 in [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)


def make_thumbnail(picture: np.ndarray) -> np.ndarray:
    """Average one picture, float32 (height, width, 3), as `resample.make_thumbnail` does."""
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def augment(
    low: np.ndarray, high: np.ndarray, rng: np.random.Generator, *, least: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random variant of a pair: a part of it, turned, in different light or colors.

    Parameters
    ----------
    low, high : ndarray of uint8, shape (height, width, 3)
    rng : numpy.random.Generator
    least : int, default 1
        The fewest pixels of height and width that are left.

    Returns
    -------
    low, high : ndarray of uint8, of one shape
    """
    height, width = (
        max(min(least, side), round(side * rng.uniform(0.6, 1))) for side in low.shape[:2]
    )
    top, left = rng.integers(low.shape[0] - height + 1), rng.integers(low.shape[1] - width + 1)
    pictures = [side[top : top + height, left : left + width] for side in (low, high)]
    turns, flipped = rng.integers(4), rng.integers(2)
    pictures = [np.rot90(side, turns)[:, :: 1 - 2 * flipped] for side in pictures]
    low, high = (np.ascontiguousarray(side) for side in pictures)
    if rng.random() < RECOLORED:
        low, high = vary_colors((low, high), rng)
    low = vary_exposure(low, rng)
    if rng.random() < PARTLY_LIT:
        share = rng.random()
        low = cv2.addWeighted(low, 1 - share, high, share, 0)
    return low, high


RECOLORED = 0.3
"""Share of pairs whose colors are changed, on both sides alike."""
PARTLY_LIT = 0.2
"""Share of dark pictures that are mixed with their bright ones: what is bright stays as it is."""
EXPOSURE_STOPS = 0.4
"""Code values are doubled or halved up to this many times."""
WHITE_BALANCE = 0.1
"""Each channel is scaled by up to this share more or less."""


def vary_exposure(
    low: np.ndarray,
    rng: np.random.Generator,
    *,
    stops: float = EXPOSURE_STOPS,
    white_balance: float = WHITE_BALANCE,
) -> np.ndarray:
    """Scale an 8-bit picture's code values by a random gain, with small differences by channel."""
    gain = 2 ** rng.uniform(-stops, stops)
    gains = gain * (1 + rng.uniform(-white_balance, white_balance, size=3))
    table = np.clip(np.round(np.arange(256)[:, None] * gains), 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(low), table.reshape(256, 1, 3))


def vary_colors(pictures: tuple, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Swap channels of 8-bit pictures, and move colors toward gray or away from it, in all alike.

    Otherwise a network learns which colors a data set's rooms have, and paints others over.
    """
    saturation = 2 ** rng.uniform(-1, 1)
    mixed = saturation * np.eye(3) + (1 - saturation) / 3
    mixed = mixed[rng.permutation(3)]
    return tuple(cv2.transform(picture, mixed) for picture in pictures)
