"""A miniature paired data set, described, packed and faked in the same way as the real one."""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 24, 16


def png(pixels, **options):
    """Return an array as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def make_pictures(train=6, test=2, width=WIDTH, height=HEIGHT, seed=0):
    """Return ``{name: uint8 array}`` of a data set of smooth, slightly noisy random pictures."""
    rng = np.random.default_rng(seed)
    names = [f"our485/{side}/{2 + 3 * n}.png" for n in range(train) for side in ("low", "high")]
    names += [f"eval15/{side}/{1 + 3 * n}.png" for n in range(test) for side in ("low", "high")]
    return {
        name: make_picture(rng, width, height, 60 if "/low/" in name else 250) for name in names
    }


def make_picture(rng, width, height, top):
    """Return one random picture with code values up to about ``top``."""
    coarse = Image.fromarray(rng.integers(0, top, (4, 5, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), dtype=float)
    noisy = smooth + rng.normal(0, 0.01 * top, (height, width, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def make_files(pictures):
    """Return ``{name: bytes}``: the files as they were "published"."""
    return {name: png(pixels) for name, pixels in pictures.items()}


def make_registry(files, urls=(), **facts):
    """Return the registry of a miniature, as `verify.load_registry` returns that of LOL."""
    settings = {
        "width": WIDTH,
        "height": HEIGHT,
        "splits": ["our485", "eval15"],
        "md5": {name: hashlib.md5(data).hexdigest() for name, data in files.items()},
        "source": [{"title": f"mirror {n}", "url": url} for n, url in enumerate(urls, 1)],
        "manual_address": "https://example.org/mini",
        "archive_names": ["MiniDataset.zip"],
        "archive_bytes": sum(map(len, files.values())),
        "unpacked_bytes": sum(map(len, files.values())),
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


def main(arguments):
    """Fetch a miniature in a process of its own: REGISTRY.json SECONDS_A_FILE."""
    import time

    import filelock  # noqa: F401  (imported now, so that "ready" means ready)
    import PIL.PngImagePlugin  # noqa: F401
    import requests  # noqa: F401

    from lle_utils import fetch

    registry, pause = arguments
    open_entry = zipfile.ZipFile.open

    def open_slowly(*details):  # so that a kill also meets the unpacking of few small files
        time.sleep(float(pause))
        return open_entry(*details)

    zipfile.ZipFile.open = open_slowly
    fetch.download.BACKOFF_SECONDS = 0.05
    fetch.download.CHUNK_BYTES = 1000  # the archive is small
    print("ready", flush=True)
    fetch.verify.LOL = SimpleNamespace(**json.loads(Path(registry).read_text()))
    fetch.fetch_lol(progress=False)


if __name__ == "__main__":
    main(sys.argv[1:])
