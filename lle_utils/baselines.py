"""Simple ways to brighten a picture, which a network must beat: from one number to Retinex.

Each takes a picture, float32 RGB (height, width, 3) in [0, 1], and returns one like it.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from scipy.optimize import minimize_scalar

from lle_utils.curve import FLOOR, recurse
from lle_utils.images import as_float, to_uint8

LOL_CONSTANT = 0.386
"""The constant m with the best mean PSNR on LOL's training split, for eight iterations."""


def gamma(image, exponent: float = 0.4) -> np.ndarray:
    """Raise every value to a power: ``E ** exponent``; an exponent below 1 brightens."""
    if not exponent > 0:
        raise ValueError(f"exponent must be above 0, not {exponent!r}")
    return as_float(image) ** np.float32(exponent)


def equalize(image) -> np.ndarray:
    """Spread the brightness (Y of YCrCb) over the whole range: global histogram equalization."""
    ycrcb = cv2.cvtColor(to_uint8(as_float(image)), cv2.COLOR_RGB2YCrCb)
    ycrcb[..., 0] = cv2.equalizeHist(ycrcb[..., 0])
    return as_float(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB))


def clahe(image, clip_limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """Equalize the lightness (L of CIELAB) tile by tile, with limited contrast (Zuiderveld, 1994).

    A higher limit lets the equalizing curve be steeper: it brightens more, noise included. The
    picture is cut into `tiles` x `tiles` parts.
    """
    lab = cv2.cvtColor(to_uint8(as_float(image)), cv2.COLOR_RGB2Lab)
    lab[..., 0] = cv2.createCLAHE(clip_limit, (tiles, tiles)).apply(lab[..., 0])
    return as_float(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB))


def lime_like(image, exponent: float = 0.8, radius: int = 15) -> np.ndarray:
    """Divide the picture by a smooth estimate of its illumination, in the manner of LIME.

    The illumination is the brightest channel, smoothed along edges by a guided filter of `radius`
    pixels, raised to `exponent`. LIME itself (Guo, Li and Ling, IEEE TIP 2017) solves an
    optimization problem for it and denoises the result; this does neither.
    """
    image = as_float(image)
    brightest = image.max(axis=-1)
    illumination = np.maximum(_guided_filter(brightest, radius), 1 / 255)
    return np.clip(image / illumination[..., None] ** np.float32(exponent), 0, 1)


def _guided_filter(image: np.ndarray, radius: int, smoothness: float = 1e-3) -> np.ndarray:
    """Smooth one channel but keep its edges (He, Sun and Tang, 2010), guided by itself."""
    size = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(image, size)
    variance = cv2.blur(image * image, size) - mean * mean
    slope = variance / (variance + smoothness)
    offset = mean - slope * mean
    return cv2.blur(slope, size) * image + cv2.blur(offset, size)


def constant_map(image, m: float = 0.38, iterations: int = 8, floor: float = FLOOR) -> np.ndarray:
    """Run the recursion with one number instead of the map: the most important baseline.

    Darker values than `floor` are raised to it first.
    """
    if not 0 <= m <= 1:
        raise ValueError(f"m must be in [0, 1], not {m!r}: only then does the curve stay in [0, 1]")
    start = np.maximum(as_float(image), np.float32(floor))
    return recurse(start, lambda image, step: np.float32(m), iterations)


def fit_constant(pairs: Iterable, iterations: int = 8) -> float:
    """Find the one constant m in (0, 1) that gives the best mean PSNR over pairs.

    Take those of the training split: fitted on the test pictures it would score too well.
    """
    thinned = []
    for pair in pairs:  # about 20,000 pixels of each; averaging instead would remove the noise
        stride = max(1, int((pair.low.shape[0] * pair.low.shape[1] / 20_000) ** 0.5))
        thinned.append((pair.low[::stride, ::stride], pair.high[::stride, ::stride]))

    def mean_loss(m: float) -> float:
        differences = [constant_map(low, m, iterations) - high for low, high in thinned]
        errors = [np.mean(np.square(difference)) for difference in differences]
        return float(np.mean(10 * np.log10(np.maximum(errors, 1e-10))))

    return float(minimize_scalar(mean_loss, bounds=(0.001, 0.999), method="bounded").x)
