"""What `data.load("lol")` says of a copy that is not the published one."""

import warnings

import pytest
from miniature import png

from lle_utils import data
from lle_utils.errors import LleError
from lle_utils.fetch.registry import load_registry
from lle_utils.fetch.store import write_marker
from lle_utils.fetch.verify import Finding, Kind, Report


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Return a folder with tiny pictures under the names of LOL, but for one pair."""
    import numpy as np

    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    picture = png(np.zeros((2, 3, 3), np.uint8))
    for name in load_registry("lol").md5:
        if not name.endswith("/2.png"):
            path = tmp_path / "lol" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
    return tmp_path / "lol"


def mark(folder, kind):
    """Write down that each file of the copy is of this kind."""
    registry = load_registry("lol")
    there = {name: Finding(kind) for name in registry.md5 if (folder / name).exists()}
    missing = [name for name in registry.md5 if name not in there]
    write_marker(folder, Report(registry, str(folder), there, missing), "a test")


def test_an_unverified_copy_warns(copy):
    with pytest.warns(UserWarning, match="never verified, or changed since.*verify"):
        data.load("lol", "test", lazy=True)


def test_an_incomplete_copy_is_refused_unless_it_was_allowed(copy):
    with pytest.raises(LleError, match="484 pairs and not 485"):
        data.load("lol", "train", lazy=True)
    mark(copy, Kind.MODIFIED)
    with pytest.warns(UserWarning, match="modified copy of LOL .998 files re-encoded"):
        data.load("lol", "train", lazy=True)


def test_the_published_files_do_not_warn(copy):
    for side in ("low", "high"):
        source = copy / f"our485/{side}/5.png"
        (copy / f"our485/{side}/2.png").write_bytes(source.read_bytes())
    mark(copy, Kind.PUBLISHED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(data.load("lol", "test", lazy=True)) == 15
