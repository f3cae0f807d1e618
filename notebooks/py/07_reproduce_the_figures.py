# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07. Reproduce the figures
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/07_reproduce_the_figures.ipynb)
#
# At the end you will have made every figure of the README yourself, and checked that the numbers
# behind them are the ones that were published with them.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - which pictures, weights and [iterations](glossary.md#iteration) stand behind each figure,
# - how a figure is held to the code that made it: by its data, not by its pixels,
# - how long one picture takes, and where the time goes,
# - how to make the same figures from LOL.
#
# **What you'll need:** [notebook 05](05_iterate.ipynb). No training; the weights come with the
# package.
#
# Previous: [06. Measure honestly](06_measure_honestly.ipynb)

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
import hashlib
import inspect
import io
import json
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from lle_utils import checks, curve, figures

# %matplotlib inline
# %config InlineBackend.figure_formats = ["jpeg"]
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. What the figures are made of
#
# Every figure is a function: arrays in, a matplotlib `Figure` out. `Material` hands them their
# arrays: the held-out pairs of a data set, the trained weights, and what came of the
# [recursion](glossary.md#recursion). It remembers what it has computed, so that two figures of
# one picture cost one run.
# %%
material = figures.Material(DATASET)
print(len(material.pairs), "pairs:", material.pairs.title)
for figure, chosen in material.pictures.items():
    print(f"{figure:12s}", chosen)

# %% [markdown]
# The pictures were named before the weights were final. No picture of the test
# [split](glossary.md#split) has been used for training or for any choice.
# %%
made = {}


def make(name):
    """Make one figure, keep its data, and show it small."""
    figure, made[name] = figures.FIGURES[name](material)
    figure.set_dpi(70)
    return figure


# %% [markdown]
# ## 2. The picture that the README opens with
#
# Six held-out scenes, left of the line as the camera took them, right of it after eight
# iterations of `anydepth`. Look for what went wrong, too: noise in the shadows, colors that
# drifted.
# %%
make("hero.jpg")

# %% [markdown]
# Nothing was painted in: what is on the right was in the dark picture, a few [code
# values](glossary.md#code-value) deep.
#
# ## 3. Iteration by iteration
#
# The founding document's first figure: the original, then each [map](glossary.md#parameter-map)
# and the picture it made.
# %%
make("iterations.jpg")

# %% [markdown]
# Read the values off the color bar; it is the same for all eight maps. Notebook 05 measures what
# these maps do.
#
# What if each map had a color scale of its own, as `imshow` chooses it by itself? **Look at** the
# first and the last map, drawn both ways.

# %%
steps = material.steps(material.pictures["iterations"], 8)
both = [steps[0].parameter_map.mean(axis=-1), steps[7].parameter_map.mean(axis=-1)]
figure, axes = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained")
for column, one in enumerate(both):
    axes[0, column].imshow(one)
    axes[1, column].imshow(one, vmin=0, vmax=1)
    axes[0, column].set_title(f"map {1 + 7 * column}, own limits", fontsize=13)
    axes[1, column].set_title(f"map {1 + 7 * column}, shared limits", fontsize=13)
for axis in axes.flat:
    axis.axis("off")
plt.show()

# %% [markdown]
# In the upper row each map runs from violet to yellow, whatever its values. Yellow only means "the
# most that there is here". In the lower row one sees at once that the last map does little.

# %% tags=["claim"]
assert both[1].mean() < both[0].mean()

# %% [markdown]
# ### Exercise 7.1. Maps that can be compared
#
# Draw a panel of parameter maps side by side, so that a reader can compare them. The function gets
# a list of arrays (height, width), each map's mean over its channels. It returns the Figure: one
# color scale for all maps, with a color bar, in colors whose lightness only rises or only falls.


# %% tags=["exercise"]
def draw_maps(maps):
    figure, axes = plt.subplots(1, len(maps), figsize=(4 * len(maps), 3), squeeze=False)
    return ...


# %% tags=["check"]
checks.draw_maps(draw_maps)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `imshow` takes `vmin` and `vmax`. A map lies in [0, 1] by nature, so these can be the limits; or
# take the least and the largest value of *all* maps. `figure.colorbar(shown, ax=...)` wants what
# `imshow` returned, and may get all axes.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def draw_maps(maps):
#     figure, axes = plt.subplots(1, len(maps), figsize=(4 * len(maps), 3), squeeze=False)
#     for axis, one in zip(axes[0], maps, strict=True):
#         shown = axis.imshow(one, vmin=0, vmax=1, cmap="viridis")
#         axis.set_title(f"mean {one.mean():.2f}")
#         axis.axis("off")
#     figure.colorbar(shown, ax=list(axes[0]), label="parameter map M")
#     return figure
# ```
#
# Try it: `draw_maps([step.parameter_map.mean(axis=-1) for step in steps])`. With limits 0 and 1
# nothing lies outside, but small differences are hard to see. `figures.shared_limits` therefore
# takes the limits from all maps, in round numbers.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: what would a rainbow of colors do to these maps?</summary>
#
# It would make them exciting where nothing happens. The lightness of a rainbow (`jet`) goes up and
# down, so it draws edges where the map is smooth. And some readers cannot tell its red from its
# green. In `viridis` lighter always means more, even printed in gray.
#
# </details>

# %% [markdown]
# ## 4. After 12, 8 and 7 iterations
#
# The founding document's examples. How many iterations a picture gets depends on its mean code
# value: below 10 it gets 12, from 20 on it gets 7, and 8 in between.

# %%
make("examples.jpg")

# %%
for panel in made["examples.jpg"]:
    print(f"{panel.picture:8s} {panel.method:9s} {panel.iterations or 0:3d} iterations,", end=" ")
    print(f"mean code {panel.mean_code:6.1f}, {panel.psnr:5.2f} dB")

# %% [markdown]
# The numbers say what the eye may forgive: how far each result is from its
# [reference](glossary.md#reference).
#
# ## 5. A dial, or a rest
#
# Above `curve8`, which was trained for eight iterations, below `anydepth`, trained for any number:
# both stopped after 4, 8, 12 and 24.

# %%
make("dial.jpg")

# %% [markdown]
# Below each picture stands its mean code value. Above it grows from column to column: the number
# of iterations is an [exposure](glossary.md#exposure) dial. Below it grows little after eight.
# The last column is the reference.
#
# ## 6. Against simple methods
#
# One scene, seven ways. It is the scene on which the network's [PSNR](glossary.md#psnr) is the
# *median* of the hero picture's six: choosing its best would flatter it, choosing its worst would
# be unfair.
# %%
make("baselines.jpg")

# %% [markdown]
# Who wins here is one scene's verdict. The ranking by this one picture (`anydepth` is our network):

# %%
for panel in sorted(made["baselines.jpg"], key=lambda panel: -panel.psnr):
    print(f"{panel.psnr:6.2f} dB  {panel.method}")

# %% [markdown]
# [Notebook 06](06_measure_honestly.ipynb) scores all test pictures, with intervals.
#
# ## 7. The family of curves
#
# No picture and no network, only the equation.

# %%
make("curves.png")

# %% [markdown]
# Left, one step: a larger m bends more. Middle, one m: more steps bend more. Right, three pairs of
# m and n that do nearly the same: many small steps or few large ones.
#
# ## 8. What training through the curve cures
#
# The founding weights above, `curve8` below, on the same picture.

# %%
make("objectives.jpg")

# %% [markdown]
# Above, the maps look like the scene, because they were trained to. Below, they fade as the picture
# fills with light, because they were trained to stop in time.

# %% tags=["claim"]
ours = [panel for panel in made["objectives.jpg"] if panel.method == "curve"]
assert ours[-1].mean_map < ours[0].mean_map

# %% [markdown]
# ## 9. The source of one figure
#
# There is no magic in these functions. This one draws the exposure dial, and this one feeds it.

# %%
source = inspect.getsource(figures.exposure_dial)
print(source.split('"""')[2].strip("\n"))

# %%
print(inspect.getsource(figures.make_dial))

# %% [markdown]
# ## 10. Are these the README's figures?
#
# How would you check? Comparing pixels fails on the next version of matplotlib, where a letter sits
# half a pixel lower. So each figure's *data* is kept beside it, in `figures.json`: pictures,
# iterations, mean code values, PSNRs. The test compares those, with a tolerance, since another
# processor rounds differently in the seventh digit.

# %%
record_file = figures.default_folder(DATASET) / "figures.json"
record = json.loads(record_file.read_text()) if record_file.exists() else None
if record:
    print(record["dataset"], record["split"], record["weights"])
    print(json.dumps(record["figures"]["dial.jpg"][1], indent=1))

# %% [markdown]
# `weights` holds a fingerprint of each network. If somebody trains better weights and forgets the
# figures, it says so. For the sample the record is committed. For LOL there is one only if you made
# the figures before, so there we merely print what differs.

# %%
fingerprints = {key: figures.fingerprint(one) for key, one in material.models.items()}
differences = {}
if record:
    for name, panels in made.items():
        differences[name] = figures.compare(record["figures"][name], panels)
    print({name: len(found) for name, found in differences.items()})

# %% tags=["claim"]
if DATASET == "sample":
    assert record["weights"] == fingerprints, "other weights: make the figures again"
    assert list(differences) == list(figures.FIGURES)
    assert not any(differences.values()), differences

# %% [markdown]
# And the files? Drawn twice on one machine, with one set of libraries, they agree to the byte.

# %% tags=["claim"]
twice = [figures.encode(figures.curve_family(), "curves.png") for _ in range(2)]
assert twice[0] == twice[1]
print(len(twice[0]), "bytes, sha256", hashlib.sha256(twice[0]).hexdigest()[:16])

# %% [markdown]
# ### Exercise 7.2. Do two files show the same picture?
#
# On another machine the bytes may differ. Write a check that forgives what nobody can see. The
# function gets the bytes of two image files, PNG or JPEG. It returns True if both pictures have
# the same size and their PSNR is at least `decibels`. The stub opens them; `np.asarray` makes
# arrays of them.


# %% tags=["exercise"]
def agree(first, second, decibels):
    ours, theirs = (Image.open(io.BytesIO(content)) for content in (first, second))
    return ...


# %% tags=["check"]
checks.agree(agree)

# %% [markdown]
# <details><summary>Hint</summary>
#
# First the sizes: arrays of two shapes cannot be subtracted. Then floats, because the codes are
# uint8, and in uint8 16 squared is 0. And what is the logarithm of 0, where nothing differs?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def agree(first, second, decibels):
#     ours, theirs = (
#         np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float) / 255
#         for content in (first, second)
#     )
#     if ours.shape != theirs.shape:
#         return False
#     error = np.mean((ours - theirs) ** 2)
#     return bool(error <= 10 ** (-decibels / 10))  # no logarithm, so no trouble with 0
# ```
#
# Which number of decibels is right? A letter that sits half a pixel lower costs about as much as a
# shadow that is really different. That is why this workbook compares data and not pixels.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: the record agrees in all numbers. Can a figure still be wrong?</summary>
#
# Yes. The numbers say which pictures were computed, and not that each stands below its own title.
# Somebody has to look. But nobody looks at ten figures after each change, and the check does.
#
# </details>

# %% [markdown]
# ## 11. How long does a picture take?
#
# Eight iterations of one picture. First only the *[curve](glossary.md#curve)*, with a constant in
# place of a map, value by value in a Python loop: we time 2000 values and scale up. Then the
# curve on whole arrays. Then everything, network included.
# %%
pair = material.pair(material.pictures["iterations"])
pixels = pair.low.size
few = pair.low.ravel()[:2000].tolist()

started = time.perf_counter()
for value in few:
    curve.recurse(value, lambda E, step: 0.38, 8)
seconds = {"curve, value by value": (time.perf_counter() - started) * pixels / len(few)}

# %%
started = time.perf_counter()
figures.bend(pair.low, np.float32(0.38), 8)
seconds["curve, whole arrays"] = time.perf_counter() - started

methods = {"curve8": "curve", "anydepth": "anydepth", "founding weights": "founding"}
for title, key in methods.items():
    started = time.perf_counter()
    figures.trace(material.models[key], pair.low, 8)
    seconds[title] = time.perf_counter() - started

# %%
for title, value in seconds.items():
    print(f"{value:8.3f} s a picture of {pair.low.shape[1]} x {pair.low.shape[0]}: {title}")

# %% [markdown]
# The curve costs next to nothing if NumPy does the loop. The time is in the convolutions.

# %% tags=["claim"]
assert seconds["curve, whole arrays"] < seconds["curve, value by value"]
assert seconds["curve, whole arrays"] < seconds["founding weights"]

# %% [markdown]
# `curve8` looks at a shrunk picture to predict its maps, the founding weights at every pixel, and
# `anydepth` at every pixel in two iterations only. That is why they differ: see
# [`schedule`](glossary.md#schedule) in notebook 03.
# %%
for title, key in (("curve8", "curve"), ("anydepth", "anydepth")):
    print(f"schedule of {title}:", material.models[key].schedule)

# %% [markdown]
# ### Exercise 7.3. Seconds, measured properly
#
# Each of the times above is a single run. That was careless: the first call of a network also
# builds it, and another program may get in between. Write a function that calls `work()` first
# `warmup` times without counting, then times `runs` calls, each by itself, and returns their median
# in seconds.


# %% tags=["exercise"]
def median_seconds(work, runs=5, warmup=1):
    return ...


# %% tags=["check"]
checks.median_seconds(median_seconds)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `time.perf_counter()` before and after each call, and a list of the differences. `np.median` sorts
# for you. Call `work` exactly `warmup + runs` times.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def median_seconds(work, runs=5, warmup=1):
#     for _ in range(warmup):
#         work()
#     seconds = []
#     for _ in range(runs):
#         started = time.perf_counter()
#         work()
#         seconds.append(time.perf_counter() - started)
#     return np.median(seconds)
# ```
#
# Try it: `median_seconds(lambda: figures.trace(material.models["curve"], pair.low, 8))`, and
# compare with the number above. To report it, say the machine, the size of the picture and the
# number of runs, too.
#
# </details>

# %% [markdown]
# ## 12. Make them all by one command
#
# ```
# python -m lle_utils figures                        # the sample, into notebooks/figures
# python -m lle_utils figures --output my_figures    # somewhere else
# python -m lle_utils figures --dataset lol          # LOL, into figures-lol of the data folder
# ```
#
# or `make figures` and `make figures DATASET=lol`. LOL must be fetched first: see notebook 01. Its
# pictures may not be passed on, so their folder is ignored by git. Large pictures for a projector,
# one idea each, come along in the folder `slides`; the [guide for teachers](instructor/slides.md)
# shows them. In Python it is one call. Here
# we write the fastest figure only, into a temporary folder.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "curves.png"
    path.write_bytes(figures.encode(figures.curve_family(), path.name))
    print(path.name, path.stat().st_size, "bytes")
print(inspect.signature(figures.make_figures))

# %% [markdown]
# ## Exercises
#
# The other exercises of this notebook stand where their matter was taught.
#
# ### Exercise 7.4. A figure of your own
#
# This one takes an evening. Choose something that the README does not show: the worst of the six
# scenes, what the tenth iteration adds, where two weights disagree. Make a figure of it that can be
# held to its code. Your function takes the `material` and returns two things, as those in
# `figures.FIGURES` do: a Figure, and the list of its panels, each from `material.panel(name,
# method, picture, iterations, parameter_map)`. A method is `"as taken"`, one of the weights
# (`"curve"`, `"anydepth"`, `"founding"`), or a name of your own for anything else.
#
# What it shows is up to you, and whether it is beautiful, your neighbor must say. The check looks
# at the rest, on the sample: the record is true, two runs agree to the byte, each word has 12
# points or more, and the file stays below 300,000 bytes.


# %% tags=["exercise"]
def make_mine(material):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    return figure, ...


# %% tags=["check"]
checks.own_figure(make_mine)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Read `figures.make_dial` above: it asks `material.steps(name, iterations, weights)` for the steps,
# and describes each picture that it draws. `material.pictures["hero"]` names the six scenes. Small
# letters mostly come from ticks: leave them off beside pictures. Where you draw lots, use
# `np.random.default_rng(0)`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# One of many: where `curve8` and `anydepth` disagree most.
#
# ```python
# def make_mine(material):
#     name = material.pictures["dial"]
#     panels, pictures = [], []
#     for weights in ("curve", "anydepth"):
#         step = material.steps(name, 8, weights)[-1]
#         pictures.append(np.clip(step.image, 0, 1))
#         panels.append(material.panel(name, weights, step.image, 8, step.parameter_map))
#     apart = 255 * np.abs(pictures[0] - pictures[1]).mean(axis=-1)
#     figure, axes = plt.subplots(1, 3, figsize=(13, 3.4), layout="constrained")
#     for axis, picture, panel in zip(axes, pictures, panels, strict=False):
#         axis.imshow(picture)
#         axis.set_title(f"{panel.method}: {panel.psnr:.1f} dB", fontsize=14)
#     shown = axes[2].imshow(apart, cmap="cividis", vmin=0, vmax=100)
#     axes[2].set_title("how far they are apart", fontsize=14)
#     bar = figure.colorbar(shown, ax=axes[2])
#     bar.set_label("code values", fontsize=13)
#     bar.ax.tick_params(labelsize=12)
#     for axis in axes:
#         axis.axis("off")
#     return figure, panels
# ```
#
# A good figure has one thing to say. What does yours say, in one sentence? Write that sentence
# below it, and two for those who cannot see it.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - Each figure of the README is one function, fed with held-out pictures and the committed weights.
# - Figures are held to their code by the data behind them; pixels are too brittle.
# - A figure of one scene is an illustration. Which scene it is must be said, and by what rule it
#   was chosen.
# - The recursion itself is nearly free. The network is what costs.
#
# ## Further reading
#
# - N. P. Rougier, M. Droettboom, P. E. Bourne, "Ten Simple Rules for Better Figures", PLOS
#   Computational Biology 10 (2014).
#   [doi:10.1371/journal.pcbi.1003833](https://doi.org/10.1371/journal.pcbi.1003833)
# - G. K. Sandve, A. Nekrutenko, J. Taylor, E. Hovig, "Ten Simple Rules for Reproducible
#   Computational Research", PLOS Computational Biology 9 (2013).
#   [doi:10.1371/journal.pcbi.1003285](https://doi.org/10.1371/journal.pcbi.1003285)
#
# Back to the start: [00. Brighten one picture](00_brighten_one_picture.ipynb)
