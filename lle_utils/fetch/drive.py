"""Google Drive, by way of gdown, which follows Drive's confirmation pages.

Only ``download(id=, output=, quiet=, resume=)`` is called: gdown 5.2 and 6.5 both have it, and
``fuzzy`` is gone from the newer ones.
"""

import inspect
import os
from contextlib import contextmanager

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
        Only its time-outs apply.

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
        import requests
    except ImportError as problem:
        raise SourceError("needs gdown, which is not installed (pip install gdown)") from problem

    policy = policy or Policy()
    kept = Kept(folder, f"drive:{id}")
    if kept.whole.exists():
        return kept.whole
    fresh = kept.whole.with_suffix(".drive")  # gdown names its partial file after this one
    _keep_one_partial(fresh)
    options = {"id": id, "output": str(fresh), "quiet": not talk.progress, "resume": True}
    timeout = (policy.connect, policy.read)
    if "timeout" in inspect.signature(gdown.download).parameters:
        options["timeout"] = timeout
    try:
        with explained(folder), _always_a_timeout(timeout):
            result = gdown.download(**options)
    except requests.exceptions.ConnectionError as problem:
        raise SourceError("drive.google.com cannot be reached", offline=True) from problem
    except requests.exceptions.Timeout as problem:
        raise SourceError("Google Drive stopped answering") from problem
    except OSError as problem:
        raise SourceError(f"Google Drive failed: {_first_line(problem)}") from problem
    except Exception as problem:  # gdown's own errors changed their class between versions
        raise SourceError(_in_words(problem)) from problem
    if result is None or not fresh.exists():
        raise SourceError("Google Drive did not give the file")
    try:
        require_zip(fresh)
    except DamagedError:
        # gdown 5.2 takes a cut connection for the end: hand the piece back, to be resumed.
        os.replace(fresh, fresh.with_name(fresh.name + "cut.part"))
        raise
    except SourceError:
        fresh.unlink()
        raise
    kept.write({})
    os.replace(fresh, kept.whole)
    return kept.whole


def _keep_one_partial(fresh):
    """Of several partial files keep the longest; gdown gives up when it finds more than one."""
    parts = sorted(fresh.parent.glob(f"{fresh.name}*.part"), key=lambda path: path.stat().st_size)
    for part in parts[:-1]:
        part.unlink()


def _in_words(problem):
    """Say what gdown's error means."""
    text = str(problem).lower()
    if "too many users" in text or "quota" in text or "many accesses" in text:
        return (
            "answered with Google Drive's quota page (too many people downloaded the file today; "
            "it may work tomorrow, or at once in a browser where you are signed in)"
        )
    return f"Google Drive did not give the file: {_first_line(problem)}"


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
