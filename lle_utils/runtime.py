"""The packaged enhancer run by onnxruntime, where it is installed: without Keras or TensorFlow.

``weights/enhancer.onnx`` is the network of ``enhancer.keras``, with the enhancer's settings as
metadata; `export.write_network` makes it.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lle_utils.quiet import without_log_lines

WEIGHTS = Path(__file__).with_name("weights")
"""The folder of the packaged weights, their cards and their logs."""


class OnnxEnhancer:
    """What `inference.enhance_picture` needs of an enhancer, from an ONNX file of its network."""

    def __init__(self, path: Path):
        with without_log_lines():
            import onnxruntime

        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # keeps the memory of the largest tile for ever
        options.log_severity_level = 3
        providers = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(path, options, providers=providers)
        metadata = self._session.get_modelmeta().custom_metadata_map
        vars(self).update(json.loads(metadata["settings"]))  # see `inference.SETTINGS`

    def predict_map(self, image: np.ndarray) -> np.ndarray:
        """Run the network on one picture (height, width, 3) of float32."""
        return self._session.run(None, {"picture": image[None]})[0][0]


def load_onnx(name: str) -> OnnxEnhancer | None:
    """Load packaged weights for onnxruntime; None if it, or an ONNX file of them, is missing.

    Then `weights.load_model` loads them.
    """
    path = WEIGHTS / f"{name}.onnx"
    if find_spec("onnxruntime") is None or not path.is_file():
        return None
    return OnnxEnhancer(path)
