"""Exercises of notebook 07, reproduce the figures."""

import statistics
import time
from functools import cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from lle_utils.checks import reading
from lle_utils.checks.engine import call, check, expect
from lle_utils.checks.reading import require

SMALLEST_TYPE = 12  # points


def _call_and_close(function, argument):
    """Call an answer, and close the figures that it opens: the notebook would show them later."""
    from matplotlib import pyplot as plt

    try:
        return call(function, argument)
    finally:
        plt.close("all")


@check
def draw_maps(function) -> str:
    """Check ``function(maps)``: a Figure of parameter maps side by side, which can be compared.

    `maps` is a list of arrays (height, width) in [0, 1]. All must share one color scale, which has
    a color bar, in colors whose lightness only rises or only falls.
    """
    noise = np.random.default_rng(9).uniform(-0.1, 0.1, (3, 30, 45))
    maps = noise + np.reshape([0.8, 0.45, 0.15], (3, 1, 1))
    figure = _call_and_close(function, list(maps))
    require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
    shown = [one for axes in figure.axes for one in (*axes.images, *axes.collections)]
    shown = [one for one in shown if np.size(one.get_array()) == maps[0].size]
    means = maps.mean(axis=(1, 2))
    drawn = [one for one in shown if np.isclose(np.mean(one.get_array()), means).any()]
    told = f"{len(drawn)} of {len(maps)} maps are found in the figure."
    require(len(drawn) == len(maps), f"{told} Draw each as it is: axis.imshow(one_map, ...).")
    low, high = drawn[0].get_clim()
    is_shared = np.allclose([one.get_clim() for one in drawn], (low, high))
    require(is_shared, "the maps do not share their limits. Give all the same vmin and vmax.")
    told = f"the limits are {low:g} to {high:g}. Take the smallest and largest value of all maps"
    require(low <= maps.min() and maps.max() <= high < 3, f"{told}, or 0 and 1.")
    colors = drawn[0].get_cmap()
    steps = np.diff(colors(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722])
    told = f"the lightness of {colors.name!r} goes up and down, so different values may look alike."
    require(min(steps.max(), -steps.min()) < 0.004, f"{told} Use viridis, cividis or gray.")
    has_bar = any(hasattr(axes, "_colorbar") for axes in figure.axes)
    require(has_bar, "without a color bar nobody knows what a color means: figure.colorbar(...).")
    return "A value has the same color in every map, and the bar says which."


@check
def median_seconds(function) -> str:
    """Check ``function(work, runs, warmup)``: the median time of a call, after a warm-up."""
    runs, warmup, taken = 3, 2, []

    def work():
        started = time.perf_counter()
        time.sleep((0.3, 0.3, 0.02, 0.3, 0.1)[len(taken) % 5])
        taken.append(time.perf_counter() - started)

    found = call(function, work, runs, warmup)
    told = f"with runs = {runs} and warmup = {warmup}, work was called {len(taken)} times."
    require(len(taken) == runs + warmup, f"{told} The warm-up is *added* to the runs.")
    timed = taken[warmup:]
    median = statistics.median(timed)
    mistakes = {
        "these are milliseconds. Seconds were asked for.": 1000 * median,
        "that is the median with the warm-up in it, which is slow.": statistics.median(taken),
        "that is the mean. One hiccup moves it; take the median.": statistics.mean(timed),
        "that is the fastest run.": min(timed),
    }
    expect("the median", found, median, mistakes, tolerance=0.015)
    return "You time each run, leave out the slow first calls, and a hiccup does no harm."


@cache
def _material():
    from lle_utils import figures  # late, as it loads Keras

    return figures.Material("sample")


@check
def own_figure(function) -> str:
    """Check ``function(material)``: a figure of one's own and the record of what it shows.

    It returns a Figure and a list of `figures.Panel`, as the functions in `figures.FIGURES` do.
    What the figure is about is free. The record must be true, two runs must agree, words must be
    large enough, and the file small enough.
    """
    from lle_utils import figures

    files, records = [], []
    for _ in range(2):
        result = _call_and_close(function, _material())
        figure, panels = reading.two(result, "figure, panels")
        require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
        files.append(figures.encode(figure, "mine.jpg"))
        records.append(panels)
    is_record = panels and all(isinstance(panel, figures.Panel) for panel in panels)
    require(is_record, "a record was asked for: a list of material.panel(name, ...).")
    wrong = figures.compare([*map(vars, panels)], [*map(_described_again, panels)])
    told = "the record is not true. Describe the picture that you draw, before you crop or shrink "
    require(not wrong, f"{told}it. What it says, and what is so: {'; '.join(wrong[:1])}.")
    told = "called again, it returns a different record or draws different pixels. Fix the seed of "
    cure = "all random numbers, and make a new figure in each call."
    require(files[0] == files[1] and records[0] == records[1], told + cure)
    size = len(files[0])
    require(size <= figures.MAX_BYTES, f"it has {size} bytes; the limit is {figures.MAX_BYTES}.")
    _require_readable(figure)
    named = sorted({panel.picture for panel in panels})
    return f"{len(panels)} panels, of {', '.join(named)}: true, readable, and the same twice."


def _described_again(panel):
    """Return the panel that a network makes of its picture; believe one of another method."""
    material, count = _material(), panel.iterations
    if panel.method not in material.models:
        return panel
    is_known = panel.picture in material.pairs.names and count in range(1, 51)
    told = f"{panel.picture!r} after {count} iterations: there is no such held-out picture."
    require(is_known, f"a panel shows {told}")
    step = material.steps(panel.picture, count, panel.method)[-1]
    shown_map = None if panel.mean_map is None else step.parameter_map
    return material.panel(panel.picture, panel.method, step.image, count, shown_map)


def _require_readable(figure: Figure) -> None:
    """See whether all words of a figure that was drawn are large enough, but for hidden axes."""
    off = [axis for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    hidden = {text for axis in off for text in axis.findobj(Text)}
    for text in figure.findobj(Text):
        is_seen = text.get_visible() and text.get_text().strip() and text not in hidden
        told = f"{text.get_text()[:20]!r} is set in {text.get_fontsize():.0f} points"
        cure = f"use {SMALLEST_TYPE}: set fontsize, or labelsize for ticks."
        require(not is_seen or text.get_fontsize() >= SMALLEST_TYPE, f"{told}; {cure}")
