"""Checks of the exercises in notebook 03, build the network."""

import numpy as np

from lle_utils.checks.verdicts import Wrong, check, compare, numbers, whole


@check
def count_parameters(function) -> str:
    """Check ``function(maps, filters)``: parameters of the seven layers with concatenation.

    Six 3 x 3 layers of so many filters and a seventh of so many maps, from three colors; layers 5,
    6 and 7 also see an early layer.
    """

    def total(maps, filters, early=1, bias=1, area=9):
        into = [3] + 3 * [filters] + 3 * [filters + early * filters]
        out = 6 * [filters] + [maps]
        return sum((area * a + bias) * b for a, b in zip(into, out, strict=True))

    mistakes = {
        "you left out the biases: each filter has one.": lambda m, f: total(m, f, bias=0),
        "this is right where layers are added. Laid beside each other, layers 5, 6 and 7 see twice "
        "as many channels.": lambda m, f: total(m, f, early=0),
        "layer 7 sees an early layer, too: 1 beside 6.": (lambda m, f: total(m, f) - 9 * f * m),
        "you counted the weights of one position: a filter has 3 x 3 of them a channel.": (
            lambda m, f: total(m, f, area=1)
        ),
        "a filter has 3 x 3 weights, and you counted 3.": lambda m, f: total(m, f, area=3),
        "the first layer sees the three colors: 3 channels in.": lambda m, f: (
            total(m, f) + 9 * (f - 3) * f
        ),
        "the first layer sees three colors, and you counted one.": lambda m, f: (
            total(m, f) - 18 * f
        ),
        "the last layer has biases, too: one for each map.": lambda m, f: total(m, f) - m,
        "you have eight layers. Six have so many filters, and the seventh gives the maps.": (
            lambda m, f: total(m, f) + (9 * f + 1) * f
        ),
        "each filter has a bias, not each layer.": lambda m, f: total(m, f, bias=0) + 7,
    }
    probes = [(3, 32), (1, 32), (24, 32), (3, 16), (1, 1)]
    compare(function, total, probes, mistakes, tolerance=1e-9)
    return "67,299 parameters for three maps, 66,145 for one."


@check
def reach(function) -> str:
    """Check ``function(looks, layers, kernel)``: how many pixels across the recursion sees."""

    def right(looks, layers, kernel):
        return 1 + looks * layers * (kernel - 1)

    mistakes = {
        "a layer reaches one pixel farther on *each* side: that is kernel - 1 in all.": (
            lambda looks, layers, kernel: 1 + looks * layers * (kernel // 2)
        ),
        "the pixel itself is counted in every look. It is there once: each look adds 14 to it.": (
            lambda looks, layers, kernel: looks * (1 + layers * (kernel - 1))
        ),
        "the pixel itself is missing: no look at all still sees 1.": (
            lambda looks, layers, kernel: looks * layers * (kernel - 1)
        ),
        "kernels do not simply add up: two layers of 3 see 5 pixels and not 6.": (
            lambda looks, layers, kernel: looks * layers * kernel
        ),
        "that is a single look. Each further look starts from what the last one saw.": (
            lambda looks, layers, kernel: 1 + layers * (kernel - 1)
        ),
        "14 a look is right for seven layers of 3 x 3. Other networks see otherwise.": (
            lambda looks, layers, kernel: 1 + 14 * looks
        ),
        "the first look is counted twice: it sees 15, and each *further* one adds 14.": (
            lambda looks, layers, kernel: 1 + (looks + 1) * layers * (kernel - 1)
        ),
        "reaches add up, they do not multiply: a look starts where the last one ended.": (
            lambda looks, layers, kernel: (1 + layers * (kernel - 1)) ** looks
        ),
    }
    probes = [(8, 7, 3), (1, 7, 3), (0, 7, 3), (12, 7, 3), (3, 4, 5), (2, 1, 1)]
    compare(function, right, probes, mistakes, tolerance=1e-9)
    return "15 pixels for one look, 113 for eight, 169 for twelve."


@check
def half_the_cost(cost, schedule) -> str:
    """Check ``cost(schedule, looks)``, the cost in full looks, and a schedule of half the cost."""

    def factors(schedule, looks):
        return [schedule[min(look, len(schedule) - 1)] for look in range(looks)]

    def right(schedule, looks):
        return sum(1 / factor**2 for factor in factors(schedule, looks))

    mistakes = {
        "shrunk by 2 a picture has half the rows and half the columns: a quarter of the cost.": (
            lambda s, looks: sum(1 / factor for factor in factors(s, looks))
        ),
        "the last entry repeats until all looks are done; you counted only what is listed.": (
            lambda s, looks: sum(1 / factor**2 for factor in s)
        ),
        "this is the share of full looks; the cost itself was asked for: do not divide.": (
            lambda s, looks: right(s, looks) / looks
        ),
        "when the list is at its end, its *last* entry repeats. It does not begin again.": (
            lambda s, looks: sum(1 / s[look % len(s)] ** 2 for look in range(looks))
        ),
        "after the listed looks you went on at full size. Its *last* entry repeats.": (
            lambda s, looks: right([*s, 1], looks)
        ),
        "upside down: a picture shrunk by 2 costs a quarter, not four times as much.": (
            lambda s, looks: sum(factor**2 for factor in factors(s, looks))
        ),
    }
    probes = [((8, 4, 2), 8), ((1,), 8), ((4, 4, 1), 5), ((2, 1), 12), ((16, 8, 4, 2, 1), 3)]
    compare(cost, right, probes, mistakes)
    try:
        entries = [whole(entry, "an entry of the schedule") for entry in schedule]
    except TypeError:
        raise Wrong("a schedule is a tuple of factors, such as (4, 4, 1).") from None
    if not entries or min(entries) < 1:
        raise Wrong("a schedule holds at least one factor, and none below 1.")
    used, spent = factors(entries, 8), right(entries, 8)
    if used != sorted(used, reverse=True):
        raise Wrong(f"the looks have the factors {used}: go from afar to near, never back.")
    if used[-1] != 1:
        raise Wrong("the last look must be at full size: fine detail is seen nowhere else.")
    if spent > 4:
        listed = "" if len(entries) >= 8 else f" With (..., {entries[-1]}) the last one repeats."
        raise Wrong(f"eight looks cost {spent:.2f} full ones, more than half, 4.{listed}")
    if spent < 3.5:
        raise Wrong(
            f"eight looks cost {spent:.2f} full ones. 3.5 to 4 may be spent: look closely more"
            " often."
        )
    return f"Eight looks for {spent:.2f} full ones, {used.count(1)} of them at full size."


@check
def neighbor_kernel(kernel) -> str:
    """Check a kernel of shape (3, 3, 1, 4): pixel minus left, right, upper, lower neighbor."""
    found = numbers(kernel, "the kernel")
    if found.shape == (1, 3, 1, 3) or found.shape == (1, 3, 1, 4):
        raise Wrong(
            f"of shape {found.shape} it has a height of 1: it never looks up or down, and its last "
            "axis holds filters and not columns."
        )
    if found.shape == (4, 3, 3, 1) or found.shape == (4, 3, 3):
        raise Wrong("the filters come first here. Keras wants (height, width, in, out): move them.")
    if found.shape == (3, 3, 4):
        raise Wrong(
            "its shape is (3, 3, 4): an axis for the one channel in is missing, [:, :, None]."
        )
    if found.shape != (3, 3, 1, 4):
        raise Wrong(f"its shape is {found.shape}; (3, 3, 1, 4) was asked for.")
    names = ("left", "right", "upper", "lower")
    right = {}
    for name, (row, column) in zip(names, ((1, 0), (1, 2), (0, 1), (2, 1)), strict=True):
        right[name] = np.zeros((3, 3))
        right[name][1, 1], right[name][row, column] = 1, -1
    for number, (name, wanted) in enumerate(right.items()):
        filter_ = found[:, :, 0, number]
        if np.allclose(filter_, wanted):
            continue
        if np.allclose(filter_, -wanted):
            raise Wrong(f"filter {number} is neighbor minus pixel: turn its sign.")
        for other, looks_like in right.items():
            if np.allclose(filter_, looks_like):
                raise Wrong(
                    f"filter {number} looks at the {other} neighbor, not at the {name} one."
                )
        if np.array_equal(np.sort(found, axis=None), np.repeat([-1, 0, 1], [4, 28, 4])):
            raise Wrong(
                f"filter {number}, kernel[:, :, 0, {number}], is {filter_.tolist()}. Was the "
                "kernel scrambled by a reshape? That keeps the numbers in order; move the axis."
            )
        if not filter_.any():
            raise Wrong(f"filter {number} is 0 everywhere.")
        if abs(filter_.sum()) > 1e-6:
            raise Wrong(
                f"filter {number} adds up to {filter_.sum():g}. A difference adds up to 0: it must "
                "say nothing about an even picture."
            )
        raise Wrong(
            f"filter {number}, kernel[:, :, 0, {number}], is {filter_.tolist()}; it must be the "
            f"pixel minus its {name} neighbor."
        )
    return "Four differences, and all are 0 where the picture is even, however bright it is."


@check
def far_seeing_network(network) -> str:
    """Check a Keras network: maps like ours, no more parameters, and a reach of 31 pixels."""
    import keras

    if not isinstance(network, keras.Model):
        raise Wrong(f"a keras.Model was asked for, and this is a {type(network).__name__}.")
    rng = np.random.default_rng(0)
    for height, width in ((24, 31), (9, 16)):
        pictures = rng.random((2, height, width, 3), dtype=np.float32)
        maps = keras.ops.convert_to_numpy(network(pictures))
        if maps.shape != pictures.shape:
            raise Wrong(
                f"pictures of shape {pictures.shape} give maps of shape {maps.shape}: every pixel "
                'and color needs its m. Is padding="same" set everywhere? What is shrunk must grow '
                "back to the very size."
            )
    before = network.get_weights()
    try:
        network.set_weights([100 * weights for weights in before])
        maps = keras.ops.convert_to_numpy(network(pictures))
    finally:
        network.set_weights(before)
    if maps.min() < 0 or maps.max() > 1:
        raise Wrong(
            f"with wild weights the map runs from {maps.min():.3g} to {maps.max():.3g}: a map "
            "outside [0, 1] got in. What must the last layer end in?"
        )
    parameters, most = network.count_params(), 67_299
    if parameters > most:
        raise Wrong(f"it has {parameters:,} parameters, and {most:,} are allowed.")
    high, wide = _reach_of(network)
    if min(high, wide) < 31:
        seen = f"{wide} pixels across" if high == wide else f"{high} x {wide} pixels"
        raise Wrong(
            f"one look sees {seen}, and 31 each way were asked for. A dilated layer leaves gaps "
            "between the pixels it looks at, at the same price."
        )
    seen = f"{wide} pixels across" if high == wide else f"{high} x {wide} pixels"
    seen = "the whole picture" if min(high, wide) >= 81 else seen
    return f"{parameters:,} parameters, and one look sees {seen}."


def _reach_of(network) -> tuple[int, int]:
    """Return how many rows and columns of the map one pixel's change reaches."""
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
        network.set_weights(
            [
                np.full(weights.shape, 1 / np.prod(weights.shape[:-1]))
                if weights.ndim > 1
                else weights
                for weights in before
            ]
        )
        change = np.abs(keras.ops.convert_to_numpy(network(poked) - network(even)))[0]
    finally:
        network.set_weights(before)
    reached |= change > 1e-4
    lines = (np.flatnonzero(reached.any(axis=axes)) for axes in ((1, 2), (0, 2)))
    return tuple(int(np.ptp(line)) + 1 if line.size else 0 for line in lines)
