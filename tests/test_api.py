"""`lle_utils.enhance`: what goes in comes out, brighter."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from calling import run_python
from PIL import Image, ImageCms

import lle_utils
from lle_utils import api, enhancer
from lle_utils.weights import load_model

RNG = np.random.default_rng(0)
DARK = RNG.integers(4, 40, (18, 26, 3), np.uint8)


def scaled(frame, kind):
    """Return a frame of uint8 as another type."""
    if np.dtype(kind).kind == "f":
        return (frame / 255).astype(kind)
    return (np.int64(frame) * (np.iinfo(kind).max // 255)).astype(kind)


@pytest.fixture(scope="module")
def bright():
    return lle_utils.enhance(DARK)


def test_eight_bits(bright):
    expected = 255 * enhancer.enhance_picture(load_model(), DARK)
    np.testing.assert_allclose(bright, np.round(expected), atol=1)
    assert bright.mean() > 1.5 * DARK.mean()


@pytest.mark.parametrize("kind", ["uint16", ">u2", "float16", ">f4", "float32", "float64"])
def test_every_type_comes_back(bright, kind):
    found = lle_utils.enhance(scaled(DARK, kind))
    assert found.dtype == kind
    codes = 255 * found if found.dtype.kind == "f" else found / 257
    np.testing.assert_allclose(codes, bright, atol=0.6)


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_gray_stays_gray_opacity_is_kept_and_blue_may_come_first(channels, bright):
    gray = lle_utils.enhance(DARK[..., 0], channels=channels)
    assert gray.shape == DARK.shape[:2]
    one = lle_utils.enhance(DARK[..., :1], channels=channels)
    np.testing.assert_array_equal(one[..., 0], gray)
    alpha = RNG.integers(1, 256, DARK.shape[:2], np.uint8)
    order = [2, 1, 0] if channels == "bgr" else [0, 1, 2]
    given = np.dstack([DARK[..., order], alpha])
    before = given.copy()
    found = lle_utils.enhance(given, channels=channels)
    np.testing.assert_array_equal(given, before)  # it is left as it was
    np.testing.assert_array_equal(found[..., 3], alpha)
    np.testing.assert_array_equal(found[..., order], bright)
    assert found.flags.c_contiguous


def test_exposure_and_iterations(bright):
    assert lle_utils.enhance(DARK, 1).mean() > bright.mean() > lle_utils.enhance(DARK, -1).mean()
    assert lle_utils.enhance(DARK, iterations=2).mean() < bright.mean()


@pytest.mark.parametrize(
    ("mode", "back"),
    [("RGB", "RGB"), ("RGBA", "RGBA"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("1", "L")]
    + [("CMYK", "RGB"), ("I;16", "I;16"), ("F", "F")],
)
def test_pil_pictures(mode, back):
    image = Image.fromarray(DARK)
    if mode == "I;16":
        image = Image.fromarray(scaled(DARK[..., 0], np.uint16))
    elif mode == "F":
        image = Image.fromarray(scaled(DARK[..., 0], np.float32))
    else:
        image = image.convert(mode)
    found = lle_utils.enhance(image)
    assert (found.mode, found.size) == (back, image.size)
    if mode not in ("I;16", "F"):  # opacity is not brightness
        found, image = found.convert("L"), image.convert("L")
    assert np.asarray(found).mean() > 1.3 * np.asarray(image).mean()


def test_a_pil_picture_keeps_what_it_says(bright):
    image = Image.fromarray(DARK)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.info = {"dpi": (300, 300), "icc_profile": profile}
    found = lle_utils.enhance(image)
    assert found.info == image.info
    np.testing.assert_array_equal(np.asarray(found), bright)


@pytest.mark.parametrize(
    ("wrong", "options", "error", "says"),
    [
        ("enhancer", {}, TypeError, "is a path, not a picture"),
        (Path("dark.jpg"), {}, TypeError, "read_image"),
        ([DARK, DARK], {}, TypeError, "not a list; enhance several pictures one after the other"),
        (DARK[None], {}, ValueError, r"not \(1, 18, 26, 3\); enhance several pictures one after"),
        (DARK[..., :2], {}, ValueError, "has the shape"),
        (Image.new("LA", (0, 0)), {}, ValueError, "has the shape"),
        (DARK.astype(int), {}, ValueError, "not int64: convert it"),
        (DARK.astype(float), {}, ValueError, "Divide code values by 255 first"),
        (DARK, {"channels": "gbr"}, ValueError, 'must be "rgb" or "bgr", not \'gbr\''),
        (DARK, {"exposure": 9}, ValueError, "from -8 to 8 stops, not 9"),
        (DARK, {"iterations": 0}, ValueError, "whole number of 1 or more, not 0"),
        (DARK, {"iterations": np.int64(5000)}, ValueError, r"at most 1000, not .*5000"),
    ],
)
def test_what_is_no_picture_or_no_option(wrong, options, error, says):
    with pytest.raises(error, match=says):
        lle_utils.enhance(wrong, **options)


def test_the_name_of_weights_is_no_model():
    with pytest.raises(TypeError, match="load_model returns, not 'enhancer'"):
        enhancer.enhance_picture("enhancer", DARK)


def graphs() -> int:
    from tensorflow.python.framework.func_graph import FuncGraph

    return sum(isinstance(one, FuncGraph) for one in gc.get_objects())


def test_a_loop_of_frames_traces_nothing_and_loads_once(bright):
    model, before = api._load(), graphs()
    for height in range(10, 18):
        lle_utils.enhance(DARK[:height])
    assert graphs() == before
    assert api._load() is model


POOL = """
import multiprocessing, sys
import lle_utils

assert not {"tensorflow", "keras", "cv2", "numpy"} & set(sys.modules), "importing is slow"
import numpy as np

with multiprocessing.get_context("spawn").Pool(1) as pool:
    (found,) = pool.map(lle_utils.enhance, [np.load("dark.npy")])
np.save("bright.npy", found)
"""

FORK = """
import multiprocessing
import numpy as np
from lle_utils.errors import LleError
from lle_utils.inference import enhance_picture
from lle_utils.weights import load_model

dark = np.full((20, 20, 3), 0.1)

def work(again):
    try:
        enhance_picture(load_model() if again else model, dark)
    except LleError as error:
        print(error, flush=True)

model = load_model()
enhance_picture(model, dark)
for again in (False, True):
    child = multiprocessing.get_context("fork").Process(target=work, args=(again,))
    child.start()
    child.join(60)
    child.kill()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_after_keras_was_used_says_what_to_do():
    done = run_python(FORK)
    assert done.stdout.count('start it with multiprocessing.get_context("spawn")') == 2, done


def test_importing_is_quick_nothing_is_said_and_a_pool_may_spawn(bright, tmp_path):
    np.save(tmp_path / "dark.npy", DARK)
    done = run_python(POOL, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    np.testing.assert_array_equal(np.load(tmp_path / "bright.npy"), bright)
