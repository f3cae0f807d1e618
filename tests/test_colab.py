"""What can be tested of Colab in a second. (`make colab` runs the notebooks in its versions.)"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import colab
import jupytext
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
SETUP = jupytext.read(sorted((ROOT / "notebooks" / "py").glob("*.py"))[0])
SETUP = next(cell.source for cell in SETUP.cells if cell.metadata.get("tags") == ["setup"])


def test_colabs_versions_lie_in_the_ranges():
    lines = [line for line in colab.VERSIONS.read_text().splitlines() if not line.startswith("#")]
    versions = dict(line.lower().split("==") for line in lines)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for asked in map(Requirement, project["dependencies"]):
        assert asked.specifier.contains(versions[asked.name]), f"Colab has no {asked}"


def test_changes_are_told_and_additions_are_none():
    before = "keras==3.13.2\nnumpy==2.1.3\ntqdm==4.67\n"
    after = "-e git+file:///clone@0123#egg=lle_utils\nkeras==3.15.1\nnew==1.0\ntqdm==4.67\n"
    told = ["keras==3.13.2 became keras==3.15.1", "numpy==2.1.3 became nothing"]
    assert colab.changes(before, after) == told


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_simulated_repository_is_the_working_tree(tmp_path):
    address = colab.make_repository(tmp_path / "repository")
    clone = ["git", "clone", "--depth", "1", "--quiet", address, tmp_path / "clone"]
    subprocess.run(clone, check=True)
    for name in ("pyproject.toml", "lle_utils/curve.py", "data/sample/index.csv"):
        assert (tmp_path / "clone" / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.fixture
def commands(monkeypatch, tmp_path) -> list[str]:
    """Go to an empty folder; record what would be run, and let a clone make its script."""
    recorded = []

    def clone(command):
        recorded.append(command)
        notebooks = Path(command.split()[-1]) / "notebooks"
        notebooks.mkdir(parents=True)
        shutil.copy(ROOT / "notebooks" / "colab.py", notebooks)

    def install(command, check):
        assert check, "a failing command must not pass unnoticed"
        recorded.append(" ".join(command[1:]))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "system", clone)
    monkeypatch.setattr(subprocess, "run", install)
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    return recorded


def test_set_up_does_nothing_elsewhere(commands, tmp_path):
    paths = list(sys.path)
    exec(SETUP, {})
    assert (commands, sys.path, Path.cwd()) == ([], paths, tmp_path)


def test_set_up_on_colab_fetches_and_installs_once_and_without_dependencies(
    commands, monkeypatch, tmp_path
):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    monkeypatch.setenv("LLE_REPOSITORY", "https://example.org/here")
    folder = tmp_path / "low-light-workbook"
    expected = [
        "git clone --quiet --depth 1 https://example.org/here low-light-workbook",
        f"-m pip install --quiet --no-deps --editable {folder}",
    ]
    for _ in range(2):
        exec(SETUP, {})
        assert commands == expected
        assert sys.path[0] == str(folder) and Path.cwd() == folder / "notebooks"
    monkeypatch.chdir(tmp_path)  # as after a restart: the clone is there, and Python is new
    exec(SETUP, {})
    assert commands == [*expected, expected[1]] and Path.cwd() == folder / "notebooks"
