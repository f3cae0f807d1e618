"""Exercises of notebook 06, measure honestly."""

from functools import cache

import numpy as np
from scipy import ndimage, stats

from lle_utils import data
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, ask
from lle_utils.checks.reading import require


def _decibels(factor):
    return 20 * np.log10(factor)


true_psnr = Exercise(
    "``function(printed, max_val, peak)``: the PSNR that a call with the right peak would print.",
    probes=[(67.0, 255, 1), (-20.0, 1, 255), (np.array([67, 31.5]), 255, 1), (48.0, 65535, 255)],
    right=lambda printed, max_val, peak: printed - _decibels(max_val / peak),
    mistakes={
        "the peak is squared: 20 log10, not 10.": lambda db, m, peak: db - _decibels(m / peak) / 2,
        "a factor in the peak adds decibels.": lambda db, m, peak: db * peak / m,
        "this is right only for a peak of 1.": lambda db, m, peak: db - _decibels(m),
        "the sign is reversed: a large max_val flatters.": lambda db, m, p: db + _decibels(m / p),
    },
    praise="A max_val of 255 on data in [0, 1] adds 48.13 dB, so the 67 dB are really 19.",
)


def _file(picture):
    return np.rint(255 * np.clip(picture, 0, 1)) / 255


def _protocol(save=_file, error=lambda o, r: np.mean((o - r) ** 2), over=lambda psnrs: psnrs):
    """Return the mean PSNR by the protocol, or with one of its rules changed.

    `error` is what has a logarithm of its own. `over` has the PSNRs to be averaged.
    """

    def my_mean_psnr(outputs, references):
        pairs = zip(outputs, references, strict=True)
        return np.mean(over([-10 * np.log10(error(save(one), other)) for one, other in pairs]))

    return my_mean_psnr


def _in_bytes(output, reference):
    output, reference = (np.uint8(255 * picture + 0.5) for picture in (output, reference))
    return np.mean((output - reference).astype(float) ** 2) / 255**2


def _outputs():
    """Yield lists of outputs and references: small and large errors, casts, values outside."""
    rng = np.random.default_rng(3)
    for shapes in ([(16, 20)] * 3, [(16, 20), (30, 24), (7, 9)], [(12, 12)]):
        references = [rng.integers(0, 256, (*shape, 3)) for shape in shapes]
        casts = [rng.standard_normal(codes.shape) + [1.0, 0, -1.0] for codes in references]
        changed = [
            a + spread * b for a, b, spread in zip(references, casts, (0.8, 9, 40), strict=False)
        ]
        # Far from the middle between two codes, where ways to round may differ.
        outputs = [np.floor(one) + rng.choice([0.1, 0.35, 0.7], one.shape) for one in changed]
        yield [one / 255 for one in outputs], [one / 255 for one in references]


mean_psnr = Exercise(
    "``function(outputs, references)``: the mean PSNR by this workbook's protocol.",
    probes=_outputs,
    right=_protocol(),
    mistakes={
        "you averaged squared errors over the pictures. Average the PSNR of each picture.": (
            _protocol(over=lambda psnrs: -10 * np.log10(np.mean(10 ** (-np.array(psnrs) / 10))))
        ),
        "the outputs are not rounded to 8 bits.": _protocol(lambda one: np.clip(one, 0, 1)),
        "rounded, but not clipped to [0, 1].": _protocol(lambda one: np.rint(255 * one) / 255),
        ".astype(np.uint8) cuts off the decimals: use np.rint first.": (
            _protocol(lambda output: np.floor(255 * np.clip(output, 0, 1)) / 255)
        ),
        "in uint8, 3 - 5 is 254: convert to floats first.": _protocol(error=_in_bytes),
    },
    praise="Clipped, in whole codes, in RGB, one logarithm per picture, and then the mean.",
)

# PSNRs of two methods on the same pictures, some much easier than others. The differences lean to
# one side, so that an interval of means is not symmetric.
_easy = np.random.default_rng(8).uniform(10, 30, 9)
_ours = _easy + np.array([-0.5, -0.2, 0.0, 0.2, 0.5, 0.9, 1.4, 2.2, 4.5])


def _means(values, seed=1):
    return np.random.default_rng(seed).choice(values, (50_000, values.size)).mean(axis=1)


def _interval(ours, theirs, tails=(0.025, 0.975)):
    return np.quantile(_means(ours - theirs), tails)


def _bias_corrected(ours, theirs):
    settings = {"n_resamples": 10_000, "rng": np.random.default_rng(0)}
    return stats.bootstrap((ours - theirs,), np.mean, **settings).confidence_interval


paired_interval = Exercise(
    "``function(ours, theirs)``: a 95 % bootstrap interval of the mean of ours - theirs.",
    read=reading.pair,
    probes=[(_ours, _easy), (_easy, _ours)],
    right=_interval,
    tolerance=0.05,  # a quantile of 10,000 means scatters by 0.02
    mistakes={
        "you drew pictures separately for each method. Draw the *differences*.": (
            lambda a, b: np.quantile(_means(a) - _means(b, seed=2), [0.025, 0.975])
        ),
        "that is how single pictures spread, not how the *mean* of nine does: draw nine, "
        "take their mean, and repeat.": lambda a, b: np.quantile(a - b, [0.025, 0.975]),
        "cut 2.5 % on each side, not 5 %.": lambda a, b: _interval(a, b, (0.05, 0.95)),
        "this looks like BCa, the default of scipy.stats.bootstrap, which shifts the quantiles "
        'to correct a bias. For the quantiles themselves set method="percentile".': _bias_corrected,
    },
    praise="It is not symmetric, because two of the nine pictures contribute most of the mean.",
)


def _tables():
    rng = np.random.default_rng(4)
    for pictures, constants in ((6, 9), (15, 4), (3, 12), (4, 4), (2, 3)):
        away = np.abs(np.arange(constants) - rng.uniform(0, constants - 1, (pictures, 1)))
        yield 24 - 2 * away + rng.normal(0, 2, (pictures, 1)) + rng.normal(0, 0.5, away.shape)


def _of_others(table):
    return table.sum(axis=0) - table


def _left_out(table):
    return table[np.arange(len(table)), np.argmax(_of_others(table), axis=1)]


leave_one_out = Exercise(
    "``function(table)``: the mean PSNR of pictures with constants fitted without them.",
    probes=_tables,
    right=lambda table: _left_out(table).mean(),
    mistakes={
        "leave a picture out before you choose its constant.": lambda t: t.mean(axis=0).max(),
        "choose a picture's constant by the *other* pictures.": lambda t: t.max(axis=1).mean(),
        "score the one left out.": lambda t: _of_others(t).max(axis=1).mean() / (len(t) - 1),
        "one number was asked for: the mean over the pictures.": _left_out,
    },
    praise="No picture had a say in its own constant.",
)

# 6.5. An answer is observed on spoiled photographs.

_ADVICE = {
    "exposure": "An exposure moves all channels together: look at the error's mean.",
    "cast": "A cast moves the channels apart: look at how the means of their errors spread.",
    "noise": "Noise ignores the reference: its error has grain even where the reference is flat.",
    "blur": "Blur removes edges: its error looks like the blurred reference minus the reference.",
}


def _blur(reference):
    return ndimage.gaussian_filter(reference, (2, 2, 0)) - reference


@cache
def _spoiled() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return pictures in which one fault makes most of the error: its name, spoiled, reference."""
    rng, found = np.random.default_rng(6), []
    for name in ("admiral", "coffee", "room"):
        high = data.load("sample", "test", lazy=True)[name].high[100:260, 120:360].astype(float)
        reference = 0.15 + 0.7 * high  # away from the ends, so that nothing is clipped
        most = min(0.04, np.std(_blur(reference)))  # a blur cannot do more
        for main in _ADVICE:
            for size in (0.5 * most, 0.95 * most):
                errors = {
                    "exposure": rng.choice([-1, 1]) * reference,
                    "cast": np.array([1.0, 0.1, -1.1])[rng.permutation(3)] * reference,
                    "noise": rng.standard_normal(reference.shape),
                    "blur": _blur(reference),
                }
                sizes = {fault: size if fault == main else 0.2 * size for fault in errors}
                for fault, error in errors.items():
                    error *= sizes[fault] / np.sqrt(np.mean(error**2))
                found.append((main, np.clip(reference + sum(errors.values()), 0, 1), reference))
    return found


def _named(function) -> dict:
    """Observe whether an answer names the faults rightly in nine cases of ten."""
    said = [(main, _word(function, *pictures)) for main, *pictures in _spoiled()]
    is_constant = len({word for _, word in said}) == 1
    require(not is_constant, f"it always says {said[0][1]!r}, whatever was done to the picture.")
    wrong = [(main, word) for main, word in said if main != word]
    main, word = max(wrong, key=wrong.count, default=said[0])
    require(
        len(wrong) <= 0.1 * len(said),
        f"{len(wrong)} of {len(said)} spoiled photographs are named wrongly; 9 in 10 must be "
        f"right. Most often {main!r} was called {word!r}. {_ADVICE[main]}",
    )
    return {"nine in ten are named rightly": True}


def _word(function, enhanced, reference) -> str:
    word = str(ask(function, enhanced, reference)).strip().lower()
    require(word in _ADVICE, f"one of these words was asked for: {', '.join(_ADVICE)}.")
    return word


def _largest_share(blur="blur", noise="noise"):
    """Return an answer that compares the shares of four faults in the squared error."""

    def main_fault(enhanced, reference):
        error = enhanced - reference
        means = error.mean(axis=(0, 1))
        detail = np.mean((error - means) ** 2)
        likeness = np.corrcoef((error - means).ravel(), _blur(reference).ravel())[0, 1]
        of_blur = detail * max(0, likeness) ** 2
        shares = [means.mean() ** 2, means.var(), of_blur, detail - of_blur]
        return ("exposure", "cast", blur, noise)[int(np.argmax(shares))]

    return main_fault


main_fault = Exercise(
    "``function(enhanced, reference)``: which fault makes most of the squared error.",
    observe=_named,
    right=_largest_share(),
    mistakes={
        "'blur' was called 'noise'": _largest_share(blur="noise"),
        "it always says 'exposure'": lambda enhanced, reference: "exposure",
        "one of these words was asked for": _largest_share(noise="detail"),
    },
    praise="It names the main fault in at least nine of ten spoiled photographs.",
)
