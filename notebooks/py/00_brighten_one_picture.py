# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00. Brighten one picture
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/00_brighten_one_picture.ipynb)
#
# You will turn a nearly black picture into a bright one: the whole method of this workbook, on one
# page.

# %% [markdown]
# ![Six scenes, each cut by a slanted line: left of it the dark picture, right of it the enhanced
# one, with details and colors that the dark side hides](figures/hero.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 25 to read and do the quick exercises. Per
# exercise: 0.1: 2, 0.2: 10, 0.3: 30.
#
# **What you'll need:** Keras, NumPy and matplotlib. The lesson imports no helper, so you can paste
# its cells into a script. New words link to the [glossary](glossary.md).
#
# **Contents:** a dark picture · seven layers · the recursion · what the network says · training ·
# checks · exercises
#
# Next: [01. Look at the dark](01_look_at_the_dark.ipynb)

# %% tags=["setup"]
# Set-up. On Google Colab this fetches the workbook; anywhere else it only silences log lines.
import os
import runpy

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "COLAB_RELEASE_TAG" in os.environ and not os.path.exists("colab.py"):
    repository = os.environ.get("LLE_REPOSITORY", "https://github.com/OWNER/REPO")
    if not os.path.exists("low-light-workbook"):
        os.system(f"git clone --quiet --depth 1 {repository} low-light-workbook")
    runpy.run_path("low-light-workbook/notebooks/colab.py")

# %%
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 13, "figure.dpi": 90})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## A dark picture
#
# We load one dark picture and, to judge the result, the same scene well lit: its
# [reference](glossary.md#reference). Values run from 0 (black) to 1 (white).

# %%
if DATASET == "lol":
    LOL = Path(os.environ.get("LLE_DATA_DIR") or "../data") / "lol"
    TRAIN, TEST, NAME = LOL / "our485", LOL / "eval15", "1"
else:
    SAMPLE = Path("../data/sample")
    TRAIN, TEST, NAME = SAMPLE / "train", SAMPLE / "heldout", "raccoon"


def read(folder, name):
    path = next(folder.glob(f"{name}.*"))
    return np.asarray(keras.utils.load_img(path), "float32") / 255


dark, bright = read(TEST / "low", NAME), read(TEST / "high", NAME)
print(f"shape {dark.shape}, mean of the dark picture {dark.mean():.3f}")


# %% [markdown]
# ## A network of seven layers
#
# The network looks at a picture and returns a [**map**](glossary.md#parameter-map) $M$: three
# numbers per pixel, one per color, that say how much to brighten there. Each layer is a
# [convolution](glossary.md#convolution). The last one ends in a [sigmoid](glossary.md#sigmoid),
# which keeps $M$ between 0 and 1. Early layers also feed later ones,
# [symmetrically](glossary.md#concatenation): 3 to 5, 2 to 6, 1 to 7. `Rescaling` spreads out the
# dark values.


# %%
def convolution(filters=32, activation="relu"):
    return layers.Conv2D(filters, 3, padding="same", activation=activation)


def build_network():
    image = keras.Input((None, None, 3))
    x1 = convolution()(layers.Rescaling(4.0, offset=-1.0)(image))
    x2 = convolution()(x1)
    x3 = convolution()(x2)
    x4 = convolution()(x3)
    x5 = convolution()(layers.Concatenate()([x3, x4]))
    x6 = convolution()(layers.Concatenate()([x2, x5]))
    return keras.Model(image, convolution(3, "sigmoid")(layers.Concatenate()([x1, x6])))


# %% [markdown]
# The trained weights are stored inside a larger model, so we wrap our network in one to load them.

# %%
network = build_network()
WEIGHTS = "../lle_utils/weights/enhancer.keras"
keras.Sequential([keras.Input((None, None, 3)), network]).load_weights(WEIGHTS)
print(f"{network.count_params():,} parameters")

# %% [markdown]
# ## The recursion
#
# Start with the dark picture $E$. Predict a map, brighten, and repeat with the result: this is the
# [recursion](glossary.md#recursion), and each pass is an [iteration](glossary.md#iteration).
#
# $$E \leftarrow E + M\,E\,(1 - E)$$
#
# Black and white stay, everything in between gets brighter, and no value leaves [0, 1]. The network
# answers three questions in turn.
#
# - **How much light?** It looks at a **thumbnail** of 24 x 24 pixels. The mean of its map, one
#   number per color, is the [exposure](glossary.md#exposure). Three iterations.
# - **Where?** The thumbnail's map itself, enlarged. One iteration.
# - **What is noise?** The exposure, plus the fine structure of a map of the picture itself, once
#   downsampled by 2 and twice at full size. Three iterations.
#
# Later iterations ask "how much" again. By then the answer should be "little". These three
# functions change the size.

# %%
SCHEDULE = ["exposure", "exposure", "exposure", "thumbnail", 2, 1, 1, "late"]


def make_thumbnail(E, side=24):
    height, width = E.shape[1:3]
    E = ops.average_pool(ops.repeat(E, side, axis=1), (height, 1), strides=(height, 1))
    return ops.average_pool(ops.repeat(E, side, axis=2), (1, width), strides=(1, width))


def downsample(E, factor):
    return ops.average_pool(E, factor, strides=factor, padding="same")


def enlarge(M, E):
    return ops.image.resize(M, E.shape[1:3])


# %% [markdown]
# Two more make the map. Edges are mirrored; otherwise the network would paint a frame there. Where
# a pixel is gray, all three colors get the same $M$, so gray stays gray. A **soft threshold**
# reduces values well below a tolerance to almost 0, which a sigmoid never reaches.


# %%
def predict_map(network, E):
    M = network(ops.pad(E, [[0, 0], [7, 7], [7, 7], [0, 0]], "symmetric"))[:, 7:-7, 7:-7]
    gray = ops.mean(M, axis=-1, keepdims=True)
    saturation = 1 - ops.min(E, axis=-1, keepdims=True) / ops.max(E, axis=-1, keepdims=True)
    return gray + ops.minimum(5 * saturation, 1) * (M - gray)


def threshold(M, tolerance=0.08):
    return M**3 / (M**2 + tolerance**2)


# %% [markdown]
# A flipped scene needs the same light, so we average the thumbnail's map over four flips.

# %%
FLIPS = ((), (1,), (2,), (1, 2))  # the axes to flip: none, rows, columns, both


def average_map(network, thumbnail, flips):
    total = 0
    for axes in flips:
        flipped_map = predict_map(network, ops.flip(thumbnail, axes))
        total = total + ops.flip(flipped_map, axes)  # flip back
    M = total / len(flips)
    return (M + ops.mean(M, axis=-1, keepdims=True)) / 2  # colors halfway to gray


# %% [markdown]
# Fine structure is a map minus its local mean over 15 x 15 pixels.


# %%
def detail_map(network, E):
    M = threshold(predict_map(network, ops.pad(E, [[0, 0], [7, 7], [7, 7], [0, 0]], "symmetric")))
    return M[:, 7:-7, 7:-7] - ops.average_pool(M, 15, strides=1, padding="valid")


# %% [markdown]
# Now the three questions. Each answer is a pair of maps: one for the picture, and one for its
# thumbnail, which is brightened along with it.


# %%
def answer(question, network, E, thumbnail, flips):
    where = average_map(network, thumbnail, flips)
    mean = ops.mean(where, axis=(1, 2), keepdims=True)
    exposure = threshold(mean, 1.0) if question == "late" else threshold(mean)
    if question in ("exposure", "late"):
        return exposure, exposure
    if question == "thumbnail":
        return enlarge(threshold(where), E), threshold(where)
    details = enlarge(detail_map(network, downsample(E, question)), E)
    return ops.clip(exposure + details, 0, 1), exposure


# %% [markdown]
# Last, the recursion. An exact 0 could never grow, so it is first raised to half a [code
# value](glossary.md#code-value), the [floor](glossary.md#floor).


# %%
def enhance(E, network, schedule, flips=FLIPS):
    E = ops.maximum(E, 0.5 / 255)
    thumbnail, maps = make_thumbnail(E), []
    for question in schedule:
        M, m = answer(question, network, E, thumbnail, flips)
        E, thumbnail = E + M * E * (1 - E), thumbnail + m * thumbnail * (1 - thumbnail)
        maps.append(M)
    return E, maps


# %% [markdown]
# That is the whole method. **Look for** what you can make out on the right but not on the left.


# %%
# Alt: A raccoon, nearly black on the left, clearly visible on the right.
def show(**pictures):
    size = (14, 9.7 / len(pictures))
    fig, axes = plt.subplots(1, len(pictures), figsize=size, layout="constrained")
    for ax, (title, image) in zip(axes, pictures.items(), strict=True):
        ax.imshow(image)
        ax.set_title(title.replace("_", " "))
        ax.axis("off")
    plt.show()


pictures, maps = enhance(dark[None], network, SCHEDULE)
enhanced = np.asarray(pictures[0])
show(dark=dark, enhanced=enhanced)

# %% [markdown]
# ## What the network says
#
# **Predict:** which map will show the shapes of the scene, and which its grain?

# %%
# Alt: Left: the mean of M per color, smallest in iteration 8. Middle: the map of iteration 4,
# large soft shapes. Right: the map of iteration 7, with edges and grain.
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 3.4), layout="constrained")
means = np.array([np.mean(M, axis=(0, 1, 2)) for M in maps])
for channel, (name, style) in enumerate({"red": "o-", "green": "s--", "blue": "^:"}.items()):
    left.plot(range(1, 9), means[:, channel], style, color=name, label=name)
left.set(title="mean of M", xlabel="iteration", ylim=(0, None))
left.legend()
for ax, k, title in ((middle, 3, "where (iteration 4)"), (right, 6, "noise (iteration 7)")):
    M = np.mean(maps[k][0], axis=-1)
    image = ax.imshow(M, cmap="viridis", vmin=M.min(), vmax=np.quantile(M, 0.99))
    ax.set(title=title, xticks=[], yticks=[])
    fig.colorbar(image, ax=ax)
plt.show()


# %% [markdown]
# In the middle, the thumbnail's map follows the large shapes. On the right, the map at full size
# follows edges, and in dark places single pixels: there it evens out noise.
#
# ## How it was trained
#
# The *enhanced* picture should match the bright one. So the error, or [loss](glossary.md#loss), is
# computed after the last iteration, and Keras sends its gradient back through all of them. Here it
# is in miniature: only "how much light", on thumbnails of 16 training pictures or fewer, for 25
# [epochs](glossary.md#epoch). [Adam](glossary.md#adam) changes the weights, and the loss is the
# [mean squared error](glossary.md#mean-squared-error).


# %%
def read_thumbnails(side):
    paths = sorted((TRAIN / "low").glob("*.png"))[:16]
    return np.concatenate([make_thumbnail(read(TRAIN / side, path.stem)[None]) for path in paths])


low, high = read_thumbnails("low"), read_thumbnails("high")
keras.utils.set_random_seed(0)
my_network = build_network()
picture = keras.Input((24, 24, 3))
trainee = keras.Model(picture, enhance(picture, my_network, 8 * ["exposure"], flips=[()])[0])
trainee.compile(optimizer="adam", loss="mse", jit_compile=False)
history = trainee.fit(low, high, batch_size=4, epochs=25, verbose=0)

# %%
# Alt: The mean squared error falls, fast in the first epochs and slowly afterwards.
fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.plot(range(1, 26), history.history["loss"], ".-")
ax.set(xlabel="epoch", ylabel="mean squared error", title="Training through the recursion")
ax.set_ylim(0, None)
plt.show()

# %% [markdown]
# <details><summary>Quiz: the network is never shown a good map. How does it learn to make
# one?</summary>
#
# The error says whether each pixel is too dark or too bright. The recursion says how a pixel
# changes with $M$, and the network how $M$ changes with each weight. The chain rule multiplies
# them: that is how the error changes with each weight.
#
# </details>
#
# The error falls. Now enhance the test picture with *your* network.

# %%
# Alt: The raccoon enhanced by your network, by our weights, and the well-lit reference.
mine = np.asarray(enhance(dark[None], my_network, 8 * ["exposure"])[0][0])
show(your_network=mine, our_weights=enhanced, reference=bright)


# %% [markdown]
# Yours has learned to turn on the light. It knows nothing about noise: a thumbnail is an average
# and has almost none.
#
# ## Check it
#
# [PSNR](glossary.md#psnr) measures closeness to the reference in decibels; more is better.


# %% tags=["claim"]
def psnr(image):
    return float(-10 * np.log10(np.mean((image - bright) ** 2)))


for name, image in {"dark": dark, "your network": mine, "our weights": enhanced}.items():
    print(f"{name:12s} {psnr(image):5.1f} dB")
assert psnr(enhanced) > psnr(dark) + 1 and psnr(mine) > psnr(dark) + 1
assert enhanced.min() >= 0 and enhanced.max() <= 1
assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]

# %% [markdown]
# The package must make the same picture.

# %% tags=["claim"]
from lle_utils import checks
from lle_utils.enhancer import enhance_picture
from lle_utils.weights import load_model

packaged = enhance_picture(load_model(), dark)
difference = 255 * float(np.abs(packaged - enhanced).mean())
print(f"this page and the package differ by {difference:.2f} code values of 255")
assert difference < 0.1

# %% [markdown]
# ## Exercises
#
# Each has a cell to fill in (replace the `...`), a cell that checks it, and a folded hint and
# solution. `checks` tries your answer on many inputs and tells you what is right or wrong.

# %% [markdown]
# ### Exercise 0.1. Predict, then run
#
# A dark pixel has the value 0.05, and $M = 1$, the largest possible value. Guess first: how bright
# is the pixel after one iteration (`after_one`, to four decimal places)? After eight
# (`after_eight`, to two)? And after eight, if it started at exactly 0 (`black`) and nothing was
# raised first?

# %% tags=["exercise"]
after_one = ...
after_eight = ...
black = ...

# %% tags=["check"]
checks.first_guess(after_one, after_eight, black)

# %% [markdown]
# <details><summary>Hint</summary>
#
# One iteration is one line: $E + M\,E\,(1 - E)$ with $E = 0.05$. For eight of them write a loop.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# after_one = 0.05 + 0.05 * (1 - 0.05)
# after_eight = 0.05
# for _ in range(8):
#     after_eight = after_eight + after_eight * (1 - after_eight)
# black = 0.0
# ```
#
# </details>

# %% [markdown]
# ### Exercise 0.2. One loop, two bugs
#
# Someone wrote the recursion for NumPy arrays. `predict(E)` returns a network's map of `E`:
#
# ```python
# def brighten_again(E, predict, iterations):
#     M = predict(E)
#     for _ in range(iterations):
#         E += M * E * (1 - E)
#     return E
# ```
#
# It runs, and pictures get brighter. But they wash out, and two calls with the same picture give
# different results. Find and fix both bugs.


# %% tags=["exercise"]
def brighten_again(E, predict, iterations):
    return ...


# %% tags=["check"]
checks.brighten_again(brighten_again)

# %% [markdown]
# <details><summary>Hint</summary>
#
# How often does the network predict, and from which picture? What does `E += 1` do to an array that
# has a second name outside the function?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def brighten_again(E, predict, iterations):
#     for _ in range(iterations):
#         M = predict(E)
#         E = E + M * E * (1 - E)
#     return E
# ```
#
# The first map was made for a dark picture. Used eight times, it keeps brightening what is already
# bright. And `+=` writes into the caller's own array.
#
# </details>

# %% [markdown]
# ### Exercise 0.3. A network that knows only one number
#
# What are all those parameters good for? Build a Keras network whose map is **one number**, the
# same for every pixel of every picture, and between 0 and 1 for any weights. The number itself is
# learned.
#
# When the check passes, guess which network will win. Then train yours like `my_network`, with
# larger steps, enhance `dark`, and compare them by `psnr`.

# %% tags=["exercise"]
one_number = ...

# %% tags=["check"]
checks.one_number(one_number)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Averaging a map gives one number per *picture*. To get one for all pictures, nothing of the
# picture may reach the last layer. What does `layers.Rescaling(0.0)` leave of it? What does a
# convolution return when all that it sees is 0? Which activation keeps a number between 0 and 1?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# one_number = keras.Sequential(
#     [
#         keras.Input((None, None, 3)),
#         layers.Rescaling(0.0),
#         layers.Conv2D(1, 1, activation="sigmoid"),
#     ]
# )
# ```
#
# Only the bias is left: the number is its sigmoid. Train it and compare:
#
# ```python
# trainee = keras.Model(picture, enhance(picture, one_number, 8 * ["exposure"], flips=[()])[0])
# trainee.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse", jit_compile=False)
# trainee.fit(low, high, batch_size=4, epochs=50, verbose=0)
# constant = np.asarray(enhance(dark[None], one_number, 8 * ["exposure"])[0][0])
# print(f"one number, {np.mean(one_number(low)):.3f}: {psnr(constant):.1f} dB")
# print(f"your network: {psnr(mine):.1f} dB")
# ```
#
# One number comes close to your network, and may even win: a few thumbnails are not enough to learn
# much more than the best constant. So every score in this workbook is shown next to that of the
# best constant.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - A network of 67,299 parameters gives a map $M$; the picture becomes $E + M E (1-E)$, again and
#   again.
# - A thumbnail shows how much light is needed, and where. Noise shows only at full size.
# - The whole recursion is one Keras model, so `compile` and `fit` train the network through it.
#
# Sources and further reading: [references](references.md).
#
# Next: [01. Look at the dark](01_look_at_the_dark.ipynb)
