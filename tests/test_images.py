"""Pictures of every kind in, one kind of array; and back out without accidents."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lle_utils import images
from lle_utils.errors import LleError


@pytest.fixture
def picture():
    """Return a colorful picture on 8-bit levels, wider than high."""
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_color_comes_back_as_it_was(tmp_path, picture):
    for ending in (".png", ".tif", ".bmp"):
        path = images.write_image(tmp_path / f"a{ending}", picture / 255)
        found = images.read_image(path)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(images.to_uint8(found), picture)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_code_values_are_those_of_the_rounded_picture(tmp_path, picture, mode):
    image = Image.fromarray(picture).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 200)
    image.save(tmp_path / "a.png")
    found = images.read_uint8(tmp_path / "a.png")
    assert (found.dtype, found.shape) == (np.uint8, picture.shape)
    np.testing.assert_array_equal(found, images.to_uint8(images.read_image(tmp_path / "a.png")))


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_lossy_kinds_come_back_nearly(tmp_path, ending):
    smooth = np.linspace(0.1, 0.9, 64 * 64 * 3).reshape(64, 64, 3)
    found = images.read_image(images.write_image(tmp_path / f"a{ending}", smooth))
    assert np.abs(found - smooth).mean() < 0.02


def test_gray_becomes_three_equal_channels(tmp_path, picture):
    Image.fromarray(picture[..., 0]).save(tmp_path / "gray.png")
    found = images.read_image(tmp_path / "gray.png")
    np.testing.assert_array_equal(images.to_uint8(found), np.dstack([picture[..., 0]] * 3))


def test_opacity_is_dropped(tmp_path, picture):
    Image.fromarray(np.dstack([picture, picture[..., 0]])).save(tmp_path / "rgba.png")
    found = images.read_image(tmp_path / "rgba.png")
    np.testing.assert_array_equal(images.to_uint8(found), picture)


def test_gray_with_opacity(tmp_path, picture):
    Image.fromarray(picture[..., :2], "LA").save(tmp_path / "la.png")
    found = images.read_image(tmp_path / "la.png")
    np.testing.assert_array_equal(images.to_uint8(found)[..., 0], picture[..., 0])


def test_palette(tmp_path):
    Image.fromarray(np.eye(16, dtype=np.uint8) * 255).convert("P").save(tmp_path / "p.png")
    assert images.read_image(tmp_path / "p.png").shape == (16, 16, 3)


def test_one_bit(tmp_path):
    Image.fromarray(np.eye(16, dtype=bool)).save(tmp_path / "bit.png")
    np.testing.assert_array_equal(images.read_image(tmp_path / "bit.png")[..., 0], np.eye(16))


def test_cmyk(tmp_path):
    Image.new("RGB", (16, 16), (200, 100, 50)).convert("CMYK").save(tmp_path / "c.jpg", quality=95)
    found = 255 * images.read_image(tmp_path / "c.jpg").mean((0, 1))
    np.testing.assert_allclose(found, (200, 100, 50), atol=4)


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_keep_their_depth(tmp_path, ending, channels):
    deep = np.random.default_rng(1).integers(0, 65536, (9, 8, channels), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / f"deep{ending}"), deep[..., ::-1])
    found = images.read_image(tmp_path / f"deep{ending}")
    np.testing.assert_allclose(found, np.broadcast_to(deep / 65535, found.shape), atol=1e-6)


def test_floating_point_tiff(tmp_path):
    values = np.random.default_rng(2).random((7, 6, 3)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "f.tif"), values[..., ::-1])
    np.testing.assert_allclose(images.read_image(tmp_path / "f.tif"), values, atol=1e-7)


def test_floating_point_out_of_range_is_refused_with_its_range(tmp_path):
    cv2.imwrite(str(tmp_path / "f.tif"), np.full((7, 6, 3), 3.5, np.float32))
    with pytest.raises(LleError, match=r"f\.tif: .*\[3\.5, 3\.5\]"):
        images.read_image(tmp_path / "f.tif")


@pytest.mark.parametrize("mark", range(1, 9))
def test_every_rotation_mark_is_obeyed(tmp_path, mark):
    corner = np.zeros((16, 32, 3), np.uint8)
    corner[:8, :16] = (255, 0, 0)  # red where the upright picture's upper left is
    stored = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: lambda x: np.transpose(x, (1, 0, 2)),
        6: lambda x: np.rot90(x, 1),
        7: lambda x: np.rot90(np.transpose(x, (1, 0, 2)), 2),
        8: lambda x: np.rot90(x, -1),
    }[mark](corner)
    exif = Image.Exif()
    exif[0x0112] = mark
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "r.png", exif=exif)
    np.testing.assert_array_equal(images.to_uint8(images.read_image(tmp_path / "r.png")), corner)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_thin_pictures(tmp_path, size):
    values = np.random.default_rng(3).random((*size, 3))
    path = images.write_image(tmp_path / "thin.png", values)
    np.testing.assert_allclose(images.read_image(path), values, atol=0.5 / 255 + 1e-6)


def _missing(path):
    pass


def _empty(path):
    path.write_bytes(b"")


def _text(path):
    path.write_text("not a picture at all\n" * 20)


def _folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_missing, "no such file"),
        (_empty, "empty"),
        (_text, "not a picture"),
        (_folder, "is a folder"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, make, message):
    make(tmp_path / "x.png")
    with pytest.raises(LleError, match=f"x.png.*{message}"):
        images.read_image(tmp_path / "x.png")


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_a_truncated_file_is_damaged_and_not_half_gray(tmp_path, picture, ending):
    path = images.write_image(tmp_path / f"x{ending}", np.tile(picture, (10, 10, 1)) / 255)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(LleError, match="x"):
        images.read_image(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5, 2), np.uint8), r"\(4, 5, 2\)"),
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\)"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"\(2, 4, 5, 3\)"),
        (np.zeros((4, 5, 3), np.int64), "int64"),
        (np.full((4, 5, 3), np.nan), "not finite"),
        (np.full((4, 5, 3), 1.5), r"\[1.5, 1.5\]"),
        (np.full((4, 5, 3), -0.5), "Divide code values by 255"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        images.as_float(array)


def test_rounding_clips_and_refuses_nan():
    np.testing.assert_array_equal(images.to_uint8([-1, 0, 0.5, 1, 7]), [0, 0, 128, 255, 255])
    with pytest.raises(ValueError, match="not finite"):
        images.to_uint8([np.nan])


def test_nothing_is_overwritten_unasked(tmp_path):
    path = images.write_image(tmp_path / "a.png", np.zeros((4, 4, 3)))
    before = path.read_bytes()
    with pytest.raises(LleError, match="exists already"):
        images.write_image(path, np.ones((4, 4, 3)))
    assert path.read_bytes() == before
    images.write_image(path, np.ones((4, 4, 3)), overwrite=True)
    assert path.read_bytes() != before


def test_an_output_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(LleError, match="no such folder"):
        images.write_image(tmp_path / "no" / "a.png", np.zeros((4, 4, 3)))
    with pytest.raises(LleError, match="docx"):
        images.write_image(tmp_path / "a.docx", np.zeros((4, 4, 3)))


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail(partial):
        Path(partial).write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(LleError, match="No space left"):
        images.replace_file(path, fail)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_written_is_refused():
    """Run as an ordinary user, because root may write anywhere."""
    code = (
        "import os, sys\n"
        "from lle_utils import images; from lle_utils.errors import LleError\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "try: images.check_output(sys.argv[1])\n"
        "except LleError as error: print(error)"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", code, f"{folder}/a.png"], capture_output=True, text=True
        )
    assert "cannot be written to" in done.stdout, done.stderr
