"""The enhancer: the recursion around one network that asks how much light, then where."""

import numpy as np

from lle_utils.backend import check_process, keras, ops
from lle_utils.curve import (
    FLOOR,
    LATE_TOLERANCE,
    TOLERANCE,
    brighten,
    check_iterations,
    iterate,
    soft_threshold,
)
from lle_utils.inference import (  # noqa: F401 (the two functions: to be called from here, too)
    EXPOSURE,
    FLIPS,
    SIDE,
    THUMBNAIL,
    TINT,
    WINDOW,
    enhance_picture,
    trace,
)
from lle_utils.network import REACH
from lle_utils.resample import (
    WHOLE,
    downsample,
    enlarge_thumbnail,
    make_thumbnail,
    mirror,
    upsample,
)

SCHEDULE = (EXPOSURE, EXPOSURE, EXPOSURE, THUMBNAIL, 2, 1, 1)
"""What each iteration looks at: *how much* light, three times; *where*; and *what is noise*."""


@keras.saving.register_keras_serializable("lle_utils")
class Enhancer(keras.Model):
    """Brighten pictures by unrolling the recursion around a network.

    A thumbnail goes along with the picture and is brightened by the same numbers. In most
    iterations the network looks at the thumbnail, and the mean of its map, one number per channel,
    says how much light. In one iteration the thumbnail's map itself says where. In a few detail
    iterations the network looks at the picture, and the fine structure of its map is added to that
    number: it says what is noise.

    It is a Keras model: ``save`` and ``keras.models.load_model`` are Keras's own, and
    `training.Trainee` trains it with ``fit``.

    Parameters
    ----------
    network : keras.Model
        Predicts the parameter map, as `network.build_network` makes it. Shared by all iterations.
    schedule : sequence of "exposure", "thumbnail" or int
        What the first, second, ... iteration takes its map from: the mean of the thumbnail's map,
        the thumbnail's map, or that mean and the details of the picture's own map, predicted from
        the picture downsampled by this factor. All later iterations are "exposure", with
        the tolerance `curve.LATE_TOLERANCE`: they change little.
    iterations : int, default 8
        How many iterations.
    floor : float, default 0.5 / 255
        What darker values are raised to first; 0 leaves black black.

    Raises
    ------
    ValueError
        If `iterations` is not a whole number of 1 or more, or an entry of `schedule` is none of
        the above.
    """

    def __init__(self, network, schedule=SCHEDULE, iterations=8, floor=FLOOR, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        for source in schedule:
            is_factor = isinstance(source, int) and source >= 1
            if source not in (EXPOSURE, THUMBNAIL) and not is_factor:
                raise ValueError(
                    'an entry of schedule is "exposure", "thumbnail" or a whole number of 1 or '
                    f"more, not {source!r}"
                )
        self.schedule = tuple(schedule)
        self.iterations = check_iterations(iterations)
        self.floor = float(floor)
        self.built = True  # all its weights are the network's, which exist already

    def call(self, images):
        """Enhance pictures (batch, height, width, 3) in [0, 1]; the result has the same shape."""
        for iteration in self.steps(images):
            images = iteration.image
        return images

    def steps(self, images, iterations: int | None = None):
        """Return the iterator of `curve.iterate`: map and picture of each iteration.

        The pictures are those of `call`. The map has the shape (batch, height, width, channels), or
        (batch, 1, 1, channels) where it is one number per channel.
        """
        images = ops.maximum(images, self.floor)
        maps = Maps(self, make_thumbnail(images, SIDE))
        return iterate(images, maps, self.iterations if iterations is None else iterations)

    def thumbnail_map(self, thumbnail, *, average_flips: bool = True):
        """Predict the map of thumbnails, averaged over their four flipped versions."""
        if not average_flips:
            return _toward_gray(self._predict(thumbnail), TINT)
        flipped = ops.concatenate([ops.flip(thumbnail, axes) for axes in FLIPS])
        maps = ops.split(self._predict(flipped), len(FLIPS))
        mean = sum(ops.flip(m, axes) for m, axes in zip(maps, FLIPS, strict=True)) / len(FLIPS)
        return _toward_gray(mean, TINT)

    def detail_map(self, images, factor: int):
        """Predict the details of the map of pictures from the pictures downsampled by a factor.

        They are what differs from the mean of the map over `WINDOW` x `WINDOW` pixels: numbers
        around 0, in [-1, 1]. So they even out noise, and do not move light from one place to
        another: that did not carry over to cameras that training had not seen.
        """
        _, height, width, _ = ops.shape(images)
        wider = mirror(downsample(images, factor), REACH, REACH, REACH, REACH)
        maps = soft_threshold(self._predict(wider))
        mean = ops.average_pool(maps, WINDOW, strides=1, padding="valid")
        return upsample(maps[:, REACH:-REACH, REACH:-REACH] - mean, factor, height, width)

    def predict_maps(self, images: np.ndarray) -> np.ndarray:
        """Run the network alone on pictures (batch, height, width, 3), for `inference`."""
        check_process()
        return ops.convert_to_numpy(self.network(images))

    def _predict(self, images):
        """Run the network with the edges mirrored, and keep gray pictures gray."""
        maps = self.network(mirror(images, REACH, REACH, REACH, REACH))
        maps = maps[:, REACH:-REACH, REACH:-REACH]
        return _toward_gray(maps, ops.stop_gradient(colorfulness(images)))

    def get_config(self):
        """Return what `from_config` needs to build the enhancer again."""
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
            "schedule": list(self.schedule),
            "iterations": self.iterations,
            "floor": self.floor,
        }

    @classmethod
    def from_config(cls, config):
        """Build an enhancer from what `get_config` returned."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})


class Maps:
    """Predict the maps of one run of `curve.iterate`, and brighten the thumbnail along with it.

    The thumbnail, (batch, SIDE, SIDE, 3), is of whole pictures; `boxes` say what parts of them are
    iterated, as in `resample.enlarge_thumbnail`. Training does without the average over flips.
    """

    def __init__(self, enhancer, thumbnail, boxes=WHOLE, *, average_flips: bool = True):
        self.enhancer, self.thumbnail, self.boxes = enhancer, thumbnail, boxes
        self.average_flips = average_flips

    def __call__(self, images, step: int):
        """Return the parameter map of one iteration."""
        enhancer = self.enhancer
        late = step >= len(enhancer.schedule)
        source = EXPOSURE if late else enhancer.schedule[step]
        tolerance = LATE_TOLERANCE if late else TOLERANCE
        where = enhancer.thumbnail_map(self.thumbnail, average_flips=self.average_flips)
        exposure = soft_threshold(ops.mean(where, axis=(1, 2), keepdims=True), tolerance)
        where = soft_threshold(where)
        self.thumbnail = brighten(self.thumbnail, where if source == THUMBNAIL else exposure)
        if source == EXPOSURE:
            return exposure
        if source == THUMBNAIL:
            _, height, width, _ = ops.shape(images)
            return enlarge_thumbnail(where, height, width, self.boxes)
        return ops.clip(exposure + enhancer.detail_map(images, source), 0, 1)


def _toward_gray(maps, share):
    """Return maps of which a share of the color is left."""
    gray = ops.mean(maps, axis=-1, keepdims=True)
    return gray + share * (maps - gray)


def colorfulness(images):
    """Say how far from gray each pixel is: 0 for gray, 1 from a saturation of 0.2 on.

    Of pictures (batch, height, width, 3), above 0. The channels of a map may differ by this share
    only. So a gray picture stays gray, whatever the network says.
    """
    most = ops.max(images, axis=-1, keepdims=True)
    saturation = 1 - ops.min(images, axis=-1, keepdims=True) / most
    return ops.minimum(5 * saturation, 1)
