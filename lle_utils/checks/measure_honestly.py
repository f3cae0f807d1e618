"""Exercises of notebook 06, measure honestly."""

from functools import cache

import numpy as np
from scipy import ndimage, stats

from lle_utils import data
from lle_utils.checks.engine import Exercise, Function, Wrong, ask, numbers, returned

true_psnr = Exercise(
    "``function(printed, max_val, peak)``: the PSNR that a call with the right peak would print.",
    Function(
        observe=returned,
        probes=[
            (67.0, 255, 1),
            (-20.0, 1, 255),
            (np.array([67.0, 31.5, 60.2]), 255.0, 1.0),
            (48.0, 65535, 255),
            (22.5, 1, 1),
            (30, 255, 255),
        ],
        right=lambda printed, max_val, peak: printed - 20 * np.log10(max_val / peak),
        tolerance=1e-4,
        mistakes={
            "the peak is squared in the formula, so a factor counts 20 log10, not 10 log10.": (
                lambda printed, max_val, peak: printed - 10 * np.log10(max_val / peak)
            ),
            "decibels are logarithms: a factor in the peak adds to them, and does not multiply.": (
                lambda printed, max_val, peak: printed * peak / max_val
            ),
            "this is right only where the peak is 1. The ratio of max_val and peak counts.": (
                lambda printed, max_val, peak: printed - 20 * np.log10(max_val)
            ),
            "the sign is reversed. A max_val that is too large flatters: take that away again.": (
                lambda printed, max_val, peak: printed + 20 * np.log10(max_val / peak)
            ),
        },
        hint="Write the formula down with max_val and with peak, and subtract.",
    ),
    praise="255 on data in [0, 1] adds 48.13 dB, so 67 dB were 19. No picture became better: the "
    "call divides by a peak that the data cannot reach.",
)


def _saved(picture):
    return np.rint(255 * np.clip(picture, 0, 1)) / 255


def _protocol(save=_saved, channels=lambda error: error, pool=np.mean):
    """Return the mean PSNR by the protocol, or with one of its rules changed.

    `pool` takes the squared errors of one picture to what has a logarithm of its own.
    """

    def my_mean_psnr(outputs, references):
        pairs = zip(outputs, references, strict=True)
        errors = [channels(save(output) - reference) ** 2 for output, reference in pairs]
        return np.mean([np.mean(-10 * np.log10(pool(error))) for error in errors])

    return my_mean_psnr


def _one_logarithm(outputs, references):
    pairs = zip(outputs, references, strict=True)
    return -10 * np.log10(np.mean([np.mean((_saved(o) - r) ** 2) for o, r in pairs]))


def _subtracted_as_bytes(outputs, references):
    found = []
    for pair in zip(outputs, references, strict=True):
        output, reference = (np.uint8(255 * _saved(picture) + 0.5) for picture in pair)
        found.append(10 * np.log10(255**2 / np.mean((output - reference).astype(float) ** 2)))
    return np.mean(found)


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


mean_psnr = Exercise(
    "``function(outputs, references)``: the mean PSNR by this workbook's protocol.",
    Function(
        observe=returned,
        probes=_outputs,
        right=_protocol(),
        tolerance=1e-4,
        mistakes={
            "you averaged squared errors over the pictures and took one logarithm, so the worst "
            "picture outweighs the others. Take the PSNR of each picture, and average those.": (
                _one_logarithm
            ),
            "the outputs are not rounded to 8 bits. A file would hold whole codes.": (
                _protocol(save=lambda x: np.clip(x, 0, 1))
            ),
            "rounded, but not clipped: a file can hold no value outside [0, 1].": (
                _protocol(save=lambda x: np.rint(255 * x) / 255)
            ),
            "you cut the codes off instead of rounding: .astype(np.uint8) drops what follows the "
            "point. Use np.rint first.": (
                _protocol(save=lambda x: np.floor(255 * np.clip(x, 0, 1)) / 255)
            ),
            "this is on luma. The protocol compares all three channels.": (
                _protocol(channels=lambda error: error @ [0.299, 0.587, 0.114])
            ),
            "you took one PSNR per channel. The protocol takes one per picture, over all three.": (
                _protocol(pool=lambda error: error.mean(axis=(0, 1)))
            ),
            "you subtracted uint8 from uint8, where 3 - 5 is 254: convert to floats first.": (
                _subtracted_as_bytes
            ),
        },
        hint="Clip, round, one PSNR per picture over all three channels, and the mean comes last.",
    ),
    praise="Clipped, in whole codes, in RGB, one logarithm per picture, and then the mean.",
)

# PSNRs of two methods on the same pictures, some much easier than others. The differences lean to
# one side, so that an interval of means is not symmetric.
_easy = np.random.default_rng(8).uniform(10, 30, 9)
_ours = _easy + np.array([-0.5, -0.2, 0.0, 0.2, 0.5, 0.9, 1.4, 2.2, 4.5])


def _interval(function, ours, theirs):
    found = numbers(ask(function, ours, theirs), "the interval")
    if found.shape != (2,) or not np.isfinite(found).all():
        raise Wrong("two finite numbers were asked for: return low, high.")
    return found


def _means(values, seed=1):
    return np.random.default_rng(seed).choice(values, (50_000, values.size)).mean(axis=1)


def _right_interval(ours, theirs, tails=(0.025, 0.975)):
    return np.quantile(_means(ours - theirs), tails)


def _bell(ours, theirs):
    differences = ours - theirs
    away = 1.96 * differences.std() / np.sqrt(differences.size)
    return differences.mean() - away, differences.mean() + away


def _bias_corrected(ours, theirs):
    settings = {"n_resamples": 10_000, "rng": np.random.default_rng(0)}
    found = stats.bootstrap((ours - theirs,), np.mean, **settings).confidence_interval
    return (found.low, found.high) if np.isfinite(found.low) else (0.3, 0.3)


paired_interval = Exercise(
    "``function(ours, theirs)``: a 95 % bootstrap interval of the mean of ours - theirs.",
    Function(
        observe=_interval,
        probes=[(_ours, _easy), (_easy, _ours), (_easy + 0.3, _easy)],
        right=_right_interval,
        tolerance=0.05,  # a quantile of 10,000 means scatters by 0.02
        mistakes={
            "you drew pictures separately for each method, so how hard they are came back in. Draw "
            "the *differences*.": lambda ours, theirs: np.quantile(
                _means(ours) - _means(theirs, seed=2), [0.025, 0.975]
            ),
            "that is how single pictures spread. Asked is how the *mean* of nine spreads: draw "
            "nine, take their mean, and repeat.": lambda ours, theirs: np.quantile(
                ours - theirs, [0.025, 0.975]
            ),
            "that is the mean and 1.96 standard errors on each side. It presumes a bell, and two "
            "of these nine lie far off. The bootstrap presumes nothing: draw.": _bell,
            "5 % on each side leave 90 %. Cut 2.5 % on each side.": (
                lambda ours, theirs: _right_interval(ours, theirs, (0.05, 0.95))
            ),
            "this looks like BCa, the default of scipy.stats.bootstrap, which shifts the quantiles "
            'to correct a bias. For the quantiles themselves set method="percentile".': (
                _bias_corrected
            ),
            "low and high are exchanged: the 2.5 % quantile comes first.": (
                lambda ours, theirs: _right_interval(ours, theirs)[::-1]
            ),
        },
        hint="Draw the differences with replacement, and take the quantiles of the drawn means.",
    ),
    praise="It is not symmetric around the mean, because two pictures of nine bring most of it. "
    "And what is hard for both methods has cancelled.",
)


def _tables():
    rng = np.random.default_rng(4)
    for pictures, constants in ((6, 9), (15, 4), (3, 12), (4, 4), (2, 3)):
        best = rng.uniform(0, constants - 1, pictures)
        away = np.abs(np.arange(constants) - best[:, None])
        hard, noise = rng.normal(0, 2, (pictures, 1)), rng.normal(0, 0.5, away.shape)
        yield (24 - 2 * away + hard + noise,)


def _of_others(table):
    return table.sum(axis=0) - table


def _left_out(table, choose=np.argmax):
    return table[np.arange(len(table)), choose(_of_others(table), axis=1)]


leave_one_out = Exercise(
    "``function(table)``: the mean PSNR of pictures with constants fitted without them.",
    Function(
        observe=returned,
        probes=_tables,
        right=lambda table: _left_out(table).mean(),
        tolerance=1e-5,
        mistakes={
            "you fitted the constant on the pictures that you score, which flatters. Leave the "
            "picture out before you choose.": lambda table: table.mean(axis=0).max(),
            "each picture got its own best constant, found by looking at the answers. Choose by "
            "the *other* pictures.": lambda table: table.max(axis=1).mean(),
            "you chose by the others, and then scored the others. Score the one left out.": (
                lambda table: _of_others(table).max(axis=1).mean() / (len(table) - 1)
            ),
            "one number was asked for: the mean over the pictures.": _left_out,
        },
        hint="For each picture, choose by the mean over the others, and score that picture.",
    ),
    praise="No picture had a say in its own constant. It can never score more than one constant "
    "fitted on all of them.",
)

FAULTS = ("exposure", "cast", "noise", "blur")


def _blur(reference):
    return ndimage.gaussian_filter(reference, (2, 2, 0)) - reference


def _error(reference: np.ndarray, fault: str, rng) -> np.ndarray:
    """Return the error that a fault makes, with a mean square of 1."""
    if fault == "exposure":
        error = rng.choice([-1, 1]) * reference
    elif fault == "cast":
        error = np.array([1.0, 0.1, -1.1])[rng.permutation(3)] * reference
    elif fault == "noise":
        error = rng.standard_normal(reference.shape)
    else:
        error = _blur(reference)
    return error / np.sqrt(np.mean(error**2))


@cache
def _spoiled() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return pictures in which one fault makes most of the error: its name, spoiled, reference."""
    rng = np.random.default_rng(6)
    found = []
    for name in ("admiral", "coffee", "room"):
        high = data.load("sample", "test", lazy=True)[name].high[100:260, 120:360].astype(float)
        reference = 0.15 + 0.7 * high  # away from the ends, so that nothing is clipped
        most = np.sqrt(np.mean(_blur(reference) ** 2))  # a blur cannot do more
        for main in FAULTS:
            for share in (0.5, 0.95):
                size = share * min(most, 0.04)
                shares = {fault: 1 if fault == main else 0.2 for fault in FAULTS}
                errors = [part * _error(reference, one, rng) for one, part in shares.items()]
                found.append((main, np.clip(reference + size * sum(errors), 0, 1), reference))
    return found


def _named(function) -> dict:
    """Observe which faults an answer names rightly in nine cases of ten; all are, if it is."""
    said = [(main, _word(function, *pictures)) for main, *pictures in _spoiled()]
    if len({word for _, word in said}) == 1:
        raise Wrong(f"it always says {said[0][1]!r}, whatever was done to the picture.")
    right = sum(main == word for main, word in said)
    missed = [main for main in FAULTS if (main, main) not in said]
    if right < 0.9 * len(said) or missed:
        wrong = [pair for pair in said if pair[0] != pair[1]]
        main, word = max(wrong, key=wrong.count)
        raise Wrong(
            f"{right} of {len(said)} spoiled photographs are named rightly; 9 in 10 are asked for. "
            f"Most often {main!r} was called {word!r}. {_ADVICE[main]}"
        )
    return {"nine in ten are named rightly": True}


def _word(function, enhanced, reference) -> str:
    word = ask(function, enhanced, reference)
    if not isinstance(word, str) or word.strip().lower() not in FAULTS:
        raise Wrong(f"one of these words was asked for: {', '.join(FAULTS)}.")
    return word.strip().lower()


_ADVICE = {
    "exposure": "An exposure moves all channels together: look at the error's mean.",
    "cast": "A cast moves the channels apart: look at how the means of their errors spread.",
    "noise": "Noise does not know the reference: its error has grain where the reference is flat.",
    "blur": "Blur removes edges: its error looks like the blurred reference minus the reference.",
}


def _largest_share(blur_name="blur", noise_name="noise"):
    """Return an answer that compares the shares of four faults in the squared error."""

    def main_fault(enhanced, reference):
        error = enhanced - reference
        means = error.mean(axis=(0, 1))
        detailed, blurred = error - means, _blur(reference)
        likeness = max(0, np.corrcoef(detailed.ravel(), blurred.ravel())[0, 1]) ** 2
        exposure, cast, detail = means.mean() ** 2, means.var(), np.mean(detailed**2)
        shares = [exposure, cast, detail * likeness, detail * (1 - likeness)]
        return ("exposure", "cast", blur_name, noise_name)[int(np.argmax(shares))]

    return main_fault


main_fault = Exercise(
    "``function(enhanced, reference)``: which fault makes most of the squared error.",
    Function(
        observe=_named,
        probes=[()],
        right=_largest_share(),
        mistakes={
            "'blur' was called 'noise'": _largest_share(blur_name="noise"),
            "'noise' was called 'blur'": _largest_share(noise_name="blur"),
            "it always says 'exposure'": lambda enhanced, reference: "exposure",
            "one of these words was asked for": _largest_share(noise_name="detail"),
        },
    ),
    praise="Nine in ten spoiled photographs are named rightly, with faults mixed 25 to 1.",
)
