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
    pairs = []
    for number in range(count):
        high = rng.random((height, width, 3), dtype=np.float32)
        pairs.append(Pair(f"pair {number}", high ** np.float32(1.2) / (5 + number), high))
    return pairs


def brighter(gain):
    return lambda low: np.clip(low * np.float32(gain), 0, 1)


def test_a_report_holds_what_the_metrics_say():
    pairs = make_pairs()
    report = evaluation.evaluate(brighter(4), pairs, compared={"none": brighter(1)})
    for pair, row in zip(pairs, report["images"], strict=True):
        for metric, value in metrics.score(brighter(4)(pair.low), pair.high).items():
            assert row[metric] == pytest.approx(value, abs=1e-4)
        assert row["name"] == pair.name and row["seconds"] >= 0
    psnrs = [row["psnr"] for row in report["images"]]
    assert report["psnr"] == pytest.approx(np.mean(psnrs), abs=2e-4)
    assert report["intervals"]["psnr"] == pytest.approx(metrics.bootstrap_interval(psnrs), abs=1e-3)
    assert report["worst"] == {"name": "pair 3", "psnr": min(psnrs)}
    assert report["pairs"] == 4 and json.loads(json.dumps(report)) == report


def test_a_comparison_is_made_picture_by_picture():
    pairs = make_pairs()
    asked = {"compared": {"none": brighter(1)}, "gt_mean": True}
    report = evaluation.evaluate(brighter(4), pairs, **asked)
    alone = evaluation.evaluate(brighter(1), pairs, compared={}, gt_mean=True)
    gain = report["compared"]["none"]["gain"]
    assert set(gain) == {*metrics.METRICS, evaluation.GT_MEAN}
    for metric, found in gain.items():
        sign = -1 if metric == "ciede2000" else 1
        images = zip(report["images"], alone["images"], strict=True)
        differences = [sign * (a[metric] - b[metric]) for a, b in images]
        assert found["mean"] == pytest.approx(np.mean(differences), abs=3e-4)
        low, high = found["interval"]
        assert low <= found["mean"] <= high
        assert low > 0 or metric == evaluation.GT_MEAN  # brighter is better in every metric
    assert report["compared"]["none"]["psnr"] == pytest.approx(alone["psnr"], abs=1e-4)
    assert alone["compared"] == {}


def test_every_baseline_is_scored_and_none_is_called_the_networks_own():
    report = evaluation.evaluate(brighter(4), make_pairs(2))
    assert set(report["compared"]) == set(evaluation.BASELINES)
    text = evaluation.as_text(report)
    for name in (*evaluation.BASELINES, "pair 0", "pair 1", "mean"):
        assert f"\n{name} " in text


def test_gt_mean_is_on_request_only_and_says_what_it_does():
    pairs = make_pairs(2)
    plain = evaluation.evaluate(brighter(2), pairs, compared={"none": brighter(1)})
    told = evaluation.evaluate(brighter(2), pairs, compared={"none": brighter(1)}, gt_mean=True)
    assert not any("GT-mean" in key for key in plain)
    assert told["psnr after GT-mean"] > told["psnr"] == plain["psnr"]
    assert "GT-mean" not in evaluation.as_text(plain)
    text = evaluation.as_text(told)
    assert "uses the reference" in text
    *_, head, line = text.splitlines()
    assert head.startswith("after GT-mean ")
    mean = told["compared"]["none"]["gain"]["psnr after GT-mean"]["mean"]
    assert line.startswith("none ") and f"{mean:+.2f} dB" in line


def test_scaling_to_the_mean():
    image = np.full((3, 4, 3), 0.2, np.float32)
    reference = np.full((3, 4, 3), 0.5, np.float32)
    np.testing.assert_allclose(evaluation.scale_to_mean(image, reference), reference, rtol=1e-6)
    assert evaluation.scale_to_mean(reference, np.ones_like(image)).max() <= 1
    black = np.zeros_like(image)
    assert np.array_equal(evaluation.scale_to_mean(black, reference), black)


def test_an_exact_copy_and_a_tiny_picture_have_no_number():
    pairs = [Pair("copy", high, high) for high in np.full((1, 8, 8, 3), 0.5, np.float32)]
    report = evaluation.evaluate(lambda low: low, pairs, compared={"same": lambda low: low})
    assert report["psnr"] is None and report["ssim"] is None and report["ciede2000"] == 0
    assert report["intervals"]["psnr"] is None
    assert report["compared"]["same"]["gain"]["psnr"]["mean"] is None
    assert "inf" in evaluation.as_text(report)
    json.dumps(report, allow_nan=False)


def test_pictures_by_depth_are_those_of_the_enhancer():
    enhancer = Enhancer(build_network(seed=3))
    low = make_pairs(1)[0].low
    found = evaluation.pictures_by_depth(enhancer, low, (2, 5))
    assert set(found) == {2, 5}
    for depth, picture in found.items():
        expected = enhance_picture(enhancer, low, depth)
        np.testing.assert_allclose(picture, expected, atol=0.51 / 255)


# Without references


def test_harm_is_measured_without_a_reference():
    low = make_pairs(1, 60, 80)[0].low
    pictures = [("one", low), ("flat", np.full((8, 8, 3), 0.1, np.float32))]
    flicker = [("a.mp4", {"frames": 3, "before": 0.25, "after": float("nan")})]
    report = evaluation.evaluate_dark(
        brighter(9), pictures, flicker, compared={"none": brighter(1)}
    )
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    one, flat = report["images"]
    assert one["reversed"] == 0 and flat["reversed"] is None  # nothing in it has a direction
    assert one["clipped"] > 5 and flat["clipped"] == 0
    assert report["reversed"] == 0 and report["clipped"] == pytest.approx(one["clipped"] / 2)
    assert report["compared"]["none"]["clipped"] == 0
    assert one["noise"] > 2 * report["compared"]["none"]["noise"]
    text = evaluation.dark_as_text(report)
    assert [line.split()[0] for line in text.splitlines() if line] == [
        *("picture", "one", "flat", "mean", "compared", "none", "flicker", "a.mp4")
    ]
