"""The curve, its recursion and the founding function."""

import numpy as np
import pytest

from lle_utils import curve, founding

LADDER = np.linspace(0, 1, 257)


@pytest.mark.parametrize("m", [-1.0, -0.3, 0.0, 0.38, 1.0])
def test_one_step_keeps_the_range_and_the_order_for_maps_up_to_one(m):
    bent = curve.brighten(LADDER, m)
    assert bent.min() >= 0
    assert bent.max() <= 1
    assert (np.diff(bent) >= -1e-12).all()
    assert (bent[0], bent[-1]) == (0, 1)  # fixed points
    assert curve.brighten(LADDER, 1.5).max() > 1


@pytest.mark.parametrize("n", [1, 4, 8])
def test_the_recursion_with_m_1_has_its_closed_form(n):
    found = curve.recurse(LADDER, lambda image, step: 1.0, n)
    np.testing.assert_allclose(1 - found, (1 - LADDER) ** (2**n), atol=1e-12)


def test_iterate_hands_each_result_and_its_number_to_the_network():
    seen = []

    def predict(image, step):
        seen.append((step, float(image)))
        return 0.5

    results = list(curve.iterate(0.1, predict, 3))
    assert [step for step, _ in seen] == [0, 1, 2]
    assert [value for _, value in seen] == [0.1, results[0].image, results[1].image]
    assert curve.recurse(0.25, None, 0) == 0.25


@pytest.mark.parametrize("wrong", [-1, 0, 2.5, "8", None, float("nan"), float("inf"), True])
def test_iterations_that_are_none_are_refused_by_value(wrong):
    with pytest.raises(ValueError, match="iterations must be a whole number of 1 or more, not"):
        curve.check_iterations(wrong)
    assert [curve.check_iterations(n) for n in (8, 8.0, np.int64(8))] == [8, 8, 8]


def _darkening_network(img):
    """Stand in for a network: any map that depends on the picture and on its range will do."""
    return 1 / (1 + np.mean(img, axis=-1, keepdims=True))


@pytest.mark.parametrize("index", [1, 2, 7, 8, 12])
def test_the_founding_function_is_the_founding_formula(index):
    img = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.float64)
    expected = img / 255 + _darkening_network(img) * (img / 255) * (1 - img / 255)
    for _ in range(index - 1):
        expected = expected + _darkening_network(expected) * expected * (1 - expected)
    found = founding.enhance(img, index, predict=_darkening_network)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_founding_function_ends():
    img = np.full((2, 2, 3), 40.0)
    assert founding.enhance(img, 0, predict=_darkening_network) is img
    with pytest.raises(ValueError, match="iterations"):
        founding.enhance(img, 2.5, predict=_darkening_network)


@pytest.mark.parametrize(
    ("mean_code", "iterations"), [(0, 12), (9.9, 12), (10, 8), (19.9, 8), (20, 7), (128, 7)]
)
def test_darker_pictures_take_more_iterations(mean_code, iterations):
    assert founding.iterations_for(np.full((4, 4, 3), mean_code / 255)) == iterations


@pytest.mark.parametrize("stops", [-2, -0.5, 0, 0.5, 1, 3])
def test_stops_multiply_near_black_and_keep_the_range_and_the_order(stops):
    values = np.linspace(0, 1, 101)
    found = curve.adjust_exposure(values, stops)
    assert found[0] == 0 and found[-1] == 1 and np.all(np.diff(found) > 0)
    assert curve.adjust_exposure(1e-5, stops) / 1e-5 == pytest.approx(2.0**stops, rel=1e-3)


@pytest.mark.parametrize("wrong", [9, -8.5, float("nan"), "1", None])
def test_stops_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="stops"):
        curve.adjust_exposure(0.5, wrong)
