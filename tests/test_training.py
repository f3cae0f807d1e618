"""Recipes, batches, and runs that lower the loss, are killed, and resume."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from calling import environment
from miniature import make_picture
from PIL import Image

from lle_utils import data, metrics, training
from lle_utils.batches import Batches, augment, make_thumbnail, vary_colors, vary_exposure
from lle_utils.curve import FLOOR, iterate
from lle_utils.enhancer import Enhancer, Maps
from lle_utils.errors import LleError
from lle_utils.recipes import RECIPES, Recipe
from lle_utils.training import read_log
from lle_utils.weights import load_model

# `eager` below does not apply to how batches are read, and need not.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config")
TINY = Recipe(schedule=("exposure", "thumbnail", 1), depths=(2, 3), crop=16, batch_size=2, epochs=3)


def write_pairs(folder, sizes):
    """Write pairs of (width, height) pixels; the dark side is half of the bright one."""
    rng = np.random.default_rng(0)
    for number, size in enumerate(sizes):
        high = make_picture(rng, *size, 250)
        for side, picture in (("low", high // 2), ("high", high)):
            (folder / side).mkdir(exist_ok=True, parents=True)
            Image.fromarray(picture).save(folder / side / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    sizes = [(40, 28), (41, 28), (28, 40), (43, 28), (44, 28)]
    return write_pairs(tmp_path_factory.mktemp("pairs"), sizes)


@pytest.fixture(scope="module")
def pairs(folder):
    return data.load_folder(folder).in_memory()


# Recipes


def test_a_recipe_survives_json():
    for recipe in RECIPES.values():
        assert Recipe(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe


# Batches


def batches(pairs, recipe=TINY, **options):
    return Batches([(pairs, 1.0)], recipe, **options)


def test_batches_are_determined_by_seed_epoch_and_index(pairs):
    def draw(seed, epoch, index):
        drawn = batches(pairs, dataclasses.replace(TINY, seed=seed))
        drawn.begin_epoch(epoch)
        return drawn[index]

    first, again = draw(0, 1, 1), draw(0, 1, 1)
    for one, other in zip(first, again, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    for changed in ((1, 1, 1), (0, 2, 1), (0, 1, 0)):
        assert not np.array_equal(draw(*changed)[0]["crop"], first[0]["crop"])
    # So that a run resumes that an earlier version began.
    boxes = [[0.0740741, 0.4166667, 0.5925926, 0.4444444], [0, 0.0555556, 0.4848485, 0.8888889]]
    np.testing.assert_allclose(draw(0, 1, 0)[0]["box"], boxes, atol=1e-6)


def test_an_epoch_shows_every_pair_once_and_the_next_in_a_different_order(pairs):
    drawn = batches(pairs)
    assert len(drawn) == 3
    orders = []
    for drawn.epoch in range(2):
        orders.append(drawn.order())
        assert sorted(orders[-1]) == [(0, number) for number in range(5)]
    assert orders[0] != orders[1]
    # Of several sources it takes their shares.
    recipe = dataclasses.replace(TINY, steps_per_epoch=20)
    drawn = Batches([(pairs[:2], 0.75), (pairs[2:], 0.25)], recipe)
    counts = np.bincount([source for source, _ in drawn.order()])
    np.testing.assert_array_equal(counts, [30, 10])
    numbers = np.bincount([number for source, number in drawn.order() if source == 0])
    np.testing.assert_array_equal(numbers, [15, 15])


@pytest.mark.parametrize(("validation", "side", "depths"), [(False, 16, {2, 3}), (True, 28, {8})])
def test_a_crop_is_where_its_box_says(pairs, validation, side, depths):
    """For validation it is twice as wide and high, which does not fit into a picture of 28."""
    recipe = dataclasses.replace(TINY, augment=False, batch_size=1)
    inputs, targets = batches(pairs[:1], recipe, validation=validation)[0]
    assert set(inputs["depth"]) <= depths
    height, width = pairs[0].low.shape[:2]
    top, left, *size = np.rint(inputs["box"][0] * (height, width, height, width)).astype(int)
    assert size == [side, side]
    for crop, whole in ((inputs["crop"], pairs[0].low), (targets["crop"], pairs[0].high)):
        np.testing.assert_allclose(crop[0], whole[top : top + side, left : left + side])
    expected = make_thumbnail(np.maximum(pairs[0].low, np.float32(FLOOR)))
    np.testing.assert_allclose(inputs["thumbnail"][0], expected)


def test_augmentation_keeps_the_two_sides_aligned(pairs):
    _, high = pairs.uint8(0)
    seen = set()
    for seed in range(20):
        dark, bright = augment(high.copy(), high, np.random.default_rng(seed), least=8)
        assert dark.shape == bright.shape and min(dark.shape[:2]) >= 8
        seen.add(dark.shape)
        assert np.corrcoef(dark.ravel(), bright.ravel())[0, 1] > 0.9
    assert len(seen) > 10


def test_exposure_varies_within_its_range_and_colors_on_both_sides_alike():
    picture = np.full((4, 4, 3), 60, np.uint8)
    rng = np.random.default_rng(0)
    drawn = [vary_exposure(picture, rng) for _ in range(200)]
    means = np.array([one.mean() for one in drawn]) / 60
    assert 2**-0.4 * 0.9 <= means.min() < 0.8 and 1.25 < means.max() <= 2**0.4 * 1.1
    picture = np.random.default_rng(0).integers(60, 190, (6, 7, 3), dtype=np.uint8)
    one, other = vary_colors((picture, picture), np.random.default_rng(1))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, picture)
    gray = np.full((3, 3, 3), 90, np.uint8)
    np.testing.assert_array_equal(vary_colors((gray,), np.random.default_rng(2))[0], gray)


# The trainee and its losses


def test_each_picture_is_trained_as_it_is_enhanced_and_to_its_own_depth(pairs):
    """A crop, taken to be the whole picture, becomes what the enhancer makes of it."""
    trainee = training.build_trainee(TINY)
    enhancer, rng = trainee.enhancer, np.random.default_rng(0)
    trainee.set_weights([rng.normal(0, 0.1, w.shape) for w in trainee.get_weights()])
    low = np.repeat(np.maximum(pairs[0].low, np.float32(FLOOR))[None], 2, axis=0)
    inputs = {
        "crop": low,
        "thumbnail": np.stack([make_thumbnail(picture) for picture in low]),
        "box": np.array(2 * [[0, 0, 1, 1]], np.float32),
        "depth": np.array([2, 3], np.int32),
    }
    found = trainee(inputs)
    maps = Maps(enhancer, inputs["thumbnail"], average_flips=False)
    for step, iteration in enumerate(iterate(low, maps, 3)):
        if step:
            np.testing.assert_allclose(found["crop"][step - 1], iteration.image[0], atol=1e-5)
            thumbnail = found["thumbnail"][step - 1]
            np.testing.assert_allclose(thumbnail, maps.thumbnail[0], atol=1e-5)


def test_metrics_and_loss_are_those_of_the_protocol():
    rng = np.random.default_rng(0)
    one = np.float32(rng.integers(0, 256, (2, 20, 24, 3)) / 255)
    two = np.float32(np.rint(255 * np.clip(one + rng.normal(0, 0.1, one.shape), 0, 1)) / 255)
    for found, expected in ((training.psnr, metrics.psnr), (training.ssim, metrics.ssim)):
        by_hand = [expected(b, a) for a, b in zip(one, two, strict=True)]
        np.testing.assert_allclose(found(one, two), by_hand, rtol=1e-3)
    # A picture of half the brightness has no error but its brightness.
    half = keras.ops.convert_to_numpy(training.detail_loss(one, one / 2))
    mse = keras.ops.convert_to_numpy(training.mean_squared_error(one, one / 2))
    np.testing.assert_allclose(half, mse, atol=1e-5)


# Runs


def run(recipe, pairs, folder, **options):
    return training.train(recipe, pairs[:4], pairs[4:], folder, verbose=0, **options)


def same_weights(one, other, atol=1e-6):
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=atol)


@pytest.fixture(scope="module")
def eager():
    """Let TensorFlow run these small steps at once: compiling them would take longer."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def whole_run(pairs, tmp_path_factory, eager):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, run(TINY, pairs, folder)


def test_a_run_leaves_an_enhancer_a_log_and_what_it_takes_to_resume(whole_run):
    folder, trained = whole_run
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["last.keras", "log.csv", "pairs.json", "recipe.json", training.RESUME]
    same_weights(load_model(folder / "last.keras"), trained)
    assert [row["epoch"] for row in read_log(folder / "log.csv")] == [0, 1, 2]
    assert isinstance(trained, Enhancer) and trained.schedule == TINY.schedule


def test_what_is_kept_is_the_average_of_the_weights(whole_run):
    """An average that hardly moves stays where the first of 6 steps left it."""
    folder, trained = whole_run
    start, last = (training.build_trainee(TINY) for _ in range(2))
    training.compile_trainee(last, TINY, 6)
    assert training._resume(last, folder, 2) == TINY.epochs

    def distance(model):
        pairs = zip(model.get_weights(), start.get_weights(), strict=True)
        return max(np.abs(a - b).max() for a, b in pairs)

    assert distance(trained) < 1.1 * TINY.learning_rate < distance(last)


def test_a_run_starts_from_weights_that_the_recipe_names(whole_run, pairs, tmp_path, eager):
    """With a tiny learning rate they hardly change."""
    folder, trained = whole_run
    start = str(folder / "last.keras")
    recipe = dataclasses.replace(TINY, start=start, learning_rate=1e-7, epochs=1)
    same_weights(run(recipe, pairs, tmp_path / "run"), trained, atol=1e-5)
    with pytest.raises(LleError, match="gone.keras"):
        run(dataclasses.replace(TINY, start="gone.keras"), pairs, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_run_in_16_bits_leaves_weights_in_32(pairs, tmp_path, eager):
    recipe = dataclasses.replace(TINY, precision="mixed_bfloat16", epochs=1)
    trained = run(recipe, pairs, tmp_path / "run")
    assert {str(layer.compute_dtype) for layer in trained.network.layers} == {"float32"}
    # The network that was trained, and multiplied in 16 bits, says nearly the same.
    short = training.build_trainee(recipe).enhancer.network
    short.set_weights(trained.network.get_weights())
    low = pairs[0].low[None]
    ours, theirs = trained.network.predict_on_batch(low), short.predict_on_batch(low)
    assert 0 < np.abs(ours - theirs).max() < 0.05


def test_a_folder_is_of_one_run(whole_run, pairs):
    folder, trained = whole_run
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(LleError, match="with a different recipe.json"):
        run(dataclasses.replace(TINY, epochs=4), pairs, folder)
    with pytest.raises(LleError, match="with a different pairs.json"):
        training.train(TINY, pairs[:3], pairs[4:], folder, verbose=0)
    same_weights(run(TINY, pairs, folder), trained)  # finished: not run again
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]"])
def test_damaged_notes_and_states_are_named(content, whole_run, pairs, tmp_path, eager):
    shutil.copytree(whole_run[0], tmp_path / "run")
    for name, told in ((training.RESUME, "is damaged. Move the"), ("recipe.json", "a damaged one")):
        (tmp_path / "run" / name).write_bytes(content)
        with pytest.raises(LleError, match=f"{name}.*{told}"):
            run(TINY, pairs, tmp_path / "run")


def test_a_broken_run_resumes_as_if_nothing_had_happened(whole_run, pairs, tmp_path):
    class PowerCut(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 3:  # the second epoch's first step
                raise InterruptedError

    whole, trained = whole_run
    with pytest.raises(InterruptedError):
        run(TINY, pairs, tmp_path, callbacks=[PowerCut()])
    expected = read_log(whole / "log.csv")
    with (tmp_path / "log.csv").open("a") as file:  # as if logged, and the state not yet saved
        file.write("1" + ",99.0" * (len(expected[0]) - 1) + "\n")
    same_weights(run(TINY, pairs, tmp_path), trained)
    for row, wanted in zip(read_log(tmp_path / "log.csv"), expected, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)


LOG = "epoch,loss,val_loss\n0,0.5,0.25\n1,0.25,0.125\n"


@pytest.mark.parametrize("damage", ["2,0.1\n", "2,0.1,0.1,0.1\n", "2,a,b\n", ".5,1,1\n"])
def test_a_log_that_a_spreadsheet_saved_is_read_and_a_damaged_one_named(damage, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("\ufeff" + LOG, encoding="utf-8", newline="\r\n")
    first = {"epoch": 0, "loss": 0.5, "val_loss": 0.25}
    assert read_log(path) == [first, {"epoch": 1, "loss": 0.25, "val_loss": 0.125}]
    path.write_text(LOG + damage)
    with pytest.raises(LleError, match=r"log\.csv, line 4: this is not a row"):
        read_log(path)


@pytest.mark.parametrize(("room", "full"), [(100_000, "last.keras"), (600_000, training.RESUME)])
def test_a_full_disk_stops_a_run_which_resumes(room, full, pairs, whole_run, tmp_path):
    """A limit on the size of files stands for the disk."""
    resource = pytest.importorskip("resource")
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Fill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))

    try:
        with pytest.raises(LleError, match=f"{full} cannot be written.*resumes"):
            run(TINY, pairs, tmp_path / "run", callbacks=[Fill()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert not list((tmp_path / "run").glob(".lle-*"))
    same_weights(run(TINY, pairs, tmp_path / "run"), whole_run[1])


# As a command


@pytest.fixture
def command(tmp_path):
    """Return a command that trains on six pairs of your own, and validates on two."""
    own = write_pairs(tmp_path / "own", 8 * [(80, 72)])
    call = [sys.executable, "-m", "lle_utils", "train", "--recipe", "exposure", "--data", str(own)]
    return [*call, "-o", str(tmp_path / "run"), "--epochs"]


def test_the_command_is_killed_and_resumes(command, tmp_path):
    call, options, run = [*command, "15"], {"env": environment()}, tmp_path / "run"
    with subprocess.Popen(call, **options, stdout=-3, stderr=-3) as process:
        until = time.monotonic() + 120
        while not (run / training.RESUME).exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    done = subprocess.run(call, **options, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith(f"{run}/last.keras\n")
    assert "Epoch 15/15" in done.stdout and "Epoch 1/15" not in done.stdout
    rows = read_log(run / "log.csv")
    assert [row["epoch"] for row in rows] == list(range(15))
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    assert load_model(run / "last.keras").schedule == 8 * ("exposure",)


def test_two_devices_share_each_batch_and_learn_what_one_does(command, tmp_path):
    pytest.importorskip("jax")
    losses = []
    for devices in (1, 2):
        flags = f"--xla_force_host_platform_device_count={devices}"
        done = subprocess.run(
            [*command, "2", "--distribute"],
            env=environment(KERAS_BACKEND="jax", XLA_FLAGS=flags),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        losses.append([row["loss"] for row in read_log(tmp_path / "run" / "log.csv")])
        shutil.rmtree(tmp_path / "run")
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_what_cannot_share_a_batch_is_told(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(LleError, match="set the environment variable KERAS_BACKEND=jax"):
        training.distribute(TINY)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu"] * 3)
    with pytest.raises(LleError, match="3 devices cannot share batches of 2 evenly"):
        training.distribute(TINY)
