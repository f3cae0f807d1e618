"""Exercises of notebook 08, let a computer look."""

import numpy as np

from lle_utils import vision
from lle_utils.checks.engine import Exercise


def _counted(found, truth):
    count = vision.compare(found, truth)
    return count.right, count.wrong


count_answers = Exercise(
    "``function(found, truth)``: how many right answers, and how many false alarms.",
    probes=[
        (["lamp", "lamp"], ["lamp", "river"]),
        (["rlver", "rlver", "x"], ["lamp", "river", "paper"]),
        (["lamp"], []),
    ],
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


def _blocks(image, center=True, scale=True):
    gray = np.asarray(image, float).mean(axis=-1)
    rows, columns = (side // 8 for side in gray.shape)
    cut = gray[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)
    blocks = cut - cut.mean(axis=(1, 3), keepdims=True) * center
    return blocks / (cut.std(axis=(1, 3), keepdims=True) + 0.01) if scale else blocks


def _block_loss(measure=lambda apart: np.mean(apart**2), **how):
    return lambda image, reference: measure(_blocks(image, **how) - _blocks(reference, **how))


_one, _other = np.random.default_rng(8).random((2, 16, 24, 3))

block_loss = Exercise(
    "``function(image, reference)``: how different the patterns of 8 x 8 blocks are.",
    probes=[
        (_one, _other),
        (0.5 * _one + 0.2, _one),
        (_one[:13, :20], _other[:13, :20]),
        (np.full((8, 8, 3), 0.3), _other[:8, :8]),
    ],
    right=_block_loss(),
    mistakes={
        "the blocks' means still count: subtract each block's mean.": _block_loss(center=False),
        "divide each block by its standard deviation plus 0.01.": _block_loss(scale=False),
        "this is the sum. Take the mean.": _block_loss(lambda apart: np.sum(apart**2)),
        "this is plain mean squared error.": lambda image, other: np.mean((image - other) ** 2),
    },
    praise="A different contrast or exposure costs almost nothing; a different pattern does.",
)
