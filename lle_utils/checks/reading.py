"""Read an answer as a number, an array or a network, or say in words why it is not one."""

import numpy as np


class Wrong(Exception):  # noqa: N818  (a diagnosis, which a check always catches)
    """A diagnosis: what is wrong with the answer, and why."""


class Blank(Exception):  # noqa: N818
    """The answer has not been filled in."""


def require(condition, diagnosis: str) -> None:
    """Raise `Wrong` with this diagnosis unless the condition holds."""
    if not condition:
        raise Wrong(diagnosis)


def numbers(value, what: str) -> np.ndarray:
    """Return an answer as an array of floats, or of truth values."""
    found = np.asarray(value)
    told = f"{what} must be a number or an array, and it is of type {type(value).__name__}."
    require(found.dtype.kind in "biuf", told)
    return found if found.dtype == bool else found.astype(float)


def number(value, what: str) -> float:
    """Return an answer as a float."""
    found = numbers(value, what)
    require(found.size == 1 and np.isfinite(found).all(), f"{what} must be one finite number.")
    return found.item()


def two(result, what: str) -> tuple:
    """Return the two things that an answer returns, named by `what`."""
    try:
        first, second = result
    except (TypeError, ValueError):
        raise Wrong(f"two things were asked for: return {what}.") from None
    return first, second


def model(answer):
    """Return an answer that is a Keras model."""
    import keras

    told = f"a keras.Model was asked for, and this is of type {type(answer).__name__}."
    require(isinstance(answer, keras.Model), told)
    return answer


def maps(network, pictures: np.ndarray, change) -> np.ndarray:
    """Return a network's maps of pictures with changed weights. It gets its own weights back."""
    import keras

    network(pictures)  # a class has no weights before its first call
    before = network.get_weights()
    try:
        network.set_weights([change(weights) for weights in before])
        return keras.ops.convert_to_numpy(network(pictures))
    finally:
        network.set_weights(before)
