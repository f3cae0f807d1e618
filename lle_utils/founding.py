"""The founding project's recursive function, kept word for word in meaning.

The founding document: "We converted this steps of iterations into recursive function.
img: the low light image (I, Eold); index: no of iterations; flag: default = 1."

It is kept because it is where the method was first written down, and because its two faults teach:
the network sees 0..255 on the first call and [0, 1] on all later ones, and it was trained to *be*
the bright picture and not to *make* one (notebook 4).
"""

from collections.abc import Callable

import numpy as np

from lle_utils.curve import brighten, check_iterations, iterate

VERY_DARK = 10
"""Mean code value below which the founding project's desktop version took 12 iterations."""

LESS_DARK = 20
"""Mean code value from which we take 7. The founding project shows 7 but gives no rule: ours."""


def enhance(img, index: int, flag: int = 1, *, predict: Callable):
    """Enhance a picture by recursion, as the founding project did.

    Parameters
    ----------
    img : array, shape (..., height, width, 3)
        The low-light image I in 0..255 while `flag` is 1, and E_old in [0, 1] once it is 0.
    index : int
        How many iterations are left, 0 or more.
    flag : int, default 1
        1 on the first call, when `img` is still 0..255; 0 afterwards.
    predict : callable
        The network: takes an array like `img` and returns the parameter map M in [0, 1], of shape
        (..., height, width, 1) or (..., height, width, 3).

    Returns
    -------
    array, shape (..., height, width, 3)
        The enhanced picture in [0, 1]; `img` itself when `index` is 0.
    """
    check_iterations(index, least=0)
    if index == 0:
        return img
    if flag:
        return enhance(brighten(img / 255, predict(img)), index - 1, 0, predict=predict)
    return enhance(brighten(img, predict(img)), index - 1, 0, predict=predict)


def iterations_for(image) -> int:
    """Choose 12, 8 or 7 iterations by how dark a picture, in [0, 1], is."""
    mean_code = 255 * float(np.mean(image))
    if mean_code < VERY_DARK:
        return 12
    return 8 if mean_code < LESS_DARK else 7


class FoundingEnhancer:
    """The founding recursion around its network, with the interface of `enhancer.Enhancer`.

    Parameters
    ----------
    network : callable
        Maps pictures (batch, height, width, 3), in 0..255 at first and in [0, 1] later, to maps.
    iterations : int, default 8
        How many iterations.
    """

    def __init__(self, network: Callable, iterations: int = 8):
        self.network, self.iterations = network, iterations

    def __call__(self, images):
        """Enhance pictures (batch, height, width, 3) in [0, 1]; the result has the same shape."""
        for iteration in self.steps(images):
            images = iteration.image
        return images

    def steps(self, images, iterations: int | None = None):
        """Return the iterator of `curve.iterate`, as `enhancer.Enhancer.steps` does."""

        def predict_map(image, step):
            return self.network(image if step else 255 * image)

        return iterate(images, predict_map, self.iterations if iterations is None else iterations)
