"""Fetch and verify the LOL data set, from wherever it can be had.

>>> from lle_utils import fetch
>>> folder = fetch.fetch_lol()          # downloads once, then only looks  # doctest: +SKIP
>>> print(fetch.verify_lol().summary())                                    # doctest: +SKIP

This file tries the sources in turn and puts what it got in place; `download` gets one archive and
unpacks it; `verify` judges each file by its content; `command` is the command line.
"""

import os
import shutil
import time
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lle_utils import paths
from lle_utils.errors import LleError
from lle_utils.fetch.download import ContentError, Download, SourceError, require_room, unpack
from lle_utils.fetch.verify import (
    Kind,
    Report,
    Source,
    State,
    load_registry,
    note_of,
    read_record,
    state_of,
    verify_folder,
    write_record,
)

__all__ = ["Report", "State", "fetch_lol", "lol_note", "lol_state", "verify_lol"]


def fetch_lol(source=None, *, data_dir=None, allow_modified=False, progress=True):
    """Make sure that the LOL data set is on disk, verified; download it if it is not.

    A call that finds it there returns at once. An interrupted call leaves either the complete data
    set or none, and the next one resumes the download.

    Parameters
    ----------
    source : str or pathlib.Path, optional
        A zip archive, a folder that was unpacked by hand, or a URL, to be used instead of the
        sources listed in ``registry/lol.toml``.
    data_dir : str or pathlib.Path, optional
        The data folder; `lle_utils.paths.data_dir` by default.
    allow_modified : bool
        Take a near copy too (re-encoded, resized, missing pairs). The data set then says so
        whenever it is loaded.
    progress : bool
        False for silence; True prints sentences and progress bars.

    Returns
    -------
    pathlib.Path
        The folder that holds ``our485/`` and ``eval15/``, each with ``low/`` and ``high/``.

    Raises
    ------
    LleError
        If no source yields the data set; the message lists what each said and what to do.
    """
    return obtain(load_registry("lol"), source, data_dir, allow_modified, progress)


def verify_lol(folder=None, *, progress=False):
    """Judge every file of a copy of LOL by its content.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The copy; where `fetch_lol` puts it by default.
    progress : bool
        True draws a progress bar.

    Returns
    -------
    Report
        ``report.ok``, ``report.counts``, ``report.summary()`` and more. If all is well, that is
        written down beside the pictures, so that they load without a warning.
    """
    folder, registry = _lol_folder(folder), load_registry("lol")
    report = verify_folder(folder, registry, progress)
    accepted = read_record(folder).get("state") == State.MODIFIED and report.usable
    if report.ok or accepted:
        with suppress(OSError):  # a read-only disk: the report is what was asked for
            write_record(folder, report)
    return report


def lol_state(folder=None):
    """Return what is known of LOL without reading its pictures.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The data set; where `fetch_lol` puts it by default.

    Returns
    -------
    State
        ``"absent"``, ``"unverified"``, ``"published"`` or ``"modified"`` (a string).
    """
    return state_of(_lol_folder(folder), load_registry("lol"))


def lol_note(folder=None):
    """Return the sentence that whoever loads LOL must see, or None for the published files.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The data set; where `fetch_lol` puts it by default.
    """
    return note_of(_lol_folder(folder), load_registry("lol"))


def _lol_folder(folder):
    return paths.lol_dir() if folder is None else paths.absolute(folder)


def obtain(registry, source=None, data_dir=None, allow_modified=False, progress=True):
    """Make sure that a data set is on disk; this is `fetch_lol` for any registry."""
    data = paths.data_dir() if data_dir is None else paths.absolute(data_dir)
    candidates = _candidates(registry, source, data)
    fetch = _Fetch(registry, data, allow_modified, progress)
    try:
        if not fetch.is_in_place():
            with fetch.lock():
                if not fetch.is_recorded():  # another call may have brought it meanwhile
                    fetch.try_all(candidates, chosen=source is not None)
        fetch.clean_up()
    except OSError as problem:
        raise LleError(
            f"{problem.filename or data}: {problem.strerror or problem}. Free some space there, or "
            "set LLE_DATA_DIR to a folder of yours with more room, and run the same command again."
        ) from problem
    return fetch.target


def _candidates(registry, source, data):
    """Return what to try, in order: paths of archives and folders, and `Source` objects."""
    if source is None:
        by_hand = [data / name for name in registry.archive_names]
        return [path for path in by_hand if path.is_file()] + list(registry.sources)
    text = str(source)
    if text.lower().startswith(("http://", "https://")):
        return [Source(text, text)]
    path = url2pathname(urlsplit(text).path) if text.startswith("file:") else text
    if path.strip():
        path = paths.absolute(path)
        if path.is_file() or path.is_dir():
            return [path]
    raise LleError(
        f"--from {text!r} is neither a file nor a folder. Give a zip archive, a folder that "
        "was unpacked by hand, or an address that starts with http:// or https://."
    )


class NearCopyError(ContentError):
    """An archive is sound and nearly the data set; the user may decide to take it."""


class _Fetch:
    """One call of `obtain`: its settings and its steps."""

    def __init__(self, registry, data, allow_modified, progress):
        self.registry = registry
        self.data = data
        self.allow_modified = allow_modified
        self.progress = progress
        self.target = data / registry.name
        self.work = data / ".fetch"

    def say(self, sentence):
        """Print a sentence, unless silence was asked for."""
        if self.progress:
            print(sentence, flush=True)

    def accepts(self, report):
        """Return whether a data set with this report may be put in place."""
        return report.ok or (self.allow_modified and report.usable)

    def is_recorded(self):
        """Return whether the data set in place will do, by the record of its verification."""
        state = state_of(self.target, self.registry)
        return state == State.PUBLISHED or (state == State.MODIFIED and self.allow_modified)

    def is_in_place(self):
        """Return whether the data set in place will do; verify it if nobody has."""
        if self.is_recorded():
            self.say(f"{self.registry.title} is in {self.target}; there is nothing to download.")
            return True
        if state_of(self.target, self.registry) != State.UNVERIFIED:
            return False
        report = verify_folder(self.target, self.registry, self.progress)
        self.say(report.summary())
        will_do = self.accepts(report) and not report.halves
        if will_do:
            with suppress(OSError):  # a school's read-only disk: verified again next time
                write_record(self.target, report)
        return will_do

    def clean_up(self):
        """Remove what is not needed any more, or what a killed call left; the lock stays."""
        left = [path for path in self.work.glob("*") if path.suffix != ".lock"]
        if left:
            with suppress(OSError), self.lock():  # the next call tries again
                for path in left:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def lock(self):
        """Hold the working folder; wait for another call that does."""
        import filelock

        self.work.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.work / f"{self.registry.name}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            self.say(f"Another fetch is at work in {self.data}; waiting for it to finish.")
            lock.acquire(poll_interval=0.1)
        try:
            yield
        finally:
            lock.release()

    def try_all(self, candidates, chosen):
        """Try the sources in order until one yields the data set."""
        failures = []
        for candidate in candidates:
            title = candidate.title if isinstance(candidate, Source) else candidate
            self.say(f"{self.registry.title}: trying {title}")
            try:
                if isinstance(candidate, Source):
                    self.take_download(Download(candidate.url, self.work, self.progress))
                else:
                    self.take(candidate)
                return
            except SourceError as problem:
                self.say(f"  {problem}")
                failures.append(f"{title}: {problem}.")
        if chosen:
            raise LleError(f"{self.registry.title} was not taken from {failures[0]}")
        raise LleError(self.advice(failures))

    def take_download(self, download, again=False):
        """Take an archive from afar; get it once more if it came in pieces and is no good."""
        if not download.whole.exists():
            to_come = self.registry.archive_bytes - download.arrived()
            require_room(self.work, to_come + self.registry.unpacked_bytes)
        try:
            self.take(download.run(again))
        except ContentError as problem:
            if download.in_pieces and download.whole.exists() and not again:
                self.say(f"  {problem}; downloading it once more from the start")
                self.take_download(download, again=True)
                return
            if not isinstance(problem, NearCopyError):  # that stays, for --allow-modified
                download.whole.unlink(missing_ok=True)
            raise

    def take(self, path):
        """Unpack and verify an archive or a folder; put the data set in place if it will do."""
        fresh = self.work / "unpacked"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            unpack(path, fresh, self.registry, self.progress)
            report = verify_folder(fresh, self.registry, self.progress)
            if not self.accepts(report):
                raise _refusal(report)
            for name in report.halves:  # every low/ must have its high/
                (fresh / name).unlink()
                report.findings[name] = Kind.MISSING
            write_record(fresh, report)
            self.put_in_place(fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self.say(f"{self.registry.title} is in {self.target}. {report.verdict()}")

    def put_in_place(self, fresh):
        """Give a complete data set its name; what has that name now gets another one."""
        with suppress(OSError):
            self.target.rmdir()  # an empty folder is nothing to keep
        if self.target.exists() or self.target.is_symlink():
            aside = self.data / time.strftime(f"{self.registry.name}-before-%Y%m%d-%H%M%S")
            os.rename(self.target, aside)
            self.say(
                f"What was in {self.target} is now in {aside}; delete it if you do not need it."
            )
        os.rename(fresh, self.target)

    def advice(self, failures):
        """Return the one message for when all sources failed: who said what, and what to do."""
        name = self.registry.archive_names[0]
        said = "\n".join(f"  {number}. {failure}" for number, failure in enumerate(failures, 1))
        return (
            f"{self.registry.title} could not be fetched. What each source said:\n{said}\n"
            f"What to do: download the archive in a browser from\n"
            f"  {self.registry.manual_address}\n"
            f"and put it, still zipped, at\n  {self.data / name}\n"
            f"then run the same command again. Or name the file, wherever it is:\n"
            f"  python -m lle_utils fetch {self.registry.name} --from PATH/TO/{name}"
        )


def _refusal(report):
    """Return the error that says why a data set with this report is not taken."""
    title = report.registry.title
    if report.usable:
        return NearCopyError(
            f"this is a near copy of {title}, which only --allow-modified takes: "
            f"{report.differences()}"
        )
    return ContentError(
        f"its files do not match the registry of {title}: {'; '.join(report.objections)}"
    )
