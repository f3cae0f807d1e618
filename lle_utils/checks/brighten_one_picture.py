"""Exercises of notebook 00, brighten one picture."""

import numpy as np

from lle_utils import curve
from lle_utils.checks.engine import (
    CHANGES_ITS_INPUT,
    Exercise,
    Value,
    Wrong,
    ask,
    call,
    check,
    model,
    numbers,
    require,
)
from lle_utils.checks.recorder import Recorder

first_guess = Exercise(
    "Three predictions: 0.05 after 1 and after 8 iterations at M = 1, and 0 after 8.",
    Value(
        "one_round",
        0.0975,
        {
            "0.1 is twice 0.05. It is a little less: the factor 1 - E is 0.95.": 0.1,
            "0.0475 is what is added, M E (1 - E). The pixel keeps what it had.": 0.0475,
        },
        tolerance=5e-4,
    ),
    Value(
        "eight_rounds",
        1.0,
        {"doubled eight times, it is whiter than white. The factor 1 - E shrinks.": 12.8},
        tolerance=2.5e-3,
    ),
    Value(
        "black", 0, {"half a code is where `enhance` starts; nothing is raised here.": 0.5 / 255}
    ),
    praise="One iteration at most doubles a dark value, and eight make it white. "
    "But an exact 0 stays 0, so `enhance` first raises it to half a code.",
)


def _asking(function, E, recorder, iterations):
    network = recorder()
    return network.seen_with(call(function, E, network, iterations, keeps=True))


def _with_two_bugs(E, predict, iterations):
    M = predict(E)
    for _ in range(iterations):
        E += M * E * (1 - E)
    return E


def _with_maps(seen=lambda latest, first: latest):
    """Return an answer that asks about what it has seen: the latest picture, or the first."""
    return lambda E, predict, n: curve.recurse(E, lambda latest, _: predict(seen(latest, E)), n)


_start = np.random.default_rng(4).uniform(0.01, 0.3, (4, 5, 3))

brighten_again = Exercise(
    "``function(E, predict, iterations)``: the recursion, with a new map in each iteration.",
    observe=_asking,
    probes=[(_start, Recorder, iterations) for iterations in (3, 1, 0, 8)],
    right=_with_maps(),
    mistakes={
        CHANGES_ITS_INPUT: _with_two_bugs,
        "the network is asked only once, so the first map keeps brightening what is bright "
        "already. Ask in each iteration.": lambda E, predict, n: _with_two_bugs(E + 0, predict, n),
        "it asks about the dark picture in every iteration. Ask about the latest E.": (
            _with_maps(lambda latest, first: first)
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


_dark = np.exp(np.random.default_rng(0).uniform(np.log(0.0012), np.log(0.4), (12, 17, 3)))
_exactly_10 = np.full((1, 1, 3), 10 / 255)


def _counting(function, E, recorder, iterations):
    return numbers(ask(function, E, recorder(), iterations), "the list of shares")


still_dark = Exercise(
    "``function(E, predict, iterations)``: the shares below code 10, one for each picture.",
    observe=_counting,
    probes=[
        (_dark, Recorder, 8),
        (_dark[:5, :3], Recorder, 4),
        (_dark, Recorder, 0),
        (_exactly_10, Recorder, 2),
        (np.zeros((3, 4, 3)), Recorder, 3),
    ],
    right=_shares(),
    mistakes={
        "the share before the first iteration is missing.": _shares(kept=slice(1, None)),
        "the share after the last iteration is missing.": _shares(kept=slice(-1)),
        "values lie in [0, 1]: code 10 is 10 / 255.": _shares(lambda E: np.mean(E < 10)),
        "exactly 10 / 255 is not below code 10.": _shares(lambda E: np.mean(E <= 10 / 255)),
        "you count pixels. Count values: each pixel has three.": _shares(
            lambda E: np.mean(E.mean(-1) < 10 / 255)
        ),
    },
    praise="The share falls in each iteration, but what is exactly 0 stays where it is.",
)


@check
def one_number(network) -> str:
    """Check a Keras network whose map is one number, the same everywhere, that can be trained."""
    rng = np.random.default_rng(1)
    pictures = rng.uniform(0, 0.5, (2, 9, 14, 3)).astype(np.float32)
    pictures[1] += 0.5
    _maps(model(network), pictures)
    require(network.trainable_variables, "there is nothing to train in it: make it a weight.")
    before = network.get_weights()
    try:
        # Whatever the weights become: the first map may be even only because they start at 0.
        network.set_weights([rng.normal(0, 1, w.shape).astype(w.dtype) for w in before])
        maps, smaller = _maps(network, pictures), _maps(network, pictures[:, :5, :8])
        kept_out = "nothing of the picture may get through."
        if np.ptp(maps, axis=(1, 2)).max() > 1e-5:
            raise Wrong(f"with other weights the map differs from pixel to pixel: {kept_out}")
        if np.ptp(maps) > 1e-5:
            raise Wrong(f"it gives a different number for each picture, but {kept_out}")
        if abs(maps[0, 0, 0, 0] - smaller[0, 0, 0, 0]) > 1e-5:
            raise Wrong(f"it gives a different number for pictures of a different size: {kept_out}")
        for shift in (-50, 50):
            network.set_weights([weights + shift for weights in before])
            maps = _maps(network, pictures)
            if maps.min() < 0 or maps.max() > 1:
                raise Wrong("with other weights the number is outside of [0, 1]. End in a sigmoid.")
        network.set_weights(before)
        reached = _trained_to(network, 0.3)
    finally:
        network.set_weights(before)
    if abs(reached - 0.3) > 0.05:
        raise Wrong(
            f"training does not move it: after 80 steps with pictures of m = 0.3 it says "
            f"{reached:.2f}. Does the loss depend on its weights?"
        )
    return (
        f"It has {network.count_params():,} parameters, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )


def _maps(network, pictures) -> np.ndarray:
    """Return a network's maps of pictures, or say that they are not maps of one channel."""
    import keras

    maps = keras.ops.convert_to_numpy(network(pictures))
    require(maps.shape[-1:] != (3,), "one number for each color was not asked for: one channel.")
    try:
        return np.broadcast_to(maps, (*pictures.shape[:3], 1))
    except ValueError:
        raise Wrong(f"pictures of shape {pictures.shape} give maps of shape {maps.shape}") from None


def _trained_to(network, m: float) -> float:
    """Train a network through eight iterations to a constant m's pictures; return its number."""
    import keras

    low = np.random.default_rng(2).uniform(0.02, 0.2, (4, 8, 8, 3)).astype(np.float32)
    high = curve.recurse(low, lambda E, step: m, 8)
    picture = keras.Input(low.shape[1:])
    trainee = keras.Model(picture, curve.recurse(picture, lambda E, step: network(E), 8))
    trainee.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    trainee.fit(low, high, batch_size=4, epochs=80, verbose=0)
    return float(_maps(network, low).mean())
