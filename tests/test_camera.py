"""The camera model: each step by itself, and the dark picture as a whole."""

import dataclasses

import numpy as np
import pytest

from lle_utils import camera
from lle_utils.camera import Camera, Exposure

CLEAN = Camera(electrons=1e12, read_noise=0.0, gains=(1.0, 1.0, 1.0))


def rng(seed=0):
    return np.random.default_rng(seed)


def gray(level, size=200):
    """A flat picture of one code value."""
    return np.full((size, size, 3), level / 255, np.float32)


@pytest.fixture(scope="module")
def picture():
    """A smooth ramp with three different channels, from black to white."""
    ramp = np.linspace(0, 1, 120, dtype=np.float32)
    red, green = np.meshgrid(ramp, ramp[:80])
    return np.stack([red, green, 1 - red], axis=-1)


def test_srgb_is_that_of_the_standard_there_and_back():
    codes = np.arange(256) / 255
    light = camera.srgb_to_linear(codes)
    np.testing.assert_allclose(light[[0, 10, 128, 255]], [0, 0.0030353, 0.2158605, 1], atol=1e-6)
    np.testing.assert_allclose(camera.linear_to_srgb(light), codes, atol=1e-6)


def test_a_stop_halves_light_and_a_cast_tints_it(picture):
    for stops, cast in ((0, (0, 0)), (2.5, (0, 0)), (4, (0.5, -0.5))):
        dark = camera.darken(picture, Exposure(stops, cast), rng(), camera=CLEAN)
        tint = 2.0 ** (np.array([cast[0], 0, cast[1]]) - stops)
        expected = np.clip(camera.srgb_to_linear(picture) * tint, 0, 1)
        # Rounding to 8 bits is all that may remain: half a code, times the slope of the encoding.
        assert np.abs(camera.srgb_to_linear(dark) - expected).max() < 0.5 / 255 * 2.3


def test_a_dark_picture_is_float32_on_8_bit_levels_and_the_same_for_the_same_seed(picture):
    before = picture.copy()
    dark, again, other = (camera.darken(picture, 5, rng(seed)) for seed in (1, 1, 2))
    assert dark.dtype == np.float32 and dark.shape == picture.shape
    codes = np.rint(dark * 255).astype(np.uint8)
    assert np.array_equal(dark, codes.astype(np.float32) / np.float32(255))
    assert dark.min() == 0 and 0 < dark.max() < 0.5
    assert np.array_equal(dark, again) and not np.array_equal(dark, other)
    assert np.array_equal(dark, camera.darken(picture, Exposure(5.0), rng(1)))
    assert np.array_equal(picture, before)


def test_electrons_scatter_like_counts():
    sensor = Camera(electrons=10000.0, read_noise=3.0, gains=(2.0, 1.0, 4.0))
    light = np.full((400, 400, 3), 0.02)
    electrons = camera.count_electrons(light, sensor, rng())
    assert np.allclose(electrons.mean(axis=(0, 1)), [100, 200, 50], rtol=0.01)
    assert np.allclose(electrons.var(axis=(0, 1)), [109, 209, 59], rtol=0.03)


def test_local_noise_finds_the_noise_that_is_there():
    generator = rng()
    ramp = np.linspace(0.3, 0.5, 160)[:, None, None] * np.ones((160, 160, 3))
    low = np.clip(ramp / 4 + generator.normal(0, 2 / 255, ramp.shape), 0, 1)
    mean, variance = camera.local_noise(low, ramp)
    assert mean.shape == variance.shape == (400, 3)
    assert np.sqrt(variance.mean()) == pytest.approx(2.0, rel=0.02)


def test_the_same_seed_darkens_as_it_always_did(picture):
    """The packaged weights were trained on these random numbers, drawn in this order."""
    means = [255 * camera.darken_at_random(picture, rng(seed)).mean() for seed in range(8)]
    expected = [92.81, 43.30, 48.24, 45.44, 24.04, 77.40, 16.23, 47.31]
    np.testing.assert_allclose(means, expected, atol=0.2)
    means = [255 * camera.darken_like_lol(picture, rng(seed)).mean() for seed in range(3)]
    np.testing.assert_allclose(means, [25.64, 25.12, 9.81], atol=0.1)


def test_response_black_level_toe_and_jpeg_change_what_they_say(picture):
    def take(shot, stops=0, **changes):
        return camera.darken(shot, stops, rng(), camera=dataclasses.replace(CLEAN, **changes))

    np.testing.assert_allclose(take(picture, response=2.2), picture, atol=0.003)
    red, green, blue = take(gray(0), black_level=(0.01, 0.0, 0.0)).mean((0, 1))
    assert red > 0.05 and green == blue == 0
    dark, bright = (take(gray(code), toe=0.05).mean() for code in (20, 200))
    assert dark < 0.7 * 20 / 255 and bright > 0.9 * 200 / 255
    whole, saved = (take(picture, stops=4, jpeg_quality=quality) for quality in (None, 80))
    assert not np.array_equal(saved, whole)
    assert saved.mean() == pytest.approx(whole.mean(), abs=0.005)


def test_blotches_are_wider_than_noise_and_about_as_strong():
    sharp, blotchy = Camera(3000.0), Camera(3000.0, blotch=1.2)
    found = [camera.darken(gray(120), 3, rng(), camera=c)[..., 1] for c in (sharp, blotchy)]
    beside = [np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1] for one in found]
    assert abs(beside[0]) < 0.05 and beside[1] > 0.3
    assert 0.5 < found[1].std() / found[0].std() < 2


def test_shade_takes_stops_from_place_to_place(picture):
    kinds = [camera.sample_shade(picture, rng(seed)) for seed in range(20)]
    for shade in kinds:
        assert shade.shape == (*picture.shape[:2], 1)
        assert shade.min() >= 0 and shade.max() <= 5
        assert np.ptp(shade) > 0.1
    half = np.zeros((200, 200, 1))
    half[:, 100:] = 2.0
    dark = camera.darken(gray(200), 1, rng(), camera=CLEAN, shade=half)
    light = camera.srgb_to_linear(dark)
    np.testing.assert_allclose(light[:, :100].mean() / light[:, 100:].mean(), 4, rtol=0.05)
