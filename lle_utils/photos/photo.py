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
        Color profile, EXIF block and XMP packet. EXIF has no orientation and no thumbnail.
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
        return self.frames[0][..., : count_colors(self.frames[0])]

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
            color = scale(np.asarray(View(frame[..., :3], profile)), frame.dtype)
            frames.append(np.dstack([color, frame[..., 3:]]))
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
        views = [View(frame, read_profile(self.icc)) for frame in self.frames]
        return dataclasses.replace(self, frames=[view.change(function) for view in views])

    def beside(self, other: "Photo") -> "Photo":
        """Return a photo with this one on the left and one of the same size on the right."""
        pairs = zip(self.frames, other.frames, strict=True)
        return dataclasses.replace(other, frames=[np.hstack(pair) for pair in pairs])


def count_colors(frame: np.ndarray) -> int:
    """Return how many channels are not opacity: 1 or 3."""
    return 3 if frame.shape[-1] >= 3 else 1


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
        self.shape = (*frame.shape[:2], 3)
        self._frame, self._profile = frame, profile
        self._colors = count_colors(frame)
        opaque = frame.shape[-1] == self._colors or frame[..., -1].all()
        self._shown = None if opaque else frame[..., -1:] > 0
        self._fill = None
        if self._shown is not None and self._shown.any():
            sums = [self[box].sum((0, 1), float, where=self._shown[box]) for box in self._boxes()]
            self._fill = np.float32(sum(sums) / self._shown.sum())

    def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
        picture = scale(self._frame[box][..., : self._colors], np.float32)
        if self._colors == 1:
            picture = np.repeat(picture, 3, axis=-1)
        elif self._profile:
            picture = self._profile.to_srgb(picture)
        if self._fill is not None:
            picture = np.where(self._shown[box], picture, self._fill)
        return picture

    def __array__(self, dtype=None, copy=None):
        picture = np.empty(self.shape, dtype or np.float32)
        for box in self._boxes():
            picture[box] = self[box]
        return picture

    def change(self, function: Callable) -> np.ndarray:
        """Return the frame after a function changed what is shown of it; see `Photo.change`."""
        if self._shown is not None and not self._shown.any():
            return self._frame
        changed, frame = function(self), self._frame.copy()
        for box in getattr(changed, "boxes", self._boxes)():
            part, old = changed[box], frame[box][..., : self._colors]
            if self._colors == 1:
                part = part.mean(axis=-1, keepdims=True)
            elif self._profile:
                part = self._profile.from_srgb(part, scale(old, np.float32))
            shown = True if self._shown is None else self._shown[box]
            np.copyto(old, scale(part, frame.dtype), where=shown)
        return frame

    def _boxes(self):
        """Cut the picture into stretches of rows, which bounds the memory."""
        height, width = self.shape[:2]
        step = max(1, STRIP_PIXELS // width)
        for top in range(0, height, step):
            yield slice(top, min(top + step, height)), slice(0, width)
