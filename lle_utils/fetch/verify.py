"""What LOL must contain, and whether a copy does.

A file is the published one by its MD5, or it is not. A verified copy carries a record,
``verified.txt``, with a stamp of its pictures' sizes and times; it counts until one changes.
"""

import hashlib
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from lle_utils import paths
from lle_utils.errors import LleError

REGISTRY_FOLDER = Path(__file__).resolve().parents[1] / "registry"
RECORD = "verified.txt"

LOL = SimpleNamespace(**tomllib.loads((REGISTRY_FOLDER / "lol.toml").read_text(encoding="utf-8")))
"""The fields of ``registry/lol.toml``, and ``md5`` by file name from ``lol_md5.txt``."""
_lines = (REGISTRY_FOLDER / "lol_md5.txt").read_text(encoding="utf-8").splitlines()
LOL.md5 = {name: md5 for md5, name in map(str.split, _lines)}


class Kind(StrEnum):
    """What one file turned out to be."""

    PUBLISHED = "the published file"
    MODIFIED = "a different picture of the right size (saved again, re-encoded or edited)"
    MISPLACED = "a different published picture under this name"
    UNUSABLE = "not a readable RGB picture of the right size"
    MISSING = "missing"
    EXTRA = "never published, so not used"


VERDICTS = {
    "published": "This is LOL as published.",
    "modified": "This is a near copy of LOL, which `fetch` takes only with --allow-modified.",
    "unverified": "The files do not match the registry of LOL and cannot be used.",
}


@dataclass
class Report:
    """What a copy of LOL turned out to hold: the names of the files of each `Kind`."""

    folder: Path
    files: dict[Kind, list[str]]

    @property
    def state(self):
        """What follows, as `lol_state` names it."""
        others = self.files.keys() - {Kind.PUBLISHED, Kind.EXTRA}
        if not others:
            return "published"
        return "modified" if others == {Kind.MODIFIED} else "unverified"

    def lines(self):
        """Return how many files there are of each kind and the first, and then the verdict."""
        found = [
            f"{len(names)} x {kind}: {names[0]}{', ...' if len(names) > 1 else ''}"
            for kind, names in self.files.items()
        ]
        return [*found, VERDICTS[self.state]]

    def summary(self):
        """Return the findings and the verdict as several lines."""
        return "\n  ".join([f"LOL in {self.folder}:", *self.lines()])


def verify_lol(folder=None):
    """Judge every file of a copy of LOL by its content, and record the result beside it.

    `folder` is the copy; where `fetch_lol` puts it by default. Returns a `Report`.
    """
    from lle_utils.images import replace_file

    folder = paths.lol_dir() if folder is None else paths.absolute(folder)
    report = Report(folder, {})
    for name in dict.fromkeys([*LOL.md5, *_list_pictures(folder)]):
        kind = _judge(folder / name, LOL.md5.get(name))
        report.files.setdefault(kind, []).append(name)
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
    folder = paths.lol_dir() if folder is None else paths.absolute(folder)
    if not any((folder / split).is_dir() for split in LOL.splits):
        return "absent"
    with suppress(OSError, ValueError):  # no record, or a damaged one
        state, stamp = (folder / RECORD).read_text(encoding="utf-8").split()
        if state in ("published", "modified") and stamp == _stamp(folder):
            return state
    return "unverified"


def _list_pictures(folder):
    found = [path for path in folder.glob("*/*/[!.]*.png") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _judge(path, published):
    """Return the `Kind` of a file, given the published one's MD5; only others are decoded."""
    if not path.is_file():
        return Kind.MISSING
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if md5 in LOL.md5.values():
        return Kind.PUBLISHED if md5 == published else Kind.MISPLACED
    if published is None:
        return Kind.EXTRA
    # Pillow raises many kinds of errors on damaged files.
    with suppress(Exception), Image.open(path, formats=("PNG", "JPEG")) as image:
        if (image.mode, image.size) == ("RGB", (LOL.width, LOL.height)):
            image.load()
            return Kind.MODIFIED
    return Kind.UNUSABLE


def _stamp(folder):
    """Return a digest of the names, sizes and times of the pictures."""
    digest = hashlib.sha256()
    for name in _list_pictures(folder):
        facts = (folder / name).stat()
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
