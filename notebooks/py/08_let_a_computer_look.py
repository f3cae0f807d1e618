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
#
# **Minutes:** 2 to run all cells on two CPU cores; 40 to read and do the quick exercises. Per
# exercise: 8.1: 5, 8.2: 10, 8.3: 15, 8.4: 20.
#
# **What you'll learn**
#
# - how to build test scenes in which you know what a detector should find
# - how to compare ways to brighten by what a detector sees: success, false alarms, intervals
# - why a detector needs something different from what the eye needs, and what `--for vision` does
#   about it
# - how to put the enhancer before a detector, in three lines
#
# **What you'll need:** notebooks 01, 02 and 06. No network access and no GPU.
#
# **Contents:** scenes · counting · ten methods · intervals · why detectors go blind · what a
# detector needs · more detectors · before your detector · exercises
#
# Previous: [07. Reproduce the figures](07_reproduce_the_figures.ipynb)

# %% [markdown]
# ![The share of right answers against the stops by which the picture is too dark, a panel per
# detector and a curve per method. The curve of the untouched picture falls
# first.](figures/vision.png)

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
# circumstances.* PSNR does not measure that. A detector either finds the marker or it does not.
#
# OpenCV brings two detectors that are used every day: **ArUco markers** (robots, cameras,
# measuring) and **SIFT keypoints**, from which we compute a **homography**, the mapping that finds
# a known picture in a new view. With the optional packages of the extra `vision` there are three
# more: AprilTags, QR codes and printed words.

# %%
look_for = vision.detectors()
for name in vision.DETECTORS:
    print(f"{name:18s}", "installed" if name in look_for else "missing: make vision installs it")

# %% [markdown]
# ## Scenes whose truth is known
#
# We paste cards on photographs and look at them from a slant. We know each marker's number, each
# word and the homography because we put them there.

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
# The camera of notebook 01 took the light away: seven [stops](glossary.md#stop) leave 1/128 of it.
# What is left of white paper are a few codes.
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
# possible number would find everything, so the two belong together.
#
# ### Exercise 8.1. Count
#
# Write the counting yourself. `found` and `truth` are lists of words. A word counts once, however
# often it is found. Return the number of right answers and the number of false alarms.


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
# - **ours, for vision**: a step after the enhancer that is explained below
# - **well lit**: the scene before the light was taken away, the [ceiling](glossary.md#ceiling)
#
# **Predict, then run.** Which picture would you give to a detector? Write down the best and the
# worst before you go on.

# %%
# Alt: The dark scene by nine methods. Untouched and CLAHE stay dark; the others are bright.
enhancer = load_model("enhancer")
methods = vision.methods(enhancer)
show([method(dark) for method in methods.values()], list(methods))

# %% [markdown]
# Every method gets the same dark pictures, with the same noise. This takes a minute.

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
# It treats all answers as independent. Markers of one scene are not quite, so the true uncertainty
# is larger.
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
# Untouched, both detectors are nearly blind at 7 stops. Nearly any way to brighten gives most of it
# back; CLAHE, which is made for contrast and stays dark, gives back least. Where the bands overlap,
# these scenes do not tell the methods apart.

# %% tags=["claim"]
for task in base:
    assert share(task, "untouched", 8) < 0.3
    assert share(task, "ours", 7) > share(task, "untouched", 7) + 0.3

# %% [markdown]
# ## Why does it go blind, if the light is only scaled?
#
# A detector has **fixed numbers** inside: SIFT drops keypoints below a contrast, ArUco's adaptive
# threshold subtracts a constant of some codes, a QR reader calls a block flat if its brightest and
# darkest pixel are close. Below these numbers there is nothing to see. Detectors that normalize
# contrast themselves, as trained networks often do, lose less in the dark and gain less from
# brightening.

# %%
for name in ("untouched", "ours", "ours, for vision"):
    gray = vision.gray(methods[name](dark)).astype(float)
    steps = np.abs(np.diff(gray, axis=1))
    print(f"{name:17s} steps between neighbors: median {np.median(steps):4.1f} codes,",
          f"largest percent {np.quantile(steps, 0.99):5.1f}")  # fmt: skip

# %% [markdown]
# Brightening lifts edges above the thresholds, and noise with them. What smooths too much loses
# small modules of a QR code and small letters; what does not smooth at all lets noise look like
# edges.
#
# ### Exercise 8.3. How far into the dark?
#
# At how many stops does the share of right answers first fall through one half? Interpolate
# linearly between the measured exposures. A curve that never falls below one half gets the last
# exposure, one that starts below it the first.


# %% tags=["exercise"]
def half_way(stops, shares):
    return ...


# %% tags=["check"]
checks.half_way(half_way)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Find the first index with a share below 0.5. Between it and the one before, the share falls from
# above 0.5 to below: which part of the way is it at 0.5?
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
# We looked for steps before and after the enhancer, on 34 other photographs with scenes and noise
# of their own, and with earlier weights. Right answers in percent, at 7 and at 8 stops:
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
# - **Smoothing** by about half a pixel helps *before* the curve. After it, it did harm: QR codes at
#   7 stops fell from 71 to 50 percent. The curve stretches the darkest values most, and their noise
#   with them; what was averaged before has less noise to stretch.
# - **A lower floor**: the enhancer raises everything below half a code to half a code, since a 0
#   in a file says no more than that. A mean of neighbors says more.
# - **Only if still dark**: a power that brings the median to middle gray, and none for results that
#   are brighter already. On 25 validation pairs of LOL, which are less dark, that found 24
#   homographies, and a power of 0.6 found 21.
#
# The last row is a warning. For codes, most of the gain comes from the smoothing and not from
# the network: gamma after the same smoothing reads even more QR codes at 8 stops. It finds half as
# many homographies.

# %%
print(inspect.getsource(vision.enhance_for_vision).split('"""')[2])
print("middle", vision.MIDDLE, " smoothing", vision.SMOOTHING, "pixels")


# %% [markdown]
# Does it help here, on scenes and noise that had no part in the choice? We compare scene by scene,
# at 6, 7 and 8 stops.


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
# With the extra, `python benchmarks/vision.py` measures all detectors and writes the table that is
# committed with the package. This is it.

# %%
table = {(r["detector"], r["method"], r["stops"]): r for r in vision.read_table()}
for task in vision.DETECTORS:
    print(f"\n{task}: right answers in percent, by stops")
    for name in names:
        found = [table.get((task, name, stops)) for stops in vision.STOPS]
        cells = [f"{100 * r['right'] / r['total']:5.0f}" if r else "    -" for r in found]
        print(f"{name:16s}", *cells, f"{sum(r['wrong'] for r in found if r):8d} false")

# %% [markdown]
# The enhancer should not lose to a simple method where it matters: in the dark, but not so dark
# that nothing works. So for each detector we take the two darkest exposures at which the best
# simple method still finds half, and compare.


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
# Read the intervals before the shares: most of them overlap. And note which simple method is best:
# gamma for one detector, plain gain or equalization for another. We picked the best of five
# afterwards, for each row; the enhancer is the same in all of them.
#
# The AprilTag detector stretches the contrast of each small tile by itself, and it loses least in
# the dark. The QR reader needs the finest detail: of the five it is the first to fail on brightened
# pictures. Most ways to brighten add false alarms among the words: the reader tries where it was
# silent before. And where there is light enough, there is little to gain: at 3 stops the detectors
# find nearly everything in the untouched picture.
#
# **Real pictures, and faces.** On 17 dark pictures of LOL, the enhancer *without* the step for
# vision is as good or better: it found 17 homographies and 4 of 16 words, for vision 15 and 3. Few
# words, and overlapping intervals, but a reason to measure with your own camera. The sample shows
# two faces, too few for an experiment. In 19 other photographs, which we may not pass on, MTCNN
# found 2 of 32 faces at 8 stops untouched, 26 after one constant, 28 after the enhancer and 27 for
# vision; CenterFace found 29 untouched and 31 for vision: it sees in the dark by itself.
# [The tables](method.md#what-a-computer-sees) are on the page about the method;
# `python benchmarks/vision.py` with `--lol` or `--faces FOLDER` makes them, where LOL was fetched
# or from your photographs.
#
# Does enhancing always help? No. On ExDark, photographs taken in the dark, a detector trained on
# such pictures finds as much without enhancement as with it: a mean average precision of 76.8 on
# the raw pictures and 76.3 to 76.9 after enhancement by several methods, in the table of MAET (Cui
# et al., 2021). A detector that has seen the dark in training needs no help; one with fixed
# thresholds does.

# %% [markdown]
# ## Put the enhancer before your detector
#
# Three lines:

# %%
model = load_model()
bright = vision.enhance_for_vision(model, dark)
print(vision.see_aruco(bright, scenes[0]))


# %% [markdown]
# From the command line: `python -m lle_utils enhance night.jpg --for vision`. And with a camera at
# your computer:
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
# A small picture takes one or two tenths of a second without a GPU: without detail maps, the
# network looks at thumbnails only.

# %% [markdown]
# ## Exercises
#
# ### Exercise 8.4. A loss for detectors
#
# Many detectors look at *patterns* and do not care about brightness. Write a loss that does the
# same: gray (the mean of the channels), cut into blocks of 8 x 8 pixels, each block minus its mean
# and divided by its standard deviation plus 0.01. Return the mean squared difference of the two
# pictures' blocks. Rows and columns that do not fill a block are left out.


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
# For an evening: write it with `keras.ops`, add it to the loss of notebook 04, train, and put the
# result in place of `enhancer` above. Does it find more?
#
# </details>

# %% [markdown]
# ## What you learned
#
# - Scenes made by construction tell what a detector should find, and how many answers are false.
# - Detectors with fixed thresholds go blind in the dark; brightening gives most of it back.
# - The differences between good ways to brighten are small. Compare on the same scenes and noise,
#   with intervals.
# - A detector that was trained in the dark may gain nothing. Measure with yours.
#
# ## Further reading
#
# - Z. Cui, G.-J. Qi, L. Gu, S. You, Z. Zhang, T. Harada, "Multitask AET with orthogonal tangent
#   regularity for dark object detection", ICCV, 2021.
#   [arXiv:2205.03346](https://arxiv.org/abs/2205.03346)
# - Y. P. Loh, C. S. Chan, "Getting to know low-light images with the Exclusively Dark dataset",
#   Computer Vision and Image Understanding 178, 2019.
#   [doi:10.1016/j.cviu.2018.10.010](https://doi.org/10.1016/j.cviu.2018.10.010)
# - S. Garrido-Jurado, R. Muñoz-Salinas, F. J. Madrid-Cuevas, M. J. Marín-Jiménez, "Automatic
#   generation and detection of highly reliable fiducial markers under occlusion", Pattern
#   Recognition 47, 2014.
#   [doi:10.1016/j.patcog.2014.01.005](https://doi.org/10.1016/j.patcog.2014.01.005)
# - D. G. Lowe, "Distinctive image features from scale-invariant keypoints", International Journal
#   of Computer Vision 60, 2004.
#   [doi:10.1023/B:VISI.0000029664.99615.94](https://doi.org/10.1023/B:VISI.0000029664.99615.94)
# - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
#   the American Statistical Association 22, 1927.
#   [doi:10.1080/01621459.1927.10502953](https://doi.org/10.1080/01621459.1927.10502953)
