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

    def to_srgb(self) -> np.ndarray:
        """Return the first frame as float32 sRGB in [0, 1], shape (height, width, 3)."""
        return np.asarray(View(self.pixels, read_profile(self.icc)))

    def view(self) -> "View":
        """Return the first frame as a picture that is converted where it is looked at."""
        return View(self.frames[0], read_profile(self.icc))

    def in_srgb(self) -> "Photo":
        """Return the photo converted to sRGB, for files that hold no profile."""
        profile = read_profile(self.icc)
        if profile is None:
            return self
        frames = []
        for frame in self.frames:
            color, alpha = split_alpha(frame)
            color = scale(np.asarray(View(color, profile)), frame.dtype)
            frames.append(color if alpha is None else np.dstack([color, alpha]))
        return dataclasses.replace(self, frames=frames, icc=None)

    def change(self, function: Callable) -> "Photo":
        """Return a photo whose frames went through a function, with all else as it was.

        Parameters
        ----------
        function : callable
            Takes a `View`, which is float RGB in [0, 1], sRGB, shape (height, width, 3), and
            returns an array like it, or an `inference.Enhanced`. What is wholly transparent, it
            sees as the mean of what is not; the file keeps it as it was.
        """
        profile = read_profile(self.icc)
        frames = [_change(frame, function, profile) for frame in self.frames]
        return dataclasses.replace(self, frames=frames)

    def beside(self, other: "Photo") -> "Photo":
        """Return a photo with this one on the left and one of the same size on the right."""
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


class View:
    """A frame as float32 sRGB in [0, 1], converted where it is looked at.

    ``view[rows, columns]``, two slices, is an array; ``np.asarray(view)`` is all of it.

    Parameters
    ----------
    frame : ndarray, shape (height, width, channels)
        As in `Photo`.
    profile : Profile, optional
        Of the frame's colors.
    """

    def __init__(self, frame: np.ndarray, profile: Profile | None):
        self._color, alpha = split_alpha(frame)
        self._profile = profile
        self.shape = (*frame.shape[:2], 3)
        self.hidden = None if alpha is None else alpha == 0
        self._fill = None
        if self.hidden is not None and self.hidden.any() and not self.hidden.all():
            shown = sum(self[box][~self.hidden[box]].sum(0, dtype=float) for box in self._boxes())
            self._fill = np.float32(shown / np.count_nonzero(~self.hidden))

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        picture = scale(self._color[box], np.float32)
        if picture.shape[-1] == 1:
            picture = np.repeat(picture, 3, axis=-1)
        elif self._profile:
            picture = self._profile.to_srgb(picture)
        if self._fill is not None:
            picture = np.where(self.hidden[box][..., None], self._fill, picture)
        return picture

    def __array__(self, dtype=None, copy=None):
        picture = np.empty(self.shape, dtype or np.float32)
        for box in self._boxes():
            picture[box] = self[box]
        return picture

    def _boxes(self):
        """Cut the picture into stretches of rows, which bounds the memory."""
        height, width = self.shape[:2]
        step = max(1, STRIP_PIXELS // width)
        for top in range(0, height, step):
            yield slice(top, min(top + step, height)), slice(0, width)

    def convert(self, picture) -> np.ndarray:
        """Return a changed picture in the form that the frame's colors have."""
        converted = np.empty(self._color.shape, self._color.dtype)
        for box in getattr(picture, "boxes", self._boxes)():
            part, color = picture[box], self._color[box]
            if color.shape[-1] == 1:
                part = part.mean(axis=-1, keepdims=True)
            elif self._profile:
                part = self._profile.from_srgb(part, scale(color, np.float32))
            converted[box] = scale(part, converted.dtype)
        return converted


def _change(frame: np.ndarray, function: Callable, profile: Profile | None) -> np.ndarray:
    view = View(frame, profile)
    if view.hidden is None:
        return view.convert(function(view))
    if view.hidden.all():
        return frame
    changed = frame.copy()
    np.copyto(changed[..., :-1], view.convert(function(view)), where=~view.hidden[..., None])
    return changed
