"""Answers to the exercises, beside those that the exercises and the notebooks hold themselves.

`ANSWERS` has them by the check's name and by what the verdict says: wrong ones, and right ones that
are written in a different way. An answer is a tuple, as a check may take several, or a function
that makes one where that takes a while.
"""

import statistics
import timeit

import keras
import numpy as np
from keras import layers, ops
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize

from lle_utils import curve, founding
from lle_utils.material import Panel
from lle_utils.network import build_network
from lle_utils.weights import load_model


def network(build):
    """Return a function that makes a network of what `build` does with a picture."""

    def make():
        picture = keras.Input((None, None, 3))
        return (keras.Model(picture, build(picture)),)

    return make


def layer(channels=3, kernel=1, activation="sigmoid", **settings):
    return layers.Conv2D(channels, kernel, padding="same", activation=activation, **settings)


def without_picture(**settings):
    return network(lambda x: layer(**settings)(layers.Rescaling(0.0)(x)))


def dilated(rates, activation="relu", between=layers.Identity):
    """Return a function that makes a network of 3 x 3 layers of these rates, and one last layer."""

    def build(x):
        for rate in rates:
            x = between()(layer(20, 3, activation, dilation_rate=rate)(x))
        return layer(kernel=3)(x)

    return network(build)


class OneNumber(keras.Model):
    """A network written as a class."""

    def __init__(self):
        super().__init__()
        self.number = self.add_weight(shape=(), initializer="zeros", name="number")

    def call(self, images):
        return ops.sigmoid(self.number) + ops.zeros_like(images[..., :1])


def loss_of_keras(network, low, high, rounds):
    E = curve.recurse(low, lambda E, step: network(E, training=True), rounds)
    return keras.losses.MeanSquaredError()(high, E)


def maps(bar=True, **options):
    """Return the folded solution with one part changed."""

    def draw_maps(maps):
        figure, axes = plt.subplots(1, len(maps))
        for axis, one in zip(axes, maps, strict=True):
            shown = axis.imshow(one, **{"vmin": 0, "vmax": 1} | options)
        if bar:
            figure.colorbar(shown, ax=axes)
        return figure

    return (draw_maps,)


def meshes(maps):
    figure, axes = plt.subplots(1, len(maps))
    norm = Normalize(np.min(maps), np.max(maps))
    for axis, one in zip(axes, maps, strict=True):
        drawn = axis.pcolormesh(one[::-1], norm=norm, cmap="gray")
    figure.colorbar(drawn, cax=figure.add_axes((0.95, 0.1, 0.01, 0.8)), label="M")
    return figure


def timed(result, skipped=2):
    """Return an answer that times the warm-up and the runs, and returns a number of these."""

    def median_seconds(work, runs, warmup):
        return result(timeit.repeat(work, number=1, repeat=warmup + runs)[skipped:])

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


ANSWERS = {
    "first_guess": {
        "An exact 0 stays 0": (0.0975, 1 - (1 - np.float32(0.05)) ** 256, [0]),
        "twice 0.05": (0.1, 1, 0),
        "what is added": (0.0475, 1, 0),
        "beyond white": (0.0975, 12.8, 0),
        "half a code is": (0.0975, 1, 0.00196),
        "after_eight is not 0.99.": (0.0975, 0.99, 0),
    },
    "brighten_again": {
        "it changes the array": (lambda E, predict, n: np.minimum(2 * E, 1, out=E),)
    },
    "brightened_codes": {
        "what a file can hold": (256, 0, 8),
        "most codes in it stay unused": (249, 0, 8),
        "0 is multiplied": (32, 8, 8),
        "the next code before": (32, 0, 1),
    },
    "odds_factor": {
        "x and 1 - x cancel": (lambda x, m: np.float32(1) + m / (1 - m * np.float32(x)),)
    },
    "denoise_order": {"a rising curve": (True, True), "a Gaussian averages": (False, False)},
    "founding_loop": {"stopped with RecursionError": (founding.enhance,)},
    "half_way": {
        "falls below one half twice": (
            lambda stops, shares: np.interp(-0.5, -np.array(shares), stops),
        )
    },
    "one_number": {
        "It has 1 parameters": lambda: (OneNumber(),),
        "differs between pixels": network(layer(1)),
        "no weight moves the number": without_picture(channels=1, use_bias=False),
        "outside [0, 1]": without_picture(channels=1, activation=None),
        "one channel of the same size": without_picture(),
        "a keras.Model was asked for": (0.38,),
    },
    "far_seeing_network": {
        "and sees 31 x 31 pixels": dilated(14 * (1,), "tanh"),
        "and sees 45 x 45 pixels": dilated(
            (1, 2, 3, 4, 3, 2), between=lambda: layers.MaxPooling2D(3, 1, "same")
        ),
        "and sees 33 x 33 pixels": lambda: (keras.Sequential([layer(3, 33)]),),
        "sees 15 pixels": lambda: (build_network(),),
        "outside [0, 1]": network(layer(3, 31, None)),
        "every pixel and color needs its m": network(layer(64)),
        "are allowed": network(layer(3, 99)),
        "1 up and down": network(layer(3, (1, 31))),
        "only 9 of these 1,089": network(layer(3, 3, dilation_rate=16)),
        "must grow back": network(lambda x: layers.UpSampling2D(4)(layer(3, 4, strides=4)(x))),
    },
    "through_the_curve": {"comes back through all iterations": (loss_of_keras,)},
    "beat_the_constant": {
        "before any training": lambda: (build_network(), 20, 10),
        "Use `score`": lambda: (load_model("enhancer"), 99, 10),
        "must be one finite number": (0, 20, [20, 21]),
    },
    "draw_maps": {
        "the same color in every map": (meshes,),
        "do not share their limits": maps(vmin=None, vmax=None),
        "the limits are 0.4 to 0.6": maps(vmin=0.4, vmax=0.6),
        "goes up and down": maps(cmap="jet"),
        "0 of 3 maps": (lambda maps: plt.figure(),),
        "without a color bar": maps(bar=False),
        "a matplotlib Figure was asked for": (lambda maps: plt.imshow(maps[0]),),
    },
    "median_seconds": {
        "that is the mean.": timed(statistics.mean),
        "the fastest run": timed(min),
        "milliseconds": timed(lambda seconds: 1000 * statistics.median(seconds)),
        "with the warm-up in it, which is slow": timed(statistics.median, skipped=0),
        "was called 0 times": (lambda work, runs, warmup: 0.02,),
    },
    "own_figure": {
        "true, readable, and the same twice": mine(),
        "a record was asked for": mine(panels=[]),
        "different pixels": mine(noise=0.1),
        "'after seven' is set in 9 points": mine(size=9),
        "is set in 10 points": mine(ticks=10),
        "the record is not true": mine(iterations=5),
        "no such held-out picture": mine(panels=[Panel("me", "enhancer", 7, 120.0, 25.0)]),
        "two things": (lambda material: plt.figure(),),
    },
}
