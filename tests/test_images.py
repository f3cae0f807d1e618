"""Pictures of every kind in, one kind of array; and files out without accidents."""

import io
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from miniature import encode
from PIL import Image

from lle_utils import images
from lle_utils.errors import LleError

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (9, 8, 3), dtype=np.uint16)
FLOATING = RNG.random((7, 6, 3)).astype(np.float32)
FLAT = np.broadcast_to(np.uint8([200, 100, 50]), (16, 16, 3))


def opencv(picture, ending=".tif"):
    """Return the bytes of a picture file that OpenCV writes."""
    return cv2.imencode(ending, picture[..., ::-1])[1].tobytes()


def pillow(image, kind):
    """Return the bytes of a picture file of an image of Pillow's."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


KINDS = {
    "color": (encode(PICTURE), PICTURE / 255),
    "gray": (encode(PICTURE[..., 0]), PICTURE[..., :1] / 255),
    "opacity": (encode(PICTURE[..., [0, 1, 2, 0]]), PICTURE / 255),
    "16 bits": (opencv(DEEP, ".png"), DEEP / 65535),
    "floating point": (opencv(FLOATING), FLOATING),
    "palette": (pillow(Image.fromarray(FLAT).quantize(4), "PNG"), FLAT / 255),
    "one bit": (encode(np.eye(16, dtype=bool)), np.eye(16)[..., None]),
    "CMYK": (pillow(Image.fromarray(FLAT).convert("CMYK"), "JPEG"), FLAT / 255),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_the_same_kind_of_array(tmp_path, kind):
    content, expected = KINDS[kind]
    (tmp_path / "a").write_bytes(content)
    found = images.read_image(tmp_path / "a")
    assert found.dtype == np.float32 and found.shape == (*expected.shape[:2], 3)
    tolerance = 4 / 255 if kind == "CMYK" else 1e-6
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=tolerance)
    codes = images.read_uint8(tmp_path / "a")
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, images.to_uint8(found))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"not a picture at all", "not a picture"),
        (opencv(np.full((7, 6, 3), 3.5, np.float32)), r".*\[3\.5, 3\.5\]"),
        *((encode(PICTURE, kind)[:-300], "") for kind in ("PNG", "JPEG", "TIFF", "WEBP")),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, content, message):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(LleError, match=f"x.png.*{message}"):
        images.read_image(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\)"),
        (np.full((4, 5, 3), np.nan), r"\[nan, nan\]"),
        (np.full((4, 5, 3), 1.5), r"\[1.5, 1.5\]"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        images.as_float(array)


def test_rounding_clips_and_refuses_nan():
    np.testing.assert_array_equal(images.to_uint8([-1, 0, 0.5, 1, 7]), [0, 0, 128, 255, 255])
    with pytest.raises(ValueError, match="not finite"):
        images.to_uint8([np.nan])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail(partial):
        Path(partial).write_text("half")
        raise error

    with pytest.raises((LleError, KeyboardInterrupt), match=r"No space left|^$"):
        images.replace_file(path, fail)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_parts_that_killed_processes_left_are_removed_after_a_day(tmp_path):
    for name, hours in ((".lle-old.png", 25), (".lle-new.png", 1), ("a.png", 25)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - hours * 3600,) * 2)
    images.replace_file(tmp_path / "b.png", lambda partial: Path(partial).touch())
    assert sorted(os.listdir(tmp_path)) == [".lle-new.png", "a.png", "b.png"]
