"""Where the data lives, decided in one place.

1. ``LLE_DATA_DIR``, if it is set and not empty: a school's shared disk, a bigger drive.
2. ``data/`` beside the package, if the package runs from a source checkout.
3. The user's cache folder, as the operating system names it (found with platformdirs).

Nothing here creates a folder: asking where the data would be must not leave a trace.
"""

import os
from pathlib import Path

import platformdirs

from lle_utils.errors import LleError

APP_NAME = "low-light-workbook"
ENVIRONMENT_VARIABLE = "LLE_DATA_DIR"

_PACKAGE = Path(__file__).resolve().parent


def expand_user(path: str) -> str:
    """Replace ``~`` by a home folder, unless there is a file of just this name.

    Raises
    ------
    LleError
        If the path is empty, or begins with ``~`` and the name of nobody here.
    """
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
    if (root / "pyproject.toml").is_file() and (root / "data" / "sample").is_dir():
        return root
    return None


def data_dir() -> Path:
    """Return the folder that holds the data sets, which need not exist yet."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if chosen:
        return absolute(chosen)
    root = checkout_dir()
    if root is not None:
        return root / "data"
    return Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False))


def sample_dir() -> Path:
    """Return the folder of the embedded sample, which ``LLE_DATA_DIR`` does not move."""
    root = checkout_dir()
    return _PACKAGE / "_sample" if root is None else root / "data" / "sample"


def lol_dir() -> Path:
    """Return the folder of LOL, which holds ``our485/`` and ``eval15/`` once fetched."""
    return data_dir() / "lol"
