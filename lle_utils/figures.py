"""Make the README's figures and the record of what they show.

`drawing` draws, `material` has the arrays. Here each figure's function takes its arrays from the
material and returns the Figure and a list of panels. `make_figures` writes them all, with
`figures.json` beside them: which pictures, how many iterations, how many decibels.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lle_utils import baselines, founding, paths, vision
from lle_utils.curve import adjust_exposure
from lle_utils.drawing import (
    comparison,
    curve_family,
    examples,
    hero,
    iteration_by_iteration,
    success,
    two_objectives,
)
from lle_utils.errors import LleError
from lle_utils.images import check_writable, remove_parts, replace_file
from lle_utils.inference import SETTINGS, map_kinds
from lle_utils.material import Material, Panel

RECORD = "figures.json"
MAX_BYTES = 300_000


def make_hero(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the picture that the README opens with: held-out scenes, eight iterations."""
    names = material.pictures["hero"]
    pairs = [(material.pair(name).low, material.enhanced(name)) for name in names]
    panels = [material.panel(name, "enhancer", material.enhanced(name), 8) for name in names]
    return hero(pairs, material.untouched), panels


def make_iterations(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's figure: original, maps and pictures iteration by iteration."""
    name = material.pictures["iterations"]
    pair, steps = material.pair(name), material.steps(name)
    kinds = map_kinds(material.models["enhancer"].schedule)
    figure = iteration_by_iteration(pair.low, steps, pair.high, kinds, material.untouched)
    return figure, material.described_steps(name)


def make_examples(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the founding document's examples: after 12, 8 and 7 iterations, by darkness."""
    rows, panels = [], []
    for name in material.pictures["examples"]:
        pair = material.pair(name)
        iterations = founding.iterations_for(pair.low)
        enhanced = material.enhanced(name, iterations)
        rows.append((iterations, pair.low, enhanced, pair.high))
        panels.append(material.panel(name, material.untouched, pair.low))
        panels.append(material.panel(name, "enhancer", enhanced, iterations))
    return examples(rows), panels


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
    name = material.median_scene()
    pair = material.pair(name)
    constant = material.constant
    methods = [
        (material.untouched, pair.low, None),
        ("gamma 0.4", baselines.gamma(pair.low), None),
        ("equalized", baselines.equalize(pair.low), None),
        ("CLAHE", baselines.clahe(pair.low), None),
        ("LIME-like", baselines.lime_like(pair.low), None),
        (f"one constant, m = {constant:.2f}", baselines.constant_map(pair.low, constant), 8),
        ("enhancer", material.enhanced(name), 8),
    ]
    panels = [material.panel(name, method, picture, n) for method, picture, n in methods]
    shown = [
        ("our enhancer" if method == "enhancer" else method, picture, f"{panel.psnr:.1f} dB")
        for (method, picture, _), panel in zip(methods, panels, strict=True)
    ]
    return comparison([*shown, ("reference", pair.high, "")]), panels


def make_curves(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the curve family; it needs no picture."""
    return curve_family(), []


def make_vision(material: Material) -> tuple[Figure, list[Panel]]:
    """Make what detectors see in the dark, from the committed table; it needs no picture."""
    left_out = ("gain", "exposure alone")  # nine bands are too many; notebook 08 has all
    rows = [row for row in vision.read_table() if row["method"] not in left_out]
    return success(vision.curves_of(rows)), []


def make_objectives(material: Material) -> tuple[Figure, list[Panel]]:
    """Make the comparison of the founding objective with training through the curve."""
    name = material.pictures["objectives"]
    pair = material.pair(name)
    titles = {
        "founding": "trained as published: the map itself is compared with the well-lit picture",
        "enhancer": "trained through the curve: the enhanced picture is compared with it",
    }
    runs = [(title, material.steps(name, 8, weights)) for weights, title in titles.items()]
    panels = [one for weights in titles for one in material.described_steps(name, weights)]
    return two_objectives(pair.low, pair.high, runs, (1, 4, 7, 8), material.untouched), panels


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
    weights: str | Path = "enhancer",
    makers: Mapping[str, Callable] = FIGURES,
    progress: Callable = iter,
) -> list[Path]:
    """Make every figure of the README and the record of what they show.

    Parameters
    ----------
    dataset : {"sample", "lol"}
    folder : str or Path, optional
        Where to; it is made if the folder above it exists. By default `default_folder`.
    weights : str or Path
        As `Material` takes them.
    makers : mapping of str to callable
        What to make, by file name.
    progress : callable
        Wraps the list of file names, to show progress: ``tqdm`` for example.

    Returns
    -------
    list of Path
        The files, `figures.json` last. The same weights and pictures give the same files.
    """
    folder = Path(default_folder(dataset) if folder is None else folder)
    _check_folder(folder, dataset, [*makers, RECORD])
    material = Material(dataset, weights)
    weights = {name: fingerprint(model) for name, model in material.models.items()}
    record = {"dataset": dataset, "split": "test", "weights": weights, "figures": {}}
    contents = {}
    for name in progress(list(makers)):
        figure, panels = makers[name](material)
        contents[name] = encode(figure, name)
        record["figures"][name] = [asdict(panel) for panel in panels]
    contents[RECORD] = (json.dumps(record, indent=1) + "\n").encode()

    # Written at the end, so that a run that fails leaves the figures of one run and not of two.
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        replace_file(folder / name, lambda path, content=content: Path(path).write_bytes(content))
    return [folder / name for name in contents]


def _check_folder(folder: Path, dataset: str, names: Sequence[str]) -> None:
    if dataset == "lol" and _is_in_repository(folder):
        raise LleError(
            f"{folder} is in the repository, and LOL's pictures may not be redistributed: name a "
            "folder outside of it, or none"
        )
    remove_parts(folder)
    if not folder.exists():
        check_writable(folder, overwrite=False)
        return
    if not folder.is_dir():
        raise LleError(f"{folder} is a file; name a folder")
    for name in names:
        if (folder / name).exists() and not (folder / RECORD).exists():
            raise LleError(
                f"{folder / name} exists already and, without {RECORD} beside it, is not from an "
                "earlier run: name another folder"
            )
        check_writable(folder / name, overwrite=True)


def _is_in_repository(folder: Path) -> bool:
    """Tell whether a folder is part of the clone and not of the folder that git ignores."""
    root, folder = paths.checkout_dir(), folder.resolve()
    ignored = folder.is_relative_to(default_folder("lol").resolve())
    return root is not None and folder.is_relative_to(root) and not ignored


TOLERANCES = {"psnr": 0.05, "mean_code": 0.5, "mean_map": 0.005}
"""By how much a figure's numbers may differ: other processors round a little differently."""


def compare(recorded: Sequence[dict], panels: Sequence[Panel]) -> list[str]:
    """Say in words how a figure's entry in `figures.json` differs from what was just computed."""
    if len(recorded) != len(panels):
        return [f"{len(recorded)} panels are recorded and {len(panels)} were made"]
    differences = []
    for old, new in zip(recorded, map(asdict, panels), strict=True):
        where = f"{new['picture']}, {new['method']}"
        for key, value in new.items():
            alike = old[key] == value
            if not alike and key in TOLERANCES and None not in (old[key], value):
                alike = abs(old[key] - value) <= TOLERANCES[key]
            if not alike:
                differences.append(f"{where}: {key} {old[key]} -> {value}")
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
    """Draw a figure and return it as the bytes of a PNG file, or of a JPEG of `MAX_BYTES` at most.

    The first JPEG quality that fits is taken, from 90 down; the bytes depend on nothing else.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    content = io.BytesIO()
    if name.endswith(".png"):
        picture.save(content, "PNG", optimize=True)
        return content.getvalue()
    for quality in range(90, 39, -5):
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=quality, subsampling=0, optimize=True)
        if content.tell() <= MAX_BYTES:
            break
    return content.getvalue()
