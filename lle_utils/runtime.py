"""The enhancer's network run by onnxruntime, where it is installed: without Keras or TensorFlow.

The ONNX model is made from the ``.keras`` file when it is loaded, layer by layer. So it cannot
differ from the weights, and weights of your own are run like those of the package.
"""

import io
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lle_utils.inference import SETTINGS
from lle_utils.quiet import without_log_lines

WEIGHTS = Path(__file__).with_name("weights")
"""The folder of the packaged weights, their cards and their logs."""


class OnnxEnhancer:
    """What `inference.enhance_picture` needs of an enhancer; see `enhancer.Enhancer`.

    Parameters
    ----------
    model : bytes
        Of the network, as `network_to_onnx` makes it.
    schedule, iterations, floor
        As of `enhancer.Enhancer`.
    """

    def __init__(self, model: bytes, schedule, iterations: int, floor: float):
        with without_log_lines():
            import onnxruntime

        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # keeps the memory of the largest tile for ever
        options.log_severity_level = 3
        providers = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        self.schedule, self.iterations, self.floor = tuple(schedule), iterations, floor

    def predict_map(self, image: np.ndarray) -> np.ndarray:
        """Run the network on one picture (height, width, 3) of float32."""
        return self._session.run(None, {"picture": image[None]})[0][0]


def load_onnx(source: str | Path) -> OnnxEnhancer | None:
    """Load an enhancer's weights for onnxruntime.

    Parameters
    ----------
    source : str or Path
        As of `weights.load_model`.

    Returns
    -------
    OnnxEnhancer or None
        None where onnxruntime is not installed, and for a file that holds something else than an
        `enhancer.Enhancer` of layers known here: `weights.load_model` loads it, or says what is
        wrong with it.
    """
    if find_spec("onnxruntime") is None:
        return None
    path = Path(source)
    if path.suffix != ".keras":
        path = WEIGHTS / f"{source}.keras"
    try:
        with zipfile.ZipFile(path) as archive:
            saved = json.loads(archive.read("config.json"))
            weights = _read_weights(archive.read("model.weights.h5"))
        if saved["class_name"] != "Enhancer":
            return None
        config = saved["config"]
        model = network_to_onnx(config["network"]["config"], weights)
        return OnnxEnhancer(model, **{name: config[name] for name in SETTINGS})
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        return None


def _read_weights(content: bytes) -> dict[str, list[np.ndarray]]:
    """Return each layer's weights by its name, from a Keras ``.weights.h5`` file."""
    import h5py

    found = {}

    def visit(_, group) -> None:
        name = group.attrs.get("name")
        if name is not None:
            found[name] = [np.asarray(group[str(index)]) for index in range(len(group))]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(visit)
    return found


def network_to_onnx(config: dict, weights: dict[str, list[np.ndarray]]) -> bytes:
    """Write a Keras network of plain layers as an ONNX model.

    Parameters
    ----------
    config : dict
        What ``get_config`` of the functional model returned, as JSON has it.
    weights : dict of str to list of ndarray
        Each layer's weights by its name.

    Returns
    -------
    bytes
        A model with the input ``picture`` and one output, both (batch, height, width, channels).

    Raises
    ------
    ValueError, KeyError
        If a layer is of a kind not known here.
    """
    nodes, constants = [], {}

    def add(kind: str, inputs: list[str], output: str, **attributes) -> None:
        nodes.append(_node(kind, inputs, output, attributes))

    def constant(name: str, values) -> str:
        constants[name] = np.asarray(values, np.float32)
        return name

    for layer in config["layers"]:
        name, kind, given = layer["name"], layer["class_name"], layer["config"]
        dtype = given["dtype"]
        if dtype != "float32" and dtype["config"]["name"] != "float32":
            raise ValueError(f"{name} does not compute in float32")
        inputs = _inputs(layer)
        if kind == "InputLayer":
            add("Transpose", ["picture"], name + ":0", perm=[0, 3, 1, 2])
        elif kind == "Rescaling":
            scale, offset = (constant(f"{name}.{key}", given[key]) for key in ("scale", "offset"))
            add("Mul", [*inputs, scale], name + ".scaled")
            add("Add", [name + ".scaled", offset], name + ":0")
        elif kind == "Concatenate" and given["axis"] in (-1, 3):
            add("Concat", inputs, name + ":0", axis=1)
        elif kind == "Conv2D" and _is_plain(given):
            kernel, *bias = weights[name]
            sides = [side // 2 for side in kernel.shape[:2]]
            kernel = constant(name + ".kernel", kernel.transpose(3, 2, 0, 1))
            bias = [constant(name + ".bias", values) for values in bias]
            add("Conv", [*inputs, kernel, *bias], name + ".sum", pads=[*sides, *sides])
            activation = {"relu": "Relu", "sigmoid": "Sigmoid", "linear": "Identity"}
            add(activation[given["activation"]], [name + ".sum"], name + ":0")
        else:
            raise ValueError(f"{name} is a layer that is not known here")
    outputs = config["output_layers"]
    last = outputs[0] if isinstance(outputs[0], str) else outputs[0][0]
    add("Transpose", [last + ":0"], "map", perm=[0, 2, 3, 1])
    return _model(nodes, constants, "picture", "map")


def _is_plain(given: dict) -> bool:
    """Tell whether a convolution is one of odd size over all channels that keeps the size."""
    return (
        all(side % 2 for side in given["kernel_size"])
        and set(given["strides"]) == set(given["dilation_rate"]) == {1}
        and (given["padding"], given["groups"]) == ("same", 1)
        and given["data_format"] == "channels_last"
    )


def _inputs(layer: dict) -> list[str]:
    """Return the names of the tensors that a layer takes."""
    names = []
    for node in layer["inbound_nodes"]:
        tensors = node["args"][0]
        for tensor in tensors if isinstance(tensors, list) else [tensors]:
            names.append(tensor["config"]["keras_history"][0] + ":0")
    return names


# An ONNX model is a message of Google's Protocol Buffers: fields, each with a number, that hold a
# whole number, or bytes with their length. The numbers below are those of onnx.proto.

_FLOAT = 1


def _number(value: int) -> bytes:
    """Write a whole number of 0 or more, seven bits a byte."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _number(rest) if rest else bytes([low])


def _field(field: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _number(field << 3) + _number(value)
    value = value.encode() if isinstance(value, str) else value
    return _number(field << 3 | 2) + _number(len(value)) + value


def _node(kind: str, inputs: list[str], output: str, attributes: dict) -> bytes:
    parts = [_field(1, name) for name in inputs] + [_field(2, output), _field(4, kind)]
    for name, value in attributes.items():
        if isinstance(value, int):
            content = _field(3, value) + _field(20, 2)
        else:
            content = b"".join(_field(8, one) for one in value) + _field(20, 7)
        parts.append(_field(5, _field(1, name) + content))
    return b"".join(parts)


def _tensor(name: str, values: np.ndarray) -> bytes:
    sides = b"".join(_field(1, side) for side in values.shape)
    return sides + _field(2, _FLOAT) + _field(8, name) + _field(9, values.astype("<f4").tobytes())


def _any_picture(name: str) -> bytes:
    """Describe an input or output of four sides that may have any length."""
    sides = b"".join(_field(1, _field(2, side)) for side in ("n", "h", "w", f"{name}_channels"))
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, sides)))


def _model(nodes: list[bytes], constants: dict[str, np.ndarray], first: str, last: str) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "network")
    graph += b"".join(_field(5, _tensor(*constant)) for constant in constants.items())
    graph += _field(11, _any_picture(first)) + _field(12, _any_picture(last))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
