"""Fetch and verify the LOL data set, from wherever it can be had.

>>> from lle_utils import fetch
>>> folder = fetch.fetch_lol()          # downloads once, then only looks  # doctest: +SKIP
>>> print(fetch.verify_lol().summary())                                    # doctest: +SKIP

This file tries the sources in turn and puts what it got in place; `download` gets one archive and
unpacks it; `verify` judges each file; `command` is the command line.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from lle_utils import paths
from lle_utils.errors import LleError
from lle_utils.fetch import download, verify
from lle_utils.fetch.verify import lol_state, verify_lol

__all__ = ["fetch_lol", "lol_state", "verify_lol"]


def fetch_lol(source=None, *, allow_modified=False, progress=True):
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
    progress : bool
        Print sentences and progress bars.

    Returns
    -------
    pathlib.Path
        The folder that holds ``our485/`` and ``eval15/``, each with ``low/`` and ``high/``.
    """
    fetch = _Fetch(allow_modified, progress)
    candidates = _candidates(source)
    try:
        if not fetch.is_in_place() or fetch.work.exists():
            with fetch.lock():
                if lol_state() not in fetch.accepted:  # a different call may have brought it
                    fetch.try_all(candidates)
                shutil.rmtree(fetch.work, ignore_errors=True)
    except OSError as problem:
        raise LleError(
            f"{problem.filename or fetch.work}: {problem.strerror or problem}. Free some space, or "
            "set LLE_DATA_DIR to a folder of yours with more room, and run the command again."
        ) from problem
    fetch.say(f"LOL is in {fetch.target}.")
    return fetch.target


def _candidates(source):
    """Return what to try, in order: titles and places, which are paths or URLs."""
    if source is None:
        by_hand = [paths.data_dir() / name for name in verify.LOL.archive_names]
        afar = [(mirror["title"], mirror["url"]) for mirror in verify.LOL.source]
        return [(path, path) for path in by_hand if path.is_file()] + afar
    if str(source).lower().startswith(("http://", "https://")):
        return [(source, source)]
    path = paths.absolute(source)
    if not (path.is_file() or path.is_dir()):
        raise LleError(
            f"--from {str(source)!r} is neither a file nor a folder. Give a zip archive, a folder "
            "that was unpacked by hand, or an address that starts with http:// or https://."
        )
    return [(path, path)]


class _Fetch:
    def __init__(self, allow_modified, progress):
        self.accepted = {"published", "modified"} if allow_modified else {"published"}
        self.progress = progress
        self.target = paths.lol_dir()
        self.work = self.target.parent / ".fetch"

    def say(self, sentence):
        if self.progress:
            print(sentence, flush=True)

    def is_in_place(self):
        """Return whether the data set in place is complete; verify it if that was not done."""
        state = lol_state()
        if state == "unverified":
            report = verify_lol(progress=self.progress)
            self.say(report.summary())
            state = report.state
        return state in self.accepted

    def lock(self):
        """Take the lock on the data folder, and return it; wait while a different call holds it."""
        import filelock

        self.work.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.work}.lock")
        with suppress(filelock.Timeout):
            return lock.acquire(timeout=0)
        self.say(f"A different fetch is running in {self.work.parent}; waiting for it to finish.")
        return lock.acquire()

    def try_all(self, candidates):
        """Try the sources in order until one yields the data set."""
        self.work.mkdir(exist_ok=True)
        failures = []
        for title, place in candidates:
            self.say(f"Trying {title}")
            try:
                self.take(place) if isinstance(place, Path) else self.take_download(place)
                return
            except download.SourceError as problem:
                self.say(f"  {problem}")
                failures.append(f"  {len(failures) + 1}. {title}: {problem}\n")
        name = verify.LOL.archive_names[0]
        raise LleError(
            f"LOL could not be fetched. What each source said:\n{''.join(failures)}"
            f"What to do: download the archive in a browser from\n  {verify.LOL.manual_address}\n"
            f"and put it, still zipped, at\n  {self.target.parent / name}\n"
            f"then run the same command again. Or name the file, wherever it is:\n"
            f"  python -m lle_utils fetch lol --from PATH/TO/{name}"
        )

    def take_download(self, url, again=False):
        """Download an archive and take it; once more if it came in pieces and is no good."""
        part = self.work / f"{hashlib.sha256(os.fsencode(url)).hexdigest()[:16]}.part"
        in_pieces = download.get(url, part, self.progress)
        try:
            self.take(part)
        except download.SourceError as problem:
            part.unlink()
            if again or not in_pieces:
                raise
            self.say(f"  {problem}\n  Downloading it once more, from the start.")
            self.take_download(url, again=True)

    def take(self, path):
        """Unpack and verify an archive or a folder, and put the data set in place."""
        fresh = self.work / "unpacked"
        shutil.rmtree(fresh, ignore_errors=True)  # a killed call left it
        try:
            download.unpack(path, fresh, self.progress)
            report = verify_lol(fresh, progress=self.progress)
            if report.state not in self.accepted:
                raise download.SourceError("; ".join(report.lines()))
            if os.path.lexists(self.target):
                aside = f"{self.target}-before-{time.strftime('%Y%m%d-%H%M%S')}"
                os.rename(self.target, aside)
                self.say(f"What was in {self.target} is now in {aside}.")
            os.rename(fresh, self.target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self.say(report.lines()[-1])
