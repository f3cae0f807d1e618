"""Score a method picture by picture, next to simple ones: on pairs, or without references."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from lle_utils import baselines
from lle_utils.images import as_float, to_uint8
from lle_utils.metrics import METRICS, Harm, bootstrap_interval, mean_scores, psnr, score

GT_MEAN = "psnr after GT-mean"

LOL_CONSTANT = 0.386
"""The constant with the best mean PSNR on LOL's training split, for eight iterations."""

BASELINES = {
    "untouched": lambda picture: picture,
    "gamma 0.4": baselines.gamma,
    "equalized": baselines.equalize,
    "CLAHE": baselines.clahe,
    "LIME-like": baselines.lime_like,
    f"constant {LOL_CONSTANT}": lambda picture: baselines.constant_map(picture, LOL_CONSTANT),
}
"""What the enhancer must beat, by name; none of them sees the reference."""


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
        Other methods by name, to compare with picture by picture.
    gt_mean : bool, default False
        Add the PSNR after each result was scaled to its *reference's* mean: what a method would
        score if somebody told it the exposure. Not comparable with the plain PSNR.
    progress : callable, default iter
        Wraps the iterable to show progress, such as ``tqdm.auto.tqdm``.

    Returns
    -------
    dict
        Ready for JSON (None in place of an infinite or undefined number): the means ``psnr``,
        ``ssim``, ``ciede2000`` and ``seconds`` (of enhancing only), ``intervals`` (95 % bootstrap
        interval of each mean), ``worst`` (name and PSNR), ``pairs`` (their number), ``images`` (the
        scores of each), and ``compared``: for each other method its means, and in ``gain`` by how
        much the first is better, per metric, with an interval over pictures.
    """
    methods = {"": enhance, **compared}
    rows = {name: [] for name in methods}
    with ThreadPoolExecutor(2) as pool:
        for pair in progress(pairs):
            # Enhance one after the other, so that the seconds are right; then score side by side.
            enhanced = [_timed(method, pair.low) for method in methods.values()]
            found = pool.map(partial(_score, pair=pair, gt_mean=gt_mean), enhanced)
            for name, row in zip(methods, found, strict=True):
                rows[name].append(row)
    own = rows.pop("")
    worst = min(own, key=lambda row: row["psnr"])
    report = {
        **_means(own),
        "intervals": {metric: _interval([row[metric] for row in own]) for metric in METRICS},
        "worst": {"name": worst["name"], "psnr": worst["psnr"]},
        "pairs": len(own),
        "images": own,
        "compared": {
            name: {**_means(other), "gain": _gain(own, other)} for name, other in rows.items()
        },
    }
    return _rounded(report)


def _timed(method: Callable, low: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the result of a method, and the seconds that it took."""
    begin = time.perf_counter()
    return method(low), time.perf_counter() - begin


def _score(timed: tuple[np.ndarray, float], pair, gt_mean: bool) -> dict:
    enhanced, seconds = timed
    row = {"name": pair.name, **score(enhanced, pair.high), "seconds": seconds}
    if gt_mean:
        row[GT_MEAN] = psnr(scale_to_mean(enhanced, pair.high), pair.high)
    return row


def evaluate_dark(
    enhance: Callable,
    pictures: Iterable,
    videos: Iterable = (),
    *,
    compared: Mapping[str, Callable] = BASELINES,
) -> dict:
    """Measure what a method and others do to pictures without references: harm, counted.

    Parameters
    ----------
    enhance, compared
        As for `evaluate`.
    pictures : iterable of (str, ndarray)
        The name and the picture, float32 (height, width, 3) in [0, 1], of each.
    videos : iterable of (str, dict)
        The name, and what `video.measure_flicker` returned, of each.

    Returns
    -------
    dict
        Ready for JSON (None where nothing can be measured): the means of what `metrics.Harm`
        measures and of ``seconds``, ``pictures`` (their number), ``images`` (the numbers of each),
        in ``compared`` the means of each other method, and ``videos`` as given.
    """
    methods = {"": enhance, **compared}
    rows = {name: [] for name in methods}
    for picture_name, low in pictures:
        harm = Harm(low)
        for name, method in methods.items():
            enhanced, seconds = _timed(method, low)
            measured = harm.measure(enhanced)
            rows[name].append({"name": picture_name, **measured, "seconds": seconds})
    own = rows.pop("")
    others = {name: _means(other) for name, other in rows.items()}
    report = {**_means(own), "pictures": len(own), "images": own, "compared": others}
    return _rounded({**report, "videos": dict(videos)})


def pictures_by_depth(model, low, depths: Iterable[int]) -> dict[int, np.ndarray]:
    """Enhance a picture once and keep the results after several numbers of iterations.

    They are rounded to 8 bits as the protocol says.
    """
    steps = enumerate(model.steps(low[None], max(depths)), 1)
    pictures = {n: np.asarray(step.image)[0] for n, step in steps if n in depths}
    return {n: as_float(to_uint8(picture)) for n, picture in pictures.items()}


def scale_to_mean(image, reference) -> np.ndarray:
    """Scale a picture so that its mean is the reference's ("GT-mean"). It looks at the answer.

    The result is clipped to [0, 1]; a black picture stays as it is.
    """
    image, reference = as_float(image), as_float(reference)
    mean = float(image.mean())
    return image if mean == 0 else np.clip(image * (float(reference.mean()) / mean), 0, 1)


def _means(rows: list[dict]) -> dict:
    return mean_scores(rows, [column for column in rows[0] if column != "name"]) if rows else {}


def _interval(values: list[float]) -> list[float] | None:
    known = np.array([value for value in values if not np.isnan(value)])
    if not known.size or not np.all(np.isfinite(known)):  # an exact copy has no finite PSNR
        return None
    return list(bootstrap_interval(known))


def _gain(own: list[dict], other: list[dict]) -> dict:
    """Return how much better the first is, picture by picture: a lower CIEDE2000 is better."""
    gains = {}
    for metric in [name for name in (*METRICS, GT_MEAN) if name in own[0]]:
        sign = -1 if metric == "ciede2000" else 1
        differences = [sign * (a[metric] - b[metric]) for a, b in zip(own, other, strict=True)]
        mean = mean_scores([{metric: difference} for difference in differences], [metric])[metric]
        gains[metric] = {"mean": mean, "interval": _interval(differences)}
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


# The columns of the tables: under each heading, a key of the rows and how its value is written.
_SECONDS = {"seconds": ("seconds", ".2f")}
_PAIRS = {
    "PSNR dB": ("psnr", ".2f"),
    "SSIM": ("ssim", ".3f"),
    "CIEDE2000": ("ciede2000", ".2f"),
    **_SECONDS,
}
_HARM = {
    "brightness": ("brightness", ".1f"),
    "clipped %": ("clipped", ".2f"),
    "reversed %": ("reversed", ".2f"),
    "noise": ("noise", ".2f"),
    **_SECONDS,
}
_FLICKER = {"frames": ("frames", "d"), "before": ("before", ".2f"), "after": ("after", ".2f")}


def as_text(report: dict) -> str:
    """Lay a report of `evaluate` out as tables for people."""
    told = GT_MEAN in report
    columns = {"PSNR after GT-mean (uses the reference)": (GT_MEAN, ".2f")} if told else {}
    pictures = _table("picture", _with_mean(report), _PAIRS | columns)
    if report["intervals"]["psnr"]:
        low, high = report["intervals"]["psnr"]
        pictures += (
            f"\nmean PSNR, 95 % bootstrap interval: {low:.2f} to {high:.2f} dB; "
            f"worst: {report['worst']['name']}"
        )
    others = _named(report["compared"])
    tables = [
        pictures,
        _table("compared", others, _PAIRS | {"ours is better by": ("psnr", "gain")}),
    ]
    if told:
        columns = {"PSNR dB": (GT_MEAN, ".2f"), "ours is better by": (GT_MEAN, "gain")}
        tables.append(_table("after GT-mean", others, columns))
    return "\n\n".join(table for table in tables if table)


def dark_as_text(report: dict) -> str:
    """Lay a report of `evaluate_dark` out as tables for people."""
    tables = [_table("flicker", _named(report["videos"]), _FLICKER)]
    if report["images"]:
        pictures = _table("picture", _with_mean(report), _HARM)
        tables = [pictures, _table("compared", _named(report["compared"]), _HARM), *tables]
    return "\n\n".join(table for table in tables if table)


def _named(rows: Mapping[str, dict]) -> list[dict]:
    return [{"name": name, **row} for name, row in rows.items()]


def _with_mean(report: dict) -> list[dict]:
    return [*report["images"], {"name": "mean", **report}]


def _table(title: str, rows: list[dict], columns: Mapping[str, tuple[str, str]]) -> str:
    """Lay rows out under headings; "" if there are none."""
    if not rows:
        return ""
    width = max(16, *(len(row["name"]) for row in rows))  # most tables are as wide as each other
    lines = ["   ".join([title.ljust(width), *columns])]
    for row in rows:
        cells = [_cell(row, *column).rjust(len(head)) for head, column in columns.items()]
        lines.append("   ".join([row["name"].ljust(width), *cells]))
    return "\n".join(lines)


def _cell(row: dict, column: str, form: str) -> str:
    """Write one number of a row, inf for the PSNR of a copy; or the gain in a metric."""
    if form == "gain":
        gain = row["gain"][column]
        if not gain["interval"]:
            return ""
        low, high = gain["interval"]
        return f"{gain['mean']:+.2f} dB ({low:+.2f} to {high:+.2f})"
    undefined = float("inf") if column in ("psnr", GT_MEAN) else float("nan")
    return format(undefined if row[column] is None else row[column], form)
