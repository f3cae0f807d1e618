"""The download of the data set, against a real server that misbehaves in every way we know."""

import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest
from miniature import make_files, make_pictures, make_registry, on_disk, pack
from server import Server

from lle_utils.errors import LleError
from lle_utils.fetch.download import Kept, Policy
from lle_utils.fetch.obtain import fetch
from lle_utils.fetch.store import State, state_of
from lle_utils.fetch.talk import Talk
from lle_utils.fetch.verify import verify_folder

FAST = Policy(
    attempts=3,
    attempts_unreachable=2,
    wait=0.01,
    longest_wait=0.3,
    connect=10,
    read=10,  # a busy machine is no stalled server
)
IMPATIENT = replace(FAST, read=1.0, slow_window=0.4, slow_bytes=2000)

PICTURES = make_pictures()
FILES = make_files(PICTURES)
ARCHIVE = pack(FILES)

QUOTA_PAGE = b"""<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head>
<body><p class="uc-error-caption">Sorry, you can&#39;t view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently.</p>
</body></html>"""


@pytest.fixture
def server(monkeypatch):
    """Return a running server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        yield running


@pytest.fixture
def data(tmp_path):
    """Return a data folder that does not exist yet."""
    return tmp_path / "data"


def registry_of(*urls, **facts):
    """Return the miniature's registry with these sources."""
    return make_registry(FILES, PICTURES, urls, **facts)


def run(data, *urls, source=None, allow_modified=False, policy=FAST, **facts):
    """Fetch the miniature from these addresses."""
    registry = registry_of(*urls, **facts)
    return fetch(
        registry,
        source,
        data_dir=data,
        allow_modified=allow_modified,
        progress=False,
        policy=policy,
    )


def refused(data, *urls, **options):
    """Return the message of a fetch that must fail and leave no data set and nothing unpacked."""
    with pytest.raises(LleError) as caught:
        run(data, *urls, **options)
    assert not (data / "mini").exists()
    assert not list(data.glob(".fetch/unpack-*"))
    return str(caught.value)


def assert_complete(data, registry=None):
    """The data set is there, verified, and nothing else was left behind."""
    registry = registry or registry_of()
    report = verify_folder(data / "mini", registry, Talk(False).bar(""))
    assert report.ok, report.summary()
    assert state_of(data / "mini", registry) == State.PUBLISHED
    left = [path.name for path in (data / ".fetch").iterdir()] if (data / ".fetch").exists() else []
    assert left in ([], ["mini.lock"])


def kept_files(data):
    """Return what of downloads is kept."""
    return sorted(path.suffix for path in (data / ".fetch").iterdir() if path.suffix != ".lock")


# --- the ways of a network -----------------------------------------------------------------------


def test_whole_file_and_nothing_twice(server, data):
    url = server.offer("a.zip", ARCHIVE)
    assert run(data, url) == data / "mini"
    assert_complete(data)
    run(data, url)
    assert len(server.requests) == 1
    mode = (data / "mini").stat().st_mode & 0o777
    assert mode & 0o500 == 0o500 and mode == (data / ".fetch").stat().st_mode & 0o777


@pytest.mark.parametrize("validator", [{}, {"etag": '"v1"'}, {"modified": "Sun, 22 Nov 2026"}])
def test_cut_and_resumed(server, data, validator):
    cut = int(0.3 * len(ARCHIVE))
    url = server.offer("a.zip", ARCHIVE, cuts=[cut], **validator)
    run(data, url)
    assert_complete(data)
    assert server.ranges("a.zip") == [None, f"bytes={cut}-"]
    assert server.sent == len(ARCHIVE)


def test_cut_without_ranges_starts_again(server, data):
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


def test_the_next_call_goes_on(server, data):
    url = server.offer("a.zip", ARCHIVE, etag='"v1"', cut_always=0.4)
    message = refused(data, url)
    assert "the connection was cut (tried 3 times); " in message
    assert "have arrived, and the next call goes on from there" in message
    server.files["a.zip"].cut_always = None
    before = server.sent
    run(data, url)
    assert_complete(data)
    assert server.sent == len(ARCHIVE) and before > 0.6 * len(ARCHIVE)


@pytest.mark.parametrize("validators", [('"v1"', '"v2"'), (None, None)])
def test_file_changed_between_calls(server, data, validators):
    other = ARCHIVE[:100] + bytes(2000) + ARCHIVE[2100:]
    url = server.offer("a.zip", other, etag=validators[0], cut_always=0.4)
    refused(data, url)
    server.offer("a.zip", ARCHIVE, etag=validators[1])
    run(data, url)
    assert_complete(data)


def test_part_longer_than_the_file(server, data):
    url = server.offer("a.zip", ARCHIVE, etag='"v1"', cut_always=0.5)
    refused(data, url)
    with Kept(data / ".fetch", url).part.open("ab") as part:
        part.write(b"x" * len(ARCHIVE))
    server.files["a.zip"].cut_always = None
    run(data, url)
    assert_complete(data)


def test_stalled_then_fine(server, data):
    url = server.offer("a.zip", ARCHIVE, stalls=[5000])
    run(data, url, policy=IMPATIENT)
    assert_complete(data)
    assert server.ranges("a.zip")[:2] == [None, "bytes=5000-"]


def test_always_stalled(server, data):
    url = server.offer("a.zip", ARCHIVE, stalls=[0] * 9)
    assert "stalled: nothing came for 1 s" in refused(data, url, policy=IMPATIENT)


def test_trickle_counts_as_stalled(server, data):
    url = server.offer("a.zip", ARCHIVE, speed=500)
    assert "it stalled" in refused(data, url, policy=IMPATIENT)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_then_fine(server, data, status):
    url = server.offer("a.zip", ARCHIVE, statuses=[status], headers={"Retry-After": "0"})
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 2


def test_busy_for_good(server, data):
    url = server.offer("a.zip", ARCHIVE, statuses=[503] * 9)
    assert "answered 503 Service Unavailable (tried 3 times)" in refused(data, url)


def test_a_long_wait_is_not_waited_for(server, data):
    url = server.offer("a.zip", ARCHIVE, statuses=[429], headers={"Retry-After": "3600"})
    assert "429" in refused(data, url)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status, words", [(404, "404 Not Found"), (403, "403"), (401, "password")])
def test_refusals_are_not_retried(server, data, status, words):
    url = server.offer("a.zip", ARCHIVE, statuses=[status])
    assert words in refused(data, url)
    assert len(server.requests) == 1


def test_redirected_and_resumed(server, data):
    target = server.offer("real.zip", ARCHIVE, cuts=[4000], etag='"v1"')
    url = server.offer("a.zip", b"", redirect=target)
    run(data, url)
    assert_complete(data)
    assert server.ranges("real.zip") == [None, "bytes=4000-"]


def test_no_server_there(data):
    message = refused(data, "http://127.0.0.1:9/a.zip", "http://127.0.0.1:9/b.zip")
    assert message.count("127.0.0.1:9 cannot be reached") == 2
    assert "seems to have no network" in message


# --- the order of the sources --------------------------------------------------------------------


def test_first_good_source_wins(server, data):
    bad = server.offer("bad.zip", b"", statuses=[404])
    page = server.offer("page.zip", QUOTA_PAGE, content_type="text/html")
    good = server.offer("good.zip", ARCHIVE)
    never = server.offer("never.zip", ARCHIVE)
    run(data, bad, page, good, never)
    assert_complete(data)
    assert [path for path, _ in server.requests] == ["bad.zip", "page.zip", "good.zip"]


def test_when_all_fail_one_message_says_it_all(server, data):
    missing = server.offer("a.zip", b"", statuses=[404])
    page = server.offer("b.zip", QUOTA_PAGE)
    message = refused(data, missing, page)
    for words in (
        "1. mirror 1: does not have it (404 Not Found).",
        "2. mirror 2: sent Google Drive's quota page",
        "https://example.org/mini",
        str(data / "MiniDataset.zip"),
        "--from PATH/TO/MiniDataset.zip",
    ):
        assert words in message
    assert "seems to have no network" not in message


def test_archive_put_where_the_message_said(server, data):
    url = server.offer("a.zip", b"", statuses=[404])
    data.mkdir()
    (data / "MiniDataset.zip").write_bytes(ARCHIVE)
    run(data, url)
    assert_complete(data)
    assert server.requests == []
    assert (data / "MiniDataset.zip").exists()


# --- what arrives is not the archive -------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/zip"])
def test_quota_page(server, data, content_type):
    url = server.offer("a.zip", QUOTA_PAGE, content_type=content_type)
    assert "Google Drive's quota page" in refused(data, source=url)
    assert kept_files(data) == []


def test_sign_in_page(server, data):
    page = b"\n <html><head><title>Campus &amp; Guest Wi-Fi</title></head></html>"
    url = server.offer("a.zip", page, redirect=None)
    message = refused(data, source=url)
    assert 'a web page titled "Campus & Guest Wi-Fi"' in message
    assert kept_files(data) == []


@pytest.mark.parametrize(
    "body, words",
    [
        (bytes(range(256)) * 40, "not a zip archive (they begin with 00 01 02 03)"),
        (ARCHIVE[: len(ARCHIVE) // 2], "a zip archive that is cut short"),
        (b"Rar!\x1a\x07\x00" + bytes(500), "a RAR archive"),
        (b"\x1f\x8b\x08" + bytes(500), "a gzip (tar.gz) archive"),
        (b'{"error": "rate limit"}', 'a text and not an archive: "{"error": "rate limit"}"'),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a Git LFS pointer"),
        (b"", "gave an empty file"),
        (pack({}), "a zip archive with nothing in it"),
        (pack({"cat.jpg": b"x"}), "without the folders our485 and eval15"),
        (pack({"our485/low/2.jpg": b"x"}), "no picture has its published name"),
        (pack({"lol_dataset.zip": ARCHIVE}), "holds another archive"),
    ],
)
def test_wrong_files_are_named_and_not_kept(server, data, body, words):
    url = server.offer("a.zip", body)
    assert words in refused(data, url)
    assert kept_files(data) == []


def test_wrong_bytes_at_the_right_length(server, data):
    broken = bytearray(ARCHIVE)
    middle = ARCHIVE.index(FILES["our485/low/5.png"]) + 200
    broken[middle : middle + 50] = bytes(50)
    url = server.offer("a.zip", bytes(broken))
    message = refused(data, url)
    assert "damaged archive: our485/low/5.png is broken" in message
    assert kept_files(data) == []
    good = server.offer("good.zip", ARCHIVE)
    run(data, url, good)
    assert_complete(data)


# --- archives by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize("top", ["", "lol_dataset/", "a/b/LOLdataset (1)/"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_from_file(data, tmp_path, top, compression):
    path = tmp_path / "by hand.zip"
    path.write_bytes(pack(FILES, top, compression))
    run(data, source=path)
    assert_complete(data)
    assert path.exists()


def test_from_folder_and_from_file_address(data, tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "by hand" / "LOL" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    run(data, source=tmp_path / "by hand")
    assert_complete(data)
    run(tmp_path / "other", source=(tmp_path / "by hand").as_uri())
    assert_complete(tmp_path / "other")


def test_from_nothing(data, tmp_path):
    message = refused(data, source=tmp_path / "nowhere" / "a.zip")
    assert "there is no such file" in message and "nowhere" in message
    assert not data.exists()


def test_from_a_bad_file_says_so_and_keeps_it(data, tmp_path):
    path = tmp_path / "page.zip"
    path.write_bytes(QUOTA_PAGE)
    message = refused(data, source=path)
    assert message.startswith(f"Mini was not taken from {path}: it is Google Drive's quota page")
    assert path.exists()


# --- what was there before -----------------------------------------------------------------------


def put(folder, files):
    """Write files into a data set's folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_unpacked_by_hand_in_place_is_taken(data):
    put(data / "mini", FILES)
    run(data, "http://127.0.0.1:9/a.zip")
    assert_complete(data)


def test_a_broken_one_is_replaced(server, data):
    put(data / "mini", FILES)
    url = server.offer("a.zip", ARCHIVE)
    run(data, url)
    (data / "mini" / "our485/low/5.png").write_bytes(b"broken")
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 1


def test_files_of_the_user_are_moved_aside_and_not_lost(server, data):
    put(data / "mini", {"our485/low/5.png": b"broken", "my notes.txt": b"precious"})
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
    put(data / ".fetch" / "old-mini-1-1", FILES)
    run(data, server.offer("a.zip", b"", statuses=[404]))
    assert_complete(data)


# --- room on the disk ----------------------------------------------------------------------------


def test_too_small_a_disk_is_said_before_the_download(server, data):
    url = server.offer("a.zip", ARCHIVE)
    message = refused(data, url, unpacked_bytes=10**18)
    assert "not enough room on the disk" in message and "are free" in message
    assert kept_files(data) in ([], [".json"])
    assert len(server.requests) == 1


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 200 kB, where the system permits one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def leave_free(disk, size):
    """Fill a disk until about so many bytes are free."""
    (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - size))


def test_full_small_disk(server, small_disk):
    data = small_disk / "data"
    url = server.offer("a.zip", ARCHIVE)
    leave_free(small_disk, len(ARCHIVE) + 8192)
    assert "not enough room" in refused(data, url)
    message = refused(data, url, unpacked_bytes=0)  # a registry that is wrong about the size
    assert "not enough room" in message or "became full" in message
    (small_disk / "ballast").unlink()
    run(data, url)
    assert_complete(data)


def test_small_disk_becomes_full_while_downloading(server, small_disk):
    data = small_disk / "data"
    url = server.offer("a.zip", ARCHIVE, length=False)
    leave_free(small_disk, 8192)
    message = refused(data, url, unpacked_bytes=0, archive_bytes=1)
    assert "became full" in message and "LLE_DATA_DIR" in message
    (small_disk / "ballast").unlink()
    run(data, url)
    assert_complete(data)


def test_disk_becomes_full_while_unpacking(server, data, monkeypatch):
    import errno
    from pathlib import Path

    write = Path.write_bytes

    def full(path, content):
        if path.name == "8.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    url = server.offer("a.zip", ARCHIVE)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert "became full" in refused(data, url)
    monkeypatch.undo()
    run(data, url)
    assert_complete(data)
    assert len(server.requests) == 1


def test_a_folder_that_may_not_be_written(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with pytest.raises((LleError, NotADirectoryError)) as caught:
        run(blocker / "data", "http://127.0.0.1:9/a.zip")
    assert isinstance(caught.value, LleError) and str(blocker) in str(caught.value)


def test_registry_survives_a_trip_to_disk(tmp_path):
    from miniature import from_disk

    assert from_disk(on_disk(registry_of("http://x/a.zip"), tmp_path)) == registry_of(
        "http://x/a.zip"
    )
