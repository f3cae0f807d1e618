"""What surrounds the code: dependencies, versions, files, and the wheel."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from graphlib import TopologicalSorter
from importlib.util import find_spec

import pytest
import yaml
from calling import ROOT, environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

BINARY_ENDINGS = (".keras", ".onnx", ".png", ".jpg", ".gif", ".webp")
MACHINE_PATH = re.compile(r"(?<![\w.:/{}>-])/(?:tmp|work|root|home|Users)/\w+")
MADE_UP_PATHS = {"/tmp/evil"}  # in a test of such paths


def ranges(requirements) -> dict[str, SpecifierSet]:
    """Return the range of each requirement by its name; the project itself aside."""
    found = {canonicalize_name(one.name): one.specifier for one in map(Requirement, requirements)}
    found.pop(PROJECT["name"], None)
    return found


# Dependencies


@pytest.mark.parametrize("file", ["environment.yml", ".binder/environment.yml"])
def test_conda_environment_asks_for_what_the_project_asks(file):
    conda_file = yaml.safe_load((ROOT / file).read_text())
    conda = [entry for entry in conda_file["dependencies"] if isinstance(entry, str)]
    (by_pip,) = (entry["pip"] for entry in conda_file["dependencies"] if isinstance(entry, dict))
    assert ("-e ." in by_pip) == (file == "environment.yml")
    asked = ranges(set(conda + by_pip) - {"python=3.12", "pip", "-e ."})
    assert asked == {**ranges(PROJECT["dependencies"]), **ranges(EXTRAS["notebooks"])}


def test_binder_installs_the_package_without_touching_the_environment():
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK), "Binder runs postBuild only if it is executable"
    assert "pip install --no-deps -e ." in script.read_text().splitlines()


def test_constraints_lie_in_the_ranges_bring_no_cuda_and_agree_with_the_hooks():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = ranges(line for line in lines if line and not line.startswith("#"))
    pinned = {name: str(pin).removeprefix("==") for name, pin in pinned.items()}
    assert not [name for name in pinned if re.search("nvidia|cuda|triton|rocm", name)]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    revisions = {hook["repo"].rpartition("/")[2]: hook["rev"] for hook in hooks}
    assert revisions["jupytext"] == f"v{pinned['jupytext']}"
    assert revisions["ruff-pre-commit"] == f"v{pinned['ruff']}"
    asked = [PROJECT["dependencies"], *EXTRAS.values()]
    for name, specifier in (item for group in asked for item in ranges(group).items()):
        assert name in pinned, f"constraints.txt pins no {name}"
        assert specifier.contains(pinned[name]), f"{name}=={pinned[name]} is not {specifier}"


# Commands and files


def test_no_tracked_file_is_large_or_names_a_path_of_one_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for path in (ROOT / name for name in os.fsdecode(listed.stdout).split("\0")):
        if path.is_file():
            content = path.read_bytes()
            large = path.suffix in (".keras", ".ipynb")  # weights; notebooks with their pictures
            assert len(content) <= (2_000_000 if large else 1_000_000), path
            if path.suffix not in BINARY_ENDINGS:
                found = set(MACHINE_PATH.findall(content.decode())) - MADE_UP_PATHS
                assert not found, f"{path} names {found}"


def test_imports_point_one_way():
    files = {}
    for path in (ROOT / "lle_utils").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts).removesuffix(".__init__")] = path
    arrows = {}
    for module, path in files.items():
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        named = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
            inside = {f"{node.module}.{name.name}" for name in node.names}
            named |= {name if name in files else node.module for name in inside}
        arrows[module] = named & files.keys() - {module}
    assert arrows["lle_utils.cli"]
    list(TopologicalSorter(arrows).static_order())  # refuses a circle, and says which


# The wheel


WORK = """
import os, sys
import lle_utils
from lle_utils import cli, data, paths, weights
assert lle_utils.__file__.startswith(os.environ["PYTHONPATH"]), lle_utils.__file__
assert len(data.load("sample", "test")) == 6 and data.lol_scenes()
assert weights.list_weights() == ["enhancer", "founding"]
dark = paths.sample_dir() / "heldout" / "low" / "coffee.png"
sys.exit(cli.main(["enhance", str(dark), "-o", "bright.png"]))
"""


@pytest.mark.skipif(not find_spec("hatchling"), reason="hatchling, which builds it, is missing")
def test_a_wheel_carries_what_the_package_needs_and_works_outside_the_clone(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    done = subprocess.run([*pip, *options, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    needed = [(ROOT / name).rglob("*.*") for name in ("lle_utils", "data/sample")]
    for path in (path for group in needed for path in group if path.suffix != ".pyc"):
        name = path.relative_to(ROOT).as_posix().replace("data/sample", "lle_utils/_sample")
        assert name in names
    assert not [name for name in names if name.startswith(("tests/", "data/", "notebooks/"))]

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # -P and PYTHONPATH: neither this folder nor an editable install of the clone comes first.
    surroundings = environment(PYTHONPATH=str(tmp_path / "installed"), LLE_DATA_DIR="")
    call = [sys.executable, "-P", "-c", WORK]
    done = subprocess.run(call, cwd=elsewhere, env=surroundings, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "bright.png\n"), done.stderr
    assert (elsewhere / "bright.png").stat().st_size > 0
