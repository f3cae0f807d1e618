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
from lle_utils.errors import LleError
from lle_utils.model import RecursiveEnhancer, load_model

TINY = training.Recipe(stride=2, schedule=(100,), iterations=2, batch_size=2, epochs=3)
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
    ],
    ids=str,
)
def test_a_recipe_refuses(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be .* not "):
        training.Recipe(**wrong)


@pytest.mark.parametrize("name", training.RECIPES)
def test_a_recipe_survives_json(name):
    recipe = training.RECIPES[name]
    assert training.Recipe(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe


# Batches


def test_batches_are_determined_by_seed_epoch_and_index(pairs):
    recipe = dataclasses.replace(TINY, exposure_stops=1, white_balance=0.1, crop=8)

    def batch(epoch, index, seed=0, before=()):
        batches = training.Batches(pairs, dataclasses.replace(recipe, seed=seed))
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
    batches = training.Batches(pairs, recipe)
    means = [round(float(pairs[k].high.mean()), 3) for k in range(5)]
    orders = []
    for epoch in range(3):
        batches.epoch = epoch
        seen = [float(batches[index][1].mean()) for index in range(len(batches))]
        orders.append([int(np.argmin(np.abs(np.array(means) - mean))) for mean in seen])
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert orders[0] != orders[1] or orders[1] != orders[2]


def test_length(pairs):
    assert len(training.Batches(pairs, TINY)) == 3  # 2 + 2 + 1 pairs
    short = dataclasses.replace(TINY, steps_per_epoch=2)
    assert len(training.Batches(pairs, short)) == 2
    assert len(training.Batches(pairs, short, augment=False)) == 3  # validation sees all


@pytest.mark.parametrize("crop", [None, 6])
@pytest.mark.parametrize("augment", [True, False])
def test_batches_have_one_size_and_keep_the_two_sides_aligned(pairs, crop, augment):
    recipe = dataclasses.replace(TINY, crop=crop)
    batches = training.Batches(pairs, recipe, augment=augment)
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
    batches = training.Batches(pairs, training.Recipe(stride=8, batch_size=len(pairs)))
    low, high = batches[0]
    assert low.shape == high.shape and low.shape[0] == len(pairs)
    assert low.shape[1] <= low.shape[2] <= min(max(shape[:2]) for shape in shapes) // 8


def test_a_stride_takes_pixels_as_they_are(pairs):
    low, _ = training.Batches(pairs, TINY, augment=False)[0]
    np.testing.assert_array_equal(np.rint(255 * low[0]), pairs.uint8(0)[0][1::2, 1::2][:14, :20])
    drawn, _ = training.Batches(pairs[:1], TINY)[0]
    known = {tuple(pixel) for pixel in pairs.uint8(0)[0].reshape(-1, 3)}
    assert {tuple(pixel) for pixel in np.rint(255 * drawn).astype(int).reshape(-1, 3)} <= known


def test_a_stride_beyond_the_picture_is_refused(pairs):
    with pytest.raises(ValueError, match="fewer pixels in a direction than the stride, 50"):
        training.Batches(pairs, dataclasses.replace(TINY, stride=50))


def test_flips_happen_in_both_directions(pairs):
    recipe = dataclasses.replace(TINY, stride=1, batch_size=1)
    batches = training.Batches(pairs[:1], recipe)
    seen = set()
    for batches.epoch in range(30):
        high = np.rint(255 * batches[0][1][0]).astype(np.uint8)
        for rows, columns in np.ndindex(2, 2):
            original = pairs.uint8(0)[1][:: 1 - 2 * rows, :: 1 - 2 * columns]
            if np.array_equal(high, original):
                seen.add((rows, columns))
    assert len(seen) == 4


def test_founding_batches_hold_0_to_255_against_0_to_1(pairs):
    low, high = training.Batches(pairs, FOUNDING, augment=False)[0]
    np.testing.assert_array_equal(low, np.rint(low))
    assert 2 < low.max() <= 255 and high.max() <= 1
    unit, _ = training.Batches(pairs, TINY, augment=False)[0]
    np.testing.assert_allclose(low, 255 * unit)


def test_exposure_varies_within_its_range():
    low = np.full((2, 2, 3), 60, np.uint8)
    rng = np.random.default_rng(0)
    still = training.vary_exposure(low, TINY, rng)
    np.testing.assert_array_equal(still, low)
    stops = dataclasses.replace(TINY, exposure_stops=1.0)
    levels = np.array([training.vary_exposure(low, stops, rng)[0, 0] for _ in range(300)])
    assert np.all(levels == levels[:, :1])  # the colors stay together
    assert 30 <= levels.min() < 35 and 108 < levels.max() <= 120
    tints = dataclasses.replace(TINY, white_balance=0.1)
    levels = np.array([training.vary_exposure(low, tints, rng)[0, 0] for _ in range(300)])
    assert 54 <= levels.min() < 56 and 64 < levels.max() <= 66
    assert np.any(levels != levels[:, :1])
    bright = training.vary_exposure(np.full((2, 2, 3), 250, np.uint8), stops, rng)
    assert bright.dtype == np.uint8  # clipped, not wrapped
    assert all(
        training.vary_exposure(np.full((1, 1, 3), 250, np.uint8), stops, rng).min() >= 125
        for _ in range(50)
    )


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
    [dataclasses.replace(TINY, initial_map=0.1, schedule=(1,)), FOUNDING],
    ids=lambda recipe: recipe.objective,
)
def test_training_lowers_the_loss(recipe, pairs, tmp_path):
    recipe = dataclasses.replace(recipe, epochs=10, learning_rate=3e-3)
    trained = run(recipe, pairs, tmp_path / "run")
    losses = [row["loss"] for row in training.read_log(tmp_path / "run" / "log.csv")]
    assert len(losses) == 10 and losses[-1] < 0.7 * losses[0]
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
    low, high = training.Batches(pairs[4:], recipe, augment=False)[0]
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


CHILD = """
    import dataclasses, sys, time
    import keras
    from lle_utils import data, training

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print(int(self.model.optimizer.iterations), flush=True)
            time.sleep(0.2)

    pairs = data.load_folder(sys.argv[1], lazy=False)
    recipe = training.Recipe(**{recipe!r})
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
