"""Checks of the exercises in notebook 04, train it."""

import random
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import numpy as np

from lle_utils import baselines, curve, data, metrics
from lle_utils.checks.verdicts import FILL_IN, Blank, Wrong, ask, check, compare, numbers, whole

# 4.1. The order of the pairs


@check
def batch_order(function) -> str:
    """Check ``function(count, batch_size, seed, epoch, index)``: which pairs a batch holds.

    The batches of an epoch hold each of the `count` pairs once, in an order that depends on seed
    and epoch alone, and no two of these share an order.
    """
    with _other_randomness():
        first = _batch(function, 24, 8, 3, 2, 1)
        _batch(function, 24, 8, 3, 3, 0)
        if _batch(function, 24, 8, 3, 2, 1) != first:
            raise Wrong(
                "the same seed, epoch and index were asked for twice, and the answers differ. A "
                "run that was cut off would not go on with its own batches: make a generator from "
                "seed and epoch inside of the function."
            )
        for count, size in ((24, 8), (10, 3), (7, 7), (5, 1), (3, 8)):
            for epoch in (0, 5):
                _judge_epoch(_epoch(function, count, size, 1, epoch), count, size)
        orders = {}
        for seed in range(4):
            for epoch in range(40):
                batches = _epoch(function, 24, 8, seed, epoch)
                _judge_epoch(batches, 24, 8)
                orders[seed, epoch] = tuple(sum(batches, []))
    _judge_orders(orders)
    return "Ask for any batch of any epoch, in any order: it is always the same."


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


def _judge_epoch(batches: list[list[int]], count: int, size: int) -> None:
    text = f"{count} pairs in batches of {size}"
    drawn = sum(batches, [])
    outside = [index for index in drawn if not 0 <= index < count]
    if outside:
        raise Wrong(f"{text}: pair {outside[0]} does not exist; they are numbered from 0.")
    wanted = [min(size, count - size * n) for n in range(len(batches))]
    found = [len(batch) for batch in batches]
    if found != wanted:
        if found[:-1] == wanted[:-1] and found[-1] < wanted[-1]:
            raise Wrong(f"{text}: the last batch is smaller than the others, but it is not empty.")
        raise Wrong(f"{text}: the batches have {found} pairs, and {wanted} are right.")
    missing = sorted(set(range(count)) - set(drawn))
    if missing:
        twice = next(index for index in drawn if drawn.count(index) > 1)
        raise Wrong(
            f"{text}: pair {twice} comes twice in one epoch, and pair {missing[0]} not at all. All "
            "batches of an epoch are cut from one shuffled order: the index must not be in the "
            "generator's seed, and nothing may be drawn with replacement."
        )


def _judge_orders(orders: dict) -> None:
    if len(set(orders.values())) == 1:
        raise Wrong("the order is always the same: shuffle all pairs anew in every epoch.")
    of_seed = [{orders[seed, epoch] for epoch in range(40)} for seed in range(4)]
    if all(len(found) == 1 for found in of_seed):
        raise Wrong("every epoch has the same order: the epoch must be in the generator's seed.")
    if all(orders[0, epoch] == orders[1, epoch] for epoch in range(40)):
        raise Wrong("every seed gives the same orders: nobody could try another one.")
    groups = {frozenset(map(frozenset, _cut(order, 8))) for order in orders.values()}
    if len(groups) == 1:
        raise Wrong(
            "the same pairs are in one batch in every epoch: you shuffle the batches. Shuffle the "
            "pairs first, and cut batches from them."
        )
    neighbors = np.mean([(b - a) % 24 in (1, 23) for o in orders.values() for a, b in pairwise(o)])
    if neighbors > 0.5:
        raise Wrong("neighbors stay neighbors: the pairs are moved along, but not shuffled.")
    seen = {}
    for place, order in orders.items():
        if order in seen:
            (seed, epoch), (other_seed, other_epoch) = seen[order], place
            raise Wrong(
                f"seed {seed}, epoch {epoch} and seed {other_seed}, epoch {other_epoch} share "
                "their order. Do not mix the two into one number: default_rng takes a list, "
                "[seed, epoch]."
            )
        seen[order] = place


def _cut(order: tuple, size: int) -> list[tuple]:
    return [order[start : start + size] for start in range(0, len(order), size)]


# 4.2. The published objective


def _with_perfect_map(dark, bright, n):
    return curve.recurse(np.asarray(dark), lambda E, step: np.asarray(bright), n)


def _best_rounds(dark, bright, most, first=0, error=np.square):
    errors = [
        np.mean(error(_with_perfect_map(dark, bright, n) - bright)) for n in range(first, most + 1)
    ]
    return first + int(np.argmin(errors))


def _first_valley(dark, bright, most):
    errors = [np.mean((_with_perfect_map(dark, bright, n) - bright) ** 2) for n in range(most + 1)]
    return next((n for n in range(most) if errors[n + 1] > errors[n]), most)


@check
def perfect_founding(with_perfect_map, best_rounds) -> str:
    """Check ``with_perfect_map(dark, bright, n)`` and ``best_rounds(dark, bright, most)``.

    The first returns the picture after n rounds in which the map is the bright picture; the second
    the n in 0..most at which that has the smallest mean squared error.
    """

    def recurse(dark, map_of, n):
        return curve.recurse(np.asarray(dark), lambda E, step: map_of(E), n)

    rng = np.random.default_rng(8)
    dark, bright = rng.uniform(0.02, 0.2, (4, 5, 3)), rng.uniform(0.1, 0.95, (4, 5, 3))
    probes = [(dark, bright, 8), (dark, bright, 1), (dark, bright, 0), (dark, bright, 12)]
    probes += [(dark[0], bright[0], 3), (np.array([0.05]), np.array([0.5]), 7)]
    mistakes = {
        "this is the bright picture itself. A perfect fit makes the *map* equal to it, and the "
        "picture is what the recursion makes with such a map.": lambda d, b, n: b + 0 * d,
        "in the map's place you put the picture of the moment. A perfectly trained founding "
        "network says `bright` in every round.": lambda d, b, n: recurse(d, lambda E: E, n),
        "in the map's place you put the dark picture. A perfectly trained founding network says "
        "`bright`.": lambda d, b, n: recurse(d, lambda E: d, n),
        "a map of bright - E knows when to stop. That is what one would wish for, but the founding "
        "loss asks for `bright`, in every round.": lambda d, b, n: recurse(d, lambda E: b - E, n),
        "that is one round too many.": lambda d, b, n: recurse(d, lambda E: b, n + 1),
        "that is one round too few.": lambda d, b, n: recurse(d, lambda E: b, max(0, n - 1)),
        "that is one round, whatever n is.": lambda d, b, n: recurse(d, lambda E: b, 1),
        "you add the first round's step n times. Each round starts from the result of the last.": (
            lambda d, b, n: d + n * b * d * (1 - d)
        ),
    }
    compare(with_perfect_map, _with_perfect_map, probes, mistakes, tolerance=1e-5)
    errors = {
        "you take the last n. More rounds are not always better: compare the errors.": (
            lambda d, b, most: most
        ),
        "n = 0, doing nothing, is allowed as well, and here it is best.": (
            lambda d, b, most: _best_rounds(d, b, most, first=1)
        ),
        "you compare mean absolute errors; the mean *squared* error was asked for.": (
            lambda d, b, most: _best_rounds(d, b, most, error=np.abs)
        ),
        "you compare the means of the pictures. Too bright here and too dark there cancel: take "
        "the mean of the squared differences.": lambda d, b, most: int(
            np.argmin(
                [abs(np.mean(_with_perfect_map(d, b, n)) - np.mean(b)) for n in range(most + 1)]
            )
        ),
        "`most` itself is allowed, too, and here it is best.": (
            lambda d, b, most: _best_rounds(d, b, most - 1)
        ),
        "you stop where the error first grows. It may fall again later: look at all n.": (
            _first_valley
        ),
        "you count from 1: with no round at all, n is 0.": (
            lambda d, b, most: _best_rounds(d, b, most) + 1
        ),
    }
    for arguments in _rounds_probes():
        found = ask(best_rounds, *arguments)
        whole(found, "the number of rounds")
        compare(lambda *_, found=found: found, _best_rounds, [arguments], errors)
    goals = np.array([0.2, 0.5, 0.9])
    told = [_best_rounds(goal / 20, goal, 60) for goal in goals]
    return (
        "Pixels that should become 0.2, 0.5 and 0.9, and are twenty times darker, are nearest "
        f"after {told[0]}, {told[1]} and {told[2]} rounds. One picture has them all, and one n."
    )


def _rounds_probes() -> list[tuple]:
    """Return arguments of best_rounds, rich enough to tell mistakes apart."""
    rng = np.random.default_rng(5)
    dark = rng.uniform(0.01, 0.1, (6, 7, 3))
    steep = np.clip(12 * dark + rng.normal(0, 0.1, dark.shape), 0.02, 0.98)
    two = np.array([0.02, 0.02, 0.02, 0.3]), np.array([0.3, 0.4, 0.5, 0.9])
    return [
        (dark, steep, 20),
        (*two, 30),
        (np.array([0.11, 0.11, 0.06, 0.03, 0.01]), np.array([0.4, 0.39, 0.07, 0.26, 0.76]), 30),
        (np.array([0.05]), np.array([0.5]), 12),
        (np.array([0.5]), np.array([0.5]), 12),
        (np.array([0.02]), np.array([0.2]), 9),
        (np.array([0.5, 0.001]), np.array([0.1, 0.9]), 30),  # worse at first, and then better
    ]


# 4.3. The loss through the curve


def _forward(weights, low, high, rounds) -> float:
    """Return the loss in NumPy, for a network of one 1 x 1 convolution and a sigmoid."""
    kernel, bias = weights[:3], weights[3]

    def predict_map(E, step):
        return 1 / (1 + np.exp(-(E @ kernel + bias)))[..., None]

    return float(np.mean((curve.recurse(low, predict_map, rounds) - high) ** 2))


def _slope(weights, *given) -> np.ndarray:
    """Return the gradient of `_forward`, by differences."""
    tiny = 1e-5 * np.eye(len(weights))
    return np.array(
        [(_forward(weights + t, *given) - _forward(weights - t, *given)) / 2e-5 for t in tiny]
    )


def _value(result, what: str) -> np.ndarray:
    import keras

    if keras.ops.is_tensor(result):
        result = keras.ops.convert_to_numpy(result)
    return numbers(result, what)


@check
def through_the_curve(function) -> str:
    """Check ``function(network, low, high, rounds)``: mean squared error after the recursion.

    `network` gives the map of a batch of pictures; the result is one number, and a Keras tensor, so
    that its gradient reaches the network's weights.
    """
    import keras

    if not callable(function):
        ask(function)
    rng = np.random.default_rng(6)
    low = rng.uniform(0.02, 0.2, (3, 4, 5, 3)).astype(np.float32)
    high = rng.uniform(0.2, 0.9, low.shape).astype(np.float32)
    weights = np.array([1.5, -2.0, 0.7, -0.6])
    network = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1, activation="sigmoid")]
    )

    def reset():
        network.set_weights([weights[:3].reshape(1, 1, 3, 1), weights[3:]])

    reset()
    exact = [side.astype(float) for side in (low, high)]
    for pairs, rounds in ((3, 8), (3, 1), (2, 3), (1, 12), (3, 0)):
        batch = [keras.ops.convert_to_tensor(side[:pairs]) for side in (low, high)]
        found = _value(ask(function, network, *batch, rounds), "the loss that it returns")
        given = (*(side[:pairs] for side in exact), rounds)
        _judge_loss(found, weights, *given)
    _judge_gradient(_step(function, network, low, high), _slope(weights, *exact, 8))
    return (
        "The value is right, and so is its gradient: it comes back through all eight rounds to the "
        "weights that they share. This is all that training through the curve needs."
    )


def _judge_loss(found, weights, low, high, rounds) -> None:
    text = f"for {len(low)} pictures and {rounds} rounds"
    right = _forward(weights, low, high, rounds)

    def picture(count, map_of=None):
        def predict_map(E, step):
            seen = E if map_of is None else map_of
            return 1 / (1 + np.exp(-(seen @ weights[:3] + weights[3])))[..., None]

        return curve.recurse(low, predict_map, count)

    first_map = 1 / (1 + np.exp(-(low @ weights[:3] + weights[3])))[..., None]
    miss = picture(rounds) - high
    if found.size > 1 and found.shape[0] == len(low):
        raise Wrong(
            f"{text} it returns an array of shape {found.shape}. A loss is one number: average "
            "over the pictures as well."
        )
    if found.size != 1:
        raise Wrong(f"{text} it returns an array of shape {found.shape}; a loss is one number.")
    value = found.item()
    if np.isclose(value, right, rtol=1e-4, atol=1e-7):
        return
    mistakes = {
        "this compares the *map* with the bright picture, which is the founding loss.": (
            np.mean((first_map - high) ** 2)
        ),
        "the first map is used in all rounds. Ask the network about each new picture.": (
            np.mean((picture(rounds, low) - high) ** 2)
        ),
        "this is the sum of the squares; take their mean, or the loss grows with the batch.": (
            np.sum(miss**2)
        ),
        "these are absolute differences; square them.": np.mean(np.abs(miss)),
        "that is the root of the mean squared error. Leave the root away.": (
            np.sqrt(np.mean(miss**2))
        ),
        "the differences are not squared, so too bright and too dark cancel.": np.mean(miss),
        "that is one round too many.": np.mean((picture(rounds + 1) - high) ** 2),
        "that is one round too few.": np.mean((picture(max(0, rounds - 1)) - high) ** 2),
        "that is the loss of eight rounds, whatever `rounds` is.": (
            np.mean((picture(8) - high) ** 2)
        ),
        "that is a PSNR. A loss is made small, and a PSNR should become large.": (
            -10 * np.log10(np.mean(miss**2))
        ),
    }
    for diagnosis, wrong in mistakes.items():
        if np.isclose(abs(value), abs(wrong), rtol=1e-4):
            raise Wrong(f"{text}: {diagnosis}")
    raise Wrong(f"{text} the loss is {value:.5g}; it must be {right:.5g}.")


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
            "NumPy and `predict` return bare numbers that have forgotten where they came from: "
            "call network(E), and use keras.ops or plain + - * alone."
        )
    if not np.allclose(found, right, rtol=5e-3, atol=1e-5):
        raise Wrong(
            "the value is right, but its gradient is not: it does not come back through all "
            "rounds. Is it stopped somewhere, by stop_gradient or by NumPy?"
        )


# 4.4. Beat the constant


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

    Both are measured anew on the sample's validation pictures, thinned out by 12.
    """
    import keras

    if not isinstance(claim, dict) or set(claim) != {"mine", "constant", "better"}:
        raise Wrong('claim must be a dict with the keys "mine", "constant" and "better".')
    if any(value is Ellipsis or value is None for value in claim.values()):
        raise Blank(FILL_IN)
    if not isinstance(enhancer, keras.Model):
        raise Wrong(f"the trained keras.Model was asked for; this is a {type(enhancer).__name__}.")
    said = {key: numbers(claim[key], f'claim["{key}"]') for key in ("mine", "constant")}
    if any(value.size != 1 for value in said.values()):
        raise Wrong("mine and constant must each be one number of decibels, the mean.")
    if not isinstance(claim["better"], bool | np.bool_):
        raise Wrong('claim["better"] must be True or False.')
    _judge_trained(enhancer)
    mine, constant = _my_scores(enhancer), _constant_scores()
    for key, scores in (("constant", constant), ("mine", mine)):
        if abs(said[key].item() - scores.mean()) > 0.05:
            raise Wrong(
                f'claim["{key}"] says {said[key].item():.2f} dB, and here it is '
                f"{scores.mean():.2f} dB. " + _HINTS[key]
            )
    if abs(mine.mean() - constant.mean()) > 0.05 and (mine.mean() > constant.mean()) != bool(
        claim["better"]
    ):
        raise Wrong(
            f"the numbers are right, but what you make of them is not: {mine.mean():.2f} dB "
            f"against the constant's {constant.mean():.2f} dB."
        )
    names = [name for name, _, _ in _validation()]
    by_scene = [
        np.mean([m - c for m, c, one in zip(mine, constant, names, strict=True) if one == name])
        for name in sorted(set(names))
    ]
    won = sum(difference > 0 for difference in by_scene)
    return (
        f"{mine.mean():.2f} dB against the constant's {constant.mean():.2f} dB; it is better in "
        f"{won} of {len(by_scene)} scenes, by {min(by_scene):+.2f} to {max(by_scene):+.2f} dB. "
        "Would you bet on the next scene? Notebook 06 says how sure one can be."
    )


_HINTS = {
    "mine": "Use `score`, on the very model that you hand in.",
    "constant": (
        "Fit it on the sample's training pairs in four exposures, for 8 rounds, and use `score`."
    ),
}


def _my_scores(enhancer) -> np.ndarray:
    from lle_utils.model import enhance_picture

    try:
        scores = _scores(lambda low: enhance_picture(enhancer, low))
    except Exception as error:
        raise Wrong(
            f"enhance_picture cannot use it ({type(error).__name__}). Hand in what training.train "
            "returns, or a RecursiveEnhancer around your network."
        ) from None
    if not np.isfinite(scores).all():
        raise Wrong("its pictures hold values that are no numbers: did the training explode?")
    return scores


def _judge_trained(enhancer) -> None:
    """See whether somebody trained it: first biases are 0, and the package's weights are known."""
    from lle_utils.model import list_weights, load_model

    weights = enhancer.get_weights()
    biases = [values for values in weights[:-1] if values.ndim == 1]
    if biases and not any(np.any(values) for values in biases):
        raise Wrong(
            "its biases are all still 0, as in a network that was never trained. A fresh network "
            "is nearly a constant map, so its score proves nothing."
        )
    for name in list_weights():
        others = load_model(name).get_weights()
        if [w.shape for w in weights] == [w.shape for w in others] and all(
            np.array_equal(one, other) for one, other in zip(weights, others, strict=True)
        ):
            raise Wrong(f"these are the weights {name!r} of the package. Train some of your own.")
