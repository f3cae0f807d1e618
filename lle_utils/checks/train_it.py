"""Exercises of notebook 04, train it."""

from contextlib import suppress
from functools import cache

import numpy as np

from lle_utils import baselines, curve, data, metrics
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, ask, check
from lle_utils.checks.reading import require

# 4.1. The published objective


def _best(map_of=lambda E, bright: bright, measure=lambda miss: np.mean(miss**2), first=0):
    """Return an answer that chooses a number of iterations by some measure of the error."""

    def best_iterations(dark, bright, most):
        def error(n):
            return measure(curve.recurse(dark, lambda E, step: map_of(E, bright), n) - bright)

        return min(range(first, most + 1), key=error)

    return best_iterations


_tones = [
    ([0.02, 0.02, 0.02, 0.3], [0.3, 0.4, 0.5, 0.9], 30),
    ([0.11, 0.11, 0.06, 0.03, 0.01], [0.4, 0.39, 0.07, 0.26, 0.76], 30),
    ([0.5], [0.5], 12),
    ([0.5, 0.001], [0.1, 0.9], 30),  # worse at first, and then better
]

perfect_founding = Exercise(
    "``function(dark, bright, most)``: after how many iterations a perfect fit is best.",
    read=reading.whole,
    probes=[(np.array(dark), np.array(bright), most) for dark, bright, most in _tones],
    right=_best(),
    mistakes={
        "the map is `bright` in every iteration, and not the current picture.": (
            _best(lambda E, bright: E)
        ),
        "a map of bright - E knows when to stop, but the founding loss asks for `bright`.": (
            _best(lambda E, bright: bright - E)
        ),
        "n = 0, doing nothing, is allowed as well, and is best here.": _best(first=1),
        "you compare absolute errors: square them.": _best(measure=lambda e: np.mean(np.abs(e))),
        "you compare the largest errors: take the mean.": _best(measure=lambda e: np.max(e**2)),
    },
    praise="Tones that should become 0.2 and 0.9 need a different n, and one picture has both.",
)

# 4.2. The loss through the curve. Keras is imported late: other notebooks' checks do not load it.


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

    picture = keras.Input((None, None, 3))
    network = keras.Model(picture, keras.layers.Conv2D(1, 1, activation="sigmoid")(picture))
    network.set_weights([np.array([1.5, -2.0, 0.7]).reshape(1, 1, 3, 1), np.array([-0.6])])
    return network


def _value_and_gradient(function, low, high, iterations) -> dict:
    """Observe the loss, and its gradient, by one step of training, on any back end."""
    import keras

    network = _network()

    class Trainee(keras.Model):
        def compute_loss(self, x=None, y=None, *unused, **also_unused):
            return function(network, x, y, iterations)

    loss = ask(function, network, *map(_ops().convert_to_tensor, (low, high)), iterations)
    if _ops().is_tensor(loss):
        loss = _ops().convert_to_numpy(loss)
    found = {"the loss": reading.numbers(loss, "the loss")}
    before = np.concatenate([weights.ravel() for weights in network.get_weights()])
    trainee = Trainee(network.input, network.output)
    trainee.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True, jit_compile=False)
    with suppress(Exception):  # no tensor, so no gradient
        trainee.train_on_batch(low, high)
    after = np.concatenate([weights.ravel() for weights in network.get_weights()])
    return found | {"its gradient": before - after}


_rng = np.random.default_rng(8)
_low = _rng.uniform(0.02, 0.2, (3, 4, 5, 3)).astype(np.float32)
_high = _rng.uniform(0.2, 0.9, _low.shape).astype(np.float32)

through_the_curve = Exercise(
    "``function(network, low, high, iterations)``: mean squared error after the recursion.",
    observe=_value_and_gradient,
    probes=[(_low, _high, 8), (_low[:2], _high[:2], 1)],
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


# 4.3. Beat the constant


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
def beat_the_constant(enhancer, mine, constant) -> str:
    """Check a trained enhancer, its score in dB, and the score of the best constant.

    Both are measured again on the sample's validation pictures, thinned out by 12.
    """
    from lle_utils.enhancer import enhance_picture

    biases = [one for one in reading.model(enhancer).get_weights()[:-1] if one.ndim == 1]
    is_new = biases and not any(map(np.any, biases))
    require(not is_new, "its biases are all still 0, as in a network that was never trained.")
    said = [reading.number(score, "a score in dB") for score in (mine, constant)]
    own, others = _scores(lambda low: enhance_picture(enhancer, low)), _constant_scores()
    told = f"{own.mean():.2f} dB against the constant's {others.mean():.2f}"
    is_true = np.allclose(said, [own.mean(), others.mean()], rtol=0, atol=0.05)
    require(is_true, f"here it is {told}. Use `score` on the model that you hand in.")
    return f"{told}; better for {np.sum(own > others)} of {own.size} pictures."
