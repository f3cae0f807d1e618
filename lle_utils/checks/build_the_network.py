"""Exercises of notebook 03, build the network."""

import numpy as np

from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, check
from lle_utils.checks.reading import require

MOST_PARAMETERS = 67_299
REACH = 31


def _count(bias=1, early=1, colors=3):
    """Return an answer that counts the parameters, or with one part of the count changed."""

    def count_parameters(maps, filters):
        into = [colors or filters] + 3 * [filters] + 3 * [filters + early * filters]
        out = 6 * [filters] + [maps]
        return sum((9 * a + bias) * b for a, b in zip(into, out, strict=True))

    return count_parameters


count_parameters = Exercise(
    "``function(maps, filters)``: parameters of the seven layers with concatenation.",
    probes=[(3, 32), (1, 32), (24, 32), (3, 16), (1, 1)],
    right=_count(),
    mistakes={
        "you left out the biases: each filter has one.": _count(bias=0),
        "side by side, layers 5, 6 and 7 have twice as many channels.": _count(early=0),
        "the first layer sees the three colors: 3 channels in.": _count(colors=None),
    },
    praise="67,299 parameters for three maps, 66,145 for one.",
)

reach = Exercise(
    "``function(iterations, layers, kernel)``: how many pixels across the recursion sees.",
    probes=[(8, 7, 3), (1, 7, 3), (0, 7, 3), (12, 7, 3), (3, 4, 5), (2, 1, 1)],
    right=lambda n, layers, kernel: 1 + n * layers * (kernel - 1),
    mistakes={
        "a layer adds kernel // 2 on *each* side.": lambda n, layers, k: 1 + n * layers * (k // 2),
        "count the pixel itself only once.": lambda n, layers, k: n * (1 + layers * (k - 1)),
        "the pixel itself is missing.": lambda n, layers, k: n * layers * (k - 1),
        "that is a single iteration.": lambda n, layers, k: 1 + layers * (k - 1),
    },
    praise="15 pixels for one iteration, 113 for eight, 169 for twelve.",
)


@check
def far_seeing_network(network) -> str:
    """Check a Keras network: maps like ours, no more parameters, and a reach of 31 pixels."""
    _require_maps(reading.model(network))
    parameters = network.count_params()
    told = f"it has {parameters:,} parameters; {MOST_PARAMETERS:,} are allowed."
    require(parameters <= MOST_PARAMETERS, told)
    rows, columns = _seen_pixels(network)
    high, wide = (int(np.ptp(line)) + 1 if line.size else 0 for line in (rows, columns))
    span = f"{wide} pixels across and {high} up and down"
    require(
        min(high, wide) >= REACH,
        f"it sees {span}; at least {REACH} each way were asked for. A dilated layer leaves "
        "gaps between the pixels it looks at, at the same price.",
    )
    require(
        rows.size >= REACH**2 / 4,
        f"it sees {span}, but it looks at only {rows.size} of these {high * wide:,} pixels "
        "and is blind to the rest. Stack layers with smaller gaps.",
    )
    return f"It has {parameters:,} parameters, and sees {span}."


def _require_maps(network) -> None:
    """See whether maps are as large as their pictures and stay in [0, 1], whatever the weights."""
    import keras

    pictures = np.random.default_rng(0).random((2, 9, 14, 3), dtype=np.float32)
    network(pictures)  # a class has no weights before its first call
    with reading.keep_weights(network) as before:
        network.set_weights([100 * weights for weights in before])
        maps = keras.ops.convert_to_numpy(network(pictures))
    require(
        maps.shape == pictures.shape,
        f"pictures of shape {pictures.shape} give maps of shape {maps.shape}: every pixel and "
        'color needs its m. Is padding="same" set everywhere? What is downsampled must grow '
        "back to its exact size.",
    )
    told = f"the map runs from {maps.min():.3g} to {maps.max():.3g}, outside [0, 1]"
    require(maps.min() >= 0 and maps.max() <= 1, f"{told}. End in a sigmoid.")


def _seen_pixels(network) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the places in the map that one pixel's change reaches."""
    import keras

    # What is computed from a pixel that is not a number is none, whatever layers lie between.
    # (On the CPU: a GPU may compute a layer in tiles, and then whole tiles are none.)
    even = np.full((1, 81, 81, 3), 0.1, np.float32)
    unknown, poked = even.copy(), even.copy()
    unknown[0, 40, 40], poked[0, 40, 40] = np.nan, 1e6
    with keras.device("cpu:0"):
        reached = np.isnan(keras.ops.convert_to_numpy(network(unknown))[0])
    # But some layers, such as max pooling, pass over what is not a number. So we also change the
    # pixel, with averages in place of kernels: nothing can cancel, nothing dies in a ReLU.
    with reading.keep_weights(network) as before:
        sizes = [(weights, np.prod(weights.shape[:-1])) for weights in before]
        network.set_weights([w if w.ndim == 1 else np.full(w.shape, 1 / size) for w, size in sizes])
        change = np.abs(keras.ops.convert_to_numpy(network(poked) - network(even)))[0]
    return np.nonzero((reached | (change > 1e-4)).any(axis=-1))
