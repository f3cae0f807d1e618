"""What is in the archive: hostile archives do no harm, near copies are named for what they are."""

import stat
import struct
import zipfile

import pytest
from miniature import ARCHIVE, FILES, PICTURES, encode, pack, put

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch.verify import Kind

LOW = "our485/low/2.png"

pytestmark = pytest.mark.usefixtures("miniature_lol")


def take(tmp_path, archive=ARCHIVE, allow_modified=False):
    """Fetch from an archive on disk into ``tmp_path/data``; return the data set's folder."""
    path = tmp_path / "archive.zip"
    path.write_bytes(archive)
    return fetch.fetch_lol(path, allow_modified=allow_modified)


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


def changed(change):
    """Return all files, changed by a function that turns an array into bytes."""
    return {name: change(pixels) for name, pixels in PICTURES.items()}


def without(part):
    """Return the files without those whose names hold this."""
    return {name: data for name, data in FILES.items() if part not in name}


DIRECTORY = ARCHIVE.index(b"PK\x01\x02")
LOCKED = ARCHIVE  # its entries say that they are locked with a password
for start in (b"PK\x03\x04\x14\0", b"PK\x01\x02\x14\x03\x14\0"):
    LOCKED = LOCKED.replace(start + b"\0", start + b"\1")
LINK = entry(f"lol_dataset/{LOW}", 0o777, stat.S_IFLNK)
BOMB = pack(FILES | {LOW: bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
SWAPPED = {LOW: FILES["our485/low/5.png"], "our485/low/5.png": FILES[LOW]}
EXCHANGED = {"our485": "eval15", "eval15": "our485"}  # the splits share no name, nor do LOL's
UNUSABLE = f"1 x not a readable RGB picture of the right size: {LOW}"
REFUSED = {
    "half": (ARCHIVE[: len(ARCHIVE) // 2], "File is not a zip file"),
    "empty file": (b"", "File is not a zip file"),
    "empty archive": (pack({}), f"16 x missing: {LOW}, ..."),
    "archive in an archive": (pack({"lol_dataset.zip": ARCHIVE}), "16 x missing"),
    "bad checksum": (ARCHIVE.replace(FILES[LOW][100:150], bytes(50)), "unpacked (Bad CRC-32"),
    "bad directory": (ARCHIVE[:DIRECTORY] + bytes(40) + ARCHIVE[DIRECTORY + 40 :], "unpacked"),
    "up and out": (ARCHIVE.replace(b"\0lol_dataset/our485", b"\0lol_dataset/../../"), "missing"),
    "password": (LOCKED, "password required"),
    "link": (pack({LINK: b"../../../../archive.zip"} | without(LOW)), UNUSABLE),
    "bomb": (BOMB, f"{LOW} is larger than any picture"),
    "bomb that lies": (
        BOMB.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1000)),
        "cannot be unpacked",
    ),
    "missing pair": (pack(without("/5.png")), "2 x missing"),
    "no test split": (pack(without("eval15")), "4 x missing: eval15/low"),
    "swapped names": (pack(FILES | SWAPPED), "2 x a different published picture under"),
    "exchanged splits": (
        pack({EXCHANGED[name[:6]] + name[6:]: data for name, data in FILES.items()}),
        "16 x missing",
    ),
    "broken picture": (pack(FILES | {LOW: FILES[LOW][:90]}), UNUSABLE),
    "gray picture": (pack(FILES | {LOW: encode(PICTURES[LOW][..., 0])}), UNUSABLE),
    "resized": (pack(changed(lambda pixels: encode(pixels[::2, ::2]))), "16 x not a readable RGB"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("allow_modified", [False, True])
def test_wrong_and_hostile_archives_are_refused_in_any_case(tmp_path, case, allow_modified):
    archive, words = REFUSED[case]
    message = refusal(tmp_path, archive, allow_modified)
    assert words in message and "--allow-modified" not in message


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../evil.txt"),
        entry("/tmp/evil.txt"),
        entry("..\\evil.txt"),
        entry("lol_dataset/our485/low/.."),
        entry("lol_dataset/our485/low", 0o777, stat.S_IFLNK),
        entry("pipe", kind=stat.S_IFIFO),
        entry("__MACOSX/lol_dataset/our485/low/2.png"),
        entry("our485/low/._2.png"),
    ],
)
def test_only_names_of_the_registry_are_written(tmp_path, hostile):
    folder = take(tmp_path, pack({hostile: b"evil"} | FILES))
    assert fetch.verify_lol(folder).state == "published"
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    expected = {f"data/lol/{name}" for name in [*FILES, "verified.txt"]}
    assert written == expected | {"archive.zip", "data/.fetch.lock"}


@pytest.mark.parametrize("top", ["", "a/b/LOLdataset (1)/", "LOL\\"])
def test_the_data_set_is_found_at_any_depth(tmp_path, top):
    slash = "\\" if "\\" in top else "/"
    named = {entry(top + name.replace("/", slash)): data for name, data in FILES.items()}
    take(tmp_path, pack(named, "", zipfile.ZIP_DEFLATED))
    assert fetch.lol_state() == "published"


SAVED_AGAIN = pack(changed(lambda pixels: encode(pixels, compress_level=1)))
NEAR = {
    "edited": (pack(FILES | {LOW: encode(255 - PICTURES[LOW])}), 1),
    "JPEG under the name of PNG": (pack(changed(lambda pixels: encode(pixels, "JPEG"))), 16),
    "saved again": (SAVED_AGAIN, 16),
    "padded": (pack(FILES | {LOW: FILES[LOW] + bytes(1000)}), 1),
}


@pytest.mark.parametrize("case", NEAR)
def test_near_copies_are_refused_unless_allowed(tmp_path, case):
    archive, count = NEAR[case]
    message = refusal(tmp_path, archive)
    assert f"{count} x a different picture of the right size" in message
    assert "a near copy of LOL" in message and "--allow-modified" in message
    folder = take(tmp_path, archive, allow_modified=True)
    assert fetch.lol_state() == fetch.verify_lol().state == "modified"
    assert take(tmp_path, archive, allow_modified=True) == folder
    assert not list(folder.parent.glob("lol-before-*"))


def test_a_near_copy_is_replaced_by_the_published_files_only_and_kept(tmp_path):
    folder = take(tmp_path, SAVED_AGAIN, allow_modified=True)
    with pytest.raises(LleError, match="not a zip file"):
        take(tmp_path, b"")
    assert fetch.lol_state() == "modified"
    take(tmp_path)
    assert fetch.lol_state() == "published"
    (aside,) = folder.parent.glob("lol-before-*")
    assert fetch.lol_state(aside) == "modified"


def test_extra_huge_and_misplaced_pictures(tmp_path):
    folder = take(tmp_path)
    put(folder, {"our485/low/3.png": b"", "our485/low/._2.png": b"", "our485/low/Thumbs.db": b""})
    report = fetch.verify_lol()
    assert report.files == {Kind.PUBLISHED: list(FILES), Kind.EXTRA: ["our485/low/3.png"]}
    assert report.state == "published"
    (folder / "our485/low/5.png").write_bytes(FILES["eval15/low/1.png"])
    with (folder / LOW).open("ab") as file:
        file.truncate(20_000_000)
    report = fetch.verify_lol()
    assert report.files[Kind.MODIFIED] == [LOW]
    assert report.files[Kind.MISPLACED] == ["our485/low/5.png"]
    assert "1 x never published, so not used: our485/low/3.png" in report.summary()


def test_exchanged_splits_are_told_from_foreign_pictures(tmp_path):
    folder = take(tmp_path)
    for old, new in (("our485", "x"), ("eval15", "our485"), ("x", "eval15")):
        (folder / old).rename(folder / new)
    files = fetch.verify_lol().files
    assert files.keys() == {Kind.MISSING, Kind.MISPLACED} and len(files[Kind.MISPLACED]) == 16


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (LOW, lambda old: None),
        (LOW, lambda old: old[:-1] + b"x"),
        ("our485/low/3.png", lambda old: b""),
        ("verified.txt", lambda old: b""),
        ("verified.txt", lambda old: b"\xff\xfe" * 100),
        ("verified.txt", lambda old: old.replace(b"published", b"absent")),
        ("verified.txt", lambda old: old + b"three words"),
        ("verified.txt", lambda old: old[:40]),
    ],
)
def test_a_change_after_verification_is_noticed(tmp_path, name, change):
    path = take(tmp_path) / name
    content = change(path.read_bytes() if path.exists() else b"")
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
    assert fetch.lol_state() == "unverified"
    assert fetch.verify_lol().state == fetch.lol_state()


def test_a_record_that_cannot_be_written_only_costs_time(tmp_path):
    path = take(tmp_path) / "verified.txt"
    path.unlink()
    path.mkdir()  # in the way
    assert fetch.verify_lol().state == "published" and fetch.lol_state() == "unverified"
