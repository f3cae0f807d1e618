"""Pictures in and out: any file becomes float RGB in [0, 1], and goes back to a file.

The one form that the rest of the package knows is a NumPy array of float32, shape (height, width,
3), RGB, values in [0, 1], the right way up.
"""

import os
import platform
import re
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from lle_utils.errors import LleError
from lle_utils.photos import FORMATS, WRITABLE, Photo, encode, read_photo


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
    """
    image = check_array(image)
    if image.dtype.kind == "u":
        scaled = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    else:
        scaled = image.astype(np.float32)
        if not np.isfinite(scaled).all():
            raise ValueError("the picture has values that are not finite (NaN or infinity)")
        if scaled.min() < 0 or scaled.max() > 1:
            raise ValueError(
                "a floating-point picture must be in [0, 1]; this one spans "
                f"[{scaled.min():.4g}, {scaled.max():.4g}]. Divide code values by 255 first"
            )
    if image.shape[-1] == 1:
        return np.repeat(scaled, 3, axis=-1)
    return np.ascontiguousarray(scaled[..., :3])


def check_array(image) -> np.ndarray:
    """Return a picture as an array (height, width, channels), if its shape and type are right."""
    array = np.asarray(image)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)  # the computer's own byte order
    frame = array[..., None] if array.ndim == 2 else array
    if frame.ndim != 3 or frame.shape[-1] not in (1, 3, 4) or frame.size == 0:
        raise ValueError(
            "a picture has the shape (height, width), (height, width, 1), (height, width, 3) or "
            f"(height, width, 4), not {array.shape}; enhance several pictures one after the other"
        )
    if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        raise ValueError(
            f"a picture is uint8, uint16 or floating point, not {array.dtype}: convert it first"
        )
    return frame


def to_uint8(image) -> np.ndarray:
    """Round an array of any shape in [0, 1] to 8-bit code values, clipping values outside."""
    image = np.asarray(image)
    if not np.isfinite(image).all():
        raise ValueError("the picture has values that are not finite (NaN or infinity)")
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture file of (almost) any kind.

    Gray, palette, CMYK, 16-bit and floating-point files all come out alike; a camera's rotation
    mark (EXIF) is obeyed; the colors of other color spaces are converted to sRGB; opacity is
    dropped. `photos.read_photo` keeps all of it.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB in [0, 1].

    Raises
    ------
    LleError
        If the file is missing, empty, damaged, not a picture, or holds more than one.
    """
    return _read_single(path).to_srgb()


def read_uint8(path: str | Path) -> np.ndarray:
    """Read a picture file as `read_image` does, but as uint8; deeper files are rounded."""
    photo = _read_single(path)
    if photo.icc is None and photo.frames[0].dtype == np.uint8 and photo.pixels.shape[-1] == 3:
        return photo.pixels.copy()  # most files: nothing to convert
    return to_uint8(photo.to_srgb())


def _read_single(path: str | Path) -> Photo:
    photo = read_photo(path)
    if len(photo.frames) > 1:
        raise LleError(
            f"{path} holds {len(photo.frames)} pictures, an animation or pages, where one is "
            "wanted; lle_utils.photos.read_photo reads them all"
        )
    return photo


def check_ending(path: str | Path) -> str:
    """Return the ending of a picture to be written, in small letters, if pictures can have it."""
    ending = Path(path).suffix
    if ending.lower() not in WRITABLE:
        raise LleError(
            f"{path}: a picture is written as {', '.join(WRITABLE)}, "
            + (f"not as {ending}" if ending else "and this name has no extension")
            + "; a folder's name ends in /"
        )
    return ending.lower()


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Make sure that a file may be written to `path`, before any work is spent on it."""
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
        Its ending chooses the kind: .png, .jpg (quality 95, full color), .tif, .bmp, .webp, ...
    image : array of float, shape (height, width, 3)
        RGB; values outside [0, 1] are clipped.
    overwrite : bool, default False
        Whether a file of that name may be replaced.
    """
    path = Path(path)
    kind = FORMATS[check_ending(path)]
    check_writable(path, overwrite=overwrite)
    content = encode(Photo([to_uint8(image)], ""), kind)
    replace_file(path, lambda partial: Path(partial).write_bytes(content))
    return path


def shrink(image: np.ndarray, long_side: int) -> np.ndarray:
    """Return a picture averaged down to at most `long_side` pixels of height and width."""
    share = min(1, long_side / max(image.shape[:2]))
    return cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


_COMPUTER = f"{zlib.crc32(platform.node().encode()):08x}"
_PART = re.compile(rf"\.lle-{_COMPUTER}-(\d+)-")


def remove_parts(folder: str | Path) -> None:
    """Remove the parts of files that processes of this computer left when they were killed."""
    with suppress(OSError):
        for path in Path(folder).glob(".lle-*"):
            found = _PART.match(path.name)
            if found and not _is_running(int(found[1])):
                path.unlink()


def _is_running(process: int) -> bool:
    if os.name == "nt":  # where this signal would end the process
        return True
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def replace_file(path: Path, write) -> None:
    """Call ``write(partial)`` on a file beside `path`, and put it in place only if that succeeds.

    Raises
    ------
    LleError
        If the operating system refuses.
    """
    partial = None
    try:
        # Keras chooses the format by both endings of .weights.h5; a long name would not fit.
        ending = "".join(path.suffixes[-2:])[-24:]
        start = f".lle-{_COMPUTER}-{os.getpid()}-"
        descriptor, partial = tempfile.mkstemp(prefix=start, suffix=ending, dir=path.parent)
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
            raise LleError(f"{path} cannot be written: {reason}") from error
        raise
