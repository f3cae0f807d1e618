"""A picture in tiles is the picture as a whole, and never all of it is in memory."""

import numpy as np
import pytest
from test_enhancer import random_network

from lle_utils import inference
from lle_utils.curve import adjust_exposure
from lle_utils.enhancer import EXPOSURE, THUMBNAIL, Enhancer, enhance_picture, trace
from lle_utils.inference import Enhanced, enhance_lazily
from lle_utils.network import build_network

RNG = np.random.default_rng(0)
CODE = 1 / 255
CLOSE = {"rtol": 0, "atol": CODE / 100}  # at most one code value is promised


@pytest.fixture(scope="module")
def random():
    return Enhancer(random_network())


@pytest.fixture
def in_tiles(monkeypatch):
    monkeypatch.setattr(inference, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(inference, "TILE", 32)


def picture(height, width):
    return RNG.random((height, width, 3), dtype=np.float32) / 5


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (201, 90), (97, 131)])
def test_tiles_are_the_whole(random, in_tiles, size):
    image = picture(*size)
    whole = np.asarray(list(random.steps(image[None], 9))[-1].image)[0]
    np.testing.assert_allclose(enhance_picture(random, image, 9), np.clip(whole, 0, 1), **CLOSE)


def test_coarse_details_and_a_network_of_one_channel(in_tiles):
    one = Enhancer(build_network(1, seed=0), (4, THUMBNAIL, 1, 6), 7)
    image = picture(150, 130)
    whole = np.asarray(one(image[None]))[0]
    np.testing.assert_allclose(enhance_picture(one, image), np.clip(whole, 0, 1), **CLOSE)


def test_any_part_is_the_part_of_the_whole(random, in_tiles):
    image = picture(160, 150)
    enhanced = enhance_lazily(random, image)
    assert isinstance(enhanced, Enhanced)
    whole = np.asarray(enhanced)
    for box in (np.s_[3:58, 101:150], np.s_[77:78, 0:1], np.s_[150:160, 40:90]):
        np.testing.assert_allclose(enhanced[box], whole[box], **CLOSE)


def test_exposure_comes_on_top(random, in_tiles):
    image = picture(60, 70)
    expected = adjust_exposure(enhance_picture(random, image), 1.5)
    np.testing.assert_allclose(enhance_picture(random, image, exposure=1.5), expected, **CLOSE)


def test_fitted_details_come_from_a_smaller_picture(random, monkeypatch):
    monkeypatch.setattr(inference, "FITTED_SIDE", 50)
    image = picture(90, 140)
    coarse = Enhancer(random.network, (EXPOSURE, EXPOSURE, EXPOSURE, THUMBNAIL, 6, 3, 3))
    expected = enhance_picture(coarse, image)
    found = enhance_picture(random, image, detail="fitted")
    np.testing.assert_allclose(found, expected, **CLOSE)
    with pytest.raises(ValueError, match='"native", "fitted" or "none", not \'fine\''):
        enhance_picture(random, image, detail="fine")


class Wall:
    """A picture of 24 megapixels that is nowhere, and notes the largest part looked at."""

    shape, largest = (4000, 6000, 3), 0

    def __getitem__(self, box):
        height, width = (part.stop - part.start for part in box)
        self.largest = max(self.largest, height * width)
        return np.full((height, width, 3), 0.1, np.float32)


class Constant:
    """A network whose map is the same everywhere."""

    schedule, iterations, floor = (EXPOSURE, THUMBNAIL, 2, 1, 1), 5, 0.002

    def predict_maps(self, images):
        return np.full_like(images, 0.5)


def test_without_details_the_light_stays(random, in_tiles, monkeypatch):
    image = picture(90, 70)
    found = enhance_picture(random, image, detail="none")
    assert np.abs(found - enhance_picture(random, image)).max() > CODE
    monkeypatch.setattr(inference, "_detail_map", lambda model, image, factor: 0)
    np.testing.assert_allclose(found, enhance_picture(random, image), **CLOSE)


@pytest.mark.parametrize(("detail", "most"), [("native", 2**20), ("fitted", 2**21)])
def test_no_more_than_a_tile_is_looked_at(detail, most):
    wall = Wall()
    enhanced = enhance_lazily(Constant(), wall, detail=detail)
    values = [enhanced[box] for box in list(enhanced.boxes())[:2]]
    assert wall.largest < most
    np.testing.assert_allclose(values[0], values[1][:1, :1].max(), atol=1e-5)
    covered = np.zeros((4000, 6000), np.uint8)
    for box in enhanced.boxes():
        covered[box] += 1
    assert (covered == 1).all()


def test_maps_and_pictures_on_the_way(random):
    image = picture(83, 120)
    for found, (maps, whole) in zip(trace(random, image), random.steps(image[None]), strict=True):
        assert found.parameter_map.shape == image.shape
        np.testing.assert_allclose(found.parameter_map, np.zeros_like(image) + maps[0], **CLOSE)
        np.testing.assert_allclose(found.image, whole[0], **CLOSE)
