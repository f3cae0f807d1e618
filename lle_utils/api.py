"""One call for arrays, OpenCV frames and PIL pictures: `enhance`."""

import os
from functools import cache

from lle_utils.curve import check_iterations

MOST_ITERATIONS = 1000


def enhance(
    image,
    exposure: float = 0.0,
    *,
    iterations: int | None = None,
    channels: str = "rgb",
    detail: str = "native",
):
    """Brighten a picture with the packaged weights; the result is of the same kind.

    The first call in a process loads the weights, which takes seconds, or a fraction of a second if
    onnxruntime is installed. A pool must spawn its processes:
    ``multiprocessing.get_context("spawn").Pool()``.

    Parameters
    ----------
    image : array or PIL.Image.Image
        Shape (height, width), (height, width, 1), (height, width, 3), or (height, width, 4) with
        opacity, which is kept. uint8, uint16, or floating point in [0, 1].
    exposure : float, default 0
        How many stops to brighten the result by, from -8 to 8; a negative number darkens it.
    iterations : int, optional
        How many iterations, at most 1000; by default 8, as in training.
    channels : {"rgb", "bgr"}
        The order of an array's colors: OpenCV's frames are "bgr".
    detail : {"native", "fitted", "none"}
        Where the network looks for details: at the picture's own resolution; in a large picture,
        at about the resolution that it was trained at; or not at all, which is many times faster.

    Returns
    -------
    array or PIL.Image.Image
        A new picture of the same shape, type and channel order. A PIL picture with a palette or in
        CMYK comes back as RGB, and a 1-bit picture as gray.

    Raises
    ------
    TypeError
        If `image` is neither an array nor a PIL picture; the message says what to do.
    ValueError
        If the shape, the type of number or a value is not accepted; the message names it.
    """
    if channels not in ("rgb", "bgr"):
        raise ValueError(f'channels must be "rgb" or "bgr", not {channels!r}')
    if iterations is not None and check_iterations(iterations) > MOST_ITERATIONS:
        raise ValueError(f"iterations must be at most {MOST_ITERATIONS}, not {iterations!r}")
    if isinstance(image, (str, bytes, os.PathLike)):
        raise TypeError(
            f"{image!r} is a path, not a picture: lle_utils.images.read_image reads files, and "
            "`python -m lle_utils enhance` enhances them"
        )
    from_pillow = hasattr(image, "getbands")
    if not from_pillow and not hasattr(image, "__array__"):
        raise TypeError(
            f"a picture must be an array or a PIL picture, not a {type(image).__name__}; "
            "enhance several pictures one after the other"
        )
    import numpy as np

    from lle_utils.images import as_float, check_array
    from lle_utils.inference import enhance_lazily
    from lle_utils.photos import Photo
    from lle_utils.photos.decode import from_pil

    photo = from_pil(image) if from_pillow else Photo([check_array(image)])
    (frame,) = photo.frames
    if frame.dtype.kind == "f" or not frame.size:
        as_float(frame)  # refuses an empty array, and values outside [0, 1]
    order = slice(None)
    if channels == "bgr" and not from_pillow and frame.shape[-1] > 1:
        order = [2, 1, 0, 3][: frame.shape[-1]]
    photo.frames = [frame[..., order]]
    changed = photo.change(lambda view: enhance_lazily(_load(), view, iterations, exposure, detail))
    result = changed.frames[0][..., order]
    if from_pillow:
        return _to_pillow(result, photo.icc, image.info)
    kind = np.asarray(image).dtype  # the byte order is the given one
    return np.ascontiguousarray(result, kind).reshape(np.shape(image))


def _to_pillow(frame, icc: bytes | None, info: dict):
    """Turn an enhanced frame into a picture of Pillow's that says what the given one said."""
    from PIL import Image

    image = Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame)
    dropped = {"transparency"} if icc else {"transparency", "icc_profile"}
    image.info = {key: info[key] for key in info.keys() - dropped}
    return image


def load(weights: str = "enhancer", backend: str = "auto"):
    """Load weights for onnxruntime, if it is installed and can run them, or else for Keras."""
    from lle_utils.onnx import load_onnx

    model = load_onnx(weights) if backend == "auto" else None
    if model is not None:
        return model
    from lle_utils.weights import load_model

    return load_model(weights)


_load = cache(load)  # once per process
