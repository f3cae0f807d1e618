"""A small model of a camera in the dark.

`darken` turns a well-lit picture into the one that the same camera would have taken with far too
little light: step by step, as notebook 01 builds it.

The default numbers of `Camera` were fitted to the dark pictures of the LOL data set;
`data/make_sample.py --compare` shows how well, and where not. `darken_at_random` draws a camera,
and uneven light, for each picture; the packaged weights were trained on such pictures.

The noise model is the usual one of a signal-dependent Poisson part and a constant Gaussian part:
A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian noise modeling
and fitting for single-image raw-data", IEEE Transactions on Image Processing 17 (2008).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lle_utils.images import as_float
from lle_utils.photos.color import linear_to_srgb, srgb_to_linear


@dataclass(frozen=True)
class Camera:
    """A sensor and how it is read out, the same for every picture.

    Parameters
    ----------
    electrons : float
        Electrons that a green pixel counts at full scale (linear light 1.0), > 0. Few electrons
        mean much shot noise: a camera at a high ISO setting has few.
    read_noise : float
        Standard deviation of the read noise, in electrons.
    gains : tuple of three floats
        What red, green and blue are multiplied by to make gray look gray, each > 0. A channel
        with gain g collects only 1 / g of the electrons, so it is noisier.
    response : float, optional
        Code values are light to the power of 1 / `response`. None: sRGB.
    black_level : tuple of three floats
        The light that a pixel without light is taken for, by channel.
    toe : float
        How much the darkest tones are darkened: a value v is multiplied by ``v / (v + toe)``.
    blotch : float
        Standard deviation in pixels of the blur that turns noise into blotches.
    jpeg_quality : int, optional
        Of the JPEG file, 1 to 100. None: no JPEG.
    """

    electrons: float = 30000.0
    read_noise: float = 5.6
    gains: tuple[float, float, float] = (2.6, 1.0, 1.8)
    response: float | None = None
    black_level: tuple[float, float, float] = (0.0, 0.0, 0.0)
    toe: float = 0.0
    blotch: float = 0.0
    jpeg_quality: int | None = None


@dataclass(frozen=True)
class Exposure:
    """How dark one picture is, and how wrong its white balance is.

    The light is cut by so many `stops`: 5 leave 1 / 32 of it. The gains of red and of blue are
    wrong by as many stops as `cast` says: (0.5, 0) makes the picture reddish.
    """

    stops: float
    cast: tuple[float, float] = (0.0, 0.0)


LOL_LIKE = Camera()


def sample_exposure(rng: np.random.Generator, *, stops=(4.0, 6.5), cast=0.5) -> Exposure:
    """Draw an exposure at random: between two numbers of `stops`, and a cast of up to `cast`."""
    red, blue = rng.uniform(-cast, cast, size=2)
    return Exposure(float(rng.uniform(*stops)), (float(red), float(blue)))


def cut_exposure(linear, stops: float):
    """Reduce the light, an array of any shape: each stop halves it."""
    return np.asarray(linear) * 2.0**-stops


def count_electrons(linear, camera: Camera, rng: np.random.Generator):
    """Let the sensor count the electrons of light, an array (..., 3) >= 0.

    A pixel that expects n electrons counts a Poisson number of them, with standard deviation
    sqrt(n); reading it out adds a Gaussian error, which can make the result negative.
    """
    expected = np.asarray(linear) * camera.electrons / np.asarray(camera.gains)
    shot = rng.poisson(expected)
    return shot + camera.read_noise * rng.standard_normal(expected.shape)


def balance_white(electrons, camera: Camera, cast: tuple[float, float] = (0.0, 0.0)):
    """Turn electrons back into light in [0, 1], with the camera's white balance and its `cast`."""
    red, blue = cast
    gains = np.asarray(camera.gains) * np.exp2([red, 0.0, blue])
    return np.clip(np.asarray(electrons) * gains / camera.electrons, 0, 1)


def round_to_codes(encoded) -> np.ndarray:
    """Round values in [0, 1] to k / 255, the 256 values that an 8-bit file can hold, in float32."""
    return np.rint(np.asarray(encoded) * 255).astype(np.float32) / np.float32(255)


def darken(
    image,
    exposure: Exposure | float,
    rng: np.random.Generator,
    *,
    camera: Camera = LOL_LIKE,
    shade=0.0,
) -> np.ndarray:
    """Darken a well-lit picture as a camera in the dark would.

    Parameters
    ----------
    image : array
        Any picture that `lle_utils.images.as_float` takes, sRGB-encoded.
    exposure : Exposure or float
        How dark, and how wrong the white balance is; a plain number means stops.
    rng : numpy.random.Generator
        Where the noise comes from. The same state gives the same picture.
    camera : Camera
    shade : float or array, shape (height, width, 1)
        Further stops by which each place is darker; see `sample_shade`.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        The dark picture, on 8-bit levels k / 255.
    """
    if not isinstance(exposure, Exposure):
        exposure = Exposure(float(exposure))
    image = as_float(image).astype(np.float64)
    light = srgb_to_linear(image) if camera.response is None else image**camera.response
    light = cut_exposure(light, exposure.stops + shade)
    electrons = count_electrons(light, camera, rng)
    if camera.blotch:
        electrons = blur_noise(electrons, light, camera)
    light = balance_white(electrons, camera, exposure.cast)
    light = np.clip(light + np.asarray(camera.black_level), 0, 1)
    encoded = linear_to_srgb(light) if camera.response is None else light ** (1 / camera.response)
    if camera.toe:
        encoded = encoded * encoded / (encoded + camera.toe)
    codes = round_to_codes(encoded)
    return codes if camera.jpeg_quality is None else through_jpeg(codes, camera.jpeg_quality)


def blur_noise(electrons, light, camera: Camera) -> np.ndarray:
    """Blur the noise of electrons, counted from `light`, into blotches of about its strength."""
    expected = light * camera.electrons / np.asarray(camera.gains)
    noise = electrons - expected
    # Blurring by r pixels divides the spread of white noise by 2 r sqrt(pi).
    blotches = cv2.GaussianBlur(noise, (0, 0), camera.blotch) * (2 * camera.blotch)
    return expected + 0.4 * noise + 0.6 * blotches


def through_jpeg(image, quality: int) -> np.ndarray:
    """Return what is left of a picture, float in [0, 1], that was saved as a JPEG file."""
    codes = np.rint(255 * np.asarray(image)).astype(np.uint8)
    _, file = cv2.imencode(".jpg", codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return as_float(np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]))


def darken_like_lol(image, rng: np.random.Generator) -> np.ndarray:
    """Darken a picture as LOL's camera might, with random exposure, cast and noise."""
    exposure = sample_exposure(rng)
    # From a third to twice as many electrons as the fitted camera counts.
    electrons = LOL_LIKE.electrons * float(np.exp2(rng.uniform(-1.6, 1.0)))
    return darken(image, exposure, rng, camera=Camera(electrons))


def darken_at_random(image, rng: np.random.Generator) -> np.ndarray:
    """Darken a picture, as `darken` does, as any camera might, in even or uneven light."""
    image = as_float(image)
    uneven = rng.random() < 0.45
    shade = sample_shade(image, rng) if uneven else 0.0
    stops = (0.0, 4.0) if uneven else (1.0, 7.0)
    if rng.random() < 0.3:
        stops = (0.0, 0.5)  # a network must learn when to leave a picture unchanged
    exposure = sample_exposure(rng, stops=stops, cast=0.3)
    return darken(image, exposure, rng, camera=sample_any_camera(rng), shade=shade)


def sample_any_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera at random, with everything in which cameras differ."""
    error = 10 ** rng.uniform(-4.5, -2.9) * rng.uniform(-1, 1, 3)
    return Camera(
        electrons=float(np.exp(rng.uniform(np.log(2500), np.log(120000)))),
        read_noise=float(rng.uniform(1, 8)),
        gains=(float(rng.uniform(1.4, 2.8)), 1.0, float(rng.uniform(1.2, 2.4))),
        response=None if rng.random() < 0.3 else float(rng.uniform(1.8, 2.6)),
        black_level=tuple(float(e) for e in error),
        toe=float(rng.uniform(0, 0.06)) if rng.random() < 0.4 else 0.0,
        blotch=float(rng.uniform(0.6, 1.6)) if rng.random() < 0.4 else 0.0,
        jpeg_quality=int(rng.integers(75, 99)) if rng.random() < 0.5 else None,
    )


def sample_shade(image, rng: np.random.Generator) -> np.ndarray:
    """Draw uneven light: how many stops darker each place of a picture is, (height, width, 1).

    One of four kinds: a smooth random field; half of the picture in shade; a lamp or a few in the
    dark; or a backlit scene, where what is bright stays bright and all else is in shade.
    """
    height, width = image.shape[:2]
    deepest = rng.uniform(1, 5)
    kind = rng.choice(["smooth", "half", "lamps", "backlit", "backlit"])
    y, x = np.mgrid[:height, :width] / max(height, width)
    if kind == "smooth":
        coarse = rng.random((4, 5)).astype(np.float32)
        field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    elif kind == "half":
        angle, softness = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.2)
        along = np.cos(angle) * (x - x.mean()) + np.sin(angle) * (y - y.mean())
        field = 1 / (1 + np.exp(-np.clip((along - rng.uniform(-0.2, 0.2)) / softness, -30, 30)))
    elif kind == "lamps":
        light = np.zeros((height, width))
        for _ in range(rng.integers(1, 4)):
            top, left, radius = rng.random(), rng.random(), rng.uniform(0.1, 0.4)
            light += np.exp(-((x - left) ** 2 + (y - top) ** 2) / (2 * radius**2))
        field = 1 - np.minimum(light, 1)
    else:
        # The edge of a backlit thing is as sharp as the thing itself: blurred by little only.
        gray = cv2.GaussianBlur(image.mean(axis=-1), (0, 0), rng.uniform(0.5, 6))
        level = np.quantile(gray, rng.uniform(0.4, 0.8))
        field = 1 / (1 + np.exp(np.clip((gray - level) / rng.uniform(0.02, 0.08), -30, 30)))
    return deepest * np.clip(field, 0, 1)[..., None]


def local_noise(low, high) -> tuple[np.ndarray, np.ndarray]:
    """Estimate a dark picture's noise against its brightness, where the scene is flat.

    The well-lit partner says where: blocks in which it is almost a plane. There the dark picture
    should be a plane as well, so what remains after fitting one is noise. Choosing by the partner,
    and not by the dark picture itself, keeps the choice from favoring blocks with little noise.

    Returns
    -------
    mean, variance : ndarray of float, shape (blocks, 3)
        The mean of each dark block of 8 x 8 pixels, in code values of 0 to 255, and the variance
        around the fitted plane. NaN where the scene is not flat.
    """
    mean, variance = _around_plane(as_float(low) * 255.0, block=8)
    bright, scatter = _around_plane(as_float(high) * 255.0, block=8)
    # A block at the partner's black or white end is flat only because it is cut off.
    chosen = (scatter < 2.5**2) & (bright > 5) & (bright < 250)
    return np.where(chosen, mean, np.nan), np.where(chosen, variance, np.nan)


def _around_plane(picture: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit a plane to every block; return the blocks' means and variances around it."""
    rows, columns = (size // block for size in picture.shape[:2])
    cut = picture[: rows * block, : columns * block]
    blocks = cut.reshape(rows, block, columns, block, 3).transpose(0, 2, 4, 1, 3)
    blocks = blocks.reshape(rows * columns, 3, block * block)
    y, x = np.mgrid[:block, :block].reshape(2, -1) - (block - 1) / 2
    plane = np.linalg.qr(np.stack([np.ones_like(x), x, y], axis=1))[0]
    rest = blocks - (blocks @ plane) @ plane.T
    # Three numbers were fitted, so three degrees of freedom are gone.
    return blocks.mean(axis=-1), (rest**2).sum(axis=-1) / (block**2 - 3)
