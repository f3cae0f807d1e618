"""onnxruntime says what the Keras model says, and TensorFlow stays out of it."""

import json
import zipfile

import keras
import numpy as np
import pytest
from calling import ROOT, run_python
from test_enhancer import random_network

from lle_utils import runtime
from lle_utils.enhancer import EXPOSURE, Enhancer, enhance_picture
from lle_utils.runtime import load_onnx
from lle_utils.weights import load_model

COFFEE = ROOT / "data" / "sample" / "heldout" / "low" / "coffee.png"
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def runtime_is_installed():
    pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("size", [(1, 7), (32, 44), (253, 341)])
def test_it_is_the_keras_model(size):
    picture = RNG.random((*size, 3), dtype=np.float32) / 6
    found = enhance_picture(load_onnx("enhancer"), picture, 9)
    assert np.abs(found - enhance_picture(load_model(), picture, 9)).max() < 1 / 255


@pytest.mark.parametrize("conditioned", [False, True])
def test_weights_of_your_own(tmp_path, conditioned):
    """What is run is what is in the file now."""
    picture = RNG.random((30, 40, 3), dtype=np.float32) / 6
    for seed in (1, 2):
        mine = Enhancer(random_network(seed), (EXPOSURE, 3, 1), 6, 0.003)
        if not conditioned:
            mine.network = keras.models.clone_model(load_model("founding").network)
        mine.save(tmp_path / "mine.keras")
        found = load_onnx(tmp_path / "mine.keras")
        assert (found.schedule, found.iterations, found.floor) == ((EXPOSURE, 3, 1), 6, 0.003)
        assert np.abs(enhance_picture(found, picture) - enhance_picture(mine, picture)).max() < 1e-4


def _changed(change):
    def make(path):
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        saved = json.loads(parts["config.json"])
        change(saved["config"]["network"]["config"]["layers"])
        parts["config.json"] = json.dumps(saved)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return make


def _unknown(layers):
    layers[3]["class_name"] = "SeparableConv2D"


def _strided(layers):
    layers[3]["config"]["strides"] = [2, 2]


def _half(layers):
    layers[3]["config"]["dtype"]["config"]["name"] = "mixed_bfloat16"


def _softmax(layers):
    layers[3]["config"]["activation"] = "softmax"


@pytest.mark.parametrize(
    "spoil",
    [
        *map(_changed, (_unknown, _strided, _half, _softmax)),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.unlink(),
    ],
)
def test_what_it_cannot_run_is_left_to_keras(tmp_path, spoil):
    path = tmp_path / "mine.keras"
    Enhancer(random_network()).save(path)
    assert load_onnx(path)
    spoil(path)
    assert load_onnx(path) is None


def test_other_weights_and_no_onnxruntime_are_left_to_keras(monkeypatch):
    assert load_onnx("founding") is None
    assert load_onnx("nothing of the kind") is None
    monkeypatch.setattr(runtime, "find_spec", lambda name: None)
    assert load_onnx("enhancer") is None


@pytest.mark.parametrize("options", [[], ["--for", "vision"], ["--maps"]])
def test_the_command_imports_no_tensorflow(tmp_path, options):
    code = (
        "import sys; from lle_utils import cli\n"
        f"code = cli.main(['enhance', {str(COFFEE)!r}, '-o', 'a.png', *{options!r}])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(code)"
    )
    done = run_python(code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
