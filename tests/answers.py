"""Answers to the exercises, beside those that the exercises hold themselves.

`RIGHT` has right answers that are written in a different way: each once was, or might be, called
wrong, or its exercise holds none. `WRONG` has wrong answers, by their diagnosis, of exercises that
are judged by code of their own. Both go by the check's name; an answer is a tuple, as a check
may take several, or a function that makes one where that takes a while.
"""

import io
import math
import random
import statistics
import time
import timeit
from functools import cache

import cv2
import keras
import numpy as np
from keras import layers, ops
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize
from PIL import Image
from scipy import stats
from scipy.sparse.csgraph import connected_components

from lle_utils import baselines, checks, curve, data, drawing, metrics
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.material import Panel
from lle_utils.network import build_network
from lle_utils.weights import list_weights, load_model

# 00


def in_single_precision(E, predict, rounds):
    E = np.array(E, dtype="float32")
    while rounds > 0:
        E *= 1 + predict(E) * (1 - E)
        rounds -= 1
    return E


class OneNumber(keras.Model):
    def __init__(self):
        super().__init__()
        self.number = self.add_weight(shape=(), initializer="zeros", name="number")

    def call(self, images):
        return ops.sigmoid(self.number) + ops.zeros_like(images[..., :1])


def network(build, size=(None, None)):
    """Return a function that makes a network of what `build` does with a picture."""

    def make():
        picture = keras.Input((*size, 3))
        return (keras.Model(picture, build(picture)),)

    return make


def point(channels=1, **settings):
    return layers.Conv2D(channels, 1, **{"activation": "sigmoid"} | settings)


nothing = layers.Rescaling(0.0)
pooled = layers.GlobalAveragePooling2D(keepdims=True)


def size_dependent(picture):
    even = layers.Conv2D(1, 3, padding="same")(layers.Rescaling(0.0, offset=1.0)(picture))
    return point(bias_initializer="ones")(pooled(even))


# 01


def binned_noise(first, second, edges):
    level, apart = ((first + second) / 2).ravel(), (first - second).ravel()
    return stats.binned_statistic(level, apart, "std", edges).statistic / 2**0.5


def popping(groups, share, seed):
    groups = list(groups)
    random.Random(seed).shuffle(groups)
    total, held_out = sum(map(len, groups)), set()
    while len(held_out) < share * total:
        held_out |= set(groups.pop())
    return {name for group in groups for name in group}, held_out


# 02


def neighbors_by_size(groups, share, seed):
    order, wanted = sorted(groups, key=len), share * sum(map(len, groups))
    start = np.random.default_rng(seed).integers(len(order))
    train, held_out = [], []
    for group in order[start:] + order[:start]:
        (held_out if len(held_out) < wanted else train).extend(group)
    return train, held_out


def alike_enough(pictures):
    small = [cv2.resize(one.mean(axis=-1), (18, 12)).ravel() for one in pictures]
    _, labels = connected_components(stats.spearmanr(small, axis=1).statistic > 0.6)
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def is_safe_on_a_grid(m):
    y = curve.brighten(np.linspace(0, 1, 256), m)
    return y.min() >= 0 and y.max() <= 1 and np.all(np.diff(y) >= 0)


def m_from_a_grid(x, target, n):
    ms = np.linspace(0, 1, 10_001)
    reached = curve.recurse(x, lambda E, step: ms, n)
    return np.interp(target, reached, ms) if x <= target <= reached[-1] else None


# 03


def cost(schedule, looks):
    schedule = list(schedule) + [schedule[-1]] * looks
    return sum(np.array(schedule[:looks], float) ** -2)


def dilated(rates, activation="relu", between=None):
    """Return a function that makes a network of 3 x 3 layers of these rates, and one last layer."""

    def build(x):
        for rate in rates:
            x = layers.Conv2D(20, 3, dilation_rate=rate, padding="same", activation=activation)(x)
            x = between()(x) if between else x
        return layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x)

    return network(build)


def shrunk(x):
    x = layers.UpSampling2D(4)(layers.AveragePooling2D(4, padding="same")(x))
    return point(3)(x)


class Wide(keras.Model):
    """A network written as a class."""

    def __init__(self):
        super().__init__()
        self.all = [layers.Conv2D(8, 3, dilation_rate=rate, padding="same") for rate in (1, 3, 12)]
        self.last = point(3)

    def call(self, images):
        for layer in self.all:
            images = layer(images)
        return self.last(images)


def one_layer(channels=3, kernel=31, **settings):
    return network(lambda x: layers.Conv2D(channels, kernel, **{"padding": "same"} | settings)(x))


RATES = (1, 2, 3, 4, 3, 2)
kernel = checks.neighbor_kernel.parts[0].right

# 04


def by_another_generator(count, batch_size, seed, epoch, index):
    pairs = list(range(count))
    random.Random(f"{seed}, {epoch}").shuffle(pairs)
    del pairs[: index * batch_size]
    return np.array(pairs[:batch_size], dtype="uint8")


def loss_of_keras(network, low, high, rounds):
    low = ops.maximum(ops.convert_to_tensor(low), 0.5 / 255)
    E = curve.recurse(low, lambda E, step: network(E, training=True), rounds)
    return keras.losses.MeanSquaredError()(high, E)


def loss_by_predict(network, low, high, iterations):
    E = curve.recurse(low, lambda E, step: network.predict(E, verbose=0), iterations)
    return np.mean((E - high) ** 2)


def trained():
    """Return an enhancer that looks as if it had been trained."""
    enhancer = Enhancer(build_network(3, initial_map=0.4, seed=1), 8 * ("exposure",))
    enhancer.set_weights([weights + 0.002 for weights in enhancer.get_weights()])
    return enhancer


def score(enhance):
    every = slice(6, None, 12)
    pairs = data.load("sample", "validation", exposures=4)
    pairs = [(pair.low[every, every], pair.high[every, every]) for pair in pairs]
    return np.mean([metrics.psnr(enhance(low), high) for low, high in pairs])


@cache
def true_scores():
    """Return the scores of `trained` and of the constant."""
    enhancer = trained()
    m = baselines.fit_constant(data.load("sample", "train", exposures=4), iterations=8)
    own = score(lambda low: enhance_picture(enhancer, low))
    return own, score(lambda low: baselines.constant_map(low, m, 8))


def claimed(mine=0, constant=0, denies=False):
    """Return a function that makes an enhancer and a claim, off by so many decibels."""

    def make():
        own, other = true_scores()
        claim = {"mine": own + mine, "constant": other + constant, "better": own > other}
        return trained(), claim | ({"better": own <= other} if denies else {})

    return make


CLAIM = {"mine": 20, "constant": 20, "better": True}

# 05


def first_round_apart(img, index, flag=1, *, predict):
    if index == 0:
        return img
    img = curve.brighten(img / 255 if flag else img, predict(img))
    for _ in range(index - 1):
        img = curve.brighten(img, predict(img))
    return img


def on_the_way_up(image, predict_map, iterations, step=0):
    if iterations == 0:
        return image
    before = on_the_way_up(image, predict_map, iterations - 1, step)
    return curve.brighten(before, predict_map(before, step + iterations - 1))


def until_recursively(image, predict_map, tolerance, most):
    def go_on(E, k):
        if k == most:
            return E, k
        new = curve.brighten(E, predict_map(E, k))
        is_still = np.allclose(new, E, rtol=0, atol=tolerance)
        return (new, k + 1) if is_still else go_on(new, k + 1)

    return go_on(image, 0)


def never_ending(image, predict_map, tolerance, most):
    while True:
        image = curve.brighten(image, predict_map(image, 0))


# 06


def psnr_in_codes(outputs, references):
    total = 0
    for pair in zip(outputs, references, strict=True):
        ours, theirs = (np.floor(np.clip(one, 0, 1) * np.float32(255) + 0.5) for one in pair)
        apart = ours.astype("uint8").astype(np.float32) - theirs
        total += 20 * np.log10(255) - 10 * np.log10(np.square(apart).sum() / apart.size)
    return total / len(outputs)


def interval_by_choices(ours, theirs):
    draw, apart = random.Random(11), list(ours - theirs)
    means = sorted(statistics.fmean(draw.choices(apart, k=len(apart))) for _ in range(10_000))
    return [means[249], means[9749]]


def interval_by_scipy(ours, theirs):
    settings = {"method": "percentile", "n_resamples": 10_000, "rng": np.random.default_rng(5)}
    return stats.bootstrap((ours - theirs,), np.mean, **settings).confidence_interval


def fault_by_grain(enhanced, reference):
    error = np.float32(enhanced) - np.float32(reference)
    means = error.mean((0, 1))
    if (error**2).mean() < 2 * (means**2).mean():
        return "Exposure" if abs(means.mean()) > means.std() else "cast"

    def grain(x):
        return np.abs(x[1:, 1:] - x[:-1, 1:] - x[1:, :-1] + x[:-1, :-1]).mean()

    return "noise" if grain(enhanced) > grain(reference) else "blur"


# 07


def of_equal_count(first, second, decibels):
    ours, theirs = (np.asarray(Image.open(io.BytesIO(one)).convert("RGB"), float).ravel()
                    for one in (first, second))  # fmt: skip
    if ours.size != theirs.size:
        return False
    return np.mean((ours - theirs) ** 2) <= 255**2 * 10 ** (-decibels / 10)


def maps(bar=True, share=1, **options):
    """Return the folded solution with one part changed."""

    def draw_maps(maps):
        figure, axes = plt.subplots(1, len(maps), squeeze=False)
        options_of = {"vmin": 0, "vmax": 1} | options
        shown = [
            ax.imshow(share * one, **options_of) for ax, one in zip(axes[0], maps, strict=True)
        ]
        if bar:
            figure.colorbar(shown[0], ax=axes[0])
        return figure

    return (draw_maps,)


def meshes(maps):
    norm = Normalize(min(one.min() for one in maps), max(one.max() for one in maps))
    figure = plt.figure()
    for place, one in enumerate(maps, 1):
        axis = figure.add_subplot(1, len(maps), place)
        drawn = axis.pcolormesh(one[::-1], norm=norm, cmap="gray")
    figure.colorbar(drawn, cax=figure.add_axes((0.95, 0.1, 0.01, 0.8)), label="M")
    return figure


def by_timeit(work, runs=5, warmup=1):
    return statistics.median(timeit.repeat(work, number=1, repeat=warmup + runs)[warmup:])


def timed(result, warms=True, all_runs=False, clock=timeit.default_timer):
    """Return the folded solution with one part changed."""

    def median_seconds(work, runs=5, warmup=1):
        for _ in range(warmup if warms else 0):
            work()
        seconds = []
        for _ in range(runs + warmup if all_runs else runs):
            started = clock()
            work()
            seconds.append(clock() - started)
        return result(seconds)

    return (median_seconds,)


def mine(size=13, ticks=12, noise=0, panels=None):
    """Return a right figure with one part changed."""

    def make_mine(material):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
        step = material.steps("dogs", 7)[-1]
        grain = np.random.normal(0, noise, step.image.shape)  # noqa: NPY002
        axes[0].imshow(np.clip(step.image + grain, 0, 1))
        axes[1].hist(step.image.ravel(), bins=20)
        axes[0].set_title("after seven", fontsize=size)
        axes[0].axis("off")
        axes[1].set_xlabel("value", fontsize=14)
        axes[1].tick_params(labelsize=ticks)
        own = [material.panel("dogs", "enhancer", step.image, 7, step.parameter_map)]
        return figure, panels(material, step.image) if panels else own

    return (make_mine,)


def worst_of_six(material):
    names = material.pictures["hero"]
    panels = [material.panel(n, "enhancer", material.enhanced(n, 8), 8) for n in names]
    worst = min(panels, key=lambda panel: panel.psnr)
    pair = material.pair(worst.picture)
    panels = [material.panel(worst.picture, "darkened", pair.low), worst]
    panels.append(material.panel(worst.picture, "reference", pair.high))
    shown = [("as taken", pair.low, ""), ("worst of six", material.enhanced(worst.picture, 8), "")]
    return drawing.comparison(shown, columns=2), panels


RIGHT = {
    "first_guess": [(0.0975, 1 - (1 - np.float32(0.05)) ** 256, [0])],
    "brighten_again": [(in_single_precision,)],
    "one_number": [lambda: (OneNumber(),)],
    "brightened_codes": [tuple(np.array([32.0, 0, 8]))],
    "noise_by_level": [(binned_noise,)],
    "scene_split": [(popping,)],
    "is_safe": [(is_safe_on_a_grid,), (lambda m: m * m <= 1,)],
    "steps_for": [(lambda gain, m: math.ceil(math.log(gain, 1 + m)),)],
    "first_values": [(lambda codes: np.maximum(np.float32(codes) / 255, np.float32(0.5 / 255)),)],
    "odds_factor": [
        (lambda x, m: np.float32(1) + m / (1 - m * np.float32(x)),),
        (np.vectorize(lambda x, m: (1 + m - m * x) / (1 - m * x)),),
    ],
    "constant_for": [(lambda x, t: np.log(t * (1 - x) / (x * (1 - t))), m_from_a_grid)],
    "half_the_cost": [(cost, np.array([2, 2, 2, 2, 2, 2, 1])), (cost, [8, 8, 4, 2, 2, 1, 1, 1])],
    "neighbor_kernel": [(kernel.tolist(),), (ops.convert_to_tensor(kernel, "float32"),)],
    "far_seeing_network": [
        dilated(14 * (1,), "tanh"),
        dilated(RATES, "sigmoid"),
        dilated(RATES, between=lambda: layers.MaxPooling2D(3, 1, "same")),
        dilated(7 * (2,)),
        lambda: (Wide(),),
    ],
    "batch_order": [(by_another_generator,)],
    "through_the_curve": [(loss_of_keras,)],
    "beat_the_constant": [claimed()],
    "founding_loop": [(first_round_apart,)],
    "recursion": [(on_the_way_up,)],
    "stop_by_itself": [(until_recursively,)],
    "denoise": [
        (
            {"median": 0, "gaussian": 1},
            lambda dark, bend: cv2.bilateralFilter(np.float32(bend(dark)), 7, 0.3, 3),
        )
    ],
    "mean_psnr": [(psnr_in_codes,)],
    "paired_interval": [(interval_by_choices,), (interval_by_scipy,)],
    "main_fault": [(fault_by_grain,)],
    "draw_maps": [(meshes,)],
    "median_seconds": [(by_timeit,)],
    "own_figure": [(worst_of_six,)],
}

WRONG = {
    "group_scenes": {"require closer matches": (alike_enough,)},
    "scene_split": {"neighbors in the list or in size": (neighbors_by_size,)},
    "agree": {"compare width and height first": (of_equal_count,)},
    "half_way": {
        "falls below one half twice": (
            lambda stops, shares: np.interp(-0.5, -np.array(shares), stops),
        )
    },
    "one_number": {
        "a different number for each picture": network(lambda x: pooled(point()(x))),
        "differs between pixels": network(point(kernel_initializer="zeros")),
        "nothing to train": network(lambda x: layers.Rescaling(0.0, offset=0.4)(x[..., :1])),
        "outside [0, 1]": network(lambda x: point(activation=None)(nothing(x))),
        "not one for each color": network(lambda x: point(3)(nothing(x))),
        "no weight moves the number": network(lambda x: point(use_bias=False)(nothing(x))),
        "give maps of shape (2, 1)": network(
            lambda x: layers.Dense(1)(layers.Flatten()(x[:, :4, :4])), (9, 14)
        ),
        "changes with a picture's size": network(size_dependent),
        "a keras.Model was asked for": (0.38,),
    },
    "far_seeing_network": {
        "sees 15 pixels": lambda: (build_network(),),
        "outside [0, 1]": one_layer(),
        "every pixel and color needs its m": one_layer(64, activation="sigmoid"),
        "stopped with": one_layer(padding="valid", activation="sigmoid"),
        "are allowed": network(lambda x: point(3)(layers.Conv2D(64, 31, padding="same")(x))),
        "sees 1 x 31 pixels": one_layer(kernel=(1, 31), activation="sigmoid"),
        "only 9 of these 1,089": one_layer(kernel=3, dilation_rate=16, activation="sigmoid"),
        "sees 29 pixels": dilated(RATES[:-1]),
        "must grow back": network(shrunk),
    },
    "through_the_curve": {"no gradient reaches": (loss_by_predict,)},
    "beat_the_constant": {
        "never trained": lambda: (Enhancer(build_network(3), 8 * ("exposure",)), CLAIM),
        "of the package": lambda: (load_model(list_weights()[0]), CLAIM),
        'claim["mine"] says': claimed(mine=1),
        'claim["constant"] says': claimed(constant=-0.3),
        "your conclusion is not": claimed(denies=True),
        "must be one True or False": lambda: (trained(), CLAIM | {"better": "yes"}),
        "must be one finite number": lambda: (trained(), CLAIM | {"mine": [20, 21]}),
        "must be a dict with the keys": lambda: (trained(), {"mine": 20}),
        "this is a str": ("mine.keras", CLAIM),
    },
    "stop_by_itself": {"When does it stop?": (never_ending,)},
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
        "that is the mean.": timed(np.mean),
        "the fastest run": timed(min),
        "the sum of all runs": timed(sum),
        "milliseconds": timed(lambda seconds: 1000 * np.median(seconds)),
        "process_time counts": timed(np.median, clock=time.process_time),
        "is *added*": timed(np.median, warms=False),
        "with the warm-up in it, which is slow": timed(np.median, warms=False, all_runs=True),
        "must be one finite number": timed(list),
        "was called 0 times": (lambda work, runs, warmup: 0.02,),
    },
    "own_figure": {
        "a record was asked for": mine(panels=lambda material, image: []),
        "different pixels": mine(noise=0.1),
        "'after seven' is set in 9 points": mine(size=9),
        "is set in 10 points": mine(ticks=10),
        "iterations 8; it is": mine(
            panels=lambda m, image: [m.panel("dogs", "enhancer", image, 8)]
        ),
        "not say after how many": mine(
            panels=lambda m, image: [m.panel("dogs", "enhancer", image)]
        ),
        "held-out pictures": mine(panels=lambda m, _: [Panel("me", "enhancer", 7, 120.0, 25.0)]),
        "what a network made": mine(
            panels=lambda m, image: [m.panel("dogs", "darkened", m.pair("dogs").low)]
        ),
        "two things": (lambda material: plt.figure(),),
    },
}
