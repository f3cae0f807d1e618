"""Checks of the exercises in notebook 05, iterate."""

import sys
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import ndimage

from lle_utils import camera, curve, data, founding, metrics
from lle_utils.checks.verdicts import FILL_IN, Blank, Wrong, ask, check, numbers, whole


class _Recorder:
    """A network to be asked: remembers each picture, and how deep in calls it was asked."""

    def __init__(self, most: int):
        self.most = most
        self.pictures, self.steps, self.depths = [], [], []

    def __call__(self, picture, step=None):
        if len(self.pictures) >= self.most:
            raise Wrong(f"the network was asked {self.most} times and more. When does it stop?")
        frame, depth = sys._getframe(), 0
        while frame:
            frame, depth = frame.f_back, depth + 1
        picture = numbers(picture, "what the network is asked about")
        self.pictures.append(picture.copy())
        self.steps.append(step)
        self.depths.append(depth)
        # Smooth, so that single precision will do, and different on 0..255 and on [0, 1].
        return 0.45 + 0.4 * np.sin(5 * picture / (1 + picture))

    def is_in_calls(self) -> bool:
        """Tell whether each question came from a call in a call: on the way down, or back up."""
        steps = np.diff(self.depths)
        return bool(np.all(steps > 0) or np.all(steps < 0))


def _same_picture(found, wanted) -> bool:
    found = numbers(found, "what your function returns")
    return found.shape == wanted.shape and np.allclose(found, wanted, atol=1e-5)


@check
def founding_loop(function) -> str:
    """Check ``function(img, index, flag=1, *, predict)``: `founding.enhance` as a loop."""
    rng = np.random.default_rng(1)
    codes = rng.uniform(0, 60, (4, 5, 3))
    for img, index, flag in ((codes, 3, 1), (codes / 255, 2, 0), (codes, 0, 1), (codes, 1, 1)):
        wanted, asked = _Recorder(99), _Recorder(99)
        right = founding.enhance(img, index, flag, predict=wanted)
        found = ask(function, img, index, flag, keeps=True, predict=asked)
        text = f"index {index}, flag {flag}"
        if index == 0 and not _same_picture(found, right):
            raise Wrong("with index 0 nothing is left to do: return img as it is, undivided.")
        if len(asked.pictures) != index:
            raise Wrong(
                f"{text}: the network was asked {len(asked.pictures)} times and not {index}."
            )
        if flag == 1 and index and asked.pictures[0].max() <= 1:
            raise Wrong(
                "it divides by 255 before it asks the network. That would mend the first fault; "
                "the founding function asks about 0..255 first, and divides then."
            )
        pairs = list(zip(asked.pictures, wanted.pictures, strict=True))
        if flag == 0 and any(picture.max() < right.max() / 2 for picture, right in pairs):
            raise Wrong("it divides though flag is 0: the picture is in [0, 1] already.")
        for picture, right_picture in pairs[1:]:
            if picture.max() > 1:
                raise Wrong("the second call sees values above 1; by then E is in [0, 1].")
            if picture.min() >= 0 and picture.max() < right_picture.max() / 2:
                raise Wrong("it divides by 255 in every round; flag must be 0 after the first.")
            if not _same_picture(picture, right_picture):
                raise Wrong(
                    "the second question is about another picture than it should be. In E + M E "
                    "(1 - E) every E is the divided one."
                )
        if not _same_picture(found, right):
            raise Wrong(f"{text}: the network is asked rightly at first, but the result differs.")
        if index == 3 and asked.is_in_calls():
            raise Wrong("the pictures are right, but it still calls itself: write a loop.")
    return "The same questions to the network, the same picture, and no call waits for another."


@check
def recursion(function) -> str:
    """Check ``function(image, predict_map, iterations, step=0)``: `curve.recurse`, recursively."""
    image = np.random.default_rng(2).uniform(0, 0.3, (3, 4, 3))
    for iterations in (4, 1, 0):
        wanted, asked = _Recorder(99), _Recorder(99)
        right = curve.recurse(image, wanted, iterations)
        found = ask(function, image, asked, iterations, keeps=True)
        if len(asked.pictures) != iterations:
            raise Wrong(
                f"for {iterations} iterations the network was asked {len(asked.pictures)} times. "
                "Which case ends the recursion?"
            )
        if asked.steps != wanted.steps:
            raise Wrong(
                f"the network was told the steps {asked.steps} and not {wanted.steps}: count them "
                "up from call to call."
            )
        if not _same_picture(found, right):
            raise Wrong(
                "the result differs. Does each call hand on the brightened picture, and return "
                "what the next call returns?"
            )
        if iterations == 4 and not asked.is_in_calls():
            raise Wrong("the pictures are right, but this is a loop: let it call itself instead.")
    return "One call waits for the next, and the last one's picture is passed up through all."


@check
def iterations_for(function) -> str:
    """Check ``function(image)``: 12, 8 or 7 iterations by the mean code value of the picture."""
    lamp, blue = np.full((20, 30, 3), 2 / 255), np.zeros((8, 9, 3))
    lamp[:4, :6], blue[..., 2] = 1.0, 45 / 255  # mean code 12, median 2; mean code 15, luma 5
    pictures = [("an even picture", np.full((8, 9, 3), code / 255)) for code in (5, 15, 90)]
    pictures += [("a lamp in the dark", lamp), ("a blue wall", blue)]
    for mean in (9.99, 10.01, 19.99, 20.01):
        codes = np.full(3 * 20 * 20, int(mean))  # whole codes, as in a file
        codes[: round((mean - int(mean)) * codes.size)] += 1
        pictures.append(("a picture", codes.reshape(20, 20, 3) / 255))
    # Of one pixel, because there every way to take a mean is exact.
    pictures += [
        (f"exactly code {code}", np.full((1, 1, 3), code / 255, np.float32)) for code in (10, 20)
    ]
    answers = [whole(ask(function, image), "the number of iterations") for _, image in pictures]
    wanted = [founding.iterations_for(image) for _, image in pictures]
    if answers == wanted:
        return "12 below code 10, 7 from 20 on, 8 between; and it is the mean that counts."
    if set(answers) == {12}:
        raise Wrong("always 12. The picture is in [0, 1]: its mean *code* is 255 times its mean.")
    if len(set(answers)) == 1:
        raise Wrong(f"always {answers[0]}, however dark the picture is.")
    if answers[0] == 7 and answers[2] == 12:
        raise Wrong("turned around: the darkest pictures need the most iterations.")
    index = next(i for i in range(len(pictures)) if answers[i] != wanted[i])
    title, image = pictures[index]
    hint = ""
    if title.startswith("exactly"):
        hint = " Below means below."
    elif title in ("a lamp in the dark", "a blue wall"):
        hint = " Take the mean over all pixels and colors, all alike."
    mean = 255 * image.mean()
    raise Wrong(
        f"{title} (mean code {mean:.5g}) gets {answers[index]} and not {wanted[index]}.{hint}"
    )


@check
def stop_by_itself(function) -> str:
    """Check ``function(image, predict_map, tolerance, most)``: go on until nothing changes.

    It returns the picture and the number of steps: it stops after the first step that changes no
    value by more than `tolerance`, or after `most` steps.
    """
    image = np.full((6, 6, 3), 0.02)
    image[0, 0] = 0.0005  # a single dark pixel, which moves when all others have arrived
    cases = [(image, 0.001, 200), (image, 0.03, 200), (image, 1e-9, 5), (image, 0.5, 200)]
    for start, tolerance, most in (*cases, (image, 0.001, 0), (np.ones((2, 2, 3)), 0.0, 9)):
        asked = _Recorder(most + 50)

        def predict_map(picture, step, asked=asked):
            asked(picture, step)
            return np.full(np.shape(picture), 0.5)

        result = ask(function, start, predict_map, tolerance, most, keeps=True)
        try:
            picture, steps = result
        except (TypeError, ValueError):
            raise Wrong("two things were asked for: return image, steps.") from None
        steps = whole(steps, "the number of steps")
        text = f"tolerance {tolerance:g}, at most {most}"
        path = [start, *(E for _, E in curve.iterate(start, lambda E, step: 0.5, most))]
        changes = [np.abs(b - a) for a, b in pairwise(path)]
        right = next((n for n, c in enumerate(changes, 1) if c.max() <= tolerance), most)
        if asked.steps != list(range(len(asked.steps))):
            raise Wrong(f"the network was told the steps {asked.steps[:4]} ...: count up from 0.")
        if len(asked.steps) > most:
            raise Wrong(f"{text}: it took {len(asked.steps)} steps. Mind the limit.")
        if steps == right - 1 and _same_picture(picture, path[right - 1]):
            raise Wrong(f"{text}: the step that finds out is a step, too: {right} and not {steps}.")
        if steps != right:
            if tolerance == 0:
                raise Wrong(
                    f"on a white picture, with tolerance 0, you say {steps} steps; it must be "
                    f"{right}. A change of exactly the tolerance is not more than it: stop at <=."
                )
            mean = next((n for n, c in enumerate(changes, 1) if c.mean() <= tolerance), most)
            if steps == mean:
                raise Wrong(
                    f"{text}: {steps} steps and not {right}. You average the changes, and one dark "
                    "pixel is still on its way: take the largest."
                )
            raise Wrong(f"{text}: you say {steps} steps; it must be {right}.")
        if not _same_picture(picture, path[right]):
            raise Wrong(f"{text}: the steps are right, but not the picture after them.")
    return "It stops when the last pixel has arrived, and at the limit if that takes too long."


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


@check
def denoise(order_matters, quiet) -> str:
    """Check a prediction, a dict for "median" and "gaussian", and ``quiet(dark, bend)``.

    `dark` is a noisy dark picture, `bend` a function that brightens any picture; the result is a
    bright picture with less noise. It is held against what `bend` makes of `dark` without noise.
    """
    if not isinstance(order_matters, dict) or set(order_matters) != {"median", "gaussian"}:
        raise Wrong('order_matters must be a dict with the keys "median" and "gaussian".')
    if any(value is Ellipsis or value is None for value in order_matters.values()):
        raise Blank(FILL_IN)
    for value in order_matters.values():
        if isinstance(value, str) or value not in (True, False):
            raise Wrong(f"True or False was asked for, without quotes, and not {value!r}.")
    if order_matters["median"]:
        raise Wrong(
            "the order does not matter for the median. A rising curve keeps the order of values, "
            "so the one in the middle stays in the middle: try it."
        )
    if not order_matters["gaussian"]:
        raise Wrong(
            "the order matters for a Gaussian. It averages, and the mean of bent values is not the "
            "bent mean: try it."
        )
    scores = {"yours": [], "the curve alone": [], "a 3 x 3 median": []}
    for dark, goal in _noisy_and_not():
        found = numbers(ask(quiet, dark, _bend), "what quiet returns")
        if found.shape != goal.shape or not np.isfinite(found).all():
            raise Wrong(f"quiet must return a finite picture of shape {goal.shape}.")
        if found.max() > 2:
            raise Wrong(
                f"quiet must return values in [0, 1], and yours go up to {found.max():.0f}. Divide "
                "by 255 again at the end."
            )
        median = ndimage.median_filter(_bend(dark), (3, 3, 1))
        for title, picture in zip(scores, (found, _bend(dark), median), strict=True):
            scores[title].append(metrics.psnr(np.clip(picture, 0, 1), goal))
    means = {title: float(np.mean(values)) for title, values in scores.items()}
    told = ", ".join(f"{title} {value:.1f} dB" for title, value in means.items())
    if means["yours"] < means["the curve alone"] + 0.1:
        raise Wrong(f"no better than doing nothing about the noise: {told}.")
    if means["yours"] < means["a 3 x 3 median"] + 1:
        raise Wrong(
            f"less noise, but not 1 dB above a plain median: {told}. Did the edges go with the "
            "noise? Look for a filter that averages only what is alike."
        )
    return f"Measured against the same pictures without noise: {told}."
