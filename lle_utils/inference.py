"""Enhance a picture of any size in bounded memory: tile after tile, around any network.

It is the recursion of `enhancer.Enhancer` once more, in NumPy and without Keras. How much light,
and where, follow from the thumbnail alone, so they are known before the first tile. A detail
iteration looks at a tile and at the pixels around it that its map depends on.
"""

import functools
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from lle_utils.curve import (
    LATE_TOLERANCE,
    TOLERANCE,
    Iteration,
    adjust_exposure,
    brighten,
    check_iterations,
    iterate,
    soft_threshold,
)
from lle_utils.images import as_float

SETTINGS = ("schedule", "iterations", "floor")
"""What decides, beside its network, what an enhancer does: names of its attributes."""

EXPOSURE, THUMBNAIL = "exposure", "thumbnail"  # entries of a schedule

SIDE = 24  # of the thumbnail in pixels, whatever the picture's size
FLIPS = ((), (1,), (2,), (1, 2))  # axes along which a batch of thumbnails is flipped
TINT = 0.5  # share of the color of the thumbnail's map that is left: light is to have little color
REACH = 7  # pixels beyond its own that a map's pixel depends on: one per layer of 3 x 3
WINDOW = 2 * REACH + 1  # side of the square over which a detail map is averaged

WHOLE_PIXELS = 2**19  # the most pixels of a picture that is one tile
TILE = 512  # side of a tile in pixels, without what is seen around it
FITTED_SIDE = 1000  # longest side in pixels at which "fitted" looks for details; training saw 600


def enhance_picture(
    model, image, iterations: int | None = None, exposure: float = 0.0, detail: str = "native"
):
    """Enhance one picture of any size with trained weights.

    Parameters
    ----------
    model : Enhancer, onnx.OnnxEnhancer or founding.FoundingEnhancer
        What `weights.load_model` or `onnx.load_onnx` returned.
    image : array
        Any picture that `images.as_float` takes.
    iterations : int, optional
        How many; by default the model's own.
    exposure : float, default 0
        By how many stops to brighten the result, or, below 0, to darken it; see
        `curve.adjust_exposure`.
    detail : {"native", "fitted", "none"}
        Whether the network looks for details at the picture's own resolution, at about the one
        that it was trained at, or not at all, which is many times faster.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB in [0, 1].

    Raises
    ------
    ValueError
        If the picture, `iterations`, `exposure` or `detail` does not fit.
    TypeError
        If `model` is the name of weights and not the weights.
    """
    return np.asarray(enhance_lazily(model, as_float(image), iterations, exposure, detail))


def enhance_lazily(
    model, picture, iterations: int | None = None, exposure: float = 0.0, detail: str = "native"
):
    """Enhance a picture where it is looked at, which bounds the memory; see `enhance_picture`.

    `picture` is an array or a `photos.View`: what gives float RGB in [0, 1] for
    ``picture[rows, columns]``. Returns an `Enhanced`; the founding method, which works on whole
    pictures only, returns an array.
    """
    iterations = _count_iterations(model, iterations)
    fitted = max(1, round(max(picture.shape[:2]) / FITTED_SIDE))
    factors = {"native": 1, "fitted": fitted, "none": 0}
    if detail not in factors:
        raise ValueError(f'detail is "native", "fitted" or "none", not {detail!r}')
    adjust_exposure(np.float32(0), exposure)  # refuses what is not an exposure
    if hasattr(model, "schedule"):
        return Enhanced(model, picture, iterations, exposure, factors[detail])
    enhanced = trace(model, np.asarray(picture), iterations)[-1].image
    return adjust_exposure(np.clip(enhanced, 0, 1), exposure)


def _count_iterations(model, iterations: int | None) -> int:
    if not hasattr(model, "iterations"):
        raise TypeError(f"model is what weights.load_model returns, not {model!r}")
    return check_iterations(model.iterations if iterations is None else iterations)


def trace(model, image, iterations: int | None = None) -> list[Iteration]:
    """Enhance a picture and keep every map and every result on the way.

    The parameters are those of `enhance_picture`.

    Returns
    -------
    list of curve.Iteration
        As arrays of float32: maps (height, width, channels), also where they are one number a
        channel, and pictures (height, width, 3).
    """
    image, iterations = as_float(image), _count_iterations(model, iterations)
    if hasattr(model, "schedule"):
        every_row, every_column = (slice(0, side) for side in image.shape[:2])
        steps = Enhanced(model, image, iterations).steps(every_row, every_column)
    else:
        from keras.ops import convert_to_numpy

        batches = model.steps(image[None], iterations)
        steps = (Iteration(*(convert_to_numpy(side)[0] for side in step)) for step in batches)
    return [
        Iteration(np.broadcast_to(maps, (*image.shape[:2], maps.shape[-1])), picture)
        for maps, picture in steps
    ]


def map_kinds(schedule: Sequence, iterations: int = 8) -> list[str]:
    """Say in words what the map of each iteration is, by an enhancer's schedule."""
    words = {EXPOSURE: "how much", THUMBNAIL: "where", 1: "detail, full size"}
    sources = [*schedule, *[EXPOSURE] * iterations][:iterations]
    return [words.get(source, f"detail, 1/{source} size") for source in sources]


class Enhanced:
    """An enhanced picture whose pixels are computed where they are asked for.

    ``enhanced[rows, columns]``, two slices, is float RGB in [0, 1]; ``np.asarray(enhanced)`` is all
    of it. `factor` is what the factors of the detail iterations are multiplied by; 0 leaves the
    details out. All else is as for `enhance_lazily`.
    """

    def __init__(self, model, picture, iterations: int, exposure: float = 0.0, factor: int = 1):
        self._model, self._picture, self._exposure = model, picture, exposure
        self.shape = (*picture.shape[:2], 3)
        sources = [source for source in model.schedule[:iterations] if isinstance(source, int)]
        factors = [source * factor for source in sources if factor]
        self._step = math.lcm(*factors)
        self._margin = sum((2 * REACH + 2) * one for one in factors)
        self._plan = self._follow_thumbnail(iterations, factor)

    def boxes(self) -> Iterator[tuple[slice, slice]]:
        """Yield the rows and columns of tiles that cover the picture and suit the memory."""
        height, width = self.shape[:2]
        side = max(TILE, 2 * self._margin)
        if height * width <= WHOLE_PIXELS:
            side = max(height, width)
        for top in range(0, height, side):
            for left in range(0, width, side):
                bottom, right = min(top + side, height), min(left + side, width)
                yield slice(top, bottom), slice(left, right)

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        """Return the enhanced pixels of some rows and columns."""
        for step in self.steps(*box):
            enhanced = step.image
        return adjust_exposure(np.clip(enhanced, 0, 1), self._exposure)

    def __array__(self, dtype=None, copy=None):
        enhanced = np.empty(self.shape, dtype or np.float32)
        for box in self.boxes():
            enhanced[box] = self[box]
        return enhanced

    def steps(self, rows: slice, columns: slice) -> Iterator[Iteration]:
        """Yield the map and the picture of each iteration, cut to some rows and columns.

        The map has the shape (rows, columns, channels), or (1, 1, channels) where it is one number
        a channel.
        """
        height, width = self.shape[:2]
        seen = (self._with_margin(rows, height), self._with_margin(columns, width))
        inside = tuple(
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in zip((rows, columns), seen, strict=True)
        )
        floored = np.maximum(self._picture[seen], np.float32(self._model.floor))
        predict = functools.partial(self._map, seen)
        for parameter_map, image in iterate(floored, predict, len(self._plan)):
            if parameter_map.shape[:2] != (1, 1):
                parameter_map = parameter_map[inside]
            yield Iteration(parameter_map, image[inside])

    def _with_margin(self, part: slice, size: int) -> slice:
        """Extend a stretch by what its maps depend on, to where downsampling has its cells."""
        first = max(0, part.start - self._margin) // self._step * self._step
        last = -(-(part.stop + self._margin) // self._step) * self._step
        return slice(first, min(last, size))

    def _follow_thumbnail(self, iterations: int, factor: int) -> list:
        """Return each iteration's map: one number per channel, or the thumbnail's, and a factor.

        The factor is 0 where there are no details to add.
        """
        model, thumbnail, plan = self._model, self._make_thumbnail(), []
        for step in range(iterations):
            late = step >= len(model.schedule)
            source = EXPOSURE if late else model.schedule[step]
            flipped = np.concatenate([np.flip(thumbnail[None], axes) for axes in FLIPS])
            maps = np.split(_predict(model, flipped), len(FLIPS))
            mean = sum(np.flip(m, axes) for m, axes in zip(maps, FLIPS, strict=True)) / len(FLIPS)
            where = _toward_gray(mean[0], TINT)
            tolerance = LATE_TOLERANCE if late else TOLERANCE
            exposure = soft_threshold(where.mean((0, 1), keepdims=True), tolerance)
            parameter_map = soft_threshold(where) if source == THUMBNAIL else exposure
            plan.append((parameter_map, source * factor if isinstance(source, int) else 0))
            thumbnail = brighten(thumbnail, parameter_map)
        return plan

    def _make_thumbnail(self) -> np.ndarray:
        """Average the picture down to the thumbnail, some rows at a time."""
        height, width = self.shape[:2]
        weights, total = _area_weights(SIDE, height), 0
        step = max(1, WHOLE_PIXELS // width)
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            pixels = np.maximum(self._picture[rows, slice(0, width)], np.float32(self._model.floor))
            total += weights[:, rows] @ pixels.reshape(len(pixels), -1)
        return _area_weights(SIDE, width) @ total.reshape(SIDE, width, 3)

    def _map(self, seen: tuple[slice, slice], image: np.ndarray, step: int) -> np.ndarray:
        source, factor = self._plan[step]
        if factor:
            return np.clip(source + _detail_map(self._model, image, factor), 0, 1)
        if source.shape[0] == 1:
            return source
        tall, wide = (
            _bilinear_weights(part, size, SIDE)
            for part, size in zip(seen, self.shape, strict=False)
        )
        widened = (wide @ source).reshape(SIDE, -1)
        return (tall @ widened).reshape(*image.shape[:2], -1)


def _predict(model, images: np.ndarray) -> np.ndarray:
    """Run the network with the edges mirrored, and keep gray pictures gray."""
    maps = model.predict_maps(_widen(images))[:, REACH:-REACH, REACH:-REACH]
    most = images.max(axis=-1, keepdims=True)
    saturation = 1 - images.min(axis=-1, keepdims=True) / most
    return _toward_gray(maps, np.minimum(5 * saturation, 1))


def _widen(images: np.ndarray) -> np.ndarray:
    return np.pad(images, ((0, 0), (REACH, REACH), (REACH, REACH), (0, 0)), "symmetric")


def _toward_gray(maps: np.ndarray, share) -> np.ndarray:
    """Return maps of which a share of the color is left."""
    gray = maps.mean(axis=-1, keepdims=True)
    return gray + share * (maps - gray)


def _detail_map(model, image: np.ndarray, factor: int) -> np.ndarray:
    """Predict the details of a picture's map; see `enhancer.Enhancer.detail_map`."""
    if factor == 1:
        return _details(model, image)
    height, width = image.shape[:2]
    bottom, right = -height % factor, -width % factor
    padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), "symmetric")
    rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
    small = padded.reshape(rows, factor, columns, factor, 3).mean((1, 3))
    maps = _details(model, small)
    # OpenCV's bilinear interpolation has the pixels' centers where `resample.upsample` has them.
    large = cv2.resize(maps, (factor * columns, factor * rows), interpolation=cv2.INTER_LINEAR)
    return large.reshape(factor * rows, factor * columns, -1)[:height, :width]


def _details(model, image: np.ndarray) -> np.ndarray:
    """Predict the map of a picture, and subtract its mean over `WINDOW` x `WINDOW` pixels."""
    maps = soft_threshold(_predict(model, _widen(image[None]))[0])
    mean = cv2.blur(maps, (WINDOW, WINDOW)).reshape(maps.shape)
    return (maps - mean)[REACH:-REACH, REACH:-REACH]


def _area_weights(cells: int, size: int) -> np.ndarray:
    """Return the matrix (cells, size) that averages pixels over `cells` equal stretches."""
    stretch = size / cells
    start = np.arange(cells)[:, None] * stretch
    pixel = np.arange(size)
    overlap = np.minimum(start + stretch, pixel + 1) - np.maximum(start, pixel)
    return (np.maximum(overlap, 0) / stretch).astype(np.float32)


def _bilinear_weights(part: slice, size: int, cells: int) -> np.ndarray:
    """Return the matrix (pixels, cells) that enlarges `cells` to `size` pixels, or to a part."""
    pixels = (np.arange(part.start, part.stop) + 0.5) / size
    centers = np.clip(pixels * cells - 0.5, 0, cells - 1)
    return np.maximum(1 - np.abs(centers[:, None] - np.arange(cells)), 0).astype(np.float32)
