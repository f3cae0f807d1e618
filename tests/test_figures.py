"""The figures and slides: what each shows, and that the committed ones are what the code makes."""

import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from lle_utils import data, drawing, enhancer, figures, metrics
from lle_utils.curve import Iteration
from lle_utils.errors import LleError
from lle_utils.images import to_uint8
from lle_utils.inference import map_kinds
from lle_utils.material import Material, Panel

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import slides  # noqa: E402

COMMITTED = ROOT / "notebooks" / "figures"
ALL = [(COMMITTED, name, make) for name, make in figures.FIGURES.items()]
ALL += [(COMMITTED / "slides", name, make) for name, make in slides.SLIDES.items()]
each = pytest.mark.parametrize("folder, name, make", ALL, ids=[f"{f.name}-{n}" for f, n, _ in ALL])


@pytest.fixture(scope="module")
def material():
    return Material()


def picture(height=40, width=60):
    return np.random.default_rng(5).random((height, width, 3), dtype=np.float32)


# --- drawing --------------------------------------------------------------------------------------


def test_hero_fills_each_row_with_pictures_of_any_shape():
    shapes = [(40, 60), (60, 40), (40, 60), (60, 40), (30, 90)]
    figure = drawing.hero([(0.1 * picture(*s), picture(*s)) for s in shapes])
    boxes = [axes.get_position() for axes in figure.axes]
    for row in (boxes[:3], boxes[3:]):
        assert row[0].x0 == pytest.approx(0) and row[-1].x1 == pytest.approx(1)
    inches = figure.get_size_inches()
    for box, (height, width) in zip(boxes, shapes, strict=True):
        assert box.width * inches[0] / (box.height * inches[1]) == pytest.approx(width / height)


def test_split_is_dark_on_the_left_and_bright_on_the_right():
    joined = drawing.split_slanted(np.zeros((50, 80, 3)), np.full((50, 80, 3), 0.5))
    assert (joined[:, 0] == 0).all() and (joined[:, -1] == 0.5).all()
    assert (joined[0] == 0).sum() > (joined[-1] == 0).sum()  # it leans


def test_iterations_share_one_color_scale_and_exposure_is_written_as_numbers():
    flat = np.broadcast_to(np.float32([0.9, 0.5, 0.25]), (40, 60, 3))
    steps = [Iteration(parameter_map, picture()) for parameter_map in (flat, picture())]
    figure = drawing.iteration_by_iteration(picture(), steps, picture(), ["how much", "where"])
    maps = [axes for axes in figure.axes if "map" in axes.get_title()]
    assert [axes.images[0].get_clim() for axes in maps] == [(0, 1), (0, 1)]
    assert maps[0].get_title() == f"map 1, mean {flat.mean():.2f}\nhow much"
    assert [text.get_text() for text in maps[0].texts] == ["R 0.90\nG 0.50\nB 0.25"]
    assert not maps[1].texts


def test_a_drawing_leaves_settings_and_pyplot_alone():
    before = dict(matplotlib.rcParams)
    figure = drawing.curve_family()
    assert dict(matplotlib.rcParams) == before and plt.get_fignums() == []
    x, y = figure.axes[0].lines[-1].get_data()
    np.testing.assert_allclose(y, 1 - (1 - x) ** 2)  # m = 1: what is missing to white is squared


def test_a_file_is_small_even_if_it_is_all_noise():
    noise = np.random.default_rng(0).random((700, 1000, 3))
    file = figures.encode(drawing.comparison([("noise", noise, "0.0 dB")] * 8), "noise.jpg")
    assert len(file) <= figures.MAX_BYTES


# --- the material and the record ------------------------------------------------------------------


def test_the_kinds_of_map_follow_the_schedule():
    kinds = map_kinds(enhancer.SCHEDULE, 9)
    assert kinds[:4] == ["how much"] * 3 + ["where"]
    assert kinds[4:7] == ["detail, 1/2 size", "detail, full size", "detail, full size"]
    assert kinds[7:] == ["how much"] * 2


def test_a_panel_tells_the_truth(material):
    pair = data.load("sample", "test")["coffee"]
    enhanced = enhancer.enhance_picture(material.models["enhancer"], pair.low)
    panel = material.panel("coffee", "enhancer", material.enhanced("coffee"), 8)
    decibels = metrics.psnr(to_uint8(enhanced), to_uint8(pair.high))
    assert panel.psnr == pytest.approx(decibels, abs=0.01)
    assert panel.mean_code == pytest.approx(255 * enhanced.mean(), abs=0.1)


def test_compare_says_what_differs_and_forgives_rounding():
    panel = Panel("coffee", "enhancer", 8, 99.0, 20.0, 0.3)
    recorded = vars(panel)
    assert figures.compare([recorded | {"psnr": 20.01, "mean_code": 99.1}], [panel]) == []
    for change in ({"psnr": 20.1}, {"picture": "room"}, {"iterations": 7}, {"mean_map": None}):
        (difference,) = figures.compare([recorded | change], [panel])
        assert f"coffee, enhancer: {next(iter(change))} " in difference
    assert len(figures.compare([], [panel])) == 1


# --- making them ----------------------------------------------------------------------------------


def test_make_figures_writes_the_figures_and_their_record(tmp_path, monkeypatch, material):
    monkeypatch.setattr(figures, "Material", lambda *_: material)
    makers = {"curves.png": figures.make_curves, "dial.jpg": figures.make_dial}
    written = figures.make_figures("sample", tmp_path / "made", makers=makers)
    assert [path.name for path in written] == ["curves.png", "dial.jpg", figures.RECORD]
    before = [path.read_bytes() for path in written]
    record = json.loads(before[-1])
    _, panels = figures.make_dial(material)
    assert figures.compare(record["figures"]["dial.jpg"], panels) == []
    figures.make_figures("sample", tmp_path / "made", makers=makers)  # over those of an earlier run
    assert [path.read_bytes() for path in written] == before


def test_nothing_foreign_is_overwritten(tmp_path):
    (tmp_path / "dial.jpg").write_text("mine")
    for place in (tmp_path, tmp_path / "dial.jpg"):
        with pytest.raises(LleError, match=f"{place} exists already"):
            figures.make_figures("sample", place)
    assert (tmp_path / "dial.jpg").read_text() == "mine"


def test_lol_is_never_written_into_the_repository_but_to_an_ignored_folder(tmp_path, monkeypatch):
    for place in ("notebooks/figures", "notebooks/figures/slides", "new", "data/x"):
        with pytest.raises(LleError, match="may not be redistributed"):
            figures.make_figures("lol", ROOT / place)
    ignored = figures.default_folder("lol").relative_to(ROOT)
    assert f"{ignored}/" in (ROOT / ".gitignore").read_text().splitlines()
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    assert figures.default_folder("lol") == tmp_path / "figures-lol"


# --- the committed ones ---------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [COMMITTED, COMMITTED / "slides"], ids=["figures", "slides"])
def test_the_committed_record_is_of_the_sample_and_these_weights(folder, material):
    record = json.loads((folder / figures.RECORD).read_text())
    names = [name for place, name, _ in ALL if place == folder]
    assert (record["dataset"], record["split"]) == ("sample", "test")
    assert list(record["figures"]) == names
    found = {path.name for path in folder.iterdir() if path.is_file()}
    assert found == {*names, figures.RECORD}
    weights = {name: figures.fingerprint(model) for name, model in material.models.items()}
    assert record["weights"] == weights, "made with other weights: `make figures slides`"


@each
def test_a_committed_figure_is_what_the_weights_give_and_can_be_read(folder, name, make, material):
    figure, panels = make(material)
    record = json.loads((folder / figures.RECORD).read_text())
    differences = figures.compare(record["figures"][name], panels)
    assert not differences, f"{differences}: `make figures slides`"
    assert (folder / name).stat().st_size <= figures.MAX_BYTES
    with Image.open(folder / name) as image:
        inches = figure.get_size_inches()
        assert image.size == pytest.approx(inches * figure.dpi, abs=2)
    figure.canvas.draw()
    smallest = 18 if folder.name == "slides" else 12
    for text in figure.findobj(matplotlib.text.Text):
        assert not text.get_text().strip() or text.get_fontsize() >= smallest, text.get_text()
