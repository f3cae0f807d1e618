"""What is this file really? Servers answer with many things under an archive's name."""

import html
import re
import zipfile

from lle_utils.fetch.problems import DamagedError, SourceError
from lle_utils.fetch.talk import readable

HEAD_BYTES = 65536

# Other containers that people have LOL in: recognized only to say what to do about them.
OTHER_ARCHIVES = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip (tar.gz) archive",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
}


def is_web_page(head):
    """Return True if a file that begins like this is an HTML page.

    Parameters
    ----------
    head : bytes
        The first bytes; a few hundred are enough.
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<script"))


def describe_web_page(head):
    """Say which web page came in place of the archive.

    Parameters
    ----------
    head : bytes
        The page's first bytes.

    Returns
    -------
    str
        Such as ``"sent Google Drive's quota page (...), not the archive"``.
    """
    text = head.decode("utf-8", "replace")
    words = html.unescape(re.sub(r"<[^>]+>", " ", text)).lower()
    quota = "too many users have viewed or downloaded" in words
    if quota or ("quota exceeded" in words and "google" in text.lower()):
        return (
            "sent Google Drive's quota page (too many people downloaded the file today; it may "
            "work tomorrow, or at once in a browser where you are signed in), not the archive"
        )
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    title = " ".join(html.unescape(title[1]).split())[:80] if title else ""
    if "google drive" in text.lower() or "drive.google.com" in text.lower():
        named = f' ("{title}")' if title else ""
        return f"sent one of Google Drive's web pages{named}, not the archive"
    named = f' titled "{title}"' if title else ""
    return (
        f"sent a web page{named}, not the archive (a sign-in page of the network, or the address "
        "of a page about the file and not of the file)"
    )


def require_zip(path):
    """Return quietly if a file is a whole zip archive, else say what it is.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    DamagedError
        If it is a zip archive that was cut short.
    SourceError
        If it is anything else.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as problem:
        raise SourceError(f"cannot be read: {problem.strerror or problem}") from problem
    if not head:
        raise DamagedError("gave an empty file")
    if is_web_page(head):
        raise SourceError(describe_web_page(head))
    if head.startswith(b"PK\x05\x06"):
        raise SourceError("gave a zip archive with nothing in it")
    if head.startswith(b"PK"):
        if not zipfile.is_zipfile(path):
            raise DamagedError(
                f"gave a zip archive that is cut short: {readable(size)} are there, its end is not."
                " Download it again"
            )
        return
    for start, words in OTHER_ARCHIVES.items():
        if head.startswith(start):
            raise SourceError(
                f"gave {words}, and only zip archives are read here: unpack it yourself and give "
                "the folder with --from FOLDER"
            )
    if head.startswith(b"version https://git-lfs"):
        raise SourceError("gave a Git LFS pointer, a note about the file and not the file")
    text = head[:200].decode("utf-8", "replace")
    if text.isprintable() or text.replace("\n", "").replace("\r", "").isprintable():
        raise SourceError(f'gave a text and not an archive: "{" ".join(text.split())[:80]}"')
    raise SourceError(
        f"gave {readable(size)} that are not a zip archive (they begin with {head[:4].hex(' ')})"
    )
