"""Answers to the exercises of the notebook that is called measure_honestly."""

ONE = "def {0}:\n    return {1}"

PROTOCOL = """
def my_mean_psnr(outputs, references):
    values = []
    for output, reference in zip(outputs, references):
        {output}
        error = {error}
        values.append({value})
    return {mean}
"""


def protocol(
    output="output = np.rint(255 * np.clip(output, 0, 1)) / 255",
    error="np.mean((output - reference) ** 2)",
    value="-10 * np.log10(error)",
    mean="np.mean(values)",
):
    """Return the folded solution with one line changed."""
    return PROTOCOL.format(output=output, error=error, value=value, mean=mean)


BOOTSTRAP = """
def my_interval(ours, theirs):
    rng = np.random.default_rng(3)
    differences = {differences}
    means = {means}
    return {interval}
"""


def bootstrap(
    differences="ours - theirs",
    means="rng.choice(differences, (10_000, len(ours))).mean(axis=1)",
    interval="np.quantile(means, [0.025, 0.975])",
):
    """Return the folded solution with one line changed."""
    return BOOTSTRAP.format(differences=differences, means=means, interval=interval)


FAULT = """
def main_fault(enhanced, reference):
    exposure, cast, detail = split_error(enhanced, reference)
    parts = {"exposure": exposure, "cast": cast, "DETAIL": detail}
    return max(parts, key=parts.get)
"""

RIGHT = {
    "6.1": """
import math
def true_psnr(printed, max_val, peak):
    mse = max_val**2 / 10 ** (np.float32(printed) / 10)
    return 10 * np.log10(peak**2 / mse)
""",
    "6.2": """
def my_mean_psnr(outputs, references):
    total = 0
    for output, reference in zip(outputs, references):
        codes = [np.floor(np.minimum(np.maximum(x, 0), 1) * np.float32(255) + 0.5).astype("uint8")
                 for x in (output, reference)]
        apart = codes[0].astype(np.float32) - codes[1].astype(np.float32)
        total += 20 * np.log10(255) - 10 * np.log10(np.square(apart).sum() / apart.size)
    return total / len(outputs)
""",
    "6.3": """
import random
def my_interval(ours, theirs):
    random.seed(11)
    pictures = range(len(ours))
    means = []
    for _ in range(10_000):
        drawn = random.choices(pictures, k=len(ours))
        means.append(sum(ours[i] for i in drawn) / len(drawn)
                     - sum(theirs[i] for i in drawn) / len(drawn))
    means.sort()
    return [means[249], means[9749]]
""",
    "6.4": """
def leave_one_out(table):
    scores = []
    for i, row in enumerate(table.tolist()):
        others = [other for j, other in enumerate(table.tolist()) if j != i]
        means = [sum(column) / len(others) for column in zip(*others)]
        scores.append(row[means.index(max(means))])
    return sum(scores) / len(scores)
""",
    "6.5": """
def main_fault(enhanced, reference):
    error = np.float32(enhanced) - np.float32(reference)
    means = error.mean((0, 1))
    if (error**2).mean() < 2 * (means**2).mean():
        return "Exposure" if abs(means.mean()) > means.std() else "cast"
    def grain(x):
        return np.abs(x[1:, 1:] - x[:-1, 1:] - x[1:, :-1] + x[:-1, :-1]).mean()
    return "noise" if grain(enhanced) > grain(reference) else "blur"
""",
}

WRONG = {
    "6.1": [
        (
            "def true_psnr(printed, max_val, peak):\n"
            "    return printed - 10 * np.log10(max_val / peak)",
            "the peak is squared",
        ),
        (
            "def true_psnr(printed, max_val, peak):\n"
            "    return printed + 20 * np.log10(max_val / peak)",
            "the sign is turned around",
        ),
        (
            ONE.format("true_psnr(printed, max_val, peak)", "printed * peak / max_val"),
            "does not multiply",
        ),
        (ONE.format("true_psnr(printed, max_val, peak)", "printed / max_val"), "does not multiply"),
        (
            "def true_psnr(printed, max_val, peak):\n    return printed - 48.1308036",
            "right for 255 on data in [0, 1]",
        ),
        (
            "def true_psnr(printed, max_val, peak):\n    return printed - 20 * np.log10(max_val)",
            "where the peak is 1",
        ),
        (
            "def true_psnr(printed, max_val, peak):\n"
            "    return printed - 20 * np.log(max_val / peak)",
            "natural",
        ),
        (ONE.format("true_psnr(printed, max_val, peak)", "19"), "it must be 18.869"),
    ],
    "6.2": [
        (protocol(output="output = np.clip(output, 0, 1)"), "not rounded"),
        (protocol(output="pass"), "neither clipped nor rounded"),
        (protocol(output="output = np.rint(255 * output) / 255"), "rounded, but not clipped"),
        (
            protocol(output="output = (255 * np.clip(output, 0, 1)).astype(np.uint8) / 255"),
            "you cut the codes off",
        ),
        (
            protocol(output="output = np.rint(255 * output).astype(int).astype(np.uint8) / 255"),
            "became a dark code",
        ),
        (protocol(value="error", mean="-10 * np.log10(np.mean(values))"), "took one logarithm"),
        (
            "def my_mean_psnr(outputs, references):\n"
            "    errors = [np.ravel(np.rint(255 * np.clip(o, 0, 1)) / 255 - r)\n"
            "              for o, r in zip(outputs, references)]\n"
            "    return -10 * np.log10(np.mean(np.concatenate(errors) ** 2))",
            "took one logarithm",  # of pictures of one size: as if the errors were averaged
        ),
        (
            protocol(error="np.mean(((output - reference) @ [0.299, 0.587, 0.114]) ** 2)"),
            "on luma",
        ),
        (protocol(error="np.mean((output - reference).mean(axis=2) ** 2)"), "on gray"),
        (
            protocol(
                error="np.mean((output - reference) ** 2, axis=(0, 1))",
                value="np.mean(-10 * np.log10(error))",
            ),
            "of each channel",
        ),
        (protocol(value="10 * np.log10(255**2 / error)"), "48 dB too much"),
        (protocol(value="10 * np.log10(error)"), "the sign"),
        (protocol(mean="values"), "one number was asked for"),
        (
            protocol(
                output="output = np.rint(255 * np.clip(output, 0, 1)).astype(np.uint8)\n"
                "        reference = np.rint(255 * reference).astype(np.uint8)",
                value="-10 * np.log10(error / 255**2)",
            ),
            "subtracted and squared as uint8",
        ),
        (
            protocol(
                output="output = np.rint(255 * np.clip(output, 0, 1)).astype(np.uint8)\n"
                "        reference = np.rint(255 * reference).astype(np.uint8)",
                error="np.mean((output - reference).astype(float) ** 2)",
                value="-10 * np.log10(error / 255**2)",
            ),
            "you subtracted uint8",
        ),
        (
            "def my_mean_psnr(outputs, references):\n"
            "    outputs = np.rint(255 * np.clip(np.array(outputs), 0, 1)) / 255\n"
            "    errors = np.mean((outputs - np.array(references)) ** 2, axis=(1, 2, 3))\n"
            "    return np.mean(-10 * np.log10(errors))",
            "stopped with ValueError",
        ),
    ],
    "6.3": [
        (
            bootstrap(
                means="(rng.choice(ours, (10_000, len(ours))).mean(axis=1)\n"
                "        - rng.choice(theirs, (10_000, len(ours))).mean(axis=1))"
            ),
            "Draw the *differences*",
        ),
        (bootstrap(means="differences"), "how single pictures spread"),
        (bootstrap(means="rng.choice(differences, 10_000)"), "how single pictures spread"),
        (
            bootstrap(
                interval="differences.mean() - 2 * differences.std(ddof=1), "
                "differences.mean() + 2 * differences.std(ddof=1)"
            ),
            "how single pictures spread",
        ),
        (
            bootstrap(
                interval="differences.mean() - 1.96 * differences.std(ddof=1) / len(ours) ** 0.5, "
                "differences.mean() + 1.96 * differences.std(ddof=1) / len(ours) ** 0.5"
            ),
            "presumes a bell",
        ),
        (
            bootstrap(
                interval="means.mean() - 1.96 * means.std(), means.mean() + 1.96 * means.std()"
            ),
            "presumes a bell",
        ),
        (bootstrap(interval="np.quantile(means, [0.05, 0.95])"), "leave 90 %"),
        (bootstrap(interval="np.quantile(means, 0.05), means.max()"), "only one side"),
        (bootstrap(interval="np.quantile(means, [0.975, 0.025])"), "exchanged"),
        (bootstrap(differences="theirs - ours"), "the sign is turned around"),
        (
            bootstrap(interval="2 * differences.mean() - np.quantile(means, [0.975, 0.025])"),
            "mirrored",
        ),
        (
            bootstrap(means="np.array([rng.permutation(differences).mean() for _ in range(1000)])"),
            "every drawing has the same mean",
        ),
        (bootstrap(interval="differences.mean()"), "two finite numbers"),
    ],
    "6.4": [
        (ONE.format("leave_one_out(table)", "table.mean(axis=0).max()"), "this is flattered"),
        (
            "def leave_one_out(table):\n    best = table.mean(axis=0).argmax()\n"
            "    return np.mean([row[best] for row in table])",
            "this is flattered",
        ),
        (ONE.format("leave_one_out(table)", "table.max(axis=1).mean()"), "That is the ceiling"),
        (
            "def leave_one_out(table):\n    scores = []\n    for i in range(len(table)):\n"
            "        means = np.delete(table, i, axis=0).mean(axis=0)\n"
            "        scores.append(means.max())\n    return np.mean(scores)",
            "scored the others, too",
        ),
        (
            "def leave_one_out(table):\n    scores = []\n    for i in range(len(table)):\n"
            "        means = np.delete(table, i, axis=0).mean(axis=0)\n"
            "        scores.append(table[i, means.argmin()])\n    return np.mean(scores)",
            "not argmin",
        ),
        (
            "def leave_one_out(table):\n    scores = []\n    for i in range(table.shape[1]):\n"
            "        means = np.delete(table, i, axis=1).mean(axis=1)\n"
            "        scores.append(table[means.argmax(), i])\n    return np.mean(scores)",
            "a row is a picture",
        ),
        (
            "def leave_one_out(table):\n    scores = []\n    for i in range(len(table)):\n"
            "        means = np.delete(table, i, axis=0).mean(axis=0)\n"
            "        scores.append(table[i, means.argmax()])\n    return scores",
            "one number was asked for",
        ),
    ],
    "6.5": [
        (FAULT.replace("DETAIL", "noise"), "'blur' was called 'noise'"),
        (FAULT.replace("DETAIL", "blur"), "'noise' was called 'blur'"),
        (FAULT.replace("DETAIL", "detail"), "'detail' is none of these words"),
        (ONE.format("main_fault(enhanced, reference)", "'exposure'"), "always 'exposure'"),
        (
            "def main_fault(enhanced, reference):\n    return split_error(enhanced, reference)",
            "one word was asked for",
        ),
        (
            "def main_fault(enhanced, reference):\n"
            "    exposure, cast, detail = split_error(enhanced, reference)\n"
            "    if max(exposure, cast) > detail:\n        return 'exposure'\n"
            "    return 'noise' if np.var(enhanced) > np.var(reference) else 'blur'",
            "'cast' was called 'exposure'",
        ),
    ],
}
