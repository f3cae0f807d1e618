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

from lle_utils.checks.engine import Exercise, Wrong, ask, check, number, require, truth, two

SMALLEST_TYPE = 12  # points


@contextmanager
def _tidy() -> Iterator[None]:
    """Close what an answer opens in pyplot, lest the notebook show it after the verdict."""
    from matplotlib import pyplot as plt

    before = set(plt.get_fignums())
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _figure(value) -> Figure:
    is_figure = isinstance(value, Figure)
    require(is_figure, f"a matplotlib Figure was asked for, and this is a {type(value).__name__}.")
    return value


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
            _require_comparable(_figure(ask(function, maps)), maps)
    return "One value, one color, in every map; and the bar says which."


def _require_comparable(figure: Figure, maps: list[np.ndarray]) -> None:
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    bars += [axes for axes in figure.axes if getattr(axes, "_colorbar", None) and axes not in bars]
    drawn = [one for axes in figure.axes if axes not in bars for one in _mappables(axes)]
    together = np.concatenate([one.ravel() for one in maps])
    if not (len(drawn) == 1 and _holds(drawn[0], together)):  # all in one: one scale by nature
        places = [[one for one in drawn if _holds(one, wanted)] for wanted in maps]
        count = sum(map(bool, places))
        require(
            count == len(maps),
            f"{count} of {len(maps)} maps are found in the figure. Draw each as it is, with its "
            "own values: axis.imshow(one_map, ...).",
        )
        drawn = [place[0] for place in places]
    (low, high), *others = [one.get_clim() for one in drawn]
    require(
        np.allclose(others, [(low, high)] * len(others), atol=1e-4),
        f"the maps do not share their limits: the first has {low:.2f} to {high:.2f}, so one color "
        "stands for different values. Give all the same vmin and vmax.",
    )
    outside = np.mean((together < low - 1e-6) | (together > high + 1e-6))
    require(
        outside <= 0.02 and np.ptp(together) >= 0.3 * (high - low),
        f"the limits are {low:g} to {high:g}, and the maps span {together.min():.2f} to "
        f"{together.max():.2f}, so that unlike values look alike. Take the limits from all maps, "
        "or 0 and 1.",
    )
    names = {one.get_cmap().name for one in drawn}
    require(len(names) == 1, "the maps share their limits, but not their color map.")
    shades = drawn[0].get_cmap()(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(shades) * np.sign(shades[-1] - shades[0])
    require(
        (steps > -0.004).all() and np.ptp(shades) >= 0.3,
        f"the lightness of {names.pop()!r} goes up and down, so that in gray, or to color-blind "
        "eyes, unlike values look alike. Use viridis, cividis or gray.",
    )
    require(bars, "without a color bar nobody knows what a color means: figure.colorbar(...).")


def _mappables(axes) -> list:
    """Return what axes show through a color map, which photographs are not."""
    values = [(one, one.get_array()) for one in (*axes.images, *axes.collections)]
    return [one for one, array in values if array is not None and array.ndim < 3]


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
    return [
        (good, better, 35),
        (png, png, 60),
        (png, _file(codes, compress_level=0), 90),
        (png, brighter, 35),
        (png, brighter, 20),
        (png, _file(spoiled), 35),
        (png, redder, 33),
        (png, redder, 30),
        (png, _file(codes.swapaxes(0, 1)), 35),
        (png, small, 25),
        (small, png, 25),
    ]


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


agree = Exercise(
    "``function(first, second, decibels)``: whether two image files show the same picture.",
    read=truth,
    probes=_pairs_of_files,
    right=_agreeing(),
    mistakes={
        "two files of one picture may differ in every byte. Decode both, and compare the "
        "pictures.": lambda first, second, decibels: first == second,
        "you subtract uint8, where 16 squared is 0, because 256 does not fit. Convert to "
        "floats first.": _agreeing(kind=np.uint8),
        "where nothing differs, the error is 0 and its logarithm must not get in the way.": (
            _agreeing(if_equal=False)
        ),
        "pictures of two sizes are not the same picture. Do not resize one: return False.": (
            _agreeing(resizes=True)
        ),
        "a median ignores a changed part. Take the mean.": _agreeing(average=np.median),
        "that is gray, which hides a change of color.": _agreeing(mode="L"),
    },
    praise="Neither bytes nor single codes decide, but how far apart the pictures are.",
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
            found = number(ask(function, work, runs, warmup), "the median of the timed calls")
            calls, median = len(work.taken), statistics.median(work.taken[warmup:] or [0])
            require(
                calls == runs + warmup,
                f"with runs = {runs} and warmup = {warmup}, work was called {calls} times. The "
                f"warm-up is *added* to the runs: {runs + warmup} calls.",
            )
            apart = abs(found - median) / median
            if apart <= 0.13:
                break
            if attempt == 3 or (attempt == 1 and apart > 0.6):
                raise Wrong(_time_in_words(found, work.taken, warmup))
    return "Each run by itself, the slow first calls left out, and one hiccup moves no median."


def _time_in_words(found: float, taken: list[float], warmup: int) -> str:
    timed = taken[warmup:]
    median = statistics.median(timed)
    mistakes = {
        "milliseconds? Seconds were asked for.": 1000 * median,
        "that is the median with the warm-up in it, which is slow.": statistics.median(taken),
        "that is the mean. One hiccup moves it; take the median.": statistics.mean(timed),
        "that is all runs together.": sum(timed),
        "that is the fastest run. It says what the machine can do at best.": min(timed),
        "that is the run in the middle of the list. Sort the times.": timed[len(timed) // 2],
        "next to nothing: process_time counts only while this process computes. A person waits by "
        "the clock on the wall: time.perf_counter.": 0.0,
    }
    diagnosis, value = min(mistakes.items(), key=lambda item: abs(found - item[1]))
    told = f"You return {found:.3f} s, and the median of the timed runs is {median:.3f} s."
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
            figure, panels = two(ask(function, _material()), "figure, panels")
            panels = list(panels) if np.iterable(panels) else []
            is_record = panels and all(isinstance(panel, figures.Panel) for panel in panels)
            require(
                is_record,
                "without a record nobody can hold the figure to its code: return a list of panels, "
                "made by material.panel(name, method, picture, ...).",
            )
            # Encoded before it is drawn: layouts settle by drawing.
            files.append(figures.encode(_figure(figure), "mine.jpg"))
            records.append([vars(panel) for panel in panels])
            _require_true(panels)
            _require_readable(figure)
    size = len(files[0])
    require(size <= figures.MAX_BYTES, f"it has {size} bytes; at most {figures.MAX_BYTES} will do.")
    require(
        not figures.compare(records[0], panels) and files[0] == files[1],
        "called again it returns another record, or draws other pixels. What is random, or left "
        "over from the first call? Fix the seed, and make a new figure in each call.",
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
            if told is not None and (fact is None or abs(told - fact) > room):
                after = f" after {count} iterations" if count else ""
                raise Wrong(
                    f"the record says {what} {told} of {place}{after}; it is {fact}. Describe the "
                    "picture that you draw, before you crop or shrink it."
                )
    require(
        any(panel.method in material.models for panel in panels),
        "no panel shows what a network made. Use material.steps(name, iterations, weights), "
        f"with weights one of {', '.join(material.models)}.",
    )


def _require_readable(figure: Figure) -> None:
    """See whether something is drawn, and whether all words that are seen are large enough."""
    require(any(axes.has_data() for axes in figure.axes), "the figure is empty.")
    figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        gone = [axes] if not axes.get_visible() else [] if axes.axison else [axes.xaxis, axes.yaxis]
        hidden |= {text for one in gone for text in one.findobj(Text)}
    words = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
    sizes = {one.get_text()[:20]: one.get_fontsize() for one in words if one not in hidden}
    require(sizes, "no word in it says what is shown: give the pictures titles.")
    word = min(sizes, key=sizes.get)
    require(
        sizes[word] >= SMALLEST_TYPE,
        f"{word!r} is set in {sizes[word]:.0f} points, and {SMALLEST_TYPE} can be read on a page: "
        "set fontsize, or labelsize for ticks.",
    )
