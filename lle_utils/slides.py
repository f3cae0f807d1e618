"""Slides for a teacher's projector: wide pages, few words in large type, one idea each.

`figures.make_figures` writes them beside the README's figures, into the folder ``slides``. Each
function draws one page from arrays; each ``make_`` function feeds it from the `Material` and says
what it shows, as in `figures`.
"""

from collections.abc import Sequence

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from PIL import Image
from scipy import ndimage

from lle_utils import baselines, metrics
from lle_utils.curve import Iteration, brighten
from lle_utils.figures import BEST, Material, Panel, bend, shared_limits, split_slanted, styled
from lle_utils.images import as_float, to_uint8

WIDTH, HEIGHT = 40 / 3, 7.5
"""Inches of a page, 16 to 9."""

DPI = 120
MAX_BYTES = 200_000
SMALLEST_TYPE = 18

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.045, 0.955, 0.955, 0.05  # margins, as shares of the page
_INK, _QUIET = "#1a1a1a", "#5f5f5f"
_BLUE, _ORANGE = "#0072b2", "#d55e00"  # from Okabe and Ito's palette for all eyes
_STYLE = {
    "font.size": 20,
    "axes.labelsize": 22,
    "xtick.labelsize": 20,
    "ytick.labelsize": 20,
    "xtick.major.pad": 9,
    "ytick.major.pad": 9,
    "axes.titlesize": 22,
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1.4,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "lines.linewidth": 4,
    "mathtext.fontset": "dejavusans",
}


def _page(title: str, line: str = "") -> Figure:
    """Return an empty page with its title and, below it, one quiet line."""
    figure = Figure((WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    figure.text(_LEFT, _TOP, title, fontsize=34, weight="bold", va="top")
    if line:
        figure.text(_LEFT, _TOP - 0.092, line, fontsize=22, color=_QUIET, va="top")
    return figure


def _box(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    return figure.add_axes((left, bottom, width, height))


def _picture(axes: Axes, picture, title: str = "", below: str = "", **options) -> None:
    """Show a picture that fills its box, which has the picture's shape."""
    axes.imshow(np.clip(picture, 0, 1), aspect="auto", interpolation="antialiased", **options)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=22)
    axes.set_xlabel(below, fontsize=22, labelpad=8)


def _row(
    figure: Figure, bottom: float, height: float, count: int, right: float = _RIGHT, gap=0.014
) -> list[Axes]:
    """Return boxes of equal width side by side between the margins."""
    width = (right - _LEFT - gap * (count - 1)) / count
    return [
        _box(figure, _LEFT + index * (width + gap), bottom, width, height) for index in range(count)
    ]


def _fitted(picture, axes: Axes) -> np.ndarray:
    """Cut a picture's middle to the shape of a box."""
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    rows, columns = picture.shape[:2]
    tall = min(rows, round(columns * height / width))
    wide = min(columns, round(rows * width / height))
    top, left = (rows - tall) // 2, (columns - wide) // 2
    return picture[top : top + tall, left : left + wide]


# --- one function a page --------------------------------------------------------------------------


@styled(_STYLE)
def opening(dark, bright) -> Figure:
    """Fill a page with one scene, dark left of a slanted line and enhanced right of it.

    Parameters
    ----------
    dark, bright : array, shape (height, width, 3)
        RGB in [0, 1].

    Returns
    -------
    Figure
    """
    figure = Figure((WIDTH, HEIGHT), dpi=DPI)
    axes = _box(figure, 0, 0, 1, 1)
    size = (round(WIDTH * DPI), round(HEIGHT * DPI))  # enlarged first, or the line has steps
    sides = [
        Image.fromarray(to_uint8(_fitted(one, axes))).resize(size, Image.Resampling.BICUBIC)
        for one in (dark, bright)
    ]
    joined = split_slanted(*(as_float(np.asarray(one)) for one in sides), line=0.004)
    axes.imshow(joined, aspect="auto", interpolation="antialiased")
    axes.set_axis_off()
    words = {"color": "white", "transform": axes.transAxes}
    axes.text(
        _LEFT, 0.87, "See what was\nin the dark", fontsize=46, weight="bold", va="top", **words
    )
    axes.text(_LEFT, 0.06, "as taken", fontsize=26, **words)
    label = axes.text(_RIGHT, 0.06, "enhanced", fontsize=26, ha="right", **words)
    label.set_bbox({"facecolor": "black", "alpha": 0.45, "edgecolor": "none", "pad": 8})
    return figure


@styled(_STYLE)
def darkness(dark, reference) -> Figure:
    """Show a dark picture and how often each code value occurs in it.

    Parameters
    ----------
    dark, reference : array, shape (height, width, 3)
        RGB in [0, 1].

    Returns
    -------
    Figure
    """
    codes = [255 * np.asarray(one).ravel() for one in (dark, reference)]
    middle = np.median(codes[0])
    figure = _page(
        "A dark file is not empty", f"Half of its values lie at code {middle:.0f} or below, of 255"
    )
    picture = _box(figure, _LEFT, 0.2, 0.42, 0.55)
    _picture(picture, _fitted(dark, picture), below="as taken")
    axes = _box(figure, 0.58, 0.2, _RIGHT - 0.58, 0.55)
    for values, color, style in zip(codes, (_BLUE, _ORANGE), ("-", "--"), strict=True):
        shares, edges = np.histogram(values, bins=np.arange(-0.5, 256, 5))
        axes.stairs(100 * shares / values.size, edges, color=color, lw=3.5, ls=style)
    axes.set(xlim=(0, 255), ylim=(0, None), xticks=[0, 64, 128, 192, 255])
    axes.set(xlabel="code value", ylabel="share of values (%)")
    top = axes.get_ylim()[1]
    axes.text(40, 0.8 * top, "dark picture", color=_BLUE, fontsize=22)
    axes.text(255, 0.2 * top, "the same scene, well lit", color=_ORANGE, fontsize=22, ha="right")
    return figure


@styled(_STYLE)
def equation(constant: float = 0.38, shown: Sequence[int] = (1, 2, 4, 8)) -> Figure:
    """Draw the equation, and one curve bent again and again.

    Parameters
    ----------
    constant : float, default 0.38
        The m of every step.
    shown : sequence of int
        After how many steps; the last line is drawn strongest.

    Returns
    -------
    Figure
    """
    figure = _page("One equation, again and again")
    figure.text(_LEFT, 0.66, "$E + M\\,E\\,(1 - E)\\;\\rightarrow\\; E$", fontsize=38, va="top")
    words = "Black stays black,\nwhite stays white,\nall else grows brighter."
    figure.text(_LEFT, 0.47, words, fontsize=24, color=_QUIET, va="top", linespacing=1.5)
    axes = _box(figure, 0.55, 0.15, _RIGHT - 0.55, 0.68)
    x = np.linspace(0, 1, 301)
    axes.plot(x, x, color="#8a8a8a", lw=2.5, ls="--", label="untouched")
    colors = matplotlib.colormaps["viridis"](np.linspace(0.75, 0.05, len(shown)))
    for steps, color in zip(shown, colors, strict=True):
        last = steps == shown[-1]
        name = f"{steps} times" if steps > 1 else "once"
        axes.plot(x, bend(x, constant, steps), color=color, lw=6 if last else 3.5, label=name)
    axes.legend(loc="lower right", frameon=False, reverse=True, title=f"m = {constant:g}")
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set(xlabel="value before (0 black, 1 white)", ylabel="value after")
    return figure


@styled(_STYLE)
def noise_gain(
    pictures: Sequence[tuple[str, np.ndarray]], constant: float = 0.38, steps: int = 8
) -> Figure:
    """Draw by how much the curve multiplies noise, beside a part of a picture enlarged.

    Parameters
    ----------
    pictures : sequence of two (title, picture)
        Square parts of pictures, RGB in [0, 1].
    constant : float, default 0.38
    steps : int, default 8

    Returns
    -------
    Figure
    """
    at = 0.05
    figure = _page(
        "Brightening multiplies noise, too",
        f"{steps} steps, m = {constant:g}: from {at:g} to {bend(at, constant, steps):.2f}, and "
        f"the noise times {gain_of(at, constant, steps):.1f}",
    )
    axes = _box(figure, 0.105, 0.17, 0.36, 0.55)
    x = np.linspace(0, 1, 301)
    axes.plot(x, gain_of(x, constant, steps), color=_BLUE)
    axes.axhline(1, color=_QUIET, ls="--", lw=2.5)
    axes.text(1, 1.35, "noise as it was", color=_QUIET, ha="right")
    axes.plot(at, gain_of(at, constant, steps), "o", color=_ORANGE, ms=14)
    axes.set(xlim=(0, 1), ylim=(0, None))
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set(xlabel="value before (0 black, 1 white)", ylabel="noise multiplied by")
    wide, gap = 0.2, 0.014
    tall = wide * WIDTH / HEIGHT
    for index, (title, picture) in enumerate(pictures):
        left = _RIGHT - (2 - index) * wide - (1 - index) * gap
        _picture(_box(figure, left, 0.445 - tall / 2, wide, tall), picture, below=title)
    return figure


def gain_of(x, constant: float, steps: int):
    """Return by how much so many steps multiply a small difference at the value x."""
    gain = np.ones_like(np.asarray(x, float))
    for _ in range(steps):
        gain = gain * (1 + constant * (1 - 2 * x))
        x = brighten(x, constant)
    return gain


@styled(_STYLE)
def objectives(parameter_map, made, enhanced, reference, told: Sequence[str]) -> Figure:
    """Show what each of two training objectives compares, and what comes of it.

    Parameters
    ----------
    parameter_map : array, shape (height, width)
        The first map of the weights trained by the founding objective.
    made, enhanced : array, shape (height, width, 3)
        What those weights make, and what the weights trained through the curve make.
    reference : array, shape (height, width, 3)
    told : sequence of two str
        How good the two results are.

    Returns
    -------
    Figure
    """
    figure = _page("You get what the loss asks for")
    width = 0.232
    height = width * WIDTH / HEIGHT * reference.shape[0] / reference.shape[1]
    gap = (_RIGHT - _LEFT - 3 * width) / 2
    places = [_LEFT + index * (width + gap) for index in range(3)]
    rows = [
        ("The founding objective: is the map like the bright picture?", parameter_map, "map M"),
        ("Ours: is the enhanced picture like the bright picture?", enhanced, "enhanced picture"),
    ]
    for (title, first, name), bottom in zip(rows, (0.49, 0.075), strict=True):
        figure.text(_LEFT, bottom + height + 0.015, title, fontsize=22, va="bottom")
        middle = bottom + height / 2
        figure.text(places[1] - gap / 2, middle, "≈ ?", fontsize=34, ha="center", va="center")
        axes = _box(figure, places[0], bottom, width, height)
        shades = {"cmap": "viridis", "vmin": 0, "vmax": 1} if first.ndim == 2 else {}
        _picture(axes, first, below=name, **shades)
        _picture(_box(figure, places[1], bottom, width, height), reference, below="bright picture")
    figure.text(places[2] - gap / 2, 0.49 + height / 2, "→", fontsize=40, ha="center", va="center")
    _picture(_box(figure, places[2], 0.49, width, height), made, below=f"8 steps: {told[0]}")
    words = f"What is compared\nis what you get:\n{told[1]}"
    figure.text(places[2], 0.075 + height / 2, words, fontsize=24, va="center", linespacing=1.5)
    return figure


@styled(_STYLE)
def steps_apart(dark, steps: Sequence[Iteration], shown: Sequence[int] = (1, 4, 8)) -> Figure:
    """Show the map and the picture after some of the steps.

    Parameters
    ----------
    dark : array, shape (height, width, 3)
    steps : sequence of Iteration
        All steps from the first.
    shown : sequence of int
        Which, counted from 1.

    Returns
    -------
    Figure
        One color scale for all maps.
    """
    figure = _page("It looks again after every step", "Above its map, below the picture it made")
    limits = shared_limits([steps[n - 1].parameter_map for n in shown])
    right = _RIGHT - 0.115
    for row, bottom in enumerate((0.425, 0.06)):
        for axes, n in zip(
            _row(figure, bottom, 0.31, len(shown) + 1, right), (0, *shown), strict=True
        ):
            if row == 0 and n == 0:
                axes.set_axis_off()
                text = "lighter:\nmore to do"
                axes.text(0, 0.5, text, va="center", color=_QUIET, transform=axes.transAxes)
                continue
            if row == 0:
                shaded = _fitted(np.mean(steps[n - 1].parameter_map, axis=-1), axes)
                image = axes.imshow(
                    shaded, cmap="viridis", vmin=limits[0], vmax=limits[1], aspect="auto"
                )
                axes.set(xticks=[], yticks=[], title=f"step {n}")
                axes.spines[:].set_visible(False)
            else:
                _picture(axes, _fitted(dark if n == 0 else steps[n - 1].image, axes))
                if n == 0:
                    axes.set_title("as taken")
    bar = figure.colorbar(image, cax=_box(figure, right + 0.02, 0.425, 0.018, 0.31))
    bar.outline.set_visible(False)
    bar.set_label("map M")
    return figure


@styled(_STYLE)
def dial_or_rest(rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]) -> Figure:
    """Show what further iterations do, for two kinds of weights.

    Parameters
    ----------
    rows : sequence of two (title, sequence of (title, picture))

    Returns
    -------
    Figure
    """
    figure = _page("A dial, or a rest")
    for (title, panels), bottom in zip(rows, (0.47, 0.05), strict=True):
        figure.text(_LEFT, bottom + 0.352, title, fontsize=22, color=_QUIET, va="bottom")
        for axes, (name, picture) in zip(
            _row(figure, bottom, 0.30, len(panels)), panels, strict=True
        ):
            _picture(axes, _fitted(picture, axes), name)
            axes.title.set_size(20)
            axes.set_title(name, fontsize=20, pad=5)
    return figure


@styled(_STYLE)
def in_one_row(title: str, line: str, panels: Sequence[tuple[str, np.ndarray, str]]) -> Figure:
    """Show strips of one scene side by side, each with a name above and a number below.

    Parameters
    ----------
    title, line : str
        The page's title and the line below it.
    panels : sequence of (name, picture, text below)

    Returns
    -------
    Figure
    """
    figure = _page(title, line)
    for axes, (name, picture, below) in zip(
        _row(figure, 0.14, 0.56, len(panels)), panels, strict=True
    ):
        _picture(axes, _fitted(picture, axes), name, below)
        axes.xaxis.label.set_weight("bold")
    return figure


@styled(_STYLE)
def differences(rows: Sequence[tuple[str, np.ndarray]], pictures: int) -> Figure:
    """Draw paired differences with their intervals, a method a line.

    Parameters
    ----------
    rows : sequence of (method, array of differences in decibels)
        Of the network minus the method, on the same pictures.
    pictures : int
        How many pictures there were.

    Returns
    -------
    Figure
    """
    figure = _page(
        "What the numbers say",
        f"Each dot is one of {pictures} pictures; mark and bar: their mean, its 95 % interval",
    )
    axes = _box(figure, 0.215, 0.16, 0.5, 0.62)
    for height, (_, values) in enumerate(reversed(rows)):
        low, high = metrics.bootstrap_interval(values)
        verdict = "better" if low > 0 else "worse" if high < 0 else "not decided"
        color = _QUIET if verdict == "not decided" else _BLUE if verdict == "better" else _ORANGE
        axes.plot(
            [low, high], [height, height], color=color, lw=11, alpha=0.45, solid_capstyle="butt"
        )
        axes.plot(values, np.full(len(values), height), "o", color=color, ms=8)
        axes.plot([np.mean(values)] * 2, [height - 0.3, height + 0.3], color=_INK, lw=4)
        axes.text(
            1.04, height, verdict, color=color, weight="bold", va="center", fontsize=22,
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    axes.axvline(0, color=_INK, lw=2, ls="--")
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=22)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.set_xlabel("PSNR of the network minus the method's (dB)")
    return figure


# --- from the material to all pages ---------------------------------------------------------------


def make_opening(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the first page: one scene, dark and enhanced."""
    name = material.pictures["hero"][0]
    bright = material.enhanced(name, 8, BEST)
    return opening(material.pair(name).low, bright), [material.panel(name, BEST, bright, 8)]


def make_darkness(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on what a dark file holds."""
    name = material.pictures["dial"]
    pair = material.pair(name)
    return darkness(pair.low, pair.high), [material.panel(name, "as taken", pair.low)]


def make_equation(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page with the equation; it needs no picture."""
    return equation(), []


def make_noise(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on noise: one constant, at the darkest even place of the scene."""
    name = material.pictures["iterations"]
    pair = material.pair(name)
    bent = baselines.constant_map(pair.low, 0.38)
    part = _even_place(pair.high)
    shown = [("after 8 steps", bent[part]), ("reference", pair.high[part])]
    return noise_gain(shown), [material.panel(name, "one constant, m = 0.38", bent, 8)]


def _even_place(reference, side: int = 110) -> tuple[slice, slice]:
    """Return the square of a picture that has most of one edge and little else: calm, not blank."""
    gray = np.asarray(reference).mean(axis=-1)
    rough = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(gray, 2), side)
    half = side // 2
    inside = rough[half:-half, half:-half]
    quiet = np.abs(inside - np.quantile(inside, 0.25))
    top, left = np.unravel_index(quiet.argmin(), inside.shape)
    return np.s_[top : top + side, left : left + side]


def make_objectives(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on what the two objectives compare."""
    name = material.pictures["objectives"]
    pair = material.pair(name)
    theirs, ours = (material.steps(name, 8, weights) for weights in ("founding", "curve"))
    panels = [
        material.panel(name, "founding", theirs[-1].image, 8, theirs[-1].parameter_map),
        material.panel(name, "curve", ours[-1].image, 8, ours[-1].parameter_map),
    ]
    told = [f"{panel.psnr:.1f} dB" for panel in panels]
    first = theirs[0].parameter_map.mean(axis=-1)
    return objectives(first, theirs[-1].image, ours[-1].image, pair.high, told), panels


def make_steps(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page with map and picture after 1, 4 and 8 iterations."""
    name = material.pictures["iterations"]
    steps = material.steps(name, 8)
    described = material.described_steps(name, 8)
    return steps_apart(material.pair(name).low, steps), [described[n] for n in (0, 1, 4, 8)]


def make_dial(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on a fixed and on any depth: 4, 8, 12 and 24 iterations."""
    name = material.pictures["dial"]
    rows, panels = [], []
    titles = {
        "curve": "trained for 8 iterations: each further one brightens",
        "anydepth": "trained for any number: it comes to rest",
    }
    for weights, title in titles.items():
        steps = material.steps(name, 24, weights)
        row = []
        for iterations in (4, 8, 12, 24):
            picture = steps[iterations - 1].image
            row.append((f"after {iterations}", picture))
            panels.append(material.panel(name, weights, picture, iterations))
        rows.append((title, row))
    return dial_or_rest(rows), panels


def _simple_methods(material: Material, low) -> dict[str, np.ndarray]:
    return {
        "as taken": low,
        "gamma 0.4": baselines.gamma(low),
        "equalized": baselines.equalize(low),
        "one constant": baselines.constant_map(low, material.constant),
    }


def make_baselines(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page with simple methods in one row, on the network's middling scene."""
    name = material.middling()
    pair = material.pair(name)
    pictures = {**_simple_methods(material, pair.low), "network": material.enhanced(name, 8, BEST)}
    panels = [
        material.panel(
            name,
            BEST if method == "network" else method,
            picture,
            8 if method in ("one constant", "network") else None,
        )
        for method, picture in pictures.items()
    ]
    shown = [
        (method, picture, f"{panel.psnr:.1f} dB")
        for (method, picture), panel in zip(pictures.items(), panels, strict=True)
    ]
    shown.append(("reference", pair.high, ""))
    line = "One scene, five ways. Who is ahead here is this scene's verdict only"
    return in_one_row("What a network has to beat", line, shown), panels


def make_gt_mean(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on GT-mean, applied to a picture that no method has touched."""
    name = material.middling()
    pair = material.pair(name)
    lifted = np.clip(pair.low * (pair.high.mean() / pair.low.mean()), 0, 1)
    panels = [material.panel(name, "as taken", pair.low), material.panel(name, "GT-mean", lifted)]
    shown = [
        ("untouched input", pair.low, f"{panels[0].psnr:.1f} dB"),
        ("the same after GT-mean", lifted, f"{panels[1].psnr:.1f} dB"),
        ("reference", pair.high, "gave its mean"),
    ]
    line = "One number, taken from the reference, and no method at all"
    return in_one_row("GT-mean looks at the answer", line, shown), panels


def make_numbers(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the page on paired differences, over the hero picture's scenes."""
    names = material.pictures["hero"]
    found: dict[str, list[float]] = {}
    panels = []
    for name in names:
        pair = material.pair(name)
        ours = material.panel(name, BEST, material.enhanced(name, 8, BEST), 8)
        panels.append(ours)
        for method, picture in _simple_methods(material, pair.low).items():
            panels.append(material.panel(name, method, picture))
            found.setdefault(method, []).append(ours.psnr - panels[-1].psnr)
    rows = [(method, np.array(values)) for method, values in found.items()]
    return differences(rows, len(names)), panels


SLIDES = {
    "opening.jpg": make_opening,
    "dark.jpg": make_darkness,
    "equation.png": make_equation,
    "noise.jpg": make_noise,
    "objectives.jpg": make_objectives,
    "steps.jpg": make_steps,
    "dial.jpg": make_dial,
    "baselines.jpg": make_baselines,
    "gt_mean.jpg": make_gt_mean,
    "numbers.png": make_numbers,
}
"""The slides by file name, in the order of the lessons; each function takes the `Material`."""
