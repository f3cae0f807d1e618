"""The seven-layer network that predicts the parameter map, and the enhancer that unrolls it."""

import inspect
import json
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
from keras import ops

from lle_utils import founding
from lle_utils.curve import FLOOR, Iteration, brighten, check_iterations, iterate
from lle_utils.errors import LleError
from lle_utils.images import as_float
from lle_utils.recipes import COMPANION_FIELDS, check_shares
from lle_utils.scaling import grow, shrink

_WEIGHTS = Path(__file__).with_name("weights")

LONG_SIDE = 600
"""Pixels of the long side of LOL's pictures: the size that a schedule's factors are meant for."""

STILL = 0.5 / 255
"""Half a code value: a picture that changes less in an iteration, on average, stands still."""

MOST_ITERATIONS = 24
"""Where iterating until nothing changes ends in any case."""

MIRRORS = ((), (1,), (2,), (1, 2))
"""Axes of a batch along which its four mirror images are flipped."""

GRAIN = 16
"""Side in pixels of the squares over whose mean the channels of a fine map may not differ."""

STRIP_PIXELS = 2**19
"""So many pixels at a time are shown to a network that works at a picture's full size."""


def build_network(
    channels: int = 3,
    merge: str = "concatenate",
    *,
    conditioned: bool = False,
    initial_map: float = 0.5,
    rest: float = 0.0,
    seed: int | None = None,
    dtype: str = "float32",
    name: str = "seven_layers",
) -> keras.Model:
    """Build the plain CNN of seven convolutional layers with symmetrical connections.

    Each layer has 32 filters of 3 x 3, stride 1 and a ReLU; layer 3 meets 4, 2 meets 5, 1 meets 6;
    the seventh ends in a sigmoid and gives the parameter map.

    Parameters
    ----------
    channels : {3, 1}
        Channels of the map: one for each color, or one shared by the three.
    merge : {"concatenate", "add"}
        How two layers meet. The founding document concatenates.
    conditioned : bool, default False
        Whether the network sees ``4 * E - 1`` in place of E (a fixed step, no parameters): dark
        inputs near 0.05 otherwise hardly move the first layer.
    initial_map : float, default 0.5
        Value in (0, 1) that the map starts near, set by the last layer's bias; 0.5 is neutral.
    rest : float, default 0
        Maps well below this value become 0 (smoothly: ``M**3 / (M**2 + rest**2)``), maps well above
        it stay. A sigmoid alone never quite gives 0, and what little it gives adds up over many
        iterations.
    seed : int, optional
        Seed of the initial weights.
    dtype : str, default "float32"
        "mixed_bfloat16" for layers 2 to 6 that multiply in 16 bits. The first sees the picture and
        the last gives the map: they stay exact.
    name : str
        Name of the Keras model.

    Returns
    -------
    keras.Model
        Maps pictures (batch, height, width, 3) to maps (batch, height, width, `channels`) in
        [0, 1], at any size. 67,299 parameters for three channels, 66,145 for one, with "add"
        48,003 and 47,425.

    Raises
    ------
    ValueError
        If `channels`, `merge` or `initial_map` is none of the above.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, not {channels!r}")
    if merge not in ("concatenate", "add"):
        raise ValueError(f'merge must be "concatenate" or "add", not {merge!r}')
    if not 0 < initial_map < 1:
        raise ValueError(f"initial_map must lie between 0 and 1, not {initial_map!r}")

    def convolution(index, filters=32, activation="relu", bias=0.0):
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation=activation,
            # With one seed for all, layers of the same shape would start alike.
            kernel_initializer=keras.initializers.GlorotUniform(
                None if seed is None else 10 * seed + index
            ),
            bias_initializer=keras.initializers.Constant(bias),
            dtype="float32" if index in (1, 7) else dtype,
            name=f"layer_{index}",
        )

    def meet(early, late, index):
        layer = keras.layers.Concatenate if merge == "concatenate" else keras.layers.Add
        return layer(name=f"meet_{index}", dtype=early.dtype)([early, late])

    inputs = keras.Input((None, None, 3), name="picture")
    x = inputs
    if conditioned:
        x = keras.layers.Rescaling(4.0, offset=-1.0, name="condition")(x)
    x1 = convolution(1)(x)
    x2 = convolution(2)(x1)
    x3 = convolution(3)(x2)
    x4 = convolution(4)(x3)
    x5 = convolution(5)(meet(x3, x4, "3_4"))
    x6 = convolution(6)(meet(x2, x5, "2_5"))
    bias = math.log(initial_map / (1 - initial_map))
    outputs = convolution(7, channels, "sigmoid", bias)(meet(x1, x6, "1_6"))
    if rest:
        outputs = outputs * outputs * outputs / (outputs * outputs + rest * rest)
    return keras.Model(inputs, outputs, name=name)


@keras.saving.register_keras_serializable("lle_utils")
class RecursiveEnhancer(keras.Model):
    """Brighten pictures by unrolling the recursion around a network.

    ``E_0`` is the picture, floored at half a code value; each iteration predicts a map from the
    latest E and applies ``E + M * E * (1 - E)``. It is a Keras model: ``compile``, ``fit``,
    ``predict``, ``save`` and ``keras.models.load_model`` are Keras's own.

    Parameters
    ----------
    network : keras.Model
        Predicts the parameter map, as `build_network` makes it. Shared by all iterations.
    schedule : sequence of int, default (1,)
        By what factor the picture is shrunk before its map is predicted, in the first, second, ...
        iteration; the last entry repeats. ``(1,)`` is the founding method. Factors are meant for
        a long side of 600 pixels: see `scaled_to`.
    iterations : int, default 8
        How many iterations.
    floor : float, default 0.5 / 255
        What darker values are raised to first; 0 leaves black black.
    companion : int, optional
        By what factor the picture is shrunk, once and at the start, to a companion that is
        brightened beside it by its own maps. Iterations of this factor or a greater one take their
        maps from the companion, as in training on two scales (`training.TwoScaleTrainee`), where
        it is the one whole picture that there is. None: each map is predicted from the latest E.
    keep_colors : bool, default False
        Let the companion's maps have one tint for the whole picture (`one_tint`), as white balance
        has, and the finer ones none but in their grain (`no_tint`). Without it a network paints
        patches of color, and grays what is colorful. Needs a companion.
    evenness : float, default 0
        How far the companion's maps are drawn to their mean over the picture: 0 not at all, 1
        leaves one number a channel. What a coarse map says about places is mostly error, while its
        mean takes the judgments of all places together. Above 0 it needs a companion.
    mirrored : bool, default False
        Predict the companion's maps from its four mirror images, too, and take the mean. Costs next
        to nothing, for the companion is small. Needs one.
    grayness : float, default 0
        How far the channels of the companion's maps are drawn to their mean: 0 not at all, 1 leaves
        one number a place. A tint is learned from the colors of one camera in some rooms, and
        trusted in part it does better in others. Above 0 it needs a companion.
    settle : float, default 0
        The companion's maps well below this value become 0, and maps well above it stay
        (``M**5 / (M**4 + settle**4)``, last of all). Where `evenness` hands out a mean, bright
        places would never quite come to rest. Above 0 it needs a companion.

    Raises
    ------
    ValueError
        If `iterations`, `companion` or an entry of `schedule` is not a whole number of 1 or more,
        `evenness`, `grayness` or `settle` is not in [0, 1], or something needs a companion and
        there is none.
    """

    def __init__(
        self,
        network,
        schedule=(1,),
        iterations=8,
        floor=FLOOR,
        companion=None,
        keep_colors=False,
        evenness=0.0,
        mirrored=False,
        grayness=0.0,
        settle=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.schedule = _check_schedule(schedule)
        self.iterations = check_iterations(iterations)
        self.floor = float(floor)
        self.companion = _check_companion(companion)
        self.keep_colors = bool(keep_colors)
        self.evenness = float(evenness)
        self.mirrored = bool(mirrored)
        self.grayness = float(grayness)
        self.settle = float(settle)
        check_shares(self)
        for need in COMPANION_FIELDS:
            if getattr(self, need) and not self.companion:
                raise ValueError(f"{need} needs a companion, which sees the whole picture")
        self.built = True  # all its weights are the network's, which exist already
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False  # see `compile`

    def compile(self, *args, jit_compile="auto", **kwargs):
        """Configure for training, as any Keras model; but "auto" never means XLA on TensorFlow.

        On a CPU, XLA makes the training step about three times slower, and every new picture size
        is compiled anew. ``jit_compile=True`` still asks for it.
        """
        if jit_compile == "auto" and keras.backend.backend() == "tensorflow":
            jit_compile = False
        super().compile(*args, jit_compile=jit_compile, **kwargs)

    def call(self, images):
        """Enhance pictures (batch, height, width, 3) in [0, 1]; the result has the same shape."""
        for iteration in self.steps(images):
            images = iteration.image
        return images

    def steps(self, images):
        """Return the iterator of `curve.iterate`: map and picture, each of the picture's size."""
        predict_map = self._beside_companion(images) if self.companion else self.predict_map
        return iterate(ops.maximum(images, self.floor), predict_map, self.iterations)

    def until_still(self, image) -> Iterator[Iteration]:
        """Iterate until nothing changes any more, and at most `MOST_ITERATIONS` times.

        Parameters
        ----------
        image : tensor, shape (1, height, width, 3)
            One picture in [0, 1].

        Yields
        ------
        Iteration
            Map and picture of each step. The last one changed the picture by less than `STILL` on
            average. Every entry of the schedule is used first.
        """
        before = ops.maximum(image, self.floor)
        longest = self.with_iterations(max(MOST_ITERATIONS, len(self.schedule)))
        for number, iteration in enumerate(longest.steps(image), 1):
            yield iteration
            change = float(ops.mean(ops.abs(iteration.image - before)))
            if number >= len(self.schedule) and change < STILL:
                return
            before = iteration.image

    def predict_map(self, images, step: int):
        """Predict the map of pictures at the scale that the schedule gives for `step` (from 0)."""
        return predict_at_scale(self.network, images, self._factor(step))

    def _factor(self, step: int) -> int:
        return self.schedule[min(step, len(self.schedule) - 1)]

    def _beside_companion(self, images):
        """Return a `predict_map` for one run of `curve.iterate` that has a companion of its own."""
        _, height, width, _ = ops.shape(images)
        companion = ops.maximum(shrink(images, self.companion), self.floor)
        fine = no_tint if self.keep_colors else None

        def predict_map(images, step):
            nonlocal companion
            factor = self._factor(step)
            further = max(1, round(factor / self.companion))
            coarse = predict_whole(
                self.network,
                companion,
                further,
                **{field: getattr(self, field) for field in COMPANION_FIELDS},
            )
            companion = brighten(companion, coarse)
            if factor < self.companion:
                return predict_at_scale(self.network, images, factor, fine)
            return grow(coarse, self.companion, height, width)

        return predict_map

    def with_iterations(self, iterations: int) -> "RecursiveEnhancer":
        """Return an enhancer with the same network and another number of iterations."""
        return self.with_settings(iterations=iterations)

    def scaled_to(self, long_side: int) -> "RecursiveEnhancer":
        """Return an enhancer with the same network whose schedule suits pictures of another size.

        Parameters
        ----------
        long_side : int
            Width or height of the pictures in pixels, whichever is greater. At 600 the schedule
            stays; at 6000 its factors are ten times as large; none falls below 1.
        """

        def scaled(factor):
            return max(1, round(factor * long_side / LONG_SIDE))

        schedule = tuple(scaled(factor) for factor in self.schedule)
        companion = scaled(self.companion) if self.companion else None
        return self.with_settings(schedule=schedule, companion=companion)

    def with_settings(self, **changes) -> "RecursiveEnhancer":
        """Return an enhancer with the same network and other parameters, named as in the class."""
        return RecursiveEnhancer(self.network, **{**self._settings(), **changes})

    def _settings(self) -> dict:
        """Return what an enhancer is, apart from its network."""
        names = ("schedule", "iterations", "floor", "companion", *COMPANION_FIELDS)
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        """Return what `from_config` needs to build the enhancer again."""
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
            **self._settings(),
            "schedule": list(self.schedule),
        }

    @classmethod
    def from_config(cls, config):
        """Build an enhancer from what `get_config` returned."""
        config = dict(config)
        config["network"] = keras.saving.deserialize_keras_object(config["network"])
        return cls(**config)


def predict_at_scale(network: keras.Model, images, factor: int, tint: Callable | None = None):
    """Predict the maps of pictures from the pictures shrunk by a factor, at the pictures' size.

    `tint`, `one_tint` or `no_tint`, is applied to the maps before they are grown.
    """
    _, height, width, _ = ops.shape(images)
    maps = network(shrink(images, factor))
    return grow(tint(maps) if tint else maps, factor, height, width)


def predict_whole(
    network: keras.Model,
    pictures,
    factor: int = 1,
    *,
    keep_colors: bool = False,
    evenness: float = 0.0,
    mirrored: bool = False,
    grayness: float = 0.0,
    settle: float = 0.0,
):
    """Predict the maps of whole, shrunk pictures, as `RecursiveEnhancer` does for its companion.

    Parameters
    ----------
    network : keras.Model
    pictures : tensor, shape (batch, height, width, 3)
        In [0, 1].
    factor : int, default 1
        By what they are shrunk further.
    keep_colors, evenness, mirrored, grayness, settle
        See `RecursiveEnhancer`.

    Returns
    -------
    tensor, shape (batch, height, width, channels)
        In [0, 1].
    """
    tint = one_tint if keep_colors else None

    def predict(images):
        return predict_at_scale(network, images, factor, tint)

    if mirrored:
        maps = sum(ops.flip(predict(ops.flip(pictures, axes)), axes) for axes in MIRRORS)
        maps = maps / len(MIRRORS)
    else:
        maps = predict(pictures)
    for share, axes in ((grayness, -1), (evenness, (1, 2))):
        if share:
            maps = maps + share * (ops.mean(maps, axis=axes, keepdims=True) - maps)
    if settle:
        maps = maps**5 / (maps**4 + settle**4)
    return maps


def one_tint(maps):
    """Let the channels of a map differ by the same numbers everywhere, by their mean difference.

    Parameters
    ----------
    maps : tensor, shape (batch, height, width, channels)
        In [0, 1], each of a whole picture.

    Returns
    -------
    tensor, same shape
        In [0, 1]. The mean of the channels is that of `maps` (but where one is cut off at 0 or 1).
    """
    gray = ops.mean(maps, axis=-1, keepdims=True)
    tint = ops.mean(maps - gray, axis=(1, 2), keepdims=True)
    return ops.clip(gray + tint, 0, 1)


def no_tint(maps):
    """Let the channels of a map differ by nothing that is wider than `GRAIN` pixels.

    Parameters
    ----------
    maps : tensor, shape (batch, height, width, channels)
        In [0, 1].

    Returns
    -------
    tensor, same shape
        In [0, 1]. The differences between channels, less their means over squares.
    """
    _, height, width, _ = ops.shape(maps)
    gray = ops.mean(maps, axis=-1, keepdims=True)
    tint = maps - gray
    return ops.clip(maps - grow(shrink(tint, GRAIN), GRAIN, height, width), 0, 1)


def _check_schedule(schedule) -> tuple[int, ...]:
    try:
        factors = tuple(check_iterations(factor) for factor in schedule)
    except (TypeError, ValueError):
        factors = ()
    if not factors:
        raise ValueError(
            "schedule must be whole numbers of 1 or more, such as (1,) or (4, 4, 1), "
            f"not {schedule!r}"
        )
    return factors


def _check_companion(companion) -> int | None:
    try:
        return None if companion is None else check_iterations(companion)
    except ValueError:
        raise ValueError(
            f"companion must be a whole number of 1 or more, or None, not {companion!r}"
        ) from None


def load_model(source: str | Path) -> keras.Model:
    """Load trained weights by their name in the package, or a ``.keras`` file of your own.

    Parameters
    ----------
    source : str or Path
        "anydepth", "curve8", "founding" (see `list_weights`), or the path of a file.

    Returns
    -------
    keras.Model
        A `RecursiveEnhancer`, or for weights of the founding objective the bare network.

    Raises
    ------
    LleError
        If there are no such weights, or the file is not one of ours.
    """
    path = Path(source)
    if path.suffix != ".keras":
        if str(source) not in list_weights():
            raise LleError(
                f"there are no weights called {str(source)!r}; there are "
                f"{', '.join(list_weights())}, or name a .keras file"
            )
        path = _WEIGHTS / f"{source}.keras"
    if not path.is_file():
        raise LleError(f"{path}: no such file")
    if not zipfile.is_zipfile(path):
        raise LleError(f"{path} is not a Keras model file, or only part of one")
    try:
        model = _read_model(path)
    except Exception as error:  # Keras raises what its zip, JSON and HDF5 readers raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise LleError(f"{path} is not a Keras model that can be loaded: {reason}") from None
    if not isinstance(model, RecursiveEnhancer) and not _predicts_maps(model):
        raise LleError(
            f"{path} is a Keras model, but it does not take pictures of any size and give maps"
        )
    return model


def _read_model(path: Path) -> keras.Model:
    """Build a saved model and read its weights, also if a newer Keras than this one saved it."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    model = keras.saving.deserialize_keras_object(_with_known_arguments(config))
    model.load_weights(path)
    return model


def _with_known_arguments(config):
    """Drop the arguments of initializers that this Keras does not know.

    Keras 3.15 writes some that 3.13, which Colab has, refuses. They say how to draw first weights;
    ours are read from the file.
    """
    if isinstance(config, list):
        return [_with_known_arguments(entry) for entry in config]
    if not isinstance(config, dict):
        return config
    config = {key: _with_known_arguments(value) for key, value in config.items()}
    if config.get("module") == "keras.initializers":
        initializer = getattr(keras.initializers, config["class_name"])
        known = inspect.signature(initializer).parameters
        config["config"] = {key: value for key, value in config["config"].items() if key in known}
    return config


def _predicts_maps(model: keras.Model) -> bool:
    if getattr(model, "input_shape", None) != (None, None, None, 3):
        return False
    return model.compute_output_shape((1, 16, 24, 3)) in ((1, 16, 24, 1), (1, 16, 24, 3))


def list_weights() -> list[str]:
    """Return the names of the weights that travel with the package."""
    return sorted(path.stem for path in _WEIGHTS.glob("*.keras"))


def load_card(name: str) -> dict:
    """Return what is known of the package's weights `name`: data, split, seed, recipe, scores."""
    return json.loads((_WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))


def enhance_picture(model: keras.Model, image, iterations: int | str | None = None) -> np.ndarray:
    """Enhance one picture of any size with trained weights.

    Parameters
    ----------
    model : keras.Model
        What `load_model` returned. A bare network is used by the founding recursive function.
    image : array
        Any picture that `images.as_float` takes.
    iterations : int or "auto", optional
        How many; by default as the enhancer was trained, or as `founding.iterations_for` chooses.
        "auto": until nothing changes any more, see `RecursiveEnhancer.until_still` (the founding
        weights know no such point: for them it is the default).

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB in [0, 1].

    Raises
    ------
    ValueError
        If the picture or `iterations` does not fit.
    """
    image = as_float(image)
    auto = iterations == "auto"
    if auto:
        iterations = None
    elif iterations is not None:
        check_iterations(iterations)
    if not isinstance(model, RecursiveEnhancer):
        depth = founding.iterations_for(image) if iterations is None else iterations

        def predict(img):
            return _predict_in_strips(model, np.asarray(img, np.float32))

        return np.asarray(founding.enhance(255 * image, depth, predict=predict), np.float32)
    enhancer = model.scaled_to(max(image.shape[:2]))
    if iterations is not None:
        enhancer = enhancer.with_iterations(iterations)
    if auto:
        *_, last = enhancer.until_still(image[None])
        return np.clip(ops.convert_to_numpy(last.image)[0], 0, 1)
    # Step by step: tracing eight iterations into a graph takes longer than running them once.
    enhancer.run_eagerly = keras.backend.backend() == "tensorflow"
    return np.clip(enhancer.predict_on_batch(image[None])[0], 0, 1)


def _predict_in_strips(network: keras.Model, image: np.ndarray) -> np.ndarray:
    """Predict the map of one picture a strip of rows at a time, so that memory is bounded.

    The 32 features of 24 million pixels are 3 GB a layer. A strip is seen with the rows around it
    that the layers reach, so that the map is the same.
    """
    height, width = image.shape[:2]
    rows = max(1, STRIP_PIXELS // width)
    if rows >= height:
        return network.predict_on_batch(image[None])[0]
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    reach = sum(layer.kernel_size[0] // 2 for layer in convolutions)
    strips = []
    for top in range(0, height, rows):
        first = max(0, top - reach)
        found = network.predict_on_batch(image[None, first : top + rows + reach])[0]
        strips.append(found[top - first : top - first + rows])
    return np.concatenate(strips)
