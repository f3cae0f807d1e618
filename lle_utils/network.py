"""The plain CNN of seven layers that predicts the parameter map."""

from lle_utils.backend import keras
from lle_utils.inference import REACH

__all__ = ["REACH", "build_network"]


def build_network(
    channels: int = 3,
    *,
    conditioned: bool = False,
    seed: int | None = None,
    dtype: str = "float32",
) -> keras.Model:
    """Build the plain CNN of seven convolutional layers with symmetrical concatenation.

    Each layer has 32 filters of 3 x 3, stride 1 and a ReLU; layer 3 is concatenated with 4, 2 with
    5, 1 with 6; the seventh ends in a sigmoid and gives the parameter map.

    Parameters
    ----------
    channels : {3, 1}
        Channels of the map: one for each color, or one shared by the three.
    conditioned : bool, default False
        Whether the network sees ``4 * E - 1`` in place of E (a fixed step, no parameters). Dark
        inputs near 0.05 otherwise hardly move the first layer.
    seed : int, optional
        Seed of the initial weights.
    dtype : str, default "float32"
        "mixed_bfloat16" multiplies in 16 bits in layers 2 to 6. The first layer sees the picture
        and the last gives the map: they stay exact.

    Returns
    -------
    keras.Model
        Maps pictures (batch, height, width, 3) to maps (batch, height, width, `channels`) in
        [0, 1], at any size. 67,299 parameters for three channels, 66,145 for one.
    """

    def convolution(index, filters=32, activation="relu"):
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation=activation,
            # With one seed for all, layers of the same shape would start alike.
            kernel_initializer=keras.initializers.GlorotUniform(
                None if seed is None else 10 * seed + index
            ),
            dtype="float32" if index in (1, 7) else dtype,
            name=f"layer_{index}",
        )

    def concatenate(early, late, index):
        layer = keras.layers.Concatenate(name=f"concatenate_{index}", dtype=early.dtype)
        return layer([early, late])

    inputs = keras.Input((None, None, 3), name="picture")
    x = inputs
    if conditioned:
        x = keras.layers.Rescaling(4.0, offset=-1.0, name="condition")(x)
    x1 = convolution(1)(x)
    x2 = convolution(2)(x1)
    x3 = convolution(3)(x2)
    x4 = convolution(4)(x3)
    x5 = convolution(5)(concatenate(x3, x4, "3_4"))
    x6 = convolution(6)(concatenate(x2, x5, "2_5"))
    outputs = convolution(7, channels, "sigmoid")(concatenate(x1, x6, "1_6"))
    return keras.Model(inputs, outputs, name="seven_layers")
