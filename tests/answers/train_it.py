"""Answers to the exercises of the notebook that is called train_it."""

ORDER = """
def batch_order(count, batch_size, seed, epoch, index):
    order = {0}
    return {1}
"""
CUT = "list(order[index * batch_size : (index + 1) * batch_size])"
SHUFFLED = "np.random.default_rng([seed, epoch]).permutation(count)"

PERFECT = """
def with_perfect_map(dark, bright, n):
    {0}

def best_rounds(dark, bright, most):
    {1}
"""
MAP = "return curve.recurse(dark, lambda E, step: {0}, {1})"
FIT = "return curve.recurse(dark, lambda E, step: bright, n)"
BEST = "return int(np.argmin([{0} for n in {1}]))"
SQUARES = "np.mean((with_perfect_map(dark, bright, n) - bright) ** 2)"
IMPORT = "from lle_utils import curve\n"

LOSS = """
def curve_loss(network, low, high, rounds):
    E = low
    for _ in range(rounds):
        E = {0}
    return {1}
"""
STEP = "E + network(E) * E * (1 - E)"
MEAN = "keras.ops.mean((E - high) ** 2)"

DECIBELS = "true_psnr = lambda printed, max_val: {0}\nrounding_limit = {1}\n"
DOWN = "printed - 20 * np.log10(max_val)"

MODEL = """
from lle_utils import baselines
from lle_utils.model import RecursiveEnhancer, build_network, enhance_picture

def constant(part):
    m = baselines.fit_constant(data.load("sample", part, exposures=4), iterations=8)
    return score(lambda low: baselines.constant_map(low, m, 8))

my_enhancer = RecursiveEnhancer(build_network(3, initial_map=0.4, seed=1), schedule=(32,))
"""
# As if it had been trained.
MOVED = MODEL + "my_enhancer.set_weights([w + 0.002 for w in my_enhancer.get_weights()])\n"
SCORED = MOVED + "mine = score(lambda low: enhance_picture(my_enhancer, low))\n"
CLAIM = 'claim = {{"mine": {0}, "constant": {1}, "better": {2}}}'

RIGHT = {
    "4.1": """
def batch_order(count, batch_size, seed, epoch, index):
    import random
    pairs = list(range(count))
    random.Random(f"{seed}, {epoch}").shuffle(pairs)
    del pairs[: index * batch_size]
    return np.array(pairs[:batch_size], dtype="uint8")
""",
    "4.2": """
def with_perfect_map(dark, bright, n):
    if n == 0:
        return np.float32(dark)
    E = with_perfect_map(dark, bright, n - 1)
    return E * (1 + bright - bright * E)

def best_rounds(dark, bright, most):
    E, best, smallest = dark, 0, np.inf
    for n in range(most + 1):
        error = np.square(E - bright).sum()
        if error < smallest:
            best, smallest = n, error
        E = E + bright * E * (1 - E)
    return np.int64(best)
""",
    "4.3": """
def curve_loss(network, low, high, rounds):
    low = keras.ops.maximum(keras.ops.convert_to_tensor(low), 0.5 / 255)
    E = curve.recurse(low, lambda E, step: network(E, training=True), rounds)
    return keras.losses.MeanSquaredError()(high, E)
""",
    "4.4": MODEL
    + """
pairs = data.load("sample", "train", exposures=4)
low, high = Batches(pairs, Recipe(stride=12, batch_size=36), augment=False)[0]
sized = my_enhancer.scaled_to(low.shape[2])
sized.compile("adam", "mae")
sized.fit(low, high, epochs=1, verbose=0)
mine, other = score(lambda low: enhance_picture(my_enhancer, low)), constant("train")
claim = dict(better=np.array(mine) > other, constant=round(other, 2), mine=np.float32(mine))
""",
}

WRONG = {
    "4.1": [
        (ORDER.format("np.random.permutation(count)", CUT), "the answers differ"),
        (
            "rng = np.random.default_rng(0)\n" + ORDER.format("rng.permutation(count)", CUT),
            "the answers differ",
        ),
        (
            ORDER.format("np.random.default_rng([seed, epoch, index]).permutation(count)", CUT),
            "comes twice in one epoch",
        ),
        (
            ORDER.format("np.random.default_rng([seed, epoch]).choice(count, count)", CUT),
            "comes twice in one epoch",
        ),
        (ORDER.format("np.arange(count)", CUT), "the order is always the same"),
        (
            ORDER.format("np.random.default_rng(seed).permutation(count)", CUT),
            "every epoch has the same order",
        ),
        (
            ORDER.format("np.random.default_rng(epoch).permutation(count)", CUT),
            "every seed gives the same orders",
        ),
        (
            ORDER.format("np.random.default_rng(seed + epoch).permutation(count)", CUT),
            "share their order",
        ),
        (
            ORDER.format("np.random.default_rng(10 * seed + epoch).permutation(count)", CUT),
            "share their order",
        ),
        (
            ORDER.format("np.random.default_rng(seed * epoch).permutation(count)", CUT),
            "seed 0, epoch 0 and seed 0, epoch 1 share their order",
        ),
        (ORDER.format(SHUFFLED, "list(order[index : index + batch_size])"), "comes twice"),
        (
            ORDER.format(f"1 + {SHUFFLED}", CUT),
            "does not exist",
        ),
        (
            ORDER.format(SHUFFLED, "order[index * batch_size : (index + 1) * batch_size - 1]"),
            "the batches have",
        ),
        (
            ORDER.format(SHUFFLED, f"{CUT} if (index + 1) * batch_size <= count else []"),
            "not empty",
        ),
        (
            ORDER.format(
                "np.array_split(np.arange(count), range(batch_size, count, batch_size))",
                "order[np.random.default_rng([seed, epoch]).permutation(len(order))[index]]"
                " if count % batch_size == 0 else order[index]",
            ),
            "you shuffle the batches",
        ),
        (
            ORDER.format("np.roll(np.arange(count), 53 * seed + 7 * epoch)", CUT),
            "neighbors stay neighbors",
        ),
        (ORDER.format(SHUFFLED, "7"), "a list of indices"),
    ],
    "4.2": [
        (PERFECT.format("return bright", BEST.format(SQUARES, "range(most + 1)")), "itself"),
        (
            IMPORT + PERFECT.format(MAP.format("E", "n"), BEST.format(SQUARES, "range(most + 1)")),
            "the picture of the moment",
        ),
        (
            IMPORT
            + PERFECT.format(MAP.format("dark", "n"), BEST.format(SQUARES, "range(most + 1)")),
            "you put the dark picture",
        ),
        (
            IMPORT
            + PERFECT.format(
                MAP.format("bright - E", "n"), BEST.format(SQUARES, "range(most + 1)")
            ),
            "knows when to stop",
        ),
        (
            IMPORT
            + PERFECT.format(MAP.format("bright", "n + 1"), BEST.format(SQUARES, "range(most)")),
            "one round too many",
        ),
        (
            PERFECT.format(
                "return dark + n * bright * dark * (1 - dark)",
                BEST.format(SQUARES, "range(most + 1)"),
            ),
            "you add the first round's step",
        ),
        (IMPORT + PERFECT.format(FIT, "return most"), "not always better"),
        (
            IMPORT + PERFECT.format(FIT, BEST.format(SQUARES, "range(1, most + 1)") + " + 1"),
            "doing nothing",
        ),
        (IMPORT + PERFECT.format(FIT, BEST.format(SQUARES, "range(most)")), "`most` itself"),
        (
            IMPORT + PERFECT.format(FIT, BEST.format(SQUARES, "range(most + 1)") + " + 1"),
            "you count from 1",
        ),
        (
            IMPORT
            + PERFECT.format(
                FIT,
                BEST.format(
                    "np.mean(abs(with_perfect_map(dark, bright, n) - bright))", "range(most + 1)"
                ),
            ),
            "mean absolute errors",
        ),
        (
            IMPORT
            + PERFECT.format(
                FIT,
                BEST.format(
                    "abs(with_perfect_map(dark, bright, n).mean() - bright.mean())",
                    "range(most + 1)",
                ),
            ),
            "compare the means",
        ),
        (
            IMPORT
            + PERFECT.format(
                FIT,
                f"n, error = 0, lambda n: {SQUARES}\n"
                "    while n < most and error(n + 1) <= error(n):\n        n += 1\n    return n",
            ),
            "where the error first grows",
        ),
        (IMPORT + PERFECT.format(FIT, "return 2.5"), "must be a whole number"),
    ],
    "4.3": [
        (LOSS.format(STEP, "keras.ops.mean((network(low) - high) ** 2)"), "founding loss"),
        (LOSS.format("E + network(low) * E * (1 - E)", MEAN), "the first map is used"),
        (LOSS.format(STEP, "keras.ops.sum((E - high) ** 2)"), "this is the sum"),
        (LOSS.format(STEP, "keras.ops.mean(abs(E - high))"), "absolute differences"),
        (LOSS.format(STEP, "keras.ops.sqrt(keras.ops.mean((E - high) ** 2))"), "that is the root"),
        (LOSS.format(STEP, "keras.ops.mean(E - high)"), "are not squared"),
        (
            LOSS.format(STEP, "keras.ops.mean((E - high) ** 2, axis=(1, 2, 3))"),
            "average over the pictures",
        ),
        (LOSS.format(STEP, MEAN).replace("(rounds)", "(rounds + 1)"), "one round too many"),
        (LOSS.format(STEP, MEAN).replace("(rounds)", "(rounds - 1)"), "one round too few"),
        (LOSS.format(STEP, MEAN).replace("(rounds)", "(8)"), "whatever `rounds` is"),
        (LOSS.format(STEP, "-10 * keras.ops.log10(keras.ops.mean((E - high) ** 2))"), "a PSNR"),
        (LOSS.format(STEP, "np.mean((np.asarray(E) - high) ** 2)"), "no gradient reaches"),
        (
            LOSS.format("E + network.predict(E, verbose=0) * E * (1 - E)", MEAN),
            "no gradient reaches",
        ),
        (LOSS.format(STEP, f"float({MEAN})"), "no gradient reaches"),
        (
            LOSS.format("E + network(keras.ops.stop_gradient(E)) * E * (1 - E)", MEAN),
            "not come back through all",
        ),
        (
            LOSS.format("keras.ops.stop_gradient(E) + network(E) * E * (1 - E)", MEAN),
            "not come back through all",
        ),
        (LOSS.format("network(E) * E * (1 - E)", MEAN), "it must be"),
    ],
    "4.4": [
        (MODEL + CLAIM.format(20, 20, True), "never trained"),
        (
            "from lle_utils.model import load_model\nmy_enhancer = load_model('curve8')\n"
            + CLAIM.format(22.32, 20.39, True),
            "the weights 'curve8' of the package",
        ),
        (
            SCORED + CLAIM.format("mine + 1", 'constant("train")', True),
            'claim["mine"] says',
        ),
        (
            SCORED + CLAIM.format("mine", 'constant("train") - 0.3', True),
            'claim["constant"] says',
        ),
        (
            SCORED
            + 'other = constant("train")\n'
            + CLAIM.format("mine", "other", "not mine > other"),
            "what you make of them",
        ),
        (MOVED + CLAIM.format(20, 20, "'yes'"), "must be True or False"),
        (MOVED + CLAIM.format("[20, 21]", 20, True), "each be one number"),
        (MOVED + "claim = {'mine': 20}", "must be a dict with the keys"),
        ("my_enhancer = 'mine.keras'\n" + CLAIM.format(20, 20, True), "this is a str"),
        (
            "my_enhancer = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, "
            "bias_initializer='ones')])\n" + CLAIM.format(20, 20, True),
            "enhance_picture cannot use it",
        ),
    ],
}
