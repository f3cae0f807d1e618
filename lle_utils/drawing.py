"""Draw the figures: one function per figure, arrays in, a matplotlib Figure out.

Pictures are arrays (height, width, 3), RGB in [0, 1]; `untouched` is what to call the dark ones.

Nothing here touches pyplot, so that it needs no display and leaves no figure open.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from lle_utils import metrics
from lle_utils.curve import Iteration, brighten, recurse
from lle_utils.images import to_uint8

DPI = 110
MAP_COLORS = "viridis"
_WIDTH = 12.5  # inches of every figure
_LINES = ("-", "--", ":", "-.")
_STYLE = {"font.size": 14, "axes.titlesize": 14, "axes.labelsize": 14, "axes.titlepad": 5}


def styled(style: dict) -> Callable:
    """Let a function draw in its own style, whatever the caller's settings are."""

    def decorate(draw: Callable) -> Callable:
        @functools.wraps(draw)
        def drawn(*arguments, **options):
            with matplotlib.style.context(["default", style]):
                return draw(*arguments, **options)

        return drawn

    return decorate


@styled(_STYLE)
def hero(pairs: Sequence, untouched: str = "darkened", rows: int = 2) -> Figure:
    """Show dark pictures on the left of a slanted line and enhanced ones on its right.

    `pairs` are (dark, enhanced). Every row is as wide as the figure, whatever the shapes of its
    pictures.
    """
    gap = 0.07  # inches between pictures
    per_row = -(-len(pairs) // rows)
    lines = [pairs[start : start + per_row] for start in range(0, len(pairs), per_row)]
    heights = [
        (_WIDTH - gap * (len(line) - 1)) / sum(dark.shape[1] / dark.shape[0] for dark, _ in line)
        for line in lines
    ]
    total = sum(heights) + gap * (len(lines) - 1)
    figure = Figure((_WIDTH, total), dpi=DPI)
    bottom = total
    for line, height in zip(lines, heights, strict=True):
        bottom -= height
        left = 0.0
        for dark, bright in line:
            width = height * dark.shape[1] / dark.shape[0]
            axes = figure.add_axes((left / _WIDTH, bottom / total, width / _WIDTH, height / total))
            axes.imshow(split_slanted(dark, bright), aspect="auto")
            axes.set_axis_off()
            left += width + gap
        bottom -= gap
    first = figure.axes[0]
    for place, side, words in ((0.03, "left", untouched), (0.97, "right", "enhanced")):
        label = first.text(place, 0.05, words, ha=side, transform=first.transAxes)
        label.set(color="white", fontsize=16, weight="bold")
        label.set_bbox({"facecolor": "black", "alpha": 0.5, "edgecolor": "none", "pad": 5})
    return figure


def split_slanted(dark, bright) -> np.ndarray:
    """Join two pictures of one scene along a slanted white line."""
    height, width, _ = np.shape(dark)
    y, x = np.mgrid[:height, :width]
    offset = (x + 0.5) / width - 0.5 + 0.25 * ((y + 0.5) / height - 0.5)
    joined = np.where(offset[..., None] < 0, dark, bright)
    joined[np.abs(offset) < 0.003] = 1
    return joined.astype(np.float32)


@styled(_STYLE)
def iteration_by_iteration(
    image,
    steps: Sequence[Iteration],
    reference=None,
    kinds: Sequence[str] = (),
    untouched: str = "darkened",
) -> Figure:
    """Show the recursion: the dark picture, every map and every result.

    All maps share one color scale from 0 to 1. A map that is one number per channel is a flat
    color with these numbers on it. `kinds` say what each map does; see `inference.map_kinds`.
    """
    columns = 4
    blocks = -(-len(steps) // columns)
    cell = _WIDTH / (columns + 1.25) * image.shape[0] / image.shape[1]
    height = blocks * (2 * cell + (1.1 if kinds else 0.8))
    figure = Figure((_WIDTH, height), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2 * blocks, columns + 1)
    beside = [(f"E₀, {untouched}", image), ("reference", reference)]
    for block, (title, picture) in enumerate(beside[: blocks if reference is not None else 1]):
        axes = figure.add_subplot(grid[2 * block : 2 * block + 2, 0])
        _show(axes, picture, title, below=_brightness(picture))
    for index, step in enumerate(steps):
        row, column = 2 * (index // columns), 1 + index % columns
        axes = figure.add_subplot(grid[row, column])
        shown = _show_map(axes, step.parameter_map, index + 1, *kinds[index : index + 1])
        axes = figure.add_subplot(grid[row + 1, column])
        _show(axes, step.image, f"E{_subscript(index + 1)}, {_brightness(step.image)}")
    bar = figure.colorbar(shown, ax=figure.axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("parameter map M (mean of its channels)")
    return figure


@styled(_STYLE)
def comparison(panels: Sequence[tuple[str, np.ndarray, str]], columns: int = 4) -> Figure:
    """Show panels (title above, picture, text below) in rows; those of a column have one shape."""
    rows = -(-len(panels) // columns)
    aspects = [picture.shape[1] / picture.shape[0] for _, picture, _ in panels[:columns]]
    text = 0.7 if any(below for _, _, below in panels) else 0.4
    figure = Figure((_WIDTH, rows * (_WIDTH / sum(aspects) + text)), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows, columns, width_ratios=aspects)
    for index, (title, picture, below) in enumerate(panels):
        _show(figure.add_subplot(grid[index // columns, index % columns]), picture, title, below)
    return figure


def examples(rows: Sequence[tuple[int, np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """Show pictures enhanced by as many iterations as their darkness asks for.

    `rows` are (iterations, dark, enhanced, reference), each shown as a column.
    """
    dark = [(f"mean code {255 * dark.mean():.1f}", dark, "") for _, dark, _, _ in rows]
    enhanced = [(f"after {n} iterations", enhanced, "") for n, _, enhanced, _ in rows]
    well_lit = [("reference", reference, "") for _, _, _, reference in rows]
    return comparison([*dark, *enhanced, *well_lit], columns=len(rows))


@styled(_STYLE)
def curve_family() -> Figure:
    """Draw the brightening curve for several constants m and numbers of iterations n."""
    figure = Figure((_WIDTH, 4.7), dpi=DPI, layout="constrained")
    one, many, same = figure.subplots(1, 3, sharey=True)
    x = np.linspace(0, 1, 201)
    _curves(one, x, [(f"m = {m:g}", brighten(x, m)) for m in (0, 0.25, 0.5, 0.75, 1)])
    one.set(title="one iteration, several m", ylabel="value after")
    _curves(many, x, [(f"n = {n}", bend(x, 0.38, n)) for n in (0, 1, 2, 4, 8, 12)])
    many.set_title("m = 0.38, n iterations")
    alike = [(4, 0.81), (8, 0.38), (12, 0.245)]
    _curves(same, x, [(f"n = {n}, m = {m:g}", bend(x, m, n)) for n, m in alike])
    same.set_title("many small or few large")
    return figure


def bend(x, m: float, iterations: int):
    """Apply the curve with one constant `iterations` times to values in [0, 1]."""
    return recurse(x, lambda image, step: m, iterations)


@styled(_STYLE)
def two_objectives(
    image,
    reference,
    runs: Sequence[tuple[str, Sequence[Iteration]]],
    shown: Sequence[int],
    untouched: str = "darkened",
) -> Figure:
    """Show what the maps and the results become under two training objectives.

    `runs` are (title, steps), a run for each objective; `shown` says which iterations to show,
    counted from 1.
    """
    columns = len(shown) + 1
    cell = _WIDTH / (columns + 0.4) * image.shape[0] / image.shape[1]
    figure = Figure((_WIDTH, len(runs) * (2 * cell + 1.1)), dpi=DPI, layout="constrained")
    parts = figure.subfigures(len(runs), 1, hspace=0.02)
    start = metrics.psnr(to_uint8(image), to_uint8(reference))
    beside = [(f"{untouched}, {start:.1f} dB", image), ("reference", reference)]
    for part, (title, steps) in zip(np.atleast_1d(parts), runs, strict=True):
        part.suptitle(title, weight="bold", fontsize=15)
        axes = part.subplots(2, columns)
        for row, (name, picture) in enumerate(beside):
            _show(axes[row, 0], picture, name)
        for column, n in enumerate(shown, 1):
            step = steps[n - 1]
            drawn = _show_map(axes[0, column], step.parameter_map, n)
            decibels = metrics.psnr(to_uint8(step.image), to_uint8(reference))
            _show(axes[1, column], step.image, f"E{_subscript(n)}, {decibels:.1f} dB")
        bar = part.colorbar(drawn, ax=list(axes.flat), shrink=0.7, aspect=25, pad=0.01)
        bar.set_label("M (mean of channels)")
    return figure


@styled(_STYLE)
def success(curves: Mapping[str, Mapping[str, Sequence]]) -> Figure:
    """Draw how often detectors are right against how dark the scene is, one panel per detector.

    `curves` has, by detector and method, points (stops, share, low, high), the last two the ends
    of an interval.
    """
    columns = min(3, len(curves) + 1)
    rows = -(-(len(curves) + 1) // columns)
    figure = Figure((_WIDTH, 3.5 * rows), dpi=DPI, layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (detector, lines) in zip(places, curves.items(), strict=False):
        draw_success(axes, lines)
        axes.set_title(detector)
        axes.tick_params(labelbottom=True)
    for axes in places[len(curves) :]:
        axes.set_axis_off()
    lines, names = places[0].get_legend_handles_labels()
    places[len(curves)].legend(lines, names, loc="center", fontsize=13, frameon=False)
    figure.supxlabel("stops too dark", fontsize=14)
    figure.supylabel("share of right answers", fontsize=14)
    return figure


def draw_success(axes, lines: Mapping[str, Sequence], linewidth: float = 2.2) -> None:
    """Draw one panel of `success`: a curve per method, with its band."""
    colors = matplotlib.colormaps["tab10"](np.arange(10))
    for index, (name, points) in enumerate(lines.items()):
        stops, share, low, high = np.transpose(points)
        look = {"color": colors[index % 10], "ls": _LINES[index % 4], "lw": linewidth}
        if name in STRONG:
            look |= {"color": STRONG[name], "ls": "-", "lw": 1.7 * linewidth}
        axes.plot(stops, share, label=name, **look)
        axes.fill_between(stops, low, high, color=look["color"], alpha=0.09, lw=0)
    axes.set(ylim=(-0.03, 1.03), xticks=sorted(stops))
    axes.grid(alpha=0.3)


STRONG = {"untouched": "black", "ours": "#0072b2", "ours, for vision": "#d55e00"}
"""The methods that `success` draws in heavy lines, with their colors."""


def _show(axes, picture, title: str, below: str = "") -> None:
    axes.imshow(np.clip(picture, 0, 1), interpolation="antialiased")
    axes.set(title=title, xlabel=below, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _show_map(axes, parameter_map, number: int, kind: str = ""):
    mean = np.mean(parameter_map, axis=-1)
    title = f"map {number}, mean {mean.mean():.2f}"
    shown = axes.imshow(mean, cmap=MAP_COLORS, vmin=0, vmax=1)
    axes.set(title=f"{title}\n{kind}" if kind else title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    write_exposure(axes, parameter_map)
    return shown


def write_exposure(axes, parameter_map, **options) -> None:
    """Write a map's three numbers across it, if it is one number per channel."""
    numbers = parameter_map[0, 0]
    if len(numbers) != 3 or (parameter_map != numbers).any():
        return
    text = "\n".join(f"{name} {value:.2f}" for name, value in zip("RGB", numbers, strict=True))
    color = "black" if numbers.mean() > 0.5 else "white"
    place = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, text, color=color, **place, **options)


def _curves(axes, x, lines: Sequence[tuple[str, np.ndarray]]) -> None:
    colors = matplotlib.colormaps[MAP_COLORS](np.linspace(0, 0.85, len(lines)))
    for index, ((label, y), color) in enumerate(zip(lines, colors, strict=True)):
        axes.plot(x, y, color=color, lw=2.5, ls=_LINES[index % 4], label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="value before", aspect="equal")
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks(np.linspace(0, 1, 5), ["0", "¼", "½", "¾", "1"])
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=12, framealpha=0.9)


def _brightness(picture) -> str:
    return f"mean code {255 * float(np.mean(picture)):.0f}"


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
