"""From pairs to batches: which pictures, which part of them, how dark."""

import cv2
import keras
import numpy as np

from lle_utils.data import PairedSet
from lle_utils.recipes import Recipe


class Batches(keras.utils.PyDataset):
    """Batches of dark and bright pictures, for `fit`.

    What a batch holds depends on the seed, the epoch and its index alone, so that a run which was
    cut off goes on with the very batches it would have seen. The epoch is set by
    `training.EpochSetter`.

    Parameters
    ----------
    pairs : PairedSet
    recipe : Recipe
    augment : bool, default True
        Shuffle, flip, crop at random and vary the exposure. False, for validation: the pairs in
        order, not cropped (but to the largest size that all of them have); where crops go along
        with shrunk pictures, one twice as wide and high from the middle.
    """

    def __init__(self, pairs: PairedSet, recipe: Recipe, *, augment: bool = True):
        super().__init__()
        self.pairs, self.recipe, self.augment = pairs, recipe, augment
        self.epoch = 0
        self._size = _common_size(pairs, recipe, cropped=augment)
        self._smaller = _window_size(self._size, recipe) if augment else self._size

    def __len__(self) -> int:
        every = -(-len(self.pairs) // self.recipe.batch_size)
        if self.augment and self.recipe.steps_per_epoch:
            return min(every, self.recipe.steps_per_epoch)
        return every

    def __getitem__(self, index: int) -> tuple:
        """Return the dark and the bright pictures, each float32 (batch, height, width, 3).

        Where the recipe draws depths, the first is a dict: ``picture`` and ``depth``, int32
        (batch,). Where crops go along, both are dicts: ``picture`` and ``crop``, the first with
        ``corner``, int32 (batch, 2): row and column of the crop in the picture of full size.
        """
        recipe = self.recipe
        order = np.arange(len(self.pairs))
        if self.augment:
            np.random.default_rng([recipe.seed, self.epoch]).shuffle(order)
        chosen = order[index * recipe.batch_size :][: recipe.batch_size]
        rng = np.random.default_rng([recipe.seed, self.epoch, index])
        # A network feels the borders of a shrunk picture, and would learn one size of it by heart.
        size = self._smaller if index % 2 else self._size
        views = [self._view(int(pair), size, rng) for pair in chosen]
        if self.augment and recipe.window < 1 and index % 4 == 2:
            views = [[np.rot90(side) for side in view] for view in views]
        whole = [[_shrunk(side, recipe.shrink) for side in view] for view in views]
        low, high = (np.stack(side).astype(np.float32) / 255 for side in zip(*whole, strict=True))
        if recipe.objective == "founding":
            return 255 * low, high
        if not recipe.depths and not recipe.two_scales:
            return low, high
        inputs = {"picture": low, "depth": self._depths(len(chosen), rng)}
        if not recipe.two_scales:
            return inputs, high
        crops = [self._crop(view, rng) for view in views]
        corners, dark, bright = zip(*crops, strict=True)
        inputs["corner"] = np.array(corners, np.int32)
        inputs["crop"] = np.stack(dark).astype(np.float32) / 255
        return inputs, {"picture": high, "crop": np.stack(bright).astype(np.float32) / 255}

    def _depths(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw how often each picture is iterated; for validation, as often as when it is used."""
        if not self.augment or not self.recipe.depths:
            return np.full(count, self.recipe.iterations, np.int32)
        fewest, most = self.recipe.depths
        return rng.integers(fewest, most + 1, size=count, dtype=np.int32)

    def _view(self, pair: int, size: tuple, rng: np.random.Generator) -> tuple:
        """Return one pair as uint8, thinned out, and when training cropped, flipped, re-exposed."""
        low, high = self.pairs.uint8(pair)
        stride = self.recipe.stride
        row, column = rng.integers(stride, size=2) if self.augment else (stride // 2, stride // 2)
        low, high = (side[row::stride, column::stride] for side in (low, high))
        if low.shape[0] > low.shape[1]:  # portraits lie down, so that all batches have one size
            low, high = np.rot90(low), np.rot90(high)
        window = self._window(low.shape, size, rng)
        low, high = low[window], high[window]
        if not self.augment:
            return low, high
        flips = tuple(np.flatnonzero(rng.integers(2, size=2)))
        low, high = (np.ascontiguousarray(np.flip(side, flips)) for side in (low, high))
        if self.recipe.colors and rng.random() < self.recipe.colors:
            low, high = vary_colors((low, high), rng)
        low = vary_exposure(low, self.recipe, rng)
        if self.recipe.lit and rng.random() < self.recipe.lit:
            share = rng.random()
            low = cv2.addWeighted(low, 1 - share, high, share, 0)
        return low, high

    def _crop(self, view: tuple, rng: np.random.Generator) -> tuple:
        """Return a crop's corner and the crop of the dark and of the bright picture."""
        shape = view[0].shape
        side = self.recipe.crop
        if not self.augment:
            side = min(2 * side, *shape[:2])
            corner = [(size - side) // 2 for size in shape[:2]]
        else:
            corner = [int(rng.integers(size - side + 1)) for size in shape[:2]]
        window = np.s_[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
        return corner, view[0][window], view[1][window]

    def _window(self, shape: tuple, size: tuple[int, int], rng: np.random.Generator) -> tuple:
        """Return where `size` lies in a picture: anywhere, or for validation at the top left."""
        room = shape[0] - size[0], shape[1] - size[1]
        top, left = (
            (rng.integers(room[0] + 1), rng.integers(room[1] + 1)) if self.augment else (0, 0)
        )
        return np.s_[top : top + size[0], left : left + size[1]]


def _common_size(pairs: PairedSet, recipe: Recipe, *, cropped: bool) -> tuple[int, int]:
    """Return the largest size that all pictures can give: lying down, thinned out, cropped."""
    sizes = [sorted(pairs.uint8(index)[1].shape[:2]) for index in range(len(pairs))]
    sizes = np.array(sizes) // recipe.stride
    if sizes.min() < 1:
        raise ValueError(
            f"a picture has fewer pixels in a direction than the stride, {recipe.stride}"
        )
    if recipe.two_scales and sizes.min() < recipe.crop:
        raise ValueError(f"a picture is smaller than the crops, {recipe.crop} pixels")
    if cropped and recipe.crop and not recipe.two_scales:
        sizes = np.minimum(sizes, recipe.crop)
    height, width = sizes.min(axis=0)
    return int(height), int(width)


def _window_size(size: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """Return the recipe's share of a size, but not less than what crops need."""
    least = min(recipe.crop or 1, *size)
    height, width = (max(least, round(recipe.window * side)) for side in size)
    return height, width


def _shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    """Average squares of pixels, as `scaling.shrink` does it: the last row and column repeat."""
    if factor == 1:
        return picture
    height, width = picture.shape[:2]
    rows, columns = -(-height // factor), -(-width // factor)
    padded = cv2.copyMakeBorder(
        np.ascontiguousarray(picture),
        *(0, rows * factor - height, 0, columns * factor - width),
        cv2.BORDER_REPLICATE,
    )
    return cv2.resize(padded.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)


def vary_exposure(low: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Scale an 8-bit picture's code values by a random gain, and each channel a little on its own.

    Parameters
    ----------
    low : ndarray of uint8, shape (height, width, 3)
    recipe : Recipe
        Gives the ranges.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, same shape
    """
    if not recipe.exposure_stops and not recipe.white_balance:
        return low
    gain = 2 ** rng.uniform(-recipe.exposure_stops, recipe.exposure_stops)
    gains = gain * (1 + rng.uniform(-recipe.white_balance, recipe.white_balance, size=3))
    table = np.clip(np.round(np.arange(256)[:, None] * gains), 0, 255).astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(low), table.reshape(256, 1, 3))


def vary_colors(pictures: tuple, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Let channels change places, and draw colors nearer to gray or away from it, by up to 2.

    Parameters
    ----------
    pictures : tuple of ndarray of uint8, shape (height, width, 3)
        All are changed alike.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray of uint8, same shapes
        Clipped to 0..255.
    """
    saturation = 2 ** rng.uniform(-1, 1)
    mixed = saturation * np.eye(3) + (1 - saturation) / 3
    mixed = mixed[rng.permutation(3)]
    return tuple(cv2.transform(picture, mixed) for picture in pictures)
