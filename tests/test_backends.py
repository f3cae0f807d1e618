"""The same enhancer on every back end of Keras that is installed."""

import json

import pytest
from calling import run_python

SCRIPT = """
import json, sys
import keras, numpy as np
from lle_utils import training
from lle_utils.enhancer import Enhancer
from lle_utils.network import build_network
from lle_utils.recipes import Recipe
from lle_utils.weights import load_model
weights = np.random.default_rng(0)
enhancer = Enhancer(build_network(conditioned=True, seed=1))
enhancer.set_weights([weights.normal(0, 0.1, w.shape) for w in enhancer.get_weights()])
pictures = np.random.default_rng(1).random((2, 41, 63, 3), dtype=np.float32) / 8
before = keras.ops.convert_to_numpy(enhancer(pictures))
enhancer.save(sys.argv[1])
after = keras.ops.convert_to_numpy(load_model(sys.argv[1])(pictures[:, :9, :11]))
recipe = Recipe(crop=16, depths=(7, 8), epochs=10)
trainee = training.build_trainee(recipe)
trainee.set_weights([weights.normal(0, 0.1, w.shape) for w in trainee.get_weights()])
training.compile_trainee(trainee, recipe, 10)
inputs = {
    "thumbnail": pictures[:, :24, :24], "crop": pictures[:, :16, :16],
    "depth": np.array([7, 8], np.int32),
    "box": np.array([[0.1, 0.2, 0.4, 0.3], [0, 0, 0.5, 0.5]], np.float32),
}
targets = {name: np.sqrt(inputs[name]) for name in ("thumbnail", "crop")}
history = trainee.fit(inputs, targets, batch_size=2, epochs=10, shuffle=False, verbose=0)
print(json.dumps({
    "backend": keras.backend.backend(),
    "before": [float(before.mean()), float(before.std()), float(before.max())],
    "after": [float(after.mean()), float(after.std())],
    "losses": history.history["loss"],
}))
"""


def _run(backend: str, folder) -> dict:
    done = run_python(SCRIPT, folder / "model.keras", KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def by_tensorflow(tmp_path_factory):
    return _run("tensorflow", tmp_path_factory.mktemp("tensorflow"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_ten_steps_of_training_agree(backend, by_tensorflow, tmp_path):
    pytest.importorskip(backend)
    found = _run(backend, tmp_path)
    assert found["backend"] == backend
    assert found["before"] == pytest.approx(by_tensorflow["before"], rel=1e-4)
    assert found["losses"] == pytest.approx(by_tensorflow["losses"], rel=2e-3)
    assert found["after"] == pytest.approx(by_tensorflow["after"], rel=1e-3)
    assert found["losses"][-1] < found["losses"][0]
