"""Checks of the exercises in notebook 02, bend one curve."""

import math

import numpy as np

from lle_utils import curve
from lle_utils.checks.verdicts import Wrong, ask, check, compare, numbers, whole


@check
def is_safe(function) -> str:
    """Check ``function(m)``: whether a step with this m keeps [0, 1] and the order of pixels."""
    for m in (0.3, 1.5, 1.02, 2.0, 3.0, -0.5, -1.02, -1.5, -3.0, 1.0, -1.0, 0.0, 0.99, -0.99):
        result = ask(function, m)
        if np.size(result) != 1 or isinstance(result, str):
            kind = "text" if isinstance(result, str) else f"{np.size(result)} values"
            raise Wrong(f"one True or False was asked for, for one m, and this is {kind}.")
        said, true = bool(np.all(result)), abs(m) <= 1
        if said == true:
            continue
        if m > 1:
            raise Wrong(
                f"neither monotone nor inside [0, 1]: m = {m} got in. Every x above "
                f"{1 / m:.2f} is pushed past white, and comes back at x = 1."
            )
        if m < -1:
            raise Wrong(
                f"neither monotone nor inside [0, 1]: m = {m} got in. Its slope at black is "
                f"1 + m = {1 + m:.2f}, so the darkest pixels turn negative."
            )
        if abs(m) == 1:
            raise Wrong(
                f"m = {m:g} is safe: the slope reaches 0 at one end, but is nowhere below it."
            )
        if m < 0:
            raise Wrong(
                f"m = {m} is safe: it darkens, but stays inside [0, 1] and keeps the order."
            )
        raise Wrong(f"m = {m} is safe: its slope is between {1 - m:.2f} and {1 + m:.2f}.")
    return "Exactly |m| <= 1. So whatever a network says, a sigmoid makes it safe."


@check
def odds_factor(function) -> str:
    """Check ``function(x, m)``: by what factor a step multiplies the odds ``x / (1 - x)``.

    `x` in [0, 1], both ends included, and `m` in [0, 1): numbers or arrays of one shape.
    """

    def odds(x):
        return np.asarray(x) / (1 - np.asarray(x))

    def right(x, m):
        return (1 + m * (1 - x)) / (1 - m * x)

    rng = np.random.default_rng(5)
    inside = rng.uniform(0.05, 0.95, (4, 6))
    probes = [
        (inside, rng.uniform(0.1, 0.9, (4, 6))),
        (inside[0], 0.38),
        (0.5, 0.5),
        (np.array([0.0, 0.3, 1.0]), 0.6),
        (0.0, 0.2),
        (1.0, 0.8),
        (inside, 0.0),
    ]
    mistakes = {
        "e^m is what it comes close to when m is small. The exact factor depends on x.": (
            lambda x, m: np.exp(m) + 0 * x
        ),
        "1 + m is the factor at black, where x = 0. What about the other pixels?": (
            lambda x, m: 1 + m + 0 * x
        ),
        "1 / (1 - m) is the factor at white, where x = 1. What about the other pixels?": (
            lambda x, m: 1 / (1 - m) + 0 * x
        ),
        "this is the factor on x itself. The odds also have 1 - x below, and it shrinks.": (
            lambda x, m: 1 + m * (1 - x)
        ),
        "these are the odds after the step. The factor is after divided by before.": (
            lambda x, m: odds(curve.brighten(x, m))
        ),
        "the factor is upside down: after divided by before, not before by after.": (
            lambda x, m: 1 / right(x, m)
        ),
        "x and 1 - x are exchanged: the factor is 1 + m at black and 1 / (1 - m) at white.": (
            lambda x, m: right(1 - x, m)
        ),
        "a sign: 1 - f is 1 - x - m x (1 - x), and so the lower part has 1 - m x.": (
            lambda x, m: (1 + m * (1 - x)) / (1 + m * x)
        ),
        "brackets are missing: the 1 belongs above the line, too.": (
            lambda x, m: 1 + m * (1 - x) / (1 - m * x)
        ),
        "this is the logarithm of the factor; the factor itself was asked for.": (
            lambda x, m: np.log(right(x, m))
        ),
        "right between the ends. But at x = 0 and x = 1 you divide nothing by nothing: cancel x "
        "and 1 - x on paper first.": lambda x, m: odds(curve.brighten(x, m)) / odds(x),
    }
    try:
        compare(function, right, probes, mistakes)
    except Wrong as wrong:
        if "ZeroDivisionError" in str(wrong):
            raise Wrong(
                "right between the ends. But at x = 0 or x = 1 it divides by zero: cancel x and "
                "1 - x on paper first."
            ) from None
        compare(function, right, probes, mistakes, tolerance=1e-2)  # complains of what is far off
        raise Wrong(
            "nearly right, but not exact. Do not keep x away from 0 and 1: cancel x and 1 - x on "
            "paper, and nothing is divided by zero."
        ) from None
    return (
        "x and 1 - x cancel, and what is left is finite from black, 1 + m, to white, 1 / (1 - m)."
    )


@check
def first_values(function) -> str:
    """Check ``function(codes)``: from 8-bit codes to where the recursion starts.

    `codes` is a uint8 array of any shape; the result has values in [0, 1], floored at half a code.
    """

    def right(codes):
        return np.maximum(np.asarray(codes) / 255, curve.FLOOR)

    rng = np.random.default_rng(7)
    dark = rng.integers(0, 6, (5, 7, 3), dtype=np.uint8)
    dark[0, 0] = 0, 1, 255
    probes = [(dark,), (np.arange(256, dtype=np.uint8),), (np.zeros((2, 2, 3), np.uint8),)]
    mistakes = {
        "exact black is still 0, and 0 is a fixed point: no m will ever move it.": (
            lambda codes: codes / 255
        ),
        "you raised every value, so white is above 1 now. Raise only what lies below the floor.": (
            lambda codes: codes / 255 + curve.FLOOR
        ),
        "a floor of a whole code makes codes 0 and 1 the same. Half a code lies between them.": (
            lambda codes: np.maximum(codes / 255, 1 / 255)
        ),
        "these are still codes. The recursion wants values in [0, 1].": (
            lambda codes: np.maximum(codes, 0.5)
        ),
        "a floor of 0.5 is middle gray. Half a *code* is 0.5 / 255.": (
            lambda codes: np.maximum(codes / 255, 0.5)
        ),
        "black became 0.5, middle gray. Half a *code* is 0.5 / 255.": (
            lambda codes: np.where(codes == 0, 0.5, codes / 255)
        ),
        "// throws away what is behind the point, and only 0 and 1 are left: divide by /.": (
            lambda codes: np.maximum(codes // 255, curve.FLOOR)
        ),
        "the largest code is 255, so divide by 255 and not by 256: white must stay 1.": (
            lambda codes: np.maximum(codes, 0.5) / 256
        ),
        "the floor is half a code, and a code is 1 / 255.": (
            lambda codes: np.maximum(codes / 255, 0.5 / 256)
        ),
    }
    compare(function, right, probes, mistakes, tolerance=1e-6)
    return "0 and 1 are the fixed points; black is now slightly off the one that repels."


@check
def steps_for(function) -> str:
    """Check ``function(gain, m)``: the fewest steps that multiply a very dark pixel by `gain`.

    `gain` is 1 or more and m in (0, 1]; near black a step multiplies by 1 + m.
    """

    def exact(gain, m):
        return math.log(gain) / math.log(1 + m)

    def right(gain, m):
        return next(n for n in range(10_000) if (1 + m) ** n >= gain)

    mistakes = {
        "you rounded. With one step too few the gain is not reached: round up.": (
            lambda gain, m: round(exact(gain, m))
        ),
        "you rounded down. With one step too few the gain is not reached: round up.": (
            lambda gain, m: math.floor(exact(gain, m))
        ),
        "each step doubles only for m = 1. In general it multiplies by 1 + m.": (
            lambda gain, m: math.ceil(math.log2(gain))
        ),
        "steps multiply, they do not add: n steps give (1 + m) to the power of n.": (
            lambda gain, m: math.ceil((gain - 1) / m)
        ),
        "near black a step multiplies by 1 + m, and not by e to the m.": (
            lambda gain, m: math.ceil(math.log(gain) / m)
        ),
        "a gain of 1 is there before the first step: 0 steps.": (
            lambda gain, m: max(1, right(gain, m))
        ),
        "one step too many where a gain is reached exactly, such as 8 = 2 * 2 * 2. Round up only "
        "what is not whole; and near black count 1 - x as 1.": (
            lambda gain, m: math.floor(exact(gain, m)) + 1
        ),
    }
    for gain, m in ((30, 0.38), (10, 0.5), (100, 0.2), (8, 1.0), (3, 0.9), (1, 0.5), (9, 1.0)):
        found = ask(function, gain, m)
        whole(found, f"the number of steps for gain = {gain}, m = {m}")
        compare(_named("steps_for", found), right, [(gain, m)], mistakes)
    return "For 5 stops, a gain of 32, m = 0.38 needs 11 steps near black, and m = 1 five."


def _named(name: str, result):
    """Return a function of that name that always gives one result."""

    def function(*_):
        return result

    function.__name__ = name
    return function


@check
def constant_for(shift, m_for) -> str:
    """Check ``shift(x, target)``, the limit's n m, and ``m_for(x, target, n)``, the exact m.

    `x` and `target` lie in (0, 1). ``m_for`` returns the m in [0, 1] that takes x to target in n
    steps, or None where there is none.
    """

    def right(x, target):
        return math.log(target / (1 - target)) - math.log(x / (1 - x))

    mistakes = {
        "the sign is turned around: brightening needs a positive sum.": lambda x, t: -right(x, t),
        "log(target / x) forgets white. Use the logit, the logarithm of x / (1 - x).": (
            lambda x, t: math.log(t / x)
        ),
        "the logit uses the natural logarithm, and this is base 2.": (
            lambda x, t: right(x, t) / math.log(2)
        ),
        "the logit uses the natural logarithm, and this is base 10.": (
            lambda x, t: right(x, t) / math.log(10)
        ),
        "this is the ratio of the odds. What is added up is its logarithm.": (
            lambda x, t: math.exp(right(x, t))
        ),
        "this is the difference of the odds. Steps multiply odds: take logarithms first.": (
            lambda x, t: t / (1 - t) - x / (1 - x)
        ),
    }
    probes = [(0.05, 0.5), (0.3, 0.8), (0.02, 0.1), (0.6, 0.6)]
    compare(shift, right, probes, mistakes, tolerance=1e-5)
    for x, target, n in ((0.05, 0.5, 8), (0.02, 0.5, 12), (0.3, 0.8, 4), (0.1, 0.15, 1)):
        _judge_m(m_for, x, target, n)
    nothing = ask(m_for, 0.4, 0.4, 8, none_is_an_answer=True)
    if nothing is None:
        raise Wrong("m_for(0.4, 0.4, 8) returned None, though m = 0 leads from 0.4 to 0.4.")
    if not np.abs(numbers(nothing, "m_for(0.4, 0.4, 8)")).max() <= 1e-3:
        raise Wrong("from 0.4 to 0.4 there is nothing to do: m = 0.")
    for x, target, n in ((0.01, 0.9, 2), (0.002, 0.5, 5)):
        found = ask(m_for, x, target, n, none_is_an_answer=True)
        if found is not None:
            ends = curve.recurse(x, lambda E, step: 1.0, n)
            raise Wrong(
                f"m_for({x}, {target}, {n}) gives {found!s:.12}, but even m = 1 gets only to "
                f"{ends:.3f} in {n} steps. There is no such m: return None."
            )
    if ask(m_for, 0.5, 0.3, 8, none_is_an_answer=True) is not None:
        raise Wrong("from 0.5 down to 0.3 no m in [0, 1] leads: return None.")
    return (
        "The limit is a good first guess. For dark tones the exact m is larger: near black a step "
        "multiplies the odds by 1 + m, and that is less than e^m."
    )


def _judge_m(m_for, x: float, target: float, n: int) -> None:
    found = ask(m_for, x, target, n, none_is_an_answer=True)
    text = f"m_for({x}, {target}, {n})"
    if found is None:
        raise Wrong(f"{text} returned None, though there is such an m.")
    m = numbers(found, text)
    if m.size != 1 or not 0 <= m.item() <= 1:
        raise Wrong(f"{text} gives {found}. One m in [0, 1] was asked for.")
    ends = curve.recurse(x, lambda E, step: m.item(), n)
    if abs(ends - target) <= 5e-4:
        return
    total = math.log(target / (1 - target)) - math.log(x / (1 - x))
    if abs(m.item() - total / n) < 1e-6:
        raise Wrong(
            f"{text}: shift / n is right for infinitely many steps. {n} such steps end at "
            f"{ends:.3f}, short of {target}: start there and search for the exact m."
        )
    raise Wrong(f"{text} gives {m.item():.4f}, and {n} steps of that end at {ends:.3f}.")
