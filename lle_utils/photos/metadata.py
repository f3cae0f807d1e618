"""EXIF and XMP: find the orientation, and make both fit a picture that was turned upright.

EXIF is a small TIFF file. It is changed in place: a camera's maker note holds offsets, so nothing
in it may move.
"""

import io
import re
import struct
from contextlib import suppress

from PIL import Image

PREFIX = b"Exif\0\0"
UPRIGHT = 1

ORIENTATION, EXIF_FOLDER, WIDTH, HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_INTEROP = 0xA005
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*(\d+)")
_DAMAGED = (KeyError, ValueError, IndexError, struct.error)

# What describes a TIFF picture, and not how its pixels are stored.
_DESCRIPTIVE = {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, 34665, 34853}
_DESCRIPTIVE |= {18246, 18249, 40091, 40092, 40093, 40094, 40095}


class _Block:
    """An EXIF block whose numbers can be changed in place."""

    def __init__(self, block: bytes):
        self.bytes = bytearray(block)
        self._order = {b"II*\0": "<", b"MM\0*": ">"}[block[:4]]
        self.main = self.get(4)

    def get(self, place: int, code: str = "L") -> int:
        return struct.unpack_from(self._order + code, self.bytes, place)[0]

    def put(self, value: int, place: int, code: str = "L") -> None:
        struct.pack_into(self._order + code, self.bytes, place, value)

    def end(self, folder: int) -> int:
        """Return where the entries of a folder end, which is where the next folder is named."""
        return folder + 2 + 12 * self.get(folder, "H")

    def find(self, folder: int, tag: int) -> tuple[int, str] | None:
        """Return where the number of an entry, or the offset to its value, is, and its type."""
        for place in range(folder + 2, self.end(folder), 12):
            if self.get(place, "H") == tag:
                return place + 8, {1: "B", 3: "H"}.get(self.get(place + 2, "H"), "L")
        return None

    def drop_thumbnail(self) -> None:
        """Unlink the second folder, which is the thumbnail's, and erase the thumbnail itself."""
        folder = self.get(self.end(self.main))
        if not folder:
            return
        self.put(0, self.end(self.main))
        start = self.find(folder, _THUMBNAIL_START)
        length = self.find(folder, _THUMBNAIL_LENGTH)
        if start and length:
            first, size = self.get(*start), self.get(*length)
            if first + size >= len(self.bytes):
                del self.bytes[first:]
            else:
                self.bytes[first : first + size] = bytes(size)


def without_prefix(exif: bytes | None) -> bytes | None:
    """Return an EXIF block as a TIFF file, without the mark that JPEG puts before it."""
    exif = exif.removeprefix(PREFIX) if exif else None
    return exif if exif and exif[:2] in (b"II", b"MM") else None


def find_orientation(exif: bytes | None, xmp: bytes | None) -> int:
    """Return how the camera was held, 1 to 8: EXIF's word if it has one, else XMP's."""
    found = None
    with suppress(*_DAMAGED):
        block = _Block(exif or b"")
        entry = block.find(block.main, ORIENTATION)
        found = entry and block.get(*entry)
    if found is None and xmp and (match := _XMP_ORIENTATION.search(xmp)):
        found = int(match.group(2))
    return found if found in range(1, 9) else UPRIGHT


def make_upright(exif: bytes, orientation: int) -> bytes | None:
    """Return EXIF for the picture after it was turned: orientation 1, no thumbnail.

    None if the block is damaged.
    """
    try:
        block = _Block(exif)
        entry = block.find(block.main, ORIENTATION)
        if entry:
            block.put(UPRIGHT, *entry)
        folder = block.find(block.main, EXIF_FOLDER)
        if folder and orientation >= 5:  # lying on its side: width and height change places
            sides = [block.find(block.get(*folder), tag) for tag in (WIDTH, HEIGHT)]
            if all(sides):
                width, height = (block.get(*side) for side in sides)
                block.put(height, *sides[0])
                block.put(width, *sides[1])
        block.drop_thumbnail()
    except _DAMAGED:
        return None
    return bytes(block.bytes)


def make_xmp_upright(xmp: bytes) -> bytes:
    """Return XMP that says that the picture is upright."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


class _Text(str):
    """Text as Pillow reads it, a byte a character, to be written as it was read: not as ASCII."""

    def encode(self, *_):
        return super().encode("latin-1")


def exif_of_tiff(content: bytes) -> bytes | None:
    """Collect what a TIFF file says about its picture into an EXIF block."""
    exif, block = Image.Exif(), Image.Exif()
    if content[2:4] == b"+\0":  # a BigTIFF
        exif.bigtiff, exif.endian = True, "<"
        exif.load_from_fp(io.BytesIO(content), *struct.unpack_from("<Q", content, 8))
    else:
        exif.load(content)
    tags = _descriptive_tags(exif)
    if str(tags.get(270)).startswith('{"shape"'):  # tifffile's own note
        del tags[270]
    block.endian = exif.endian
    block.update(tags)
    return block.tobytes().removeprefix(PREFIX) if tags else None


def tags_of_exif(exif: bytes) -> dict:
    """Return the entries of an EXIF block for a TIFF file; its folders are dictionaries."""
    return _descriptive_tags(_load(exif))


def exif_for_avif(exif: bytes) -> Image.Exif:
    """Return an EXIF block for an AVIF file, for which Pillow writes it anew."""
    block = _load(exif)
    block.update(_descriptive_tags(block))
    return block


def _load(exif: bytes) -> Image.Exif:
    block = Image.Exif()
    block.load(PREFIX + exif)
    return block


def _descriptive_tags(exif: Image.Exif) -> dict:
    tags = {tag: exif[tag] for tag in list(exif) if tag in _DESCRIPTIVE}
    for folder in (34665, 34853):
        if folder in tags:
            tags[folder] = _keep_text(exif.get_ifd(folder))
            if _INTEROP in tags[folder]:  # a folder inside this one
                tags[folder][_INTEROP] = exif.get_ifd(_INTEROP)
    return _keep_text(tags)


def _keep_text(tags: dict) -> dict:
    return {tag: _Text(v) if isinstance(v, str) else v for tag, v in tags.items()}
