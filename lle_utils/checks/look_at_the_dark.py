"""Exercises of notebook 01, look at the dark."""

from itertools import pairwise

import numpy as np

from lle_utils import camera
from lle_utils.checks.engine import Exercise, check, expect


@check
def brightened_codes(codes_used, zeros_become, next_code) -> str:
    """Check three predictions: codes 0 to 31 are multiplied by 8 and saved again as 8 bits."""
    used = {
        "256 is what a file can hold. Each of the 32 old codes becomes one new code.": 256,
        "0 to 248 is the range, but most codes in it stay unused, such as 1 to 7.": 249,
    }
    expect("codes_used", codes_used, 32, used)
    expect("zeros_become", zeros_become, 0, {"0 is multiplied by 8 as well.": 8})
    before = {"1 was the next code before. It is also multiplied by 8.": 1}
    expect("next_code", next_code, 8, before)
    return "Still 32 values, with gaps of 8 between them, and exact black is still black."


def _stops(bright, dark):
    more, less = (camera.srgb_to_linear(np.asarray(code) / 255) for code in (bright, dark))
    return np.log2(more / less)


# A function of bright and dark: how many stops of light separate two sRGB code values.
stops_between_codes = Exercise(
    probes=[(128, 64), (4, 1), (np.array([[128.0, 30.0], [11.0, 90.0]]), np.array([64.0, 250.0]))],
    right=_stops,
    mistakes={
        "a code is not proportional to light: decode both.": lambda b, d: np.log2(b / d),
        "sRGB is decoded from values in [0, 1]: divide by 255.": (
            lambda b, d: _stops(255 * b, 255 * d)
        ),
        "a stop is a factor of 2: take log2.": lambda b, d: _stops(b, d) * np.log(2),
        "a gamma of 2.2 is far off in the dark: decode sRGB.": lambda b, d: 2.2 * np.log2(b / d),
    },
    praise="Codes 128 and 64 are 2.1 stops apart; 4 and 1 exactly two, as sRGB is a line there.",
)


_rng = np.random.default_rng(11)
_scene = np.repeat([10.0, 30.0, 60.0, 100.0], 100) + _rng.uniform(-5, 5, (50, 400))
_shots = _scene + np.repeat([3.0, 1.0, 0.5, 2.0], 100) * _rng.standard_normal((2, 50, 400))
_edges = np.array([0.0, 20.0, 45.0, 80.0, 120.0])


def _noise(measure=lambda first, second: np.std(first - second) / 2**0.5):
    """Return an answer that measures two shots in bins of brightness in some way."""

    def noise_by_level(first, second, edges):
        level = (first + second) / 2
        bins = [(level >= low) & (level < high) for low, high in pairwise(edges)]
        return [measure(first[here], second[here]) for here in bins]

    return noise_by_level


# A function of first, second and edges: the noise of one shot, in bins of brightness.
noise_by_level = Exercise(
    probes=[(*_shots, _edges)],
    right=_noise(),
    tolerance=0.02,
    mistakes={
        "1.41 times too much: a difference holds the noise of two shots, and variances add. "
        "Divide by the square root of 2.": _noise(lambda a, b: np.std(a - b)),
        "divide by the square root of 2, not by 2.": _noise(lambda a, b: np.std(a - b) / 2),
        "this is the variance; take its square root.": _noise(lambda a, b: np.var(a - b) / 2),
        "you measured the scene as well. Measure the difference.": _noise(lambda a, b: np.std(a)),
    },
    praise="No smooth places were needed: what the two shots share is scene, the rest is noise.",
)
