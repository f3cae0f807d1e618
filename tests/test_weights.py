"""The packaged weights and their cards, and model files of one's own."""

import json
import zipfile

import keras
import numpy as np
import pytest

from lle_utils import founding, training
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.errors import LleError
from lle_utils.network import build_network
from lle_utils.weights import WEIGHTS, list_weights, load_card, load_model


def test_each_weights_file_has_a_card():
    assert list_weights() == ["enhancer", "founding"]
    for name in list_weights():
        card = load_card(name)
        for fact in ("data", "seed", "recipe", "steps", "minutes", "scores"):
            assert fact in card, f"{name}: {fact}"
        assert len(card["scores"]["images of eval15"]) == 15
    assert load_card("enhancer")["parameters"] == load_model().count_params() == 67_299
    network = load_model("founding").network
    assert load_card("founding")["parameters"] == network.count_params() == 66_145


def test_the_card_agrees_with_its_log():
    card = load_card("enhancer")
    log = training.read_log(WEIGHTS / card["log"])
    assert len(log) == card["epochs run"] == card["epoch of these weights"]
    assert card["recipe"]["epochs"] >= len(log)
    assert card["is the packaged recipe"]


def test_founding_weights_do_worse_than_one_constant():
    scores = load_card("founding")["scores"]["validation"]
    assert scores["weights"]["psnr"] < scores["constant"]["psnr"]


def test_founding_weights_run_by_the_founding_function():
    model = load_model("founding")
    picture = np.random.default_rng(0).random((20, 24, 3), dtype=np.float32) / 8

    def predict(img):
        return keras.ops.convert_to_numpy(model.network(np.asarray(img, np.float32)[None]))[0]

    expected = founding.enhance(255 * picture, 7, predict=predict)
    np.testing.assert_allclose(enhance_picture(model, picture, 7), expected, atol=1e-5)


def test_what_are_no_weights_is_refused_by_name(tmp_path):
    with pytest.raises(LleError, match="no weights called 'curve9'; there are enhancer, founding"):
        load_model("curve9")
    with pytest.raises(LleError, match="no such file"):
        load_model(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(LleError, match="text.keras is not a Keras model"):
        load_model(tmp_path / "text.keras")
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    dense.save(tmp_path / "dense.keras")
    with pytest.raises(LleError, match="does not take pictures"):
        load_model(tmp_path / "dense.keras")


def add_argument(saved, written, module: str) -> None:
    """Write a model file anew, with an argument that no Keras knows in each class of a module."""

    def add(node):
        if node.get("module") == module:
            node["config"]["argument_of_tomorrow"] = None
        return node

    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                content = json.dumps(json.loads(content, object_hook=add))
            new.writestr(name, content)


def test_weights_saved_by_a_newer_keras(tmp_path):
    enhancer = Enhancer(build_network(seed=1), ("exposure", 1), 3, floor=0.001)
    enhancer.save(tmp_path / "mine.keras")

    add_argument(tmp_path / "mine.keras", tmp_path / "newer.keras", "keras.initializers")
    loaded = load_model(tmp_path / "newer.keras")
    assert (loaded.schedule, loaded.iterations, loaded.floor) == (("exposure", 1), 3, 0.001)
    for ours, theirs in zip(enhancer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    # What a layer would do with the argument we cannot know, so such a file is refused.
    add_argument(tmp_path / "mine.keras", tmp_path / "strange.keras", "keras.layers")
    with pytest.raises(LleError, match="can be loaded"):
        load_model(tmp_path / "strange.keras")
