"""Exercises of notebook 01, look at the dark."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from scipy import stats
from scipy.sparse.csgraph import connected_components

from lle_utils import camera, data
from lle_utils.checks.engine import Exercise, Value, ask, call
from lle_utils.checks.reading import Wrong, require, two

_CODES_USED = {
    "256 is what a file can hold. Each of the 32 old codes becomes one new code.": 256,
    "0 to 248 is the range, but most codes in it stay unused, such as 1 to 7.": 249,
}

brightened_codes = Exercise(
    "Three predictions: codes 0 to 31 are multiplied by 8 and saved again as 8 bits.",
    Value("codes_used", 32, _CODES_USED),
    Value("zeros_become", 0, {"0 is multiplied by 8 as well.": 8}),
    Value("next_code", 8, {"1 was the next code before. It is also multiplied by 8.": 1}),
    praise="Still 32 values, with gaps of 8 between them, and exact black is still black.",
)


def _stops(bright, dark, white=255):
    light = [camera.srgb_to_linear(np.asarray(code) / white) for code in (bright, dark)]
    return np.log2(light[0] / light[1])


_bright = np.array([[128.0, 200.0, 64.0], [255.0, 90.0, 11.0]])
_dark = np.array([[64.0, 20.0, 63.0], [5.0, 180.0, 10.0]])

stops_between_codes = Exercise(
    "``function(bright, dark)``: how many stops of light separate two sRGB code values.",
    probes=[(_bright, _dark), (_bright[0], _dark[0]), (128, 64), (4, 1), (10, 10), (30, 250)],
    right=_stops,
    mistakes={
        "a code is not proportional to light: decode both.": lambda b, d: np.log2(b / d),
        "the sign is reversed: more light is more stops.": lambda b, d: _stops(d, b),
        "a stop is a factor of 2: take log2.": lambda b, d: _stops(b, d) * np.log(2),
        "sRGB is decoded from values in [0, 1]: divide by 255.": lambda b, d: _stops(b, d, white=1),
        "a gamma of 2.2 is far off in the dark: decode sRGB.": lambda b, d: 2.2 * np.log2(b / d),
    },
    praise="Codes 128 and 64 are 2.1 stops apart; 4 and 1 exactly two, as sRGB is a line there.",
)


def _two_shots():
    """Yield two noisy shots of one scene, with noise that depends on brightness, and bins."""
    rng = np.random.default_rng(11)
    for sigmas in ([0.8, 1.2, 2.0, 3.0], [3.0, 1.0, 0.5, 2.0]):
        scene = np.repeat([10.0, 30.0, 60.0, 100.0], 100) + rng.uniform(-5, 5, (200, 400))
        noise = np.repeat(sigmas, 100) * rng.standard_normal((2, *scene.shape))
        yield *(scene + noise), np.array([0.0, 20.0, 45.0, 80.0, 120.0])


def _noise(measure=lambda first, second: np.std(first - second) / 2**0.5):
    """Return an answer that measures two shots in bins of brightness in some way."""

    def noise_by_level(first, second, edges):
        level = (first + second) / 2
        bins = [(level >= low) & (level < high) for low, high in pairwise(edges)]
        return [measure(first[here], second[here]) for here in bins]

    return noise_by_level


noise_by_level = Exercise(
    "``function(first, second, edges)``: the noise of one shot, in bins of brightness.",
    probes=_two_shots,
    right=_noise(),
    tolerance=0.02,
    mistakes={
        "1.41 times too much: a difference holds the noise of two shots, and variances add. "
        "Divide by the square root of 2.": _noise(lambda a, b: np.std(a - b)),
        "divide by the square root of 2, not by 2.": _noise(lambda a, b: np.std(a - b) / 2),
        "this is the variance; take its square root.": _noise(lambda a, b: np.var(a - b) / 2),
        "you measured the scene as well. Measure the difference.": _noise(lambda a, b: np.std(a)),
        "np.digitize calls the first bin 1.": lambda a, b, edges: _noise()(a, b, [-1, *edges[:-1]]),
    },
    praise="No smooth places were needed: what the two shots share is scene, the rest is noise.",
)


# 1.4. A split is observed as rules that it keeps: many splits are right.

_UNEVEN = [[f"s{scene}/{n}" for n in range(1 + 3 * scene % 7)] for scene in range(40)]


def _kept_rules(function, groups, share):
    splits = [_split(function, groups, share, seed) for seed in range(4)]
    again = [_split(function, groups, share, seed) for seed in range(4)]
    names, own = sorted(sum(groups, [])), [list(group) for group in groups]
    call(lambda: function(own, share, 0) or True)
    held = [_split(function, _UNEVEN, 0.25, seed)[1] for seed in range(60)]
    scenes = [{n for n in range(40) if f"s{n}/0" in names} for names in held]
    by_size = sorted(range(40), key=lambda n: len(_UNEVEN[n]))
    beside = [
        np.mean([order[(order.index(n) + 1) % 40] in one for one in scenes for n in one])
        for order in (range(40), by_size)
    ]
    shared = [len(set(group) & set(side)) for _, side in splits for group in groups]
    sizes = [len(group) for group in groups] * len(splits)
    return {
        "each file is on exactly one side": all(sorted(a + b) == names for a, b in splits),
        "no scene is on both sides": all(
            count in (0, size) for count, size in zip(shared, sizes, strict=True)
        ),
        f"at least {share:.0%} of the files are held out, and drawing stops then": all(
            _is_enough(groups, share, held_out) for _, held_out in splits
        ),
        "what is held out is the second of the two lists": not all(
            _is_enough(groups, share, train) for train, _ in splits
        ),
        "the same seed gives the same split, even after other draws": splits == again,
        "it leaves the list that it is given as it is": own == groups,
        "different seeds give different splits": any(one != scenes[0] for one in scenes),
        "every scene can be held out, whatever its size and its neighbors": (
            set.union(*scenes) == set(range(40)) and max(beside) < 0.6
        ),
    }


def _split(function, groups, share, seed) -> tuple[list[str], list[str]]:
    train, held_out = two(ask(function, groups, share, seed), "training, held_out")
    try:
        sides = sorted(train), sorted(held_out)
    except TypeError:
        raise Wrong("two lists of names were asked for: return training, held_out.") from None
    is_names = all(isinstance(name, str) for name in sides[0] + sides[1])
    require(is_names, "both lists must hold names of files, not lists of names.")
    return sides


def _is_enough(groups, share, held_out) -> bool:
    """Tell whether a share is held out, and without some scene of it too little would be."""
    largest = max((len(group) for group in groups if group[0] in held_out), default=0)
    wanted = share * sum(map(len, groups))
    return len(held_out) >= wanted - 1e-9 and len(held_out) - largest < wanted


def _drawn(seed, count):
    return np.random.default_rng(seed).permutation(count)


def _whole_scenes(order_of=_drawn, goes_on=lambda held, scenes, wanted: len(held) < wanted):
    """Return an answer that walks through the scenes in an order and holds out the first ones."""

    def split_by_scene(groups, share, seed):
        train, held_out = [], []
        for place, index in enumerate(order_of(seed, len(groups))):
            is_held = goes_on(held_out, place / len(groups), share * sum(map(len, groups)))
            (held_out if is_held else train).extend(groups[index])
        return train, held_out

    return split_by_scene


def _share_of_scenes(groups, share, seed):
    return _whole_scenes(goes_on=lambda held, part, wanted: part < share)(groups, share, seed)


def _coin_for_each_scene(groups, share, seed):
    rng = np.random.default_rng(seed)
    return _whole_scenes(goes_on=lambda *state: rng.random() < share)(groups, share, seed)


scene_split = Exercise(
    "``function(groups, share, seed)``: cut files by scene into training and held-out.",
    observe=_kept_rules,
    probes=lambda: [
        (_UNEVEN, 0.2),
        (data.lol_scenes()["groups"], 0.1),
        (data.lol_scenes()["groups"], 0.3),
        ([[f"s{scene}/0"] for scene in range(40)], 0.25),
    ],
    right=_whole_scenes(),
    mistakes={
        "a scene has files on both sides. Draw whole scenes, not files.": (
            lambda groups, *how: _whole_scenes()([[name] for name in sum(groups, [])], *how)
        ),
        "return training first, then what is held out.": lambda *how: _whole_scenes()(*how)[::-1],
        "you hold out a share of the scenes. Scenes differ in size: count files.": _share_of_scenes,
        "you toss a coin for each scene, which reaches the share only on average. Draw scenes "
        "until enough files are held out, then stop.": _coin_for_each_scene,
        "the scenes that you hold out are neighbors in the list or in size. Draw each.": (
            _whole_scenes(lambda seed, n: (np.arange(n) + _drawn(seed, n)[0]) % n)
        ),
        "one seed gave two different splits.": _whole_scenes(lambda seed, n: _drawn(None, n)),
    },
    praise="No scene is on both sides, and the same seed gives the same split again.",
)


# 1.5. The groups of pictures


@cache
def _shots() -> tuple[list[int], list[np.ndarray]]:
    """Return the scenes of mixed shots of one size, and these shots."""
    rng, shots = np.random.default_rng(3), []
    # The last two are different landscapes with much the same order of brightness.
    for scene, pair in enumerate(data.load("sample", "train", lazy=True)[:7]):
        high = pair.high[:336, :504]  # no scene of the sample is smaller
        # A chain, at up to 8 stops: its ends are less alike than any two neighbors.
        stops = (8.0, 7.0, 4.0, 5.0, 6.0) if pair.name == "citrus" else (4.0, 5.0, 6.0)
        shots += [(scene, camera.darken(high, s, rng)) for s in stops] + [(scene, high)]
    shots = [shots[index] for index in rng.permutation(len(shots))]
    return [scene for scene, _ in shots], [picture for _, picture in shots]


def _grouping(function, pictures):
    groups = ask(function, pictures)
    try:
        groups = [sorted(int(index) for index in group) for group in groups]
    except (TypeError, ValueError):
        raise Wrong("a list of groups was asked for, each a list of indices.") from None
    scenes = _shots()[0]
    shown = [{scenes[index] for index in group if 0 <= index < len(scenes)} for group in groups]
    is_whole = sorted(sum(groups, [])) == list(range(len(scenes)))
    return {
        "each picture is in exactly one group, by itself if need be": is_whole,
        "pictures of one scene are in one group, whatever their exposure": (
            is_whole and sum(map(len, shown)) == len(set(scenes))
        ),
        "no group holds two scenes": is_whole and max(map(len, shown)) == 1,
    }


def _alike(pictures) -> np.ndarray:
    """Tell which pictures are alike by the order of brightness in a thumbnail."""
    grays = np.stack(pictures).mean(axis=-1)  # an answer may stack them, as they are of one size
    small = [cv2.resize(one, (18, 12), interpolation=cv2.INTER_AREA).ravel() for one in grays]
    return stats.spearmanr(small, axis=1).statistic > 0.97


def _connected(pictures):
    count, labels = connected_components(_alike(pictures))
    return [np.flatnonzero(labels == label) for label in range(count)]


group_scenes = Exercise(
    "``function(pictures)``: which pictures show one scene, as lists of their indices.",
    observe=_grouping,
    probes=lambda: [(_shots()[1],)],
    right=_connected,
    mistakes={
        "a scene is split: two of its pictures, at different exposures, are in two groups. Compare "
        "the order of brightness, which exposure does not change, and mind chains: a picture "
        "belongs to a group if it resembles any other in it.": lambda pictures: [
            [index] for index in range(len(pictures))
        ],
        "two scenes are in one group: require closer matches.": lambda pics: [range(len(pics))],
        "scenes are split, and groups mix two scenes. Brightness says nothing about the scene: "
        "compare the order of brightness within a picture.": lambda pictures: [
            range(0, len(pictures), 2),
            range(1, len(pictures), 2),
        ],
    },
    praise="Every scene was found, at exposures up to 8 stops apart.",
)
