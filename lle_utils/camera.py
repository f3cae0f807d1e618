"""A small model of a camera in the dark.

It turns a well-lit picture into the one that the same camera would have taken with far too
little light. Each function is one step:

1. `srgb_to_linear`: undo the encoding of the file, so that numbers are proportional to light;
2. `cut_exposure`: less light, counted in stops (each halves it);
3. `count_electrons`: the sensor counts electrons, with shot noise, and reading adds read noise;
4. `balance_white`: gains for red and blue, which make gray look gray and amplify their noise;
5. `linear_to_srgb`: encode again;
6. `round_to_codes`: keep 256 code values.

`darken` runs all six. The default numbers of `Camera` were fitted to the dark pictures of the LOL
data set; `data/make_sample.py --compare` shows how well, and where not. Other cameras differ in
more than their numbers: their response is not sRGB, their black is not 0, their noise comes in
blotches, their files are JPEG. `darken_at_random` draws such a camera, and uneven light, for
each picture; the packaged weights were trained on such pictures.

The noise model is the usual one of a signal-dependent Poisson part and a constant Gaussian part:
A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian noise modeling
and fitting for single-image raw-data", IEEE Transactions on Image Processing 17 (2008).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lle_utils.images import as_float
from lle_utils.photos.color import linear_to_srgb, srgb_to_linear

STOPS = (4.0, 6.5)
CAST = 0.5


@dataclass(frozen=True)
class Camera:
    """A sensor and how it is read out, the same for every picture.

    Parameters
    ----------
    electrons : float
        Electrons that a green pixel would count at full scale (linear light 1.0), > 0. Few
        electrons mean much shot noise: a camera at a high ISO setting has few.
    read_noise : float
        Standard deviation of the read noise, in electrons, >= 0.
    gains : tuple of three floats
        What red, green and blue are multiplied by to make gray look gray, each > 0. A channel
        with gain g collects only 1 / g of the electrons, so it is noisier. They also represent
        the color matrix, which amplifies noise and which the model leaves out.
    response : float, optional
        Exponent of the encoding: code values are light to the power of 1 / `response`. None: sRGB.
    black_level : tuple of three floats
        Error of each channel's black level, as light: what a pixel without light is taken for.
    toe : float
        How much the darkest tones are darkened, >= 0: encoded values are multiplied by
        ``v / (v + toe)``.
    blotch : float
        Radius in pixels (standard deviation) over which the noise is blurred, >= 0; a camera that
        smooths its pictures leaves blotches.
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

    def __post_init__(self):
        """Refuse numbers that no camera can have."""
        if not 0 < self.electrons < math.inf:
            raise ValueError(f"electrons must be a positive number, not {self.electrons!r}")
        if not 0 <= self.read_noise < math.inf:
            raise ValueError(f"read_noise must be zero or positive, not {self.read_noise!r}")
        if len(self.gains) != 3 or not all(0 < gain < math.inf for gain in self.gains):
            raise ValueError(f"gains must be three positive numbers, not {self.gains!r}")


@dataclass(frozen=True)
class Exposure:
    """How dark one picture is, and how wrong its white balance is.

    Parameters
    ----------
    stops : float
        By how many stops the light is cut, >= 0: 5 stops leave 1 / 32 of it.
    cast : tuple of two floats
        By how many stops the gains of red and of blue are wrong, green being right. (0, 0) is
        a correct white balance; (0.5, 0) makes the picture reddish.
    """

    stops: float
    cast: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self):
        """Refuse what is not an exposure."""
        if not 0 <= self.stops < math.inf:
            raise ValueError(f"stops must be zero or positive, not {self.stops!r}")
        if len(self.cast) != 2 or not all(math.isfinite(c) for c in self.cast):
            raise ValueError(f"cast must be two finite numbers (red, blue), not {self.cast!r}")


LOL_LIKE = Camera()
UNEVEN = 0.45
"""Share of the pictures of `darken_at_random` that are taken in uneven light."""
WELL_LIT = 0.3
"""Share of the pictures of `darken_at_random` that are hardly dark at all."""


def sample_exposure(
    rng: np.random.Generator, *, stops: tuple[float, float] = STOPS, cast: float = CAST
) -> Exposure:
    """Draw an exposure at random: between two numbers of `stops`, and a cast of up to `cast`."""
    red, blue = rng.uniform(-cast, cast, size=2)
    return Exposure(float(rng.uniform(*stops)), (float(red), float(blue)))


def cut_exposure(linear, stops: float):
    """Reduce the light, an array of any shape: each stop halves it."""
    return np.asarray(linear) * 2.0**-stops


def count_electrons(linear, camera: Camera, rng: np.random.Generator):
    """Let the sensor count: shot noise and read noise.

    A pixel that expects n electrons counts a Poisson number of them, with standard deviation
    sqrt(n); reading it out adds a Gaussian error, which can make the result negative. `linear` is
    light, >= 0, an array (..., 3).
    """
    expected = np.asarray(linear) * camera.electrons / np.asarray(camera.gains)
    shot = rng.poisson(expected)
    return shot + camera.read_noise * rng.standard_normal(expected.shape)


def balance_white(electrons, camera: Camera, cast: tuple[float, float] = (0.0, 0.0)):
    """Turn what `count_electrons` gave back into light in [0, 1], with the camera's white balance.

    `cast` says by how many stops the gains of red and of blue are wrong.
    """
    red, blue = cast
    gains = np.asarray(camera.gains) * np.exp2([red, 0.0, blue])
    return np.clip(np.asarray(electrons) * gains / camera.electrons, 0, 1)


def round_to_codes(encoded) -> np.ndarray:
    """Round values in [0, 1] to k / 255, the 256 values that an 8-bit file can hold, in float32."""
    codes = np.rint(np.asarray(encoded) * 255).astype(np.float32)
    return codes / np.float32(255)


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
    uneven = rng.random() < UNEVEN
    shade = sample_shade(image, rng) if uneven else 0.0
    # Some pictures are hardly dark: a network must learn when to leave a picture unchanged.
    stops = (0.0, 0.5) if rng.random() < WELL_LIT else (0.0, 4.0) if uneven else (1.0, 7.0)
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
    """Draw uneven light: how many stops each place of a well-lit picture is darker.

    One of four kinds: a smooth random field; half of the picture in shade; a lamp or a few in the
    dark; or a backlit scene, where what is bright stays bright and all else is in shade. The result
    has the shape (height, width, 1).
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


def darken_as_phone(image, rng: np.random.Generator) -> np.ndarray:
    """Darken a picture as one phone might: for tests, never used in training.

    It has what `darken_at_random` draws cameras from (a response, a toe, blotchy noise, JPEG), in
    its own way; it also sharpens, and white balance is off by up to 12 % per channel.
    """
    light = as_float(image) ** np.float32(2.2) * np.float32(2.0 ** -rng.uniform(2.5, 5.0))
    light = light * (1 + rng.uniform(-0.12, 0.12, size=3)).astype(np.float32)
    grain = rng.standard_normal(light.shape).astype(np.float32)
    blotches = cv2.GaussianBlur(grain, (0, 0), 1.2) * 2
    spread = np.sqrt(np.maximum(light, 0) * 4e-4 + 4e-6)
    light = np.clip(light + spread * (0.4 * grain + 0.6 * blotches), 0, 1)
    toe = light / (light + 0.004)  # the darkest tones are pressed down
    encoded = light ** np.float32(1 / 1.8) * toe
    soft = cv2.GaussianBlur(encoded, (0, 0), 1.5)
    sharp = np.clip(encoded + 0.4 * (encoded - soft), 0, 1)
    return through_jpeg(sharp, 85)


def local_noise(low, high, *, block: int = 8, flat: float = 2.5) -> tuple[np.ndarray, np.ndarray]:
    """Estimate a dark picture's noise against its brightness, where the scene is flat.

    The well-lit partner says where: blocks in which it is almost a plane. There the dark picture
    should be a plane as well, so what remains after fitting one is noise. Choosing by the partner,
    and not by the dark picture itself, keeps the choice from favoring blocks with little noise.

    Parameters
    ----------
    low, high : arrays, shape (height, width, 3)
        A pair.
    block : int
        Side of the square blocks in pixels, >= 3.
    flat : float
        The largest standard deviation, in codes, of the partner's block around its plane.

    Returns
    -------
    mean, variance : ndarray of float, shape (blocks, 3)
        The dark block's mean, in code values of 0 to 255, and the variance around the fitted plane.
        NaN where it is not flat.
    """
    low, high = as_float(low) * 255.0, as_float(high) * 255.0
    if low.shape != high.shape or min(low.shape[:2]) < block:
        raise ValueError(
            f"the pair must have one shape, at least {block} x {block} pixels, "
            f"not {low.shape} and {high.shape}"
        )
    mean, variance = _around_plane(low, block)
    bright, scatter = _around_plane(high, block)
    # A block at the partner's black or white end is flat only because it is cut off.
    chosen = (scatter < flat**2) & (bright > 5) & (bright < 250)
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
