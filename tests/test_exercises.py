"""Exercises: each has all its parts, and its check tells right answers from wrong ones, in words.

The tasks, stubs, checks and solutions are read from the notebooks. The check cells are run as they
stand, on the stub, on the folded solution, on right answers written differently, and on typical
mistakes, each of which must get its own diagnosis.
"""

import ast
import contextlib
import copy
import importlib.util
import sys
import threading
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest

from lle_utils import checks, verdicts

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted((NOTEBOOKS / "py").glob("*.py"))


def load_solve():
    sys.path.insert(0, str(NOTEBOOKS))  # solve.py imports render.py, beside it
    try:
        spec = importlib.util.spec_from_file_location("solve", NOTEBOOKS / "solve.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(NOTEBOOKS))
    return module


solve = load_solve()
DOCUMENTS = {script.stem: jupytext.read(script) for script in SCRIPTS}
EXERCISES = {
    exercise.number: (name, exercise)
    for name, document in DOCUMENTS.items()
    for exercise in solve.exercises(document)
}


def definitions(name: str, before: int) -> dict:
    """Return what a notebook imports and defines above a cell: no data, so nothing takes long."""
    namespace = {}
    for cell in DOCUMENTS[name].cells[:before]:
        if cell.cell_type != "code" or "setup" in cell.metadata.get("tags", []):
            continue
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
        kept = [node for node in ast.parse(source).body if isinstance(node, kinds)]
        exec(compile(ast.Module(kept, []), name, "exec"), namespace)
    return namespace


def judge(number: str, answer: str) -> verdicts.Verdict:
    """Run an answer in place of the stub, and then the check cell; return the verdict."""
    name, exercise = EXERCISES[number]
    namespace = definitions(name, exercise.index)
    exec(answer, namespace)
    return eval(exercise.check, namespace)


# A second right answer for each exercise, written in another way.

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
    "2.1": """
def is_safe(m):
    x = np.linspace(0, 1, 100_001)
    y = x + m * x * (1 - x)
    return y.min() >= 0 and y.max() <= 1 and np.all(np.diff(y) >= 0)
""",
    "2.2": """
def steps_for(gain, m):
    n, reached = 0, 1.0
    while reached < gain:
        n, reached = n + 1, reached * (1 + m)
    return n
""",
    "2.3": """
def first_values(codes):
    values = np.array(codes, dtype="float32") / 255
    values[codes == 0] = 0.5 / 255
    return values
""",
    "2.4": "odds_factor = lambda x, m: 1 + m / (1 - m * x)",
    "2.5": """
from scipy.optimize import brentq
logit = lambda x: -np.log(1 / x - 1)
shift = lambda x, target: logit(target) - logit(x)
def m_for(x, target, n):
    def miss(m):
        y = x
        for _ in range(n):
            y += m * y * (1 - y)
        return y - target
    if miss(0) > 0 or miss(1) < 0:
        return None
    return brentq(miss, 0, 1)
""",
    "3.1": "count_parameters = lambda maps, filters: (\n"
    "    28 * filters + 3 * (9 * filters + 1) * filters\n"
    "    + 2 * (18 * filters + 1) * filters + (18 * filters + 1) * maps)",
    "3.2": """
def reach_after(looks, layers, kernel):
    across = 1
    for _ in range(looks * layers):
        across += kernel - 1
    return across
""",
    "3.3": """
def cost(schedule, looks):
    schedule = list(schedule) + [schedule[-1]] * looks
    return sum(np.array(schedule[:looks], float) ** -2)
half = [8, 8, 4, 2, 2, 1, 1, 1]
""",
    "3.4": """
left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])
four = [left, left[:, ::-1], left.T, left.T[::-1]]
kernel = np.stack(four, axis=-1)[:, :, None, :]
""",
    "3.5": """
my_network = keras.Sequential([keras.Input((None, None, 3))])
for rate in (1, 2, 4, 8):
    my_network.add(layers.Conv2D(16, 3, dilation_rate=rate, padding="same", activation="relu"))
my_network.add(layers.Conv2D(3, 3, padding="same", activation="sigmoid"))
""",
    "5.1": """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    E = img
    while index > 0:
        M = predict(E)
        if flag:
            E, flag = E / 255, 0
        E = E * (1 + M - M * E)
        index -= 1
    return E
""",
    "5.2": """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations > 0:
        M = predict_map(image, step)
        return my_recurse(brighten(image, M), predict_map, iterations - 1, step=step + 1)
    return image
""",
    "5.3": """
def choose_iterations(image):
    for limit, n in ((10, 12), (20, 8)):
        if np.sum(image) < limit / 255 * image.size:
            return n
    return 7
""",
    "5.4": """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(most):
        new = brighten(image, predict_map(image, step))
        if np.all(np.abs(new - image) <= tolerance):
            return new, step + 1
        image = new
    return image, most
""",
    "5.5": """
order_matters = dict(median=0, gaussian=1)
def quiet(dark, bend):
    import cv2
    bright = np.rint(255 * np.clip(bend(dark), 0, 1)).astype("uint8")
    return cv2.fastNlMeansDenoisingColored(bright, None, 14, 14, 5, 13) / 255
""",
}

# Typical mistakes, each with a part of its diagnosis.

LINE = "def {0}:\n    return {1}"
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
    ],
    "2.1": [
        (LINE.format("is_safe(m)", "m >= -1"), "m = 1.5 got in"),
        (LINE.format("is_safe(m)", "m <= 1"), "the darkest pixels turn negative"),
        (LINE.format("is_safe(m)", "abs(m) < 1"), "m = 1 is safe"),
        (LINE.format("is_safe(m)", "0 <= m <= 1"), "it darkens, but stays"),
        (LINE.format("is_safe(m)", "abs(m) <= 2"), "neither monotone nor inside [0, 1]"),
        (LINE.format("is_safe(m)", "False"), "m = 0.3 is safe"),
    ],
    "2.2": [
        (LINE.format("steps_for(g, m)", "round(np.log(g) / np.log(1 + m))"), "you rounded. With"),
        (LINE.format("steps_for(g, m)", "int(np.log(g) / np.log(1 + m))"), "you rounded down"),
        (LINE.format("steps_for(g, m)", "np.log(g) / np.log(1 + m)"), "must be a whole number"),
        (LINE.format("steps_for(g, m)", "int(np.ceil(np.log2(g)))"), "doubles only for m = 1"),
        (LINE.format("steps_for(g, m)", "int(np.ceil((g - 1) / m))"), "steps multiply"),
        (LINE.format("steps_for(g, m)", "int(np.ceil(np.log(g) / m))"), "not by e to the m"),
    ],
    "2.3": [
        (LINE.format("first_values(c)", "c / 255"), "0 is a fixed point"),
        (LINE.format("first_values(c)", "c / 255 + 0.5 / 255"), "white is above 1"),
        (LINE.format("first_values(c)", "np.maximum(c, 1) / 255"), "codes 0 and 1 the same"),
        (LINE.format("first_values(c)", "np.maximum(c / 255, 0.5)"), "middle gray"),
        (LINE.format("first_values(c)", "np.maximum(c, 0.5)"), "these are still codes"),
    ],
    "2.4": [
        (LINE.format("odds_factor(x, m)", "np.exp(m) + 0 * x"), "comes close to when m is small"),
        (LINE.format("odds_factor(x, m)", "1 + m + 0 * x"), "the factor at black"),
        (LINE.format("odds_factor(x, m)", "1 / (1 - m) + 0 * x"), "the factor at white"),
        (LINE.format("odds_factor(x, m)", "1 + m * (1 - x)"), "the factor on x itself"),
        (
            LINE.format("odds_factor(x, m)", "(1 - m * x) / (1 + m * (1 - x))"),
            "upside down",
        ),
        (
            "def odds_factor(x, m):\n    f = x + m * x * (1 - x)\n"
            "    return f / (1 - f) / (x / (1 - x))",
            "cancel x and 1 - x",
        ),
        (LINE.format("odds_factor(x, m)", "1.38"), "it must have shape"),
    ],
    "2.5": [
        (
            "shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))\n"
            "m_for = lambda x, t, n: shift(x, t) / n",
            "right for infinitely many steps",
        ),
        (
            "shift = lambda x, t: np.log(x / (1 - x)) - np.log(t / (1 - t))\n"
            "m_for = lambda x, t, n: 0.4",
            "the sign is turned around",
        ),
        ("shift = lambda x, t: np.log(t / x)\nm_for = lambda x, t, n: 0.4", "forgets white"),
        (
            "from scipy.optimize import minimize_scalar\n"
            "shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))\n"
            "def m_for(x, t, n):\n    miss = lambda m: (iterate(x, m, n) - t) ** 2\n"
            "    return minimize_scalar(miss, bounds=(0, 1), options={'xatol': 1e-9}).x",
            "even m = 1 gets only to",
        ),
        (
            "shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))\n"
            "m_for = lambda x, t, n: 0.3",
            "steps of that end at",
        ),
        (
            "shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))\n"
            "def m_for(x, t, n):\n    m = 0.3",
            "though there is such an m",
        ),
    ],
    "3.1": [
        (
            "count_parameters = lambda p, f: 27 * f + 27 * f * f + 36 * f * f + 18 * f * p",
            "you left out the biases",
        ),
        (
            "count_parameters = lambda p, f: 28 * f + 5 * (9 * f + 1) * f + (9 * f + 1) * p",
            "where layers are added",
        ),
        (
            "count_parameters = lambda p, f: (28 * f + 3 * (9 * f + 1) * f\n"
            "    + 2 * (18 * f + 1) * f + (9 * f + 1) * p)",
            "1 beside 6",
        ),
        (LINE.format("count_parameters(maps, filters)", "67_299"), "it must be 66145"),
    ],
    "3.2": [
        (LINE.format("reach_after(n, l, k)", "1 + n * l * (k // 2)"), "on *each* side"),
        (LINE.format("reach_after(n, l, k)", "n * (1 + l * (k - 1))"), "counted in every look"),
        (LINE.format("reach_after(n, l, k)", "n * l * (k - 1)"), "the pixel itself is missing"),
        (LINE.format("reach_after(n, l, k)", "1 + l * (k - 1)"), "that is a single look"),
        (LINE.format("reach_after(n, l, k)", "1 + 14 * n"), "it must be 49"),
    ],
    "3.3": [
        (
            "def cost(s, n):\n    return sum(1 / s[min(i, len(s) - 1)] for i in range(n))\n"
            "half = (1,)",
            "a quarter of the cost",
        ),
        (LINE.format("cost(s, n)", "sum(1 / f**2 for f in s)") + "\nhalf = (1,)", "entry repeats"),
        ("{cost}\nhalf = (4, 4, 1)", "more than half"),
        ("{cost}\nhalf = (4, 4, 4, 4, 4, 4, 1)", "look closely more"),
        ("{cost}\nhalf = (1, 1, 1, 2, 2, 2, 4, 4)", "never back"),
        ("{cost}\nhalf = (2,)", "last look must be at full size"),
        ("{cost}\nhalf = 2", "a schedule is a tuple"),
    ],
    "3.4": [
        ("kernel = np.array([[[[0, 0, 0]], [[-1, 1, 0]], [[0, 0, 0]]]])", "has a height of 1"),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "kernel = np.array([left, left[:, ::-1], left.T, left.T[::-1]]).reshape(3, 3, 1, 4)",
            "scrambled",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "kernel = np.array([left, left[:, ::-1], left.T, left.T[::-1]])[..., None]",
            "the filters come first",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "four = [left.T, left.T[::-1], left, left[:, ::-1]]\n"
            "kernel = np.stack(four, axis=-1)[:, :, None]",
            "filter 0 looks at the upper neighbor",
        ),
        (
            "left = np.array([[0, 0, 0], [1, -1, 0], [0, 0, 0]])\n"
            "kernel = np.stack([left] * 4, axis=-1)[:, :, None]",
            "turn its sign",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 2, 0], [0, 0, 0]])\n"
            "kernel = np.stack([left] * 4, axis=-1)[:, :, None]",
            "A difference adds up to 0",
        ),
    ],
    "3.5": [
        (
            "from lle_utils.model import build_network\nmy_network = build_network()",
            "sees 15 pixels",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(3, 31, padding="same")])',
            "outside [0, 1] got in",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(64, 31, padding="same", activation="sigmoid"), layers.Conv2D(3, 1)])',
            "outside [0, 1] got in",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(64, 31, padding="same"), layers.Conv2D(3, 1, activation="sigmoid")])',
            "are allowed",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(3, 31, activation="sigmoid")])',
            "stopped with",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(1, 31, padding="same", activation="sigmoid")])',
            "every pixel and color needs its m",
        ),
        ("my_network = [1, 2, 3]", "a keras.Model was asked for"),
    ],
    "5.1": [
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    E = img / 255\n"
            "    for _ in range(index):\n        E = E + predict(E) * E * (1 - E)\n    return E",
            "before it asks the network",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    for _ in range(index):\n        M = predict(img)\n        img = img / 255\n"
            "        img = img + M * img * (1 - img)\n    return img",
            "in every round",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    E = img / 255\n"
            "    M = predict(img)\n    for _ in range(index):\n        E = E + M * E * (1 - E)\n"
            "        M = predict(E)\n    return E",
            "was asked 4 times and not 3",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    for _ in range(index):\n        M = predict(img)\n        if flag:\n"
            "            img /= 255\n            flag = 0\n        img = brighten(img, M)\n"
            "    return img",
            "it changes the array",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    if index == 0:\n"
            "        return img\n    E = img / 255 if flag else img\n"
            "    E = brighten(E, predict(img))\n"
            "    return enhance_in_a_loop(E, index - 1, 0, predict=predict)",
            "write a loop",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    while True:\n        predict(img)",
            "When does it stop?",
        ),
    ],
    "5.2": [
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n"
            "    for step in range(iterations):\n"
            "        image = brighten(image, predict_map(image, step))\n    return image",
            "this is a loop",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations == 0:\n"
            "        return image\n    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1)",
            "count them up",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations == 1:\n"
            "        return image\n    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1, step + 1)",
            "Which case ends the recursion?",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations:\n"
            "        image = brighten(image, predict_map(image, step))\n"
            "        my_recurse(image, predict_map, iterations - 1, step + 1)\n    return image",
            "return what the next call returns",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n"
            "    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1, step + 1)",
            "When does it stop?",
        ),
    ],
    "5.3": [
        (
            "choose_iterations = lambda i: 12 if i.mean() < 10 else 8 if i.mean() < 20 else 7",
            "255 times its mean",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * np.median(i)\n"
            "    return 12 if c < 10 else 8 if c < 20 else 7",
            "Take the mean",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * i.mean()\n"
            "    return 7 if c < 10 else 8 if c < 20 else 12",
            "turned around",
        ),
        ("choose_iterations = lambda i: 8", "however dark"),
        (
            "def choose_iterations(i):\n    c = 255 * i.mean()\n"
            "    return 12 if c <= 10 else 8 if c < 20 else 7",
            "Below means below",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * (i @ [0.299, 0.587, 0.114]).mean()\n"
            "    return 12 if c < 10 else 8 if c < 20 else 7",
            "a blue wall",
        ),
        ("choose_iterations = lambda i: 12 if 255 * i.mean() < 10 else 8", "gets 8 and not 7"),
    ],
    "5.4": [
        (
            "def iterate_until(image, predict_map, tolerance, most):\n    steps = 0\n"
            "    while steps < most:\n        old, image = image, brighten(image, "
            "predict_map(image, steps))\n        steps += 1\n"
            "        if np.abs(image - old).mean() <= tolerance:\n            break\n"
            "    return image, steps",
            "You average the changes",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n    steps, change = 0, 1\n"
            "    while change > tolerance:\n        old, image = image, brighten(image, "
            "predict_map(image, steps))\n        steps += 1\n"
            "        change = np.abs(image - old).max()\n    return image, steps",
            "Mind the limit",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    for step in range(most):\n"
            "        new = brighten(image, predict_map(image, step))\n"
            "        if np.abs(new - image).max() <= tolerance:\n            return image, step\n"
            "        image = new\n    return image, most",
            "is a step, too",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    for step in range(most):\n"
            "        image = brighten(image, predict_map(image, step))\n    return image, most",
            "it must be",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    while True:\n        image = brighten(image, predict_map(image, 0))",
            "When does it stop?",
        ),
        (LINE.format("iterate_until(image, predict_map, tolerance, most)", "image"), "two things"),
    ],
    "5.5": [
        (
            'order_matters = {"median": True, "gaussian": True}\nquiet = lambda d, b: b(d)',
            "does not matter for the median",
        ),
        (
            'order_matters = {"median": False, "gaussian": False}\nquiet = lambda d, b: b(d)',
            "the order matters for a Gaussian",
        ),
        (
            'order_matters = {"median": False, "gaussian": True}\nquiet = lambda d, b: b(d)',
            "no better than doing nothing",
        ),
        (
            "from scipy import ndimage\n"
            'order_matters = {"median": False, "gaussian": True}\n'
            "quiet = lambda d, b: b(ndimage.gaussian_filter(d, (1, 1, 0)))",
            "Did the edges go",
        ),
        (
            'order_matters = {"median": False, "gaussian": True}\nquiet = lambda d, b: d.mean()',
            "finite picture of shape",
        ),
    ],
}


def test_every_exercise_is_tried():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_exercises_are_whole_and_counted(name):
    found = solve.exercises(DOCUMENTS[name])
    stubs = [cell for cell in DOCUMENTS[name].cells if "exercise" in cell.metadata.get("tags", [])]
    tried = [cell for cell in DOCUMENTS[name].cells if "check" in cell.metadata.get("tags", [])]
    assert len(stubs) == len(tried) == len(found)
    chapter = int(name[:2])
    assert [task.number for task in found] == [f"{chapter}.{n}" for n in range(1, len(found) + 1)]
    if found:
        assert 3 <= len(found) <= 5
    text = "\n".join(cell.source for cell in DOCUMENTS[name].cells)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<details>") == text.count("</summary>\n\n"), "no empty line: not rendered"


@pytest.mark.parametrize("part", ["heading", "check", "hint", "solution"])
def test_an_exercise_without_a_part_is_refused(part):
    document = copy.deepcopy(DOCUMENTS["02_bend_one_curve"])
    index = solve.exercises(document)[0].index
    cells = document.cells
    if part == "heading":
        cells[index - 1].source = cells[index - 1].source.replace("### Exercise", "### Task")
    elif part == "check":
        cells[index + 1].metadata["tags"] = []
    elif part == "hint":
        cells[index + 2].source = cells[index + 2].source.replace("Hint", "Help")
    else:
        cells[index + 2].source = cells[index + 2].source.replace("```python", "```")
    with pytest.raises(ValueError, match="Exercise 2.1|no heading"):
        solve.exercises(document)


LESSON = """# %%
from lle_utils import checks

# %% [markdown]
# ### Exercise 2.1. Right

# %% tags=["exercise"]
is_safe = ...

# %% tags=["check"]
checks.is_safe(is_safe)

# %% [markdown]
# <details><summary>Hint</summary>
#
# None.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# is_safe = lambda m: abs(m) <= 1
# ```
#
# </details>
"""


def test_solving_fills_in_executes_and_tells_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))  # the kernel imports this package
    second = LESSON.replace("2.1. Right", "2.2. Wrong").replace("abs(m)", "m")
    script, notebook = tmp_path / "02_lesson.py", tmp_path / "02_lesson.ipynb"
    script.write_text(LESSON + "\n" + second)
    (line,) = solve.solve(script, notebook)
    assert line.startswith("Exercise 2.2. Wrong Not right yet: ")
    stubs = [cell.source for cell in nbformat.read(notebook, 4).cells if "lambda" in cell.source]
    assert "is_safe = lambda m: abs(m) <= 1" in stubs


@pytest.mark.parametrize("number", EXERCISES)
def test_the_stub_is_told_to_be_filled_in(number):
    verdict = judge(number, EXERCISES[number][1].stub)
    assert not verdict.correct and verdict.message.startswith("Not filled in yet: ")


@pytest.mark.parametrize("number", EXERCISES)
def test_the_committed_notebook_shows_the_stubs_verdict(number):
    name, task = EXERCISES[number]
    cell = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells[task.index + 1]
    shown = cell.outputs[0].data["text/plain"]
    assert shown.startswith("Not filled in yet: ")


@pytest.mark.parametrize("number", EXERCISES)
def test_the_folded_solution_is_correct(number):
    verdict = judge(number, EXERCISES[number][1].solution)
    assert verdict.correct and verdict.message.startswith("Correct. "), verdict.message


@pytest.mark.parametrize("number", RIGHT)
def test_a_right_answer_written_differently_is_correct(number):
    verdict = judge(number, RIGHT[number])
    assert verdict.correct, verdict.message


@pytest.mark.parametrize(
    ("number", "answer", "diagnosis"),
    [
        pytest.param(number, answer, diagnosis, id=f"{number}-{diagnosis}")
        for number, answers in WRONG.items()
        for answer, diagnosis in answers
    ],
)
def test_a_typical_mistake_gets_its_diagnosis(number, answer, diagnosis):
    solution = EXERCISES[number][1].solution
    verdict = judge(number, answer.replace("{cost}", solution.split("\n\n\n")[0]))
    assert not verdict.correct and verdict.message.startswith("Not right yet: ")
    assert diagnosis in verdict.message, verdict.message


def explode(*arguments, **named):
    raise RuntimeError("boom")


def leave(*arguments, **named):
    raise SystemExit(1)


NONSENSE = {
    "None": None,
    "dots": ...,
    "a number": 3.7,
    "nan": float("nan"),
    "a string": "many",
    "a list": [1, [2, 3]],
    "an object": object(),
    "an array": np.zeros((3, 2)),
    "returns None": lambda *arguments, **named: None,
    "returns dots": lambda *arguments, **named: ...,
    "returns a string": lambda *arguments, **named: "yes",
    "returns a number": lambda *arguments, **named: -17.3,
    "returns nan": lambda *arguments, **named: np.nan,
    "returns an array": lambda *arguments, **named: np.full((2, 2), 9.0),
    "returns objects": lambda *arguments, **named: [object(), [object()]],
    "takes nothing": lambda: 1,
    "raises": explode,
    "exits": leave,
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("number", EXERCISES)
def test_no_check_raises_or_believes_nonsense(number, nonsense):
    """Put one thing in place of every name that the stub assigns or defines."""
    name, task = EXERCISES[number]
    answer = NONSENSE[nonsense]
    namespace = definitions(name, task.index)
    for node in ast.walk(ast.parse(task.check)):
        if isinstance(node, ast.Name) and node.id != "checks":
            namespace[node.id] = answer
    verdict = eval(task.check, namespace)
    assert isinstance(verdict, verdicts.Verdict) and not verdict.correct
    assert not bool(verdict) and len(verdict.message) > 20
    assert repr(verdict).replace("\n", " ") == verdict.message


def test_a_network_written_as_a_class_is_judged_and_keeps_its_weights():
    import keras

    class Wide(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Conv2D(8, 3, dilation_rate=15, padding="same")
            self.last = keras.layers.Conv2D(3, 1, activation="sigmoid")

        def call(self, images):
            return self.last(self.first(images))

    network = Wide()
    network(np.zeros((1, 4, 4, 3), np.float32))
    before = network.get_weights()
    verdict = checks.far_seeing_network(network)
    assert verdict.correct and "31 pixels" in verdict.message
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_single_precision_is_as_right():
    def in_a_loop(img, index, flag=1, *, predict):
        img = np.float32(img)
        for _ in range(index):
            M = np.float32(predict(img))
            img, flag = img / np.float32(255 if flag else 1), 0
            img = img + M * img * (1 - img)
        return img

    assert checks.founding_loop(in_a_loop).correct
    assert checks.odds_factor(lambda x, m: np.float32(1) + m / (1 - m * np.float32(x))).correct
    assert checks.first_values(lambda c: np.maximum(np.float32(c) / 255, np.float32(0.5 / 255)))


# The machinery


def test_an_answer_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(verdicts, "SECONDS", 0.2)

    def is_safe(m):
        while True:
            with contextlib.suppress(Exception):  # as a student might
                m += 1

    verdict = checks.is_safe(is_safe)
    assert not verdict.correct and "Does it end?" in verdict.message


def test_a_check_works_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(checks.is_safe(lambda m: abs(m) <= 1)))
    thread.start()
    thread.join()
    assert found[0].correct


def test_an_answer_cannot_spoil_what_the_check_compares_with():
    def first_values(codes):
        codes[:] = 0
        return np.full(codes.shape, 0.5 / 255)

    assert not checks.first_values(first_values).correct


def test_a_persons_interrupt_gets_through():
    def is_safe(m):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.is_safe(is_safe)
