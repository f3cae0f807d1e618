"""Read a picture file with everything in it."""

import io
import logging
import os
import struct
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageSequence, JpegImagePlugin

from lle_utils.errors import LleError
from lle_utils.photos import metadata
from lle_utils.photos.color import convert_to_srgb
from lle_utils.photos.photo import Photo, count_colors


def _endings(names: str) -> tuple[str, ...]:
    return tuple(f".{name}" for name in names.split())


READABLE = _endings("png jpg jpeg tif tiff bmp webp gif avif heic heif pbm pgm pnm ppm")
RAW = _endings(
    "3fr arw cr2 cr3 crw dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f"
)
"""Endings of cameras' raw files, whose light was never turned into a picture."""
OTHERS = (*RAW, *_endings("dds exr fits hdr ico j2k jp2 jpx jxl jxr pcx pfm psd svg tga xcf"))
"""Endings of all pictures that are not looked for in folders."""

MOST_BYTES = 2**31
MOST_PIXELS = 178_956_970
"""Of one picture: Pillow's own limit, which also keeps files that are bombs from memory."""
MOST_FRAME_PIXELS = 2**28
"""Of all frames of an animation, or all pages, together."""

# Formats that Pillow recognizes by their first bytes and decodes by itself.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM", "AVIF", "HEIF")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0")
_HDR_STARTS = (b"#?", b"v/1\1")  # Radiance, OpenEXR

_RAW = (
    "a camera's raw file. Develop it first (darktable, RawTherapee, the camera maker's program), "
    "and enhance the 16-bit TIFF or the JPEG that you get"
)
_TOO_LARGE = f"it has more than {MOST_PIXELS // 10**6} million pixels; shrink or crop it first"
_TONE_MAP = "Tone-map it in an image editor, and save it as a 16-bit TIFF or PNG"


def read_photo(path: str | Path) -> Photo:
    """Read a picture file.

    Raises
    ------
    LleError
        If the file is missing, empty, damaged, not a picture, or of a kind that would come out
        wrong; the message names it and says what to do.
    """
    check_file(path)
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise LleError("larger than 2 GiB, the most that is read")
        return decode(Path(path).read_bytes(), Path(path).suffix)
    except LleError as error:
        raise LleError(f"{path}: {error}") from None
    except OSError as error:
        raise LleError(f"{path} cannot be read: {error.strerror}") from None


def check_file(path: str | Path) -> None:
    """Make sure that a file may be read: reading a pipe or a device might never end."""
    if not os.path.exists(path):
        raise LleError(f"{path}: no such file")
    if not os.path.isfile(path):
        raise LleError(f"{path} is a folder, a pipe, a socket or a device, not a file")


def decode(content: bytes, ending: str = "") -> Photo:
    """Turn a picture file's bytes into a photo; the ending of its name may tell a raw file."""
    if not content:
        raise LleError("it is empty (0 bytes)")
    if ending.lower() in RAW or content[8:11] == b"CR\2":
        raise LleError(_RAW)
    if content[4:8] == b"ftyp":
        register_heif()
    try:
        return _decode_tiff(content) if content[:4] in _TIFF_STARTS else _decode_other(content)
    except (LleError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise LleError(_TOO_LARGE) from None
    except Image.UnidentifiedImageError:
        raise LleError(_say_what_it_is(content)) from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LleError(f"damaged or incomplete picture file ({reason})") from None


def from_pil(image: Image.Image) -> Photo:
    """Turn a picture of Pillow's into a photo of one frame with its color profile, not rotated."""
    photo = Photo([])
    photo.frames = [_to_array(image, photo)]
    photo.icc = _fitting(image.info.get("icc_profile"), photo)
    return photo


def _say_what_it_is(content: bytes) -> str:
    if content.startswith(_HDR_STARTS):
        return f"an HDR picture. {_TONE_MAP}"
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"mif1"):
        return "HEIC is read where pillow-heif is installed: pip install pillow-heif"
    return "not a picture, or a kind that cannot be read; readable are " + ", ".join(
        ending.lstrip(".") for ending in READABLE
    )


def register_heif() -> bool:
    """Let Pillow read and write HEIC; tell whether pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _open(content: bytes) -> Image.Image:
    Image.init()
    known = [kind for kind in _FORMATS if kind in Image.OPEN]
    return Image.open(io.BytesIO(content), formats=known)


def _check_sizes(sizes: list[int]) -> None:
    """Refuse what would not fit into memory; `sizes` are the pixels of each frame."""
    if max(sizes) > MOST_PIXELS:
        raise LleError(_TOO_LARGE)
    if len(sizes) > 1 and sum(sizes) > MOST_FRAME_PIXELS:
        raise LleError(f"its {len(sizes)} pictures are too large together; split it up first")


def _decode_other(content: bytes) -> Photo:
    """Decode any kind of file but TIFF."""
    with _open(content) as image:
        photo = Photo([], image.format)
        if image.format == "MPO":
            photo.format = "JPEG"
            photo.notes.append(
                "only the first of its pictures is kept (a gain map or preview is dropped)"
            )
        elif getattr(image, "n_frames", 1) > 1:
            _read_animation(image, photo)
        if not photo.frames:
            image.load()  # reads all of it: a truncated file is found out here
            deep = image.format == "PNG" and content[24] == 16  # Pillow would make 8 bits of it
            photo.frames = [_decode_with_opencv(content) if deep else _to_array(image, photo)]
        _read_metadata(image, content, photo)
    orientation = metadata.make_upright(photo)
    photo.frames = [_turn(frame, orientation) for frame in photo.frames]
    return photo


def _read_animation(image: Image.Image, photo: Photo) -> None:
    """Read every frame, and how long each is shown."""
    _check_sizes([image.width * image.height] * image.n_frames)
    times = []
    for frame in ImageSequence.Iterator(image):
        photo.frames.append(np.asarray(frame.convert("RGBA")))
        times.append(frame.info.get("duration", 0))
    if all((frame[..., 3] == 255).all() for frame in photo.frames):
        photo.frames = [frame[..., :3] for frame in photo.frames]
    photo.options["duration"] = times
    if "loop" in image.info:
        photo.options["loop"] = image.info["loop"]


_WRITTEN_AS = {
    "1": "its black and white of 1 bit is written as gray",
    "P": "its palette is written as RGB",
    "PA": "its palette is written as RGB",
    "CMYK": "its CMYK colors are written as RGB",
    "LAB": "its Lab colors are written as RGB",
}


def _to_array(image: Image.Image, photo: Photo) -> np.ndarray:
    """Turn one picture of Pillow's into a frame, and note which form of color it loses.

    Gray stays gray, and opacity is kept.
    """
    note = _WRITTEN_AS.get(image.mode)
    if note and note not in photo.notes and photo.format != "GIF":
        photo.notes.append(note)
    if image.mode[0] in "IF":  # deeper than 8 bits, always gray
        return _checked(np.asarray(image)[..., None])
    if image.mode in ("CMYK", "LAB"):
        image = convert_to_srgb(image)
    kind = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    array = np.asarray(image.convert(kind + "A" * image.has_transparency_data))
    return array if array.ndim == 3 else array[..., None]


def _checked(frame: np.ndarray) -> np.ndarray:
    """Return a decoded frame as uint8, uint16 or float32 in [0, 1], if its values allow it."""
    if frame.dtype in (np.uint8, np.uint16):
        return frame
    whole = frame.dtype.kind in "iu"
    most, slack = (65535, 0) if whole else (1, 0.001)
    if not (-slack <= frame.min() and frame.max() <= most + slack):  # nor if one is not a number
        raise LleError(
            f"its values span [{frame.min():g}, {frame.max():g}] and not [0, {most}]. {_TONE_MAP}"
        )
    return frame.astype(np.uint16) if whole else np.clip(frame, 0, 1).astype(np.float32)


def _decode_with_opencv(content: bytes) -> np.ndarray:
    """Decode what is deeper than Pillow goes: PNG and TIFF of 16 bits."""
    level = cv2.utils.logging.setLogLevel(0)  # what is wrong with a file is said once, by us
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if decoded is None:
        raise ValueError("OpenCV cannot decode it")
    if decoded.ndim == 2:
        return decoded[..., None]
    return decoded[..., [2, 1, 0, 3][: decoded.shape[-1]]]  # OpenCV has blue first


def _read_metadata(image: Image.Image, content: bytes, photo: Photo) -> None:
    """Take over what Pillow found beside the pixels."""
    info = image.info
    photo.exif = (info.get("exif") or b"").removeprefix(metadata.PREFIX) or None
    photo.xmp = info.get("xmp") or None
    photo.icc = _fitting(info.get("icc_profile"), photo)
    photo.dpi = _clean_dpi(*info.get("dpi", (0, 0)))
    deep = info.get("bit_depth", 8) > 8  # of HEIC
    if photo.format == "PNG":
        photo.text = {str(key): str(value) for key, value in image.text.items()}
        photo.text.pop("XML:com.adobe.xmp", None)
    elif photo.format == "JPEG":
        photo.options |= _jpeg_options(image)
    elif photo.format == "WEBP":
        photo.options["lossless"] = b"VP8L" in content
    elif photo.format == "AVIF":
        deep = bool(content[content.index(b"av1C") + 6] & 0x40)
    if deep:
        photo.notes.append("its 10 or 12 bits are read and written as 8")


def _fitting(icc: bytes | None, photo: Photo) -> bytes | None:
    """Return a color profile if it is one of the channels that the photo has."""
    channels = {1: b"GRAY", 3: b"RGB "}[count_colors(photo.frames[0])]
    return icc if icc and icc[16:20] == channels else None


def _jpeg_options(image: Image.Image) -> dict:
    """Return how a JPEG file was compressed, so that the result is compressed alike."""
    captions = [data for mark, data in image.applist if mark == "APP13" and len(data) < 65534]
    marks = (b"\xff\xed" + struct.pack(">H", len(data) + 2) + data for data in captions)
    return {
        "qtables": image.quantization,
        "subsampling": max(0, JpegImagePlugin.get_sampling(image)),  # -1: gray or CMYK
        "progressive": image.info.get("progressive", False),
        "comment": image.info.get("comment"),
        "extra": b"".join(marks),  # IPTC captions and the like
    }


def _clean_dpi(across, down, scale: float = 1) -> tuple[float, float] | None:
    try:
        dpi = (scale * float(across), scale * float(down))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return dpi if all(0 < value < 1e6 for value in dpi) else None


def _turn(frame: np.ndarray, orientation: int) -> np.ndarray:
    if orientation >= 5:
        frame = frame.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        frame = frame[::-1]
    if orientation in (2, 3, 6, 7):
        frame = frame[:, ::-1]
    return np.ascontiguousarray(frame)


# TIFF: Pillow decodes 8 bits; tifffile decodes more, and tells what each page is


def _decode_tiff(content: bytes) -> Photo:
    import tifffile

    for reader in ("tifffile", "PIL.TiffImagePlugin"):  # we say what is wrong with a file
        logging.getLogger(reader).setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        first = file.pages[0]
        # The first picture of a raw file is its preview, or has colors that are not a picture's.
        preview = first.is_reduced and first.subifds
        if preview or 50706 in first.tags or first.photometric in (32803, 34892):
            raise LleError(_RAW)
        # Their number first: to iterate over the pages of a damaged file might not end.
        pages = [(index, file.pages[index]) for index in range(len(file.pages))]
        pages = [(index, page) for index, page in pages if index == 0 or not page.is_reduced]
        _check_sizes([page.imagewidth * page.imagelength for _, page in pages])
        photo = Photo([], "TIFF", options={"compress": int(first.compression) != 1})
        photo.frames = [_read_page(page, content, index, photo) for index, page in pages]
        tags = metadata.read_tags(content, first)
    photo.exif = metadata.exif_of_tiff(tags)
    xmp = tags.get(700)
    photo.xmp = xmp.encode("latin-1") if isinstance(xmp, str) else xmp
    photo.icc = _fitting(tags.get(34675), photo)
    photo.dpi = _clean_dpi(tags.get(282), tags.get(283), {2: 1, 3: 2.54}.get(tags.get(296), 0))
    metadata.make_upright(photo)
    return photo


def _read_page(page, content: bytes, index: int, photo: Photo) -> np.ndarray:
    """Read one page, upright."""
    spans = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(start + length > len(content) for start, length in spans):
        raise ValueError("it ends too early")
    if page.dtype is not None and page.dtype.itemsize > 1:
        return _turn(_read_deep_page(page, content, index, photo), page.tags.valueof(274, 1))
    with _open(content) as image:
        image.seek(index)
        image.load()  # Pillow turns a TIFF picture upright by itself
        return _to_array(image, photo)


def _read_deep_page(page, content: bytes, index: int, photo: Photo) -> np.ndarray:
    """Read a page of 16 bits or of floating point."""
    kind = f"a TIFF of {page.bitspersample} bits"
    if page.photometric not in (1, 2):
        raise LleError(f"{kind} with {page.photometric.name} colors; save it as RGB first")
    planar = page.planarconfig == 2 and page.samplesperpixel > 1
    try:
        frame = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error) or index or planar:
            raise
        frame = _decode_with_opencv(content)  # LZW and the like
    frame = np.moveaxis(frame, 0, -1) if planar else frame
    frame = frame if frame.ndim == 3 else frame[..., None]
    if frame.shape != (page.imagelength, page.imagewidth, page.samplesperpixel):
        raise LleError(f"{kind} of the shape {page.shape}, which is not a picture's")
    colors = 3 if page.photometric == 2 else 1
    if frame.shape[-1] > colors:
        meaning = (*page.extrasamples, 0)[0]
        if meaning == 1:
            raise LleError(f"{kind} with premultiplied opacity; save it with straight alpha first")
        if meaning == 2:
            colors += 1
        else:
            photo.notes.append("its extra channels, which are not opacity, are left out")
    return _checked(frame[..., :colors])
