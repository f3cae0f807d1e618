"""Paired data sets: a dark picture and the same scene well lit, matched by name.

Two sets have one interface: `load("sample")` is embedded and needs no network, `load("lol")` is the
real one, once fetched (``python -m lle_utils fetch lol``). Training can use more sources: see
`load_source`.
"""

import csv
import json
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lle_utils import camera, fetch, paths
from lle_utils.errors import LleError
from lle_utils.images import as_float, read_uint8, to_uint8
from lle_utils.photos import READABLE
from lle_utils.video import VIDEOS

SPLITS = ("train", "validation", "test")
LOL_SPLITS = (*SPLITS, "unseen")
LOL_COUNTS = {"our485": 485, "eval15": 15}
LOL_NOTES = {
    "modified": "this is a modified copy of LOL (`python -m lle_utils verify` says what differs): "
    "scores differ a little from those on the published files",
    "unverified": "this copy of LOL was never verified, or changed since: "
    "`python -m lle_utils verify` checks it",
}
"""What a user must know who loads LOL in a state other than as published."""


class Pair(NamedTuple):
    """One scene, dark and well lit; both float32 RGB in [0, 1], of one shape (height, width, 3)."""

    name: str
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class PairFiles:
    """Where one pair is stored, and how its dark picture is made.

    `low` is None where the dark picture is no file: then ``darken(high, rng)`` makes it from the
    bright one, with random numbers that depend on the pair's name only.
    """

    name: str
    low: Path | None
    high: Path
    darken: Callable = camera.darken_like_lol


class PairedSet(Sequence):
    """Pairs in a fixed order, held in memory as 8-bit arrays or read from disk when asked for.

    ``pairs[3]`` and ``pairs["coffee"]`` are a `Pair`; ``pairs[:5]`` is a `PairedSet`.

    Attributes
    ----------
    title : str
        What the set is, for headings: "sample, train".
    names : tuple of str
        The pairs' names, in order.
    """

    def __init__(self, title: str, pair_files: Sequence[PairFiles], *, lazy: bool = False):
        self.title = title
        self.names = tuple(pair.name for pair in pair_files)
        self._files = tuple(pair_files)
        self._arrays = () if lazy else _read_pairs(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, key):
        if isinstance(key, slice):
            part = PairedSet(self.title, self._files[key], lazy=True)
            part._arrays = self._arrays[key]
            return part
        low, high = self.uint8(key)
        return Pair(self.names[self._index(key)], as_float(low), as_float(high))

    def __repr__(self) -> str:
        return f"<{len(self)} pairs: {self.title}>"

    def __add__(self, other: "PairedSet") -> "PairedSet":
        """Return the pairs of both sets, the other's last."""
        title = f"{self.title} + {other.title}"
        both = PairedSet(title, [*self._files, *other._files], lazy=True)
        if self._arrays and other._arrays:
            both._arrays = self._arrays + other._arrays
        return both

    def uint8(self, key: int | str) -> tuple[np.ndarray, np.ndarray]:
        """Return the dark and the bright picture as uint8 arrays (height, width, 3), 0..255."""
        index = self._index(key)
        return self._arrays[index] if self._arrays else _read_pair(self._files[index])

    def in_memory(self) -> "PairedSet":
        """Return the same pairs, read now and held in memory: for a slice of a lazy set."""
        return PairedSet(self.title, self._files)

    def _index(self, key: int | str) -> int:
        if isinstance(key, str):
            if key not in self.names:
                raise KeyError(f"no pair is called {key!r} here; there are {', '.join(self.names)}")
            return self.names.index(key)
        return range(len(self))[key]


def load(name: str, split: str = "train", *, exposures: int = 1, lazy: bool = False) -> PairedSet:
    """Load a split of a data set.

    Parameters
    ----------
    name : {"sample", "lol"}
        The embedded sample, or LOL as it was fetched.
    split : {"train", "validation", "test", "unseen"}
        No scene is in two splits, but that LOL's official test split, eval15, repeats 14 scenes of
        the training split. LOL's ``validation`` is for choosing by; its ``unseen`` scenes, which
        the sample lacks, are scored once at the end.
    exposures : int, default 1
        How many dark pictures of each scene. The first is the sample's embedded or LOL's
        photographed one, further ones are made by the camera model, always the same.
    lazy : bool, default False
        Read each pair when it is asked for; for machines with little memory. Otherwise all are
        held as uint8: LOL's training split takes about 0.6 GB.

    Returns
    -------
    PairedSet
    """
    if exposures != int(exposures) or exposures < 1:
        raise ValueError(f"exposures must be a whole number of 1 or more, not {exposures!r}")
    if name == "sample":
        scenes = _sample_split(split)
    elif name == "lol":
        scenes = _lol_split(split)
        name = "LOL"
    else:
        raise ValueError(f'the data sets are "sample" and "lol"; there is none called {name!r}')
    pair_files = [
        PairFiles(f"{scene.name}#{number}", None, scene.high) if number else scene
        for scene in scenes
        for number in range(int(exposures))
    ]
    return PairedSet(f"{name}, {split}", pair_files, lazy=lazy)


def _sample_split(split: str) -> list[PairFiles]:
    """List the pairs of the sample: the held-out folder is the test split."""
    _check_split(split, SPLITS)
    if split == "test":
        return list_pairs(paths.sample_dir() / "heldout")
    return _every_fourth(list_pairs(paths.sample_dir() / "train"), split)


def _lol_split(split: str) -> list[PairFiles]:
    """List the pairs of LOL without 648, as the camera moved between its two pictures.

    A copy that is not the published one, or was never verified, says so with a warning.
    """
    _check_split(split, LOL_SPLITS)
    folder = paths.lol_dir()
    part = "eval15" if split == "test" else "our485"
    if not (folder / part).is_dir():
        raise LleError(
            f"LOL is not in {folder}: `python -m lle_utils fetch lol` gets it, "
            f"or set {paths.ENVIRONMENT_VARIABLE} to the folder that holds lol/"
        )
    found = list_pairs(folder / part)
    state = fetch.lol_state(folder)
    if len(found) != LOL_COUNTS[part] and state != "modified":  # which is complete
        raise LleError(
            f"{folder / part} holds {len(found)} pairs and not {LOL_COUNTS[part]}: "
            "`python -m lle_utils verify` says what is wrong with it"
        )
    if state in LOL_NOTES:
        warnings.warn(LOL_NOTES[state], stacklevel=3)
    wanted = lol_split_names()[split]
    return sorted((pair for pair in found if pair.name in wanted), key=lambda pair: int(pair.name))


def _every_fourth(pairs: Sequence, split: str) -> list:
    """Return every fourth pair for validation, the others to train on."""
    return [pair for i, pair in enumerate(pairs) if (i % 4 == 3) == (split == "validation")]


SOURCES = ("lol", "photos", "pairs", "sample")
VALIDATION_CAMERAS = ("stack_mercury", "stack_jacky")
"""The sets of ``cameras/pairs/`` that no training sees."""


def load_source(name: str) -> PairedSet:
    """Load what training learns from, by name.

    Parameters
    ----------
    name : {"lol", "photos", "pairs", "sample"} or path of a folder
        LOL's training split; the well-lit photographs in ``cameras/photos/`` and those of the
        sample's training scenes, each darkened four times by a camera drawn at random
        (`camera.darken_at_random`); the real pairs of other cameras in ``cameras/pairs/``, without
        those kept for validation; the sample's training scenes in eight exposures; your own pairs,
        as `load_own` reads them.
    """
    if name == "photos":
        return load_photos()
    if name == "pairs":
        return load_camera_pairs("train")
    if name in ("lol", "sample"):
        return load(name, "train", exposures=8 if name == "sample" else 1)
    if Path(name).is_dir():
        return load_own(name, "train")
    raise ValueError(
        f"the sources are {', '.join(SOURCES)} and folders of pairs; there is none called {name!r}"
    )


def load_photos(exposures: int = 4) -> PairedSet:
    """Load the photographs in ``cameras/photos/`` and the sample's, darkened; see `load_source`.

    Photographs of the sample's held-out scenes are left out.
    """
    folder = _cameras_dir() / "photos"
    with (paths.sample_dir() / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "heldout"]
    heldout = {Path(row["source_file"]).stem for row in rows}
    photos = [
        (str(path.relative_to(folder).with_suffix("")), path)
        for path in _find(folder, "**/*")
        if path.stem not in heldout
    ]
    photos += [(scene.name, scene.high) for scene in list_pairs(paths.sample_dir() / "train")]
    darkened = [
        PairFiles(f"{name}#{number}", None, path, camera.darken_at_random)
        for name, path in photos
        for number in range(1, exposures + 1)
    ]
    return PairedSet("photographs, darkened", darkened)


def load_camera_pairs(split: str = "train") -> PairedSet:
    """Load real pairs of other cameras from ``cameras/pairs/SET/{low,high}``.

    The sets named in `VALIDATION_CAMERAS` are for validation, all others for training.
    """
    _check_split(split, ("train", "validation"))
    folder = _cameras_dir() / "pairs"
    chosen = [
        PairFiles(f"{camera_set.name}/{pair.name}", pair.low, pair.high)
        for camera_set in sorted(path for path in folder.iterdir() if path.is_dir())
        if (camera_set.name in VALIDATION_CAMERAS) == (split == "validation")
        for pair in list_pairs(camera_set)
    ]
    return PairedSet(f"other cameras, {split}", chosen)


def _cameras_dir() -> Path:
    folder = paths.data_dir() / "cameras"
    if not folder.is_dir():
        raise LleError(
            f"{folder}: no such folder. It holds photos/ (well-lit photographs of any kind) and "
            "pairs/SET/{low,high}; see data/README.md. `--sources lol sample` trains without it"
        )
    return folder


def load_folder(folder: str | Path, *, lazy: bool = True) -> PairedSet:
    """Load any folder that holds ``low/`` and ``high/`` with pictures of the same names."""
    folder = Path(folder)
    return PairedSet(str(folder), list_pairs(folder), lazy=lazy)


def load_own(folder: str | Path, split: str = "train") -> PairedSet:
    """Load your own pairs, ``low/`` and ``high/``, to train on; every fourth is for validation."""
    _check_split(split, ("train", "validation"))
    found = list_pairs(folder)
    if len(found) < 4:
        raise LleError(f"{folder} holds {len(found)} pairs; training needs 4 or more")
    return PairedSet(f"{folder}, {split}", _every_fourth(found, split))


def list_dark(folder: Path) -> list[Path]:
    """List the pictures and videos of a folder and of those in it, without what is hidden."""
    return _find(folder, "**/*", (*READABLE, *VIDEOS))


def list_pairs(folder: Path) -> list[PairFiles]:
    """List the pairs of a folder with ``low/`` and ``high/`` by name, without reading them."""
    low, high = (_by_name(_find(Path(folder) / side, "*")) for side in ("low", "high"))
    for here, there, side in ((low, high, "high"), (high, low, "low")):
        alone = sorted(here.keys() - there.keys())
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            raise LleError(
                f"{here[alone[0]]}{more} has no partner in {Path(folder) / side}: "
                "the two folders must hold the same names"
            )
    return [PairFiles(name, low[name], high[name]) for name in sorted(low)]


@cache
def lol_scenes() -> dict:
    """Return the committed list of LOL's scene groups, its faults and its held-out scenes."""
    registry = files("lle_utils") / "registry" / "lol_scenes.json"
    return json.loads(registry.read_text(encoding="utf-8"))


@cache
def lol_split_names() -> dict[str, frozenset[str]]:
    """Return the names of each split of LOL: "2" means 2.png in ``low/`` and ``high/``."""
    scenes = lol_scenes()
    every = {file for group in scenes["groups"] for file in group}
    held_out = {split: set(scenes["held_out"][split]) for split in ("validation", "unseen")}
    splits = {"test": {file for file in every if file.startswith("eval15/")}, **held_out}
    splits["train"] = every - set(scenes["left_out"]).union(*splits.values())
    return {split: frozenset(Path(file).stem for file in found) for split, found in splits.items()}


def _check_split(split: str, splits: Sequence[str]) -> None:
    if split not in splits:
        raise ValueError(f"the splits are {', '.join(splits)}; there is none called {split!r}")


def _find(folder: Path, pattern: str, endings: Sequence[str] = READABLE) -> list[Path]:
    """List the files of a folder with these endings, without what is hidden; there must be one."""
    if not folder.is_dir():
        raise LleError(f"{folder}: no such folder")
    found = [
        path
        for path in sorted(folder.glob(pattern))
        if path.suffix.lower() in endings
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise LleError(f"{folder} holds no pictures")
    return found


def _by_name(files: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise LleError(f"{found[path.stem]} and {path.name} have the same name: remove one")
        found[path.stem] = path
    return found


def _read_pairs(pair_files: Sequence[PairFiles]) -> tuple:
    """Read pairs side by side; a bright picture that several share is read once."""
    with ThreadPoolExecutor(4) as pool:
        bright = list(dict.fromkeys(pair.high for pair in pair_files))
        pictures = dict(zip(bright, pool.map(read_uint8, bright), strict=True))
        return tuple(pool.map(lambda pair: _read_pair(pair, pictures[pair.high]), pair_files))


def _read_pair(pair: PairFiles, high: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    if high is None:
        high = read_uint8(pair.high)
    if pair.low is None:
        # Seeded by name and number, so that a scene's exposures do not depend on the others.
        name, _, number = pair.name.rpartition("#")
        rng = np.random.default_rng((*name.encode(), int(number)))
        low = to_uint8(pair.darken(high, rng))
    else:
        low = read_uint8(pair.low)
    if low.shape != high.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (low, high)]
        raise LleError(
            f"{pair.low} is {sizes[0]} pixels and {pair.high} is {sizes[1]}: sizes differ"
        )
    return low, high
