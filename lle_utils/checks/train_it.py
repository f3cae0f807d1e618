"""Exercises of notebook 04, train it."""

from functools import cache
from itertools import pairwise

import numpy as np

from lle_utils import baselines, curve, data, metrics
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, Function, ask, check
from lle_utils.checks.reading import Wrong, require

# 4.1. An order of batches is observed as rules that it keeps: many orders are right.

# Orders collide where a seed or an epoch is multiplied by one of these and the two are added.
_FACTORS = [*range(12, 129), 200, 255, 256, 500, 512, 997, 999, *range(1000, 1025)]
_FACTORS += [1234, 7919, 10_000, 12_345, 31_337, 2**16, 100_000, 10**6]
_PLACES = [(seed, epoch) for seed in range(12) for epoch in range(12)]
_PLACES += [place for n in _FACTORS for place in ((0, n), (n, 0))]


def _kept_rules(function) -> dict:
    first, other, again = (_batch(function, 24, 8, 3, epoch, 1) for epoch in (2, 0, 2))
    sizes = [(24, 8), (10, 3), (7, 7), (5, 1), (3, 8)]
    epochs = [(*size, _epoch(function, *size, 1, epoch)) for size in sizes for epoch in (0, 5)]
    orders = {place: tuple(_batch(function, 24, 24, *place, 0)) for place in _PLACES}
    cut = [_epoch(function, 24, 8, 0, epoch) for epoch in range(9)]
    beside = [(b - a) % 24 in (1, 23) for order in orders.values() for a, b in pairwise(order)]
    return {
        "the same arguments give the same batch, whatever was drawn before": first == again,
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
        "pairs are shuffled, not batches": np.mean(beside) < 0.5
        and len({frozenset(map(frozenset, batches)) for batches in cut}) > 1,
        "no two pairs of seed and epoch share their order": len({*orders.values()}) == len(orders),
    }


def _batch(function, *arguments) -> list[int]:
    result = ask(function, *arguments)
    require(np.iterable(result), "a list of indices was asked for, the pairs of one batch.")
    return [reading.whole(index, "the index of a pair") for index in result]


def _epoch(function, count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    return [_batch(function, count, size, seed, epoch, n) for n in range(-(-count // size))]


def _drawn(seed_of=lambda seed, epoch, index: [seed, epoch]):
    """Return an answer that draws an order with some seed, and cuts a batch from it."""

    def batch_order(count, batch_size, seed, epoch, index):
        order = np.random.default_rng(seed_of(seed, epoch, index)).permutation(count)
        return order[index * batch_size : (index + 1) * batch_size]

    return batch_order


batch_order = Exercise(
    "``function(count, batch_size, seed, epoch, index)``: which pairs a batch holds.",
    observe=_kept_rules,
    right=_drawn(),
    mistakes={
        "the same arguments gave two different batches. Make a generator from seed and epoch "
        "inside the function.": _drawn(lambda seed, epoch, index: None),
        "some pairs come twice in an epoch, and others never. Cut all batches of an epoch from "
        "one order: keep the index out of the seed.": _drawn(lambda *where: where),
        "every epoch has the same order.": _drawn(lambda seed, epoch, index: seed),
        "two pairs of seed and epoch share their order: 100 * seed + epoch is 100 for (1, 0) and "
        "(0, 100). default_rng takes a list, [seed, epoch].": (
            _drawn(lambda seed, epoch, index: 100 * seed + epoch)
        ),
    },
    praise="Ask for any batch of any epoch, in any order: it is always the same.",
)

# 4.2. The published objective


def _perfect(dark, bright, n, map_of=lambda E, bright: bright):
    return curve.recurse(np.asarray(dark), lambda E, step: map_of(E, bright), n)


def _best(measure=lambda miss: np.mean(miss**2), first=0):
    """Return an answer that chooses a number of iterations by some measure of the error."""
    return lambda dark, bright, most: min(
        range(first, most + 1), key=lambda n: measure(_perfect(dark, bright, n) - bright)
    )


_rng = np.random.default_rng(8)
_dark, _bright = _rng.uniform(0.02, 0.2, (4, 5, 3)), _rng.uniform(0.1, 0.95, (4, 5, 3))
_tones = [
    ([0.02, 0.02, 0.02, 0.3], [0.3, 0.4, 0.5, 0.9], 30),
    ([0.11, 0.11, 0.06, 0.03, 0.01], [0.4, 0.39, 0.07, 0.26, 0.76], 30),
    ([0.05], [0.5], 12),
    ([0.5], [0.5], 12),
    ([0.02], [0.2], 9),
    ([0.5, 0.001], [0.1, 0.9], 30),  # worse at first, and then better
]

perfect_founding = Exercise(
    "``with_perfect_map(dark, bright, n)`` and ``best_iterations(dark, bright, most)``.",
    Function(
        probes=[*((_dark, _bright, n) for n in (8, 1, 0, 12)), (_dark[0], _bright[0], 3)],
        right=_perfect,
        mistakes={
            "a perfect fit makes the *map* equal to `bright`, not the picture.": (
                lambda dark, bright, n: bright
            ),
            "the map is `bright` in every iteration, and not the current picture.": (
                lambda d, b, n: _perfect(d, b, n, lambda E, bright: E)
            ),
            "a map of bright - E knows when to stop, but the founding loss asks for `bright`.": (
                lambda d, b, n: _perfect(d, b, n, lambda E, bright: bright - E)
            ),
            "that is one iteration too many.": lambda d, b, n: _perfect(d, b, n + 1),
        },
    ),
    Function(
        read=reading.whole,
        probes=[(np.array(dark), np.array(bright), most) for dark, bright, most in _tones],
        right=_best(),
        mistakes={
            "n = 0, doing nothing, is allowed as well, and is best here.": _best(first=1),
            "you compare absolute errors: square them.": _best(lambda e: np.mean(np.abs(e))),
            "you compare medians: take the mean of the squares.": _best(lambda e: np.median(e**2)),
            "you compare the largest errors: take the mean.": _best(lambda e: np.max(e**2)),
        },
    ),
    praise="Tones that should become 0.2 and 0.9 need a different n, and one picture has both.",
)

# 4.3. The loss through the curve. Keras is imported late: other notebooks' checks do not load it.


def _ops():
    import keras

    return keras.ops


def _loss(map_of=lambda network, E, low: network(E), measure=lambda miss: _ops().mean(miss**2)):
    """Return the loss through the curve, or with one part of it changed."""

    def curve_loss(network, low, high, n):
        E = curve.recurse(low, lambda E, step: map_of(network, E, low), n)
        return measure(E - high)

    return curve_loss


def _network():
    """Return a network of one 1 x 1 convolution."""
    import keras

    layer = keras.layers.Conv2D(1, 1, activation="sigmoid")
    network = keras.Sequential([keras.Input((None, None, 3)), layer])
    network.set_weights([np.array([1.5, -2.0, 0.7]).reshape(1, 1, 3, 1), np.array([-0.6])])
    return network


def _value_and_gradient(function, make_network, low, high, iterations) -> dict:
    """Observe the loss, and where one step of training leads the network."""
    network = make_network()
    tensors = [_ops().convert_to_tensor(side) for side in (low, high)]
    loss = ask(function, network, *tensors, iterations)
    if _ops().is_tensor(loss):
        loss = _ops().convert_to_numpy(loss)
    found = {"the loss": reading.numbers(loss, "the loss")}
    if iterations == 3:  # once will do, as it takes a while
        found["its gradient"] = _gradient(function, network, low, high, iterations)
    return found


def _gradient(function, network, low, high, iterations) -> np.ndarray:
    """Make one step of length 1 against the gradient, on any back end; return the gradient."""
    import keras

    class Trainee(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = network

        def call(self, x):
            return self.network(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return function(self.network, x, y, iterations)

    before = [weights.copy() for weights in network.get_weights()]
    trainee = Trainee()
    trainee.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True, jit_compile=False)
    try:
        trainee.train_on_batch(low, high)
    except Exception:  # no tensor, so no gradient
        return np.zeros(4)
    after = network.get_weights()
    return np.concatenate([(b - a).ravel() for b, a in zip(before, after, strict=True)])


_low = _rng.uniform(0.02, 0.2, (3, 4, 5, 3)).astype(np.float32)
_high = _rng.uniform(0.2, 0.9, _low.shape).astype(np.float32)

through_the_curve = Exercise(
    "``function(network, low, high, iterations)``: mean squared error after the recursion.",
    observe=_value_and_gradient,
    probes=[(_network, _low[:k], _high[:k], n) for k, n in ((3, 8), (3, 1), (2, 3), (1, 12))],
    right=_loss(),
    mistakes={
        "this compares the *map* with the bright picture, which is the founding loss.": (
            lambda network, low, high, n: _ops().mean((network(low) - high) ** 2)
        ),
        "the first map is used in all iterations. Ask the network about each new picture.": (
            _loss(lambda network, E, low: network(low))
        ),
        "this is one loss for each picture: average over the pictures as well.": (
            _loss(measure=lambda miss: _ops().mean(miss**2, axis=(1, 2, 3)))
        ),
        "the value is right, but no gradient reaches the weights. NumPy and `predict` return bare "
        "numbers: call network(E), and use only keras.ops or plain + - *.": (
            _loss(measure=lambda miss: float(_ops().mean(miss**2)))
        ),
        "the value is right, but its gradient does not come back through all iterations. Is it "
        "stopped somewhere?": _loss(lambda network, E, low: network(_ops().stop_gradient(E))),
    },
    praise="The value is right, and its gradient comes back through all iterations.",
)


# 4.4. Beat the constant


def _scores(enhance) -> np.ndarray:
    """Score by the pictures that notebook 04 judges by, thinned out."""
    every = slice(6, None, 12)
    pairs = data.load("sample", "validation", exposures=4)
    return np.array(
        [metrics.psnr(enhance(p.low[every, every]), p.high[every, every]) for p in pairs]
    )


@cache
def _constant_scores() -> np.ndarray:
    best = baselines.fit_constant(data.load("sample", "train", exposures=4), iterations=8)
    return _scores(lambda low: baselines.constant_map(low, best, 8))


@check
def beat_the_constant(enhancer, claim) -> str:
    """Check a trained enhancer, and a dict of "mine" and "constant" in dB, and "better".

    Both are measured again on the sample's validation pictures, thinned out by 12.
    """
    from lle_utils.enhancer import enhance_picture

    is_whole = isinstance(claim, dict) and set(claim) == {"mine", "constant", "better"}
    require(is_whole, 'claim must be a dict with the keys "mine", "constant" and "better".')
    _require_trained(reading.model(enhancer))
    said = {key: reading.number(claim[key], f'claim["{key}"]') for key in ("mine", "constant")}
    says_better = reading.truth(claim["better"], 'claim["better"]')
    own = _scores(lambda low: enhance_picture(enhancer, low))
    scores = {"mine": own, "constant": _constant_scores()}
    for key, values in scores.items():
        require(
            abs(said[key] - values.mean()) <= 0.05,
            f'claim["{key}"] says {said[key]:.2f} dB, and here it is {values.mean():.2f} dB. '
            "Use `score` on the model that you hand in.",
        )
    gains = scores["mine"] - scores["constant"]
    told = f"{scores['mine'].mean():.2f} dB against the constant's {_constant_scores().mean():.2f}"
    is_close = abs(gains.mean()) <= 0.05
    agrees = is_close or (gains.mean() > 0) == says_better
    require(agrees, f"the numbers are right, but your conclusion is not: {told}.")
    return f"{told}; better for {np.sum(gains > 0)} of {gains.size} pictures."


def _require_trained(enhancer) -> None:
    """See whether it was trained: biases start at 0, and the package's weights are known."""
    from lle_utils.weights import list_weights, load_model

    weights = enhancer.get_weights()
    biases = [values for values in weights[:-1] if values.ndim == 1]
    is_new = biases and not any(np.any(values) for values in biases)
    require(not is_new, "its biases are all still 0, as in a network that was never trained.")
    for name in list_weights():
        others = load_model(name).network.get_weights()
        if len(others) == len(weights) and all(map(np.array_equal, weights, others)):
            raise Wrong(f"these are the weights {name!r} of the package. Train your own.")
