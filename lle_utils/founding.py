"""The founding project's recursive function, kept word for word in meaning.

The founding document: "We converted this steps of iterations into recursive function.
img: the low light image (I, Eold); index: no of iterations; flag: default = 1."

It is kept because it is where the method was first written down, and because its two faults teach:
the network sees 0..255 on the first call and [0, 1] on all later ones, and it was trained to *be*
the bright picture and not to *make* one (notebook 4).
"""

from collections.abc import Callable

import numpy as np

from lle_utils.curve import brighten, check_iterations, iterate, recurse


def enhance(img, index: int, flag: int = 1, *, predict: Callable):
    """Enhance a picture by recursion, as the founding project did.

    Parameters
    ----------
    img : array, shape (..., height, width, 3)
        The low-light image I in 0..255 while `flag` is 1, and E_old in [0, 1] once it is 0.
    index : int
        How many iterations are left, 0 or more.
    flag : int, default 1
        1 on the first call, 0 afterwards.
    predict : callable
        The network: maps an array like `img` to the parameter map M in [0, 1], of shape
        (..., height, width, 1) or (..., height, width, 3).

    Returns
    -------
    array, shape (..., height, width, 3)
        The enhanced picture in [0, 1]; `img` itself when `index` is 0.
    """
    check_iterations(index, least=0)
    if index == 0:
        return img
    image = img / 255 if flag else img
    return enhance(brighten(image, predict(img)), index - 1, 0, predict=predict)


def iterations_for(image) -> int:
    """Choose 12, 8 or 7 iterations by how dark a picture, in [0, 1], is.

    The founding project's desktop version took 12 where the mean code value is below 10. It shows
    7, but gives no rule: from 20 on is ours.
    """
    mean_code = 255 * float(np.mean(image))
    if mean_code < 10:
        return 12
    return 8 if mean_code < 20 else 7


class FoundingEnhancer:
    """The founding recursion around its network, as `enhancer.Enhancer` is ours."""

    iterations = 8

    def __init__(self, network: Callable):
        self.network = network

    def __call__(self, images):
        """Enhance pictures (batch, height, width, 3) in [0, 1]; the result has the same shape."""
        return recurse(images, self._predict, self.iterations)

    def steps(self, images, iterations: int):
        """Return the iterator of `curve.iterate`, as `enhancer.Enhancer.steps` does."""
        return iterate(images, self._predict, iterations)

    def _predict(self, image, step):
        return self.network(image if step else 255 * image)
