"""Videos: a stand-in for the network brightens them, and everything else stays as it is."""

import functools
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lle_utils import data, video
from lle_utils.errors import LleError

av = pytest.importorskip("av")

HEIGHT, WIDTH, COUNT = 48, 64, 6
NOISE = np.random.default_rng(0).integers(0, 255, (75, HEIGHT, WIDTH, 3), np.uint8)

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def lle(lle, stand_in):
    return functools.partial(lle, "enhance")


def picture(height=HEIGHT, width=WIDTH):
    y, x = np.mgrid[:height, :width]
    return np.stack([20 + x / 4, 20 + y / 4, 40 + 0 * x], axis=-1).astype(np.uint8)


def make(path, codec="libx264", pixels="yuv420p", size=(HEIGHT, WIDTH), frames=None, **how):
    """Write a clip, by default of a still picture; return its path."""
    space, span, times = how.get("space", 1), how.get("span", 1), how.get("times")
    with av.open(path, "w") as out:
        stream = out.add_stream(codec, rate=25, options={"crf": "4"} if codec == "libx264" else {})
        stream.height, stream.width = size
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.time_base = Fraction(1, 1000 if times else 25)
        context.colorspace, context.color_range = space, span
        if "tag" in how:
            context.codec_tag = how["tag"]
        if "turned" in how:
            stream.set_display_rotation(how["turned"])
        if codec in ("mpeg4", "mjpeg"):
            stream.bit_rate = 10_000_000
        sound = how.get("sound") and out.add_stream(how["sound"], rate=48000)
        out.metadata["title"] = "a title"
        for index, array in enumerate([picture(*size)] * COUNT if frames is None else frames):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.colorspace = space
            frame = frame.reformat(format=pixels, dst_color_range=span, interpolation=video._EXACT)
            frame.time_base = context.time_base
            frame.pts = times[index] if times else index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            add_silence(out, sound)
    return path


def add_silence(out, audio):
    for index in range(10):
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 960), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48000, 960 * index
        out.mux(audio.encode(frame))
    out.mux(audio.encode(None))


def read(path):
    """Return the frames as arrays, and what the clip says of itself."""
    with av.open(path) as clip:
        stream = clip.streams.video[0]
        frames = list(clip.decode(stream))
        says = {
            "container": clip.format.name,
            "coding": (stream.codec_context.name, stream.codec_context.codec_tag),
            "pixels": frames[0].format.name,
            "color": (frames[0].colorspace, frames[0].color_range),
            "times": [round(float(frame.time), 3) for frame in frames],
            "turned": frames[0].rotation,
            "title": clip.metadata.get("title"),
        }
        arrays = [video._to_array(frame).astype(int) for frame in frames]
    with av.open(path) as clip:
        sound = [bytes(p) for p in clip.demux() if p.stream.type == "audio" and p.dts is not None]
    return arrays, {**says, "sound": sound}


KINDS = {
    "a phone's, turned": ("a.mp4", {"turned": 90, "sound": "aac"}),
    "frames at odd times": ("a.mp4", {"times": [0, 40, 80, 137, 160, 200]}),
    "colors of old television": ("a.mkv", {"space": 5}),
    "full range": ("a.mov", {"span": 2}),
    "ten bits": ("a.mp4", {"pixels": "yuv420p10le"}),
    "HEVC as Apple's": ("a.mov", {"codec": "libx265", "tag": "hvc1", "size": (96, 128)}),
    "an odd size": ("a.webm", {"codec": "libvpx-vp9", "size": (47, 63)}),
    "old AVI": ("a.avi", {"codec": "mpeg4", "space": 2}),
    "a camera's": (
        "a.avi",
        {"codec": "mjpeg", "pixels": "yuvj420p", "size": (47, 63), "space": 5, "span": 2},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_brightened_and_keeps_what_it_is(lle, kind):
    name, how = KINDS[kind]
    if how.get("codec", "libx264") not in av.codecs_available:
        pytest.skip("this PyAV cannot write it")
    make(name, **how)
    target = name.replace(".", "_enhanced.")
    assert lle(name) == (0, f"{target}\n", "")
    (before, said), (after, says) = read(name), read(target)
    assert says == said
    assert len(after) == COUNT and after[0].shape == before[0].shape
    for one, other in zip(before, after, strict=True):
        white = 65535 if one.max() > 255 else 255
        difference = 255 * (3 * one - other) / white
        assert np.abs(difference).mean() < 4
        assert abs(difference.mean()) < 2.5  # what compression does to so small a picture
    assert sorted(os.listdir()) == sorted([name, target])


def test_side_by_side_and_a_folder(lle):
    make("a.mp4")
    assert lle("a.mp4", "-o", "new/", "--side-by-side")[:2] == (0, "new/a.mp4\n")
    both = read("new/a.mp4")[0][0]
    assert both.shape == (HEIGHT, 2 * WIDTH, 3)
    assert both[:, WIDTH + 4 :].mean() > 2.5 * both[:, : WIDTH - 4].mean()


def test_one_frame_at_a_time():
    """Neither all frames nor all results are ever held."""
    make("a.mp4", frames=[picture()] * 40)
    asked = []

    def progress(frames, total):
        assert total == 40
        for number, frame in enumerate(frames):
            assert number - len(asked) <= 1
            yield frame

    def enhance(frame):
        asked.append(frame[0, 0])
        return frame

    video.enhance_video(video.Clip("a.mp4"), "b.mp4", enhance, progress=progress)
    assert len(asked) == 40


# What is no video


def copy(source, target, shift=0, **options):
    """Copy the pictures of a clip, `shift` frames earlier."""
    with av.open(source) as clip, av.open(target, "w", options=options) as out:
        stream = out.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.dts is not None:
                packet.pts -= shift * packet.duration
                packet.dts -= shift * packet.duration
                packet.stream = stream
                out.mux(packet)


def cut(path):
    """Write a clip whose index comes first, so that nothing but the end is missing."""
    make("whole.mkv", codec="libvpx-vp9" if path == "a.webm" else "libx264", frames=NOISE)
    copy("whole.mkv", path, **{"movflags": "faststart"} if path == "a.mp4" else {})
    Path("whole.mkv").unlink()
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


def of_two_sizes(path):
    parts = [make(f"{side}.h264", size=(side, WIDTH)) for side in (HEIGHT, 2 * HEIGHT)]
    Path(path).write_bytes(b"".join(Path(part).read_bytes() for part in parts))
    for part in parts:
        Path(part).unlink()


def without_frames(path):
    with av.open(path, "w") as out:
        add_silence(out, out.add_stream("aac", rate=48000))


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [
        ("a.mp4", lambda path: Path(path).write_text("no video"), "not a video"),
        ("a.mp4", lambda path: Path(path).write_bytes(b""), "not a video"),
        ("a.mp4", lambda path: os.truncate(make(path), 500), "not a video"),
        ("a.mp4", cut, "is damaged: it has"),
        ("a.mkv", cut, "is damaged: it has"),
        ("a.webm", cut, "is damaged: it has"),
        ("a.mp4", of_two_sizes, "the size of its frames changes; cut it there first"),
        ("a.mp4", without_frames, "has no pictures"),
        ("a.mp4", os.mkfifo, "is a folder, a pipe, a socket or a device, not a file"),
        ("a.mp4", lambda path: None, "no such file"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(lle, name, spoil, says):
    spoil(name)
    code, out, err = lle(name, "-o", name.replace("a.", "b."))
    assert (code, out) == (1, "")
    assert err.startswith(f"lle: {name}") and err.count("\n") == 1 and says in err
    assert set(os.listdir()) <= {name}


def test_a_clip_that_was_trimmed_without_recoding_is_written_as_it_is_shown(lle):
    """Its edit list skips frames, which are in the file because others need them."""
    copy(make("whole.mp4"), "a.mp4", shift=2)
    assert lle("a.mp4", "-o", "b.mp4")[0] == 0
    assert len(read("a.mp4")[0]) == len(read("b.mp4")[0]) == COUNT - 2


def test_a_stopped_run_leaves_nothing():
    def interrupt(frame):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.enhance_video(video.Clip(make("a.mp4")), "b.mp4", interrupt)
    assert os.listdir() == ["a.mp4"]


def test_where_a_video_may_go(lle):
    Path("in").mkdir()
    make("in/a.mp4")
    assert "is written as .mp4 again, not as .mkv" in lle("in/a.mp4", "-o", "a.mkv")[2]
    assert "cannot go to standard output" in lle("in/a.mp4", "-o", "-")[2]
    assert "in: 1 .mp4 passed over" in lle("in", "-o", "out")[2]
    assert lle("in/*.mp4", "-o", "out")[1] == "out/a.mp4\n"


def test_what_to_install_is_said(lle, monkeypatch):
    make("a.mp4")
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    assert "pip install 'lle-utils[video]'" in lle("a.mp4")[2]


# Steadiness


def step(frames, across=0, down=0):
    """Return by how many codes the brightness of what two frames share changes, on average."""
    changes = []
    for before, after in zip(frames, frames[1:], strict=False):
        height, width = before.shape[0] - down, before.shape[1] - across
        changes.append(abs((before[down:, across:] - after[:height, :width]).mean()))
    return 255 * np.mean(changes)


def scene():
    return data.load("sample", "test", lazy=True)[0].high[::3, ::3]


def flickering(frames):
    """Brighten each frame by a factor of its own, as a network does that sees noise."""
    factors = 1 + 0.03 * np.random.default_rng(1).normal(size=len(frames))
    noise = np.random.default_rng(2).normal(0, 0.02, (len(frames), *frames[0].shape))
    noisy = zip(frames, factors, noise, strict=True)
    return [np.clip(f * frame + n, 0, 1).astype(np.float32) for frame, f, n in noisy]


@pytest.mark.parametrize(("across", "down"), [(0, 0), (3, 2)])
def test_the_brightness_of_one_scene_is_held(across, down):
    windows = [scene()[down * i :, across * i :][:90, :100] for i in range(12)]
    frames = flickering(windows)
    assert step(frames, across, down) > 1
    assert step(list(map(video.Steadier(), frames)), across, down) < 0.3


def test_flicker_is_measured_before_and_after():
    frames = [np.uint8(255 * frame + 0.5) for frame in flickering([scene()[:90, :100]] * 12)]
    make("a.mp4", size=(90, 100), frames=frames)
    found = video.measure_flicker("a.mp4", lambda frame: frame, most=10)
    assert found["frames"] == 10
    assert found["before"] == pytest.approx(step(read("a.mp4")[0][:10]) / 255, rel=0.2)
    assert found["after"] < 0.3 < 1 < found["before"]
    make("b.mp4", frames=[picture()])
    assert np.isnan(video.measure_flicker("b.mp4", lambda frame: frame)["after"])


def test_a_video_that_is_damaged_in_the_middle_is_named():
    content = Path(make("a.avi", "mjpeg", "yuvj420p")).read_bytes()
    start = content.rindex(b"\xff\xd8") + 100
    Path("a.avi").write_bytes(content[:start] + bytes(300) + content[start + 300 :])
    with pytest.raises(LleError, match="a.avi: not a video, a damaged one"):
        video.measure_flicker("a.avi", lambda frame: frame)
    with pytest.raises(LleError, match="a.avi: not a video, a damaged one"):
        video.enhance_video(video.Clip("a.avi"), "b.avi", lambda frame: frame)


def test_a_new_scene_starts_anew():
    one, other = scene()[:90, :100], scene()[::-1][:90, :100] ** 0.5
    steadier = video.Steadier()
    steadier(one)
    np.testing.assert_array_equal(steadier(other), other)


def test_black_and_white_stay():
    steadier = video.Steadier()
    frame = scene()[:90, :100].copy()
    frame[:9], frame[-9:] = 0, 1
    steadier(frame)
    darker = steadier(frame * np.float32(0.9) + np.float32(0.1) * (frame == 1))
    assert np.all(darker[:9] == 0) and np.all(darker[-9:] > 0.999)
