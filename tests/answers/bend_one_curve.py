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
}
