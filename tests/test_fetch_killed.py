"""Processes: killed at any moment, two at once. Only the light modules are imported in them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from miniature import make_files, make_pictures, make_registry, on_disk, pack
from server import Server

from lle_utils.fetch.verify import State, state_of, verify_folder

HERE = Path(__file__).resolve().parent

PICTURES = make_pictures(train=30, test=10, width=48, height=32)
FILES = make_files(PICTURES)
ARCHIVE = pack(FILES)


@pytest.fixture
def server(monkeypatch):
    """Return a running server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        yield running


def start(registry, data, pause=0.0):
    """Start a process that fetches; return it once its imports are done."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
    path = on_disk(registry, data.parent)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "miniature.py"), str(path), str(data), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def finish(process):
    """Wait for a process that must succeed."""
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def wait_for_bytes(data):
    """Wait until a download is under way."""
    until = time.monotonic() + 20
    while not any(path.stat().st_size for path in data.glob(".fetch/*.part")):
        assert time.monotonic() < until, "no download began"
        time.sleep(0.02)


def report_on(data, registry):
    """Return the report on what lies in the data folder."""
    return verify_folder(data / "mini", registry)


def test_killed_at_ten_random_moments(server, tmp_path):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 1.2)
    registry = make_registry(FILES, PICTURES, [url])
    data = tmp_path / "data"
    rng = np.random.default_rng(3)
    seen = set()
    kills = 0
    while kills < 10 or (kills < 30 and not {"downloading", "unpacking"} <= seen):
        kills += 1
        moment = rng.uniform(0.0, 0.7)
        process = start(registry, data, pause=0.03)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (data / "mini").exists():
            assert report_on(data, registry).ok
            assert state_of(data / "mini", registry) == State.PUBLISHED
            seen.add("complete")
        elif list(data.glob(".fetch/*.zip")):
            seen.add("unpacking")
        elif list(data.glob(".fetch/*.part")):
            seen.add("downloading")
    finish(start(registry, data))
    assert report_on(data, registry).ok
    assert {"downloading", "unpacking"} <= seen, f"the kills only met {seen}"
    resumed = [int(asked[len("bytes=") : -1]) for asked in server.ranges("a.zip") if asked]
    assert resumed and resumed == sorted(resumed)  # no kill lost what an earlier call had kept
    assert [path.name for path in (data / ".fetch").iterdir()] == ["mini.lock"]


def test_two_at_once(server, tmp_path):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 0.5)
    registry = make_registry(FILES, PICTURES, [url])
    data = tmp_path / "data"
    both = [start(registry, data), start(registry, data)]
    for process in both:
        finish(process)
    assert report_on(data, registry).ok
    assert len(server.requests) == 1


def test_the_second_takes_over_when_the_first_is_killed(server, tmp_path):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 20)
    registry = make_registry(FILES, PICTURES, [url])
    data = tmp_path / "data"
    first = start(registry, data)
    wait_for_bytes(data)
    second = start(registry, data)
    time.sleep(0.2)
    first.kill()
    first.communicate()
    assert not (data / "mini").exists()
    server.files["a.zip"].speed = None
    finish(second)
    assert report_on(data, registry).ok
    assert [asked is None for asked in server.ranges("a.zip")] == [True, False]


def test_interrupted_by_the_user(server, tmp_path):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 20)
    registry = make_registry(FILES, PICTURES, [url])
    data = tmp_path / "data"
    process = start(registry, data)
    wait_for_bytes(data)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0 and not (data / "mini").exists()
    server.files["a.zip"].speed = None
    finish(start(registry, data))
    assert report_on(data, registry).ok
    assert server.ranges("a.zip")[1] is not None


def test_the_fetch_does_not_import_what_is_heavy():
    code = (
        "import sys, lle_utils.fetch.command; "
        "print([m for m in ('keras', 'tensorflow', 'cv2', 'matplotlib', 'requests', 'gdown') "
        "if m in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert result.stdout.strip() == b"[]", result
