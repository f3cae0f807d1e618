"""Shrinking a picture and growing a map, at any size and on every Keras back end.

`keras.ops.image.resize` to a size that is known only at run time fails at the second size under
TensorFlow, and `average_pool("same")` counts the padding on some back ends and not on others. What
is here only slices, joins, averages and multiplies matrices.
"""

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
    _, rows, columns, channels = ops.shape(maps)
    # Two matrix products, columns first: the second, larger one is then a single product.
    wide = ops.matmul(_bilinear_weights(width, columns, factor, maps.dtype), maps)
    wide = ops.reshape(wide, (-1, rows, width * channels))
    tall = ops.matmul(_bilinear_weights(height, rows, factor, maps.dtype), wide)
    return ops.reshape(tall, (-1, height, width, channels))


def grow_window(maps, factor: int, corners, side: int):
    """Enlarge maps as `grow` does, but compute a square window of each alone.

    Parameters
    ----------
    maps : tensor, shape (batch, rows, columns, channels)
    factor : int
    corners : integer tensor, shape (batch, 2)
        Row and column of each window's top left pixel in the enlarged map.
    side : int or scalar tensor
        Of the windows, in pixels of the enlarged map.

    Returns
    -------
    tensor, shape (batch, side, side, channels)
    """
    _, rows, columns, _ = ops.shape(maps)
    corners = ops.cast(corners, "float32")
    tall = _bilinear_weights(side, rows, factor, maps.dtype, corners[:, :1])
    wide = _bilinear_weights(side, columns, factor, maps.dtype, corners[:, 1:])
    return ops.einsum("bjl,bilc->bijc", wide, ops.einsum("bik,bklc->bilc", tall, maps))


def _bilinear_weights(size, cells, factor: int, dtype, first=0.0):
    """Return the matrix (size, cells) that mixes for each new pixel the two cells it lies between.

    `first` is the first new pixel's index; of shape (batch, 1), it gives (batch, size, cells).

    A new pixel's center lies at ``(index + 1/2) / factor - 1/2`` in cells; beyond the first and
    the last cell's center the picture's edge repeats.
    """
    centers = (first + ops.arange(size, dtype="float32") + 0.5) / factor - 0.5
    centers = ops.clip(centers, 0, ops.cast(cells - 1, "float32"))
    distances = ops.abs(centers[..., None] - ops.arange(cells, dtype="float32"))
    return ops.cast(ops.relu(1 - distances), dtype)


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
