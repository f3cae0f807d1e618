"""Fetch and verify the LOL data set, from wherever it can be had.

This file tries the sources in turn and puts what it got in place; `download` gets one archive and
unpacks it; `verify` judges each file; `command` is the command line.
"""

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import filelock

from lle_utils import paths
from lle_utils.errors import LleError
from lle_utils.fetch import download, verify
from lle_utils.fetch.verify import lol_state, verify_lol


def fetch_lol(source=None, *, allow_modified=False):
    """Make sure that the LOL data set is on disk, verified; download it if it is not.

    An interrupted call leaves either the complete data set or none, and the next one resumes.

    Parameters
    ----------
    source : str or pathlib.Path, optional
        A zip archive, a folder that was unpacked by hand, or a URL, to be used instead of the
        sources listed in ``registry/lol.toml``.
    allow_modified : bool
        Take a near copy too: every picture is there, readable and of the right size, but not every
        file is the published one. Loading it then warns.

    Returns
    -------
    pathlib.Path
        The folder that holds ``our485/`` and ``eval15/``, each with ``low/`` and ``high/``.
    """
    sources = _list_sources(source)
    accepted = ("published", "modified") if allow_modified else ("published",)
    target = paths.lol_dir()
    work = target.parent / ".fetch"
    try:
        state = lol_state()
        if state == "unverified":
            report = verify_lol()  # which a read-only disk cannot keep a record of
            print(report.summary())
            state = report.state
        if state not in accepted or work.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            print(f"Fetching LOL into {target}. If a different fetch runs there, this one waits.")
            with filelock.FileLock(f"{work}.lock"):
                # A different call may have brought it.
                if {state, lol_state()}.isdisjoint(accepted):
                    _try_all(sources, work, accepted)
                shutil.rmtree(work, ignore_errors=True)
    except OSError as problem:
        raise LleError(
            f"{problem.filename or work}: {problem.strerror or problem}. Free some space, or "
            "set LLE_DATA_DIR to a folder of yours with more room, and run the command again."
        ) from problem
    print(f"LOL is in {target}.")
    return target


def _list_sources(source):
    """Return what to try, in order: titles and places, which are paths or URLs."""
    if source is None:
        return [(mirror["title"], mirror["url"]) for mirror in verify.LOL.source]
    if not str(source).lower().startswith(("http://", "https://")):
        source = paths.absolute(source)
        if not (source.is_file() or source.is_dir()):
            raise LleError(
                f"--from {source} is neither a file nor a folder. Give a zip archive, its unpacked "
                "folder, or an address that starts with http:// or https://"
            )
    return [(source, source)]


def _try_all(sources, work, accepted):
    """Try the sources in order until one yields the data set."""
    work.mkdir(exist_ok=True)
    for unpacked in work.glob("*/"):  # by a call that was killed
        shutil.rmtree(unpacked)
    failures = ""
    for number, (title, place) in enumerate(sources, 1):
        print(f"Trying {title}")
        try:
            take = _take if isinstance(place, Path) else _download
            return take(place, work, accepted)
        except download.SourceError as problem:
            print(f"  {problem}")
            failures += f"  {number}. {title}: {problem}\n"
    raise LleError(
        f"LOL could not be fetched. What each source said:\n{failures}"
        f"Download the archive in a browser from\n  {verify.LOL.manual_address}\n"
        "and run `python -m lle_utils fetch lol --from ARCHIVE.zip`"
    )


def _download(url, work, accepted, again=False):
    """Download an archive and take it; once more if it came in pieces and is no good."""
    part = work / f"{hashlib.sha256(os.fsencode(url)).hexdigest()[:16]}.part"
    in_pieces = download.get(url, part)
    try:
        _take(part, work, accepted)
    except download.SourceError as problem:
        part.unlink()
        if again or not in_pieces:
            raise
        print(f"  {problem}\n  Downloading it once more, from the start.")
        _download(url, work, accepted, again=True)


def _take(path, work, accepted):
    """Unpack and verify an archive or a folder, and put the data set in place."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        fresh = Path(folder) / "lol"
        download.unpack(path, fresh)
        report = verify_lol(fresh)
        if report.state not in accepted:
            raise download.SourceError("; ".join(report.lines()))
        target = paths.lol_dir()
        if os.path.lexists(target):
            aside = f"{target}-before-{time.strftime('%Y%m%d-%H%M%S')}"
            os.rename(target, aside)
            print(f"What was in {target} is now in {aside}.")
        os.rename(fresh, target)
    print(report.lines()[-1])
