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


# A function of maps and filters: parameters of the seven layers with concatenation.
count_parameters = Exercise(
    probes=[(3, 32), (1, 32), (3, 16)],
    right=_count(),
    mistakes={
        "you left out the biases: each filter has one.": _count(bias=0),
        "side by side, layers 5, 6 and 7 have twice as many channels.": _count(early=0),
        "the first layer sees the three colors: 3 channels in.": _count(colors=None),
    },
    praise="67,299 parameters for three maps, 66,145 for one.",
)

# A function of iterations, layers and kernel: how many pixels across the recursion sees.
reach = Exercise(
    probes=[(8, 7, 3), (1, 7, 3), (0, 7, 3), (3, 4, 5)],
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
    pictures = np.random.default_rng(0).random((2, 9, 14, 3), dtype=np.float32)
    maps = reading.maps(reading.model(network), pictures, lambda weights: 100 * weights)
    told = f"pictures of shape {pictures.shape} give maps of shape {maps.shape}: every pixel and "
    told += 'color needs its m. Is padding="same" set everywhere? What is downsampled must grow '
    require(maps.shape == pictures.shape, f"{told}back to its exact size.")
    told = f"the map runs from {maps.min():.3g} to {maps.max():.3g}, outside [0, 1]"
    require(maps.min() >= 0 and maps.max() <= 1, f"{told}. End in a sigmoid.")
    parameters = network.count_params()
    told = f"it has {parameters:,} parameters; {MOST_PARAMETERS:,} are allowed."
    require(parameters <= MOST_PARAMETERS, told)

    rows, columns = _reached(network)
    high, wide = (int(np.ptp(line)) + 1 if line.size else 0 for line in (rows, columns))
    told = f"it sees {wide} pixels across and {high} up and down"
    cure = "A dilated layer leaves gaps between the pixels it looks at, at the same price."
    is_far = min(high, wide) >= REACH
    require(is_far, f"{told}; at least {REACH} each way were asked for. {cure}")
    told += f", but it looks at only {rows.size} of these {high * wide:,} pixels and is blind to "
    is_dense = rows.size >= REACH**2 / 4
    require(is_dense, f"{told}the rest. Stack layers with smaller gaps.")
    return f"It has {parameters:,} parameters, and sees {wide} x {high} pixels."


def _reached(network) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the places in the map that one pixel reaches.

    What is computed from a pixel that is not a number is none either, whatever layers lie between.
    Max pooling passes over it, and takes another pixel's value.
    """
    import keras

    known = np.random.default_rng(0).random((1, 81, 81, 3), dtype=np.float32)
    unknown = known.copy()
    unknown[0, 40, 40] = np.nan
    with keras.device("cpu:0"):  # a GPU may compute a layer in tiles; whole tiles would be none
        one, other = (keras.ops.convert_to_numpy(network(x))[0] for x in (known, unknown))
    return np.nonzero((one != other).any(axis=-1))
