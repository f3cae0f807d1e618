"""How well a picture was enhanced, by one protocol, so that scores can be compared.

Pictures are arrays (height, width, 3) of one shape, as `images.as_float` takes them. The protocol:
the enhanced picture is clipped and rounded to 8 bits and compared in RGB with the reference at its
own size; each metric is computed per picture and then averaged over pictures.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from lle_utils.images import as_float, shrink, to_uint8

METRICS = ("psnr", "ssim", "ciede2000")

SSIM_WINDOW = 11
"""Side in pixels of the Gaussian window (sigma 1.5) of the structural similarity."""


def score(enhanced, reference) -> dict[str, float]:
    """Score one enhanced picture, RGB in [0, 1], by the protocol.

    Returns
    -------
    dict of str to float
        ``psnr`` in decibels and ``ssim``, more is better; ``ciede2000``, less is better.
    """
    pair = to_uint8(enhanced), to_uint8(reference)
    return {"psnr": psnr(*pair), "ssim": ssim(*pair), "ciede2000": ciede2000(*pair)}


def mean_scores(
    rows: Sequence[Mapping[str, float]], columns: Sequence[str] = METRICS
) -> dict[str, float]:
    """Average scores over pictures, column by column.

    A picture without a number (NaN: it is too small for an SSIM) does not count; the mean is NaN
    where none has one.
    """
    means = {}
    for column in columns:
        values = np.array([row[column] for row in rows], dtype=np.float64)
        known = values[~np.isnan(values)]
        means[column] = float(known.mean()) if known.size else float("nan")
    return means


def psnr(image, reference) -> float:
    """Compute the peak signal-to-noise ratio of two pictures in decibels.

    It is ``-10 * log10(mean squared error)`` over all pixels and channels, for values in [0, 1];
    infinity where the pictures are equal.
    """
    image, reference = _matching(image, reference)
    error = np.mean(np.square(image - reference, dtype=np.float64))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(image, reference) -> float:
    """Compute the structural similarity of two pictures (Wang et al., 2004), at most 1.

    With an 11 x 11 Gaussian window of sigma 1.5, per RGB channel and averaged, as ``tf.image.ssim``
    does it. NaN for pictures smaller than the window.
    """
    image, reference = _matching(image, reference)
    if min(image.shape[:2]) < SSIM_WINDOW:
        return float("nan")
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pair = image.astype(np.float64), reference.astype(np.float64)
    return float(structural_similarity(*pair, channel_axis=-1, data_range=1, **window))


def ciede2000(image, reference) -> float:
    """Compute the mean CIEDE2000 color difference of two sRGB pictures, 0 or more."""
    image, reference = _matching(image, reference)
    return float(np.mean(deltaE_ciede2000(rgb2lab(reference), rgb2lab(image))))


STEEP = 1 / 255
"""Gradients below this, per pixel, count as flat."""

LONG_SIDE = 640
"""Longest side in pixels at which gradients are compared."""


def harm(enhanced, image) -> dict[str, float]:
    """Measure what enhancing did to a picture, without a reference; both are in [0, 1].

    Returns
    -------
    dict of str to float
        ``brightness``: the mean in codes of 0 to 255. ``clipped``: the share of pixels (%) in
        which a channel became white. ``reversed``: the share of pixels (%) at which it falls where
        the input rises; NaN where no gradient is steep enough in both to tell. ``noise``: in
        codes, where the input is flattest.
    """
    enhanced, image = _matching(enhanced, image)
    became_white = (to_uint8(enhanced) == 255) & (to_uint8(image) < 255)
    return {
        "brightness": 255 * float(enhanced.mean()),
        "clipped": float(100 * np.mean(became_white.any(axis=-1))),
        "reversed": _reversed(enhanced, image),
        "noise": _noise(enhanced, image),
    }


def _reversed(enhanced: np.ndarray, image: np.ndarray) -> float:
    before, after = (_gradient(shrink(picture, LONG_SIDE)) for picture in (image, enhanced))
    steep = np.minimum(np.hypot(*before), np.hypot(*after)) > STEEP
    if not steep.any():
        return float("nan")
    return float(100 * np.mean(steep & ((before * after).sum(axis=0) < 0)))


def _noise(enhanced: np.ndarray, image: np.ndarray) -> float:
    """Estimate the standard deviation of the noise by the method of Immerkaer (1996).

    Its mask leaves ramps at zero. Only the flatter half of the input's pixels counts, so that
    edges are not taken for noise.
    """
    slope = np.hypot(*_gradient(image))
    mask = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    residue = np.abs(cv2.filter2D(enhanced, -1, mask, borderType=cv2.BORDER_REFLECT))
    return float(255 * np.sqrt(np.pi / 2) / 6 * residue[slope <= np.median(slope)].mean())


def _gradient(image: np.ndarray) -> np.ndarray:
    """Return the blurred gradient of a picture's brightness, shape (2, height, width)."""
    gray = image.mean(axis=-1)
    return np.stack([ndimage.gaussian_filter(gray, 2, order=o) for o in ((1, 0), (0, 1))])


def bootstrap_interval(values, seed: int = 0) -> tuple[float, float]:
    """Estimate the interval in which the mean of other pictures would be, with 95 % confidence.

    `values` are a metric of each picture, or the difference of two methods in it. They are
    resampled 10,000 times, with replacement. NaN is left out. The ends are NaN where no value is
    known, or one is infinite.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not values.size or np.isinf(values).any():
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = rng.choice(values, size=(10_000, values.size)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _matching(image, reference) -> tuple[np.ndarray, np.ndarray]:
    image, reference = as_float(image), as_float(reference)
    if image.shape != reference.shape:
        raise ValueError(f"the pictures differ in shape: {image.shape} and {reference.shape}")
    return image, reference
