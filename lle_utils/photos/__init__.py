"""Photo files: read one with everything in it, change its pixels, write everything back."""

from lle_utils.photos.decode import OTHERS, READABLE, decode, read_photo
from lle_utils.photos.encode import FORMATS, WRITABLE, encode
from lle_utils.photos.photo import Photo

__all__ = [
    "FORMATS",
    "OTHERS",
    "READABLE",
    "WRITABLE",
    "Photo",
    "decode",
    "encode",
    "read_photo",
]
