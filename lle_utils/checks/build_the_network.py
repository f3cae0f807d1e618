"""Exercises of notebook 03, build the network."""

import numpy as np

from lle_utils.checks.engine import (
    Exercise,
    Function,
    Value,
    Wrong,
    check,
    numbers,
    returned,
    whole,
)

MOST_PARAMETERS = 67_299
REACH = 31


def _parameters(maps, filters, early=1, bias=1, area=9, colors=3):
    into = [colors] + 3 * [filters] + 3 * [filters + early * filters]
    out = 6 * [filters] + [maps]
    return sum((area * a + bias) * b for a, b in zip(into, out, strict=True))


count_parameters = Exercise(
    "``function(maps, filters)``: parameters of the seven layers with concatenation.",
    Function(
        observe=returned,
        probes=[(3, 32), (1, 32), (24, 32), (3, 16), (1, 1)],
        right=_parameters,
        tolerance=1e-9,
        mistakes={
            "you left out the biases: each filter has one.": (
                lambda maps, filters: _parameters(maps, filters, bias=0)
            ),
            "this is right where layers are added. Side by side, they give layers 5, 6 and 7 twice "
            "as many channels.": lambda maps, filters: _parameters(maps, filters, early=0),
            "layer 7 sees an early layer, too: layer 1 beside layer 6.": (
                lambda maps, filters: _parameters(maps, filters) - 9 * filters * maps
            ),
            "the first layer sees the three colors: 3 channels in.": (
                lambda maps, filters: _parameters(maps, filters, colors=filters)
            ),
        },
        hint="A 3 x 3 layer has (9 * channels_in + 1) * channels_out of them.",
    ),
    praise="67,299 parameters for three maps, 66,145 for one.",
)

reach = Exercise(
    "``function(looks, layers, kernel)``: how many pixels across the recursion sees.",
    Function(
        observe=returned,
        probes=[(8, 7, 3), (1, 7, 3), (0, 7, 3), (12, 7, 3), (3, 4, 5), (2, 1, 1)],
        right=lambda looks, layers, kernel: 1 + looks * layers * (kernel - 1),
        tolerance=1e-9,
        mistakes={
            "a layer reaches farther on *each* side: it adds kernel - 1 in all.": (
                lambda looks, layers, kernel: 1 + looks * layers * (kernel // 2)
            ),
            "the pixel itself is counted in every look. It is there once.": (
                lambda looks, layers, kernel: looks * (1 + layers * (kernel - 1))
            ),
            "the pixel itself is missing: no look at all still sees 1.": (
                lambda looks, layers, kernel: looks * layers * (kernel - 1)
            ),
            "that is a single look. Each further look starts from what the last one saw.": (
                lambda looks, layers, kernel: 1 + layers * (kernel - 1)
            ),
        },
        hint="The pixel itself is 1, and each layer of each look adds kernel - 1.",
    ),
    praise="15 pixels for one look, 113 for eight, 169 for twelve.",
)


def _factors(schedule, looks):
    return [schedule[min(look, len(schedule) - 1)] for look in range(looks)]


def _cost(schedule, looks):
    return sum(1 / factor**2 for factor in _factors(schedule, looks))


def _read_schedule(schedule, name) -> dict:
    try:
        entries = [whole(entry, f"each entry of {name}") for entry in schedule]
    except TypeError:
        raise Wrong("a schedule is a tuple of factors, such as (4, 4, 1).") from None
    if not entries or min(entries) < 1:
        raise Wrong("a schedule holds at least one factor, and none below 1.")
    used = _factors(entries, 8)
    return {
        "it must start coarse and get finer, never coarser": used == sorted(used, reverse=True),
        "the last look must be at full size": used[-1] == 1,
        "eight looks may cost at most 4 full ones": _cost(entries, 8) <= 4,
        "eight looks must cost at least 3.5 full ones": _cost(entries, 8) >= 3.5,
    }


def _praise_schedule(cost, schedule) -> str:
    used = _factors(list(schedule), 8)
    return f"Eight looks for {_cost(used, 8):.2f} full ones, {used.count(1)} of them at full size."


half_the_cost = Exercise(
    "``cost(schedule, looks)``, the cost in full looks, and a schedule of half the cost.",
    Function(
        observe=returned,
        probes=[((8, 4, 2), 8), ((1,), 8), ((4, 4, 1), 5), ((2, 1), 12), ((16, 8, 4, 2, 1), 3)],
        right=_cost,
        mistakes={
            "shrunk by 2, a picture has half the rows and half the columns: a quarter of the "
            "cost.": lambda schedule, looks: sum(1 / f for f in _factors(schedule, looks)),
            "the last entry repeats until all looks are done; you counted only what is listed.": (
                lambda schedule, looks: sum(1 / f**2 for f in schedule)
            ),
            "at the end of the list its *last* entry repeats. It does not begin again.": (
                lambda schedule, looks: _cost(looks * list(schedule), looks)
            ),
        },
        hint="Each look costs 1 / factor**2, and the last entry repeats.",
    ),
    Value(
        name="half",
        read=_read_schedule,
        right=(4, 4, 2, 2, 2, 1),
        mistakes={
            "that costs more than 4 full looks, which is half. The last entry repeats.": (4, 4, 1),
            "3.5 to 4 full looks may be spent: look closely more often.": (4, 4, 4, 4, 4, 4, 1),
            "go from coarse to fine, never back.": (1, 1, 1, 2, 2, 4, 4, 1),
            "the last look must be at full size: fine detail is seen nowhere else.": (
                (2, 1, 1, 1, 2, 2, 2, 2)
            ),
        },
    ),
    praise=_praise_schedule,
)


def _kernel(neighbors=((1, 0), (1, 2), (0, 1), (2, 1))):
    kernel = np.zeros((3, 3, 1, 4))
    kernel[1, 1] = 1
    for number, (row, column) in enumerate(neighbors):
        kernel[row, column, 0, number] = -1
    return kernel


def _read_kernel(kernel, name) -> dict:
    found = numbers(kernel, name)
    if found.shape not in ((3, 3, 1, 4), (1, 3, 1, 3), (4, 3, 3, 1)):
        raise Wrong(f"the kernel's shape is {found.shape}; (3, 3, 1, 4) was asked for.")
    return {"the shape": found.shape, "the order of its numbers": found}


neighbor_kernel = Exercise(
    "A kernel of shape (3, 3, 1, 4): pixel minus left, right, upper, lower neighbor.",
    Value(
        name="kernel",
        read=_read_kernel,
        right=_kernel(),
        mistakes={
            "this one has a height of 1: it never looks up or down, and its last axis holds "
            "filters, not columns.": np.array([[[[0, 0, 0]], [[-1, 1, 0]], [[0, 0, 0]]]]),
            "the filters come first here. Keras wants (height, width, in, out): move that axis.": (
                _kernel().transpose(3, 0, 1, 2)
            ),
            "a reshape keeps the numbers in their order, so it scrambled the filters. Move the "
            "axis instead, with np.moveaxis or np.stack(..., axis=-1).": (
                _kernel().transpose(3, 0, 1, 2).reshape(3, 3, 1, 4)
            ),
            "all four are neighbor minus pixel: reverse the sign.": -_kernel(),
        },
        hint="Each filter holds a 1 at row 1, column 1, a -1 at its neighbor, and adds up to 0.",
    ),
    praise="Four differences, and all are 0 where the picture is even, however bright it is.",
)


@check
def far_seeing_network(network) -> str:
    """Check a Keras network: maps like ours, no more parameters, and a reach of 31 pixels."""
    import keras

    if not isinstance(network, keras.Model):
        raise Wrong(f"a keras.Model was asked for, and this is a {type(network).__name__}.")
    _judge_maps(network)
    parameters = network.count_params()
    if parameters > MOST_PARAMETERS:
        raise Wrong(f"it has {parameters:,} parameters; {MOST_PARAMETERS:,} are allowed.")
    seen = _seen_pixels(network)
    high, wide = (int(np.ptp(line)) + 1 if line.size else 0 for line in map(np.unique, seen))
    span = f"{wide} pixels across" if high == wide else f"{high} x {wide} pixels"
    if min(high, wide) < REACH:
        raise Wrong(
            f"one look sees {span}, and {REACH} each way were asked for. A dilated layer leaves "
            "gaps between the pixels it looks at, at the same price."
        )
    count = len(seen[0])
    if count < REACH**2 / 4:
        raise Wrong(
            f"one look spans {span}, but it looks at only {count} of these {high * wide:,} pixels "
            "and is blind to the rest. Stack layers with smaller gaps."
        )
    return f"{parameters:,} parameters, and one look sees {span}."


def _judge_maps(network) -> None:
    """See whether maps are as large as their pictures and stay in [0, 1]."""
    import keras

    rng = np.random.default_rng(0)
    for height, width in ((24, 31), (9, 16)):
        pictures = rng.random((2, height, width, 3), dtype=np.float32)
        maps = keras.ops.convert_to_numpy(network(pictures))
        if maps.shape != pictures.shape:
            raise Wrong(
                f"pictures of shape {pictures.shape} give maps of shape {maps.shape}: every pixel "
                'and color needs its m. Is padding="same" set everywhere? What is shrunk must grow '
                "back to its exact size."
            )
    before = network.get_weights()
    try:
        network.set_weights([100 * weights for weights in before])
        maps = keras.ops.convert_to_numpy(network(pictures))
    finally:
        network.set_weights(before)
    if maps.min() < 0 or maps.max() > 1:
        raise Wrong(
            f"with wild weights the map runs from {maps.min():.3g} to {maps.max():.3g}, outside "
            "[0, 1]. What must the last layer end in?"
        )


def _seen_pixels(network) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the places in the map that one pixel's change reaches."""
    import keras

    even = np.full((1, 81, 81, 3), 0.1, np.float32)
    # What is computed from a pixel that is not a number is none, whatever layers lie between.
    # (On the CPU: a GPU may compute a layer in tiles, and then whole tiles are none.)
    unknown = even.copy()
    unknown[0, 40, 40] = np.nan
    with keras.device("cpu:0"):
        reached = np.isnan(keras.ops.convert_to_numpy(network(unknown))[0])
    # But some layers, such as max pooling, pass over what is not a number. So we also change the
    # pixel, with averages in place of kernels: nothing can cancel, nothing dies in a ReLU.
    poked = even.copy()
    poked[0, 40, 40] = 1e6
    before = network.get_weights()
    try:
        network.set_weights([_averaging(weights) for weights in before])
        change = np.abs(keras.ops.convert_to_numpy(network(poked) - network(even)))[0]
    finally:
        network.set_weights(before)
    return np.nonzero((reached | (change > 1e-4)).any(axis=-1))


def _averaging(weights: np.ndarray) -> np.ndarray:
    if weights.ndim == 1:
        return weights
    return np.full(weights.shape, 1 / np.prod(weights.shape[:-1]))
