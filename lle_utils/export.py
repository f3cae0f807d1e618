"""The enhancer as an ONNX file, for programs without TensorFlow."""

import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lle_utils.errors import LleError
from lle_utils.images import check_writable, remove_parts, replace_file
from lle_utils.inference import SETTINGS
from lle_utils.quiet import without_log_lines


def check_export(path: str | Path, *, overwrite: bool = False) -> Path:
    """Make sure that an ONNX file can be made at `path`, before the weights are loaded."""
    path = Path(path)
    missing = [name for name in ("onnx", "tf2onnx") if find_spec(name) is None]
    if missing:
        raise LleError(
            f"an export needs {' and '.join(missing)}: pip install 'lle-utils[onnx]', or "
            "pip install onnx tf2onnx"
        )
    if path.suffix.lower() != ".onnx":
        raise LleError(f"{path}: the name of an ONNX file ends in .onnx")
    remove_parts(path.parent)
    check_writable(path, overwrite=overwrite)
    return path


def export_onnx(model, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write what `weights.load_model` returned as an ONNX file that takes pictures of any size.

    Its one input, ``picture``, and its one output are float32 of the shape (batch, height, width,
    3), RGB in [0, 1].
    """
    from lle_utils.enhancer import as_functional

    path = check_export(path, overwrite=overwrite)
    _write(as_functional(model), path)
    return path


def write_network(enhancer, path: Path) -> None:
    """Write an enhancer's network as the ONNX file that `runtime` reads, its settings with it."""
    import onnx

    enhancer.predict_map(np.zeros((8, 8, 3), np.float32))  # Keras exports what was called once
    _write(enhancer.network, path)
    model = onnx.load(path)
    settings = {name: getattr(enhancer, name) for name in SETTINGS}
    onnx.helper.set_model_props(model, {"settings": json.dumps(settings)})
    onnx.save(model, path)


def _write(model, path: Path) -> None:
    with warnings.catch_warnings(), without_log_lines():
        warnings.simplefilter("ignore")  # what Keras and tf2onnx say of NumPy
        replace_file(path, lambda partial: model.export(partial, format="onnx", verbose=False))
