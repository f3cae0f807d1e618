"""Make the slides for a teacher's projector: wide pages, few words in large type, one idea each.

    python tools/slides.py                   from the sample, into notebooks/figures/slides
    python tools/slides.py --dataset lol     from LOL, into figures-lol/slides of the data folder

`make slides` runs it. A page's function is like those in `lle_utils.figures`.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence

import cv2
import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from lle_utils import baselines, metrics, vision
from lle_utils.curve import adjust_exposure
from lle_utils.drawing import MAP_COLORS, bend, draw_success, split_slanted, write_exposure
from lle_utils.evaluation import scale_to_mean
from lle_utils.figures import default_folder, make_figures
from lle_utils.inference import map_kinds
from lle_utils.material import Material, Panel

WIDTH, HEIGHT = 40 / 3, 7.5
"""Inches of a page, 16 to 9."""

DPI = 120
CONSTANT = 0.38
"""The m of the pages that need no network."""

CALM = {"raccoon": np.s_[10:120, 286:396], "778": np.s_[116:226, 83:193]}
"""A part of a picture, even but not blank, in which noise is seen."""

_LEFT, _RIGHT, _TOP = 0.045, 0.955, 0.955  # margins, as shares of the page
_INK, _QUIET = "#1a1a1a", "#5f5f5f"
_BLUE, _ORANGE = "#0072b2", "#d55e00"  # from Okabe and Ito's palette, for color-blind eyes
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


# --- parts of a page ------------------------------------------------------------------------------


def _page(title: str, line: str = "") -> Figure:
    """Return an empty page with its title and, below it, one quiet line."""
    figure = Figure((WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    figure.text(_LEFT, _TOP, title, fontsize=34, weight="bold", va="top")
    figure.text(_LEFT, _TOP - 0.092, line, fontsize=22, color=_QUIET, va="top")
    return figure


def _row(figure, bottom: float, height: float, count: int, right=_RIGHT, gap=0.014) -> list[Axes]:
    """Return boxes of equal width side by side between the margins."""
    width = (right - _LEFT - gap * (count - 1)) / count
    lefts = _LEFT + (width + gap) * np.arange(count)
    return [figure.add_axes((left, bottom, width, height)) for left in lefts]


def _picture(axes: Axes, picture, title: str = "", below: str = "", **options):
    """Fill a box with the middle of a picture, or of a map (height, width)."""
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    rows, columns = picture.shape[:2]
    tall = min(rows, round(columns * height / width))
    wide = min(columns, round(rows * width / height))
    top, left = (rows - tall) // 2, (columns - wide) // 2
    part = np.clip(picture[top : top + tall, left : left + wide], 0, 1)
    image = axes.imshow(part, aspect="auto", interpolation="antialiased", **options)
    axes.set(title=title, xticks=[], yticks=[])
    axes.set_xlabel(below, labelpad=8)
    axes.spines[:].set_visible(False)
    return image


def _map(axes: Axes, parameter_map, title: str = "", below: str = ""):
    mean = np.mean(parameter_map, axis=-1)
    image = _picture(axes, mean, title, below, cmap=MAP_COLORS, vmin=0, vmax=1)
    write_exposure(axes, parameter_map)
    return image


def _unit_axis(axes: Axes, below: str, beside: str) -> None:
    axes.set(xlim=(0, 1), xlabel=below, ylabel=beside)
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])


# --- one function per page ------------------------------------------------------------------------


def make_opening(material: Material) -> tuple[Figure, list[Panel]]:
    """Fill a page with one scene, dark left of a slanted line and enhanced right of it."""
    name = material.pictures["hero"][0]
    dark, bright = material.pair(name).low, material.enhanced(name)
    size = (round(WIDTH * DPI), round(WIDTH * DPI * dark.shape[0] / dark.shape[1]))
    # Enlarged before the line is drawn, or the line has steps.
    large = [cv2.resize(one, size, interpolation=cv2.INTER_CUBIC) for one in (dark, bright)]
    figure = Figure((WIDTH, HEIGHT), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    _picture(axes, split_slanted(*large))
    words = {"color": "white", "transform": axes.transAxes}
    title = "See what was\nin the dark"
    axes.text(_LEFT, 0.87, title, fontsize=46, weight="bold", va="top", **words)
    axes.text(_LEFT, 0.06, material.untouched, fontsize=26, **words)
    label = axes.text(_RIGHT, 0.06, "enhanced", fontsize=26, ha="right", **words)
    label.set_bbox({"facecolor": "black", "alpha": 0.5, "edgecolor": "none", "pad": 8})
    return figure, [material.panel(name, "enhancer", bright, 8)]


def make_darkness(material: Material) -> tuple[Figure, list[Panel]]:
    """Show a dark picture and how often each code value occurs in it."""
    name = material.pictures["dial"]
    pair = material.pair(name)
    half = np.median(255 * pair.low)
    line = f"Half of its values are {half:.0f} or less, of 255"
    figure = _page("A dark file is not empty", line)
    _picture(figure.add_axes((_LEFT, 0.2, 0.42, 0.55)), pair.low, below=material.untouched)
    axes = figure.add_axes((0.58, 0.2, _RIGHT - 0.58, 0.55))
    for picture, color, style in ((pair.low, _BLUE, "-"), (pair.high, _ORANGE, "--")):
        counts, edges = np.histogram(255 * picture, bins=np.arange(-0.5, 256, 5))
        axes.stairs(100 * counts / picture.size, edges, color=color, lw=3.5, ls=style)
    axes.set(xlim=(0, 255), ylim=(0, None), xticks=[0, 64, 128, 192, 255])
    axes.set(xlabel="code value", ylabel="share of values (%)")
    top = axes.get_ylim()[1]
    axes.text(40, 0.8 * top, "dark picture", color=_BLUE, fontsize=22)
    axes.text(255, 0.2 * top, "the same scene, well lit", color=_ORANGE, fontsize=22, ha="right")
    return figure, [material.panel(name, material.untouched, pair.low)]


def make_equation(material: Material) -> tuple[Figure, list[Panel]]:
    """Draw the equation, and one curve bent again and again; it needs no picture."""
    figure = _page("One equation, again and again")
    figure.text(_LEFT, 0.66, "$E + M\\,E\\,(1 - E)\\;\\rightarrow\\; E$", fontsize=38, va="top")
    words = "Black stays black,\nwhite stays white,\nthe rest gets brighter."
    figure.text(_LEFT, 0.47, words, fontsize=24, color=_QUIET, va="top", linespacing=1.5)
    axes = figure.add_axes((0.55, 0.15, _RIGHT - 0.55, 0.68))
    x = np.linspace(0, 1, 301)
    axes.plot(x, x, color="#8a8a8a", lw=2.5, ls="--", label="untouched")
    colors = matplotlib.colormaps[MAP_COLORS]([0.75, 0.5, 0.28, 0.05])
    for iterations, color in zip((1, 2, 4, 8), colors, strict=True):
        name = f"{iterations} times" if iterations > 1 else "once"
        thick = 6 if iterations == 8 else 3.5
        axes.plot(x, bend(x, CONSTANT, iterations), color=color, lw=thick, label=name)
    axes.legend(loc="lower right", frameon=False, reverse=True, title=f"m = {CONSTANT:g}")
    _unit_axis(axes, "value before (0 black, 1 white)", "value after")
    axes.set_ylim(0, 1.01)
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    return figure, []


def make_noise(material: Material) -> tuple[Figure, list[Panel]]:
    """Draw by how much the curve multiplies noise, beside an enlarged part of a picture."""
    name, low, high = material.pair(material.pictures["iterations"])
    bent = baselines.constant_map(low, CONSTANT)
    x = np.linspace(0, 1, 1001)
    y = bend(x, CONSTANT, 8)
    gains = np.gradient(y, x)
    at = 50  # of 1000
    line = f"8 iterations, m = {CONSTANT:g}: from {x[at]:g} to {y[at]:.2f}, and the noise times"
    figure = _page("Brightening multiplies noise", f"{line} {gains[at]:.1f}")
    axes = figure.add_axes((0.105, 0.17, 0.36, 0.55))
    axes.plot(x, gains, color=_BLUE)
    axes.plot(x[at], gains[at], "o", color=_ORANGE, ms=14)
    axes.axhline(1, color=_QUIET, ls="--", lw=2.5)
    axes.text(1, 1.35, "noise unchanged", color=_QUIET, ha="right")
    _unit_axis(axes, "value before (0 black, 1 white)", "noise multiplied by")
    axes.set_ylim(0, None)
    tall = 0.2 * WIDTH / HEIGHT
    for left, picture, below in ((0.541, bent, "after 8 iterations"), (0.755, high, "reference")):
        axes = figure.add_axes((left, 0.445 - tall / 2, 0.2, tall))
        _picture(axes, picture[CALM[name]], below=below)
    return figure, [material.panel(name, f"one constant, m = {CONSTANT:g}", bent, 8)]


def make_objectives(material: Material) -> tuple[Figure, list[Panel]]:
    """Show what each of two training objectives compares, and what comes of it."""
    name, _, reference = material.pair(material.pictures["objectives"])
    figure, panels = _page("You get what the loss asks for"), []
    width, gap = 0.232, 0.107
    height = width * WIDTH / HEIGHT * reference.shape[0] / reference.shape[1]
    for bottom, weights, question in (
        (0.49, "founding", "The founding objective: is the map like the bright picture?"),
        (0.075, "enhancer", "Ours: is the enhanced picture like the bright picture?"),
    ):
        steps = material.steps(name, 8, weights)
        panel = material.panel(name, weights, steps[-1].image, 8, steps[-1].parameter_map)
        panels.append(panel)
        figure.text(_LEFT, bottom + height + 0.015, question, fontsize=22, va="bottom")
        sign = {"y": bottom + height / 2, "ha": "center", "va": "center"}
        figure.text(_LEFT + width + gap / 2, s="≈ ?", fontsize=34, **sign)
        compared, bright, result = _row(figure, bottom, height, 3, gap=gap)
        _picture(bright, reference, below="bright picture")
        if weights == "founding":
            _map(compared, steps[0].parameter_map, below="map M")
            figure.text(_LEFT + 2 * width + 1.5 * gap, s="→", fontsize=40, **sign)
            _picture(result, steps[-1].image, below=f"8 iterations: {panel.psnr:.1f} dB")
        else:
            _picture(compared, steps[-1].image, below="enhanced picture")
            result.set_axis_off()
            words = f"What is compared\nis what you get:\n{panel.psnr:.1f} dB"
            result.text(0, 0.5, words, fontsize=24, va="center", linespacing=1.5)
    return figure, panels


def make_steps(material: Material) -> tuple[Figure, list[Panel]]:
    """Show how much, where and what is noise: the map and the picture of some iterations."""
    name = material.pictures["iterations"]
    shown = (1, 4, 5, 7)
    steps = material.steps(name)
    kinds = map_kinds(material.models["enhancer"].schedule)
    figure = _page("How much, then where, then what is noise", "Above the map, below the picture")
    right = _RIGHT - 0.115
    maps, pictures = (_row(figure, bottom, 0.29, 4, right) for bottom in (0.425, 0.06))
    for above, below, n in zip(maps, pictures, shown, strict=True):
        image = _map(above, steps[n - 1].parameter_map, kinds[n - 1])
        _picture(below, steps[n - 1].image, f"after {n}")
    bar = figure.colorbar(image, cax=figure.add_axes((right + 0.02, 0.425, 0.018, 0.29)))
    bar.outline.set_visible(False)
    bar.set_label("map M")
    described = material.described_steps(name)
    return figure, [described[n] for n in shown]


def make_dial(material: Material) -> tuple[Figure, list[Panel]]:
    """Show the exposure dial, and that further iterations change little."""
    name = material.pictures["dial"]
    figure, panels = _page("You decide how bright"), []
    for bottom, title, settings in (
        (0.47, "exposure brightens or darkens", ((8, -1), (8, 0), (8, 1))),
        (0.05, "more iterations change little", ((8, 0), (12, 0), (24, 0))),
    ):
        figure.text(_LEFT, bottom + 0.345, title, fontsize=22, color=_QUIET, va="bottom")
        for axes, (iterations, stops) in zip(_row(figure, bottom, 0.28, 3), settings, strict=True):
            picture = adjust_exposure(material.enhanced(name, iterations), stops)
            words = {-1: "−1 EV", 0: "0 EV", 1: "+1 EV"}[stops]
            _picture(axes, picture, words if bottom > 0.4 else f"{iterations} iterations")
            panels.append(material.panel(name, f"enhancer, {words}", picture, iterations))
    return figure, panels


def _simple_methods(material: Material, low) -> dict[str, np.ndarray]:
    return {
        material.untouched: low,
        "gamma 0.4": baselines.gamma(low),
        "equalized": baselines.equalize(low),
        "one constant": baselines.constant_map(low, material.constant),
    }


def _in_one_row(title: str, line: str, shown: Sequence[tuple[str, np.ndarray, str]]) -> Figure:
    """Show strips of one scene side by side: (name above, picture, number below)."""
    figure = _page(title, line)
    boxes = _row(figure, 0.14, 0.56, len(shown))
    for axes, (name, picture, below) in zip(boxes, shown, strict=True):
        _picture(axes, picture, name, below)
        axes.xaxis.label.set_weight("bold")
    return figure


def make_baselines(material: Material) -> tuple[Figure, list[Panel]]:
    """Show simple methods in one row, on the enhancer's median scene."""
    name, low, high = material.pair(material.median_scene())
    methods = {**_simple_methods(material, low), "enhancer": material.enhanced(name)}
    panels, shown = [], []
    for method, picture in methods.items():
        iterations = 8 if method in ("one constant", "enhancer") else None
        panels.append(material.panel(name, method, picture, iterations))
        shown.append((method, picture, f"{panels[-1].psnr:.1f} dB"))
    line = "One scene, five ways. The ranking holds for this scene only"
    shown.append(("reference", high, ""))
    return _in_one_row("What a network has to beat", line, shown), panels


def make_gt_mean(material: Material) -> tuple[Figure, list[Panel]]:
    """Show GT-mean, applied to a picture that no method has touched."""
    name, low, high = material.pair(material.median_scene())
    scaled = scale_to_mean(low, high)
    panels = [
        material.panel(name, material.untouched, low),
        material.panel(name, "GT-mean", scaled),
    ]
    shown = [
        ("untouched input", low, f"{panels[0].psnr:.1f} dB"),
        ("the same after GT-mean", scaled, f"{panels[1].psnr:.1f} dB"),
        ("reference", high, "its mean was used"),
    ]
    line = "One number, taken from the reference, and no method at all"
    return _in_one_row("GT-mean looks at the answer", line, shown), panels


def make_numbers(material: Material) -> tuple[Figure, list[Panel]]:
    """Draw the paired differences over the hero picture's scenes, with their intervals."""
    names, panels, differences = material.pictures["hero"], [], defaultdict(list)
    for name in names:
        ours = material.panel(name, "enhancer", material.enhanced(name), 8)
        panels.append(ours)
        for method, picture in _simple_methods(material, material.pair(name).low).items():
            panels.append(material.panel(name, method, picture))
            differences[method].append(ours.psnr - panels[-1].psnr)
    line = f"Each dot is one of {len(names)} pictures; mark and bar: their mean, its 95 % interval"
    figure = _page("What the numbers say", line)
    axes = figure.add_axes((0.215, 0.16, 0.5, 0.62))
    for place, values in enumerate(differences.values()):
        _draw_differences(axes, place, np.array(values))
    axes.axvline(0, color=_INK, lw=2, ls="--")
    axes.set_yticks(range(len(differences)), differences, fontsize=22)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(differences) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.set_xlabel("PSNR of the enhancer minus the method's (dB)")
    return figure, panels


def make_vision(material: Material) -> tuple[Figure, list[Panel]]:
    """Draw how often two detectors are right in the dark, for four methods."""
    line = "Share of right answers by stops too dark; bands are 95 % intervals"
    figure = _page("What a computer sees", line)
    curves = vision.curves_of(vision.read_table())
    shown = ("untouched", "equalized", "gamma 0.4", "ours, for vision")
    axes = [figure.add_axes((left, 0.27, 0.41, 0.48)) for left in (0.08, 0.545)]
    for place, detector in zip(axes, ("ArUco markers", "QR codes"), strict=True):
        draw_success(place, {name: curves[detector][name] for name in shown}, 3)
        place.set(title=detector, xlabel="stops too dark", yticks=(0, 0.5, 1))
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="lower center", ncols=4, fontsize=20, frameon=False)
    return figure, []


def _draw_differences(axes: Axes, place: int, values: np.ndarray) -> None:
    low, high = metrics.bootstrap_interval(values)
    verdict, color = "not decided", _QUIET
    if low > 0:
        verdict, color = "better", _BLUE
    if high < 0:
        verdict, color = "worse", _ORANGE
    bar = {"lw": 11, "alpha": 0.45, "solid_capstyle": "butt"}
    axes.plot([low, high], [place, place], color=color, **bar)
    axes.plot(values, np.full(len(values), place), "o", color=color, ms=8)
    axes.plot([values.mean()] * 2, [place - 0.3, place + 0.3], color=_INK, lw=4)
    beside = {"weight": "bold", "va": "center", "transform": axes.get_yaxis_transform()}
    axes.text(1.04, place, verdict, color=color, fontsize=22, **beside)


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
    "vision.png": make_vision,
}
in_style = matplotlib.style.context(["default", _STYLE])
SLIDES = {name: in_style(make) for name, make in SLIDES.items()}
"""The slides by file name, in the order of the lessons."""


def main() -> None:
    """Make all slides and print their paths."""
    parser = argparse.ArgumentParser(description="Make the slides for a teacher's projector.")
    parser.add_argument("--dataset", choices=("sample", "lol"), default="sample")
    dataset = parser.parse_args().dataset
    folder = default_folder(dataset) / "slides"
    folder.parent.mkdir(exist_ok=True)
    for path in make_figures(dataset, folder, makers=SLIDES):
        print(path)


if __name__ == "__main__":
    main()
