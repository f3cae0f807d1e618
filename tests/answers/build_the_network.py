"""Answers to the exercises of the notebook that is called build_the_network."""

LINE = "def {0}:\n    return {1}"

RIGHT = {
    "3.1": "count_parameters = lambda maps, filters: (\n"
    "    28 * filters + 3 * (9 * filters + 1) * filters\n"
    "    + 2 * (18 * filters + 1) * filters + (18 * filters + 1) * maps)",
    "3.2": """
def reach_after(looks, layers, kernel):
    across = 1
    for _ in range(looks * layers):
        across += kernel - 1
    return across
""",
    "3.3": """
def cost(schedule, looks):
    schedule = list(schedule) + [schedule[-1]] * looks
    return sum(np.array(schedule[:looks], float) ** -2)
half = [8, 8, 4, 2, 2, 1, 1, 1]
""",
    "3.4": """
left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])
four = [left, left[:, ::-1], left.T, left.T[::-1]]
kernel = np.stack(four, axis=-1)[:, :, None, :]
""",
    "3.5": """
my_network = keras.Sequential([keras.Input((None, None, 3))])
for rate in (1, 2, 4, 8):
    my_network.add(layers.Conv2D(16, 3, dilation_rate=rate, padding="same", activation="relu"))
my_network.add(layers.Conv2D(3, 3, padding="same", activation="sigmoid"))
""",
}

WRONG = {
    "3.1": [
        (
            "count_parameters = lambda p, f: 27 * f + 27 * f * f + 36 * f * f + 18 * f * p",
            "you left out the biases",
        ),
        (
            "count_parameters = lambda p, f: 28 * f + 5 * (9 * f + 1) * f + (9 * f + 1) * p",
            "where layers are added",
        ),
        (
            "count_parameters = lambda p, f: (28 * f + 3 * (9 * f + 1) * f\n"
            "    + 2 * (18 * f + 1) * f + (9 * f + 1) * p)",
            "1 beside 6",
        ),
        (LINE.format("count_parameters(maps, filters)", "67_299"), "it must be 66145"),
        (
            "count_parameters = lambda p, f: (9 * f + 1) * f + 3 * (9 * f + 1) * f + 2 * "
            "(18 * f + 1) * f + (18 * f + 1) * p",
            "sees the three colors",
        ),
        (
            "count_parameters = lambda p, f: 10 * f + 3 * (9 * f + 1) * f + 2 * (18 * f + "
            "1) * f + (18 * f + 1) * p",
            "you counted one",
        ),
        (
            "count_parameters = lambda p, f: 28 * f + 4 * (9 * f + 1) * f + 2 * (18 * f + "
            "1) * f + (18 * f + 1) * p",
            "you have eight layers",
        ),
        (
            "count_parameters = lambda p, f: 28 * f + 3 * (9 * f + 1) * f + 2 * (18 * f + "
            "1) * f + 18 * f * p",
            "one for each map",
        ),
        (
            "count_parameters = lambda p, f: 27 * f + 27 * f * f + 36 * f * f + 18 * f * p + 7",
            "not each layer",
        ),
    ],
    "3.2": [
        (LINE.format("reach_after(n, l, k)", "1 + n * l * (k // 2)"), "on *each* side"),
        (LINE.format("reach_after(n, l, k)", "n * (1 + l * (k - 1))"), "counted in every look"),
        (LINE.format("reach_after(n, l, k)", "n * l * (k - 1)"), "the pixel itself is missing"),
        (LINE.format("reach_after(n, l, k)", "1 + l * (k - 1)"), "that is a single look"),
        (LINE.format("reach_after(n, l, k)", "1 + 14 * n"), "right for seven layers"),
        ("reach_after = lambda n, l, k: 15 + 14 * n", "counted twice"),
        ("reach_after = lambda n, l, k: (1 + l * (k - 1)) ** n", "they do not multiply"),
        ("reach_after = lambda n, l, k: 1 + 2 * n * l", "kernel - 1 in all"),
    ],
    "3.3": [
        (
            "def cost(s, n):\n    return sum(1 / s[min(i, len(s) - 1)] for i in range(n))\n"
            "half = (1,)",
            "a quarter of the cost",
        ),
        (LINE.format("cost(s, n)", "sum(1 / f**2 for f in s)") + "\nhalf = (1,)", "entry repeats"),
        ("{cost}\nhalf = (4, 4, 1)", "more than half"),
        ("{cost}\nhalf = (4, 4, 4, 4, 4, 4, 1)", "look closely more"),
        ("{cost}\nhalf = (1, 1, 1, 2, 2, 2, 4, 4)", "never back"),
        ("{cost}\nhalf = (2,)", "last look must be at full size"),
        ("{cost}\nhalf = 2", "a schedule is a tuple"),
        (
            """
def cost(s, n):
    return sum(1 / s[i % len(s)] ** 2 for i in range(n))
half = (1,)
""",
            "does not begin again",
        ),
        (
            """
def cost(s, n):
    return sum(1 / f**2 for f in (list(s) + [1] * n)[:n])
half = (1,)
""",
            "went on at full size",
        ),
        (
            """
def cost(s, n):
    return sum(f**2 for f in (list(s) + [s[-1]] * n)[:n])
half = (1,)
""",
            "upside down",
        ),
        (
            """
{cost}
half = (4, 2, 2, 2, 2, 1)
""",
            "eight looks cost 4.06",
        ),
        (
            """
{cost}
half = (4, 4, 2, 2, 2, 1.5)
""",
            "must be a whole number",
        ),
        (
            """
{cost}
half = '44221'
""",
            "must be a number",
        ),
    ],
    "3.4": [
        ("kernel = np.array([[[[0, 0, 0]], [[-1, 1, 0]], [[0, 0, 0]]]])", "has a height of 1"),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "kernel = np.array([left, left[:, ::-1], left.T, left.T[::-1]]).reshape(3, 3, 1, 4)",
            "scrambled",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "kernel = np.array([left, left[:, ::-1], left.T, left.T[::-1]])[..., None]",
            "the filters come first",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 1, 0], [0, 0, 0]])\n"
            "four = [left.T, left.T[::-1], left, left[:, ::-1]]\n"
            "kernel = np.stack(four, axis=-1)[:, :, None]",
            "filter 0 looks at the upper neighbor",
        ),
        (
            "left = np.array([[0, 0, 0], [1, -1, 0], [0, 0, 0]])\n"
            "kernel = np.stack([left] * 4, axis=-1)[:, :, None]",
            "turn its sign",
        ),
        (
            "left = np.array([[0, 0, 0], [-1, 2, 0], [0, 0, 0]])\n"
            "kernel = np.stack([left] * 4, axis=-1)[:, :, None]",
            "A difference adds up to 0",
        ),
        (
            """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = kernel[:, :, 0]
""",
            "an axis for the one channel in is missing",
        ),
        ("kernel = np.zeros((3, 3, 1, 4))", "0 everywhere"),
        (
            """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = kernel / 2
""",
            "must be the pixel minus its left",
        ),
        (
            """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = kernel[:, ::-1]
""",
            "filter 0 looks at the right neighbor",
        ),
        (
            """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = kernel.transpose(3, 2, 0, 1)
""",
            "(3, 3, 1, 4) was asked for",
        ),
    ],
    "3.5": [
        (
            "from lle_utils.model import build_network\nmy_network = build_network()",
            "sees 15 pixels",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(3, 31, padding="same")])',
            "outside [0, 1] got in",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(64, 31, padding="same", activation="sigmoid"), layers.Conv2D(3, 1)])',
            "outside [0, 1] got in",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(64, 31, padding="same"), layers.Conv2D(3, 1, activation="sigmoid")])',
            "are allowed",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(3, 31, activation="sigmoid")])',
            "stopped with",
        ),
        (
            "my_network = keras.Sequential([keras.Input((None, None, 3)), "
            'layers.Conv2D(1, 31, padding="same", activation="sigmoid")])',
            "every pixel and color needs its m",
        ),
        ("my_network = [1, 2, 3]", "a keras.Model was asked for"),
        (
            """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = layers.Conv2D(8, (1, 31), padding='same', activation='relu')(i)
my_network = keras.Model(i, layers.Conv2D(3, 1, activation='sigmoid')(x))
""",
            "sees 1 x 31 pixels",
        ),
        (
            """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = wide(i, (1, 2, 3, 4, 3), activation='tanh')
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
            "sees 29 pixels",
        ),
        (
            """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = wide(i, (1, 2, 3, 4, 3, 2))
my_network = keras.Model(i, wide(x, (1,), 3, activation='tanh'))
""",
            "outside [0, 1] got in",
        ),
        (
            """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = layers.UpSampling2D(4)(layers.AveragePooling2D(4, padding='same')(i))
my_network = keras.Model(i, wide(x, (4, 4, 4, 4), 3, activation='sigmoid'))
""",
            "must grow back",
        ),
    ],
}

# Right answers that a check once called wrong, or might.
MORE_RIGHT = {
    "3.1": [
        """
from lle_utils.model import build_network
def count_parameters(maps, filters):
    shapes = [3, *[filters] * 3, *[2 * filters] * 3], [*[filters] * 6, maps]
    return sum(keras.layers.Conv2D(b, 3).compute_output_shape((1, 9, 9, a))[-1] * (9 * a + 1)
               for a, b in zip(*shapes))
""",
    ],
    "3.2": [
        "reach_after = lambda looks, layers, kernel: kernel + (looks * layers - 1) * (kernel - 1)",
    ],
    "3.3": [
        """
{cost}
half = np.array([2, 2, 2, 2, 2, 2, 1])
""",
        """
{cost}
half = [3, 3, 3, 3, 3, 1]
""",
    ],
    "3.4": [
        """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = kernel.tolist()
""",
        """
kernel = np.zeros((3, 3, 1, 4))
kernel[1, 1] = 1
for n, (i, j) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
    kernel[i, j, 0, n] = -1
kernel = ops.convert_to_tensor(kernel, 'float32')
""",
    ],
    "3.5": [
        """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = wide(i, 14 * (1,), activation='tanh')
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
        """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = wide(i, (1, 2, 3, 4, 3, 2), activation='sigmoid')
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
        """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = i
for rate in (1, 2, 3, 4, 3, 2):
    x = layers.LayerNormalization()(wide(x, (rate,), activation='relu'))
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
        """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = i
for _ in range(7):
    x = layers.SeparableConv2D(64, 5, padding='same', activation='relu')(x)
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
        """
def wide(x, rates, filters=20, **settings):
    for rate in rates:
        x = layers.Conv2D(filters, 3, dilation_rate=rate, padding='same', **settings)(x)
    return x
i = keras.Input((None, None, 3))
x = i
for rate in (1, 2, 3, 4, 3, 2):
    x = layers.MaxPooling2D(3, 1, 'same')(wide(x, (rate,), activation='relu'))
my_network = keras.Model(i, wide(x, (1,), 3, activation='sigmoid'))
""",
    ],
}
