"""The ONNX file says what the Keras model says, at any size."""

from pathlib import Path

import numpy as np
import pytest

from lle_utils import cli
from lle_utils.enhancer import enhance_picture
from lle_utils.weights import load_model

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("export") / "enhancer.onnx"
    assert cli.main(["export", str(path)]) == 0
    assert [file.name for file in path.parent.iterdir()] == ["enhancer.onnx"]
    return runtime.InferenceSession(path)


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.mark.parametrize("size", [(32, 44), (53, 41), (1, 7)])
def test_it_is_the_keras_model(exported, model, size):
    picture = RNG.random((*size, 3), dtype=np.float32) / 6
    (found,) = exported.run(None, {"picture": picture[None]})
    expected = enhance_picture(model, picture)
    assert np.abs(found[0] - expected).max() < 1 / 255


def test_keras_exports_the_whole_enhancer(tmp_path, model):
    tf = pytest.importorskip("tensorflow")
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    for size in ((32, 44), (53, 41)):
        picture = RNG.random((*size, 3), dtype=np.float32) / 6
        found = np.clip(served.serve(picture[None])[0], 0, 1)
        np.testing.assert_allclose(found, enhance_picture(model, picture), atol=1e-3)


@pytest.mark.parametrize(
    ("installed", "name", "says"),
    [
        (True, "a.png", "ends in .onnx"),
        (True, "no/a.onnx", "no such folder"),
        (True, "there.onnx", "--overwrite"),
        (None, "a.onnx", "pip install 'lle-utils[onnx]'"),
    ],
)
def test_what_cannot_be_is_refused_at_once(refused, monkeypatch, installed, name, says):
    monkeypatch.setattr("lle_utils.export.find_spec", lambda name: installed)
    Path("there.onnx").touch()
    refused("export", name, says=says)
