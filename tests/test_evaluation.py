"""Scoring a method beside what it must beat."""

import json

import numpy as np
import pytest

from lle_utils import evaluation, metrics
from lle_utils.data import Pair
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.network import build_network


def make_pairs(count=4, height=24, width=32):
    rng = np.random.default_rng(0)
    highs = rng.random((count, height, width, 3), dtype=np.float32)
    lows = [high ** np.float32(1.2) / (5 + number) for number, high in enumerate(highs)]
    names = [f"pair {number}" for number in range(count)]
    return [Pair(*one) for one in zip(names, lows, highs, strict=True)]


def brighter(gain):
    return lambda low: np.clip(low * np.float32(gain), 0, 1)


PAIRS = make_pairs()
REPORT = evaluation.evaluate(brighter(4), PAIRS, compared={"none": brighter(1)}, gt_mean=True)


def test_a_report_holds_what_the_metrics_say():
    for pair, row in zip(PAIRS, REPORT["images"], strict=True):
        for metric, value in metrics.score(brighter(4)(pair.low), pair.high).items():
            assert row[metric] == pytest.approx(value, abs=1e-4)
        assert row["name"] == pair.name and row["seconds"] >= 0
    psnrs = [row["psnr"] for row in REPORT["images"]]
    assert REPORT["psnr"] == pytest.approx(np.mean(psnrs), abs=2e-4)
    assert REPORT["intervals"]["psnr"] == pytest.approx(metrics.bootstrap_interval(psnrs), abs=1e-3)
    assert REPORT["worst"] == {"name": "pair 3", "psnr": min(psnrs)}
    assert REPORT["pairs"] == 4 and json.loads(json.dumps(REPORT)) == REPORT


def test_a_comparison_is_made_picture_by_picture():
    alone = evaluation.evaluate(brighter(1), PAIRS, compared={}, gt_mean=True)
    gain = REPORT["compared"]["none"]["gain"]
    assert set(gain) == {*metrics.METRICS, evaluation.GT_MEAN}
    for metric, found in gain.items():
        sign = -1 if metric == "ciede2000" else 1
        images = zip(REPORT["images"], alone["images"], strict=True)
        differences = [sign * (a[metric] - b[metric]) for a, b in images]
        assert found["mean"] == pytest.approx(np.mean(differences), abs=3e-4)
        low, high = found["interval"]
        assert low <= found["mean"] <= high
        assert low > 0 or metric == evaluation.GT_MEAN  # brighter is better in every metric
    assert REPORT["compared"]["none"]["psnr"] == pytest.approx(alone["psnr"], abs=1e-4)
    assert alone["compared"] == {}


def test_every_baseline_is_scored_and_gt_mean_is_on_request_only_and_says_what_it_does():
    plain = evaluation.evaluate(brighter(4), PAIRS)
    assert set(plain["compared"]) == set(evaluation.BASELINES)
    text = evaluation.as_text(plain)
    for name in (*evaluation.BASELINES, *(pair.name for pair in PAIRS), "mean"):
        assert f"\n{name} " in text
    assert "GT-mean" not in text + str(plain.keys())
    assert REPORT[evaluation.GT_MEAN] > REPORT["psnr"] == plain["psnr"]
    _, _, gains, _, remark = evaluation.as_text(REPORT).split("\n\n")
    assert gains.splitlines()[0].endswith(f"  {evaluation.GT_MEAN}")
    mean = REPORT["compared"]["none"]["gain"][evaluation.GT_MEAN]["mean"]
    assert f"{mean:+.2f} (" in gains.splitlines()[1]
    assert "uses the reference" in remark


def test_scaling_to_the_mean():
    image = np.full((3, 4, 3), 0.2, np.float32)
    reference = np.full((3, 4, 3), 0.5, np.float32)
    np.testing.assert_allclose(evaluation.scale_to_mean(image, reference), reference, rtol=1e-6)
    assert evaluation.scale_to_mean(reference, np.ones_like(image)).max() <= 1
    black = np.zeros_like(image)
    assert np.array_equal(evaluation.scale_to_mean(black, reference), black)


def test_an_exact_copy_and_a_tiny_picture_have_no_number():
    gray = np.full((8, 8, 3), 0.5, np.float32)
    same = brighter(1)
    report = evaluation.evaluate(same, [Pair("copy", gray, gray)], compared={"same": same})
    assert report["psnr"] is None and report["ssim"] is None and report["ciede2000"] == 0
    assert report["intervals"]["psnr"] == [None, None]
    assert report["compared"]["same"]["gain"]["psnr"]["mean"] is None
    assert evaluation.as_text(report).splitlines()[1].split()[:4] == ["copy", "-", "-", "0.000"]
    json.dumps(report, allow_nan=False)


def test_pictures_by_depth_are_those_of_the_enhancer():
    enhancer = Enhancer(build_network(seed=3))
    low = PAIRS[0].low
    found = evaluation.pictures_by_depth(enhancer, low, (2, 5))
    assert set(found) == {2, 5}
    for depth, picture in found.items():
        expected = enhance_picture(enhancer, low, depth)
        np.testing.assert_allclose(picture, expected, atol=0.51 / 255)


def test_harm_is_measured_without_a_reference():
    low = make_pairs(1, 60, 80)[0].low
    pictures = [("one", low), ("flat", np.full((8, 8, 3), 0.1, np.float32))]
    flicker = [("a.mp4", {"frames": 3, "before": 0.25, "after": float("nan")})]
    compared = {"none": brighter(1)}
    report = evaluation.evaluate_dark(brighter(9), pictures, flicker, compared=compared)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    one, flat = report["images"]
    assert one["reversed"] == 0 and flat["reversed"] is None  # nothing in it has a direction
    assert one["clipped"] > 5 and flat["clipped"] == 0
    assert report["reversed"] == 0 and report["clipped"] == pytest.approx(one["clipped"] / 2)
    assert report["compared"]["none"]["clipped"] == 0
    assert one["noise"] > 2 * report["compared"]["none"]["noise"]
    text = evaluation.as_text(report)
    assert [line.split()[0] for line in text.splitlines() if line] == [
        *("picture", "one", "flat", "mean", "compared", "none", "flicker", "a.mp4")
    ]
