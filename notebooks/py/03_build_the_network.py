# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03. Build the network
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/03_build_the_network.ipynb)
#
# At the end you will have built the seven-layer network, counted each of its parameters, and
# wrapped the recursion around it, so that Keras can train, save and load the whole.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - what the seven layers are and what "symmetrical concatenation" means,
# - how far the network sees, and what one look costs,
# - why it ends in a sigmoid, why dark inputs need a stretch, and why the map has three channels,
# - how a recursion becomes a Keras model that can look at the picture from afar.
#
# **What you'll need:** notebook 02 (the curve), and to have seen a convolutional layer before.
#
# Previous: [02. Bend one curve](02_bend_one_curve.ipynb) ·
# Next: [04. Train it](04_train_it.ipynb)

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
import inspect
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

from lle_utils import checks, data

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 90})
keras.utils.set_random_seed(0)
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# One dark picture will be our guinea pig. Every fourth pixel of every fourth row is enough here.
# Keras wants a **[batch](glossary.md#batch)**: a stack of pictures, of shape (batch, height, width,
# colors).

# %%
pair = data.load(DATASET, "test", lazy=True)[0]
batch = pair.low[None, ::4, ::4]
print(batch.shape, batch.dtype)

# %% [markdown]
# ## 1. One layer
#
# A **[convolution](glossary.md#convolution)** looks at a 3 x 3 neighborhood of each pixel. It
# multiplies the values there by weights, adds them up, and adds a bias. We want 32 such filters. A
# ReLU then sets what is negative to 0. With `padding="same"` the picture keeps its size.
#
# **Predict, then run:** how many weights does this layer have? It sees 3 colors.

# %%
first = layers.Conv2D(32, 3, padding="same", activation="relu")
print("out:", first(batch).shape)
print("kernel:", first.kernel.shape, " bias:", first.bias.shape)
print("parameters:", first.count_params(), "=", 3 * 3 * 3 * 32, "+", 32)

# %% [markdown]
# Each filter has 3 x 3 weights *for each of the 3 colors*, and there are 32 filters.
#
# ## 2. Seven layers
#
# Now seven of them. The last one gives the **[parameter map](glossary.md#parameter-map)** $M$.
# Layers 5, 6 and 7 do not only see the layer before them. They also see an early layer, laid beside
# it: 3 with 4, 2 with 5, 1 with 6. Laying beside is what
# **[concatenation](glossary.md#concatenation)** does: 32 channels and 32 channels make 64. The
# early layers still know *where* things are, the late ones know more about *what* they are.


# %%
def convolution(filters=32, activation="relu"):
    return layers.Conv2D(filters, 3, padding="same", activation=activation)


def beside(early, late):
    return layers.Concatenate()([early, late])


# %%
picture = keras.Input((None, None, 3))
x1 = convolution()(picture)
x2 = convolution()(x1)
x3 = convolution()(x2)
x4 = convolution()(x3)
x5 = convolution()(beside(x3, x4))
x6 = convolution()(beside(x2, x5))
parameter_map = convolution(3, "sigmoid")(beside(x1, x6))
network = keras.Model(picture, parameter_map)

# %% [markdown]
# The input shape is `(None, None, 3)`: any height, any width. **Look for** the 64 in the inputs of
# the last three.

# %%
convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]
for number, layer in enumerate(convolutions, start=1):
    into, out = layer.kernel.shape[2:]
    print(
        f"layer {number}: {into:2d} channels in, {out:2d} out, {layer.count_params():6,} parameters"
    )

# %% [markdown]
# Here is the same as a drawing. The straight arrows are the seven layers in a row, each with its
# number of channels. The arcs carry an early layer to a late one, which sees it beside its
# neighbor.

# %%
boxes = ["picture\n3", *(f"layer {k}\n32" for k in range(1, 7)), "layer 7\n3", "map M"]
box, arrow = {"boxstyle": "round", "facecolor": "lightgray"}, {"arrowstyle": "->"}


def draw_row(ax):
    for k, label in enumerate(boxes):
        ax.text(k, 0, label, ha="center", va="center", bbox=box if 0 < k < 8 else None)
        if k > 0:
            ax.annotate("", (k - 0.36, 0), (k - 0.64, 0), arrowprops=arrow)


# %%
fig, ax = plt.subplots(figsize=(11, 3.6), layout="constrained")
draw_row(ax)
turn = np.linspace(0, np.pi)
for early, late in ((3, 5), (2, 6), (1, 7)):
    middle, half = (early + late) / 2, (late - early) / 2
    ax.plot(middle - half * np.cos(turn), 0.3 + 0.4 * half * np.sin(turn), color="tab:blue")
    ax.plot(late, 0.3, "v", color="tab:blue")
    ax.text(middle, 0.33 + 0.4 * half, f"{early} beside {late - 1}", ha="center", va="bottom")
ax.set(xlim=(-0.4, 8.4), ylim=(-0.3, 1.7))
ax.axis("off")
plt.show()

# %% [markdown]
# Three arcs, one inside the other: that is the symmetry in "symmetrical concatenation".
#
# ## 3. Count the parameters by hand

# %% [markdown]
# ### Exercise 3.1. Count by hand
#
# **Before you read on:** write a function that counts the parameters of the network above, for any
# number of maps (channels of the last layer) and any number of filters in the six layers before it.
# The picture has three colors, and layers 5, 6 and 7 see an early layer beside the one before them.


# %% tags=["exercise"]
def count_parameters(maps, filters):
    return ...


# %% tags=["check"]
checks.count_parameters(count_parameters)

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each of the seven layers note how many channels go in and how many come out. A 3 x 3 layer has
# nine weights for each pair of an input and an output channel, and one bias for each output
# channel.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def count_parameters(maps, filters):
#     channels_in = [3, filters, filters, filters, 2 * filters, 2 * filters, 2 * filters]
#     channels_out = [filters] * 6 + [maps]
#     return sum((9 * a + 1) * b for a, b in zip(channels_in, channels_out, strict=True))
# ```
#
# `count_parameters(3, 32)` is 67,299, and one map needs 66,145.
#
# </details>

# %% [markdown]
# A 3 x 3 layer from $a$ to $b$ channels has $(9a + 1)\,b$ parameters. With concatenation the layers
# get 3, 32, 32, 32, 64, 64, 64 channels. If instead we *added* the early layer to the late one, the
# channels would stay 32, and the network would be smaller.


# %%
def count(channels_in, channels_out):
    filters = [32] * 6 + [channels_out]
    return sum((9 * a + 1) * b for a, b in zip(channels_in, filters, strict=True))


concatenated, added = [3, 32, 32, 32, 64, 64, 64], [3] + [32] * 6
for name, channels_in in (("concatenate", concatenated), ("add", added)):
    print(f"{name:11s} 3 maps: {count(channels_in, 3):,}   1 map: {count(channels_in, 1):,}")

# %% tags=["claim"]
from lle_utils.model import build_network

assert network.count_params() == count(concatenated, 3) == 67_299
for channels in (1, 3):
    assert build_network(channels).count_params() == count(concatenated, channels)
    assert build_network(channels, "add").count_params() == count(added, channels)

# %% [markdown]
# `build_network` is the packaged version of what you have just built. With your weights it must
# give your map.

# %% tags=["claim"]
packaged = build_network(channels=3)
packaged.set_weights(network.get_weights())
mine, theirs = np.asarray(network(batch)), np.asarray(packaged(batch))
assert np.allclose(mine, theirs, atol=1e-6)

# %%
source = inspect.getsource(build_network)
print(source[source.index("    inputs = ") :])

# %% [markdown]
# That is the heart of the packaged version. It differs by names for its layers, the bias of the
# last layer, and `conditioned`, which section 6 explains.
#
# ## 4. How far does it see?
#
# Change one pixel of the input. Which values of the map change?

# %%
gray = np.full((1, 41, 41, 3), 0.5, "float32")
poked = gray.copy()
poked[0, 20, 20] = 1.0
change = np.abs(np.asarray(network(poked) - network(gray)))[0].max(axis=-1)
rows = np.flatnonzero(change.max(axis=1))
print("rows that change:", rows.min(), "to", rows.max(), "that is", len(rows))

# %%
fig, ax = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
image = ax.imshow(np.log10(np.maximum(change, 1e-7)), cmap="viridis")
fig.colorbar(image, ax=ax, label="change of the map, log10")
ax.set(title="One pixel was changed", xlabel="column", ylabel="row")
plt.show()

# %% [markdown]
# A square around the pixel reacts, its middle most. Outside of it nothing moves at all. Each 3 x 3
# layer sees one pixel farther on each side. Seven layers: 7 to the left, 7 to the right, and the
# pixel itself, **15 in all**. (Textbooks call this the
# **[receptive field](glossary.md#receptive-field)**.)
#
# The [recursion](glossary.md#recursion) sees farther. The second look sees pixels that already know
# their own neighborhood, so each look adds 14. We test it with a dye: a copy of the network whose
# weights are all positive, so that nothing can cancel. Where its map exceeds 0.5, the dye has
# arrived.

# %%
dye = keras.models.clone_model(network)
dye.set_weights([np.full(w.shape, 0.01 if w.ndim == 4 else 0.0) for w in network.get_weights()])
stained = np.zeros((1, 127, 127, 3), "float32")
stained[0, 63, 63] = 1
reach = [1]
for _ in range(8):
    arrived = np.asarray(dye(stained)) > 0.5
    stained = np.maximum(stained, arrived).astype("float32")
    reach.append(int(stained[0, :, :, 0].any(axis=0).sum()))
print("pixels across, after 0, 1, ... 8 looks:", reach)

# %% tags=["claim"]
assert len(rows) == 15
assert reach == [1 + 14 * looks for looks in range(9)] and reach[-1] == 113

# %% [markdown]
# ### Exercise 3.2. How far do twelve looks see?
#
# Write a function that returns how many pixels across the recursion sees after so many looks, with
# a network of so many layers and kernels of `kernel` x `kernel` pixels (an odd number). **Predict
# first:** what do twelve looks of our network see?


# %% tags=["exercise"]
def reach_after(looks, layers, kernel):
    return ...


# %% tags=["check"]
checks.reach(reach_after)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Start from the pixel itself. How much does *one layer* of 3 x 3 add, on both sides together? And
# one of 5 x 5? How many layers are there in all looks together?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def reach_after(looks, layers, kernel):
#     return 1 + looks * layers * (kernel - 1)
# ```
#
# Twelve looks see 1 + 12 · 7 · 2 = 169 pixels across.
#
# </details>

# %% [markdown]
# 113 pixels after eight looks. That is still a small part of a picture 600 pixels wide: the network
# cannot know whether the *whole* is dark. Sections 11 and 12 help it to step back.

# %% [markdown]
# <details><summary>Quiz: 56 layers in one look see 113 pixels, too. Where is the
# difference?</summary>
#
# In two places. Eight looks share one set of weights; 56 layers would have about eight times as
# many to learn. And each look is given the picture that the last one made: it can judge the
# result, and hold back when that is bright enough.
#
# </details>

# %% [markdown]
# ## 5. Why a sigmoid
#
# Notebook 02 showed that the curve is safe exactly when $m$ lies in $[-1, 1]$. The
# [sigmoid](glossary.md#sigmoid) squeezes whatever the layers say into [0, 1]. So even nonsense
# weights cannot break a picture. We try: weights a hundred times too large.

# %%
wild = build_network()
wild.set_weights([100 * w for w in network.get_weights()])
M = np.asarray(wild(batch))
once = batch + M * batch * (1 - batch)
print(f"map from {M.min():.2f} to {M.max():.2f}, picture from {once.min():.3f} to {once.max():.3f}")

# %% tags=["claim"]
assert M.min() >= 0 and M.max() <= 1
assert once.min() >= 0 and once.max() <= 1 and np.all(once >= batch)

# %% [markdown]
# The result may be ugly, but it is a picture, and no pixel got darker.
#
# ## 6. Dark inputs are hard to see
#
# Our inputs are dark: values near 0.05. A convolution multiplies them by its weights, so its output
# is small, too, and so is the gradient that trains it. A fixed stretch $4E - 1$ in front (a
# `Rescaling` layer, no parameters) helps. **Look for** the width of the two histograms.

# %%
weigh = keras.Model(picture, x1)  # the first layer alone
plain = np.asarray(weigh(batch)).ravel()
stretched = np.asarray(weigh(4 * batch - 1)).ravel()
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
bins = np.linspace(0, 1.2, 60)
ax.hist(plain[plain > 0], bins, alpha=0.6, label="sees E")
ax.hist(stretched[stretched > 0], bins, alpha=0.6, label="sees 4E - 1", hatch="//")
ax.set(yscale="log", xlabel="output of layer 1 (above 0)", ylabel="how often")
ax.legend()
plt.show()

# %% [markdown]
# Fed with $E$ the first layer whispers: its outputs crowd near 0. Fed with $4E-1$ it speaks up.

# %% tags=["claim"]
print(f"mean output of layer 1: {plain.mean():.3f} from E, {stretched.mean():.3f} from 4E - 1")
assert stretched.mean() > 2 * plain.mean()
conditioned = build_network(conditioned=True)
conditioned.set_weights(network.get_weights())
assert np.allclose(conditioned(batch), network(4 * batch - 1), atol=1e-5)

# %% [markdown]
# ## 7. One channel or three
#
# The founding project predicted one number a pixel and used it for red, green and blue. Take a gray
# wall in warm, dim light: its pixel is brownish. Find the best single $m$, and the best three, to
# make it middle gray.

# %%
from lle_utils.curve import recurse

wall, goal = np.array([0.060, 0.045, 0.025]), 0.5
choices = np.linspace(0, 1, 1001)
table = recurse(np.repeat(wall[None], 1001, axis=0), lambda E, step: choices[:, None], 8)
one = table[np.argmin(((table - goal) ** 2).sum(axis=1))]
three = np.array([table[np.argmin((table[:, c] - goal) ** 2), c] for c in range(3)])

# %%
fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
patches = {"dark (shown 8 x brighter)": 8 * wall, "one channel": one, "three channels": three}
for ax, (title, color) in zip(axes, patches.items(), strict=True):
    ax.imshow(np.tile(color, (4, 6, 1)), vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[], xlabel=" ".join(f"{v:.2f}" for v in color))
plt.show()

# %% [markdown]
# One channel brightens the wall but leaves it brown. Three channels make it gray. (Below each
# patch: its red, green and blue.) The price is small: the last layer alone grows.

# %% tags=["claim"]
assert np.ptp(one) > 0.1 and np.ptp(three) < 0.02
price = build_network(3).count_params() - build_network(1).count_params()
print("two more channels cost", price, "parameters")
assert price == 2 * (9 * 64 + 1)

# %% [markdown]
# ## 8. What one look costs
#
# Each weight of a convolution is used once a pixel. So the number of multiplications (and
# additions: **[MACs](glossary.md#mac)**, multiply-accumulate operations) is weights times pixels.

# %%
weights = sum(9 * layer.kernel.shape[2] * layer.kernel.shape[3] for layer in convolutions)
look = weights * 600 * 400
print(f"{weights:,} weights x 240,000 pixels = {look / 1e9:.1f} GMAC")
print(f"eight looks: {8 * look / 1e9:.0f} GMAC; shrunk by 4: {8 * look / 16e9:.1f} GMAC")

# %% tags=["claim"]
assert weights == network.count_params() - 6 * 32 - 3  # all but the biases
assert round(look / 1e9, 1) == 16.1

# %% [markdown]
# ## 9. What an untrained network says
#
# Fresh weights know nothing. **Predict, then run:** what will the map of the untrained network look
# like?

# %%
fresh = build_network(conditioned=True, seed=1)
M = np.asarray(fresh(batch))[0]
print(f"map: mean {M.mean():.3f}, spread {M.std():.3f}")

# %% [markdown]
# Nearly the same number everywhere, near sigmoid(0) = 0.5. So **the untrained network is nearly a
# [constant map](glossary.md#constant-map)**, and even its pictures look decent. That is a trap: a
# bright picture proves nothing about training. Notebook 02's best constant is the bar.

# %% tags=["claim"]
from lle_utils.baselines import constant_map
from lle_utils.model import RecursiveEnhancer

nearly = np.asarray(RecursiveEnhancer(fresh, iterations=8)(batch))[0]
constant = constant_map(batch[0], 0.5, 8)
apart = float(np.abs(nearly - constant).mean())
lifted = float(np.mean(constant - batch))
print(f"both lift the picture by about {lifted:.3f}; they differ by {apart:.3f}")
assert abs(M.mean() - 0.5) < 0.1 and apart < 0.5 * lifted

# %% [markdown]
# <details><summary>Quiz: the weights are random. Why is the map not a random speckle?</summary>
#
# Because they are the *same* weights everywhere. Equal neighborhoods give equal outputs, and dark
# neighborhoods are all nearly equal. Besides, each output adds up hundreds of random products,
# which mostly cancel: the sum stays near 0, and the sigmoid of 0 is one half.
#
# </details>

# %% [markdown]
# ## 10. Wrap the recursion around it
#
# A Keras model can be anything with a `call`. Ours repeats: predict the map, bend the picture. The
# loop is unrolled when the model is built, and all rounds share the one network. This is the whole
# method as a class.


# %%
class Unrolled(keras.Model):
    def __init__(self, network, iterations):
        super().__init__()
        self.network, self.iterations = network, iterations

    def call(self, images):
        images = ops.maximum(images, 0.5 / 255)
        for _ in range(self.iterations):
            images = images + self.network(images) * images * (1 - images)
        return images


unrolled = Unrolled(fresh, iterations=4)
print("out:", unrolled(batch).shape, "- parameters:", f"{unrolled.count_params():,}")

# %% [markdown]
# Four rounds, and still the parameters of one network. The packaged class is called
# `RecursiveEnhancer`. It does the same, and a little more.

# %% tags=["claim"]
enhancer = RecursiveEnhancer(fresh, schedule=(1,), iterations=4)
assert np.allclose(unrolled(batch), enhancer(batch), atol=1e-6)
assert enhancer.count_params() == unrolled.count_params() == 67_299

# %%
print(inspect.getsource(RecursiveEnhancer.call))
print(inspect.getsource(RecursiveEnhancer.steps))
print(inspect.getsource(RecursiveEnhancer.predict_map))

# %% [markdown]
# The little more is in `predict_map`: it can **shrink** the picture before the network looks, and
# **grow** the map afterwards. From afar a look costs less and sees more.

# %% [markdown]
# <details><summary>Quiz: an enhancer was trained with 8 rounds. May you call it with 12?</summary>
#
# You may: all rounds share one network, and no weight knows how many rounds there are. Whether
# the picture gets *better* is another question. Training never saw what comes after the eighth
# round. Notebook 05 tries it.
#
# </details>

# %% [markdown]
# ## 11. Shrink and grow
#
# To shrink by a factor, average squares of pixels. Where the size is a multiple of the factor, that
# is one line of NumPy: cut into squares, take means.


# %%
def shrink_by_hand(image, factor):
    height, width, channels = image.shape
    squares = image.reshape(height // factor, factor, width // factor, factor, channels)
    return squares.mean(axis=(1, 3))


rng = np.random.default_rng(0)
small = rng.random((6, 9, 1), dtype="float32")
print(small.shape, "->", shrink_by_hand(small, 3).shape)

# %% [markdown]
# The packaged `shrink` and `grow` also take sizes that do not fit: the last row and column are
# repeated until they do. **Look for** the size of the squares, and how `grow` makes a smooth
# surface of them, of the old size.

# %%
from lle_utils.scaling import grow, shrink

odd = small[None, :5, :8]
shrunk = shrink(odd, 3)
grown = grow(shrunk, 3, 5, 8)
fig, axes = plt.subplots(1, 3, figsize=(11, 2.9), layout="constrained")
views = {"5 x 8 pixels": odd, "shrunk by 3": shrunk, "grown again": grown}
for ax, (title, view) in zip(axes, views.items(), strict=True):
    image = ax.imshow(np.asarray(view)[0, ..., 0], cmap="gray", vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="value")
plt.show()

# %% [markdown]
# Left the pixels, in the middle six averages, right a smooth surface through them.

# %% tags=["claim"]
assert np.allclose(shrink(small[None], 3)[0], shrink_by_hand(small, 3), atol=1e-6)
padded = np.pad(odd[0], ((0, 1), (0, 1), (0, 0)), mode="edge")
assert np.allclose(shrunk[0], shrink_by_hand(padded, 3), atol=1e-6)
assert grown.shape == odd.shape

# %% [markdown]
# ## 12. The schedule
#
# A **[schedule](glossary.md#schedule)** lists the factors of the first, second, ... round. Its last
# entry repeats, so that the number of rounds stays free. `(1,)` is the founding method. `(4, 4, 1)`
# looks twice from afar, then closely.
#
# **Predict, then run:** which factor does `(4, 4, 1)` use in round 5?

# %%
mixed = RecursiveEnhancer(fresh, schedule=(4, 4, 1), iterations=5)
factors = [mixed.schedule[min(step, len(mixed.schedule) - 1)] for step in range(5)]
cost = sum(1 / factor**2 for factor in factors) / 5
print("factors:", factors, f"- cost: {cost:.0%} of five full looks")

# %%
fig, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
maps = [np.asarray(iteration.parameter_map)[0].mean(axis=-1) for iteration in mixed.steps(batch)]
limits = {"vmin": min(m.min() for m in maps), "vmax": max(m.max() for m in maps)}
for ax, step in zip(axes, (0, 1, 2), strict=True):
    image = ax.imshow(maps[step], cmap="viridis", **limits)
    ax.set(title=f"map of round {step + 1}, factor {factors[step]}", xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="M, mean of channels")
plt.show()

# %% [markdown]
# The first two maps are blurred, the third shows fine detail, all at the picture's own size. (The
# network is untrained: only the scale of its maps means something.)


# %% tags=["claim"]
def roughness(image):
    return np.abs(np.diff(image, axis=1)).mean()


assert maps[2].shape == maps[0].shape == batch.shape[1:3]
assert roughness(maps[2]) > roughness(maps[0])

# %% [markdown]
# ### Exercise 3.3. Halve the cost
#
# First write the cost of a schedule, counted in full looks: one look at full size costs 1. Remember
# that the last entry repeats. Then build a schedule that halves the cost of **eight** looks: it
# should spend 3.5 to 4 full looks, go from afar to near, never back, and end at full size.


# %% tags=["exercise"]
def cost(schedule, looks):
    return ...  # in full looks


half = ...  # a schedule, such as (4, 4, 1)


# %% tags=["check"]
checks.half_the_cost(cost, half)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Shrunk by a factor of 2 a picture has half the rows and half the columns, so a quarter of the
# pixels. The cost is weights times pixels. Now count backward: how many of the eight looks can be
# full ones if you may spend 4? Then fill up with others.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def cost(schedule, looks):
#     factors = [schedule[min(look, len(schedule) - 1)] for look in range(looks)]
#     return sum(1 / factor**2 for factor in factors)
#
#
# half = (4, 4, 2, 2, 2, 1)
# ```
#
# It costs 2/16 + 3/4 + 3 = 3.875 full looks: the last entry serves looks 6, 7 and 8.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: why from afar to near and not the other way round?</summary>
#
# From afar a look sees far, so it can judge the exposure; that is settled best first. The last look
# leaves its mark on the picture as it is: a map that was grown from a small one cannot follow
# edges.
#
# </details>

# %% [markdown]
# ## 13. Any size, saved and loaded
#
# The network has no fixed size, so neither has the enhancer. Even 2 x 1 pixels will do.

# %%
for height, width in ((32, 44), (41, 63), (2, 1)):
    image = rng.random((1, height, width, 3), dtype="float32")
    print((height, width), "->", mixed.predict(image, verbose=0).shape[1:3])

# %% [markdown]
# A `.keras` file holds the structure and the weights. After loading, the enhancer gives the same
# picture.

# %% tags=["claim"]
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "enhancer.keras"
    mixed.save(path)
    loaded = keras.models.load_model(path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, schedule {loaded.schedule}")
assert np.allclose(loaded(batch), mixed(batch), atol=1e-6)

# %% [markdown]
# (Keras finds the class because the package *registers* it, and `get_config` says how to build it
# again. Your `Unrolled` has neither; it would save, but not load.)
#
# ## Exercises
#
# The other exercises of this notebook stand where their matter was taught.

# %% [markdown]
# ### Exercise 3.4. A bug that was published
#
# A well-known code example trains a brightening network with a loss that wants *neighboring pixels
# to keep their differences*. So it compares each pixel with its left, right, upper and lower
# neighbor. It does so by convolving a gray picture with fixed kernels, and this is its kernel for
# the left one:
#
# ```python
# left_kernel = tf.constant([[[[0, 0, 0]], [[-1, 1, 0]], [[0, 0, 0]]]])  # shape (1, 3, 1, 3)
# ```
#
# The numbers look right: minus the left neighbor, plus the pixel. **Predict:** what does a
# convolution with this kernel compute? Keras and TensorFlow read a kernel as (height, width,
# channels in, channels out).
#
# Then mend it. Build **one** kernel of shape (3, 3, 1, 4). Its four filters compute, in this order,
# the pixel minus its left, its right, its upper and its lower neighbor.

# %% tags=["exercise"]
kernel = ...  # a NumPy array of shape (3, 3, 1, 4)

# %% tags=["check"]
checks.neighbor_kernel(kernel)

# %% [markdown]
# <details><summary>Hint</summary>
#
# In the published kernel the three numbers -1, 1, 0 lie along the *last* axis. What does that axis
# count? As for the cure: begin with `np.zeros((3, 3, 1, 4))`. Row 1, column 1 is the pixel itself,
# and row 1, column 0 its left neighbor. Check: an even picture must give 0 everywhere.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# kernel = np.zeros((3, 3, 1, 4))
# kernel[1, 1] = 1
# for number, (row, column) in enumerate([(1, 0), (1, 2), (0, 1), (2, 1)]):
#     kernel[row, column, 0, number] = -1
# ```
#
# The published kernel is one row high, three columns wide, and has **three filters**. Each of them
# sees only the middle column: -1 times the pixel, +1 times the pixel, 0. None ever looks left. So
# the loss compares the brightness itself, before and after, and punishes the network for
# brightening at all.
#
# </details>

# %% [markdown]
# ### Exercise 3.5. See farther at the same price
#
# This one takes an evening. Our network sees 15 pixels across in one look. Build a Keras network
# with the same input and output (three colors in, three maps in [0, 1] out, any size), with **at
# most 67,299 parameters**, that sees **at least 31** across, and 31 up and down. Seven layers or
# not, as you like.
#
# When the check is satisfied, put your network in place of `build_network()` in notebook 04 and
# train it. Is it better? And does it look better, or do you see a pattern in its maps?

# %% tags=["exercise"]
my_network = ...  # a keras.Model

# %% tags=["check"]
checks.far_seeing_network(my_network)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `layers.Conv2D(32, 3, dilation_rate=2, padding="same")` looks at 3 x 3 pixels with a gap of one
# between them. It adds 4 to the reach in place of 2, and has no more parameters. Our function
# `convolution` above does not take that setting: write your own.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def dilated(rate, filters=32, activation="relu"):
#     settings = {"padding": "same", "activation": activation}
#     return layers.Conv2D(filters, 3, dilation_rate=rate, **settings)
#
#
# inputs = keras.Input((None, None, 3))
# y1 = dilated(1)(inputs)
# y2 = dilated(2)(y1)
# y3 = dilated(3)(y2)
# y4 = dilated(4)(y3)
# y5 = dilated(3)(layers.Concatenate()([y3, y4]))
# y6 = dilated(2)(layers.Concatenate()([y2, y5]))
# outputs = dilated(1, 3, "sigmoid")(layers.Concatenate()([y1, y6]))
# my_network = keras.Model(inputs, outputs)
# ```
#
# One look sees 1 + 2 · (1 + 2 + 3 + 4 + 3 + 2 + 1) = 33 pixels across. Too large a rate leaves a
# grid in the map, because neighboring pixels are then judged by different neighbors.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - Seven 3 x 3 layers, three of which also see an early one: 67,299 parameters for three maps.
# - One look sees 15 pixels across, eight looks see 113, at 16.1 GMAC a look for 600 x 400 pixels.
# - The sigmoid makes it safe, the stretch $4E - 1$ makes dark inputs visible, three channels can
#   mend a cast.
# - Untrained, it is nearly a constant map: a bright picture proves nothing yet.
# - The recursion is a Keras model; a schedule lets it look from afar first.
#
# ## Further reading
#
# - O. Ronneberger and others, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
#   MICCAI 2015, [doi:10.1007/978-3-319-24574-4_28](https://doi.org/10.1007/978-3-319-24574-4_28):
#   concatenating early layers with late ones.
# - C. Guo and others, "Zero-Reference Deep Curve Estimation for Low-Light Image Enhancement", CVPR
#   2020, [doi:10.1109/CVPR42600.2020.00185](https://doi.org/10.1109/CVPR42600.2020.00185): the
#   ancestor of this network.
#
# Previous: [02. Bend one curve](02_bend_one_curve.ipynb) ·
# Next: [04. Train it](04_train_it.ipynb)
