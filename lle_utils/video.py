"""Videos: frame after frame through the enhancer, all else passed on as it is.

One frame is held at a time. How bright a frame comes out is held to how bright the last one did, so
that neither the network nor a flickering lamp makes the result flicker.
"""

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from lle_utils.errors import LleError
from lle_utils.images import replace_file, shrink
from lle_utils.photos.decode import check_file
from lle_utils.photos.photo import scale

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")

STEADY = 0.95  # the share of a change of brightness between two frames that is taken back
SMALL = 160  # longest side of the frames that are compared: averaging makes noise small
SAME_SCENE = 0.3  # least response of `cv2.phaseCorrelate`: one scene has 0.9, two have 0.1

_ENCODERS = {
    "h264": ("libx264", {"crf": "18"}),
    "hevc": ("libx265", {"crf": "20", "x265-params": "log-level=error"}),
    "vp8": ("libvpx", {"crf": "10"}),
    "vp9": ("libvpx-vp9", {"crf": "24", "b": "0"}),
    "av1": ("libsvtav1", {"crf": "28"}),
}
"""What writes each kind of coding, about as well as the eye can tell."""

_EXACT = 0x2 | 0x40000 | 0x2000
"""FFmpeg's bilinear interpolation, rounded exactly, with colors in full resolution."""


def is_video(path: str) -> bool:
    """Tell by its ending whether a file is a video."""
    return os.path.splitext(path)[1].lower() in VIDEOS


class Steadier:
    """Hold the brightness of each frame to that of the last one.

    The last frame is shifted onto the new one, and most of the median difference of their logits,
    one number per channel, is taken back. A frame that does not look like the last one starts anew.
    """

    def __init__(self):
        self._last = None

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return a frame, float RGB in [0, 1], shape (height, width, 3), made steady."""
        small, step = shrink(frame, SMALL), 0.0
        if shared := _shared(self._last, small):
            before, after = map(_logit, shared)
            step = STEADY * np.median(before - after, axis=(0, 1))
        self._last = _raise_odds(small, step)
        return _raise_odds(frame, step)


def _shared(last: np.ndarray | None, new: np.ndarray):
    """Return what both of two small frames show, cut from each, or None for two scenes."""
    if last is None or last.shape != new.shape or min(new.shape[:2]) < 8:
        return None
    grays = [_logit(picture).mean(axis=-1) for picture in (last, new)]
    window = cv2.createHanningWindow(grays[0].shape[::-1], cv2.CV_32F)
    (right, down), response = cv2.phaseCorrelate(*grays, window)
    if response < SAME_SCENE:
        return None
    down, right = round(down), round(right)  # how far what the last one shows has moved
    rows, columns = new.shape[0] - abs(down), new.shape[1] - abs(right)
    before = last[max(0, -down) :, max(0, -right) :][:rows, :columns]
    return before, new[max(0, down) :, max(0, right) :][:rows, :columns]


def measure_flicker(source: str, enhance: Callable, most: int = 100) -> dict:
    """Measure the flicker of a video and of its enhancement, in the first `most` frames.

    Flicker is by how many codes the brightness of what two successive frames share differs.

    Returns
    -------
    dict
        ``frames``, and the mean flicker ``before`` and ``after``; NaN where no two frames show one
        scene.
    """
    steadier, steps, last, count = Steadier(), [], (None, None), 0
    with Clip(source) as clip, _damage_named(source):
        for frame in itertools.islice(clip.frames, most):
            before = scale(_to_array(frame), np.float32)
            both = [shrink(x, SMALL) for x in (before, steadier(np.asarray(enhance(before))))]
            shared = [_shared(*pair) for pair in zip(last, both, strict=True)]
            if all(shared):
                steps.append([abs(float(new.mean() - old.mean())) for old, new in shared])
            last, count = both, count + 1
    before, after = 255 * np.mean(steps, axis=0) if steps else (float("nan"),) * 2
    return {"frames": count, "before": float(before), "after": float(after)}


def _logit(picture: np.ndarray) -> np.ndarray:
    picture = np.clip(picture, 0.5 / 255, 1 - 0.5 / 255)
    return np.log(picture / (1 - picture))


def _raise_odds(picture: np.ndarray, logits) -> np.ndarray:
    """Add to the logits of a picture; black stays black and white white."""
    gain = np.exp(np.float32(logits))
    return picture * gain / (1 + picture * (gain - 1))


class Clip(contextlib.AbstractContextManager):
    """A video, opened in a ``with``, whose first frame is decoded already.

    Attributes
    ----------
    video, kept
        PyAV's stream of pictures, and the list of those of sound and subtitles.
    first, frames
        The first frame, and an iterator of all of them, as PyAV's.
    waiting : deque
        The packets of sound and subtitles that lay before the last frame that was taken.

    Raises
    ------
    LleError
        If PyAV or the file is missing, or the file is not a video, is damaged, or has no frames.
    """

    def __init__(self, source: str):
        if not find_spec("av"):
            raise LleError(f"{source}: videos need PyAV: pip install 'lle-utils[video]', or av")
        os.environ.setdefault("SVT_LOG", "1")  # else AV1's encoder is as talkative as TensorFlow
        import av

        check_file(source)
        self.source, self.waiting = source, deque()
        with _damage_named(source):
            self.container = av.open(source)
            self.video = self.container.streams.best("video")
            if self.video is None:
                raise LleError(f"{source} has no pictures")
            self.video.thread_type = "AUTO"
            self.kept = [*self.container.streams.audio, *self.container.streams.subtitles]
            self._refuse_cut()
            frames = self._decode()
            self.first = next(frames, None)
            if self.first is None:
                raise LleError(f"{source} has no frames")
        self.frames = itertools.chain([self.first], frames)

    def __exit__(self, *problem) -> None:
        self.container.close()

    def _refuse_cut(self) -> None:
        """Refuse a file that is shorter than it says: FFmpeg would read what is left of it."""
        kind, size, stated = self.container.format.name, os.path.getsize(self.source), 0
        if "mp4" in kind:
            for stream in (self.video, *self.kept):
                stated = max([stated, *(entry.pos + entry.size for entry in stream.index_entries)])
        elif "matroska" in kind:
            stated = _matroska_size(self.source)
        if stated > size:
            damage = f"it has {size} of {stated} bytes; copy or download it again"
            raise LleError(f"{self.source} is damaged: {damage}")

    def _decode(self) -> Iterator:
        for packet in self.container.demux(self.video, *self.kept):
            if packet.stream is self.video:
                yield from packet.decode()
            elif packet.dts is not None:
                self.waiting.append(packet)


def _matroska_size(source: str) -> int:
    """Return how long a Matroska or WebM file says that it is; 0 if it does not."""
    with open(source, "rb") as file:
        head = file.read(4096)
    start = head.find(b"\x18\x53\x80\x67") + 4  # of the size of the segment, which is all the rest
    size = head[start : start + 8]
    if size[0] != 1 or size == b"\1" + 7 * b"\xff":  # not in 8 bytes, or unknown
        return 0
    return start + 8 + int.from_bytes(size[1:])


def enhance_video(
    clip: Clip,
    target: str,
    enhance: Callable[[np.ndarray], np.ndarray],
    *,
    side_by_side: bool = False,
    progress: Callable = lambda frames, total: frames,
) -> None:
    """Enhance a video and close it; sound, subtitles, frame times, rotation and notes stay.

    Parameters
    ----------
    clip : Clip
    target : str
        A file of the same kind, which is replaced if it exists.
    enhance : callable
        Takes and returns a frame as float RGB in [0, 1], shape (height, width, 3).
    side_by_side : bool, default False
        Whether to write the input and the result beside each other.
    progress : callable, optional
        ``progress(frames, total=...)`` wraps the iterator of frames; the total is None where the
        file does not say how many there are.
    """
    steadier = Steadier()

    def change(frame: np.ndarray) -> np.ndarray:
        result = scale(steadier(np.asarray(enhance(scale(frame, np.float32)))), frame.dtype)
        return np.hstack([frame, result]) if side_by_side else result

    width = clip.first.width * (2 if side_by_side else 1)
    with clip, _damage_named(clip.source):
        replace_file(Path(target), lambda part: _transcode(clip, part, width, change, progress))


@contextlib.contextmanager
def _damage_named(source: str) -> Iterator[None]:
    """Say in one line what FFmpeg cannot read or write."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        problem = f"not a video, a damaged one, or one that cannot be written ({error.strerror})"
        raise LleError(f"{source}: {problem}") from None


def _transcode(clip: Clip, part: str, width: int, enhance: Callable, progress: Callable) -> None:
    """Read, enhance and write packet after packet; `width` is the written frames'."""
    import av

    first, video = clip.first, clip.video
    with av.open(part, "w") as out:
        coded = _add_coded(out, video, first, width)
        copies = {stream: out.add_stream_from_template(stream) for stream in clip.kept}
        out.metadata.update(clip.container.metadata)

        def pass_on() -> None:
            while clip.waiting:
                packet = clip.waiting.popleft()
                packet.stream = copies[packet.stream]
                out.mux(packet)

        for frame in progress(clip.frames, total=video.frames or None):
            pass_on()
            if (frame.width, frame.height) != (first.width, first.height):
                raise LleError(f"{clip.source}: the size of its frames changes; cut it there first")
            out.mux(coded.encode(_from_array(enhance(_to_array(frame)), frame, coded.pix_fmt)))
        pass_on()
        out.mux(coded.encode(None))


def _add_coded(out, video, first, width: int):
    """Add the stream of enhanced pictures, of the same coding where it can be written."""
    import av

    name = video.codec_context.codec.canonical_name
    encoder, options = _ENCODERS.get(name, (name, {}))
    if encoder not in av.codecs_available or not av.Codec(encoder, "w").is_encoder:
        encoder, options = _ENCODERS["vp9" if out.format.name == "webm" else "h264"]
    coded = out.add_stream(encoder, rate=video.average_rate or 30, options=options)
    context = coded.codec_context
    context.width, context.height = width, first.height
    context.pix_fmt = first.format.name
    context.time_base = video.time_base
    if encoder == "libx265" and video.codec_context.codec_tag == "hvc1":
        context.codec_tag = "hvc1"  # Apple's players take no other HEVC
    if video.sample_aspect_ratio:
        context.sample_aspect_ratio = video.sample_aspect_ratio
    if not options:
        context.bit_rate = 4 * (video.bit_rate or 0) or 20 * width * first.height
    for tag in ("color_range", "colorspace", "color_primaries", "color_trc"):
        setattr(context, tag, getattr(first, tag))
    coded.metadata.update(video.metadata)
    if first.rotation:
        coded.set_display_rotation(first.rotation)
    return coded


def _to_array(frame) -> np.ndarray:
    deep = max(component.bits for component in frame.format.components) > 8
    return frame.to_ndarray(format="rgb48le" if deep else "rgb24", interpolation=_EXACT)


def _from_array(array: np.ndarray, frame, pixel_format: str):
    """Turn an enhanced frame into one like the frame that it was."""
    new = type(frame).from_ndarray(array, format="rgb48le" if array.itemsize > 1 else "rgb24")
    new.colorspace = frame.colorspace
    new = new.reformat(format=pixel_format, dst_color_range=frame.color_range, interpolation=_EXACT)
    for name in ("pts", "time_base", "duration", "color_primaries", "color_trc"):
        setattr(new, name, getattr(frame, name))
    return new
