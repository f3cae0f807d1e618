"""onnxruntime says what the Keras model says, and TensorFlow stays out of it."""

import numpy as np
import pytest
from calling import ROOT, run_python

from lle_utils import runtime
from lle_utils.inference import SETTINGS, enhance_picture
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


def test_its_settings_are_the_enhancers():
    found, enhancer = load_onnx("enhancer"), load_model()
    for name in SETTINGS:
        assert getattr(found, name) == pytest.approx(getattr(enhancer, name)), name


def test_other_weights_and_no_onnxruntime_are_left_to_keras(monkeypatch):
    assert load_onnx("founding") is None
    assert load_onnx("mine.keras") is None
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
