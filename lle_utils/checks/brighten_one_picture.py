"""Exercises of notebook 00, brighten one picture."""

import numpy as np

from lle_utils import curve
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, check, expect
from lle_utils.checks.reading import require


@check
def first_guess(after_one, after_eight, black) -> str:
    """Check three predictions: 0.05 after 1 and after 8 iterations at M = 1, and 0 after 8."""
    once = {
        "0.1 is twice 0.05, and it is a little less: the factor 1 - E is 0.95.": 0.1,
        "0.0475 is what is added, M E (1 - E). The pixel keeps what it had.": 0.0475,
    }
    doubled = {"doubling eight times would go beyond white. The factor 1 - E shrinks.": 12.8}
    raised = {"half a code is the floor in `enhance`; here nothing is raised.": 0.5 / 255}
    expect("after_one", after_one, 0.0975, once)
    expect("after_eight", after_eight, 1.0, doubled)
    expect("black", black, 0.0, raised)
    return "An exact 0 stays 0, so `enhance` first raises it to half a code."


_dark = np.exp(np.random.default_rng(0).uniform(np.log(0.0012), np.log(0.4), (12, 17, 3)))


def _map(E):
    return 1 / (1 + E)


# A function of E, predict and iterations: the recursion, with a new map in each iteration.
brighten_again = Exercise(
    probes=[(_dark, _map, 3), (_dark, _map, 0)],
    right=lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(latest), n),
    mistakes={
        "the map of the dark picture is used in all iterations. Ask about the latest E in each.": (
            lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(E), n)
        ),
        "it does one iteration too many.": (
            lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(latest), n + 1)
        ),
    },
    praise="A new map in each iteration, from the latest picture, and the caller keeps its own.",
)


@check
def one_number(network) -> str:
    """Check a Keras network whose map is one number, the same everywhere, that can be trained."""
    rng = np.random.default_rng(1)
    pictures = rng.random((2, 9, 14, 3), dtype=np.float32)
    found = np.array(
        [
            reading.maps(reading.model(network), pictures, lambda w: rng.normal(0, 3, w.shape))
            for _ in range(8)
        ]
    )
    told = f"pictures of shape {pictures.shape} give maps of shape {found.shape[1:]}"
    cure = "one channel of the same size was asked for."
    require(found.shape[1:] == (*pictures.shape[:3], 1), f"{told}; {cure}")
    require(
        np.ptp(found, axis=(1, 2, 3, 4)).max() <= 1e-5,
        "with other weights the map differs between pixels or pictures: it must not depend on the "
        "picture.",
    )
    require(np.ptp(found) > 0.05, "no weight moves the number, so nothing can train it.")
    told = f"with other weights it becomes {found.min():.3g} or {found.max():.3g}"
    require(found.min() >= 0 and found.max() <= 1, f"{told}, outside [0, 1]. Use a sigmoid.")
    return (
        f"It has {network.count_params():,} parameters, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )
