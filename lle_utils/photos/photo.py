"""A photo: its pixels, and all else that its file says and that must not get lost."""

import dataclasses
from collections.abc import Callable

import numpy as np

from lle_utils.photos.color import Profile, read_profile

STRIP_PIXELS = 2**20
"""How many pixels have their colors converted at a time, which bounds the memory."""


@dataclasses.dataclass
class Photo:
    """A picture file's content.

    Attributes
    ----------
    frames : list of ndarray, shape (height, width, channels)
        One picture, or those of an animation or of a file of many pages. 1 channel is gray, 2 gray
        and opacity, 3 RGB, 4 RGB and opacity; uint8, uint16, or float32 in [0, 1]. Upright, in the
        color space of `icc`.
    format : str
        "JPEG", "PNG", "TIFF" and so on, as Pillow has it.
    icc, exif, xmp : bytes, optional
        Color profile, EXIF block and XMP packet. EXIF says upright and has no thumbnail.
    dpi : tuple of float, optional
        Pixels an inch, across and down.
    text : dict
        The notes in a PNG file.
    options : dict
        How the file was written: JPEG tables, WebP losslessness, an animation's times.
    notes : list of str
        What could not be kept, in words.
    """

    frames: list[np.ndarray]
    format: str = "PNG"
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: dict[str, str] = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def pixels(self) -> np.ndarray:
        """The first frame without opacity: shape (height, width, 1) or (height, width, 3)."""
        return split_alpha(self.frames[0])[0]

    @property
    def alpha(self) -> np.ndarray | None:
        """The first frame's opacity, shape (height, width), or None."""
        return split_alpha(self.frames[0])[1]

    def to_srgb(self) -> np.ndarray:
        """Return the first frame as float32 sRGB in [0, 1], shape (height, width, 3)."""
        return _to_srgb(self.pixels, read_profile(self.icc))

    def in_srgb(self) -> "Photo":
        """Return the photo converted to sRGB, for files that hold no profile."""
        profile = read_profile(self.icc)
        if profile is None:
            return self
        frames = []
        for frame in self.frames:
            color, alpha = split_alpha(frame)
            color = scale(_to_srgb(color, profile), frame.dtype)
            frames.append(color if alpha is None else np.dstack([color, alpha]))
        return dataclasses.replace(self, frames=frames, icc=None)

    def change(self, function: Callable[[np.ndarray], np.ndarray]) -> "Photo":
        """Return a photo whose frames went through a function, with all else as it was.

        Parameters
        ----------
        function : callable
            Takes and returns float RGB in [0, 1], sRGB, shape (height, width, 3). What is wholly
            transparent, it sees as the mean of what is not; the file keeps it as it was.
        """
        profile = read_profile(self.icc)
        frames = [_change(frame, function, profile) for frame in self.frames]
        return dataclasses.replace(self, frames=frames)

    def beside(self, other: "Photo") -> "Photo":
        """Return a photo with this one on the left and another of the same size on the right."""
        pairs = zip(self.frames, other.frames, strict=True)
        return dataclasses.replace(other, frames=[np.hstack(pair) for pair in pairs])


def split_alpha(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Take a frame apart into gray or RGB, and opacity or None."""
    if frame.shape[-1] in (2, 4):
        return frame[..., :-1], frame[..., -1]
    return frame, None


def scale(frame: np.ndarray, kind) -> np.ndarray:
    """Turn uint8, uint16 or float values in [0, 1] into each other, keeping white white."""
    kind = np.dtype(kind)
    if frame.dtype == kind:
        return frame
    if frame.dtype.kind == "u":
        frame = frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
    if kind.kind == "u":
        frame = np.round(np.clip(frame, 0, 1) * np.iinfo(kind).max)
    return frame.astype(kind)


def _change(frame: np.ndarray, function: Callable, profile: Profile | None) -> np.ndarray:
    color, alpha = split_alpha(frame)
    hidden = None if alpha is None else alpha == 0
    if hidden is not None and hidden.all():
        return frame
    picture = _to_srgb(color, profile)
    if hidden is not None:
        picture[hidden] = picture[~hidden].mean(axis=0)
    picture = function(picture)
    if color.shape[-1] == 1:
        picture = picture.mean(axis=-1, keepdims=True)
    elif profile:
        picture = _in_strips(
            lambda rows: profile.from_srgb(picture[rows], scale(color[rows], np.float32)), color
        )
    changed = scale(picture, frame.dtype)
    if alpha is None:
        return changed
    changed[hidden] = color[hidden]
    return np.concatenate([changed, alpha[..., None]], axis=-1)


def _to_srgb(color: np.ndarray, profile: Profile | None) -> np.ndarray:
    if color.shape[-1] == 1:
        return np.repeat(scale(color, np.float32), 3, axis=-1)
    if profile is None:
        return scale(color, np.float32).copy()
    return _in_strips(lambda rows: profile.to_srgb(scale(color[rows], np.float32)), color)


def _in_strips(convert: Callable[[slice], np.ndarray], color: np.ndarray) -> np.ndarray:
    """Convert a picture some rows at a time."""
    converted = np.empty(color.shape, np.float32)
    step = max(1, STRIP_PIXELS // color.shape[1])
    for top in range(0, len(color), step):
        rows = slice(top, top + step)
        converted[rows] = convert(rows)
    return converted
