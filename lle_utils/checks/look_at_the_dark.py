"""Exercises of notebook 01, look at the dark."""

import random
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import stats
from scipy.sparse.csgraph import connected_components

from lle_utils import camera, data
from lle_utils.checks.engine import Exercise, Function, Value, Wrong, ask, call, returned, whole

brightened_codes = Exercise(
    "Three predictions: codes 0 to 31 are multiplied by 8 and saved again as 8 bits.",
    Value(
        name="codes_used",
        read=whole,
        right=32,
        mistakes={
            "256 is what a file can hold. Each of the 32 old codes becomes one new code.": 256,
            "0 to 248 is the range, but most codes in it stay unused, such as 1 to 7.": 249,
        },
        hint="Each of the 32 old codes becomes one new code.",
    ),
    Value(
        name="zeros_become",
        read=whole,
        right=0,
        mistakes={"an exact zero stays black, whatever the factor.": 4},
        hint="What is 8 times 0? An exact zero stays black, whatever the factor.",
    ),
    Value(
        name="next_code",
        read=whole,
        right=8,
        mistakes={"1 was the next code before. It is multiplied by 8, too.": 1},
        hint="The next code after 0 was 1, and 1 is multiplied by 8.",
    ),
    praise="The picture spans 0 to 248 now, with the same 32 values and gaps of 8 between them. "
    "And exact black is still black: notebook 02 gives it something to grow from.",
)


def _light(code):
    return camera.srgb_to_linear(np.asarray(code) / 255)


def _stops(bright, dark):
    return np.log2(_light(bright) / _light(dark))


_bright = np.array([[128.0, 200.0, 64.0], [255.0, 90.0, 11.0]])
_dark = np.array([[64.0, 20.0, 63.0], [5.0, 180.0, 10.0]])

stops_between_codes = Exercise(
    "``function(bright, dark)``: how many stops of light lie between two sRGB code values.",
    Function(
        observe=returned,
        probes=[(_bright, _dark), (_bright[0], _dark[0]), (128, 64), (4, 1), (10, 10), (30, 250)],
        right=_stops,
        tolerance=1e-4,
        mistakes={
            "you compared code values. A code is not proportional to light: decode both first.": (
                lambda b, d: np.log2(np.asarray(b) / d)
            ),
            "the sign is reversed: `bright` comes first, and more light means more stops.": (
                lambda b, d: _stops(d, b)
            ),
            "a stop is a factor of 2, so take the logarithm to base 2.": (
                lambda b, d: np.log(_light(b) / _light(d))
            ),
            "sRGB is decoded from values in [0, 1]: divide the codes by 255 first.": (
                lambda b, d: _stops(255 * np.asarray(b), 255 * np.asarray(d))
            ),
            "2.2 times the stops of the codes is a rule of thumb. In the dark it is far off, "
            "because sRGB is a straight line there.": lambda b, d: 2.2 * np.log2(np.asarray(b) / d),
        },
        hint="Decode both codes to light, divide, and take the logarithm to base 2.",
    ),
    praise="Codes 128 and 64 are 2.1 stops apart; 4 and 1 exactly two, as sRGB is a line there.",
)


def _two_shots():
    """Yield two noisy shots of one scene, with noise that depends on brightness, and bins."""
    rng = np.random.default_rng(11)
    for sigmas in ([0.8, 1.2, 2.0, 3.0], [3.0, 1.0, 0.5, 2.0]):
        scene = np.repeat([10.0, 30.0, 60.0, 100.0], 100) + rng.uniform(-5, 5, (200, 400))
        noise = np.repeat(sigmas, 100) * rng.standard_normal((2, *scene.shape))
        yield *(scene + noise), np.array([0.0, 20.0, 45.0, 80.0, 120.0])


def _in_bins(values, level, edges, measure=np.std):
    return np.array([measure(values[(level >= a) & (level < b)]) for a, b in pairwise(edges)])


def _of_difference(measure, first, second, edges):
    return _in_bins(first - second, (first + second) / 2, edges, measure)


noise_by_level = Exercise(
    "``function(first, second, edges)``: the noise of one shot, in bins of brightness.",
    Function(
        observe=returned,
        probes=_two_shots,
        right=lambda *shots: _of_difference(np.std, *shots) / np.sqrt(2),
        tolerance=0.02,
        mistakes={
            "1.41 times too much: a difference holds the noise of two shots, and variances add. "
            "Divide by the square root of 2.": lambda *shots: _of_difference(np.std, *shots),
            "0.71 times too little: the difference spreads 1.41 times as much as one shot. Divide "
            "by the square root of 2, not by 2.": lambda *shots: _of_difference(np.std, *shots) / 2,
            "this is the variance. The noise is its square root.": (
                lambda *shots: _of_difference(np.var, *shots) / 2
            ),
            "you measured the scene, too: one shot varies by what it shows. The difference of the "
            "two has no scene in it.": lambda first, second, edges: _in_bins(first, first, edges),
            "your bins are shifted: np.digitize counts the first bin as 1, not as 0.": (
                lambda first, second, edges: (
                    _of_difference(np.std, first, second, [-1, *edges[:-1]]) / np.sqrt(2)
                )
            ),
        },
        hint="It is the spread of the difference in each bin, divided by the square root of 2.",
    ),
    praise="No smooth places were needed: what the two shots share is scene, the rest is noise.",
)


# 1.4. A split is observed as rules that it keeps: many splits are right.

_SEEDS = range(60)


def _uneven():
    return [[f"s{scene}/{n}" for n in range(1 + 3 * scene % 7)] for scene in range(40)]


def _single():
    return [[f"s{scene}/0"] for scene in range(40)]


def _kept_rules(function, groups, share):
    splits = [_split(function, groups, share, seed) for seed in _SEEDS[:4]]
    names = sorted(name for group in groups for name in group)
    return {
        "each file is on exactly one side": all(sorted(a + b) == names for a, b in splits),
        "no scene is on both sides": all(
            set(group) <= set(held_out) or not set(group) & set(held_out)
            for group in groups
            for _, held_out in splits
        ),
        f"at least {share:.0%} of the files are held out": all(
            len(held_out) >= share * len(names) - 1e-9 for _, held_out in splits
        ),
        "drawing stops as soon as the share of files is reached": all(
            _stops_in_time(groups, share, held_out) for _, held_out in splits
        ),
        "what is held out is the second of the two lists": not all(
            _stops_in_time(groups, share, train) and len(train) >= share * len(names)
            for train, _ in splits
        ),
        "the same seed gives the same split, even after other draws": all(
            _split(function, groups, share, seed) == split
            for seed, split in zip(_SEEDS[:4], splits, strict=True)
        ),
        "it leaves the list that it is given as it is": _keeps_its_groups(function, groups, share),
        **_chance_rules(function),
    }


def _split(function, groups, share, seed) -> tuple[list[str], list[str]]:
    result = ask(function, groups, share, seed)
    try:
        train, held_out = (list(side) for side in result)
    except (TypeError, ValueError):
        raise Wrong("two lists of names were asked for: return training, held_out.") from None
    if any(not isinstance(name, str) for name in train + held_out):
        raise Wrong("both lists must hold names of files, not lists of names.")
    return sorted(train), sorted(held_out)


def _stops_in_time(groups, share, held_out) -> bool:
    """Tell whether without some scene of it too little would be held out."""
    largest = max((len(group) for group in groups if group[0] in held_out), default=0)
    return len(held_out) - largest < share * sum(map(len, groups))


def _keeps_its_groups(function, groups, share) -> bool:
    own = [list(group) for group in groups]
    call(lambda: function(own, share, 0) or True)
    return own == groups


def _chance_rules(function) -> dict:
    drawn = [_split(function, _uneven(), 0.25, seed)[1] for seed in _SEEDS]
    held = [{number for number in range(40) if f"s{number}/0" in names} for names in drawn]
    beside = [(number + 1) % 40 in one for one in held for number in one]
    return {
        "other seeds give other splits": len(set(map(frozenset, held))) > 1,
        "each scene has its chance to be held out, whatever its size and its neighbors": (
            set.union(*held) == set(range(40)) and np.mean(beside) < 0.6
        ),
    }


def _whole_scenes(order_of, goes_on=lambda held_out, group, wanted: len(held_out) < wanted):
    """Return an answer that walks through the scenes in an order and holds out the first ones."""

    def split_by_scene(groups, share, seed):
        train, held_out = [], []
        wanted = share * sum(map(len, groups))
        for index in order_of(len(groups), seed):
            group = groups[index]
            (held_out if goes_on(held_out, group, wanted) else train).extend(group)
        return train, held_out

    return split_by_scene


def _at_random(count, seed):
    return np.random.default_rng(seed).permutation(count)


def _any_files(groups, share, seed):
    names = np.array(sum(groups, []))[_at_random(sum(map(len, groups)), seed)].tolist()
    count = int(np.ceil(share * len(names) - 1e-9))
    return names[count:], names[:count]


def _share_of_scenes(groups, share, seed):
    order = _at_random(len(groups), seed)
    count = int(share * len(groups))
    return [sum((groups[i] for i in part), []) for part in (order[count:], order[:count])]


def _coin_for_each_scene(groups, share, seed):
    heads = np.random.default_rng(seed).random(len(groups)) < share
    return [
        sum((group for group, is_held in zip(groups, heads, strict=True) if is_held == side), [])
        for side in (False, True)
    ]


def _shuffling_the_groups(groups, share, seed):
    random.Random(seed).shuffle(groups)
    return _whole_scenes(lambda count, seed: range(count))(groups, share, seed)


_right_split = _whole_scenes(_at_random)

scene_split = Exercise(
    "``function(groups, share, seed)``: cut files by scene into training and held-out.",
    Function(
        observe=_kept_rules,
        probes=lambda: [
            (_uneven(), 0.2),
            (data.lol_scenes()["groups"], 0.1),
            (data.lol_scenes()["groups"], 0.3),
            (_single(), 0.25),
        ],
        right=_right_split,
        mistakes={
            "a scene leaks: some of its files are held out and others are in training. Draw whole "
            "scenes, not files.": _any_files,
            "the two sides are exchanged: return training first, then what is held out.": (
                lambda groups, share, seed: _right_split(groups, share, seed)[::-1]
            ),
            "you hold out a share of the scenes. Scenes differ in size: count files.": (
                _share_of_scenes
            ),
            "you toss a coin for each scene, which reaches the share only on average. Draw scenes "
            "until enough files are held out, then stop.": _coin_for_each_scene,
            "the scenes that you hold out are neighbors in the list, so only where the block "
            "starts is random. Draw each scene at random.": _whole_scenes(
                lambda count, seed: (np.arange(count) + _at_random(count, seed)[0]) % count
            ),
            "every seed gives the same split: draw the scenes at random.": (
                _whole_scenes(lambda count, seed: range(count))
            ),
            "the same seed gave two different splits. Draw with np.random.default_rng(seed), so "
            "that others can repeat your split.": _whole_scenes(
                lambda count, seed: np.random.default_rng().permutation(count)
            ),
            "it shuffles or empties the list that it is given, so the next call gives a different "
            "split. Work on a copy, list(groups), or shuffle numbers.": _shuffling_the_groups,
        },
    ),
    praise="No scene is on both sides, and the same seed gives the same split again.",
)


# 1.5. The groups of pictures


@cache
def _shots() -> list[tuple[int, np.ndarray]]:
    """Return pictures of five scenes, of one size, mixed, each with the number of its scene."""
    rng = np.random.default_rng(3)
    shots = []
    for scene, pair in enumerate(data.load("sample", "train", lazy=True)[:5]):
        stops = (4.0, 5.0, 6.0)[: 1 if scene == 4 else 3]
        high = pair.high[:336, :504]  # no scene of the sample is smaller
        if pair.name == "citrus":  # a chain: its ends are less alike than any two neighbors
            shots.append((scene, camera.darken(high, 8.0, rng)))
            stops += (7.0,)
        shots += [(scene, camera.darken(high, s, rng)) for s in stops] + [(scene, high)]
    order = rng.permutation(len(shots))
    first = next(index for index, (scene, _) in enumerate(shots) if scene == 3)
    return [shots[index] for index in (first, *order[order != first])]


def _grouping(function, pictures):
    groups = ask(function, pictures)
    try:
        groups = [sorted(int(index) for index in group) for group in groups]
    except (TypeError, ValueError):
        raise Wrong("a list of groups was asked for, each a list of indices.") from None
    scenes = np.array([scene for scene, _ in _shots()])
    listed = sorted(index for group in groups for index in group)
    is_whole = listed == list(range(len(scenes)))
    labels = np.zeros(len(scenes), int)
    for label, group in enumerate(groups if is_whole else []):
        labels[group] = label
    same_group, same_scene = (np.equal.outer(of, of) for of in (labels, scenes))
    return {
        "each picture is in exactly one group, alone if need be": is_whole,
        "pictures of one scene are in one group, whatever their exposure": (
            is_whole and bool(np.all(same_group[same_scene]))
        ),
        "no group holds two scenes": is_whole and not np.any(same_group[~same_scene]),
    }


def _ranks(picture):
    """Return the ranks of a thumbnail's values, scaled to length 1."""
    height, width = picture.shape[0] // 12, picture.shape[1] // 18
    blocks = picture[: 12 * height, : 18 * width].mean(axis=-1).reshape(12, height, 18, width)
    ranks = stats.rankdata(blocks.mean(axis=(1, 3)))
    return (ranks - ranks.mean()) / (ranks.std() * ranks.size**0.5)


def _connected(pictures):
    ranks = np.array([_ranks(picture) for picture in pictures])
    count, labels = connected_components(ranks @ ranks.T > 0.97)
    return [np.flatnonzero(labels == label) for label in range(count)]


def _like_the_first(pictures):
    """Compare with the first picture of each group only, so that chains are torn."""
    ranks, groups = [_ranks(picture) for picture in pictures], []
    for index, own in enumerate(ranks):
        alike = [group for group in groups if own @ ranks[group[0]] > 0.97]
        if alike:
            alike[0].append(index)
        else:
            groups.append([index])
    return groups


group_scenes = Exercise(
    "``function(pictures)``: which pictures show one scene, as lists of their indices.",
    Function(
        observe=_grouping,
        probes=lambda: [([picture for _, picture in _shots()],)],
        right=_connected,
        mistakes={
            "a scene is torn: two pictures that show the same at different exposures are in two "
            "groups. Compare what exposure leaves alone, the order of brightness, and mind chains: "
            "a picture belongs to a group if it is like any one in it.": _like_the_first,
            "two scenes are in one group: ask for a closer likeness.": (
                lambda pictures: [range(len(pictures))]
            ),
            "some picture is in no group, or in two. Every picture is in one, alone if need be.": (
                lambda pictures: [[0, 1], [1, 2]]
            ),
            "scenes are torn, and groups hold two scenes. Brightness says nothing about the scene: "
            "compare the order of brightness within a picture.": lambda pictures: [
                [index for index, one in enumerate(pictures) if (one.mean() > 0.1) == bright]
                for bright in (False, True)
            ],
        },
    ),
    praise="Every scene was found, at exposures up to 8 stops apart.",
)
