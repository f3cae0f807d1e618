"""Make pictures smaller and maps larger, at any size and on every Keras back end.

`keras.ops.image.resize` to a size known only at run time fails at the second size under TensorFlow,
and `average_pool("same")` counts its padding on some back ends and not on others. What is here only
gathers, averages and multiplies matrices.
"""

from lle_utils.backend import ops

WHOLE = ((0.0, 0.0, 1.0, 1.0),)  # the box that is the whole picture


def make_thumbnail(images, side: int):
    """Average pictures (batch, height, width, channels) down to squares of `side` pixels.

    Each new pixel is the mean of the area that it covers, whatever the pictures' size and shape.
    """
    _, height, width, channels = ops.shape(images)
    rows, columns = _area_weights(side, height), _area_weights(side, width)
    short = ops.matmul(rows, ops.reshape(images, (-1, height, width * channels)))
    small = ops.matmul(columns, ops.reshape(short, (-1, width, channels)))
    return ops.reshape(small, (-1, side, side, channels))


def enlarge_thumbnail(maps, height, width, boxes=WHOLE):
    """Enlarge square maps bilinearly to pictures of a size, or to the parts of pictures in boxes.

    Parameters
    ----------
    maps : tensor, shape (batch, side, side, channels)
    height, width : int or scalar tensor
    boxes : tensor of float, shape (batch, 4) or (1, 4)
        Which part of its picture each result is: top, left, height and width as shares of the
        picture's. By default all of it.
    """
    side = ops.shape(maps)[1]
    top, left, tall, wide = ops.split(side * ops.convert_to_tensor(boxes, "float32"), 4, axis=1)
    rows = _bilinear_weights(height, side, top, tall / ops.cast(height, "float32"))
    columns = _bilinear_weights(width, side, left, wide / ops.cast(width, "float32"))
    return _multiply(rows, columns, maps)


def downsample(images, factor: int):
    """Average squares of `factor` x `factor` pixels of pictures (batch, height, width, channels).

    Where the size is not a multiple of the factor, the picture is mirrored at its edge.
    """
    if factor == 1:
        return images
    _, height, width, _ = ops.shape(images)
    bottom, right = ((factor - size % factor) % factor for size in (height, width))
    padded = mirror(images, 0, bottom, 0, right)
    return ops.average_pool(padded, factor, strides=factor, padding="valid")


def upsample(maps, factor: int, height, width):
    """Enlarge maps bilinearly: each old pixel is the center of `factor` x `factor` new ones.

    The result is cropped to `height` x `width` pixels, which may be tensors.
    """
    if factor == 1:
        return maps
    _, rows, columns, _ = ops.shape(maps)
    tall = _bilinear_weights(height, rows, 0.0, 1 / factor)
    wide = _bilinear_weights(width, columns, 0.0, 1 / factor)
    return _multiply(tall[None], wide[None], maps)


def mirror(images, top, bottom, left, right):
    """Extend pictures beyond their edges by mirror images of themselves, in pixels on each side.

    More than the picture has is mirrored again.
    """
    _, height, width, _ = ops.shape(images)
    images = ops.take(images, _mirrored_indices(height, top, bottom), axis=1)
    return ops.take(images, _mirrored_indices(width, left, right), axis=2)


def _mirrored_indices(size, before, after):
    """Return 0, 1, ... size - 1 continued on both sides: ... 1, 0, 0, 1, ... size - 1, size - 1."""
    # Nothing negative is divided: the remainder in ONNX, as converted, would be negative.
    index = (ops.arange(-before, size + after, dtype="int32") + 2 * size * before) % (2 * size)
    return ops.minimum(index, 2 * size - 1 - index)


def _area_weights(cells: int, size):
    """Return the matrix (cells, size) that averages pixels over `cells` equal stretches."""
    stretch = ops.cast(size, "float32") / cells
    start = ops.arange(cells, dtype="float32")[:, None] * stretch
    pixel = ops.arange(size, dtype="float32")
    overlap = ops.minimum(start + stretch, pixel + 1) - ops.maximum(start, pixel)
    return ops.relu(overlap) / stretch


def _bilinear_weights(size, cells, first, step):
    """Return the matrices (..., size, cells) that mix the two cells around each new pixel.

    The new pixels begin at `first` and each is a `step` long, in cells. Beyond the first and the
    last cell's center the edge repeats.
    """
    centers = first + step * (ops.arange(size, dtype="float32") + 0.5) - 0.5
    centers = ops.clip(centers, 0, ops.cast(cells, "float32") - 1)
    return ops.relu(1 - ops.abs(centers[..., None] - ops.arange(cells, dtype="float32")))


def _multiply(tall, wide, maps):
    """Apply matrices (batch or 1, new, old) to the rows and to the columns of maps."""
    _, rows, _, channels = ops.shape(maps)
    height, width = ops.shape(tall)[1], ops.shape(wide)[1]
    # Columns first: the second, larger product is then a single matrix product.
    widened = ops.reshape(ops.matmul(wide[:, None], maps), (-1, rows, width * channels))
    return ops.reshape(ops.matmul(tall, widened), (-1, height, width, channels))
