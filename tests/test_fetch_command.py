"""Where data lives, the two commands, and the registry of LOL."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from miniature import put

from lle_utils import fetch, paths
from lle_utils.fetch import download
from lle_utils.fetch.verify import LOL


def test_where_data_lives(tmp_path, monkeypatch):
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    assert paths.data_dir() == tmp_path and paths.lol_dir() == tmp_path / "lol"
    monkeypatch.setenv("LLE_DATA_DIR", "~/somewhere")
    assert paths.data_dir() == Path.home() / "somewhere"
    monkeypatch.setenv("LLE_DATA_DIR", "  ")
    root = Path(paths.__file__).resolve().parents[1]
    monkeypatch.setattr(paths, "checkout_dir", lambda: root)
    assert paths.data_dir() == root / "data" and paths.sample_dir() == root / "data" / "sample"
    monkeypatch.setattr(paths, "checkout_dir", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "low-light-workbook" in str(paths.data_dir())
    assert paths.sample_dir().parent == Path(paths.__file__).parent


def test_asking_where_leaves_no_trace(data_dir, lle):
    assert lle("fetch", "--where") == (0, f"{data_dir}\n", "LOL there: absent\n")
    assert not data_dir.exists()


@pytest.mark.parametrize(
    "command, folder, says",
    [
        ("fetch", "file/data", "Free some space, or set LLE_DATA_DIR"),
        ("fetch --from ~nosuchuser/x", "data", "no such user"),
        ("fetch --from ''", "data", "is empty"),
        ("fetch --from nowhere/a.zip", "data", "neither a file nor a folder"),
        ("fetch --from pipe", "data", "neither a file nor a folder"),
        ("verify", "~nosuchuser/x", "no such user"),
        ("verify", "data", "`python -m lle_utils fetch lol` gets it"),
        ("verify ''", "data", "is empty"),
        ("train -o ~nosuchuser/run", "data", "no such user"),
        ("train --data '' -o run", "data", "is empty"),
        ("evaluate ''", "data", "is empty"),
        ("export ''", "data", "is empty"),
        ("figures --output ''", "data", "is empty"),
    ],
)
def test_paths_that_cannot_be_used_are_named_in_one_line(command, folder, says, lle, monkeypatch):
    monkeypatch.setenv("LLE_DATA_DIR", folder)
    os.mkfifo("pipe")
    Path("file").touch()
    code, out, err = lle(*shlex.split(command))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("lle: ") and says in err
    assert sorted(os.listdir()) == ["file", "pipe"]


def test_verify_a_folder_that_is_not_lol(data_dir, lle):
    put(data_dir, {"lol/our485/low/2.png": b"not a picture"})
    code, out, _ = lle("verify")
    assert code == 1
    assert "999 x missing: our485/low/5.png, ..." in out
    assert "1 x not a readable RGB picture of the right size: our485/low/2.png" in out
    assert fetch.lol_state() == "unverified"


def test_the_fetch_does_not_import_what_is_heavy():
    heavy = {"keras", "tensorflow", "cv2", "matplotlib", "requests", "gdown"}
    code = f"import sys, lle_utils.fetch.command; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "set()\n", result


def test_the_real_registry():
    assert (LOL.splits, LOL.width, LOL.height) == (["our485", "eval15"], 600, 400)
    for split, pairs in (("our485", 485), ("eval15", 15)):
        low, high = (
            {name.split("/")[2] for name in LOL.md5 if name.startswith(f"{split}/{side}/")}
            for side in ("low", "high")
        )
        assert low == high and len(low) == pairs
    assert len(LOL.md5) == 1000
    assert LOL.md5["eval15/low/1.png"] == "a0a0590477f52a0ea0866e02bbb2ba42"
    urls = [source["url"] for source in LOL.source]
    assert len(set(urls)) == len(urls) and all(url.startswith("https://") for url in urls)
    drive = [download.drive_id(url) for url in urls]
    assert "157bjO1_cFuSd0HWDUuAmcHRJDVyWpOxB" in drive and sum(map(bool, drive)) == 2
    for elsewhere in ("https://drive.google.com/", "https://example.org/file/d/157bj/view"):
        assert download.drive_id(elsewhere) is None
