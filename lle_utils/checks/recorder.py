"""A stand-in for a network, which remembers what it was asked."""

import traceback
from collections.abc import Callable

import numpy as np

from lle_utils.checks.engine import Wrong, call, numbers


def smooth_map(picture) -> np.ndarray:
    """Return a map that depends on the picture; smooth, so that single precision will do."""
    # Different on 0..255 and on [0, 1], and never out of range.
    return 0.45 + 0.4 * np.sin(5 * picture / (1 + picture))


class Recorder:
    """A network that remembers each picture it was asked about, and how deep in calls.

    An answer is stopped after `most` questions.
    """

    def __init__(self, predict: Callable = smooth_map, most: int = 50):
        self.predict, self.most = predict, most
        self.pictures, self.steps, self.depths = [], [], []

    def __call__(self, picture, step=None):
        """Return the map of a picture, and remember the question."""
        if len(self.pictures) >= self.most:
            raise Wrong(f"the network was asked more than {self.most} times. When does it stop?")
        picture = numbers(picture, "what the network is asked about")
        self.pictures.append(picture.copy())
        self.steps.append(step)
        self.depths.append(sum(1 for _ in traceback.walk_stack(None)))
        return self.predict(picture)

    def see(self, function, *arguments, **named) -> dict:
        """Call an answer; return what it asked, and the resulting picture."""
        result = numbers(call(function, *arguments, keeps=True, **named), "the picture it returns")
        asked = {f"the picture of question {n}": one for n, one in enumerate(self.pictures, 1)}
        count = {"the number of times it asks the network": len(self.pictures)}
        return count | asked | {"the picture it returns": result}

    def counts_up(self) -> bool:
        """Tell whether the steps it was told are 0, 1, 2, ..."""
        return self.steps == list(range(len(self.steps)))

    def is_asked_in_calls(self) -> bool:
        """Tell whether each question came from a call in a call: on the way down, or back up."""
        steps = np.diff(self.depths)
        return steps.size > 1 and bool(np.all(steps > 0) or np.all(steps < 0))
