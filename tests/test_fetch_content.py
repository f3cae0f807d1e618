"""What is in the archive: hostile archives do no harm, near copies are named for what they are."""

import io
import stat
import struct
import zipfile
import zlib

import numpy as np
import pytest
from miniature import make_files, make_pictures, make_registry, pack, png
from PIL import Image
from server import Server

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch.verify import Kind, State, note_of, state_of, verify_folder

PICTURES = make_pictures()
FILES = make_files(PICTURES)
REGISTRY = make_registry(FILES, PICTURES)
LOW = "our485/low/2.png"
HIGH = [name for name in FILES if name.startswith("our485/high")]


def take(tmp_path, archive, allow_modified=False):
    """Fetch from an archive on disk into ``tmp_path/data``; return the data set's folder."""
    path = tmp_path / "archive.zip"
    path.write_bytes(archive)
    return fetch.obtain(REGISTRY, path, tmp_path / "data", allow_modified, progress=False)


def refusal(tmp_path, archive, allow_modified=False):
    """Return the message of an archive that must be refused without leaving anything behind."""
    with pytest.raises(LleError) as caught:
        take(tmp_path, archive, allow_modified)
    here = {path.name for path in tmp_path.rglob("*")}
    assert here <= {"archive.zip", "data", ".fetch", "mini.lock"}, here
    return str(caught.value)


def entry(name, mode=0o644, kind=stat.S_IFREG):
    """Return a zip entry as a Unix zip program writes it."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


# --- wrong and hostile archives ------------------------------------------------------------------

CUT = pack(FILES)[: len(pack(FILES)) // 2]
BROKEN = pack(FILES).replace(FILES[LOW][100:150], bytes(50))


@pytest.mark.parametrize(
    "body, words",
    [
        (bytes(range(256)) * 40, "begins with b'\\x00\\x01\\x02"),
        (CUT, "damaged or cut short"),
        (b"Rar!\x1a\x07\x00" + bytes(500), "begins with b'Rar!"),
        (b"\x1f\x8b\x08" + bytes(500), "no zip archive but a file that begins with b'\\x1f\\x8b"),
        (b'{"error": "rate limit"}', "rate limit"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git-lfs"),
        (b"", "damaged or cut short"),
        (pack({}), "it holds no file"),
        (pack({"cat.jpg": b"x"}), f"lists {LOW} and so on: it holds lol_dataset/cat.jpg"),
        (pack({"our485/low/2.jpg": b"x"}), "it holds lol_dataset/our485/low/2.jpg"),
        (pack({"lol_dataset.zip": CUT}), "it holds lol_dataset/lol_dataset.zip"),
        (BROKEN, f"{LOW} cannot be unpacked (Bad CRC-32"),
    ],
)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_wrong_files_are_named(tmp_path, body, words, allow_modified):
    assert words in refusal(tmp_path, body, allow_modified)


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../evil.txt"),
        entry("lol_dataset/our485/../../../evil.txt"),
        entry("/tmp/evil.txt"),
        entry("C:\\evil.txt"),
        entry("..\\evil.txt"),
        entry("lol_dataset/our485/low/.."),
        entry("lol_dataset/our485/low", 0o777, stat.S_IFLNK),
        entry("pipe", kind=stat.S_IFIFO),
        "__MACOSX/lol_dataset/our485/low/2.png",
        "our485/low/._2.png",
        "our485/low/Thumbs.db",
    ],
)
def test_only_names_of_the_registry_are_written(tmp_path, hostile):
    folder = take(tmp_path, pack({hostile: b"evil"} | FILES))
    assert verify_folder(folder, REGISTRY).ok
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    expected = {f"data/mini/{name}" for name in [*FILES, "verified.json"]}
    assert written == expected | {"archive.zip", "data/.fetch", "data/.fetch/mini.lock"}


def test_a_link_under_a_picture_is_not_followed(tmp_path):
    link = entry(f"lol_dataset/{LOW}", 0o777, stat.S_IFLNK)
    others = {name: data for name, data in FILES.items() if name != LOW}
    message = refusal(tmp_path, pack({link: b"../../../../archive.zip"} | others), True)
    assert f"1 x not a sound RGB picture in a PNG or JPEG file: {LOW}" in message


def test_bombs(tmp_path):
    bomb = pack(FILES | {LOW: bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert f"{LOW} is larger than any picture" in refusal(tmp_path, bomb, True)
    size = struct.pack("<I", 5_000_000)
    liar = bomb.replace(size, struct.pack("<I", 1000))
    assert f"{LOW} cannot be unpacked" in refusal(tmp_path, liar, True)


def test_entry_listed_twice(tmp_path):
    file = io.BytesIO()
    with pytest.warns(UserWarning), zipfile.ZipFile(file, "w") as writer:
        for name, data in [*FILES.items(), (LOW, b"other")]:
            writer.writestr(name, data)
    assert "1 x not a sound RGB picture" in refusal(tmp_path, file.getvalue(), True)


def test_locked_with_a_password(tmp_path):
    archive = bytearray(pack(FILES))
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = archive.find(start)
        while place >= 0:
            archive[place + offset] |= 1
            place = archive.find(start, place + 4)
    assert "password required" in refusal(tmp_path, bytes(archive))


def test_garbled_directory(tmp_path):
    archive = bytearray(pack(FILES))
    place = archive.find(b"PK\x01\x02")
    archive[place : place + 40] = bytes(40)
    assert "the zip archive is damaged" in refusal(tmp_path, bytes(archive))


@pytest.mark.parametrize("top", ["", "a/b/LOLdataset (1)/", "LOL\\"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_data_set_is_found_at_any_depth(tmp_path, top, compression):
    named = {
        (top + n if "\\" not in top else top + n.replace("/", "\\")): d for n, d in FILES.items()
    }
    folder = take(tmp_path, pack({entry(n): d for n, d in named.items()}, "", compression))
    assert verify_folder(folder, REGISTRY).ok


# --- near copies ---------------------------------------------------------------------------------


def jpeg(pixels):
    """Return an array as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def changed(change, names=FILES):
    """Return the files with some of them changed; ``change`` turns an array into bytes."""
    return FILES | {name: change(PICTURES[name]) for name in names}


def shrunken(pixels):
    """Return a PNG of 18 x 8 pixels."""
    return png(np.asarray(Image.fromarray(pixels).resize((18, 8), Image.Resampling.BOX)))


def brighter(pixels):
    """Return a PNG with slightly other pixels."""
    return png(np.minimum(pixels, 254) + np.uint8(1))


def saved_again(pixels):
    """Return a PNG with the same pixels in other bytes."""
    return png(pixels, compress_level=1)


def without(*names):
    """Return the files without some."""
    return {name: data for name, data in FILES.items() if name not in names}


NEAR = {
    "one re-encoded": (changed(brighter, ["our485/high/5.png"]), "1 x other pixels"),
    "JPEG under the name of PNG": (changed(jpeg), "16 x other pixels"),
    "saved again, but nobody can tell": (changed(saved_again, HIGH), "6 x other pixels"),
    "resized": (changed(shrunken), "16 x another size"),
    "missing pair": (without("our485/low/5.png", "our485/high/5.png"), "2 x missing"),
    "missing half of a pair": (without("eval15/high/4.png"), "missing: eval15/"),
}


@pytest.mark.parametrize("case", NEAR)
def test_near_copies_are_refused_unless_allowed(tmp_path, case):
    files, words = NEAR[case]
    message = refusal(tmp_path, pack(files))
    assert "a near copy of Mini" in message and words in message and "--allow-modified" in message
    folder = take(tmp_path, pack(files), allow_modified=True)
    assert state_of(folder, REGISTRY) == State.MODIFIED
    assert words in note_of(folder, REGISTRY)
    report = verify_folder(folder, REGISTRY)
    assert not report.ok and not report.halves and "near copy" in report.verdict()
    assert take(tmp_path, pack(files), allow_modified=True) == folder
    assert not list(folder.parent.glob("mini-before-*"))


def swapped(one, other):
    """Return the files with two names swapped."""
    return FILES | {one: FILES[other], other: FILES[one]}


def chunk(kind, content):
    """Return a chunk of a PNG file."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


WHOLE = saved_again(PICTURES[LOW])
NEVER = {
    "swapped names": (swapped(LOW, "our485/low/5.png"), "2 x another published picture under"),
    "swapped low and high": (swapped("eval15/low/1.png", "eval15/high/1.png"), "2 x another"),
    "swapped and saved again": (
        FILES | {LOW: saved_again(PICTURES["our485/low/5.png"])},
        "1 x another published picture under this name",
    ),
    "broken picture": (FILES | {LOW: FILES[LOW][:90]}, "1 x not a sound RGB picture"),
    "no picture": (FILES | {LOW: b"hello"}, "1 x not a sound RGB picture"),
    "gray picture": (FILES | {LOW: png(PICTURES[LOW][..., 0])}, "1 x not a sound RGB picture"),
    "padded": (FILES | {LOW: WHOLE + bytes(1000)}, "1 x not a sound RGB picture"),
    "padded with an end": (FILES | {LOW: WHOLE + WHOLE[-12:]}, "1 x not a sound RGB picture"),
    "damaged end": (FILES | {LOW: WHOLE[:-1] + b"x"}, "1 x not a sound RGB picture"),
    "damaged checksum": (
        FILES | {LOW: WHOLE[:33] + chunk(b"tEXt", b"a\0b")[:-1] + b"x" + WHOLE[33:]},
        "1 x not a sound RGB picture",
    ),
    "one resized": (changed(shrunken, [LOW]), "1 x another size"),
    "no test split": (without(*(n for n in FILES if "eval15" in n)), "no whole pair in eval15"),
}


@pytest.mark.parametrize("case", NEVER)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_broken_sets_are_refused_in_any_case(tmp_path, case, allow_modified):
    files, words = NEVER[case]
    message = refusal(tmp_path, pack(files), allow_modified)
    assert words in message and "do not match the registry" in message
    assert "--allow-modified" not in message


# --- verification --------------------------------------------------------------------------------


def test_same_pixels_in_other_bytes_are_the_data_set(tmp_path):
    low = [name for name in FILES if name not in HIGH]
    folder = take(tmp_path, pack(changed(saved_again, low)))
    report = verify_folder(folder, REGISTRY)
    assert report.ok and state_of(folder, REGISTRY) == State.PUBLISHED
    assert report.counts == {Kind.PUBLISHED: 6, Kind.SAME_PIXELS: 10}
    assert "10 x the published pixels in other bytes" in report.summary()


def test_extra_and_huge_pictures(tmp_path):
    folder = take(tmp_path, pack(FILES))
    (folder / "our485/low/3.png").write_bytes(b"")
    with (folder / LOW).open("ab") as file:
        file.truncate(2_000_000_000)
    report = verify_folder(folder, REGISTRY)
    assert report.counts == {Kind.PUBLISHED: 15, Kind.DAMAGED: 1, Kind.EXTRA: 1}
    assert "1 x never published: our485/low/3.png" in report.summary()


def test_exchanged_splits_are_called_what_they_are(tmp_path):
    exchanged = {"our485": "eval15", "eval15": "our485"}
    files = {exchanged[name[:6]] + name[6:]: data for name, data in FILES.items()}
    # The miniature's splits share no name, and neither do LOL's.
    message = refusal(tmp_path, pack(files))
    assert "its files do not match the registry" in message and "eval15/" in message
    for name, data in files.items():
        (tmp_path / "lol" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lol" / name).write_bytes(data)
    report = verify_folder(tmp_path / "lol", REGISTRY)
    assert report.counts == {Kind.MISPLACED: 16, Kind.MISSING: 16}
    assert "The files do not match the registry of Mini" in report.verdict()


def test_a_change_after_verification_is_noticed(tmp_path):
    folder = take(tmp_path, pack(FILES))
    assert note_of(folder, REGISTRY) is None
    (folder / LOW).unlink()
    assert state_of(folder, REGISTRY) == State.UNVERIFIED
    assert "never verified, or changed since" in note_of(folder, REGISTRY)


def test_a_near_copy_is_kept_for_allow_modified_and_else_downloaded_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    near = pack(changed(brighter, HIGH))
    with Server() as server:
        registry = make_registry(FILES, PICTURES, [server.offer("a.zip", near)])
        for downloads in (1, 2):
            with pytest.raises(LleError, match="near copy"):
                fetch.obtain(registry, None, tmp_path, progress=False)
            assert server.sent == downloads * len(near)
        folder = fetch.obtain(registry, None, tmp_path, allow_modified=True, progress=False)
        assert server.sent == 2 * len(near) and state_of(folder, registry) == State.MODIFIED

        server.offer("a.zip", b"", statuses=[404])
        with pytest.raises(LleError, match="404"):
            fetch.obtain(registry, None, tmp_path, progress=False)
        assert state_of(folder, registry) == State.MODIFIED
        server.offer("a.zip", pack(FILES))
        fetch.obtain(registry, None, tmp_path, progress=False)
        assert state_of(folder, registry) == State.PUBLISHED
