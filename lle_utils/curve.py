"""The brightening curve and its recursion, for any array type.

Everything here works alike on NumPy arrays, on TensorFlow, JAX and PyTorch tensors, and on plain
numbers: it only adds and multiplies.
"""

from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any, NamedTuple

# Half a code value of an 8-bit picture, to which an exact 0 is raised before the recursion: 0 is a
# fixed point of the curve. But in such a picture it means "less than half a code value".
FLOOR = 0.5 / 255
TOLERANCE = 0.08  # maps well below it become 0: see `soft_threshold`
LATE_TOLERANCE = 1.0  # after an enhancer's schedule, so that further iterations change little


class Iteration(NamedTuple):
    """One iteration: the map that was used and the picture that it made."""

    parameter_map: Any
    image: Any


def brighten(image, parameter_map):
    """Apply the brightening curve once: ``E + M * E * (1 - E)``.

    Parameters
    ----------
    image : array or float
        The picture E, any shape, values in [0, 1].
    parameter_map : array or float
        The parameter map M, of a shape that broadcasts against `image`. With M in [0, 1] the
        result stays in [0, 1] and is nowhere darker than `image`.

    Returns
    -------
    array or float
        The brightened picture, of the broadcast shape.

    Notes
    -----
    The curve is the quadratic light-enhancement curve of Guo et al., "Zero-Reference Deep Curve
    Estimation for Low-Light Image Enhancement", CVPR 2020, equation 2.
    """
    return image + parameter_map * image * (1 - image)


def soft_threshold(maps, tolerance: float = TOLERANCE):
    """Reduce maps well below the tolerance to nearly 0, and keep those well above it.

    A sigmoid never returns exactly 0, and small values add up over many iterations.

    It is ``M**3 / (M**2 + tolerance**2)``, for M in [0, 1]; the tolerance itself is halved.
    """
    square = maps * maps
    return maps * square / (square + tolerance**2)


def iterate(image, predict_map: Callable, iterations: int) -> Iterator[Iteration]:
    """Brighten a picture again and again, predicting a new map from each result.

    Parameters
    ----------
    image : array
        The picture I that the recursion starts from, values in [0, 1].
    predict_map : callable
        ``predict_map(image, step)`` returns the parameter map M of an iteration; ``step``
        counts from 0. A constant is ``lambda image, step: 0.38``.
    iterations : int
        How many iterations, 0 or more.

    Yields
    ------
    Iteration
        The map and the picture of each iteration, first to last.
    """
    check_iterations(iterations, least=0)
    for step in range(int(iterations)):
        parameter_map = predict_map(image, step)
        image = brighten(image, parameter_map)
        yield Iteration(parameter_map, image)


def recurse(image, predict_map: Callable, iterations: int):
    """Return the picture after the last iteration of `iterate` (after 0 iterations, `image`)."""
    for iteration in iterate(image, predict_map, iterations):
        image = iteration.image
    return image


def adjust_exposure(image, stops: float):
    """Brighten or darken a picture by photographic stops, through the same curve.

    Near black, eight iterations with the constant ``m = 2**(stops / 8) - 1`` multiply by
    ``2**stops`` in all. Brighter values change less, so nothing is clipped. A negative m darkens.

    Parameters
    ----------
    image : array
        Values in [0, 1].
    stops : float
        From -8 to 8, so that ``|m| <= 1``, where the curve rises everywhere. 1 doubles the darkest
        values, -1 halves them, 0 changes nothing.
    """
    if not isinstance(stops, Real) or not abs(stops) <= 8:
        raise ValueError(f"exposure must be from -8 to 8 stops, not {stops!r}")
    m = 2.0 ** (stops / 8) - 1
    return recurse(image, lambda image, step: m, 8) if stops else image


def check_iterations(iterations, least: int = 1) -> int:
    """Return `iterations` as an int, or raise a ValueError that says why it is none."""
    is_number = isinstance(iterations, Real) and not isinstance(iterations, bool)
    if not is_number or not float(iterations).is_integer() or iterations < least:
        raise ValueError(
            f"iterations must be a whole number of {least} or more, not {iterations!r}"
        )
    return int(iterations)
