"""Exercises of notebook 08, let a computer look."""

import numpy as np

from lle_utils import vision
from lle_utils.checks.engine import Exercise, Function, Wrong, call, numbers, returned


def _two_numbers(function, *arguments):
    """Observe a pair of numbers, or None."""
    result = call(function, *arguments)
    if result is None:
        return None
    pair = numbers(result, "what it returns")
    if pair.shape != (2,):
        raise Wrong("it must return two numbers: `return first, second`.")
    return pair


def _right_and_wrong(found, truth):
    count = vision.compare(found, truth)
    return count.right, count.wrong


count_answers = Exercise(
    "``function(found, truth)``: how many right answers, and how many false alarms.",
    Function(
        observe=_two_numbers,
        probes=[
            (["lamp", "river"], ["lamp", "river"]),
            (["lamp", "lamp"], ["lamp", "river"]),
            (["lamp", "rlver"], ["lamp", "river"]),
            (["rlver", "rlver", "x"], ["lamp", "river", "paper"]),
            ([], ["lamp"]),
            (["lamp"], []),
            (["paper", "lamp", "seven", "lamp"], ["seven", "paper", "bridge"]),
        ],
        right=_right_and_wrong,
        mistakes={
            "an answer that is given twice counts twice. Each thing can be found once: use sets.": (
                lambda found, truth: (
                    sum(one in truth for one in found),
                    sum(one not in truth for one in found),
                )
            ),
            "the second number is what was missed. A false alarm is an answer that is not in the "
            "truth.": lambda found, truth: (
                len(set(found) & set(truth)),
                len(set(truth) - set(found)),
            ),
            "the second number counts all answers, the right ones, too.": (
                lambda found, truth: (len(set(found) & set(truth)), len(set(found)))
            ),
            "the first number counts all that is there, not what was found of it.": (
                lambda found, truth: (len(set(truth)), len(set(found) - set(truth)))
            ),
        },
        hint="Right is what is in both; a false alarm is in `found` and not in `truth`.",
    ),
    praise="A detector that answers with everything would have every right answer: that is why "
    "false alarms are counted.",
)


def _normal(right, total):
    share = right / total
    half = 1.96 * (share * (1 - share) / total) ** 0.5
    return share - half, share + half


share_interval = Exercise(
    "``function(right, total)``: Wilson's 95 % interval of a share.",
    Function(
        observe=_two_numbers,
        probes=[(9, 18), (0, 18), (18, 18), (1, 3), (17, 18), (400, 1000)],
        right=vision.wilson,
        tolerance=2e-4,
        mistakes={
            "this is the share plus and minus 1.96 standard errors. At 0 of 18 it has no length, "
            "as if 18 tries had settled the matter.": _normal,
            "this is the normal interval, cut off at 0 and 1. At 0 of 18 it still has no length.": (
                lambda right, total: tuple(np.clip(_normal(right, total), 0, 1))
            ),
            "1 is for 68 %. For 95 % z is 1.96.": (
                lambda right, total: vision.wilson(right, total, 1.0)
            ),
            "this is in percent. Shares are in [0, 1].": (
                lambda right, total: tuple(100 * x for x in vision.wilson(right, total))
            ),
        },
        hint="Middle: (p + z²/2n) / (1 + z²/n). Half: z / (1 + z²/n) √(p(1-p)/n + z²/4n²).",
    ),
    praise="At 0 of 18 it goes up to 18 %: eighteen failures do not prove that it never works.",
)


def _half_way(stops, shares, wanted=0.5):
    if shares[0] < wanted:
        return stops[0]
    for n in range(1, len(stops)):
        if shares[n] < wanted:
            part = (shares[n - 1] - wanted) / (shares[n - 1] - shares[n])
            return stops[n - 1] + part * (stops[n] - stops[n - 1])
    return stops[-1]


half_way = Exercise(
    "``function(stops, shares)``: at how many stops the success first falls through one half.",
    Function(
        observe=returned,
        probes=[
            ([3, 5, 6, 7, 8], [1.0, 0.9, 0.7, 0.3, 0.0]),
            ([3, 5, 6, 7, 8], [1.0, 0.2, 0.0, 0.0, 0.0]),
            ([3, 5, 6, 7, 8], [1.0, 1.0, 0.9, 0.9, 0.8]),
            ([3, 5, 6, 7, 8], [0.4, 0.3, 0.1, 0.0, 0.0]),
            ([3, 5, 6, 7, 8], [1.0, 0.4, 0.6, 0.2, 0.1]),
            ([2, 4, 8], [0.9, 0.5, 0.1]),
        ],
        right=_half_way,
        mistakes={
            "this is the first measured exposure below one half. Interpolate to the one before.": (
                lambda stops, shares: next(
                    (s for s, share in zip(stops, shares, strict=True) if share < 0.5), stops[-1]
                )
            ),
            "this is the last measured exposure with half or more. Interpolate to the next one.": (
                lambda stops, shares: (
                    [stops[0]] + [s for s, share in zip(stops, shares, strict=True) if share >= 0.5]
                )[-1]
            ),
            "np.interp needs x to rise, and shares fall: it returns nonsense here without a "
            "word.": lambda stops, shares: np.interp(0.5, shares, stops),
            "where the curve falls through one half twice, take the first time.": (
                lambda stops, shares: _half_way(
                    stops, list(np.maximum.accumulate(shares[::-1])[::-1])
                )
            ),
        },
        hint="Go from left to right, stop at the first share below 0.5, and interpolate linearly. "
        "Where it never falls so far return the last exposure, where it starts below, the first.",
    ),
    praise="One number for a curve: by how many stops a method lets a detector see further.",
)


def _blocks(image, size=8):
    gray = np.asarray(image, float).mean(axis=-1)
    rows, columns = (side // size for side in gray.shape)
    cut = gray[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, size * size)


def _normalized(image, center=True, scale=True):
    blocks = _blocks(image)
    blocks = blocks - blocks.mean(axis=1, keepdims=True) * center
    return blocks / (blocks.std(axis=1, keepdims=True) + 0.01) if scale else blocks


def _block_loss(image, reference, **options):
    difference = _normalized(image, **options) - _normalized(reference, **options)
    return np.mean(difference**2)


def _pictures():
    rng = np.random.default_rng(8)
    one, other = rng.random((2, 16, 24, 3))
    return [(one, other), (one, one), (0.5 * one + 0.2, one), (one + 0.1 * other, one)] + [
        (np.full((8, 8, 3), 0.3), other[:8, :8])
    ]


block_loss = Exercise(
    "``function(image, reference)``: how different the patterns of 8 x 8 blocks are.",
    Function(
        observe=returned,
        probes=_pictures,
        right=_block_loss,
        tolerance=1e-5,
        mistakes={
            "the blocks' means are still in it, so that exposure counts. Subtract each block's "
            "mean.": lambda image, reference: _block_loss(image, reference, center=False),
            "the blocks' contrasts are still in it. Divide each block by its standard deviation "
            "plus 0.01.": lambda image, reference: _block_loss(image, reference, scale=False),
            "this is the sum. Average over pixels and blocks.": (
                lambda image, reference: _block_loss(image, reference) * _blocks(reference).size
            ),
            "these are absolute differences; they are to be squared.": (
                lambda image, reference: np.mean(
                    np.abs(_normalized(image) - _normalized(reference))
                )
            ),
            "this is plain mean squared error.": (
                lambda image, reference: np.mean((image - reference) ** 2)
            ),
        },
        hint="Gray is the mean of the channels; then blocks; then (block - mean) / (std + 0.01).",
    ),
    praise="Half the contrast and another exposure cost almost nothing; another pattern does. "
    "Many detectors look at patterns like that.",
)
