"""A stand-in for a network, which remembers what it was asked."""

import sys
from collections.abc import Callable

import numpy as np

from lle_utils.checks.engine import Wrong, numbers


def smooth_map(picture) -> np.ndarray:
    """Return a map that depends on the picture; smooth, so that single precision will do."""
    # Different on 0..255 and on [0, 1], and never out of range.
    return 0.45 + 0.4 * np.sin(5 * picture / (1 + picture))


class Recorder:
    """A network to be asked: it remembers each picture, and how deep in calls it was asked.

    Parameters
    ----------
    predict : callable
        Returns the map of a picture.
    most : int
        After how many questions to stop an answer that would never end.
    """

    def __init__(self, predict: Callable = smooth_map, most: int = 50):
        self.predict, self.most = predict, most
        self.pictures, self.steps, self.depths = [], [], []

    def __call__(self, picture, step=None):
        """Return the map of a picture, and remember the question."""
        if len(self.pictures) >= self.most:
            raise Wrong(f"the network was asked {self.most} times and more. When does it stop?")
        picture = numbers(picture, "what the network is asked about")
        self.pictures.append(picture.copy())
        self.steps.append(step)
        self.depths.append(_depth_of_calls())
        return self.predict(picture)

    def seen_with(self, result) -> dict:
        """Return what was observed: the questions, and the picture that came of the answers."""
        rounds = {
            f"the picture it asks about in round {number}": picture
            for number, picture in enumerate(self.pictures, 1)
        }
        return {
            "the number of times it asks the network": len(self.pictures),
            **rounds,
            "the picture it returns": numbers(result, "the picture it returns"),
        }

    def is_asked_in_calls(self) -> bool:
        """Tell whether each question came from a call in a call: on the way down, or back up."""
        steps = np.diff(self.depths)
        return steps.size > 1 and bool(np.all(steps > 0) or np.all(steps < 0))


def _depth_of_calls() -> int:
    frame, depth = sys._getframe(1), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    return depth
