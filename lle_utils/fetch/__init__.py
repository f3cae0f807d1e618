"""Fetch and verify the LOL data set, from wherever it can be had.

>>> from lle_utils import fetch
>>> folder = fetch.fetch_lol()          # downloads once, then only looks  # doctest: +SKIP
>>> print(fetch.verify_lol().summary())                                    # doctest: +SKIP

Modules: `registry` (what was published and the sources, as data), `obtain` (tries the sources),
`download` (HTTP), `drive` (Google Drive), `recognize` (what a file really is), `archive` (safe
unpacking), `verify` (each file by its content), `store` (the folder on disk), `command` (the
command line).
"""

from contextlib import suppress
from pathlib import Path

from lle_utils import paths
from lle_utils.fetch.obtain import fetch
from lle_utils.fetch.registry import load_registry
from lle_utils.fetch.store import State, note_of, read_marker, state_of, write_marker
from lle_utils.fetch.talk import Talk
from lle_utils.fetch.verify import Report, verify_folder

__all__ = ["Report", "State", "fetch_lol", "lol_note", "lol_state", "verify_lol"]


def fetch_lol(source=None, *, data_dir=None, allow_modified=False, progress=True):
    """Make sure that the LOL data set is on disk, verified; download it if it is not.

    A call that finds it there returns at once. A call that was cut, or even killed, leaves either
    the complete data set or none, and the next one goes on from there.

    Parameters
    ----------
    source : str or pathlib.Path, optional
        A zip archive, a folder that was unpacked by hand, or a URL, to be used instead of the
        sources listed in ``registry/lol.toml``.
    data_dir : str or pathlib.Path, optional
        The data folder; `lle_utils.paths.data_dir` by default.
    allow_modified : bool
        Take a near copy too (re-encoded, resized, missing pairs). The data set then says so
        whenever it is loaded.
    progress : bool
        False for silence; True prints sentences and progress bars.

    Returns
    -------
    pathlib.Path
        The folder that holds ``our485/`` and ``eval15/``, each with ``low/`` and ``high/``.

    Raises
    ------
    LleError
        If no source yields the data set; the message lists what each said and what to do.
    """
    return fetch(
        load_registry("lol"),
        source,
        data_dir=data_dir,
        allow_modified=allow_modified,
        progress=progress,
    )


def verify_lol(folder=None, *, progress=False):
    """Judge every file of a copy of LOL by its content.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The copy; where `fetch_lol` puts it by default.
    progress : bool
        True draws a progress bar.

    Returns
    -------
    Report
        ``report.ok``, ``report.counts``, ``report.summary()`` and more. If all is well, that is
        written down beside the pictures, so that they load without a warning.
    """
    registry = load_registry("lol")
    folder = paths.lol_dir() if folder is None else Path(folder).expanduser().absolute()
    with Talk(progress).bar("Checking LOL", registry.unpacked_bytes) as bar:
        report = verify_folder(folder, registry, bar)
    marker = read_marker(folder)
    accepted = marker.get("state") == State.MODIFIED and report.usable
    if report.ok or accepted:
        with suppress(OSError):  # a read-only disk: the report is what was asked for
            write_marker(folder, report, marker.get("source", "found in place"))
    return report


def lol_state(folder=None):
    """Return what is known of LOL without reading its pictures.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The data set; where `fetch_lol` puts it by default.

    Returns
    -------
    State
        ``"absent"``, ``"unverified"``, ``"published"`` or ``"modified"`` (a string).
    """
    return state_of(paths.lol_dir() if folder is None else Path(folder), load_registry("lol"))


def lol_note(folder=None):
    """Return the sentence that whoever loads LOL must see, or None for the published files.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        The data set; where `fetch_lol` puts it by default.
    """
    return note_of(paths.lol_dir() if folder is None else Path(folder), load_registry("lol"))
