# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06. Measure honestly
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/06_measure_honestly.ipynb)
#
# You will score the enhancer against seven other methods, with intervals, and see five ways to
# change a score without changing a picture.

# %% [markdown]
# ![One dark picture enhanced by gamma, equalization, CLAHE, a LIME-like method, one constant and
# the enhancer, each with its PSNR](figures/baselines.jpg)

# %% [markdown]
# **Minutes:** 2 to run all cells on two CPU cores; 80 to read and do the quick exercises. Per
# exercise: 6.1: 10, 6.2: 15, 6.3: 15.
#
# **What you'll need:** notebooks 02 and 05.
#
# **Contents:** protocol · PSNR · SSIM · CIEDE2000 · six PSNRs of the same pictures · baselines ·
# the table · intervals · does the map matter? · scene leak · sources of error · the worst picture ·
# ablation · the card
#
# Previous: [05. Iterate](05_iterate.ipynb) · Next: [07. Reproduce the
# figures](07_reproduce_the_figures.ipynb)

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
import csv
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lle_utils import baselines, checks, curve, data, metrics
from lle_utils.enhancer import enhance_picture, trace
from lle_utils.images import as_float, to_uint8
from lle_utils.weights import load_card, load_model

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# First, we enhance the test pictures and keep the maps.

# %%
test = list(data.load(DATASET, "test", lazy=True)[:6])
enhancer = load_model("enhancer")
traces = [trace(enhancer, pair.low) for pair in test]
enhanced = [as_float(to_uint8(steps[-1].image)) for steps in traces]
references = [pair.high for pair in test]
print(len(test), "test pictures:", ", ".join(pair.name for pair in test))


# %%
# Alt: One test picture: the dark input, the enhanced picture and the reference.
def show(pictures, titles, height=2.6, **options):
    """Draw pictures side by side."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures]
    size = (height * sum(widths) + 0.3, height + 0.6)
    _, axes = plt.subplots(1, len(pictures), figsize=size, width_ratios=widths, squeeze=False)
    for axis, picture, title in zip(axes[0], pictures, titles, strict=True):
        axis.imshow(np.clip(picture, 0, 1), **options)
        axis.set_title(title)
        axis.axis("off")
    plt.show()


landscape = [i for i, pair in enumerate(test) if pair.low.shape[0] < pair.low.shape[1]]
chosen = landscape[0]
first, output = test[chosen], enhanced[chosen]
show([first.low, output, first.high], ["input", "enhanced", "reference"])

# %% [markdown]
# ## The protocol
#
# A score means nothing without its rules, the [protocol](glossary.md#protocol). Ours:
#
# 1. The enhanced picture is clipped to [0, 1] and **rounded to 8 bits**, as in a file.
# 2. It is compared with the [reference](glossary.md#reference) in **RGB, at full size**.
# 3. Each metric is computed **per picture**, then averaged over pictures.
# 4. Nothing is fitted to the reference.
# 5. Methods and settings are chosen on the [validation](glossary.md#validation)
#    [split](glossary.md#split), never on test pictures.
#
# ## PSNR: how large is the error?
#
# Subtract, square, average: the [mean squared error](glossary.md#mean-squared-error). Minus ten
# times its logarithm is the **[peak signal-to-noise ratio](glossary.md#psnr)** in decibels. Ten
# more decibels is a tenth of the squared error. The "peak", the largest possible value, is 1.

# %%
error = np.mean((output.astype(np.float64) - first.high) ** 2)
by_hand = -10 * np.log10(error)
print(f"mean squared error {error:.5f}")
print(f"PSNR by hand {by_hand:.2f} dB, lle_utils {metrics.psnr(output, first.high):.2f} dB")


# %% [markdown]
# ### A score too good to be true
#
# An example on keras.io trains a network for dark pictures and prints 67 dB. It passes values in
# [0, 1] to a function that expects 0 to 255.


# %%
def example_psnr(image, reference, max_val=255.0):
    """The logarithm of the squared peak over the mean squared error."""
    return 10 * np.log10(max_val**2 / np.mean((image - reference) ** 2))


print(f"as in the example {example_psnr(output, first.high):.2f} dB, by hand {by_hand:.2f} dB")

# %% [markdown]
# ### Exercise 6.1. Find why a PSNR reads 67 dB
#
# Correct a printed PSNR. The function gets the printed decibels, the `max_val` of the call, and the
# real `peak` of the data. It must also work for pictures in codes, 0 to 255, and `max_val=1`.


# %% tags=["exercise"]
def true_psnr(printed, max_val, peak):
    return ...


# %% tags=["check"]
checks.true_psnr(true_psnr)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Write the formula twice, once with `max_val` and once with `peak`, and subtract. The mean squared
# error cancels.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def true_psnr(printed, max_val, peak):
#     return printed - 20 * np.log10(max_val / peak)
# ```
#
# So the 67 dB are really 19.
#
# </details>

# %% [markdown]
# ## SSIM: is the structure there?
#
# **Predict, then run.** We degrade a reference in two ways: everything brighter by 10 % of the
# range, or noise with a standard deviation of 10 %. Which one will *look* worse?

# %%
# Alt: The reference, a brighter version and a noisy one, both at about 20 dB.
rng = np.random.default_rng(0)
calm = 0.2 + 0.6 * first.high  # away from black and white, so that nothing is clipped
brighter = calm + 0.1
noisy = np.clip(calm + 0.1 * rng.standard_normal(calm.shape), 0, 1)
titles = [f"{metrics.psnr(spoiled, calm):.1f} dB" for spoiled in (brighter, noisy)]
show([calm, brighter, noisy], ["reference", *titles])

# %% [markdown]
# PSNR rates them as equal; the eye does not. **[Structural similarity](glossary.md#ssim)** compares
# the means, variances and correlation in small windows:
#
# $$\mathrm{SSIM} = \frac{2\mu_x\mu_y + c_1}{\mu_x^2 + \mu_y^2 + c_1} \cdot
# \frac{2\sigma_{xy} + c_2}{\sigma_x^2 + \sigma_y^2 + c_2}$$
#
# Windows are Gaussians with a standard deviation of 1.5 pixels, so each mean $\mu$ is a Gaussian
# filter.


# %%
def window_mean(values):
    """Average over an 11 x 11 Gaussian window, for one channel."""
    return ndimage.gaussian_filter(values, 1.5, truncate=3.5)


def ssim_map(x, y, c1=0.01**2, c2=0.03**2):
    """Return the structural similarity of one channel around each pixel."""
    mean_x, mean_y = window_mean(x), window_mean(y)
    spread_x = window_mean(x * x) - mean_x**2
    spread_y = window_mean(y * y) - mean_y**2
    together = window_mean(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + c1) * (2 * together + c2)
    return above / ((mean_x**2 + mean_y**2 + c1) * (spread_x + spread_y + c2))


# %%
def ssim(image, reference):
    """Average the map over the channels, without the border of half a window."""
    image, reference = image.astype(np.float64), reference.astype(np.float64)
    maps = [ssim_map(image[..., c], reference[..., c])[5:-5, 5:-5] for c in range(3)]
    return np.mean(maps)


for name, spoiled in (("brighter", brighter), ("noisy", noisy)):
    print(f"{name:9s} PSNR {metrics.psnr(spoiled, calm):5.2f} dB")
    print(f"          SSIM {ssim(spoiled, calm):.3f}, lle_utils {metrics.ssim(spoiled, calm):.3f}")

# %% [markdown]
# ## CIEDE2000: is the color right?
#
# [CIEDE2000](glossary.md#ciede2000) says how different two colors *look*. A difference of 1 to 2 is
# just visible side by side. Each column shows a color, the same color changed by **20 [code
# values](glossary.md#code-value)**, and the difference.

# %%
# Alt: Six pairs of colors that differ by 20 codes, each with its CIEDE2000 difference.
changes = {
    "gray\n+20 all": ((100, 100, 100), (120, 120, 120)),
    "gray\n+20 red": ((100, 100, 100), (120, 100, 100)),
    "gray\n+20 green": ((100, 100, 100), (100, 120, 100)),
    "blue\n+20 all": ((20, 20, 200), (40, 40, 220)),
    "yellow\n-20 blue": ((220, 220, 40), (220, 220, 20)),
    "black\n+20 all": ((0, 0, 0), (20, 20, 20)),
}
columns, titles = [], []
for name, colors in changes.items():
    before, after = (np.full((40, 60, 3), color, np.uint8) for color in colors)
    columns.append(as_float(np.vstack([before, after])))
    titles.append(f"{name}\n{metrics.ciede2000(after, before):.1f}")
show(columns, titles, height=1.7)

# %% [markdown]
# The same 20 codes matter several times as much on gray as on a strong yellow.
#
# ## Six PSNRs of the same pictures
#
# Now we change only how PSNR is computed. Each of these variants has been published. **Predict,
# then run:** how far apart are the lowest and the highest?

# %%
errors = [e.astype(np.float64) - h for e, h in zip(enhanced, references, strict=True)]
squared = np.array([np.mean(error**2) for error in errors])


def decibels(squared_error):
    """Turn a mean squared error into a PSNR."""
    return -10 * np.log10(squared_error)


def on_one_channel(weights):
    """Average the PSNR of weighted sums of the channels."""
    return np.mean([decibels(np.mean((error @ np.array(weights)) ** 2)) for error in errors])


# %%
def gt_mean(image, reference):
    """Scale a picture to the reference's mean brightness. This looks at the answer!"""
    return np.clip(image * (reference.mean() / image.mean()), 0, 1)


matched = [metrics.psnr(gt_mean(e, h), h) for e, h in zip(enhanced, references, strict=True)]
variants = {
    "per picture, RGB (our protocol)": np.mean(decibels(squared)),
    "pooled: one error over all pictures": decibels(np.mean(squared)),
    "on luma (0.299, 0.587, 0.114)": on_one_channel([0.299, 0.587, 0.114]),
    "on gray (mean of RGB)": on_one_channel([1 / 3, 1 / 3, 1 / 3]),
    "after GT-mean (uses the reference)": np.mean(matched),
    "max_val=255 on data in [0, 1] (a bug)": np.mean(10 * np.log10(255**2 / squared)),
}
for name, value in variants.items():
    print(f"{value:6.2f} dB  {name}")

# %% [markdown]
# - **Pooled** gives the worst picture the most weight.
# - **Luma** and **gray** miss errors that cancel between channels, so a [cast](glossary.md#cast)
#   costs less.
# - **[GT-mean](glossary.md#gt-mean)** ("ground-truth mean") multiplies by a number computed *from
#   the reference*.
# - **max_val=255** adds 20 log10 255 = 48.13 dB.
#
# A table that mixes these variants compares nothing.

# %% tags=["claim"]
protocol, pooled, luma, gray, after_gt_mean, bug = variants.values()
assert pooled <= protocol <= gray
assert abs(bug - protocol - 20 * np.log10(255)) < 1e-6

# %% [markdown]
# ### Exercise 6.2. PSNR by the protocol
#
# Write our metric without `metrics`. The function gets two lists: outputs of a method, as floats
# that may be outside [0, 1], and their references, on 8-bit levels in [0, 1]. Pictures may differ
# in size. It returns one number. Follow points 1 to 3 of the protocol.


# %% tags=["exercise"]
def my_mean_psnr(outputs, references):
    return ...


# %% tags=["check"]
checks.mean_psnr(my_mean_psnr)

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each pair: clip, round to whole codes with `np.rint`, and go back to [0, 1]. The mean over
# pictures comes last.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_mean_psnr(outputs, references):
#     values = []
#     for output, reference in zip(outputs, references, strict=True):
#         saved = np.rint(255 * np.clip(output, 0, 1)) / 255
#         values.append(-10 * np.log10(np.mean((saved - reference) ** 2)))
#     return np.mean(values)
# ```
#
# `my_mean_psnr(enhanced, references)` gives the first line of the table above.
#
# </details>

# %% [markdown]
# ### GT-mean enhances without enhancing
#
# **Predict, then run.** We score the **untouched dark input**, without and with GT-mean. What will
# the second score be?

# %%
# Alt: The dark input, the same scaled to the reference's mean, and the reference.
untouched = np.mean([metrics.psnr(pair.low, pair.high) for pair in test])
lifted = np.mean([metrics.psnr(gt_mean(pair.low, pair.high), pair.high) for pair in test])
print(f"untouched input {untouched:.2f} dB, after GT-mean {lifted:.2f} dB")
show([first.low, gt_mean(first.low, first.high), first.high], ["input", "GT-mean", "reference"])

# %% [markdown]
# Most of PSNR is [exposure](glossary.md#exposure), and GT-mean gives the exposure away. It has one
# honest use, in a separate column: what is left of a method's lead **when every method is given the
# exposure**?
#
# Some data sets need that column. If every dark picture was taken about the same number of stops
# below its reference, one fixed setting is right for all, and a method that estimates exposure can
# only lose. So for other cameras we also report PSNR after GT-mean.

# %% [markdown]
# ## What must be beaten
#
# An enhancer has to beat simple methods, its [baselines](glossary.md#baseline). Here are six:
#
# - **untouched**: the input itself
# - **[gamma](glossary.md#gamma)**: every value to the power 0.4
# - **equalized**: brightness spread evenly over all codes (histogram equalization)
# - **CLAHE**: the same per tile, with limited contrast
# - **LIME-like**: divide by a smooth estimate of the illumination
# - **[constant map](glossary.md#constant-map)**: our own [recursion](glossary.md#recursion), with
#   *one number* instead of the network
#
# "founding" is the network as it was first trained (notebook 04). The constant is fitted on the
# training split.

# %%
training = data.load(DATASET, "train", lazy=True)
training = training[:: max(1, len(training) // 24)][:24]
constant = baselines.fit_constant(training)
print(f"the constant: m = {constant:.3f} in all of 8 iterations, from {len(training)} pictures")
founding = load_model("founding")
methods = {
    "untouched": lambda low: low,
    "gamma 0.4": baselines.gamma,
    "equalized": baselines.equalize,
    "CLAHE": baselines.clahe,
    "LIME-like": baselines.lime_like,
    "constant map": lambda low: baselines.constant_map(low, constant),
    "founding": lambda low: enhance_picture(founding, low),
}

# %%
# Alt: One scene by six simple methods, the founding network and the enhancer, and the reference.
results = {name: [method(pair.low) for pair in test] for name, method in methods.items()}
results["enhancer"] = enhanced
names = [*results, "reference"]
for row in (names[:3], names[3:6], names[6:]):
    pictures = [first.high if name == "reference" else results[name][chosen] for name in row]
    show(pictures, row, height=2.5)


# %% [markdown]
# Equalization washes out the colors. CLAHE raises contrast, not exposure. LIME-like lifts the
# shadows most, and their noise with them.
#
# ## The table
#
# "worst" is the lowest PSNR of any picture. In the last column every method was given the exposure.


# %%
def score_pair(pair, picture):
    """Score one result by the protocol, and after GT-mean."""
    told = metrics.psnr(gt_mean(picture, pair.high), pair.high)
    return {**metrics.score(picture, pair.high), "GT-mean": told}


with ThreadPoolExecutor(2) as pool:  # two cores, two pictures at a time
    scores = {name: list(pool.map(score_pair, test, found)) for name, found in results.items()}
psnrs = {name: np.array([row["psnr"] for row in rows]) for name, rows in scores.items()}
ordered = sorted(psnrs, key=lambda name: -psnrs[name].mean())
print("method          PSNR    95 % interval    worst    SSIM   CIEDE2000   | PSNR after GT-mean")
for name in ordered:
    low, high = metrics.bootstrap_interval(psnrs[name])
    mean = metrics.mean_scores(scores[name], [*metrics.METRICS, "GT-mean"])
    psnr, ssim_mean, color, told = mean.values()
    print(f"{name:13s} {psnr:6.2f}   {low:5.2f} to {high:5.2f}   {psnrs[name].min():6.2f}"
          f"   {ssim_mean:.3f}   {color:8.1f}    | {told:6.2f}")  # fmt: skip

# %% [markdown]
# Which method is best, by which column? No scene of the sample's test split is in training. On LOL
# most test scenes are: see "Scene leak" below.
#
# ## How sure is a mean of six?
#
# With other test pictures the mean would differ. By how much? The
# **[bootstrap](glossary.md#bootstrap-interval)** estimates that: draw as many pictures as there
# are, *with replacement*, take the mean, and repeat ten thousand times. The middle 95 % of these
# means are the interval.

# %%
ours = psnrs["enhancer"]
rng = np.random.default_rng(0)
resampled = rng.choice(ours, size=(10_000, ours.size)).mean(axis=1)
interval = np.quantile(resampled, [0.025, 0.975])
print(f"mean {ours.mean():.2f} dB, 95 % interval {interval[0]:.2f} to {interval[1]:.2f} dB")
low, high = metrics.bootstrap_interval(ours)
print(f"lle_utils: {low:.2f} to {high:.2f} dB")

# %% [markdown]
# <details><summary>Quiz: how long is the interval with four times as many pictures?</summary>
#
# About half as long: the standard error of a mean falls with the square root of n.
#
# </details>

# %%
# Alt: PSNR of each method: a dot per picture, the mean, and a bar for its 95 % interval.
plt.figure(figsize=(9, 4.6))
for height, name in enumerate(reversed(ordered)):
    values = psnrs[name]
    plt.plot(metrics.bootstrap_interval(values), [height, height], "-", color="0.6", linewidth=6)
    plt.plot(values, np.full(values.size, height), "o", color="C0", markersize=5)
    plt.plot(values.mean(), height, "k|", markersize=18, markeredgewidth=3)
plt.yticks(range(len(ordered)), ordered[::-1])
plt.xlabel("PSNR (dB)")
plt.title("dot: one picture; black mark: mean; gray bar: 95 % interval of the mean")
plt.show()

# %% [markdown]
# Many bars overlap, because some pictures are hard for every method. But which method is better
# **on the same picture**? Subtract first, picture by picture, and compute the interval of the
# [*difference*](glossary.md#paired-difference).

# %%
for name in ordered:
    if name == "enhancer":
        continue
    difference = ours - psnrs[name]
    low, high = metrics.bootstrap_interval(difference)
    verdict = "better" if low > 0 else "worse" if high < 0 else "not decided"
    ahead = f"ahead on {np.sum(difference > 0)} of {len(test)}"
    print(f"enhancer - {name:13s} {difference.mean():+6.2f} dB ({low:+6.2f} to {high:+6.2f})",
          f"{ahead}: {verdict}")  # fmt: skip

# %% [markdown]
# "Not decided", an interval that contains 0, is also a result. It is the result on LOL's fifteen
# test pictures for the enhancer against one constant (see the card below).
#
# ### Exercise 6.3. An interval of your own
#
# The function gets the PSNRs of two methods on the same pictures, in the same order, and returns
# `low, high`: the bounds of the middle 95 % of the means of *ours minus theirs*, in ten thousand
# draws with replacement.


# %% tags=["exercise"]
def my_interval(ours, theirs):
    return ...


# %% tags=["check"]
checks.paired_interval(my_interval)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Subtract first, then draw. `rng.choice(values, size=(10_000, values.size))` draws ten thousand
# rows; each row has one mean.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_interval(ours, theirs):
#     rng = np.random.default_rng(0)
#     differences = ours - theirs
#     means = rng.choice(differences, size=(10_000, differences.size)).mean(axis=1)
#     low, high = np.quantile(means, [0.025, 0.975])
#     return low, high
# ```
#
# Try it: `my_interval(ours, psnrs["constant map"])`.
#
# </details>

# %% [markdown]
# ## Does the map matter?
#
# A good score does not prove that the enhancer *looks* at the picture: one constant also scores
# well. So we remove its maps step by step:
#
# 1. each map as it was predicted;
# 2. each map replaced by its **mean over the picture**, which removes *where*;
# 3. each map replaced by its **mean over the data set** (these test pictures), which also removes
#    each picture's exposure.


# %%
def with_maps(low, maps):
    """Run the recursion with given maps; return the picture on 8-bit levels."""
    start = np.maximum(low, curve.FLOOR)
    return as_float(to_uint8(curve.recurse(start, lambda image, step: maps[step], len(maps))))


predicted = [[step.parameter_map for step in steps] for steps in traces]
per_picture = [[m.mean(axis=(0, 1)) for m in maps] for maps in predicted]
per_data_set = [np.mean(per_picture, axis=0)] * len(test)
for name, maps in (("maps as predicted", predicted), ("mean over the picture", per_picture),
                   ("mean over the data set", per_data_set)):  # fmt: skip
    pictures = [with_maps(pair.low, m) for pair, m in zip(test, maps, strict=True)]
    values = [metrics.psnr(e, h) for e, h in zip(pictures, references, strict=True)]
    low, high = metrics.bootstrap_interval(ours - values)
    print(f"{name:24s} {np.mean(values):6.2f} dB   lost {np.mean(ours - values):+5.2f}"
          f" ({low:+5.2f} to {high:+5.2f})")  # fmt: skip


# %% [markdown]
# The first step costs most: where the maps are large matters more here than how large each
# picture's maps are on average.
#
# ## Scene leak: a score for memory
#
# Notebook 01 found that 14 of LOL's 15 test scenes are also in its training pictures. How much can
# that matter? Here is a "method" that brightens **nothing**: it finds the most similar dark picture
# among the training pairs and returns the reference of *that one*.


# %%
def ranks(picture, rows=8, columns=12):
    """Return the ranks of a small gray version: alike for all exposures of a scene."""
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    gray = picture[: rows * height, : columns * width].mean(axis=-1)
    small = gray.reshape(rows, height, columns, width).mean(axis=(1, 3)).ravel()
    return small.argsort().argsort() / small.size


def look_up(low, memory):
    """Return the reference of the remembered pair whose dark picture is most alike."""
    return min(memory, key=lambda pair: np.sum((ranks(pair.low) - ranks(low)) ** 2)).high


# %% [markdown]
# It needs several exposures of each scene. LOL has them; for the sample, `exposures=2` darkens
# every scene twice. Then we hold out a quarter: random **pictures**, or whole **scenes**.
# **Predict, then run:** what will this method score?

# %%
if DATASET == "lol":
    pool = list(data.load("lol", "train", lazy=True)[:24])
    groups = enumerate(data.lol_scenes()["groups"])
    number = {file: scene for scene, group in groups for file in group}
    scenes = [number[f"our485/{pair.name}.png"] for pair in pool]
else:
    pool = [p for p in data.load("sample", "train", exposures=2) if p.low.shape == (400, 600, 3)]
    scenes = [pair.name.split("#")[0] for pair in pool]
kinds = sorted(set(scenes))
print(len(pool), "pairs of", len(kinds), "scenes")


# %%
def look_up_score(held_out):
    """Score the look-up on held-out pairs, with all others as its memory."""
    memory = [pair for pair, out in zip(pool, held_out, strict=True) if not out]
    asked = [pair for pair, out in zip(pool, held_out, strict=True) if out]
    return np.mean([min(metrics.psnr(look_up(p.low, memory), p.high), 60) for p in asked])


rng = np.random.default_rng(0)
some_scenes = rng.choice(kinds, max(2, len(kinds) // 4), replace=False)
by_scene = np.isin(scenes, some_scenes)
some_pictures = rng.choice(len(pool), by_scene.sum(), replace=False)
by_picture = np.isin(np.arange(len(pool)), some_pictures)
memory_score = {"picture": look_up_score(by_picture), "scene": look_up_score(by_scene)}
for way, value in memory_score.items():
    print(f"held out by {way:8s} {value:6.2f} dB")

# %% [markdown]
# Split by picture, it scores high: it has seen the scenes. (An exact copy counts as 60 dB.) Split
# by scene, it fails, as it should. A network can also memorize, so we split LOL's training pictures
# by scene.

# %% tags=["claim"]
assert memory_score["picture"] > memory_score["scene"] + 3

# %% [markdown]
# ## Where does the error come from?
#
# The mean squared error is the sum of three parts:
#
# - **exposure**: the whole picture is too bright or too dark (the mean error, squared);
# - **cast**: one channel is off against the others (the variance of the channels' mean errors);
# - **detail**: everything that differs from place to place: noise, blur, wrong contrast, clipping.


# %%
def split_error(enhanced, reference):
    """Return the shares of the squared error: exposure, cast, detail. Their sum is the error."""
    error = enhanced.astype(np.float64) - reference
    channels = error.mean(axis=(0, 1))
    return np.array([error.mean() ** 2, channels.var(), (error - channels).var(axis=(0, 1)).mean()])


print("                PSNR   exposure    cast   detail   mean error")
for i in np.argsort(-ours):
    parts = split_error(enhanced[i], references[i])
    shares = "  ".join(f"{100 * share:5.0f} %" for share in parts / parts.sum())
    print(f"{test[i].name:12s} {ours[i]:7.2f}    {shares}   {255 * errors[i].mean():+6.1f} codes")

# %% [markdown]
# The enhancer cannot know the exposure: a dim room and a bright one can give the same dark picture.
#
# ## The worst picture, in full view
#
# An even error is exposure, patches are wrong contrast, fine grain is noise.

# %%
# Alt: The worst picture: input, enhanced, reference. Below, a map of where the error is.
worst = int(np.argmin(ours))
pair, output = test[worst], enhanced[worst]
show([pair.low, output, pair.high], ["input", f"enhanced, {ours[worst]:.1f} dB", "reference"])
plt.figure(figsize=(6.5, 4))
plt.imshow(255 * np.abs(output - pair.high).mean(axis=-1), cmap="cividis", vmin=0, vmax=64)
plt.colorbar(label="mean error of the channels (codes)")
plt.title(f"{pair.name}: where the error is")
plt.axis("off")
plt.show()

# %% [markdown]
# We enlarge the smoothest part of the picture, and measure grain as what a small blur removes.

# %%
# Alt: An enlarged crop: the input, by one constant, by the enhancer, and the reference.
gray = pair.high.mean(axis=-1)
rough = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(gray, 2), 100)
rough[ndimage.uniform_filter(gray, 100) < 0.1] = np.inf  # not where it is black
inside = rough[50:-50, 50:-50]  # the squares of 100 x 100 that fit
top, side = np.unravel_index(inside.argmin(), inside.shape)
crop = np.s_[top : top + 100, side : side + 100]
parts = {"constant map": results["constant map"][worst][crop],
         "enhancer": output[crop], "reference": pair.high[crop]}  # fmt: skip
grain = {name: 255 * (part - ndimage.gaussian_filter(part, (2, 2, 0))).std()
         for name, part in parts.items()}  # fmt: skip
titles = [f"{name}: {value:.1f} codes" for name, value in grain.items()]
show([5 * pair.low[crop], *parts.values()], ["input x 5", *titles], height=2.7)

# %% [markdown]
# A detail map lifts pixels that noise made too dark more than their neighbors. Less grain than in
# the reference means that some texture was removed as well.

# %% tags=["claim"]
assert grain["enhancer"] < grain["constant map"]

# %% [markdown]
# ## Which choices matter?
#
# An **ablation** changes one choice of the [recipe](glossary.md#recipe) at a time and trains again
# with the same budget, here 400 steps. Each dot is one training run. Left: PSNR after 8 iterations
# on LOL's validation scenes. Right: PSNR after GT-mean on pairs from other cameras. **Look at** the
# distance from the line, the base recipe. Its two dots differ only in the random seed: smaller
# distances may be chance.

# %%
path = files("lle_utils") / "registry" / "ablation.csv"
table = list(csv.DictReader(path.read_text("utf-8").splitlines()))
columns = ("psnr_7", "psnr_8", "psnr_12", "ssim", "gt_mean", "other_gt_mean", "other_ssim")
print(f"{'row':22s} seed " + " ".join(f"{column:>13s}" for column in columns))
for row in table:
    numbers = " ".join(f"{float(row[column]):13.3f}" for column in columns)
    print(f"{row['row']:22s} {row['seed']:>4s} {numbers}")

# %%
# Alt: Dots per ablation row: PSNR on LOL (left) and other cameras (right); a line marks the base.
names = sorted({row["row"] for row in table}, reverse=True)
_, axes = plt.subplots(1, 2, figsize=(10, 0.36 * len(names) + 1.2), sharey=True)
labels = ("PSNR (dB), LOL validation", "PSNR after GT-mean (dB), other cameras")
for axis, column, label in zip(axes, ("psnr_8", "other_gt_mean"), labels, strict=True):
    values = [float(row[column]) for row in table]
    axis.plot(values, [names.index(row["row"]) for row in table], "o")
    axis.axvline(
        np.mean([float(row[column]) for row in table if row["row"] == "base"]), color="0.6"
    )
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel(label)
plt.show()

# %% [markdown]
# Exposure only and detail only do as well as both together on LOL, but worse on other cameras.
# Plain mean squared error does worse on both. Training on LOL only is better on LOL **and** no
# worse on other cameras: in runs this short, photographs do not pay. Whether they do in a long one,
# this table cannot say. (The rows were trained when fewer pictures were well lit than in today's
# recipe.)
#
# ## The card
#
# Every weights file has a **[card](glossary.md#card)**: data, split, recipe and scores. "unseen"
# are LOL scenes that are not in training; "test" is eval15, whose scenes mostly are. The last line
# of each split is the PSNR after 7, 8, 12 and 24 iterations.

# %%
card = load_card("enhancer")
for split, found in card["scores"].items():
    if not isinstance(found, dict) or "weights" not in found:
        continue
    print(f"{split:24s}   PSNR    SSIM   CIEDE2000   after GT-mean")
    for name in ("weights", "constant"):
        row = found[name]
        print(f"   {name:21s} {row['psnr']:6.2f}   {row['ssim']:.3f}   {row['ciede2000']:9.2f}"
              f"   {row['psnr after GT-mean']:13.2f}")  # fmt: skip
    for metric, gain in found["gain over the constant"].items():
        low, high = gain["interval"]
        print(f"   gain, {metric:18s} {gain['mean']:+7.3f} ({low:+.3f} to {high:+.3f})")
    depths = found.get("psnr after iterations", {})
    print("  ", "  ".join(f"{n}: {value:.2f}" for n, value in depths.items()), "\n")

# %% [markdown]
# ## What you learned
#
# - A score needs its protocol: per picture, RGB, 8 bits, nothing fitted to the reference.
# - PSNR measures error, SSIM structure, CIEDE2000 color. PSNR is mostly exposure.
# - Pooling, luma, GT-mean or a wrong peak change a score by decibels, and no picture.
# - Compare with simple methods, on the same pictures, by paired differences with an interval.
# - Remove the map to see whether it matters. Split by scene. Look at the worst picture.
#
# Sources and further reading: [references](references.md).
#
# Next: [07. Reproduce the figures](07_reproduce_the_figures.ipynb)
