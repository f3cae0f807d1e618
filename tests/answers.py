"""Answers to the exercises, beside those that the exercises hold themselves.

`RIGHT` has right answers that are written in a different way, which a check might call wrong.
`WRONG` has wrong answers, by their diagnosis, of exercises that are judged by code of their own.
Both go by the check's name; an answer is a tuple, as a check may take several, or a function that
makes one where that takes a while.
"""

import statistics
import timeit
from functools import cache

import keras
import numpy as np
from keras import layers, ops
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize

from lle_utils import baselines, curve, data, metrics
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.material import Panel
from lle_utils.network import build_network


def network(build):
    """Return a function that makes a network of what `build` does with a picture."""

    def make():
        picture = keras.Input((None, None, 3))
        return (keras.Model(picture, build(picture)),)

    return make


def point(channels=1, **settings):
    return layers.Conv2D(channels, 1, **{"activation": "sigmoid"} | settings)


def one_layer(channels=3, kernel=31, activation="sigmoid", **settings):
    settings |= {"padding": "same", "activation": activation}
    return network(layers.Conv2D(channels, kernel, **settings))


def dilated(rates, activation="relu", between=layers.Identity):
    """Return a function that makes a network of 3 x 3 layers of these rates, and one last layer."""

    def build(x):
        for rate in rates:
            x = layers.Conv2D(20, 3, dilation_rate=rate, padding="same", activation=activation)(x)
            x = between()(x)
        return layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x)

    return network(build)


def shrunk(x):
    x = layers.UpSampling2D(4)(layers.AveragePooling2D(4, padding="same")(x))
    return point(3)(x)


nothing = layers.Rescaling(0.0)


class OneNumber(keras.Model):
    """A network written as a class."""

    def __init__(self):
        super().__init__()
        self.number = self.add_weight(shape=(), initializer="zeros", name="number")

    def call(self, images):
        return ops.sigmoid(self.number) + ops.zeros_like(images[..., :1])


def loss_of_keras(network, low, high, rounds):
    low = ops.maximum(ops.convert_to_tensor(low), 0.5 / 255)
    E = curve.recurse(low, lambda E, step: network(E, training=True), rounds)
    return keras.losses.MeanSquaredError()(high, E)


def score(enhance):
    every = slice(6, None, 12)
    pairs = data.load("sample", "validation", exposures=4)
    pairs = [(pair.low[every, every], pair.high[every, every]) for pair in pairs]
    return np.mean([metrics.psnr(enhance(low), high) for low, high in pairs])


@cache
def trained():
    """Return an enhancer that looks as if it had been trained, its score and the constant's."""
    enhancer = Enhancer(build_network(3, seed=1), 8 * ("exposure",))
    *others, bias = enhancer.get_weights()
    enhancer.set_weights([*(weights + 0.002 for weights in others), bias - 0.4])
    m = baselines.fit_constant(data.load("sample", "train", exposures=4), iterations=8)
    own = score(lambda low: enhance_picture(enhancer, low))
    return enhancer, own, score(lambda low: baselines.constant_map(low, m, 8))


def maps(bar=True, share=1, **options):
    """Return the folded solution with one part changed."""

    def draw_maps(maps):
        figure, axes = plt.subplots(1, len(maps))
        options_of = {"vmin": 0, "vmax": 1} | options
        shown = [ax.imshow(share * one, **options_of) for ax, one in zip(axes, maps, strict=True)]
        if bar:
            figure.colorbar(shown[0], ax=axes)
        return figure

    return (draw_maps,)


def meshes(maps):
    figure, axes = plt.subplots(1, len(maps))
    norm = Normalize(np.min(maps), np.max(maps))
    for axis, one in zip(axes, maps, strict=True):
        drawn = axis.pcolormesh(one[::-1], norm=norm, cmap="gray")
    figure.colorbar(drawn, cax=figure.add_axes((0.95, 0.1, 0.01, 0.8)), label="M")
    return figure


def timed(result, warms=True):
    """Return an answer that times runs, and returns some number of them."""

    def median_seconds(work, runs=5, warmup=1):
        seconds = timeit.repeat(work, number=1, repeat=warmup + runs)
        return result(seconds[warmup:] if warms else seconds)

    return (median_seconds,)


def mine(size=13, ticks=12, noise=0, iterations=7, panels=None):
    """Return a right figure with one part changed."""

    def make_mine(material):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
        image = material.enhanced("dogs", 7)
        grain = np.random.normal(0, noise, image.shape)  # noqa: NPY002
        axes[0].imshow(np.clip(image + grain, 0, 1))
        axes[1].hist(image.ravel(), bins=20)
        axes[0].set_title("after seven", fontsize=size)
        axes[0].axis("off")
        axes[1].tick_params(labelsize=ticks)
        own = [material.panel("dogs", "enhancer", image, iterations)]
        return figure, own if panels is None else panels

    return (make_mine,)


RIGHT = {
    "first_guess": [(0.0975, 1 - (1 - np.float32(0.05)) ** 256, [0])],
    "one_number": [lambda: (OneNumber(),)],
    "odds_factor": [(lambda x, m: np.float32(1) + m / (1 - m * np.float32(x)),)],
    "far_seeing_network": [
        dilated(14 * (1,), "tanh"),
        dilated((1, 2, 3, 4, 3, 2), between=lambda: layers.MaxPooling2D(3, 1, "same")),
        lambda: (keras.Sequential([layers.Conv2D(3, 31, activation="sigmoid", padding="same")]),),
    ],
    "through_the_curve": [(loss_of_keras,)],
    "beat_the_constant": [trained],
    "draw_maps": [(meshes,)],
    "median_seconds": [timed(statistics.median)],
    "own_figure": [mine()],
}

WRONG = {
    "half_way": {
        "falls below one half twice": (
            lambda stops, shares: np.interp(-0.5, -np.array(shares), stops),
        )
    },
    "one_number": {
        "differs between pixels": network(
            lambda x: layers.GlobalMaxPooling2D(keepdims=True)(point()(x))
        ),
        "no weight moves the number": network(lambda x: point(use_bias=False)(nothing(x))),
        "outside [0, 1]": network(lambda x: point(activation=None)(nothing(x))),
        "one channel of the same size": network(lambda x: point(3)(nothing(x))),
        "a keras.Model was asked for": (0.38,),
    },
    "far_seeing_network": {
        "sees 15 pixels": lambda: (build_network(),),
        "outside [0, 1]": one_layer(activation=None),
        "every pixel and color needs its m": one_layer(64),
        "are allowed": one_layer(kernel=99),
        "1 up and down": one_layer(kernel=(1, 31)),
        "only 9 of these 1,089": one_layer(kernel=3, dilation_rate=16),
        "must grow back": network(shrunk),
    },
    "beat_the_constant": {
        "never trained": lambda: (Enhancer(build_network(3), 8 * ("exposure",)), 20, 20),
        "here it is": lambda: (trained()[0], trained()[1] + 1, trained()[2]),
        "Use `score`": lambda: (*trained()[:2], trained()[2] - 0.3),
        "must be one finite number": lambda: (trained()[0], 20, [20, 21]),
    },
    "draw_maps": {
        "do not share their limits": maps(vmin=None, vmax=None),
        "the limits are 0.4 to 0.6": maps(vmin=0.4, vmax=0.6),
        "the limits are 0 to 255": maps(vmax=255),
        "goes up and down": maps(cmap="jet"),
        "0 of 3 maps": maps(share=0.5),
        "without a color bar": maps(bar=False),
        "a matplotlib Figure was asked for": (lambda maps: plt.imshow(maps[0]),),
    },
    "median_seconds": {
        "that is the mean.": timed(statistics.mean),
        "the fastest run": timed(min),
        "milliseconds": timed(lambda seconds: 1000 * statistics.median(seconds)),
        "with the warm-up in it, which is slow": timed(statistics.median, warms=False),
        "was called 0 times": (lambda work, runs, warmup: 0.02,),
    },
    "own_figure": {
        "a record was asked for": mine(panels=[]),
        "different pixels": mine(noise=0.1),
        "'after seven' is set in 9 points": mine(size=9),
        "is set in 10 points": mine(ticks=10),
        "the record is not true": mine(iterations=5),
        "not say after how many": mine(iterations=None),
        "held-out pictures": mine(panels=[Panel("me", "enhancer", 7, 120.0, 25.0)]),
        "what a network made": mine(panels=[Panel("dogs", "my own", None, 120.0, 25.0)]),
        "two things": (lambda material: plt.figure(),),
    },
}
