"""From pairs to a trained enhancer, as a recipe says; a run that was killed resumes."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lle_utils.backend import keras, ops
from lle_utils.batches import Batches
from lle_utils.curve import iterate
from lle_utils.data import PairedSet
from lle_utils.enhancer import Enhancer, Maps
from lle_utils.errors import LleError
from lle_utils.images import replace_file
from lle_utils.network import build_network
from lle_utils.recipes import Recipe
from lle_utils.weights import load_model

RESUME = "resume.weights.h5"  # of a run's folder: weights and optimizer after the last epoch


class Trainee(keras.Model):
    """An enhancer as it is trained: whole pictures as thumbnails, and full-size crops of them.

    A crop takes the maps of its picture's thumbnail, in which the network sees the scene, and the
    detail maps from itself, where it sees the noise. So a step costs some thousand pixels per
    iteration in place of a quarter of a million. No picture is iterated more than `deepest` times.

    Inputs and outputs are those of `batches.Batches`.
    """

    def __init__(self, enhancer: Enhancer, deepest: int):
        super().__init__(name="trainee")
        self.enhancer, self.deepest = enhancer, deepest
        self.built = True

    def call(self, inputs):
        """Return thumbnails and crops, each after its own number of iterations."""
        depth = ops.reshape(inputs["depth"], (-1, 1, 1, 1))
        start = ops.maximum(inputs["crop"], self.enhancer.floor)
        maps = Maps(self.enhancer, inputs["thumbnail"], inputs["box"], average_flips=False)
        crop, thumbnail = start, maps.thumbnail
        # All are iterated to the greatest depth, and each keeps what it was at its own.
        for step, iteration in enumerate(iterate(start, maps, self.deepest)):
            crop = ops.where(step < depth, iteration.image, crop)
            thumbnail = ops.where(step < depth, maps.thumbnail, thumbnail)
        return {"thumbnail": thumbnail, "crop": crop}


class RunKeeper(keras.callbacks.Callback):
    """Keep a run's averaged weights, its log (`rows`), and where it is.

    Each file is replaced as a whole: a kill leaves the old one or the new one. (Keras's own
    `BackupAndRestore` writes in place, weights and epoch one after the other.)
    """

    def __init__(self, folder: Path, averages: keras.callbacks.SwapEMAWeights, rows: list[dict]):
        super().__init__()
        self.folder, self.averages, self.rows = folder, averages, rows

    def on_epoch_end(self, epoch, logs=None):
        """Save the averaged weights, log the epoch, save where it is."""
        self.rows.append({"epoch": epoch, **{name: float(v) for name, v in logs.items()}})
        try:
            replace_file(self.folder / "last.keras", self._write_average)
            replace_file(self.folder / "log.csv", self._write_log)
            replace_file(self.folder / RESUME, self._write_state)
        except (LleError, RuntimeError) as error:  # HDF5 has its own error for a full disk
            reason = str(error).partition("\n")[0]
            raise LleError(
                f"the run stopped: {reason}. Make room and repeat the command: it resumes from its "
                "last whole epoch"
            ) from None

    def _write_average(self, path):
        trained = self.model.enhancer
        network = build_network(conditioned=True)  # in single precision
        self.averages.on_test_begin()  # puts the average in place of the weights
        network.set_weights(trained.network.get_weights())
        self.averages.on_test_end()
        Enhancer(network, trained.schedule).save(path)

    def _write_log(self, path):
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=self.rows[-1])
            writer.writeheader()
            writer.writerows(self.rows)

    def _write_state(self, path):
        # HDF5 crashes Python on a disk that fills up while it writes. So see first if there is
        # room: for weights, their average and Adam's two moments, 4 bytes each, and HDF5's own.
        Path(path).write_bytes(bytes(20 * self.model.count_params() + 2**20))
        self.model.save_weights(path)


def read_log(path: str | Path) -> list[dict]:
    """Read the log of a run, or that of the package's weights (``lle_utils/weights/NAME.csv``).

    Returns
    -------
    list of dict
        One an epoch: ``epoch`` (int, from 0), ``loss``, ``val_loss``, and the PSNR in decibels of
        thumbnails and crops, ``thumbnail_psnr``, ``val_crop_psnr`` and so on (float).

    Raises
    ------
    LleError
        If the file is damaged.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        try:
            return [
                {**{name: float(text) for name, text in row.items()}, "epoch": int(row["epoch"])}
                for row in table
            ]
        except (KeyError, TypeError, ValueError):  # TypeError: more or fewer fields
            raise LleError(
                f"{path}, line {table.line_num}: this is not a row of a training log. Restore the "
                "file, or delete it: the run still resumes, without its rows"
            ) from None


def psnr(y_true, y_pred):
    """Return the peak signal-to-noise ratio of each picture, in [0, 1], in decibels."""
    return -10 * ops.log10(ops.maximum(mean_squared_error(y_true, y_pred), 1e-10))


def mean_squared_error(y_true, y_pred):
    """Return the mean squared error of each picture, of shape (batch,)."""
    return ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))


def ssim(y_true, y_pred):
    """Return the structural similarity of each picture, in [0, 1], as `metrics.ssim` computes it.

    At least 11 pixels high and wide; on every Keras back end, and with a gradient.
    """
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = (window / window.sum()).astype("float32")

    def blur(x):
        for shape in ((11, 1, 1, 1), (1, 11, 1, 1)):
            kernel = np.tile(window.reshape(shape), (1, 1, 3, 1))
            x = ops.depthwise_conv(x, kernel, padding="valid")
        return x

    mean_a, mean_b = blur(y_true), blur(y_pred)
    product, squares = mean_a * mean_b, ops.square(mean_a) + ops.square(mean_b)
    covariance = blur(y_true * y_pred) - product
    variances = blur(ops.square(y_true) + ops.square(y_pred)) - squares
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    return ops.mean(similarity, axis=(1, 2, 3))


def detail_loss(y_true, y_pred):
    """Return each crop's error: as it is, scaled to the reference's mean, and 1 - SSIM.

    How bright a scene was meant to be is partly a guess; what is scaled to the reference's mean is
    judged by its details only.
    """
    mean_true = ops.mean(y_true, axis=(1, 2, 3), keepdims=True)
    mean_pred = ops.mean(y_pred, axis=(1, 2, 3), keepdims=True)
    scaled = y_pred * (mean_true / ops.maximum(mean_pred, 1e-3))
    error = mean_squared_error(y_true, y_pred) + mean_squared_error(y_true, scaled)
    return error + 0.2 * (1 - ssim(y_true, scaled))


def build_trainee(recipe: Recipe) -> Trainee:
    """Build what a recipe trains, with fresh weights or those that it starts from."""
    network = build_network(conditioned=True, seed=recipe.seed, dtype=recipe.precision)
    if recipe.start is not None:
        network.set_weights(load_model(recipe.start).network.get_weights())
    return Trainee(Enhancer(network, recipe.schedule), recipe.depths[1])


def compile_trainee(trainee: Trainee, recipe: Recipe, steps: int) -> None:
    """Compile with Adam and the recipe's loss; the learning rate falls over `steps`."""
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps, alpha=0.01)
    trainee.compile(
        # A step whose gradient is much longer than usual (it happens through many iterations) is
        # cut short.
        optimizer=keras.optimizers.Adam(
            rate, clipnorm=1.0, use_ema=True, ema_momentum=recipe.averaging
        ),
        loss={"thumbnail": "mse", "crop": detail_loss if recipe.loss == "detail" else recipe.loss},
        metrics={"thumbnail": [psnr], "crop": [psnr]},
        jit_compile=keras.backend.backend() == "jax",  # XLA slows TensorFlow's step on a CPU
    )


def distribute(recipe: Recipe) -> None:
    """Share each batch of a recipe among all devices from now on (data parallel)."""
    if keras.backend.backend() != "jax":
        raise LleError(
            "Keras shares a batch among devices on JAX only: install jax, and set the environment "
            f"variable KERAS_BACKEND=jax (it is {keras.backend.backend()})"
        )
    count = len(keras.distribution.list_devices())
    if recipe.batch_size % count:
        raise LleError(f"{count} devices cannot share batches of {recipe.batch_size} evenly")
    keras.distribution.set_distribution(keras.distribution.DataParallel())


def train(
    recipe: Recipe,
    training: PairedSet | Sequence[tuple[PairedSet, float]],
    validation: PairedSet,
    folder: str | Path,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> Enhancer:
    """Train as a recipe says; called again with the same folder, resume an interrupted run.

    Parameters
    ----------
    recipe : Recipe
    training : PairedSet, or sequence of (PairedSet, float)
        What to train on; several sets with the share of each.
    validation : PairedSet
        What each epoch is scored on. No scene of it may be in `training`.
    folder : str or Path
        Where the run is kept: ``recipe.json``, ``pairs.json`` (their names), ``log.csv`` (a row an
        epoch), ``last.keras`` (the averaged weights after the last epoch), and what it takes to
        resume, ``resume.weights.h5``.
    callbacks, verbose
        As for `fit`, with callbacks beside the run's own.

    Returns
    -------
    Enhancer
        With the averaged weights.

    Raises
    ------
    LleError
        If the folder holds a run with a different recipe or other pairs.
    """
    folder = Path(folder)
    sources = [(training, 1.0)] if isinstance(training, PairedSet) else list(training)
    # First what can fail: then the folder stays as it is.
    trainee, batches = build_trainee(recipe), Batches(sources, recipe)
    compile_trainee(trainee, recipe, steps=recipe.epochs * len(batches))
    _claim(folder, recipe, sources, validation)
    first = _resume(trainee, folder, len(batches))
    log = folder / "log.csv"
    rows = read_log(log) if log.exists() else []
    # An epoch that was logged, but killed before its state was saved, is run again.
    rows = [row for row in rows if row["epoch"] < first]
    averages = keras.callbacks.SwapEMAWeights()
    trainee.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=Batches([(validation, 1.0)], recipe, validation=True),
        shuffle=False,  # Batches does it; Keras would shuffle the batches without our seed
        initial_epoch=first,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=batches.begin_epoch),
            averages,
            RunKeeper(folder, averages, rows),
            *callbacks,
        ],
        verbose=verbose,
    )
    return load_model(folder / "last.keras")


def _claim(folder: Path, recipe: Recipe, sources: Sequence, validation: PairedSet) -> None:
    """Make the run's folder, or check that what is in it comes of the same recipe and pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {"training": [pairs.names for pairs, _ in sources], "validation": validation.names}
    for name, fact in (("recipe.json", dataclasses.asdict(recipe)), ("pairs.json", names)):
        note, text = folder / name, json.dumps(fact, indent=1) + "\n"
        if not note.exists():
            replace_file(note, lambda partial, text=text: Path(partial).write_text(text))
        elif note.read_text(encoding="utf-8", errors="replace") != text:
            raise LleError(
                f"{folder} holds a run with a different {name}, or a damaged one: choose another "
                "folder"
            )


def _resume(trainee: Trainee, folder: Path, steps_per_epoch: int) -> int:
    """Load the weights and the optimizer's state of a run; return how many epochs it has done."""
    if not (folder / RESUME).exists():
        return 0
    trainee.optimizer.build(trainee.trainable_variables)
    try:
        trainee.load_weights(folder / RESUME)
    except (OSError, ValueError, KeyError):
        raise LleError(
            f"{folder / RESUME} is damaged. Move the folder away to train anew, or go on from its "
            "last.keras with --start"
        ) from None
    return int(trainee.optimizer.iterations) // steps_per_epoch
