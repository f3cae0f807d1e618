"""Trained weights: those that travel with the package, each with its card, and your own files."""

import inspect
import json
import zipfile
from pathlib import Path

from lle_utils.backend import check_process, keras
from lle_utils.enhancer import Enhancer
from lle_utils.errors import LleError
from lle_utils.founding import FoundingEnhancer
from lle_utils.paths import WEIGHTS


def load_model(source: str | Path = "enhancer"):
    """Load trained weights by their name in the package, or a ``.keras`` file of your own.

    Parameters
    ----------
    source : str or Path
        "enhancer", "founding", or the path of a file.

    Returns
    -------
    Enhancer or founding.FoundingEnhancer
        A file that holds a bare network is taken for the founding method's.

    Raises
    ------
    LleError
        If there are no such weights, or the file is not one of ours.
    """
    path = Path(source)
    if path.suffix != ".keras":
        if str(source) not in list_weights():
            raise LleError(
                f"there are no weights called {str(source)!r}; there are "
                f"{', '.join(list_weights())}, or name a .keras file"
            )
        path = WEIGHTS / f"{source}.keras"
    if not path.is_file():
        raise LleError(f"{path}: no such file")
    check_process()
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"), object_hook=_with_known_arguments)
        model = keras.saving.deserialize_keras_object(config)
        model.load_weights(path)
    except Exception as error:  # Keras raises what its zip, JSON and HDF5 readers raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise LleError(f"{path} is not a Keras model that can be loaded: {reason}") from None
    if isinstance(model, Enhancer):
        return model
    any_size = getattr(model, "input_shape", None) == (None, None, None, 3)
    maps = [(1, 16, 24, 3), (1, 16, 24, 1)]
    if not any_size or model.compute_output_shape(maps[0]) not in maps:
        raise LleError(
            f"{path} is a Keras model, but it does not take pictures of any size and give maps"
        )
    return FoundingEnhancer(model)


def _with_known_arguments(config: dict) -> dict:
    """Drop the arguments of an initializer that this Keras does not know.

    Keras 3.15 writes some that 3.13, which Colab has, refuses. They say how to draw first weights;
    ours are read from the file.
    """
    if config.get("module") == "keras.initializers":
        initializer = getattr(keras.initializers, config["class_name"])
        known = inspect.signature(initializer).parameters
        config["config"] = {key: value for key, value in config["config"].items() if key in known}
    return config


def list_weights() -> list[str]:
    """Return the names of the weights that travel with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.keras"))


def load_card(name: str) -> dict:
    """Return what is known of the package's weights `name`: data, split, seed, recipe, scores."""
    return json.loads((WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))
