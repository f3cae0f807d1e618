"""What LOL must contain, and whether a copy does.

A file is the published one by its MD5, or it is not. A verified copy carries a record,
``verified.txt``, with a stamp of its pictures' sizes and times; it counts until one changes.
"""

import hashlib
import tomllib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

from PIL import Image
from tqdm.auto import tqdm

from lle_utils import paths
from lle_utils.errors import LleError

REGISTRY_FOLDER = Path(__file__).resolve().parents[1] / "registry"
RECORD = "verified.txt"
VERDICTS = {
    "published": "This is LOL as published.",
    "modified": "This is a near copy of LOL, which `fetch` takes only with --allow-modified.",
    "unverified": "The files do not match the registry of LOL and cannot be used.",
}


def load_registry():
    """Return the fields of ``registry/lol.toml``, and ``md5`` by file name from ``lol_md5.txt``."""
    facts = tomllib.loads((REGISTRY_FOLDER / "lol.toml").read_text(encoding="utf-8"))
    lines = (REGISTRY_FOLDER / "lol_md5.txt").read_text(encoding="utf-8").splitlines()
    md5 = {name: digest for digest, name in map(str.split, lines)}
    return SimpleNamespace(**facts, md5=md5)


LOL = load_registry()


class Kind(StrEnum):
    """What one file turned out to be."""

    PUBLISHED = "the published file"
    MODIFIED = "a different picture of the right size (saved again, re-encoded or edited)"
    MISPLACED = "a different published picture under this name"
    UNUSABLE = "not a readable RGB picture of the right size"
    MISSING = "missing"
    EXTRA = "never published"


@dataclass
class Report:
    """What a copy of LOL turned out to hold: a `Kind` for each file."""

    folder: Path
    findings: dict[str, Kind]

    @property
    def counts(self):
        """How many files there are of each `Kind`."""
        return Counter(self.findings.values())

    @property
    def state(self):
        """What follows: "published", "modified" (a complete near copy) or "unverified"."""
        kinds = set(self.counts)
        if kinds == {Kind.PUBLISHED}:
            return "published"
        near = {Kind.PUBLISHED, Kind.MODIFIED, Kind.EXTRA}
        return "modified" if kinds <= near else "unverified"

    def lines(self):
        """For each kind that occurs, how many files there are and the first; then the verdict."""
        first = {kind: name for name, kind in reversed(self.findings.items())}
        counts = self.counts.most_common()
        found = [f"{n} x {kind}: {first[kind]}{', ...' if n > 1 else ''}" for kind, n in counts]
        return [*found, VERDICTS[self.state]]

    def summary(self):
        """Return the findings and the verdict as several lines."""
        return "\n  ".join([f"LOL in {self.folder}:", *self.lines()])


def verify_lol(folder=None, *, progress=False):
    """Judge every file of a copy of LOL by its content, and record the result beside it.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The copy; where `fetch_lol` puts it by default.
    progress : bool
        True draws a progress bar.
    """
    from lle_utils.images import replace_file

    folder = _absolute(folder)
    found = [path for split in LOL.splits for path in folder.glob(f"{split}/*/[!.]*.png")]
    extra = {path.relative_to(folder).as_posix() for path in found} - set(LOL.md5)
    names = tqdm([*LOL.md5, *sorted(extra)], "Checking LOL", leave=False, disable=not progress)
    report = Report(folder, {name: _judge(folder, name) for name in names})
    if report.state != "unverified":
        record = f"{report.state} {_stamp(folder)}\n"
        with suppress(LleError):  # a read-only disk: verified again next time
            replace_file(folder / RECORD, lambda partial: Path(partial).write_text(record))
    return report


def lol_state(folder=None):
    """Return what is known of LOL without reading its pictures.

    It is ``"absent"``, ``"unverified"``, ``"published"`` or ``"modified"`` (a complete near copy).
    `folder` is the data set; where `fetch_lol` puts it by default.
    """
    folder = _absolute(folder)
    if not any((folder / split).is_dir() for split in LOL.splits):
        return "absent"
    with suppress(OSError, ValueError):  # no record, or a damaged one
        state, stamp = (folder / RECORD).read_text(encoding="utf-8").split()
        if state in ("published", "modified") and stamp == _stamp(folder):
            return state
    return "unverified"


def _absolute(folder):
    return paths.lol_dir() if folder is None else paths.absolute(folder)


def _judge(folder, name):
    """Return the `Kind` of one file; it is decoded only if it is not the published one."""
    path = folder / name
    if not path.is_file():
        return Kind.MISSING if name in LOL.md5 else Kind.EXTRA
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if digest == LOL.md5.get(name):
        return Kind.PUBLISHED
    if digest in LOL.md5.values():
        return Kind.MISPLACED
    if name not in LOL.md5:
        return Kind.EXTRA
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if (image.mode, image.size) == ("RGB", (LOL.width, LOL.height)):
                image.load()
                return Kind.MODIFIED
    except Exception:  # Pillow raises many kinds on damaged files
        pass
    return Kind.UNUSABLE


def _stamp(folder):
    """Return a digest of the names, sizes and times of the pictures."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*/*.png")):
        facts = path.stat()
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
