"""The enhancer as an ONNX file: run by onnxruntime, without Keras or TensorFlow, and written.

``weights/enhancer.onnx`` is the network of ``enhancer.keras``, with the enhancer's settings as
metadata. What a user exports is the whole enhancer.
"""

import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lle_utils.errors import LleError
from lle_utils.images import check_writable, replace_file
from lle_utils.inference import SETTINGS
from lle_utils.paths import WEIGHTS
from lle_utils.process import without_log_lines


class OnnxEnhancer:
    """What `inference.enhance_picture` needs of an enhancer, from an ONNX file of its network."""

    def __init__(self, path: Path):
        with without_log_lines():
            import onnxruntime

        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # keeps the memory of the largest tile forever
        options.log_severity_level = 3
        providers = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(path, options, providers=providers)
        metadata = self._session.get_modelmeta().custom_metadata_map
        vars(self).update(json.loads(metadata["settings"]))  # see `inference.SETTINGS`

    def predict_maps(self, images: np.ndarray) -> np.ndarray:
        """Run the network on pictures (batch, height, width, 3) of float32."""
        return self._session.run(None, {"picture": images})[0]


def load_onnx(name: str) -> OnnxEnhancer | None:
    """Load packaged weights for onnxruntime; None if it, or an ONNX file of them, is missing."""
    path = WEIGHTS / f"{name}.onnx"
    if find_spec("onnxruntime") is None or not path.is_file():
        return None
    return OnnxEnhancer(path)


def write_network(enhancer, path: Path) -> None:
    """Write an enhancer's network as the ONNX file that `load_onnx` reads."""
    import onnx

    _write(enhancer.network, path)
    model = onnx.load(path)
    settings = {name: getattr(enhancer, name) for name in SETTINGS}
    onnx.helper.set_model_props(model, {"settings": json.dumps(settings)})
    onnx.save(model, path)


def export_onnx(weights: str | Path, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write weights, as `weights.load_model` takes them, as an ONNX file for pictures of any size.

    Its one input, ``picture``, and its one output are float32 of the shape (batch, height, width,
    3), RGB in [0, 1].
    """
    path = Path(path)
    missing = [name for name in ("onnx", "tf2onnx") if find_spec(name) is None]
    if missing:
        raise LleError(
            f"an export needs {' and '.join(missing)}: pip install 'lle-utils[onnx]', or "
            "pip install onnx tf2onnx"
        )
    if path.suffix.lower() != ".onnx":
        raise LleError(f"{path}: the name of an ONNX file ends in .onnx")
    check_writable(path, overwrite=overwrite)

    from lle_utils.backend import keras  # takes long: not before all was checked
    from lle_utils.weights import load_model

    picture = keras.Input((None, None, 3), name="picture")
    _write(keras.Model(picture, load_model(weights)(picture)), path)
    return path


def _write(model, path: Path) -> None:
    model(np.zeros((1, 8, 8, 3), np.float32))  # Keras exports what was called once
    with warnings.catch_warnings(), without_log_lines():
        warnings.simplefilter("ignore")  # what Keras and tf2onnx say of NumPy
        replace_file(path, lambda partial: model.export(partial, format="onnx", verbose=False))
