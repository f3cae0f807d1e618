"""Exercises of notebook 04, train it."""

import random
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import numpy as np

from lle_utils import baselines, curve, data, metrics
from lle_utils.checks.engine import (
    Exercise,
    Function,
    Wrong,
    ask,
    check,
    must_be_function,
    number,
    numbers,
    returned,
    returned_whole,
    whole,
)

# 4.1. An order of batches is observed as rules that it keeps: many orders are right.

_SOME = [(seed, epoch) for seed in range(12) for epoch in range(12)]
_FACTORS = [*range(1, 129), 200, 255, 256, 500, 512, 997, 999, *range(1000, 1025)]
_FACTORS += [1234, 7919, 10_000, 12_345, 31_337, 2**16, 100_000, 10**6]
"""By what a seed or an epoch may be multiplied before the two are added: orders collide then."""


def _kept_rules(function) -> dict:
    with _other_randomness():
        first = _batch(function, 24, 8, 3, 2, 1)
        _batch(function, 24, 8, 3, 3, 0)
        is_repeatable = _batch(function, 24, 8, 3, 2, 1) == first
        epochs = [
            (count, size, _epoch(function, count, size, 1, epoch))
            for count, size in ((24, 8), (10, 3), (7, 7), (5, 1), (3, 8))
            for epoch in (0, 5)
        ]
        orders = {place: tuple(_batch(function, 24, 24, *place, 0)) for place in _SOME}
        far = {(0, n): _batch(function, 24, 24, 0, n, 0) for n in _FACTORS}
        far |= {(n, 0): _batch(function, 24, 24, n, 0, 0) for n in _FACTORS}
        cut = [_epoch(function, 24, 8, 0, epoch) for epoch in range(9)]
    orders |= {place: tuple(order) for place, order in far.items()}
    groups = {frozenset(map(frozenset, batches)) for batches in cut}
    beside = [(b - a) % 24 in (1, 23) for order in orders.values() for a, b in pairwise(order)]
    return {
        "the same arguments give the same batch, whatever was drawn before": is_repeatable,
        "each batch has `batch_size` pairs; only the last may be smaller, and is not empty": all(
            [len(batch) for batch in batches]
            == [min(size, count - n) for n in range(0, count, size)]
            for count, size, batches in epochs
        ),
        "in each epoch every pair from 0 to count - 1 comes exactly once": all(
            sorted(sum(batches, [])) == list(range(count)) for count, _, batches in epochs
        ),
        "each epoch has an order of its own": orders[1, 0] != orders[1, 1],
        "each seed has orders of its own": orders[0, 1] != orders[1, 1],
        "pairs are shuffled, not batches": len(groups) > 1 and np.mean(beside) < 0.5,
        "no two pairs of seed and epoch share their order": (
            len(set(orders.values())) == len(orders)
        ),
    }


@contextmanager
def _other_randomness():
    """Let nobody's seed be in force, and put all back afterwards."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002  (an answer may use it)
    try:
        np.random.seed(None)  # noqa: NPY002
        random.seed()
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def _batch(function, *arguments) -> list[int]:
    result = ask(function, *arguments)
    try:
        return [whole(index, "the index of a pair") for index in result]
    except TypeError:
        raise Wrong("a list of indices was asked for, the pairs of one batch.") from None


def _epoch(function, count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    return [_batch(function, count, size, seed, epoch, n) for n in range(-(-count // size))]


def _from_order(order_of):
    """Return an answer that cuts its batches from ``order_of(count, seed, epoch, index)``."""

    def batch_order(count, batch_size, seed, epoch, index):
        order = order_of(count, seed, epoch, index)
        return order[index * batch_size : (index + 1) * batch_size]

    return batch_order


def _drawn(seed, count):
    return np.random.default_rng(seed).permutation(count)


def _shuffled_batches(count, batch_size, seed, epoch, index):
    batches = np.array_split(np.arange(count), range(batch_size, count, batch_size))
    if count % batch_size:
        return batches[index]
    return batches[_drawn([seed, epoch], len(batches))[index]]


batch_order = Exercise(
    "``function(count, batch_size, seed, epoch, index)``: which pairs a batch holds.",
    Function(
        observe=_kept_rules,
        probes=[()],
        right=_from_order(lambda count, seed, epoch, index: _drawn([seed, epoch], count)),
        mistakes={
            "the same arguments gave two different batches, so an interrupted run would not resume "
            "with its own. Make a generator from seed and epoch inside the function.": (
                _from_order(lambda count, seed, epoch, index: np.random.permutation(count))  # noqa: NPY002
            ),
            "some pairs come twice in an epoch, and others never. Cut all batches of an epoch from "
            "one order: keep the index out of the seed, and draw without replacement.": (
                _from_order(lambda count, seed, epoch, index: _drawn([seed, epoch, index], count))
            ),
            "every epoch has the same order: the epoch must be in the generator's seed, too.": (
                _from_order(lambda count, seed, epoch, index: _drawn(seed, count))
            ),
            "every seed gives the same orders: the seed must be in the generator's seed, too.": (
                _from_order(lambda count, seed, epoch, index: _drawn(epoch, count))
            ),
            "the same pairs share a batch in every epoch: you shuffle the batches. Shuffle the "
            "pairs first, and cut batches from them.": _shuffled_batches,
            "two pairs of seed and epoch share their order. Mixed into one number they collide: "
            "100 * seed + epoch is 100 for seed 1, epoch 0 and for seed 0, epoch 100. default_rng "
            "takes a list, [seed, epoch].": (
                _from_order(lambda count, seed, epoch, index: _drawn(100 * seed + epoch, count))
            ),
        },
        hint="Cut the batch from one order, drawn by np.random.default_rng([seed, epoch]).",
    ),
    praise="Ask for any batch of any epoch, in any order: it is always the same.",
)

# 4.2. The published objective


def _perfect(dark, bright, n, map_of=lambda E, dark, bright: bright):
    return curve.recurse(np.asarray(dark), lambda E, step: map_of(E, dark, bright), n)


def _errors(dark, bright, most, measure=lambda miss: np.mean(np.square(miss))):
    return [measure(_perfect(dark, bright, n) - bright) for n in range(most + 1)]


def _best(dark, bright, most, **how):
    return int(np.argmin(_errors(dark, bright, most, **how)))


def _first_valley(dark, bright, most):
    rises = np.diff(_errors(dark, bright, most)) > 0
    return int(np.argmax(rises)) if rises.any() else most


def _pictures():
    rng = np.random.default_rng(8)
    dark, bright = rng.uniform(0.02, 0.2, (4, 5, 3)), rng.uniform(0.1, 0.95, (4, 5, 3))
    yield from ((dark, bright, n) for n in (8, 1, 0, 12))
    yield from ((dark[0], bright[0], 3), (np.array([0.05]), np.array([0.5]), 7))


def _tones():
    """Return arguments of best_rounds, rich enough to tell mistakes apart."""
    rng = np.random.default_rng(5)
    dark = rng.uniform(0.01, 0.1, (6, 7, 3))
    steep = np.clip(12 * dark + rng.normal(0, 0.1, dark.shape), 0.02, 0.98)
    tones = [
        ([0.02, 0.02, 0.02, 0.3], [0.3, 0.4, 0.5, 0.9], 30),
        ([0.11, 0.11, 0.06, 0.03, 0.01], [0.4, 0.39, 0.07, 0.26, 0.76], 30),
        ([0.05], [0.5], 12),
        ([0.5], [0.5], 12),
        ([0.02], [0.2], 9),
        ([0.5, 0.001], [0.1, 0.9], 30),  # worse at first, and then better
    ]
    return [(dark, steep, 20), *((np.array(a), np.array(b), most) for a, b, most in tones)]


def _praise_rounds(with_perfect_map, best_rounds) -> str:
    told = [_best(goal / 20, goal, 60) for goal in (0.2, 0.5, 0.9)]
    return (
        "Pixels that should become 0.2, 0.5 and 0.9, and are twenty times darker, are nearest "
        f"after {told[0]}, {told[1]} and {told[2]} rounds. One picture has them all, and one n."
    )


perfect_founding = Exercise(
    "``with_perfect_map(dark, bright, n)`` and ``best_rounds(dark, bright, most)``.",
    Function(
        observe=returned,
        probes=_pictures,
        right=_perfect,
        tolerance=1e-5,
        mistakes={
            "this is the bright picture itself. A perfect fit makes the *map* equal to it; the "
            "picture is what the recursion makes with such a map.": (
                lambda dark, bright, n: bright + 0 * dark
            ),
            "in the map's place you put the current picture. A perfectly trained founding network "
            "says `bright` in every round.": (
                lambda dark, bright, n: _perfect(dark, bright, n, lambda E, dark, bright: E)
            ),
            "a map of bright - E knows when to stop. One would wish for that, but the founding "
            "loss asks for `bright` in every round.": lambda dark, bright, n: _perfect(
                dark, bright, n, lambda E, dark, bright: bright - E
            ),
            "that is one round too many.": lambda dark, bright, n: _perfect(dark, bright, n + 1),
            "you add the first round's step n times. Each round starts from the last result.": (
                lambda dark, bright, n: dark + n * bright * dark * (1 - dark)
            ),
        },
        hint="Start from dark, and n times take E + bright * E * (1 - E).",
    ),
    Function(
        observe=returned_whole,
        probes=_tones,
        right=_best,
        mistakes={
            "you take the last n. More rounds are not always better: compare the errors.": (
                lambda dark, bright, most: most
            ),
            "n = 0, doing nothing, is allowed as well, and here it is best.": (
                lambda dark, bright, most: 1 + int(np.argmin(_errors(dark, bright, most)[1:]))
            ),
            "you compare mean absolute errors; the mean *squared* error was asked for.": (
                lambda dark, bright, most: _best(
                    dark, bright, most, measure=lambda miss: np.mean(np.abs(miss))
                )
            ),
            "you compare medians of the errors, which ignore the worst half. Take the mean of the "
            "squares.": lambda dark, bright, most: _best(
                dark, bright, most, measure=lambda miss: np.median(miss**2)
            ),
            "you compare the largest errors, a single value of each picture. Take the mean of the "
            "squares.": lambda dark, bright, most: _best(
                dark, bright, most, measure=lambda miss: np.max(miss**2)
            ),
            "you stop where the error first grows. It may fall again later: look at all n.": (
                _first_valley
            ),
        },
        hint="Of the mean squared errors after 0, 1, ..., most rounds, which is the smallest?",
    ),
    praise=_praise_rounds,
)

# 4.3. The loss through the curve


def _map_of(weights, E) -> np.ndarray:
    """Return the map of a network of one 1 x 1 convolution and a sigmoid, in NumPy."""
    return 1 / (1 + np.exp(-(E @ weights[:3] + weights[3])))[..., None]


def _miss(weights, low, high, rounds, seen=lambda E, low: E) -> np.ndarray:
    return curve.recurse(low, lambda E, step: _map_of(weights, seen(E, low)), rounds) - high


def _loss(*given) -> float:
    return float(np.mean(_miss(*given) ** 2))


def _slope(weights, *given) -> np.ndarray:
    """Return the gradient of `_loss`, by differences."""
    tiny = 1e-5 * np.eye(len(weights))
    return np.array(
        [(_loss(weights + t, *given) - _loss(weights - t, *given)) / 2e-5 for t in tiny]
    )


_LOSSES = {
    "this compares the *map* with the bright picture, which is the founding loss.": (
        lambda weights, low, high, rounds: np.mean((_map_of(weights, low) - high) ** 2)
    ),
    "the first map is used in all rounds. Ask the network about each new picture.": (
        lambda *given: np.mean(_miss(*given, lambda E, low: low) ** 2)
    ),
    "this is the sum of the squares; take their mean, or the loss grows with the batch.": (
        lambda *given: np.sum(_miss(*given) ** 2)
    ),
    "these are absolute differences; take their squares.": (
        lambda *given: np.mean(np.abs(_miss(*given)))
    ),
    "this is the root of the mean squared error; leave the root away.": (
        lambda *given: _loss(*given) ** 0.5
    ),
    "that is one round too many.": lambda w, low, high, n: _loss(w, low, high, n + 1),
    "that is one round too few.": lambda w, low, high, n: _loss(w, low, high, max(0, n - 1)),
    "that is the loss of eight rounds, whatever `rounds` is.": (
        lambda w, low, high, n: _loss(w, low, high, 8)
    ),
}


@check
def through_the_curve(function) -> str:
    """Check ``function(network, low, high, rounds)``: mean squared error after the recursion.

    `network` gives the map of a batch of pictures; the result is one number, and a Keras tensor, so
    that its gradient reaches the network's weights.
    """
    import keras

    must_be_function(function)
    rng = np.random.default_rng(6)
    low = rng.uniform(0.02, 0.2, (3, 4, 5, 3)).astype(np.float32)
    high = rng.uniform(0.2, 0.9, low.shape).astype(np.float32)
    weights = np.array([1.5, -2.0, 0.7, -0.6])
    network = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1, activation="sigmoid")]
    )
    network.set_weights([weights[:3].reshape(1, 1, 3, 1), weights[3:]])
    exact = [side.astype(float) for side in (low, high)]
    for pairs, rounds in ((3, 8), (3, 1), (2, 3), (1, 12), (3, 0)):
        batch = [keras.ops.convert_to_tensor(side[:pairs]) for side in (low, high)]
        loss = ask(function, network, *batch, rounds)
        _judge_loss(loss, weights, *(side[:pairs] for side in exact), rounds)
    _judge_gradient(_step(function, network, low, high), _slope(weights, *exact, 8))
    return (
        "The value is right, and so is its gradient: it comes back through all eight rounds to the "
        "weights that they share. This is all that training through the curve needs."
    )


def _judge_loss(loss, *given) -> None:
    import keras

    if keras.ops.is_tensor(loss):
        loss = keras.ops.convert_to_numpy(loss)
    found, right = numbers(loss, "the loss"), _loss(*given)
    if found.size != 1:
        raise Wrong(
            f"the loss has shape {found.shape}, and it must be one number: average over the "
            "pictures as well."
        )
    value = found.item()
    if np.isclose(value, right, rtol=1e-4, atol=1e-7):
        return
    for diagnosis, mistake in _LOSSES.items():
        if np.isclose(value, mistake(*given), rtol=1e-4):
            raise Wrong(diagnosis)
    *_, low, high, rounds = given
    raise Wrong(
        f"for {len(low)} pictures and {rounds} rounds the loss is {value:.5g}; it must be "
        f"{right:.5g}."
    )


def _step(function, network, low, high) -> np.ndarray | None:
    """Make one step of length 1 against the gradient; return the gradient, None if there is none.

    Keras does it, so this works on each of its back ends.
    """
    import keras

    class Trainee(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = network

        def call(self, x):
            return self.network(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return function(self.network, x, y, 8)

    before = [w.copy() for w in network.get_weights()]
    trainee = Trainee()
    trainee.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True, jit_compile=False)
    try:
        trainee.train_on_batch(low, high)
    except Exception:
        return None
    moved = [old - new for old, new in zip(before, network.get_weights(), strict=True)]
    return np.concatenate([part.ravel() for part in moved])


def _judge_gradient(found, right) -> None:
    if found is None or not np.abs(found).max() > 1e-9:
        raise Wrong(
            "the value is right, but no gradient reaches the weights, so nothing could be trained. "
            "NumPy and `predict` return bare numbers that forget where they came from: call "
            "network(E), and use only keras.ops or plain + - *."
        )
    if not np.allclose(found, right, rtol=5e-3, atol=1e-5):
        raise Wrong(
            "the value is right, but its gradient is not: it does not come back through all "
            "rounds. Is it stopped somewhere, by stop_gradient or by NumPy?"
        )


# 4.4. Beat the constant


def _enhance(enhancer, low) -> np.ndarray:
    from lle_utils.enhancer import enhance_picture

    return enhance_picture(enhancer, low)


def _published() -> dict[str, list[np.ndarray]]:
    """Return the weights that come with the package, by name."""
    from lle_utils.weights import list_weights, load_model

    return {name: load_model(name).network.get_weights() for name in list_weights()}


@cache
def _validation() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return the pictures that notebook 04 judges by: scene, dark and bright, thinned out."""
    every = slice(6, None, 12)
    return [
        (pair.name.partition("#")[0], pair.low[every, every], pair.high[every, every])
        for pair in data.load("sample", "validation", exposures=4)
    ]


def _scores(enhance) -> np.ndarray:
    return np.array([metrics.psnr(enhance(low), high) for _, low, high in _validation()])


@cache
def _constant_scores() -> np.ndarray:
    best = baselines.fit_constant(data.load("sample", "train", exposures=4), iterations=8)
    return _scores(lambda low: baselines.constant_map(low, best, 8))


@check
def beat_the_constant(enhancer, claim) -> str:
    """Check a trained enhancer, and a dict of "mine" and "constant" in dB, and "better".

    Both are measured again on the sample's validation pictures, thinned out by 12.
    """
    import keras

    if not isinstance(claim, dict) or set(claim) != {"mine", "constant", "better"}:
        raise Wrong('claim must be a dict with the keys "mine", "constant" and "better".')
    if not isinstance(enhancer, keras.Model):
        raise Wrong(f"the trained keras.Model was asked for; this is a {type(enhancer).__name__}.")
    said = {key: number(claim[key], f'claim["{key}"]') for key in ("mine", "constant")}
    if not isinstance(claim["better"], bool | np.bool_):
        raise Wrong('claim["better"] must be True or False.')
    _judge_trained(enhancer)
    scores = {"constant": _constant_scores(), "mine": _my_scores(enhancer)}
    means = {key: values.mean() for key, values in scores.items()}
    for key, mean in means.items():
        if abs(said[key] - mean) > 0.05:
            raise Wrong(
                f'claim["{key}"] says {said[key]:.2f} dB, and here it is {mean:.2f} dB. '
                + _HINTS[key]
            )
    gain = means["mine"] - means["constant"]
    if abs(gain) > 0.05 and (gain > 0) != bool(claim["better"]):
        raise Wrong(
            "the numbers are right, but your conclusion is not: "
            f"{means['mine']:.2f} dB against the constant's {means['constant']:.2f} dB."
        )
    return (
        f"{means['mine']:.2f} dB against the constant's {means['constant']:.2f} dB; "
        + _by_scene(scores["mine"] - scores["constant"])
        + " Would you bet on the next scene? Notebook 06 says how sure one can be."
    )


_HINTS = {
    "mine": "Use `score`, on the very model that you hand in.",
    "constant": (
        "Fit it on the sample's training pairs in four exposures, for 8 iterations; use `score`."
    ),
}


def _by_scene(gains: np.ndarray) -> str:
    names = np.array([name for name, _, _ in _validation()])
    means = [gains[names == name].mean() for name in np.unique(names)]
    won = sum(gain > 0 for gain in means)
    return (
        f"it is better in {won} of {len(means)} scenes, by {min(means):+.2f} to "
        f"{max(means):+.2f} dB."
    )


def _my_scores(enhancer) -> np.ndarray:
    try:
        scores = _scores(lambda low: _enhance(enhancer, low))
    except Exception as error:
        raise Wrong(
            f"enhance_picture cannot use it ({type(error).__name__}). Hand in what training.train "
            "returns, or an Enhancer around your network."
        ) from None
    if not np.isfinite(scores).all():
        raise Wrong("its pictures hold values that are not numbers: did the training explode?")
    return scores


def _judge_trained(enhancer) -> None:
    """See whether somebody trained it: first biases are 0, and the package's weights are known."""
    weights = enhancer.get_weights()
    biases = [values for values in weights[:-1] if values.ndim == 1]
    if biases and not any(np.any(values) for values in biases):
        raise Wrong(
            "its biases are all still 0, as in a network that was never trained. A fresh network "
            "is nearly a constant map, so its score proves nothing."
        )
    for name, others in _published().items():
        if [w.shape for w in weights] == [w.shape for w in others] and all(
            map(np.array_equal, weights, others)
        ):
            raise Wrong(
                f"these are the weights {name!r} that come with the package. Train your own."
            )
