# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08. Let a computer look
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/08_let_a_computer_look.ipynb)
#
# You will find out which computer vision algorithms an enhancer helps in the dark, which it does
# not, and how to test your own.

# %% [markdown]
# ![The share of right answers against the stops by which the picture is too dark, a panel per
# detector and a curve per method. The curve of the untouched picture falls
# first.](figures/vision.png)

# %% [markdown]
# **Minutes:** 2 to run all cells on two CPU cores; 40 to read and do the quick exercises. Per
# exercise: 8.1: 5, 8.2: 10, 8.3: 15, 8.4: 20.
#
# **What you'll need:** notebooks 01, 02 and 06. No network access and no GPU.
#
# **Contents:** scenes · counting · ten methods · intervals · why detectors go blind · what a
# detector needs · more detectors · before your detector · exercises
#
# Previous: [07. Reproduce the figures](07_reproduce_the_figures.ipynb)

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

import matplotlib.pyplot as plt
import numpy as np

from lle_utils import checks, data, vision
from lle_utils.weights import load_model

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## Why look with a computer?
#
# This project began with a sentence about machines: *use low-light image enhancement to improve the
# visibility of an image, to make computer vision algorithms more robust in low-light
# circumstances.* PSNR does not measure that.
#
# OpenCV has two common detectors: **ArUco markers** and **SIFT keypoints**, from which we compute a
# **homography**, the mapping that finds a known picture in a new view. The extra `vision` adds
# three more: AprilTags, QR codes and printed words.

# %%
look_for = vision.detectors()
for name in vision.DETECTORS:
    print(f"{name:18s}", "installed" if name in look_for else "missing: make vision installs it")

# %% [markdown]
# ## Scenes whose truth is known
#
# We paste cards on photographs and look at them at an angle. So we know each marker's number, each
# word and the homography.

# %%
photos = [pair.high for pair in data.load(DATASET, "test", lazy=True)[:6]]
scenes = vision.make_scenes(photos, seed=8)
print(scenes[0].truth)


# %%
# Alt: A photograph, the scene with pasted markers and words, and the scene seven stops too dark.
def show(pictures, titles, columns=3):
    """Draw pictures in rows, each with its title."""
    rows = -(-len(pictures) // columns)
    _, axes = plt.subplots(rows, columns, figsize=(11, 3.1 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, title in zip(axes.flat, pictures, titles, strict=False):
        axis.imshow(np.clip(picture, 0, 1))
        axis.set_title(title)
    plt.show()


dark = vision.darken(scenes[0], stops=7)
show([scenes[0].photo, scenes[0].picture, dark], ["photograph", "scene", "7 stops too dark"])

# %% [markdown]
# The camera of notebook 01 took the light away: seven [stops](glossary.md#stop) leave 1/128 of it,
# and white paper has only a few codes.
#
# ## Count right answers, and false alarms
#
# **Predict, then run.** How many of the three markers does the detector find in the well-lit scene,
# in the dark one, and in the dark one multiplied by a number?

# %%
seen = {"well lit": scenes[0].picture, "dark": dark, "gain": vision.gain(dark)}
for name, picture in seen.items():
    print(f"{name:9s}", vision.see_aruco(picture, scenes[0]))


# %% [markdown]
# `wrong` counts false alarms: answers for which there is no marker. A detector that names every
# number would find everything, so we count both.
#
# ### Exercise 8.1. Count
#
# `found` and `truth` are lists of words. A word counts once, however often it is found. Return the
# number of right answers and the number of false alarms.


# %% tags=["exercise"]
def count_answers(found, truth):
    return ...


# %% tags=["check"]
checks.count_answers(count_answers)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make sets of both lists. `&` keeps what is in both, `-` what is in the first one only.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def count_answers(found, truth):
#     found, truth = set(found), set(truth)
#     return len(found & truth), len(found - truth)
# ```
#
# </details>

# %% [markdown]
# ## Ten ways to look at the same dark picture
#
# The simple methods of notebook 06, the enhancer, and three more:
#
# - **exposure alone**: the enhancer's *how much*, without *where* and without *what is noise*
# - **ours, for vision**: explained below
# - **well lit**: the scene before the light was taken away, the [ceiling](glossary.md#ceiling)
#
# **Predict, then run.** Which picture would you give to a detector, and which one not?

# %%
# Alt: The dark scene by nine methods. Untouched and CLAHE stay dark; the others are bright.
enhancer = load_model("enhancer")
methods = vision.methods(enhancer)
show([method(dark) for method in methods.values()], list(methods))

# %% [markdown]
# Every method gets the same dark pictures with the same noise. This takes a minute.

# %%
base = {name: look_for[name] for name in ("ArUco markers", "SIFT homographies")}
counts = vision.measure(scenes, methods, look_for=base)
names = [*methods, vision.WELL_LIT]


# %%
def share(task, method, stops):
    """Return the share of right answers, all scenes together."""
    total = vision.add(counts[task, method, stops])
    return total.right / total.total


for task in base:
    print(f"\n{task}: right answers in percent, by stops")
    print(" " * 16, *(f"{stops:5d}" for stops in vision.STOPS), "   false alarms")
    for name in names:
        row = [f"{100 * share(task, name, stops):5.0f}" for stops in vision.STOPS]
        wrong = sum(vision.add(counts[task, name, stops]).wrong for stops in vision.STOPS)
        print(f"{name:16s}", *row, f"{wrong:8d}")

# %% [markdown]
# ## How sure is a share?
#
# The usual interval of a share, plus and minus two standard errors, fails at the ends: at 0 of 18
# its length is zero. **Wilson's interval** asks instead which true shares would make the observed
# one likely. With the share $p$ of $n$ and $z = 1.96$ it is
#
# $$\frac{p + \frac{z^2}{2n} \pm z\sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}$$
#
# ### Exercise 8.2. An interval for a share
#
# Return the two ends.


# %% tags=["exercise"]
def share_interval(right, total):
    return ...


# %% tags=["check"]
checks.share_interval(share_interval)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compute `middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)` and the half length. Add, and subtract.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def share_interval(right, total, z=1.96):
#     p, extra = right / total, z**2 / total
#     middle = (p + extra / 2) / (1 + extra)
#     half = z / (1 + extra) * np.sqrt(p * (1 - p) / total + extra / (4 * total))
#     return middle - half, middle + half
# ```
#
# It treats all answers as independent. Markers in one scene are not, so the true uncertainty is
# larger.
#
# </details>

# %%
# Alt: Share found against stops for seven methods, with bands: ArUco left, homographies right.
# The untouched picture and CLAHE fall first.
_, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True)
styles = {"untouched": "k:", "gamma 0.4": "C1-.", "CLAHE": "C4:", "equalized": "C2--",
          "one constant": "C3-.", "ours": "C0-", "ours, for vision": "C5-"}  # fmt: skip
for axis, task in zip(axes, base, strict=True):
    for name, style in styles.items():
        totals = [vision.add(counts[task, name, stops]) for stops in vision.STOPS]
        low, high = np.transpose([vision.wilson(one.right, one.total) for one in totals])
        shares = [one.right / one.total for one in totals]
        axis.plot(vision.STOPS, shares, style, label=name, linewidth=2)
        axis.fill_between(vision.STOPS, low, high, color=style[:-1].rstrip("-"), alpha=0.08)
    axis.set(title=task, xlabel="stops too dark", ylabel="share found")
axes[0].legend(fontsize=10)
plt.show()

# %% [markdown]
# Without brightening, both detectors are nearly blind at 7 stops. Nearly any way to brighten
# restores most of it; CLAHE, which stays dark, restores least. Where the bands overlap, these
# scenes do not tell the methods apart.

# %% tags=["claim"]
for task in base:
    assert share(task, "untouched", 8) < 0.3
    assert share(task, "ours", 7) > share(task, "untouched", 7) + 0.3

# %% [markdown]
# ## Why does it go blind, if the light is only scaled?
#
# A detector has **fixed thresholds** inside: SIFT drops keypoints of low contrast, ArUco's adaptive
# threshold subtracts a few codes, a QR reader calls a block flat if its brightest and darkest
# pixels are close. Detectors that normalize contrast themselves, as trained networks often do, lose
# less in the dark and gain less from brightening.

# %%
for name in ("untouched", "ours", "ours, for vision"):
    gray = vision.gray(methods[name](dark)).astype(float)
    steps = np.abs(np.diff(gray, axis=1))
    print(f"{name:17s} steps between neighbors: median {np.median(steps):4.1f} codes,",
          f"99th percentile {np.quantile(steps, 0.99):5.1f}")  # fmt: skip

# %% [markdown]
# Brightening lifts edges above the thresholds, and noise with them. Too much smoothing loses small
# letters and the small squares of a QR code; without any, noise looks like edges.
#
# ### Exercise 8.3. How far into the dark?
#
# At how many stops does the share of right answers first fall below one half? Interpolate linearly
# between the measured exposures. If it never does, return the last exposure; if it starts below one
# half, the first.


# %% tags=["exercise"]
def half_way(stops, shares):
    return ...


# %% tags=["check"]
checks.half_way(half_way)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Find the first index with a share below 0.5. How far along is 0.5 on the way from the share before
# it?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def half_way(stops, shares):
#     if shares[0] < 0.5:
#         return stops[0]
#     for n in range(1, len(stops)):
#         if shares[n] < 0.5:
#             part = (shares[n - 1] - 0.5) / (shares[n - 1] - shares[n])
#             return stops[n - 1] + part * (stops[n] - stops[n - 1])
#     return stops[-1]
# ```
#
# Try `half_way(vision.STOPS, [share("ArUco markers", name, s) for s in vision.STOPS])`.
#
# </details>

# %% [markdown]
# ## What a detector needs
#
# We tried steps before and after the enhancer, on 34 other photographs and with earlier weights.
# Right answers in percent, at 7 and at 8 stops:
#
# | | QR codes | AprilTags | homographies |
# |---|---|---|---|
# | the enhancer | 47, 26 | 87, 81 | 94, 88 |
# | then brighter, by a power of 0.6 | 71, 26 | 99, 87 | 88, 85 |
# | the same without detail maps | 76, 29 | 99, 88 | 97, 85 |
# | and the dark picture smoothed first | 79, 38 | 99, 87 | 94, 91 |
# | and a lower floor | 85, 50 | 100, 96 | 97, 94 |
# | brighter only if still dark: **for vision** | 76, 50 | 100, 96 | 97, 94 |
# | gamma 0.4 | 50, 15 | 91, 87 | 79, 65 |
# | gamma 0.4, the dark picture smoothed first | 79, 59 | 96, 91 | 74, 47 |
#
# - **Brighter**: ink and paper in a shadow are one or two codes apart.
# - **No detail maps**: they even out noise, and with it what is two or three pixels wide.
# - **Smoothing** by about half a pixel helps *before* the curve, which stretches the noise of the
#   darkest values most. Smoothing after it did harm: QR codes at 7 stops fell from 71 to 50
#   percent.
# - **A lower floor**: the enhancer raises 0 to half a code, since a 0 in a file says no more than
#   that. A mean of neighbors says more.
# - **Only if still dark**: a power that brings the median to middle gray, unless the result is
#   brighter already. On 25 validation pairs of LOL, which are less dark, it found 24 homographies,
#   a power of 0.6 only 21.
#
# The last row is a warning. For QR codes, most of the gain comes from smoothing and not from the
# network: gamma after the same smoothing reads even more at 8 stops, but finds half as many
# homographies.

# %%
print(inspect.getsource(vision.enhance_for_vision).split('"""')[2])
print("middle", vision.MIDDLE, " smoothing", vision.SMOOTHING, "pixels")


# %% [markdown]
# Does it help on these scenes, which had no part in the choice? We compare them one by one, at 6, 7
# and 8 stops.


# %%
def rights(task, method):
    """Return the right answers, an array (stops, scenes), at 6 stops and more."""
    return np.array([[c.right for c in counts[task, method, s]] for s in vision.STOPS[2:]])


for task in base:
    for other in ("gamma 0.4", "equalized", "one constant", "ours"):
        difference = rights(task, "ours, for vision") - rights(task, other)
        more, fewer = difference.clip(min=0).sum(), -difference.clip(max=0).sum()
        print(f"{task:18s} for vision against {other:13s}: {more:2d} more, {fewer:2d} fewer")

# %% [markdown]
# Small numbers on both sides mean that these scenes do not decide.
#
# ## More detectors
#
# `python benchmarks/vision.py` measured all detectors. This is its table, which comes with the
# package.

# %%
table = {(r["detector"], r["method"], r["stops"]): r for r in vision.read_table()}
for task in vision.DETECTORS:
    print(f"\n{task}: right answers in percent, by stops")
    for name in names:
        found = [table.get((task, name, stops)) for stops in vision.STOPS]
        cells = [f"{100 * r['right'] / r['total']:5.0f}" if r else "    -" for r in found]
        print(f"{name:16s}", *cells, f"{sum(r['wrong'] for r in found if r):8d} false")

# %% [markdown]
# For each detector we compare ours with the best simple method at the two darkest exposures at
# which that still finds half.


# %%
def written(row):
    """Return a row of the table as text, with its interval."""
    low, high = vision.wilson(row["right"], row["total"])
    return f"{row['method']} {row['right'] / row['total']:.0%} ({low:.0%} to {high:.0%})"


simple = ("gain", "gamma 0.4", "CLAHE", "equalized", "one constant")
for task in vision.DETECTORS:
    rows = {stops: [table[task, name, stops] for name in simple] for stops in vision.STOPS}
    best = {stops: max(rows[stops], key=lambda row: row["right"]) for stops in rows}
    for stops in [s for s in best if 2 * best[s]["right"] >= best[s]["total"]][-2:]:
        ours = table[task, "ours, for vision", stops]
        print(f"{task:17s} {stops} stops: {written(ours)}; {written(best[stops])}")

# %% [markdown]
# Most of the intervals overlap. And we picked the best of five simple methods for each row,
# afterwards; the enhancer is the same in all rows.
#
# The AprilTag detector stretches the contrast of each small tile itself, and loses least in the
# dark. The QR reader needs the finest detail, and is the first to fail on brightened pictures. Most
# ways to brighten add false words. At 3 stops there is little to gain: the detectors find nearly
# everything in the untouched picture.
#
# **Real pictures, and faces.** On 17 dark pictures of LOL, the enhancer *without* the steps for
# vision is better: it found 17 homographies and 4 of 16 words, for vision 15 and 2. The
# intervals overlap; measure with your own camera. In 19 photographs of people, which we may not
# share, MTCNN found 2 of 40 faces at 8 stops untouched, 26 after one constant, 26 after the
# enhancer and 29 for vision; CenterFace, which sees in the dark by itself, found 29 untouched and
# 37 for vision. All tables: [method.md](method.md#what-a-computer-sees).
#
# Does enhancing always help? No. On ExDark, photographs taken in the dark, a detector trained on
# such pictures has a mean average precision of 76.8 without enhancement and 76.3 to 76.9 with it
# (Cui et al., 2021). Where papers report gains, the detector was trained on enhanced pictures.

# %% [markdown]
# ## Put the enhancer before your detector
#
# Three lines:

# %%
model = load_model()
bright = vision.enhance_for_vision(model, dark)
print(vision.see_aruco(bright, scenes[0]))


# %% [markdown]
# From the command line: `python -m lle_utils enhance night.jpg --for vision`. With a webcam:
#
# ```python
# import cv2
# from lle_utils import vision
# from lle_utils.weights import load_model
#
# model, camera = load_model(), cv2.VideoCapture(0)
# detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250))
# while cv2.waitKey(1) != 27:  # until Esc is pressed
#     ok, frame = camera.read()  # BGR, 8 bits
#     frame = cv2.resize(frame, (400, 300))
#     bright = vision.enhance_for_vision(model, frame[..., ::-1])
#     corners, numbers, _ = detector.detectMarkers(vision.gray(bright))
#     cv2.imshow("what it sees", vision.gray(bright))
# ```
#
# A small picture takes one or two tenths of a second without a GPU, because the network looks at
# thumbnails only.

# %% [markdown]
# ## Exercises
#
# ### Exercise 8.4. A loss for detectors
#
# Many detectors look at *patterns*, not at brightness. Write a loss that does the same: gray (the
# mean of the channels), cut into blocks of 8 x 8 pixels, each block minus its mean and divided by
# its standard deviation plus 0.01. Return the mean squared difference of the two pictures' blocks.
# Leave out rows and columns that do not fill a block.


# %% tags=["exercise"]
def block_loss(image, reference):
    return ...


# %% tags=["check"]
checks.block_loss(block_loss)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `gray[:8 * r, :8 * c].reshape(r, 8, c, 8)` has a block's rows in axis 1 and its columns in axis 3.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def patterns(picture):
#     gray = picture.mean(axis=-1)
#     rows, columns = gray.shape[0] // 8, gray.shape[1] // 8
#     blocks = gray[: 8 * rows, : 8 * columns].reshape(rows, 8, columns, 8)
#     blocks = blocks - blocks.mean(axis=(1, 3), keepdims=True)
#     return blocks / (blocks.std(axis=(1, 3), keepdims=True) + 0.01)
#
#
# def block_loss(image, reference):
#     return np.mean((patterns(image) - patterns(reference)) ** 2)
# ```
#
# </details>

# %% [markdown]
# ## What you learned
#
# - In scenes that we make ourselves we know what a detector should find, and which answers are
#   false.
# - Detectors with fixed thresholds go blind in the dark; brightening restores most of it.
# - Good ways to brighten differ little. Compare on the same scenes and noise, with intervals.
# - A detector that was trained in the dark may gain nothing. Measure with yours.
#
# Sources and further reading: [references](references.md).
