"""What is in the archive: hostile archives do no harm, near copies are named for what they are."""

import io
import stat
import struct
import zipfile

import pytest
from miniature import make_files, make_pictures, make_registry, pack, png, put
from PIL import Image
from server import Server

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch import verify
from lle_utils.fetch.verify import Kind

PICTURES = make_pictures()
FILES = make_files(PICTURES)
LOW = "our485/low/2.png"


@pytest.fixture(autouse=True)
def miniature(tmp_path, monkeypatch):
    """Let the miniature be LOL."""
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(verify, "LOL", make_registry(FILES))


def take(tmp_path, archive, allow_modified=False):
    """Fetch from an archive on disk into ``tmp_path/data``; return the data set's folder."""
    path = tmp_path / "archive.zip"
    path.write_bytes(archive)
    return fetch.fetch_lol(path, allow_modified=allow_modified, progress=False)


def refusal(tmp_path, archive, allow_modified=False):
    """Return the message of an archive that must be refused without leaving anything behind."""
    with pytest.raises(LleError) as caught:
        take(tmp_path, archive, allow_modified)
    here = {path.name for path in tmp_path.rglob("*")}
    assert here <= {"archive.zip", "data", ".fetch", ".fetch.lock"}, here
    return str(caught.value)


def entry(name, mode=0o644, kind=stat.S_IFREG):
    """Return a zip entry as a Unix zip program writes it."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


# --- wrong and hostile archives ------------------------------------------------------------------

WHOLE = pack(FILES)
DIRECTORY = WHOLE.index(b"PK\x01\x02")
TWICE = io.BytesIO()
with pytest.warns(UserWarning), zipfile.ZipFile(TWICE, "w") as writer:
    for name, content in [*FILES.items(), (LOW, b"other")]:
        writer.writestr(name, content)
LINK = entry(f"lol_dataset/{LOW}", 0o777, stat.S_IFLNK)
OTHERS = {name: FILES[name] for name in FILES if name != LOW}
BOMB = pack(FILES | {LOW: bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    "body, words",
    [
        (WHOLE[: len(WHOLE) // 2], "File is not a zip file"),
        (b"Rar!\x1a\x07\x00" + bytes(500), "File is not a zip file"),
        (b"", "File is not a zip file"),
        (pack({}), f"16 x missing: {LOW}, ..."),
        (pack({"cat.jpg": b"x"}), "16 x missing"),
        (pack({"our485/low/2.jpg": b"x"}), "do not match the registry of LOL"),
        (pack({"lol_dataset.zip": WHOLE}), "16 x missing"),
        (WHOLE.replace(FILES[LOW][100:150], bytes(50)), "cannot be unpacked (Bad CRC-32"),
        (WHOLE[:DIRECTORY] + bytes(40) + WHOLE[DIRECTORY + 40 :], "cannot be unpacked"),
        (WHOLE.replace(b"\0lol_dataset/our485", b"\0lol_dataset/../../"), "missing"),
        (TWICE.getvalue(), f"1 x not a readable RGB picture of the right size: {LOW}"),
        (pack({LINK: b"../../../../archive.zip"} | OTHERS), "1 x not a readable RGB picture"),
        (BOMB, f"{LOW} is larger than any picture"),
        (BOMB.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1000)), "cannot be unpacked"),
    ],
)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_wrong_and_hostile_archives(tmp_path, body, words, allow_modified):
    assert words in refusal(tmp_path, body, allow_modified)


def test_locked_with_a_password(tmp_path):
    archive = bytearray(WHOLE)
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = archive.find(start)
        while place >= 0:
            archive[place + offset] |= 1
            place = archive.find(start, place + 4)
    assert "password required" in refusal(tmp_path, bytes(archive))


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
        entry("__MACOSX/lol_dataset/our485/low/2.png"),
        entry("our485/low/._2.png"),
        entry("our485/low/Thumbs.db"),
    ],
)
def test_only_names_of_the_registry_are_written(tmp_path, hostile):
    folder = take(tmp_path, pack({hostile: b"evil"} | FILES))
    assert fetch.verify_lol(folder).ok
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    expected = {f"data/lol/{name}" for name in [*FILES, "verified.txt"]}
    assert written == expected | {"archive.zip", "data/.fetch.lock"}


@pytest.mark.parametrize("top", ["", "a/b/LOLdataset (1)/", "LOL\\"])
def test_the_data_set_is_found_at_any_depth(tmp_path, top):
    slash = "\\" if "\\" in top else "/"
    named = {entry(top + name.replace("/", slash)): data for name, data in FILES.items()}
    assert fetch.verify_lol(take(tmp_path, pack(named, "", zipfile.ZIP_DEFLATED))).ok


# --- near copies ---------------------------------------------------------------------------------


def jpeg(pixels):
    """Return an array as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def changed(change, names=FILES):
    """Return the files with some of them changed; ``change`` turns an array into bytes."""
    return FILES | {name: change(PICTURES[name]) for name in names}


def without(*names):
    """Return the files without some."""
    return {name: data for name, data in FILES.items() if name not in names}


HIGH = [name for name in FILES if name.startswith("our485/high")]
SAVED_AGAIN = changed(lambda pixels: png(pixels, compress_level=1), HIGH)
NEAR = {
    "one edited": (changed(lambda pixels: png(255 - pixels), ["our485/high/5.png"]), 1),
    "JPEG under the name of PNG": (changed(jpeg), 16),
    "saved again": (SAVED_AGAIN, 6),
    "padded": (FILES | {LOW: FILES[LOW] + bytes(1000)}, 1),
    "damaged end": (FILES | {LOW: FILES[LOW][:-1] + b"x"}, 1),
}


@pytest.mark.parametrize("case", NEAR)
def test_near_copies_are_refused_unless_allowed(tmp_path, case):
    files, count = NEAR[case]
    message = refusal(tmp_path, pack(files))
    assert f"{count} x a different picture of the right size" in message
    assert "a near copy of LOL" in message and "--allow-modified" in message
    folder = take(tmp_path, pack(files), allow_modified=True)
    assert fetch.lol_state() == "modified" and "a modified copy" in fetch.lol_note()
    report = fetch.verify_lol()
    assert not report.ok and "near copy" in report.verdict()
    assert take(tmp_path, pack(files), allow_modified=True) == folder
    assert not list(folder.parent.glob("lol-before-*"))


EXCHANGED = {"our485": "eval15", "eval15": "our485"}
NEVER = {
    "missing pair": (without("our485/low/5.png", "our485/high/5.png"), "2 x missing"),
    "no test split": (without(*(n for n in FILES if "eval15" in n)), "4 x missing: eval15/low"),
    "swapped names": (
        FILES | {LOW: FILES["our485/low/5.png"], "our485/low/5.png": FILES[LOW]},
        "2 x a different published picture under",
    ),
    # The miniature's splits share no name, and neither do LOL's.
    "exchanged splits": (
        {EXCHANGED[name[:6]] + name[6:]: data for name, data in FILES.items()},
        "16 x missing",
    ),
    "broken picture": (FILES | {LOW: FILES[LOW][:90]}, "1 x not a readable RGB picture"),
    "no picture": (FILES | {LOW: b"hello"}, "1 x not a readable RGB picture"),
    "gray picture": (FILES | {LOW: png(PICTURES[LOW][..., 0])}, "1 x not a readable RGB picture"),
    "resized": (
        changed(lambda pixels: png(pixels[::2, ::2])),
        "16 x not a readable RGB picture of the right size",
    ),
}


@pytest.mark.parametrize("case", NEVER)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_broken_sets_are_refused_in_any_case(tmp_path, case, allow_modified):
    files, words = NEVER[case]
    message = refusal(tmp_path, pack(files), allow_modified)
    assert words in message and "do not match the registry of LOL" in message
    assert "--allow-modified" not in message


def test_a_near_copy_is_replaced_by_the_published_files_and_kept(tmp_path):
    with Server() as server:
        verify.LOL = make_registry(FILES, [server.offer("a.zip", pack(SAVED_AGAIN))])
        with pytest.raises(LleError, match="near copy"):
            fetch.fetch_lol(progress=False)
        assert list((tmp_path / "data/.fetch").iterdir()) == []
        folder = fetch.fetch_lol(allow_modified=True, progress=False)
        assert fetch.lol_state() == "modified"
        server.offer("a.zip", b"", statuses=[404])
        with pytest.raises(LleError, match="404"):
            fetch.fetch_lol(progress=False)
        assert fetch.lol_state() == "modified"
        server.offer("a.zip", pack(FILES))
        fetch.fetch_lol(progress=False)
    assert fetch.lol_state() == "published"
    (aside,) = folder.parent.glob("lol-before-*")
    assert fetch.lol_state(aside) == "modified"


# --- verification --------------------------------------------------------------------------------


def test_extra_huge_and_misplaced_pictures(tmp_path):
    folder = take(tmp_path, pack(FILES))
    put(folder, {"our485/low/3.png": b"", "our485/low/._2.png": b"", "our485/low/Thumbs.db": b""})
    assert fetch.verify_lol().counts == {Kind.PUBLISHED: 16, Kind.EXTRA: 1}
    (folder / "our485/low/5.png").write_bytes(FILES["eval15/low/1.png"])
    with (folder / LOW).open("ab") as file:
        file.truncate(20_000_000)
    report = fetch.verify_lol()
    one_each = dict.fromkeys([Kind.MODIFIED, Kind.MISPLACED, Kind.EXTRA], 1)
    assert report.counts == {Kind.PUBLISHED: 14} | one_each
    assert "1 x never published: our485/low/3.png" in report.summary()


def test_exchanged_splits_are_told_from_foreign_pictures(tmp_path):
    folder = take(tmp_path, pack(FILES))
    for old, new in (("our485", "x"), ("eval15", "our485"), ("x", "eval15")):
        (folder / old).rename(folder / new)
    assert fetch.verify_lol().counts == {Kind.MISSING: 16, Kind.MISPLACED: 16}


@pytest.mark.parametrize("change", ["removed", "rewritten", "added"])
def test_a_change_after_verification_is_noticed(tmp_path, change):
    folder = take(tmp_path, pack(FILES))
    assert fetch.lol_state() == "published" and fetch.lol_note() is None
    path = folder / LOW
    {
        "removed": path.unlink,
        "rewritten": lambda: path.write_bytes(FILES[LOW][:-1] + b"x"),
        "added": lambda: (folder / "our485/low/3.png").write_bytes(b""),
    }[change]()
    assert fetch.lol_state() == "unverified"
    assert "never verified, or changed since" in fetch.lol_note()


@pytest.mark.parametrize(
    "damage",
    [
        lambda known: b"",
        lambda known: b"\xff\xfe" * 100,
        lambda known: b"[" * 100_000,
        lambda known: known.replace(b"published", b"absent"),
        lambda known: known.replace(b" ", b"\r\n") + b"three words",
        lambda known: known[:40],
    ],
)
def test_a_damaged_record_counts_as_never_verified(tmp_path, damage):
    path = take(tmp_path, pack(FILES)) / "verified.txt"
    path.write_bytes(damage(path.read_bytes()))
    assert fetch.lol_state() == "unverified" and "never verified" in fetch.lol_note()
    assert fetch.verify_lol().ok and fetch.lol_state() == "published"
