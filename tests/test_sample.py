"""The embedded sample: whole, small, licensed, split by scene, and dark as LOL is."""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lle_utils import camera

DATA = Path(__file__).resolve().parents[1] / "data"
SAMPLE = DATA / "sample"
FREE = {"public domain", "CC0 1.0", "CC BY 2.0", "CC BY 4.0"}


@pytest.fixture(scope="module")
def script():
    """Import data/make_sample.py, which is not part of the package."""
    sys.path.insert(0, str(DATA))
    import make_sample

    return make_sample


@pytest.fixture(scope="module")
def index(script):
    return script.read_index()


@pytest.fixture(scope="module")
def lows():
    """The dark pictures as uint8, by name."""
    files = sorted(SAMPLE.glob("*/low/*.png"))
    return {path.stem: np.asarray(Image.open(path)) for path in files}


@pytest.fixture(scope="module")
def lol():
    """The committed statistics: a row a name, a column a data set."""
    with open(SAMPLE / "lol_statistics.csv", encoding="utf-8") as file:
        (_, *columns), *rows = csv.reader(file)
    return {
        name: dict(zip(columns, [float(value or "nan") for value in values], strict=True))
        for name, *values in rows
    }


def test_the_index_lists_every_picture_once_and_nothing_else_in_8_megabytes(index):
    assert len({row["source_sha256"] for row in index}) == len(index)
    assert len({row["name"] for row in index}) == len(index)  # so no scene is in two splits
    splits = Counter(row["split"] for row in index)
    assert splits == {"train": 11, "heldout": 6, "dark": 3}
    listed = {"index.csv", "lol_statistics.csv"}
    for row in index:
        kinds = {row["file"]: "JPEG"}
        if row["split"] != "dark":
            kinds[f"{row['split']}/low/{row['name']}.png"] = "PNG"
        for name, kind in kinds.items():
            with Image.open(SAMPLE / name) as picture:
                assert (picture.format, picture.mode) == (kind, "RGB")
                assert picture.size == (int(row["width"]), int(row["height"]))
                assert max(picture.size) <= 600 and min(picture.size) >= 300
        listed |= kinds.keys()
    found = {p.relative_to(SAMPLE).as_posix() for p in SAMPLE.rglob("*") if p.is_file()}
    assert found == listed
    assert sum((SAMPLE / name).stat().st_size for name in found) <= 8e6


def test_the_readme_names_every_file_with_its_author_and_license(index):
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("| ")]
    for row in index:
        line = next((line for line in lines if f"| {row['file']} |" in line), None)
        assert line, f"data/README.md does not list {row['file']}"
        assert row["license"] in FREE
        for field in ("title", "author", "license", "license_url", "source", "source_file"):
            assert row[field] and row[field] in line


def test_dark_pictures_are_as_dark_and_as_noisy_as_lol(lows, lol):
    mean = np.mean([low.mean() for low in lows.values()])
    zeros = np.mean([(low == 0).mean() for low in lows.values()])
    for split in ("our485", "eval15"):
        assert mean == pytest.approx(lol["mean code"][split], abs=3)
        assert zeros == pytest.approx(lol["share of zeros"][split], abs=0.04)
    assert all(3 < low.mean() < 40 for low in lows.values())
    noise = [name for name in lol if name.startswith("noise") and "codes 0 to 1" not in name]
    ratio = np.array([lol[name]["sample"] / lol[name]["our485"] for name in noise])
    assert len(ratio) == 33 and np.isfinite(ratio).all()
    assert ratio.min() > 0.75 and ratio.max() < 1.33


def test_the_committed_statistics_are_the_samples_own(script, lol):
    for name, value in script.measure(SAMPLE / "train", SAMPLE / "heldout").items():
        assert value == pytest.approx(lol[name]["sample"], rel=0.02, abs=0.02, nan_ok=True), name


def test_dark_pictures_come_from_their_references(script, index, lows):
    """The seeded exposure is the listed one, and darkening again gives the same picture.

    A decoder may differ by one code value from the one used, which changes the noise and not
    the light: so the means are compared.
    """
    for row in index:
        if row["split"] == "dark":
            continue
        exposure, rng = script.draw_exposure(row["name"])
        assert exposure.stops == pytest.approx(float(row["stops"]), abs=1e-3)
        high = np.asarray(Image.open(SAMPLE / row["file"]))
        dark = camera.darken(high, exposure, rng) * 255
        assert np.allclose(dark.mean(axis=(0, 1)), lows[row["name"]].mean(axis=(0, 1)), atol=0.1)
