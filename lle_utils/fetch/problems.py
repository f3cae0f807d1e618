"""What can go wrong with a fetch, in three degrees, and the words for full disks."""

import errno
import shutil
from contextlib import contextmanager
from pathlib import Path

from lle_utils.errors import LleError
from lle_utils.fetch.talk import readable


class FetchError(LleError):
    """The fetch as a whole failed; no other source would help."""


class SourceError(LleError):
    """One source failed; the next may do better.

    Parameters
    ----------
    message : str
        What the source did, in words.
    offline : bool
        True if its server could not be reached at all.
    """

    def __init__(self, message, offline=False):
        super().__init__(message)
        self.offline = offline


class DamagedError(SourceError):
    """The file that arrived is broken: cut short or with wrong bytes in it."""


class NearCopyError(SourceError):
    """The archive is sound and nearly the data set; the user may decide to take it."""


FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def nearest_folder(path):
    """Return the closest folder above a path that exists, to ask about its disk."""
    path = Path(path).absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def require_room(folder, needed, what):
    """Refuse to begin what the disk has no room for.

    Parameters
    ----------
    folder : pathlib.Path
        Where it would be written.
    needed : int
        Bytes.
    what : str
        What they are for, such as ``"345 MB to download and 345 MB to unpack"``.

    Raises
    ------
    FetchError
        If less than that is free.
    """
    free = shutil.disk_usage(nearest_folder(folder)).free
    if free < needed:
        raise FetchError(
            f"not enough room on the disk that holds {folder}: {readable(needed)} are needed "
            f"({what}) and {readable(free)} are free. Free some space, or set LLE_DATA_DIR to a "
            "folder on a larger disk."
        )


@contextmanager
def explained(folder):
    """Turn the operating system's complaints about writing into words.

    Parameters
    ----------
    folder : pathlib.Path
        Where is being written.

    Raises
    ------
    FetchError
        For a full disk, an exhausted quota, or a folder that may not be written.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise FetchError(
                f"the disk that holds {folder} became full. Free some space, or set LLE_DATA_DIR "
                "to a folder on a larger disk; then run the same command again."
            ) from problem
        if problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise FetchError(
                f"{problem.filename or folder} may not be written. Set LLE_DATA_DIR to a folder "
                "that is yours, and run the same command again."
            ) from problem
        if problem.errno in {errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG}:
            raise FetchError(
                f"the data cannot be kept in {folder}: {problem.strerror}. Set LLE_DATA_DIR to "
                "another folder, and run the same command again."
            ) from problem
        raise
