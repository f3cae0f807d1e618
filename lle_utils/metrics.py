"""How well a picture was enhanced, by one protocol, so that figures can be compared.

The protocol: the enhanced picture is clipped and rounded to 8 bits and compared in RGB with the
reference at its own size; each figure is computed per picture and then averaged over pictures.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from lle_utils.images import as_float, to_uint8

SSIM_WINDOW = 11
"""Side in pixels of the Gaussian window (sigma 1.5) of the structural similarity."""


@dataclass(frozen=True)
class Score:
    """How near one enhanced picture comes to its reference.

    Attributes
    ----------
    name : str
    psnr : float
        Peak signal-to-noise ratio in decibels; more is better.
    ssim : float
        Structural similarity, at most 1; more is better.
    ciede2000 : float
        Mean color difference; less is better, about 2 can just be seen.
    """

    name: str
    psnr: float
    ssim: float
    ciede2000: float


def score(name: str, enhanced, reference) -> Score:
    """Score one enhanced picture by the protocol.

    Parameters
    ----------
    name : str
        What the score is to be called.
    enhanced, reference : array, shape (height, width, 3)
        RGB in [0, 1]; `enhanced` is clipped. Both are rounded to 8 bits.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        If the two differ in shape, or a value is not finite.
    """
    pair = to_uint8(enhanced), to_uint8(reference)
    return Score(name, psnr(*pair), ssim(*pair), ciede2000(*pair))


def psnr(image, reference) -> float:
    """Compute the peak signal-to-noise ratio of two pictures in decibels.

    Parameters
    ----------
    image, reference : array, shape (height, width, 3)
        As `images.as_float` takes them.

    Returns
    -------
    float
        ``-10 * log10(mean squared error)`` over all pixels and channels, for values in [0, 1];
        infinity where the pictures are equal.

    Raises
    ------
    ValueError
        If the two differ in shape.
    """
    image, reference = _matching(image, reference)
    error = np.mean(np.square(image - reference, dtype=np.float64))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(image, reference) -> float:
    """Compute the structural similarity of two pictures (Wang et al., 2004).

    With an 11 x 11 Gaussian window of sigma 1.5, per RGB channel and averaged, as
    ``tf.image.ssim`` does it.

    Parameters
    ----------
    image, reference : array, shape (height, width, 3)
        As `images.as_float` takes them; at least 11 x 11 pixels.

    Returns
    -------
    float
        At most 1, which only equal pictures reach. NaN for pictures smaller than the window.

    Raises
    ------
    ValueError
        If the two differ in shape.
    """
    image, reference = _matching(image, reference)
    if min(image.shape[:2]) < SSIM_WINDOW:
        return float("nan")
    return float(
        structural_similarity(
            image.astype(np.float64),
            reference.astype(np.float64),
            channel_axis=-1,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def ciede2000(image, reference) -> float:
    """Compute the mean CIEDE2000 color difference of two sRGB pictures.

    Parameters
    ----------
    image, reference : array, shape (height, width, 3)
        As `images.as_float` takes them.

    Returns
    -------
    float
        0 or more.

    Raises
    ------
    ValueError
        If the two differ in shape.
    """
    image, reference = _matching(image, reference)
    return float(np.mean(deltaE_ciede2000(rgb2lab(reference), rgb2lab(image))))


def mean_score(scores: Iterable[Score]) -> Score:
    """Average each figure over pictures; pictures too small for an SSIM do not count in it."""
    rows = [asdict(one) for one in scores]
    if not rows:
        raise ValueError("there is no score to average")
    means = {}
    for figure in ("psnr", "ssim", "ciede2000"):
        values = np.array([row[figure] for row in rows])
        known = values[~np.isnan(values)]
        means[figure] = float(known.mean()) if known.size else float("nan")
    return Score("mean", **means)


def bootstrap_interval(values, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Estimate within what bounds the mean would lie for other pictures of the same kind.

    Parameters
    ----------
    values : array of float, shape (n,)
        A figure a picture, or the difference of two methods' figures.
    confidence : float, default 0.95
    seed : int, default 0

    Returns
    -------
    tuple of two floats
        Bounds of the mean over 10,000 drawings with replacement.
    """
    values = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = rng.choice(values, size=(10_000, values.size)).mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _matching(image, reference) -> tuple[np.ndarray, np.ndarray]:
    image, reference = as_float(image), as_float(reference)
    if image.shape != reference.shape:
        raise ValueError(f"the pictures differ in shape: {image.shape} and {reference.shape}")
    return image, reference
