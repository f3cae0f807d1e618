"""Read an answer as a number, an array or a network, or say in words why it is not one."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


class Wrong(Exception):  # noqa: N818  (a diagnosis, which a check always catches)
    """A diagnosis: what is wrong with the answer, and why."""


class Blank(Wrong):
    """The answer has not been filled in."""


def require(condition, diagnosis: str) -> None:
    """Raise `Wrong` with this diagnosis unless the condition holds."""
    if not condition:
        raise Wrong(diagnosis)


def numbers(value, what: str) -> np.ndarray:
    """Return an answer as an array of floats, or say that it is not one."""
    try:
        is_text = np.asarray(value).dtype.kind in "US"  # NumPy would read "0.5" as a number
        found = None if is_text else np.asarray(value, float)
    except (TypeError, ValueError):
        found = None
    require(found is not None, f"{what} must be a number or an array, and it is {kind(value)}.")
    return found


def number(value, what: str) -> float:
    """Return an answer as a float, or say that it is not one finite number."""
    found = numbers(value, what)
    require(found.size == 1 and np.isfinite(found).all(), f"{what} must be one finite number.")
    return found.item()


def whole(value, what: str) -> int:
    """Return an answer as an int, or say that it is not a whole number."""
    found = number(value, what)
    require(found == round(found), f"{what} must be a whole number, not {found:.5g}.")
    return round(found)


def truth(value, what: str) -> bool:
    """Return an answer as a bool, or say that it is not one truth value."""
    is_text = isinstance(value, str | bytes)
    require(np.size(value) == 1 and not is_text, f"{what} must be one True or False.")
    return bool(np.all(value))


def two(result, what: str) -> tuple:
    """Return the two things that an answer returns, named by `what`; or say that they are not."""
    try:
        first, second = result
    except (TypeError, ValueError):
        raise Wrong(f"two things were asked for: return {what}.") from None
    return first, second


def model(answer):
    """Return an answer that is a Keras model, or say that it is not one."""
    import keras

    is_model = isinstance(answer, keras.Model)
    require(is_model, f"a keras.Model was asked for, and this is {kind(answer)}.")
    return answer


@contextmanager
def keep_weights(network) -> Iterator[list[np.ndarray]]:
    """Give a network its weights back after the block, in which they may change."""
    before = network.get_weights()
    try:
        yield before
    finally:
        network.set_weights(before)


def kind(value) -> str:
    """Return the type of a value, for a message."""
    return f"of type {type(value).__name__}"
