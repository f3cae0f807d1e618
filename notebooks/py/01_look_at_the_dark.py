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
# You will see what a dark picture still holds, what goes wrong with data, and how a camera makes
# dark pictures.

# %% [markdown]
# ![Three darkened pictures, below each its enhancement after 12, 8 and 7 iterations, and the
# reference](figures/examples.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 45 to read and do the quick exercises. Per
# exercise: 1.1: 3, 1.2: 10, 1.3: 15.
#
# **What you'll need:** NumPy, SciPy and Matplotlib. No network access: the sample is included.
#
# **Contents:** the data · pairs · code values · stops · faulty pairs · noise · scene leak · a
# camera in five steps · what is lost for good · other cameras · real dark photographs ·
# appendix: misaligned pairs
#
# Previous: [00. Brighten one picture](00_brighten_one_picture.ipynb) · Next: [02. Bend one
# curve](02_bend_one_curve.ipynb)

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
# The **[LOL](glossary.md#lol)** data set (Wei and others, 2018) has 500 pairs of photographs taken
# from a tripod, one dark and one well lit: 485 (`our485`) for training, 15 (`eval15`) for testing.
# LOL states no license, so the workbook does not include it. To fetch it for study (347 MB), set
# the switch to `True`. Every file is verified.

# %%
FETCH = False  # @param {type:"boolean"}

if FETCH:
    fetch.fetch_lol()
print("LOL belongs in", os.path.relpath(paths.lol_dir()), "- state:", str(fetch.lol_state()))
if DATASET == "lol":
    print(fetch.verify_lol().summary())

# %% [markdown]
# "absent" is fine: everything below runs on the **sample**, free photographs that come with the
# workbook. A camera model, which you will build below, made their dark versions. To use LOL, set
# `DATASET = "lol"` above and run the notebook again.
#
# ## Look at pairs
#
# We take eight pairs from the training [split](glossary.md#split). A picture is a NumPy array of
# floats in [0, 1] with shape (height, width, 3). Multiply by 255 to get the **[code
# values](glossary.md#code-value)** of an 8-bit file.

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
# The middle picture is the dark file multiplied by one number, so that its mean is that of the
# well-lit one. What is worse in it?

# %%
# Alt: The dark picture, the same multiplied to the mean of the well-lit one, and the well-lit one.
NUMBER = 2  # @param {type:"slider", min:0, max:7}
pair = pairs[NUMBER % len(pairs)]
gain = pair.high.mean() / pair.low.mean()
show([pair.low, gain * pair.low, pair.high], ["dark", f"dark x {gain:.1f}", "well lit"])

# %% [markdown]
# The dark file is not empty. But multiplied it is grainy, its highlights are clipped, and its
# colors are often wrong. Four pairs:

# %%
# Alt: Four scenes in a row, dark in the first figure and well lit in the second.
show([pair.low for pair in pairs[:4]], [f"{pair.name}, dark" for pair in pairs[:4]], height=2.0)
show([pair.high for pair in pairs[:4]], ["well lit"] * 4, height=2.0)


# %% [markdown]
# In a running notebook you can choose the pair and the factor. **Try** to make the middle picture
# as good as the right one. Look at the darkest corner and the brightest spot.


# %%
# Alt: A dark picture, the same multiplied by 8, and the well-lit one.
def multiply(name, factor):
    """Draw one pair: dark, multiplied by one number, and well lit."""
    pair = next(pair for pair in pairs if pair.name == name)
    title = f"dark x {factor:g}, mean code {255 * np.clip(factor * pair.low, 0, 1).mean():.0f}"
    show([pair.low, factor * pair.low, pair.high], ["dark", title, "well lit"], height=2.8)


multiply(pairs[0].name, factor=8)
name = ipywidgets.Dropdown(options=[pair.name for pair in pairs])
factor = ipywidgets.FloatSlider(value=8, min=1, max=40, step=0.5, continuous_update=False)
_ = ipywidgets.interact(multiply, name=name, factor=factor)

# %% [markdown]
# A factor that suits the darkest corner clips the brightest spot, and each picture needs a
# different one.
#
# ## Count the code values
#
# **Predict, then run.** 90 % of a dark picture's values are below code ...

# %%
low_codes = np.concatenate([images.to_uint8(pair.low).ravel() for pair in pairs])
high_codes = np.concatenate([images.to_uint8(pair.high).ravel() for pair in pairs])
for name, codes in (("dark", low_codes), ("well lit", high_codes)):
    print(f"{name:8s}  mean code {codes.mean():6.1f}   nine of ten below", np.quantile(codes, 0.9))
    print(f"          exact zeros {100 * np.mean(codes == 0):.1f} %")

# %% [markdown]
# Now the histograms. A logarithmic axis (right) also shows the brightest parts of the scenes.

# %%
# Alt: Histograms of code values, linear and log axis. Dark: a spike below 40. Well lit: 0 to 255.
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
for axis, scale in zip(axes, ("linear", "log"), strict=True):
    for codes, label, color in ((high_codes, "well lit", "orange"), (low_codes, "dark", "black")):
        share = np.bincount(codes, minlength=256) / codes.size
        axis.step(range(256), np.where(share > 0, share, np.nan), label=label, color=color)
    axis.set(xlabel="code value", ylabel="share of samples", yscale=scale, title=f"{scale} axis")
axes[0].legend()
plt.show()

# %% [markdown]
# A dark picture squeezes the whole scene into a few dozen codes. Brightening spreads them out but
# adds no new ones. Exact zeros stay 0; notebook 02 shows what to do about that.

# %% [markdown]
# ### Exercise 1.1. Multiply a dark file
#
# **Predict first, on paper.** A dark file uses each of the codes 0 to 31. You multiply it by 8 and
# save it as an 8-bit file again. How many codes does the new file use? What do the exact zeros
# become? What is the next code in use above them?

# %% tags=["exercise"]
codes_used, zeros_become, next_code = ..., ..., ...

# %% tags=["check"]
checks.brightened_codes(codes_used, zeros_become, next_code)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Write the new codes below the first few old ones.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# codes_used, zeros_become, next_code = 32, 0, 8
# ```
#
# Multiplying moves codes apart but creates no new ones.
#
# </details>

# %% [markdown]
# ## How many stops are missing?
#
# Photographers count light in **[stops](glossary.md#stop)**: one stop less is half the light. Code
# values are not proportional to light, so we first undo the file's encoding
# ([sRGB](glossary.md#srgb), explained below).


# %%
def stops_between(pair):
    """Return how many stops more light the well-lit picture has, ignoring clipped pixels."""
    good = pair.high.max(axis=-1) < 0.94
    low = camera.srgb_to_linear(pair.low[good]).mean()
    high = camera.srgb_to_linear(pair.high[good]).mean()
    return np.log2(high / low)


stops = np.array([stops_between(pair) for pair in pairs])
for pair, value in zip(pairs, stops, strict=True):
    print(f"{pair.name:12s} {value:4.1f} stops: 1 / {2**value:.0f} of the light")

# %% [markdown]
# The pairs differ, so no single number suits all of them. Something has to look at each picture and
# decide how dark it is.

# %% tags=["claim"]
assert stops.min() > 1.5
assert stops.max() - stops.min() > 0.7
assert np.mean(low_codes == 0) > 0.005

# %% [markdown]
# ### Exercise 1.2. How many stops separate two codes?
#
# Write a function that takes two code values of an sRGB file, 0 to 255, and returns how many stops
# more light the first one has. It must also work on arrays. **Predict first:** is code 128 one stop
# above code 64?


# %% tags=["exercise"]
def stops_between_codes(bright, dark):
    return ...  # stops of light, positive where `bright` has more


# %% tags=["check"]
checks.stops_between_codes(stops_between_codes)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Scale the codes to [0, 1], decode them to light with `camera.srgb_to_linear`, and take the base-2
# logarithm of the ratio.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def stops_between_codes(bright, dark):
#     light = camera.srgb_to_linear(np.asarray(bright) / 255)
#     less = camera.srgb_to_linear(np.asarray(dark) / 255)
#     return np.log2(light / less)
# ```
#
# `stops_between_codes(128, 64)` is 2.1, not 1.
#
# </details>

# %% [markdown]
# ## Which pairs are faulty, and why 648 is left out
#
# We will compare each enhanced picture with its well-lit partner, pixel by pixel. That is fair only
# if nothing moved between the two shots. In LOL some things did:

# %%
registry = data.lol_scenes()
for name, reason in registry["left_out"].items():
    print(f"left out: {name}: {reason}\n")
for reason in sorted(set(registry["faults"].values())):
    print(", ".join(name for name, why in registry["faults"].items() if why == reason))
    print(f"    {reason}")


# %% [markdown]
# Faulty pairs of the *test* set stay: every published score includes them.
#
# ## Noise against brightness
#
# The well-lit partner shows where the *scene* is smooth. There we subtract a smoothed version of
# the dark picture from it. What remains is noise.


# %%
def noise_by_code(pairs, edges, channel=1, smooth=2.0, flat=1.0):
    """Return the noise (in code values) of dark samples, bin by bin of their local brightness."""
    rest, level = [], []
    for pair in pairs:
        low, high = 255 * pair.low[..., channel], 255 * pair.high[..., channel]
        local = ndimage.gaussian_filter(low, smooth)  # the brightness around each pixel
        slope = ndimage.gaussian_gradient_magnitude(high, smooth)
        chosen = (slope < flat) & (high > 5) & (high < 250)
        rest.append((low - local)[chosen])
        level.append(local[chosen])
    rest, level = np.concatenate(rest), np.concatenate(level)
    bins = np.digitize(level, edges)
    return np.array([rest[bins == number].std() for number in range(1, len(edges))])


# %% [markdown]
# **Predict, then run.** Where will the noise be larger: in the darkest parts, or in parts four
# times brighter? And where is it larger *compared with the signal*?

# %%
# Alt: Left, noise against brightness, 0.8 to 1.7 codes. Right, signal to noise, 2 to 23.
edges = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
centers = (edges[:-1] + edges[1:]) / 2
noise = noise_by_code(pairs, edges)
for center, value in zip(centers, noise, strict=True):
    print(f"code {center:4.1f}: noise {value:4.2f} codes, signal / noise {center / value:5.1f}")
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
axes[0].plot(centers, noise, "o-", color="black")
axes[0].set(ylabel="noise (codes)", title="noise", ylim=(0, None))
axes[1].plot(centers, centers / noise, "o-", color="black")
axes[1].set(ylabel="signal / noise", title="signal compared with noise", ylim=(0, None))
for axis in axes:
    axis.set(xlabel="local brightness (code value, green channel)")
plt.show()

# %% [markdown]
# The brightness grows twentyfold, the noise at most about twofold. So relative to the signal, noise
# is worst in the dark.

# %% [markdown]
# ### Exercise 1.3. Noise without a well-lit partner
#
# In the difference of **two dark shots** the scene cancels and noise remains.
#
# Write a function that returns the noise *of one shot* (its standard deviation, in codes) for each
# brightness bin. `first` and `second` are arrays (height, width) of code values, `edges` the edges
# of the bins. The brightness of a pixel is the mean of the two shots.


# %% tags=["exercise"]
def noise_by_level(first, second, edges):
    return ...  # len(edges) - 1 numbers


# %% tags=["check"]
checks.noise_by_level(noise_by_level)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Variances of independent noise add up: the variance of the difference is twice that of one shot.
# For the bins, see `noise_by_code`.
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
# ## Scene leak: are the test pictures really new?
#
# LOL's photographers took most scenes at several exposures. **Predict, then run:** how many of the
# 15 test pictures show a scene that is also in the training pictures?

# %%
groups = registry["groups"]
print(len(groups), "scenes in", sum(map(len, groups)), "pairs; for example", groups[6])
for group in groups:
    test_files = [file for file in group if file.startswith("eval15/")]
    others = [file for file in group if file.startswith("our485/")]
    for file in test_files:
        print(f"{file:15s} also in training as: {', '.join(others) or 'nothing'}")

# %% [markdown]
# Only 179 shows a new scene. This is a **[scene leak](glossary.md#scene-leak)**. A network that
# *remembers* its training scenes scores better on this test than on your photographs. We report the
# official test because everybody does, but choose nothing by it. We also hold out other scenes:
# `validation` (to make choices) and `unseen` (to report).

# %%
for split, names in data.lol_split_names().items():
    print(f"{split:10s} {len(names):3d} pairs")

# %% [markdown]
# <details><summary>Quiz: you cut all pictures into patches and split the <em>patches</em> at
# random. Is that safe?</summary>
#
# No. Patches of one scene end up on both sides. Split by scene first, then cut patches.
#
# </details>

# %% [markdown]
# ### How such a list is found
#
# Two exposures of one scene differ in brightness, but the *order* of the values is the same. So
# downsample each picture to a thumbnail, replace values by their **ranks**, and correlate. No
# increasing curve changes the ranks.


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
print(f"with a different scene:    {thumb @ thumbnail_ranks(pairs[1].high):.3f}")

# %% [markdown]
# The sample has no leak, so we make one: each scene darkened by 4 stops, compared with each scene
# darkened by 6. The bright diagonal is the leak.

# %%
# Alt: A matrix of rank correlations: the diagonal, where both scenes are the same, is brightest.
rng = np.random.default_rng(1)
four = np.array([thumbnail_ranks(camera.darken(pair.high, 4, rng)) for pair in pairs])
six = np.array([thumbnail_ranks(camera.darken(pair.high, 6, rng)) for pair in pairs])
plt.figure(figsize=(5.5, 4.2))
plt.imshow(four @ six.T, vmin=-1, vmax=1)
plt.colorbar(label="rank correlation")
plt.gca().set(xlabel="scene, 6 stops less", ylabel="scene, 4 stops less")
plt.show()

# %% [markdown]
# ## How a dark picture comes about
#
# Now we make a dark picture ourselves from a well-lit one, in five steps.
#
# ### Step 1: from code values to light
#
# A file stores values encoded by **sRGB**, with more codes for dark tones. We undo it to get
# numbers proportional to light.

# %%
# Alt: The well-lit picture as stored, and its linear light shown as numbers: darker, more contrast.
reference = pairs[NUMBER % len(pairs)].high
encoded = reference.astype(np.float64)
light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
show([reference, light], ["the file's values", "the light, as numbers"], height=3.0)

# %% [markdown]
# Half the code range is only a fifth of the light.
#
# ### Step 2: take light away
#
# Five stops less means halving the light five times.

# %%
exposure = camera.Exposure(stops=5.0, cast=(0.3, -0.3))
dim = light * 2.0**-exposure.stops
print(f"mean light: {light.mean():.3f} before, {dim.mean():.5f} after")

# %% [markdown]
# ### Step 3: the sensor counts
#
# A pixel counts electrons set free by light. If $n$ are expected, the standard deviation is
# $\sqrt{n}$: this is **[shot noise](glossary.md#shot-noise)**. Reading the pixel adds an error of a
# few electrons, **[read noise](glossary.md#read-noise)**.
#
# The color filters pass less red and blue, so these channels are noisier.

# %%
sensor = camera.LOL_LIKE
rng = np.random.default_rng(7)
gains = np.array(sensor.gains)
expected = dim * sensor.electrons / gains
electrons = rng.poisson(expected) + sensor.read_noise * rng.standard_normal(expected.shape)
n = np.median(expected, axis=(0, 1))
for channel, count in zip(("red", "green", "blue"), n, strict=True):
    spread = np.hypot(np.sqrt(count), sensor.read_noise)
    print(f"{channel:6s} the median pixel expects {count:6.1f} electrons, +- {spread:4.1f}")
print(f"below zero: {100 * np.mean(electrons < 0):.2f} % (read noise)")

# %% [markdown]
# ### Step 4: white balance
#
# **[White balance](glossary.md#white-balance)** multiplies each channel by its gain. A camera that
# misjudges the color of the light leaves a **[cast](glossary.md#cast)**: here 0.3 stops too much
# red and 0.3 too little blue. Then values that a file cannot hold are clipped. Counts below zero
# become **exact zeros**.

# %%
wrong = np.exp2([exposure.cast[0], 0.0, exposure.cast[1]])
balanced = np.clip(electrons * (gains * wrong) / sensor.electrons, 0, 1)

# %% [markdown]
# ### Step 5: encode and round to 256 codes
#
# In the dark this loses a lot.

# %%
coded = np.where(balanced <= 0.0031308, 12.92 * balanced, 1.055 * balanced ** (1 / 2.4) - 0.055)
dark = np.rint(255 * coded).astype(np.float32) / np.float32(255)
codes = np.unique(np.rint(255 * dark[..., 1]))
print(f"mean code {255 * dark.mean():.1f}, {len(codes)} codes used in green")
print(f"exact zeros {100 * np.mean(dark == 0):.1f} %")

# %%
# Alt: The well-lit picture, the dark one our camera made of it, and the dark one multiplied.
factor = reference.mean() / dark.mean()
show([reference, dark, factor * dark], ["well lit", "our dark picture", f"x {factor:.1f}"], 3.0)

# %% [markdown]
# Our picture has what LOL's dark pictures have: grain, clipped highlights, a color cast.
# `camera.darken` in the package takes the same steps. With the same random numbers it makes the
# same picture:

# %% tags=["claim"]
packaged = camera.darken(reference, exposure, np.random.default_rng(7))
np.testing.assert_array_equal(dark, packaged)

# %%
print(inspect.getsource(camera.darken))


# %% [markdown]
# ## What is lost for good?
#
# Suppose we know the exposure exactly and undo each step. What is still missing? We switch the
# steps on one at a time.


# %%
def undo(picture):
    """Brighten a dark picture whose exposure is known exactly."""
    back = camera.srgb_to_linear(picture) / wrong * 2.0**exposure.stops
    return camera.linear_to_srgb(np.clip(back, 0, 1))


def darken_in_part(shot=False, read=False, rounding=False):
    """Run only some of the steps; return an encoded picture."""
    rng = np.random.default_rng(7)
    counted = rng.poisson(expected) if shot else expected
    if read:
        counted = counted + sensor.read_noise * rng.standard_normal(expected.shape)
    result = camera.linear_to_srgb(camera.balance_white(counted, sensor, exposure.cast))
    return camera.round_to_codes(result) if rounding else result


# %%
undone = {
    "exposure only": undo(darken_in_part()),
    "rounding": undo(darken_in_part(rounding=True)),
    "shot noise": undo(darken_in_part(shot=True)),
    "read noise": undo(darken_in_part(read=True)),
    "all three": undo(darken_in_part(shot=True, read=True, rounding=True)),
}
for name, picture in undone.items():
    decibels = metrics.psnr(images.to_uint8(picture), reference)
    print(f"{name:15s} {decibels:6.1f} dB after undoing everything")

# %% [markdown]
# Here is the smoothest part of the picture, enlarged. **Look for** grain, and for colors that were
# not there.

# %%
# Alt: One enlarged crop five times: clean, with rounding steps, and with three amounts of grain.
gray = reference.mean(axis=-1)
rough = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(gray, 2), 90)
rough[ndimage.uniform_filter(gray, 90) < 0.15] = np.inf  # a black part would show nothing
inside = rough[45:-45, 45:-45]
top, left = np.unravel_index(inside.argmin(), inside.shape)
crop = np.s_[top : top + 90, left : left + 90]
crops = {name: picture[crop] for name, picture in undone.items() if name != "exposure only"}
show([reference[crop], *crops.values()], ["well lit", *crops], height=2.3)

# %% [markdown]
# Rounding leaves steps, and noise leaves grain. So an enhancer has **two** jobs: estimate the
# exposure and deal with the noise. A curve can do the first. Nothing that looks at one pixel at a
# time can do the second.

# %% [markdown]
# ## Other cameras
#
# The camera model was fitted to LOL; [data/README.md](../data/README.md) compares the two. A
# network that has seen only LOL's fails with others. `camera.Camera` has a field for each
# difference:
#
# - **response**: how light becomes code values, if not by sRGB,
# - **black level**: what the camera takes for zero light, a little too high or too low,
# - **toe**: the darkest tones are made darker, for contrast,
# - **blotches**: the camera smooths its noise, which leaves grain several pixels wide,
# - **JPEG**: the file drops what the eye hardly sees, in blocks of 8 x 8 pixels.
#
# Here is a close-up of a picture five stops too dark, brightened to the same mean, with one strong
# difference at a time. **Look at** the grain and the contrast.

# %%
# Alt: Six enlarged crops, one per camera, with different grain, colors and contrast.
cameras = {
    "LOL's camera": camera.Camera(),
    "response 1.6": camera.Camera(response=1.6),
    "black level": camera.Camera(black_level=(0.004, 0.0, 0.004)),
    "toe": camera.Camera(toe=0.06),
    "blotches": camera.Camera(blotch=1.6),
    "JPEG": camera.Camera(jpeg_quality=50),
}
taken = []
for one in cameras.values():
    picture = camera.darken(reference, 5, np.random.default_rng(7), camera=one)[crop]
    taken.append(picture * reference[crop].mean() / picture.mean())
show(taken, list(cameras), height=2.3)

# %% [markdown]
# Light differs as well: half of the scene may be in shade. `sample_any_camera` draws a random
# camera, and `sample_shade` how many *further* stops each place is darker. Below are six cameras,
# in even light (top) and uneven light (bottom), brightened to the same mean.

# %%
# Alt: One scene from six random cameras, evenly lit above, with shade or spots of light below.
rng = np.random.default_rng(5)
small = reference[::2, ::2]
even, uneven = [], []
for _ in range(6):
    one = camera.sample_any_camera(rng)
    shade = camera.sample_shade(small, rng)
    even.append(camera.darken(small, 4, rng, camera=one))
    uneven.append(camera.darken(small, 4, rng, camera=one, shade=shade))
for pictures, kind in ((even, "even"), (uneven, "uneven")):
    brightened = [picture * small.mean() / picture.mean() for picture in pictures]
    show(brightened, [f"{number}, {kind}" for number in range(1, 7)], height=1.6)

# %% [markdown]
# In uneven light no single factor suits the whole picture: the lit parts are overexposed before the
# shade becomes visible.
#
# `darken_at_random` draws everything: camera, light, exposure and cast. The packaged weights were
# trained on LOL's pairs, on photographs darkened this way, and on some real pairs from other
# cameras.

# %% [markdown]
# ## Real dark photographs
#
# The sample also has three photographs **without** a well-lit partner, taken at night, at dusk and
# against the sun. Top: as they are. Bottom: raised to the power 0.5. What should stay dark?

# %%
# Alt: A bridge at night, a rocket at dusk and a sunset, as taken and brightened: skies turn pale.
dark_files = sorted((paths.sample_dir() / "dark").glob("*.jpg"))
photographs = [images.read_image(path) for path in dark_files]
show(photographs, [path.stem for path in dark_files], height=2.4)
show([photograph**0.5 for photograph in photographs], ["brightened"] * len(photographs), height=2.4)

# %% [markdown]
# At night, lights are already bright, and skies are meant to be dark.

# %% [markdown]
# ## Appendix: how far are the pairs apart?
#
# **[Phase correlation](glossary.md#phase-correlation)** measures whether the camera moved. A shift
# changes only the phases of a picture's Fourier transform; brightness is in the amplitudes. So
# divide by the amplitudes and transform back: the shift shows as a single peak, even if the
# exposures differ. First we remove pixel noise and slow shading, and fade out the border.


# %%
def prepare(picture):
    """Return a gray version, shape (height, width), with edges and texture only."""
    gray = ndimage.gaussian_filter(np.sqrt(picture.mean(axis=-1)), 1)
    gray = gray - ndimage.gaussian_filter(gray, 15)
    return gray * np.outer(np.hanning(gray.shape[0]), np.hanning(gray.shape[1]))


def correlate(first, second):
    """Return the phase correlation; its peak is off the middle by the shift of `first`."""
    product = fft.fft2(prepare(first)) * np.conj(fft.fft2(prepare(second)))
    surface = fft.ifft2(product / (np.abs(product) + 1e-12)).real
    return ndimage.gaussian_filter(fft.fftshift(surface), 1)  # trust coarse detail more


# %% [markdown]
# A known shift: the well-lit picture moved 3 pixels down and 2 to the right, and the dark one as it
# is.

# %%
# Alt: A dark square with one bright dot, 3 pixels below and 2 right of the middle.
moved = np.roll(pairs[0].high, (3, 2), axis=(0, 1))
surface = correlate(moved, pairs[0].low)
row, column = surface.shape[0] // 2, surface.shape[1] // 2
plt.figure(figsize=(4.5, 3.8))
plt.imshow(surface[row - 8 : row + 9, column - 8 : column + 9], extent=(-8.5, 8.5, 8.5, -8.5))
plt.colorbar(label="phase correlation")
plt.gca().set(xlabel="shift to the right (pixels)", ylabel="shift down (pixels)")
plt.show()

# %% [markdown]
# The peak is at (3, 2). LOL's pair 648 has **no peak**: the camera was moved to a different place,
# and no single shift explains that. So it is left out.

# %% [markdown]
# ## What you learned
#
# - A dark picture squeezes the scene into a few dozen codes, with exact zeros and about one code of
#   noise. Relative to the signal, noise is worst in the dark.
# - 14 of LOL's 15 test scenes are also in its training pictures. Make your own splits by scene.
# - A camera counts electrons, balances white, encodes and rounds. Noise, rounding and clipping
#   cannot be undone.
# - Cameras differ in response, black level and noise, and light is often uneven.
#
# Sources and further reading: [references](references.md).
#
# Next: [02. Bend one curve](02_bend_one_curve.ipynb)
