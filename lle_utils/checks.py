"""Checks of the notebooks' exercises: each takes an answer and says in words what is wrong.

A check never raises, whatever it is given. It tries the answer on many inputs and compares what
comes out, never how it is written; and it knows the typical mistakes, so that it can say why.
`lle_utils.verdicts` holds the machinery.
"""

import math
import sys
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import ndimage

from lle_utils import camera, curve, data, founding, metrics
from lle_utils.verdicts import FILL_IN, Blank, Wrong, ask, check, compare, numbers, whole

# Notebook 01


@check
def stops_between_codes(function) -> str:
    """Check ``function(bright, dark)``: how many stops of light lie between two sRGB code values.

    Codes are in 0..255, numbers or arrays of one shape; a positive result means that `bright` has
    more light.
    """

    def light(code):
        return camera.srgb_to_linear(np.asarray(code) / 255)

    def right(bright, dark):
        return np.log2(light(bright) / light(dark))

    bright = np.array([[128.0, 200.0, 64.0], [255.0, 90.0, 11.0]])
    dark = np.array([[64.0, 20.0, 63.0], [5.0, 180.0, 10.0]])
    probes = [(bright, dark), (bright[0], dark[0]), (128, 64), (4, 1), (10, 10), (30, 250)]
    mistakes = {
        "you compared the code values. A code is not proportional to light: decode both first.": (
            lambda b, d: np.log2(np.asarray(b) / d)
        ),
        "the sign is turned around: `bright` comes first, and more light means more stops.": (
            lambda b, d: -right(b, d)
        ),
        "a stop is a factor of 2, so take the logarithm to base 2.": (
            lambda b, d: np.log(light(b) / light(d))
        ),
        "this is the ratio of light itself. Stops count how often it doubles.": (
            lambda b, d: light(b) / light(d)
        ),
        "sRGB is decoded from values in [0, 1]: divide the codes by 255 first.": (
            lambda b, d: np.log2(
                camera.srgb_to_linear(np.asarray(b)) / camera.srgb_to_linear(np.asarray(d))
            )
        ),
        "2.2 times the stops of the code values is a rule of thumb. In the dark it is far off, "
        "because sRGB is a straight line there.": (lambda b, d: 2.2 * np.log2(np.asarray(b) / d)),
    }
    compare(function, right, probes, mistakes, tolerance=1e-4)
    return "Codes 128 and 64 are 2.1 stops apart; 4 and 1 exactly two, as sRGB is a line there."


@check
def brightened_codes(codes_used, zeros_become, next_code) -> str:
    """Check three predictions: codes 0 to 31 are multiplied by 8 and saved again as 8 bits."""
    used = whole(codes_used, "codes_used")
    if used == 256:
        raise Wrong("256 is what a file could hold. Each of the 32 old codes becomes one new code.")
    if used == 249:
        raise Wrong("0 to 248 is the range, but most codes in it stay unused: 1 to 7, for example.")
    if used != 32:
        raise Wrong(f"{used} codes? Each of the 32 old codes becomes one new code.")
    if whole(zeros_become, "zeros_become") != 0:
        raise Wrong("what is 8 times 0? An exact zero stays black under every factor.")
    if whole(next_code, "next_code") != 8:
        raise Wrong("the next code after 0 was 1, and 1 is multiplied by 8.")
    return (
        "The picture spans 0 to 248 now, with the same 32 values and gaps of 8 between them. "
        "And exact black is still black: notebook 02 gives it something to grow from."
    )


@check
def noise_by_level(function) -> str:
    """Check ``function(first, second, edges)``: noise of one picture, by brightness.

    `first` and `second` are two shots of one scene, float arrays (height, width) of code values;
    the result holds the standard deviation of one shot's noise for each of the ``len(edges) - 1``
    bins of brightness.
    """
    rng = np.random.default_rng(11)
    levels, edges = np.array([10.0, 30.0, 60.0, 100.0]), np.array([0.0, 20.0, 45.0, 80.0, 120.0])
    for sigmas in ([0.8, 1.2, 2.0, 3.0], [3.0, 1.0, 0.5, 2.0]):
        scene = np.repeat(levels, 100) + rng.uniform(-5, 5, (200, 400))
        sigma = np.repeat(sigmas, 100)
        first, second = (scene + sigma * rng.standard_normal(scene.shape) for _ in range(2))
        found = numbers(ask(function, first, second, edges), "what your function returns")
        if found.shape != (4,):
            raise Wrong(f"five edges make four bins, and your result has shape {found.shape}.")
        ratio = found / sigmas
        if np.abs(ratio - 1).max() < 0.05:
            continue
        if np.abs(ratio - math.sqrt(2)).max() < 0.08:
            raise Wrong(
                "1.41 times too much everywhere. A difference holds the noise of two pictures, "
                "and variances add: divide by the square root of 2."
            )
        if np.abs(ratio - np.array(sigmas)).max() < 0.1 * max(sigmas):
            raise Wrong("this is the variance. The noise is its square root.")
        if np.abs(ratio - 2 * np.array(sigmas)).max() < 0.2 * max(sigmas):
            raise Wrong("this is the variance of the difference: halve it, and take the root.")
        with_scene = [first[(first >= a) & (first < b)].std() for a, b in pairwise(edges)]
        if np.allclose(found, with_scene, rtol=0.05):
            raise Wrong(
                "you measured the scene too: a single picture varies by what it shows. "
                "The difference of the two shots has no scene in it."
            )
        if np.ptp(found) < 0.05 * found.mean():
            raise Wrong("the four bins get one value. Choose the samples of each bin.")
        raise Wrong(
            f"the four bins hold noise of {sigmas} codes, and you found {np.round(found, 2)}."
        )
    return "No smooth places were needed: whatever the two shots share is scene, the rest is noise."


@check
def scene_split(function) -> str:
    """Check ``function(groups, share, seed)``: cut files by scene into training and held-out.

    `groups` is a list of scenes, each a list of file names. The result is two collections of
    names, training and held-out; scenes are held out until `share` of the files is reached.
    """
    uneven = [[f"s{scene}/{n}" for n in range(1 + 3 * scene % 7)] for scene in range(40)]
    lol = data.lol_scenes()["groups"]
    for groups, share in ((uneven, 0.2), (lol, 0.1), (lol, 0.5), (uneven, 0.35)):
        total = sum(map(len, groups))
        held_outs = []
        for seed in (0, 1, 2, 3):
            train, held_out = _two_sides(ask(function, groups, share, seed))
            _judge_sides(groups, train, held_out)
            largest = max((len(group) for group in groups if group[0] in held_out), default=0)
            if len(held_out) < share * total - 1e-9:
                raise Wrong(
                    f"{len(held_out)} of {total} files are held out, and {share:.0%} were asked "
                    "for. Count files and not scenes, as scenes differ in size."
                )
            if len(held_out) - largest >= share * total:
                raise Wrong(
                    f"{len(held_out)} of {total} files are held out, more than one scene above "
                    f"{share:.0%}. Stop as soon as the share is reached, and count files and not "
                    "scenes, as scenes differ in size."
                )
            if _two_sides(ask(function, groups, share, seed)) != (train, held_out):
                raise Wrong(
                    f"seed {seed} gave two different splits. Draw with a generator made from the "
                    "seed, np.random.default_rng(seed), so that others can repeat yours."
                )
            held_outs.append(held_out)
        if all(held_out == held_outs[0] for held_out in held_outs):
            raise Wrong("every seed gives the same split: the scenes are not drawn at random.")
    return "No scene is on both sides, and the same seed gives the same split again."


def _two_sides(result) -> tuple[set, set]:
    try:
        train, held_out = (list(side) for side in result)
    except (TypeError, ValueError):
        raise Wrong("two lists of names were asked for: return training, held_out.") from None
    sides = []
    for side, title in ((train, "training"), (held_out, "held-out")):
        if any(not isinstance(name, str) for name in side):
            raise Wrong(f"the {title} side must hold names of files, not lists of them.")
        if len(set(side)) < len(side):
            raise Wrong(f"the {title} side holds a file twice.")
        sides.append(set(side))
    return tuple(sides)


def _judge_sides(groups, train, held_out) -> None:
    both = train & held_out
    if both:
        raise Wrong(f"{sorted(both)[0]} is on both sides.")
    every = {name for group in groups for name in group}
    missing, unknown = every - train - held_out, (train | held_out) - every
    if missing or unknown:
        what = "on no side" if missing else "in no scene"
        raise Wrong(f"{sorted(missing or unknown)[0]} is {what}: each file belongs to one side.")
    for group in groups:
        leaked = sorted(held_out.intersection(group))
        twins = sorted(train.intersection(group))
        if leaked and twins:
            raise Wrong(
                f"a scene leaks. {leaked[0]} is held out, and {twins[0]} of the same scene is in "
                "training. Draw whole scenes and not files."
            )


@cache
def _shots() -> list[tuple[int, np.ndarray]]:
    """Return pictures of five of the sample's scenes, mixed, each with the number of its scene."""
    rng = np.random.default_rng(3)
    shots = []
    for scene, pair in enumerate(data.load("sample", "train", lazy=True)[:5]):
        stops = (4.0, 5.0, 6.0)[: 1 if scene == 4 else 3]
        shots += [(scene, camera.darken(pair.high, s, rng)) for s in stops] + [(scene, pair.high)]
    return [shots[index] for index in rng.permutation(len(shots))]


@check
def group_scenes(function) -> str:
    """Check ``function(pictures)``: which pictures show one scene.

    `pictures` is a list of arrays (height, width, 3) in [0, 1], of different exposures. The result
    is a list of groups, each holding the indices of all pictures of one scene.
    """
    shots = _shots()
    scenes = [scene for scene, _ in shots]
    groups = ask(function, [picture for _, picture in shots])
    try:
        groups = [[int(index) for index in group] for group in groups]
    except (TypeError, ValueError):
        raise Wrong("a list of groups was asked for, each a list of indices.") from None
    listed = sorted(index for group in groups for index in group)
    for index in range(len(shots)):
        if listed.count(index) != 1:
            often = "is in no group" if index not in listed else "is in two groups"
            raise Wrong(f"picture {index} {often}. Every picture is in one, if need be alone.")
    if len(listed) != len(shots):
        raise Wrong(f"there are {len(shots)} pictures, and your groups name {len(listed)}.")
    place = {index: number for number, group in enumerate(groups) for index in group}
    for one, other in ((i, j) for i in range(len(shots)) for j in range(i)):
        if scenes[one] == scenes[other] and place[one] != place[other]:
            raise Wrong(
                f"a scene is torn: pictures {other} and {one} show the same at different "
                "exposures. Compare what exposure leaves alone: the order of brightness."
            )
        if scenes[one] != scenes[other] and place[one] == place[other]:
            raise Wrong(
                f"two scenes are one: pictures {other} and {one} show different things. "
                "Ask for a higher likeness."
            )
    return f"{len(shots)} pictures, {len(groups)} scenes, at exposures up to 6 stops apart."


# Notebook 02


@check
def is_safe(function) -> str:
    """Check ``function(m)``: whether a step with this m keeps [0, 1] and the order of pixels."""
    for m in (0.3, 1.5, 1.02, 2.0, 3.0, -0.5, -1.02, -1.5, -3.0, 1.0, -1.0, 0.0, 0.99, -0.99):
        result = ask(function, m)
        if np.size(result) != 1:
            raise Wrong("one True or False was asked for, for one m.")
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
        "right between the ends. But at x = 0 and x = 1 you divide nothing by nothing: cancel x "
        "and 1 - x on paper first.": lambda x, m: odds(curve.brighten(x, m)) / odds(x),
    }
    try:
        compare(function, right, probes, mistakes)
    except Wrong as wrong:
        if "ZeroDivisionError" not in str(wrong):
            raise
        raise Wrong(
            "right between the ends. But at x = 0 or x = 1 it divides by zero: cancel x and "
            "1 - x on paper first."
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
    }
    compare(function, right, probes, mistakes, tolerance=1e-5)
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
    }
    for gain, m in ((30, 0.38), (10, 0.5), (100, 0.2), (8, 1.0), (3, 0.9), (1, 0.5), (9, 1.0)):
        found = ask(function, gain, m)
        whole(found, f"the number of steps for gain = {gain}, m = {m}")
        compare(lambda *_, found=found: found, right, [(gain, m)], mistakes)
    return "For 5 stops, a gain of 32, m = 0.38 needs 11 steps near black, and m = 1 five."


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
    }
    probes = [(0.05, 0.5), (0.3, 0.8), (0.02, 0.1), (0.6, 0.6)]
    compare(shift, right, probes, mistakes, tolerance=1e-5)
    for x, target, n in ((0.05, 0.5, 8), (0.02, 0.5, 12), (0.3, 0.8, 4), (0.1, 0.15, 1)):
        _judge_m(m_for, x, target, n)
    if numbers(ask(m_for, 0.4, 0.4, 8), "m_for(0.4, 0.4, 8)").max() > 1e-3:
        raise Wrong("from 0.4 to 0.4 there is nothing to do: m = 0.")
    for x, target, n in ((0.01, 0.9, 2), (0.002, 0.5, 5)):
        found = ask(m_for, x, target, n, none_is_an_answer=True)
        if found is not None:
            ends = curve.recurse(x, lambda E, step: 1.0, n)
            raise Wrong(
                f"m_for({x}, {target}, {n}) gives {found:.3g}, but even m = 1 gets only to "
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


# Notebook 03


@check
def count_parameters(function) -> str:
    """Check ``function(maps, filters)``: parameters of the seven layers with concatenation.

    Six 3 x 3 layers of so many filters and a seventh of so many maps, from three colors; layers 5,
    6 and 7 also see an early layer.
    """

    def total(maps, filters, early=1, bias=1, area=9):
        into = [3] + 3 * [filters] + 3 * [filters + early * filters]
        out = 6 * [filters] + [maps]
        return sum((area * a + bias) * b for a, b in zip(into, out, strict=True))

    mistakes = {
        "you left out the biases: each filter has one.": lambda m, f: total(m, f, bias=0),
        "this is right where layers are added. Laid beside each other, layers 5, 6 and 7 see twice "
        "as many channels.": lambda m, f: total(m, f, early=0),
        "layer 7 sees an early layer, too: 1 beside 6.": (lambda m, f: total(m, f) - 9 * f * m),
        "you counted the weights of one position: a filter has 3 x 3 of them a channel.": (
            lambda m, f: total(m, f, area=1)
        ),
        "a filter has 3 x 3 weights, and you counted 3.": lambda m, f: total(m, f, area=3),
    }
    probes = [(3, 32), (1, 32), (24, 32), (3, 16), (1, 1)]
    compare(function, total, probes, mistakes, tolerance=1e-9)
    return "67,299 parameters for three maps, 66,145 for one."


@check
def reach(function) -> str:
    """Check ``function(looks, layers, kernel)``: how many pixels across the recursion sees."""

    def right(looks, layers, kernel):
        return 1 + looks * layers * (kernel - 1)

    mistakes = {
        "a layer reaches one pixel farther on *each* side: that is kernel - 1 in all.": (
            lambda looks, layers, kernel: 1 + looks * layers * (kernel // 2)
        ),
        "the pixel itself is counted in every look. It is there once: each look adds 14 to it.": (
            lambda looks, layers, kernel: looks * (1 + layers * (kernel - 1))
        ),
        "the pixel itself is missing: no look at all still sees 1.": (
            lambda looks, layers, kernel: looks * layers * (kernel - 1)
        ),
        "kernels do not simply add up: two layers of 3 see 5 pixels and not 6.": (
            lambda looks, layers, kernel: looks * layers * kernel
        ),
        "that is a single look. Each further look starts from what the last one saw.": (
            lambda looks, layers, kernel: 1 + layers * (kernel - 1)
        ),
    }
    probes = [(8, 7, 3), (1, 7, 3), (0, 7, 3), (12, 7, 3), (3, 4, 5), (2, 1, 1)]
    compare(function, right, probes, mistakes, tolerance=1e-9)
    return "15 pixels for one look, 113 for eight, 169 for twelve."


@check
def half_the_cost(cost, schedule) -> str:
    """Check ``cost(schedule, looks)``, the cost in full looks, and a schedule of half the cost."""

    def factors(schedule, looks):
        return [schedule[min(look, len(schedule) - 1)] for look in range(looks)]

    def right(schedule, looks):
        return sum(1 / factor**2 for factor in factors(schedule, looks))

    mistakes = {
        "shrunk by 2 a picture has half the rows and half the columns: a quarter of the cost.": (
            lambda s, looks: sum(1 / factor for factor in factors(s, looks))
        ),
        "the last entry repeats until all looks are done; you counted only what is listed.": (
            lambda s, looks: sum(1 / factor**2 for factor in s)
        ),
        "this is the share of full looks; the cost itself was asked for: do not divide.": (
            lambda s, looks: right(s, looks) / looks
        ),
    }
    probes = [((8, 4, 2), 8), ((1,), 8), ((4, 4, 1), 5), ((2, 1), 12), ((16, 8, 4, 2, 1), 3)]
    compare(cost, right, probes, mistakes)
    try:
        entries = [whole(entry, "an entry of the schedule") for entry in schedule]
    except TypeError:
        raise Wrong("a schedule is a tuple of factors, such as (4, 4, 1).") from None
    if not entries or min(entries) < 1:
        raise Wrong("a schedule holds at least one factor, and none below 1.")
    used, spent = factors(entries, 8), right(entries, 8)
    if used != sorted(used, reverse=True):
        raise Wrong(f"the looks have the factors {used}: go from afar to near, never back.")
    if used[-1] != 1:
        raise Wrong("the last look must be at full size: fine detail is seen nowhere else.")
    if spent > 4:
        listed = "" if len(entries) >= 8 else f" With (..., {entries[-1]}) the last one repeats."
        raise Wrong(f"eight looks cost {spent:.2f} full ones, more than half, 4.{listed}")
    if spent < 3.5:
        raise Wrong(
            f"eight looks cost {spent:.2f} full ones. 3.5 to 4 may be spent: look closely more"
            " often."
        )
    return f"Eight looks for {spent:.2f} full ones, {used.count(1)} of them at full size."


@check
def neighbor_kernel(kernel) -> str:
    """Check a kernel of shape (3, 3, 1, 4): pixel minus left, right, upper, lower neighbor."""
    found = numbers(kernel, "the kernel")
    if found.shape == (1, 3, 1, 3) or found.shape == (1, 3, 1, 4):
        raise Wrong(
            f"of shape {found.shape} it has a height of 1: it never looks up or down, and its last "
            "axis holds filters and not columns."
        )
    if found.shape == (4, 3, 3, 1) or found.shape == (4, 3, 3):
        raise Wrong("the filters come first here. Keras wants (height, width, in, out): move them.")
    if found.shape != (3, 3, 1, 4):
        raise Wrong(f"its shape is {found.shape}; (3, 3, 1, 4) was asked for.")
    names = ("left", "right", "upper", "lower")
    right = {}
    for name, (row, column) in zip(names, ((1, 0), (1, 2), (0, 1), (2, 1)), strict=True):
        right[name] = np.zeros((3, 3))
        right[name][1, 1], right[name][row, column] = 1, -1
    for number, (name, wanted) in enumerate(right.items()):
        filter_ = found[:, :, 0, number]
        if np.allclose(filter_, wanted):
            continue
        if np.allclose(filter_, -wanted):
            raise Wrong(f"filter {number} is neighbor minus pixel: turn its sign.")
        for other, looks_like in right.items():
            if np.allclose(filter_, looks_like):
                raise Wrong(
                    f"filter {number} looks at the {other} neighbor, not at the {name} one."
                )
        if np.array_equal(np.sort(found, axis=None), np.repeat([-1, 0, 1], [4, 28, 4])):
            raise Wrong(
                f"filter {number}, kernel[:, :, 0, {number}], is {filter_.tolist()}. Was the "
                "kernel scrambled by a reshape? That keeps the numbers in order; move the axis."
            )
        if abs(filter_.sum()) > 1e-6:
            raise Wrong(
                f"filter {number} adds up to {filter_.sum():g}. A difference adds up to 0: it must "
                "say nothing about an even picture."
            )
        raise Wrong(
            f"filter {number}, kernel[:, :, 0, {number}], is {filter_.tolist()}; it must be the "
            f"pixel minus its {name} neighbor."
        )
    return "Four differences, and all are 0 where the picture is even, however bright it is."


@check
def far_seeing_network(network) -> str:
    """Check a Keras network: maps like ours, no more parameters, and a reach of 31 pixels."""
    import keras

    if not isinstance(network, keras.Model):
        raise Wrong(f"a keras.Model was asked for, and this is a {type(network).__name__}.")
    rng = np.random.default_rng(0)
    for height, width in ((24, 31), (9, 16)):
        pictures = rng.random((2, height, width, 3), dtype=np.float32)
        maps = keras.ops.convert_to_numpy(network(pictures))
        if maps.shape != pictures.shape:
            raise Wrong(
                f"pictures of shape {pictures.shape} give maps of shape {maps.shape}: every pixel "
                'and color needs its m. Is padding="same" set everywhere?'
            )
    before = network.get_weights()
    try:
        network.set_weights([100 * weights for weights in before])
        maps = keras.ops.convert_to_numpy(network(pictures))
    finally:
        network.set_weights(before)
    if maps.min() < 0 or maps.max() > 1:
        raise Wrong(
            f"with wild weights the map runs from {maps.min():.3g} to {maps.max():.3g}: a map "
            "outside [0, 1] got in. What must the last layer end in?"
        )
    parameters, most = network.count_params(), 67_299
    if parameters > most:
        raise Wrong(f"it has {parameters:,} parameters, and {most:,} are allowed.")
    across = _reach_of(network)
    if across < 31:
        raise Wrong(
            f"one look sees {across} pixels across, and 31 were asked for. A dilated layer leaves "
            "gaps between the pixels it looks at, at the same price."
        )
    seen = "the whole picture" if across >= 81 else f"{across} pixels across"
    return f"{parameters:,} parameters, and one look sees {seen}."


def _reach_of(network) -> int:
    """Return how many pixels across one pixel's change spreads."""
    import keras

    before = network.get_weights()
    even = np.full((1, 81, 81, 3), 0.1, np.float32)
    poked = even.copy()
    poked[0, 40, 40] = 1e6
    try:
        # Averages in place of kernels: nothing can cancel, nothing dies in a ReLU.
        network.set_weights(
            [
                np.full(weights.shape, 1 / np.prod(weights.shape[:-1]))
                if weights.ndim > 1
                else weights
                for weights in before
            ]
        )
        change = np.abs(keras.ops.convert_to_numpy(network(poked) - network(even)))[0]
    finally:
        network.set_weights(before)
    changed = change.max(axis=(0, 2)) > 1e-4
    columns = np.flatnonzero(changed)
    return int(np.ptp(columns)) + 1 if columns.size else 0


# Notebook 05


class _Recorder:
    """A network to be asked: remembers each picture, and how deep in calls it was asked."""

    def __init__(self, most: int):
        self.most = most
        self.pictures, self.steps, self.depths = [], [], []

    def __call__(self, picture, step=None):
        if len(self.pictures) >= self.most:
            raise Wrong(f"the network was asked {self.most} times and more. When does it stop?")
        frame, depth = sys._getframe(), 0
        while frame:
            frame, depth = frame.f_back, depth + 1
        picture = numbers(picture, "what the network is asked about")
        self.pictures.append(picture.copy())
        self.steps.append(step)
        self.depths.append(depth)
        # Smooth, so that single precision will do, and different on 0..255 and on [0, 1].
        return 0.45 + 0.4 * np.sin(5 * picture / (1 + picture))

    def goes_deeper(self) -> bool:
        return all(a < b for a, b in pairwise(self.depths))


def _same_picture(found, wanted) -> bool:
    found = numbers(found, "what your function returns")
    return found.shape == wanted.shape and np.allclose(found, wanted, atol=1e-5)


@check
def founding_loop(function) -> str:
    """Check ``function(img, index, flag=1, *, predict)``: `founding.enhance` as a loop."""
    rng = np.random.default_rng(1)
    codes = rng.uniform(0, 60, (4, 5, 3))
    for img, index, flag in ((codes, 3, 1), (codes / 255, 2, 0), (codes, 0, 1), (codes, 1, 1)):
        wanted, asked = _Recorder(99), _Recorder(99)
        right = founding.enhance(img, index, flag, predict=wanted)
        found = ask(function, img, index, flag, keeps=True, predict=asked)
        text = f"index {index}, flag {flag}"
        if index == 0 and not _same_picture(found, right):
            raise Wrong("with index 0 nothing is left to do: return img as it is, undivided.")
        if len(asked.pictures) != index:
            raise Wrong(
                f"{text}: the network was asked {len(asked.pictures)} times and not {index}."
            )
        if flag == 1 and index and asked.pictures[0].max() <= 1:
            raise Wrong(
                "it divides by 255 before it asks the network. That would mend the first fault; "
                "the founding function asks about 0..255 first, and divides then."
            )
        if flag == 0 and asked.pictures[0].max() < img.max() / 2:
            raise Wrong("it divides though flag is 0: the picture is in [0, 1] already.")
        for picture, right_picture in zip(asked.pictures[1:], wanted.pictures[1:], strict=True):
            if picture.max() > 1:
                raise Wrong("the second call sees values above 1; by then E is in [0, 1].")
            if picture.max() < right_picture.max() / 2:
                raise Wrong("it divides by 255 in every round; flag must be 0 after the first.")
        if not _same_picture(found, right):
            raise Wrong(f"{text}: the network is asked rightly at first, but the result differs.")
        if index == 3 and asked.goes_deeper():
            raise Wrong("the pictures are right, but it still calls itself: write a loop.")
    return "The same questions to the network, the same picture, and no call waits for another."


@check
def recursion(function) -> str:
    """Check ``function(image, predict_map, iterations, step=0)``: `curve.recurse`, recursively."""
    image = np.random.default_rng(2).uniform(0, 0.3, (3, 4, 3))
    for iterations in (4, 1, 0):
        wanted, asked = _Recorder(99), _Recorder(99)
        right = curve.recurse(image, wanted, iterations)
        found = ask(function, image, asked, iterations, keeps=True)
        if len(asked.pictures) != iterations:
            raise Wrong(
                f"for {iterations} iterations the network was asked {len(asked.pictures)} times. "
                "Which case ends the recursion?"
            )
        if asked.steps != wanted.steps:
            raise Wrong(
                f"the network was told the steps {asked.steps} and not {wanted.steps}: count them "
                "up from call to call."
            )
        if not _same_picture(found, right):
            raise Wrong(
                "the result differs. Does each call hand on the brightened picture, and return "
                "what the next call returns?"
            )
        if iterations == 4 and not asked.goes_deeper():
            raise Wrong("the pictures are right, but this is a loop: let it call itself instead.")
    return "One call waits for the next, and the last one's picture is passed up through all."


@check
def iterations_for(function) -> str:
    """Check ``function(image)``: 12, 8 or 7 iterations by the mean code value of the picture."""
    lamp, blue = np.full((20, 30, 3), 2 / 255), np.zeros((8, 9, 3))
    lamp[:4, :6], blue[..., 2] = 1.0, 45 / 255  # mean code 12, median 2; mean code 15, luma 5
    pictures = [
        (f"mean code {code}", np.full((8, 9, 3), code / 255))
        for code in (9.9, 10.1, 19.9, 20.1, 90)
    ]
    # Of one pixel, because there every way to take a mean is exact.
    pictures += [
        (f"exactly code {code}", np.full((1, 1, 3), code / 255, np.float32)) for code in (10, 20)
    ]
    pictures += [("a lamp in the dark", lamp), ("a blue wall", blue)]
    answers = [whole(ask(function, image), "the number of iterations") for _, image in pictures]
    wanted = [founding.iterations_for(image) for _, image in pictures]
    if answers == wanted:
        return "12 below code 10, 7 from 20 on, 8 between; and it is the mean that counts."
    if set(answers) == {12}:
        raise Wrong("always 12. The picture is in [0, 1]: its mean *code* is 255 times its mean.")
    if len(set(answers)) == 1:
        raise Wrong(f"always {answers[0]}, however dark the picture is.")
    if answers[0] == 7 and answers[4] == 12:
        raise Wrong("turned around: the darkest pictures need the most iterations.")
    index = next(i for i in range(len(pictures)) if answers[i] != wanted[i])
    title, image = pictures[index]
    hint = ""
    if title.startswith("exactly"):
        hint = " Below means below."
    elif title.startswith("a "):
        hint = " Take the mean over all pixels and colors, all alike."
    mean = 255 * image.mean()
    raise Wrong(
        f"{title} (mean code {mean:.1f}) gets {answers[index]} and not {wanted[index]}.{hint}"
    )


@check
def stop_by_itself(function) -> str:
    """Check ``function(image, predict_map, tolerance, most)``: go on until nothing changes.

    It returns the picture and the number of steps: it stops after the first step that changes no
    value by more than `tolerance`, or after `most` steps.
    """
    image = np.full((6, 6, 3), 0.02)
    image[0, 0] = 0.0005  # a single dark pixel, which moves when all others have arrived
    cases = [(image, 0.001, 200), (image, 0.03, 200), (image, 1e-9, 5), (image, 0.5, 200)]
    for start, tolerance, most in (*cases, (image, 0.001, 0)):
        asked = _Recorder(most + 50)

        def predict_map(picture, step, asked=asked):
            asked(picture, step)
            return 0.5

        result = ask(function, start, predict_map, tolerance, most, keeps=True)
        try:
            picture, steps = result
        except (TypeError, ValueError):
            raise Wrong("two things were asked for: return image, steps.") from None
        steps = whole(steps, "the number of steps")
        text = f"tolerance {tolerance:g}, at most {most}"
        path = [start, *(E for _, E in curve.iterate(start, lambda E, step: 0.5, most))]
        changes = [np.abs(b - a) for a, b in pairwise(path)]
        right = next((n for n, c in enumerate(changes, 1) if c.max() <= tolerance), most)
        if asked.steps != list(range(len(asked.steps))):
            raise Wrong(f"the network was told the steps {asked.steps[:4]} ...: count up from 0.")
        if len(asked.steps) > most:
            raise Wrong(f"{text}: it took {len(asked.steps)} steps. Mind the limit.")
        if steps == right - 1 and _same_picture(picture, path[right - 1]):
            raise Wrong(f"{text}: the step that finds out is a step, too: {right} and not {steps}.")
        if steps != right:
            mean = next((n for n, c in enumerate(changes, 1) if c.mean() <= tolerance), most)
            if steps == mean:
                raise Wrong(
                    f"{text}: {steps} steps and not {right}. You average the changes, and one dark "
                    "pixel is still on its way: take the largest."
                )
            raise Wrong(f"{text}: you say {steps} steps; it must be {right}.")
        if not _same_picture(picture, path[right]):
            raise Wrong(f"{text}: the steps are right, but not the picture after them.")
    return "It stops when the last pixel has arrived, and at the limit if that takes too long."


def _bend(picture):
    return curve.recurse(np.maximum(picture, curve.FLOOR), lambda E, step: 0.5, 8)


@cache
def _noisy_and_not() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return dark, noisy pictures, each with what the curve makes of it without its noise."""
    pictures = []
    for seed, name in enumerate(("admiral", "coffee", "peaks")):
        high = data.load("sample", "test", lazy=True)[name].high[:240, :320]
        light = camera.cut_exposure(camera.srgb_to_linear(high.astype(float)), 6.5)
        dark = camera.darken(high, 6.5, np.random.default_rng(seed))
        pictures.append((dark, _bend(camera.linear_to_srgb(light))))
    return pictures


@check
def denoise(order_matters, quiet) -> str:
    """Check a prediction, a dict for "median" and "gaussian", and ``quiet(dark, bend)``.

    `dark` is a noisy dark picture, `bend` a function that brightens any picture; the result is a
    bright picture with less noise. It is held against what `bend` makes of `dark` without noise.
    """
    if not isinstance(order_matters, dict) or set(order_matters) != {"median", "gaussian"}:
        raise Wrong('order_matters must be a dict with the keys "median" and "gaussian".')
    if any(value is Ellipsis or value is None for value in order_matters.values()):
        raise Blank(FILL_IN)
    if order_matters["median"]:
        raise Wrong(
            "the order does not matter for the median. A rising curve keeps the order of values, "
            "so the one in the middle stays in the middle: try it."
        )
    if not order_matters["gaussian"]:
        raise Wrong(
            "the order matters for a Gaussian. It averages, and the mean of bent values is not the "
            "bent mean: try it."
        )
    scores = {"yours": [], "the curve alone": [], "a 3 x 3 median": []}
    for dark, goal in _noisy_and_not():
        found = numbers(ask(quiet, dark, _bend), "what quiet returns")
        if found.shape != goal.shape or not np.isfinite(found).all():
            raise Wrong(f"quiet must return a finite picture of shape {goal.shape}.")
        median = ndimage.median_filter(_bend(dark), (3, 3, 1))
        for title, picture in zip(scores, (found, _bend(dark), median), strict=True):
            scores[title].append(metrics.psnr(np.clip(picture, 0, 1), goal))
    means = {title: float(np.mean(values)) for title, values in scores.items()}
    told = ", ".join(f"{title} {value:.1f} dB" for title, value in means.items())
    if means["yours"] < means["the curve alone"] + 0.1:
        raise Wrong(f"no better than doing nothing about the noise: {told}.")
    if means["yours"] < means["a 3 x 3 median"] + 1:
        raise Wrong(
            f"less noise, but not 1 dB above a plain median: {told}. Did the edges go with the "
            "noise? Look for a filter that averages only what is alike."
        )
    return f"Measured against the same pictures without noise: {told}."
