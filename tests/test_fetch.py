"""The download of the data set, against a real server that misbehaves in every way we know."""

import errno
import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from miniature import make_files, make_pictures, make_registry, pack
from server import Server

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch.download import Download
from lle_utils.fetch.verify import State, state_of, verify_folder

PICTURES = make_pictures()
FILES = make_files(PICTURES)
ARCHIVE = pack(FILES)
PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"
NOBODY = "http://127.0.0.1:9/a.zip"


@pytest.fixture
def server(monkeypatch):
    """Return a running server, which is not waited for long."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch.download, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(fetch.download, "CHUNK_BYTES", 100)  # the archive is small
    with Server() as running:
        yield running


@pytest.fixture
def data(tmp_path):
    """Return a data folder that does not exist yet."""
    return tmp_path / "data"


def run(data, *urls, source=None, allow_modified=False, **facts):
    """Fetch the miniature from these addresses."""
    registry = make_registry(FILES, PICTURES, urls, **facts)
    return fetch.obtain(registry, source, data, allow_modified, progress=False)


def refused(data, *urls, **options):
    """Return the message of a fetch that must fail and leave no data set and nothing unpacked."""
    with pytest.raises(LleError) as caught:
        run(data, *urls, **options)
    assert not (data / "mini").exists()
    assert not (data / ".fetch/unpacked").exists()
    return str(caught.value)


def assert_complete(data):
    """The data set is there, verified, and nothing else was left behind."""
    registry = make_registry(FILES, PICTURES)
    assert verify_folder(data / "mini", registry).ok
    assert state_of(data / "mini", registry) == State.PUBLISHED
    assert kept_files(data) == []


def kept_files(data):
    """Return the endings of what is kept of downloads."""
    work = data / ".fetch"
    names = sorted(work.iterdir()) if work.exists() else []
    return [path.suffix for path in names if path.suffix != ".lock"]


def put(folder, files):
    """Write files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# --- the ways of a network -----------------------------------------------------------------------


def test_whole_file_and_nothing_twice(server, data):
    url = server.offer("a.zip", ARCHIVE)
    assert run(data, url) == data / "mini"
    assert_complete(data)
    run(data, url)
    assert len(server.requests) == 1


def test_cut_and_resumed(server, data):
    cut = 4000
    target = server.offer("real.zip", ARCHIVE, cuts=[cut])
    run(data, server.offer("a.zip", b"", redirect=target))
    assert_complete(data)
    assert server.ranges("real.zip") == [None, f"bytes={cut}-"]
    assert server.sent == len(ARCHIVE)


def test_twenty_cuts_with_progress_each_time(server, data):
    url = server.offer("a.zip", ARCHIVE, cuts=[500] * 20)
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 21


def test_cuts_without_progress_end_and_the_next_call_resumes(server, data):
    url = server.offer("a.zip", ARCHIVE, cuts=[4000] + [0] * 30)
    assert "the connection was cut or stalled; 0.0 MB are kept for the next" in refused(data, url)
    assert len(server.requests) == 1 + fetch.download.TRIES
    server.files["a.zip"].cuts = []
    run(data, url)
    assert_complete(data)
    assert server.sent == len(ARCHIVE)


def test_server_without_ranges_starts_again(server, data):
    url = server.offer("a.zip", ARCHIVE, cuts=[int(0.3 * len(ARCHIVE))], ranges=False)
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 2


def test_cut_without_length_is_recognized(server, data):
    url = server.offer("a.zip", ARCHIVE, cuts=[len(ARCHIVE) // 3], length=False)
    assert "cut short" in refused(data, url)
    assert kept_files(data) == []
    run(data, url)
    assert_complete(data)


def leave_part(data, url, content):
    """Put the beginning of a download where an earlier call would have left it."""
    work = data / ".fetch"
    work.mkdir(parents=True)
    Download(url, work).part.write_bytes(content)


LEFT = {
    "a changed file": ARCHIVE[:100] + bytes(2000) + ARCHIVE[2100:5000],
    "a damaged part": os.urandom(5000),
    "more than the file": ARCHIVE + bytes(500),
    "as many bytes, but others": ARCHIVE[:100] + bytes(2000) + ARCHIVE[2100:],
    "a web page": PAGE,
}


@pytest.mark.parametrize("left", LEFT)
def test_a_part_that_does_not_fit_is_started_again_once(server, data, left):
    url = server.offer("a.zip", ARCHIVE)
    leave_part(data, url, LEFT[left])
    run(data, url)
    assert_complete(data)
    assert server.ranges("a.zip") == [f"bytes={len(LEFT[left])}-", None]


def test_bad_content_is_started_again_only_once(server, data):
    url = server.offer("a.zip", ARCHIVE[:-100], cuts=[5000, None, 5000])
    assert "cut short" in refused(data, url)
    assert server.ranges("a.zip").count(None) == 2
    assert kept_files(data) == []


def test_all_had_arrived_when_the_last_call_was_killed(server, data):
    url = server.offer("a.zip", ARCHIVE)
    leave_part(data, url, ARCHIVE)
    run(data, url)
    assert_complete(data)
    assert server.sent == 0


def test_resumed_as_a_web_page(server, data):
    url = server.offer("a.zip", ARCHIVE, resumed_type="text/html")
    leave_part(data, url, ARCHIVE[:4000])
    run(data, url)
    assert_complete(data)


def test_a_web_page_does_not_replace_what_has_arrived(server, data):
    url = server.offer("a.zip", PAGE, ranges=False)
    leave_part(data, url, ARCHIVE[:4000])
    assert "begins with" in refused(data, url)
    server.offer("a.zip", ARCHIVE)
    run(data, url)
    assert_complete(data)
    assert server.sent == len(PAGE) + len(ARCHIVE) - 4000


@pytest.mark.parametrize("cuts", [[], [3000, 3000]])
def test_an_answer_that_is_encoded_with_gzip(server, data, cuts):
    encoding = {"Content-Encoding": "gzip"}
    url = server.offer("a.zip", gzip.compress(ARCHIVE), headers=encoding, cuts=cuts)
    run(data, url)
    assert_complete(data)


def test_stalled_then_fine(server, data, monkeypatch):
    monkeypatch.setattr(fetch.download, "TIMEOUT", (5, 1))
    url = server.offer("a.zip", ARCHIVE, stalls=[5000])
    run(data, url)
    assert_complete(data)


def test_always_stalled(server, data, monkeypatch):
    monkeypatch.setattr(fetch.download, "TIMEOUT", (5, 0.3))
    url = server.offer("a.zip", ARCHIVE, stalls=[0] * 9)
    assert "cut or stalled" in refused(data, url)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_then_fine(server, data, status):
    url = server.offer("a.zip", ARCHIVE, statuses=[status], headers={"Retry-After": "3600"})
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status, requests", [(503, 5), (404, 1), (403, 1), (401, 1)])
def test_refused(server, data, status, requests):
    url = server.offer("a.zip", ARCHIVE, statuses=[status] * 9)
    assert f"the server answered {status}" in refused(data, url)
    assert len(server.requests) == requests


def test_no_server_there(server, data):
    message = refused(data, NOBODY, "http://nowhere.invalid/b.zip", "http:///c.zip")
    assert message.count("the server cannot be reached") == 2
    assert message.count("the address cannot be used") == 1


# --- the order of the sources --------------------------------------------------------------------


def test_first_good_source_wins(server, data):
    bad = server.offer("bad.zip", b"", statuses=[404])
    page = server.offer("page.zip", PAGE, content_type="text/html")
    good = server.offer("good.zip", ARCHIVE)
    never = server.offer("never.zip", ARCHIVE)
    run(data, bad, page, good, never)
    assert_complete(data)
    assert [path for path, _ in server.requests] == ["bad.zip", "page.zip", "good.zip"]


def test_when_all_fail_one_message_says_it_all(server, data):
    missing = server.offer("a.zip", b"", statuses=[404])
    page = server.offer("b.zip", PAGE)
    message = refused(data, missing, page)
    for words in (
        "1. mirror 1: the server answered 404 Not Found.",
        "2. mirror 2: it gave no zip archive but a file that begins with b'\\n<!DOCTYPE html>",
        "https://example.org/mini",
        str(data / "MiniDataset.zip"),
        "--from PATH/TO/MiniDataset.zip",
    ):
        assert words in message
    assert kept_files(data) == []


def test_archive_put_where_the_message_said(server, data):
    put(data, {"MiniDataset.zip": ARCHIVE})
    run(data, NOBODY)
    assert_complete(data)
    assert (data / "MiniDataset.zip").exists()


# --- by hand -------------------------------------------------------------------------------------


def test_from_file_from_folder_and_from_file_address(data, tmp_path):
    put(tmp_path, {"by hand.zip": ARCHIVE} | {f"by hand/LOL/{n}": c for n, c in FILES.items()})
    sources = [tmp_path / "by hand.zip", tmp_path / "by hand", (tmp_path / "by hand").as_uri()]
    for number, source in enumerate(sources):
        run(data / str(number), source=source)
        assert_complete(data / str(number))
    assert (tmp_path / "by hand.zip").exists()


@pytest.mark.parametrize("source", ["", "  ", "nowhere/a.zip", "~nosuchuser/a.zip", "pipe"])
def test_from_nothing_that_could_be_read(data, tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    message = refused(data, source=source)
    assert "neither a file nor a folder" in message or "there is no such user" in message
    assert not data.exists()


def test_from_a_bad_file_says_so_and_keeps_it(data, tmp_path):
    put(tmp_path, {"page.zip": PAGE})
    message = refused(data, source=tmp_path / "page.zip")
    assert message.startswith(f"Mini was not taken from {tmp_path / 'page.zip'}: it gave no zip")
    assert (tmp_path / "page.zip").exists()


# --- what was there before -----------------------------------------------------------------------


def test_unpacked_by_hand_in_place_is_taken(data):
    put(data / "mini", FILES)
    run(data, NOBODY)
    assert_complete(data)


@pytest.mark.parametrize("broken", [b"broken", b""])
def test_what_is_replaced_is_moved_aside_and_not_lost(server, data, broken):
    put(data / "mini", {"our485/low/5.png": broken, "my notes.txt": b"precious"})
    run(data, server.offer("a.zip", ARCHIVE))
    assert_complete(data)
    (aside,) = data.glob("mini-before-*")
    assert (aside / "my notes.txt").read_bytes() == b"precious"


def test_a_fetch_that_fails_leaves_what_was_there(server, data):
    put(data / "mini", {"our485/low/5.png": b"broken"})
    with pytest.raises(LleError):
        run(data, server.offer("a.zip", b"", statuses=[404]))
    assert (data / "mini" / "our485/low/5.png").read_bytes() == b"broken"


def test_killed_between_the_two_renames(server, data):
    url = server.offer("a.zip", b"", statuses=[404])
    put(data / "mini-before-20260101-000000", {"our485/low/5.png": b"broken"})
    put(data / ".fetch/unpacked", FILES)
    Download(url, data / ".fetch").whole.write_bytes(ARCHIVE)
    run(data, url)
    assert_complete(data)
    assert (data / "mini-before-20260101-000000").exists()


def test_killed_while_cleaning_up(data):
    put(data / "mini", FILES)
    run(data)
    put(data / ".fetch", {"x.zip": ARCHIVE, "unpacked/our485/low/2.png": b""})
    run(data)
    assert_complete(data)


# --- room on the disk ----------------------------------------------------------------------------


def test_too_small_a_disk_is_said_before_the_download(server, data):
    url = server.offer("a.zip", ARCHIVE)
    message = refused(data, url, unpacked_bytes=10**18)
    assert "not enough room on the disk" in message and "are free" in message
    assert server.requests == []


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 200 kB, where the system permits one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("free", [8192, len(ARCHIVE) + 8192])
def test_small_disk_becomes_full(server, small_disk, free):
    data = small_disk / "data"
    url = server.offer("a.zip", ARCHIVE)
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - free))
    message = refused(data, url, unpacked_bytes=0, archive_bytes=1)  # a registry that is wrong
    assert "No space left" in message and "LLE_DATA_DIR" in message
    (small_disk / "ballast").unlink()
    run(data, url)
    assert_complete(data)


def test_disk_becomes_full_while_unpacking(server, data, monkeypatch):
    write = Path.write_bytes

    def full(path, content):
        if path.name == "8.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    url = server.offer("a.zip", ARCHIVE)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left on device" in refused(data, url)
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 1


def test_a_folder_that_may_not_be_written(tmp_path):
    put(tmp_path, {"file": b"in the way"})
    with pytest.raises(LleError, match="file/data.*LLE_DATA_DIR"):
        run(tmp_path / "file" / "data", NOBODY)
