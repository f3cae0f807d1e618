"""The README's figures: what each shows, and that the committed ones are what the code makes."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from lle_utils.model import RecursiveEnhancer, build_network, list_weights
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lle_utils import data, figures, founding, metrics, slides
from lle_utils.curve import FLOOR, Iteration, brighten
from lle_utils.errors import LleError
from lle_utils.images import to_uint8

COMMITTED = figures.default_folder("sample")
PAGES = [f"slides/{name}" for name in slides.SLIDES]
rng = np.random.default_rng(5)


def picture(height=40, width=60):
    return rng.random((height, width, 3), dtype=np.float32)


def made_steps(count, channels=3, height=40, width=60):
    steps, image = [], 0.1 * picture(height, width)
    for _ in range(count):
        parameter_map = rng.random((height, width, channels), dtype=np.float32)
        image = brighten(image, parameter_map)
        steps.append(Iteration(parameter_map, image))
    return steps


def texts(figure):
    return [
        text.get_text()
        for axes in figure.get_axes()
        for text in (axes.title, axes.xaxis.label, *axes.texts)
        if text.get_text()
    ]


def tiny_network(channels, seed):
    """One layer in place of seven: all that the figures' functions ask of a network."""
    kernel = keras.initializers.RandomNormal(0.3, seed=seed)
    layer = keras.layers.Conv2D(channels, 3, padding="same", activation="sigmoid")
    layer.kernel_initializer = kernel
    return keras.Sequential([keras.Input((None, None, 3)), layer])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Two untrained models in files, so small that all figures are made in seconds."""
    folder = tmp_path_factory.mktemp("weights")
    RecursiveEnhancer(tiny_network(3, seed=1), (8, 4), 8).save(folder / "enhancer.keras")
    tiny_network(1, seed=2).save(folder / "network.keras")
    RecursiveEnhancer(tiny_network(3, seed=3), (4,), 8).save(folder / "anydepth.keras")
    return {
        "weights": folder / "enhancer.keras",
        "founding_weights": folder / "network.keras",
        "anydepth_weights": folder / "anydepth.keras",
    }


# --- single figures -------------------------------------------------------------------------------


def test_hero_fills_each_row_with_pictures_of_any_shape():
    shapes = [(40, 60), (60, 40), (40, 60), (60, 40), (30, 90)]
    figure = figures.hero([(0.1 * picture(*s), picture(*s)) for s in shapes])
    boxes = [axes.get_position() for axes in figure.axes]
    assert len(boxes) == 5
    for row in (boxes[:3], boxes[3:]):
        assert row[0].x0 == pytest.approx(0) and row[-1].x1 == pytest.approx(1)
        assert len({round(box.height, 6) for box in row}) == 1
    inches = figure.get_size_inches()
    for box, (height, width) in zip(boxes, shapes, strict=True):
        assert box.width * inches[0] / (box.height * inches[1]) == pytest.approx(width / height)


def test_split_is_dark_on_the_left_and_bright_on_the_right():
    dark, bright = np.zeros((50, 80, 3), np.float32), np.full((50, 80, 3), 0.5, np.float32)
    joined = figures.split_slanted(dark, bright)
    assert joined.shape == dark.shape and joined.dtype == np.float32
    assert (joined[:, 0] == 0).all() and (joined[:, -1] == 0.5).all()
    assert (joined[0] == 0).sum() > (joined[-1] == 0).sum()  # it leans


@pytest.mark.parametrize("channels", [1, 3])
def test_iterations_share_one_color_scale(channels):
    steps = made_steps(8, channels)
    figure = figures.iteration_by_iteration(0.1 * picture(), steps, picture())
    limits = {
        image.get_clim()
        for axes in figure.axes
        for image in axes.images
        if image.get_array().ndim == 2
    }
    assert limits == {figures.shared_limits([step.parameter_map for step in steps])}
    titles = texts(figure)
    assert sum(title.startswith("map ") for title in titles) == 8
    assert f"map 8, mean {steps[7].parameter_map.mean():.2f}" in titles
    assert f"E₈, mean code {255 * steps[7].image.mean():.0f}" in titles


def test_shared_limits_hold_the_maps_and_are_round():
    low, high = figures.shared_limits([np.full((40, 40, 1), 0.23), np.full((40, 40, 1), 0.61)])
    assert (low, high) == (pytest.approx(0.2), pytest.approx(0.65))


def test_curve_family_draws_the_equation():
    figure = figures.curve_family(constants=(0, 1), depths=(0, 3), constant=0.5, alike=((2, 0.7),))
    one, many, same = figure.axes
    x, y = one.lines[1].get_data()
    assert one.lines[1].get_label() == "m = 1"
    np.testing.assert_allclose(y, 1 - (1 - x) ** 2)  # m = 1: what is missing to white is squared
    x, y = many.lines[1].get_data()
    for _ in range(3):
        x = x + 0.5 * x * (1 - x)
    np.testing.assert_allclose(y, x)
    assert same.lines[0].get_label() == "n = 2, m = 0.7"


def test_figures_leave_settings_and_pyplot_alone():
    import matplotlib
    from matplotlib import pyplot as plt

    before = dict(matplotlib.rcParams)
    figures.exposure_dial([[("as taken", picture()), ("4 iterations", picture())]])
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []


def test_a_figure_is_small_and_its_bytes_are_always_the_same():
    def draw():
        noise = np.random.default_rng(0).random((700, 1000, 3))  # the worst case for JPEG
        return figures.comparison([("noise", noise, "0.0 dB")] * 8)

    content = figures.encode(draw(), "noise.jpg")
    assert len(content) <= figures.MAX_BYTES
    assert content == figures.encode(draw(), "noise.jpg")


# --- the steps behind them ------------------------------------------------------------------------


def test_trace_of_an_enhancer_is_its_recursion():
    enhancer = RecursiveEnhancer(build_network(seed=3), (4, 2), 3)
    image = picture(41, 63)
    steps = figures.trace(enhancer, image, 3)
    assert [step.image.shape for step in steps] == [(41, 63, 3)] * 3
    expected = np.maximum(image, np.float32(FLOOR))
    for step in steps:
        expected = brighten(expected, step.parameter_map)
        np.testing.assert_allclose(step.image, expected, atol=1e-6)
    enhanced = enhancer.scaled_to(63).predict_on_batch(image[None])[0]
    np.testing.assert_allclose(steps[-1].image, enhanced, atol=1e-5)
    assert figures.trace(enhancer, image, 0) == []


def test_trace_of_a_bare_network_is_the_founding_recursion():
    network = build_network(1, seed=3)
    image = 0.2 * picture(20, 30)

    def predict(img):
        return network.predict_on_batch(np.asarray(img, np.float32)[None])[0]

    steps = figures.trace(network, image, 4)
    for count, step in enumerate(steps, 1):
        expected = founding.enhance(255 * image, count, predict=predict)
        np.testing.assert_allclose(step.image, expected, atol=1e-5)
    np.testing.assert_allclose(steps[0].parameter_map, predict(255 * image), atol=1e-5)
    np.testing.assert_allclose(steps[1].parameter_map, predict(steps[0].image), atol=1e-5)


# --- all of them ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def untrained(tmp_path_factory, weights):
    """Every figure, made with untrained weights, and the names in the order of their making."""
    folder = tmp_path_factory.mktemp("figures") / "made"
    order = []

    def progress(names):
        for name in names:
            order.append(name)
            yield name

    written = figures.make_figures("sample", folder, progress=progress, **weights)
    return folder, written, order


def test_make_figures_writes_every_figure_and_slide_and_the_record(untrained):
    folder, written, order = untrained
    assert order == [*figures.FIGURES, *PAGES]
    names = [path.relative_to(folder).as_posix() for path in written]
    assert names == [*figures.FIGURES, *PAGES, figures.RECORD]
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert sorted(found) == sorted(names)
    for path in written[: len(figures.FIGURES)]:
        assert path.stat().st_size <= figures.MAX_BYTES
        with Image.open(path) as image:
            image.load()
            assert 1200 <= image.width <= 1400


def test_slides_are_wide_pages_and_light_files(untrained):
    folder = untrained[0]
    for name in PAGES:
        assert (folder / name).stat().st_size <= slides.MAX_BYTES < figures.MAX_BYTES
        with Image.open(folder / name) as image:
            image.load()
            assert image.size == (1600, 900)


@pytest.fixture(scope="module")
def pages(weights):
    """Every slide as a Figure that was drawn, from untrained weights."""
    material = figures.Material("sample", weights["weights"], weights["founding_weights"])
    drawn = {name: make(material)[0] for name, make in slides.SLIDES.items()}
    for figure in drawn.values():
        FigureCanvasAgg(figure).draw()
    return drawn


def words_of(figure):
    """Return the texts that are seen, without the ticks outside of an axis."""
    hidden = {
        id(text) for axes in figure.axes if not axes.axison for text in axes.xaxis.findobj(Text)
    }
    return [
        text
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]


@pytest.mark.parametrize("name", slides.SLIDES)
def test_a_slides_words_are_large_and_inside_of_the_page(pages, name):
    figure = pages[name]
    for text in words_of(figure):
        assert text.get_fontsize() >= slides.SMALLEST_TYPE, text.get_text()
        box = text.get_window_extent().transformed(figure.transFigure.inverted())
        if not is_tick_outside(figure, text):
            assert box.x0 > 0.02 and box.x1 < 0.98, f"{text.get_text()!r} leaves the page"
            assert box.y0 > 0.01 and box.y1 < 0.99, f"{text.get_text()!r} leaves the page"


def is_tick_outside(figure, text):
    """Tell whether a text is a tick's that lies beyond its axis, which is not drawn."""
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in axis.get_major_ticks():
                if text in (tick.label1, tick.label2):
                    return not min(low, high) <= tick.get_loc() <= max(low, high)
    return False


@pytest.mark.parametrize("name", slides.SLIDES)
def test_no_two_words_of_a_slide_overlap(pages, name):
    figure = pages[name]
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in words_of(figure)
        if not is_tick_outside(figure, text)
    ]
    for index, (one, box) in enumerate(boxes):
        for other, second in boxes[index + 1 :]:
            assert not box.overlaps(second), f"{one!r} and {other!r} overlap"


def test_a_slides_axes_say_what_they_measure(pages):
    plots = 0
    for name, figure in pages.items():
        for axes in figure.axes:
            if axes.lines or axes.patches:
                plots += 1
                assert axes.get_xlabel(), name
                assert axes.get_ylabel() or axes.get_yticklabels()[0].get_text(), name
    assert plots >= 4


def test_the_slides_steps_share_one_color_scale(pages):
    maps = [
        image.get_clim()
        for axes in pages["steps.jpg"].axes
        for image in axes.images
        if image.get_array().ndim == 2
    ]
    assert len(maps) == 3 and len(set(maps)) == 1


def test_noise_gain_is_the_curves_slope():
    x, small = np.array([0.02, 0.05, 0.3, 0.9]), 1e-6
    slope = (figures.bend(x + small, 0.38, 8) - figures.bend(x - small, 0.38, 8)) / (2 * small)
    np.testing.assert_allclose(slides.gain_of(x, 0.38, 8), slope, rtol=1e-5)


def test_the_differences_say_what_the_interval_allows():
    rows = [("ahead", np.array([1.0, 2, 3])), ("behind", -np.array([1.0, 2, 3]))]
    figure = slides.differences([*rows, ("either", np.array([-2.0, 0.1, 2]))], 3)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(said) == ["better", "not decided", "worse"]


def test_the_record_tells_the_truth(untrained, weights):
    record = json.loads((untrained[0] / figures.RECORD).read_text())
    pair = data.load("sample", "test")["coffee"]
    enhancer = keras.models.load_model(weights["anydepth_weights"])
    assert record["weights"]["anydepth"] == figures.fingerprint(enhancer)
    (panel,) = [one for one in record["figures"]["hero.jpg"] if one["picture"] == "coffee"]
    enhanced = enhancer.predict_on_batch(pair.low[None])[0]
    expected = metrics.psnr(to_uint8(enhanced), to_uint8(pair.high))
    assert panel["psnr"] == pytest.approx(expected, abs=0.01)
    assert panel["mean_code"] == pytest.approx(255 * enhanced.mean(), abs=0.1)


def test_the_examples_take_12_8_and_7_iterations_by_darkness(untrained):
    record = json.loads((untrained[0] / figures.RECORD).read_text())
    panels = record["figures"]["examples.jpg"]
    assert [one["iterations"] for one in panels if one["iterations"]] == [12, 8, 7]
    codes = [one["mean_code"] for one in panels if not one["iterations"]]
    assert codes == sorted(codes) and codes[0] < founding.VERY_DARK


def test_a_second_run_gives_the_same_bytes(untrained, weights):
    folder = untrained[0]

    def contents():
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = contents()
    figures.make_figures("sample", folder, **weights)
    assert contents() == before


def test_nothing_foreign_is_overwritten_and_nothing_half_done_is_left(tmp_path, weights):
    (tmp_path / "dial.jpg").write_text("mine")
    with pytest.raises(LleError, match="dial.jpg exists already"):
        figures.make_figures("sample", tmp_path, **weights)
    assert [path.name for path in tmp_path.iterdir()] == ["dial.jpg"]
    assert (tmp_path / "dial.jpg").read_text() == "mine"
    (tmp_path / "dial.jpg").unlink()
    (tmp_path / "slides").write_text("mine")
    with pytest.raises(LleError, match="slides is a file"):
        figures.make_figures("sample", tmp_path, **weights)
    (tmp_path / "slides").unlink()
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides" / "dial.jpg").write_text("mine")
    with pytest.raises(LleError, match="dial.jpg exists already"):
        figures.make_figures("sample", tmp_path, **weights)
    assert (tmp_path / "slides" / "dial.jpg").read_text() == "mine"


def test_bad_folders_and_names_are_refused_in_one_line(tmp_path, weights):
    with pytest.raises(LleError, match="no such folder"):
        figures.make_figures("sample", tmp_path / "missing" / "figures", **weights)
    (tmp_path / "file").write_text("")
    with pytest.raises(LleError, match="file is a file; name a folder"):
        figures.make_figures("sample", tmp_path / "file", **weights)
    with pytest.raises(ValueError, match="there is none called 'lot'"):
        figures.make_figures("lot", tmp_path / "new", **weights)
    assert not (tmp_path / "new").exists()
    with pytest.raises(LleError, match="nowhere.keras: no such file"):
        figures.make_figures("sample", tmp_path, weights=tmp_path / "nowhere.keras")
    with pytest.raises(LleError, match="may not be redistributed"):
        figures.make_figures("lol", COMMITTED)


def test_lol_figures_go_to_an_ignored_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    assert figures.default_folder("lol") == tmp_path / "figures-lol"


def test_compare_says_what_differs_and_forgives_rounding():
    panel = figures.Panel("coffee", "curve", 8, 99.0, 20.0, 0.3)
    recorded = dataclasses.asdict(panel)
    assert figures.compare([recorded | {"psnr": 20.01, "mean_code": 99.1}], [panel]) == []
    for change in ({"psnr": 20.1}, {"picture": "room"}, {"iterations": 7}, {"mean_map": None}):
        (difference,) = figures.compare([recorded | change], [panel])
        assert f"coffee, curve: {next(iter(change))} " in difference
    same = figures.Panel("coffee", "reference", None, 99.0, float("inf"))
    assert figures.compare([dataclasses.asdict(same)], [same]) == []
    assert figures.compare([], [panel]) == ["0 panels are recorded and 1 were made"]


# --- the committed ones ---------------------------------------------------------------------------

needs_weights = pytest.mark.skipif(
    not {"curve8", "founding"} <= set(list_weights()), reason="the weights are still in training"
)


@pytest.fixture(scope="module")
def committed():
    return json.loads((COMMITTED / figures.RECORD).read_text())


@needs_weights
def test_the_committed_figures_are_complete_and_of_the_sample(committed):
    assert committed["dataset"] == "sample" and committed["split"] == "test"
    assert list(committed["figures"]) == list(figures.FIGURES)
    for name in figures.FIGURES:
        assert (COMMITTED / name).stat().st_size <= figures.MAX_BYTES
    assert list(committed["slides"]) == list(slides.SLIDES)
    for name in PAGES:
        assert (COMMITTED / name).stat().st_size <= slides.MAX_BYTES
    assert {path.name for path in (COMMITTED / "slides").iterdir()} == set(slides.SLIDES)
    recorded = [*committed["figures"].values(), *committed["slides"].values()]
    named = {one["picture"] for panels in recorded for one in panels}
    assert named <= set(data.load("sample", "test", lazy=True).names)


@needs_weights
def test_the_committed_figures_data_is_what_the_weights_give(committed):
    material = figures.Material()
    found = {name: figures.fingerprint(model) for name, model in material.models.items()}
    assert committed["weights"] == found, "other weights than the figures' own: `make figures`"
    for part, makers in (("figures", figures.FIGURES), ("slides", slides.SLIDES)):
        for name, make in makers.items():
            figure, panels = make(material)
            assert isinstance(figure, Figure)
            differences = figures.compare(committed[part][name], panels)
            assert not differences, f"{part}, {name}: {differences}: `make figures`"
