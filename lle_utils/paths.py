"""Where the data lives, decided in one place. Nothing here creates a folder."""

import os
from pathlib import Path

import platformdirs

from lle_utils.errors import LleError

_PACKAGE = Path(__file__).resolve().parent
WEIGHTS = _PACKAGE / "weights"
"""The folder of the packaged weights, their cards and their logs."""


def expand_user(path: str) -> str:
    """Replace ``~`` by a home folder, unless there is a file of just this name."""
    if not path.strip():
        raise LleError("the path is empty: give the path of a file or a folder")
    if not path.startswith("~") or os.path.lexists(path):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        raise LleError(f"{path}: there is no such user; write the path without ~") from None


def absolute(path: str | Path) -> Path:
    """Return an absolute path, after `expand_user`."""
    return Path(expand_user(str(path))).absolute()


def checkout_dir() -> Path | None:
    """Return the root of the source checkout that the package runs from, or None if installed."""
    root = _PACKAGE.parent
    whole = (root / "pyproject.toml").is_file() and (root / "data" / "sample").is_dir()
    return root if whole else None


def data_dir() -> Path:
    """Return the folder that holds the data sets, which need not exist yet.

    It is what ``LLE_DATA_DIR`` says, such as a school's shared disk, or ``data/`` of a source
    checkout, or a folder in the user's cache.
    """
    chosen = os.environ.get("LLE_DATA_DIR", "").strip()
    if chosen:
        return absolute(chosen)
    root = checkout_dir()
    cache = platformdirs.user_cache_dir("low-light-workbook", appauthor=False)
    return root / "data" if root else Path(cache)


def sample_dir() -> Path:
    """Return the folder of the embedded sample, which ``LLE_DATA_DIR`` does not move."""
    root = checkout_dir()
    return root / "data" / "sample" if root else _PACKAGE / "_sample"


def lol_dir() -> Path:
    """Return the folder of LOL, which holds ``our485/`` and ``eval15/`` once fetched."""
    return data_dir() / "lol"
