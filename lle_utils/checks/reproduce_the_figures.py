"""Exercises of notebook 07, reproduce the figures."""

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from scipy import ndimage

from lle_utils.checks import reading
from lle_utils.checks.engine import Exercise, ask, check
from lle_utils.checks.reading import require

SMALLEST_TYPE = 12  # points


@contextmanager
def _tidy() -> Iterator[None]:
    """Close what an answer opens in pyplot, so that the notebook does not show it later."""
    from matplotlib import pyplot as plt

    before = set(plt.get_fignums())
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


# 7.1. Maps that can be compared


@check
def draw_maps(function) -> str:
    """Check ``function(maps)``: a Figure of parameter maps side by side, which can be compared.

    `maps` is a list of arrays (height, width) in [0, 1]. All must share one color scale, which has
    a color bar, in colors whose lightness only rises or only falls.
    """
    rng = np.random.default_rng(9)
    for means in ((0.8, 0.5, 0.15), (0.1, 0.3, 0.6, 0.7)):
        noise = ndimage.gaussian_filter(rng.uniform(-1, 1, (len(means), 30, 45)), (0, 2, 2))
        maps = [mean + 0.15 * one for mean, one in zip(means, noise, strict=True)]
        with _tidy():
            _require_comparable(ask(function, maps), maps)
    return "A value has the same color in every map, and the bar says which."


def _require_comparable(figure, maps: list[np.ndarray]) -> None:
    require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
    bars = [axes for axes in figure.axes if hasattr(axes, "_colorbar")]
    drawn = _drawn_maps([axes for axes in figure.axes if axes not in bars], maps)
    limits = [one.get_clim() for one in drawn]
    low, high = limits[0]
    told = f"the maps do not share their limits: the first has {low:.2f} to {high:.2f}."
    require(np.ptp(limits, axis=0).max() <= 1e-4, f"{told} Give all the same vmin and vmax.")
    values = np.concatenate([one.ravel() for one in maps])
    outside = np.mean((values < low - 1e-6) | (values > high + 1e-6))
    require(
        outside <= 0.02 and np.ptp(values) >= 0.3 * (high - low),
        f"the limits are {low:g} to {high:g}, and the maps span {values.min():.2f} to "
        f"{values.max():.2f}. Take the limits from all maps, or 0 and 1.",
    )
    names = {one.get_cmap().name for one in drawn}
    require(len(names) == 1, "the maps share their limits, but not their color map.")
    shades = drawn[0].get_cmap()(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(shades) * np.sign(shades[-1] - shades[0])
    told = f"the lightness of {names.pop()!r} goes up and down, so different values may look alike."
    is_clear = (steps > -0.004).all() and np.ptp(shades) >= 0.3
    require(is_clear, f"{told} Use viridis, cividis or gray.")
    require(bars, "without a color bar nobody knows what a color means: figure.colorbar(...).")


def _drawn_maps(places: list, maps: list[np.ndarray]) -> list:
    """Return what shows each map in these axes, or what shows all of them in one."""
    shown = [one for axes in places for one in (*axes.images, *axes.collections)]
    flat = [one for one in shown if np.ndim(one.get_array()) in (1, 2)]  # no photographs
    whole = [one for one in flat if _holds(one, np.ravel(maps))]
    if whole:
        return whole
    found = [one for wanted in maps for one in flat if _holds(one, wanted)]
    told = f"{len(found)} of {len(maps)} maps are found in the figure."
    require(len(found) == len(maps), f"{told} Draw each as it is: axis.imshow(one_map, ...).")
    return found


def _holds(drawn, values: np.ndarray) -> bool:
    ours, theirs = np.sort(np.ravel(drawn.get_array())), np.sort(values.ravel())
    return ours.shape == theirs.shape and np.allclose(ours, theirs, atol=1e-5)


# 7.2. Two files


def _file(codes: np.ndarray, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.uint8(codes)).save(content, kind, **options)
    return content.getvalue()


@cache
def _pairs_of_files() -> list[tuple[bytes, bytes, float]]:
    """Return pairs of files that agree or not at a number of decibels, and that number."""
    rng = np.random.default_rng(2)
    smooth = ndimage.gaussian_filter(rng.uniform(-1, 1, (60, 90, 3)), (6, 6, 0))
    codes = np.clip(120 + 60 * smooth / smooth.std(), 20, 220).astype(np.uint8)
    spoiled = codes.astype(int)
    spoiled[20:40, 30:60] = np.clip(spoiled[20:40, 30:60] + 90, 0, 255)
    good, better = (_file(codes, "JPEG", quality=q, subsampling=0) for q in (92, 97))
    png, redder = _file(codes), _file(codes + [12, 0, 0])  # 31.3 dB over all three channels
    brighter, small = _file(codes + 16), _file(Image.fromarray(codes).resize((45, 30)))  # 24 dB
    beside_png = [(png, 60), (_file(codes, compress_level=0), 90), (brighter, 35), (brighter, 20)]
    beside_png += [(_file(spoiled), 35), (redder, 33), (redder, 30), (small, 25)]
    beside_png += [(_file(codes.swapaxes(0, 1)), 35)]
    lying, standing = (_file(np.full((*size, 3), 90)) for size in ((12, 18), (18, 12)))
    others = [(good, better, 35), (small, png, 25), (lying, standing, 35)]
    return [(png, *one) for one in beside_png] + others


def _agreeing(average=np.mean, kind=float, if_equal=True, resizes=False, mode="RGB"):
    """Return an answer that takes a PSNR in some way."""

    def agree(first, second, decibels):
        ours, theirs = (Image.open(io.BytesIO(one)).convert(mode) for one in (first, second))
        if ours.size != theirs.size and not resizes:
            return False
        ours, theirs = np.asarray(ours, kind), np.asarray(theirs.resize(ours.size), kind)
        error = average((ours - theirs) ** 2)
        return if_equal if error == 0 else 10 * np.log10(255**2 / error) >= decibels

    return agree


def _cut_to_agree(first, second, decibels):
    both = [np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in (first, second)]
    rows, columns = np.min([one.shape[:2] for one in both], axis=0)
    return _agreeing()(*(_file(one[:rows, :columns]) for one in both), decibels)


agree = Exercise(
    "``function(first, second, decibels)``: whether two image files show the same picture.",
    read=reading.truth,
    probes=_pairs_of_files,
    right=_agreeing(),
    mistakes={
        "compare pictures, not bytes: decode both.": lambda first, second, decibels: (
            first == second
        ),
        "in uint8, 16 squared is 0: convert to floats first.": _agreeing(kind=np.uint8),
        "if nothing differs, the error is 0, which has no logarithm.": _agreeing(if_equal=False),
        "pictures of different sizes are not the same. Do not resize one.": _agreeing(resizes=True),
        "12 x 18 pixels are not 18 x 12: compare width and height first.": _cut_to_agree,
        "you compare in gray, which hides a change of color.": _agreeing(mode="L"),
    },
    praise="What counts is how far apart the pictures are, not their bytes.",
)

# 7.3. Seconds


class _Sleeper:
    """A function that takes known times, slow at first, and writes down how long it took."""

    def __init__(self, plan: list[float]):
        self.plan, self.taken = plan, []

    def __call__(self):
        started = time.perf_counter()
        time.sleep(self.plan[min(len(self.taken), len(self.plan) - 1)])
        self.taken.append(time.perf_counter() - started)


@check
def median_seconds(function) -> str:
    """Check ``function(work, runs, warmup)``: the median time of a call, after a warm-up."""
    for plan, runs, warmup in (
        ([0.12, 0.12, 0.12, 0.03, 0.02, 0.07, 0.13, 0.02], 5, 3),
        ([0.02, 0.05, 0.03, 0.12], 4, 0),
        ([0.09, 0.03, 0.01, 0.06], 3, 1),
    ):
        for attempt in range(4):  # another process may get in between once, but not always
            work = _Sleeper(plan)
            found = reading.number(ask(function, work, runs, warmup), "the median")
            calls, median = len(work.taken), statistics.median(work.taken[warmup:] or [0])
            told = f"with runs = {runs} and warmup = {warmup}, work was called {calls} times."
            require(calls == runs + warmup, f"{told} The warm-up is *added* to the runs.")
            apart = abs(found - median) / median
            if apart <= 0.13:
                break
            is_sure = attempt == 3 or (attempt == 1 and apart > 0.6)
            require(not is_sure, _time_in_words(found, work.taken, warmup))
    return "You time each run, leave out the slow first calls, and one hiccup moves no median."


def _time_in_words(found: float, taken: list[float], warmup: int) -> str:
    timed = taken[warmup:]
    mistakes = {
        "milliseconds? Seconds were asked for.": 1000 * statistics.median(timed),
        "that is the median with the warm-up in it, which is slow.": statistics.median(taken),
        "that is the mean. One hiccup moves it; take the median.": statistics.mean(timed),
        "that is the sum of all runs.": sum(timed),
        "that is the fastest run.": min(timed),
        "process_time counts only while this process computes: use time.perf_counter.": 0.0,
    }
    diagnosis, value = min(mistakes.items(), key=lambda item: abs(found - item[1]))
    told = f"You return {found:.3f} s; the median is {statistics.median(timed):.3f} s."
    return f"{diagnosis} {told}" if abs(found - value) <= 0.2 * value + 0.005 else told


# 7.4. A figure of one's own. `figures` is imported late: it loads Keras.


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

    files, records = [], []
    for _ in range(2):
        with _tidy():
            figure, panels = reading.two(ask(function, _material()), "figure, panels")
            is_list = isinstance(panels, list | tuple) and panels
            is_record = is_list and all(isinstance(panel, figures.Panel) for panel in panels)
            require(is_record, "a record was asked for: a list of material.panel(name, ...).")
            require(isinstance(figure, Figure), "a matplotlib Figure was asked for.")
            # Encoded before it is drawn: layouts settle by drawing.
            files.append(figures.encode(figure, "mine.jpg"))
            records.append([vars(panel) for panel in panels])
            _require_true(panels)
            _require_readable(figure)
    size = len(files[0])
    require(size <= figures.MAX_BYTES, f"it has {size} bytes; the limit is {figures.MAX_BYTES}.")
    require(
        not figures.compare(records[0], panels) and files[0] == files[1],
        "called again, it returns a different record or draws different pixels. Fix the seed of "
        "all random numbers, and make a new figure in each call.",
    )
    named = sorted({panel.picture for panel in panels})
    return f"{len(panels)} panels, of {', '.join(named)}: true, readable, and the same twice."


def _require_true(panels: list) -> None:
    """Hold panels to what their method makes of their picture."""
    material = _material()
    for panel in panels:
        place, count = f"{panel.picture}, {panel.method}", panel.iterations
        known = panel.picture in material.pairs.names
        require(known, f"{panel.picture!r} is not one of the held-out pictures.")
        picture, step_map = material.pair(panel.picture).low, None
        if panel.method in material.models:
            is_count = isinstance(count, int | np.integer) and 1 <= count <= 50
            require(is_count, f"the panel of {place}, does not say after how many iterations.")
            step = material.steps(panel.picture, int(count), panel.method)[-1]
            picture, step_map = step.image, step.parameter_map
        elif panel.method != material.untouched:  # a method of one's own; a reference has inf dB
            require(not np.isnan(panel.psnr), f"the panel of {place}, does not hold numbers.")
            continue
        true = material.panel(panel.picture, panel.method, picture, count, step_map)
        for what, room in (("mean_code", 0.5), ("psnr", 0.05), ("mean_map", 0.005)):
            told, fact = getattr(panel, what), getattr(true, what)
            require(
                told is None or (fact is not None and abs(told - fact) <= room),
                f"the record says {what} {told} of {place}, iterations {count}; it is {fact}. "
                "Describe the picture that you draw, before you crop or shrink it.",
            )
    shows_network = any(panel.method in material.models for panel in panels)
    require(shows_network, "no panel shows what a network made: use material.steps(name, ...).")


def _require_readable(figure: Figure) -> None:
    """See whether something is drawn, and whether all words that are seen are large enough."""
    require(any(axes.has_data() for axes in figure.axes), "the figure is empty.")
    figure.canvas.draw()  # which gives ticks their labels
    off = [axis for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    hidden = {text for axis in off for text in axis.findobj(Text)}
    words = [one for one in figure.findobj(Text) if one.get_visible() and one not in hidden]
    words = [one for one in words if one.get_text().strip()]
    require(words, "it has no text that says what is shown: give the pictures titles.")
    word = min(words, key=Text.get_fontsize)
    told = f"{word.get_text()[:20]!r} is set in {word.get_fontsize():.0f} points"
    is_large = word.get_fontsize() >= SMALLEST_TYPE
    require(is_large, f"{told}; use {SMALLEST_TYPE}: set fontsize, or labelsize for ticks.")
