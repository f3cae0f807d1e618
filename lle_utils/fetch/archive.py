"""Unpack an archive that may come from anywhere, and judge what it holds on the way.

Only files that the registry names are ever written, under the names that the registry gives them:
a path in the archive never becomes a path on disk. What an honest archive does not hold (paths
that lead elsewhere, links, absurd sizes) makes the whole archive suspect, and it is refused.
"""

import lzma
import stat
import struct
import zipfile
import zlib
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import PurePosixPath

from lle_utils.fetch.problems import DamagedError, SourceError
from lle_utils.fetch.recognize import require_zip
from lle_utils.fetch.talk import readable
from lle_utils.fetch.verify import Report, examine_all

JUNK_FOLDERS = {"__MACOSX", ".git", ".ipynb_checkpoints", "@eaDir"}
JUNK_FILES = {"thumbs.db", "desktop.ini", ".ds_store"}
MAX_ENTRIES = 50_000

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    ValueError,
    OverflowError,
)


def is_junk(path):
    """Return True for what operating systems leave in archives and folders.

    Parameters
    ----------
    path : str
        A path with forward slashes.
    """
    parts = PurePosixPath(path).parts
    if not parts:
        return True
    last = parts[-1]
    return bool(JUNK_FOLDERS & set(parts)) or last.startswith("._") or last.lower() in JUNK_FILES


def find_root(paths, registry):
    """Find the folder that holds the data set, whatever its name.

    Parameters
    ----------
    paths : iterable of str
        Every file's path, with forward slashes.
    registry : Registry
        Names the files to look for.

    Returns
    -------
    str or None
        What stands before the registry's names, such as ``"lol_dataset/"`` or ``""``; None if no
        file of the data set is there. Of several copies, the most complete one.
    """
    hits = Counter()
    for path in paths:
        parts = path.split("/")
        if len(parts) >= 3 and "/".join(parts[-3:]) in registry.md5:
            hits["".join(f"{part}/" for part in parts[:-3])] += 1
    if not hits:
        return None
    return min(hits, key=lambda root: (-hits[root], len(root), root))


@contextmanager
def open_archive(path, registry):
    """Open a zip archive and find the data set in it.

    Parameters
    ----------
    path : pathlib.Path
        The archive.
    registry : Registry
        Names the files to look for and the bounds of their sizes.

    Yields
    ------
    Holding
        What of the data set is in it.

    Raises
    ------
    SourceError
        If it is not a zip archive, holds no such data set, or is not to be trusted.
    """
    require_zip(path)
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN + (NotImplementedError,) as problem:
        raise DamagedError(f"gave a damaged zip archive ({problem})") from problem
    with archive:
        yield _survey(archive, registry)


class Holding:
    """What of a data set an archive or a folder holds.

    Parameters
    ----------
    names : list of str
        The registry's names that are there.
    read : callable
        Returns the bytes of a name; may be called from several threads.
    size : int
        Bytes that the files take, as declared.
    """

    def __init__(self, names, read, size):
        self.names = names
        self.read = read
        self.size = size


def _survey(archive, registry):
    """Check every entry's name, type and declared size; return a `Holding`."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise SourceError(f"gave an archive of {len(entries)} entries, absurdly many: refused")
    declared = sum(entry.file_size for entry in entries)
    if declared > registry.max_total_bytes:
        raise SourceError(
            f"gave an archive that would unpack to {readable(declared)} (a zip bomb?): refused, "
            f"{registry.title} takes {readable(registry.unpacked_bytes)}"
        )
    files = defaultdict(list)
    for entry in entries:
        path = _safe_path(entry)
        if not entry.is_dir() and not is_junk(path):
            files[path].append(entry)
    root = find_root(files, registry)
    if root is None:
        raise SourceError(_nothing_found(files, registry))
    wanted = {name: files.pop(root + name) for name in registry.md5 if root + name in files}
    for name, same in wanted.items():
        _check_entry(name, same, registry)
    size = sum(same[0].file_size for same in wanted.values())
    return Holding(list(wanted), _reader(archive, wanted, registry), size)


def _safe_path(entry):
    """Return an entry's path with forward slashes; refuse one that leads out, and links."""
    path = entry.filename.replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or (len(path) > 1 and path[1] == ":"):
        raise SourceError(
            f'gave an archive with an entry that leads outside its folder ("{entry.filename}"): '
            "refused, an honest archive of pictures has none"
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        words = "a link" if kind == stat.S_IFLNK else "a special file"
        raise SourceError(
            f'gave an archive with {words} in it ("{entry.filename}"): refused, '
            "an honest archive of pictures has none"
        )
    return path


def _check_entry(name, same, registry):
    """Refuse a wanted entry that is listed twice, locked, or declares an absurd size."""
    if len(same) > 1:
        raise SourceError(f"gave an archive that holds {name} {len(same)} times: refused")
    entry = same[0]
    if entry.flag_bits & 0x1:
        raise SourceError("gave an archive that is locked with a password")
    if entry.file_size > registry.max_file_bytes:
        raise SourceError(
            f"gave an archive in which {name} would unpack to {readable(entry.file_size)} (a zip "
            "bomb?): refused"
        )


def _nothing_found(files, registry):
    """Say what an archive without the data set holds instead."""
    splits = " and ".join(registry.splits)
    if not files:
        return f"gave an archive without any file in it, so without the folders {splits}"
    shown = ", ".join(sorted(files)[:3])
    renamed = [path for path in sorted(files) if set(path.split("/")) & set(registry.splits)]
    if renamed:
        expected = next(iter(registry.md5))
        return (
            f"gave an archive in which no picture has its published name: it has {renamed[0]}, and "
            f"there should be names like {expected}"
        )
    inner = [path for path in files if path.lower().endswith(".zip")]
    if inner:
        return (
            f"gave an archive that holds another archive ({inner[0]}): unpack the outer one and "
            "give the inner one with --from FILE"
        )
    return f"gave an archive without the folders {splits}; it holds {len(files)} files: {shown} ..."


def _reader(archive, wanted, registry):
    """Return a function that reads one wanted file, never more than its bound."""
    limit = registry.max_file_bytes

    def read(name):
        try:
            with archive.open(wanted[name][0]) as file:
                data = file.read(limit + 1)
        except BROKEN as problem:
            raise DamagedError(f"gave a damaged archive: {name} is broken ({problem})") from problem
        except (NotImplementedError, RuntimeError) as problem:
            raise SourceError(f"gave an archive that cannot be read: {problem}") from problem
        if len(data) > limit:
            raise SourceError(f"gave an archive in which {name} never ends (a zip bomb): refused")
        return data

    return read


@contextmanager
def open_folder(folder, registry):
    """Find the data set in a folder that the user unpacked by hand.

    Parameters
    ----------
    folder : pathlib.Path
        The data set's own folder or one of those above it.
    registry : Registry
        Names the files to look for.

    Yields
    ------
    Holding
        What of the data set is in it.

    Raises
    ------
    SourceError
        If no file of the data set is there.
    """
    paths = {}
    for path in sorted(folder.rglob("*.*")):
        inside = path.relative_to(folder).as_posix()
        if path.is_file() and not is_junk(inside):
            paths[inside] = path
    root = find_root(paths, registry)
    if root is None:
        splits = " and ".join(registry.splits)
        raise SourceError(f"is a folder without the folders {splits} and their pictures in it")
    wanted = {name: paths[root + name] for name in registry.md5 if root + name in paths}
    large = [name for name in wanted if wanted[name].stat().st_size > registry.max_file_bytes]
    if large:
        raise SourceError(f"has a {large[0]} of absurd size: refused")
    size = sum(path.stat().st_size for path in wanted.values())
    yield Holding(list(wanted), lambda name: wanted[name].read_bytes(), size)


def unpack(holding, target, registry, place, bar):
    """Write the data set's files into an empty folder and judge each on the way.

    Parameters
    ----------
    holding : Holding
        From `open_archive` or `open_folder`.
    target : pathlib.Path
        An empty folder.
    registry : Registry
        What was published.
    place : str
        What the report calls it.
    bar : object
        Progress bar that counts bytes.

    Returns
    -------
    Report
        What was written.

    Raises
    ------
    SourceError
        If the archive proves broken or a bomb.
    OSError
        If the disk is full or may not be written.
    """
    for folder in {(target / name).parent for name in holding.names}:
        folder.mkdir(parents=True, exist_ok=True)

    def keep(name, data):
        (target / name).write_bytes(data)

    findings = examine_all(holding.names, holding.read, registry, bar, keep)
    missing = [name for name in registry.md5 if name not in findings]
    return Report(registry, place, findings, missing)
