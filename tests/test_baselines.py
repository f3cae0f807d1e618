"""The simple ways to brighten a picture."""

import numpy as np
import pytest

from lle_utils import baselines, curve, data, metrics

DARK = data.load("sample", "test")[0].low


METHODS = (
    baselines.gamma,
    baselines.equalize,
    baselines.clahe,
    baselines.lime_like,
    baselines.constant_map,
)


@pytest.mark.parametrize("method", METHODS)
def test_each_brightens_pictures_of_any_size_and_stays_in_range(method):
    before = DARK.copy()
    found = method(DARK)
    assert found.shape == DARK.shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert found.mean() > 1.2 * DARK.mean()
    np.testing.assert_array_equal(DARK, before)
    for size in ((1, 1), (1, 400), (7, 5)):
        found = method(np.full((*size, 3), 0.1, np.float32))
        assert found.shape == (*size, 3) and np.isfinite(found).all()


def test_the_constant_map_is_the_recursion():
    value = max(0.1, curve.FLOOR)
    for _ in range(3):
        value = value + 0.4 * value * (1 - value)
    found = baselines.constant_map(np.full((2, 2, 3), 0.1, np.float32), 0.4, 3)
    np.testing.assert_allclose(found, value, rtol=1e-6)
    black = np.zeros((2, 2, 3), np.float32)
    assert baselines.constant_map(black).min() > 0  # the floor lets black grow
    assert baselines.constant_map(black, floor=0).max() == 0


def test_the_fitted_constant_is_the_best_of_a_grid():
    pairs = data.load("sample", "train")[:3]
    fitted = baselines.fit_constant(pairs)

    def mean_psnr(m):
        return np.mean(
            [metrics.psnr(baselines.constant_map(pair.low, m), pair.high) for pair in pairs]
        )

    best = max(mean_psnr(m) for m in np.linspace(0.05, 0.95, 19))
    assert mean_psnr(fitted) > best - 0.05


def test_bad_parameters_are_refused_by_value():
    with pytest.raises(ValueError, match="1.5"):
        baselines.constant_map(DARK, 1.5)
    with pytest.raises(ValueError, match="-1"):
        baselines.gamma(DARK, -1)
