"""From pairs to batches, with augmentation: which pictures, which part of them, in which light."""

import dataclasses
import math
from collections.abc import Sequence

import cv2
import numpy as np

from lle_utils.backend import keras
from lle_utils.curve import FLOOR
from lle_utils.enhancer import SIDE
from lle_utils.images import as_float
from lle_utils.recipes import Recipe


class Batches(keras.utils.PyDataset):
    """Batches of dark and bright pictures, for `fit`.

    What a batch holds depends on the seed, the epoch and its index only, so that an interrupted run
    resumes with the very batches it would have seen.

    Parameters
    ----------
    sources : sequence of (data.PairedSet, float)
        Pairs, and what share of an epoch comes from them.
    recipe : Recipe
    validation : bool, default False
        Every pair once, as it is, and iterated 8 times; crops are twice as wide and high, from the
        middle.
    """

    def __init__(self, sources: Sequence, recipe: Recipe, *, validation: bool = False):
        super().__init__()
        if validation:
            recipe = dataclasses.replace(
                recipe, augment=False, crop=2 * recipe.crop, depths=(8, 8), steps_per_epoch=None
            )
        self.sources, self.recipe, self.validation = list(sources), recipe, validation
        self.epoch = 0
        # All crops have one side, so it must fit into the smallest picture.
        pictures = (pairs.uint8(i)[1] for pairs, _ in self.sources for i in range(len(pairs)))
        self.side = min(recipe.crop, *(min(picture.shape[:2]) for picture in pictures))

    def begin_epoch(self, epoch: int, logs=None) -> None:
        """Say which epoch the next batches are of."""
        self.epoch = epoch

    def __len__(self) -> int:
        count = sum(len(pairs) for pairs, _ in self.sources)
        return self.recipe.steps_per_epoch or math.ceil(count / self.recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[dict, dict]:
        """Return a batch: what goes into the network, and what should come out.

        The inputs are ``thumbnail``, float32 (batch, SIDE, SIDE, 3), and ``crop``, float32 (batch,
        side, side, 3), of dark pictures in [0, 1]; ``box``, float32 (batch, 4), what part of the
        picture the crop is (see `resample.enlarge_thumbnail`); ``depth``, int32 (batch,), how often
        each is iterated. The targets are ``thumbnail`` and ``crop`` of the bright pictures.
        """
        size = self.recipe.batch_size
        chosen = self.order()[index * size : (index + 1) * size]
        distribution = keras.distribution.distribution()
        if distribution:
            # Devices share a batch evenly: of a last, smaller one some pairs come twice.
            devices = distribution.device_mesh.devices.size
            chosen = (devices * chosen)[: devices * math.ceil(len(chosen) / devices)]
        rng = np.random.default_rng([self.recipe.seed, self.epoch, index])
        inputs, targets = zip(*(self._draw(*pair, rng) for pair in chosen), strict=True)
        return _stack(inputs), _stack(targets)

    def order(self) -> list[tuple[int, int]]:
        """Return the epoch's pairs in order, each as the numbers of its source and of its pair.

        From each source comes its share, every pair as often as any other, shuffled.
        """
        rng = np.random.default_rng([self.recipe.seed, self.epoch])
        counts = sizes = [len(pairs) for pairs, _ in self.sources]
        if self.recipe.steps_per_epoch:
            shares = np.array([share for _, share in self.sources])
            counts = np.ceil(len(self) * self.recipe.batch_size * shares / shares.sum()).astype(int)
        order = []
        for source, (size, count) in enumerate(zip(sizes, counts, strict=True)):
            rounds = [rng.permutation(size) for _ in range(math.ceil(count / size))]
            order += [(source, int(number)) for number in np.concatenate(rounds)[:count]]
        rng.shuffle(order)
        return order

    def _draw(self, source: int, number: int, rng: np.random.Generator) -> tuple[dict, dict]:
        """Return one pair's part of a batch."""
        low, high = self.sources[source][0].uint8(number)
        if self.recipe.augment:
            low, high = augment(low, high, rng, least=self.recipe.crop)
        low, high = as_float(low), as_float(high)
        side, (height, width) = self.side, low.shape[:2]
        if self.validation:
            top, left = (height - side) // 2, (width - side) // 2
        else:
            top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        window = np.s_[top : top + side, left : left + side]
        fewest, most = self.recipe.depths
        inputs = {
            "thumbnail": make_thumbnail(np.maximum(low, np.float32(FLOOR))),
            "crop": low[window],
            "box": np.float32([top / height, left / width, side / height, side / width]),
            "depth": np.int32(rng.integers(fewest, most + 1)),
        }
        return inputs, {"thumbnail": make_thumbnail(high), "crop": high[window]}


def _stack(parts: Sequence[dict]) -> dict:
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def make_thumbnail(picture: np.ndarray) -> np.ndarray:
    """Average one picture, float32 (height, width, 3), as `resample.make_thumbnail` does."""
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def augment(
    low: np.ndarray, high: np.ndarray, rng: np.random.Generator, *, least: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random variant of a pair: a part of it, turned, in different light or colors.

    Of arrays of uint8 (height, width, 3), at least `least` pixels high and wide are left.
    """
    height, width = (
        max(min(least, side), round(side * rng.uniform(0.6, 1))) for side in low.shape[:2]
    )
    top, left = rng.integers(low.shape[0] - height + 1), rng.integers(low.shape[1] - width + 1)
    window = np.s_[top : top + height, left : left + width]
    turns, flipped = rng.integers(4), rng.integers(2)
    low, high = (np.rot90(side[window], turns) for side in (low, high))
    if flipped:
        low, high = np.fliplr(low), np.fliplr(high)
    low, high = np.ascontiguousarray(low), np.ascontiguousarray(high)  # for OpenCV
    if rng.random() < 0.3:
        low, high = vary_colors((low, high), rng)
    low = vary_exposure(low, rng)
    if rng.random() < 0.2:  # partly lit: what is bright stays as it is
        share = rng.random()
        low = cv2.addWeighted(low, 1 - share, high, share, 0)
    return low, high


def vary_exposure(low: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale an 8-bit picture's code values by up to 0.4 stops, and each channel by up to 10 %."""
    gain = 2 ** rng.uniform(-0.4, 0.4)
    gains = gain * (1 + rng.uniform(-0.1, 0.1, size=3))
    table = np.clip(np.round(np.arange(256)[:, None] * gains), 0, 255).astype(np.uint8)
    return cv2.LUT(low, table.reshape(256, 1, 3))


def vary_colors(pictures: tuple, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Swap channels of 8-bit pictures, and move colors toward gray or away from it, in all alike.

    Otherwise a network learns which colors a data set's rooms have, and paints others over.
    """
    saturation = 2 ** rng.uniform(-1, 1)
    mixed = saturation * np.eye(3) + (1 - saturation) / 3
    mixed = mixed[rng.permutation(3)]
    return tuple(cv2.transform(picture, mixed) for picture in pictures)
