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


def absolute(path: str | Path) -> Path:
    """Return an absolute path, with ``~`` as the user's home folder.

    Raises
    ------
    LleError
        If the path is empty, or begins with ``~`` and the name of nobody here.
    """
    if not str(path).strip():
        raise LleError("the path is empty: give the path of a file or a folder")
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as problem:
        raise LleError(f"{path}: there is no such user; write the path without ~") from problem


def checkout_dir() -> Path | None:
    """Return the root of the source checkout that the package runs from.

    Returns
    -------
    pathlib.Path or None
        The folder that holds ``lle_utils/``, ``pyproject.toml`` and ``data/sample/``; None for an
        installed package.
    """
    root = _PACKAGE.parent
    if (root / "pyproject.toml").is_file() and (root / "data" / "sample").is_dir():
        return root
    return None


def data_dir() -> Path:
    """Return the folder that holds the data sets, which need not exist yet.

    Returns
    -------
    pathlib.Path
        ``LLE_DATA_DIR`` if set, else ``data/`` of a source checkout, else the user's cache folder.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if chosen:
        return absolute(chosen)
    root = checkout_dir()
    if root is not None:
        return root / "data"
    return Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False))


def sample_dir() -> Path:
    """Return the folder of the embedded sample, which travels with the package.

    Returns
    -------
    pathlib.Path
        ``data/sample`` of a source checkout, else ``lle_utils/_sample`` of an installed package.
        ``LLE_DATA_DIR`` does not move it.
    """
    root = checkout_dir()
    return _PACKAGE / "_sample" if root is None else root / "data" / "sample"


def lol_dir(data: str | Path | None = None) -> Path:
    """Return the folder of the LOL data set, which holds ``our485/`` and ``eval15/`` once fetched.

    Parameters
    ----------
    data : str or pathlib.Path, optional
        The data folder; `data_dir` by default.

    Returns
    -------
    pathlib.Path
        ``lol/`` in the data folder.
    """
    return (data_dir() if data is None else absolute(data)) / "lol"
