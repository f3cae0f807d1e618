"""Exercises of notebook 05, iterate."""

import numpy as np

from lle_utils import curve
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, call, check, expect


def _with_map(function, *probe) -> dict:
    result = call(function, *probe, predict=lambda picture: 1 / (1 + picture))
    return {"the picture": reading.numbers(result, "the picture")}


def _founding(divides=lambda number, flag: flag and number == 0, before_asking=False):
    """Return the founding function as a loop that divides by 255 when it is told to."""

    def enhance_in_a_loop(img, index, flag=1, *, predict):
        for number in range(index):
            E = img / 255 if divides(number, flag) else img
            img = curve.brighten(E, predict(E if before_asking else img))
        return img

    return enhance_in_a_loop


_codes = np.random.default_rng(1).uniform(0, 60, (4, 5, 3))

# A function of img, index, flag=1 and predict (by name): `founding.enhance` as a loop. Python stops
# a function that calls itself 4000 times (at 1000, in some notebooks at 3000).
founding_loop = Exercise(
    observe=_with_map,
    probes=[(_codes, 3, 1), (_codes / 255, 2, 0), (_codes, 4000, 1)],
    right=_founding(),
    mistakes={
        "give the network 0 to 255, and divide afterwards.": _founding(before_asking=True),
        "it divides by 255 in every iteration.": _founding(lambda number, flag: flag),
        "it divides even though flag is 0.": _founding(lambda number, flag: number == 0),
    },
    praise="The same questions to the network, the same picture, and no call waits for another.",
)


def _growing_map(picture, step):
    return np.full(picture.shape, 0.5 + 0.001 * step)


def _two_results(function, *probe) -> dict:
    picture, steps = reading.two(call(function, *probe), "image, steps")
    return {
        "the number of iterations": reading.number(steps, "the number of iterations"),
        "the picture": reading.numbers(picture, "the picture"),
    }


def _until(arrived=lambda new, old, most: np.abs(new - old).max() <= most, counted=1):
    """Return an answer that stops when ``arrived(new, old, tolerance)``."""

    def iterate_until(image, predict_map, tolerance, most):
        for step in range(most):
            old, image = image, curve.brighten(image, predict_map(image, step))
            if arrived(image, old, tolerance):
                return image, step + counted
        return image, most

    return iterate_until


# A single dark pixel, which still moves when all the others have arrived.
_almost_even = np.full((6, 6, 3), 0.02)
_almost_even[0, 0] = 0.0005

# A function of image, predict_map, tolerance and most: go on until nothing changes.
stop_by_itself = Exercise(
    observe=_two_results,
    probes=[
        (_almost_even, _growing_map, 0.001, 200),
        (_almost_even, _growing_map, 1e-9, 200),
        (_almost_even, _growing_map, 1e-9, 5),
        (np.ones((2, 2, 3)), _growing_map, 0.0, 9),
    ],
    right=_until(),
    mistakes={
        "take the largest change, not the mean.": _until(lambda a, b, t: (a - b).mean() <= t),
        "the last iteration, after which you stop, counts as well.": _until(counted=0),
        "also stop at exactly the tolerance.": _until(lambda a, b, t: (a - b).max() < t),
        "np.allclose adds a tolerance of its own, rtol, so it stops too early: pass rtol=0.": (
            _until(lambda new, old, tolerance: np.allclose(new, old, atol=tolerance))
        ),
    },
    praise="It stops when the last pixel has settled, or at the limit if that takes too long.",
)


@check
def denoise_order(median_matters, gaussian_matters) -> str:
    """Check two predictions: whether it matters if a filter comes before or after the curve."""
    middle = {"a rising curve leaves the middle value in the middle.": True}
    mean = {"a Gaussian averages, and the curve of a mean is not the mean of the curve.": False}
    expect("median_matters", median_matters, False, middle)
    expect("gaussian_matters", gaussian_matters, True, mean)
    return "A median commutes with every rising curve. What averages does not."
