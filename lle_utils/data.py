"""Paired data sets: a dark picture and the same scene well lit, matched by name.

`load("sample")` is embedded and needs no network, `load("lol")` is the real one, once fetched
(``python -m lle_utils fetch lol``). Training can use more sources: see `load_source`.
"""

import csv
import json
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lle_utils import camera, fetch, paths
from lle_utils.errors import LleError
from lle_utils.fetch.verify import REGISTRY_FOLDER
from lle_utils.images import as_float, read_uint8, to_uint8
from lle_utils.photos import READABLE
from lle_utils.video import VIDEOS

SPLITS = ("train", "validation", "test")
LOL_SPLITS = (*SPLITS, "unseen")
SOURCES = ("lol", "photos", "pairs", "sample")
VALIDATION_CAMERAS = ("stack_mercury", "stack_jacky")
"""The sets of ``cameras/pairs/`` that no training sees."""


class Pair(NamedTuple):
    """One scene, dark and well lit; both float32 RGB in [0, 1], of one shape (height, width, 3)."""

    name: str
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class PairFiles:
    """Where one pair is stored; if `low` is None, ``darken(high, rng)`` makes the dark picture."""

    name: str
    low: Path | None
    high: Path
    darken: Callable = camera.darken_like_lol


class PairedSet(Sequence):
    """Pairs in a fixed order, read from disk when asked for, or held in memory as 8-bit arrays.

    ``pairs[3]`` and ``pairs["coffee"]`` are a `Pair`; ``pairs[:5]`` is a `PairedSet`.

    Attributes
    ----------
    title : str
        What the set is, for headings: "sample, train".
    names : tuple of str
        The pairs' names, in order.
    """

    def __init__(self, title: str, pair_files: Sequence[PairFiles], arrays: Sequence = ()):
        self.title, self._files, self._arrays = title, tuple(pair_files), arrays
        self.names = tuple(pair.name for pair in pair_files)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return PairedSet(self.title, self._files[key], self._arrays[key])
        low, high = self.uint8(key)
        return Pair(self.names[self._index(key)], as_float(low), as_float(high))

    def __repr__(self) -> str:
        return f"<{len(self)} pairs: {self.title}>"

    def uint8(self, key: int | str) -> tuple[np.ndarray, np.ndarray]:
        """Return the dark and the bright picture as uint8 arrays (height, width, 3), 0..255."""
        index = self._index(key)
        if self._arrays:
            return self._arrays[index]
        pair = self._files[index]
        return _read_pair(pair, read_uint8(pair.high))

    def in_memory(self) -> "PairedSet":
        """Return the same pairs, read now and held in memory."""
        return PairedSet(self.title, self._files, _read_pairs(self._files))

    def _index(self, key: int | str) -> int:
        if isinstance(key, str):
            key = {name: number for number, name in enumerate(self.names)}[key]
        return range(len(self))[key]


def load(name: str, split: str = "train", *, exposures: int = 1, lazy: bool = False) -> PairedSet:
    """Load a split of a data set.

    Parameters
    ----------
    name : {"sample", "lol"}
        The embedded sample, or LOL as it was fetched.
    split : {"train", "validation", "test", "unseen"}
        No scene is in two splits, except that LOL's official test split, eval15, repeats 14 scenes
        of the training split. LOL's ``validation`` is for choosing by; its ``unseen`` scenes, which
        the sample lacks, are scored once at the end.
    exposures : int, default 1
        How many dark pictures of each scene. The first is the sample's embedded or LOL's
        photographed one, further ones are made by the camera model, always the same.
    lazy : bool, default False
        Read each pair when it is asked for; for machines with little memory. Otherwise all are
        held as uint8: LOL's training split takes about 0.6 GB.
    """
    _check(name, ("sample", "lol"), "data sets")
    scenes = _list_sample(split) if name == "sample" else _list_lol(split)
    pair_files = [
        PairFiles(f"{scene.name}#{number}", None, scene.high) if number else scene
        for scene in scenes
        for number in range(exposures)
    ]
    pairs = PairedSet(f"{name}, {split}", pair_files)
    return pairs if lazy else pairs.in_memory()


def _list_sample(split: str) -> list[PairFiles]:
    """List the pairs of the sample: the held-out folder is the test split."""
    _check(split, SPLITS, "splits")
    if split == "test":
        return list_pairs(paths.sample_dir() / "heldout")
    return _every_fourth(list_pairs(paths.sample_dir() / "train"), split)


def _list_lol(split: str) -> list[PairFiles]:
    """List the pairs of a split of LOL; a copy that is not the published one warns."""
    _check(split, LOL_SPLITS, "splits")
    names = sorted(lol_split_names()[split], key=int)
    folder = paths.lol_dir() / ("eval15" if split == "test" else "our485")
    low, high = ([folder / side / f"{name}.png" for name in names] for side in ("low", "high"))
    for path in (*low, *high):
        if not path.is_file():
            raise LleError(
                f"LOL is not complete: {path} is missing. `python -m lle_utils fetch lol` gets "
                "it, or set LLE_DATA_DIR to the folder that holds lol/"
            )
    state = fetch.lol_state()
    if state != "published":
        warnings.warn(
            f"this copy of LOL is {state}: `python -m lle_utils verify` says how it differs from "
            "the published one, and scores may differ too",
            stacklevel=3,
        )
    return list(map(PairFiles, names, low, high))


def _every_fourth(pairs: Sequence, split: str) -> list:
    """Return every fourth pair for validation, the others to train on."""
    return [pair for i, pair in enumerate(pairs) if (i % 4 == 3) == (split == "validation")]


def load_source(name: str, split: str = "train") -> PairedSet:
    """Load what training learns from, or is validated on, by name.

    Parameters
    ----------
    name : {"lol", "photos", "pairs", "sample"} or path of a folder
        LOL; the well-lit photographs in ``cameras/photos/`` and those of the sample's training
        scenes, each darkened four times by a camera drawn at random (`camera.darken_at_random`),
        for training only; the real pairs of other cameras in ``cameras/pairs/SET/{low,high}``; the
        sample in eight exposures; your own pairs, in ``low/`` and ``high/`` of a folder.
    split : {"train", "validation"}
        LOL's or the sample's. Of "pairs", the cameras in `VALIDATION_CAMERAS` are for validation;
        of your own pairs, every fourth.
    """
    _check(split, ("train",) if name == "photos" else ("train", "validation"), "splits")
    if name in ("lol", "sample"):
        return load(name, split, exposures=8 if name == "sample" else 1)
    if name in ("photos", "pairs"):
        folder = paths.data_dir() / "cameras" / name
        if not folder.is_dir():
            raise LleError(
                f"{folder}: no such folder; data/README.md says what belongs in it. "
                "`--sources lol sample` trains without it"
            )
        found = _list_photos(folder) if name == "photos" else _list_camera_pairs(folder, split)
    else:
        if not Path(name).is_dir():
            _check(name, SOURCES, "sources, besides folders,")
        found = list_pairs(name)
        if len(found) < 4:
            raise LleError(f"{name} holds {len(found)} pairs; training needs 4 or more")
        found = _every_fourth(found, split)
    return PairedSet(f"{name}, {split}", found).in_memory()


def _list_photos(folder: Path) -> list[PairFiles]:
    """List photographs, without those of the sample's held-out scenes, four exposures of each."""
    with (paths.sample_dir() / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "heldout"]
    heldout = {Path(row["source_file"]).stem for row in rows}
    photos = [path for path in _find(folder, "**/*") if path.stem not in heldout]
    names = [str(path.relative_to(folder).with_suffix("")) for path in photos]
    sample = list_pairs(paths.sample_dir() / "train")
    return [
        PairFiles(f"{name}#{number}", None, path, camera.darken_at_random)
        for name, path in [*zip(names, photos, strict=True), *((s.name, s.high) for s in sample)]
        for number in (1, 2, 3, 4)
    ]


def _list_camera_pairs(folder: Path, split: str) -> list[PairFiles]:
    """List the pairs of the cameras that are for training, or for validation."""
    return [
        PairFiles(f"{camera_set.name}/{pair.name}", pair.low, pair.high)
        for camera_set in sorted(folder.glob("*/"))
        if (camera_set.name in VALIDATION_CAMERAS) == (split == "validation")
        for pair in list_pairs(camera_set)
    ]


def load_folder(folder: str | Path) -> PairedSet:
    """List any folder that holds ``low/`` and ``high/`` with pictures of the same names."""
    return PairedSet(str(folder), list_pairs(folder))


def list_dark(folder: Path) -> list[Path]:
    """List the pictures and videos of a folder and of those in it, without what is hidden."""
    return _find(folder, "**/*", (*READABLE, *VIDEOS))


def list_pairs(folder: str | Path) -> list[PairFiles]:
    """List the pairs of a folder with ``low/`` and ``high/`` by name, without reading them."""
    sides = (_find(Path(folder) / side, "*") for side in ("low", "high"))
    low, high = (sorted(files, key=lambda path: path.stem) for files in sides)
    names_low, names_high = ([path.stem for path in files] for files in (low, high))
    if names_low != names_high:
        odd = Counter(names_low) - Counter(names_high) or Counter(names_high) - Counter(names_low)
        raise LleError(f"{folder}: low/ and high/ do not hold one picture each called {min(odd)}")
    return list(map(PairFiles, names_low, low, high))


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


@cache
def lol_scenes() -> dict:
    """Return the committed list of LOL's scene groups, its faults and its held-out scenes."""
    return json.loads((REGISTRY_FOLDER / "lol_scenes.json").read_text(encoding="utf-8"))


@cache
def lol_split_names() -> dict[str, frozenset[str]]:
    """Return the names of each split of LOL: "2" means 2.png in ``low/`` and ``high/``."""
    scenes = lol_scenes()
    every = {file for group in scenes["groups"] for file in group}
    held_out = {split: set(scenes["held_out"][split]) for split in ("validation", "unseen")}
    splits = {"test": {file for file in every if file.startswith("eval15/")}, **held_out}
    splits["train"] = every - set(scenes["left_out"]).union(*splits.values())
    return {split: frozenset(Path(file).stem for file in found) for split, found in splits.items()}


def _check(name: str, names: Sequence[str], kind: str) -> None:
    if name not in names:
        raise ValueError(f"the {kind} are {', '.join(names)}; there is none called {name!r}")


def _read_pairs(pair_files: Sequence[PairFiles]) -> tuple:
    """Read pairs side by side; a bright picture that several share is read once."""
    with ThreadPoolExecutor(4) as pool:
        bright = list(dict.fromkeys(pair.high for pair in pair_files))
        pictures = dict(zip(bright, pool.map(read_uint8, bright), strict=True))
        return tuple(pool.map(lambda pair: _read_pair(pair, pictures[pair.high]), pair_files))


def _read_pair(pair: PairFiles, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if pair.low is None:
        # Seeded by name and number, so that a scene's exposures do not depend on the others.
        name, _, number = pair.name.rpartition("#")
        rng = np.random.default_rng((*name.encode(), int(number)))
        low = to_uint8(pair.darken(high, rng))
    else:
        low = read_uint8(pair.low)
    if low.shape != high.shape:
        raise LleError(f"{pair.low} and {pair.high} differ in size")
    return low, high
