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
# You will train the network of notebook 03 twice, as it was first published and through the curve,
# and see why only one of the two can work.

# %% [markdown]
# ![The same dark picture enhanced by the founding weights, whose pictures stay dark, and by ours,
# with the maps above the pictures](figures/objectives.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 40 to read and do the quick exercises. Per
# exercise: 4.1: 20, 4.2: 15, 4.3: an evening.
#
# **What you'll need:** notebooks [02](02_bend_one_curve.ipynb) (the curve, the best constant) and
# [03](03_build_the_network.ipynb) (the network).
#
# **Contents:** 1 and 2 data, thumbnails, augmentation · 3 the founding loss · 4 to 6 the cure,
# Adam, training · 7 and 8 results · 9 and 10 save, stop, resume · 11 and 12 the long runs ·
# exercises
#
# Previous: [03. Build the network](03_build_the_network.ipynb) · Next: [05.
# Iterate](05_iterate.ipynb)

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
import dataclasses
import inspect
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from lle_utils import baselines, batches, checks, curve, data, founding, metrics, training
from lle_utils.batches import Batches
from lle_utils.enhancer import enhance_picture, trace
from lle_utils.network import build_network
from lle_utils.recipes import RECIPES

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 90, "figure.constrained_layout.use": True})
keras.utils.set_random_seed(0)
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. Training and validation pictures
#
# The network learns from the first set of pairs. We judge it by the second, the
# [**validation**](glossary.md#validation) set. The two must not share a **scene**: a network that
# has seen a room may simply remember how bright it should be (a [scene
# leak](glossary.md#scene-leak), notebook 01). The sample has few scenes, so we use each at four
# exposures: the included one, and three from the camera model.

# %%
if DATASET == "sample":
    train_pairs = data.load("sample", "train", exposures=4)
    valid_pairs = data.load("sample", "validation", exposures=4)
else:
    train_pairs = data.load("lol", "train", lazy=True)[::9].in_memory()
    valid_pairs = data.load("lol", "validation", lazy=True)[::6].in_memory()
print(len(train_pairs), "pairs to learn from,", len(valid_pairs), "to judge by")


# %% [markdown]
# ## 2. Thumbnails
#
# This notebook trains *how much light*. The enhancer estimates that from a **thumbnail**: the
# picture averaged down to 24 x 24 pixels. Training on thumbnails takes seconds.


# %%
def thumbnails(pairs):
    low = [batches.make_thumbnail(np.maximum(pair.low, curve.FLOOR)) for pair in pairs]
    high = [batches.make_thumbnail(pair.high) for pair in pairs]
    return np.stack(low), np.stack(high)


low, high = thumbnails(train_pairs)
valid_low, valid_high = thumbnails(valid_pairs)
print("dark:", low.shape, " bright:", high.shape)

# %% [markdown]
# Averaging keeps the brightness but removes the noise, so details are trained on crops at full size
# (notebook 05). The packaged `Batches` makes both. A [**recipe**](glossary.md#recipe) lists
# everything that determines a training run. Ours is called "exposure".

# %%
recipe = RECIPES["exposure"]
inputs, targets = Batches([(train_pairs, 1.0)], recipe)[0]
for name, array in inputs.items():
    print(f"{name:10s} {array.shape}")

# %% [markdown]
# `box` is the position of each crop in its picture, and `depth` the number of iterations. With this
# recipe the network never looks at the crops.
#
# ### Augmentation
#
# [Augmentation](glossary.md#augmentation) gets more out of few pictures. Each time a pair is drawn,
# both sides are cropped, rotated and flipped at random, and sometimes recolored. The dark side is
# also multiplied by a random gain and rounded again. Here is one pair, drawn four times. (The dark
# pictures are shown five times brighter.)

# %%
# Alt: One pair, cropped and flipped four ways: dark above, in varying brightness, bright below.
fig, axes = plt.subplots(2, 4, figsize=(12, 5))
for column, seed in enumerate((0, 4, 5, 10)):
    rng = np.random.default_rng(seed)
    dark_view, bright_view = batches.augment(*train_pairs.uint8(0), rng)
    axes[0, column].imshow(np.clip(5.0 * dark_view / 255, 0, 1))
    axes[1, column].imshow(bright_view)
    axes[0, column].set(title=f"mean code {dark_view.mean():.0f}")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# What is drawn must depend only on the seed, the [epoch](glossary.md#epoch) and the batch's number:
# that lets us resume in section 10. So random generators are seeded with lists of these numbers.
# (With their sum, a run with seed 1 would see in each epoch what a run with seed 0 sees one epoch
# later.)
#
# ## 3. What the founding project's loss compares
#
# The project that this workbook grew out of trained its network with one line:
# `fit(low, high / 255)`, where `low` has code values 0 to 255. The network's output is the
# [map](glossary.md#parameter-map) $M$, so the [loss](glossary.md#loss), a [mean squared
# error](glossary.md#mean-squared-error), is
#
# $$\text{mean}\,(M(I) - \text{bright picture})^2$$
#
# It asks the **map** to look like the bright picture; the [curve](glossary.md#curve) is not in it.
# We call it the [founding objective](glossary.md#founding-objective). Can that work? Assume a
# perfect fit: in every iteration, $M$ *is* the [reference](glossary.md#reference).
#
# ### Exercise 4.1. Trained to perfection
#
# Try it **before you read on**. `dark` and `bright` are arrays of the same shape, with values in
# [0, 1] and no zeros.
#
# The map is `bright` in every iteration of the curve. `best_iterations` returns the number of
# iterations, 0, 1, ... or `most`, after which the picture has the smallest mean squared error
# against `bright`.
#
# Then try single pixels that are twenty times too dark. Which number is best for one that should
# become 0.2? And for 0.9?


# %% tags=["exercise"]
def best_iterations(dark, bright, most):
    return ...


# %% tags=["check"]
checks.perfect_founding(best_iterations)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The map is the same in every iteration; the picture is not. List the errors after 0, 1, ...,
# `most` iterations: `np.argmin` finds the smallest.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def best_iterations(dark, bright, most):
#     E, errors = dark, []
#     for _ in range(most + 1):
#         errors.append(np.mean((E - bright) ** 2))
#         E = E + bright * E * (1 - E)
#     return int(np.argmin(errors))
# ```
#
# A bright goal has a large $M$: it is soon reached, and then passed. A dark goal has a small $M$
# and takes longer. So no number suits a picture with both.
#
# </details>

# %% [markdown]
# Now pictures. The bar is the best [constant](glossary.md#constant-map) of notebook 02, fitted on
# the training pairs and scored by [PSNR](glossary.md#psnr) on the validation pairs.


# %%
def mean_psnr(pictures):
    pairs = zip(np.clip(pictures, 0, 1), valid_high, strict=True)
    return float(np.mean([metrics.psnr(picture, reference) for picture, reference in pairs]))


small_pairs = [data.Pair("", *pair) for pair in zip(low, high, strict=True)]
best = baselines.fit_constant(small_pairs, iterations=8)
constant = curve.recurse(valid_low, lambda E, step: best, 8)
untouched_db, constant_db = mean_psnr(valid_low), mean_psnr(constant)
print(f"untouched: {untouched_db:.2f} dB; constant map of {best:.3f}: {constant_db:.2f} dB")

# %% [markdown]
# **Predict, then run:** will a map that equals the reference do better than one number for all
# pixels?

# %% tags=["claim"]
perfect = {n: curve.recurse(valid_low, lambda E, step: valid_high, n) for n in (4, 7, 8, 12)}
scores = {n: mean_psnr(pictures) for n, pictures in perfect.items()}
for n in scores:
    print(f"M = reference, {n:2d} iterations: {scores[n]:5.2f} dB")
assert max(scores[7], scores[8], scores[12]) < constant_db
assert scores[12] < scores[8] < scores[7]

# %%
shown = valid_pairs[0]
low_view, high_view = shown.low[::3, ::3], shown.high[::3, ::3]
views = {
    f"M = reference, n = {n}": curve.recurse(low_view, lambda E, step: high_view, n)
    for n in (4, 8, 12)
}
views[f"constant {best:.2f}, n = 8"] = baselines.constant_map(low_view, best, 8)
views["reference"] = high_view


# %%
# Alt: With the reference as map, the picture washes out; with the constant it does not.
def show(views):
    fig, axes = plt.subplots(1, len(views), figsize=(14, 12 / len(views)))
    for ax, (title, view) in zip(axes, views.items(), strict=True):
        ax.imshow(np.clip(view, 0, 1))
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=11)
    plt.show()


show(views)


# %% [markdown]
# With more iterations the picture washes out. One constant is closer to the reference. A bright
# pixel has a large $M$ in *every* iteration, so it overshoots toward white. To stop there, $M$ must
# fall as the goal is reached. The loss above cannot teach that, because it contains no iterations.
#
# There is a second fault. In training the network sees values from 0 to 255. In the recursion it
# sees them only in the first iteration; in the others it sees [0, 1], unlike anything it was
# trained on.
#
# ## 4. The cure: a loss on the result
#
# Compare the enhanced picture, always in the same range:
#
# $$\text{mean}\,(E_8(I) - \text{bright picture})^2$$
#
# $E_8$ is the result of eight iterations of $E \leftarrow E + M(E)\,E\,(1 - E)$. Everything in it
# is smooth, so Keras can send the gradient back through all eight iterations to the weights.
#
# ### Exercise 4.2. A loss through the curve
#
# Write that loss, for any number of iterations. `network(E)` returns the map of a batch `E`; `low`
# and `high` are such batches, without zeros in `low`. Return **one number**, as a Keras tensor: the
# check looks at its value *and* at its gradient with respect to the network's weights.


# %% tags=["exercise"]
def curve_loss(network, low, high, iterations):
    return ...


# %% tags=["check"]
checks.through_the_curve(curve_loss)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Predict again in each iteration. `+`, `-`, `*`, `**` and `keras.ops.mean` keep the gradient.
# `np.mean` and `network.predict` return plain numbers.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def curve_loss(network, low, high, iterations):
#     E = low
#     for _ in range(iterations):
#         E = E + network(E) * E * (1 - E)
#     return keras.ops.mean((E - high) ** 2)
# ```
#
# </details>

# %% [markdown]
# ## 5. Steps of the right size
#
# [**Adam**](glossary.md#adam), the optimizer, scales the step of each weight by how its gradient
# has behaved so far. The **learning rate** sets the overall size of the steps. It falls along half
# a **cosine**, to a hundredth: large steps are good at the start and bad at the end. We keep a
# **moving average** of the weights. Here is what the package compiles:

# %%
print(inspect.getsource(training.compile_trainee))


# %% [markdown]
# ## 6. Train both
#
# First the founding objective, in plain Keras, without augmentation and averaging, but with the
# pictures, steps and initial weights of the second run. After each epoch the
# [**callback**](glossary.md#callback) `Watch` enhances the validation pictures, with the founding
# project's recursive function, and scores them.


# %%
class Watch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.scores = []

    def on_epoch_end(self, epoch, logs=None):
        pictures = founding.enhance(255 * valid_low, 8, predict=self.model.predict_on_batch)
        self.scores.append(mean_psnr(pictures))


mapper = build_network(3, seed=recipe.seed)
before_db = mean_psnr(founding.enhance(255 * valid_low, 8, predict=mapper.predict_on_batch))
mapper.compile(optimizer="adam", loss="mse", jit_compile=False)
settings = {"batch_size": 8, "epochs": recipe.epochs, "verbose": 0}
watch = Watch()
history = mapper.fit(255 * low, high, callbacks=[watch], **settings)

# %% [markdown]
# Now through the curve. `training.train` follows a recipe and writes recipe, log, weights, and what
# it needs to resume, to a folder.

# %%
runs = Path(tempfile.mkdtemp(prefix="lle-"))
trained = training.train(recipe, train_pairs, valid_pairs, runs / "curve", verbose=0)

# %% [markdown]
# ## 7. Read the learning curves
#
# Left: each run's own loss on the training pictures, divided by its first value. Right: what we
# want, the PSNR of the enhanced *validation* pictures. **Look at** the founding run, left and
# right.

# %%
log = training.read_log(runs / "curve" / "log.csv")
losses = {
    "curve": np.array([row["thumbnail_loss"] for row in log]),
    "founding": np.array(history.history["loss"]),
}
fresh = training.build_trainee(recipe).enhancer
start_db = mean_psnr(np.asarray(fresh(valid_low)))
scores = {
    "curve": [start_db, *(row["val_thumbnail_psnr"] for row in log)],
    "founding": [before_db, *watch.scores],
}

# %%
# Alt: Left, both losses fall. Right, PSNR: the curve run rises above the constant, founding falls.
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
for name, style in {"curve": "o-", "founding": "s--"}.items():
    left.plot(range(1, len(log) + 1), losses[name] / losses[name][0], style, label=name)
    right.plot(range(len(log) + 1), scores[name], style, label=name)
right.axhline(constant_db, color="black", label="best constant")
right.axhline(untouched_db, color="gray", linestyle=":", label="untouched")
left.set(xlabel="epoch", ylabel="loss / loss of epoch 1", title="Its own loss, training")
right.set(xlabel="epoch", ylabel="PSNR in dB", title="The pictures, validation")
left.legend()
right.legend()
plt.show()

# %% tags=["claim"]
print(f"{'':10s} before   after")
for name in scores:
    print(f"{name:10s} {scores[name][0]:6.2f}  {scores[name][-1]:6.2f} dB")
gain = scores["curve"][-1] - constant_db
print(f"constant {constant_db:.2f} dB; the curve run ends {gain:+.2f} dB from it")
assert gain > 0 or DATASET == "lol"
assert losses["founding"][-1] < losses["founding"][0]
assert scores["founding"][-1] < scores["curve"][-1] - 1

# %% [markdown]
# Both losses fell, but only one asks for the right thing. The founding run's pictures gain a little
# at first. Then, the better it fits its maps, the further its pictures are from the reference.
#
# On the sample, the curve run passes the constant within a few epochs: some pictures are darker
# than others, and no single number suits them all. But these are only two scenes, and from the
# camera that the network learned from. Notebook 06 tests it on more.
#
# ## 8. What changed
#
# One validation picture, before and after training.

# %%
# Alt: One picture before training, after it, by the founding run, and the reference.
founded = founding.FoundingEnhancer(mapper)
show(
    {
        "before": enhance_picture(fresh, low_view),
        "after": enhance_picture(trained, low_view),
        "founding": enhance_picture(founded, low_view),
        "reference": high_view,
    }
)

# %% [markdown]
# What exposure does the network predict in each iteration? **Predict:** what should it be in the
# first iteration, and what in the last?

# %%
# Alt: Exposure in eight iterations: flat near 0.5 before training, falling after it.
fig, ax = plt.subplots(figsize=(7, 3.2))
means = {}
for name, model, style in (("before", fresh, "s--"), ("after", trained, "o-")):
    means[name] = [step.parameter_map.mean() for step in trace(model, low_view)]
    ax.plot(range(1, 9), means[name], style, label=name)
ax.set(xlabel="iteration", ylabel="exposure, mean of channels", ylim=(0, 1))
ax.legend()
plt.show()

# %% [markdown]
# Untrained, it is always about one half. After training it starts there and falls as the picture
# gets brighter: the network looks at the *result* of each iteration.
#
# ## 9. Save and load
#
# The run's folder has a `.keras` file, with the structure and the weights.

# %%
from lle_utils.weights import load_card, load_model

print(sorted(path.name for path in (runs / "curve").iterdir()))
loaded = load_model(runs / "curve" / "last.keras")
print("schedule", loaded.schedule, "and", loaded.iterations, "iterations")
same = np.array_equal(enhance_picture(loaded, low_view), enhance_picture(trained, low_view))
print("same picture:", same)


# %% [markdown]
# ## 10. Stop and resume
#
# To resume as if nothing had happened, you need more than the weights: Adam's state, the step count
# (for the cosine) and the order of the pictures. We try a small run of three epochs, once straight
# through, once interrupted in the second epoch.


# %%
class PowerCutError(Exception):
    pass


class PowerCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 6:  # of 4 steps per epoch
            raise PowerCutError


small = dataclasses.replace(recipe, depths=(2, 2), batch_size=2, epochs=3)
few = train_pairs[:8], valid_pairs[:2]
through = training.train(small, *few, runs / "through", verbose=0)
try:
    training.train(small, *few, runs / "broken", callbacks=[PowerCut()], verbose=0)
except PowerCutError:
    print("power cut! epochs in the log:", len(training.read_log(runs / "broken" / "log.csv")))

# %% [markdown]
# One epoch is saved. Now call `train` again with the same folder.

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
# The packaged weights were trained in the same way, for longer and on many more pictures, with the
# whole schedule and with crops at full size. **Look for** which validation curve on the left rises
# longer: thumbnails (how much light) or crops (details as well)? On the right is the founding
# objective, trained on LOL.

# %%
# Alt: Left, PSNR of the enhancer's thumbnails and crops by epoch. Right, the founding loss.
weights = Path(training.__file__).parent / "weights"
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 3.8))
for ax, name, key, label in (
    (left, "enhancer", "thumbnail_psnr", "thumbnails, "),
    (left, "enhancer", "crop_psnr", "crops, "),
    (right, "founding", "loss", ""),
):
    rows = training.read_log(weights / f"{name}.csv")
    epochs = range(1, len(rows) + 1)
    ax.plot(epochs, [row[key] for row in rows], ".-", label=f"{label}training")
    ax.plot(epochs, [row[f"val_{key}"] for row in rows], "s--", ms=4, label=f"{label}validation")
    ax.set(xlabel="epoch", title=name, ylabel="loss" if key == "loss" else "PSNR in dB")
    ax.legend(fontsize=9)
plt.show()

# %% [markdown]
# How much light is learned in about four epochs. Then the validation curve of thumbnails falls a
# little although its training curve rises, perhaps because training shows many cameras and
# validation only LOL's. Details take about seven epochs. Validation pictures are not augmented, so
# their curves can be above those of training.
#
# Each weights file has a [**card**](glossary.md#card), which says how it was trained and how it
# scores.

# %%
for name in ("enhancer", "founding"):
    card = load_card(name)
    print(f"{name}: {card['steps']} steps, {card['minutes']} minutes on {card['machine']}")
    scores = card["scores"]["validation"]
    for method in ("weights", "constant"):
        print(f"   {method:9s} {scores[method]['psnr']:6.2f} dB on validation")

# %% [markdown]
# The long run through the curve beats the constant on scenes it has never seen. The long run of the
# founding loss does not.
#
# ## 12. The full training
#
# Outside a notebook, training is one command (after `python -m lle_utils fetch lol`):
#
# ```
# python -m lle_utils train -o data/runs/mine
# ```
#
# Stop it with Ctrl+C; the same command resumes. Without photographs and pairs from other cameras,
# add `--sources lol sample`. The recipe of the packaged weights differs from ours as follows.

# %%
for field in dataclasses.fields(recipe):
    ours, theirs = getattr(recipe, field.name), getattr(RECIPES["enhancer"], field.name)
    if ours != theirs:
        print(f"{field.name:15s} here {ours}, there {theirs}")


# %% [markdown]
# To score it: `python -m lle_utils evaluate PAIRS_FOLDER --weights data/runs/mine/last.keras`.
#
# ## Exercises
#
# Exercise 4.3 needs a fixed score, on the sample's validation pictures, every twelfth pixel of
# every twelfth row.


# %%
def score(enhance):
    """Mean PSNR in dB of enhance(picture) over the sample's validation pictures, made small."""
    scores = []
    for pair in data.load("sample", "validation", exposures=4):
        low, high = (side[6::12, 6::12] for side in (pair.low, pair.high))
        scores.append(metrics.psnr(enhance(low), high))
    return float(np.mean(scores))


# %% [markdown]
# ### Exercise 4.3. Beat the constant
#
# The curve run above beat the constant on thumbnails; `score` judges pictures with noise. Change
# **one** thing, and keep the budget of 20 epochs of batches of 8. No augmentation
# (`augment=False`)? A larger learning rate? A schedule that also says *where*
# (`schedule=("exposure", "thumbnail")`)? Use only training pairs, and write down first what you
# expect.
#
# Hand in the trained enhancer, its `score` in dB, and the score of the best constant (fitted on the
# sample's training pairs at four exposures, for 8 iterations). The check measures both again. A
# worse enhancer passes as well, if its score is true.

# %% tags=["exercise"]
my_enhancer = ...
mine, constant = ..., ...

# %% tags=["check"]
checks.beat_the_constant(my_enhancer, mine, constant)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `training.train(recipe, train_pairs, valid_pairs, folder)` returns an enhancer. Its recipe is that
# of section 2 with one change: `dataclasses.replace(recipe, ...)`.
# `enhance_picture(model, picture)` enhances with it, and `baselines.constant_map(picture, m, 8)`
# with a constant. If you choose among several tries by `score`, that score is too good.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# changed = dataclasses.replace(RECIPES["exposure"], learning_rate=2e-3)  # the one change
# pairs, others = (data.load("sample", part, exposures=4) for part in ("train", "validation"))
# my_enhancer = training.train(changed, pairs, others, tempfile.mkdtemp(), verbose=0)
# m = baselines.fit_constant(pairs, iterations=8)
# mine = score(lambda low: enhance_picture(my_enhancer, low))
# constant = score(lambda low: baselines.constant_map(low, m, 8))
# ```
# One run, one seed, two scenes: run it again with `seed=1` before you believe anything below half a
# decibel.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - "How much light" is learned from thumbnails. Details need crops at full size.
# - The founding loss compares the *map* with the bright picture. Even a perfect fit brightens
#   badly, because nothing tells the map to stop.
# - The cure is to compare the *result* and send the gradient back through all iterations.
# - A falling loss proves only that you get what you asked for. Judge by other scenes, next to the
#   best constant.
# - To resume, keep the weights, the optimizer's state and the order of the batches.
#
# Sources and further reading: [references](references.md).
#
# Next: [05. Iterate](05_iterate.ipynb)
