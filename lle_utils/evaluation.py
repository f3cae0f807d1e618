"""Score a method on pairs, picture by picture, beside what it must beat."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from lle_utils import baselines
from lle_utils.images import as_float, to_uint8
from lle_utils.metrics import bootstrap_interval, psnr, score

FIGURES = ("psnr", "ssim", "ciede2000")

GT_MEAN = "psnr after GT-mean"

LOL_CONSTANT = 0.386
"""The constant map that is best on LOL's training split after eight iterations."""

BASELINES = {
    "untouched": lambda picture: picture,
    "gamma 0.4": baselines.gamma,
    "equalized": baselines.equalize,
    "CLAHE": baselines.clahe,
    "LIME-like": baselines.lime_like,
    f"constant {LOL_CONSTANT}": lambda picture: baselines.constant_map(picture, LOL_CONSTANT),
}
"""What a network must beat, by name; none of them sees the reference."""


def evaluate(
    enhance: Callable,
    pairs: Iterable,
    *,
    compared: Mapping[str, Callable] = BASELINES,
    gt_mean: bool = False,
    progress: Callable = iter,
) -> dict:
    """Score a method and others on the same pairs, by the protocol of `metrics`.

    Parameters
    ----------
    enhance : callable
        Takes a picture, float32 (height, width, 3) in [0, 1], and returns one like it.
    pairs : iterable of data.Pair
    compared : mapping of str to callable
        Other methods, by name, which the first is compared with picture by picture.
    gt_mean : bool, default False
        Add the PSNR after each result was scaled to its *reference's* mean: what a method would
        score if somebody told it the exposure. Never to be compared with the other figures.
    progress : callable, default iter
        Wraps the iterable to show progress, such as ``tqdm.auto.tqdm``.

    Returns
    -------
    dict
        Of numbers, text and lists alone, ready for JSON (None in place of an infinite or undefined
        figure): the means ``psnr``, ``ssim``, ``ciede2000`` and ``seconds`` (of enhancing alone),
        ``intervals`` (95 % bootstrap bounds of each mean), ``worst`` (name and PSNR), ``pairs``
        (their number), ``images`` (the figures of each), and ``compared``: for each method its
        means, and in ``gain`` how much better the first is, with an interval over pictures.
    """
    methods = {"": enhance, **compared}
    rows = {name: [] for name in methods}
    with ThreadPoolExecutor(2) as pool:
        for pair in progress(pairs):
            # One after the other, so that the seconds of each are its own; then the slow figures.
            enhanced = [_timed(method, pair.low) for method in methods.values()]
            found = pool.map(partial(_score, pair=pair, gt_mean=gt_mean), enhanced)
            for name, row in zip(methods, found, strict=True):
                rows[name].append(row)
    own = rows.pop("")
    worst = min(own, key=lambda row: row["psnr"])
    report = {
        **_means(own),
        "intervals": {f: _interval([row[f] for row in own]) for f in FIGURES},
        "worst": {"name": worst["name"], "psnr": worst["psnr"]},
        "pairs": len(own),
        "images": own,
        "compared": {
            name: {**_means(other), "gain": _gain(own, other)} for name, other in rows.items()
        },
    }
    return _rounded(report)


def _timed(method: Callable, low: np.ndarray) -> tuple[np.ndarray, float]:
    """Return what a method makes of a picture, and the seconds that it took."""
    begin = time.perf_counter()
    return method(low), time.perf_counter() - begin


def _score(timed: tuple[np.ndarray, float], pair, gt_mean: bool) -> dict:
    enhanced, seconds = timed
    found = score(pair.name, enhanced, pair.high)
    row = {"name": pair.name, **{f: getattr(found, f) for f in FIGURES}, "seconds": seconds}
    if gt_mean:
        row[GT_MEAN] = psnr(scale_to_mean(enhanced, pair.high), pair.high)
    return row


def pictures_by_depth(model, low, depths: Iterable[int]) -> dict[int, np.ndarray]:
    """Enhance a picture once and keep what it is after each of several numbers of iterations.

    Parameters
    ----------
    model : enhancer.Enhancer or founding.FoundingEnhancer
    low : ndarray of float32, shape (height, width, 3)
        A dark picture in [0, 1].
    depths : iterable of int
        Numbers of iterations, 1 or more.

    Returns
    -------
    dict of int to ndarray of float32
        By number of iterations, on 8-bit levels as the protocol wants them.
    """
    steps = enumerate(model.steps(low[None], max(depths)), 1)
    pictures = {n: np.asarray(step.image)[0] for n, step in steps if n in depths}
    return {n: as_float(to_uint8(picture)) for n, picture in pictures.items()}


def scale_to_mean(image, reference) -> np.ndarray:
    """Scale a picture so that its mean is the reference's ("GT-mean"). It looks at the answer.

    Parameters
    ----------
    image, reference : array, shape (height, width, 3)
        As `images.as_float` takes them.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        Clipped to [0, 1]; a black picture stays as it is.
    """
    image, reference = as_float(image), as_float(reference)
    mean = float(image.mean())
    return image if mean == 0 else np.clip(image * (float(reference.mean()) / mean), 0, 1)


def _means(rows: list[dict]) -> dict:
    """Average the columns; pictures too small for an SSIM do not count in it."""
    means = {}
    for column in [name for name in rows[0] if name != "name"]:
        values = [row[column] for row in rows if not np.isnan(row[column])]
        means[column] = float(np.mean(values)) if values else float("nan")
    return means


def _interval(values: list[float]) -> list[float] | None:
    known = np.array([value for value in values if not np.isnan(value)])
    if not known.size or not np.all(np.isfinite(known)):  # an exact copy has no finite PSNR
        return None
    return list(bootstrap_interval(known))


def _gain(own: list[dict], other: list[dict]) -> dict:
    """Return by how much the first is better, picture by picture: a smaller CIEDE2000 is better."""
    gains = {}
    for figure in [f for f in (*FIGURES, GT_MEAN) if f in own[0]]:
        sign = -1 if figure == "ciede2000" else 1
        with np.errstate(invalid="ignore"):  # an exact copy against an exact copy
            pairs = zip(own, other, strict=True)
            found = [sign * np.subtract(a[figure], b[figure]) for a, b in pairs]
        known = [value for value in found if not np.isnan(value)]
        mean = float(np.mean(known)) if known else float("nan")
        gains[figure] = {"mean": mean, "interval": _interval(found)}
    return gains


def _rounded(value):
    """Round every number to four digits; JSON has no infinity and no NaN, so they become None."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


def as_text(report: dict) -> str:
    """Lay a report of `evaluate` out as a table for people."""
    rows = [*report["images"], {"name": "mean", **report}]
    others = [{"name": name, **means} for name, means in report["compared"].items()]
    width = max(len(row["name"]) for row in [*rows, *others, {"name": "picture"}])
    extra = "   PSNR after GT-mean (uses the reference)" if GT_MEAN in report else ""
    lines = [f"{'picture':{width}}   PSNR dB    SSIM  CIEDE2000  seconds{extra}"]
    lines += [_line(row, width) for row in rows]
    if report["intervals"]["psnr"]:
        low, high = report["intervals"]["psnr"]
        lines.append(
            f"mean PSNR, 95 % bootstrap interval: {low:.2f} to {high:.2f} dB; "
            f"worst: {report['worst']['name']}"
        )
    if others:
        lines += [
            "",
            f"{'compared':{width}}   PSNR dB    SSIM  CIEDE2000  seconds   ours is better by",
        ]
    for other in others:
        gain = other["gain"]["psnr"]
        better = ""
        if gain["interval"]:
            low, high = gain["interval"]
            better = f"   {gain['mean']:+.2f} dB ({low:+.2f} to {high:+.2f})"
        lines.append(_line({k: v for k, v in other.items() if k != "gain"}, width) + better)
    return "\n".join(lines)


def _line(row: dict, width: int) -> str:
    def number(column: str, form: str, undefined: str = "nan") -> str:
        value = row[column]
        return format(float(undefined) if value is None else value, form)

    line = f"{row['name']:{width}}   {number('psnr', '7.2f', 'inf')}  {number('ssim', '6.3f')}"
    line += f"  {number('ciede2000', '9.2f')}  {number('seconds', '7.2f')}"
    if GT_MEAN in row and "gain" not in row:
        line += f"   {number(GT_MEAN, '7.2f', 'inf')}"
    return line
