"""Checks of the exercises in notebook 06, measure honestly."""

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import ndimage

from lle_utils import data
from lle_utils.checks.verdicts import Wrong, ask, check, compare, numbers


@check
def true_psnr(function) -> str:
    """Check ``function(printed, max_val, peak)``: the PSNR that a call with max_val should print.

    `printed` is what it did print, in decibels, a number or an array; `max_val` what the call was
    told, and `peak` the largest value that the data can have.
    """

    def right(printed, max_val, peak):
        return np.asarray(printed) - 20 * np.log10(max_val / peak)

    mistakes = {
        "the peak is squared in the formula, so a factor counts 20 log10 and not 10 log10.": (
            lambda p, v, peak: np.asarray(p) - 10 * np.log10(v / peak)
        ),
        "decibels are logarithms: a factor in the peak adds to them, it does not multiply them.": (
            lambda p, v, peak: np.asarray(p) * peak / v
        ),
        "decibels use the logarithm to base 10, and this is the natural one.": (
            lambda p, v, peak: np.asarray(p) - 20 * np.log(v / peak)
        ),
        "right for 255 on data in [0, 1], and for nothing else: use max_val and peak.": (
            lambda p, v, peak: np.asarray(p) - 20 * np.log10(255)
        ),
        "right where the peak is 1. In general the ratio of max_val and peak counts.": (
            lambda p, v, peak: np.asarray(p) - 20 * np.log10(v)
        ),
        "the sign is turned around. A max_val that is too large flatters; take that away again.": (
            lambda p, v, peak: np.asarray(p) + 20 * np.log10(v / peak)
        ),
    }
    probes = [
        (67.0, 255, 1),
        (-20.0, 1, 255),
        (np.array([67.0, 31.5, 60.2]), 255.0, 1.0),
        (48.0, 65535, 255),
        (22.5, 1, 1),
        (30, 255, 255),
    ]
    compare(function, right, probes, mistakes, tolerance=1e-4)
    return (
        "255 on data in [0, 1] adds 48.13 dB, so 67 dB were 19. No picture became better: the call "
        "divides by a peak that the data cannot reach."
    )


def _psnr_mean(
    outputs, references, prepare: Callable | None = None, weights=None, pool: str = ""
) -> float:
    """Take the mean PSNR by the protocol, or with one of its rules broken."""
    prepare = prepare or (lambda x: np.rint(255 * np.clip(x, 0, 1)) / 255)
    errors = [prepare(np.asarray(o, float)) - r for o, r in zip(outputs, references, strict=True)]
    if weights is not None:
        errors = [error @ np.asarray(weights) for error in errors]
    if pool == "pixels":
        squared = np.array([np.mean(np.concatenate([e.ravel() for e in errors]) ** 2)])
    elif pool == "pictures":
        squared = np.array([np.mean([np.mean(e**2) for e in errors])])
    elif pool == "channels":
        squared = np.array([np.mean(e**2, axis=(0, 1)) for e in errors])
    else:
        squared = np.array([np.mean(e**2) for e in errors])
    return float(np.mean(-10 * np.log10(squared)))


def _codes_wrap(x):
    return np.rint(255 * x).astype(np.int64) % 256 / 255


def _subtracted_as_bytes(outputs, references, squared_too: bool) -> float:
    found = []
    for output, reference in zip(outputs, references, strict=True):
        a, b = (np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8) for x in (output, reference))
        error = (a - b) ** 2 if squared_too else (a - b).astype(float) ** 2
        found.append(10 * np.log10(255**2 / error.mean()))
    return float(np.mean(found))


@cache
def _outputs() -> list[tuple[list[np.ndarray], list[np.ndarray]]]:
    """Return lists of outputs and references: small and large errors, casts, values outside."""
    rng = np.random.default_rng(3)
    probes = []
    for shapes in ([(16, 20)] * 3, [(16, 20), (30, 24), (7, 9)], [(12, 12)]):
        outputs, references = [], []
        for shape, spread in zip(shapes, (0.8, 9, 40), strict=False):
            codes = rng.integers(0, 256, (*shape, 3))
            changed = codes + spread * (rng.standard_normal(codes.shape) + [1.0, 0, -1.0])
            # Far from the middle between two codes, where ways to round may differ.
            changed = np.floor(changed) + rng.choice([0.1, 0.3, 0.35, 0.7, 0.8], codes.shape)
            outputs.append(changed / 255)
            references.append(codes / 255)
        probes.append((outputs, references))
    return probes


@check
def mean_psnr(function) -> str:
    """Check ``function(outputs, references)``: the mean PSNR by this workbook's protocol.

    Both are lists of RGB pictures (height, width, 3), which may differ in size from one to the
    next. References lie on 8-bit levels in [0, 1]; outputs are floats and may lie outside.
    """

    def clipped(x):
        return np.clip(x, 0, 1)

    def cut(x):
        return np.floor(255 * np.clip(x, 0, 1)) / 255

    def not_clipped(x):
        return np.rint(255 * x) / 255

    def broken(**rules):
        return lambda outputs, references: _psnr_mean(outputs, references, **rules)

    mistakes = {
        "you averaged the squared errors first and took one logarithm. The worst picture then "
        "outweighs the others: take the PSNR of each picture, and average those.": (
            broken(pool="pictures")
        ),
        "you pooled all pixels, so that the largest and the worst picture outweigh the others: "
        "take the PSNR of each picture, and average those.": broken(pool="pixels"),
        "the outputs are not rounded to 8 bits. A file would hold whole codes.": (
            broken(prepare=clipped)
        ),
        "neither clipped nor rounded: a file can hold no value outside [0, 1], and whole codes "
        "only.": broken(prepare=lambda x: x),
        "rounded, but not clipped: a file can hold no value outside [0, 1].": (
            broken(prepare=not_clipped)
        ),
        "a value above 1 became a dark code: clip to [0, 1] before you turn values into "
        "uint8.": broken(prepare=_codes_wrap),
        "you cut the codes off in place of rounding them: .astype(np.uint8) drops what follows the "
        "point. np.rint first.": broken(prepare=cut),
        "this is on luma. The protocol compares all three channels.": (
            broken(weights=[0.299, 0.587, 0.114])
        ),
        "this is on gray, and what differs between the channels cancels: compare all three.": (
            broken(weights=[1 / 3, 1 / 3, 1 / 3])
        ),
        "you took a PSNR of each channel. The protocol takes one over all three, a picture.": (
            broken(pool="channels")
        ),
        "48 dB too much: 255 is the peak of codes, and these values reach 1.": (
            lambda o, r: _psnr_mean(o, r) + 20 * np.log10(255)
        ),
        "the sign: a PSNR is *minus* ten times the logarithm of the error.": (
            lambda o, r: -_psnr_mean(o, r)
        ),
        "you subtracted uint8 from uint8. There 3 - 5 is 254: turn them into floats first.": (
            lambda o, r: _subtracted_as_bytes(o, r, squared_too=False)
        ),
        "you subtracted and squared as uint8. There 3 - 5 is 254, and 16 squared is 0: turn them "
        "into floats first.": lambda o, r: _subtracted_as_bytes(o, r, squared_too=True),
        "one number was asked for: average the PSNRs of the pictures.": (
            lambda o, r: [_psnr_mean([a], [b]) for a, b in zip(o, r, strict=True)]
        ),
    }
    compare(function, _psnr_mean, _outputs(), mistakes, tolerance=1e-4)
    return "Clipped, on whole codes, in RGB, a logarithm a picture, and then the mean."


@cache
def _differences() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return PSNRs of two methods on the same pictures, some much easier than others.

    The differences lean to one side, so that an interval of means is not symmetric.
    """
    rng = np.random.default_rng(8)
    easy = rng.uniform(10, 30, 9)
    differences = np.array([-0.5, -0.2, 0.0, 0.2, 0.5, 0.9, 1.4, 2.2, 4.5])
    return easy + differences, easy, differences


@check
def paired_interval(function) -> str:
    """Check ``function(ours, theirs)``: a 95 % bootstrap interval of the mean of ours - theirs.

    Both are arrays of PSNRs, of the same pictures in the same order. The result is low, high: the
    2.5 % and 97.5 % quantiles of the means of drawings with replacement.
    """
    ours, theirs, differences = _differences()
    low, high = _asked_interval(function, ours, theirs)
    rng = np.random.default_rng(1)
    means = rng.choice(differences, (200_000, differences.size)).mean(axis=1)
    spread, mean = means.std(), differences.mean()

    def is_near(a, b, room=0.2):  # a quantile of 10,000 means scatters by 0.04
        return abs(low - a) < room * spread and abs(high - b) < room * spread

    right = np.quantile(means, [0.025, 0.975])
    if not is_near(*right):
        raise Wrong(_what_is_wrong(is_near, ours, theirs, means, low, high, right))
    mirrored = _asked_interval(function, theirs, ours)
    if abs(mirrored[0] + right[1]) > 0.25 * spread or abs(mirrored[1] + right[0]) > 0.25 * spread:
        raise Wrong("with the methods exchanged, both bounds must change their sign and places.")
    low, high = _asked_interval(function, theirs + 0.3, theirs)
    if max(abs(low - 0.3), abs(high - 0.3)) > 1e-3:
        raise Wrong(
            "where every picture gains exactly 0.3 dB there is no doubt: the interval must be "
            f"(0.3, 0.3), and yours is ({low:.2f}, {high:.2f})."
        )
    return (
        f"From {right[0]:.2f} to {right[1]:.2f} dB: not symmetric around the mean of {mean:.2f}, "
        "because two pictures of nine bring most of it. And what is hard for both has cancelled."
    )


def _asked_interval(function, ours, theirs) -> tuple[float, float]:
    found = numbers(ask(function, ours, theirs), "the interval")
    if found.shape != (2,) or not np.isfinite(found).all():
        raise Wrong("two finite numbers were asked for: return low, high.")
    return float(found[0]), float(found[1])


def _what_is_wrong(is_near, ours, theirs, means, low, high, right) -> str:
    rng, differences = np.random.default_rng(2), ours - theirs
    size = (100_000, ours.size)
    apart = rng.choice(ours, size).mean(axis=1) - rng.choice(theirs, size).mean(axis=1)
    mean, deviation = differences.mean(), differences.std()
    bell = 1.96 * deviation / np.sqrt(ours.size)
    told = f"from {low:.2f} to {high:.2f} dB; it must be about {right[0]:.2f} to {right[1]:.2f}"
    if is_near(*right[::-1]):
        return "low and high are exchanged: the 2.5 % quantile comes first."
    if is_near(*-right[::-1]):
        return "the sign is turned around: ours minus theirs, so that better is positive."
    inner, outer = np.quantile(differences, [0.025, 0.975]), (differences.min(), differences.max())
    if (outer[0] <= low <= inner[0] + 0.1 and inner[1] - 0.1 <= high <= outer[1]) or is_near(
        mean - 1.96 * deviation, mean + 1.96 * deviation, room=0.6
    ):
        return (
            f"that is how single pictures spread: {told}. Asked is how the *mean* of nine would "
            "spread: draw nine, take their mean, and again."
        )
    if is_near(*np.quantile(apart, [0.025, 0.975]), room=1):
        return (
            "you drew pictures for each method by itself, and how hard the pictures are came back "
            f"in: {told}. Draw the *differences*."
        )
    if is_near(*np.quantile(means, [0.05, 0.95]), room=0.15):
        return f"5 % on each side leave 90 %: {told}. Use 2.5 % on each side."
    if abs(low - right[0]) < 0.4 * means.std() and high > right[1] + 0.5 * means.std():
        return f"only one side is cut: {told}. 2.5 % must be missing at each end."
    if low == high:
        return (
            "every drawing has the same mean. Drawn *with* replacement some pictures come twice "
            "and others not at all."
        )
    if is_near(2 * mean - right[1], 2 * mean - right[0]):
        return f"the quantiles were mirrored at the mean: {told}. Take them as they are."
    if is_near(mean - bell, mean + bell, room=0.2):
        return (
            f"that is the mean and 1.96 standard errors on each side: {told}. It presumes a bell, "
            "and two of these nine lie far off. The bootstrap presumes nothing: draw."
        )
    return f"your interval goes {told}, the 2.5 % and 97.5 % quantiles of the drawn means."


@check
def leave_one_out(function) -> str:
    """Check ``function(table)``: what constants score that are fitted without the picture.

    ``table[i, k]`` is the PSNR of picture i with constant number k. For each picture the constant
    is the one with the best mean over the *other* pictures; the result is the mean PSNR.
    """

    def choices(table):
        others = table.sum(axis=0) - table
        return others.argmax(axis=1)

    def right(table):
        return table[np.arange(len(table)), choices(table)].mean()

    def of_others(table):
        return (table.sum(axis=0) - table).max(axis=1).mean() / (len(table) - 1)

    rng = np.random.default_rng(4)
    probes = []
    for pictures, constants in ((6, 9), (15, 4), (3, 12), (4, 4), (2, 3)):
        best = rng.uniform(0, constants - 1, pictures)
        away = np.abs(np.arange(constants) - best[:, None])
        table = 24 - 2 * away + rng.normal(0, 2, (pictures, 1)) + rng.normal(0, 0.5, away.shape)
        probes.append((table,))
    mistakes = {
        "you fitted the constant on the pictures that you score: this is flattered. Leave the "
        "picture out before you choose.": lambda t: t.mean(axis=0).max(),
        "each picture got its own best constant. That is the ceiling, found by looking at the "
        "answers: choose by the *other* pictures.": lambda t: t.max(axis=1).mean(),
        "you chose by the others, and then scored the others, too. Score the one left out.": (
            of_others
        ),
        "you chose the constant that is worst for the others: argmax, not argmin.": (
            lambda t: t[np.arange(len(t)), (t.sum(axis=0) - t).argmin(axis=1)].mean()
        ),
        "you left out constants in place of pictures: a row is a picture, a column a "
        "constant.": lambda t: right(t.T),
        "one number was asked for: the mean over the pictures.": (
            lambda t: t[np.arange(len(t)), choices(t)]
        ),
        "that is which constant is best, and not what it scores.": lambda t: choices(t),
    }
    compare(function, right, probes, mistakes, tolerance=1e-5)
    return (
        "No picture had a say in its own constant. It can never score more than one constant "
        "fitted on all of them."
    )


FAULTS = ("exposure", "cast", "noise", "blur")


def _spoil(reference: np.ndarray, fault: str, rng) -> np.ndarray:
    """Return the error that a fault makes, with a mean square of 1."""
    if fault == "exposure":
        error = rng.choice([-1, 1]) * reference
    elif fault == "cast":
        gains = np.array([1.0, 0.1, -1.1])[rng.permutation(3)]
        error = gains * reference
    elif fault == "noise":
        error = rng.standard_normal(reference.shape)
    else:
        error = ndimage.gaussian_filter(reference, (2, 2, 0)) - reference
    return error / np.sqrt(np.mean(error**2))


@cache
def _spoiled() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return pictures in which one fault makes most of the error: its name, spoiled, reference."""
    rng = np.random.default_rng(6)
    found = []
    for name in ("admiral", "coffee", "room"):
        high = data.load("sample", "test", lazy=True)[name].high[100:260, 120:360].astype(float)
        reference = 0.15 + 0.7 * high  # away from the ends, so that nothing is clipped
        blurred = ndimage.gaussian_filter(reference, (2, 2, 0)) - reference
        most = np.sqrt(np.mean(blurred**2))  # a blur cannot do more
        for main in FAULTS:
            for share in (0.5, 0.95):
                size = share * min(most, 0.04)
                error = size * _spoil(reference, main, rng)
                for other in FAULTS:
                    if other != main:
                        error = error + 0.2 * size * _spoil(reference, other, rng)
                found.append((main, np.clip(reference + error, 0, 1), reference))
    return found


@check
def main_fault(function) -> str:
    """Check ``function(enhanced, reference)``: which fault makes most of the squared error.

    "exposure", "cast", "noise" or "blur", for a picture (height, width, 3) in [0, 1] and its
    reference. The pictures are photographs, spoiled in known ways.
    """
    said, confused = [], {}
    for main, enhanced, reference in _spoiled():
        word = ask(function, enhanced, reference)
        if not isinstance(word, str):
            raise Wrong(f"one word was asked for, of these: {', '.join(FAULTS)}.")
        word = word.strip().lower()
        if word not in FAULTS:
            raise Wrong(f"{word[:20]!r} is none of these words: {', '.join(FAULTS)}.")
        said.append((main, word))
        if word != main:
            confused[main, word] = confused.get((main, word), 0) + 1
    right, total = sum(main == word for main, word in said), len(said)
    if len({word for _, word in said}) == 1:
        raise Wrong(f"always {said[0][1]!r}, whatever was done to the picture.")
    missed = [main for main in FAULTS if all(word != main for m, word in said if m == main)]
    if right < 0.9 * total or missed:
        (main, word), count = max(confused.items(), key=lambda item: item[1])
        raise Wrong(
            f"{right} of {total} spoiled photographs are named rightly; 9 in 10 are asked for. "
            f"Most often ({count} times) {main!r} was called {word!r}. {_ADVICE[main]}"
        )
    return f"{right} of {total} spoiled photographs are named rightly, of faults mixed 25 to 1."


_ADVICE = {
    "exposure": "An exposure moves all channels together: look at the error's mean.",
    "cast": "A cast moves the channels apart: look at how the means of their errors spread.",
    "noise": "Noise does not know the reference: its error has grain where the reference is flat.",
    "blur": "Blur takes edges away: its error looks like the blurred reference minus the "
    "reference.",
}
