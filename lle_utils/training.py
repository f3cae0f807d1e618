"""One function that follows a recipe from pairs to a trained enhancer, and goes on when killed."""

import contextlib
import csv
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import ops

from lle_utils.batches import Batches
from lle_utils.curve import brighten
from lle_utils.data import PairedSet
from lle_utils.errors import LleError
from lle_utils.model import (
    LONG_SIDE,
    RecursiveEnhancer,
    build_network,
    no_tint,
    predict_at_scale,
    predict_whole,
)
from lle_utils.recipes import COMPANION_FIELDS, Recipe
from lle_utils.scaling import grow_window

RESUME = "resume.weights.h5"
"""Of a run's folder: weights and optimizer after the last whole epoch."""


class EpochSetter(keras.callbacks.Callback):
    """Tell the batches which epoch it is, also when training resumes at a later one."""

    def __init__(self, batches: Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Set the epoch before its first batch is drawn."""
        self.batches.epoch = epoch


class RunKeeper(keras.callbacks.Callback):
    """Keep a run's best weights as they are used (see `finished`), its log, and where it stands.

    Each file is replaced as a whole: a kill leaves the old one or the new one. A run that is killed
    after an epoch was logged and before its state was saved runs that epoch again. So rows from the
    first epoch that is run on are dropped, and what is best is found among the rows that stay.

    (Keras's `BackupAndRestore` writes weights and epoch one after the other, in place: a kill
    between the two trains an epoch twice, and `ModelCheckpoint` forgets what was best.)

    Parameters
    ----------
    folder : Path
        Gets ``log.csv``, ``best.keras`` and ``resume.weights.h5``.
    recipe : Recipe
        It says what is best; see `best_row`.
    patience : int, optional
        Stop after so many epochs without a better one. (Keras's `EarlyStopping` would count from 0
        again when a run goes on.)
    """

    def __init__(self, folder: Path, recipe: Recipe, patience: int | None = None):
        super().__init__()
        self.folder, self.recipe, self.patience = folder, recipe, patience
        self.rows: list[dict] | None = None

    def on_epoch_begin(self, epoch, logs=None):
        """Read the rows before the first epoch that is run."""
        if self.rows is None:
            log = self.folder / "log.csv"
            rows = read_log(log) if log.exists() else []
            self.rows = [row for row in rows if row["epoch"] < epoch]

    def on_epoch_end(self, epoch, logs=None):
        """Save the weights if they are the best so far, log the epoch, save where it stands."""
        row = {"epoch": epoch, **{name: float(value) for name, value in logs.items()}}
        if best_row([*self.rows, row], self.recipe) is row:
            with _replacing(self.folder / "best.keras") as partial:
                finished(self.model, self.recipe).save(partial)
        self.rows.append(row)
        with (
            _replacing(self.folder / "log.csv") as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=row)
            writer.writeheader()
            writer.writerows(self.rows)
        with _replacing(self.folder / RESUME) as partial:
            self.model.save_weights(partial)
        if stands_still(self.rows, self.recipe, self.patience):
            self.model.stop_training = True


def stands_still(rows: Sequence[dict], recipe: Recipe, patience: int | None) -> bool:
    """Say whether a log's last `patience` epochs brought nothing better on validation."""
    if not rows or patience is None:
        return False
    return rows[-1]["epoch"] - best_row(rows, recipe)["epoch"] >= patience


@contextlib.contextmanager
def _replacing(path: Path):
    """Give a name to write to, and rename it to `path` when all is written."""
    partial = path.with_name(f"partial-{path.name}")
    yield partial
    partial.replace(path)


def _resume(trainee: keras.Model, folder: Path, steps_per_epoch: int) -> int:
    """Load the weights and the optimizer's state of a run; return how many epochs it has done."""
    if not (folder / RESUME).exists():
        return 0
    trainee.optimizer.build(trainee.trainable_variables)
    trainee.load_weights(folder / RESUME)
    return int(trainee.optimizer.iterations) // steps_per_epoch


def read_log(path: str | Path) -> list[dict]:
    """Read the log of a run, or that of the package's weights (``lle_utils/weights/NAME.csv``).

    Returns
    -------
    list of dict
        One an epoch: ``epoch`` (int, from 0), ``loss``, ``val_loss`` and, where the objective is
        "curve", ``psnr`` and ``val_psnr`` in decibels (float).
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [
            {name: int(value) if name == "epoch" else float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


@keras.saving.register_keras_serializable("lle_utils")
def psnr(y_true, y_pred):
    """Return the peak signal-to-noise ratio of each picture in decibels, as a Keras metric.

    ``-10 * log10(mean squared error)`` for pictures in [0, 1] of shape (batch, height, width, 3).
    """
    error = ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(error, 1e-10))


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


SSIM_SHARE = 0.05
"""Of 1 - SSIM in the loss "mse+ssim": at the start of training on crops, both weigh alike."""


@keras.saving.register_keras_serializable("lle_utils")
def mse_and_ssim(y_true, y_pred):
    """Return the mean squared error plus a share of 1 - SSIM of each picture."""
    error = ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))
    return error + SSIM_SHARE * (1 - ssim(y_true, y_pred))


class TwoScaleTrainee(keras.Model):
    """The recursion as it is trained: whole pictures that were shrunk, and full-size crops of them.

    Each whole picture is iterated a number of times of its own. A crop goes along as far as the
    schedule's last fine iteration: it takes the coarse maps from its whole picture, where the
    network sees the scene, and the fine ones from itself, where it sees the noise. So a step costs
    some thousand pixels an iteration in place of a quarter of a million.

    Inputs and outputs are those of `batches.Batches`.

    Parameters
    ----------
    network : keras.Model
        As `model.build_network` makes it.
    recipe : Recipe
    """

    def __init__(self, network: keras.Model, recipe: Recipe):
        super().__init__(name="trainee")
        self.network, self.recipe = network, recipe
        self.deepest = recipe.depths[1] if recipe.depths else recipe.iterations
        self.built = True
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False

    def call(self, inputs):
        """Return the whole pictures after their depths, or these and the crops as a dict."""
        recipe = self.recipe
        fine = [step for step, factor in enumerate(recipe.schedule) if factor < recipe.shrink]
        last = max(fine, default=-1)
        picture = ops.maximum(inputs["picture"], recipe.floor)
        depth = ops.reshape(inputs["depth"], (-1, 1, 1, 1))
        crop = ops.maximum(inputs["crop"], recipe.floor) if recipe.two_scales else None
        for step in range(self.deepest):
            factor = recipe.schedule[min(step, len(recipe.schedule) - 1)]
            further = max(1, factor // recipe.shrink)
            coarse = predict_whole(
                self.network,
                picture,
                further,
                keep_colors=recipe.keep_colors,
                evenness=recipe.evenness,
            )
            if crop is not None and step <= last:
                crop = brighten(crop, self._crop_map(crop, coarse, inputs["corner"], factor))
            picture = ops.where(step < depth, brighten(picture, coarse), picture)
        return picture if crop is None else {"picture": picture, "crop": crop}

    def _crop_map(self, crop, coarse, corner, factor: int):
        if factor < self.recipe.shrink:
            tint = no_tint if self.recipe.keep_colors else None
            return predict_at_scale(self.network, crop, factor, tint)
        return grow_window(coarse, self.recipe.shrink, corner, ops.shape(crop)[1])


def best_row(rows: Sequence[dict], recipe: Recipe) -> dict:
    """Return the row of a log that is best on validation: the first, where several are.

    By the PSNR (that of the crops, where there are any), or for the founding objective, whose
    error is not that of a picture, by the loss.
    """
    if recipe.objective == "founding":
        return min(rows, key=lambda row: row["val_loss"])
    name = "val_crop_psnr" if recipe.two_scales else "val_psnr"
    return max(rows, key=lambda row: row[name])


def build_trainee(recipe: Recipe) -> keras.Model:
    """Build what a recipe trains.

    The bare network for the founding objective; a `RecursiveEnhancer`; or where the recipe draws
    depths or trains on two scales, a `TwoScaleTrainee`.
    """
    network = build_network(
        recipe.channels,
        recipe.merge,
        conditioned=recipe.conditioned,
        initial_map=recipe.initial_map,
        rest=recipe.rest,
        seed=recipe.seed,
        dtype=recipe.precision,
    )
    if recipe.objective == "founding":
        return network
    if recipe.depths or recipe.two_scales:
        return TwoScaleTrainee(network, recipe)
    enhancer = RecursiveEnhancer(network, recipe.schedule, recipe.iterations, recipe.floor)
    return enhancer.scaled_to(LONG_SIDE // (recipe.stride * recipe.shrink))


def compile_trainee(trainee: keras.Model, recipe: Recipe, steps: int) -> None:
    """Compile with Adam and the recipe's loss; the learning rate falls over `steps`."""
    rate = recipe.learning_rate
    if recipe.cosine_decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.02)
    # A step whose gradient is much longer than usual (it happens through eight iterations) is cut
    # short. The founding project did without.
    clipnorm = 1.0 if recipe.objective == "curve" else None
    loss = mse_and_ssim if recipe.loss == "mse+ssim" else recipe.loss
    metrics = [psnr] if recipe.objective == "curve" else []
    if recipe.two_scales:
        whole = "mse" if recipe.loss == "mse+ssim" else recipe.loss
        loss = {"picture": whole, "crop": loss}
        metrics = {"picture": metrics, "crop": metrics}
    trainee.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=clipnorm),
        loss=loss,
        metrics=metrics,
        jit_compile=keras.backend.backend() == "jax",  # XLA slows TensorFlow's step on a CPU
    )


def train(
    recipe: Recipe,
    training: PairedSet,
    validation: PairedSet,
    folder: str | Path,
    *,
    start: keras.Model | None = None,
    patience: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> keras.Model:
    """Train as a recipe says; called again with the same folder, go on where it was cut off.

    Parameters
    ----------
    recipe : Recipe
    training, validation : PairedSet
        No scene of one may be in the other.
    folder : str or Path
        Where the run is kept: ``recipe.json``, ``pairs.json`` (their names), ``log.csv`` (a row an
        epoch), ``best.keras`` (see `best_row`),
        ``last.keras`` at the end, and what it takes to go on, ``resume.weights.h5``.
    start : keras.Model, optional
        A trained enhancer (or network, for the founding objective) whose weights to start from.
    patience : int, optional
        Stop early, after so many epochs without a better one on validation.
    callbacks : sequence of keras.callbacks.Callback
        Further callbacks for `fit`, such as ``keras.callbacks.TensorBoard``.
    verbose : int or "auto"
        As for `fit`.

    Returns
    -------
    keras.Model
        The trained enhancer, with the recipe's own schedule, or the network.

    Raises
    ------
    LleError
        If the folder holds a run of another recipe or on other pairs.
    """
    folder = Path(folder)
    batches = Batches(training, recipe)
    trainee = build_trainee(recipe)
    if start is not None:
        if [w.shape for w in start.weights] != [w.shape for w in trainee.weights]:
            raise LleError("the weights to start from are of another network than the recipe's")
        trainee.set_weights(start.get_weights())
    _claim(folder, recipe, training, validation)
    compile_trainee(trainee, recipe, steps=recipe.epochs * len(batches))

    log = folder / "log.csv"
    done = stands_still(read_log(log) if log.exists() else [], recipe, patience)
    trainee.fit(
        batches,
        epochs=0 if done else recipe.epochs,
        validation_data=Batches(validation, recipe, augment=False),
        shuffle=False,  # Batches does it; Keras would shuffle the batches without our seed
        initial_epoch=_resume(trainee, folder, len(batches)),
        callbacks=[EpochSetter(batches), RunKeeper(folder, recipe, patience), *callbacks],
        verbose=verbose,
    )
    trained = finished(trainee, recipe)
    with _replacing(folder / "last.keras") as partial:
        trained.save(partial)
    return trained


def finished(trainee: keras.Model, recipe: Recipe) -> keras.Model:
    """Return a trainee as it is used: with the schedule meant for pictures of 600 pixels."""
    if recipe.objective == "founding":
        return trainee
    network = build_trainee(dataclasses.replace(recipe, precision="float32")).network
    network.set_weights(trainee.network.get_weights())
    return RecursiveEnhancer(
        network,
        recipe.schedule,
        recipe.iterations,
        recipe.floor,
        companion=recipe.companion,
        **{field: getattr(recipe, field) for field in COMPANION_FIELDS},
    )


def _claim(folder: Path, recipe: Recipe, training: PairedSet, validation: PairedSet) -> None:
    """Make the run's folder, or check that what is in it comes of the same recipe and pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {"training": training.names, "validation": validation.names}
    facts = {
        "recipe.json": ("of another recipe", dataclasses.asdict(recipe)),
        "pairs.json": ("on other pairs", names),
    }
    texts = {name: json.dumps(fact, indent=1) + "\n" for name, (_, fact) in facts.items()}
    for name, text in texts.items():
        note = folder / name
        if note.exists() and json.loads(note.read_text()) != json.loads(text):
            raise LleError(
                f"{folder} holds a run {facts[name][0]} (see {name} there): choose another folder"
            )
    for name, text in texts.items():
        with _replacing(folder / name) as partial:
            partial.write_text(text)
