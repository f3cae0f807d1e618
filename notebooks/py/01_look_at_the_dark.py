# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01. Look at the dark
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/01_look_at_the_dark.ipynb)
#
# At the end you will have a verified data set, a feeling for what a dark picture still holds, and a
# small camera that makes dark pictures by itself.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - how to fetch the LOL data set and how to know that it is the right one
# - what is in a dark picture: few code values, exact zeros, noise
# - three things that go wrong with data: moved cameras, faulty pairs, and **scenes that leak** from
#   the training pictures into the test
# - how a dark picture comes about, step by step, from light to an 8-bit file, and how other cameras
#   differ
#
# **What you'll need:** NumPy, SciPy and Matplotlib. No network is needed: the sample is embedded.
#
# Before: [00. Brighten one picture](00_brighten_one_picture.ipynb) · Next: [02. Bend one
# curve](02_bend_one_curve.ipynb)

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
import csv
import inspect

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from scipy import fft, ndimage, stats

from lle_utils import camera, checks, data, fetch, images, metrics, paths

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## Get the data
#
# The **[LOL](glossary.md#lol)** data set (Wei and others, 2018) holds 500 pairs: one dark picture,
# one well lit, taken from a tripod. 485 pairs (`our485`) are for training, 15 (`eval15`) for the
# test. It states no license, so this workbook does not carry it: you fetch it yourself, for study.
#
# Downloads break. The official address sometimes answers with a web page in place of the archive.
# So `fetch` tries several sources, goes on where a download was cut, and checks **each of the 1000
# files** against a committed list of hashes. It keeps the complete data set or nothing.
#
# Nothing is downloaded unless you say so. Set the switch to `True` if you want LOL (347 MB):

# %%
FETCH = False  # @param {type:"boolean"}

if FETCH:
    fetch.fetch_lol()
print("LOL belongs in", os.path.relpath(paths.lol_dir()), "- state:", str(fetch.lol_state()))

# %% [markdown]
# "absent" is fine: everything below runs on the **sample**, a few free photographs that travel with
# the workbook. Their dark partners are made by a model of a camera, which you will build below. To
# use LOL, set `DATASET = "lol"` above and run again. Then the next cell also judges every file.

# %%
if DATASET == "lol":
    print(fetch.verify_lol().summary())
else:
    print("Using the embedded sample; there is nothing to verify.")

# %% [markdown]
# ## Look at pairs
#
# We take up to eight pairs, spread over the training [split](glossary.md#split). A picture is a
# NumPy array of floats in [0, 1], of shape (height, width, 3). Times 255 gives the
# **[code values](glossary.md#code-value)** of an 8-bit file.

# %%
training = data.load(DATASET, "train", lazy=True)
pairs = list(training[:: max(1, len(training) // 8)][:8])
print(len(training), "pairs in", training.title, "- looking at", [pair.name for pair in pairs])
print("shape", pairs[0].low.shape, "type", pairs[0].low.dtype)


# %%
def show(pictures, titles, height=3.4):
    """Draw pictures side by side."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures]
    size = (height * sum(widths) + 0.3, height + 0.5)
    figure, axes = plt.subplots(1, len(pictures), figsize=size, width_ratios=widths, squeeze=False)
    for axis, picture, title in zip(axes[0], pictures, titles, strict=True):
        axis.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title)
        axis.axis("off")
    plt.show()


# %% [markdown]
# Look at the left picture first. Then at the middle one, which is the same file multiplied by one
# number until it is as bright as the right one. What is worse in the middle than on the right?

# %%
NUMBER = 2  # @param {type:"slider", min:0, max:7}
pair = pairs[NUMBER % len(pairs)]
gain = pair.high.mean() / pair.low.mean()
show([pair.low, gain * pair.low, pair.high], ["dark", f"dark x {gain:.1f}", "well lit"])

# %% [markdown]
# The dark file is not empty: multiplied, the scene comes back. But it comes back grainy, with
# clipped lights and often with wrong colors. Change `NUMBER` to see the other pairs.

# %%
rows = [pair.low for pair in pairs[:4]], [pair.high for pair in pairs[:4]]
for pictures, kind in zip(rows, ("dark", "well lit"), strict=True):
    show(pictures, [f"{pair.name}, {kind}" for pair in pairs[:4]], height=2.0)

# %% [markdown]
# Four scenes: dark above, well lit below.
#
# How far does *just multiply* get? First with a factor of 8. Look at the darkest corner and at the
# brightest spot.


# %%
def multiply(name, factor):
    """Draw one pair: dark, multiplied by one number, and well lit."""
    pair = next(pair for pair in pairs if pair.name == name)
    title = f"dark x {factor:g}, mean code {255 * np.clip(factor * pair.low, 0, 1).mean():.0f}"
    show([pair.low, factor * pair.low, pair.high], ["dark", title, "well lit"], height=2.8)


multiply(pairs[0].name, factor=8)

# %% [markdown]
# And now you, with any pair and any factor (in a running notebook). **Try** to find a factor that
# makes the picture in the middle as good as the one on the right. What gets in your way?

# %%
name = ipywidgets.Dropdown(options=[pair.name for pair in pairs])
factor = ipywidgets.FloatSlider(value=8, min=1, max=40, step=0.5, continuous_update=False)
_ = ipywidgets.interact(multiply, name=name, factor=factor)

# %% [markdown]
# A factor that suits the darkest corner cuts off the brightest spot, and one that spares the spot
# leaves the corner dark. Each picture needs a different factor. And the grain grows with it.
#
# ## Count the code values
#
# **Predict, then run.** An 8-bit file has 256 code values, 0 to 255. How many of them does a dark
# picture really use? Write down a guess for "nine of ten samples lie below code ...".

# %%
low_codes = np.concatenate([images.to_uint8(pair.low).ravel() for pair in pairs])
high_codes = np.concatenate([images.to_uint8(pair.high).ravel() for pair in pairs])
for name, codes in (("dark", low_codes), ("well lit", high_codes)):
    print(f"{name:8s}  mean code {codes.mean():6.1f}   nine of ten below", np.quantile(codes, 0.9))
    print(f"          exact zeros {100 * np.mean(codes == 0):.1f} %")

# %% [markdown]
# Now the histograms. Left, the usual way: the dark one is a spike at the edge. Right, the same
# counts with a logarithmic axis: the spike has a long tail, the brightest parts of the scenes.

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
for axis, scale in zip(axes, ("linear", "log"), strict=True):
    for codes, label, color in ((high_codes, "well lit", "orange"), (low_codes, "dark", "black")):
        share = np.bincount(codes, minlength=256) / codes.size
        axis.step(range(256), np.where(share > 0, share, np.nan), label=label, color=color)
    axis.set(xlabel="code value", ylabel="share of samples", yscale=scale, title=f"{scale} axis")
axes[0].legend()
plt.show()

# %% [markdown]
# The dark picture squeezes the whole scene into a few dozen codes. Brightening spreads these few
# steps over the whole range, and no new steps appear in between.
#
# Exact zeros deserve a second look: multiplied by any number they stay 0. Notebook 02 shows that
# they stay 0 under our curve as well, and what to do about it.

# %% tags=["claim"]
assert low_codes.mean() < high_codes.mean() / 3
assert np.quantile(low_codes, 0.5) < 32
assert np.mean(low_codes == 0) > 0.005

# %% [markdown]
# ### Exercise 1.1. Multiply a dark file
#
# **Predict first, on paper.** A dark file uses each of the codes 0 to 31. You multiply the picture
# by 8 and save it again as an 8-bit file. How many codes does the new file use? What has become of
# the exact zeros? And which is the next code above them that is used?

# %% tags=["exercise"]
codes_used, zeros_become, next_code = ..., ..., ...

# %% tags=["check"]
checks.brightened_codes(codes_used, zeros_become, next_code)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Write down the first few old codes and the new ones below them. Or let NumPy do it: `np.unique(8 *
# np.arange(32))`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# codes_used, zeros_become, next_code = 32, 0, 8
# ```
#
# Multiplying moves codes apart, but makes no new ones. And no factor moves a 0.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: you save the dark file with 16 bits before you multiply. Are the missing
# codes back?</summary>
#
# No. They were lost when the camera rounded to 256 codes, and a larger box does not refill them:
# the file still holds the same 32 values. (A raw file from the camera is another matter. It was
# never rounded to 8 bits.)
#
# </details>

# %% [markdown]
# ## How many stops are missing?
#
# A photographer counts light in **[stops](glossary.md#stop)**: one stop less is half the light. A
# code value is not proportional to light, so we first undo the encoding of the file
# ([sRGB](glossary.md#srgb)). The function is built further below; here we use it to ask how many
# stops separate each pair.


# %%
def stops_between(pair):
    """Return by how many stops the well-lit picture has more light, clipped lights left out."""
    good = pair.high.max(axis=-1) < 0.94
    low, high = (camera.srgb_to_linear(picture[good]).mean() for picture in (pair.low, pair.high))
    return np.log2(high / low)


stops = np.array([stops_between(pair) for pair in pairs])
for pair, value in zip(pairs, stops, strict=True):
    print(f"{pair.name:12s} {value:4.1f} stops: 1 / {2**value:.0f} of the light")

# %% [markdown]
# The pairs differ by a lot, so no single number can brighten all of them. Something must look at
# each picture and judge how dark it is. That is the network's first job.

# %% tags=["claim"]
assert stops.min() > 1.5
assert stops.max() - stops.min() > 0.7

# %% [markdown]
# ### Exercise 1.2. How many stops lie between two codes?
#
# Write a function that takes two code values of an sRGB file, 0 to 255, and returns by how many
# stops the first has more light. It should also work on arrays. **Predict first:** is code 128 one
# stop above code 64?


# %% tags=["exercise"]
def stops_between_codes(bright, dark):
    return ...  # stops of light, positive where `bright` has more


# %% tags=["check"]
checks.stops_between_codes(stops_between_codes)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Three steps: make the codes numbers in [0, 1], decode them to light with `camera.srgb_to_linear`,
# and ask how often the light doubles: the logarithm to base 2 of a ratio.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def stops_between_codes(bright, dark):
#     light, less = (camera.srgb_to_linear(np.asarray(code) / 255) for code in (bright, dark))
#     return np.log2(light / less)
# ```
#
# `stops_between_codes(128, 64)` is 2.1, not 1: a code value is not proportional to light.
#
# </details>

# %% [markdown]
# ## Which pairs are faulty, and why 648 is left out
#
# We will compare an enhanced picture with its well-lit partner, pixel by pixel. That is fair only
# if the camera did not move in between. In the sample it cannot have moved: its dark pictures are
# computed from the bright ones. LOL's are photographed, and a few moved. The appendix at the end
# measures how far. What it found is committed, so you can read it without LOL:

# %%
registry = data.lol_scenes()
for name, reason in registry["left_out"].items():
    print(f"left out: {name}: {reason}\n")
for reason in dict.fromkeys(registry["faults"].values()):
    print(", ".join(name for name, why in registry["faults"].items() if why == reason))
    print(f"    {reason}")

# %% [markdown]
# Faulty pairs of the *test* are treated differently. 493, 547 and 669 are off by half a pixel, and
# they stay: every published score was computed with them, and dropping what one does not like from
# a test is the first step to fooling oneself.
#
# ## Noise against brightness
#
# How grainy is a dark picture? We need places where the *scene* is smooth, so that what varies is
# noise. The well-lit partner says where: where it hardly changes. There we subtract a smoothed dark
# picture from the dark picture and look at what remains.


# %%
def noise_by_code(pairs, edges, channel=1, smooth=2.0, flat=1.0):
    """Return the noise (in code values) of dark samples, bin by bin of their local brightness."""
    rest, level = [], []
    for pair in pairs:
        low, high = 255 * pair.low[..., channel], 255 * pair.high[..., channel]
        local = ndimage.gaussian_filter(low, smooth)
        slope = ndimage.gaussian_gradient_magnitude(high, smooth)
        chosen = (slope < flat) & (high > 5) & (high < 250)
        rest.append((low - local)[chosen])
        level.append(local[chosen])
    rest, level = np.concatenate(rest), np.concatenate(level)
    bins = np.digitize(level, edges)
    return np.array([rest[bins == b].std() if np.sum(bins == b) > 200 else np.nan
                     for b in range(1, len(edges))])  # fmt: skip


# %% [markdown]
# **Predict, then run.** Where will the noise be larger: in the darkest parts, or in parts four
# times brighter? And where is it larger *compared with the signal*?

# %%
edges = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
centers = (edges[:-1] + edges[1:]) / 2
noise = noise_by_code(pairs, edges)
for center, value in zip(centers, noise, strict=True):
    print(f"code {center:4.1f}: noise {value:4.2f} codes, signal / noise {center / value:5.1f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
axes[0].plot(centers, noise, "o-", color="black")
axes[0].set(ylabel="noise (codes)", title="noise", ylim=(0, None))
axes[1].plot(centers, centers / noise, "o-", color="black")
axes[1].set(ylabel="signal / noise", title="signal compared with noise", ylim=(0, None))
for axis in axes:
    axis.set(xlabel="local brightness (code value, green channel)")
plt.show()

# %% [markdown]
# In code values the noise changes little: the brightness grows twentyfold, the noise two- or
# threefold. Compared with the signal it is worst in the dark. A brightener multiplies the darkest
# parts most, and their noise with them. So the darker a part was, the grainier it will be.

# %% tags=["claim"]
ratio = (centers / noise)[np.isfinite(noise)]
assert ratio[-1] > 3 * ratio[0]
assert np.nanmax(noise) < 4 * np.nanmin(noise)

# %% [markdown]
# ### Exercise 1.3. Noise without a well-lit partner
#
# We needed the well-lit partner to say where the scene is smooth. With **two dark shots** of one
# scene you need neither partner nor smooth places. The scene is the same in both, so it cancels in
# their difference. What remains is noise.
#
# Write a function that returns the noise *of one shot* (its standard deviation, in codes) for each
# bin of brightness. `first` and `second` are arrays (height, width) of code values, `edges` the
# borders of the bins. Take the mean of the two shots as the brightness of a pixel.


# %% tags=["exercise"]
def noise_by_level(first, second, edges):
    return ...  # len(edges) - 1 numbers


# %% tags=["check"]
checks.noise_by_level(noise_by_level)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The difference carries the noise of *two* shots. Independent noise adds up in variance: the
# variance of the difference is twice that of one shot. For the bins, look at how `noise_by_code`
# does it.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def noise_by_level(first, second, edges):
#     rest, bins = first - second, np.digitize((first + second) / 2, edges)
#     spread = [rest[bins == number].std() for number in range(1, len(edges))]
#     return np.array(spread) / np.sqrt(2)
# ```
#
# </details>

# %% [markdown]
# <details><summary>Quiz: you average four shots from a tripod. Is a quarter of the noise
# left?</summary>
#
# Half of it. Independent errors add up in *variance*: the sum of four has four times the
# variance, so twice the noise, and dividing by four leaves a half. For a quarter you need sixteen
# shots.
#
# </details>

# %% [markdown]
# ## Scene leak: are the test pictures really new?
#
# A test should show pictures that training has not seen. LOL's photographers took most scenes
# several times, at different exposures. And then? Here is a committed list of which files show the
# same scene. **Predict, then run:** of the 15 test pictures, how many show a scene that is also in
# the training pictures?

# %%
groups = registry["groups"]
print(len(groups), "scenes in", sum(map(len, groups)), "pairs; for example", groups[6])
for group in groups:
    test_files = [file for file in group if file.startswith("eval15/")]
    others = [file for file in group if file.startswith("our485/")]
    for file in test_files:
        print(f"{file:15s} also in training as: {', '.join(others) or 'nothing'}")

# %% tags=["claim"]
test_only = [group for group in groups if all(file.startswith("eval15/") for file in group)]
assert test_only == [["eval15/179.png"]]

# %% [markdown]
# Fourteen of fifteen. Only one test scene is new. This is a
# **[scene leak](glossary.md#scene-leak)**. A network that *remembers* the scenes it was trained on
# gets a better score on this test than on your photographs. It is the official test and we report
# it, because everybody does. But we choose nothing by it, and we keep other scenes out of training:
# `validation` (to choose by) and `unseen` (to score once, at the end), both cut **by scene**.

# %%
for split, names in data.lol_split_names().items():
    print(f"{split:10s} {len(names):3d} pairs")

# %% tags=["claim"]
split_of = {name: split for split, names in data.lol_split_names().items() for name in names}
for group in groups:
    found_in = {split_of.get(file.split("/")[1].removesuffix(".png")) for file in group}
    # A scene is in one split. The only exception is the official test, which shares training's.
    assert len(found_in - {None}) == 1 or found_in <= {"train", "test", None}

# %% [markdown]
# ### Exercise 1.4. Cut by scene
#
# Write a scene-safe split. `groups` is a list of scenes, each a list of file names, as in
# `registry["groups"]`. Draw whole scenes at random and hold them out until at least `share` of all
# **files** is held out; then stop. The others are for training. The same `seed` must give the same
# split again, a different seed a different one.


# %% tags=["exercise"]
def split_by_scene(groups, share, seed):
    train, held_out = ..., ...  # two lists of file names
    return train, held_out


# %% tags=["check"]
checks.scene_split(split_by_scene)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.random.default_rng(seed).permutation(len(groups))` is the scenes' numbers in random order. Go
# through them and add each scene's files to one list as long as that is too short, then to the
# other.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def split_by_scene(groups, share, seed):
#     train, held_out = [], []
#     wanted = share * sum(len(group) for group in groups)
#     for number in np.random.default_rng(seed).permutation(len(groups)):
#         side = held_out if len(held_out) < wanted else train
#         side.extend(groups[number])
#     return train, held_out
# ```
#
# </details>

# %% [markdown]
# <details><summary>Quiz: you cut all pictures into patches and split the <em>patches</em> at
# random. Is that safe?</summary>
#
# No. Patches of one picture, and of one scene, land on both sides: the same wall, the same lamp.
# The validation score then praises memory. Cut scenes first, patches afterwards.
#
# </details>

# %% [markdown]
# ### How such a list is found
#
# Two exposures of one scene differ in brightness, but the *order* stays: the lamp is brighter than
# the wall, the wall brighter than the floor. So shrink each picture to a thumbnail, replace values
# by their **ranks**, and correlate. Any rising curve, gamma or our own, leaves ranks alone.


# %%
def thumbnail_ranks(picture, rows=12, columns=18):
    """Return the ranks of a thumbnail's values, shape (rows * columns,), scaled to length 1."""
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    gray = picture[: rows * height, : columns * width].mean(axis=-1)
    small = gray.reshape(rows, height, columns, width).mean(axis=(1, 3))
    ranks = stats.rankdata(small)
    return (ranks - ranks.mean()) / (ranks.std() * ranks.size**0.5)


thumb = thumbnail_ranks(pairs[0].high)
print(f"with itself, brightened:   {thumb @ thumbnail_ranks(pairs[0].high ** 0.5):.3f}")
print(f"with its dark partner:     {thumb @ thumbnail_ranks(pairs[0].low):.3f}")
print(f"with another scene:        {thumb @ thumbnail_ranks(pairs[1].high):.3f}")

# %% [markdown]
# Now each picture of the test against a slice of the training pictures. What to look for: a cell
# close to 1 is one scene, seen twice.

# %%
test, slice_of_training = data.load(DATASET, "test", lazy=True)[:8], training[:60]
ours = np.array([thumbnail_ranks(pair.high) for pair in slice_of_training])
theirs = np.array([thumbnail_ranks(pair.high) for pair in test])
likeness = theirs @ ours.T
plt.figure(figsize=(10, 3.6))
plt.imshow(likeness, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
plt.colorbar(label="rank correlation")
plt.yticks(range(len(test)), test.names)
plt.gca().set(xlabel="number of the training picture", ylabel="test picture", title=training.title)
plt.show()

# %%
same = likeness > 0.97
for name, row in zip(test.names, same, strict=True):
    twins = [slice_of_training.names[index] for index in np.flatnonzero(row)]
    print(f"{name:10s}", ", ".join(twins) or "no scene twice")

# %% [markdown]
# The sample has no such cell: its test scenes are in no other split. LOL has many, and they are the
# ones of the list.
#
# So that you see a leak on the sample too, we make one: each scene at 4 stops less, against each at
# 6 stops less.

# %%
rng = np.random.default_rng(1)
once, twice = (
    np.array([thumbnail_ranks(camera.darken(pair.high, stops, rng)) for pair in pairs])
    for stops in (4, 6)
)
plt.figure(figsize=(5.5, 4.2))
plt.imshow(once @ twice.T, vmin=-1, vmax=1)
plt.colorbar(label="rank correlation")
plt.gca().set(xlabel="scene, 6 stops less", ylabel="scene, 4 stops less")
plt.show()

# %% [markdown]
# The bright diagonal is the leak: the same scene, whatever its exposure. Everything else is darker.

# %% tags=["claim"]
if DATASET == "lol":
    seen = {f"our485/{name}.png" for name in slice_of_training.names}
    listed = {name for group in groups if seen & set(group) for name in group}
    assert [f"eval15/{name}.png" in listed for name in test.names] == same.any(axis=1).tolist()
assert same.any() == (DATASET == "lol")
assert (np.diag(once @ twice.T) > 0.97).all()

# %% [markdown]
# ## How a dark picture comes about
#
# You have seen what a dark picture looks like. Now let us make one. We follow the light from the
# scene to the file and write each step in one or two lines. Start from a well-lit picture.
#
# ### Step 1: from code values to light
#
# A file stores *encoded* values: more codes for the dark, where eyes see small steps. The rule is
# called **sRGB**. Below it is undone, so that numbers are proportional to light.

# %%
reference = pairs[NUMBER % len(pairs)].high
encoded = reference.astype(np.float64)
light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
show([reference, light], ["the file's values", "the light, as numbers"], height=3.0)

# %% [markdown]
# Shown as numbers, light looks too dark and contrasty: half the code range is only a fifth of the
# light.

# %% tags=["claim"]
assert 0.2 < camera.srgb_to_linear(0.5) < 0.22
np.testing.assert_array_equal(light, camera.srgb_to_linear(encoded))

# %% [markdown]
# ### Step 2: take light away
#
# Five stops less: halve it five times.

# %%
exposure = camera.Exposure(stops=5.0, cast=(0.3, -0.3))
dim = light * 2.0**-exposure.stops
print(f"mean light: {light.mean():.3f} before, {dim.mean():.5f} after")

# %% [markdown]
# ### Step 3: the sensor counts
#
# A pixel counts electrons set free by light. Light comes in grains, so the count scatters: where
# $n$ electrons are expected, the spread is $\sqrt{n}$. This is
# **[shot noise](glossary.md#shot-noise)**. Reading the pixel out adds a few electrons of error,
# **[read noise](glossary.md#read-noise)**, whatever the light.
#
# Color filters pass unequal amounts. To make gray look gray, a camera multiplies red and blue; so
# these channels counted *less* and are noisier.

# %%
sensor = camera.LOL_LIKE
print(sensor)
rng = np.random.default_rng(7)
gains = np.array(sensor.gains)
expected = dim * sensor.electrons / gains
electrons = rng.poisson(expected) + sensor.read_noise * rng.standard_normal(expected.shape)

# %%
n = np.median(expected, axis=(0, 1))
for channel, count in zip(("red", "green", "blue"), n, strict=True):
    spread = np.hypot(np.sqrt(count), sensor.read_noise)
    print(f"{channel:6s} a middling pixel expects {count:6.1f} electrons, +- {spread:4.1f}")
print(f"below zero: {100 * np.mean(electrons < 0):.2f} % (read noise)")

# %% [markdown]
# ### Step 4: white balance
#
# **[White balance](glossary.md#white-balance)** multiplies by the gains, and by how wrong the
# camera is about the color of the lamp (the **[cast](glossary.md#cast)**, here 0.3 stops too much
# red, 0.3 too little blue). Then cut off what a file cannot hold. Counts below zero become
# **exact zeros** here.

# %%
wrong = np.exp2([exposure.cast[0], 0.0, exposure.cast[1]])
balanced = np.clip(electrons * (gains * wrong) / sensor.electrons, 0, 1)

# %% [markdown]
# ### Step 5: encode, and round to 256 codes
#
# The last step loses what lies between two codes. In the dark that is a lot.

# %%
coded = np.where(balanced <= 0.0031308, 12.92 * balanced, 1.055 * balanced ** (1 / 2.4) - 0.055)
dark = np.rint(255 * coded).astype(np.float32) / np.float32(255)
codes = np.unique(np.rint(255 * dark[..., 1]))
print(f"mean code {255 * dark.mean():.1f}, {len(codes)} codes used in green, "
      f"exact zeros {100 * np.mean(dark == 0):.1f} %")  # fmt: skip

# %%
factor = reference.mean() / dark.mean()
show([reference, dark, factor * dark], ["well lit", "our dark picture", f"x {factor:.1f}"], 3.0)

# %% [markdown]
# Left the [reference](glossary.md#reference), in the middle what our camera made of it, right the
# same brightened. It has what LOL's dark pictures have: grain, clipped lights, a cast.
#
# The package holds these steps as `camera.darken`. With the same random numbers it makes the same
# picture, bit by bit:

# %% tags=["claim"]
again = np.random.default_rng(7)
np.testing.assert_array_equal(electrons, camera.count_electrons(dim, sensor, again))
np.testing.assert_allclose(balanced, camera.balance_white(electrons, sensor, exposure.cast))
packaged = camera.darken(reference, exposure, np.random.default_rng(7))
np.testing.assert_array_equal(dark, packaged)

# %%
print(inspect.getsource(camera.darken))

# %% [markdown]
# ## What is lost for good?
#
# Suppose that we knew everything about the exposure. We undo each step exactly: decode, take back
# the cast, multiply the light, encode. What is still missing? Switch the steps on one by one.


# %%
def undo(picture):
    """Brighten back with full knowledge of the exposure."""
    back = camera.srgb_to_linear(picture) / wrong * 2.0**exposure.stops
    return camera.linear_to_srgb(np.clip(back, 0, 1))


def darken_in_part(shot, read, rounding):
    """Run the steps with some of them switched off; return an encoded picture."""
    rng = np.random.default_rng(7)
    counted = rng.poisson(expected) if shot else expected
    counted = counted + (sensor.read_noise * rng.standard_normal(expected.shape) if read else 0)
    result = camera.linear_to_srgb(camera.balance_white(counted, sensor, exposure.cast))
    return camera.round_to_codes(result) if rounding else result


# %%
cases = {"exposure only": (0, 0, 0), "rounding": (0, 0, 1), "shot noise": (1, 0, 0),
         "read noise": (0, 1, 0), "all three": (1, 1, 1)}  # fmt: skip
undone = {name: undo(darken_in_part(*switches)) for name, switches in cases.items()}
left = {name: metrics.psnr(images.to_uint8(picture), reference) for name, picture in undone.items()}
for name, decibels in left.items():
    print(f"{name:15s} {decibels:6.1f} dB after undoing everything")

# %% [markdown]
# The smoothest part of the picture, enlarged. Look for grain, and for colors that were not there.

# %%
gray = reference.mean(axis=-1)
rough = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(gray, 2), 90)
rough[ndimage.uniform_filter(gray, 90) < 0.15] = np.inf  # a black part would show nothing
top, beside = np.unravel_index(rough[45:-45, 45:-45].argmin(), (len(gray) - 90, len(gray[0]) - 90))
crop = np.s_[top : top + 90, beside : beside + 90]
titles = ["well lit", *list(cases)[1:]]
show([reference[crop], *[undone[name][crop] for name in titles[1:]]], titles, height=2.3)

# %% [markdown]
# Darkness by itself costs nothing (except lights that the cast drove over the edge, if any).
# Rounding leaves steps, noise leaves grain. So a brightener has **two** jobs: judge the exposure,
# and deal with the noise. A curve can do the first. Nothing that looks at one pixel at a time can
# do the second.
#
# <details><summary>Quiz: what helps against grain, a longer exposure or a higher ISO?</summary>
#
# A longer exposure would: more electrons are counted, and n electrons scatter by only the square
# root of n, so signal over noise grows. A higher ISO setting only multiplies the same electrons,
# and their noise with them.
#
# </details>

# %% tags=["claim"]
assert left["exposure only"] > max(left["rounding"], left["shot noise"], left["read noise"])
assert left["all three"] < min(left["rounding"], left["shot noise"], left["read noise"])

# %% [markdown]
# ## Does the noise follow the formula?
#
# A count $n$ scatters by $\sqrt{n + r^2}$ with read noise $r$. Times the gain this is noise in
# light; times the slope of the sRGB curve it is noise in code values. We darken a gray ramp and
# compare.

# %%
levels = np.linspace(0.15, 1, 18)
ramp = np.tile(levels[:, None, None], (1, 4000, 3))
measured = 255 * camera.darken(ramp, camera.Exposure(5.0), np.random.default_rng(0)).std(axis=1)

ramp_light = camera.srgb_to_linear(levels)[:, None] / 32
count = ramp_light * sensor.electrons / gains
in_light = gains / sensor.electrons * np.sqrt(count + sensor.read_noise**2)
slope = (camera.linear_to_srgb(ramp_light + 1e-6) - camera.linear_to_srgb(ramp_light)) / 1e-6
rounding_error = 1 / np.sqrt(12)
theory = np.hypot(255 * slope * in_light, rounding_error)

# %%
plt.figure(figsize=(7, 3.8))
mean_code = 255 * camera.linear_to_srgb(ramp_light[:, 0])
for channel, (name, mark) in enumerate((("red", "s"), ("green", "o"), ("blue", "^"))):
    plt.plot(mean_code, theory[:, channel], "-", color=name)
    plt.plot(mean_code, measured[:, channel], mark, color=name, label=name, markersize=5)
plt.gca().set(xlabel="code value of the dark ramp", ylabel="noise (codes)", ylim=(0, None))
plt.legend(title="marks: measured, lines: formula")
plt.show()

# %% [markdown]
# The marks lie on the lines. (At the very dark end they leave them a little: what falls below zero
# is cut off, and the curve bends within the width of the noise.) Red is noisiest, because its
# filter passes the least.

# %% tags=["claim"]
bright = mean_code > 15
np.testing.assert_allclose(measured[bright], theory[bright], rtol=0.12)
assert (measured[:, 0] > measured[:, 1]).all()

# %% [markdown]
# ## Is the sample like LOL?
#
# The camera's numbers were fitted to LOL. How well? Its statistics are committed as plain numbers,
# with the command that made them, so that you can compare without LOL:

# %%
with open(paths.sample_dir() / "lol_statistics.csv", encoding="utf-8", newline="") as file:
    rows = csv.reader(file)
    command, *names = next(rows)
    statistics = {row[0]: dict(zip(names, map(float, row[1:]), strict=True)) for row in rows}
print("made by:", command)
shown = ["mean code", "mean code, sd between pictures", "share of zeros"]
shown += [f"stops, percentile {percent}" for percent in (5, 50, 95)]
print(f"{'':32s}", *(f"{name:>8s}" for name in names))
for row in shown:
    print(f"{row:32s}", *(f"{value:8.3g}" for value in statistics[row].values()))

# %%
bins = [name.split("codes ")[1] for name in statistics if name.startswith("noise, green")]
middle = [np.mean([float(edge) for edge in name.split(" to ")]) for name in bins]
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True)
for axis, channel in zip(axes, ("red", "green", "blue"), strict=True):
    for source, style in (("our485", "k-"), ("eval15", "k--"), ("sample", "C1o")):
        values = [statistics[f"noise, {channel}, codes {name}"][source] for name in bins]
        axis.plot(middle, values, style, label=source)
    axis.set(xlabel="brightness (codes)", title=channel, xscale="log")
axes[0].set(ylabel="noise (codes)", ylim=(0, None))
axes[0].legend()
plt.show()

# %% [markdown]
# Lines: LOL. Dots: the sample. Mean code, share of zeros and noise agree in size and in shape, and
# red is noisiest in both. They do not agree everywhere: LOL's darkest and brightest pictures are
# more extreme than the sample's (see the spread and the stops). And LOL shows rooms, the sample
# mostly the outdoors. A model of a camera is a model; [data/README.md](../data/README.md) lists the
# differences.

# %% tags=["claim"]
for name, row in statistics.items():
    if name in ("mean code", "stops, percentile 50"):
        assert 0.8 < row["sample"] / row["our485"] < 1.25
    if name.startswith("noise") and not name.endswith("0 to 1"):
        assert 0.75 < row["sample"] / row["our485"] < 1.33
widest = statistics["mean code, sd between pictures"]
assert widest["our485"] > 1.3 * widest["sample"]

# %% [markdown]
# ## Other cameras
#
# A network that has only seen LOL's camera fails with other cameras. They differ in more than the
# amount of noise, and `camera.Camera` has a field for each difference:
#
# - **response**: how light becomes code values, a power other than sRGB,
# - **black level**: what a pixel without light is taken for, a little too much or too little,
# - **toe**: the darkest tones are pressed down, for contrast,
# - **blotches**: the camera smooths its noise, and grains of several pixels are left,
# - **JPEG**: the file keeps less of what the eye hardly sees, in blocks of 8 x 8 pixels.
#
# One difference at a time, strongly, in a close-up of a picture five stops too dark. All are
# brightened to the same mean. **Look at** the color and size of the grain, and at the contrast.

# %%
fields = {
    "LOL's camera": {},
    "response 1.6": {"response": 1.6},
    "black level": {"black_level": (0.004, 0.0, 0.004)},
    "toe": {"toe": 0.06},
    "blotches": {"blotch": 1.6},
    "JPEG": {"jpeg_quality": 50},
}
taken = [
    camera.darken(reference, 5, np.random.default_rng(7), camera=camera.Camera(**field))[crop]
    for field in fields.values()
]
show([picture * reference[crop].mean() / picture.mean() for picture in taken], list(fields), 2.3)

# %% [markdown]
# Light differs as well. Half of the scene may be in the shade, or there are a few lamps, or the
# scene is backlit. `sample_any_camera` draws a camera at random, and `sample_shade` how many
# *further* stops each place is darker. Above six cameras in even light, below the same six in
# uneven light. All are four stops too dark or more, and brightened to the same mean.

# %%
rng = np.random.default_rng(5)
small = reference[::2, ::2]
cameras = [camera.sample_any_camera(rng) for _ in range(6)]
even = [camera.darken(small, 4, rng, camera=one) for one in cameras]
shades = [camera.sample_shade(small, rng) for _ in cameras]
uneven = [
    camera.darken(small, 4, rng, camera=one, shade=shade)
    for one, shade in zip(cameras, shades, strict=True)
]
for pictures, kind in ((even, "even"), (uneven, "uneven")):
    brightened = [picture * small.mean() / picture.mean() for picture in pictures]
    show(brightened, [f"{number}, {kind}" for number in range(1, 7)], height=1.6)

# %% [markdown]
# The same photograph, twelve times. In uneven light no factor suits all of a picture: what the lamp
# reaches is burned out before the shade is visible.
#
# `darken_at_random` draws everything: camera, light, exposure and cast. The packaged weights were
# trained on LOL's pairs, on photographs darkened in this way, and on some real pairs of other
# cameras. How dark do such pictures get, compared with those of LOL's camera?

# %%
tiny = reference[::8, ::8]
for title, darken in (("LOL", camera.darken_like_lol), ("any", camera.darken_at_random)):
    means = [255 * darken(tiny, rng).mean() for _ in range(200)]
    low, middle, high = np.quantile(means, [0.05, 0.5, 0.95])
    print(f"{title:4s} camera: mean codes from {low:5.1f} to {high:5.1f}, half below {middle:5.1f}")

# %% [markdown]
# Any camera's pictures range from nearly black to nearly well lit. So the network also has to learn
# when to leave a picture alone.

# %% [markdown]
# ## Real dark photographs
#
# The sample also holds a few photographs with **no** well-lit partner, taken at night, at dusk and
# against the sun. They cannot be scored, only looked at. Above as they are, below raised to the
# power 0.5. What should a brightener leave alone in them?

# %%
dark_files = sorted((paths.sample_dir() / "dark").glob("*.jpg"))
photographs = [images.read_image(path) for path in dark_files]
show(photographs, [path.stem for path in dark_files], height=2.4)
show([photograph**0.5 for photograph in photographs], ["brightened"] * len(photographs), height=2.4)

# %% [markdown]
# Night is not only "too dark": lamps are bright already, and skies are meant to be dark. Raising
# everything makes the lamps' halos large and the sky gray. LOL has few such scenes, so a network
# trained on LOL has hardly seen any. Keep this in mind when it meets your own photographs.

# %% [markdown]
# ## Exercises
#
# The other exercises appear in the sections they belong to. This one takes an evening.
#
# ### Exercise 1.5. Find the scenes by yourself
#
# Somebody hands you a folder of pictures. Some show the same scene at different exposures, and
# nobody wrote down which. Write a function that takes a list of pictures, arrays (height, width, 3)
# in [0, 1] of one size, and returns a list of groups. Each group lists the indices of all pictures
# of one scene. A picture that has no twin is a group of its own.
#
# Mind the chain: where A looks like B, and B like C, the three are one scene, even if A and C are
# so far apart in exposure that they look less alike. With LOL at hand, try your function on the
# training split and compare with `registry["groups"]`.


# %% tags=["exercise"]
def group_scenes(pictures):
    return ...  # such as [[0, 2], [1]]


# %% tags=["check"]
checks.group_scenes(group_scenes)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `thumbnail_ranks`, above, gives vectors of length 1. Their products with each other are a matrix
# of likenesses. Say where it is high enough: that is a graph, and scenes are its connected
# components. SciPy has them: `scipy.sparse.csgraph.connected_components`. By hand: give each
# picture a label, and wherever two pictures are alike, give both groups the same label.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def group_scenes(pictures, least=0.97):
#     from scipy.sparse.csgraph import connected_components
#
#     ranks = np.array([thumbnail_ranks(picture) for picture in pictures])
#     count, labels = connected_components(ranks @ ranks.T > least)
#     return [np.flatnonzero(labels == label) for label in range(count)]
# ```
#
# </details>

# %% [markdown]
# ## Appendix: how far are the pairs apart?
#
# Did the camera move between the dark picture and the well-lit one? How can we measure it, when one
# picture is dark and noisy?
#
# **[Phase correlation](glossary.md#phase-correlation).** A shift of a picture turns the phases of
# its Fourier transform and leaves the amplitudes alone. Divide the amplitudes away, transform back,
# and the shift shows as a single peak. Brightness is in the amplitudes, so the two pictures may
# differ in [exposure](glossary.md#exposure).
#
# First we prepare a picture: gray, without noise of single pixels, without slow shading, faded out
# at the border (because the Fourier transform thinks that the picture repeats).


# %%
def prepare(picture):
    """Return a gray version, shape (height, width), with edges and texture only."""
    gray = ndimage.gaussian_filter(np.sqrt(picture.mean(axis=-1)), 1)
    gray = gray - ndimage.gaussian_filter(gray, 15)
    fade = np.hanning(gray.shape[0])[:, None] * np.hanning(gray.shape[1])[None, :]
    return gray * fade


def correlate(first, second):
    """Return the phase correlation; its peak lies off the middle by the shift of `first`."""
    product = fft.fft2(prepare(first)) * np.conj(fft.fft2(prepare(second)))
    phases = product / (np.abs(product) + 1e-12)
    y, x = (fft.fftfreq(size) for size in phases.shape)
    soft = np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * 0.1**2))  # trust coarse detail more
    return fft.fftshift(fft.ifft2(phases * soft).real)


# %% [markdown]
# The peak sits on a whole pixel, but a shift need not. Near its top the peak is a Gaussian, so its
# logarithm is a parabola. Three values fix a parabola, and the parabola has its top between pixels.


# %%
def top_between(before, top, after):
    """Return where a Gaussian through three neighbors peaks: -0.5 to 0.5 from the middle one."""
    a, b, c = np.log(np.maximum([before, top, after], 1e-9))
    return 0.5 * (a - c) / (a - 2 * b + c)


def find_shift(first, second):
    """Return the shift in pixels (down, right) and how far the peak stands out."""
    surface = correlate(first, second)
    row, column = np.unravel_index(surface.argmax(), surface.shape)
    near = np.take(surface, range(row - 1, row + 2), 0, mode="wrap")
    near = np.take(near, range(column - 1, column + 2), 1, mode="wrap")
    part = np.array([top_between(*near[:, 1]), top_between(*near[1])])
    whole = np.array([row, column]) - np.array(surface.shape) // 2
    return whole + part, surface.max() / surface.std()


# %% [markdown]
# Never trust a measuring tool that you have not tried on a known length. We move a picture by a
# fraction of a pixel (again by turning phases) and ask for the shift between it and the *dark* one.


# %%
def move(picture, down, right):
    """Shift a picture by any number of pixels; what leaves on one side returns on the other."""
    spectrum = fft.fft2(picture, axes=(0, 1))
    turned = [ndimage.fourier_shift(spectrum[..., c], (down, right)) for c in range(3)]
    return np.clip(fft.ifft2(np.stack(turned, -1), axes=(0, 1)).real, 0, 1)


at_rest, _ = find_shift(pairs[0].high, pairs[0].low)
moved, _ = find_shift(move(pairs[0].high, 1.5, -0.75), pairs[0].low)
print("found", np.round(moved - at_rest, 2), "for (1.5, -0.75)")

# %% tags=["claim"]
assert np.abs(moved - at_rest - [1.5, -0.75]).max() < 0.15

# %% [markdown]
# The tool works. Now the pairs:

# %%
found = [find_shift(pair.low, pair.high) for pair in pairs]
for pair, (shift, clear) in zip(pairs, found, strict=True):
    print(f"{pair.name:12s} down {shift[0]:+.2f}  right {shift[1]:+.2f} pixels   peak {clear:.0f}")
distances = np.array([np.hypot(*shift) for shift, _ in found])

# %%
surface = correlate(pairs[0].low, pairs[0].high)
row, column = (size // 2 for size in surface.shape)
plt.figure(figsize=(4.5, 3.8))
plt.imshow(surface[row - 8 : row + 9, column - 8 : column + 9], extent=(-8.5, 8.5, 8.5, -8.5))
plt.colorbar(label="phase correlation")
plt.gca().set(xlabel="shift to the right (pixels)", ylabel="shift down (pixels)")
plt.show()

# %% [markdown]
# One bright dot in the middle: the two pictures are aligned. In the sample they must be, because
# its dark pictures are computed from the bright ones.
#
# The last number in the list above says how far the dot stands out. Where it is small, do not trust
# the shift: LOL's pair 573, for example, shows an insect screen, and a fine regular pattern almost
# fits in many places.
#
# What does a shift cost? Compare a well-lit picture with **itself**, moved. No enhancement of a
# misaligned dark picture can get past this, however good it is. ([PSNR](glossary.md#psnr), in
# decibels, says how close two pictures are; notebook 06 takes it apart.)

# %%
for distance in (0.25, 0.65, 1.5, 3.0):
    scores = [metrics.psnr(move(pair.high, 0, distance), pair.high) for pair in pairs]
    print(f"moved by {distance:4.2f} pixels: {np.mean(scores):5.1f} dB on average")

# %% tags=["claim"]
assert np.median(distances) < 0.5
assert all(np.isfinite(scores)) and np.mean(scores) < 35

# %% [markdown]
# Pair 648 of LOL is not shifted a little: its camera was moved, so that the bed is in a different
# place. If you have LOL, the next cell shows it. Its correlation has **no peak**: no single shift
# explains it.

# %%
if DATASET == "lol":
    folder = paths.lol_dir() / "our485"
    low, high = (images.read_image(folder / side / "648.png") for side in ("low", "high"))
    shift, clear = find_shift(low, high)
    print(f"648: peak {clear:.0f}; the pairs above: {min(c for _, c in found):.0f} or more")
    show([low * high.mean() / low.mean(), high], ["648, dark (brightened)", "648, well lit"])
    assert clear < 0.5 * min(c for _, c in found)
assert "648" not in data.lol_split_names()["train"]

# %% [markdown]
# ## What you learned
#
# - A data set is fetched **and verified**: each file by its content.
# - A dark picture squeezes the scene into a few dozen codes, with exact zeros and about one code of
#   noise; compared with the signal the noise is worst in the dark.
# - Pairs can be misaligned. Pair 648 is left out.
# - 14 of LOL's 15 test scenes are in its training pictures. Cut your own splits by scene.
# - Light, exposure, counting, white balance, encoding, rounding: six
#   steps make a dark picture. Only the noise, the rounding and what is cut off cannot be undone.
# - Other cameras differ in response, black level, noise and files, and light is often uneven. A
#   network that should work with them must see them in training.
#
# ## Further reading
#
# - C. Wei, W. Wang, W. Yang, J. Liu, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC
#   2018 (the LOL data set).
#   [doi:10.48550/arXiv.1808.04560](https://doi.org/10.48550/arXiv.1808.04560)
# - A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian noise modeling
#   and fitting for single-image raw-data", IEEE Transactions on Image Processing 17, 2008.
#   [doi:10.1109/TIP.2008.2001399](https://doi.org/10.1109/TIP.2008.2001399)
# - C. D. Kuglin, D. C. Hines, "The phase correlation image alignment method", IEEE Conference on
#   Cybernetics and Society, 1975.
#
# Next: [02. Bend one curve](02_bend_one_curve.ipynb)
