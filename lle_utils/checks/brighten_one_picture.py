"""Exercises of notebook 00, brighten one picture."""

import numpy as np

from lle_utils import curve
from lle_utils.checks.engine import (
    CHANGES_ITS_INPUT,
    Exercise,
    Function,
    Value,
    Wrong,
    call,
    check,
    number,
    returned,
)
from lle_utils.checks.recorder import Recorder

first_guess = Exercise(
    "Three predictions: 0.05 after one and after eight rounds at M = 1, and 0 after eight.",
    Value(
        name="one_round",
        read=number,
        right=0.0975,
        tolerance=5e-4,
        mistakes={
            "0.1 is twice 0.05. It is a little less: the factor 1 - E is 0.95.": 0.1,
            "0.0475 is what is added, M E (1 - E). The pixel keeps what it had.": 0.0475,
        },
        hint="Put E = 0.05 and M = 1 into E + M E (1 - E).",
    ),
    Value(
        name="eight_rounds",
        read=number,
        right=1.0,
        tolerance=2.5e-3,
        mistakes={
            "doubled eight times, it is whiter than white. The factor 1 - E shrinks.": 12.8,
            "that is after one round. The next round starts from the result.": 0.0975,
            "you added the same amount eight times, but each round adds more at first.": 0.43,
        },
        hint="Nothing gets above 1. Let Python do it: a loop of eight times E = E + E * (1 - E).",
    ),
    Value(
        name="black",
        read=number,
        right=0,
        mistakes={"half a code is where `enhance` starts; here nothing is raised.": 0.5 / 255},
        hint="Each term of E + M E (1 - E) has a factor E. What is 0 times anything?",
        tolerance=1e-9,
    ),
    praise="One round at most doubles a dark value, and eight make it white: there is room enough. "
    "But an exact 0 stays 0, so `enhance` first raises it to half a code.",
)


def _asking(function, E, recorder, rounds):
    network = recorder()
    return network.seen_with(call(function, E, network, rounds, keeps=True))


def _with_two_bugs(E, predict, rounds):
    M = predict(E)
    for _ in range(rounds):
        E += M * E * (1 - E)
    return E


def _with_one_map(E, predict, rounds):
    M = predict(E)
    return curve.recurse(E, lambda latest, step: M, rounds)


def _one_round_short(E, predict, rounds):
    before = E
    for _ in range(rounds):
        before, E = E, curve.brighten(E, predict(E))
    return before


_start = np.random.default_rng(4).uniform(0.01, 0.3, (4, 5, 3))

brighten_again = Exercise(
    "``function(E, predict, rounds)``: the recursion, with a new map in each round.",
    Function(
        observe=_asking,
        probes=[(_start, Recorder, rounds) for rounds in (3, 1, 0, 8)],
        right=lambda E, predict, rounds: curve.recurse(E, lambda e, _: predict(e), rounds),
        tolerance=1e-5,
        mistakes={
            CHANGES_ITS_INPUT: _with_two_bugs,
            "the network is asked only once, so the first map keeps brightening what is bright "
            "already. Ask in each round.": _with_one_map,
            "it asks about the dark picture in every round, so the map never changes. Ask about "
            "the latest E.": lambda E, predict, rounds: curve.recurse(
                E, lambda e, _: predict(E), rounds
            ),
            "the last round is missing from what it returns.": _one_round_short,
        },
        hint="Each round asks about the latest E, and goes on with E + M * E * (1 - E).",
    ),
    praise="A new map in each round, from the latest picture, and the caller keeps the dark one.",
)


def _shares(measure):
    """Return an answer to `still_dark` that measures in a way of its own."""

    def still_dark(E, predict, rounds):
        shares = [measure(E)]
        for _ in range(rounds):
            E = curve.brighten(E, predict(E))
            shares.append(measure(E))
        return shares

    return still_dark


def _share(E):
    return np.mean(E < 10 / 255)


def _counting(function, E, recorder, rounds):
    return returned(function, E, recorder(), rounds)


_dark = np.exp(np.random.default_rng(0).uniform(np.log(0.0012), np.log(0.4), (12, 17, 3)))

still_dark = Exercise(
    "``function(E, predict, rounds)``: the share of values below code 10, before and after rounds.",
    Function(
        observe=_counting,
        probes=[
            (_dark, Recorder, 8),
            (_dark[:5, :3], Recorder, 4),
            (_dark, Recorder, 0),
            (np.full((1, 1, 3), 10 / 255), Recorder, 2),
            (np.zeros((3, 4, 3)), Recorder, 3),
        ],
        right=_shares(_share),
        mistakes={
            "the share before the first round is missing: rounds + 1 numbers were asked for.": (
                lambda *given: _shares(_share)(*given)[1:]
            ),
            "the share after the last round is missing: rounds + 1 numbers were asked for.": (
                lambda *given: _shares(_share)(*given)[:-1]
            ),
            "all values are below 10, as they lie in [0, 1]. Code 10 is the value 10 / 255.": (
                _shares(lambda E: np.mean(E < 10))
            ),
            "below code 10 means below it: a value of exactly 10 / 255 does not count.": (
                _shares(lambda E: np.mean(E <= 10 / 255))
            ),
            "you count pixels by the mean of their colors. Count values: a pixel has three.": (
                _shares(lambda E: np.mean(E.mean(-1) < 10 / 255))
            ),
        },
        hint="Count, brighten, count: the share is the mean of E < 10 / 255.",
    ),
    praise="The share falls from round to round, but what is exactly 0 stays where it is.",
)


@check
def one_number(network) -> str:
    """Check a Keras network whose map is one number, the same everywhere, that can be trained."""
    import keras

    if not isinstance(network, keras.Model):
        raise Wrong(f"a keras.Model was asked for, and this is a {type(network).__name__}.")
    rng = np.random.default_rng(1)
    pictures = rng.uniform(0, 0.5, (2, 9, 14, 3)).astype(np.float32)
    pictures[1] += 0.5
    _maps(network, pictures)
    if not network.trainable_variables:
        raise Wrong("there is nothing to train in it: the number must be a weight.")
    before = network.get_weights()
    try:
        # Whatever the weights become: the first map may be even only because they start at 0.
        network.set_weights([rng.normal(0, 1, w.shape).astype(w.dtype) for w in before])
        _judge_one_number(_maps(network, pictures), _maps(network, pictures[:, :5, :8]))
        for shift in (-50, 50):
            network.set_weights([weights + shift for weights in before])
            _judge_range(_maps(network, pictures))
        network.set_weights(before)
        reached = _trained_to(network, 0.3)
    finally:
        network.set_weights(before)
    if abs(reached - 0.3) > 0.05:
        raise Wrong(
            "training does not move it: it was shown pictures that were made with m = 0.3, and "
            f"after 80 steps it says {reached:.2f}. Does the loss depend on its weights?"
        )
    count = network.count_params()
    return (
        f"{count:,} parameter{'s' if count > 1 else ''}, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )


def _maps(network, pictures) -> np.ndarray:
    """Return a network's maps of pictures, or say that they are not maps of one channel."""
    import keras

    maps = keras.ops.convert_to_numpy(network(pictures))
    wanted = (*pictures.shape[:3], 1)
    if maps.ndim != 4 or any(m not in (1, w) for m, w in zip(maps.shape, wanted, strict=True)):
        if maps.shape[-1:] == (3,):
            raise Wrong("it has three channels, so one number for each color. Give it one channel.")
        raise Wrong(
            f"pictures of shape {pictures.shape} give maps of shape {maps.shape}; {wanted} was "
            "asked for."
        )
    return np.broadcast_to(maps, wanted)


def _judge_one_number(maps: np.ndarray, smaller: np.ndarray) -> None:
    if np.ptp(maps, axis=(1, 2)).max() > 1e-5:
        raise Wrong(
            "with weights other than its first ones, the map differs from pixel to pixel. Nothing "
            "of the picture may get through: what makes every picture the same?"
        )
    if np.ptp(maps) > 1e-5:
        raise Wrong(
            "it gives a different number for each picture. Averaging the map is not enough: "
            "nothing of the picture may get through."
        )
    if abs(maps[0, 0, 0, 0] - smaller[0, 0, 0, 0]) > 1e-5:
        raise Wrong("it gives a different number for pictures of a different size.")


def _judge_range(maps: np.ndarray) -> None:
    if not (maps.min() >= 0 and maps.max() <= 1):
        raise Wrong(
            f"with other weights the number is {maps.max():.3g}: outside of [0, 1]. What must the "
            "last layer end in?"
        )


def _trained_to(network, m: float) -> float:
    """Train a network through eight rounds towards what a constant m gives; return its number."""
    import keras

    low = np.random.default_rng(2).uniform(0.02, 0.2, (4, 8, 8, 3)).astype(np.float32)
    high = curve.recurse(low, lambda E, step: m, 8)
    picture = keras.Input(low.shape[1:])
    trainee = keras.Model(picture, curve.recurse(picture, lambda E, step: network(E), 8))
    trainee.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    trainee.fit(low, high, batch_size=4, epochs=80, verbose=0)
    return float(_maps(network, low).mean())
