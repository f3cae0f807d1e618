"""The figures of the README: one function a figure, arrays in, a matplotlib Figure out.

`make_figures` makes them all from a data set's held-out pictures and the trained weights, with the
teacher's slides (`lle_utils.slides`), and writes `figures.json` beside them: which pictures, how
many iterations, how many decibels.

Nothing here touches pyplot, so that it needs no display and leaves no figure open.
"""

import functools
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
from keras import ops
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lle_utils import baselines, data, founding, metrics, paths
from lle_utils.curve import Iteration, brighten, recurse
from lle_utils.errors import LleError
from lle_utils.images import as_float, check_writable, replace_file, to_uint8
from lle_utils.model import RecursiveEnhancer, load_model

PICTURES = {
    "sample": {
        "hero": ("coffee", "dogs", "raccoon", "admiral", "peaks", "room"),
        "iterations": "raccoon",
        "examples": ("room", "peaks", "coffee"),
        "dial": "coffee",
        "objectives": "raccoon",
    },
    "lol": {
        "hero": ("22", "778", "493", "146", "1", "23"),
        "iterations": "778",
        "examples": ("493", "22", "1"),
        "dial": "1",
        "objectives": "778",
    },
}
"""Which held-out pictures each figure shows. The examples go from the darkest to the brightest.

The baselines are compared on that of the hero's scenes which `Material.middling` names.
"""

RECORD = "figures.json"
SLIDES_FOLDER = "slides"
MAX_BYTES = 300_000
DPI = 110
_WIDTH = 12.5  # inches of every figure
_STYLE = {"font.size": 14, "axes.titlesize": 14, "axes.labelsize": 14, "axes.titlepad": 5}
_MAP_COLORS = "viridis"


@dataclass(frozen=True)
class Panel:
    """One picture of a figure and what is known of it; this is what `figures.json` holds.

    Attributes
    ----------
    picture : str
        The pair's name.
    method : str
        What was done to it: "as taken", "curve" or "founding" (the weights), or a baseline.
    iterations : int or None
        How many, where it was a recursion.
    mean_code : float
        Mean code value, 0 to 255, of all pixels and channels.
    psnr : float
        Decibels against the reference, by the protocol.
    mean_map : float or None
        Mean of the last iteration's parameter map, in [0, 1].
    """

    picture: str
    method: str
    iterations: int | None
    mean_code: float
    psnr: float
    mean_map: float | None = None


def styled(style: dict) -> Callable:
    """Let a function draw in a style of its own, whatever the caller's settings are."""

    def decorate(draw: Callable) -> Callable:
        @functools.wraps(draw)
        def drawn(*arguments, **options):
            with matplotlib.style.context(["default", style]):
                return draw(*arguments, **options)

        return drawn

    return decorate


# --- one function a figure ------------------------------------------------------------------------


@styled(_STYLE)
def hero(pairs: Sequence, rows: int = 2, gap: float = 0.07) -> Figure:
    """Show pictures as taken on the left of a slanted line and enhanced on its right.

    Parameters
    ----------
    pairs : sequence of (dark, enhanced)
        Arrays of shape (height, width, 3), RGB in [0, 1]; the two of one pair alike in size.
    rows : int, default 2
        How many rows; every row is as wide as the figure, whatever the shapes of its pictures.
    gap : float, default 0.07
        Inches between pictures.

    Returns
    -------
    Figure
    """
    per_row = -(-len(pairs) // rows)
    lines = [pairs[start : start + per_row] for start in range(0, len(pairs), per_row)]
    heights = []
    for line in lines:
        aspects = [dark.shape[1] / dark.shape[0] for dark, _ in line]
        heights.append((_WIDTH - gap * (len(line) - 1)) / sum(aspects))
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
    label = {"color": "white", "fontsize": 16, "weight": "bold", "transform": first.transAxes}
    first.text(0.03, 0.04, "as taken", **label)
    first.text(0.97, 0.04, "enhanced", ha="right", **label)
    return figure


def split_slanted(dark, bright, slant: float = 0.25, line: float = 0.006) -> np.ndarray:
    """Join two pictures of one scene along a slanted white line.

    Parameters
    ----------
    dark, bright : array, shape (height, width, 3)
        RGB in [0, 1]; what is seen on the left and on the right.
    slant : float, default 0.25
        How far the line leans, as a share of the width.
    line : float, default 0.006
        Thickness of the line, as a share of the width.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
    """
    height, width, _ = np.shape(dark)
    y, x = np.mgrid[:height, :width]
    offset = (x + 0.5) / width - 0.5 + slant * ((y + 0.5) / height - 0.5)
    joined = np.where(offset[..., None] < 0, dark, bright)
    joined[np.abs(offset) < line / 2] = 1
    return joined.astype(np.float32)


@styled(_STYLE)
def iteration_by_iteration(image, steps: Sequence[Iteration], reference=None) -> Figure:
    """Show the recursion step by step: the picture as taken, every map and every result.

    Parameters
    ----------
    image : array, shape (height, width, 3)
        The low-light picture, RGB in [0, 1].
    steps : sequence of Iteration
        Maps (height, width, 1 or 3) and pictures (height, width, 3), in order.
    reference : array, shape (height, width, 3), optional
        The well-lit picture, shown beside if given.

    Returns
    -------
    Figure
        All maps share one color scale, whose bar has the values.
    """
    columns = 4
    blocks = -(-len(steps) // columns)
    aspect = image.shape[0] / image.shape[1]
    cell = _WIDTH / (columns + 1.25)
    figure = Figure((_WIDTH, blocks * (2 * cell * aspect + 0.8)), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2 * blocks, columns + 1)
    limits = shared_limits([step.parameter_map for step in steps])
    beside = [("E₀, as taken", image), ("reference", reference)]
    for block, (title, picture) in enumerate(beside[:blocks]):
        if picture is not None:
            axes = figure.add_subplot(grid[2 * block : 2 * block + 2, 0])
            _show(axes, picture, title, below=_brightness(picture))
    for index, step in enumerate(steps):
        row, column = 2 * (index // columns), 1 + index % columns
        axes = figure.add_subplot(grid[row, column])
        shown = _show_map(axes, step.parameter_map, index + 1, limits)
        axes = figure.add_subplot(grid[row + 1, column])
        _show(axes, step.image, f"E{_subscript(index + 1)}, {_brightness(step.image)}")
    bar = figure.colorbar(shown, ax=figure.axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("parameter map M (mean of its channels)")
    return figure


@styled(_STYLE)
def examples(rows: Sequence[tuple[int, np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """Show pictures enhanced by as many iterations as their darkness asks for.

    Parameters
    ----------
    rows : sequence of (iterations, dark, enhanced, reference)
        Pictures of shape (height, width, 3), RGB in [0, 1].

    Returns
    -------
    Figure
        One column of pictures for each; dark above, enhanced below it, reference last.
    """
    aspects = [dark.shape[1] / dark.shape[0] for _, dark, _, _ in rows]
    height = _WIDTH / sum(aspects)
    figure = Figure((_WIDTH, 3 * height + 1.2), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(3, len(rows), width_ratios=aspects)
    for column, (iterations, dark, enhanced, reference) in enumerate(rows):
        panels = [
            (dark, f"mean code {255 * dark.mean():.1f}"),
            (enhanced, f"after {iterations} iterations"),
            (reference, "reference"),
        ]
        for row, (picture, title) in enumerate(panels):
            _show(figure.add_subplot(grid[row, column]), picture, title)
    return figure


@styled(_STYLE)
def exposure_dial(rows: Sequence[Sequence[tuple[str, np.ndarray]]]) -> Figure:
    """Show what the number of iterations does, for several weights or scenes.

    Parameters
    ----------
    rows : sequence of sequences of (title, picture)
        One scene or weights a row, all rows of one length; pictures (height, width, 3), RGB in
        [0, 1].

    Returns
    -------
    Figure
    """
    columns = len(rows[0])
    cell = _WIDTH / columns
    height = sum(row[0][1].shape[0] / row[0][1].shape[1] * cell + 0.65 for row in rows)
    figure = Figure((_WIDTH, height), dpi=DPI, layout="constrained")
    ratios = [row[0][1].shape[0] / row[0][1].shape[1] for row in rows]
    grid = figure.add_gridspec(len(rows), columns, height_ratios=ratios)
    for index, row in enumerate(rows):
        for column, (title, picture) in enumerate(row):
            axes = figure.add_subplot(grid[index, column])
            _show(axes, picture, title, below=_brightness(picture))
    return figure


@styled(_STYLE)
def comparison(panels: Sequence[tuple[str, np.ndarray, str]], columns: int = 4) -> Figure:
    """Show one scene as several methods brighten it.

    Parameters
    ----------
    panels : sequence of (title, picture, text below it)
        Pictures (height, width, 3), RGB in [0, 1].
    columns : int, default 4

    Returns
    -------
    Figure
    """
    rows = -(-len(panels) // columns)
    aspect = panels[0][1].shape[0] / panels[0][1].shape[1]
    height = rows * (_WIDTH / columns * aspect + 0.7)
    figure = Figure((_WIDTH, height), dpi=DPI, layout="constrained")
    for axes, (title, picture, below) in zip(
        figure.subplots(rows, columns, squeeze=False).flat, panels, strict=False
    ):
        _show(axes, picture, title, below=below)
    return figure


@styled(_STYLE)
def curve_family(
    constants: Sequence[float] = (0, 0.25, 0.5, 0.75, 1),
    depths: Sequence[int] = (0, 1, 2, 4, 8, 12),
    constant: float = 0.38,
    alike: Sequence[tuple[int, float]] = ((4, 0.81), (8, 0.38), (12, 0.245)),
) -> Figure:
    """Draw the brightening curve for several constants and depths.

    Parameters
    ----------
    constants : sequence of float
        Values of m in [0, 1] for the first panel, one step each.
    depths : sequence of int
        Numbers of iterations for the second panel.
    constant : float, default 0.38
        The m of the second panel.
    alike : sequence of (int, float)
        Pairs of n and m for the third panel.

    Returns
    -------
    Figure
    """
    figure = Figure((_WIDTH, 4.7), dpi=DPI, layout="constrained")
    one, many, same = figure.subplots(1, 3, sharey=True)
    x = np.linspace(0, 1, 201)
    _curves(one, x, [(f"m = {m:g}", brighten(x, m)) for m in constants])
    one.set(title="one step, several m", ylabel="value after")
    _curves(many, x, [(f"n = {n}", bend(x, constant, n)) for n in depths])
    many.set_title(f"m = {constant:g}, several n")
    _curves(same, x, [(f"n = {n}, m = {m:g}", bend(x, m, n)) for n, m in alike], dashed=True)
    same.set_title("many small steps or few large")
    return figure


def bend(x, m: float, iterations: int):
    """Apply the curve with one constant `iterations` times to values in [0, 1]."""
    return recurse(x, lambda image, step: m, iterations)


@styled(_STYLE)
def two_objectives(
    image, reference, runs: Sequence[tuple[str, Sequence[Iteration]]], shown: Sequence[int]
) -> Figure:
    """Show what the maps and the results become under two training objectives.

    Parameters
    ----------
    image, reference : array, shape (height, width, 3)
        The pair, RGB in [0, 1].
    runs : sequence of (title, steps)
        For each objective the recursion's maps and pictures, all steps from the first.
    shown : sequence of int
        Which iterations to show, counted from 1.

    Returns
    -------
    Figure
        For each objective a row of maps over a row of pictures, with the PSNR of each.
    """
    columns = len(shown) + 1
    aspect = image.shape[0] / image.shape[1]
    cell = _WIDTH / (columns + 0.4)
    height = len(runs) * (2 * cell * aspect + 1.1)
    figure = Figure((_WIDTH, height), dpi=DPI, layout="constrained")
    parts = figure.subfigures(len(runs), 1, hspace=0.02)
    start = metrics.psnr(to_uint8(image), to_uint8(reference))
    beside = [(f"as taken, {start:.1f} dB", image), ("reference", reference)]
    for part, (title, steps) in zip(np.atleast_1d(parts), runs, strict=True):
        part.suptitle(title, weight="bold", fontsize=15)
        axes = part.subplots(2, columns)
        for row, (name, picture) in enumerate(beside):
            _show(axes[row, 0], picture, name)
        for column, n in enumerate(shown, 1):
            step = steps[n - 1]
            drawn = _show_map(axes[0, column], step.parameter_map, n, (0, 1))
            decibels = metrics.psnr(to_uint8(step.image), to_uint8(reference))
            _show(axes[1, column], step.image, f"E{_subscript(n)}, {decibels:.1f} dB")
        bar = part.colorbar(drawn, ax=list(axes.flat), shrink=0.7, aspect=25, pad=0.01)
        bar.set_label("M (mean of channels)")
    return figure


def shared_limits(maps: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the color limits that suit several parameter maps, in whole twentieths.

    The darkest and the brightest half per cent of the pixels may lie outside.
    """
    means = np.concatenate([np.mean(one, axis=-1).ravel()[::17] for one in maps])
    low, high = np.quantile(means, [0.005, 0.995])
    return float(np.floor(20 * low) / 20), float(np.ceil(20 * high) / 20)


def _show(axes, picture, title: str, below: str = "") -> None:
    axes.imshow(np.clip(picture, 0, 1), interpolation="antialiased")
    axes.set(title=title, xlabel=below, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _show_map(axes, parameter_map, number: int, limits: tuple[float, float]):
    mean = np.mean(parameter_map, axis=-1)
    shown = axes.imshow(mean, cmap=_MAP_COLORS, vmin=limits[0], vmax=limits[1])
    axes.set(title=f"map {number}, mean {mean.mean():.2f}", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return shown


def _curves(axes, x, lines: Sequence[tuple[str, np.ndarray]], dashed: bool = False) -> None:
    colors = matplotlib.colormaps[_MAP_COLORS](np.linspace(0, 0.85, len(lines)))
    styles = ["-", "--", ":"] if dashed else ["-"]
    for index, ((label, y), color) in enumerate(zip(lines, colors, strict=True)):
        axes.plot(x, y, color=color, lw=2.5, ls=styles[index % len(styles)], label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="value before", aspect="equal")
    axes.set_xticks(np.linspace(0, 1, 5), ["0", "¼", "½", "¾", "1"])
    axes.set_yticks(np.linspace(0, 1, 5), ["0", "¼", "½", "¾", "1"])
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=12, framealpha=0.9)


def _brightness(picture) -> str:
    return f"mean code {255 * float(np.mean(picture)):.0f}"


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


# --- from pairs and weights to all figures --------------------------------------------------------


def trace(model, image, iterations: int) -> list[Iteration]:
    """Enhance a picture and keep every map and every result on the way.

    Parameters
    ----------
    model : keras.Model
        A `RecursiveEnhancer`, or a bare network for the founding recursive function.
    image : array
        Any picture that `images.as_float` takes.
    iterations : int
        How many, 0 or more.

    Returns
    -------
    list of Iteration
        As arrays of float32: maps (height, width, 1 or 3) and pictures (height, width, 3).
    """
    image = as_float(image)
    if isinstance(model, RecursiveEnhancer):
        if iterations == 0:
            return []
        enhancer = model.scaled_to(max(image.shape[:2])).with_iterations(iterations)
        return [
            Iteration(ops.convert_to_numpy(parameter_map[0]), ops.convert_to_numpy(result[0]))
            for parameter_map, result in enhancer.steps(image[None])
        ]
    seen, maps = [], []

    def predict(img):
        seen.append(img)
        maps.append(ops.convert_to_numpy(model(np.asarray(img, np.float32)[None])[0]))
        return maps[-1]

    # What the function hands to the network is the picture of the step before.
    last = founding.enhance(255 * image, iterations, predict=predict)
    return [Iteration(*step) for step in zip(maps, [*seen[1:], last], strict=True)]


BEST = "anydepth"
"""Which of the weights speak for the network where it is compared with other methods."""


class Material:
    """A data set's held-out pairs and the trained weights: what the figures are made of.

    Parameters
    ----------
    dataset : {"sample", "lol"}
    weights : str or Path, default "curve8"
        The enhancer, as `model.load_model` takes it.
    founding_weights : str or Path, default "founding"
        The network that was trained as the founding project did.
    anydepth_weights : str or Path, default "anydepth"
        An enhancer that was trained for any number of iterations.

    Raises
    ------
    LleError
        If the data set or the weights are missing.
    ValueError
        If there is no data set of that name.
    """

    def __init__(
        self,
        dataset="sample",
        weights="curve8",
        founding_weights="founding",
        anydepth_weights="anydepth",
    ):
        self.pairs = data.load(dataset, "test", lazy=True)
        self.dataset = dataset
        self.pictures = PICTURES[dataset]
        self.models = {
            "curve": load_model(weights),
            "founding": load_model(founding_weights),
            "anydepth": load_model(anydepth_weights),
        }
        self._traces: dict[tuple[str, str], list[Iteration]] = {}
        self._pairs: dict[str, data.Pair] = {}

    def pair(self, name: str) -> data.Pair:
        """Return a held-out pair, read from disk once."""
        if name not in self._pairs:
            self._pairs[name] = self.pairs[name]
        return self._pairs[name]

    def steps(self, name: str, iterations: int, weights: str = "curve") -> list[Iteration]:
        """Return `trace` of a pair's dark picture; a longer one computed before is cut short."""
        known = self._traces.get((weights, name), [])
        if len(known) < iterations:
            known = trace(self.models[weights], self.pair(name).low, iterations)
            self._traces[weights, name] = known
        return known[:iterations]

    def enhanced(self, name: str, iterations: int, weights: str = "curve") -> np.ndarray:
        """Return a pair's dark picture after `iterations` iterations."""
        return self.steps(name, iterations, weights)[-1].image

    def middling(self) -> str:
        """Return that of the hero's pictures on which the best weights' PSNR is the median."""
        names = self.pictures["hero"]
        panels = [self.panel(name, BEST, self.enhanced(name, 8, BEST)) for name in names]
        return sorted(panels, key=lambda panel: panel.psnr)[(len(names) - 1) // 2].picture

    @functools.cached_property
    def constant(self) -> float:
        """The one constant m that is best on the training split, at eight iterations."""
        return baselines.fit_constant(data.load(self.dataset, "train", lazy=True))

    def panel(self, name: str, method: str, picture, iterations=None, parameter_map=None) -> Panel:
        """Describe a picture that a figure shows."""
        reference = to_uint8(self.pair(name).high)
        return Panel(
            name,
            method,
            iterations,
            round(255 * float(np.mean(picture)), 2),
            round(metrics.psnr(to_uint8(picture), reference), 3),
            None if parameter_map is None else round(float(np.mean(parameter_map)), 4),
        )

    def described_steps(self, name: str, iterations: int, weights: str = "curve") -> list[Panel]:
        """Describe the picture as taken and each iteration of it."""
        panels = [self.panel(name, "as taken", self.pair(name).low)]
        for number, step in enumerate(self.steps(name, iterations, weights), 1):
            panels.append(self.panel(name, weights, step.image, number, step.parameter_map))
        return panels


def make_hero(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the picture that the README opens with: held-out scenes, eight iterations."""
    pairs, panels = [], []
    for name in material.pictures["hero"]:
        pairs.append((material.pair(name).low, material.enhanced(name, 8, BEST)))
        panels.append(material.panel(name, BEST, pairs[-1][1], 8))
    return hero(pairs), panels


def make_iterations(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's figure: original, maps and pictures iteration by iteration."""
    name = material.pictures["iterations"]
    pair, steps = material.pair(name), material.steps(name, 8)
    return (
        iteration_by_iteration(pair.low, steps, pair.high),
        material.described_steps(name, 8),
    )


def make_examples(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's examples: after 12, 8 and 7 iterations, by darkness."""
    rows, panels = [], []
    for name in material.pictures["examples"]:
        pair = material.pair(name)
        iterations = founding.iterations_for(pair.low)
        rows.append((iterations, pair.low, material.enhanced(name, iterations), pair.high))
        panels.append(material.panel(name, "as taken", pair.low))
        panels.append(material.panel(name, "curve", rows[-1][2], iterations))
    return examples(rows), panels


def make_dial(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison of a fixed and of any depth: 4, 8, 12 and 24 iterations of one picture.

    For weights trained for eight iterations their number is an exposure dial.
    """
    name = material.pictures["dial"]
    pair = material.pair(name)
    rows, panels = [], [material.panel(name, "as taken", pair.low)]
    for weights, title in (("curve", "trained for 8"), ("anydepth", "trained for any")):
        steps = material.steps(name, 24, weights)
        row = [("as taken", pair.low)]
        for iterations in (4, 8, 12, 24):
            picture = steps[iterations - 1].image
            row.append((f"{title}: {iterations}", picture))
            panels.append(material.panel(name, weights, picture, iterations))
        rows.append([*row, ("reference", pair.high)])
    return exposure_dial(rows), panels


def make_baselines(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison of the network with simple methods, on the network's middling scene."""
    name = material.middling()
    pair = material.pair(name)
    constant = material.constant
    methods = [
        ("as taken", pair.low, None),
        ("gamma 0.4", baselines.gamma(pair.low), None),
        ("equalized", baselines.equalize(pair.low), None),
        ("CLAHE", baselines.clahe(pair.low), None),
        ("LIME-like", baselines.lime_like(pair.low), None),
        (f"one constant, m = {constant:.2f}", baselines.constant_map(pair.low, constant), 8),
        (BEST, material.enhanced(name, 8, BEST), 8),
    ]
    panels = [material.panel(name, method, picture, n) for method, picture, n in methods]
    shown = [
        (
            "our network" if panel.method == BEST else panel.method,
            picture,
            f"{panel.psnr:.1f} dB",
        )
        for panel, (_, picture, _) in zip(panels, methods, strict=True)
    ]
    shown.append(("reference", pair.high, ""))
    return comparison(shown), panels


def make_curves(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the curve family; it needs no picture."""
    return curve_family(), []


def make_objectives(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison of the founding objective with training through the curve."""
    name = material.pictures["objectives"]
    pair = material.pair(name)
    titles = {
        "founding": "trained as published: the map itself is compared with the well-lit picture",
        "curve": "trained through the curve: the enhanced picture is compared with it",
    }
    runs = [(title, material.steps(name, 8, weights)) for weights, title in titles.items()]
    panels = [one for weights in titles for one in material.described_steps(name, 8, weights)]
    return two_objectives(pair.low, pair.high, runs, (1, 2, 4, 8)), panels


FIGURES = {
    "hero.jpg": make_hero,
    "iterations.jpg": make_iterations,
    "examples.jpg": make_examples,
    "dial.jpg": make_dial,
    "baselines.jpg": make_baselines,
    "curves.png": make_curves,
    "objectives.jpg": make_objectives,
}
"""The README's figures by file name; each function takes the `Material`."""


def make_figures(
    dataset: str = "sample",
    folder: str | Path | None = None,
    *,
    weights: str | Path = "curve8",
    founding_weights: str | Path = "founding",
    anydepth_weights: str | Path = "anydepth",
    progress: Callable = iter,
) -> list[Path]:
    """Make every figure of the README, the teacher's slides, and the record of what they show.

    Parameters
    ----------
    dataset : {"sample", "lol"}
    folder : str or Path, optional
        Where to; it is made if the folder above it exists. By default `default_folder`.
    weights, founding_weights, anydepth_weights : str or Path
        As `Material` takes them.
    progress : callable, default iter
        Wraps the list of file names, to show progress: ``tqdm`` for example.

    Returns
    -------
    list of Path
        The files, those in the folder ``slides`` after the figures, `figures.json` last. The same
        weights and pictures give the same files.

    Raises
    ------
    LleError
        If the data set or the weights are missing, the folder cannot be made or written to, or
        it holds files of these names that are not from an earlier run.
    ValueError
        If there is no data set of that name.
    """
    from lle_utils import slides  # here, because they are drawn by what stands above

    folder = Path(default_folder(dataset) if folder is None else folder)
    pages = {f"{SLIDES_FOLDER}/{name}": make for name, make in slides.SLIDES.items()}
    _check_folder(folder, dataset, [*FIGURES, *pages, RECORD])
    material = Material(dataset, weights, founding_weights, anydepth_weights)
    record = {
        "dataset": dataset,
        "split": "test",
        "weights": {name: fingerprint(model) for name, model in material.models.items()},
        "figures": {},
        "slides": {},
    }
    contents = {}
    for name in progress([*FIGURES, *pages]):
        figure, panels = {**FIGURES, **pages}[name](material)
        most = slides.MAX_BYTES if name in pages else MAX_BYTES
        contents[name] = encode(figure, name, most)
        part = record["slides" if name in pages else "figures"]
        part[name.rpartition("/")[2]] = [asdict(panel) for panel in panels]
    contents[RECORD] = (json.dumps(record, indent=1) + "\n").encode()

    # Written at the end, so that a run that fails leaves the figures of one run and not of two.
    (folder / SLIDES_FOLDER).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        _write(folder / name, content)
    return [folder / name for name in contents]


def _check_folder(folder: Path, dataset: str, names: Sequence[str]) -> None:
    if dataset == "lol" and folder.resolve() == default_folder("sample").resolve():
        raise LleError(f"{folder} is for the sample: LOL's pictures may not be redistributed")
    if not folder.exists():
        check_writable(folder, overwrite=False)
        return
    if not folder.is_dir():
        raise LleError(f"{folder} is a file; name a folder")
    if (folder / SLIDES_FOLDER).exists() and not (folder / SLIDES_FOLDER).is_dir():
        raise LleError(f"{folder / SLIDES_FOLDER} is a file, and the slides need a folder there")
    for name in names:
        if (folder / name).exists() and not (folder / RECORD).exists():
            raise LleError(
                f"{folder / name} exists already and, without {RECORD} beside it, is not from an "
                "earlier run: name another folder"
            )
        if (folder / name).parent.exists():
            check_writable(folder / name, overwrite=True)


def compare(recorded: Sequence[dict], panels: Sequence[Panel], decibels: float = 0.05) -> list[str]:
    """Compare what `figures.json` says of a figure with what was just computed.

    Parameters
    ----------
    recorded : sequence of dict
        The figure's entry in `figures.json`.
    panels : sequence of Panel
        What the figure's function returned.
    decibels : float, default 0.05
        How far two PSNRs may lie apart; other processors round a little differently. Mean codes
        may differ by 0.5, mean maps by 0.005.

    Returns
    -------
    list of str
        What differs, in words; empty if nothing does.
    """
    if len(recorded) != len(panels):
        return [f"{len(recorded)} panels are recorded and {len(panels)} were made"]
    tolerances = {"psnr": decibels, "mean_code": 0.5, "mean_map": 0.005}
    differences = []
    for old, new in zip(recorded, map(asdict, panels), strict=True):
        for key, value in new.items():
            alike = old[key] == value
            if key in tolerances and None not in (old[key], value):
                alike = alike or abs(old[key] - value) <= tolerances[key]
            if not alike:
                differences.append(
                    f"{new['picture']}, {new['method']}: {key} {old[key]} -> {value}"
                )
    return differences


def default_folder(dataset: str) -> Path:
    """Return where a data set's figures go if nobody says.

    The sample's go to ``notebooks/figures`` of a clone, or ``figures`` in the current folder;
    LOL's to ``figures-lol`` in the data folder, because its pictures may not be redistributed.
    """
    if dataset == "lol":
        return paths.data_dir() / "figures-lol"
    root = paths.checkout_dir()
    return Path("figures") if root is None else root / "notebooks" / "figures"


def fingerprint(model) -> str:
    """Return 16 hexadecimal digits that stand for a model's weights."""
    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(np.ascontiguousarray(values, np.float32).tobytes())
    return digest.hexdigest()[:16]


def encode(figure: Figure, name: str, most: int = MAX_BYTES) -> bytes:
    """Draw a figure and return it as the bytes of a PNG or JPEG file of at most so many.

    The first JPEG quality that fits is taken, from 90 down; the bytes depend on nothing else.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    if name.endswith(".png"):
        return _saved(picture, "PNG", optimize=True)
    for quality in range(90, 39, -5):
        content = _saved(picture, "JPEG", quality=quality, subsampling=0, optimize=True)
        if len(content) <= most:
            break
    return content


def _saved(picture: Image.Image, kind: str, **options) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def _write(path: Path, content: bytes) -> None:
    replace_file(path, lambda partial: Path(partial).write_bytes(content))
