"""Exercises of notebook 06, measure honestly."""

import numpy as np

from lle_utils.checks.engine import Exercise


def _decibels(factor):
    return 20 * np.log10(factor)


# A function of printed, max_val and peak: the PSNR that a call with the right peak would print.
true_psnr = Exercise(
    probes=[(67.0, 255, 1), (-20.0, 1, 255)],
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


def _protocol(save=_file, over=np.array):
    """Return an answer by the protocol, or with one of its rules changed."""

    def my_mean_psnr(outputs, references):
        pairs = zip(outputs, references, strict=True)
        psnrs = [-10 * np.log10(np.mean((save(one) - other) ** 2)) for one, other in pairs]
        return np.mean(over(psnrs))

    return my_mean_psnr


# Values outside of [0, 1], and none in the middle between two codes, where ways to round differ.
_rng = np.random.default_rng(3)
_references = [_rng.integers(0, 256, shape) for shape in ((16, 20, 3), (30, 24, 3), (7, 9, 3))]
_outputs = [
    np.floor(codes + spread * _rng.standard_normal(codes.shape))
    + _rng.choice([0.1, 0.7], codes.shape)
    for codes, spread in zip(_references, (0.8, 9, 40), strict=True)
]

# A function of outputs and references: the mean PSNR by this workbook's protocol.
mean_psnr = Exercise(
    probes=[([one / 255 for one in _outputs], [one / 255 for one in _references])],
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
    },
    praise="Clipped, in whole codes, in RGB, one logarithm per picture, and then the mean.",
)

# PSNRs of two methods on the same pictures, some much easier than others.
_easy = np.random.default_rng(8).uniform(10, 30, 9)
_ours = _easy + np.array([-0.5, -0.2, 0.0, 0.2, 0.5, 0.9, 1.4, 2.2, 4.5])


def _means(values, seed=1):
    return np.random.default_rng(seed).choice(values, (50_000, values.size)).mean(axis=1)


def _interval(ours, theirs, tails=(0.025, 0.975)):
    return np.quantile(_means(ours - theirs), tails)


# A function of ours and theirs: a 95 % bootstrap interval of the mean of ours - theirs.
paired_interval = Exercise(
    probes=[(_ours, _easy)],
    right=_interval,
    tolerance=0.05,  # a quantile of 10,000 means scatters by 0.02
    mistakes={
        "you drew pictures separately for each method. Draw the *differences*.": (
            lambda a, b: np.quantile(_means(a) - _means(b, seed=2), [0.025, 0.975])
        ),
        "that is how single pictures spread, not how the *mean* of nine does: draw nine, "
        "take their mean, and repeat.": lambda a, b: np.quantile(a - b, [0.025, 0.975]),
        "cut 2.5 % on each side, not 5 %.": lambda a, b: _interval(a, b, (0.05, 0.95)),
    },
    praise="It is not symmetric, because two of the nine pictures contribute most of the mean.",
)
