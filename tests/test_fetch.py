"""The download: a real server that misbehaves, full disks, processes that are killed, Drive."""

import errno
import gzip
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import gdown
import numpy as np
import pytest
from miniature import ARCHIVE, FILES, make_registry, put
from server import Server

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch import download, verify

HERE = Path(__file__).resolve().parent
PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"
NOBODY = "http://127.0.0.1:9/a.zip"


@pytest.fixture(autouse=True)
def data(miniature_lol, monkeypatch):
    """Return a data folder that does not exist yet; the miniature is LOL, and waits are short."""
    monkeypatch.setattr(download, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(download, "CHUNK_BYTES", 100)  # the archive is small
    return miniature_lol


@pytest.fixture
def server():
    with Server() as server:
        yield server


def run(*urls, source=None, **facts):
    """Fetch the miniature from these addresses; it must be there, and nothing else be left."""
    verify.LOL = make_registry(urls, **facts)
    assert_complete(fetch.fetch_lol(source))


def assert_complete(folder):
    """The data set is there, verified, and nothing else was left behind."""
    assert fetch.lol_state(folder) == fetch.verify_lol(folder).state == "published"
    assert not (folder.parent / ".fetch").exists()


def refused(*urls, source=None, **facts):
    """Return the message of a fetch that must fail and leave no data set and nothing unpacked."""
    verify.LOL = make_registry(urls, **facts)
    with pytest.raises(LleError) as caught:
        fetch.fetch_lol(source)
    assert fetch.lol_state() == "absent"
    assert not list(fetch.paths.data_dir().glob(".fetch/*/"))
    return str(caught.value)


def part_of(data, url):
    """Return the path at which a download grows."""
    return data / ".fetch" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"


SIZE = len(ARCHIVE)
GZIPPED = {"body": gzip.compress(ARCHIVE), "headers": {"Content-Encoding": "gzip"}}

# What the server does, what the message says if the first call fails, and from which bytes the
# server is asked: after a failure once more, by a second call, when it is well again.
CASES = {
    "whole": ({}, "", [0]),
    "cut 20 times, with progress": ({"cuts": [500] * 20}, "", range(0, 10_500, 500)),
    "cut without progress": ({"cuts": [4000] + [0] * 9}, "0.0 MB are kept", [0, *[4000] * 4]),
    "stalled": ({"stalls": [5000]}, "", [0, 5000]),
    "stalled each time": ({"stalls": [0] * 9}, "the connection failed (", [0] * 5),
    "busy": ({"statuses": [408, 429, 503]}, "", [0] * 4),
    "busy each time": ({"statuses": [500] * 9}, "the server answered 500", [0] * 5),
    "refused": ({"statuses": [404] * 9}, "the server answered 404", [0, 0]),
    "without ranges, cut": ({"ranges": False, "cuts": [3000]}, "", [0, 3000]),
    "without ranges, cut each time": (
        {"ranges": False, "cuts": [3000, 2000, 2500] * 9},
        "the connection failed (",
        [0, 3000, 2000, 2500, 3000],
    ),
    "no end": ({"body": ARCHIVE + bytes(10**8)}, "it sends more than the whole data set", [0, 0]),
    "cut where no length was told": (
        {"cuts": [SIZE // 3], "length": False},
        "it cannot be unpacked (File is not a zip file)",
        [0, 0],
    ),
    "damaged, in pieces, so once more": (
        {"body": ARCHIVE[:-100], "cuts": [5000, None, 5000]},
        "it cannot be unpacked",
        [0, 5000, 0, 5000, 0],
    ),
    "a web page": ({"body": PAGE}, "File is not a zip file", [0, 0]),
    "encoded with gzip": (GZIPPED, "", [0]),
    "encoded with gzip, cut": (GZIPPED | {"cuts": [3000]}, "", None),
    "encoded with gzip, cut each time": (
        GZIPPED | {"cuts": [3000, 2000] * 9},
        "the connection failed",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_server_may_do(server, monkeypatch, case):
    behavior, words, starts = CASES[case]
    if "stalls" in behavior:
        monkeypatch.setattr(download, "TIMEOUT", (5, 0.4))
    url = server.offer("a.zip", **{"body": ARCHIVE} | behavior)
    if words:
        assert words in refused(url)
        assert server.sent < 10**8
        server.offer("a.zip", ARCHIVE)
    run(url)
    run(url)  # which does nothing
    assert starts is None or server.asked_from("a.zip") == list(starts)


@pytest.mark.parametrize(
    "left, starts",
    [
        (ARCHIVE, [SIZE]),
        # A part that does not fit is started again, once.
        (ARCHIVE[:100] + bytes(2000) + ARCHIVE[2100:5000], [5000, 0]),
        (bytes(500) + ARCHIVE[500:], [SIZE, 0]),
        (bytes(600) + ARCHIVE[500:], [SIZE + 100, 0]),
        (PAGE, [len(PAGE), 0]),
    ],
)
def test_what_an_earlier_call_may_have_left(server, data, left, starts):
    url = server.offer("a.zip", ARCHIVE)
    put(data / ".fetch", {part_of(data, url).name: left})
    run(url)
    assert server.asked_from("a.zip") == starts


def test_when_all_fail_one_message_says_it_all_and_the_first_good_one_is_taken(server):
    bad, page = server.offer("bad.zip", statuses=[404] * 2), server.offer("page.zip", PAGE)
    message = refused(bad, page, NOBODY, "http:///c.zip", "http://\udcff/")
    for words in (
        "1. mirror 1: the server answered 404 Not Found",
        "2. mirror 2: it cannot be unpacked (File is not a zip file)",
        "3. mirror 3: the connection failed (ConnectionError)",
        "4. mirror 4: the connection failed (",
        "5. mirror 5: the connection failed (",
        "https://example.org/mini",
        "--from ARCHIVE.zip",
    ):
        assert words in message
    run(bad, page, server.offer("good.zip", ARCHIVE), server.offer("never.zip", ARCHIVE))
    asked = [path for path, _ in server.requests]
    assert asked == ["bad.zip", "page.zip"] * 2 + ["good.zip"]


def test_from_file_folder_or_address(server, tmp_path):
    put(tmp_path, {"by hand.zip": ARCHIVE, "page.zip": PAGE})
    put(tmp_path / "by hand" / "LOL", FILES)
    os.mkfifo(tmp_path / "by hand" / "pipe.png")
    url = server.offer("a.zip", ARCHIVE)
    for source in (tmp_path / "by hand.zip", str(tmp_path / "by hand"), url):
        run(NOBODY, source=source)
        shutil.rmtree(fetch.paths.lol_dir())
    message = refused(source=tmp_path / "page.zip")
    assert f"1. {tmp_path / 'page.zip'}: it cannot be unpacked" in message
    assert (tmp_path / "by hand.zip").exists() and (tmp_path / "page.zip").exists()


def test_unpacked_by_hand_in_place_is_taken_and_what_a_killed_call_left_removed(data):
    put(data / "lol", FILES)
    run(NOBODY)
    put(data / ".fetch", {"x.part": ARCHIVE, "x/lol/our485/low/2.png": b""})
    run(NOBODY)


def test_a_copy_on_a_read_only_disk_is_verified_and_not_fetched_again(data, monkeypatch):
    put(data / "lol", FILES)
    (data / "lol" / verify.RECORD).mkdir()  # stands in for a disk that takes no record
    monkeypatch.setattr(fetch.filelock, "FileLock", None)
    fetch.fetch_lol(NOBODY)
    assert fetch.lol_state() == "unverified"


def test_a_web_page_does_not_take_the_place_of_what_arrived(server, data):
    page = {"body": PAGE, "ranges": False, "headers": {"Content-Type": "text/html; charset=UTF-8"}}
    url = server.offer("a.zip", **page)
    put(data / ".fetch", {part_of(data, url).name: ARCHIVE[:5000]})
    assert "the server sent a web page" in refused(url)
    assert part_of(data, url).read_bytes() == ARCHIVE[:5000]


def test_what_is_replaced_is_moved_aside_and_not_lost(server, data):
    put(data / "lol", {"our485/low/5.png": b"broken", "my notes.txt": b"precious"})
    put(data / ".fetch", {"killed/lol/our485/low/2.png": b""})
    url = server.offer("a.zip", ARCHIVE, statuses=[404])
    with pytest.raises(LleError):
        run(url)
    assert not list(data.glob(".fetch/*/"))
    assert (data / "lol/our485/low/5.png").read_bytes() == b"broken"
    run(url)
    (aside,) = data.glob("lol-before-*")
    assert (aside / "my notes.txt").read_bytes() == b"precious"


def test_too_small_a_disk_is_said_before_the_download(server):
    message = refused(server.offer("a.zip", ARCHIVE), unpacked_bytes=10**18)
    assert "MB are needed and" in message and "LLE_DATA_DIR" in message
    assert server.requests == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_disk_becomes_full_while_downloading(server, data):
    url = server.offer("a.zip", ARCHIVE)
    part = part_of(data, url)
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")  # which takes no byte
    message = refused(url)
    assert "No space left" in message and "LLE_DATA_DIR" in message
    part.unlink()
    run(url)


def test_disk_becomes_full_while_unpacking(server, monkeypatch):
    write = Path.write_bytes

    def full(path, content):
        if path.name == "8.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    url = server.offer("a.zip", ARCHIVE)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert "No space left on device" in refused(url)
    run(url)
    assert server.sent == SIZE


def start(data, url, pause=0.0):
    """Start a process that fetches; return it once its imports are done."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]),
        "LLE_DATA_DIR": str(data),
    }
    command = [sys.executable, str(HERE / "miniature.py"), url, str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process, data):
    """Wait for a process that must succeed."""
    assert process.wait(timeout=60) == 0
    assert_complete(data / "lol")


def test_killed_at_random_moments(server, data):
    url = server.offer("a.zip", ARCHIVE, speed=SIZE / 1.2)
    rng = np.random.default_rng(3)
    seen = set()
    for kills in range(30):
        if kills >= 6 and {"downloading", "unpacking"} <= seen:
            break
        process = start(data, url, pause=0.07)
        time.sleep(rng.uniform(0.0, 0.7))
        process.kill()
        process.wait()
        if (data / "lol").exists():
            assert_complete(data / "lol")
        elif list(data.glob(".fetch/*/")):
            seen.add("unpacking")
        elif list(data.glob(".fetch/*.part")):
            seen.add("downloading")
    finish(start(data, url), data)
    assert {"downloading", "unpacking"} <= seen, f"the kills only met {seen}"
    starts = server.asked_from("a.zip")
    assert starts[-1] and starts == sorted(starts)  # no kill lost what an earlier call had kept


def test_two_at_once(server, data):
    url = server.offer("a.zip", ARCHIVE, speed=SIZE / 0.5)
    for process in [start(data, url), start(data, url)]:
        finish(process, data)
    assert len(server.requests) == 1


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_the_one_that_waits_or_comes_next_resumes(server, data, stop):
    url = server.offer("a.zip", ARCHIVE, speed=SIZE / 20)
    first = start(data, url)
    until = time.monotonic() + 20
    while not any(path.stat().st_size for path in data.glob(".fetch/*.part")):
        assert time.monotonic() < until, "no download began"
        time.sleep(0.02)
    second = start(data, url)
    time.sleep(0.2)
    server.files["a.zip"].speed = None  # for the next request; the first one stays slow
    first.send_signal(stop)
    assert first.wait(timeout=20) != 0
    finish(second, data)
    assert [start > 0 for start in server.asked_from("a.zip")] == [False, True]


ID = "157bjO1_cFuSd0HWDUuAmcHRJDVyWpOxB"
DRIVE = f"https://drive.google.com/file/d/{ID}/view?usp=sharing"


def drive(monkeypatch, *steps):
    """Let gdown answer with these steps, one a call: bytes are written, an exception is raised."""
    steps = list(steps)

    def answer(*, id, output, resume, **_):
        assert id == ID and resume
        for step in steps.pop(0):
            if isinstance(step, Exception):
                raise step
            with open(output if step == ARCHIVE else f"{output}12345678.part", "ab") as file:
                file.write(step)
        return output

    stand_in = mock.create_autospec(gdown.download, side_effect=answer)  # checks the arguments
    monkeypatch.setattr(gdown, "download", stand_in)
    return stand_in


def test_drive_is_asked_again_while_it_makes_progress_and_after_a_bad_part(monkeypatch, data):
    url = f"https://docs.google.com/uc?export=download&id={ID}"
    put(data / ".fetch", {part_of(data, url).name: PAGE})
    broken = (bytes(1000), RuntimeError("Download is incomplete"))
    stand_in = drive(monkeypatch, *[broken] * 9, (b"",), (ARCHIVE,))
    run(url)
    assert stand_in.call_count == 11


@pytest.mark.parametrize(
    "step, words",
    [
        (RuntimeError("Failed to retrieve file url:\n\n\tToo many users"), "file url: Too many"),
        (b"", "Google Drive did not give the file"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    ],
)
def test_drive_refuses(monkeypatch, step, words):
    drive(monkeypatch, *[(step,)] * 9)
    assert words in refused(DRIVE)
