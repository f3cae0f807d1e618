"""The protocol: PSNR, SSIM and CIEDE2000 against independent computations."""

import numpy as np
import pytest

from lle_utils import metrics

RNG = np.random.default_rng(0)
REFERENCE = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
RAMP = np.repeat(np.linspace(0.1, 0.9, 80)[None, :, None], 80, 0).repeat(3, 2)
NOISY = np.clip(REFERENCE + RNG.normal(0, 12, REFERENCE.shape), 0, 255).astype(np.uint8)


def test_psnr_is_its_definition_of_pictures_of_one_size():
    error = np.mean((NOISY.astype(float) - REFERENCE.astype(float)) ** 2)
    assert metrics.psnr(NOISY, REFERENCE) == pytest.approx(10 * np.log10(255**2 / error), abs=1e-4)
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.psnr(NOISY, REFERENCE[:-1])
    tenth = metrics.psnr(np.full((9, 9, 3), 0.6), np.full((9, 9, 3), 0.5))
    assert tenth == pytest.approx(20, abs=1e-3)


def test_equal_pictures_and_what_is_equal_once_clipped_and_rounded():
    same = metrics.score(REFERENCE / 255, REFERENCE / 255)
    assert same == {"psnr": float("inf"), "ssim": pytest.approx(1), "ciede2000": 0}
    assert tuple(same) == metrics.METRICS
    white = np.ones((12, 12, 3))
    for value in (1.7, 1 - 0.4 / 255):
        assert metrics.score(value * white, white)["psnr"] == float("inf")


def test_ssim_is_that_of_tensorflow_where_its_window_fits():
    import tensorflow as tf

    expected = tf.image.ssim(
        tf.constant(NOISY / 255.0, tf.float32), tf.constant(REFERENCE / 255.0, tf.float32), 1.0
    )
    assert metrics.ssim(NOISY, REFERENCE) == pytest.approx(float(expected), abs=2e-4)
    assert np.isnan(metrics.ssim(REFERENCE[:10], NOISY[:10]))


def test_ciede2000_of_a_gray_step_is_a_step_of_lightness():
    difference = metrics.ciede2000(np.full((4, 4, 3), 0.50), np.full((4, 4, 3), 0.54))
    assert 3 < difference < 5


def test_means_are_over_pictures_and_leave_out_what_is_unknown():
    rows = [
        {"name": "a", "psnr": 10, "ssim": 0.5, "ciede2000": 4, "seconds": 1},
        {"name": "b", "psnr": 20, "ssim": float("nan"), "ciede2000": 6, "seconds": 2},
    ]
    assert metrics.mean_scores(rows) == {"psnr": 15, "ssim": 0.5, "ciede2000": 5}
    assert metrics.mean_scores(rows, ["seconds"]) == {"seconds": 1.5}
    assert np.isnan(metrics.mean_scores(rows[1:])["ssim"])


def test_the_bootstrap_interval_holds_the_mean_and_is_repeatable():
    values = np.random.default_rng(1).normal(20, 4, 50)
    low, high = metrics.bootstrap_interval(values)
    assert low < values.mean() < high
    assert 0.7 * 3.92 * 4 / 50**0.5 < high - low < 1.3 * 3.92 * 4 / 50**0.5
    assert metrics.bootstrap_interval(values) == (low, high)


@pytest.mark.parametrize(
    ("picture", "enhanced", "share"),
    [
        (RAMP, RAMP, 0),
        (RAMP, 1 - RAMP, 97),  # the rim is flat
        (RAMP, np.where(np.arange(80)[:, None] < 40, RAMP, 1 - RAMP), 50),
        (np.full((3, 4, 3), 0.2), np.full((3, 4, 3), 0.4), np.nan),
        (np.zeros((1, 1, 3)), np.ones((1, 1, 3)), np.nan),
    ],
)
def test_a_gradient_that_is_turned_round_is_found(picture, enhanced, share):
    found = metrics.harm(enhanced, picture)["reversed"]
    assert found == pytest.approx(share, abs=3, nan_ok=True)


def test_what_became_white_is_counted_once():
    picture = np.full((2, 5, 3), 0.5)
    picture[0, 0] = 1
    enhanced = picture.copy()
    enhanced[0, :3, 0] = 1
    measured = metrics.harm(enhanced, picture)
    assert measured["clipped"] == 20
    assert measured["brightness"] == pytest.approx(255 * (16 + 1.5) / 30)


def test_noise_is_measured_beside_edges():
    picture = np.where(np.arange(80)[:, None] < 40, RAMP, 0.05 + RAMP / 9)
    noisy = picture + np.random.default_rng(0).normal(0, 5 / 255, picture.shape)
    assert metrics.harm(picture, picture)["noise"] < 0.1
    assert metrics.harm(np.clip(noisy, 0, 1), picture)["noise"] == pytest.approx(5, rel=0.1)
