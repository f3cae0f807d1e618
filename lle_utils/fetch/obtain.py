"""From nothing to a verified data set: try the sources in order, unpack, check, put in place."""

import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lle_utils import paths
from lle_utils.fetch.archive import open_archive, open_folder, unpack
from lle_utils.fetch.download import Kept, Policy, download
from lle_utils.fetch.drive import drive_file
from lle_utils.fetch.problems import (
    DamagedError,
    FetchError,
    NearCopyError,
    SourceError,
    explained,
    require_room,
)
from lle_utils.fetch.registry import Source
from lle_utils.fetch.store import State, Workshop, read_marker, stamp, state_of, write_marker
from lle_utils.fetch.talk import Talk, readable
from lle_utils.fetch.verify import verify_folder


def fetch(
    registry, source=None, *, data_dir=None, allow_modified=False, progress=True, policy=None
):
    """Make sure that a verified data set is on disk; download it if need be.

    Parameters
    ----------
    registry : Registry
        What the data set must contain and where it can be had.
    source : str or pathlib.Path, optional
        A zip archive, a folder that was unpacked by hand, or a URL (a Google Drive link too) to
        use instead of the registry's sources.
    data_dir : str or pathlib.Path, optional
        The data folder; `lle_utils.paths.data_dir` by default.
    allow_modified : bool
        Take a near copy too: re-encoded, resized, or with missing pairs.
    progress : bool
        False for silence.
    policy : Policy, optional
        How patient downloads are.

    Returns
    -------
    pathlib.Path
        The data set's folder.

    Raises
    ------
    LleError
        If no source yields the data set. Whatever was in the folder before is still there.
    """
    import filelock

    talk = Talk(progress)
    data = paths.data_dir() if data_dir is None else Path(data_dir).expanduser().absolute()
    shop = Workshop(data, registry.name)
    job = _Job(registry, shop, talk, allow_modified, policy or Policy())
    candidates = _candidates(registry, source, data)
    if job.already_there(source):
        return shop.target
    shop.open()
    lock = filelock.FileLock(shop.folder / f"{registry.name}.lock")
    with explained(shop.folder):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            talk.say(f"Another fetch is at work in {data}; waiting for it to finish.")
            lock.acquire(poll_interval=0.1)
    try:
        shop.clean()
        if job.already_there(source):  # the other one may have brought it
            return shop.target
        job.try_all(candidates, chosen=source is not None)
        shop.empty()
        return shop.target
    finally:
        lock.release()


def _candidates(registry, source, data):
    """Return what to try, in order: paths of local archives and folders, and `Source` objects."""
    if source is None:
        local = [data / name for name in registry.archive_names]
        return [path for path in local if path.is_file()] + list(registry.sources)
    text = str(source)
    scheme = urlsplit(text).scheme.lower()
    if scheme == "file":
        source = unquote(urlsplit(text).path)
    elif scheme in ("http", "https"):
        drive = re.search(r"(?:drive|docs)\.google\.com/.*?(?:/d/|[?&]id=)([\w-]{20,})", text)
        if drive:
            return [Source(title=text, kind="drive", id=drive[1])]
        return [Source(title=text, kind="https", url=text)]
    path = Path(source).expanduser().absolute()
    if not path.exists():
        near = path.parent
        hint = "" if near.is_dir() else f" (there is no folder {near} either)"
        raise FetchError(
            f"--from {source}: there is no such file{hint}. Give the path of a zip archive or of "
            "an unpacked folder, or an address that starts with http:// or https://."
        )
    return [path]


class _Job:
    """One call of `fetch`: its settings, and what it does with each source."""

    def __init__(self, registry, shop, talk, allow_modified, policy):
        self.registry = registry
        self.shop = shop
        self.talk = talk
        self.allow_modified = allow_modified
        self.policy = policy
        self.rejected = None  # stamp of a folder that was judged already

    def acceptable(self, report):
        """Return True if a data set with this report may be installed."""
        return report.ok or (self.allow_modified and report.usable)

    def already_there(self, source):
        """Return True if what is in place will do; verify it first if nobody has."""
        title, target = self.registry.title, self.shop.target
        state = state_of(target, self.registry)
        found = stamp(target, self.registry)
        if state == State.UNVERIFIED and found != self.rejected:
            with self.talk.bar(f"Checking {title}", self.registry.unpacked_bytes) as bar:
                report = verify_folder(target, self.registry, bar)
            adoptable = source is None and self.acceptable(report) and not report.halves
            if report.ok or adoptable:
                self._mark(report)
                state = state_of(target, self.registry)
                state = State.PUBLISHED if report.ok else state
            else:
                self.rejected = found
                self.talk.say(f"What is in {target} will not do: {report.differences()}.")
        if state == State.PUBLISHED:
            self.talk.say(f"{title} is in {target}, as published. Nothing needs to be downloaded.")
            return True
        if state == State.MODIFIED and self.allow_modified:
            marker = read_marker(target)
            if source is None or marker.get("source") == str(source):
                self.talk.say(f"A modified copy of {title} is in {target}, as you allowed.")
                return True
        return False

    def _mark(self, report):
        """Write down what was verified, unless the folder is somebody else's."""
        with suppress(OSError):  # a school's read-only disk: verified again next time
            write_marker(self.shop.target, report, "found in place")

    def try_all(self, candidates, chosen):
        """Try the sources in order until one yields the data set."""
        failures, silent = [], set()
        for candidate in candidates:
            title = candidate.title if isinstance(candidate, Source) else str(candidate)
            self.talk.say(f"{self.registry.title}: trying {title}")
            host = _host(candidate)
            try:
                if host in silent:
                    raise SourceError(f"{host} cannot be reached", offline=True)
                self._try(candidate)
                return
            except SourceError as problem:
                failures.append((title, problem))
                if problem.offline:
                    silent.add(host)
                if not chosen:
                    self.talk.say(f"  {problem}")
        message = _failure(self.registry, failures, chosen, self.shop.data)
        if state_of(self.shop.target, self.registry) == State.MODIFIED:
            message += f"\nThe modified copy in {self.shop.target} is still there and can be used."
        raise FetchError(message)

    def _try(self, candidate):
        """Obtain and install from one source, or raise `SourceError` and leave no trace."""
        if isinstance(candidate, Path):
            with _as_a_file():
                opened = open_folder if candidate.is_dir() else open_archive
                self._install(candidate, opened, str(candidate))
            return
        address = f"drive:{candidate.id}" if candidate.kind == "drive" else candidate.url
        kept = Kept(self.shop.folder, address)
        try:
            self._install(self._download(candidate, kept), open_archive, candidate.title)
        except DamagedError:
            if not (kept.whole.exists() and kept.read().get("resumed")):
                self._forget_unless_partial(kept)
                raise
            kept.forget()
            self.talk.say("  what arrived in pieces does not fit together: from the start again")
            try:
                self._install(self._download(candidate, kept), open_archive, candidate.title)
            except SourceError:
                self._forget_unless_partial(kept)
                raise
        except NearCopyError:
            kept.write(kept.read() | {"refused": True})
            raise
        except SourceError:
            self._forget_unless_partial(kept)
            raise

    @staticmethod
    def _forget_unless_partial(kept):
        """Delete a whole file that is no good; a piece of one may still become whole."""
        if kept.whole.exists():
            kept.forget()

    def _download(self, source, kept):
        """Return the source's archive on disk."""
        if source.kind == "drive":
            have = sum(path.stat().st_size for path in self.shop.folder.glob(f"{kept.whole.stem}*"))
            self._make_room(max(0, self.registry.archive_bytes - have))
            return drive_file(source.id, self.shop.folder, self.talk, self.policy)
        renew = bool(kept.read().get("refused")) and not self.allow_modified
        return download(
            source.url, self.shop.folder, self.talk, self.policy, self._make_room, renew
        )

    def _make_room(self, to_come):
        """Refuse to begin a download that would not fit, unpacked data set included."""
        to_come = to_come if to_come > 0 else self.registry.archive_bytes
        unpacked = self.registry.unpacked_bytes
        require_room(
            self.shop.data,
            to_come + unpacked,
            f"{readable(to_come)} to download and {readable(unpacked)} to unpack",
        )

    def _install(self, path, opened, title):
        """Unpack and check an archive or folder; put the data set in place if it will do."""
        registry = self.registry
        fresh = self.shop.new_folder()
        try:
            with opened(path, registry) as holding:
                require_room(self.shop.data, holding.size, f"{readable(holding.size)} to unpack")
                what = f"Unpacking and checking {registry.title}"
                with self.talk.bar(what, holding.size) as bar, explained(self.shop.data):
                    report = unpack(holding, fresh, registry, title, bar)
            if not self.acceptable(report):
                raise self._refusal(report)
            with explained(fresh):
                _drop_halves(fresh, report)
                write_marker(fresh, report, title)
            aside = self.shop.install(fresh, registry)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        if aside is not None:
            self.talk.say(f"What was in {self.shop.target} before is now in {aside}.")
        self._announce(report)

    def _refusal(self, report):
        """Return the error that says what is wrong with the content."""
        title = self.registry.title
        if report.usable:
            return NearCopyError(
                f"gave a near copy of {title}, not the published files: {report.differences()}. "
                "Only with --allow-modified is such a copy taken"
            )
        return SourceError(
            f"gave something that is not {title} and cannot be used: {'; '.join(report.objections)}"
        )

    def _announce(self, report):
        """Say what was put in place."""
        pairs = " + ".join(str(len(files)) for files in report.pairs.values())
        self.talk.say(f"{self.registry.title} is in {self.shop.target}: {pairs} pairs.")
        if report.ok:
            self.talk.say("Every picture is the published one.")
        else:
            self.talk.say(
                f"It is a modified copy, taken because you allowed it: {report.differences()}. "
                "Whoever loads it is told so."
            )


# What the problems that a server causes begin with; on its own, such a phrase lacks its subject.
_VERBS = "gave|sent|does|refuses|asks|answered|is|has|may|no longer|needs"


def _host(candidate):
    """Return the server that a candidate needs, or None for a file."""
    if isinstance(candidate, Path):
        return None
    return "drive.google.com" if candidate.kind == "drive" else urlsplit(candidate.url).netloc


def _drop_halves(folder, report):
    """Remove pictures whose partner is missing, so that every low/ has its high/."""
    for name in report.halves:
        (folder / name).unlink()
        report.findings.pop(name)
        report.missing.append(name)


@contextmanager
def _as_a_file():
    """Let the errors speak of a file that is here and not of a server that sent it."""
    try:
        yield
    except SourceError as problem:
        words = re.sub(r"^(gave|sent) ", "is ", str(problem))
        words = re.sub(r"^(is|has) ", r"it \1 ", words)
        raise type(problem)(words) from problem


def _failure(registry, failures, chosen, data):
    """Return the one message for a fetch that came to nothing: who said what, and what to do."""
    title = registry.title
    if chosen:
        (place, problem), *_ = failures
        words = re.sub(rf"^({_VERBS})\b", r"the server \1", _sentence(problem))
        kept = isinstance(problem, NearCopyError) and not Path(place).exists()
        again = " (what was downloaded is kept, and not downloaded again)." if kept else ""
        return f"{title} was not taken from {place}: {words[:-1] + again if again else words}"
    lines = [f"{title} could not be fetched. What each source said:"]
    lines += [
        f"  {n}. {place}: {_sentence(problem)}" for n, (place, problem) in enumerate(failures, 1)
    ]
    if not failures:
        lines.append("  (no source is listed)")
    remote = [problem for _, problem in failures]
    if remote and all(problem.offline for problem in remote):
        lines.append("No server could be reached: this machine seems to have no network.")
    name = registry.archive_names[0] if registry.archive_names else f"{registry.name}.zip"
    if registry.manual_address:
        lines.append("What to do: download the archive in a browser from")
        lines.append(f"  {registry.manual_address}")
        lines.append(f"and put it, still zipped, at\n  {data / name}")
        lines.append("then run the same command again. Or name the file, wherever it is:")
        lines.append(f"  python -m lle_utils fetch {registry.name} --from PATH/TO/{name}")
    if any(isinstance(problem, NearCopyError) for problem in remote):
        lines.append(
            "Or take the near copy, which is kept and not downloaded again:\n"
            f"  python -m lle_utils fetch {registry.name} --allow-modified"
        )
    return "\n".join(lines)


def _sentence(problem):
    text = str(problem)
    return text if text.endswith(".") else f"{text}."
