"""Google Drive, by way of gdown, which follows Drive's confirmation pages.

Only ``download(id=, output=, quiet=, resume=, use_cookies=)`` is called: gdown 5.2 and 6.5 both
have it, and ``fuzzy`` is gone from the newer ones. No cookies: they would be written to the user's
home folder, which may be read-only in a classroom.
"""

import inspect
import os
import time
from contextlib import contextmanager

from lle_utils.errors import LleError
from lle_utils.fetch.download import Kept, Policy
from lle_utils.fetch.problems import DamagedError, SourceError, explained
from lle_utils.fetch.recognize import require_zip


def drive_file(id, folder, talk, policy=None):
    """Download a Google Drive file, going on from where an earlier call was cut.

    Parameters
    ----------
    id : str
        The file's id.
    folder : pathlib.Path
        The working folder; must exist. The caller holds its lock.
    talk : Talk
        Where progress goes.
    policy : Policy, optional
        How patient to be; gdown's own messages are not awaited longer than that.

    Returns
    -------
    pathlib.Path
        The complete zip archive.

    Raises
    ------
    SourceError
        If Drive does not give the file.
    FetchError
        If the disk is full or may not be written.
    """
    try:
        import gdown
    except ImportError as problem:
        raise SourceError("needs gdown, which is not installed (pip install gdown)") from problem

    policy = policy or Policy()
    kept = Kept(folder, f"drive:{id}")
    if kept.whole.exists():
        return kept.whole
    for attempt in range(1, policy.attempts + 1):
        try:
            return _attempt(gdown, id, kept, talk, policy)
        except _CutError as problem:
            if attempt == policy.attempts or (problem.offline and not _partials(kept)):
                raise
            wait = policy.wait * 2 ** (attempt - 1)
            talk.say(f"  {problem}; again in {wait:.0f} s")
            time.sleep(wait)
    raise AssertionError("the loop returns or raises")


class _CutError(DamagedError):
    """The transfer broke off; another attempt goes on from there."""


def _attempt(gdown, id, kept, talk, policy):
    """Let gdown try once; put whatever it says into words."""
    import requests

    fresh = _fresh(kept)
    _keep_one_partial(kept)
    options = {
        "id": id,
        "output": str(fresh),
        "quiet": not talk.progress,
        "resume": True,
        "use_cookies": False,
    }
    timeout = (policy.connect, policy.read)
    if "timeout" in inspect.signature(gdown.download).parameters:
        options["timeout"] = timeout
    try:
        with explained(kept.whole.parent), _always_a_timeout(timeout):
            result = gdown.download(**options)
    except requests.exceptions.RequestException as problem:
        raise _in_words_of_the_network(problem) from problem
    except OSError as problem:
        raise SourceError(f"Google Drive failed: {_first_line(problem)}") from problem
    except LleError:
        raise
    except Exception as problem:  # gdown's own errors changed their class between versions
        raise _in_words(problem) from problem
    if result is None or not fresh.exists():
        raise SourceError("Google Drive did not give the file")
    try:
        require_zip(fresh)
    except DamagedError as problem:
        # gdown 5.2 takes a cut connection for the end: hand the piece back while it still grows.
        size = fresh.stat().st_size
        if size <= kept.read().get("short", 0):
            kept.forget()
            fresh.unlink()
            raise
        kept.write({"short": size})
        os.replace(fresh, fresh.with_name(f"{fresh.name}cut.part"))
        raise _CutError("Google Drive broke off the transfer") from problem
    except SourceError:
        fresh.unlink()
        raise
    kept.write({"resumed": True})  # perhaps: enough to try once more if it proves damaged
    os.replace(fresh, kept.whole)
    return kept.whole


def _fresh(kept):
    """Return gdown's output; it names its partial file after it."""
    return kept.whole.with_suffix(".drive")


def _partials(kept):
    """Return gdown's partial files, the shortest first."""
    fresh = _fresh(kept)
    parts = fresh.parent.glob(f"{fresh.name}*.part")
    return sorted(parts, key=lambda path: path.stat().st_size)


def _keep_one_partial(kept):
    """Of several partial files keep the longest; gdown gives up when it finds more than one."""
    for part in _partials(kept)[:-1]:
        part.unlink()


def _in_words_of_the_network(problem):
    """Say what kept gdown from reaching Drive or from going on."""
    import requests

    errors = requests.exceptions
    if isinstance(problem, errors.SSLError):
        return SourceError("the certificate of drive.google.com could not be checked")
    if isinstance(problem, errors.Timeout) or "timed out" in str(problem).lower():
        return _CutError("Google Drive stopped answering")
    if isinstance(problem, errors.ChunkedEncodingError):
        return _CutError("Google Drive broke off the transfer")
    if isinstance(problem, errors.ConnectionError):
        return _CutError("drive.google.com cannot be reached", offline=True)
    return SourceError(f"Google Drive failed: {_first_line(problem)}")


def _in_words(problem):
    """Say what gdown's own error means."""
    text = str(problem).lower()
    if "too many users" in text or "quota" in text or "many accesses" in text:
        return SourceError(
            "answered with Google Drive's quota page (too many people downloaded the file today; "
            "it may work tomorrow, or at once in a browser where you are signed in)"
        )
    if "incomplete" in text:
        return _CutError("Google Drive broke off the transfer")
    return SourceError(f"Google Drive did not give the file: {_first_line(problem)}")


def _first_line(problem):
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return (lines[0] if lines else type(problem).__name__)[:160]


@contextmanager
def _always_a_timeout(timeout):
    """Give requests a time-out where the caller set none; older gdown would wait forever."""
    import requests

    send = requests.Session.send

    def patient_send(self, request, **options):
        options["timeout"] = options.get("timeout") or timeout
        return send(self, request, **options)

    requests.Session.send = patient_send
    try:
        yield
    finally:
        requests.Session.send = send
