"""Write a photo as a picture file, with everything that the kind of file can hold."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from lle_utils.errors import LleError
from lle_utils.photos import metadata
from lle_utils.photos.decode import register_heif
from lle_utils.photos.photo import Photo, scale, split_alpha

FORMATS = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"},
    **{".bmp": "BMP", ".webp": "WEBP", ".gif": "GIF", ".avif": "AVIF"},
    **{".heic": "HEIF", ".heif": "HEIF"},
}
WRITABLE = tuple(FORMATS)

_MANY_FRAMES = ("PNG", "GIF", "WEBP", "AVIF", "HEIF", "TIFF")
_DEFAULTS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},  # with the colors of what is transparent
    "AVIF": {"quality": 90},
    "HEIF": {"quality": 90},
}
_INCH = 0.0254  # meters
_MOST_IN_MARKER = 65533 - 32  # of a JPEG file


def encode(photo: Photo, kind: str | None = None) -> bytes:
    """Return a picture file's bytes.

    Parameters
    ----------
    photo : Photo
    kind : str, optional
        "JPEG", "PNG" and so on; by default the photo's own. The compression is the input's where
        the kind is. PNG and TIFF keep 16 bits; TIFF keeps floating point as well.

    Raises
    ------
    LleError
        If this kind of file cannot hold the photo.
    """
    kind = kind or photo.format
    if kind not in FORMATS.values():
        kind = "PNG"
    if len(photo.frames) > 1:
        _check_frames(photo.frames, kind)
    if kind == "HEIF" and not register_heif():
        raise LleError("HEIC needs pillow-heif: pip install pillow-heif")
    try:
        if kind == "TIFF":
            return _encode_tiff(photo)
        if kind == "PNG":
            return _encode_png(photo)
        return _encode_with_pillow(photo, kind)
    except (OSError, ValueError, struct.error) as error:
        raise LleError(f"it cannot be written as {kind} ({error})") from None


def _check_frames(frames: list[np.ndarray], kind: str) -> None:
    count = len(frames)
    if kind not in _MANY_FRAMES:
        raise LleError(
            f"{count} pictures in one file cannot be written as {kind}; name an output that ends "
            "in .gif, .webp, .png or .tif"
        )
    if kind != "TIFF" and len({frame.shape for frame in frames}) > 1:
        raise LleError(f"{count} pictures of different sizes are written as .tif only")


def _options(photo: Photo, kind: str) -> dict:
    """Return how to compress: as the input was, if it is of this kind."""
    kept = photo.options if kind == photo.format else _times(photo)
    return {**_DEFAULTS.get(kind, {}), **kept}


def _times(photo: Photo) -> dict:
    """Return how long each frame is shown, and how often all."""
    return {key: photo.options[key] for key in ("duration", "loop") if key in photo.options}


def _encode_with_pillow(photo: Photo, kind: str) -> bytes:
    options = _options(photo, kind)
    if "qtables" in options:
        del options["quality"]
    if kind in ("BMP", "GIF"):  # they hold no profile, so that their colors are sRGB
        photo = photo.in_srgb()
    frames = [scale(frame, np.uint8) for frame in photo.frames]
    if kind == "BMP" and frames[0].shape[-1] in (2, 4):
        return _encode_with_opencv(frames[0], ".bmp")  # Pillow's has no opacity
    exif, xmp = photo.exif, photo.xmp
    if kind == "JPEG":
        if frames[0].shape[-1] in (2, 4):
            photo.notes.append("JPEG has no opacity: the picture is put before white")
        frames = [_flatten(frame) for frame in frames]
        exif = _if_short(exif and metadata.PREFIX + exif, "EXIF", photo)
        xmp = _if_short(xmp, "XMP", photo)
    if kind == "AVIF" and exif:
        exif = metadata.exif_for_avif(exif)
    if kind not in ("BMP", "GIF"):
        options |= {"exif": exif, "xmp": xmp, "icc_profile": photo.icc}
    options["dpi"] = photo.dpi
    options = {name: value for name, value in options.items() if value is not None}
    return _save(frames, kind, options)


def _if_short(data: bytes | None, name: str, photo: Photo) -> bytes | None:
    """Return a block of metadata if a JPEG file can hold it."""
    if data and len(data) > _MOST_IN_MARKER:
        photo.notes.append(f"its {name} is too long for JPEG and is left out")
        return None
    return data or None


def _save(frames: list[np.ndarray], kind: str, options: dict) -> bytes:
    first, *others = (_to_image(frame) for frame in frames)
    if others:
        options = {**options, "save_all": True, "append_images": others}
        if kind == "GIF":
            options["disposal"] = 2 if first.mode == "RGBA" else 1
    file = io.BytesIO()
    first.save(file, kind, **options)
    return file.getvalue()


def _to_image(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame[..., 0] if frame.shape[-1] == 1 else frame))


def _flatten(frame: np.ndarray) -> np.ndarray:
    """Put a picture with opacity before white."""
    color, alpha = split_alpha(frame)
    if alpha is None:
        return frame
    share = alpha[..., None].astype(np.float32) / 255
    return np.round(color * share + 255 * (1 - share)).astype(np.uint8)


# PNG


def _encode_png(photo: Photo) -> bytes:
    """Let a library write the pixels, and put everything else in after the header."""
    frames = photo.frames
    deep = len(frames) == 1 and frames[0].dtype != np.uint8
    if deep:
        plain = _encode_with_opencv(scale(frames[0], np.uint16), ".png")
    else:
        plain = _save([scale(frame, np.uint8) for frame in frames], "PNG", _times(photo))
    chunks = []
    if photo.icc:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(photo.icc)))
    if photo.dpi:
        pixels_a_meter = (round(value / _INCH) for value in photo.dpi)
        chunks.append((b"pHYs", struct.pack(">LLB", *pixels_a_meter, 1)))
    if photo.exif:
        chunks.append((b"eXIf", photo.exif))
    text = {**photo.text}
    if photo.xmp:
        text["XML:com.adobe.xmp"] = photo.xmp.decode("utf-8", "replace")
    for key, value in text.items():
        start = key.encode("latin-1", "replace")[:79] + b"\0\0\0\0\0"
        chunks.append((b"iTXt", start + value.encode("utf-8", "replace")))
    header = 33  # 8 bytes of signature, 25 of the chunk IHDR
    return plain[:header] + b"".join(_chunk(*chunk) for chunk in chunks) + plain[header:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))


def _encode_with_opencv(frame: np.ndarray, ending: str) -> bytes:
    """Encode what Pillow cannot: PNG of 16 bits a channel, BMP with opacity."""
    if frame.shape[-1] == 2:  # OpenCV has no gray with opacity
        frame = frame[..., [0, 0, 0, 1]]
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[frame.shape[-1]]
    done, encoded = cv2.imencode(ending, frame[..., order])
    if not done:
        raise ValueError("OpenCV cannot encode it")
    return encoded.tobytes()


# TIFF: written here, because neither Pillow (8 bits) nor tifffile (no EXIF) has it all


def _encode_tiff(photo: Photo) -> bytes:
    compress = photo.format == "TIFF" and photo.options.get("compress", False)
    parts, position = [b"II*\0" + struct.pack("<L", 8)], 8
    for index, frame in enumerate(photo.frames):
        pixels = np.ascontiguousarray(frame, frame.dtype.newbyteorder("<"))
        pixels = pixels.reshape(-1).view(np.uint8).data  # not copied
        pixels = zlib.compress(pixels) if compress else pixels
        folder = _folder(frame, len(pixels), compress, None if index else photo)
        data = folder.tobytes(position)
        position += len(data) + len(pixels)
        padding = bytes(position % 2)
        position += len(padding)
        if index < len(photo.frames) - 1:
            link = 2 + 12 * len(folder)  # after the tags
            data = data[:link] + struct.pack("<L", position) + data[link + 4 :]
        parts += [data, pixels, padding]
    return b"".join(parts)


def _folder(frame: np.ndarray, length: int, compress: bool, photo: Photo | None):
    """Return the tags of one page; those of the first say what is known of the photo."""
    height, width, channels = frame.shape
    colors = 3 if channels >= 3 else 1
    tags = {
        256: width,
        257: height,
        258: (8 * frame.itemsize,) * channels,
        259: 8 if compress else 1,  # Deflate or none
        262: 2 if colors == 3 else 1,  # RGB or gray
        273: 0,  # the pixels follow the folder; Pillow adds where that is
        274: metadata.UPRIGHT,
        277: channels,
        278: height,
        279: length,
        284: 1,  # interleaved
        339: ((3 if frame.dtype.kind == "f" else 1),) * channels,
    }
    if channels > colors:
        tags[338] = (2,)  # opacity, not multiplied in
    if photo and photo.dpi:
        tags |= {282: photo.dpi[0], 283: photo.dpi[1], 296: 2}
    if photo and photo.icc:
        tags[34675] = photo.icc
    if photo and photo.xmp:
        tags[700] = photo.xmp
    if photo and photo.exif:
        tags = metadata.tags_of_exif(photo.exif) | tags
    folder = TiffImagePlugin.ImageFileDirectory_v2()
    folder.tagtype[700] = 1  # bytes
    for tag, value in tags.items():
        folder[tag] = value
    return folder
