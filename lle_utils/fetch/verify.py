"""Does a copy of the data set hold what was published? Each file is judged by its content.

A file is one of

- **published**: the published bytes (MD5 of the file);
- **same pixels**: the published pixels in other bytes (hash of the decoded pixels);
- **modified**: a readable picture with other pixels, re-encoded or resized;
- **misplaced**: the picture of *another* name, as after swapped folders or names;
- **foreign**: a picture that looks like none of them;
- **unreadable**: not an RGB picture at all.
"""

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lle_utils.fetch.pixels import NotAPictureError, decode_rgb, look, looks_alike, pixel_hash
from lle_utils.fetch.registry import SIDES

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".avif"}


class Kind(StrEnum):
    """What one file of the data set turned out to be."""

    PUBLISHED = "published"
    SAME_PIXELS = "same pixels"
    MODIFIED = "modified"
    MISPLACED = "misplaced"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"


GOOD = {Kind.PUBLISHED, Kind.SAME_PIXELS}


@dataclass(frozen=True)
class Finding:
    """What one file turned out to be.

    Attributes
    ----------
    kind : Kind
        The verdict.
    detail : str
        What is special about it in words, or empty.
    size : tuple of int or None
        Width and height in pixels, where they are known.
    """

    kind: Kind
    detail: str = ""
    size: tuple[int, int] | None = None


def examine(name, data, registry):
    """Judge one file by its content.

    Parameters
    ----------
    name : str
        Its name in the data set, such as ``our485/low/2.png``.
    data : bytes
        The whole file.
    registry : Registry
        What was published.

    Returns
    -------
    Finding
        The verdict. The picture is decoded only where its bytes are not the published ones.
    """
    whole = (registry.width, registry.height)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if registry.md5[name] == digest:
        return Finding(Kind.PUBLISHED, size=whole)
    owner = _owner(registry.md5, digest)
    if owner:
        return Finding(Kind.MISPLACED, f"is the published {owner}", whole)
    try:
        raw, size = decode_rgb(data)
    except NotAPictureError as problem:
        return Finding(Kind.UNREADABLE, str(problem))
    digest = pixel_hash(raw, size)
    if registry.pixels.get(name) == digest:
        return Finding(Kind.SAME_PIXELS, size=size)
    owner = _owner(registry.pixels, digest)
    if owner:
        return Finding(Kind.MISPLACED, f"shows the published {owner}", size)
    seen = look(raw, size)
    if not looks_alike(seen, registry.looks.get(name, "")):
        owner = next((n for n, known in registry.looks.items() if looks_alike(seen, known)), None)
        if owner:
            return Finding(Kind.MISPLACED, f"looks like the published {owner}", size)
        return Finding(Kind.FOREIGN, size=size)
    if size != whole:
        return Finding(Kind.MODIFIED, "{} x {} pixels, not {} x {}".format(*size, *whole), size)
    return Finding(Kind.MODIFIED, "other pixels", size)


def _owner(digests, digest):
    """Return a name that was published with this digest, or None; rare, so a plain search."""
    return next((name for name, known in digests.items() if known == digest), None)


@dataclass
class Report:
    """What a copy of the data set turned out to hold.

    Attributes
    ----------
    registry : Registry
        What it was compared with.
    place : str
        The folder or archive, as the user knows it.
    findings : dict of str to Finding
        One entry a file that is there.
    missing : list of str
        Names of published files that are not there.
    extra : list of str
        Pictures that are there and were never published.
    """

    registry: object
    place: str
    findings: dict = field(default_factory=dict)
    missing: list = field(default_factory=list)
    extra: list = field(default_factory=list)

    def of_kind(self, kind):
        """Return the names of the files of one `Kind`, in the registry's order."""
        return [name for name in self.registry.md5 if self._is(name, kind)]

    def _is(self, name, kind):
        return name in self.findings and self.findings[name].kind == kind

    @property
    def counts(self):
        """Files of each kind, by name: every `Kind`, ``"missing"`` and ``"extra"``."""
        found = Counter(finding.kind for finding in self.findings.values())
        counts = {str(kind): found[kind] for kind in Kind}
        return counts | {"missing": len(self.missing), "extra": len(self.extra)}

    @property
    def ok(self):
        """True if every published picture is there with its published pixels, and nothing else."""
        good = all(finding.kind in GOOD for finding in self.findings.values())
        return good and not self.missing and not self.extra

    @property
    def pairs(self):
        """Names of whole pairs in each split: ``{"our485": ["2.png", ...], ...}``."""
        pairs = {split: [] for split in self.registry.splits}
        for name in self.registry.md5:
            split, side, file = name.split("/")
            if side == SIDES[0] and all(f"{split}/{s}/{file}" in self.findings for s in SIDES):
                pairs[split].append(file)
        return pairs

    @property
    def halves(self):
        """Names of pictures whose partner is missing."""
        pairs = {split: set(files) for split, files in self.pairs.items()}
        names = [name.split("/") for name in self.findings]
        return ["/".join(parts) for parts in names if parts[2] not in pairs[parts[0]]]

    @property
    def objections(self):
        """Why even ``--allow-modified`` must not take this copy: sentences, none if it may."""
        reasons = []
        for kind, words in (
            (Kind.MISPLACED, "under wrong names"),
            (Kind.FOREIGN, "with a picture of something else"),
            (Kind.UNREADABLE, "unreadable"),
        ):
            names = self.of_kind(kind)
            if names:
                reasons.append(f"{_files(len(names))} {words}: {self._examples(names)}")
        empty = [split for split, files in self.pairs.items() if not files]
        if empty:
            reasons.append(f"no whole pair in {' and '.join(empty)}")
        sizes = Counter(finding.size for finding in self.findings.values() if finding.size)
        if len(sizes) > 1:
            shown = ", ".join("{} x {}".format(*size) for size, _ in sizes.most_common(3))
            reasons.append(f"pictures of {len(sizes)} different sizes ({shown})")
        return reasons

    @property
    def usable(self):
        """True if it is at least a near copy that can be trained on when the user accepts it."""
        return not self.objections

    def summary(self):
        """Say in words what is there and what differs from the published data set.

        Returns
        -------
        str
            Several lines.
        """
        counts = self.counts
        pairs = " + ".join(f"{len(files)}" for files in self.pairs.values())
        wanted = " + ".join(str(number) for number in self.registry.splits.values())
        title = self.registry.title
        lines = [f"{title} in {self.place}: {pairs} pairs of {wanted}."]
        rows = [
            (Kind.PUBLISHED, "the published file, byte for byte", False),
            (Kind.SAME_PIXELS, "the published pixels in other bytes (saved again, no loss)", False),
            (Kind.MODIFIED, "a changed picture, re-encoded or resized", True),
            (Kind.MISPLACED, "another file's picture", True),
            (Kind.FOREIGN, "a picture of something else", True),
            (Kind.UNREADABLE, "not a readable RGB picture", True),
        ]
        for kind, words, show in rows:
            if counts[kind]:
                named = f": {self._examples(self.of_kind(kind))}" if show else ""
                lines.append(f"  {counts[kind]:4d} x {words}{named}")
        if self.missing:
            lines.append(f"  {len(self.missing):4d} x missing: {self._examples(self.missing)}")
        if self.extra:
            lines.append(f"  {len(self.extra):4d} x never published: {self._examples(self.extra)}")
        lines.append(self.verdict())
        return "\n".join(lines)

    def verdict(self):
        """Return the report's one-sentence conclusion."""
        title = self.registry.title
        if self.ok:
            return f"This is {title} as published."
        if not self.findings:
            return f"There is no {title} here."
        if self.usable:
            return f"This is a near copy of {title}, not {title} as published."
        return f"This is not {title} and cannot be used: {'; '.join(self.objections)}."

    def differences(self):
        """Say in one line what differs from the published data set, for error messages."""
        parts = []
        for kind, words in (
            (Kind.MODIFIED, "re-encoded or resized"),
            (Kind.MISPLACED, "under wrong names"),
            (Kind.FOREIGN, "with a picture of something else"),
            (Kind.UNREADABLE, "unreadable"),
        ):
            names = self.of_kind(kind)
            if names:
                parts.append(f"{_files(len(names))} {words} ({self._examples(names, 2)})")
        if self.missing:
            parts.append(f"{_files(len(self.missing))} missing ({_list(self.missing, 2)})")
        if self.extra:
            parts.append(f"{_files(len(self.extra))} never published ({_list(self.extra, 2)})")
        return "; ".join(parts) or "nothing"

    def _examples(self, names, limit=3):
        """Return the first names, with what is special about them."""
        shown = []
        for name in names:
            finding = self.findings.get(name)
            special = finding.detail if finding and finding.detail != "other pixels" else ""
            shown.append(f"{name} {special}".strip())
        return _list(shown, limit)


def _files(number):
    return "1 file" if number == 1 else f"{number} files"


def _list(names, limit):
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def workers():
    """Return how many threads to check files with: hashing, decoding and writing overlap."""
    return min(8, (os.cpu_count() or 1) + 1)


def examine_all(names, read, registry, bar, keep=None):
    """Judge many files at once, in threads.

    Parameters
    ----------
    names : list of str
        Names in the data set.
    read : callable
        Returns the bytes of a name; called from several threads.
    registry : Registry
        What was published.
    bar : object
        Progress bar; its ``update`` gets the bytes of each file done.
    keep : callable, optional
        Called with name and bytes before a file is judged, such as to write it.

    Returns
    -------
    dict of str to Finding
        One entry a name.
    """

    def one(name):
        data = read(name)
        if keep is not None:
            keep(name, data)
        return examine(name, data, registry), len(data)

    findings = {}
    pool = ThreadPoolExecutor(workers())
    try:
        for name, (finding, size) in zip(names, pool.map(one, names), strict=True):
            findings[name] = finding
            bar.update(size)
    finally:
        pool.shutdown(cancel_futures=True)
    return findings


def verify_folder(folder, registry, bar):
    """Judge every file of an unpacked data set.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the splits' folders; need not exist.
    registry : Registry
        What was published.
    bar : object
        Progress bar.

    Returns
    -------
    Report
        What is there.
    """
    folder = Path(folder)
    there = [name for name in registry.md5 if (folder / name).is_file()]
    found = set(there)
    findings = examine_all(there, lambda name: (folder / name).read_bytes(), registry, bar)
    return Report(
        registry,
        str(folder),
        findings,
        missing=[name for name in registry.md5 if name not in found],
        extra=_extra_pictures(folder, registry),
    )


def _extra_pictures(folder, registry):
    """Return pictures in the data set's own folders that were never published."""
    extra = []
    for split in registry.splits:
        for side in SIDES:
            inside = folder / split / side
            names = sorted(path.name for path in inside.iterdir()) if inside.is_dir() else []
            for name in names:
                picture = Path(name).suffix.lower() in PICTURE_SUFFIXES
                hidden = name.startswith(".")
                if picture and not hidden and f"{split}/{side}/{name}" not in registry.md5:
                    extra.append(f"{split}/{side}/{name}")
    return extra
