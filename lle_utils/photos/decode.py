"""Read a picture file with everything in it."""

import io
import logging
import os
import re
import stat
import struct
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageSequence, JpegImagePlugin

from lle_utils.errors import LleError
from lle_utils.photos import metadata
from lle_utils.photos.color import convert_to_srgb
from lle_utils.photos.photo import Photo, scale

HEIF = (".heic", ".heif")
READABLE = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".avif", *HEIF),
    *(".pbm", ".pgm", ".pnm", ".ppm"),
)
_RAW = "3fr arw cr2 cr3 crw dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f"
RAW = tuple(f".{name}" for name in _RAW.split())
"""Endings of cameras' raw files, whose light was never turned into a picture."""
_OTHERS = "dds exr fits hdr ico j2k jp2 jpx jxl jxr pcx pfm psd svg tga xcf"
OTHERS = (*RAW, *(f".{name}" for name in _OTHERS.split()))
"""Endings of all pictures that are not looked for in folders."""

MOST_BYTES = 2**31
MOST_PIXELS = 2 * Image.MAX_IMAGE_PIXELS if Image.MAX_IMAGE_PIXELS else 2**27
MOST_FRAME_PIXELS = 2**28
"""The most pixels of all frames of an animation together."""

# Formats that Pillow recognizes by their first bytes and decodes by itself.
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "DIB", "WEBP", "GIF", "PPM", "AVIF", "HEIF")
_FORMATS += ("JPEG2000", "PSD")
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF", "HEIF")
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TOO_MANY_PIXELS = (
    f"the picture has more than {MOST_PIXELS // 10**6} million pixels; shrink it or cut it into "
    "parts first"
)

_TONE_MAP = "Tone-map it in an image editor, and save it as a 16-bit TIFF or PNG"


def read_photo(path: str | Path) -> Photo:
    """Read a picture file.

    Raises
    ------
    LleError
        If the file is missing, empty, damaged, not a picture, or of a kind that would come out
        wrong; the message names it and says what to do.
    """
    content = read_bytes(Path(path))
    try:
        return decode(content, str(path))
    except LleError as error:
        raise LleError(f"{path}: {error}") from None


def read_bytes(path: Path) -> bytes:
    """Read a file, but never wait for one that is none: a pipe, a socket, a device."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise LleError(f"{path} is a folder; name a picture file in it")
        if not stat.S_ISREG(status.st_mode):
            raise LleError(f"{path} is a pipe, a socket or a device, not a picture file")
        if status.st_size > MOST_BYTES:
            raise LleError(f"{path} has {status.st_size / 2**30:.1f} GiB; the most is 2 GiB")
        content = path.read_bytes()
    except FileNotFoundError:
        raise LleError(f"{path}: no such file") from None
    except ValueError as error:  # a zero byte in a name
        raise LleError(f"{path}: {error}") from None
    except OSError as error:
        raise LleError(f"{path} cannot be read: {error.strerror}") from None
    if not content:
        raise LleError(f"{path} is empty (0 bytes)")
    return content


def decode(content: bytes, name: str = "") -> Photo:
    """Turn a picture file's bytes into a photo; `name` may tell a raw file by its ending."""
    _refuse_raw(content, name)
    if content[4:8] == b"ftyp":
        register_heif()
    try:
        if content[:4] in _TIFF_STARTS:
            return _decode_tiff(content)
        with _open(content) as image:
            return _decode_with_pillow(image, content)
    except LleError:
        raise
    except Image.DecompressionBombError:
        raise LleError(_TOO_MANY_PIXELS) from None
    except Image.UnidentifiedImageError:
        raise LleError(_say_what_it_is(content)) from None
    except MemoryError:
        raise LleError("the picture is too large for this computer's memory") from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LleError(f"damaged or incomplete picture file ({reason})") from None


def from_pil(image: Image.Image) -> Photo:
    """Turn a picture of Pillow's into a photo of one frame with its color profile, not rotated."""
    photo = Photo([], icc=image.info.get("icc_profile"))
    photo.frames = [_to_array(image, photo)]
    _drop_wrong_profile(photo)
    return photo


def _open(content: bytes) -> Image.Image:
    Image.init()
    return Image.open(
        io.BytesIO(content), formats=[kind for kind in _FORMATS if kind in Image.OPEN]
    )


def _refuse_raw(content: bytes, name: str) -> None:
    known = content.startswith(_RAW_STARTS) or content[8:11] == b"CR\2"
    if known or content[4:12] == b"ftypcrx " or name.lower().endswith(RAW):
        raise LleError(
            "a camera's raw file. Develop it first (darktable, RawTherapee, the camera maker's "
            "program), and enhance the 16-bit TIFF or the JPEG that you get"
        )


def _say_what_it_is(content: bytes) -> str:
    if content.startswith((b"#?", b"v/1\1")):  # Radiance, OpenEXR
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


def _decode_with_pillow(image: Image.Image, content: bytes) -> Photo:
    photo = Photo([], "JPEG" if image.format == "MPO" else image.format)
    count = getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1
    if count * image.width * image.height > MOST_FRAME_PIXELS and count > 1:
        raise LleError(f"an animation of {count} pictures is too long; make it a video first")
    if count > 1:
        photo.frames, photo.options = _read_animation(image)
    elif image.format == "PNG" and content[24] == 16 and image.mode != "I;16":
        image.load()
        photo.frames = [_checked(_decode_with_opencv(content))]
    else:
        image.load()  # reads all of it: a truncated file is found out here
        photo.frames = [_to_array(image, photo)]
    _read_metadata(image, content, photo)
    _turn_upright(photo)
    return photo


def _read_animation(image: Image.Image) -> tuple[list[np.ndarray], dict]:
    """Read every frame, and how long each is shown."""
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frames.append(np.asarray(frame.convert("RGBA")))
        durations.append(frame.info.get("duration", 0))
    if all((frame[..., 3] == 255).all() for frame in frames):
        frames = [frame[..., :3].copy() for frame in frames]
    options = {"duration": durations}
    if "loop" in image.info:
        options["loop"] = image.info["loop"]
    return frames, options


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
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise LleError("the whole-number picture has values outside 0..65535")
        return values.astype(np.uint16)[..., None]
    if image.mode == "F":
        return _checked(np.asarray(image)[..., None])
    if image.mode in ("CMYK", "LAB"):
        image = convert_to_srgb(image, image.info.get("icc_profile"))
    kind = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    array = np.asarray(image.convert(kind + "A" * image.has_transparency_data))
    return array if array.ndim == 3 else array[..., None]


def _checked(frame: np.ndarray) -> np.ndarray:
    """Make sure that a decoded frame is uint8, uint16 or float32 in [0, 1]."""
    if frame.dtype in (np.uint8, np.uint16):
        return frame
    if frame.dtype.kind != "f":
        raise LleError(f"its values are {frame.dtype}; save it with 8 or 16 bits a channel first")
    if not np.isfinite(frame).all():
        raise LleError("the picture has values that are not finite (NaN or infinity)")
    least, most = float(frame.min()), float(frame.max())
    if least < -0.001 or most > 1.001:
        raise LleError(
            f"its floating-point values span [{least:.4g}, {most:.4g}] and not [0, 1]. {_TONE_MAP}"
        )
    return np.clip(frame, 0, 1).astype(np.float32)


def _decode_with_opencv(content: bytes) -> np.ndarray:
    """Decode what is deeper than Pillow goes: PNG and TIFF of 16 bits."""
    level = cv2.utils.logging.setLogLevel(0)  # what is wrong with a file is said once, by us
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        decoded = None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if decoded is None:
        raise LleError("damaged or incomplete picture file")
    if decoded.ndim == 2:
        return decoded[..., None]
    order = [2, 1, 0, 3][: decoded.shape[-1]]  # OpenCV has blue first
    return decoded[..., order]


def _read_metadata(image: Image.Image, content: bytes, photo: Photo) -> None:
    """Take over what Pillow found beside the pixels."""
    info = image.info
    exif, xmp = info.get("exif"), info.get("xmp")
    if isinstance(exif, Image.Exif):
        exif = exif.tobytes()
    if photo.format == "PNG":
        photo.text = {str(key): str(value) for key, value in image.text.items()}
        photo.text.pop("XML:com.adobe.xmp", None)
        old = photo.text.pop("Raw profile type exif", None)  # as ImageMagick writes it
        if not exif and old:
            exif = bytes.fromhex("".join(old.split("\n")[3:]))
    if photo.format == "JPEG":
        photo.options |= _jpeg_options(image)
    if photo.format == "WEBP":
        found = re.search(rb"VP8[L ]", content)
        photo.options["lossless"] = bool(found) and found.group() == b"VP8L"
    _add_metadata(photo, exif, xmp, info.get("icc_profile"), info.get("dpi"))
    if image.format in ("AVIF", "HEIF") and _is_deep(content, info):
        photo.notes.append("its 10 or 12 bits are read and written as 8")
    if image.format == "MPO":
        photo.notes.append("only the first of its pictures is kept (a gain map or preview goes)")


def _add_metadata(photo: Photo, exif, xmp, icc: bytes | None, dpi) -> None:
    """Take over metadata in the forms in which Pillow and tifffile give them."""
    photo.exif = metadata.without_prefix(exif)
    photo.xmp = xmp.encode() if isinstance(xmp, str) else xmp and bytes(xmp)
    photo.icc = icc or None
    photo.dpi = _clean_dpi(dpi)
    _drop_wrong_profile(photo)


def _drop_wrong_profile(photo: Photo) -> None:
    """Leave out a profile of other channels, which says nothing about these."""
    fits = b"GRAY" if photo.frames[0].shape[-1] < 3 else b"RGB "
    if photo.icc and photo.icc[16:20] != fits:
        photo.icc = None


def _is_deep(content: bytes, info: dict) -> bool:
    if info.get("bit_depth", 8) > 8:
        return True
    place = content.find(b"av1C")
    return place >= 0 and bool(content[place + 6] & 0x40)


def _jpeg_options(image: Image.Image) -> dict:
    """Return how a JPEG file was compressed, so that the result is compressed alike."""
    options = {"qtables": image.quantization}
    sampling = JpegImagePlugin.get_sampling(image)
    if sampling >= 0:
        options["subsampling"] = sampling
    if image.info.get("progressive"):
        options["progressive"] = True
    if image.info.get("comment"):
        options["comment"] = image.info["comment"]
    captions = [data for mark, data in image.applist if mark == "APP13" and len(data) < 65534]
    if captions:  # IPTC captions and the like
        marks = (b"\xff\xed" + struct.pack(">H", len(data) + 2) + data for data in captions)
        options["extra"] = b"".join(marks)
    return options


def _clean_dpi(dpi) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 1e6 and 0 < down < 1e6 else None


def _turn_upright(photo: Photo) -> None:
    """Apply the orientation that the metadata give, and let them say upright."""
    orientation = metadata.find_orientation(photo.exif, photo.xmp)
    photo.frames = [_turn(frame, orientation) for frame in photo.frames]
    _say_upright(photo, orientation)


def _say_upright(photo: Photo, orientation: int) -> None:
    """Let the metadata of a picture that was turned say upright."""
    if photo.exif:
        photo.exif = metadata.make_upright(photo.exif, orientation)
        if not photo.exif:
            photo.notes.append("its EXIF block is damaged and is left out")
    if photo.xmp:
        photo.xmp = metadata.make_xmp_upright(photo.xmp)
    if orientation >= 5 and photo.dpi:
        photo.dpi = photo.dpi[::-1]


def _turn(frame: np.ndarray, orientation: int) -> np.ndarray:
    if orientation >= 5:
        frame = frame.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        frame = frame[::-1]
    if orientation in (2, 3, 6, 7):
        frame = frame[:, ::-1]
    return np.ascontiguousarray(frame)


# TIFF

_RAW_COLORS = (32803, 34892)  # values of the tag PhotometricInterpretation


def _decode_tiff(content: bytes) -> Photo:
    import tifffile

    for reader in ("tifffile", "PIL.TiffImagePlugin"):  # we say what is wrong with a file
        logging.getLogger(reader).setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        _refuse_raw_tiff(file.pages[0])
        pages = [(i, page) for i, page in enumerate(file.pages) if i == 0 or not page.is_reduced]
        sizes = [page.imagewidth * page.imagelength for _, page in pages]
        if max(sizes) > MOST_PIXELS:
            raise LleError(_TOO_MANY_PIXELS)
        if len(pages) > 1 and sum(sizes) > MOST_FRAME_PIXELS:
            raise LleError(f"a file of {len(pages)} pages is too long; take it apart first")
        first = pages[0][1]
        tags = {tag.code: tag.value for tag in first.tags}
        photo = Photo([], "TIFF", options={"compress": int(first.compression) != 1})
        photo.frames = [_read_page(page, content, index, photo) for index, page in pages]
    dpi = None
    if tags.get(296) in (2, 3) and {282, 283} <= set(tags):
        inch = {2: 1, 3: 2.54}[tags[296]]
        dpi = (inch * above / below for above, below in (tags[282], tags[283]))
    exif = metadata.exif_of_tiff(content)
    _add_metadata(photo, exif, tags.get(700), tags.get(34675), dpi)
    _say_upright(photo, int(tags.get(274, 1)))
    return photo


def _refuse_raw_tiff(page) -> None:
    """Refuse a file whose first picture is the preview of a raw one."""
    inside = [page, *(page.pages or ())] if page.subifds else [page]
    raw = 50706 in page.tags or any(part.photometric in _RAW_COLORS for part in inside)
    if raw or (page.is_reduced and len(inside) > 1):
        _refuse_raw(b"", ".dng")


def _read_page(page, content: bytes, index: int, photo: Photo) -> np.ndarray:
    """Read one page, upright."""
    spans = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(start + length > len(content) for start, length in spans):
        raise LleError("damaged or incomplete picture file (it ends too early)")
    if page.dtype is not None and page.dtype.itemsize > 1:
        return _turn(_read_deep_page(page, content, index, photo), page.tags.valueof(274, 1))
    with _open(content) as image:
        image.seek(index)
        image.load()  # Pillow turns a TIFF picture upright by itself
        return _to_array(image, photo)


def _read_deep_page(page, content: bytes, index: int, photo: Photo) -> np.ndarray:
    """Read a page of 16 bits or of floating point."""
    kind = f"a TIFF of {page.bitspersample} bits"
    planar = page.planarconfig == 2 and page.samplesperpixel > 1
    if page.photometric not in (0, 1, 2):
        raise LleError(f"{kind} with {page.photometric.name} colors; save it as RGB first")
    try:
        frame = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        if planar or index > 0:
            raise LleError(
                f"{kind}, compressed, with its channels one after the other; save it interleaved "
                '("per pixel") or without compression first'
            ) from None
        frame = _decode_with_opencv(content)
    else:
        frame = np.moveaxis(frame, 0, -1) if planar else frame
    frame = frame if frame.ndim == 3 else frame[..., None]
    if frame.ndim != 3 or frame.shape[:2] != (page.imagelength, page.imagewidth):
        raise LleError(f"{kind} of the shape {page.shape}, which is not a picture's")
    if frame.dtype.kind in "iu" and frame.min() >= 0 and frame.max() <= 65535:
        frame = frame.astype(np.uint16)
    if page.photometric == 0:  # white is 0
        frame = 65535 - frame if frame.dtype == np.uint16 else 1 - frame
    colors = 3 if page.photometric == 2 else 1
    if frame.shape[-1] > colors:
        meaning = (*page.extrasamples, 0)[0]
        if meaning in (1, 2):
            frame = _checked(frame[..., : colors + 1])
            return _divide_by_alpha(frame) if meaning == 1 else frame
        photo.notes.append("its extra channels, which are not opacity, are left out")
    return _checked(frame[..., :colors])


def _divide_by_alpha(frame: np.ndarray) -> np.ndarray:
    """Undo that colors were multiplied by opacity."""
    values = scale(frame, np.float32)
    values[..., :-1] = np.minimum(values[..., :-1] / np.maximum(values[..., -1:], 1e-6), 1)
    return scale(values, frame.dtype)
