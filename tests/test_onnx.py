"""The enhancer as an ONNX file, packaged or exported: it says what the Keras model says."""

from pathlib import Path

import numpy as np
import pytest
from calling import ROOT, run_python

from lle_utils import cli, onnx
from lle_utils.enhancer import enhance_picture
from lle_utils.inference import SETTINGS
from lle_utils.onnx import load_onnx
from lle_utils.weights import load_model

COFFEE = ROOT / "data" / "sample" / "heldout" / "low" / "coffee.png"
RNG = np.random.default_rng(0)
runtime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.mark.parametrize("size", [(1, 7), (32, 44), (253, 341)])
def test_the_packaged_network_is_that_of_the_keras_model(model, size):
    picture = RNG.random((*size, 3), dtype=np.float32) / 6
    found = enhance_picture(load_onnx("enhancer"), picture, 9)
    assert np.abs(found - enhance_picture(model, picture, 9)).max() < 1 / 255


def test_its_settings_are_the_enhancers(model):
    found = load_onnx("enhancer")
    for name in SETTINGS:
        assert getattr(found, name) == pytest.approx(getattr(model, name)), name


def test_other_weights_and_no_onnxruntime_are_left_to_keras(monkeypatch):
    assert load_onnx("founding") is None
    assert load_onnx("mine.keras") is None
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
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


def test_what_is_exported_is_the_whole_enhancer(model, tmp_path):
    pytest.importorskip("tf2onnx")
    path = tmp_path / "enhancer.onnx"
    assert cli.main(["export", str(path)]) == 0
    assert list(tmp_path.iterdir()) == [path]
    exported = runtime.InferenceSession(path)
    for size in ((32, 44), (53, 41), (1, 7)):
        picture = RNG.random((*size, 3), dtype=np.float32) / 6
        (found,) = exported.run(None, {"picture": picture[None]})
        assert np.abs(found[0] - enhance_picture(model, picture)).max() < 1 / 255


@pytest.mark.parametrize(
    ("installed", "name", "says"),
    [
        (True, "a.png", "ends in .onnx"),
        (True, "no/a.onnx", "no such folder"),
        (True, "there.onnx", "--overwrite"),
        (None, "a.onnx", "pip install 'lle-utils[onnx]'"),
    ],
)
def test_what_cannot_be_exported_is_refused_at_once(refused, monkeypatch, installed, name, says):
    monkeypatch.setattr(onnx, "find_spec", lambda name: installed)
    Path("there.onnx").touch()
    refused("export", name, says=says)
