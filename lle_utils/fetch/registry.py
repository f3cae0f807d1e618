"""What a data set must contain and where it can be had, read from the files in ``registry/``.

Nothing about a particular data set is written in code: a new mirror is a new table in a TOML file,
and the tests describe a miniature data set in the same way.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "registry"

SIDES = ("low", "high")


@dataclass(frozen=True)
class Source:
    """One place that a data set may be had from.

    Attributes
    ----------
    title : str
        What the user reads, such as ``"Hugging Face (owner/name)"``.
    kind : str
        ``"https"`` (any plain URL) or ``"drive"`` (a Google Drive file).
    url : str
        The address, for ``"https"``.
    id : str
        The Google Drive file id, for ``"drive"``.
    """

    title: str
    kind: str
    url: str = ""
    id: str = ""

    def __post_init__(self):
        """Refuse a source that cannot be tried."""
        needed = {"https": self.url, "drive": self.id}
        if self.kind not in needed:
            raise ValueError(f"source {self.title!r}: kind is {self.kind!r}, not https or drive")
        if not needed[self.kind]:
            raise ValueError(f"source {self.title!r}: kind {self.kind} needs its url or id")


@dataclass(frozen=True)
class Registry:
    """What a paired data set must contain, down to the bytes, and where it can be had.

    Attributes
    ----------
    name, title, citation : str
        The folder's name, what the user reads, and what to cite.
    width, height : int
        Size of every picture in pixels.
    splits : dict of str to int
        Pairs in each folder, such as ``{"our485": 485, "eval15": 15}``.
    md5 : dict of str to str
        MD5 of each published file, by name: ``SPLIT/low/NAME.png`` or ``SPLIT/high/NAME.png``.
    pixels : dict of str to str
        SHA-256 of the raw RGB bytes of those files whose published pixels are known.
    looks : dict of str to str
        What each picture looks like; see `lle_utils.fetch.pixels.look`.
    sources : tuple of Source
        In the order in which they are tried.
    manual_address : str
        Where a person can download the archive with a browser.
    archive_names : tuple of str
        Names under which a hand-downloaded archive in the data folder is found.
    archive_bytes, unpacked_bytes : int
        About how much a download and the unpacked data set take.
    max_file_bytes, max_total_bytes : int
        Bounds for one unpacked picture and for all that an archive declares.
    """

    name: str
    title: str
    width: int
    height: int
    splits: dict[str, int]
    md5: dict[str, str]
    pixels: dict[str, str] = field(default_factory=dict)
    looks: dict[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    citation: str = ""
    manual_address: str = ""
    archive_names: tuple[str, ...] = ()
    archive_bytes: int = 0
    unpacked_bytes: int = 0
    max_file_bytes: int = 4_000_000
    max_total_bytes: int = 3_000_000_000

    def __post_init__(self):
        """Refuse a registry that contradicts itself; it would refuse every archive."""
        for split, pairs in self.splits.items():
            low, high = (
                {name.rsplit("/", 1)[1] for name in self.md5 if name.startswith(f"{split}/{side}/")}
                for side in SIDES
            )
            if low != high or len(low) != pairs:
                raise ValueError(f"registry {self.name}: {split} does not list {pairs} whole pairs")
        unknown = (set(self.pixels) | set(self.looks)) - set(self.md5)
        if unknown:
            raise ValueError(f"registry {self.name}: pixels of unlisted file {min(unknown)}")


def read_sums(path):
    """Read a checksum file as ``md5sum`` and ``sha256sum`` write it.

    Parameters
    ----------
    path : pathlib.Path
        One ``DIGEST  NAME`` a line; lines that start with ``#`` are comments.

    Returns
    -------
    dict of str to str
        Digest (lower-case hexadecimal) by name.
    """
    sums = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            digest, name = line.split(maxsplit=1)
            sums[name.removeprefix("*").removeprefix("./")] = digest.lower()
    return sums


def load_registry(name="lol", folder=FOLDER):
    """Read the registry of a data set.

    Parameters
    ----------
    name : str
        Reads ``NAME.toml``, ``NAME_md5.txt`` and, if they are there, ``NAME_pixels.txt`` and
        ``NAME_looks.txt``.
    folder : pathlib.Path
        Where those files are; the package's own by default.

    Returns
    -------
    Registry
        The checked registry.

    Raises
    ------
    ValueError
        If the files contradict each other.
    """
    folder = Path(folder)
    facts = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    sources = tuple(Source(**table) for table in facts.pop("source", []))
    pixels, looks = (folder / f"{name}_{what}.txt" for what in ("pixels", "looks"))
    facts["archive_names"] = tuple(facts.get("archive_names", ()))
    return Registry(
        md5=read_sums(folder / f"{name}_md5.txt"),
        pixels=read_sums(pixels) if pixels.exists() else {},
        looks=read_sums(looks) if looks.exists() else {},
        sources=sources,
        **facts,
    )
