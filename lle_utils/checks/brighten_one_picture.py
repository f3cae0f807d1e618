"""Exercises of notebook 00, brighten one picture."""

import numpy as np

from lle_utils import curve
from lle_utils.checks import reading
from lle_utils.checks.engine import CHANGES_ITS_INPUT, Exercise, Value, check
from lle_utils.checks.reading import Wrong, require
from lle_utils.checks.recorder import Recorder, smooth_map

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


def _asking(function, E, predict, iterations):
    network = Recorder(predict)
    return network.see(function, E, network, iterations)


def _with_two_bugs(E, predict, iterations):
    M = predict(E)
    for _ in range(iterations):
        E += M * E * (1 - E)
    return E


brighten_again = Exercise(
    "``function(E, predict, iterations)``: the recursion, with a new map in each iteration.",
    observe=_asking,
    probes=[(_dark, smooth_map, iterations) for iterations in (3, 1, 0, 8)],
    right=lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(latest), n),
    mistakes={
        CHANGES_ITS_INPUT: _with_two_bugs,
        "the network is asked only once. Ask in each iteration.": (
            lambda E, predict, n: _with_two_bugs(E + 0, predict, n)
        ),
        "it always asks about the dark picture. Ask about the latest E.": (
            lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(E), n)
        ),
    },
    praise="A new map in each iteration, from the latest picture, and the caller keeps its own.",
)


def _shares(measure=lambda E: np.mean(E < 10 / 255), kept=slice(None)):
    """Return an answer to `still_dark` that measures in its own way and keeps some numbers."""

    def still_dark(E, predict, iterations):
        shares = [measure(E)]
        for _ in range(iterations):
            E = curve.brighten(E, predict(E))
            shares.append(measure(E))
        return shares[kept]

    return still_dark


still_dark = Exercise(
    "``function(E, predict, iterations)``: the shares below code 10, one for each picture.",
    probes=[(_dark, smooth_map, 8), (_dark[:5, :3], smooth_map, 4), (_dark, smooth_map, 0)]
    + [(np.full((1, 1, 3), code / 255), smooth_map, 2) for code in (10, 0)],
    right=_shares(),
    mistakes={
        "the share before the first iteration is missing.": _shares(kept=slice(1, None)),
        "the share after the last iteration is missing.": _shares(kept=slice(-1)),
        "values lie in [0, 1]: code 10 is 10 / 255.": _shares(lambda E: np.mean(E < 10)),
        "exactly 10 / 255 is not below code 10.": _shares(lambda E: np.mean(E <= 10 / 255)),
        "count values, not pixels.": _shares(lambda E: np.mean(E.mean(-1) < 10 / 255)),
    },
    praise="The share falls in each iteration, but what is exactly 0 stays where it is.",
)


@check
def one_number(network) -> str:
    """Check a Keras network whose map is one number, the same everywhere, that can be trained."""
    rng = np.random.default_rng(1)
    pictures = rng.uniform(0, 0.5, (2, 9, 14, 3)).astype(np.float32)
    pictures[1] += 0.5
    _maps(reading.model(network), pictures)
    require(network.trainable_variables, "it has nothing to train: make its number a weight.")
    with reading.keep_weights(network) as before:
        # Whatever the weights become: the first map may be even only because they start at 0.
        network.set_weights([rng.normal(0, 1, w.shape).astype(w.dtype) for w in before])
        maps, smaller = _maps(network, pictures), _maps(network, pictures[:, :5, :8])
        for apart, differs in (
            (np.ptp(maps, axis=(1, 2)).max(), "with other weights the map differs between pixels"),
            (np.ptp(maps), "it gives a different number for each picture"),
            (np.ptp([maps[0, 0, 0], smaller[0, 0, 0]]), "its number changes with a picture's size"),
        ):
            require(apart <= 1e-5, f"{differs}: the map must not depend on the picture.")
        ends = []
        for shift in (-50, 50):
            network.set_weights([weights + shift for weights in before])
            ends.append(_maps(network, pictures).flat[0])
    told = f"with other weights it becomes {ends[0]:.3g} and {ends[1]:.3g}"
    require(min(ends) >= 0 and max(ends) <= 1, f"{told}, outside [0, 1]. End in a sigmoid.")
    moved = np.ptp([*ends, maps.flat[0]]) > 0.05
    require(moved, "no weight moves the number, so nothing can train it.")
    return (
        f"It has {network.count_params():,} parameters, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )


def _maps(network, pictures) -> np.ndarray:
    """Return a network's maps of pictures, or say that they are not maps of one channel."""
    import keras

    maps = keras.ops.convert_to_numpy(network(pictures))
    require(maps.shape[-1:] != (3,), "its map must have one channel, not one for each color.")
    try:
        return np.broadcast_to(maps, (*pictures.shape[:3], 1))
    except ValueError:
        raise Wrong(f"pictures of shape {pictures.shape} give maps of shape {maps.shape}") from None
