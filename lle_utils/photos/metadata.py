"""EXIF and XMP: make both fit a picture that was turned upright, and carry EXIF into TIFF and back.

An EXIF block is a small TIFF file. It is changed in place: a camera's maker note holds offsets, so
no value in it may move.
"""

import io
import re
import struct

from PIL import Image

from lle_utils.photos.photo import Photo

PREFIX = b"Exif\0\0"  # before an EXIF block in a JPEG file

_ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*(\d+)")
_EXIF, _GPS, _INTEROP = 0x8769, 0x8825, 0xA005  # entries that are folders

# What describes a TIFF picture, and not how its pixels are stored.
_DESCRIPTIVE = {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, _EXIF, _GPS}
_DESCRIPTIVE |= {18246, 18249, 40091, 40092, 40093, 40094, 40095}


def make_upright(photo: Photo) -> int:
    """Let a photo's EXIF and XMP say upright, and return the orientation that they gave, 1 to 8.

    EXIF goes before XMP. A damaged EXIF block is dropped.
    """
    found = in_xmp = None
    if photo.exif:
        try:
            photo.exif, found = _make_exif_upright(photo.exif)
        except (KeyError, struct.error):
            photo.exif = None
            photo.notes.append("its EXIF block is damaged and is left out")
    if photo.xmp:
        in_xmp = _XMP_ORIENTATION.search(photo.xmp)
        photo.xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", photo.xmp)
    if found is None and in_xmp:
        found = int(in_xmp[2])
    return found if found in range(1, 9) else 1


def _make_exif_upright(exif: bytes) -> tuple[bytes, int | None]:
    """Return EXIF without its orientation and thumbnail, and what the orientation was."""
    order = {b"II*\0": "<", b"MM\0*": ">"}[exif[:4]]
    (folder,) = struct.unpack_from(order + "L", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, folder)
    start, end = folder + 2, folder + 2 + 12 * count
    orientation, kept = None, []
    for place in range(start, end, 12):
        tag, _, _, value = struct.unpack_from(order + "HHLH", exif, place)
        if tag == _ORIENTATION:
            orientation = value
        else:
            kept.append(exif[place : place + 12])
    block = bytearray(exif)
    struct.pack_into(order + "H", block, folder, len(kept))
    # After the entries lies the offset to the thumbnail's folder, which becomes 0.
    block[start : end + 4] = b"".join(kept).ljust(end + 4 - start, b"\0")
    return bytes(block), orientation


def read_tags(content: bytes, page) -> Image.Exif:
    """Read the tags of a page, one of tifffile's, of a TIFF file."""
    tags = Image.Exif()
    tags.endian, tags.bigtiff = page.parent.byteorder, page.parent.is_bigtiff
    tags.load_from_fp(io.BytesIO(content), page.offset)
    return tags


def exif_of_tiff(tags: Image.Exif) -> bytes | None:
    """Collect what the tags of a TIFF file say about its picture into an EXIF block."""
    block = Image.Exif()
    block.endian = tags.endian
    block.update(_descriptive_tags(tags))
    return block.tobytes().removeprefix(PREFIX) if len(block) else None


def tags_of_exif(exif: bytes) -> dict:
    """Return the entries of an EXIF block for a TIFF file; its folders are dictionaries."""
    block = Image.Exif()
    block.load(exif)
    return _descriptive_tags(block)


class _Text(str):
    """Text as Pillow reads it, a byte a character, to be written as it was read: not as ASCII."""

    def encode(self, *_):
        return super().encode("latin-1")


def _descriptive_tags(exif: Image.Exif) -> dict:
    tags = {tag: exif[tag] for tag in list(exif) if tag in _DESCRIPTIVE}
    for folder in tags.keys() & {_EXIF, _GPS}:
        tags[folder] = _keep_text(exif.get_ifd(folder))
        if _INTEROP in tags[folder]:
            tags[folder][_INTEROP] = exif.get_ifd(_INTEROP)
    return _keep_text(tags)


def _keep_text(tags: dict) -> dict:
    return {tag: _Text(v) if isinstance(v, str) else v for tag, v in tags.items()}
