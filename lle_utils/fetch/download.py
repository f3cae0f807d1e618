"""From a source to files in a folder: over HTTP or from Google Drive, out of a zip or a folder.

A download grows in a ``.part`` file that the next call continues. Nothing is remembered of the
server's file: if it changed in between, the archive proves damaged and the caller starts again.
"""

import errno
import inspect
import re
import shutil
import time
import zipfile
from contextlib import nullcontext
from functools import partial
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from lle_utils import __version__
from lle_utils.errors import LleError
from lle_utils.fetch import verify

CHUNK_BYTES = 1 << 14  # when a connection is cut, at most so much is lost
TRIES = 4  # in a row without progress
BACKOFF_SECONDS = 0.5  # doubles with each try that brings nothing
TIMEOUT = (10, 30)  # seconds to connect, and to wait for the next bytes
BUSY = (408, 429, 500, 502, 503, 504)
DRIVE_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com")


class SourceError(LleError):
    """A source failed; a different one may work."""


class _TryAgainError(Exception):
    """A request failed in a way that may pass."""


def get(url, part, progress=False):
    """Bring what is missing of a file into ``part``; return whether it came in pieces.

    `SourceError` if the source does not give it. What arrived is kept for the next call.
    """
    most = arrived(part)
    needed = verify.LOL.archive_bytes - most + verify.LOL.unpacked_bytes
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        room = f"{needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free"
        raise OSError(errno.ENOSPC, room, str(part.parent))
    ask = _ask_drive if drive_id(url) else _ask_server
    tries = 0
    while True:
        try:
            ask(url, part, progress)
            return most > 0
        except _TryAgainError as problem:
            here = arrived(part)
            tries = 1 if here > most else tries + 1
            most = max(most, here)
            if tries == TRIES:
                kept = f"{here / 1e6:.1f} MB are kept for the next call"
                raise SourceError(f"{problem}; {kept}") from problem
        time.sleep(BACKOFF_SECONDS * 2**tries)


def arrived(part):
    """Return how many bytes of a download are here; gdown adds its own endings to the name."""
    return sum(path.stat().st_size for path in part.parent.glob(f"{part.name}*"))


def _ask_server(url, part, progress):
    """Make one request for what is missing, and write what it brings."""
    import requests

    have = arrived(part)
    headers = {"User-Agent": f"lle_utils/{__version__}", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={have}-"} if have else {}
    most = verify.LOL.archive_bytes + verify.LOL.unpacked_bytes
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416 and have:
                return  # nothing is missing, or the archive will prove damaged
            if not response.ok:
                error = _TryAgainError if response.status_code in BUSY else SourceError
                raise error(f"the server answered {response.status_code} {response.reason}")
            if response.status_code != 206:
                have = 0  # the server sends the whole file
            total = have + (response.raw.length_remaining or 0) or None
            bar = {"total": total, "initial": have, "leave": False, "disable": not progress}
            with (
                part.open("ab" if have else "wb") as file,
                tqdm.wrapattr(file, "write", desc="Downloading", **bar) as output,
            ):
                for chunk in response.iter_content(CHUNK_BYTES):
                    output.write(chunk)
                    if file.tell() > most:
                        file.truncate(0)
                        raise SourceError("it sends more than the whole data set")
    except requests.exceptions.ContentDecodingError as problem:
        part.unlink()  # a compressed answer cannot be continued
        raise _TryAgainError("the connection failed while a compressed answer came") from problem
    except (requests.RequestException, ValueError) as problem:
        raise _TryAgainError(f"the connection failed ({type(problem).__name__})") from problem


def _ask_drive(url, part, progress):
    """Let gdown try once; it follows Drive's confirmation pages and resumes by itself."""
    import gdown
    import requests

    options = {"quiet": not progress, "resume": True, "use_cookies": False}
    if "timeout" in inspect.signature(gdown.download).parameters:  # not in gdown 5
        options["timeout"] = TIMEOUT
    try:
        gdown.download(id=drive_id(url), output=str(part), **options)
    except Exception as problem:  # gdown's own errors changed their class between versions
        if isinstance(problem, OSError) and not isinstance(problem, requests.RequestException):
            raise  # the disk's
        words = " ".join(str(problem).split())[:200]
        raise _TryAgainError(f"Google Drive failed: {words}") from problem
    if not part.exists():  # gdown 5 returns None where gdown 6 raises
        raise SourceError("Google Drive did not give the file")


def drive_id(url):
    """Return the id in a link to a file on Google Drive; None for any other address."""
    found = re.search(r"(?:/d/|[?&]id=)([\w-]+)", url)
    return found[1] if found and urlsplit(url).hostname in DRIVE_HOSTS else None


def unpack(path, target, progress=False):
    """Copy LOL's files out of a zip archive or a folder into the folder ``target``.

    Only the registry's names become paths on disk, so an archive cannot write anywhere else.
    """
    bar = {"total": len(verify.LOL.md5), "leave": False, "disable": not progress}
    for name, content in tqdm(_read_files(path), "Unpacking", **bar):
        if len(content) > verify.LOL.max_file_bytes:
            raise SourceError(f"{name} is larger than any picture of LOL")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)


def _read_files(path):
    """Yield name and content, but no more than a picture may have, of each file to be unpacked."""
    try:
        with nullcontext() if path.is_dir() else zipfile.ZipFile(path) as archive:
            if archive:
                found = {name: partial(archive.open, name) for name in archive.namelist()}
            else:
                files = [file for file in path.rglob("*.png") if file.is_file()]
                found = {file.as_posix(): partial(file.open, "rb") for file in files}
            wanted = {}
            for full in sorted(found, key=len, reverse=True):  # the shorter path wins
                wanted["/".join(full.replace("\\", "/").split("/")[-3:])] = found[full]
            for name in verify.LOL.md5.keys() & wanted.keys():
                with wanted[name]() as stream:
                    yield name, stream.read(verify.LOL.max_file_bytes + 1)
    except Exception as problem:  # zipfile raises many kinds on damaged archives
        raise SourceError(f"it cannot be unpacked ({problem})") from problem
