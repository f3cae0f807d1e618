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

from lle_utils.checks.engine import Exercise, Function, Wrong, ask, check, numbers, returned_truth

SMALLEST_TYPE = 12  # points


def _figures():
    """Import the figures' module late: it loads Keras, which the other notebooks' checks do not."""
    from lle_utils import figures

    return figures


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
    if not isinstance(value, Figure):
        raise Wrong(
            "a matplotlib Figure was asked for: make one by plt.subplots, and return it at the "
            f"end. This is of the type {type(value).__name__}."
        )
    return value


def _mappables(figure: Figure) -> list:
    """Return what a figure draws through a color map, other than in color bars."""
    found = []
    for axes in figure.axes:
        if not _is_color_bar(axes):
            found += [
                one
                for one in (*axes.images, *axes.collections)
                if one.get_array() is not None and not _is_rgb(one)
            ]
    return found


def _is_color_bar(axes) -> bool:
    return axes.get_label() == "<colorbar>" or getattr(axes, "_colorbar", None) is not None


def _is_rgb(drawn) -> bool:
    return np.ndim(drawn.get_array()) == 3


def _holds(drawn, parameter_map: np.ndarray) -> bool:
    values = np.asarray(drawn.get_array(), float)
    if values.size != parameter_map.size:
        return False
    ours, theirs = np.sort(values.ravel()), np.sort(parameter_map.ravel())
    return np.allclose(ours, theirs, atol=1e-5)


@check
def draw_maps(function) -> str:
    """Check ``function(maps)``: a Figure of parameter maps side by side, which can be compared.

    `maps` is a list of arrays (height, width) in [0, 1]. All must share one color scale, which has
    a color bar, in colors whose lightness only rises or only falls.
    """
    rng = np.random.default_rng(9)
    for means in ((0.8, 0.5, 0.15), (0.1, 0.3, 0.6, 0.7)):
        maps = [
            mean + 0.15 * ndimage.gaussian_filter(rng.uniform(-1, 1, (30, 45)), 2) for mean in means
        ]
        with _tidy():
            _judge_maps(_figure(ask(function, [one.copy() for one in maps])), maps)
    return "One value, one color, in every map; and the bar says which."


def _judge_maps(figure: Figure, maps: list[np.ndarray]) -> None:
    drawn = _mappables(figure)
    together = np.concatenate([one.ravel() for one in maps])
    if len(drawn) == 1 and _holds(drawn[0], together):
        drawn = drawn * len(maps)  # all in one picture: one scale by nature
    else:
        places = [[one for one in drawn if _holds(one, wanted)] for wanted in maps]
        if not all(places):
            missing = [n for n, place in enumerate(places, 1) if not place]
            seen = "none" if len(missing) == len(maps) else f"not number {missing[0]}"
            raise Wrong(
                f"of {len(maps)} maps {seen} is found in the figure. Draw each as it is, with its "
                "own values: axis.imshow(one_map, ...)."
            )
        drawn = [place[0] for place in places]
    limits = [tuple(round(float(end), 4) for end in one.get_clim()) for one in drawn]
    if len(set(limits)) > 1:
        if all(
            abs(low - one.min()) + abs(high - one.max()) < 0.01
            for (low, high), one in zip(limits, maps, strict=True)
        ):
            raise Wrong(
                "each map has its own limits, from its own least to its own largest value. So "
                f"{limits[0][1]:.2f} in the first map is as bright as {limits[-1][1]:.2f} in the "
                "last, and nobody can see which map is stronger. Give all the same vmin and vmax."
            )
        raise Wrong(f"the maps do not share their limits: they are {limits}.")
    low, high = limits[0]
    outside = float(np.mean((together < low - 1e-6) | (together > high + 1e-6)))
    if outside > 0.02:
        raise Wrong(
            f"all share the limits {low:.2f} to {high:.2f}, but {100 * outside:.0f} % of the "
            "values lie outside and look alike: take the limits from all maps, or 0 and 1."
        )
    if np.ptp(together) < 0.3 * (high - low):
        raise Wrong(
            f"all share the limits {low:g} to {high:g}, but the maps span only "
            f"{together.min():.2f} to {together.max():.2f}, so all look alike. A map lies in "
            "[0, 1]: let the limits fit it."
        )
    if len({one.get_cmap().name for one in drawn}) > 1:
        raise Wrong("the maps share their limits, but not their colors: one color map for all.")
    shades = drawn[0].get_cmap()(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(shades)
    if not ((steps > -0.004).all() or (steps < 0.004).all()) or np.ptp(shades) < 0.3:
        raise Wrong(
            f"the lightness of {drawn[0].get_cmap().name!r} goes up and down, so that in gray, or "
            "to color-blind eyes, unlike values look alike. Use viridis, cividis or gray."
        )
    if not any(map(_is_color_bar, figure.axes)):
        raise Wrong("without a color bar nobody knows what a color means: figure.colorbar(...).")


def _file(codes: np.ndarray, kind: str, **options) -> bytes:
    content = io.BytesIO()
    Image.fromarray(codes).save(content, kind, **options)
    return content.getvalue()


@cache
def _pairs_of_files() -> list[tuple[bytes, bytes, float]]:
    """Return pairs of files that agree or not at a number of decibels, and that number."""
    rng = np.random.default_rng(2)
    smooth = ndimage.gaussian_filter(rng.uniform(-1, 1, (60, 90, 3)), (6, 6, 0))
    codes = np.clip(120 + 60 * smooth / smooth.std(), 20, 220).astype(np.uint8)
    moved = codes.copy()
    moved[20:40, 30:60] = np.clip(codes[20:40, 30:60].astype(int) + 90, 0, 255).astype(np.uint8)
    half = np.asarray(Image.fromarray(codes).resize((45, 30)))
    png, packed_less = _file(codes, "PNG"), _file(codes, "PNG", compress_level=0)
    good, better = (_file(codes, "JPEG", quality=q, subsampling=0) for q in (92, 97))
    brighter, redder, spoiled, turned, small = (
        _file(changed, "PNG")
        for changed in (
            codes + np.uint8(16),  # 24 dB
            codes + np.array([12, 0, 0], np.uint8),  # 31.3 dB over all three channels
            moved,
            codes.swapaxes(0, 1).copy(),
            half,
        )
    )
    return [
        (good, better, 35),
        (png, png, 60),
        (png, good, 35),
        (png, packed_less, 90),
        (png, brighter, 35),
        (png, brighter, 20),
        (png, spoiled, 35),
        (png, redder, 33),
        (png, redder, 30),
        (png, turned, 35),
        (png, small, 25),
        (small, png, 25),
    ]


def _opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def _agreeing(average=np.mean, kind=float, if_equal=True, opened=_opened):
    """Return an answer that takes a PSNR in some way."""

    def agree(first, second, decibels):
        ours, theirs = opened(first), opened(second)
        if ours.shape != theirs.shape:
            return False
        error = average((ours.astype(kind) - theirs.astype(kind)) ** 2)
        return if_equal if error == 0 else 10 * np.log10(255**2 / error) >= decibels

    return agree


def _resizing(first, second, decibels):
    ours = Image.fromarray(_opened(first))
    theirs = Image.fromarray(_opened(second)).resize(ours.size)
    error = np.mean((np.asarray(ours, float) - np.asarray(theirs, float)) ** 2)
    return error <= 255**2 / 10 ** (decibels / 10)


agree = Exercise(
    "``function(first, second, decibels)``: whether two image files show the same picture.",
    Function(
        observe=returned_truth,
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
                _resizing
            ),
            "a median ignores a changed part that is smaller than half. Take the mean.": (
                _agreeing(average=np.median)
            ),
            "that is gray, which hides a change of color. Compare all three channels.": (
                _agreeing(opened=lambda content: _opened(content).astype(float).mean(axis=-1))
            ),
        },
        hint="Decode both files, compare the sizes, then the PSNR over all values, in floats.",
    ),
    praise="Neither bytes nor single codes decide, but how far apart the pictures are.",
)


class _Sleeper:
    """A function that takes known times, slow at first, and writes down how long it took."""

    def __init__(self, seconds: list[float]):
        self.plan, self.taken = seconds, []

    def __call__(self):
        started = time.perf_counter()
        time.sleep(self.plan[min(len(self.taken), len(self.plan) - 1)])
        self.taken.append(time.perf_counter() - started)


@check
def median_seconds(function) -> str:
    """Check ``function(work, runs, warmup)``: how many seconds a call of ``work()`` takes.

    After `warmup` calls that do not count it times `runs` calls, each by itself, and returns their
    median.
    """
    cases = [
        ([0.12, 0.12, 0.12, 0.03, 0.02, 0.07, 0.13, 0.02], 5, 3),
        ([0.02, 0.05, 0.03, 0.12], 4, 0),
        ([0.09, 0.03, 0.01, 0.06], 3, 1),
    ]
    for plan, runs, warmup in cases:
        for attempt in range(4):  # another process may get in between once, but not always
            work = _Sleeper(plan)
            found = numbers(ask(function, work, runs, warmup), "the seconds")
            calls = len(work.taken)
            if calls != runs + warmup:
                raise Wrong(_calls_in_words(calls, runs, warmup))
            if found.size != 1:
                raise Wrong("one number was asked for: the median of the timed calls.")
            right = statistics.median(work.taken[warmup:])
            apart = abs(found.item() - right) / right
            if apart <= 0.13:
                break
            if attempt == 3 or (attempt == 1 and apart > 0.6):
                raise Wrong(_time_in_words(found.item(), work.taken, warmup))
    return "Each run by itself, the slow first calls left out, and one hiccup moves no median."


def _calls_in_words(calls: int, runs: int, warmup: int) -> str:
    told = f"with runs = {runs} and warmup = {warmup}, work was called {calls} times"
    if calls == runs:
        return f"{told}: the warm-up must be *added* to the runs, so {runs + warmup}."
    if calls == runs + warmup + 1:
        return f"{told}, one too many. Is one of them in vain?"
    return f"{told} and not {runs + warmup}."


def _time_in_words(found: float, taken: list[float], warmup: int) -> str:
    timed = taken[warmup:]
    median = statistics.median(timed)
    told = f"You return {found:.3f} s, and the median of the timed runs is {median:.3f} s."
    mistakes = {
        "milliseconds? Seconds were asked for.": 1000 * median,
        "that is the median with the warm-up in it, which is slow for reasons of its own.": (
            statistics.median(taken)
        ),
        "that is the mean. One hiccup of the machine moves it; take the median.": (
            statistics.mean(timed)
        ),
        "that is all runs together.": sum(timed),
        "that is the fastest run. It says what the machine can do at best.": min(timed),
        "you took the run in the middle of the list. Sort the times first.": (
            timed[len(timed) // 2]
        ),
        "the number of runs is even: the median is the mean of the middle two.": (
            sorted(timed)[len(timed) // 2]
        ),
        "next to nothing: process_time counts only while this process computes. A person waits by "
        "the clock on the wall: time.perf_counter.": 0.0,
    }
    diagnosis, value = min(mistakes.items(), key=lambda item: abs(found - item[1]))
    return f"{diagnosis} {told}" if abs(found - value) <= 0.2 * value + 0.005 else told


@cache
def _material():
    return _figures().Material("sample")


@check
def own_figure(function) -> str:
    """Check ``function(material)``: a figure of one's own and the record of what it shows.

    It returns a Figure and a list of `figures.Panel`, as the functions in `figures.FIGURES` do.
    What the figure is about is free. The record must be true, two runs must agree, words must be
    large enough, and the file small enough.
    """
    figures, material = _figures(), _material()
    with _tidy():
        figure, panels = _two_parts(ask(function, material))
        _judge_record(material, panels)
        first = figures.encode(figure, "mine.jpg")  # before it is drawn: layouts settle by drawing
        _judge_type(figure)
    if len(first) > figures.MAX_BYTES:
        raise Wrong(f"as a JPEG it has {len(first)} bytes; more than {figures.MAX_BYTES} is heavy.")
    with _tidy():
        again, panels_again = _two_parts(ask(function, material))
        if figures.compare([vars(panel) for panel in panels], panels_again):
            raise Wrong("called again it returns another record. What is random in it? Fix a seed.")
        if figures.encode(again, "mine.jpg") != first:
            raise Wrong(
                "called again it draws other pixels. What is random, or left over from the first "
                "call? Fix the seed, and make a new figure in each call."
            )
    named = sorted({panel.picture for panel in panels})
    return f"{len(panels)} panels, of {', '.join(named)}: true, readable, and the same twice."


def _two_parts(result) -> tuple[Figure, list]:
    try:
        figure, panels = result
    except (TypeError, ValueError):
        raise Wrong("two things were asked for: return figure, panels.") from None
    figure = _figure(figure)
    if not any(axes.has_data() for axes in figure.axes):
        raise Wrong("the figure is empty: nothing is drawn in it.")
    try:
        panels = list(panels)
    except TypeError:
        panels = []
    if not panels or not all(isinstance(panel, _figures().Panel) for panel in panels):
        raise Wrong(
            "without a record nobody can hold the figure to its code: return a list of panels, "
            "made by material.panel(name, method, picture, ...)."
        )
    return figure, panels


def _judge_record(material, panels: list) -> None:
    known = set(material.pairs.names)
    for panel in panels:
        if panel.picture not in known:
            raise Wrong(
                f"{panel.picture!r} is not one of the held-out pictures. A figure of training "
                "pictures flatters the network."
            )
        method, count = panel.method, panel.iterations
        if method in material.models:
            if not isinstance(count, int | np.integer) or not 1 <= count <= 50:
                raise Wrong(
                    f"the panel of {panel.picture}, {method}, does not say after how many "
                    "iterations (1 to 50): pass iterations to material.panel."
                )
            step = material.steps(panel.picture, int(count), method)[-1]
            true = material.panel(panel.picture, method, step.image, count, step.parameter_map)
        elif method == material.untouched:
            true = material.panel(panel.picture, method, material.pair(panel.picture).low)
        else:
            # The reference itself has infinite decibels.
            if not isinstance(method, str) or np.isnan(panel.mean_code + panel.psnr):
                raise Wrong(f"the panel of {panel.picture}, {method}, does not hold numbers.")
            continue
        for what, room in (("mean_code", 0.5), ("psnr", 0.05), ("mean_map", 0.005)):
            told, fact = getattr(panel, what), getattr(true, what)
            if what == "mean_map" and told is None:
                continue
            if fact is None or abs(told - fact) > room:
                after = f" after {count} iterations" if count else ""
                raise Wrong(
                    f"the record says {what} {told} of {panel.picture}, {method}{after}; it is "
                    f"{fact}. Describe the picture that you draw, before you crop or shrink it."
                )
    if not any(panel.method in material.models for panel in panels):
        raise Wrong(
            "no panel shows what a network made. Use material.steps(name, iterations, weights), "
            f"with weights one of {', '.join(material.models)}."
        )


def _judge_type(figure: Figure) -> None:
    figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        if not (axes.axison and axes.get_visible()):
            hidden |= {id(one) for axis in (axes.xaxis, axes.yaxis) for one in axis.findobj(Text)}
        if not axes.get_visible():
            hidden |= {id(one) for one in axes.findobj(Text)}
    words = [
        one
        for one in figure.findobj(Text)
        if one.get_text().strip() and one.get_visible() and id(one) not in hidden
    ]
    if not words:
        raise Wrong("no word in it says what is shown: give the pictures titles.")
    small = min(words, key=lambda one: one.get_fontsize())
    if small.get_fontsize() < SMALLEST_TYPE:
        raise Wrong(
            f"{small.get_text()[:20]!r} is set in {small.get_fontsize():.0f} points, and "
            f"{SMALLEST_TYPE} can be read on a page: set fontsize, or labelsize for ticks."
        )
