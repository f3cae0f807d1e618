"""EXIF and XMP: find the orientation, and make both fit a picture that was turned upright.

EXIF is a small TIFF file. It is changed in place: a camera's maker note holds offsets, so nothing
in it may move.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

PREFIX = b"Exif\0\0"
UPRIGHT = 1

ORIENTATION, EXIF_FOLDER, WIDTH, HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*(\d+)")

# What describes a TIFF picture, and not how its pixels are stored.
_DESCRIPTIVE = {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, 34665, 34853}
_DESCRIPTIVE |= {18246, 18249, 40091, 40092, 40093, 40094, 40095}


class _Entry(NamedTuple):
    tag: int
    kind: int
    count: int
    value: int
    place: int  # where the value, or the offset to it, is stored


class _Block:
    """The entries of an EXIF block, which can be changed in place."""

    def __init__(self, block: bytes):
        self.bytes = bytearray(block)
        self.order = {b"II*\0": "<", b"MM\0*": ">"}[block[:4]]
        self.main = self.number("L", 4)

    def number(self, code: str, place: int) -> int:
        return struct.unpack_from(self.order + code, self.bytes, place)[0]

    def entries(self, folder: int) -> Iterator[_Entry]:
        for place in range(folder + 2, folder + 2 + 12 * self.number("H", folder), 12):
            tag, kind, count = struct.unpack_from(self.order + "HHL", self.bytes, place)
            value = self.number({1: "B", 3: "H"}.get(kind, "L"), place + 8)
            yield _Entry(tag, kind, count, value, place + 8)

    def find(self, folder: int, tag: int) -> _Entry | None:
        return next((entry for entry in self.entries(folder) if entry.tag == tag), None)

    def put(self, entry: _Entry | None, value: int) -> None:
        if entry is not None:
            code = {1: "B", 3: "H"}.get(entry.kind, "L")
            struct.pack_into(self.order + code, self.bytes, entry.place, value)

    def drop_thumbnail(self) -> None:
        """Unlink the second folder, which is the thumbnail's, and erase the thumbnail itself."""
        place = self.main + 2 + 12 * self.number("H", self.main)
        folder = self.number("L", place)
        if not folder:
            return
        struct.pack_into(self.order + "L", self.bytes, place, 0)
        start = self.find(folder, _THUMBNAIL_START)
        length = self.find(folder, _THUMBNAIL_LENGTH)
        if start and length:
            end = start.value + length.value
            if end >= len(self.bytes):
                del self.bytes[start.value :]
            else:
                self.bytes[start.value : end] = bytes(length.value)


def without_prefix(exif: bytes | None) -> bytes | None:
    """Return an EXIF block as a TIFF file, without the mark that JPEG puts before it."""
    exif = exif.removeprefix(PREFIX) if exif else None
    return exif if exif and exif[:2] in (b"II", b"MM") else None


def find_orientation(exif: bytes | None, xmp: bytes | None) -> int:
    """Return how the camera was held, 1 to 8: EXIF's word if it has one, else XMP's."""
    found = None
    if exif:
        block = _Block(exif)
        entry = block.find(block.main, ORIENTATION)
        found = entry.value if entry else None
    if found is None and xmp and (match := _XMP_ORIENTATION.search(xmp)):
        found = int(match.group(2))
    return found if found in range(1, 9) else UPRIGHT


def make_upright(exif: bytes, orientation: int) -> bytes:
    """Return EXIF for the picture after it was turned: orientation 1, no thumbnail.

    Raises
    ------
    KeyError, struct.error
        If the block is damaged.
    """
    block = _Block(exif)
    block.put(block.find(block.main, ORIENTATION), UPRIGHT)
    folder = block.find(block.main, EXIF_FOLDER)
    if folder and orientation >= 5:  # lying on its side: width and height change places
        width = block.find(folder.value, WIDTH)
        height = block.find(folder.value, HEIGHT)
        if width and height:
            block.put(width, height.value)
            block.put(height, width.value)
    block.drop_thumbnail()
    return bytes(block.bytes)


def make_xmp_upright(xmp: bytes) -> bytes:
    """Return XMP that says that the picture is upright."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def exif_of_tiff(content: bytes) -> bytes | None:
    """Collect what a TIFF file says about its picture into an EXIF block."""
    exif = Image.Exif()
    exif.load(content)
    for tag in list(exif):
        made_up = tag == 270 and str(exif[tag]).startswith('{"shape"')  # tifffile's own note
        if tag not in _DESCRIPTIVE or made_up:
            del exif[tag]
    return exif.tobytes().removeprefix(PREFIX) if len(exif) else None


def tags_of_exif(exif: bytes) -> dict:
    """Return the entries of an EXIF block for a TIFF file; its folders are dictionaries."""
    block = Image.Exif()
    block.load(PREFIX + exif)
    tags = {tag: block[tag] for tag in list(block) if tag in _DESCRIPTIVE}
    for folder in (34665, 34853):
        if folder in tags:
            tags[folder] = dict(block.get_ifd(folder))
    return tags
