"""The unpacked data set on disk: what is known of it, and how a new one takes its place.

A data set that was verified carries ``verified.json``. It is written before the folder gets its
name, so a folder with that name is complete; it holds sizes and times of all files, so that the
next call need not read them again unless something changed.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from enum import StrEnum
from pathlib import Path

from lle_utils.fetch.archive import is_junk
from lle_utils.fetch.problems import explained

MARKER = "verified.json"


class State(StrEnum):
    """What is known of a data set without reading its pictures."""

    ABSENT = "absent"
    UNVERIFIED = "unverified"
    PUBLISHED = "published"
    MODIFIED = "modified"


def stamp(folder, registry):
    """Return a digest of the names, sizes and times of the data set's files.

    Parameters
    ----------
    folder : pathlib.Path
        The data set.
    registry : Registry
        Names its files.
    """
    digest = hashlib.sha256()
    there = {}
    for split in registry.splits:
        for side in ("low", "high"):
            try:
                with os.scandir(folder / split / side) as entries:
                    for entry in entries:
                        if not is_junk(entry.name):
                            facts = entry.stat()
                            there[f"{split}/{side}/{entry.name}"] = facts
            except (FileNotFoundError, NotADirectoryError):
                pass
    for name in sorted(there):
        facts = there[name]
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def read_marker(folder):
    """Return what was written down when the data set was verified; {} if it was not.

    Parameters
    ----------
    folder : pathlib.Path
        The data set.
    """
    try:
        marker = json.loads((Path(folder) / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def write_marker(folder, report, source):
    """Write down what a verified data set is.

    Parameters
    ----------
    folder : pathlib.Path
        The data set.
    report : Report
        What was found in it.
    source : str
        Where it came from, for people.
    """
    folder = Path(folder)
    marker = {
        "dataset": report.registry.name,
        "state": State.PUBLISHED if report.ok else State.MODIFIED,
        "source": source,
        "verified": time.strftime("%Y-%m-%d"),
        "counts": report.counts,
        "differences": "" if report.ok else report.differences(),
        "missing": report.missing,
        "stamp": stamp(folder, report.registry),
    }
    fresh = folder / f"{MARKER}.new"
    fresh.write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, folder / MARKER)


def state_of(folder, registry):
    """Return what is known of a data set without reading its pictures.

    Parameters
    ----------
    folder : pathlib.Path
        The data set.
    registry : Registry
        Names its files.

    Returns
    -------
    State
        ``UNVERIFIED`` if pictures are there that were never verified or changed since.
    """
    folder = Path(folder)
    if not any((folder / split).is_dir() for split in registry.splits):
        return State.ABSENT
    marker = read_marker(folder)
    known = marker.get("state") in (State.PUBLISHED, State.MODIFIED)
    if known and marker.get("stamp") == stamp(folder, registry):
        return State(marker["state"])
    return State.UNVERIFIED


def note_of(folder, registry):
    """Return the sentence that a reader of the data set must see, or None.

    Parameters
    ----------
    folder : pathlib.Path
        The data set.
    registry : Registry
        Names its files.

    Returns
    -------
    str or None
        None if it is the published data set.
    """
    state = state_of(folder, registry)
    title = registry.title
    if state == State.MODIFIED:
        return (
            f"this is a modified copy of {title} ({read_marker(folder)['differences']}): scores "
            "differ a little from those on the published files"
        )
    if state == State.UNVERIFIED:
        return (
            f"this copy of {title} was never verified, or changed since: "
            "`python -m lle_utils verify` checks it"
        )
    return None


class Workshop:
    """The working folder beside the data set: downloads, unpacking, what is being replaced.

    Parameters
    ----------
    data : pathlib.Path
        The data folder.
    name : str
        The data set's name, which is its folder's.
    """

    def __init__(self, data, name):
        self.data = Path(data)
        self.folder = self.data / ".fetch"
        self.target = self.data / name
        self.name = name

    def open(self):
        """Create the working folder."""
        with explained(self.data):
            self.folder.mkdir(parents=True, exist_ok=True)

    def clean(self):
        """Remove what a killed call left half done; the caller holds the lock."""
        for old in sorted(self.folder.glob(f"old-{self.name}-*")):
            if self.target.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:  # killed between the two renames: the old one is better than none
                os.rename(old, self.target)
        for left in self.folder.glob(f"unpack-{self.name}-*"):
            shutil.rmtree(left, ignore_errors=True)

    def new_folder(self):
        """Return a new empty folder on the data set's own disk."""
        with explained(self.folder):
            return Path(tempfile.mkdtemp(prefix=f"unpack-{self.name}-", dir=self.folder))

    def install(self, fresh, registry):
        """Put a complete new data set in its place; return where foreign files were kept.

        Parameters
        ----------
        fresh : pathlib.Path
            From `new_folder`, complete and marked.
        registry : Registry
            Names the files that may be replaced.

        Returns
        -------
        pathlib.Path or None
            A folder, if the old one held files of the user's own.
        """
        aside = None
        with explained(self.data):
            os.chmod(fresh, 0o777 & ~_umask())  # mkdtemp's folders are private
            if self.target.exists() or self.target.is_symlink():
                if self._holds_foreign_files(registry):
                    aside = self.data / f"{self.name}-before-{time.strftime('%Y%m%d-%H%M%S')}"
                else:
                    aside = self.folder / f"old-{self.name}-{os.getpid()}-{time.time_ns()}"
                os.rename(self.target, aside)
            os.rename(fresh, self.target)
        if aside is not None and aside.parent == self.folder:
            if aside.is_symlink():
                aside.unlink()
            shutil.rmtree(aside, ignore_errors=True)
            return None
        return aside

    def _holds_foreign_files(self, registry):
        """Return True if the folder in the way holds files that are not the data set's."""
        if not self.target.is_dir():
            return True
        for path in self.target.rglob("*"):
            inside = path.relative_to(self.target).as_posix()
            ours = inside in registry.md5 or inside.startswith(MARKER) or is_junk(inside)
            if not path.is_dir() and not ours:
                return True
        return False

    def empty(self):
        """Remove every download, now that the data set is in place; the lock stays."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != ".lock":
                path.unlink(missing_ok=True)


def _umask():
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
