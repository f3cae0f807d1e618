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
from pathlib import Path

from tqdm.auto import tqdm

from lle_utils.errors import LleError
from lle_utils.fetch import verify

CHUNK_BYTES = 1 << 14  # when a connection is cut, at most so much is lost
TRIES = 4  # in a row without progress
BACKOFF_SECONDS = 0.5  # doubles with each try that brings nothing
TIMEOUT = (10, 30)  # seconds to connect, and to wait for the next bytes
BUSY = (408, 429, 500, 502, 503, 504)
DRIVE = r"https?://(?:drive|docs|drive\.usercontent)\.google\.com/(?:.*/d/|.*[?&]id=)([\w-]+)"


class SourceError(LleError):
    """A source failed; a different one may work."""


def get(url, part):
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
    while problem := ask(url, part):
        here = arrived(part)
        tries = 1 if here > most else tries + 1
        most = max(most, here)
        if tries == TRIES:
            raise SourceError(f"{problem}; {here / 1e6:.1f} MB are kept for the next call")
        time.sleep(BACKOFF_SECONDS * 2**tries)
    return most > 0


def arrived(part):
    """Return how many bytes of a download are here; gdown adds its own endings to the name."""
    return sum(path.stat().st_size for path in part.parent.glob(f"{part.name}*"))


def _ask_server(url, part):
    """Write what one request brings; return None, or the problem if it may pass."""
    import requests

    have = arrived(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    most = verify.LOL.archive_bytes + verify.LOL.unpacked_bytes
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416 and have:
                return None  # nothing is missing, or the archive will prove damaged
            if not response.ok:
                answer = f"the server answered {response.status_code} {response.reason}"
                if response.status_code in BUSY:
                    return answer
                raise SourceError(answer)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise SourceError("the server sent a web page and not the file")
            if response.status_code != 206:
                have = 0  # the server sends the whole file
            size = {"total": verify.LOL.archive_bytes, "initial": have, "unit_scale": True}
            bar = tqdm(desc="Downloading", unit="B", leave=False, disable=None, **size)
            with part.open("ab" if have else "wb") as file, bar:
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    bar.update(len(chunk))
                    if file.tell() > most:
                        file.truncate(0)
                        raise SourceError("it sends more than the whole data set")
    except requests.exceptions.ContentDecodingError:
        part.unlink()  # no compressed answer can be continued
        return "the connection failed during a compressed answer"
    except (requests.RequestException, ValueError) as problem:
        return f"the connection failed ({type(problem).__name__})"
    return None


def _ask_drive(url, part):
    """Let gdown, which follows Drive's confirmation pages, try once; return as `_ask_server`."""
    import gdown
    import requests

    options = {"resume": True, "use_cookies": False}
    if "timeout" in inspect.signature(gdown.download).parameters:  # not in gdown 5
        options["timeout"] = TIMEOUT
    try:
        gdown.download(id=drive_id(url), output=str(part), **options)
    except Exception as problem:  # gdown's own errors changed their class between versions
        if isinstance(problem, OSError) and not isinstance(problem, requests.RequestException):
            raise  # the disk's
        return f"Google Drive failed: {' '.join(str(problem).split())[:200]}"
    # gdown 5 returns where gdown 6 raises.
    return None if part.exists() else "Google Drive did not give the file"


def drive_id(url):
    """Return the id in a link to a file on Google Drive; None for any other address."""
    found = re.match(DRIVE, url)
    return found and found[1]


def unpack(path, target):
    """Copy LOL's files out of a zip archive or a folder into the folder ``target``.

    Only the registry's names become paths on disk, so an archive cannot write anywhere else.
    """
    for name, content in _read_files(path):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)


def _read_files(path):
    """Yield the name and the content of each file of LOL in a zip archive or a folder."""
    most = verify.LOL.max_file_bytes
    try:
        with nullcontext() if path.is_dir() else zipfile.ZipFile(path) as archive:
            files = archive.namelist() if archive else filter(Path.is_file, path.rglob("*.png"))
            wanted = {"/".join(re.split(r"[\\/]", str(file))[-3:]): file for file in files}
            for name in verify.LOL.md5.keys() & wanted.keys():
                file = wanted[name]
                with archive.open(file) if archive else file.open("rb") as stream:
                    content = stream.read(most + 1)
                if len(content) > most:
                    raise ValueError(f"{name} is larger than any picture of LOL")
                yield name, content
    except Exception as problem:  # zipfile raises many kinds on damaged archives
        raise SourceError(f"it cannot be unpacked ({problem})") from problem
