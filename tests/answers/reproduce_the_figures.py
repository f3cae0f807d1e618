"""Answers to the exercises of the notebook that is called reproduce_the_figures."""

ONE = "def {0}:\n    return {1}"

MAPS = """
def draw_maps(maps):
    figure, axes = plt.subplots(1, len(maps), figsize=(10, 3), squeeze=False)
    for axis, one in zip(axes[0], maps):
        shown = axis.imshow(one, {limits}, cmap="{colors}")
    {bar}
    return {result}
"""


def maps(limits="vmin=0, vmax=1", colors="viridis", bar="figure.colorbar(shown)", result="figure"):
    """Return the folded solution with one part changed."""
    return MAPS.format(
        limits=limits,
        colors=colors,
        bar=bar.replace("(shown)", "(shown, ax=axes[0])"),
        result=result,
    )


AGREE = """
def agree(first, second, decibels):
    ours, theirs = (np.asarray(Image.open(io.BytesIO(c)).convert("RGB")) for c in (first, second))
    if ours.shape != theirs.shape:
        return False
    {0}
"""

SECONDS = """
def median_seconds(work, runs=5, warmup=1):
    for _ in range(warmup):
        work()
    seconds = []
    for _ in range(runs):
        started = time.{clock}()
        work()
        seconds.append(time.{clock}() - started)
    return {result}
"""

MINE = """
def make_mine(material):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    step = material.steps({name}, 7, "curve")[-1]
    axes[0].imshow(np.clip({picture}, 0, 1))
    axes[1].hist(step.image.ravel(), bins=20)
    axes[0].set_title("after seven", fontsize={size})
    axes[0].axis("off")
    axes[1].set_xlabel("value", fontsize=14)
    axes[1].tick_params(labelsize={ticks})
    return figure, {panels}
"""


def mine(
    name="'dogs'",
    picture="step.image",
    size="13",
    ticks="12",
    panels="[material.panel('dogs', 'curve', step.image, 7, step.parameter_map)]",
):
    """Return a right figure with one part changed."""
    return MINE.format(name=name, picture=picture, size=size, ticks=ticks, panels=panels)


RIGHT = {
    "7.1": """
def draw_maps(maps):
    from matplotlib.colors import Normalize
    norm = Normalize(min(one.min() for one in maps), max(one.max() for one in maps))
    figure = plt.figure()
    for place, one in enumerate(maps, 1):
        axis = figure.add_subplot(1, len(maps), place)
        drawn = axis.pcolormesh(one[::-1], norm=norm, cmap="gray")
    figure.colorbar(drawn, cax=figure.add_axes((0.95, 0.1, 0.01, 0.8)), label="M")
    return figure
""",
    "7.2": """
def agree(first, second, decibels):
    import cv2
    ours, theirs = (cv2.imdecode(np.frombuffer(c, np.uint8), 1).astype(int)
                    for c in (first, second))
    if ours.shape != theirs.shape:
        return False
    error = ((ours - theirs) ** 2).mean()
    return error == 0 or 20 * np.log10(255) - 10 * np.log10(error) >= decibels
""",
    "7.3": """
def median_seconds(work, runs=5, warmup=1):
    import statistics, timeit
    return statistics.median(timeit.repeat(work, number=1, repeat=warmup + runs)[warmup:])
""",
    "7.4": """
def make_mine(material):
    names = material.pictures["hero"]
    panels = [material.panel(n, "curve", material.enhanced(n, 8), 8) for n in names]
    worst = min(panels, key=lambda panel: panel.psnr)
    pair = material.pair(worst.picture)
    panels = [material.panel(worst.picture, "as taken", pair.low), worst]
    panels.append(material.panel(worst.picture, "reference", pair.high))
    shown = [("as taken", pair.low, ""), ("worst of six", material.enhanced(worst.picture, 8), "")]
    return figures.comparison(shown, columns=2), panels
""",
}

WRONG = {
    "7.1": [
        (maps(limits="alpha=1"), "each map has its own limits"),
        (maps(limits="vmin=one.min(), vmax=one.max()"), "each map has its own limits"),
        (maps(limits="vmin=0, vmax=one.max()"), "do not share their limits"),
        (maps(limits="vmin=maps[0].min(), vmax=maps[0].max()"), "lie outside"),
        (maps(colors="jet"), "goes up and down"),
        (maps(colors="coolwarm"), "goes up and down"),
        (maps(bar="pass"), "without a color bar"),
        (maps(result="axes"), "a matplotlib Figure was asked for"),
        (maps(result="plt.figure()"), "none is found in the figure"),
        (maps().replace("imshow(one,", "imshow((one - one.min()) / np.ptp(one),"), "none is found"),
        (maps().replace("imshow(one,", "imshow(maps[0],"), "not number 2"),
    ],
    "7.2": [
        (ONE.format("agree(first, second, decibels)", "first == second"), "Their bytes differ"),
        (
            ONE.format("agree(first, second, decibels)", "len(first) == len(second)"),
            "Their bytes differ",
        ),
        (AGREE.format("return np.array_equal(ours, theirs)"), "Their bytes differ"),
        (
            AGREE.format(
                "return 10 * np.log10(255**2 / np.mean((ours - theirs) ** 2)) >= decibels"
            ),
            "in uint8",
        ),
        (
            AGREE.format(
                "error = np.mean((ours / 255 - theirs / 255) ** 2)\n"
                "    return error > 0 and -10 * np.log10(error) >= decibels"
            ),
            "its logarithm must not get in the way",
        ),
        (
            AGREE.format(
                "error = np.mean((ours / 1.0 - theirs) ** 2)\n"
                "    return error == 0 or -10 * np.log10(error) >= decibels"
            ),
            "they agree",
        ),
        (
            AGREE.format("return np.mean((ours / 255 - theirs / 255) ** 2) < 0.001"),
            "at 20 dB: they agree",
        ),
        (
            "def agree(first, second, decibels):\n"
            "    ours, theirs = (np.asarray(Image.open(io.BytesIO(c)), float) / 255"
            " for c in (first, second))\n"
            "    return np.mean((ours - theirs) ** 2) <= 10 ** (-decibels / 10)",
            "stopped with ValueError",
        ),
        (
            AGREE.format(
                "error = np.median((ours / 255 - theirs / 255) ** 2)\n"
                "    return error <= 10 ** (-decibels / 10)"
            ),
            "median or a maximum",
        ),
        (ONE.format("agree(first, second, decibels)", "True"), "they do not agree"),
    ],
    "7.3": [
        (SECONDS.format(clock="perf_counter", result="np.mean(seconds)"), "that is the mean."),
        (SECONDS.format(clock="perf_counter", result="min(seconds)"), "the fastest run"),
        (SECONDS.format(clock="perf_counter", result="sum(seconds)"), "all runs together"),
        (SECONDS.format(clock="perf_counter", result="seconds[runs // 2]"), "Sort the times"),
        (
            SECONDS.format(clock="perf_counter", result="sorted(seconds)[runs // 2]"),
            "the number of runs is even",
        ),
        (
            SECONDS.format(clock="perf_counter", result="1000 * np.median(seconds)"),
            "milliseconds",
        ),
        (SECONDS.format(clock="process_time", result="np.median(seconds)"), "process_time counts"),
        (
            SECONDS.format(clock="perf_counter", result="np.median(seconds)").replace(
                "range(warmup)", "range(0)"
            ),
            "must be *added*",
        ),
        (
            SECONDS.format(clock="perf_counter", result="np.median(seconds)").replace(
                "range(runs)", "range(runs - warmup)"
            ),
            "must be *added*",
        ),
        (
            SECONDS.format(clock="perf_counter", result="np.median(seconds)")
            .replace("range(warmup)", "range(0)")
            .replace("range(runs)", "range(runs + warmup)"),
            "with the warm-up in it, which is slow",
        ),
        (SECONDS.format(clock="perf_counter", result="seconds"), "one number was asked for"),
        (ONE.format("median_seconds(work, runs, warmup)", "0.02"), "was called 0 times"),
    ],
    "7.4": [
        (mine(panels="[]"), "without a record"),
        (mine(panels="[{'picture': 'dogs'}]"), "without a record"),
        (mine(panels="['dogs']").replace("return figure, ", "return "), "two things"),
        (mine(picture="step.image + np.random.normal(0, 0.1, step.image.shape)"), "other pixels"),
        (mine(size="9"), "'after seven' is set in 9 points"),
        (mine(ticks="10"), "is set in 10 points"),
        (
            mine(panels="[material.panel('dogs', 'curve', step.image, 8)]"),
            "after 8 iterations; it is",
        ),
        (
            mine(panels="[material.panel('dogs', 'curve', step.image)]"),
            "does not say after how many iterations",
        ),
        (
            mine(panels="[material.panel('dogs', 'curve', step.image[:200], 7)]"),
            "stopped with ValueError",
        ),
        (
            mine(panels="[figures.Panel('dogs', 'curve', 7, 120.0, 25.0)]"),
            "the record says mean_code",
        ),
        (
            mine(panels="[figures.Panel('me', 'curve', 7, 120.0, 25.0)]"),
            "not one of the held-out pictures",
        ),
        (
            mine(panels="[material.panel('dogs', 'as taken', material.pair('dogs').low)]"),
            "no panel shows what a network made",
        ),
        (
            "def make_mine(material):\n    step = material.steps('dogs', 7)[-1]\n"
            "    return plt.figure(), [material.panel('dogs', 'curve', step.image, 7)]",
            "the figure is empty",
        ),
    ],
}
