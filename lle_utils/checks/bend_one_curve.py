"""Exercises of notebook 02, bend one curve."""

import math

import numpy as np
from scipy.optimize import brentq

from lle_utils import curve
from lle_utils.checks.engine import Exercise

# A function of m: whether an iteration with this m keeps [0, 1] and the order of pixels.
is_safe = Exercise(
    probes=[(0.3,), (1.02,), (1.5,), (-0.5,), (-1.5,), (1.0,), (-1.0,)],
    right=lambda m: abs(m) <= 1,
    mistakes={
        "m = 1.5 is not safe: it pushes every x above 0.67 past white.": lambda m: m >= -1,
        "m = -1.5 is not safe: its slope at black is negative.": lambda m: m <= 1,
        "m = 1 and m = -1 are safe: the slope is 0 at one end only.": lambda m: abs(m) < 1,
        "a negative m can be safe: it darkens, and keeps the order.": lambda m: 0 <= m <= 1,
    },
    praise="Exactly |m| <= 1. So whatever a network computes, a sigmoid makes it safe.",
)


def _odds(x):
    return np.asarray(x) / (1 - np.asarray(x))


def _factor(x, m):
    return (1 + m * (1 - x)) / (1 - m * x)


def _by_division(x, m):
    return _odds(curve.brighten(x, m)) / _odds(x)


_inside = np.random.default_rng(5).uniform(0.05, 0.95, (4, 6))

# A function of x and m: by what factor an iteration multiplies the odds ``x / (1 - x)``.
odds_factor = Exercise(
    probes=[(_inside, 0.9 * _inside), (np.array([0, 0.3, 1]), 0.6), (0, 0.2)],
    right=_factor,
    tolerance=1e-6,
    mistakes={
        "1 + m is the factor at black, where x = 0. What about other x?": lambda x, m: 1 + m,
        "the factor is upside down: divide after by before.": lambda x, m: 1 / _factor(x, m),
        "this divides zero by zero at x = 0 and x = 1. Cancel x and 1 - x on paper.": _by_division,
    },
    praise="x and 1 - x cancel: it goes from 1 + m at black to 1 / (1 - m) at white.",
)


def _after(x, m, n):
    return curve.recurse(x, lambda E, step: m, n)


def _m_for(x, target, n):
    if not x <= target <= _after(x, 1, n):
        return None
    return brentq(lambda m: _after(x, m, n) - target, 0, 1)


# A function of x, target and n: the m of n iterations that lead from x to target, or None.
constant_for = Exercise(
    probes=[(0.05, 0.5, 8), (0.4, 0.4, 8), (0.01, 0.9, 2), (0.5, 0.3, 8)],
    right=_m_for,
    tolerance=5e-4,
    mistakes={
        "shift / n is only right for infinitely many iterations. Start there, and search for "
        "the exact m.": lambda x, t, n: math.log(_odds(t) / _odds(x)) / n,
        "where no m in [0, 1] leads from x to target, return None.": (
            lambda x, t, n: _m_for(x, np.clip(t, x, _after(x, 1, n)), n)
        ),
        "0.4 to 0.4 is possible: m = 0.": lambda x, t, n: _m_for(x, t, n) if x < t else None,
    },
    praise="The limit is a good first guess. For dark tones the exact m is larger.",
)
