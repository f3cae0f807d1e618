"""Batches, recipes, and runs that lower the loss, stop, are killed, and go on."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import keras
import numpy as np
import pytest
from miniature import make_picture
from PIL import Image

from lle_utils import data, metrics, training
from lle_utils.batches import Batches, vary_colors, vary_exposure
from lle_utils.curve import FLOOR, brighten
from lle_utils.errors import LleError
from lle_utils.model import RecursiveEnhancer, load_model
from lle_utils.recipes import RECIPES, Recipe
from lle_utils.scaling import grow, shrink

TINY = Recipe(stride=2, schedule=(100,), iterations=2, batch_size=2, epochs=3)
FOUNDING = dataclasses.replace(TINY, objective="founding", channels=1, conditioned=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five pairs on disk, the third a portrait; high is brighter than low."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for number in range(5):
        width, height = (28, 40) if number == 2 else (40 + number, 28)
        high = make_picture(rng, width, height, 250)
        for side, picture in (("low", high // 2), ("high", high)):
            (folder / side).mkdir(exist_ok=True)
            Image.fromarray(picture).save(folder / side / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def pairs(folder):
    return data.load_folder(folder, lazy=False)


# Recipes


@pytest.mark.parametrize(
    "wrong",
    [
        {"objective": "zero-reference"},
        {"stride": 0},
        {"stride": 1.5},
        {"batch_size": -1},
        {"epochs": 0},
        {"crop": 0},
        {"steps_per_epoch": 0},
        {"shrink": 0},
        {"loss": "psnr"},
        {"precision": "float8"},
        {"depths": (5, 4)},
        {"depths": (0, 4)},
        {"window": 0},
        {"window": 1.1},
    ],
    ids=str,
)
def test_a_recipe_refuses(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be .* not "):
        Recipe(**wrong)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name):
    recipe = RECIPES[name]
    assert Recipe(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe


# Batches


def test_batches_are_determined_by_seed_epoch_and_index(pairs):
    recipe = dataclasses.replace(TINY, exposure_stops=1, white_balance=0.1, crop=8)

    def batch(epoch, index, seed=0, before=()):
        batches = Batches(pairs, dataclasses.replace(recipe, seed=seed))
        batches.epoch = epoch
        for earlier in before:  # what was drawn before must not matter
            batches[earlier]
        return np.concatenate(batches[index])

    first = batch(3, 1)
    np.testing.assert_array_equal(first, batch(3, 1, before=(0, 2, 1)))
    for other in (batch(4, 1), batch(3, 0), batch(3, 1, seed=1)):
        assert not np.array_equal(first, other)


def test_an_epoch_shows_every_pair_once_and_the_next_in_another_order(pairs):
    recipe = dataclasses.replace(TINY, batch_size=1, stride=1, crop=None)
    batches = Batches(pairs, recipe)
    means = [round(float(pairs[k].high.mean()), 3) for k in range(5)]
    orders = []
    for epoch in range(3):
        batches.epoch = epoch
        seen = [float(batches[index][1].mean()) for index in range(len(batches))]
        orders.append([int(np.argmin(np.abs(np.array(means) - mean))) for mean in seen])
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert orders[0] != orders[1] or orders[1] != orders[2]


def test_length(pairs):
    assert len(Batches(pairs, TINY)) == 3  # 2 + 2 + 1 pairs
    short = dataclasses.replace(TINY, steps_per_epoch=2)
    assert len(Batches(pairs, short)) == 2
    assert len(Batches(pairs, short, augment=False)) == 3  # validation sees all


@pytest.mark.parametrize("crop", [None, 6])
@pytest.mark.parametrize("augment", [True, False])
def test_batches_have_one_size_and_keep_the_two_sides_aligned(pairs, crop, augment):
    recipe = dataclasses.replace(TINY, crop=crop)
    batches = Batches(pairs, recipe, augment=augment)
    size = (6, 6) if crop and augment else (14, 20)
    for epoch in range(4):
        batches.epoch = epoch
        for index in range(len(batches)):
            low, high = batches[index]
            assert low.dtype == high.dtype == np.float32
            assert low.shape == high.shape == (len(low), *size, 3)
            # Pixel for pixel the dark picture is half of the bright one, as in the files.
            np.testing.assert_array_equal(np.rint(255 * low), np.rint(255 * high) // 2)


def test_the_sample_of_landscapes_and_portraits_gives_one_size():
    pairs = data.load("sample", "train", lazy=True)
    shapes = [pairs.uint8(index)[0].shape for index in range(len(pairs))]
    batches = Batches(pairs, Recipe(stride=8, batch_size=len(pairs)))
    low, high = batches[0]
    assert low.shape == high.shape and low.shape[0] == len(pairs)
    assert low.shape[1] <= low.shape[2] <= min(max(shape[:2]) for shape in shapes) // 8


def test_a_stride_takes_pixels_as_they_are(pairs):
    low, _ = Batches(pairs, TINY, augment=False)[0]
    np.testing.assert_array_equal(np.rint(255 * low[0]), pairs.uint8(0)[0][1::2, 1::2][:14, :20])
    drawn, _ = Batches(pairs[:1], TINY)[0]
    known = {tuple(pixel) for pixel in pairs.uint8(0)[0].reshape(-1, 3)}
    assert {tuple(pixel) for pixel in np.rint(255 * drawn).astype(int).reshape(-1, 3)} <= known


def test_a_stride_beyond_the_picture_is_refused(pairs):
    with pytest.raises(ValueError, match="fewer pixels in a direction than the stride, 50"):
        Batches(pairs, dataclasses.replace(TINY, stride=50))


def test_flips_happen_in_both_directions(pairs):
    recipe = dataclasses.replace(TINY, stride=1, batch_size=1)
    batches = Batches(pairs[:1], recipe)
    seen = set()
    for batches.epoch in range(30):
        high = np.rint(255 * batches[0][1][0]).astype(np.uint8)
        for rows, columns in np.ndindex(2, 2):
            original = pairs.uint8(0)[1][:: 1 - 2 * rows, :: 1 - 2 * columns]
            if np.array_equal(high, original):
                seen.add((rows, columns))
    assert len(seen) == 4


def test_founding_batches_hold_0_to_255_against_0_to_1(pairs):
    low, high = Batches(pairs, FOUNDING, augment=False)[0]
    np.testing.assert_array_equal(low, np.rint(low))
    assert 2 < low.max() <= 255 and high.max() <= 1
    unit, _ = Batches(pairs, TINY, augment=False)[0]
    np.testing.assert_allclose(low, 255 * unit)


def test_exposure_varies_within_its_range():
    low = np.full((2, 2, 3), 60, np.uint8)
    rng = np.random.default_rng(0)
    still = vary_exposure(low, TINY, rng)
    np.testing.assert_array_equal(still, low)
    stops = dataclasses.replace(TINY, exposure_stops=1.0)
    levels = np.array([vary_exposure(low, stops, rng)[0, 0] for _ in range(300)])
    assert np.all(levels == levels[:, :1])  # the colors stay together
    assert 30 <= levels.min() < 35 and 108 < levels.max() <= 120
    tints = dataclasses.replace(TINY, white_balance=0.1)
    levels = np.array([vary_exposure(low, tints, rng)[0, 0] for _ in range(300)])
    assert 54 <= levels.min() < 56 and 64 < levels.max() <= 66
    assert np.any(levels != levels[:, :1])
    bright = vary_exposure(np.full((2, 2, 3), 250, np.uint8), stops, rng)
    assert bright.dtype == np.uint8  # clipped, not wrapped
    assert all(
        vary_exposure(np.full((1, 1, 3), 250, np.uint8), stops, rng).min() >= 125 for _ in range(50)
    )


TWO_SCALES = Recipe(
    schedule=(8, 8, 2, 1, 8),
    iterations=5,
    depths=(3, 6),
    shrink=8,
    crop=16,
    window=0.75,
    batch_size=2,
    epochs=3,
    loss="mse+ssim",
    exposure_stops=0.5,
)


def test_batches_on_two_scales(pairs):
    drawn = Batches(pairs, TWO_SCALES)
    depths = set()
    for drawn.epoch in range(6):
        # Whole pictures, windows of three quarters, whole pictures that stand upright.
        for index, (height, width) in enumerate([(28, 40), (21, 30), (40, 28)]):
            inputs, targets = drawn[index]
            shape = (1 if index == 2 else 2, -(-height // 8), -(-width // 8), 3)
            assert inputs["picture"].shape == targets["picture"].shape == shape
            assert inputs["crop"].shape == targets["crop"].shape == (shape[0], 16, 16, 3)
            assert np.all(inputs["corner"] >= 0)
            assert np.all(inputs["corner"] + 16 <= (height, width))
            depths |= set(inputs["depth"].tolist())
    assert min(depths) >= 3 and max(depths) <= 6 and len(depths) > 1
    inputs, _ = Batches(pairs, TWO_SCALES, augment=False)[0]
    assert inputs["depth"].tolist() == [5, 5] and inputs["crop"].shape == (2, 28, 28, 3)


def test_a_crop_lies_where_its_corner_says(pairs):
    recipe = dataclasses.replace(TWO_SCALES, exposure_stops=0, window=1.0, batch_size=1)
    drawn = Batches(pairs[:1], recipe)
    full = pairs.uint8(0)[1]
    for drawn.epoch in range(5):
        inputs, targets = drawn[0]
        (row, column), crop = inputs["corner"][0], np.rint(255 * targets["crop"][0])
        flips = [np.flip(full, axes) for axes in ((), 0, 1, (0, 1))]
        found = [
            side
            for side in flips
            if np.array_equal(side[row : row + 16, column : column + 16], crop)
        ]
        assert len(found) == 1
        small = keras.ops.convert_to_numpy(shrink(found[0][None] / np.float32(255), 8))
        np.testing.assert_allclose(targets["picture"], small, atol=1e-5)


def test_crops_larger_than_a_picture_are_refused(pairs):
    with pytest.raises(ValueError, match="a picture is smaller than the crops, 64 pixels"):
        Batches(pairs, dataclasses.replace(TWO_SCALES, crop=64))


def test_each_picture_is_iterated_to_its_own_depth_as_an_enhancer_would():
    recipe = dataclasses.replace(TWO_SCALES, crop=None, schedule=(8,), initial_map=0.3)
    trainee = training.build_trainee(recipe)
    pictures = np.random.default_rng(0).random((3, 6, 9, 3), dtype=np.float32) / 5
    found = trainee.predict_on_batch({"picture": pictures, "depth": np.array([3, 4, 6])})
    enhancer = RecursiveEnhancer(trainee.network, (1,), 1)
    for picture, depth, ours in zip(pictures, (3, 4, 6), found, strict=True):
        theirs = enhancer.with_iterations(depth).predict_on_batch(picture[None])[0]
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_crop_gets_the_maps_of_its_place_and_then_its_own():
    recipe = dataclasses.replace(TWO_SCALES, schedule=(8, 8, 1, 8), depths=None, iterations=3)
    trainee = training.build_trainee(recipe)
    full = np.random.default_rng(0).random((1, 32, 48, 3), dtype=np.float32) / 5
    small = keras.ops.convert_to_numpy(shrink(full, 8))
    corner = np.array([[9, 17]])
    crop = full[:, 9:25, 17:33]
    inputs = {"picture": small, "depth": np.array([3]), "crop": crop, "corner": corner}
    found = trainee.predict_on_batch(inputs)["crop"]

    small, expected = np.maximum(small, FLOOR), np.maximum(crop, FLOOR)
    for _ in range(2):
        coarse = trainee.network.predict_on_batch(small)
        whole = keras.ops.convert_to_numpy(grow(coarse, 8, 32, 48))
        expected = brighten(expected, whole[:, 9:25, 17:33])
        small = brighten(small, coarse)
    expected = brighten(expected, trainee.network.predict_on_batch(expected))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("keep_colors", "evenness"), [(False, 0.0), (True, 0.0), (True, 0.7)])
def test_a_crop_is_trained_as_its_place_is_enhanced(keep_colors, evenness):
    recipe = dataclasses.replace(
        TWO_SCALES,
        initial_map=0.3,
        depths=None,
        keep_colors=keep_colors,
        evenness=evenness,
        schedule=(8, 8, 1, 8),
    )
    trainee = training.build_trainee(recipe)
    enhancer = training.finished(trainee, recipe)
    full = np.random.default_rng(0).random((1, 96, 128, 3), dtype=np.float32) / 5
    window = np.s_[:, 16:80, 32:96]  # the squares over which tint is averaged lie alike in both
    small = keras.ops.convert_to_numpy(shrink(full, 8))
    inputs = {"picture": small, "depth": np.array([3]), "corner": np.array([[16, 32]])}
    found = trainee.predict_on_batch({**inputs, "crop": full[window]})["crop"]
    expected = enhancer.with_iterations(3).predict_on_batch(full)[window]
    # Where all that the fine map sees lies within the crop.
    inner = np.s_[:, 24:40, 24:40] if keep_colors else np.s_[:, 7:-7, 7:-7]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


@pytest.mark.parametrize("field", ["keep_colors", "evenness", "mirrored", "grayness", "settle"])
def test_what_a_companion_does_is_trained_on_shrunk_whole_pictures_alone(field):
    for lacking in ({}, {"shrink": 4}, {"depths": (2, 3)}, {"crop": 16}):
        with pytest.raises(ValueError, match=f"{field} is for training on shrunk whole pictures"):
            Recipe(**{field: True}, **lacking)
    recipe = Recipe(**{field: True}, shrink=4, depths=(2, 3), schedule=(4,))
    enhancer = training.finished(training.build_trainee(recipe), recipe)
    assert enhancer.companion == 4 and getattr(enhancer, field)


@pytest.mark.parametrize("field", ["evenness", "grayness", "settle"])
def test_a_share_above_1_is_refused_before_anything_is_trained(field):
    with pytest.raises(ValueError, match=f"{field} must be from 0 to 1, not 1.5"):
        Recipe(**{field: 1.5}, shrink=4, depths=(2, 3))


def test_whole_pictures_are_trained_as_they_are_enhanced():
    recipe = Recipe(
        shrink=8, depths=(3, 3), schedule=(8,), iterations=3, evenness=0.7, keep_colors=True
    )
    trainee = training.build_trainee(recipe)
    full = np.random.default_rng(0).random((1, 64, 96, 3), dtype=np.float32) / 5
    small = keras.ops.convert_to_numpy(shrink(full, 8))
    found = trainee.predict_on_batch({"picture": small, "depth": np.array([3])})
    enhancer = training.finished(trainee, recipe)  # factor 8 is 1 where the picture is shrunk
    expected = enhancer.scaled_to(75).predict_on_batch(small)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_ssim_is_that_of_the_protocol_and_its_share_is_added():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 2, 19, 23, 3), dtype=np.float32)
    found = keras.ops.convert_to_numpy(training.ssim(one, other))
    expected = [metrics.ssim(a, b) for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    loss = keras.ops.convert_to_numpy(training.mse_and_ssim(one, other))
    errors = np.square(one - other).mean((1, 2, 3))
    np.testing.assert_allclose(loss, errors + training.SSIM_SHARE * (1 - found), rtol=1e-5)


def test_some_dark_pictures_are_lit_and_lie_between_the_two(pairs):
    recipe = dataclasses.replace(TINY, lit=0.5, batch_size=1, stride=1)
    drawn = Batches(pairs[:1], recipe)
    shares = []
    for drawn.epoch in range(60):
        low, high = drawn[0]  # the dark picture as it is would be half of the bright one
        shares.append(float((low.mean() / high.mean() - 0.5) / 0.5))
    lit = np.array(shares) > 0.01
    assert 15 < lit.sum() < 45 and max(shares) > 0.8 and min(shares) > -0.03


def test_colors_vary_on_both_sides_alike():
    rng = np.random.default_rng(0)
    low = np.array([[[40, 20, 10]]], np.uint8)
    brightest, spreads = set(), []
    for _ in range(60):
        dark, bright = (side[0, 0].astype(int) for side in vary_colors((low, 2 * low), rng))
        assert np.all(np.abs(bright - 2 * dark) <= 2)
        brightest.add(int(np.argmax(bright)))
        spreads.append(np.ptp(bright) / 60)
    assert brightest == {0, 1, 2}  # channels change places
    assert min(spreads) < 0.7 and max(spreads) > 1.3


def test_psnr_is_that_of_the_protocol():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 3, 9, 7, 3), dtype=np.float32)
    found = keras.ops.convert_to_numpy(training.psnr(one, other))
    expected = [metrics.psnr(a, b) for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# Runs


def read(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def run(recipe, pairs, folder, **options):
    return training.train(recipe, pairs[:4], pairs[4:], folder, verbose=0, **options)


@pytest.fixture(scope="module")
def whole_run(pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, run(TINY, pairs, folder)


@pytest.mark.parametrize(
    "recipe",
    [dataclasses.replace(TINY, initial_map=0.1, schedule=(1,)), FOUNDING, TWO_SCALES],
    ids=["curve", "founding", "two scales"],
)
def test_training_lowers_the_loss(recipe, pairs, tmp_path):
    recipe = dataclasses.replace(recipe, epochs=10, learning_rate=3e-3, exposure_stops=0)
    trained = run(recipe, pairs, tmp_path / "run")
    losses = [row["loss"] for row in training.read_log(tmp_path / "run" / "log.csv")]
    assert len(losses) == 10 and losses[-1] < 0.8 * losses[0]
    assert isinstance(trained, RecursiveEnhancer) == (recipe.objective == "curve")


def test_a_run_leaves_models_as_they_are_used(whole_run, pairs):
    folder, trained = whole_run
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.keras",
        "last.keras",
        "log.csv",
        "pairs.json",
        "recipe.json",
        training.RESUME,
    ]
    for name in ("best.keras", "last.keras"):
        loaded = load_model(folder / name)
        assert loaded.schedule == TINY.schedule and loaded.iterations == TINY.iterations
    same_weights(loaded, trained)


def test_a_run_in_16_bits_leaves_weights_in_32(pairs, tmp_path):
    recipe = dataclasses.replace(TWO_SCALES, precision="mixed_bfloat16", epochs=1)
    trained = run(recipe, pairs, tmp_path / "run")
    loaded = load_model(tmp_path / "run" / "best.keras")
    assert {str(layer.compute_dtype) for layer in loaded.network.layers} == {"float32"}
    assert loaded.schedule == trained.schedule == TWO_SCALES.schedule
    low = pairs[0].low[None]
    # The network that was trained, and multiplied in 16 bits, says nearly the same.
    short = training.build_trainee(recipe).network
    short.set_weights(loaded.network.get_weights())
    ours, theirs = loaded.network.predict_on_batch(low), short.predict_on_batch(low)
    assert 0 < np.abs(ours - theirs).max() < 0.05


def test_a_run_stops_when_validation_does_not_improve(pairs, tmp_path):
    recipe = dataclasses.replace(TINY, epochs=9, learning_rate=1e-12)
    run(recipe, pairs, tmp_path / "run", patience=2)
    rows = training.read_log(tmp_path / "run" / "log.csv")
    best = training.best_row(rows, recipe)
    assert len(rows) == best["epoch"] + 3 < 9
    run(recipe, pairs, tmp_path / "run", patience=2)  # nothing is left to do
    assert training.read_log(tmp_path / "run" / "log.csv") == rows


class Ruin(keras.callbacks.Callback):
    """Before the second epoch, make all maps 0, so that dark pictures stay dark."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            *kernels, bias = self.model.get_weights()
            self.model.set_weights([*kernels, bias - 100])


def test_the_best_weights_are_those_of_the_best_epoch(pairs, tmp_path):
    recipe = dataclasses.replace(TINY, epochs=2)
    run(recipe, pairs, tmp_path / "run", callbacks=[Ruin()])
    first, last = (row["val_psnr"] for row in training.read_log(tmp_path / "run" / "log.csv"))
    best = load_model(tmp_path / "run" / "best.keras").scaled_to(600 // TINY.stride)
    low, high = Batches(pairs[4:], recipe, augment=False)[0]
    found = float(np.mean(training.psnr(high, best.predict_on_batch(low))))
    assert found == pytest.approx(first, abs=1e-3) and first > last + 1


def test_another_recipe_in_the_folder_is_refused(whole_run, pairs):
    folder, _ = whole_run
    before = read(folder)
    with pytest.raises(LleError, match="holds a run of another recipe"):
        run(dataclasses.replace(TINY, epochs=4), pairs, folder)
    assert read(folder) == before


def test_other_pairs_in_the_folder_are_refused(whole_run, pairs):
    folder, _ = whole_run
    with pytest.raises(LleError, match="holds a run on other pairs"):
        training.train(TINY, pairs[:3], pairs[4:], folder, verbose=0)


def test_a_finished_run_is_not_run_again(whole_run, pairs):
    folder, trained = whole_run
    again = run(TINY, pairs, folder)
    same_weights(again, trained)
    assert [row["epoch"] for row in read(folder)] == ["0", "1", "2"]


def test_a_run_starts_from_given_weights(pairs, tmp_path):
    recipe = dataclasses.replace(FOUNDING, epochs=1, learning_rate=1e-9)
    start = training.build_trainee(dataclasses.replace(recipe, seed=7))
    same_weights(run(recipe, pairs, tmp_path / "run", start=start), start)


class PowerCut(keras.callbacks.Callback):
    """Break a run off in the middle of its second epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 3:
            raise InterruptedError


def test_a_run_on_two_scales_goes_on_as_if_nothing_had_happened(pairs, tmp_path):
    through = run(TWO_SCALES, pairs, tmp_path / "through")
    with pytest.raises(InterruptedError):
        run(TWO_SCALES, pairs, tmp_path / "broken", callbacks=[PowerCut()])
    same_weights(run(TWO_SCALES, pairs, tmp_path / "broken"), through)


CHILD = """
    import dataclasses, sys, time
    import keras
    from lle_utils import data, training
    from lle_utils.recipes import Recipe

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print(int(self.model.optimizer.iterations), flush=True)
            time.sleep(0.2)

    pairs = data.load_folder(sys.argv[1], lazy=False)
    recipe = Recipe(**{recipe!r})
    training.train(recipe, pairs[:4], pairs[4:], sys.argv[2], verbose=0, callbacks=[Slow()])
"""


def test_a_killed_run_goes_on_as_if_nothing_had_happened(folder, whole_run, pairs, tmp_path):
    whole, trained = whole_run
    child = textwrap.dedent(CHILD).replace("{recipe!r}", repr(dataclasses.asdict(TINY)))
    process = subprocess.Popen(
        [sys.executable, "-c", child, str(folder), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    deadline = time.monotonic() + 120
    for line in process.stdout:
        if line.strip() == "3" or time.monotonic() > deadline:  # the second epoch's first step
            break
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert (tmp_path / "run" / training.RESUME).exists()
    assert not (tmp_path / "run" / "last.keras").exists()
    with (tmp_path / "run" / "log.csv").open("a") as file:
        file.write("1" + ",99.0" * 4 + "\n")  # as if killed between the log and the state
    same_weights(run(TINY, pairs, tmp_path / "run"), trained)
    same_log(tmp_path / "run", whole)
    same_weights(load_model(tmp_path / "run" / "best.keras"), load_model(whole / "best.keras"))


def same_weights(one, other):
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def same_log(one, other):
    rows, expected = read(one), read(other)
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in expected] == ["0", "1", "2"]
    for row, wanted in zip(rows, expected, strict=True):
        for name in wanted:
            assert float(row[name]) == pytest.approx(float(wanted[name]), rel=1e-4)
