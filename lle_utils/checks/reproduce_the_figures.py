"""Exercises of notebook 07, reproduce the figures."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from lle_utils.checks import reading
from lle_utils.checks.engine import SEE_HINT, ask, check
from lle_utils.checks.reading import Wrong, require

SMALLEST_TYPE = 12  # points


@contextmanager
def _tidy() -> Iterator[None]:
    """Close the figures that an answer opens, so that the notebook does not show them later."""
    from matplotlib import pyplot as plt

    try:
        yield
    finally:
        plt.close("all")


# 7.1. Maps that can be compared


@check
def draw_maps(function) -> str:
    """Check ``function(maps)``: a Figure of parameter maps side by side, which can be compared.

    `maps` is a list of arrays (height, width) in [0, 1]. All must share one color scale, which has
    a color bar, in colors whose lightness only rises or only falls.
    """
    noise = np.random.default_rng(9).uniform(-0.1, 0.1, (3, 30, 45))
    maps = noise + np.reshape([0.8, 0.5, 0.15], (3, 1, 1))
    with _tidy():
        figure = ask(function, list(maps))
    require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
    shown = [one for axes in figure.axes for one in (*axes.images, *axes.collections)]
    drawn = [one for wanted in maps for one in shown if _holds(one, wanted)]
    told = f"{len(drawn)} of {len(maps)} maps are found in the figure."
    require(len(drawn) == len(maps), f"{told} Draw each as it is: axis.imshow(one_map, ...).")
    limits = [one.get_clim() for one in drawn]
    low, high = limits[0]
    told = f"the maps do not share their limits: the first has {low:.2f} to {high:.2f}."
    require(np.ptp(limits, axis=0).max() <= 1e-4, f"{told} Give all the same vmin and vmax.")
    told = f"the limits are {low:g} to {high:g}, and the maps span {maps.min():.2f} to "
    told += f"{maps.max():.2f}. Take the limits from all maps, or 0 and 1."
    cut_off = np.mean((maps < low) | (maps > high))
    require(cut_off <= 0.02 and high - low < 3, told)
    colors = drawn[0].get_cmap()
    steps = np.diff(colors(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722])
    told = f"the lightness of {colors.name!r} goes up and down, so different values may look alike."
    require(min(steps.max(), -steps.min()) < 0.004, f"{told} Use viridis, cividis or gray.")
    has_bar = any(hasattr(axes, "_colorbar") for axes in figure.axes)
    require(has_bar, "without a color bar nobody knows what a color means: figure.colorbar(...).")
    return "A value has the same color in every map, and the bar says which."


def _holds(drawn, values: np.ndarray) -> bool:
    ours, theirs = np.sort(np.ravel(drawn.get_array())), np.sort(values.ravel())
    return ours.shape == theirs.shape and np.allclose(ours, theirs, atol=1e-5)


# 7.2. Seconds


class _Work:
    """A function that takes known times, slow at first, and writes down how long it took."""

    def __init__(self):
        self.taken = []

    def __call__(self):
        started = time.perf_counter()
        time.sleep((0.13, 0.13, 0.02, 0.13, 0.05)[len(self.taken) % 5])
        self.taken.append(time.perf_counter() - started)


@check
def median_seconds(function) -> str:
    """Check ``function(work, runs, warmup)``: the median time of a call, after a warm-up."""
    runs, warmup = 3, 2
    for _ in range(4):  # another process may get in between once, but not always
        work = _Work()
        found = reading.number(ask(function, work, runs, warmup), "the median")
        told = f"with runs = {runs} and warmup = {warmup}, work was called {len(work.taken)} times."
        require(len(work.taken) == runs + warmup, f"{told} The warm-up is *added* to the runs.")
        timed = work.taken[warmup:]
        median = statistics.median(timed)
        if abs(found - median) <= 0.13 * median:
            return "You time each run, leave out the slow first calls, and a hiccup does no harm."
    mistakes = {
        "milliseconds? Seconds were asked for.": 1000 * median,
        "that is the median with the warm-up in it, which is slow.": statistics.median(work.taken),
        "that is the mean. One hiccup moves it; take the median.": statistics.mean(timed),
        "that is the fastest run.": min(timed),
        "process_time counts only while this process computes: use time.perf_counter.": 0.0,
    }
    diagnosis, value = min(mistakes.items(), key=lambda item: abs(found - item[1]))
    diagnosis = diagnosis if abs(found - value) <= 0.13 * value + 0.003 else SEE_HINT
    raise Wrong(f"you return {found:.3f} s; the median is {median:.3f} s: {diagnosis}")


# 7.3. A figure of one's own. `figures` is imported late: it loads Keras.


@cache
def _material():
    from lle_utils import figures

    return figures.Material("sample")


@check
def own_figure(function) -> str:
    """Check ``function(material)``: a figure of one's own and the record of what it shows.

    It returns a Figure and a list of `figures.Panel`, as the functions in `figures.FIGURES` do.
    What the figure is about is free. The record must be true, two runs must agree, words must be
    large enough, and the file small enough.
    """
    from lle_utils import figures

    made = []
    for _ in range(2):
        with _tidy():
            figure, panels = reading.two(ask(function, _material()), "figure, panels")
            is_list = isinstance(panels, list | tuple) and panels
            is_record = is_list and all(isinstance(panel, figures.Panel) for panel in panels)
            require(is_record, "a record was asked for: a list of material.panel(name, ...).")
            require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
            # Encoded before it is drawn: layouts settle by drawing.
            made.append((figures.encode(figure, "mine.jpg"), list(panels)))
            _require_readable(figure)
    wrong = figures.compare([vars(panel) for panel in panels], [*map(_described_again, panels)])
    told = "the record is not true. Describe the picture that you draw, before you crop or shrink "
    require(not wrong, f"{told}it. What it says, and what is so: {'; '.join(wrong[:1])}.")
    shows_network = any(panel.method in _material().models for panel in panels)
    require(shows_network, "no panel shows what a network made: use material.steps(name, ...).")
    size = len(made[0][0])
    require(size <= figures.MAX_BYTES, f"it has {size} bytes; the limit is {figures.MAX_BYTES}.")
    require(
        made[0] == made[1],
        "called again, it returns a different record or draws different pixels. Fix the seed of "
        "all random numbers, and make a new figure in each call.",
    )
    named = sorted({panel.picture for panel in panels})
    return f"{len(panels)} panels, of {', '.join(named)}: true, readable, and the same twice."


def _described_again(panel):
    """Return the panel that a network makes of its picture; believe one of another method."""
    material, (name, method, count) = _material(), (panel.picture, panel.method, panel.iterations)
    require(name in material.pairs.names, f"{name!r} is not one of the held-out pictures.")
    if method not in material.models:
        return panel
    is_count = isinstance(count, int | np.integer) and 1 <= count <= 50
    require(is_count, f"the panel of {name}, {method}, does not say after how many iterations.")
    step = material.steps(name, count, method)[-1]
    shown_map = None if panel.mean_map is None else step.parameter_map
    return material.panel(name, method, step.image, count, shown_map)


def _require_readable(figure: Figure) -> None:
    """See whether all words that are seen are large enough."""
    figure.canvas.draw()  # which gives ticks their labels
    off = [axis for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    hidden = {text for axis in off for text in axis.findobj(Text)}
    words = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
    words = [one for one in words if one not in hidden]
    require(words, "it has no text that says what is shown: give the pictures titles.")
    word = min(words, key=Text.get_fontsize)
    told = f"{word.get_text()[:20]!r} is set in {word.get_fontsize():.0f} points"
    is_large = word.get_fontsize() >= SMALLEST_TYPE
    require(is_large, f"{told}; use {SMALLEST_TYPE}: set fontsize, or labelsize for ticks.")
