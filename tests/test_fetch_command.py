"""Where data lives, the two commands, what `data.load` says of LOL, the registry of LOL."""

import argparse
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from miniature import png, put

from lle_utils import cli, data, fetch, paths
from lle_utils.errors import LleError
from lle_utils.fetch import download, verify
from lle_utils.fetch.command import add_fetch_parser
from lle_utils.fetch.verify import LOL, REGISTRY_FOLDER, Kind


def command(*arguments):
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser()
    add_fetch_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    return args.run(args)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty data folder, set as the reader would."""
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


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
    assert paths.APP_NAME in str(paths.data_dir())
    assert paths.sample_dir().parent == Path(paths.__file__).parent


def test_asking_where_leaves_no_trace(folder, capsys):
    assert command("fetch", "--where") == 0
    output = capsys.readouterr()
    assert output.out == f"{folder}\n" and "absent" in output.err
    assert not folder.exists()


@pytest.mark.parametrize(
    "arguments, folder, says",
    [
        (["fetch", "--where"], "~nosuchuser/x", "no such user"),
        (["verify"], "~nosuchuser/x", "no such user"),
        (["verify", "~nosuchuser/x"], "", "no such user"),
        (["fetch", "--from", "~nosuchuser/x"], "", "no such user"),
        (["fetch", "--from", ""], "", "is empty"),
        (["verify", ""], "", "is empty"),
        (["train", "-o", "~nosuchuser/run"], "", "no such user"),
    ],
)
def test_paths_that_cannot_be_used_are_named_in_one_line(
    arguments, folder, says, capsys, monkeypatch
):
    monkeypatch.setenv("LLE_DATA_DIR", folder)
    assert cli.main(arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and err.startswith("lle: ") and says in err


def test_verify_without_a_data_set(folder):
    with pytest.raises(LleError, match="there is no LOL in .*lol: .*fetch lol"):
        command("verify")
    assert not folder.exists()


def test_verify_a_folder_that_is_not_lol(folder, capsys):
    low = folder / "lol" / "our485" / "low"
    low.mkdir(parents=True)
    (low / "2.png").write_bytes(b"not a picture")
    assert command("verify") == 1
    output = capsys.readouterr().out
    assert "999 x missing: our485/low/5.png, ..." in output
    assert "1 x not a readable RGB picture of the right size: our485/low/2.png" in output
    assert fetch.lol_state() == "unverified" and "never verified" in fetch.lol_note()


def test_the_fetch_does_not_import_what_is_heavy():
    code = (
        "import sys, lle_utils.fetch.command; "
        "print([m for m in ('keras', 'tensorflow', 'cv2', 'matplotlib', 'requests', 'gdown') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result


# --- what `data.load("lol")` says of a copy that is not the published one ------------------------


@pytest.fixture
def copy(folder, monkeypatch):
    """Return a folder with tiny pictures under the names of LOL."""
    monkeypatch.setattr(LOL, "width", 3)
    monkeypatch.setattr(LOL, "height", 2)
    picture = png(np.zeros((2, 3, 3), np.uint8))
    put(folder / "lol", dict.fromkeys(LOL.md5, picture))
    return folder / "lol"


def test_an_incomplete_copy_is_refused_and_a_near_one_warns(copy, capsys):
    for side in ("low", "high"):
        (copy / "our485" / side / "2.png").rename(copy.parent / side)
    with pytest.warns(UserWarning, match="never verified, or changed since.*verify"):
        data.load("lol", "test", lazy=True)
    with pytest.raises(LleError, match="484 pairs and not 485"):
        data.load("lol", "train", lazy=True)
    for side in ("low", "high"):
        (copy.parent / side).rename(copy / "our485" / side / "2.png")
    assert command("verify") == 1
    assert "1000 x a different picture of the right size" in capsys.readouterr().out
    with pytest.warns(UserWarning, match="modified copy of LOL"):
        data.load("lol", "train", lazy=True)


def test_the_published_files_do_not_warn(copy, monkeypatch):
    monkeypatch.setattr(verify, "_judge", lambda *_: Kind.PUBLISHED)
    assert command("verify", "--quiet") == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(data.load("lol", "test", lazy=True)) == 15


# --- the registry of LOL -------------------------------------------------------------------------


def test_the_real_registry():
    assert LOL.splits == ["our485", "eval15"]
    for split, pairs in (("our485", 485), ("eval15", 15)):
        low, high = (
            {name.split("/")[2] for name in LOL.md5 if name.startswith(f"{split}/{side}/")}
            for side in ("low", "high")
        )
        assert low == high and len(low) == pairs
    assert len(LOL.md5) == 1000 and (LOL.width, LOL.height) == (600, 400)
    assert LOL.md5["eval15/low/1.png"] == "a0a0590477f52a0ea0866e02bbb2ba42"
    urls = [source["url"] for source in LOL.source]
    assert urls[0].startswith("https://huggingface.co/") and len(set(urls)) == len(urls)
    assert all(url.startswith("https://") for url in urls)
    drive = [download.drive_id(url) for url in urls]
    assert "157bjO1_cFuSd0HWDUuAmcHRJDVyWpOxB" in drive and sum(map(bool, drive)) == 2


def test_the_scene_groups_cover_every_pair_once():
    scenes = json.loads((REGISTRY_FOLDER / "lol_scenes.json").read_text())
    grouped = [name for group in scenes["groups"] for name in group]
    published = {name.replace("/low/", "/") for name in LOL.md5 if "/low/" in name}
    assert len(grouped) == 500 and set(grouped) == published
    named = list(scenes["left_out"].items()) + list(scenes["faults"].items())
    for name, reason in named:
        assert name in published and len(reason) > 30
    assert list(scenes["left_out"]) == ["our485/648.png"]
    tests = [g for g in scenes["groups"] if any("eval15" in name for name in g)]
    leaks = [g for g in tests if any("our485" in name for name in g)]
    assert sum(name.startswith("eval15") for g in leaks for name in g) == 14
