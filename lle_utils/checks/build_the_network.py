"""Exercises of notebook 03, build the network."""

import numpy as np

from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, Function, Value, check
from lle_utils.checks.reading import require

MOST_PARAMETERS = 67_299
REACH = 31


def _count(bias=1, early=1, colors=3, last=1):
    """Return an answer that counts the parameters, or with one part of the count changed."""

    def count_parameters(maps, filters):
        into = [colors or filters] + 3 * [filters] + 3 * [filters + early * filters]
        into[-1] -= (1 - last) * filters
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
        "layer 7 also sees an early layer: layer 1 beside layer 6.": _count(last=0),
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


def _factors(schedule, iterations):
    return [schedule[min(n, len(schedule) - 1)] for n in range(iterations)]


def _cost(schedule, iterations):
    return sum(1 / factor**2 for factor in _factors(schedule, iterations))


def _read_schedule(schedule, name) -> dict:
    require(np.iterable(schedule), f"{name} must be a tuple of factors, such as (4, 4, 1).")
    entries = [reading.whole(entry, f"each entry of {name}") for entry in schedule]
    require(entries and min(entries) >= 1, "a schedule holds factors, and none below 1.")
    used = _factors(entries, 8)
    return {
        "it must start coarse and get finer, never coarser": used == sorted(used, reverse=True),
        "the last iteration must be at full size": used[-1] == 1,
        "eight iterations may cost at most 4 full ones": _cost(entries, 8) <= 4,
        "eight iterations must cost at least 3.5 full ones": _cost(entries, 8) >= 3.5,
    }


half_the_cost = Exercise(
    "``cost(schedule, iterations)``, in full forward passes, and a schedule of half the cost.",
    Function(
        probes=[((8, 4, 2), 8), ((1,), 8), ((4, 4, 1), 5), ((2, 1), 12), ((16, 8, 4, 2, 1), 3)],
        right=_cost,
        mistakes={
            "downsampling by 2 leaves a quarter of the pixels, so a quarter of the cost.": (
                lambda schedule, n: sum(1 / f for f in _factors(schedule, n))
            ),
            "the last entry repeats: count it each time.": lambda s, n: _cost(s, len(s)),
            "only the *last* entry repeats, not the list.": lambda s, n: _cost(n * list(s), n),
        },
    ),
    Value(
        "half",
        (4, 4, 2, 2, 2, 1),
        {
            "that costs more than 4 full passes, which is half. The last entry repeats.": (4, 4, 1),
            "that costs less than 3.5 full passes: use full size more.": (4, 4, 4, 4, 4, 4, 1),
            "go from coarse to fine, never back.": (1, 1, 1, 2, 2, 4, 4, 1),
        },
        read=_read_schedule,
    ),
    praise=lambda cost, half: f"Eight iterations for {_cost(half, 8):.2f} full forward passes.",
)


def _kernel() -> np.ndarray:
    kernel = np.zeros((3, 3, 1, 4))
    kernel[1, 1] = 1
    for number, (row, column) in enumerate(((1, 0), (1, 2), (0, 1), (2, 1))):
        kernel[row, column, 0, number] = -1
    return kernel


neighbor_kernel = Exercise(
    "A kernel of shape (3, 3, 1, 4): pixel minus left, right, upper, lower neighbor.",
    Value(
        "kernel",
        _kernel(),
        {
            "a reshape scrambles the filters. Move the axis instead, with np.moveaxis.": (
                _kernel().transpose(3, 0, 1, 2).reshape(3, 3, 1, 4)
            ),
            "all four are neighbor minus pixel: reverse the sign.": -_kernel(),
        },
        read=lambda kernel, name: {"it": reading.numbers(kernel, name)},
    ),
    praise="Four differences, and all are 0 where the picture is even, however bright it is.",
)


@check
def far_seeing_network(network) -> str:
    """Check a Keras network: maps like ours, no more parameters, and a reach of 31 pixels."""
    _require_maps(reading.model(network))
    parameters = network.count_params()
    told = f"it has {parameters:,} parameters; {MOST_PARAMETERS:,} are allowed."
    require(parameters <= MOST_PARAMETERS, told)
    seen = _seen_pixels(network)
    high, wide = (int(np.ptp(line)) + 1 if line.size else 0 for line in seen)
    span = f"{wide} pixels across" if high == wide else f"{high} x {wide} pixels"
    require(
        min(high, wide) >= REACH,
        f"it sees {span}; at least {REACH} each way were asked for. A dilated layer leaves "
        "gaps between the pixels it looks at, at the same price.",
    )
    count = len(seen[0])
    require(
        count >= REACH**2 / 4,
        f"it spans {span}, but it looks at only {count} of these {high * wide:,} pixels "
        "and is blind to the rest. Stack layers with smaller gaps.",
    )
    return f"It has {parameters:,} parameters, and sees {span}."


def _require_maps(network) -> None:
    """See whether maps are as large as their pictures and stay in [0, 1]."""
    import keras

    network(np.zeros((1, 24, 24, 3), np.float32))  # a class has no weights before its first call
    rng = np.random.default_rng(0)
    for factor, size in ((1, (24, 31)), (100, (9, 16))):
        pictures = rng.random((2, *size, 3), dtype=np.float32)
        with reading.keep_weights(network) as before:
            network.set_weights([factor * weights for weights in before])
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
