"""Answers to the exercises of the notebook that is called bend_one_curve."""

LINE = "def {0}:\n    return {1}"

RIGHT = {
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
}

WRONG = {
    "2.1": [
        (LINE.format("is_safe(m)", "m >= -1"), "m = 1.5 got in"),
        (LINE.format("is_safe(m)", "m <= 1"), "the darkest pixels turn negative"),
        (LINE.format("is_safe(m)", "abs(m) < 1"), "m = 1 is safe"),
        (LINE.format("is_safe(m)", "0 <= m <= 1"), "it darkens, but stays"),
        (LINE.format("is_safe(m)", "abs(m) <= 2"), "neither monotone nor inside [0, 1]"),
        (LINE.format("is_safe(m)", "False"), "m = 0.3 is safe"),
        ("is_safe = lambda m: 'True' if abs(m) <= 1 else 'False'", "and this is text"),
        (
            "is_safe = lambda m: 1 + m * (1 - 2 * np.linspace(0, 1, 101)) >= 0",
            "and this is 101 values",
        ),
        ("is_safe = lambda m: 1 - abs(m)", "m = 1.5 got in"),
    ],
    "2.2": [
        (LINE.format("steps_for(g, m)", "round(np.log(g) / np.log(1 + m))"), "you rounded. With"),
        (LINE.format("steps_for(g, m)", "int(np.log(g) / np.log(1 + m))"), "you rounded down"),
        (LINE.format("steps_for(g, m)", "np.log(g) / np.log(1 + m)"), "must be a whole number"),
        (LINE.format("steps_for(g, m)", "int(np.ceil(np.log2(g)))"), "doubles only for m = 1"),
        (LINE.format("steps_for(g, m)", "int(np.ceil((g - 1) / m))"), "steps multiply"),
        (LINE.format("steps_for(g, m)", "int(np.ceil(np.log(g) / m))"), "not by e to the m"),
        ("steps_for = lambda g, m: int(np.log(g) / np.log(1 + m)) + 1", "one step too many"),
        (
            """
def steps_for(g, m):
    x, n = 1e-6, 0
    while x < g * 1e-6:
        x, n = brighten(x, m), n + 1
    return n
""",
            "near black count 1 - x as 1",
        ),
        (
            """
def steps_for(g, m):
    n = 1
    while (1 + m) ** n < g:
        n += 1
    return n
""",
            "before the first step",
        ),
        ("steps_for = lambda g, m: int(np.ceil(g / (1 + m)))", "steps_for(30, 0.38) gives 22"),
    ],
    "2.3": [
        (LINE.format("first_values(c)", "c / 255"), "0 is a fixed point"),
        (LINE.format("first_values(c)", "c / 255 + 0.5 / 255"), "white is above 1"),
        (LINE.format("first_values(c)", "np.maximum(c, 1) / 255"), "codes 0 and 1 the same"),
        (LINE.format("first_values(c)", "np.maximum(c / 255, 0.5)"), "middle gray"),
        (LINE.format("first_values(c)", "np.maximum(c, 0.5)"), "these are still codes"),
        ("first_values = lambda c: np.maximum(c / 255, 0.5 / 256)", "a code is 1 / 255"),
        ("first_values = lambda c: np.maximum(c, 0.5) / 256", "white must stay 1"),
        ("first_values = lambda c: np.where(c == 0, 0.5, c / 255)", "black became 0.5"),
        ("first_values = lambda c: np.maximum(c // 255, 0.5 / 255)", "throws away"),
        (
            """
def first_values(c):
    c[c == 0] = 0.5
    return c / 255
""",
            "exact black is still 0",
        ),
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
        ("odds_factor = lambda x, m: (1 + m * x) / (1 - m * (1 - x))", "are exchanged"),
        ("odds_factor = lambda x, m: (1 + m * (1 - x)) / (1 + m * x)", "a sign"),
        ("odds_factor = lambda x, m: 1 + m * (1 - x) / (1 - m * x)", "brackets are missing"),
        (
            "odds_factor = lambda x, m: np.log((1 + m * (1 - x)) / (1 - m * x))",
            "the logarithm of the factor",
        ),
        (
            """
def odds_factor(x, m):
    x = np.clip(x, 1e-6, 1 - 1e-6)
    f = x + m * x * (1 - x)
    return f / (1 - f) / (x / (1 - x))
""",
            "nearly right",
        ),
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
        (
            """
logit = lambda x: np.log10(x / (1 - x))
shift = lambda x, t: logit(t) - logit(x)
m_for = lambda x, t, n: 0.4
""",
            "base 10",
        ),
        (
            """
shift = lambda x, t: t / (1 - t) / (x / (1 - x))
m_for = lambda x, t, n: 0.4
""",
            "the ratio of the odds",
        ),
        (
            """
shift = lambda x, t: t / (1 - t) - x / (1 - x)
m_for = lambda x, t, n: 0.4
""",
            "the difference of the odds",
        ),
        (
            """
shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))
def m_for(x, t, n):
    ms = np.linspace(0, 1, 10_001)
    reached = iterate(x, ms, n)
    return ms[np.argmin(abs(reached - t))] if x < t <= reached[-1] else None
""",
            "m = 0 leads from 0.4",
        ),
        (
            """
shift = lambda x, t: np.log(t / (1 - t)) - np.log(x / (1 - x))
def m_for(x, t, n):
    ms = np.linspace(0, 1, 10_001)
    reached = iterate(x, ms, n)
    return ms[np.argmin(abs(reached - t))] if x <= t <= reached[-1] else 'none'
""",
            "gives none, but even m = 1",
        ),
    ],
}

# Right answers that a check once called wrong, or might.
MORE_RIGHT = {
    "2.1": [
        "is_safe = lambda m: m * m <= 1",
        """
def is_safe(m):
    x = np.linspace(0, 1, 256)
    y = brighten(x, m)
    return bool(y.min() >= 0 and y.max() <= 1 and (np.diff(y) >= 0).all())
""",
    ],
    "2.2": [
        """
import math
steps_for = lambda gain, m: math.ceil(math.log(gain, 1 + m))
""",
    ],
    "2.3": [
        "first_values = lambda codes: np.where(codes == 0, 0.5, codes) / 255",
        "first_values = lambda codes: np.clip(codes / np.float32(255), np.float32(0.5 / 255), 1)",
    ],
    "2.4": [
        "odds_factor = np.vectorize(lambda x, m: (1 + m - m * x) / (1 - m * x))",
    ],
    "2.5": [
        """
shift = lambda x, target: np.log(target * (1 - x) / (x * (1 - target)))
def m_for(x, target, n):
    ms = np.linspace(0, 1, 10_001)
    reached = iterate(x, ms, n)
    if target < x or target > reached[-1]:
        return None
    return np.interp(target, reached, ms)
""",
    ],
}
