"""What the data set must contain, and whether a copy does: every file is judged by its content.

A copy that was verified carries a record, ``verified.json``. It holds a stamp of the sizes and
times of all files, so that nothing is read again until a file changes.
"""

import hashlib
import io
import json
import os
import tomllib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

REGISTRY_FOLDER = Path(__file__).resolve().parent.parent / "registry"
RECORD = "verified.json"
PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
MOST_PIXELS = 4_000_000
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"  # the last chunk: no content, its name, its checksum


@dataclass(frozen=True)
class Source:
    """A place to download an archive from; the address may be a link to Google Drive."""

    title: str
    url: str


@dataclass(frozen=True)
class Registry:
    """What a data set of pairs must contain, and where it can be had.

    Files are named ``SPLIT/low/NAME.png`` and ``SPLIT/high/NAME.png``. ``md5`` lists every
    published file; ``pixels`` has the SHA-256 of the decoded pixels, where those are known.
    """

    name: str
    title: str
    width: int
    height: int
    splits: dict[str, int]  # pairs in each
    md5: dict[str, str]
    pixels: dict[str, str]
    sources: tuple[Source, ...]
    manual_address: str  # where a person downloads the archive with a browser
    archive_names: tuple[str, ...]  # such a file in the data folder is found without being named
    archive_bytes: int
    unpacked_bytes: int
    max_file_bytes: int  # no picture is larger
    citation: str = ""


def load_registry(name="lol"):
    """Read a data set's registry: ``NAME.toml``, ``NAME_md5.txt`` and ``NAME_pixels.txt``."""
    facts = tomllib.loads((REGISTRY_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    facts["sources"] = tuple(Source(**table) for table in facts.pop("source"))
    facts["archive_names"] = tuple(facts["archive_names"])
    sums = {kind: _read_sums(REGISTRY_FOLDER / f"{name}_{kind}.txt") for kind in ("md5", "pixels")}
    return Registry(**facts, **sums)


def _read_sums(path):
    """Read lines of ``DIGEST  NAME``, as md5sum and sha256sum write them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {name: digest for digest, name in pairs}


class Kind(StrEnum):
    """What one file turned out to be."""

    PUBLISHED = "the published file, byte for byte"
    SAME_PIXELS = "the published pixels in other bytes (saved again without loss)"
    MODIFIED = "other pixels (re-encoded, edited or another picture)"
    RESIZED = "another size"
    MISPLACED = "another published picture under this name"
    DAMAGED = "not a sound RGB picture in a PNG or JPEG file"
    MISSING = "missing"
    EXTRA = "never published"


GOOD = (Kind.PUBLISHED, Kind.SAME_PIXELS)


def examine(name, data, registry):
    """Return the `Kind` of one file; it is decoded only if its bytes are not the published ones."""
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if digest == registry.md5.get(name):
        return Kind.PUBLISHED
    if digest in registry.md5.values():
        return Kind.MISPLACED
    if name not in registry.md5:
        return Kind.EXTRA
    if len(data) > registry.max_file_bytes:
        return Kind.DAMAGED
    try:
        raw, size = decode_rgb(data)
    except ValueError:
        return Kind.DAMAGED
    digest = pixel_hash(raw, size)
    if digest == registry.pixels.get(name):
        return Kind.SAME_PIXELS
    if digest in registry.pixels.values():
        return Kind.MISPLACED
    return Kind.MODIFIED if size == (registry.width, registry.height) else Kind.RESIZED


def decode_rgb(data):
    """Return a PNG or JPEG file's pixels as RGB bytes, and (width, height).

    `ValueError` if the file is damaged, has anything behind its end, is huge, or not 8-bit RGB.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            width, height = image.size
            if image.mode != "RGB" or width * height > MOST_PIXELS:
                raise ValueError(f"{width} x {height} pixels of mode {image.mode}")
            raw = image.tobytes()
        if image.format == "PNG":
            stream = io.BytesIO(data)
            Image.open(stream).verify()  # every checksum, up to the name of the end chunk
            if stream.tell() != len(data) - 4 or not data.endswith(PNG_END):
                raise ValueError("its end is damaged, or something follows it")
    except Exception as problem:  # Pillow raises many kinds on damaged files
        raise ValueError(f"not a sound RGB picture: {problem}") from problem
    return raw, (width, height)


def pixel_hash(raw, size):
    r"""Return the SHA-256 of ``"WIDTHxHEIGHT RGB\n"`` and the raw RGB bytes, in hexadecimal."""
    return hashlib.sha256(b"%dx%d RGB\n" % size + raw).hexdigest()


@dataclass
class Report:
    """What a copy of the data set turned out to hold.

    Attributes
    ----------
    registry : Registry
        What it was compared with.
    place : str
        The folder, as the user knows it.
    findings : dict of str to Kind
        One for each published file and for each picture that was never published.
    """

    registry: Registry
    place: str
    findings: dict

    @property
    def counts(self):
        """How many files there are of each `Kind`."""
        return Counter(self.findings.values())

    @property
    def ok(self):
        """True if every published picture is there with its published pixels, and nothing else."""
        return set(self.findings.values()) <= set(GOOD)

    @property
    def halves(self):
        """Names of pictures whose partner is missing."""
        there = self._there()
        return [name for name in there if _partner(name) not in there]

    @property
    def pairs(self):
        """How many whole pairs each split has."""
        whole = self._there() - set(self.halves)
        return {
            split: sum(name.startswith(f"{split}/low/") for name in whole)
            for split in self.registry.splits
        }

    @property
    def objections(self):
        """Why not even ``--allow-modified`` takes this copy: phrases, none if it does."""
        reasons = self._phrases([Kind.MISPLACED, Kind.DAMAGED])
        reasons += [f"no whole pair in {split}" for split, count in self.pairs.items() if not count]
        if self.counts[Kind.RESIZED] not in (0, len(self._there())):
            reasons += self._phrases([Kind.RESIZED])
        return reasons

    @property
    def usable(self):
        """True if it is at least a near copy that can be trained on when the user accepts it."""
        return not self.objections

    def summary(self):
        """Return several lines: what is there, what differs, and the conclusion."""
        pairs = " + ".join(str(number) for number in self.pairs.values())
        wanted = " + ".join(str(number) for number in self.registry.splits.values())
        first = f"{self.registry.title} in {self.place}: {pairs} pairs of {wanted}."
        return "\n  ".join([first, *self._phrases(Kind)]) + f"\n{self.verdict()}"

    def verdict(self):
        """Return the conclusion in one sentence."""
        title = self.registry.title
        if self.ok:
            return f"This is {title} as published."
        if self.usable:
            return f"This is a near copy of {title}, not {title} as published."
        reasons = "; ".join(self.objections)
        return f"The files do not match the registry of {title} and cannot be used: {reasons}."

    def differences(self):
        """Return in one line what differs from the published data set."""
        return "; ".join(self._phrases([kind for kind in Kind if kind not in GOOD]))

    def _there(self):
        return {name for name in self.registry.md5 if self.findings[name] != Kind.MISSING}

    def _phrases(self, kinds):
        """Return a phrase for each kind that occurs: how many files, and the first of them."""
        phrases = []
        for kind in kinds:
            names = [name for name, found in self.findings.items() if found == kind]
            if names:
                examples = ": " + ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
                phrases.append(f"{len(names)} x {kind}{'' if kind in GOOD else examples}")
        return phrases


def _partner(name):
    """Return the name of the other picture of a pair."""
    split, side, file = name.split("/")
    return f"{split}/{'high' if side == 'low' else 'low'}/{file}"


def verify_folder(folder, registry, progress=False):
    """Judge every file of an unpacked data set; return a `Report`."""
    names = [*registry.md5, *_unlisted_pictures(folder, registry)]
    findings = dict.fromkeys(names, Kind.MISSING)
    with progress_bar(f"Checking {registry.title}", registry.unpacked_bytes, progress) as bar:
        for name in names:
            if (folder / name).is_file():
                with (folder / name).open("rb") as file:
                    data = file.read(registry.max_file_bytes + 1)
                findings[name] = examine(name, data, registry)
                bar.update(len(data))
    return Report(registry, str(folder), findings)


def _unlisted_pictures(folder, registry):
    """Return the pictures in the data set's own folders that the registry does not list."""
    inside = [path for split in registry.splits for path in folder.glob(f"{split}/*/[!.]*")]
    pictures = [path for path in inside if path.suffix.lower() in PICTURE_SUFFIXES]
    return sorted({path.relative_to(folder).as_posix() for path in pictures} - set(registry.md5))


def progress_bar(title, total, progress, done=0):
    """Return tqdm's bar that counts bytes, in terminals and notebooks alike."""
    from tqdm.auto import tqdm

    options = {"unit": "B", "unit_scale": True, "leave": False, "disable": not progress}
    return tqdm(desc=title, total=total, initial=done, **options)


class State(StrEnum):
    """What is known of a data set without reading its pictures."""

    ABSENT = "absent"
    UNVERIFIED = "unverified"
    PUBLISHED = "published"
    MODIFIED = "modified"


def state_of(folder, registry):
    """Return the `State` of a data set: unverified if a file changed since it was verified."""
    if not any((folder / split).is_dir() for split in registry.splits):
        return State.ABSENT
    record = read_record(folder)
    if record and record["stamp"] == _stamp(folder, registry):
        return State(record["state"])
    return State.UNVERIFIED


def note_of(folder, registry):
    """Return the sentence that whoever loads the data set must see; None if it is as published."""
    state = state_of(folder, registry)
    if state == State.MODIFIED:
        return (
            f"this is a modified copy of {registry.title} ({read_record(folder)['differences']}): "
            "scores differ a little from those on the published files"
        )
    if state == State.UNVERIFIED:
        return (
            f"this copy of {registry.title} was never verified, or changed since: "
            "`python -m lle_utils verify` checks it"
        )
    return None


def read_record(folder):
    """Return what was written down when the data set was verified; {} if none, or damaged."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        texts = [record["stamp"], record["differences"], State(record["state"])]
        return record if all(text.isprintable() for text in texts) else {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def write_record(folder, report):
    """Write down what a verified data set is."""
    record = {
        "state": State.PUBLISHED if report.ok else State.MODIFIED,
        "differences": report.differences(),
        "stamp": _stamp(folder, report.registry),
    }
    partial = folder / f"{RECORD}.new"
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder / RECORD)


def _stamp(folder, registry):
    """Return a digest of the names, sizes and times of the data set's files."""
    digest = hashlib.sha256()
    for name in sorted(registry.md5):
        if (folder / name).exists():
            facts = (folder / name).stat()
            digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
