"""Make the README's figures and the record of what they show.

`drawing` draws, `material` has the arrays. Here each figure's function takes its arrays from the
material and returns the Figure and a list of panels. `make_figures` writes them all, with
`figures.json` beside them: which pictures, how many iterations, how many decibels.
"""

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lle_utils import baselines, drawing, founding, paths, vision
from lle_utils.curve import adjust_exposure
from lle_utils.drawing import comparison
from lle_utils.errors import LleError
from lle_utils.images import check_writable, replace_file
from lle_utils.inference import SETTINGS, map_kinds
from lle_utils.material import Material, Panel

RECORD = "figures.json"
MAX_BYTES = 300_000


def make_hero(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the picture that the README opens with: held-out scenes, eight iterations."""
    pairs, panels = [], []
    for name in material.pictures["hero"]:
        enhanced = material.enhanced(name)
        pairs.append((material.pair(name).low, enhanced))
        panels.append(material.panel(name, "enhancer", enhanced, 8))
    return drawing.hero(pairs, material.untouched), panels


def make_iterations(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's figure: original, maps and pictures iteration by iteration."""
    name = material.pictures["iterations"]
    figure = drawing.iteration_by_iteration(
        material.pair(name).low,
        material.steps(name),
        material.pair(name).high,
        map_kinds(material.models["enhancer"].schedule),
        material.untouched,
    )
    return figure, material.described_steps(name)


def make_examples(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's examples: after 12, 8 and 7 iterations, by darkness."""
    dark, bright, references, panels = [], [], [], []
    for name in material.pictures["examples"]:
        _, low, high = material.pair(name)
        iterations = founding.iterations_for(low)
        enhanced = material.enhanced(name, iterations)
        dark.append((f"mean code {255 * low.mean():.1f}", low, ""))
        bright.append((f"after {iterations} iterations", enhanced, ""))
        references.append(("reference", high, ""))
        panels.append(material.panel(name, material.untouched, low))
        panels.append(material.panel(name, "enhancer", enhanced, iterations))
    return comparison([*dark, *bright, *references], columns=len(dark)), panels


def make_dial(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the exposure dial: -1, 0 and +1 stop, and below it 7, 8, 12 and 24 iterations."""
    name = material.pictures["dial"]
    low = material.pair(name).low
    pictures = [(material.untouched, low)]
    panels = [material.panel(name, material.untouched, low)]
    for stops, words in ((-1, "−1 EV"), (0, "0 EV"), (1, "+1 EV")):
        picture = adjust_exposure(material.enhanced(name), stops)
        pictures.append((f"exposure {words}", picture))
        panels.append(material.panel(name, f"enhancer, {words}", picture, 8))
    for iterations in (7, 8, 12, 24):
        picture = material.enhanced(name, iterations)
        pictures.append((f"{iterations} iterations", picture))
        panels.append(material.panel(name, "enhancer", picture, iterations))
    shown = [(title, one, f"mean code {255 * one.mean():.0f}") for title, one in pictures]
    return comparison(shown), panels


def make_baselines(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison with simple methods, on the enhancer's median scene."""
    name, low, high = material.pair(material.median_scene())
    m = material.constant
    shown, panels = [], []
    for method, picture, iterations in (
        (material.untouched, low, None),
        ("gamma 0.4", baselines.gamma(low), None),
        ("equalized", baselines.equalize(low), None),
        ("CLAHE", baselines.clahe(low), None),
        ("LIME-like", baselines.lime_like(low), None),
        (f"one constant, m = {m:.2f}", baselines.constant_map(low, m), 8),
        ("enhancer", material.enhanced(name), 8),
    ):
        panels.append(material.panel(name, method, picture, iterations))
        shown.append((method, picture, f"{panels[-1].psnr:.1f} dB"))
    return comparison([*shown, ("reference", high, "")]), panels


def make_curves(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the curve family; it needs no picture."""
    return drawing.curve_family(), []


def make_vision(material: Material) -> tuple[Figure, list[Panel]]:
    """Make what detectors see in the dark, from the committed table; it needs no picture."""
    left_out = ("gain", "exposure alone")  # nine bands are too many; notebook 08 has all
    rows = [row for row in vision.read_table() if row["method"] not in left_out]
    return drawing.success(vision.curves_of(rows)), []


def make_objectives(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison of the founding objective with training through the curve."""
    name, low, high = material.pair(material.pictures["objectives"])
    runs, panels = [], []
    for weights, title in (
        ("founding", "trained as published: the map itself is compared with the well-lit picture"),
        ("enhancer", "trained through the curve: the enhanced picture is compared with it"),
    ):
        steps = material.steps(name, 8, weights)
        runs.append((title, {number: steps[number - 1] for number in (1, 4, 7, 8)}))
        panels += material.described_steps(name, weights)
    return drawing.two_objectives(low, high, runs, material.untouched), panels


FIGURES = {
    "hero.jpg": make_hero,
    "iterations.jpg": make_iterations,
    "examples.jpg": make_examples,
    "dial.jpg": make_dial,
    "baselines.jpg": make_baselines,
    "curves.png": make_curves,
    "objectives.jpg": make_objectives,
    "vision.png": make_vision,
}
"""The README's figures by file name; each function takes the `Material`."""


def make_figures(
    dataset: str = "sample",
    folder: str | Path | None = None,
    *,
    makers: Mapping[str, Callable] = FIGURES,
    progress: Callable = iter,
) -> list[Path]:
    """Make figures and the record of what they show; return the files, `figures.json` last.

    `folder` is made if the folder above it exists. `progress` wraps the list of file names, as
    ``tqdm`` does. The same weights and pictures give the same files.
    """
    folder = Path(default_folder(dataset) if folder is None else folder)
    _check_folder(folder, dataset)
    material = Material(dataset)
    weights = {name: fingerprint(model) for name, model in material.models.items()}
    record = {"dataset": dataset, "split": "test", "weights": weights, "figures": {}}
    contents = {}
    for name in progress(list(makers)):
        figure, panels = makers[name](material)
        contents[name] = encode(figure, name)
        record["figures"][name] = [vars(panel) for panel in panels]
    contents[RECORD] = (json.dumps(record, indent=1) + "\n").encode()

    # Written at the end, so that a run that fails leaves the figures of one run and not of two.
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        replace_file(folder / name, lambda path, content=content: Path(path).write_bytes(content))
    return [folder / name for name in contents]


def _check_folder(folder: Path, dataset: str) -> None:
    """Refuse a folder before any work is spent on it."""
    root, ignored = paths.checkout_dir(), default_folder("lol").resolve()
    in_repository = root is not None and folder.resolve().is_relative_to(root)
    if dataset == "lol" and in_repository and not folder.resolve().is_relative_to(ignored):
        raise LleError(
            f"{folder} is in the repository, and LOL's pictures may not be redistributed: name a "
            "folder outside it, or none"
        )
    if not folder.exists():
        check_writable(folder, overwrite=False)
        return
    has_files = folder.is_file() or any(path.is_file() for path in folder.iterdir())
    if has_files and not (folder / RECORD).exists():
        raise LleError(
            f"{folder} exists already and, without {RECORD} in it, is not from an earlier run: "
            "name another folder"
        )
    check_writable(folder / RECORD, overwrite=True)


def compare(recorded: Sequence[Mapping], panels: Sequence[Panel]) -> list[str]:
    """Say in words how a figure's entry in `figures.json` differs from what was just computed.

    Other processors round a little differently, so numbers may differ by 0.3 %.
    """
    if len(recorded) != len(panels):
        return [f"{len(recorded)} panels are recorded and {len(panels)} were made"]
    differences = []
    for olds, panel in zip(recorded, panels, strict=True):
        for key, new in vars(panel).items():
            old = olds[key]
            close = isinstance(old, float) and isinstance(new, float)
            close = close and math.isclose(old, new, rel_tol=0.003, abs_tol=0.005)
            if old != new and not close:
                differences.append(f"{panel.picture}, {panel.method}: {key} {old} -> {new}")
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
    """Return 16 hexadecimal digits that identify a model's weights and settings."""
    settings = [getattr(model, name, None) for name in SETTINGS]
    digest = hashlib.sha256(repr(settings).encode())
    for values in model.network.get_weights():
        digest.update(np.ascontiguousarray(values, np.float32).tobytes())
    return digest.hexdigest()[:16]


def encode(figure: Figure, name: str) -> bytes:
    """Draw a figure and return it as the bytes of a PNG or JPEG file.

    Of a JPEG the first quality is taken, from 90 down, with which it has at most `MAX_BYTES`.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    kind = "PNG" if name.endswith(".png") else "JPEG"  # of a PNG, the quality changes nothing
    for quality in range(90, 39, -5):
        content = io.BytesIO()
        picture.save(content, kind, quality=quality, subsampling=0, optimize=True)
        if content.tell() <= MAX_BYTES:
            break
    return content.getvalue()
