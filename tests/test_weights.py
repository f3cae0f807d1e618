"""The packaged weights and their cards, and model files of one's own."""

import json
import os
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from lle_utils import founding, images, training
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.errors import LleError
from lle_utils.network import build_network
from lle_utils.recipes import RECIPES
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

    def visit(node):
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                visit(child)
        if isinstance(node, dict) and node.get("module") == module:
            node["config"]["argument_of_tomorrow"] = None

    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                visit(config := json.loads(content))
                content = json.dumps(config)
            new.writestr(name, content)


def test_weights_saved_by_a_newer_keras(tmp_path):
    enhancer = Enhancer(build_network(seed=1), ("exposure", 1), iterations=3)
    enhancer.save(tmp_path / "mine.keras")

    add_argument(tmp_path / "mine.keras", tmp_path / "newer.keras", "keras.initializers")
    loaded = load_model(tmp_path / "newer.keras")
    assert (loaded.schedule, loaded.iterations) == (("exposure", 1), 3)
    for ours, theirs in zip(enhancer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    # What a layer would do with the argument we cannot know, so such a file is refused.
    add_argument(tmp_path / "mine.keras", tmp_path / "strange.keras", "keras.layers")
    with pytest.raises(LleError, match="can be loaded"):
        load_model(tmp_path / "strange.keras")


@pytest.mark.parametrize("note", ["recipe.json", "pairs.json"])
@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b"[1]"])
def test_a_runs_damaged_note_is_named(tmp_path, note, content):
    pairs = SimpleNamespace(names=["a"])
    claim = tmp_path, RECIPES["exposure"], [(pairs, 1.0)], pairs
    training._claim(*claim)
    training._claim(*claim)
    (tmp_path / note).write_bytes(content)
    with pytest.raises(LleError, match=f"{note} is damaged: choose another folder"):
        training._claim(*claim)


def test_a_runs_damaged_state_is_named(tmp_path):
    (tmp_path / training.RESUME).write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(LleError, match="is damaged. Move the folder away"):
        recipe = RECIPES["exposure"]
        trainee = training.build_trainee(recipe)
        training.compile_trainee(trainee, recipe, steps=1)
        training._resume(trainee, tmp_path, 1)


def test_a_disk_that_is_full_when_the_state_is_saved_is_told_in_one_line(tmp_path):
    """A limit on the size of files, between that of the weights and the state's, is the disk."""
    resource = pytest.importorskip("resource")
    high = np.kron(np.arange(90).reshape(10, 9, 1), np.ones((8, 8, 3)))
    for number in range(4):
        for side, share in (("low", 0.25), ("high", 1)):
            (tmp_path / "own" / side).mkdir(parents=True, exist_ok=True)
            picture = share * (high + number) / 100
            images.write_image(tmp_path / "own" / side / f"{number}.png", picture)
    call = [sys.executable, "-m", "lle_utils", "train", "--recipe", "exposure", "--epochs", "1"]
    call += ["--data", "own", "-o", "run"]

    def train(limit):
        return subprocess.run(
            call,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(WEIGHTS.parents[1])},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )

    done = train(600_000)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("lle: ") and "resume.weights.h5 of the run). Make room" in last
    assert train(resource.RLIM_INFINITY).returncode == 0
