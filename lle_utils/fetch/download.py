"""From a source to files in a folder: over HTTP or from Google Drive, out of a zip or a folder.

A download grows in a ``.part`` file, which the next call continues, and is renamed to ``.zip`` once
it is complete. Nothing is remembered of the server's file: if it changed in between, the pieces do
not fit together, the archive proves damaged, and the caller starts again from nothing.
"""

import hashlib
import inspect
import itertools
import lzma
import os
import shutil
import struct
import time
import zipfile
import zlib
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

from lle_utils import __version__
from lle_utils.errors import LleError
from lle_utils.fetch.verify import progress_bar

CHUNK_BYTES = 1 << 14  # when a connection is cut, at most so much is lost
TRIES = 5  # in a row without progress
BACKOFF_SECONDS = 0.5  # doubles with each try that brings nothing
TIMEOUT = (10, 30)  # seconds to connect, and to wait for the next bytes
BUSY = (429, 500, 502, 503, 504)
DRIVE_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com")
UNREADABLE = (  # what a damaged, locked or odd zip archive makes zipfile raise
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError),
)


class SourceError(LleError):
    """A source failed; another may do better."""


class ContentError(SourceError):
    """What a source gave is not the data set."""


class _CutError(Exception):
    """The connection ended early; the next try continues from there."""


class Download:
    """One archive on its way from a URL into the working folder, which the caller has locked."""

    def __init__(self, url, folder, progress=False):
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.url = url
        self.progress = progress
        self.part = folder / f"{key}.part"
        self.whole = folder / f"{key}.zip"
        self.in_pieces = self.whole.exists() or self.arrived() > 0

    def arrived(self):
        """Return how many bytes of an incomplete download are here; gdown names its own part."""
        parts = [self.part, *self.part.parent.glob(f"{self.part.stem}.drive*.part")]
        return sum(path.stat().st_size for path in parts if path.exists())

    def run(self, again=False):
        """Download what is missing; return the complete file, whatever is in it.

        With ``again``, a file that is complete is downloaded once more and then replaced.
        `SourceError` if the source does not give it; what arrived is kept for the next call.
        """
        if self.whole.exists() and not again:
            return self.whole
        tries = 0
        while True:
            before = self.arrived()
            try:
                self._ask_drive() if drive_id(self.url) else self._ask_server()
                return self.whole
            except _CutError as problem:
                self.in_pieces = True
                tries = 0 if self.arrived() > before else tries + 1
                if tries == TRIES:
                    kept = f"{self.arrived() / 1e6:.1f} MB are kept for the next call"
                    raise SourceError(f"{problem}; {kept}") from problem
                time.sleep(BACKOFF_SECONDS * 2**tries)

    def _ask_server(self):
        """Make one request for what is missing, and write what it brings."""
        have = self.arrived()
        response = _get(self.url, have)
        complete = have and response.headers.get("Content-Range") == f"bytes */{have}"
        if not complete:
            if have and response.status_code in (206, 416) and not _continues(response, have):
                response = _get(self.url, 0)
            if response.status_code not in (200, 206):
                raise SourceError(f"the server answered {response.status_code} {response.reason}")
            self._write(response, have if response.status_code == 206 else 0)
        os.replace(self.part, self.whole)

    def _write(self, response, have):
        """Write an answer behind the first ``have`` bytes; `_CutError` if it ends early."""
        import requests

        encoded = "Content-Encoding" in response.headers  # then the length is not the file's
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() and not encoded else None
        chunks = response.iter_content(CHUNK_BYTES)
        try:
            first = next(chunks, b"")
            if not have:
                _check_start(first)  # before it replaces what is here
            with (
                self.part.open("ab" if have else "wb") as file,
                progress_bar("Downloading", total, self.progress, have) as bar,
            ):
                for chunk in itertools.chain([first], chunks):
                    file.write(chunk)
                    bar.update(len(chunk))
        except requests.exceptions.RequestException as problem:
            if encoded:
                self.part.unlink(missing_ok=True)  # no server counts in decoded bytes
            raise _CutError("the connection was cut or stalled") from problem
        if total is not None and self.arrived() < total:
            raise _CutError("the connection was cut")

    def _ask_drive(self):
        """Let gdown try once; it follows Drive's confirmation pages and resumes by itself."""
        try:
            import gdown
        except ImportError as problem:
            raise SourceError("gdown is not installed (pip install gdown)") from problem
        import requests

        output = self.whole.with_suffix(".drive")
        options = {"quiet": not self.progress, "use_cookies": False}  # not in the home folder
        if "timeout" in inspect.signature(gdown.download).parameters:  # not in gdown 5
            options["timeout"] = TIMEOUT
        before = self.arrived()
        try:
            gdown.download(id=drive_id(self.url), output=str(output), resume=True, **options)
        except Exception as problem:  # gdown's own errors changed their class between versions
            if isinstance(problem, OSError) and not isinstance(problem, requests.RequestException):
                raise  # the disk's
            words = f"Google Drive failed: {' '.join(str(problem).split())[:200]}"
            raise (_CutError if self.arrived() > before else SourceError)(words) from problem
        if not output.exists():  # gdown 5 returns None where gdown 6 raises
            raise SourceError("Google Drive did not give the file")
        os.replace(output, self.whole)


def drive_id(url):
    """Return the id in a link to a file on Google Drive; None for any other address."""
    parts = urlsplit(url)
    if parts.hostname not in DRIVE_HOSTS:
        return None
    folders = parts.path.split("/")
    if "d" in folders[:-1]:
        return folders[folders.index("d") + 1]
    return parse_qs(parts.query).get("id", [None])[0]


def _get(url, have):
    """Send a request for what comes behind the first ``have`` bytes; return the response."""
    import requests
    from urllib3.util import Retry

    retry = Retry(
        total=TRIES - 1,
        connect=1,  # without a network nobody should wait for every try at every source
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=BUSY,
        respect_retry_after_header=False,  # it may ask for an hour
        raise_on_status=False,
    )
    headers = {"User-Agent": f"lle_utils/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=retry))
    try:
        return session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except requests.exceptions.SSLError as problem:
        raise SourceError(
            "the server's certificate could not be checked (is this computer's clock right?)"
        ) from problem
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as problem:
        raise SourceError("the server cannot be reached") from problem
    except (requests.exceptions.RequestException, ValueError) as problem:
        raise SourceError(f"the address cannot be used ({problem})") from problem


def _continues(response, have):
    """Return whether an answer is the rest of the file from byte ``have`` on."""
    headers = response.headers
    return (
        headers.get("Content-Range", "").startswith(f"bytes {have}-")
        and "Content-Encoding" not in headers
        and "text/html" not in headers.get("Content-Type", "")
    )


def _check_start(head):
    """Refuse what does not begin as a zip archive does: a web page, or another kind of archive."""
    if not b"PK".startswith(head[:2]):
        raise ContentError(f"it gave no zip archive but a file that begins with {head[:60]!r}")


def require_room(folder, needed):
    """Refuse to begin what the disk has no room for."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LleError(
            f"not enough room on the disk that holds {folder}: {needed / 1e6:.0f} MB are needed "
            f"and {free / 1e6:.0f} MB are free. Free some space, or set LLE_DATA_DIR to a folder "
            "on a larger disk."
        )


def unpack(path, target, registry, progress=False):
    """Copy the data set's files out of a zip archive or a folder into the empty folder ``target``.

    Only the registry's names become paths on disk, so an archive cannot write anywhere else.
    `ContentError` if the archive is damaged or does not hold the data set.
    """
    if path.is_dir():
        found = {file.relative_to(path).as_posix(): file for file in path.rglob("*.*")}
        files = {name: file for name, file in found.items() if file.is_file()}
        _copy(files, lambda file: file.open("rb"), target, registry, progress)
        return
    with _open_zip(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        files = {entry.filename.replace("\\", "/"): entry for entry in entries}
        _copy(files, archive.open, target, registry, progress)


def _open_zip(path):
    """Open a zip archive; say what it is if it is none."""
    try:
        with path.open("rb") as file:
            _check_start(file.read(60))
        return zipfile.ZipFile(path)
    except UNREADABLE as problem:
        words = f"the zip archive is damaged or cut short ({problem})"
        raise ContentError(words) from problem


def _copy(files, open_file, target, registry, progress):
    """Write those of the files that the registry names, and never more than a picture's bound."""
    require_room(target, registry.unpacked_bytes)
    with progress_bar(f"Unpacking {registry.title}", registry.unpacked_bytes, progress) as bar:
        for name, source in _find_data_set(files, registry).items():
            try:
                with open_file(source) as file:
                    data = file.read(registry.max_file_bytes + 1)
            except UNREADABLE as problem:
                raise ContentError(f"{name} cannot be unpacked ({problem})") from problem
            if len(data) > registry.max_file_bytes:
                raise ContentError(f"{name} is larger than any picture of {registry.title}")
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
            bar.update(len(data))


def _find_data_set(files, registry):
    """Return the files that the registry names, by those names, of the most complete copy."""
    copies = defaultdict(dict)
    for path, file in files.items():
        *folders, split, side, name = ["", "", *path.split("/")]
        if f"{split}/{side}/{name}" in registry.md5:
            copies[tuple(folders)][f"{split}/{side}/{name}"] = file
    if not copies:
        raise ContentError(
            f"its files do not match the registry, which lists {next(iter(registry.md5))} and so "
            f"on: it holds {', '.join(sorted(files)[:3]) or 'no file'}"
        )
    return max(copies.values(), key=len)
