"""Download one file over HTTP: resumed after a cut, retried after a fault, never kept if wrong.

What has arrived lies in ``KEY.part``, and ``KEY.json`` says from which version of the file it came
(ETag or Last-Modified). A later call, of this process or another, asks for the rest with ``Range``
and ``If-Range``, so that a file that changed in between is sent from its beginning.
A complete file is renamed to ``KEY.zip``; that rename is what "complete" means.
"""

import email.utils
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lle_utils import __version__
from lle_utils.fetch.problems import DamagedError, SourceError, explained
from lle_utils.fetch.recognize import describe_web_page, is_web_page
from lle_utils.fetch.talk import readable

CHUNK = 1 << 18
SNIFF = 1 << 16

WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
REFUSALS = {
    401: "asks for a password",
    403: "refuses to give it (403 Forbidden)",
    404: "does not have it (404 Not Found)",
    407: "is behind a proxy that asks for a password",
    410: "no longer has it (410 Gone)",
    451: "may not give it for legal reasons (451)",
}


@dataclass(frozen=True)
class Policy:
    """How patient a download is.

    Attributes
    ----------
    attempts : int
        Failures in a row without progress after which a source is given up.
    attempts_unreachable : int
        The same for a server that cannot be reached at all: without a network a class must not
        wait through every attempt at every source.
    wait : float
        Seconds before the second attempt; doubles each time.
    longest_wait : float
        Seconds; a server that asks for more (``Retry-After``) is given up at once.
    connect, read : float
        Seconds to wait for a connection, and for the next bytes.
    slow_window, slow_bytes : float, int
        A connection that brings fewer bytes than that in so many seconds counts as stalled.
    """

    attempts: int = 5
    attempts_unreachable: int = 2
    wait: float = 1.0
    longest_wait: float = 60.0
    connect: float = 15.0
    read: float = 30.0
    slow_window: float = 60.0
    slow_bytes: int = 60_000


class _AgainError(Exception):
    """An attempt failed in a way that another may not."""

    def __init__(self, message, wait=0.0, offline=False):
        super().__init__(message)
        self.wait = wait
        self.offline = offline


class Kept:
    """What is kept of one address between calls.

    Parameters
    ----------
    folder : pathlib.Path
        The working folder.
    address : str
        The URL or another unique name of the source.
    """

    def __init__(self, folder, address):
        key = hashlib.sha256(address.encode()).hexdigest()[:16]
        self.address = address
        self.part = Path(folder) / f"{key}.part"
        self.whole = Path(folder) / f"{key}.zip"
        self.note = Path(folder) / f"{key}.json"

    def read(self):
        """Return what is known of the file that the kept bytes came from; {} if nothing is."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) and note.get("address") == self.address else {}

    def write(self, note):
        """Replace the note in one step."""
        fresh = self.note.with_suffix(".json.new")
        fresh.write_text(json.dumps(note | {"address": self.address}), encoding="utf-8")
        os.replace(fresh, self.note)

    def size(self):
        """Return how many bytes have arrived."""
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def forget(self):
        """Delete all that is kept."""
        for path in (self.part, self.whole, self.note):
            path.unlink(missing_ok=True)


def download(url, folder, talk, policy=None, make_room=None, renew=False):
    """Download a file, going on from where an earlier call was cut.

    Parameters
    ----------
    url : str
        An ``http`` or ``https`` address.
    folder : pathlib.Path
        The working folder; must exist. The caller holds its lock.
    talk : Talk
        Where progress goes.
    policy : Policy, optional
        How patient to be.
    make_room : callable, optional
        Called with the number of bytes still to come as soon as it is known; raises if there is
        no room for them.
    renew : bool
        Ask the server whether a file that is already complete has changed.

    Returns
    -------
    pathlib.Path
        The complete file. It may still be anything; a web page is never returned.

    Raises
    ------
    SourceError
        If the server does not give the file.
    FetchError
        If the disk is full or may not be written.
    """
    import requests

    policy = policy or Policy()
    kept = Kept(folder, url)
    if kept.whole.exists() and not renew:
        return kept.whole
    failures, total_failures = 0, 0
    with requests.Session() as session, explained(folder):
        session.headers["User-Agent"] = f"lle_utils/{__version__}"
        session.headers["Accept-Encoding"] = "identity"  # offsets must count the file's bytes
        while True:
            before = kept.size()
            try:
                _transfer(session, kept, talk, policy, make_room or (lambda size: None))
                return kept.whole
            except _AgainError as problem:
                if kept.whole.exists() and kept.size() == 0:
                    return kept.whole  # no answer to "has it changed?": use what is here
                progressed = kept.size() - before >= CHUNK // 4
                failures = 1 if progressed else failures + 1
                total_failures += 1
                wait = max(policy.wait * 2 ** (failures - 1), problem.wait)
                limit = policy.attempts_unreachable if problem.offline else policy.attempts
                limit = policy.attempts if kept.size() else limit
                hopeless = failures >= limit or total_failures >= 20 * policy.attempts
                if hopeless or problem.wait > policy.longest_wait:
                    times = "" if total_failures == 1 else f" (tried {total_failures} times)"
                    words = f"{problem}{times}{_arrived(kept)}"
                    raise SourceError(words, offline=problem.offline) from problem
                talk.say(f"  {problem}; again in {min(wait, policy.longest_wait):.0f} s")
                time.sleep(min(wait, policy.longest_wait))


def _arrived(kept):
    """Say how much is kept for the next call, if anything is."""
    have, total = kept.size(), kept.read().get("total")
    if not have:
        return ""
    of = f" of {readable(total)}" if total else ""
    return f"; {readable(have)}{of} have arrived, and the next call goes on from there"


def _transfer(session, kept, talk, policy, make_room):
    """Make one request and write what it brings; rename the file once it is complete."""
    note, have = kept.read(), kept.size()
    whole = kept.whole.exists()
    if have and note.get("total") == have:
        return _complete(kept)
    if have and (not note or (note.get("total") or have) < have):
        kept.part.unlink()
        have = 0
    with _request(session, kept.address, _conditions(note, have, whole), policy) as response:
        if response.status_code == 304 and whole:
            return None
        if response.status_code == 416:
            kept.part.unlink(missing_ok=True)
            raise _AgainError("it could not go on from where it was cut")
        _require_file(response)
        if response.status_code == 206:
            total = _range_total(response, have, note)
            if total is None:
                kept.part.unlink(missing_ok=True)
                raise _AgainError("the file on the server has changed")
        else:
            have, total = 0, _length(response)
        make_room((total or 0) - have)
        arrived = _write(response, kept, have, total, talk, policy)
    if total is not None and arrived != total:
        raise _AgainError("the connection was cut")
    if arrived == 0:
        kept.forget()
        raise SourceError("gave an empty file")
    return _complete(kept)


def _conditions(note, have, whole):
    """Return the headers that ask for the rest only, or only for a changed file."""
    etag, modified = note.get("etag"), note.get("modified")
    strong = etag if etag and not etag.startswith("W/") else None
    if have:
        headers = {"Range": f"bytes={have}-"}
        if strong or modified:
            headers["If-Range"] = strong or modified
        return headers
    if whole and etag:
        return {"If-None-Match": etag}
    if whole and modified:
        return {"If-Modified-Since": modified}
    return {}


def _request(session, url, headers, policy):
    """Send the request; put into words what kept it from being answered."""
    import requests

    host = urlsplit(url).netloc
    try:
        return session.get(url, headers=headers, stream=True, timeout=(policy.connect, policy.read))
    except requests.exceptions.ProxyError as problem:
        raise _AgainError(
            f"the network's proxy does not let {host} through", offline=True
        ) from problem
    except requests.exceptions.SSLError as problem:
        raise SourceError(
            f"the certificate of {host} could not be checked (a wrong clock on this machine, or a "
            "network that looks into encrypted traffic)"
        ) from problem
    except requests.exceptions.ConnectTimeout as problem:
        words = f"{host} did not answer within {policy.connect:g} s"
        raise _AgainError(words, offline=True) from problem
    except requests.exceptions.Timeout as problem:
        raise _AgainError(f"{host} did not answer within {policy.read:g} s") from problem
    except requests.exceptions.ConnectionError as problem:
        raise _AgainError(f"{host} cannot be reached", offline=_unreachable(problem)) from problem
    except (requests.exceptions.RequestException, ValueError) as problem:
        raise SourceError(f"{url} cannot be asked for: {problem}") from problem


def _unreachable(problem):
    """Return True unless the server took the connection and then dropped it."""
    return "RemoteDisconnected" not in repr(problem) and "reset" not in repr(problem).lower()


def _require_file(response):
    """Return quietly if the answer is the file or a part of it."""
    status = response.status_code
    if status in (200, 206):
        return
    if status in REFUSALS:
        raise SourceError(REFUSALS[status])
    words = f"answered {status} {response.reason or ''}".strip()
    if status in WORTH_RETRYING:
        raise _AgainError(words, wait=_retry_after(response))
    raise SourceError(words)


def _retry_after(response):
    """Return the seconds that the server asks to wait, given as a number or as a date."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, until.timestamp() - time.time())


def _length(response):
    """Return how long the file will be, or None if the server does not say."""
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not encoded else None


def _range_total(response, have, note):
    """Return the whole file's length if this is the rest that was asked for, else None."""
    words = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    start, total = words[0].partition("-")[0], words[2]
    if start != str(have):
        return None
    total = int(total) if total.isdigit() else note.get("total")
    etag, known = response.headers.get("ETag"), note.get("etag")
    changed = bool(etag and known and etag != known) or note.get("total") not in (None, total)
    return None if changed else total


def _write(response, kept, have, total, talk, policy):
    """Append what arrives to the partial file; return its size."""
    chunks = _chunks(response, policy)
    first = b""
    if not have:
        for chunk in chunks:  # enough to tell an archive from a web page, before anything is kept
            first += chunk
            if len(first) >= SNIFF or not is_web_page(first):
                break
        if is_web_page(first):
            raise SourceError(describe_web_page(first))
        kept.part.unlink(missing_ok=True)
        headers = response.headers
        kept.write(
            {"etag": headers.get("ETag"), "modified": headers.get("Last-Modified"), "total": total}
        )
    elif "text/html" in response.headers.get("Content-Type", ""):
        raise SourceError(describe_web_page(b""))
    else:
        kept.write(kept.read() | {"resumed": True})
    with (
        kept.part.open("ab", buffering=0) as file,
        talk.bar("Downloading", total, have) as bar,
    ):
        for chunk in _with_first(first, chunks):
            if total is not None and have + len(chunk) > total:
                file.close()
                kept.forget()
                raise DamagedError("sent more bytes than it had announced")
            _write_all(file, chunk)
            have += len(chunk)
            bar.update(len(chunk))
    return have


def _write_all(file, chunk):
    """Write every byte; an unbuffered file may take less than it is given."""
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]


def _with_first(first, chunks):
    if first:
        yield first
    yield from chunks


def _chunks(response, policy):
    """Yield the body as it arrives; a stalled or cut connection raises `_AgainError`."""
    import urllib3

    raw = response.raw
    read = getattr(raw, "read1", None) or raw.read
    started, arrived = time.monotonic(), 0
    while True:
        try:
            chunk = read(CHUNK)
        except (urllib3.exceptions.TimeoutError, TimeoutError) as problem:
            raise _AgainError(f"it stalled: nothing came for {policy.read:g} s") from problem
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise _AgainError("the connection was cut") from problem
        if not chunk:
            return
        yield chunk
        arrived += len(chunk)
        passed = time.monotonic() - started
        if passed > policy.slow_window:
            if arrived < policy.slow_bytes:
                raise _AgainError(f"it stalled: {readable(arrived)} in {passed:.0f} s")
            started, arrived = time.monotonic(), 0


def _complete(kept):
    """Give the file the name that means that it is whole."""
    note = kept.read()
    note.pop("refused", None)
    kept.write(note)
    os.replace(kept.part, kept.whole)
    return kept.whole
