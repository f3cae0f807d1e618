"""Exercises of notebook 00, brighten one picture."""

import numpy as np

from lle_utils import curve
from lle_utils.checks import reading
from lle_utils.checks.engine import CHANGES_ITS_INPUT, Exercise, Value, check
from lle_utils.checks.reading import Wrong, require

_ONE_ROUND = {
    "0.1 is twice 0.05, and it is a little less: the factor 1 - E is 0.95.": 0.1,
    "0.0475 is what is added, M E (1 - E). The pixel keeps what it had.": 0.0475,
}
_WHITER = "doubling eight times would go beyond white. The factor 1 - E shrinks."
_HALF_A_CODE = "half a code is the floor in `enhance`; here nothing is raised."

first_guess = Exercise(
    "Three predictions: 0.05 after 1 and after 8 iterations at M = 1, and 0 after 8.",
    Value("after_one", 0.0975, _ONE_ROUND, tolerance=5e-4),
    Value("after_eight", 1.0, {_WHITER: 12.8}, tolerance=2.5e-3),
    Value("black", 0, {_HALF_A_CODE: 0.5 / 255}),
    praise="An exact 0 stays 0, so `enhance` first raises it to half a code.",
)


_dark = np.exp(np.random.default_rng(0).uniform(np.log(0.0012), np.log(0.4), (12, 17, 3)))


def _map(E):
    return 1 / (1 + E)


def _in_place(E, predict, iterations):
    for _ in range(iterations):
        E += predict(E) * E * (1 - E)
    return E


brighten_again = Exercise(
    "``function(E, predict, iterations)``: the recursion, with a new map in each iteration.",
    probes=[(_dark, _map, iterations) for iterations in (3, 1, 0, 8)],
    right=lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(latest), n),
    mistakes={
        CHANGES_ITS_INPUT: _in_place,
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
    reading.model(network)(pictures)  # a class has no weights before its first call
    changes = (lambda w: rng.normal(0, 1, w.shape), lambda w: w - 50, lambda w: w + 50)
    found = []
    with reading.keep_weights(network) as before:
        for change in changes:
            network.set_weights([change(weights) for weights in before])
            maps = [_maps(network, some).ravel() for some in (pictures, pictures[:, :5, :8])]
            found.append(np.concatenate(maps))
    require(
        np.ptp(found, axis=1).max() <= 1e-5,
        "with other weights the map differs between pixels, between pictures or with their size: "
        "nothing of the picture may reach it.",
    )
    require(np.ptp(found) > 0.05, "no weight moves the number, so nothing can train it.")
    told = f"with other weights it becomes {np.min(found):.3g} or {np.max(found):.3g}"
    require(np.min(found) >= 0 and np.max(found) <= 1, f"{told}, outside [0, 1]. Use a sigmoid.")
    return (
        f"It has {network.count_params():,} parameters, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )


def _maps(network, pictures) -> np.ndarray:
    """Return a network's maps of pictures, or say that they are not maps of one channel."""
    import keras

    maps = keras.ops.convert_to_numpy(network(pictures))
    try:
        return np.broadcast_to(maps, (*pictures.shape[:3], 1))
    except ValueError:
        told = f"pictures of shape {pictures.shape} give maps of shape {maps.shape}"
        raise Wrong(f"{told}; one channel of the same size was asked for.") from None
