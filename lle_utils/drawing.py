"""Draw the figures: one function per figure, arrays in, a matplotlib Figure out.

Pictures are arrays (height, width, 3), RGB in [0, 1]; `untouched` is what to call the dark ones.

Nothing here touches pyplot, so that it needs no display and leaves no figure open.
"""

from collections.abc import Mapping, Sequence

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
_COLUMNS = 4  # of iterations side by side
_LINES = ("-", "--", ":", "-.")


# Every function draws in this style, whatever the caller's settings are.
in_style = matplotlib.style.context(
    [
        "default",
        {"font.size": 14, "axes.titlesize": 14, "axes.labelsize": 14, "axes.titlepad": 5},
    ]
)


@in_style
def hero(pairs: Sequence, untouched: str = "darkened", rows: int = 2) -> Figure:
    """Show dark pictures on the left of a slanted line and enhanced ones on its right.

    `pairs` are (dark, enhanced). Every row is as wide as the figure, whatever the shapes of its
    pictures.
    """
    per_row = -(-len(pairs) // rows)
    lines = [pairs[start : start + per_row] for start in range(0, len(pairs), per_row)]
    aspects = [[dark.shape[1] / dark.shape[0] for dark, _ in line] for line in lines]
    heights = [_WIDTH / sum(widths) for widths in aspects]
    figure = Figure((_WIDTH, sum(heights)), dpi=DPI)
    edges = {"left": 0, "right": 1, "bottom": 0, "top": 1}
    grid = figure.add_gridspec(len(lines), 1, height_ratios=heights, hspace=0, **edges)
    for row, line, widths in zip(grid, lines, aspects, strict=True):
        cells = row.subgridspec(1, len(line), width_ratios=widths, wspace=0)
        for cell, (dark, bright) in zip(cells, line, strict=True):
            axes = figure.add_subplot(cell, xticks=[], yticks=[])
            axes.imshow(split_slanted(dark, bright), aspect="auto")
            axes.spines[:].set(color="white", linewidth=5)
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


@in_style
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
    beside = [(f"E₀, {untouched}", image, _brightness(image))]
    if reference is not None:
        beside.append(("reference", reference, _brightness(reference)))
    blocks = -(-len(steps) // _COLUMNS)
    cell = max(0.4, _WIDTH / (_COLUMNS + 1.25) * image.shape[0] / image.shape[1])
    height = blocks * (2 * cell + (1.1 if kinds else 0.8))
    figure = Figure((_WIDTH, height), dpi=DPI, layout="constrained")
    _draw_steps(figure, beside, dict(enumerate(steps, 1)), _brightness, kinds)
    return figure


@in_style
def two_objectives(
    image,
    reference,
    runs: Sequence[tuple[str, Mapping[int, Iteration]]],
    untouched: str = "darkened",
) -> Figure:
    """Show what the maps and the results become under two training objectives.

    `runs` are (title, iterations by their number), a run for each objective.
    """

    def decibels(picture) -> str:
        return f"{metrics.psnr(to_uint8(picture), to_uint8(reference)):.1f} dB"

    cell = _WIDTH / (_COLUMNS + 1.4) * image.shape[0] / image.shape[1]
    figure = Figure((_WIDTH, len(runs) * (2 * cell + 1.1)), dpi=DPI, layout="constrained")
    beside = [(f"{untouched}, {decibels(image)}", image, ""), ("reference", reference, "")]
    for part, (title, steps) in zip(figure.subfigures(len(runs), 1), runs, strict=True):
        part.suptitle(title, weight="bold", fontsize=15)
        _draw_steps(part, beside, steps, decibels)
    return figure


def _draw_steps(figure, beside, steps: Mapping[int, Iteration], describe, kinds=()) -> None:
    """Draw rows of maps, and of pictures below them, beside a column of other pictures.

    `beside` are (title, picture, text below); `describe` takes a picture and returns a text.
    """
    rows = 2 * -(-len(steps) // _COLUMNS)
    grid, tall = figure.add_gridspec(rows, _COLUMNS + 1), rows // len(beside)
    for index, (title, picture, below) in enumerate(beside):
        axes = figure.add_subplot(grid[index * tall : (index + 1) * tall, 0])
        _show(axes, picture, title, below)
    for index, (number, step) in enumerate(steps.items()):
        row, column = 2 * (index // _COLUMNS), 1 + index % _COLUMNS
        shown = figure.add_subplot(grid[row, column])
        mean = np.mean(step.parameter_map, axis=-1)
        title = "\n".join([f"map {number}, mean {mean.mean():.2f}", *kinds[index : index + 1]])
        image = _show(shown, mean, title, cmap=MAP_COLORS, vmin=0, vmax=1)
        write_exposure(shown, step.parameter_map)
        title = f"E{_subscript(number)}, {describe(step.image)}"
        _show(figure.add_subplot(grid[row + 1, column]), step.image, title)
    bar = figure.colorbar(image, ax=figure.axes, shrink=0.65, aspect=28, pad=0.01)
    bar.set_label("map M (mean of channels)")


@in_style
def comparison(panels: Sequence[tuple[str, np.ndarray, str]], columns: int = 4) -> Figure:
    """Show full rows of panels: title above, picture, text below. A column has one shape."""
    rows = -(-len(panels) // columns)
    aspects = [picture.shape[1] / picture.shape[0] for _, picture, _ in panels[:columns]]
    text = 0.7 if any(below for _, _, below in panels) else 0.4
    figure = Figure((_WIDTH, rows * (_WIDTH / sum(aspects) + text)), dpi=DPI, layout="constrained")
    places = figure.subplots(rows, columns, width_ratios=aspects, squeeze=False).flat
    for axes, (title, picture, below) in zip(places, panels, strict=True):
        _show(axes, picture, title, below)
    return figure


@in_style
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


@in_style
def success(curves: Mapping[str, Mapping[str, Sequence]]) -> Figure:
    """Draw how often five detectors are right against how dark the scene is, one panel each.

    `curves` has, by detector and method, points (stops, share, low, high), the last two the ends
    of an interval.
    """
    figure = Figure((_WIDTH, 7), dpi=DPI, layout="constrained")
    *places, last = figure.subplots(2, 3, sharex=True, sharey=True).flat
    for axes, (detector, lines) in zip(places, curves.items(), strict=True):
        draw_success(axes, lines)
        axes.set_title(detector)
        axes.tick_params(labelbottom=True)
    last.set_axis_off()
    last.legend(*axes.get_legend_handles_labels(), loc="center", fontsize=13, frameon=False)
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


def _show(axes, picture, title: str, below: str = "", **options):
    axes.set(title=title, xlabel=below, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return axes.imshow(np.clip(picture, 0, 1), interpolation="antialiased", **options)


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
    axes.set_xticks(np.linspace(0, 1, 5), ["0", "¼", "½", "¾", "1"])
    axes.set_yticks(np.linspace(0, 1, 5), ["0", "¼", "½", "¾", "1"])
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=12, framealpha=0.9)


def _brightness(picture) -> str:
    return f"mean code {255 * float(np.mean(picture)):.0f}"


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
