"""Exercises of notebook 04, train it."""

from contextlib import suppress
from functools import cache

import numpy as np

from lle_utils import baselines, curve, data, metrics
from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, call, check
from lle_utils.checks.reading import require


def _best(map_of=lambda E, bright: bright, measure=lambda miss: np.mean(miss**2), first=0):
    """Return an answer, or one with a part changed."""

    def best_iterations(dark, bright, most):
        def error(n):
            return measure(curve.recurse(dark, lambda E, step: map_of(E, bright), n) - bright)

        return min(range(first, most + 1), key=error)

    return best_iterations


# A function of dark, bright and most: after how many iterations a perfect fit is best.
perfect_founding = Exercise(
    probes=[
        (np.array([0.11, 0.11, 0.06, 0.03, 0.01]), np.array([0.4, 0.39, 0.07, 0.26, 0.76]), 30),
        (np.array([0.5]), np.array([0.5]), 12),
        (np.array([0.5, 0.001]), np.array([0.1, 0.9]), 30),  # worse at first, and then better
    ],
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
    },
    praise="Tones that should become 0.2 and 0.9 need a different n, and one picture has both.",
)


def _ops():  # Keras is imported late: the checks of other notebooks do not need it
    import keras

    return keras.ops


def _loss(map_of=lambda network, E, low: network(E), measure=lambda miss: _ops().mean(miss**2)):
    """Return the loss through the curve, or with one part of it changed."""

    def curve_loss(network, low, high, n):
        E = curve.recurse(low, lambda E, step: map_of(network, E, low), n)
        return measure(E - high)

    return curve_loss


def _value_and_gradient(function, low, high, iterations) -> dict:
    """Observe the loss, and its gradient by one step of training: that works on any back end."""
    import keras

    picture = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(1, 1, activation="sigmoid", use_bias=False)
    network = keras.Model(picture, layer(picture))
    weights = np.reshape([1.5, -2.0, 0.7], (1, 1, 3, 1))
    network.set_weights([weights])

    class Trainee(keras.Model):
        def compute_loss(self, x=None, y=None, *unused, **also_unused):
            return function(network, x, y, iterations)

    loss = call(function, network, *map(_ops().convert_to_tensor, (low, high)), iterations)
    if _ops().is_tensor(loss):
        loss = _ops().convert_to_numpy(loss)
    value = reading.numbers(loss, "the loss")
    trainee = Trainee(network.input, network.output)
    trainee.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True, jit_compile=False)
    with suppress(Exception):  # no tensor, so no gradient
        trainee.train_on_batch(low, high)
    return {"the loss": value, "its gradient": weights - network.get_weights()[0]}


_rng = np.random.default_rng(8)
_low = _rng.uniform(0.02, 0.2, (3, 4, 5, 3)).astype(np.float32)
_high = _rng.uniform(0.2, 0.9, _low.shape).astype(np.float32)

# A function of network, low, high and iterations: mean squared error after the recursion.
through_the_curve = Exercise(
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
    },
    praise="The value is right, and its gradient comes back through all iterations.",
)


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

    said = [reading.number(score, "a score in dB") for score in (mine, constant)]
    network = reading.model(enhancer)
    biases = [one for one in network.get_weights()[:-1] if one.ndim == 1]
    require(any(map(np.any, biases)), "its biases are all 0, as before any training.")
    own, others = _scores(lambda low: enhance_picture(network, low)), _constant_scores()
    told = f"{own.mean():.2f} dB against the constant's {others.mean():.2f}"
    is_true = np.allclose(said, [own.mean(), others.mean()], rtol=0, atol=0.05)
    require(is_true, f"here it is {told}. Use `score` on the model that you hand in.")
    return f"{told}; better for {np.sum(own > others)} of {own.size} pictures."
