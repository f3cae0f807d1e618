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
# **What you'll need:** Keras, NumPy and matplotlib. Nothing else: no helper is imported, and each
# cell can be pasted into a script of yours. All other notebooks explain what this one just does.
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
# We need one dark picture and, to judge the result, the same scene well lit. Values are numbers
# between 0 (black) and 1 (white).

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
# It looks at a picture and gives a **map** $M$: for each pixel a number between 0 and 1, saying how
# much to brighten there. Early layers are handed on to late ones, symmetrically: 3 to 5, 2 to 6,
# 1 to 7. (`Rescaling` spreads out dark values, which are otherwise all close to 0.)


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
# result:
#
# $$E \leftarrow E + M\,E\,(1 - E)$$
#
# Exact black and exact white stay, all between them rises, and no value can leave [0, 1].


# %%
def enhance(E, network, schedule):
    E = ops.maximum(E, 0.5 / 255)  # an exact 0 could never grow
    for factor in schedule:
        M = predict_map(network, E, factor)
        E = E + M * E * (1 - E)
    return E


# %% [markdown]
# To judge exposure, it helps to step back. So the network sees the picture **shrunk** by a factor,
# and its map is enlarged again. The `schedule` lists the factors, one for each round; 1 means full
# size.


# %%
def predict_map(network, E, factor):
    height, width = E.shape[1:3]
    rest = [[0, 0], [0, -height % factor], [0, -width % factor], [0, 0]]
    E = ops.pad(E, rest, "symmetric")  # mirror the edges until the factor fits
    M = network(ops.average_pool(E, factor, strides=factor))
    return ops.image.resize(M, E.shape[1:3])[:, :height, :width]


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
# We want the *enhanced* picture to be like the bright one. So the error is taken after the last
# round, and Keras sends its gradient back through all of them. Here is that in small: thumbnails of
# the training pictures (16 at most), a fresh network, some seconds.


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
# The error falls. Now enhance the test picture with *your* network: its thumbnail gives the maps
# (shrunk by 16), and the full picture is bent.

# %%
mine = np.asarray(enhance(dark[None], my_network, schedule=8 * [16])[0])
show(your_network=mine, our_weights=enhanced, reference=bright)

# %% [markdown]
# Yours has learned to turn on the light, from a handful of thumbnails. Neither knows anything about
# noise. Compare both with the reference, where the noise is missing. On the sample yours may even
# come nearer to it: yours was trained on pictures of this very camera, ours on LOL's.
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
# package enhance the picture; it must agree with this page. PSNR measures closeness to the
# reference in decibels; more is better.


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
