"""Exercises of notebook 05, iterate."""

import numpy as np

from lle_utils import curve, founding
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, Value, call

_codes = np.random.default_rng(1).uniform(0, 60, (4, 5, 3))


def _map(picture):
    return 1 / (1 + picture)  # different for code values and for values in [0, 1]


def _with_map(function, img, index, flag):
    result = call(function, img, index, flag, predict=_map)
    return None if result is None else reading.numbers(result, "the picture it returns")


def _founding(divides=lambda number, flag: flag and number == 0, before_asking=False):
    """Return the founding function as a loop that divides by 255 when it is told to."""

    def enhance_in_a_loop(img, index, flag=1, *, predict):
        for number in range(index):
            E = img / 255 if divides(number, flag) else img
            img = curve.brighten(E, predict(E if before_asking else img))
        return img

    return enhance_in_a_loop


founding_loop = Exercise(
    "``function(img, index, flag=1, *, predict)``: `founding.enhance` as a loop.",
    observe=_with_map,
    # Python stops a function that calls itself 4000 times (at 1000, in some notebooks at 3000).
    probes=[
        (_codes, 3, 1),
        (_codes / 255, 2, 0),
        (_codes, 0, 1),
        (_codes, 1, 1),
        (_codes, 4000, 1),
    ],
    right=_founding(),
    mistakes={
        "give the network 0 to 255, and divide afterwards.": _founding(before_asking=True),
        "it divides by 255 in every iteration.": _founding(lambda number, flag: flag),
        "it divides even though flag is 0.": _founding(lambda number, flag: number == 0),
        "stopped with RecursionError": founding.enhance,
    },
    praise="The same questions to the network, the same picture, and no call waits for another.",
)


def _growing_map(picture, step):
    return np.full(picture.shape, 0.5 + 0.001 * step)


def _two_results(result, what) -> dict:
    picture, steps = reading.two(result, "image, steps")
    return {
        "the number of iterations": reading.whole(steps, "the number of iterations"),
        "the picture it returns": reading.numbers(picture, "the picture it returns"),
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

stop_by_itself = Exercise(
    "``function(image, predict_map, tolerance, most)``: go on until nothing changes.",
    read=_two_results,
    probes=[
        *((_almost_even, _growing_map, tolerance, 200) for tolerance in (0.001, 0.03, 1e-9)),
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

denoise_order = Exercise(
    "Two predictions: whether it matters if a median, or a Gaussian, comes before the curve.",
    Value(
        "median_matters",
        False,
        {"a rising curve leaves the middle value in the middle.": True},
        read=reading.truth,
    ),
    Value(
        "gaussian_matters",
        True,
        {"a Gaussian averages, and the curve of a mean is not the mean of the curve.": False},
        read=reading.truth,
    ),
    praise="A median commutes with every rising curve. What averages does not.",
)
