"""Shrinking a picture and growing a map, at any size and on every Keras back end.

`keras.ops.image.resize` to a size that is known only at run time fails at the second size under
TensorFlow, and `average_pool("same")` counts the padding on some back ends and not on others. What
is here only slices, joins, reshapes and averages.
"""

import numpy as np
from keras import ops


def shrink(images, factor: int):
    """Average squares of `factor` x `factor` pixels.

    Parameters
    ----------
    images : tensor, shape (batch, height, width, channels)
    factor : int
        1 returns `images` untouched.

    Returns
    -------
    tensor, shape (batch, ceil(height / factor), ceil(width / factor), channels)
        Where the size is not a multiple of the factor, the last row and column are repeated.
    """
    if factor == 1:
        return images
    padded = _repeat_edge(_repeat_edge(images, 1, factor), 2, factor)
    return ops.average_pool(padded, factor, strides=factor, padding="valid")


def grow(maps, factor: int, height, width):
    """Enlarge maps bilinearly: each old pixel is the center of `factor` x `factor` new ones.

    Parameters
    ----------
    maps : tensor, shape (batch, ceil(height / factor), ceil(width / factor), channels)
    factor : int
        1 returns `maps` untouched.
    height, width : int or scalar tensor
        The size to crop to.

    Returns
    -------
    tensor, shape (batch, height, width, channels)
    """
    if factor == 1:
        return maps
    return _grow_axis(_grow_axis(maps, 1, factor), 2, factor)[:, :height, :width]


def _repeat_edge(images, axis: int, factor: int):
    """Repeat the last row (axis 1) or column (axis 2) until `factor` divides the size."""
    size = ops.shape(images)[axis]
    if isinstance(size, int) and size % factor == 0:
        return images
    multiple = (size + factor - 1) // factor * factor
    if axis == 1:
        edge = ops.repeat(images[:, -1:], factor - 1, axis=1)
        return ops.concatenate([images, edge], axis=1)[:, :multiple]
    edge = ops.repeat(images[:, :, -1:], factor - 1, axis=2)
    return ops.concatenate([images, edge], axis=2)[:, :, :multiple]


def _grow_axis(maps, axis: int, factor: int):
    """Enlarge along one axis: each new pixel mixes its cell with the nearer of two neighbors."""
    if axis == 1:
        before = ops.concatenate([maps[:, :1], maps[:, :-1]], axis=1)
        after = ops.concatenate([maps[:, 1:], maps[:, -1:]], axis=1)
    else:
        before = ops.concatenate([maps[:, :, :1], maps[:, :, :-1]], axis=2)
        after = ops.concatenate([maps[:, :, 1:], maps[:, :, -1:]], axis=2)

    # Where the new pixels lie inside their cell: from -1/2 (its upper edge) to 1/2, centers.
    offset = (np.arange(factor) + 0.5) / factor - 0.5
    weights = np.stack([np.maximum(-offset, 0), 1 - np.abs(offset), np.maximum(offset, 0)])
    weights = weights.reshape((3, 1) + (1,) * (axis - 1) + (1, factor) + (1,) * (3 - axis))
    weights = [ops.cast(ops.convert_to_tensor(w), maps.dtype) for w in weights]

    cells = [ops.expand_dims(cell, axis + 1) for cell in (before, maps, after)]
    mixed = sum(cell * weight for cell, weight in zip(cells, weights, strict=True))
    batch, height, width, channels = ops.shape(maps)
    if axis == 1:
        height = height * factor
    else:
        width = width * factor
    return ops.reshape(mixed, (batch, height, width, channels))
