"""One function that follows a recipe from pairs to a trained enhancer, and resumes when killed."""

import csv
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

from lle_utils.backend import keras, ops
from lle_utils.batches import Batches
from lle_utils.curve import iterate
from lle_utils.data import PairedSet
from lle_utils.enhancer import Enhancer, Maps
from lle_utils.errors import LleError
from lle_utils.images import remove_parts, replace_file
from lle_utils.network import build_network
from lle_utils.recipes import Recipe
from lle_utils.weights import load_model

RESUME = "resume.weights.h5"
"""Of a run's folder: weights and optimizer after the last whole epoch."""


class Trainee(keras.Model):
    """An enhancer as it is trained: whole pictures as thumbnails, and full-size crops of them.

    The recursion is that of the enhancer. A crop takes the maps of its picture's thumbnail, in
    which the network sees the scene, and the detail maps from itself, where it sees the noise. So a
    step costs some thousand pixels per iteration in place of a quarter of a million.

    Inputs and outputs are those of `batches.Batches`.

    Parameters
    ----------
    enhancer : Enhancer
    deepest : int
        The most iterations that a picture is asked for.
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


class EpochSetter(keras.callbacks.Callback):
    """Tell the batches which epoch it is, also when training resumes at a later one."""

    def __init__(self, batches: Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Set the epoch before its first batch is drawn."""
        self.batches.epoch = epoch


class RunKeeper(keras.callbacks.Callback):
    """Keep a run's averaged weights, its log, and where it is.

    Each file is replaced as a whole: a kill leaves the old one or the new one. A run that is killed
    after an epoch was logged and before its state was saved runs that epoch again, so rows from the
    first epoch that is run on are dropped.

    (Keras's `BackupAndRestore` writes weights and epoch one after the other, in place: a kill
    between the two trains an epoch twice.)

    Parameters
    ----------
    folder : Path
        Gets ``log.csv``, ``last.keras`` and ``resume.weights.h5``.
    recipe : Recipe
    averages : keras.callbacks.SwapEMAWeights
        Puts the moving average in place of the weights, and back.
    """

    def __init__(self, folder: Path, recipe: Recipe, averages: keras.callbacks.SwapEMAWeights):
        super().__init__()
        self.folder, self.recipe, self.averages = folder, recipe, averages
        self.rows: list[dict] | None = None

    def on_epoch_begin(self, epoch, logs=None):
        """Read the rows before the first epoch that is run."""
        if self.rows is None:
            log = self.folder / "log.csv"
            rows = read_log(log) if log.exists() else []
            self.rows = [row for row in rows if row["epoch"] < epoch]

    def on_epoch_end(self, epoch, logs=None):
        """Save the averaged weights, log the epoch, save where it is."""
        self.averages.on_test_begin()
        averaged = finished(self.model, self.recipe)
        self.averages.on_test_end()
        self.rows.append({"epoch": epoch, **{name: float(v) for name, v in logs.items()}})
        self._replace("last.keras", averaged.save)
        self._replace("log.csv", self._write_log)
        self._replace(RESUME, self._write_state)

    def _replace(self, name: str, write) -> None:
        try:
            replace_file(self.folder / name, write)
        except (LleError, RuntimeError) as error:  # HDF5 has its own error for a full disk
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise LleError(
                f"{reason} ({name} of the run). Make room and repeat the command: the run resumes "
                "from its last whole epoch"
            ) from None

    def _write_state(self, path):
        # HDF5 crashes Python on a disk that fills up while it writes. So see first if there is
        # room: for weights, their average and Adam's two moments, 4 bytes each, and HDF5's own.
        Path(path).write_bytes(bytes(20 * self.model.count_params() + 2**20))
        self.model.save_weights(path)

    def _write_log(self, path):
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=self.rows[-1])
            writer.writeheader()
            writer.writerows(self.rows)


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
        If a row is cut, or has other fields than the first line says.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        table = csv.reader(file)
        names = next(table, [])
        try:
            return [_log_row(names, values) for values in table]
        except ValueError:
            raise LleError(
                f"{path}, line {table.line_num}: this is not a row of a training log, which has a "
                f"number for each of {', '.join(names) or 'its columns'}. Restore the file, or "
                "delete it: the run still resumes, without its rows"
            ) from None


def _log_row(names: list[str], values: list[str]) -> dict:
    """Return one row of a log, or raise a ValueError if it is not one."""
    row = dict(zip(names, values, strict=True))
    return {"epoch": int(row.pop("epoch", "")), **{name: float(v) for name, v in row.items()}}


@keras.saving.register_keras_serializable("lle_utils")
def psnr(y_true, y_pred):
    """Return the peak signal-to-noise ratio of each picture in decibels, as a Keras metric.

    ``-10 * log10(mean squared error)`` for pictures in [0, 1] of shape (batch, height, width, 3).
    """
    return -10 * ops.log10(ops.maximum(mean_squared_error(y_true, y_pred), 1e-10))


def mean_squared_error(y_true, y_pred):
    """Return the mean squared error of each picture, of shape (batch,)."""
    return ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))


def ssim(y_true, y_pred):
    """Return the structural similarity of each picture, as `metrics.ssim` computes it.

    For pictures in [0, 1] of shape (batch, height, width, 3), at least 11 pixels high and wide; on
    every Keras back end, and with a gradient.
    """
    window = [math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)]
    kernel = ops.convert_to_tensor([weight / sum(window) for weight in window], "float32")
    channels = y_true.shape[-1]
    kernel = ops.tile(ops.reshape(kernel, (11, 1, 1, 1)), (1, 1, channels, 1))

    def blur(x):
        for k in (kernel, ops.swapaxes(kernel, 0, 1)):
            x = ops.depthwise_conv(x, k, padding="valid")
        return x

    mean_a, mean_b = blur(y_true), blur(y_pred)
    var_a = blur(ops.square(y_true)) - ops.square(mean_a)
    var_b = blur(ops.square(y_pred)) - ops.square(mean_b)
    covariance = blur(y_true * y_pred) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (ops.square(mean_a) + ops.square(mean_b) + c1)
    structure = (2 * covariance + c2) / (var_a + var_b + c2)
    return ops.mean(luminance * structure, axis=(1, 2, 3))


SSIM_SHARE = 0.2
"""Of 1 - SSIM in the loss "detail"."""


@keras.saving.register_keras_serializable("lle_utils")
def detail_loss(y_true, y_pred):
    """Return each crop's error: as it is, scaled to the reference's mean, and 1 - SSIM.

    How bright a scene was meant to be is partly a guess; what is scaled to the reference's mean is
    judged by its details only.
    """
    mean_true = ops.mean(y_true, axis=(1, 2, 3), keepdims=True)
    mean_pred = ops.mean(y_pred, axis=(1, 2, 3), keepdims=True)
    scaled = y_pred * (mean_true / ops.maximum(mean_pred, 1e-3))
    error = mean_squared_error(y_true, y_pred) + mean_squared_error(y_true, scaled)
    return error + SSIM_SHARE * (1 - ssim(y_true, scaled))


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
    """Share each batch of a recipe among all devices from now on (data parallel).

    Raises
    ------
    LleError
        If Keras does not run on JAX (its TensorFlow back end has only a prototype of it), or the
        devices cannot share a batch evenly.
    """
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
    callbacks : sequence of keras.callbacks.Callback
        Further callbacks for `fit`, such as ``keras.callbacks.TensorBoard``.
    verbose : int or "auto"
        As for `fit`.

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
    trainee = build_trainee(recipe)  # first: where it fails, the folder stays as it is
    _claim(folder, recipe, sources, validation)
    batches = Batches(sources, recipe)
    compile_trainee(trainee, recipe, steps=recipe.epochs * len(batches))
    averages = keras.callbacks.SwapEMAWeights()
    trainee.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=Batches([(validation, 1.0)], recipe, validation=True),
        shuffle=False,  # Batches does it; Keras would shuffle the batches without our seed
        initial_epoch=_resume(trainee, folder, len(batches)),
        callbacks=[
            EpochSetter(batches),
            averages,
            RunKeeper(folder, recipe, averages),
            *callbacks,
        ],
        verbose=verbose,
    )
    return load_model(folder / "last.keras")


def finished(trainee: Trainee, recipe: Recipe) -> Enhancer:
    """Return the enhancer that a trainee holds, in single precision."""
    fresh = dataclasses.replace(recipe, precision="float32", start=None)
    network = build_trainee(fresh).enhancer.network
    network.set_weights(trainee.enhancer.network.get_weights())
    return Enhancer(network, recipe.schedule)


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


def _claim(folder: Path, recipe: Recipe, sources: Sequence, validation: PairedSet) -> None:
    """Make the run's folder, or check that what is in it comes of the same recipe and pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)  # of a run that was killed
    names = {"training": [pairs.names for pairs, _ in sources], "validation": validation.names}
    facts = {
        "recipe.json": ("with a different recipe", dataclasses.asdict(recipe)),
        "pairs.json": ("on other pairs", names),
    }
    texts = {name: json.dumps(fact, indent=1) + "\n" for name, (_, fact) in facts.items()}
    for name, text in texts.items():
        note = folder / name
        if note.exists() and _read_json(note) != json.loads(text):
            raise LleError(
                f"{folder} holds a run {facts[name][0]}, or one whose {name} is damaged: choose "
                "another folder"
            )
    for name, text in texts.items():
        replace_file(folder / name, lambda partial, text=text: Path(partial).write_text(text))


def _read_json(path: Path):
    """Return what a JSON file holds; None if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
