"""Pictures in and out: any file becomes float RGB in [0, 1], and goes back to a file.

The one form that the rest of the package knows is a NumPy array of float32, shape (height, width,
3), RGB, values in [0, 1], the right way up.
"""

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from lle_utils.errors import LleError

READABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".avif")
_BITS_PER_SAMPLE = 258  # a TIFF tag
WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def as_float(image) -> np.ndarray:
    """Turn any picture array into float RGB in [0, 1].

    Parameters
    ----------
    image : array
        Shape (height, width), (height, width, 1), (height, width, 3) or (height, width, 4); the
        fourth channel, opacity, is dropped. uint8 is divided by 255, uint16 by 65535; floating
        point must be finite and in [0, 1] already.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB in [0, 1]; gray becomes three equal channels. Always a new array.

    Raises
    ------
    ValueError
        If the shape, the type or a value does not fit; the message names it.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4) or image.size == 0:
        raise ValueError(
            "a picture has the shape (height, width), (height, width, 3) or (height, width, 4), "
            f"not {image.shape}"
        )
    if image.dtype in (np.uint8, np.uint16):
        scaled = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    elif np.issubdtype(image.dtype, np.floating):
        scaled = image.astype(np.float32)
        if not np.isfinite(scaled).all():
            raise ValueError("the picture has values that are not finite (NaN or infinity)")
        if scaled.min() < 0 or scaled.max() > 1:
            raise ValueError(
                "a floating-point picture must lie in [0, 1]; this one spans "
                f"[{scaled.min():.4g}, {scaled.max():.4g}]. Divide code values by 255 first"
            )
    else:
        raise ValueError(
            f"a picture is uint8, uint16 or floating point, not {image.dtype}: convert it first"
        )
    return np.repeat(scaled, 3, axis=-1) if image.shape[-1] == 1 else scaled[..., :3].copy()


def to_uint8(image) -> np.ndarray:
    """Round a picture in [0, 1] to 8-bit code values, clipping what lies outside.

    Parameters
    ----------
    image : array of float, any shape

    Returns
    -------
    ndarray of uint8, same shape
        ``round(255 * image)``, in 0..255.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    image = np.asarray(image)
    if not np.isfinite(image).all():
        raise ValueError("the picture has values that are not finite (NaN or infinity)")
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture file of (almost) any kind.

    Gray, palette, CMYK, 16-bit and floating-point files all come out alike; a camera's rotation
    mark (EXIF) is obeyed; opacity is dropped.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB in [0, 1].

    Raises
    ------
    LleError
        If the file is missing, empty, damaged, or not a picture.
    """
    return _read(Path(path), as_float)


def read_uint8(path: str | Path) -> np.ndarray:
    """Read a picture file as `read_image` does, but as 8-bit code values.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB in 0..255; deeper files are rounded.
    """
    return _read(Path(path), _as_uint8)


def _read(path: Path, convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    content = _read_bytes(path)
    try:
        return convert(_decode(content))
    except (LleError, ValueError) as error:
        raise LleError(f"{path}: {error}") from None


def _as_uint8(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[-1] == 3:
        return image  # most files: nothing to convert
    return to_uint8(as_float(image))


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise LleError(f"{path} is a folder; name a picture file in it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise LleError(f"{path}: no such file") from None
    except OSError as error:
        raise LleError(f"{path} cannot be read: {error.strerror}") from None
    if not content:
        raise LleError(f"{path} is empty (0 bytes)")
    return content


def _decode(content: bytes) -> np.ndarray:
    """Decode a file's bytes into an array that `as_float` takes."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()  # reads all of it: a truncated file is found out here
            if _has_deep_color(image, content):
                return _decode_with_opencv(content)
            return _pillow_array(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:
        raise LleError(
            "the picture has more than 178 million pixels; shrink it or cut it into parts first"
        ) from None
    except Image.UnidentifiedImageError:
        return _decode_with_opencv(content)  # 16-bit RGB TIFF, Radiance HDR and the like
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise LleError(f"damaged or incomplete picture file ({error})") from None


def _has_deep_color(image: Image.Image, content: bytes) -> bool:
    """Tell whether a file holds color deeper than 8 bits, which Pillow would cut down."""
    depth = 8
    if image.format == "PNG":
        depth = content[24]  # the header's ninth byte, after width and height
    elif image.format == "TIFF":
        depth = max(image.tag_v2.get(_BITS_PER_SAMPLE, (8,)))
    return image.mode.startswith("RGB") and depth > 8


def _decode_with_opencv(content: bytes) -> np.ndarray:
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR  # keeps 16 bits; obeys the EXIF rotation mark
    level = cv2.utils.logging.setLogLevel(0)  # what is wrong with a file is said once, by us
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        decoded = None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if decoded is None:
        raise LleError(
            "not a picture, or a kind that cannot be read; readable are "
            + ", ".join(ending.lstrip(".") for ending in READABLE)
        )
    return decoded[..., ::-1] if decoded.ndim == 3 else decoded  # OpenCV has blue first


def _pillow_array(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise LleError("the whole-number picture has values outside 0..65535")
        return values.astype(np.uint16)
    if image.mode == "F":
        return np.asarray(image)
    return np.asarray(image.convert("RGB"))


def check_output(path: str | Path, *, overwrite: bool = False) -> Path:
    """Make sure that a picture may be written to `path`, before any work is spent on it.

    Raises
    ------
    LleError
        If the ending is unknown, the folder is missing or cannot be written, or the file exists
        and `overwrite` is False.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise LleError(
            f"{path}: a picture is written as {', '.join(WRITABLE)}, "
            + (f"not as {path.suffix}" if path.suffix else "and this name has no ending")
        )
    check_writable(path, overwrite=overwrite)
    return path


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Make sure that any file may be written to `path`; see `check_output`."""
    if not path.parent.is_dir():
        raise LleError(f"{path.parent}: no such folder; make it first")
    if path.is_dir():
        raise LleError(f"{path} is a folder; name a file in it")
    if os.path.lexists(path) and not overwrite:  # a link that leads nowhere counts too
        raise LleError(f"{path} exists already; --overwrite replaces it")
    if not os.access(path.parent, os.W_OK):
        raise LleError(f"{path.parent}: this folder cannot be written to")


def write_image(path: str | Path, image, *, overwrite: bool = False) -> Path:
    """Write a picture in [0, 1] as an 8-bit file; a failed write leaves nothing behind.

    Parameters
    ----------
    path : str or Path
        Its ending chooses the kind: .png, .jpg (quality 95, full color), .tif, .bmp, .webp.
    image : array of float, shape (height, width, 3)
        RGB; values outside [0, 1] are clipped.
    overwrite : bool, default False
        Whether a file of that name may be replaced.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    LleError
        If the file may not or cannot be written; see `check_output`.
    """
    path = check_output(path, overwrite=overwrite)
    options = {"quality": 95, "subsampling": 0} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    picture = Image.fromarray(to_uint8(image))
    kind = Image.registered_extensions()[path.suffix.lower()]
    replace_file(path, lambda partial: picture.save(partial, format=kind, **options))
    return path


def replace_file(path: Path, write) -> None:
    """Call ``write(partial)`` on a file beside `path`, and put it in place only if that succeeds.

    Raises
    ------
    LleError
        If the operating system refuses.
    """
    partial = None
    try:
        # The name keeps its ending: Keras chooses the file format by it.
        descriptor, partial = tempfile.mkstemp(
            prefix=".lle-", suffix=f"-{path.name}", dir=path.parent
        )
        os.close(descriptor)
        write(partial)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, 0o666 & ~umask)  # mkstemp makes files that only their owner can read
        os.replace(partial, path)
    except BaseException as error:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = (error.strerror or str(error)).splitlines()[0]
            raise LleError(f"{path} cannot be written: {reason}") from None
        raise
