"""Score a method picture by picture, next to simple ones: on pairs, or without references."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from lle_utils import baselines
from lle_utils.images import as_float, to_uint8
from lle_utils.metrics import METRICS, bootstrap_interval, harm, mean_scores, psnr, score

GT_MEAN = "psnr after GT-mean"

BASELINES = {
    "untouched": lambda picture: picture,
    "gamma 0.4": baselines.gamma,
    "equalized": baselines.equalize,
    "CLAHE": baselines.clahe,
    "LIME-like": baselines.lime_like,
    f"constant {baselines.LOL_CONSTANT}": partial(baselines.constant_map, m=baselines.LOL_CONSTANT),
}
"""What the enhancer must beat, by name; none of them sees the reference."""


def evaluate(
    enhance: Callable,
    pairs: Iterable,
    *,
    compared: Mapping[str, Callable] = BASELINES,
    gt_mean: bool = False,
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

    Returns
    -------
    dict
        Ready for JSON (None in place of an infinite or undefined number): the means ``psnr``,
        ``ssim``, ``ciede2000`` and ``seconds`` (of enhancing only), ``intervals`` (95 % bootstrap
        interval of each mean), ``worst`` (name and PSNR), ``pairs`` (their number), ``images`` (the
        scores of each), and ``compared``: for each other method its means, and in ``gain`` by how
        much the first is better, per metric, with an interval over pictures.
    """

    def measure(enhanced, reference) -> dict[str, float]:
        scores = score(enhanced, reference)
        if gt_mean:
            scores[GT_MEAN] = psnr(scale_to_mean(enhanced, reference), reference)
        return scores

    own, others = _measure_all(enhance, compared, pairs, measure)
    worst = min(own, key=lambda row: row["psnr"])
    report = {
        **_means(own),
        "intervals": _intervals(own, METRICS),
        "worst": {"name": worst["name"], "psnr": worst["psnr"]},
        "pairs": len(own),
        "images": own,
        "compared": {
            name: {**_means(rows), "gain": _gain(own, rows)} for name, rows in others.items()
        },
    }
    return _ready_for_json(report)


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
        Ready for JSON (None where nothing can be measured): the means of what `metrics.harm`
        measures and of ``seconds``, ``pictures`` (their number), ``images`` (the numbers of each),
        in ``compared`` the means of each other method, and ``videos`` as given.
    """
    with_itself = ((name, picture, picture) for name, picture in pictures)
    own, others = _measure_all(enhance, compared, with_itself, harm)
    report = {
        **_means(own),
        "pictures": len(own),
        "images": own,
        "compared": {name: _means(rows) for name, rows in others.items()},
        "videos": dict(videos),
    }
    return _ready_for_json(report)


def _measure_all(enhance: Callable, compared: Mapping, pictures: Iterable, measure: Callable):
    """Enhance each picture by each method, and compare the result with something.

    `pictures` are (name, picture, what to compare with). Returns the rows of `enhance`, and those
    of the other methods by name.
    """
    methods = {"": enhance, **compared}
    rows = {method: [] for method in methods}
    for name, picture, reference in pictures:
        for method, run in methods.items():
            begin = time.perf_counter()
            enhanced = run(picture)
            seconds = time.perf_counter() - begin
            measured = measure(enhanced, reference)
            rows[method].append({"name": name, **measured, "seconds": seconds})
    return rows.pop(""), rows


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


def _intervals(rows: list[dict], metrics: Iterable[str]) -> dict[str, tuple[float, float]]:
    return {metric: bootstrap_interval([row[metric] for row in rows]) for metric in metrics}


def _gain(own: list[dict], other: list[dict]) -> dict:
    """Return how much better the first is, picture by picture: a lower CIEDE2000 is better."""
    signs = {"psnr": 1, "ssim": 1, "ciede2000": -1, GT_MEAN: 1}
    metrics = [metric for metric in signs if metric in own[0]]
    gains = [
        {metric: signs[metric] * (ours[metric] - theirs[metric]) for metric in metrics}
        for ours, theirs in zip(own, other, strict=True)
    ]
    means, intervals = mean_scores(gains, metrics), _intervals(gains, metrics)
    return {metric: {"mean": means[metric], "interval": intervals[metric]} for metric in metrics}


def _ready_for_json(report: dict) -> dict:
    """Round all numbers to four digits; JSON has no infinity and no NaN, so these become None."""
    return json.loads(
        json.dumps(report),
        parse_float=lambda number: round(float(number), 4),
        parse_constant=lambda number: None,
    )


def as_text(report: dict) -> str:
    """Lay a report of `evaluate` or `evaluate_dark` out as tables for people."""
    parts = []
    if report["images"]:
        columns = [column for column in report["images"][0] if column != "name"]
        images = [(row["name"], row) for row in report["images"]]
        parts.append(_table("picture", [*images, ("mean", report)], columns))
        parts.append(_table("compared", report["compared"].items(), columns))
    if "intervals" in report:
        gains = {name: row["gain"] for name, row in report["compared"].items()}
        parts.append(_table("ours is better by", gains.items(), columns[:-1]))  # no seconds
        interval, worst = _span(report["intervals"]["psnr"], ".2f"), report["worst"]["name"]
        parts.append(f"mean PSNR, 95 % bootstrap interval: {interval} dB; worst: {worst}")
    if GT_MEAN in report:
        parts.append(f"{GT_MEAN} uses the reference")
    if "videos" in report:
        parts.append(_table("flicker", report["videos"].items(), ["frames", "before", "after"]))
    return "\n\n".join(filter(None, parts))


def _table(title: str, rows: Iterable[tuple[str, dict]], columns: Sequence[str]) -> str:
    """Lay out some columns of named rows; "" if there are none."""
    lines = [[name, *(_cell(row[column]) for column in columns)] for name, row in rows]
    if not lines:
        return ""
    lines.insert(0, [title, *columns])
    name_width, *widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "   ".join([name.ljust(name_width), *map(str.rjust, cells, widths)])
        for name, *cells in lines
    )


def _cell(value) -> str:
    """Write a number, or a gain with its interval; a dash where there is none."""
    if isinstance(value, dict):
        return f"{_number(value['mean'], '+.2f')} ({_span(value['interval'], '+.2f')})"
    return _number(value, ".3f") if isinstance(value, float | None) else str(value)


def _span(interval: Sequence[float | None], form: str) -> str:
    return " to ".join(_number(end, form) for end in interval)


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
