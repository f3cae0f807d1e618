"""The pixels of a picture, apart from the bytes that hold them.

Two PNG files can hold the same pixels in different bytes: another compression level is enough. A
hash of the decoded pixels tells such a copy from one that was re-encoded.

Run as a script, it makes the list of pixel hashes that the registry keeps::

    python -m lle_utils.fetch.pixels FOLDER our485/low eval15/low eval15/high

FOLDER holds the data set; name only subfolders whose pixels are known to be the published ones.
"""

import hashlib
import io
import sys
from pathlib import Path

FORMATS = ("PNG", "JPEG")


class NotAPictureError(ValueError):
    """The bytes do not decode to a picture that the data set could hold."""


def decode_rgb(data, max_pixels=4_000_000):
    """Decode a PNG or JPEG file.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_pixels : int
        Larger pictures are refused before they are decoded.

    Returns
    -------
    raw : bytes
        Red, green and blue, 8 bits each, row by row.
    size : tuple of int
        Width and height in pixels.

    Raises
    ------
    NotAPictureError
        If the file is damaged, too large, or not 8-bit RGB.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise NotAPictureError(f"{width} x {height} pixels are too many")
            if image.mode != "RGB":
                raise NotAPictureError(f"mode {image.mode} instead of RGB")
            return image.tobytes(), (width, height)
    except NotAPictureError:
        raise
    except Exception as problem:  # Pillow raises many kinds on damaged files
        raise NotAPictureError("not a readable PNG or JPEG picture") from problem


def pixel_hash(raw, size):
    r"""Return the hash of a picture's pixels, whatever file held them.

    Parameters
    ----------
    raw : bytes
        Red, green and blue, 8 bits each, row by row.
    size : tuple of int
        Width and height in pixels; part of the hash, so that a reshaped picture differs.

    Returns
    -------
    str
        SHA-256 in hexadecimal of ``"WIDTHxHEIGHT RGB\n"`` and the raw bytes.
    """
    return hashlib.sha256(b"%dx%d RGB\n" % size + raw).hexdigest()


def main(arguments):
    """Print one ``DIGEST  NAME`` a picture for the subfolders named on the command line."""
    if len(arguments) < 2:
        raise SystemExit(__doc__)
    folder, *subfolders = arguments
    for subfolder in subfolders:
        paths = (Path(folder) / subfolder).glob("*.png")
        for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)):
            print(f"{pixel_hash(*decode_rgb(path.read_bytes()))}  {subfolder}/{path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
