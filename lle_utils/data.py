"""Paired data sets: a dark picture and the same scene well lit, matched by name.

Two sets have one interface: `load("sample")` is embedded and needs no network, `load("lol")` is the
real one once it was fetched (``python -m lle_utils fetch lol``).
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lle_utils import camera, fetch, paths
from lle_utils.errors import LleError
from lle_utils.images import READABLE, as_float, read_uint8, to_uint8

SPLITS = ("train", "validation", "test")
LOL_SPLITS = (*SPLITS, "unseen")
LOL_SHAPE = (400, 600, 3)
LOL_COUNTS = {"our485": 485, "eval15": 15}


class Pair(NamedTuple):
    """One scene, dark and well lit; both float32 RGB in [0, 1], of one shape (height, width, 3)."""

    name: str
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class PairFiles:
    """Where one pair lies, and how its dark picture comes about.

    `exposure_seed` is None where the dark picture is a file; otherwise the dark picture is made
    from the bright one by the camera model, as this seed draws it.
    """

    name: str
    low: Path | None
    high: Path
    exposure_seed: tuple[int, ...] | None = None


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
        self._arrays = None
        if not lazy:
            with ThreadPoolExecutor(4) as pool:
                self._arrays = tuple(pool.map(_read_pair, self._files))

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self._subset(range(len(self))[key])
        low, high = self.uint8(key)
        return Pair(self.names[self._index(key)], as_float(low), as_float(high))

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

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

    def _subset(self, indices: Sequence[int]) -> "PairedSet":
        subset = PairedSet(self.title, [self._files[i] for i in indices], lazy=True)
        if self._arrays:
            subset._arrays = tuple(self._arrays[i] for i in indices)
        return subset


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

    Raises
    ------
    ValueError
        If the name, the split or `exposures` is none of the above.
    LleError
        If the data set is missing or damaged; the message says what to do.
    """
    if name == "sample":
        return load_sample(split, exposures=exposures, lazy=lazy)
    if name == "lol":
        return load_lol(split, exposures=exposures, lazy=lazy)
    raise ValueError(f'the data sets are "sample" and "lol"; there is none called {name!r}')


def load_sample(split: str = "train", *, exposures: int = 1, lazy: bool = False) -> PairedSet:
    """Load a split of the embedded sample; see `load`.

    The held-out folder is the test split; every fourth training scene is for validation.
    """
    _check_split(split, SPLITS)
    folder = paths.sample_dir() / ("heldout" if split == "test" else "train")
    scenes = list_pairs(folder)
    if split == "validation":
        scenes = scenes[3::4]
    elif split == "train":
        scenes = [scene for index, scene in enumerate(scenes) if index % 4 != 3]
    return PairedSet(f"sample, {split}", _exposed(scenes, exposures), lazy=lazy)


def load_lol(split: str = "train", *, exposures: int = 1, lazy: bool = False) -> PairedSet:
    """Load a split of LOL; see `load`.

    Pair 648 is left out, because the camera moved between its two pictures. A copy of LOL that is
    not the published one, or was never verified, says so with a warning.
    """
    _check_split(split, LOL_SPLITS)
    folder = paths.lol_dir()
    part = "eval15" if split == "test" else "our485"
    if not (folder / part).is_dir():
        raise LleError(
            f"LOL is not in {folder}: `python -m lle_utils fetch lol` gets it, "
            f"or set {paths.ENVIRONMENT_VARIABLE} to the folder that holds lol/"
        )
    pair_files = list_pairs(folder / part)
    accepted = fetch.lol_state(folder) == "modified"  # --allow-modified takes missing pairs too
    if len(pair_files) != LOL_COUNTS[part] and not accepted:
        raise LleError(
            f"{folder / part} holds {len(pair_files)} pairs and not {LOL_COUNTS[part]}: "
            "`python -m lle_utils verify` says what is wrong with it"
        )
    note = fetch.lol_note(folder)
    if note:
        warnings.warn(note, stacklevel=3)
    wanted = lol_split_names()[split]
    chosen = [pair for pair in pair_files if pair.name in wanted]
    chosen.sort(key=lambda pair: int(pair.name))
    return PairedSet(f"LOL, {split}", _exposed(chosen, exposures), lazy=lazy)


def load_training(name: str, *, exposures: int = 1, sample: int = 0) -> PairedSet:
    """Load a data set's training split, with camera-made pictures among it if asked for.

    Parameters
    ----------
    name : {"sample", "lol"}
    exposures : int, default 1
        As for `load`.
    sample : int, default 0
        Exposures of each training scene of the sample that are added to LOL's pairs: other places,
        and stronger colors. Scenes smaller than LOL's are left out. 0: none.

    Returns
    -------
    PairedSet

    Raises
    ------
    ValueError, LleError
        As `load` does.
    """
    pairs = load(name, "train", exposures=exposures)
    if name == "sample" or not sample:
        return pairs
    added = load("sample", "train", exposures=sample)
    height, width, _ = LOL_SHAPE
    large = [i for i in range(len(added)) if added.uint8(i)[0].size >= 3 * height * width]
    return pairs + added._subset(large)


def load_folder(folder: str | Path, *, lazy: bool = True) -> PairedSet:
    """Load any folder that holds ``low/`` and ``high/`` with pictures of the same names.

    Raises
    ------
    LleError
        If a subfolder is missing or empty, a name stands on one side only, or (when a pair is
        read) the two pictures differ in size.
    """
    folder = Path(folder)
    return PairedSet(str(folder), list_pairs(folder), lazy=lazy)


def list_pairs(folder: Path) -> list[PairFiles]:
    """List the pairs of a folder with ``low/`` and ``high/`` by name, without reading them."""
    low, high = (_pictures_by_name(Path(folder) / side) for side in ("low", "high"))
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
    """Return the names of each split of LOL: "2" stands for 2.png in ``low/`` and ``high/``."""
    scenes = lol_scenes()
    every = {file for group in scenes["groups"] for file in group}
    held_out = {split: set(scenes["held_out"][split]) for split in ("validation", "unseen")}
    splits = {"test": {file for file in every if file.startswith("eval15/")}, **held_out}
    splits["train"] = every - set(scenes["left_out"]).union(*splits.values())
    return {split: frozenset(Path(file).stem for file in found) for split, found in splits.items()}


def _check_split(split: str, splits: Sequence[str]) -> None:
    if split not in splits:
        raise ValueError(f"the splits are {', '.join(splits)}; there is none called {split!r}")


def _pictures_by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise LleError(f"{folder}: no such folder; a set of pairs has low/ and high/")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in READABLE or path.name.startswith("."):
            continue
        if path.stem in found:
            raise LleError(f"{found[path.stem]} and {path.name} have one name: remove one of them")
        found[path.stem] = path
    if not found:
        raise LleError(f"{folder} holds no pictures")
    return found


def _exposed(scenes: Sequence[PairFiles], exposures: int) -> list[PairFiles]:
    """Return each scene as it is (number 0), and with further exposures of it."""
    if exposures != int(exposures) or exposures < 1:
        raise ValueError(f"exposures must be a whole number of 1 or more, not {exposures!r}")
    found = []
    for scene in scenes:
        found.append(scene)
        for number in range(1, int(exposures)):
            # Seeded by name and number, so that a scene's exposures do not depend on the others.
            seed = (*scene.name.encode(), number)
            found.append(PairFiles(f"{scene.name}#{number}", None, scene.high, seed))
    return found


def _read_pair(pair: PairFiles) -> tuple[np.ndarray, np.ndarray]:
    high = read_uint8(pair.high)
    if pair.low is None:
        rng = np.random.default_rng(pair.exposure_seed)
        exposure, sensor = camera.sample_exposure(rng), camera.sample_camera(rng)
        low = to_uint8(camera.darken(high, exposure, rng, camera=sensor))
    else:
        low = read_uint8(pair.low)
    if low.shape != high.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (low, high)]
        raise LleError(
            f"{pair.low} is {sizes[0]} pixels and {pair.high} is {sizes[1]}: sizes differ"
        )
    return low, high
