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
# At the end you will have turned a nearly black picture into a bright one, with a network that you
# built and a recursion that fits in one line.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - the whole method of this workbook, on one page,
# - how a small network tells each pixel how much to brighten,
# - how that network is trained *through* the recursion.
#
# **What you'll need:** Keras, NumPy and matplotlib. Nothing else: the lesson imports no helper, and
# each of its cells can be pasted into a script of yours. All other notebooks explain what this one
# just does. Words that are new are explained in the [glossary](glossary.md); the first use of such
# a word leads there.
#
# Next: [01. Look at the dark](01_look_at_the_dark.ipynb)

# %% tags=["setup"]
# Set-up. On Google Colab this fetches the workbook; anywhere else it only silences log lines.
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "COLAB_RELEASE_TAG" in os.environ:
    import subprocess
    import sys

    repository = os.environ.get("LLE_REPOSITORY", "https://github.com/OWNER/REPO")
    folder = os.path.abspath(os.environ.get("LLE_FOLDER", "low-light-workbook"))
    if not os.path.isdir(folder):
        subprocess.run(["git", "clone", "--depth", "1", repository, folder], check=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", folder]
        subprocess.run(pip, check=True)
    sys.path.insert(0, folder)
    os.chdir(os.path.join(folder, "notebooks"))

# %%
import json
import zipfile
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
# We need one dark picture and, to judge the result, the same scene well lit: its
# [reference](glossary.md#reference). Values are numbers between 0 (black) and 1 (white).

# %%
LOL = Path(os.environ.get("LLE_DATA_DIR") or "../data") / "lol"
TRAIN, TEST, NAME = {
    "sample": (Path("../data/sample/train"), Path("../data/sample/heldout"), "raccoon"),
    "lol": (LOL / "our485", LOL / "eval15", "1"),
}[DATASET]


# %%
def read(folder, name):
    path = next(folder.glob(f"{name}.*"))
    return np.asarray(keras.utils.load_img(path), "float32") / 255


dark, bright = read(TEST / "low", NAME), read(TEST / "high", NAME)
print(f"shape {dark.shape}, mean of the dark picture {dark.mean():.3f}")

# %% [markdown]
# ## A network of seven layers
#
# It looks at a picture and gives a [**map**](glossary.md#parameter-map) $M$: for each pixel a
# number between 0 and 1, saying how much to brighten there. Each layer is a
# [convolution](glossary.md#convolution), and the last ends in a [sigmoid](glossary.md#sigmoid),
# which keeps $M$ between 0 and 1. Early layers are handed on to late ones,
# [symmetrically](glossary.md#concatenation): 3 to 5, 2 to 6, 1 to 7. (`Rescaling` spreads out dark
# values, which are otherwise all close to 0.)


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
    return keras.Model(image, convolution(1, "sigmoid")(layers.Concatenate()([x1, x6])))


# %%
network = build_network()
print(f"{network.count_params():,} parameters")

# %% [markdown]
# ## A recursion of one line
#
# Start with the dark picture $E$. Ask the network for its map, brighten, and repeat with the
# result. This is the [recursion](glossary.md#recursion):
#
# $$E \leftarrow E + M\,E\,(1 - E)$$
#
# Exact black and exact white stay, all between them rises, and no value can leave [0, 1]. An exact
# 0 could never grow, so it is first raised to half a [code value](glossary.md#code-value), the
# [floor](glossary.md#floor).


# %%
def enhance(E, network, schedule):
    E = ops.maximum(E, 0.5 / 255)
    for factor in schedule:
        M = predict_map(network, E, factor)
        E = E + M * E * (1 - E)
    return E


# %% [markdown]
# <details><summary>Quiz: why the factor 1 - E? Would E + M E not brighten as well?</summary>
#
# Near black, yes, and nearly alike. But what is above 0.5 would be pushed beyond white when $M =
# 1$, and every next round would push further. The factor $1 - E$ is a brake: the nearer a pixel is
# to white, the less is added, and white itself stays.
#
# </details>

# %% [markdown]
# To judge [exposure](glossary.md#exposure), it helps to step back. So the network sees the picture
# **shrunk** by a factor, and its map is enlarged again. The [schedule](glossary.md#schedule) lists
# the factors, one for each round; 1 means full size.


# %%
def predict_map(network, E, factor):
    height, width = E.shape[1:3]
    rest = [[0, 0], [0, -height % factor], [0, -width % factor], [0, 0]]
    E = ops.pad(E, rest, "symmetric")  # mirror the edges until the factor fits
    M = network(ops.average_pool(E, factor, strides=factor))
    return ops.image.resize(M, E.shape[1:3])[:, :height, :width]


# %% [markdown]
# <details><summary>Quiz: why are the edges mirrored? Zeros would fill the rest, too</summary>
#
# Zero is black, and the network looks for darkness. Averaged with black, the edge would look darker
# than it is, and the network would ask for more light there: a bright seam. Mirrored pixels look
# like the picture itself.
#
# </details>

# %% [markdown]
# ## Trained weights
#
# The workbook carries trained weights. A `.keras` file is a zip archive, and its `config.json` says
# with which schedule and how many rounds they were trained. (The last factor repeats.)

# %%
WEIGHTS = "../lle_utils/weights/curve8.keras"
config = json.loads(zipfile.ZipFile(WEIGHTS).read("config.json"))["config"]
rounds, factors = config["iterations"], config["schedule"]
schedule = [factors[min(k, len(factors) - 1)] for k in range(rounds)]
print(rounds, "rounds, seen shrunk by", schedule)

# %% [markdown]
# The recursion, from picture to picture, is an ordinary Keras model. It has no weights but the
# network's.

# %%
picture = keras.Input(dark.shape)
enhancer = keras.Model(picture, enhance(picture, network, schedule))
enhancer.load_weights(WEIGHTS)
enhanced = enhancer.predict(dark[None], verbose=0)[0]


# %% [markdown]
# **Look for** what you can make out on the right and not on the left.


# %%
def show(**pictures):
    size = (14, 9.7 / len(pictures))
    fig, axes = plt.subplots(1, len(pictures), figsize=size, layout="constrained")
    for ax, (title, image) in zip(axes, pictures.items(), strict=True):
        ax.imshow(image)
        ax.set_title(title.replace("_", " "))
        ax.axis("off")
    plt.show()


show(dark=dark, enhanced=enhanced)

# %% [markdown]
# The scene was in the dark picture all along, in its lowest values.
#
# ## How it was trained
#
# We want the *enhanced* picture to be like the bright one. So the error, or
# [loss](glossary.md#loss), is taken after the last round, and Keras sends its gradient back through
# all of them. Here is that in small: thumbnails of the training pictures (16 at most), a fresh
# network, some seconds. It sees each of them 25 times, in 25 [epochs](glossary.md#epoch). The rule
# for changing the weights is [Adam](glossary.md#adam), the loss is the
# [mean squared error](glossary.md#mean-squared-error).


# %%
def thumbnails(folder):
    names = sorted(path.stem for path in (TRAIN / "low").glob("*.png"))[:16]
    images = [read(folder, name) for name in names]
    images = [np.rot90(image) if len(image) > len(image[0]) else image for image in images]
    return np.stack([ops.image.resize(image, (25, 37), antialias=True) for image in images])


low, high = thumbnails(TRAIN / "low"), thumbnails(TRAIN / "high")
print(low.shape)

# %%
keras.utils.set_random_seed(0)
my_network = build_network()
thumbnail = keras.Input((25, 37, 3))
trainee = keras.Model(thumbnail, enhance(thumbnail, my_network, schedule=8 * [1]))
trainee.compile(optimizer="adam", loss="mse", jit_compile=False)
history = trainee.fit(low, high, batch_size=4, epochs=25, verbose=0)

# %%
fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.plot(range(1, 26), history.history["loss"], ".-")
ax.set(xlabel="epoch", ylabel="mean squared error", title="Training through the recursion")
plt.show()

# %% [markdown]
# <details><summary>Quiz: nobody shows the network a good map. How does it learn one?</summary>
#
# The error says of each enhanced pixel whether it is too dark or too bright. The recursion says how
# that pixel moves when $M$ moves. The network says how $M$ moves when a weight moves. Multiplied
# together, that is how the error moves with each weight: the chain rule, which Keras follows back
# through all eight rounds.
#
# </details>

# %% [markdown]
# The error falls. Now enhance the test picture with *your* network: its thumbnail gives the maps
# (shrunk by 16), and the full picture is bent.

# %%
mine = np.asarray(enhance(dark[None], my_network, schedule=8 * [16])[0])
show(your_network=mine, our_weights=enhanced, reference=bright)

# %% [markdown]
# Yours has learned to turn on the light, from a handful of thumbnails. Neither knows anything about
# noise. Compare both with the reference, where the noise is missing. On the sample yours may even
# come nearer to it: yours was trained on pictures of this very camera, ours on those of
# [LOL](glossary.md#lol).
#
# ## What the network says
#
# Last, the map of the last round: one number a pixel, for its three colors. **Look for** where it
# is low: there the network asks for less light.

# %%
E = enhance(dark[None], network, schedule[:-1])
M = np.asarray(predict_map(network, E, schedule[-1])[0])
fig, (left, right) = plt.subplots(1, 2, figsize=(13, 4.3), layout="constrained")
left.imshow(enhanced)
left.set(title="enhanced", xticks=[], yticks=[])
image = right.imshow(M[..., 0], cmap="viridis")
right.set(title="map M, last round", xticks=[], yticks=[])
fig.colorbar(image, ax=right, label="how much to brighten")
plt.show()

# %% [markdown]
# The map follows the large shapes of the scene and not its single pixels.
#
# ## Is all this true?
#
# Every notebook ends what it says with cells that check it. Here we also let the workbook's own
# package enhance the picture; it must agree with this page. [PSNR](glossary.md#psnr) measures
# closeness to the reference in decibels; more is better.


# %% tags=["claim"]
def psnr(image):
    return float(-10 * np.log10(np.mean((image - bright) ** 2)))


for name, image in {"dark": dark, "your network": mine, "our weights": enhanced}.items():
    print(f"{name:12s} {psnr(image):5.1f} dB")
assert psnr(enhanced) > psnr(dark) + 1 and psnr(mine) > psnr(dark) + 1
assert enhanced.min() >= 0 and enhanced.max() <= 1 and M.min() >= 0 and M.max() <= 1
assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]

# %% tags=["claim"]
from lle_utils import model

packaged = model.enhance_picture(model.load_model("curve8"), dark)
difference = float(np.abs(packaged - enhanced).mean())
print(f"this page and the package differ by {255 * difference:.2f} code values of 255")
assert difference < 0.002 and schedule[0] > 1

# %% [markdown]
# ## Exercises
#
# Four of them, from two minutes to an evening. From here on one helper is imported: `checks` tries
# your answers on many inputs and says in words what is right or wrong.
#
# Each exercise has a cell to fill in (replace the `...`), a cell that checks it, and below them a
# hint and a solution, both folded. Look at the solution last.

# %%
from lle_utils import checks

# %% [markdown]
# ### Exercise 0.1. Predict, then run
#
# A dark pixel has the value 0.05, and the network says $M = 1$, the most that it can say. How
# bright is the pixel after one round (`one_round`, to four decimal places)? And after eight rounds
# (`eight_rounds`, to two)? What do eight rounds at $M = 1$ make of a pixel that is exactly 0
# (`black`), if nothing is raised first?
#
# Guess before you calculate.

# %% tags=["exercise"]
one_round = ...
eight_rounds = ...
black = ...

# %% tags=["check"]
checks.first_guess(one_round, eight_rounds, black)

# %% [markdown]
# <details><summary>Hint</summary>
#
# One round is one line: $E + M\,E\,(1 - E)$ with $E = 0.05$. For eight of them write a loop. Or
# look at what is missing to white, $1 - E$: at $M = 1$ each round squares it.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# one_round = 0.05 + 0.05 * (1 - 0.05)
# eight_rounds = 0.05
# for _ in range(8):
#     eight_rounds = eight_rounds + eight_rounds * (1 - eight_rounds)
# black = 0.0
# ```
#
# </details>

# %% [markdown]
# ### Exercise 0.2. One loop, two bugs
#
# Somebody wrote the recursion for NumPy arrays. `predict(E)` asks a network for its map:
#
# ```python
# def brighten_again(E, predict, rounds):
#     M = predict(E)
#     for _ in range(rounds):
#         E += M * E * (1 - E)
#     return E
# ```
#
# It runs, and pictures become brighter. But they bleach, and whoever calls it twice with one
# picture gets two results. Find both bugs, and write it right.


# %% tags=["exercise"]
def brighten_again(E, predict, rounds):
    return ...


# %% tags=["check"]
checks.brighten_again(brighten_again)

# %% [markdown]
# <details><summary>Hint</summary>
#
# How often is the network asked, and about which picture? What does `E += 1` do to an array that
# also has another name outside of the function?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def brighten_again(E, predict, rounds):
#     for _ in range(rounds):
#         M = predict(E)
#         E = E + M * E * (1 - E)
#     return E
# ```
#
# The first map was made for a dark picture. Used eight times, it goes on brightening what is bright
# by now. And `+=` writes into the caller's own array.
#
# </details>

# %% [markdown]
# ### Exercise 0.3. How much is still dark?
#
# `still_dark` is given the same as `brighten_again`. A picture has height x width x 3 values. Code
# 10 of 255 is hard to tell from black on most screens. What share of the values lies **below** code
# 10: at the start, after the first round, ..., after the last one? Return a list of `rounds + 1`
# shares between 0 and 1.
#
# Then try it on the picture of this page, as it is and with its values raised to half a code first.
# How far does the share fall?


# %% tags=["exercise"]
def still_dark(E, predict, rounds):
    return ...


# %% tags=["check"]
checks.still_dark(still_dark)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Values lie in [0, 1], so code 10 is 10 / 255. The mean of `True` and `False` is the share of
# `True`. Count, brighten, count: one count more than rounds.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def still_dark(E, predict, rounds):
#     shares = [np.mean(E < 10 / 255)]
#     for _ in range(rounds):
#         E = E + predict(E) * E * (1 - E)
#         shares.append(np.mean(E < 10 / 255))
#     return shares
# ```
#
# On the picture of this page:
#
# ```python
# def predict(E):
#     return np.asarray(predict_map(network, E[None], schedule[0])[0])
#
#
# print(np.round(still_dark(dark, predict, 8), 3))
# print(np.round(still_dark(np.maximum(dark, 0.5 / 255), predict, 8), 3))
# ```
#
# The first line cannot fall below the share of values that are exactly 0: they stay 0 for ever. In
# the second half a code stands in their place, and grows.
#
# </details>

# %% [markdown]
# ### Exercise 0.4. A network that can say only one number
#
# This one takes an evening. What do all those parameters bring? To find out, you need an opponent
# that has none of them: a Keras network like `build_network()`, but whose map is **one number**,
# the same for every pixel of every picture. It lies between 0 and 1, whatever the weights are. And
# it can be trained: the number itself is learned.
#
# When the check is content, guess which of the two will win. Then train it as this page trained
# `my_network`, enhance `dark`, and compare them by `psnr`. (Give it more or larger steps: it has
# only one thing to learn.)

# %% tags=["exercise"]
one_number = ...

# %% tags=["check"]
checks.one_number(one_number)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Averaging a map gives one number a *picture*. To get one for all pictures, nothing of the picture
# may reach the last layer. What does `layers.Rescaling(0.0)` leave of it? What is left of a
# convolution when all that it sees is 0? And which activation keeps a number between 0 and 1?
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
# Only the bias speaks: the number is its sigmoid. Train it and compare:
#
# ```python
# trainee = keras.Model(thumbnail, enhance(thumbnail, one_number, schedule=8 * [1]))
# trainee.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse", jit_compile=False)
# trainee.fit(low, high, batch_size=4, epochs=50, verbose=0)
# constant = np.asarray(enhance(dark[None], one_number, schedule=8 * [16])[0])
# print(f"one number, {np.mean(one_number(low)):.3f}: {psnr(constant):.1f} dB")
# print(f"your network: {psnr(mine):.1f} dB")
# ```
#
# On the sample's picture one number gets 23.5 dB, more than your network and more than our weights.
# A handful of thumbnails and 25 epochs are too little to learn *where* to brighten, but enough to
# learn by *how much*, and for that one number will do. So every score in this workbook stands
# beside that of the best constant. Notebook 04 takes up the fight.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - A network of 66,145 parameters gives a map $M$; the picture is bent by $E + M E (1-E)$, again
#   and again.
# - The whole recursion is one Keras model, so `compile` and `fit` train the network through it.
# - Exposure is judged from afar: shrink the picture, predict, enlarge the map.
#
# ## Further reading
#
# - C. Guo and others, "Zero-Reference Deep Curve Estimation for Low-Light Image Enhancement", CVPR
#   2020, [doi:10.1109/CVPR42600.2020.00185](https://doi.org/10.1109/CVPR42600.2020.00185).
# - C. Wei and others, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC 2018,
#   [arXiv:1808.04560](https://arxiv.org/abs/1808.04560): the LOL pictures.
#
# Next: [01. Look at the dark](01_look_at_the_dark.ipynb)
