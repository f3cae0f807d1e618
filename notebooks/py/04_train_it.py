# ---
# jupyter:
#   accelerator: GPU
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04. Train it
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/04_train_it.ipynb)
#
# At the end you will have trained the network of notebook 03 twice, once as it was first published
# and once through the curve, seen why only one of the two can work, and saved, loaded and resumed
# your training.
#
# **Minutes:** 1 on two CPU cores (on Colab you may choose a GPU, but these small pictures hardly
# need it)
#
# **What you'll learn**
#
# - how batches are made, and why dark pictures are thinned out and not averaged,
# - what the founding project's loss compares, and why even a perfect fit of it fails,
# - how to train *through* the recursion,
# - how to read a learning curve, and how to stop and go on without losing anything.
#
# **What you'll need:** notebooks [02](02_bend_one_curve.ipynb) (the curve, the best constant) and
# [03](03_build_the_network.ipynb) (the network).
#
# Previous: [03. Build the network](03_build_the_network.ipynb) ·
# Next: [05. Iterate](05_iterate.ipynb)

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
import dataclasses
import inspect
import tempfile
import textwrap
import time
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from lle_utils import checks, data, metrics, training
from lle_utils.batches import Batches, vary_exposure
from lle_utils.recipes import RECIPES, Recipe

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 90, "figure.constrained_layout.use": True})
keras.utils.set_random_seed(0)
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. Pictures to learn from, pictures to judge by
#
# We need two sets of pairs. From the first the network learns. By the second, the
# [**validation**](glossary.md#validation) set, we judge. The sample has few scenes, so each is
# taken in four [exposures](glossary.md#exposure), the embedded one and three more by the camera of
# notebook 01. Of [LOL](glossary.md#lol) we take every ninth pair, to stay quick.

# %%
if DATASET == "sample":
    train_pairs = data.load("sample", "train", exposures=4)
    valid_pairs = data.load("sample", "validation", exposures=4)
else:
    train_pairs = data.load("lol", "train", lazy=True)[::9].in_memory()
    valid_pairs = data.load("lol", "validation", lazy=True)[::6].in_memory()
print(len(train_pairs), "pairs to learn from,", len(valid_pairs), "to judge by")

# %% [markdown]
# The two sets must not share a **scene**. A network that has seen a room once, in another exposure,
# may simply remember how bright it should be: the [scene leak](glossary.md#scene-leak) of notebook
# 01. That would be memory, and we want judgment. We check.

# %% tags=["claim"]
if DATASET == "sample":
    scene = {name: name.partition("#")[0] for p in (train_pairs, valid_pairs) for name in p.names}
else:
    groups = enumerate(data.lol_scenes()["groups"])
    scene = {Path(file).stem: number for number, group in groups for file in group}
learned, judged = ({scene[name] for name in p.names} for p in (train_pairs, valid_pairs))
print(len(learned), "scenes to learn from,", len(judged), "others to judge by")
assert not learned & judged

# %% [markdown]
# ## 2. Batches
#
# Full pictures would take too long here. There are two ways to make them smaller. **Averaging**
# squares of pixels removes the noise. [**Thinning out**](glossary.md#thinning-out), every n-th
# pixel of every n-th row, keeps it. Noise is half of our problem, so it must stay in the training
# pictures.
#
# A good witness is the share of samples that are exactly 0. **Predict, then run:** which of the two
# ways keeps it?

# %%
STRIDE = 12
dark = [train_pairs.uint8(index)[0] for index in range(8)]
thinned = [low[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE] for low in dark]


def average(low):
    rows, columns = low.shape[0] // STRIDE, low.shape[1] // STRIDE
    squares = low[: rows * STRIDE, : columns * STRIDE].reshape(rows, STRIDE, columns, STRIDE, 3)
    return np.round(squares.mean(axis=(1, 3)))


averaged = [average(low) for low in dark]

# %% tags=["claim"]
zeros = [np.mean([np.mean(low == 0) for low in x]) for x in (dark, thinned, averaged)]
print("exactly 0: {:.1%} at full size, {:.1%} thinned, {:.1%} averaged".format(*zeros))
assert abs(zeros[1] - zeros[0]) < abs(zeros[2] - zeros[0])

# %% [markdown]
# Averaging loses many of the black specks. Thinning out keeps their share.
#
# A [**batch**](glossary.md#batch) is a stack of pictures of one size. Some pictures stand upright,
# so they are laid on their side. Those that are larger than the smallest are cut.


# %%
def thin(picture):
    small = picture[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    return np.rot90(small) if small.shape[0] > small.shape[1] else small


def stack(pictures):
    height, width = np.min([picture.shape[:2] for picture in pictures], axis=0)
    return np.stack([p[:height, :width] for p in pictures]).astype("float32") / 255


every = range(len(train_pairs))
low, high = (stack([thin(train_pairs.uint8(i)[side]) for i in every]) for side in (0, 1))
print("dark:", low.shape, " bright:", high.shape)

# %% [markdown]
# The packaged `Batches` does this for Keras, a few pairs at a time. What it does is set by a
# [**recipe**](glossary.md#recipe), a list of everything that determines a training run. Not
# augmented, its first batch is the beginning of our stack.

# %% tags=["claim"]
recipe = Recipe(stride=STRIDE, batch_size=8)
packaged_low, packaged_high = Batches(train_pairs, recipe, augment=False)[0]
height, width = packaged_low.shape[1:3]
assert np.array_equal(packaged_low, low[:8, :height, :width])
assert np.array_equal(packaged_high, high[:8, :height, :width])

# %% [markdown]
# <details><summary>Quiz: what if the bright pictures were noisy, too?</summary>
#
# Then training would still work, if that noise is right on average. Nobody can predict it, and
# against many noisy goals the smallest squared error has their mean, which is the picture without
# noise. Only the [loss](glossary.md#loss) could not fall to 0: the noise of the goals is left.
# Noise in the *dark* pictures is another matter. The curve multiplies it, and the network has to
# learn what to do about it.
#
# </details>

# %% [markdown]
# ### Augmentation
#
# Few pictures can stand for more: that is [augmentation](glossary.md#augmentation). A mirrored room
# is a room. A picture taken with half the light is a picture. So each time a pair is drawn, it is
# flipped at random, and its dark side is re-exposed: its [code values](glossary.md#code-value) are
# multiplied by a random gain and rounded again. The bright side stays: it says
# what we want to get.


# %%
def re_expose(low, stops, rng):
    gain = 2 ** rng.uniform(-stops, stops)
    return np.clip(np.round(low * gain), 0, 255).astype("uint8")


# %% tags=["claim"]
half_a_stop = Recipe(exposure_stops=0.5)
for seed in range(5):
    mine = re_expose(dark[0], 0.5, np.random.default_rng(seed))
    theirs = vary_exposure(dark[0], half_a_stop, np.random.default_rng(seed))
    assert np.array_equal(mine, theirs)

# %% [markdown]
# Here is one pair, drawn in four [epochs](glossary.md#epoch). **Look for** two things: both sides
# are always flipped alike, and the upper row varies in brightness while the lower one does not.
# (The dark pictures are shown six times brighter.)

# %%
varied = Recipe(stride=4, batch_size=1, exposure_stops=1.0, white_balance=0.05)
batches = Batches(train_pairs[:1], varied)
fig, axes = plt.subplots(2, 4, figsize=(12, 4.2))
for batches.epoch, (above, below) in enumerate(axes.T):
    dark_view, bright_view = (side[0] for side in batches[0])
    above.imshow(np.clip(6 * dark_view, 0, 1))
    below.imshow(bright_view)
    above.set(title=f"epoch {batches.epoch}: mean code {255 * dark_view.mean():.0f}")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# What is drawn must depend on the seed, the epoch and the number of the batch, and on nothing else.
# That will let us stop and go on in section 10.
#
# ### Exercise 4.1. The same batch again
#
# Write the heart of it **before you read on**. `count` pairs are numbered from 0. `batch_order`
# returns the list of those that batch number `index` of an epoch holds.
#
# - In each epoch every pair comes exactly once; only the last batch may be smaller.
# - The order is shuffled anew in each epoch, and for each seed.
# - The same arguments give the same batch, whatever was asked for or drawn before.
# - No two pairs of `seed` and `epoch` share their order.


# %% tags=["exercise"]
def batch_order(count, batch_size, seed, epoch, index):
    return ...


# %% tags=["check"]
checks.batch_order(batch_order)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.random.default_rng` takes a list of numbers as a seed. Which of the arguments belong into it,
# so that all batches of one epoch are cut from one order? And why is `seed + epoch` no good?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def batch_order(count, batch_size, seed, epoch, index):
#     order = np.random.default_rng([seed, epoch]).permutation(count)
#     return list(order[index * batch_size : (index + 1) * batch_size])
# ```
#
# With `seed + epoch`, the run of seed 1 sees in each epoch what the run of seed 0 sees one epoch
# later. Two runs that should be independent would be nearly one.
#
# </details>

# %% [markdown]
# The heart of the packaged version:

# %%
print(inspect.getsource(Batches.__getitem__))
print(inspect.getsource(Batches._view))

# %% [markdown]
# ## 3. What the founding project's loss compares
#
# The project that this workbook grew from trained its network with one line: `fit(low, high /
# 255)`, where `low` holds code values 0 to 255. The network's output is the
# [map](glossary.md#parameter-map) $M$. So the loss, a
# [mean squared error](glossary.md#mean-squared-error), is
#
# $$\text{mean}\,(M(I) - \text{bright picture})^2$$
#
# Read it twice. It asks the **map** to look like the bright picture. The
# [curve](glossary.md#curve) does not occur in it. No enhanced picture is ever made while it trains.
# We call it the [founding objective](glossary.md#founding-objective).
#
# Can that work? Let us be generous and assume a perfect fit: in every round, $M$ *is* the
# [reference](glossary.md#reference). No network is needed to find out what comes of it.

# %% [markdown]
# ### Exercise 4.2. Trained to perfection
#
# Try it **before you read on**. `dark` and `bright` are arrays of any one shape, with values in
# [0, 1], and nowhere 0.
#
# `with_perfect_map` returns the picture after `n` rounds of the curve, when the network says
# `bright` in every round. `best_rounds` returns the `n` in 0, 1, ..., `most` at which that picture
# has the smallest mean squared error against `bright`.
#
# Then ask it about single pixels. In a picture that is twenty times too dark, which `n` is best for
# a pixel that should become 0.2? Which for 0.9? Can any `n` be right for the whole picture?


# %% tags=["exercise"]
def with_perfect_map(dark, bright, n):
    return ...


def best_rounds(dark, bright, most):
    return ...


# %% tags=["check"]
checks.perfect_founding(with_perfect_map, best_rounds)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The map is the same in every round, and the picture is not. For `best_rounds` list the errors of
# all `n` from 0 to `most`, both included: `np.argmin` says where the smallest stands.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def with_perfect_map(dark, bright, n):
#     E = dark
#     for _ in range(n):
#         E = E + bright * E * (1 - E)
#     return E
#
#
# def best_rounds(dark, bright, most):
#     pictures = [with_perfect_map(dark, bright, n) for n in range(most + 1)]
#     return int(np.argmin([np.mean((E - bright) ** 2) for E in pictures]))
# ```
#
# A bright goal is reached in few rounds, because its $M$ is large, and then passed. A dark goal has
# a small $M$ and takes longer. So there is no `n` that suits a picture with both.
#
# </details>

# %% [markdown]
# Now on pictures. First we need the bar to compare with: the best
# [constant](glossary.md#constant-map) of notebook 02, fitted on the training pairs, scored by
# [PSNR](glossary.md#psnr) on the validation pairs.

# %%
from lle_utils import baselines, curve

valid_low, valid_high = Batches(
    valid_pairs, dataclasses.replace(recipe, batch_size=len(valid_pairs)), augment=False
)[0]


def mean_psnr(pictures):
    pairs = zip(np.clip(pictures, 0, 1), valid_high, strict=True)
    return float(np.mean([metrics.psnr(picture, reference) for picture, reference in pairs]))


# %%
best = baselines.fit_constant(train_pairs, iterations=8)
constant = np.stack([baselines.constant_map(picture, best, 8) for picture in valid_low])
untouched_db, constant_db = mean_psnr(valid_low), mean_psnr(constant)
print(f"untouched: {untouched_db:.2f} dB; constant map of {best:.3f}: {constant_db:.2f} dB")

# %% [markdown]
# **Predict, then run:** will a map that equals the reference do better than one number for all
# pixels?

# %%
start = np.maximum(valid_low, curve.FLOOR)
perfect = {n: curve.recurse(start, lambda E, step: valid_high, n) for n in (4, 7, 8, 12)}
for n, pictures in perfect.items():
    print(f"M = reference, {n:2d} rounds: {mean_psnr(pictures):5.2f} dB")

# %% tags=["claim"]
for n in (7, 8, 12):
    assert mean_psnr(perfect[n]) < constant_db
assert mean_psnr(perfect[12]) < mean_psnr(perfect[8]) < mean_psnr(perfect[7])

# %%
shown = valid_pairs[0]
low_view, high_view = shown.low[::3, ::3], shown.high[::3, ::3]
views = {
    f"M = reference, n = {n}": curve.recurse(low_view, lambda E, step: high_view, n)
    for n in (4, 8, 12)
}
views[f"constant {best:.2f}, n = 8"] = baselines.constant_map(low_view, best, 8)
views["reference"] = high_view
fig, axes = plt.subplots(1, 5, figsize=(14, 2.5))
for ax, (title, view) in zip(axes, views.items(), strict=True):
    ax.imshow(np.clip(view, 0, 1))
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=11)
plt.show()

# %% [markdown]
# With more rounds the picture bleaches. The even brightening of one constant is closer to the
# reference.
#
# Why? A bright pixel of the reference has a large $M$ in *every* round, so it rushes on towards
# white, past its goal. The curve only stands still where $M = 0$. To stop at the right brightness,
# $M$ must fall when the goal is reached. The loss above knows nothing about rounds or goals, so it
# cannot teach that.
#
# There is a second fault. In training the network sees 0 to 255. In the recursion it sees 0 to 255
# in the first round and [0, 1] in all others. In seven of eight rounds it gets pictures from a
# world it has never seen.
#
# ## 4. The cure: a loss on the result
#
# Let the enhanced picture be compared, and let the same range go in each time:
#
# $$\text{mean}\,(E_8(I) - \text{bright picture})^2$$
#
# $E_8$ is what comes out after eight rounds of $E \leftarrow E + M(E)\,E\,(1 - E)$. Everything in
# it is smooth, so Keras can send the gradient back through all eight rounds to the weights, which
# all rounds share.

# %% [markdown]
# ### Exercise 4.3. A loss through the curve
#
# Write that loss, for any number of rounds. `network(E)` gives the map of a batch of pictures `E`;
# `low` and `high` are such batches, with `low` nowhere 0. Return **one number**, as a Keras tensor:
# the check looks at its value *and* at the gradient that it sends back to the network's weights.


# %% tags=["exercise"]
def curve_loss(network, low, high, rounds):
    return ...


# %% tags=["check"]
checks.through_the_curve(curve_loss)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Ask the network anew in each round. Plain `+`, `-`, `*` and `**` work on tensors and keep the
# gradient, and `keras.ops.mean` averages. `np.mean` and `network.predict` return bare numbers.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def curve_loss(network, low, high, rounds):
#     E = low
#     for _ in range(rounds):
#         E = E + network(E) * E * (1 - E)
#     return keras.ops.mean((E - high) ** 2)
# ```
#
# </details>

# %% [markdown]
# Here are both losses, by hand, of networks that have learned nothing yet. Both start neutral:
# their maps are near 0.5.

# %%
budget = {"stride": STRIDE, "batch_size": 8, "epochs": 10, "initial_map": 0.5, "channels": 1}
budget |= {"learning_rate": 1.5e-3, "exposure_stops": 0.5, "white_balance": 0.05}
recipes = {
    "curve": Recipe(objective="curve", schedule=(32,), iterations=8, **budget),
    "founding": Recipe(objective="founding", conditioned=False, **budget),
}
fresh = {name: training.build_trainee(recipe) for name, recipe in recipes.items()}

# %%
result = np.asarray(fresh["curve"](valid_low))
first_map = np.asarray(fresh["founding"](255 * valid_low))
print("curve:    loss", np.mean((result - valid_high) ** 2), " on the picture after 8 rounds")
print("founding: loss", np.mean((first_map - valid_high) ** 2), " on the map")

# %% [markdown]
# <details><summary>Quiz: which bias of the last layer starts all maps near 0.38?</summary>
#
# At first the layer's sum is small, so the map is about the [sigmoid](glossary.md#sigmoid) of the
# bias. The inverse of the sigmoid is the [logit](glossary.md#logit), log(0.38 / 0.62) = -0.49. Such
# a network *begins* near the best constant, without having learned anything. So a score near the
# constant's proves nothing: always ask what the network scored before training.
#
# </details>

# %% [markdown]
# The two numbers cannot be compared: they measure different things. We will compare *pictures*.
#
# The budget is the same for both: pictures, order, augmentation, steps, learning rate, first
# weights, and 66,145 parameters. Two things differ besides the loss, because they belong to it. The
# founding network sees 0 to 255 (the other one sees [0, 1], stretched as in notebook 03), and it
# looks at the picture at full size. The other one looks from afar, as with the
# [schedule](glossary.md#schedule) `(32,)` at 600 pixels.

# %% tags=["claim"]
network = fresh["curve"].network
assert network.count_params() == fresh["founding"].count_params() == 66_145
for one, other in zip(network.get_weights(), fresh["founding"].get_weights(), strict=True):
    assert np.array_equal(one, other)
print("shrunk by", fresh["curve"].schedule, "at", valid_low.shape[2], "pixels")

# %% [markdown]
# ## 5. Steps of the right size
#
# [**Adam**](glossary.md#adam) is the optimizer. It gives each weight a step of its own, by how its
# gradient behaved so far. How long steps are in general is the **learning rate**. Large steps are
# good at the start and bad at the end, so we let the rate fall along half a **cosine**, to a
# fiftieth.

# %%
steps = recipes["curve"].epochs * len(Batches(train_pairs, recipes["curve"]))
step = np.arange(steps + 1)
rate = 1.5e-3 * (0.02 + 0.98 * (1 + np.cos(np.pi * step / steps)) / 2)
fig, ax = plt.subplots(figsize=(7, 2.8))
ax.plot(step, 1000 * rate)
ax.set(xlabel="step", ylabel="learning rate / 0.001", title="Half a cosine", ylim=(0, None))
plt.show()

# %% [markdown]
# Slow to fall at first, then quickly, then slowly again. Keras has it ready, and the packaged
# function uses it.
#
# <details><summary>Quiz: you stop half way and keep the weights. What have you missed?</summary>
#
# The small steps. Half way the rate is still about half of the first one, and the weights jump
# around the best place instead of settling in it. A cosine is meant to be run to its end: whoever
# has half the time should plan half the steps.
#
# </details>

# %% tags=["claim"]
schedule = keras.optimizers.schedules.CosineDecay(1.5e-3, steps, alpha=0.02)
theirs = [float(schedule(int(k))) for k in step[::10]]
assert np.allclose(theirs, rate[::10], rtol=1e-4)

# %%
print(inspect.getsource(training.compile_trainee))

# %% [markdown]
# ## 6. Train both
#
# After each epoch we look at real pictures: those of the validation set, enhanced with the weights
# of the moment. The `Watch` below is a Keras [**callback**](glossary.md#callback): Keras calls it
# after each epoch. The founding network is used as published, by the recursive function of the
# founding project, which notebook 05 takes apart.

# %%
from lle_utils import founding


def enhance(model, name):
    if name == "founding":
        return founding.enhance(255 * valid_low, 8, predict=model.predict_on_batch)
    return model.predict_on_batch(valid_low)


class Watch(keras.callbacks.Callback):
    def __init__(self, name):
        super().__init__()
        self.name, self.scores = name, []

    def on_epoch_end(self, epoch, logs=None):
        self.scores.append(mean_psnr(enhance(self.model, self.name)))


# %% [markdown]
# `training.train` follows a recipe and keeps a run in a folder: the recipe, the log, the best and
# the last weights, and what it needs to go on. Let it run. It takes the better part of this
# notebook's time.

# %%
runs = Path(tempfile.mkdtemp(prefix="lle-"))
watches = {name: Watch(name) for name in recipes}
trained = {}
for name, recipe in recipes.items():
    started = time.perf_counter()
    trained[name] = training.train(
        recipe, train_pairs, valid_pairs, runs / name, callbacks=[watches[name]], verbose=0
    )
    print(f"{name}: {steps} steps in {time.perf_counter() - started:.0f} s")

# %% [markdown]
# ## 7. Read the learning curves
#
# On the left what each was asked for: its own loss, on the training pictures. (Divided by its first
# value.) On the right what we want: how close the enhanced *validation* pictures come to their
# references. **Look for** what the founding run does on the right while it improves on the left.

# %%
logs = {name: training.read_log(runs / name / "log.csv") for name in recipes}
first = {name: mean_psnr(enhance(fresh[name], name)) for name in recipes}
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
for name, style in (("curve", "o-"), ("founding", "s--")):
    loss = np.array([row["loss"] for row in logs[name]])
    left.plot(range(1, len(loss) + 1), loss / loss[0], style, label=name)
    right.plot(range(len(loss) + 1), [first[name], *watches[name].scores], style, label=name)
right.axhline(constant_db, color="black", label="best constant")
right.axhline(untouched_db, color="gray", linestyle=":", label="untouched")
left.set(xlabel="epoch", ylabel="loss / loss of epoch 1", title="Its own loss, training")
right.set(xlabel="epoch", ylabel="PSNR in dB", title="The pictures, validation")
left.legend()
right.legend()
plt.show()

# %%
print(f"{'':10s} before   after")
for name in recipes:
    print(f"{name:10s} {first[name]:6.2f}  {watches[name].scores[-1]:6.2f} dB")
gain = watches["curve"].scores[-1] - constant_db
word = "above" if gain > 0 else "below"
print(f"constant          {constant_db:6.2f} dB: the curve run ends {abs(gain):.2f} dB {word} it")

# %% tags=["claim"]
fell = {name: log[-1]["loss"] / log[0]["loss"] for name, log in logs.items()}
assert fell["founding"] < fell["curve"] < 0.95
gains = {name: watches[name].scores[-1] - first[name] for name in recipes}
assert gains["curve"] > 0.5 and gains["curve"] > gains["founding"]
assert watches["curve"].scores[-1] > untouched_db + 3
assert watches["curve"].scores[-1] > watches["founding"].scores[-1] + 1

# %% [markdown]
# Both runs did what they were asked: both losses fell, the founding one even further. But only one
# was asked the right thing. Trained through the curve, the pictures get better. The founding run
# fits its map ever better, and what its pictures gained or lost by it stands in the table: after
# all its steps they are further from the reference than those of the other run, by more than a
# decibel.
#
# Note where both began. An untrained network is nearly a constant map, so its pictures are not bad
# at all (notebook 03). That makes "before" a serious opponent, too.
#
# And the constant? The last printed line says it: after so short a training the network has little
# more than learned the constant. With so few scenes to judge by, a few tenths of a decibel mean
# nothing either way. That is why every later score in this workbook stands beside the constant's.
#
# ## 8. What changed
#
# One validation picture, larger now, before and after. **Look for** the map of the last round: what
# does it say before training, and what after?

# %%
from lle_utils.model import enhance_picture, load_card, load_model

before, after = training.finished(fresh["curve"], recipes["curve"]), trained["curve"]
views = {
    "before": enhance_picture(before, low_view),
    "after": enhance_picture(after, low_view),
    "founding": enhance_picture(trained["founding"], low_view, 8),
    "reference": high_view,
}
scaled = [model.scaled_to(max(low_view.shape)) for model in (before, after)]
rounds = [
    [np.asarray(it.parameter_map)[0, ..., 0] for it in m.steps(low_view[None])] for m in scaled
]
maps = [every_round[-1] for every_round in rounds]

# %%
fig, axes = plt.subplots(2, 3, figsize=(12, 5.4))
for ax, (title, picture) in zip(axes.flat, views.items(), strict=False):
    ax.imshow(picture)
    ax.set(title=title)
for ax, title, m in zip(axes.flat[4:], ("before", "after"), maps, strict=True):
    image = ax.imshow(m, cmap="viridis", vmin=0.2, vmax=0.8)
    ax.set(title=f"last map {title}, mean {m.mean():.2f}")
fig.colorbar(image, ax=axes[1, 1:], label="M", shrink=0.8)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% tags=["claim"]
for title, every_round in zip(("before", "after"), rounds, strict=True):
    print(f"{title:6s} mean of M in rounds 1 to 8:", *(f"{m.mean():.2f}" for m in every_round))
moved = np.abs(np.subtract(*rounds)).mean()
print(f"moved by {moved:.3f}; spread over the picture, last round: {maps[1].std():.3f}")
assert moved > 0.005 and np.min(rounds) >= 0 and np.max(rounds) <= 1

# %% [markdown]
# The maps have moved, but each is still nearly flat: a few dozen steps teach the network how bright
# pictures should be, and little about *where*. Noise and fine detail are as they were. From so far
# away they cannot be seen.
#
# ## 9. Save and load
#
# A `.keras` file holds structure and weights. The run's folder has two: `best.keras`, the weights
# that scored best on validation, and `last.keras`. They carry the recipe's own schedule, for
# pictures of 600 pixels, and `scaled_to` suits it to others.

# %%
print(sorted(path.name for path in (runs / "curve").iterdir()))
loaded = load_model(runs / "curve" / "last.keras")
print("schedule", loaded.schedule, "and", loaded.iterations, "rounds")

# %% tags=["claim"]
again = enhance_picture(loaded, low_view)
assert np.allclose(again, views["after"], atol=1e-6)
assert loaded.schedule == recipes["curve"].schedule

# %% [markdown]
# ## 10. Stop and go on
#
# Long trainings get interrupted. To go on as if nothing had happened, the weights alone are not
# enough. Adam's memory, the step count (for the cosine) and the order of the pictures must be the
# same, too.
#
# We try it on a very small run: three epochs, two rounds, eight pairs. Once straight through, once
# broken off in the middle of the second epoch.


# %%
class PowerCutError(Exception):
    pass


class PowerCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 6:  # of 4 steps an epoch
            raise PowerCutError


# %%
small = dataclasses.replace(recipes["curve"], iterations=2, batch_size=2, epochs=3)
few = train_pairs[:8], valid_pairs[:2]
through = training.train(small, *few, runs / "through", verbose=0)
try:
    training.train(small, *few, runs / "broken", callbacks=[PowerCut()], verbose=0)
except PowerCutError:
    print("power cut! epochs in the log:", len(training.read_log(runs / "broken" / "log.csv")))

# %% [markdown]
# One epoch is safe; half an epoch is lost. Now call `train` again with the same folder, and
# compare.

# %% tags=["claim"]
resumed = training.train(small, *few, runs / "broken", verbose=0)
for one, other in zip(through.get_weights(), resumed.get_weights(), strict=True):
    assert np.allclose(one, other, atol=1e-5)
log = training.read_log(runs / "broken" / "log.csv")
assert [row["epoch"] for row in log] == [0, 1, 2]
print("three epochs in the log, and the weights are those of the run without a cut")

# %% [markdown]
# ## 11. The long runs
#
# The weights that come with the workbook were trained in the same way, for longer, on LOL. Their
# logs are in the repository. **Look for** the gap between training and validation.

# %%
import lle_utils

weights = Path(lle_utils.__file__).parent / "weights"
fig, axes = plt.subplots(1, 2, figsize=(12, 3.8))
for ax, name, key in zip(axes, ("curve8", "founding"), ("psnr", "loss"), strict=True):
    rows = training.read_log(weights / f"{name}.csv")
    epochs = [row["epoch"] + 1 for row in rows]
    ax.plot(epochs, [row[key] for row in rows], ".-", label="training")
    ax.plot(epochs, [row[f"val_{key}"] for row in rows], "s--", ms=4, label="validation")
    ax.set(xlabel="epoch", title=name)
axes[0].set(ylabel="PSNR in dB")
axes[1].set(ylabel="loss: map against picture")
axes[0].legend()
axes[1].legend()
plt.show()

# %% [markdown]
# Training goes on improving for as long as one lets it, slowly and in jumps. Validation soon stops
# following, because unseen scenes are harder than seen ones. So the weights of the best
# *validation* epoch are kept, and not the last ones.
#
# (The log of curve8 is that of its last part; its [card](glossary.md#card) says what came before.)
#
# Each weights file has such a **card**, which says how it came about and what it
# scores. Both weights were trained and are scored on LOL, by the
# [protocol](glossary.md#protocol) of notebook 06; "validation" means unseen
# scenes.

# %%
cards = {name: load_card(name) for name in ("curve8", "founding")}
for name, card in cards.items():
    print(f"{name}: epoch {card['epoch of these weights']} of {card['epochs run']}", end=", ")
    print(f"{card['steps']} steps, {card['minutes']} minutes on {card['machine']}")
    for method in ("weights", "constant"):
        psnr = card["scores"]["validation"][method]["psnr"]
        print(f"   {method:9s} {psnr:6.2f} dB on validation")
    print(textwrap.fill(card.get("note", ""), 90))

# %% tags=["claim"]
scores = {name: card["scores"]["validation"] for name, card in cards.items()}
assert scores["curve8"]["weights"]["psnr"] > scores["curve8"]["constant"]["psnr"]
assert scores["founding"]["weights"]["psnr"] < scores["founding"]["constant"]["psnr"]
rows = training.read_log(weights / "curve8.csv")
kept = max(rows, key=lambda row: row["val_psnr"])
assert kept["epoch"] + 1 == cards["curve8"]["epoch of these weights"]

# %% [markdown]
# A long training through the curve beats the constant on scenes it has never seen. A long training
# of the founding loss does not.
#
# ## 12. For real
#
# Outside a notebook, training is one command (after `python -m lle_utils fetch lol`):
#
# ```
# python -m lle_utils train --recipe curve8 --data lol -o data/runs/mine
# ```
#
# It shows the log as it goes. Stop it with Ctrl+C; the same command goes on where it stopped. The
# recipe is the one above, but for what this cell prints.

# %%
long = RECIPES["curve8"]
for field in dataclasses.fields(long):
    ours, theirs = getattr(recipes["curve"], field.name), getattr(long, field.name)
    if ours != theirs:
        print(f"{field.name:15s} here {ours}, there {theirs}")

# %% [markdown]
# Then compare with the committed weights: `python -m lle_utils evaluate PAIRS_FOLDER --weights
# data/runs/mine/best.keras`.
#
# ## Exercises
#
# The first three exercises stand where their matter was taught.

# %% [markdown]
# For the last exercise you need a fixed way to judge. It is the sample's validation pictures, every
# twelfth pixel of every twelfth row, on whatever you trained.


# %%
def score(enhance):
    """Mean PSNR in dB of enhance(picture) over the sample's validation pictures, thinned out."""
    scores = []
    for pair in data.load("sample", "validation", exposures=4):
        low, high = (side[6::12, 6::12] for side in (pair.low, pair.high))
        scores.append(metrics.psnr(enhance(low), high))
    return float(np.mean(scores))


# %% [markdown]
# ### Exercise 4.4. Beat the constant
#
# This one takes an evening. The curve run above had one budget: ten epochs of batches of 8. Change
# **one** thing and keep the budget. Three channels instead of one? The mean absolute error
# (`loss="mae"`)? Maps that begin near the constant (`initial_map=0.38`)? Another schedule? More
# augmentation? Learn from training pairs only. Write down first what you expect.
#
# Hand in the trained enhancer, and a claim: its `score` in dB, that of the best constant (fitted on
# the sample's training pairs in four exposures, for 8 rounds), and whether yours is better, `True`
# or `False`. Not to beat it is a right answer, too, if it is true. The check measures all of it
# again.

# %% tags=["exercise"]
my_enhancer = ...
claim = {"mine": ..., "constant": ..., "better": ...}

# %% tags=["check"]
checks.beat_the_constant(my_enhancer, claim)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `training.train(recipe, train_pairs, valid_pairs, folder)` returns an enhancer. Its recipe is that
# of section 4 with one change: `dataclasses.replace(recipes["curve"], ...)`.
# `enhance_picture(model, picture)` enhances with it, and `baselines.constant_map(picture, m, 8)`
# with a constant. Did you choose among several tries by their score? Then that score flatters you.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# from lle_utils import baselines
# from lle_utils.model import enhance_picture
#
# budget = {"stride": 12, "batch_size": 8, "epochs": 10, "channels": 1, "learning_rate": 1.5e-3}
# budget |= {"exposure_stops": 0.5, "white_balance": 0.05, "schedule": (32,), "iterations": 8}
# recipe = Recipe(**budget, initial_map=0.38)  # the one change: it began at 0.5
# mine, others = (data.load("sample", part, exposures=4) for part in ("train", "validation"))
# my_enhancer = training.train(recipe, mine, others, tempfile.mkdtemp(), verbose=0)
# m = baselines.fit_constant(mine, iterations=8)
# claim = {
#     "mine": score(lambda low: enhance_picture(my_enhancer, low)),
#     "constant": score(lambda low: baselines.constant_map(low, m, 8)),
# }
# claim["better"] = claim["mine"] > claim["constant"]
# ```
#
# One run with one seed on two scenes: run it again with `seed=1` before you believe in anything
# below half a decibel.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - A dark training picture is thinned out, so that its noise stays. Both sides of a pair are
#   flipped alike. Only the dark side is re-exposed.
# - The founding loss compares the *map* with the bright picture. Even its perfect fit brightens
#   badly, because nothing tells the map to stop.
# - The cure is to compare the *result*, and to send the gradient back through all rounds.
# - A falling loss proves only that you get what you asked for. Judge by pictures of other scenes,
#   beside the best constant.
# - To go on after a cut, keep weights, optimizer and the order of the batches.
#
# ## Further reading
#
# - D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
#   [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
# - I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017,
#   [arXiv:1608.03983](https://arxiv.org/abs/1608.03983): the cosine.
# - C. Guo and others, "Zero-Reference Deep Curve Estimation for Low-Light Image Enhancement", CVPR
#   2020, [doi:10.1109/CVPR42600.2020.00185](https://doi.org/10.1109/CVPR42600.2020.00185): trains
#   through the same curve, with no bright picture at all.
# - C. Wei and others, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC 2018,
#   [arXiv:1808.04560](https://arxiv.org/abs/1808.04560): the LOL pictures.
#
# Previous: [03. Build the network](03_build_the_network.ipynb) ·
# Next: [05. Iterate](05_iterate.ipynb)
