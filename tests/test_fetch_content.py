"""What is in the archive: hostile archives are refused, near copies named for what they are."""

import io
import stat
import struct
import zipfile

import numpy as np
import pytest
from miniature import make_files, make_pictures, make_registry, pack, png
from PIL import Image
from server import Server

from lle_utils.errors import LleError
from lle_utils.fetch.download import Policy
from lle_utils.fetch.obtain import fetch
from lle_utils.fetch.store import State, note_of, read_marker, state_of
from lle_utils.fetch.talk import Talk
from lle_utils.fetch.verify import verify_folder

PICTURES = make_pictures()
FILES = make_files(PICTURES)
REGISTRY = make_registry(FILES, PICTURES)
HASTY = Policy(attempts=1, attempts_unreachable=1, wait=0.01, connect=10, read=10)


def take(tmp_path, archive, allow_modified=False):
    """Fetch from an archive on disk into ``tmp_path/data``; return the data set's folder."""
    path = tmp_path / "archive.zip"
    path.write_bytes(archive)
    return fetch(
        REGISTRY,
        path,
        data_dir=tmp_path / "data",
        allow_modified=allow_modified,
        progress=False,
    )


def refusal(tmp_path, archive, allow_modified=False):
    """Return the message of an archive that must be refused without leaving anything behind."""
    with pytest.raises(LleError) as caught:
        take(tmp_path, archive, allow_modified)
    here = {path.name for path in tmp_path.rglob("*")}
    assert here <= {"archive.zip", "data", ".fetch", "mini.lock"}, here
    return str(caught.value)


def report_on(folder):
    """Return the report on an unpacked data set."""
    return verify_folder(folder, REGISTRY, Talk(False).bar(""))


def entry(name, mode=0o644, kind=stat.S_IFREG):
    """Return a zip entry as a Unix zip program writes it."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


# --- hostile archives ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "../evil.txt",
        "lol_dataset/our485/../../../evil.txt",
        "/tmp/evil.txt",
        "C:\\evil.txt",
        "..\\evil.txt",
        "lol_dataset/our485/low/..",
    ],
)
def test_paths_that_lead_out(tmp_path, path):
    archive = pack(FILES | {entry(path): b"evil"})
    assert "leads outside its folder" in refusal(tmp_path, archive, allow_modified=True)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../.."])
@pytest.mark.parametrize("path", ["lol_dataset/our485/low", "lol_dataset/our485/low/2.png", "l"])
def test_links(tmp_path, path, target):
    others = {name: data for name, data in FILES.items() if not path.endswith(name)}
    archive = pack({entry(path, 0o777, stat.S_IFLNK): target.encode()} | others)
    assert "a link in it" in refusal(tmp_path, archive, allow_modified=True)


def test_special_files(tmp_path):
    archive = pack(FILES | {entry("pipe", kind=stat.S_IFIFO): b""})
    assert "a special file in it" in refusal(tmp_path, archive)


@pytest.mark.parametrize("path", ["lol_dataset/our485/low/2.png", "lol_dataset/big.bin"])
def test_bomb_that_declares_itself(tmp_path, path):
    size = 200_000 if path.endswith("png") else 20_000_000
    name = path.removeprefix("lol_dataset/")
    archive = pack(FILES | {name: bytes(size)}, compression=zipfile.ZIP_DEFLATED)
    assert len(archive) < 60_000
    assert "zip bomb" in refusal(tmp_path, archive, allow_modified=True)


def test_bomb_that_lies_about_its_size(tmp_path):
    name = "our485/low/2.png"
    archive = bytearray(pack(FILES | {name: bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED))
    lie = struct.pack("<I", 5_000_000)
    assert archive.count(lie) == 2
    archive = archive.replace(lie, struct.pack("<I", 1000))
    message = refusal(tmp_path, bytes(archive), allow_modified=True)
    assert "damaged archive" in message or "zip bomb" in message


def test_entry_listed_twice(tmp_path):
    file = io.BytesIO()
    with pytest.warns(UserWarning), zipfile.ZipFile(file, "w") as writer:
        for name, data in [*FILES.items(), ("our485/low/2.png", b"other")]:
            writer.writestr(name, data)
    assert "holds our485/low/2.png 2 times" in refusal(tmp_path, file.getvalue())


def test_locked_with_a_password(tmp_path):
    archive = bytearray(pack(FILES))
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = archive.find(start)
        while place >= 0:
            archive[place + offset] |= 1
            place = archive.find(start, place + 4)
    assert "locked with a password" in refusal(tmp_path, bytes(archive))


def test_garbled_directory(tmp_path):
    archive = bytearray(pack(FILES))
    place = archive.find(b"PK\x01\x02")
    archive[place : place + 40] = bytes(40)
    assert "damaged zip archive" in refusal(tmp_path, bytes(archive))


def test_junk_is_skipped(tmp_path):
    junk = {
        "__MACOSX/lol_dataset/our485/low/._2.png": b"apple",
        "__MACOSX/lol_dataset/our485/low/2.png": b"apple",
        "lol_dataset/our485/low/._2.png": b"apple",
        "lol_dataset/our485/low/Thumbs.db": b"windows",
        "lol_dataset/.DS_Store": b"apple",
        "lol_dataset/README.txt": b"hello",
    }
    folder = take(tmp_path, pack({entry(k): v for k, v in junk.items()} | FILES))
    assert report_on(folder).ok
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == set(FILES) | {"verified.json"}


def test_backslashes_of_windows_zip_programs(tmp_path):
    archive = pack({entry("LOL\\" + name.replace("/", "\\")): d for name, d in FILES.items()})
    assert report_on(take(tmp_path, archive)).ok


# --- near copies ---------------------------------------------------------------------------------


def jpeg(pixels):
    """Return an array as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def changed(change, names=None):
    """Return the files with some of them changed; ``change`` turns an array into bytes."""
    return {
        name: change(PICTURES[name]) if names is None or name in names else data
        for name, data in FILES.items()
    }


def shrunken(pixels):
    """Return a PNG of 18 x 8 pixels."""
    return png(np.asarray(Image.fromarray(pixels).resize((18, 8), Image.Resampling.BOX)))


def brighter(pixels):
    """Return a PNG with slightly other pixels."""
    return png(np.minimum(pixels, 254) + np.uint8(1))


def without(*names):
    """Return the files without some."""
    return {name: data for name, data in FILES.items() if name not in names}


HIGH = [name for name in FILES if name.startswith("our485/high")]

NEAR = {
    "one re-encoded": (changed(brighter, ["our485/high/5.png"]), "1 file re-encoded or resized"),
    "all re-encoded": (changed(brighter), "16 files re-encoded or resized"),
    "JPEG under the name of PNG": (changed(jpeg), "16 files re-encoded or resized"),
    "high saved again, so that nobody can tell": (
        changed(lambda pixels: png(pixels, compress_level=1), HIGH),
        "6 files re-encoded or resized",
    ),
    "resized": (changed(lambda pixels: shrunken(pixels)), "18 x 8 pixels, not 24 x 16"),
    "missing pair": (without("our485/low/5.png", "our485/high/5.png"), "2 files missing"),
    "missing half of a pair": (without("eval15/high/4.png"), "missing (eval15/high/4.png"),
}


@pytest.mark.parametrize("case", NEAR)
def test_near_copies_are_refused_unless_allowed(tmp_path, case):
    files, words = NEAR[case]
    message = refusal(tmp_path, pack(files))
    assert "a near copy of Mini" in message and words in message and "--allow-modified" in message
    folder = take(tmp_path, pack(files), allow_modified=True)
    assert state_of(folder, REGISTRY) == State.MODIFIED
    assert words in note_of(folder, REGISTRY)
    assert not report_on(folder).ok
    low, high = (
        {
            path.relative_to(folder).as_posix().replace(side, "")
            for path in folder.rglob(f"{side}/*")
        }
        for side in ("low", "high")
    )
    assert low == high


def swapped(one, other):
    """Return the files with two names swapped."""
    return FILES | {one: FILES[other], other: FILES[one]}


NEVER = {
    "swapped names": (swapped("our485/low/2.png", "our485/low/5.png"), "2 files under wrong names"),
    "swapped low and high": (
        swapped("eval15/low/1.png", "eval15/high/1.png"),
        "eval15/low/1.png is the published eval15/high/1.png",
    ),
    "swapped and saved again": (
        swapped("our485/low/2.png", "our485/low/5.png")
        | {"our485/low/2.png": png(PICTURES["our485/low/5.png"], compress_level=1)},
        "our485/low/2.png shows the published our485/low/5.png",
    ),
    "swapped and re-encoded": (
        swapped("our485/high/2.png", "our485/high/5.png")
        | {"our485/high/2.png": brighter(PICTURES["our485/high/5.png"])}
        | {"our485/high/5.png": jpeg(PICTURES["our485/high/2.png"])},
        "our485/high/2.png looks like the published our485/high/5.png",
    ),
    "low and high swapped and re-encoded": (
        changed(jpeg)
        | {"our485/low/2.png": jpeg(PICTURES["our485/high/2.png"])}
        | {"our485/high/2.png": jpeg(PICTURES["our485/low/2.png"])},
        "2 files under wrong names",
    ),
    "another picture": (
        FILES | {"our485/high/2.png": png(make_pictures(seed=9)["our485/high/2.png"])},
        "1 file with a picture of something else: our485/high/2.png",
    ),
    "broken picture": (FILES | {"our485/low/2.png": FILES["our485/low/2.png"][:90]}, "unreadable"),
    "no picture": (FILES | {"our485/low/2.png": b"hello"}, "not a readable PNG or JPEG"),
    "gray picture": (
        FILES | {"our485/low/2.png": png(PICTURES["our485/low/2.png"][..., 0])},
        "mode L instead of RGB",
    ),
    "one resized": (
        changed(lambda pixels: png(np.ascontiguousarray(pixels[:8])), ["our485/low/2.png"]),
        "pictures of 2 different sizes (24 x 16, 24 x 8)",
    ),
    "no test split": (
        {name: data for name, data in FILES.items() if "our485" in name},
        "no whole pair in eval15",
    ),
}


@pytest.mark.parametrize("case", NEVER)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_broken_sets_are_refused_in_any_case(tmp_path, case, allow_modified):
    files, words = NEVER[case]
    message = refusal(tmp_path, pack(files), allow_modified)
    assert words in message
    assert "--allow-modified" not in message


def test_same_pixels_in_other_bytes_are_the_data_set(tmp_path):
    low = [name for name in FILES if name not in HIGH]
    files = changed(lambda pixels: png(pixels, compress_level=1), low)
    assert files["our485/low/2.png"] != FILES["our485/low/2.png"]
    folder = take(tmp_path, pack(files))
    report = report_on(folder)
    assert report.ok and state_of(folder, REGISTRY) == State.PUBLISHED
    assert report.counts == {
        "published": 6,
        "same pixels": 10,
        "modified": 0,
        "misplaced": 0,
        "foreign": 0,
        "unreadable": 0,
        "missing": 0,
        "extra": 0,
    }


def test_summary_tells_the_three_apart(tmp_path):
    eval15 = [name for name in FILES if "eval15" in name]
    low = changed(lambda pixels: png(pixels, compress_level=1))
    files = changed(brighter, HIGH) | {n: low[n] for n in FILES if "our485/low" in n}
    folder = take(tmp_path, pack(files), allow_modified=True)
    report = report_on(folder)
    assert (len(eval15), report.counts["published"]) == (4, 4)
    assert (report.counts["same pixels"], report.counts["modified"]) == (6, 6)
    assert "4 x the published file, byte for byte" in report.summary()
    assert "6 x the published pixels in other bytes" in report.summary()
    assert "6 x a changed picture, re-encoded or resized: our485/high/2.png" in report.summary()
    assert "near copy" in report.verdict()


def test_extra_pictures_beside_the_published_ones(tmp_path):
    folder = take(tmp_path, pack(FILES))
    (folder / "our485/low/3.png").write_bytes(FILES["our485/low/2.png"])
    report = report_on(folder)
    assert not report.ok and report.extra == ["our485/low/3.png"]
    assert "1 x never published: our485/low/3.png" in report.summary()


def test_a_change_after_verification_is_noticed(tmp_path):
    folder = take(tmp_path, pack(FILES))
    assert note_of(folder, REGISTRY) is None
    (folder / "our485/low/2.png").unlink()
    assert state_of(folder, REGISTRY) == State.UNVERIFIED
    assert "never verified, or changed since" in note_of(folder, REGISTRY)


# --- near copies and the network -----------------------------------------------------------------


def test_a_near_copy_is_kept_for_allow_modified(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    data = tmp_path / "data"
    with Server() as server:
        url = server.offer("a.zip", pack(changed(brighter, HIGH)), etag='"v1"')
        registry = make_registry(FILES, PICTURES, [url])
        options = {"data_dir": data, "progress": False, "policy": HASTY}
        for _ in range(2):  # the second time the server says that nothing changed
            with pytest.raises(LleError, match="which is kept and not downloaded again"):
                fetch(registry, **options)
        sent = server.sent
        assert sent == len(server.files["a.zip"].body)
        folder = fetch(registry, allow_modified=True, **options)
        assert server.sent == sent and len(server.requests) == 2
        assert read_marker(folder)["source"] == "mirror 1"
        fetch(registry, allow_modified=True, **options)
        assert len(server.requests) == 2

        server.offer("a.zip", b"", statuses=[404])
        with pytest.raises(LleError, match="modified copy in .* is still there"):
            fetch(registry, **options)
        assert state_of(folder, registry) == State.MODIFIED
        server.offer("a.zip", pack(FILES), etag='"v2"')
        fetch(registry, **options)
        assert state_of(folder, registry) == State.PUBLISHED


def test_a_mended_archive_replaces_the_kept_near_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        url = server.offer("a.zip", pack(changed(brighter, HIGH)), etag='"v1"')
        options = {"data_dir": tmp_path / "data", "progress": False, "policy": HASTY}
        with pytest.raises(LleError, match="near copy"):
            fetch(REGISTRY, url, **options)
        server.offer("a.zip", pack(FILES), etag='"v2"')
        folder = fetch(REGISTRY, url, **options)
        assert state_of(folder, REGISTRY) == State.PUBLISHED
