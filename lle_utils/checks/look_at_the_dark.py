"""Checks of the exercises in notebook 01, look at the dark."""

import copy
import math
from functools import cache
from itertools import pairwise

import numpy as np

from lle_utils import camera, data
from lle_utils.checks.verdicts import Wrong, ask, check, compare, numbers, whole


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
        "where `bright` has less light, the number of stops is negative: keep the sign.": (
            lambda b, d: np.abs(right(b, d))
        ),
        "the power of 2.4 is half of the rule. The darkest codes, up to 0.04045, lie on a straight "
        "line: camera.srgb_to_linear knows both.": (
            lambda b, d: (
                2.4 * np.log2((np.asarray(b) / 255 + 0.055) / (np.asarray(d) / 255 + 0.055))
            )
        ),
        "a ratio of logarithms is not the logarithm of a ratio: divide first, or subtract the "
        "logarithms.": lambda b, d: np.log2(light(b)) / np.log2(light(d)),
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
        if np.abs(ratio - math.sqrt(0.5)).max() < 0.04:
            raise Wrong(
                "0.71 times too little everywhere. The standard deviation of the difference is "
                "1.41 times that of one shot: divide by the square root of 2, not by 2."
            )
        if np.abs(ratio - math.sqrt(2 / math.pi)).max() < 0.04:
            raise Wrong(
                "this is the mean of the absolute values. The noise is the root of squares."
            )
        if np.allclose(found[1:], sigmas[:-1], rtol=0.05):
            raise Wrong(
                "your bins are shifted. np.digitize counts the first of them as 1 (0 is what lies "
                "below the first edge); and a pixel's brightness is the *mean* of the two shots."
            )
        if np.abs(ratio - np.array(sigmas)).max() < 0.1 * max(sigmas):
            raise Wrong("this is the variance. The noise is its square root.")
        if np.abs(ratio - 2 * np.array(sigmas)).max() < 0.2 * max(sigmas):
            raise Wrong("this is the variance of the difference: halve it, and take the root.")
        shots = [first, second, (first + second) / 2]
        with_scene = [[x[(x >= a) & (x < b)].std() for a, b in pairwise(edges)] for x in shots]
        if any(
            np.allclose(found / found[0], one / one[0], rtol=0.05) for one in np.array(with_scene)
        ):
            raise Wrong(
                "you measured the scene too: a shot, or the mean of two, varies by what it shows. "
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
    single = [[f"s{scene}/0"] for scene in range(40)]
    lol = data.lol_scenes()["groups"]
    cases = ((uneven, 0.2), (lol, 0.1), (lol, 0.5), (uneven, 0.35), (single, 0.25))
    for groups, share in cases:
        total = sum(map(len, groups))
        held_outs = []
        for seed in (0, 1, 2, 3):
            own = copy.deepcopy(groups)  # one list for both calls, as a student calls it twice
            train, held_out = _two_sides(_split(function, own, share, seed))
            _judge_sides(groups, train, held_out)
            largest = max((len(group) for group in groups if group[0] in held_out), default=0)
            if share * total - 1 < len(held_out) < share * total - 1e-9:
                raise Wrong(
                    f"{len(held_out)} of {total} files are held out: not quite {share:.0%}. Go on "
                    "until the share is reached, and do not round it down."
                )
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
            if _two_sides(_split(function, own, share, seed)) != (train, held_out):
                if own != groups:
                    raise Wrong(
                        "it shuffles or empties the list that it was given. Called again with the "
                        "same list and the same seed, it gives another split: work on a copy, "
                        "list(groups), or shuffle numbers."
                    )
                raise Wrong(
                    f"seed {seed} gave two different splits. Draw with a generator made from the "
                    "seed, np.random.default_rng(seed), so that others can repeat yours."
                )
            held_outs.append(held_out)
        if all(held_out == held_outs[0] for held_out in held_outs):
            raise Wrong("every seed gives the same split: the scenes are not drawn at random.")
    return "No scene is on both sides, and the same seed gives the same split again."


def _split(function, groups, share, seed):
    """Ask for a split of this very list: an answer that spoils it is asked about it again."""

    def split_by_scene():
        return function(groups, share, seed)

    return ask(split_by_scene if callable(function) else function)


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
        if pair.name == "citrus":  # a chain: its ends are less alike than any two neighbors
            shots.append((scene, camera.darken(pair.high, 8.0, rng)))
            stops += (7.0,)
        shots += [(scene, camera.darken(pair.high, s, rng)) for s in stops] + [(scene, pair.high)]
    order = rng.permutation(len(shots))
    first = next(index for index, (scene, _) in enumerate(shots) if scene == 3)
    return [shots[index] for index in (first, *order[order != first])]


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
    return f"{len(shots)} pictures, {len(groups)} scenes, at exposures up to 8 stops apart."
