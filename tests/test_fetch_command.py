"""Where data lives, the two commands, and the registry of the real data set."""

import argparse
import hashlib
import json
from pathlib import Path

import pytest

from lle_utils import fetch, paths
from lle_utils.errors import LleError
from lle_utils.fetch.command import add_fetch_parser
from lle_utils.fetch.registry import FOLDER, Source, load_registry


def command(*arguments):
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser()
    add_fetch_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    return args.run(args)


@pytest.fixture
def data(tmp_path, monkeypatch):
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


def test_asking_where_leaves_no_trace(data, capsys):
    assert command("fetch", "--where") == 0
    output = capsys.readouterr()
    assert output.out == f"{data}\n" and "absent" in output.err
    assert not data.exists()


@pytest.mark.parametrize("arguments", [["verify"], ["fetch", "verify"]])
def test_verify_without_a_data_set(data, arguments):
    with pytest.raises(LleError, match="there is no LOL in .*lol. .*fetch lol"):
        command(*arguments)
    assert not data.exists()


def test_verify_a_folder_that_is_not_lol(data, capsys):
    low = data / "lol" / "our485" / "low"
    low.mkdir(parents=True)
    (low / "2.png").write_bytes(b"not a picture")
    assert command("verify") == 1
    output = capsys.readouterr().out
    assert "0 + 0 pairs of 485 + 15" in output and "999 x missing" in output
    assert "our485/low/2.png not a readable PNG or JPEG picture" in output
    assert fetch.lol_state() == "unverified" and "never verified" in fetch.lol_note()


def test_fetch_from_a_wrong_file(data, tmp_path):
    page = tmp_path / "LOLdataset.zip"
    page.write_bytes(b"<!DOCTYPE html><title>Google Drive - Virus scan warning</title>")
    with pytest.raises(LleError) as caught:
        command("fetch", "lol", "--from", str(page), "--quiet")
    assert "it is one of Google Drive's web pages (\"Google Drive - Virus scan" in str(caught.value)


def test_the_real_registry():
    registry = load_registry("lol")
    assert registry.splits == {"our485": 485, "eval15": 15}
    assert len(registry.md5) == 1000 and len(registry.pixels) == 515 and len(registry.looks) == 1000
    assert (registry.width, registry.height) == (600, 400)
    assert registry.md5["eval15/low/1.png"] == "a0a0590477f52a0ea0866e02bbb2ba42"
    assert not [name for name in registry.pixels if name.startswith("our485/high")]
    assert registry.sources[0].url.startswith("https://huggingface.co/")
    assert "157bjO1_cFuSd0HWDUuAmcHRJDVyWpOxB" in [source.id for source in registry.sources]
    urls = [source.url for source in registry.sources if source.kind == "https"]
    assert all(url.startswith("https://") for url in urls) and len(set(urls)) == len(urls)


def test_the_scene_groups_cover_every_pair_once():
    scenes = json.loads((FOLDER / "lol_scenes.json").read_text())
    grouped = [name for group in scenes["groups"] for name in group]
    published = {name.replace("/low/", "/") for name in load_registry("lol").md5 if "/low/" in name}
    assert len(grouped) == 500 and set(grouped) == published
    named = list(scenes["left_out"].items()) + list(scenes["faults"].items())
    for name, reason in named:
        assert name in published and len(reason) > 30
    assert list(scenes["left_out"]) == ["our485/648.png"]
    tests = [g for g in scenes["groups"] if any("eval15" in name for name in g)]
    leaks = [g for g in tests if any("our485" in name for name in g)]
    assert sum(name.startswith("eval15") for g in leaks for name in g) == 14


@pytest.mark.parametrize("facts", [{"kind": "ftp", "url": "x"}, {"kind": "drive", "url": "x"}])
def test_a_source_that_cannot_be_tried(facts):
    with pytest.raises(ValueError, match="source 'here'"):
        Source(title="here", **facts)


def test_a_registry_that_contradicts_itself(tmp_path):
    (tmp_path / "x.toml").write_text(
        'name = "x"\ntitle = "X"\nwidth = 2\nheight = 1\n[splits]\nour485 = 1\n'
    )
    digest = hashlib.md5(b"").hexdigest()
    (tmp_path / "x_md5.txt").write_text(f"{digest}  our485/low/1.png\n")
    with pytest.raises(ValueError, match="our485 does not list 1 whole pairs"):
        load_registry("x", tmp_path)
