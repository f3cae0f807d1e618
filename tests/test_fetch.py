"""The download: a real server that misbehaves, full disks, processes that are killed, Drive."""

import errno
import gzip
import hashlib
import json
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
from miniature import make_files, make_pictures, make_registry, pack, put
from server import Server

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch import download, verify

HERE = Path(__file__).resolve().parent
FILES = make_files(make_pictures(train=16, test=4))
ARCHIVE = pack(FILES)
PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"
NOBODY = "http://127.0.0.1:9/a.zip"


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Return a data folder that does not exist yet; the miniature is LOL, and waits are short."""
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(verify, "LOL", make_registry(FILES))
    monkeypatch.setattr(download, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(download, "CHUNK_BYTES", 100)  # the archive is small
    return tmp_path / "data"


@pytest.fixture
def server():
    """Return a running server."""
    with Server() as running:
        yield running


def run(*urls, source=None, **facts):
    """Fetch the miniature from these addresses; it must be there, and nothing else be left."""
    verify.LOL = make_registry(FILES, urls, **facts)
    assert_complete(fetch.fetch_lol(source, progress=False))


def assert_complete(folder):
    """The data set is there, verified, and nothing else was left behind."""
    assert fetch.lol_state(folder) == "published" and fetch.verify_lol(folder).ok
    assert not (folder.parent / ".fetch").exists()


def refused(*urls, source=None, **facts):
    """Return the message of a fetch that must fail and leave no data set and nothing unpacked."""
    verify.LOL = make_registry(FILES, urls, **facts)
    with pytest.raises(LleError) as caught:
        fetch.fetch_lol(source, progress=False)
    assert fetch.lol_state() == "absent"
    assert not fetch.paths.data_dir().joinpath(".fetch", "unpacked").exists()
    return str(caught.value)


def part_of(data, url):
    """Return the path at which a download grows."""
    return data / ".fetch" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"


def leave_part(data, url, content):
    """Put the beginning of a download where an earlier call would have left it."""
    put(data / ".fetch", {part_of(data, url).name: content})


# --- the ways of a network -----------------------------------------------------------------------


def test_whole_file_and_nothing_twice(server):
    url = server.offer("a.zip", ARCHIVE)
    run(url)
    run(url)
    assert len(server.requests) == 1


def test_cut_and_resumed(server):
    cut = 4000
    target = server.offer("real.zip", ARCHIVE, cuts=[cut])
    run(server.offer("a.zip", b"", redirect=target))
    assert server.ranges("real.zip") == [None, f"bytes={cut}-"]
    assert server.sent == len(ARCHIVE)
    shutil.rmtree(fetch.paths.lol_dir())
    run(server.offer("b.zip", ARCHIVE, cuts=[500] * 20))  # with progress each time
    assert len(server.ranges("b.zip")) == 21


def test_cuts_without_progress_end_and_the_next_call_resumes(server):
    url = server.offer("a.zip", ARCHIVE, cuts=[4000] + [0] * 30)
    message = refused(url)
    assert "the connection failed" in message and "0.0 MB are kept for the next call" in message
    assert len(server.requests) == download.TRIES
    server.files["a.zip"].cuts = []
    run(url)
    assert server.sent == len(ARCHIVE)


def test_cut_without_length_is_recognized(server, data):
    url = server.offer("a.zip", ARCHIVE, cuts=[len(ARCHIVE) // 3], length=False)
    assert "cannot be unpacked (File is not a zip file)" in refused(url)
    assert not part_of(data, url).exists()
    run(url)


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(ARCHIVE[:100] + bytes(2000) + ARCHIVE[2100:5000], id="a changed file"),
        pytest.param(bytes(5000), id="a damaged part"),
        pytest.param(bytes(500) + ARCHIVE[500:], id="as many bytes, but others"),
        pytest.param(bytes(600) + ARCHIVE[500:], id="more than the file"),
        pytest.param(PAGE, id="a web page"),
    ],
)
def test_a_part_that_does_not_fit_is_started_again_once(server, data, left):
    url = server.offer("a.zip", ARCHIVE)
    leave_part(data, url, left)
    run(url)
    assert server.ranges("a.zip") == [f"bytes={len(left)}-", None]


def test_bad_content_is_started_again_only_once(server, data):
    url = server.offer("a.zip", ARCHIVE[:-100], cuts=[5000, None, 5000])
    assert "cannot be unpacked" in refused(url)
    assert server.ranges("a.zip").count(None) == 2
    assert not part_of(data, url).exists()


def test_all_had_arrived_when_the_last_call_was_killed(server, data):
    url = server.offer("a.zip", ARCHIVE)
    leave_part(data, url, ARCHIVE)
    put(data / ".fetch/unpacked", {"our485/low/2.png": b"half", "more.txt": b""})
    put(data / "lol-before-20260101-000000", {"our485/low/5.png": b"broken"})
    run(url)
    assert server.sent == 0 and (data / "lol-before-20260101-000000").exists()


def test_resumed_as_a_web_page(server, data):
    url = server.offer("a.zip", ARCHIVE, resumed_type="text/html")
    leave_part(data, url, ARCHIVE[:4000])
    run(url)


def test_an_answer_that_is_a_web_page_leaves_nothing_behind(server, data):
    url = server.offer("a.zip", PAGE, ranges=False)
    leave_part(data, url, ARCHIVE[:4000])
    assert "File is not a zip file" in refused(url)
    server.offer("a.zip", ARCHIVE)
    run(url)
    assert server.ranges("a.zip")[-1] is None


@pytest.mark.parametrize(
    "answer",
    [
        {"body": gzip.compress(ARCHIVE), "headers": {"Content-Encoding": "gzip"}},
        {"body": ARCHIVE, "ranges": False},
    ],
    ids=["encoded with gzip", "without ranges"],
)
def test_an_answer_that_cannot_be_resumed_starts_again_and_is_given_up_in_the_end(server, answer):
    for cuts in ([], [3000]):
        run(server.offer("a.zip", cuts=cuts, **answer))
        shutil.rmtree(fetch.paths.lol_dir())
    url = server.offer("b.zip", cuts=[3000, 2000, 2500] * 9, **answer)
    assert "the connection failed" in refused(url)


def test_stalled(server, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.2))
    run(server.offer("a.zip", ARCHIVE, stalls=[5000]))
    shutil.rmtree(fetch.paths.lol_dir())
    assert "the connection failed" in refused(server.offer("b.zip", ARCHIVE, stalls=[0] * 9))


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again_but_not_for_ever(server, status):
    busy = {"headers": {"Retry-After": "3600"}}
    assert f"the server answered {status}" in refused(
        server.offer("a.zip", ARCHIVE, statuses=[status] * 9, **busy)
    )
    assert len(server.requests) == download.TRIES
    run(server.offer("b.zip", ARCHIVE, statuses=[status], **busy))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_refuses_is_asked_once(server, status):
    url = server.offer("a.zip", ARCHIVE, statuses=[status] * 9)
    assert f"the server answered {status}" in refused(url)
    assert len(server.requests) == 1


def test_an_answer_without_end_is_given_up(server, data):
    url = server.offer("a.zip", ARCHIVE + bytes(10**8))
    assert "it sends more than the whole data set" in refused(url)
    assert server.sent < 10**8 and not part_of(data, url).exists()


def test_an_address_that_is_no_text_is_refused():
    assert "the connection failed" in refused(source="http://\udcff/")


def test_no_server_there():
    message = refused(NOBODY, "http://nowhere.invalid/b.zip", "http:///c.zip")
    assert message.count("the connection failed (ConnectionError)") == 2
    assert message.count("the connection failed (InvalidURL)") == 1


# --- sources -------------------------------------------------------------------------------------


def test_first_good_source_wins(server):
    bad = server.offer("bad.zip", b"", statuses=[404])
    page = server.offer("page.zip", PAGE, content_type="text/html")
    run(bad, page, server.offer("good.zip", ARCHIVE), server.offer("never.zip", ARCHIVE))
    assert [path for path, _ in server.requests] == ["bad.zip", "page.zip", "good.zip"]


def test_when_all_fail_one_message_says_it_all(server, data):
    message = refused(
        server.offer("a.zip", b"", statuses=[404]),
        server.offer("b.zip", PAGE),
    )
    for words in (
        "1. mirror 1: the server answered 404 Not Found",
        "2. mirror 2: it cannot be unpacked (File is not a zip file)",
        "https://example.org/mini",
        str(data / "MiniDataset.zip"),
        "--from PATH/TO/MiniDataset.zip",
    ):
        assert words in message
    assert list((data / ".fetch").iterdir()) == []


def test_archive_put_where_the_message_said(data):
    put(data, {"MiniDataset.zip": ARCHIVE})
    run(NOBODY)
    assert (data / "MiniDataset.zip").exists()


def test_from_file_folder_or_address(server, tmp_path):
    put(tmp_path, {"by hand.zip": ARCHIVE} | {f"by hand/LOL/{n}": c for n, c in FILES.items()})
    os.mkfifo(tmp_path / "by hand" / "pipe.png")
    url = server.offer("a.zip", ARCHIVE)
    for source in (tmp_path / "by hand.zip", str(tmp_path / "by hand"), url):
        run(NOBODY, source=source)
        shutil.rmtree(fetch.paths.lol_dir())
    assert (tmp_path / "by hand.zip").exists()
    put(tmp_path, {"page.zip": PAGE})
    message = refused(source=tmp_path / "page.zip")
    assert f"1. {tmp_path / 'page.zip'}: it cannot be unpacked" in message
    assert (tmp_path / "page.zip").exists()


@pytest.mark.parametrize("source", ["", "  ", "nowhere/a.zip", "~nosuchuser/a.zip", "pipe"])
def test_from_nothing_that_could_be_read(data, tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    message = refused(source=source)
    assert any(words in message for words in ("neither a file", "no such user", "path is empty"))
    assert not data.exists()


# --- what was there before -----------------------------------------------------------------------


def test_unpacked_by_hand_in_place_is_taken_and_what_a_killed_call_left_removed(data):
    put(data / "lol", FILES)
    run(NOBODY)
    put(data / ".fetch", {"x.part": ARCHIVE, "unpacked/our485/low/2.png": b""})
    run(NOBODY)


def test_what_is_replaced_is_moved_aside_and_not_lost(server, data):
    put(data / "lol", {"our485/low/5.png": b"broken", "my notes.txt": b"precious"})
    url = server.offer("a.zip", ARCHIVE, statuses=[404])
    with pytest.raises(LleError):
        run(url)
    assert (data / "lol/our485/low/5.png").read_bytes() == b"broken"
    run(url)
    (aside,) = data.glob("lol-before-*")
    assert (aside / "my notes.txt").read_bytes() == b"precious"


# --- room on the disk ----------------------------------------------------------------------------


def test_too_small_a_disk_is_said_before_the_download(server):
    message = refused(server.offer("a.zip", ARCHIVE), unpacked_bytes=10**18)
    assert "not enough room in" in message and "are free" in message
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
    assert server.sent == len(ARCHIVE)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    put(tmp_path, {"file": b"in the way"})
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(LleError, match="file/data.*LLE_DATA_DIR"):
        run(NOBODY)


# --- processes -----------------------------------------------------------------------------------


def start(data, url, pause=0.0):
    """Start a process that fetches; return it once its imports are done."""
    path = data.parent / "registry.json"
    path.write_text(json.dumps(vars(make_registry(FILES, [url]))))
    process = subprocess.Popen(
        [sys.executable, str(HERE / "miniature.py"), str(path), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])},
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def finish(process, data):
    """Wait for a process that must succeed."""
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert_complete(data / "lol")


def wait_for_bytes(data):
    """Wait until a download is under way."""
    until = time.monotonic() + 20
    while not any(path.stat().st_size for path in data.glob(".fetch/*.part")):
        assert time.monotonic() < until, "no download began"
        time.sleep(0.02)


def test_killed_at_random_moments(server, data):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 1.2)
    rng = np.random.default_rng(3)
    seen = set()
    for kills in range(30):
        if kills >= 6 and {"downloading", "unpacking"} <= seen:
            break
        process = start(data, url, pause=0.03)
        time.sleep(rng.uniform(0.0, 0.7))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (data / "lol").exists():
            assert fetch.lol_state() == "published" and fetch.verify_lol().ok
        elif (data / ".fetch/unpacked").exists():
            seen.add("unpacking")
        elif list(data.glob(".fetch/*.part")):
            seen.add("downloading")
    finish(start(data, url), data)
    assert {"downloading", "unpacking"} <= seen, f"the kills only met {seen}"
    resumed = [int(asked[len("bytes=") : -1]) for asked in server.ranges("a.zip") if asked]
    assert resumed and resumed == sorted(resumed)  # no kill lost what an earlier call had kept


def test_two_at_once(server, data):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 0.5)
    for process in [start(data, url), start(data, url)]:
        finish(process, data)
    assert len(server.requests) == 1


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_the_one_that_waits_or_comes_next_resumes(server, data, stop):
    url = server.offer("a.zip", ARCHIVE, speed=len(ARCHIVE) / 20)
    first = start(data, url)
    wait_for_bytes(data)
    second = start(data, url)
    time.sleep(0.2)
    server.files["a.zip"].speed = None  # for the next request; the first one stays slow
    first.send_signal(stop)
    first.communicate(timeout=20)
    assert first.returncode != 0
    finish(second, data)
    assert [asked is None for asked in server.ranges("a.zip")] == [True, False]


# --- Google Drive --------------------------------------------------------------------------------

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


def test_drive_is_asked_again_while_it_makes_progress(monkeypatch):
    cut = [bytes(1000), ConnectionError("cut"), RuntimeError("Download is incomplete")]
    broken = [(cut[0], cut[2])] * 9
    stand_in = drive(monkeypatch, *broken, (ARCHIVE,))
    run(DRIVE)
    assert stand_in.call_count == 10


@pytest.mark.parametrize(
    "step, words",
    [
        (RuntimeError("Failed to retrieve file url:\n\n\tToo many users"), "file url: Too many"),
        (PAGE, "Google Drive did not give the file"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    ],
)
def test_drive_refuses(monkeypatch, step, words):
    drive(monkeypatch, *[(step,)] * 9)
    assert words in refused(DRIVE)


def test_drive_gives_a_web_page_and_starts_again_after_a_bad_part(monkeypatch, data):
    url = f"https://docs.google.com/uc?export=download&id={ID}"
    leave_part(data, url, PAGE)
    stand_in = drive(monkeypatch, (b"",), (ARCHIVE,))
    run(url)
    assert stand_in.call_count == 2


@pytest.mark.parametrize("url", ["https://drive.google.com/", f"https://example.org/d/{ID}/view"])
def test_links_that_do_not_lead_to_a_file_on_drive(url):
    assert download.drive_id(url) is None
