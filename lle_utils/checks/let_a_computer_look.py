"""Exercises of notebook 08, let a computer look."""

import numpy as np

from lle_utils import vision
from lle_utils.checks.engine import Exercise


def _counted(found, truth):
    count = vision.compare(found, truth)
    return count.right, count.wrong


# A function of found and truth: how many right answers, and how many false alarms.
count_answers = Exercise(
    probes=[(["lamp", "lamp"], ["lamp", "river"]), (["lamp", "rlver", "rlver"], ["lamp"])],
    right=_counted,
    mistakes={
        "an answer that is given twice counts twice. Use sets.": (
            lambda found, truth: [sum((a in truth) is one for a in found) for one in (True, False)]
        ),
        "a false alarm is an answer that is not in the truth; you counted what was missed.": (
            lambda found, truth: [_counted(found, truth)[0], _counted(truth, found)[1]]
        ),
        "the second number counts all answers, even the right ones.": (
            lambda found, truth: [_counted(found, truth)[0], len(set(found))]
        ),
    },
    praise="A detector that gives every answer finds everything, so also count the false alarms.",
)


def _normal(right, total):
    share = right / total
    half = 1.96 * (share * (1 - share) / total) ** 0.5
    return share - half, share + half


# A function of right and total: Wilson's 95 % interval of a share.
share_interval = Exercise(
    probes=[(9, 18), (0, 18), (17, 18)],
    right=vision.wilson,
    tolerance=2e-4,
    mistakes={
        "this is the normal interval, 1.96 standard errors. At 0 of 18 it has no length.": _normal,
        "clipping does not help: at 0 of 18 it still has no length.": lambda *given: np.clip(
            _normal(*given), 0, 1
        ),
        "z = 1 is for 68 %. Use 1.96.": lambda right, total: vision.wilson(right, total, 1.0),
        "this is in percent: use [0, 1].": lambda *given: 100 * np.array(vision.wilson(*given)),
    },
    praise="At 0 of 18 it goes up to 18 %: eighteen failures do not prove that it never works.",
)


def _half_way(stops, shares):
    below = [n for n, share in enumerate(shares) if share < 0.5]
    if not below or below[0] == 0:
        return stops[0] if below else stops[-1]
    n = below[0]
    part = (shares[n - 1] - 0.5) / (shares[n - 1] - shares[n])
    return stops[n - 1] + part * (stops[n] - stops[n - 1])


_stops = [3, 5, 6, 7, 8]

# A function of stops and shares: at how many stops the share first falls below one half.
half_way = Exercise(
    probes=[
        (_stops, [1.0, 0.9, 0.7, 0.3, 0.0]),
        (_stops, [1.0, 1.0, 0.9, 0.9, 0.8]),
        (_stops, [0.4, 0.3, 0.1, 0.0, 0.0]),
        (range(9), [1.0, 1.0, 0.9, 0.9, 0.4, 0.9, 0.8, 0.7, 0.2]),
    ],
    right=_half_way,
    mistakes={
        "this is the first measured exposure below one half. Interpolate to the one before.": (
            lambda stops, shares: next(
                (s for s, p in zip(stops, shares, strict=True) if p < 0.5), stops[-1]
            )
        ),
        "np.interp needs rising x, but shares fall.": lambda stops, p: np.interp(0.5, p, stops),
        "if the curve falls below one half twice, take the first time.": (
            lambda stops, shares: _half_way(stops, np.maximum.accumulate(shares[::-1])[::-1])
        ),
    },
    praise="One number per curve: it tells how far into the dark a method lets a detector see.",
)


def _blocks(image, center=True, scale=True):
    gray = np.asarray(image, float).mean(axis=-1)
    rows, columns = (side // 8 for side in gray.shape)
    cut = gray[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)
    blocks = cut - cut.mean(axis=(1, 3), keepdims=True) * center
    return blocks / (cut.std(axis=(1, 3), keepdims=True) + 0.01) if scale else blocks


def _block_loss(measure=lambda apart: np.mean(apart**2), **how):
    return lambda image, reference: measure(_blocks(image, **how) - _blocks(reference, **how))


_one, _other = np.random.default_rng(8).random((2, 16, 24, 3))

# A function of image and reference: how different the patterns of 8 x 8 blocks are.
block_loss = Exercise(
    probes=[(_one[:13, :20], _other[:13, :20]), (np.full((8, 8, 3), 0.3), _other[:8, :8])],
    right=_block_loss(),
    mistakes={
        "the blocks' means still count: subtract each block's mean.": _block_loss(center=False),
        "divide each block by its standard deviation plus 0.01.": _block_loss(scale=False),
        "this is the sum. Take the mean.": _block_loss(lambda apart: np.sum(apart**2)),
        "this is plain mean squared error.": lambda image, other: np.mean((image - other) ** 2),
    },
    praise="A different contrast or exposure costs almost nothing; a different pattern does.",
)
