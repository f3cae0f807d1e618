"""The same enhancer on every back end of Keras that is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
import keras, numpy as np
from lle_utils import model, training
from lle_utils.recipes import Recipe
network = model.build_network(seed=1, initial_map=0.38)
enhancer = model.RecursiveEnhancer(
    network, (4, 2, 1), 4, companion=4, keep_colors=True, evenness=0.7, mirrored=True,
    grayness=0.3, settle=0.05
)
weights = np.random.default_rng(0)
enhancer.set_weights([weights.normal(0, 0.1, w.shape) for w in enhancer.get_weights()])
pictures = np.random.default_rng(1).random((2, 21, 34, 3), dtype=np.float32) / 8
before = enhancer.predict(pictures, verbose=0)
enhancer.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
history = enhancer.fit(
    pictures, np.sqrt(pictures), batch_size=1, epochs=5, shuffle=False, verbose=0
)
enhancer.save(sys.argv[1])
loaded = model.load_model(sys.argv[1])
after = loaded.predict(pictures[:, :9, :11], verbose=0)
recipe = Recipe(
    schedule=(4, 2, 1, 4), depths=(3, 5), shrink=4, crop=16, loss="mse+ssim", rest=0.1,
    keep_colors=True, evenness=0.7,
)
trainee = training.build_trainee(recipe)
trainee.set_weights([weights.normal(0, 0.1, w.shape) for w in trainee.get_weights()])
training.compile_trainee(trainee, recipe, 5)
inputs = {
    "picture": pictures[:, :6, :8], "crop": pictures[:, :16, :16],
    "depth": np.array([3, 5], np.int32), "corner": np.array([[0, 1], [2, 3]], np.int32),
}
targets = {name: np.sqrt(inputs[name]) for name in ("picture", "crop")}
two = trainee.fit(inputs, targets, batch_size=2, epochs=5, shuffle=False, verbose=0)
print(json.dumps({
    "two scales": two.history["loss"],
    "backend": keras.backend.backend(),
    "before": [float(before.mean()), float(before.std()), float(before.max())],
    "losses": history.history["loss"],
    "after": [float(after.mean()), float(after.std())],
}))
"""


def _run(backend: str, folder) -> dict:
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "model.keras")],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def by_tensorflow(tmp_path_factory):
    return _run("tensorflow", tmp_path_factory.mktemp("tensorflow"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_ten_steps_of_training_agree(backend, by_tensorflow, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    found = _run(backend, tmp_path)
    assert found["backend"] == backend
    assert found["before"] == pytest.approx(by_tensorflow["before"], rel=1e-4)
    assert found["losses"] == pytest.approx(by_tensorflow["losses"], rel=1e-3)
    assert found["after"] == pytest.approx(by_tensorflow["after"], rel=1e-3)
    assert found["two scales"] == pytest.approx(by_tensorflow["two scales"], rel=2e-3)
    assert found["two scales"][-1] < found["two scales"][0]
    assert found["losses"][-1] < found["losses"][0]
