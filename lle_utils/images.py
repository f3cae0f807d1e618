"""Pictures in, as float RGB in [0, 1], and files out, whole or not at all.

The one form of a picture that the rest of the package knows is a NumPy array of float32, shape
(height, width, 3), RGB, values in [0, 1], the right way up.
"""

import os
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lle_utils.errors import LleError
from lle_utils.photos import WRITABLE, Photo, read_photo


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
    scaled = image.astype(np.float32)
    if image.dtype.kind == "u":
        scaled /= np.float32(np.iinfo(image.dtype).max)
    elif not (scaled.min() >= 0 and scaled.max() <= 1):  # which NaN is not either
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
            "a picture has the shape (height, width) or (height, width, 1, 3 or 4), not "
            f"{array.shape}; enhance several pictures one after the other"
        )
    if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        raise ValueError(
            f"a picture is uint8, uint16 or floating point, not {array.dtype}: convert it"
        )
    return frame


def to_uint8(image) -> np.ndarray:
    """Round an array of any shape in [0, 1] to 8-bit code values, clipping values outside."""
    image = np.asarray(image)
    if not np.isfinite(image).all():
        raise ValueError("the picture has values that are not finite (NaN or infinity)")
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture file of (almost) any kind, upright and in sRGB; opacity is dropped.

    `photos.read_photo` keeps all that a file holds.

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
        raise LleError(f"{path} holds {len(photo.frames)} pictures where one is wanted")
    return photo


def check_ending(path: str | Path) -> None:
    """Make sure that a picture can be written under this name."""
    if Path(path).suffix.lower() not in WRITABLE:
        raise LleError(
            f"{path}: the name of a picture to be written ends in {', '.join(WRITABLE)}; "
            "that of a folder ends in /"
        )


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


def shrink(image: np.ndarray, long_side: int) -> np.ndarray:
    """Return a picture averaged down to at most `long_side` pixels of height and width."""
    share = min(1, long_side / max(image.shape[:2]))
    return cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


@cache
def _remove_parts(folder: Path) -> None:
    """Remove the parts of files that killed processes left: what was not written to for a day."""
    with suppress(OSError):
        for path in folder.glob(".lle-*"):
            if time.time() - path.stat().st_mtime > 24 * 3600:
                path.unlink()


def replace_file(path: Path, write) -> None:
    """Let ``write(partial)`` write a file beside `path`, and put it in place if that succeeds.

    `LleError` if the operating system refuses.
    """
    _remove_parts(path.parent)  # once per folder
    # Keras chooses the format by both endings of .weights.h5; a long name would not fit.
    partial = path.parent / f".lle-{uuid.uuid4().hex}{''.join(path.suffixes[-2:])[-24:]}"
    try:
        write(str(partial))
        os.replace(partial, path)
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise LleError(f"{path} cannot be written: {reason}") from error
    finally:
        with suppress(OSError):  # it is gone, if all went well
            partial.unlink()
