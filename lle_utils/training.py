"""From pairs to a trained enhancer: batches, the recipe, and one function that follows it."""

import contextlib
import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from lle_utils.data import PairedSet
from lle_utils.errors import LleError
from lle_utils.model import LONG_SIDE, RecursiveEnhancer, build_network

OBJECTIVES = ("curve", "founding")

RESUME = "resume.weights.h5"
"""Of a run's folder: weights and optimizer after the last whole epoch."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that a training run is determined by, apart from the pairs.

    Attributes
    ----------
    objective : {"curve", "founding"}
        "curve": the error is that of the enhanced picture, through the recursion. "founding": the
        error is that of the *map*, against the bright picture, for inputs in 0..255, as published.
    channels, merge, conditioned, initial_map
        The network; see `model.build_network`.
    schedule, iterations
        The recursion; see `model.RecursiveEnhancer`. Not used by the founding objective.
    stride : int
        Train on every n-th pixel of every n-th row. Unlike averaging it leaves the noise as it is.
    crop : int or None
        Side of the random square crops in pixels (after `stride`); None for whole pictures.
    batch_size, epochs : int
    steps_per_epoch : int or None
        Batches an epoch; None for all of them.
    learning_rate : float
        Of Adam, at the start.
    cosine_decay : bool
        Whether the learning rate falls to a fiftieth along half a cosine.
    exposure_stops : float
        The dark picture is made darker or brighter by up to so many stops (code values doubled or
        halved), and rounded to 8 bits again. 0: as it is.
    white_balance : float
        Each channel is scaled by up to this share more or less. 0: as it is.
    seed : int
        Of the initial weights, the order of the pairs and every random choice.
    """

    objective: str = "curve"
    channels: int = 3
    merge: str = "concatenate"
    conditioned: bool = True
    initial_map: float = 0.5
    schedule: Sequence[int] = (1,)
    iterations: int = 8
    stride: int = 1
    crop: int | None = None
    batch_size: int = 8
    epochs: int = 10
    steps_per_epoch: int | None = None
    learning_rate: float = 1e-3
    cosine_decay: bool = True
    exposure_stops: float = 0.0
    white_balance: float = 0.0
    seed: int = 0

    def __post_init__(self):
        """Check what no other part of the package checks."""
        if self.objective not in OBJECTIVES:
            raise ValueError(f'objective must be "curve" or "founding", not {self.objective!r}')
        for field in ("stride", "batch_size", "epochs", "crop", "steps_per_epoch"):
            value = getattr(self, field)
            if value is None and field in ("crop", "steps_per_epoch"):
                continue
            if value != int(value) or value < 1:
                raise ValueError(f"{field} must be a whole number of 1 or more, not {value!r}")
        object.__setattr__(self, "schedule", tuple(self.schedule))


RECIPES = {
    # As the founding project did it: whole pictures one at a time, 20 epochs of 24 steps. Ours
    # keeps every third pixel only, which makes an epoch nine times cheaper.
    "founding": Recipe(
        objective="founding",
        channels=1,
        conditioned=False,
        stride=3,
        batch_size=1,
        epochs=20,
        steps_per_epoch=24,
        cosine_decay=False,
    ),
    # Exposure first: each map is predicted from a picture shrunk 32 times, which costs next to
    # nothing and sees the whole scene. One channel for the three colors: at so coarse a scale,
    # three gave colored patches. The bias starts the map near the best constant.
    "curve8": Recipe(
        channels=1,
        schedule=(32,),
        initial_map=0.38,
        stride=8,
        epochs=64,
        learning_rate=1.5e-3,
        exposure_stops=1.0,
        white_balance=0.1,
    ),
}
"""The recipes of the committed weights, by name."""


class Batches(keras.utils.PyDataset):
    """Batches of dark and bright pictures, for `fit`.

    What a batch holds depends on the seed, the epoch and its index alone, so that a run which was
    cut off goes on with the very batches it would have seen. The epoch is set by `EpochSetter`.

    Parameters
    ----------
    pairs : PairedSet
    recipe : Recipe
    augment : bool, default True
        Shuffle, flip, crop at random and vary the exposure. False, for validation: the pairs in
        order, not cropped (but to the largest size that all of them have).
    """

    def __init__(self, pairs: PairedSet, recipe: Recipe, *, augment: bool = True):
        super().__init__()
        self.pairs, self.recipe, self.augment = pairs, recipe, augment
        self.epoch = 0
        self._size = _common_size(pairs, recipe, cropped=augment)

    def __len__(self) -> int:
        every = -(-len(self.pairs) // self.recipe.batch_size)
        if self.augment and self.recipe.steps_per_epoch:
            return min(every, self.recipe.steps_per_epoch)
        return every

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the dark and the bright pictures, each float32 (batch, height, width, 3)."""
        order = np.arange(len(self.pairs))
        if self.augment:
            np.random.default_rng([self.recipe.seed, self.epoch]).shuffle(order)
        chosen = order[index * self.recipe.batch_size :][: self.recipe.batch_size]
        rng = np.random.default_rng([self.recipe.seed, self.epoch, index])
        views = [self._view(int(pair), rng) for pair in chosen]
        low, high = (np.stack(side).astype(np.float32) / 255 for side in zip(*views, strict=True))
        if self.recipe.objective == "founding":
            low = 255 * low
        return low, high

    def _view(self, pair: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return one pair as uint8, thinned out, and when training cropped, flipped, re-exposed."""
        low, high = self.pairs.uint8(pair)
        stride = self.recipe.stride
        row, column = rng.integers(stride, size=2) if self.augment else (stride // 2, stride // 2)
        low, high = (side[row::stride, column::stride] for side in (low, high))
        if low.shape[0] > low.shape[1]:  # portraits lie down, so that all batches have one size
            low, high = np.rot90(low), np.rot90(high)
        room = low.shape[0] - self._size[0], low.shape[1] - self._size[1]
        top, left = (
            (rng.integers(room[0] + 1), rng.integers(room[1] + 1)) if self.augment else (0, 0)
        )
        window = np.s_[top : top + self._size[0], left : left + self._size[1]]
        low, high = low[window], high[window]
        if not self.augment:
            return low, high
        flips = tuple(np.flatnonzero(rng.integers(2, size=2)))
        return vary_exposure(np.flip(low, flips), self.recipe, rng), np.flip(high, flips)


def _common_size(pairs: PairedSet, recipe: Recipe, *, cropped: bool) -> tuple[int, int]:
    """Return the largest size that all pictures can give: lying down, thinned out, cropped."""
    sizes = [sorted(pairs.uint8(index)[1].shape[:2]) for index in range(len(pairs))]
    sizes = np.array(sizes) // recipe.stride
    if cropped and recipe.crop:
        sizes = np.minimum(sizes, recipe.crop)
    if sizes.min() < 1:
        raise ValueError(
            f"a picture has fewer pixels in a direction than the stride, {recipe.stride}"
        )
    height, width = sizes.min(axis=0)
    return int(height), int(width)


def vary_exposure(low: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Scale an 8-bit picture's code values by a random gain, and each channel a little on its own.

    Parameters
    ----------
    low : ndarray of uint8, shape (height, width, 3)
    recipe : Recipe
        Gives the ranges.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, same shape
    """
    if not recipe.exposure_stops and not recipe.white_balance:
        return low
    gain = 2 ** rng.uniform(-recipe.exposure_stops, recipe.exposure_stops)
    gains = gain * (1 + rng.uniform(-recipe.white_balance, recipe.white_balance, size=3))
    return np.clip(np.round(low * gains), 0, 255).astype(np.uint8)


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
        Its objective says what is best: the highest validation PSNR or the lowest validation loss.
    """

    def __init__(self, folder: Path, recipe: Recipe):
        super().__init__()
        self.folder, self.recipe = folder, recipe
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
        key, sign = ("val_psnr", 1) if self.recipe.objective == "curve" else ("val_loss", -1)
        if all(sign * row[key] > sign * earlier[key] for earlier in self.rows):
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


def build_trainee(recipe: Recipe) -> keras.Model:
    """Build what a recipe trains: an enhancer, or for the founding objective the bare network."""
    network = build_network(
        recipe.channels,
        recipe.merge,
        conditioned=recipe.conditioned,
        initial_map=recipe.initial_map,
        seed=recipe.seed,
    )
    if recipe.objective == "founding":
        return network
    enhancer = RecursiveEnhancer(network, recipe.schedule, recipe.iterations)
    return enhancer.scaled_to(LONG_SIDE // recipe.stride)


def compile_trainee(trainee: keras.Model, recipe: Recipe, steps: int) -> None:
    """Compile with Adam and mean squared error; the learning rate falls over `steps`."""
    rate = recipe.learning_rate
    if recipe.cosine_decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.02)
    # A step whose gradient is much longer than usual (it happens through eight iterations) is cut
    # short. The founding project did without.
    clipnorm = 1.0 if recipe.objective == "curve" else None
    trainee.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=clipnorm),
        loss="mse",
        metrics=[psnr] if recipe.objective == "curve" else [],
        jit_compile=keras.backend.backend() == "jax",  # XLA slows TensorFlow's step on a CPU
    )


def train(
    recipe: Recipe,
    training: PairedSet,
    validation: PairedSet,
    folder: str | Path,
    *,
    start: keras.Model | None = None,
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
        epoch), ``best.keras`` (by validation PSNR; by validation loss for the founding objective),
        ``last.keras`` at the end, and what it takes to go on, ``resume.weights.h5``.
    start : keras.Model, optional
        A trained enhancer (or network, for the founding objective) whose weights to start from.
    callbacks : sequence of keras.callbacks.Callback
        Further callbacks for `fit`.
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

    trainee.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=Batches(validation, recipe, augment=False),
        shuffle=False,  # Batches does it; Keras would shuffle the batches without our seed
        initial_epoch=_resume(trainee, folder, len(batches)),
        callbacks=[EpochSetter(batches), RunKeeper(folder, recipe), *callbacks],
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
    return RecursiveEnhancer(trainee.network, recipe.schedule, recipe.iterations)


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
