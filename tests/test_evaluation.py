"""Scoring a method beside what it must beat."""

import json

import numpy as np
import pytest

from lle_utils import evaluation, metrics, model
from lle_utils.curve import FLOOR, Iteration
from lle_utils.data import Pair


def make_pairs(count=4, height=24, width=32):
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(count):
        high = rng.random((height, width, 3), dtype=np.float32)
        pairs.append(Pair(f"pair {number}", high / np.float32(5 + number), high))
    return pairs


def brighter(gain):
    return lambda low: np.clip(low * np.float32(gain), 0, 1)


def test_a_report_holds_what_the_metrics_say():
    pairs = make_pairs()
    report = evaluation.evaluate(brighter(4), pairs, compared={"none": brighter(1)})
    for pair, row in zip(pairs, report["images"], strict=True):
        expected = metrics.score(pair.name, brighter(4)(pair.low), pair.high)
        for figure in ("psnr", "ssim", "ciede2000"):
            assert row[figure] == pytest.approx(getattr(expected, figure), abs=1e-4)
        assert row["name"] == pair.name and row["seconds"] >= 0
    psnrs = [row["psnr"] for row in report["images"]]
    assert report["psnr"] == pytest.approx(np.mean(psnrs), abs=2e-4)
    assert report["intervals"]["psnr"] == pytest.approx(metrics.bootstrap_interval(psnrs), abs=1e-3)
    assert report["worst"] == {"name": "pair 3", "psnr": min(psnrs)}
    assert report["pairs"] == 4 and json.loads(json.dumps(report)) == report


def test_a_comparison_is_made_picture_by_picture():
    pairs = make_pairs()
    report = evaluation.evaluate(brighter(4), pairs, compared={"none": brighter(1)})
    alone = evaluation.evaluate(brighter(1), pairs, compared={})
    gain = report["compared"]["none"]["gain"]
    for figure, sign in (("psnr", 1), ("ssim", 1), ("ciede2000", -1)):
        images = zip(report["images"], alone["images"], strict=True)
        differences = [sign * (a[figure] - b[figure]) for a, b in images]
        assert gain[figure]["mean"] == pytest.approx(np.mean(differences), abs=3e-4)
        low, high = gain[figure]["interval"]
        assert 0 < low <= gain[figure]["mean"] <= high  # brighter is better, in every figure
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
    plain = evaluation.evaluate(brighter(2), pairs, compared={})
    told = evaluation.evaluate(brighter(2), pairs, compared={}, gt_mean=True)
    assert not any("GT-mean" in key for key in plain)
    assert told["psnr after GT-mean"] > told["psnr"] == plain["psnr"]
    assert "uses the reference" in evaluation.as_text(told)
    assert "GT-mean" not in evaluation.as_text(plain)


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
    enhancer = model.RecursiveEnhancer(model.build_network(seed=3), (4, 1), 8)
    low = make_pairs(1)[0].low
    found = evaluation.pictures_by_depth(enhancer, low, (2, 5))
    assert set(found) == {2, 5}
    for depth, picture in found.items():
        expected = model.enhance_picture(enhancer, low, depth)
        np.testing.assert_allclose(picture, expected, atol=0.51 / 255)


class Halfway(model.RecursiveEnhancer):
    """Maps that bring every pixel half of the way to `goal`, as far as 1 allows: it stops."""

    goal = 0.5

    def predict_map(self, images, step):
        images = np.asarray(images)
        return np.clip((self.goal - images) / (2 * images * (1 - images)), 0, 1)

    def with_iterations(self, iterations):
        return Halfway(self.network, self.schedule, iterations, self.floor)


def test_auto_stops_when_nothing_changes_and_dark_pictures_take_longer():
    enhancer = Halfway(model.build_network(seed=0), (4, 1), 8)
    steps = {}
    for code in (1, 20, 60):
        low = np.full((1, 8, 8, 3), code / 255, np.float32)
        pictures = [np.maximum(low, FLOOR)]
        pictures += [np.asarray(step.image) for step in enhancer.until_still(low)]
        changes = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3, 4))
        assert changes[-1] < model.STILL and np.all(changes[1:-1] >= model.STILL)
        assert pictures[-1].mean() == pytest.approx(0.5, abs=2 * model.STILL)
        steps[code] = len(changes)
    assert steps[1] > steps[20] > steps[60] >= 2


def test_auto_uses_the_whole_schedule_and_ends_in_any_case():
    network = model.build_network(seed=0, initial_map=1e-9)
    low = np.full((1, 8, 8, 3), 0.2, np.float32)
    idle = model.RecursiveEnhancer(network, (4, 4, 2, 1), 8)
    for layer in idle.network.layers:
        if layer.name == "layer_7":
            layer.kernel.assign(0 * layer.kernel)
    assert len(list(idle.until_still(low))) == 4  # nothing changes, but the fine step was tried

    class Restless(model.RecursiveEnhancer):
        def with_iterations(self, iterations):
            return Restless(self.network, self.schedule, iterations, self.floor)

        def steps(self, images):
            for step in range(self.iterations):
                image = np.full_like(images, 0.5 - 0.3 * (step % 2))
                yield Iteration(image, image)

    assert len(list(Restless(network, (1,)).until_still(low))) == model.MOST_ITERATIONS


def test_enhance_picture_auto_is_the_last_of_until_still():
    enhancer = model.RecursiveEnhancer(model.build_network(seed=3, initial_map=0.6), (4, 1), 8)
    low = make_pairs(1)[0].low
    *_, last = enhancer.scaled_to(32).until_still(low[None])
    np.testing.assert_allclose(
        model.enhance_picture(enhancer, low, "auto"), np.asarray(last.image)[0], atol=1e-6
    )
    with pytest.raises(ValueError, match="iterations must be a whole number"):
        model.enhance_picture(enhancer, low, "automatic")
