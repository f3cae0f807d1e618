"""Exercises of notebook 05, iterate."""

from functools import cache

import numpy as np
from scipy import ndimage

from lle_utils import camera, curve, data, founding, metrics
from lle_utils.checks import reading
from lle_utils.checks.engine import CHANGES_ITS_INPUT, Exercise, Function, Value, ask
from lle_utils.checks.reading import require
from lle_utils.checks.recorder import Recorder, smooth_map

_codes = np.random.default_rng(1).uniform(0, 60, (4, 5, 3))


def _asked_by_founding(function, img, index, flag):
    network = Recorder()
    seen = network.see(function, img, index, flag, predict=network)
    return seen | {"it must be a loop, without a call of itself": not network.is_asked_in_calls()}


def _founding(divides=lambda number, flag: flag and number == 0, before_asking=False):
    """Return the founding function as a loop that divides by 255 when it is told to."""

    def enhance_in_a_loop(img, index, flag=1, *, predict):
        for number in range(index):
            E = img / 255 if divides(number, flag) else img
            img = curve.brighten(E, predict(E if before_asking else img))
        return img

    return enhance_in_a_loop


founding_loop = Exercise(
    "``function(img, index, flag=1, *, predict)``: `founding.enhance` as a loop.",
    observe=_asked_by_founding,
    probes=[(_codes, 3, 1), (_codes / 255, 2, 0), (_codes, 0, 1), (_codes, 1, 1)],
    right=_founding(),
    mistakes={
        "give the network 0 to 255, and divide afterwards.": _founding(before_asking=True),
        "it divides by 255 in every iteration.": _founding(lambda number, flag: flag),
        "it divides even though flag is 0.": _founding(lambda number, flag: number == 0),
        "the pictures are right, but it still calls itself: write a loop.": founding.enhance,
    },
    praise="The same questions to the network, the same picture, and no call waits for another.",
)


def _asked_by_recursion(function, image, predict_map, iterations):
    network = Recorder(predict_map)
    return network.see(function, image, network, iterations) | {
        "it must tell the network the steps 0, 1, 2, ...": network.counts_up(),
        "it must call itself, without a loop": network.is_asked_in_calls() or iterations < 3,
    }


def _recurse(last=0, count_up=1, hand_back=True):
    """Return a recursive function with the mistakes that are asked for."""

    def my_recurse(image, predict_map, iterations, step=0):
        if iterations == last:
            return image
        image = curve.brighten(image, predict_map(image, step))
        deeper = my_recurse(image, predict_map, iterations - 1, step + count_up)
        return deeper if hand_back else image

    return my_recurse


recursion = Exercise(
    "``function(image, predict_map, iterations, step=0)``: `curve.recurse`, recursively.",
    observe=_asked_by_recursion,
    probes=[(_codes / 255, smooth_map, iterations) for iterations in (4, 3, 1, 0)],
    right=_recurse(),
    mistakes={
        "the pictures are right, but this is a loop: let it call itself.": curve.recurse,
        "each call gives the network the same step: pass on step + 1.": _recurse(count_up=0),
        "it does one iteration too few, or never ends. Which case ends it?": _recurse(last=1),
        "what the next call returns is lost: return it.": _recurse(hand_back=False),
    },
    praise="One call waits for the next, and the last picture is passed up through all of them.",
)


def _pictures():
    """Return pictures at and around the limits, and some whose median or luma misleads."""
    lamp, blue = np.full((20, 30, 3), 2 / 255), np.zeros((8, 9, 3))
    lamp[:4, :6], blue[..., 2] = 1.0, 45 / 255  # mean code 12, median 2; mean code 15, luma 5
    even = [np.full((20, 20, 3), code) for code in (5, 15, 90, 9.99, 10.01, 19.99, 20.01)]
    # Whole codes, as in a file, with the same mean.
    files = [np.floor(codes + np.linspace(0, 0.999, 1200).reshape(20, 20, 3)) for codes in even]
    # Of one pixel, because there every way to take a mean is exact.
    exact = [np.full((1, 1, 3), code / 255, np.float32) for code in (10, 20)]
    return [lamp, blue, *(codes / 255 for codes in files), *exact]


def _rule(code):
    return 12 if code < 10 else 8 if code < 20 else 7


iterations_for = Exercise(
    "``function(image)``: 12, 8 or 7 iterations by the mean code value of the picture.",
    read=reading.whole,
    probes=_pictures,
    right=founding.iterations_for,
    mistakes={
        "it is always 12: the mean *code* is 255 times the mean.": lambda x: _rule(x.mean()),
        "that is the median: take the mean.": lambda image: _rule(255 * np.median(image)),
        "that is luma. Take the mean over all colors alike.": (
            lambda image: _rule(255 * (image @ [0.299, 0.587, 0.114]).mean())
        ),
        "exactly 10 is not below 10.": lambda x: (
            12 if 255 * x.mean() <= 10 else _rule(255 * x.mean())
        ),
    },
    praise="12 below code 10, 7 from 20 on, and 8 in between. Only the mean counts.",
)


def _half(picture):
    return np.full(picture.shape, 0.5)


def _stopping(function, image, predict_map, tolerance, most):
    network = Recorder(predict_map, most + 50)
    result = ask(function, image, network, tolerance, most, keeps=True)
    picture, steps = reading.two(result, "image, steps")
    return {
        "the number of iterations": reading.whole(steps, "the number of iterations"),
        "it never asks the network more often than `most`": len(network.steps) <= most,
        "it must tell the network the steps 0, 1, 2, ...": network.counts_up(),
        "the picture it returns": reading.numbers(picture, "the picture it returns"),
    }


def _until(arrived=lambda new, old, most: np.abs(new - old).max() <= most, counted=1):
    """Return an answer that stops when ``arrived(new, old, tolerance)``."""

    def iterate_until(image, predict_map, tolerance, most):
        for step in range(most):
            old, image = image, curve.brighten(image, predict_map(image, step))
            if arrived(image, old, tolerance):
                return image, step + counted
        return image, most

    return iterate_until


def _in_place(image, predict_map, tolerance, most):
    image += predict_map(image, 0) * image * (1 - image)
    return image, most


# A single dark pixel, which still moves when all the others have arrived.
_almost_even = np.full((6, 6, 3), 0.02)
_almost_even[0, 0] = 0.0005

stop_by_itself = Exercise(
    "``function(image, predict_map, tolerance, most)``: go on until nothing changes.",
    observe=_stopping,
    probes=[
        *((_almost_even, _half, tolerance, 200) for tolerance in (0.001, 0.03, 1e-9, 0.5)),
        (_almost_even, _half, 1e-9, 5),
        (_almost_even, _half, 0.001, 0),
        (np.ones((2, 2, 3)), _half, 0.0, 9),
    ],
    right=_until(),
    mistakes={
        CHANGES_ITS_INPUT: _in_place,
        "take the largest change, not the mean.": _until(lambda a, b, t: (a - b).mean() <= t),
        "the last iteration, after which you stop, counts as well.": _until(counted=0),
        "also stop at exactly the tolerance.": _until(lambda a, b, t: (a - b).max() < t),
        "np.allclose adds a tolerance of its own, rtol, so it stops too early: pass rtol=0.": (
            _until(lambda new, old, tolerance: np.allclose(new, old, atol=tolerance))
        ),
    },
    praise="It stops when the last pixel has settled, or at the limit if that takes too long.",
)


def _read_prediction(prediction, name) -> dict:
    is_whole = isinstance(prediction, dict) and set(prediction) == {"median", "gaussian"}
    require(is_whole, f'{name} must be a dict with the keys "median" and "gaussian".')
    return {key: int(reading.truth(value, f"{name}[{key!r}]")) for key, value in prediction.items()}


def _bend(picture):
    return curve.recurse(np.maximum(picture, curve.FLOOR), lambda E, step: 0.5, 8)


@cache
def _noisy_and_not() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return dark, noisy pictures, each with what the curve makes of it without its noise."""
    pictures = []
    for seed, name in enumerate(("admiral", "coffee", "peaks")):
        high = data.load("sample", "test", lazy=True)[name].high[:240, :320]
        light = camera.cut_exposure(camera.srgb_to_linear(high.astype(float)), 6.5)
        dark = camera.darken(high, 6.5, np.random.default_rng(seed))
        pictures.append((dark, _bend(camera.linear_to_srgb(light))))
    return pictures


def _mean_psnr(quiet) -> float:
    """Score an answer against the same pictures without noise."""
    scores = []
    for dark, goal in _noisy_and_not():
        found = reading.numbers(ask(quiet, dark, _bend), "what quiet returns", goal.shape)
        is_picture = np.isfinite(found).all() and found.max() <= 2
        require(is_picture, "quiet must return finite values in [0, 1]: divide by 255 again.")
        scores.append(metrics.psnr(np.clip(found, 0, 1), goal))
    return float(np.mean(scores))


def _after_the_curve(bright_filter):
    return lambda dark, bend: bright_filter(bend(dark))


_median = _after_the_curve(lambda bright: ndimage.median_filter(bright, (3, 3, 1)))


def _compared(quiet) -> tuple[float, float, float, str]:
    """Return the scores of an answer, of the curve and of a median, also in words."""
    scores = [_mean_psnr(one) for one in (quiet, _after_the_curve(np.copy), _median)]
    told = "yours {:.1f} dB, the curve without a filter {:.1f} dB, a 3 x 3 median {:.1f} dB"
    return *scores, told.format(*scores)


def _quality(quiet) -> dict:
    own, nothing, median, told = _compared(quiet)
    require(own >= nothing + 0.1, f"no better than doing nothing about the noise: {told}.")
    require(
        own >= median + 1,
        f"less noise, but not 1 dB above a plain median: {told}. Did the edges go with the "
        "noise? Look for a filter that averages only similar pixels.",
    )
    return {"a plain median is beaten by 1 dB": True}


def _quiet(dark, bend):
    from skimage.restoration import denoise_nl_means

    sigma = np.std(dark - ndimage.median_filter(dark, (3, 3, 1)))
    settings = {"patch_size": 5, "patch_distance": 6, "channel_axis": -1}
    return bend(denoise_nl_means(dark, h=0.6 * sigma, sigma=sigma, **settings))


denoise = Exercise(
    "Whether the order matters for two filters, and ``quiet(dark, bend)``, bright with less noise.",
    Value(
        "order_matters",
        {"median": False, "gaussian": True},
        {
            "a rising curve leaves the middle value in the middle.": {"median": 1, "gaussian": 1},
            "a Gaussian averages, so the order matters for it.": {"median": 0, "gaussian": 0},
        },
        read=_read_prediction,
    ),
    Function(
        observe=_quality,
        right=_quiet,
        mistakes={
            "no better than doing nothing about the noise": _after_the_curve(np.copy),
            "less noise, but not 1 dB above a plain median": _median,
            "quiet must return finite values in [0, 1]": _after_the_curve(lambda E: 255 * E),
        },
    ),
    praise=lambda order, quiet: f"Against the pictures without noise: {_compared(quiet)[-1]}.",
)
