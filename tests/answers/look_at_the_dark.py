"""Answers to the exercises of the notebook that is called look_at_the_dark."""

RIGHT = {
    "1.1": "new = np.unique(8 * np.arange(32))\n"
    "codes_used, zeros_become, next_code = len(new), new[0], new[1]",
    "1.2": """
def decode(code):
    if code / 255 <= 0.04045:
        return code / 255 / 12.92
    return ((code / 255 + 0.055) / 1.055) ** 2.4
stops_between_codes = np.vectorize(lambda b, d: np.log(decode(b) / decode(d)) / np.log(2))
""",
    "1.3": """
def noise_by_level(first, second, edges):
    found = []
    for low, high in zip(edges[:-1], edges[1:]):
        here = (first + second >= 2 * low) & (first + second < 2 * high)
        found.append((np.mean((first - second)[here] ** 2) / 2) ** 0.5)
    return found
""",
    "1.4": """
import random
def split_by_scene(groups, share, seed):
    groups = list(groups)
    random.Random(seed).shuffle(groups)
    total, held_out = sum(map(len, groups)), set()
    while len(held_out) < share * total:
        held_out |= set(groups.pop())
    return {name for group in groups for name in group}, held_out
""",
    "1.5": """
def group_scenes(pictures):
    labels = list(range(len(pictures)))
    ranks = [thumbnail_ranks(picture) for picture in pictures]
    for i in range(len(pictures)):
        for j in range(i):
            if ranks[i] @ ranks[j] > 0.97:
                old, new = labels[i], labels[j]
                labels = [new if label == old else label for label in labels]
    return [{i for i, l in enumerate(labels) if l == label} for label in set(labels)]
""",
}

WRONG = {
    "1.1": [
        ("codes_used, zeros_become, next_code = 256, 0, 8", "what a file could hold"),
        ("codes_used, zeros_become, next_code = 249, 0, 1", "most codes in it stay unused"),
        ("codes_used, zeros_become, next_code = 32, 4, 8", "An exact zero stays black"),
        ("codes_used, zeros_become, next_code = 32, 0, 1", "1 is multiplied by 8"),
        ("codes_used, zeros_become, next_code = 'many', 0, 8", "must be a number"),
        ("codes_used, zeros_become, next_code = 31.5, 0, 8", "must be a whole number"),
    ],
    "1.2": [
        ("stops_between_codes = lambda b, d: np.log2(b / d)", "you compared the code values"),
        (
            "s = camera.srgb_to_linear\nstops_between_codes = lambda b, d: np.log2("
            "s(d / 255) / s(b / 255))",
            "the sign is turned around",
        ),
        (
            "s = camera.srgb_to_linear\n"
            "stops_between_codes = lambda b, d: np.log(s(b / 255) / s(d / 255))",
            "logarithm to base 2",
        ),
        (
            "s = camera.srgb_to_linear\nstops_between_codes = lambda b, d: np.log2(s(b) / s(d))",
            "divide the codes by 255",
        ),
        ("stops_between_codes = lambda b, d: 2.2 * np.log2(b / d)", "a rule of thumb"),
        (
            "def stops_between_codes(b, d):\n    return 1.0 if b > d else 0.0",
            "stopped with ValueError",
        ),
        ("stops_between_codes = 2.2", "a function was asked for"),
        (
            """
s = camera.srgb_to_linear
stops_between_codes = lambda b, d: np.abs(np.log2(s(b / 255) / s(d / 255)))
""",
            "keep the sign",
        ),
        (
            """
s = camera.srgb_to_linear
stops_between_codes = lambda b, d: np.log2(s(b / 255)) / np.log2(s(d / 255))
""",
            "not the logarithm of a ratio",
        ),
        (
            "stops_between_codes = lambda b, d: 2.4 * np.log2((b / 255 + 0.055) / (d / 255 "
            "+ 0.055))",
            "half of the rule",
        ),
    ],
    "1.3": [
        (
            "def noise_by_level(a, b, e):\n    k = np.digitize((a + b) / 2, e)\n"
            "    return [(a - b)[k == i].std() for i in range(1, len(e))]",
            "divide by the square root of 2",
        ),
        (
            "def noise_by_level(a, b, e):\n    k = np.digitize((a + b) / 2, e)\n"
            "    return [(a - b)[k == i].var() / 2 for i in range(1, len(e))]",
            "this is the variance",
        ),
        (
            "def noise_by_level(a, b, e):\n    k = np.digitize(a, e)\n"
            "    return [a[k == i].std() for i in range(1, len(e))]",
            "you measured the scene too",
        ),
        (
            "def noise_by_level(a, b, e):\n    return np.full(len(e) - 1, (a - b).std() / 2**0.5)",
            "Choose the samples of each bin",
        ),
        ("noise_by_level = lambda a, b, e: (a - b).std() / 2**0.5", "five edges make four bins"),
        (
            """
def noise_by_level(a, b, e):
    k = np.digitize((a + b) / 2, e)
    return [((a + b) / 2)[k == i].std() for i in range(1, len(e))]
""",
            "you measured the scene too",
        ),
        (
            """
def noise_by_level(a, b, e):
    k = np.digitize((a + b) / 2, e)
    return [(a - b)[k == i].std() / 2 for i in range(1, len(e))]
""",
            "0.71 times too little",
        ),
        (
            """
def noise_by_level(a, b, e):
    k = np.digitize((a + b) / 2, e)
    return [np.abs(a - b)[k == i].mean() / 2**0.5 for i in range(1, len(e))]
""",
            "mean of the absolute values",
        ),
        (
            """
def noise_by_level(a, b, e):
    k = np.digitize((a + b) / 2, e)
    return [(a - b)[k == i].std() / 2**0.5 for i in range(len(e) - 1)]
""",
            "your bins are shifted",
        ),
    ],
    "1.4": [
        (
            "def split_by_scene(groups, share, seed):\n    names = sum(groups, [])\n"
            "    np.random.default_rng(seed).shuffle(names)\n    n = int(share * len(names)) + 1\n"
            "    return names[n:], names[:n]",
            "a scene leaks",
        ),
        (
            "def split_by_scene(groups, share, seed):\n"
            "    order = np.random.default_rng(seed).permutation(len(groups))\n"
            "    n = int(share * len(groups))\n    pick = lambda part: [f for i in part"
            " for f in groups[i]]\n    return pick(order[n:]), pick(order[:n])",
            "files and not scenes",
        ),
        (
            "def split_by_scene(groups, share, seed):\n    train, held = [], []\n"
            "    wanted = share * sum(map(len, groups))\n    for i in range(len(groups)):\n"
            "        (held if len(held) < wanted else train).extend(groups[i])\n"
            "    return train, held",
            "every seed gives the same split",
        ),
        (
            "def split_by_scene(groups, share, seed):\n    train, held = [], []\n"
            "    wanted = share * sum(map(len, groups))\n"
            "    for i in np.random.permutation(len(groups)):\n"
            "        (held if len(held) < wanted else train).extend(groups[i])\n"
            "    return train, held",
            "gave two different splits",
        ),
        (
            "def split_by_scene(groups, share, seed):\n    train, held = [], []\n"
            "    wanted = share * sum(map(len, groups))\n"
            "    for i in np.random.default_rng(seed).permutation(len(groups)):\n"
            "        (held if len(held) < wanted else train).append(groups[i])\n"
            "    return train, held",
            "must hold names of files",
        ),
        (
            "def split_by_scene(groups, share, seed):\n    return sum(groups, [])[5:], []",
            "each file belongs to one side",
        ),
        (
            "def split_by_scene(groups, share, seed):\n    names = sum(groups, [])\n"
            "    return names, names[:9]",
            "is on both sides",
        ),
        (
            """
def split_by_scene(groups, share, seed):
    train, held = [], []
    wanted = share * sum(map(len, groups))
    for i in np.random.default_rng(seed).permutation(len(groups)):
        (held if len(held) <= wanted else train).extend(groups[i])
    return train, held
""",
            "more than one scene above",
        ),
        (
            """
def split_by_scene(groups, share, seed):
    train, held = [], []
    wanted = int(share * sum(map(len, groups)))
    for i in np.random.default_rng(seed).permutation(len(groups)):
        (held if len(held) < wanted else train).extend(groups[i])
    return train, held
""",
            "do not round it down",
        ),
        (
            """
def split_by_scene(groups, share, seed):
    train, held = [], []
    wanted = share * sum(map(len, groups))
    for i in np.random.default_rng(seed).permutation(len(groups)):
        (held if len(held) + len(groups[i]) <= wanted else train).extend(groups[i])
    return train, held
""",
            "Go on until the share is reached",
        ),
        (
            """
def split_by_scene(groups, share, seed):
    np.random.default_rng(seed).shuffle(groups)
    train, held, wanted = [], [], share * sum(map(len, groups))
    for group in groups:
        (held if len(held) < wanted else train).extend(group)
    return train, held
""",
            "Called again with the same list",
        ),
    ],
    "1.5": [
        (
            "def group_scenes(pictures):\n"
            "    means = [round(float(p.mean()), 1) for p in pictures]\n"
            "    return [[i for i, m in enumerate(means) if m == v] for v in set(means)]",
            "scene",  # torn or merged, whichever pair comes first
        ),
        ("def group_scenes(p):\n    return [[i] for i in range(len(p))]", "a scene is torn"),
        ("def group_scenes(p):\n    return [list(range(len(p)))]", "two scenes are one"),
        ("def group_scenes(p):\n    return [[0, 1], [1, 2]]", "is in two groups"),
        ("def group_scenes(p):\n    return [[0, 1]]", "is in no group"),
        (
            """
def group_scenes(pictures):
    ranks, groups = [thumbnail_ranks(p) for p in pictures], []
    for i in range(len(ranks)):
        for group in groups:  # compares with the first of a group only: no chain
            if ranks[i] @ ranks[group[0]] > 0.97:
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
""",
            "a scene is torn",
        ),
    ],
}

# Right answers that a check once called wrong, or might.
MORE_RIGHT = {
    "1.3": [
        """
from scipy.stats import binned_statistic
def noise_by_level(first, second, edges):
    level = ((first + second) / 2).ravel()
    return binned_statistic(level, (first - second).ravel(), "std", edges).statistic / 2**0.5
""",
    ],
    "1.4": [
        """
def split_by_scene(groups, share, seed):
    order = np.argsort(np.random.default_rng(seed).random(len(groups)))
    sizes = np.array([len(groups[i]) for i in order])
    count = 1 + np.searchsorted(np.cumsum(sizes), share * sizes.sum() - 1e-9)
    names = lambda part: np.array([name for i in part for name in groups[i]])
    return names(order[count:]), names(order[:count])
""",
    ],
}
