"""A miniature paired data set, described, packed and faked in the same way as the real one."""

import hashlib
import io
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 24, 16


def encode(pixels, kind="PNG", **options):
    """Return an array as the bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def make_picture(rng, width, height, top):
    """Return a smooth, slightly noisy random picture with code values up to about ``top``."""
    coarse = Image.fromarray(rng.integers(0, top, (4, 5, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), dtype=float)
    noisy = smooth + rng.normal(0, 0.01 * top, (height, width, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def make_pictures():
    """Return ``{name: uint8 array}``: six pairs to train on and two to test with."""
    rng = np.random.default_rng(0)
    names = [f"our485/{side}/{2 + 3 * n}.png" for n in range(6) for side in ("low", "high")]
    names += [f"eval15/{side}/{1 + 3 * n}.png" for n in range(2) for side in ("low", "high")]
    return {
        name: make_picture(rng, WIDTH, HEIGHT, 60 if "/low/" in name else 250) for name in names
    }


def make_registry(urls=(), **facts):
    """Return the registry of the miniature, in the form of `verify.LOL`."""
    size = sum(map(len, FILES.values()))
    settings = {
        "width": WIDTH,
        "height": HEIGHT,
        "splits": ["our485", "eval15"],
        "md5": {name: hashlib.md5(data).hexdigest() for name, data in FILES.items()},
        "source": [{"title": f"mirror {n}", "url": url} for n, url in enumerate(urls, 1)],
        "manual_address": "https://example.org/mini",
        "archive_bytes": size,
        "unpacked_bytes": size,
        "max_file_bytes": 100_000,
    }
    return SimpleNamespace(**settings | facts)


def pack(files, top="lol_dataset/", compression=zipfile.ZIP_STORED):
    """Return ``{path: bytes}`` as a zip archive; paths may also be prepared ``ZipInfo`` objects."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as writer:
        for path, data in files.items():
            writer.writestr(top + path if isinstance(path, str) else path, data)
    return archive.getvalue()


def put(folder, files):
    """Write files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


PICTURES = make_pictures()
FILES = {name: encode(pixels) for name, pixels in PICTURES.items()}  # as they were "published"
ARCHIVE = pack(FILES)


def main(url, pause):
    """Fetch the miniature in a process of its own, with so many seconds of rest at each file."""
    import PIL.PngImagePlugin  # noqa: F401  (imported now, so that "ready" means ready)
    import requests  # noqa: F401

    from lle_utils import fetch, images  # noqa: F401

    open_entry = zipfile.ZipFile.open

    def open_slowly(*details):  # so that a kill also meets the unpacking of few small files
        time.sleep(float(pause))
        return open_entry(*details)

    zipfile.ZipFile.open = open_slowly
    fetch.download.BACKOFF_SECONDS = 0.05
    fetch.download.CHUNK_BYTES = 1000  # the archive is small
    fetch.verify.LOL = make_registry([url])
    print("ready", flush=True)
    fetch.fetch_lol()


if __name__ == "__main__":
    main(*sys.argv[1:])
