"""Answers to the exercises of the notebook that is called brighten_one_picture."""

GUESS = "one_round, eight_rounds, black = {}, {}, {}"
LOOP = """
def brighten_again(E, predict, rounds):
    {0}
    for _ in range(rounds):
        {1}
    return E
"""
SHARES = """
def still_dark(E, predict, rounds):
    def share(E):
        return {0}
    shares = {1}
    for _ in range(rounds):
        E = E + predict(E) * E * (1 - E)
        shares.append(share(E))
    return {2}
"""
SHARE = "np.mean(E < 10 / 255)"
NETWORK = """
image = keras.Input((None, None, 3))
one_number = keras.Model(image, {})
"""

RIGHT = {
    "0.1": GUESS.format(0.0975, "1 - (1 - np.float32(0.05)) ** 2**8", "[0]"),
    "0.2": """
def brighten_again(E, predict, rounds):
    E = np.array(E, dtype="float32")
    while rounds > 0:
        E *= 1 + predict(E) * (1 - E)
        rounds -= 1
    return E
""",
    "0.3": """
def still_dark(E, predict, rounds):
    codes = 255 * np.asarray(E, "float32")
    rest = []
    for step in range(rounds + 1):
        rest.append(np.count_nonzero(codes < 10) / codes.size)
        codes = codes + predict(codes / 255) * codes * (1 - codes / 255)
    return np.array(rest)
""",
    "0.4": """
class OneNumber(keras.Model):
    def __init__(self):
        super().__init__()
        self.number = self.add_weight(shape=(), initializer="zeros", name="number")

    def call(self, images):
        return ops.sigmoid(self.number) + ops.zeros_like(images[..., :1])


one_number = OneNumber()
""",
}

WRONG = {
    "0.1": [
        (GUESS.format(0.1, 1, 0), "twice 0.05"),
        (GUESS.format(0.0475, 1, 0), "The pixel keeps what it had"),
        (GUESS.format(0.05, 1, 0), "put E = 0.05 and M = 1"),
        (GUESS.format(0.0975, 12.8, 0), "whiter than white"),
        (GUESS.format(0.0975, 0.43, 0), "added eight times the same"),
        (GUESS.format(0.0975, 0.0975, 0), "after one round"),
        (GUESS.format(0.0975, 0.9, 0), "Let Python do it"),
        (GUESS.format(0.0975, 1, 0.5 / 255), "0 times anything"),
    ],
    "0.2": [
        (LOOP.format("M = predict(E)", "E += M * E * (1 - E)"), "E += ... writes into"),
        (LOOP.format("M = predict(E)", "E = E + M * E * (1 - E)"), "was asked once"),
        (LOOP.format("", "E += predict(E) * E * (1 - E)"), "has lost the dark picture"),
        (
            LOOP.format("dark = E", "E = E + predict(dark) * E * (1 - E)"),
            "about the dark picture in every round",
        ),
        (LOOP.format("", "M = predict(E); E = M * E * (1 - E)"), "does not pass through"),
        (LOOP.format("", "M = predict(E); E = E + M * E * (1 - E); predict(E)"), "asked 6 times"),
        (
            LOOP.format("start = E", "M = predict(E); before = E; E = E + M * E * (1 - E)").replace(
                "return E", "return before if rounds else E"
            ),
            "the last round is missing",
        ),
        (
            LOOP.format("", "M = predict(E); E = E + M * E * (1 - E)").replace(
                "return E", "return E.mean()"
            ),
            "not a picture like E",
        ),
    ],
    "0.3": [
        (SHARES.format(SHARE, "[]", "shares"), "before the first round is missing"),
        (SHARES.format(SHARE, "[share(E)]", "shares[:-1]"), "after the last round is missing"),
        (SHARES.format(SHARE, "[share(E)]", "shares[-1]"), "only the last share"),
        (SHARES.format("np.mean(E < 10)", "[share(E)]", "shares"), "they lie in [0, 1]"),
        (SHARES.format("np.sum(E < 10 / 255)", "[share(E)]", "shares"), "these are counts"),
        (SHARES.format("100 * np.mean(E < 10 / 255)", "[share(E)]", "shares"), "are percent"),
        (SHARES.format("np.mean(E > 10 / 255)", "[share(E)]", "shares"), "still dark"),
        (SHARES.format("np.mean(E <= 10 / 255)", "[share(E)]", "shares"), "does not count"),
        (SHARES.format("np.mean(np.rint(255 * E) < 10)", "[share(E)]", "shares"), "9.7 codes"),
        (SHARES.format("np.mean(E.mean(-1) < 10 / 255)", "[share(E)]", "shares"), "count pixels"),
        (
            SHARES.format("np.mean((E < 10 / 255).all(-1))", "[share(E)]", "shares"),
            "dark in all colors",
        ),
        (
            SHARES.format("np.mean((E < 10 / 255).any(-1))", "[share(E)]", "shares"),
            "dark in some color",
        ),
        (
            "still_dark = lambda E, predict, rounds: [np.mean(E < 10 / 255)] * (rounds + 1)",
            "never brightens",
        ),
        (
            SHARES.format(SHARE, "[share(E)]; M = predict(E)", "shares").replace(
                "predict(E) *", "M *"
            ),
            "first map is used again",
        ),
        (SHARES.format("np.mean(E)", "[share(E)]", "shares"), "it must be"),
    ],
    "0.4": [
        (
            "M = build_network()\n"
            "pool = layers.GlobalAveragePooling2D(keepdims=True)\n"
            "one_number = keras.Model(M.input, pool(M.output))",
            "one number for each picture",
        ),
        ("one_number = build_network()", "from pixel to pixel"),
        (
            NETWORK.format(
                'layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="zeros")(image)'
            ),
            "from pixel to pixel",
        ),
        (
            NETWORK.format("layers.Rescaling(0.0, offset=0.38)(image[..., :1])"),
            "nothing to train",
        ),
        (
            NETWORK.format("layers.Conv2D(1, 1)(layers.Rescaling(0.0)(image))"),
            "outside of [0, 1]",
        ),
        (
            NETWORK.format(
                'layers.Conv2D(3, 1, activation="sigmoid")(layers.Rescaling(0.0)(image))'
            ),
            "a number for each color",
        ),
        (
            NETWORK.format(
                'layers.Conv2D(1, 1, activation="sigmoid", use_bias=False)'
                "(layers.Rescaling(0.0)(image))"
            ),
            "training does not move it",
        ),
        (
            NETWORK.format("layers.Dense(1)(layers.Flatten()(image[:, :4, :4]))").replace(
                "(None, None, 3)", "(9, 14, 3)"
            ),
            "give maps of shape (2, 1)",
        ),
        (
            NETWORK.format(
                'layers.Conv2D(1, 1, activation="sigmoid", bias_initializer="ones")('
                "layers.GlobalAveragePooling2D(keepdims=True)(layers.Conv2D(1, 3, padding='same')("
                "layers.Rescaling(0.0, offset=1.0)(image))))"
            ),
            "pictures of another size",
        ),
        ("one_number = 0.38", "a keras.Model was asked for"),
        ("one_number = lambda image: 0.38", "a keras.Model was asked for"),
    ],
}
