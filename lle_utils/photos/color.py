"""ICC profiles: from a picture's own colors to sRGB, which the network knows, and back.

Cameras, phones and screens use profiles of a matrix and three tone curves. They are applied here in
floating point; the color engine in Pillow has 8 bits, too few for dark pictures.
"""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

STEPS = 65536
_GRID = np.linspace(0, 1, STEPS)
_SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)  # for the white D50, as ICC has it


def srgb_to_linear(encoded):
    """Undo the sRGB encoding: turn values in [0, 1], an array of any shape, into light in [0, 1].

    IEC 61966-2-1: a straight line near black, a power of 2.4 above.
    """
    encoded = np.asarray(encoded)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear):
    """Encode light in [0, 1] as sRGB: the inverse of `srgb_to_linear`."""
    linear = np.asarray(linear)
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    )


class Profile:
    """A color space given by a matrix and three tone curves.

    Parameters
    ----------
    to_xyz : array, shape (3, 3)
        From linear RGB to XYZ; one column a primary.
    curves : list of array
        Linear light at equal steps of the code value, a channel each, rising from 0 to 1.
    """

    def __init__(self, to_xyz, curves):
        matrix = np.linalg.inv(_SRGB_TO_XYZ) @ to_xyz
        self._to_srgb = matrix.T.astype(np.float32)
        self._from_srgb = np.linalg.inv(matrix).T.astype(np.float32)
        self._linear = [np.asarray(curve, np.float32) for curve in curves]
        # The inverse is steep near black; steps of the square root are fine enough there.
        self._encoded = [np.interp(_GRID**2, curve, _GRID).astype(np.float32) for curve in curves]

    def to_srgb(self, picture):
        """Convert a picture in [0, 1]; colors that sRGB does not have are clipped."""
        return linear_to_srgb(np.clip(_look_up(self._linear, picture) @ self._to_srgb, 0, 1))

    def from_srgb(self, enhanced, picture):
        """Convert an enhanced sRGB picture back to the color space of the picture it came from.

        What clipping took from `picture` is added again, brightened as its pixel was.
        """
        linear = _look_up(self._linear, picture)
        seen = np.clip(linear @ self._to_srgb, 0, 1)
        clipped = linear - seen @ self._from_srgb
        light = srgb_to_linear(np.clip(enhanced, 0, 1))
        gain = light.mean(-1, keepdims=True) / np.maximum(seen.mean(-1, keepdims=True), 1e-6)
        restored = light @ self._from_srgb + np.minimum(gain, 64) * clipped
        return _look_up(self._encoded, np.sqrt(np.clip(restored, 0, 1)))


def _look_up(tables: list[np.ndarray], picture: np.ndarray) -> np.ndarray:
    """Return what a table a channel gives for values in [0, 1]."""
    steps = np.round(picture * (STEPS - 1)).astype(np.uint16)
    return np.stack([table[steps[..., i]] for i, table in enumerate(tables)], axis=-1)


def read_profile(icc: bytes | None) -> Profile | None:
    """Return what converts the colors of an ICC profile, or None where nothing is to convert.

    Nothing is converted without a profile, for sRGB itself, and for the rare profiles that are not
    a matrix and curves: their pictures are enhanced as they are and keep their profile.
    """
    if not icc or icc[16:20] != b"RGB ":
        return None
    try:
        tags = _read_tags(icc)
        to_xyz = np.stack([_fixed(tags[name], 3) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        if any((np.diff(curve) < 0).any() or curve[-1] <= curve[0] for curve in curves):
            return None
        profile = Profile(to_xyz, curves)
    except (KeyError, ValueError, IndexError, struct.error, np.linalg.LinAlgError):
        return None
    colors = np.stack(np.meshgrid(*[np.linspace(0, 1, 5)] * 3), axis=-1)
    same = np.abs(profile.to_srgb(colors) - colors).max() < 1 / 255
    return None if same else profile


def convert_to_srgb(image: Image.Image) -> Image.Image:
    """Convert a CMYK or Lab picture of Pillow's, by its profile if it has one that works."""
    source = io.BytesIO(image.info.get("icc_profile") or b"")
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    try:
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except ImageCms.PyCMSError:
        return image.convert("RGB")


def _read_tags(icc: bytes) -> dict[bytes, bytes]:
    tags = {}
    for index in range(struct.unpack_from(">L", icc, 128)[0]):
        name, start, size = struct.unpack_from(">4sLL", icc, 132 + 12 * index)
        tags[name] = icc[start : start + size]
    return tags


def _fixed(data: bytes, count: int, start: int = 8) -> np.ndarray:
    """Read fixed-point numbers of 16 bits before and 16 after the point."""
    return np.frombuffer(data, ">i4", count, start) / 65536


def _curve(data: bytes) -> np.ndarray:
    """Return a tone curve's values at `_GRID`."""
    if data[:4] == b"curv":
        count = struct.unpack_from(">L", data, 8)[0]
        if count == 0:
            return _GRID
        if count == 1:
            return _GRID ** (struct.unpack_from(">H", data, 12)[0] / 256)
        table = np.frombuffer(data, ">u2", count, 12) / 65535
        return np.interp(_GRID, np.linspace(0, 1, count), table)
    if data[:4] != b"para":
        raise ValueError("not a tone curve")
    kind = struct.unpack_from(">H", data, 8)[0]
    if kind == 0:
        return _GRID ** _fixed(data, 1, 12)[0]
    given = _fixed(data, {3: 5, 4: 7}[kind], 12)  # 1 and 2 are rare
    g, a, b, c, d, e, f = np.pad(given, (0, 7 - len(given)))
    power = np.maximum(a * _GRID + b, 0) ** g + e
    return np.clip(np.where(d > _GRID, c * _GRID + f, power), 0, 1)
