"""Write a photo as a picture file, with everything that the kind of file can hold."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from lle_utils.errors import LleError
from lle_utils.photos import metadata
from lle_utils.photos.decode import register_heif
from lle_utils.photos.photo import Photo, count_colors, scale

FORMATS = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"},
    **{".bmp": "BMP", ".webp": "WEBP", ".gif": "GIF", ".avif": "AVIF"},
    **{".heic": "HEIF", ".heif": "HEIF"},
}
WRITABLE = tuple(FORMATS)

_DEFAULTS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},  # with the colors of what is transparent
    "AVIF": {"quality": 90},
    "HEIF": {"quality": 90},
}
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
    sizes = {frame.shape for frame in photo.frames}
    if len(photo.frames) > 1 and kind in ("JPEG", "BMP") or len(sizes) > 1 and kind != "TIFF":
        raise LleError(
            f"{len(photo.frames)} pictures cannot be written as one {kind} file; name an output "
            "that ends in .tif or, if their sizes are the same, in .gif, .webp or .png"
        )
    if kind == "HEIF" and not register_heif():
        raise LleError("HEIC needs pillow-heif: pip install pillow-heif")
    try:
        return _encode_tiff(photo) if kind == "TIFF" else _encode_other(photo, kind)
    except (OSError, TypeError, ValueError, struct.error) as error:
        raise LleError(f"it cannot be written as {kind} ({error})") from None


def _encode_other(photo: Photo, kind: str) -> bytes:
    """Encode any kind of file but TIFF."""
    times = {key: photo.options[key] for key in ("duration", "loop") if key in photo.options}
    options = {**_DEFAULTS.get(kind, {}), **(photo.options if kind == photo.format else times)}
    if "qtables" in options:
        del options["quality"]
    options["dpi"] = photo.dpi
    if kind in ("BMP", "GIF"):  # they hold no profile, so that their colors are sRGB
        photo = photo.in_srgb()
    else:
        options |= {"exif": photo.exif, "xmp": photo.xmp, "icc_profile": photo.icc}
    if kind == "PNG":
        options["pnginfo"] = _png_text(photo)
        if len(photo.frames) == 1 and photo.frames[0].dtype != np.uint8:
            return _encode_deep_png(scale(photo.frames[0], np.uint16), options)
    frames = [scale(frame, np.uint8) for frame in photo.frames]
    if kind in ("BMP", "JPEG") and frames[0].shape[-1] in (2, 4):
        photo.notes.append(f"{kind} has no opacity: the picture is put on white")
        frames = [_flatten(frame) for frame in frames]
    if kind == "JPEG":
        options["exif"] = photo.exif and metadata.PREFIX + photo.exif
        for name in ("exif", "xmp"):
            if len(options[name] or b"") > _MOST_IN_MARKER:
                photo.notes.append(f"its {name.upper()} is too long for JPEG and is left out")
                options[name] = None
    return _save(frames, kind, options)


def _save(frames: list[np.ndarray], kind: str, options: dict) -> bytes:
    first, *others = (_to_image(frame) for frame in frames)
    options = {name: value for name, value in options.items() if value is not None}
    if others:
        options |= {"save_all": True, "append_images": others}
        if kind == "GIF":
            options["disposal"] = 2 if first.mode == "RGBA" else 1
    file = io.BytesIO()
    first.save(file, kind, **options)
    return file.getvalue()


def _to_image(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame[..., 0] if frame.shape[-1] == 1 else frame))


def _flatten(frame: np.ndarray) -> np.ndarray:
    """Put a picture with opacity on white."""
    share = frame[..., -1:].astype(np.float32) / 255
    return np.round(frame[..., :-1] * share + 255 * (1 - share)).astype(np.uint8)


def _png_text(photo: Photo) -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    for key, value in photo.text.items():
        text.add_itxt(key, value)
    if photo.xmp:
        text.add_itxt("XML:com.adobe.xmp", photo.xmp)
    return text


def _encode_deep_png(frame: np.ndarray, options: dict) -> bytes:
    """Encode 16 bits a channel, which only OpenCV writes, with what only Pillow writes."""
    if frame.shape[-1] == 2:  # OpenCV has no gray with opacity
        frame = frame[..., [0, 0, 0, 1]]
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[frame.shape[-1]]
    done, pixels = cv2.imencode(".png", frame[..., order])
    if not done:
        raise ValueError("OpenCV cannot encode it")
    pixels, rest = pixels.tobytes(), _save([np.zeros((1, 1, 3), np.uint8)], "PNG", options)
    header = 33  # 8 bytes of signature, 25 of the chunk IHDR
    return pixels[:header] + rest[header : rest.rindex(b"IDAT") - 4] + pixels[header:]


# TIFF: written here, because neither Pillow (8 bits) nor tifffile (no EXIF) has it all


def _encode_tiff(photo: Photo) -> bytes:
    compress = photo.options.get("compress", False)
    parts, position = [b"II*\0" + struct.pack("<L", 8)], 8
    for index, frame in enumerate(photo.frames):
        pixels = np.ascontiguousarray(frame, frame.dtype.newbyteorder("<"))
        pixels = pixels.reshape(-1).view(np.uint8).data  # not copied
        pixels = zlib.compress(pixels) if compress else pixels
        folder = _folder(frame, len(pixels), compress, None if index else photo)
        data = folder.tobytes(position)
        padding = bytes(len(pixels) % 2)
        position += len(data) + len(pixels) + len(padding)
        if index < len(photo.frames) - 1:
            link = 2 + 12 * len(folder)  # after the tags
            data = data[:link] + struct.pack("<L", position) + data[link + 4 :]
        parts += [data, pixels, padding]
    return b"".join(parts)


def _folder(frame: np.ndarray, length: int, compress: bool, photo: Photo | None):
    """Return the tags of one page; those of the first say what is known of the photo."""
    height, width, channels = frame.shape
    colors = count_colors(frame)
    tags = {
        256: width,
        257: height,
        258: (8 * frame.itemsize,) * channels,
        259: 8 if compress else 1,  # Deflate or none
        262: 2 if colors == 3 else 1,  # RGB or gray
        273: 0,  # the pixels follow the folder; Pillow adds where that is
        277: channels,
        278: height,
        279: length,
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
