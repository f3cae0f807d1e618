"""``enhance --dask`` on a cluster of two workers on this computer, one of which is killed."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from calling import ROOT
from PIL import Image

from lle_utils import cli, cluster
from lle_utils.enhancing import Job
from lle_utils.photos import read_photo
from lle_utils.runtime import WEIGHTS

distributed = pytest.importorskip("distributed")

COUNT = 60

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = {"threads_per_worker": 1, "memory_limit": None, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options, silence_logs=50) as started:
        yield started


def save(number: int) -> None:
    path = Path(f"in/{number % 3}/{number:02}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((20, 30, 3), 10 + number, np.uint8)).save(path)


def files(folder="out") -> dict[str, int]:
    """Return each result's inode by its name; a killed worker may leave a hidden part of one."""
    return {path.name: path.stat().st_ino for path in Path(folder).rglob("[!.]*.png")}


def test_a_worker_that_is_killed_loses_nothing_and_nothing_is_done_twice(workers):
    for number in range(COUNT):
        save(number)
    Path("in/bad.png").write_text("no picture")
    address = workers.scheduler_address
    call = ["enhance", "in", "-o", "out", "--dask", address, "--json", "r.json", "--overwrite"]
    with subprocess.Popen(
        [sys.executable, "-m", "lle_utils", *call], stdout=-1, stderr=-1, text=True
    ) as process:
        until = time.monotonic() + 120
        while len(files()) < 5 and time.monotonic() < until:
            time.sleep(0.002)
        before = files()
        os.kill(workers.workers[0].pid, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert 5 <= len(before) < COUNT
    assert process.returncode == 1 and err.startswith("lle: in/bad.png: not a picture")
    assert err.count("\n") == 1
    after = files()
    assert len(after) == COUNT and before.items() <= after.items()
    assert all(len(read_photo(path).frames) == 1 for path in Path("out").rglob("[!.]*.png"))
    assert Counter(out.split()) == Counter(f"out/{n % 3}/{n:02}.png" for n in range(COUNT))
    pictures = json.loads(Path("r.json").read_text())["pictures"]
    assert Counter(entry["input"] for entry in pictures) == Counter(
        ["in/bad.png", *(f"in/{n % 3}/{n:02}.png" for n in range(COUNT))]
    )


def test_weights_of_your_own_are_found_by_workers_in_another_folder(workers, monkeypatch):
    save(0)
    Path("here").mkdir()
    shutil.copy(WEIGHTS / "enhancer.keras", "here/mine.keras")
    monkeypatch.chdir("here")
    call = ["enhance", "../in/0/00.png", "-o", "a.png", "--weights", "mine.keras"]
    assert cli.main([*call, "--dask", workers.scheduler_address]) == 0
    assert Path("a.png").exists()


def refuse() -> None:
    raise AssertionError("it was done already")


def test_what_a_dead_worker_had_written_is_not_made_again():
    save(0)
    job, place = Job("in/0/00.png", "00.png", "a.png"), str(Path("a.png").resolve())
    Path("a.png").write_bytes(b"of an earlier run")
    before = cluster._stamp("a.png")
    Path("b.png").write_bytes(b"of this run")
    os.replace("b.png", "a.png")
    asked = (job._replace(target=place), job)
    entry, notes = cluster.enhance_one(*asked, before, pickle.dumps(refuse))
    assert (entry["output"], entry["error"], notes) == ("a.png", None, [])
    with pytest.raises(AssertionError, match="done already"):
        cluster.enhance_one(*asked, cluster._stamp("a.png"), pickle.dumps(refuse))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "-", "--dask", "local"), "not for standard input or output"),
        (("-o", "a.png", "--dask", "nonsense"), "--dask nonsense: no scheduler answers there"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(refused, arguments, says):
    save(0)
    refused("enhance", "in/0/00.png", *arguments, says=says)
