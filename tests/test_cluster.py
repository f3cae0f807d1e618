"""``enhance --dask`` on a cluster of two workers on this computer, one of which is killed."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from calling import ROOT, save

from lle_utils import cli, cluster
from lle_utils.enhance_files import Job, file_state
from lle_utils.paths import WEIGHTS
from lle_utils.photos import read_photo

distributed = pytest.importorskip("distributed")

NAMES = [f"{number % 3}/{number:02}.png" for number in range(60)]
DARK = np.full((20, 30, 3), 20, np.uint8)

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = {"threads_per_worker": 1, "memory_limit": None, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options, silence_logs=50) as started:
        yield started


def files(folder="out") -> dict[str, int]:
    """Return each result's inode by its name; a killed worker may leave a hidden part of one."""
    return {path.name: path.stat().st_ino for path in Path(folder).rglob("[!.]*.png")}


def test_a_worker_that_is_killed_loses_nothing_and_nothing_is_done_twice(workers):
    for name in NAMES:
        save(f"in/{name}", DARK)
    Path("in/bad.png").write_text("no picture")
    call = [sys.executable, "-m", "lle_utils", "enhance", "in", "-o", "out"]
    call += ["--dask", workers.scheduler_address, "--json", "r.json"]
    with subprocess.Popen(call, stdout=-1, stderr=-1, text=True) as process:
        until = time.monotonic() + 120
        while len(files()) < 5 and time.monotonic() < until:
            time.sleep(0.002)
        before = files()
        os.kill(workers.workers[0].pid, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert 5 <= len(before) < len(NAMES)
    assert process.returncode == 1 and err.startswith("lle: in/bad.png: not a picture")
    assert err.count("\n") == 1
    after = files()
    assert len(after) == len(NAMES) and before.items() <= after.items()
    assert all(read_photo(f"out/{name}").pixels.shape == DARK.shape for name in NAMES)
    assert sorted(out.split()) == sorted(f"out/{name}" for name in NAMES)
    pictures = json.loads(Path("r.json").read_text())["pictures"]
    read = sorted(entry["input"] for entry in pictures)
    assert read == sorted(["in/bad.png", *(f"in/{name}" for name in NAMES)])


def test_weights_of_your_own_are_found_by_workers_in_another_folder(workers, monkeypatch):
    save("here/dark.png")
    shutil.copy(WEIGHTS / "enhancer.keras", "here/mine.keras")
    monkeypatch.chdir("here")
    call = ["enhance", "dark.png", "-o", "a.png", "--weights", "mine.keras"]
    assert cli.main([*call, "--dask", workers.scheduler_address]) == 0
    assert Path("a.png").exists()


def refuse() -> None:
    raise AssertionError("it was done already")


def test_what_a_dead_worker_had_written_is_not_made_again():
    asked = (Job("dark.png", "dark.png", "a.png"), os.getcwd())
    Path("a.png").write_bytes(b"of an earlier run")
    before = file_state("a.png")
    Path("b.png").write_bytes(b"of this run")
    os.replace("b.png", "a.png")
    done = cluster.enhance_one(*asked, before, pickle.dumps(refuse))
    assert (done.input, done.output, done.error) == ("dark.png", "a.png", None)
    with pytest.raises(AssertionError, match="done already"):
        cluster.enhance_one(*asked, file_state("a.png"), pickle.dumps(refuse))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "-", "--dask", "local"), "not for standard input or output"),
        (("-o", "a.png", "--dask", "nonsense"), "--dask nonsense: no scheduler answers there"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(refused, arguments, says):
    refused("enhance", save("dark.png"), *arguments, says=says)
