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
# You will make the README's figures, check them by their data, and see where the time goes.

# %% [markdown]
# ![Six scenes, each cut by a slanted line: left of it the dark picture, right of it the enhanced
# one, with details and colors that the dark side hides](figures/hero.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 30 to read and do the quick exercises. Per
# exercise: 7.1: 15, 7.2: 15, 7.3: an evening.
#
# **What you'll need:** [notebook 05](05_iterate.ipynb).
#
# **Contents:** 1 materials · 2 to 8 the figures · 9 the source of one · 10 the check · 11 seconds ·
# 12 one command · exercises
#
# Previous: [06. Measure honestly](06_measure_honestly.ipynb) · Next: [08. Let a computer
# look](08_let_a_computer_look.ipynb)

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
import json
import time

import matplotlib.pyplot as plt
import numpy as np

from lle_utils import checks, curve, drawing, figures
from lle_utils.enhancer import trace
from lle_utils.material import Material

# %matplotlib inline
# %config InlineBackend.figure_formats = ["jpeg"]
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. What the figures are made of
#
# `drawing` turns arrays into a matplotlib `Figure`. `material` has the arrays: the held-out pairs,
# the trained weights, and the results of the [recursion](glossary.md#recursion). `figures` connects
# the two and writes the files.

# %%
material = Material(DATASET)
print(len(material.pairs), "pairs:", material.pairs.title)
for figure, chosen in material.pictures.items():
    print(f"{figure:12s}", chosen)
made = {}


def make(name):
    """Make one figure, keep its data, and show it small."""
    figure, made[name] = figures.FIGURES[name](material)
    figure.set_dpi(70)
    return figure


# %% [markdown]
# The pictures were chosen before the weights were trained, and the weights were not trained on
# them.
#
# ## 2. The README's first picture
#
# Six held-out scenes: dark on the left of the line, and the result of eight iterations on the
# right. Also **look for** what went wrong: noise in the shadows, shifted colors.

# %%
# Alt: Six scenes, each cut by a slanted line: dark on the left, enhanced on the right.
make("hero.jpg")

# %% [markdown]
# The dark pictures are labeled "darkened" because a camera model computed them (notebook 01).
#
# ## 3. Iteration by iteration
#
# The founding document's first figure, for our enhancer: each [map](glossary.md#parameter-map) and
# the picture it made. **Look for** maps that are one flat color: one number per channel.

# %%
# Alt: A raccoon getting brighter in eight iterations, with the map of each iteration above it.
make("iterations.jpg")

# %% [markdown]
# *How much* light, three times; *where*; three detail maps; then *how much* again. One color bar
# applies to all eight maps.
#
# What if each map had its own color scale, the default of `imshow`? Two maps, drawn both ways:

# %%
# Alt: Two maps. Above, with their own limits: map 1 is dark. Below, with shared limits: bright.
steps = material.steps(material.pictures["iterations"], 8)
figure, axes = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained")
for column, number in enumerate((1, 7)):
    one = steps[number - 1].parameter_map.mean(axis=-1)  # the mean over the channels
    axes[0, column].imshow(one)
    axes[1, column].imshow(one, vmin=0, vmax=1)
    axes[0, column].set_title(f"map {number}, own limits", fontsize=13)
    axes[1, column].set_title(f"map {number}, shared limits", fontsize=13)
for axis in axes.flat:
    axis.axis("off")
plt.show()


# %% [markdown]
# Only the lower row shows which map brightens more.
#
# ### Exercise 7.1. Maps that can be compared
#
# Draw parameter maps side by side. The function gets a list of arrays (height, width), each the
# mean of a map over its channels. It returns the Figure: one color scale for all maps, with a color
# bar, in colors whose lightness only rises or only falls.


# %% tags=["exercise"]
def draw_maps(maps):
    figure, axes = plt.subplots(1, len(maps), figsize=(4 * len(maps), 3), squeeze=False)
    return ...


# %% tags=["check"]
checks.draw_maps(draw_maps)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `imshow` takes `vmin` and `vmax`. Maps are in [0, 1]; or use the smallest and the largest value of
# *all* maps. `figure.colorbar(shown, ax=...)` needs what `imshow` returned, and accepts a list of
# axes.
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
# Try it: `draw_maps([step.parameter_map.mean(axis=-1) for step in steps])`.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: what would rainbow colors do to these maps?</summary>
#
# They would show edges that are not there, because the lightness of a rainbow (`jet`) goes up and
# down. In `viridis` lighter always means more.
#
# </details>
#
# ## 4. After 12, 8 and 7 iterations
#
# The founding document's examples: 12 iterations where the mean code value is below 10, 7 from 20
# on, and 8 in between. Our enhancer estimates the exposure itself and does not need this
# rule: its pictures after 7, 8 and 12 iterations hardly differ. The decibels say how close each
# result is to its [reference](glossary.md#reference).

# %%
# Alt: Three scenes in rows: darkened, after 12, 8 and 7 iterations, and the reference.
make("examples.jpg")

# %%
for panel in made["examples.jpg"]:
    print(f"{panel.picture:8s} {panel.method:9s} {panel.iterations or 0:3d} iterations,", end=" ")
    print(f"mean code {panel.mean_code:6.1f}, {panel.psnr:5.2f} dB")

# %% [markdown]
# ## 5. The exposure dial
#
# Upper row: the dark picture, and the result darkened by one stop, unchanged, and brightened by one
# stop. Lower row: more and more iterations. **Compare** the mean code values in each row.

# %%
# Alt: A coffee cup. Above, -1, 0 and +1 EV, clearly brighter. Below, 7 to 24 iterations: slightly.
make("dial.jpg")

# %% [markdown]
# One stop of exposure changes the picture more than four further iterations do.

# %% tags=["claim"]
codes = [panel.mean_code for panel in made["dial.jpg"]]  # darkened; -1, 0, +1 EV; 7, 8, 12, 24
assert codes[1] < codes[2] < codes[3]
assert codes[3] - codes[2] > codes[6] - codes[5]

# %% [markdown]
# ## 6. Against simple methods
#
# The scene on which the enhancer's [PSNR](glossary.md#psnr) is the *median* of the six in the first
# figure.

# %%
# Alt: One scene, darkened and enhanced by six methods, each with its PSNR, and the reference.
make("baselines.jpg")

# %% [markdown]
# [Notebook 06](06_measure_honestly.ipynb) scores all test pictures, with intervals.
#
# ## 7. The family of curves
#
# No picture and no network, only the equation.

# %%
# Alt: Curves of the equation for several m (left), several n (middle) and pairs of both (right).
make("curves.png")

# %% [markdown]
# Left, one iteration: a larger m bends more. Middle, one m: more iterations bend more. Right, three
# pairs of m and n that do nearly the same.
#
# ## 8. What training through the curve fixes
#
# The founding weights (top) and our enhancer (bottom), on the same picture. **Look at** the maps:
# which ones look like the picture?

# %%
# Alt: Maps and pictures of the founding weights, which stay dark, and of our enhancer, bright.
make("objectives.jpg")

# %% [markdown]
# The upper maps were trained to look like the scene. The lower ones say how much light is missing.

# %% tags=["claim"]
ours = [panel for panel in made["objectives.jpg"] if panel.method == "enhancer"]
founding = [panel for panel in made["objectives.jpg"] if panel.method == "founding"]
assert ours[-1].mean_map < ours[0].mean_map
assert ours[-1].psnr > founding[-1].psnr

# %% [markdown]
# ## 9. The source of one figure
#
# This function makes the exposure dial. `drawing.comparison` draws the rows of pictures.

# %%
print(inspect.getsource(figures.make_dial))

# %% [markdown]
# ## 10. Are these the README's figures?
#
# Comparing pixels fails with the next version of matplotlib, where a letter is half a pixel lower.
# So each figure's *data* is kept in `figures.json`: pictures, iterations, mean code values, PSNRs.
# A test compares those, with a tolerance. `weights` has a fingerprint of each network.

# %%
record_file = figures.default_folder(DATASET) / "figures.json"
differences = {}
if record_file.exists():  # for LOL there is one only if you made the figures before
    record = json.loads(record_file.read_text())
    print(record["dataset"], record["split"], record["weights"])
    print(json.dumps(record["figures"]["dial.jpg"][1], indent=1))
    for name, panels in made.items():
        differences[name] = figures.compare(record["figures"][name], panels)
    print({name: len(found) for name, found in differences.items()})

# %% tags=["claim"]
fingerprints = {key: figures.fingerprint(one) for key, one in material.models.items()}
if DATASET == "sample":
    assert record["weights"] == fingerprints, "other weights: make the figures again"
    # The figure of notebook 08 is not made here: it shows a table, and no pictures.
    assert {*differences, "vision.png"} == set(figures.FIGURES)
    assert not any(differences.values()), differences

# %% [markdown]
# <details><summary>Quiz: the record agrees in all numbers. Can a figure still be wrong?</summary>
#
# Yes. The numbers say which pictures were computed, not whether each has the right title. Someone
# has to look.
#
# </details>
#
# ## 11. How long does a picture take?
#
# We time eight iterations of one picture. First only the [curve](glossary.md#curve), with a
# constant, value by value in a Python loop (2000 values, scaled up). Then the curve on whole
# arrays. Then everything, including the network.

# %%
pair = material.pair(material.pictures["iterations"])
few = pair.low.ravel()[:2000].tolist()

started = time.perf_counter()
for value in few:
    curve.recurse(value, lambda E, step: 0.38, 8)
seconds = {"curve, value by value": (time.perf_counter() - started) * pair.low.size / len(few)}
started = time.perf_counter()
drawing.bend(pair.low, np.float32(0.38), 8)
seconds["curve, whole arrays"] = time.perf_counter() - started
for name, model in material.models.items():
    started = time.perf_counter()
    trace(model, pair.low, 8)
    seconds[f"{name}, with its network"] = time.perf_counter() - started

# %%
for title, value in seconds.items():
    print(f"{value:8.3f} s for a picture of {pair.low.shape[1]} x {pair.low.shape[0]}: {title}")


# %% [markdown]
# With NumPy the curve costs almost nothing. The founding network looks at every pixel in every
# iteration; ours, in most iterations, looks only at a thumbnail of 24 x 24 pixels.
#
# ### Exercise 7.2. Seconds, measured properly
#
# The first call of a network also prepares it, and other programs may interrupt. Write a function
# that first calls `work()` `warmup` times, then times `runs` calls one by one, and returns their
# median in seconds.


# %% tags=["exercise"]
def median_seconds(work, runs=5, warmup=1):
    return ...


# %% tags=["check"]
checks.median_seconds(median_seconds)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Call `time.perf_counter()` before and after each call, and list the differences.
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
# Try it: `median_seconds(lambda: trace(material.models["enhancer"], pair.low, 8))`. When you report
# a time, name the machine, the size of the picture and the number of runs.
#
# </details>

# %% [markdown]
# ## 12. Make all of them with one command
#
# ```
# python -m lle_utils figures                        # the sample, into notebooks/figures
# python -m lle_utils figures --output my_figures    # somewhere else
# python -m lle_utils figures --dataset lol          # LOL, into figures-lol of the data folder
# ```
#
# LOL must be fetched first (notebook 01). Its pictures may not be redistributed, so git ignores
# their folder.
#
# ## Exercises
#
# ### Exercise 7.3. A figure of your own
#
# Make a figure of something that the README does not show: the worst of the six scenes, or what the
# tenth iteration adds. Your function takes the `material` and returns two things, like the
# functions in `figures.FIGURES`: a Figure, and the list of its panels, each from
# `material.panel(name, method, picture, iterations, parameter_map)`. A method is `"darkened"`, one
# of the weights (`"enhancer"`, `"founding"`), or your own name for anything else.
#
# The check, on the sample: the record is true, two runs make identical files, all text has 12
# points or more, and the file has at most 300,000 bytes.


# %% tags=["exercise"]
def make_mine(material):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    return figure, ...


# %% tags=["check"]
checks.own_figure(make_mine)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Read `figures.make_dial` above: it gets pictures from `material.enhanced(name, iterations)` and
# describes each one that it draws. `material.steps(name, iterations, weights)` also gives the maps.
# `material.pictures["hero"]` names the six scenes. Small letters mostly come from ticks.
#
# </details>
#
# <details><summary>Solution</summary>
#
# One of many: what the last four iterations of twelve change.
#
# ```python
# def make_mine(material):
#     name = material.pictures["dial"]
#     figure, axes = plt.subplots(1, 3, figsize=(13, 3.4), layout="constrained")
#     panels, pictures = [], []
#     for axis, n in zip(axes, (8, 12), strict=False):
#         step = material.steps(name, n)[-1]
#         pictures.append(np.clip(step.image, 0, 1))
#         panels.append(material.panel(name, "enhancer", step.image, n, step.parameter_map))
#         axis.imshow(pictures[-1])
#         axis.set_title(f"{n} iterations: {panels[-1].psnr:.1f} dB", fontsize=14)
#     change = 255 * np.abs(pictures[1] - pictures[0]).mean(axis=-1)
#     shown = axes[2].imshow(change, cmap="cividis", vmin=0)
#     axes[2].set_title("difference", fontsize=14)
#     bar = figure.colorbar(shown, ax=axes[2])
#     bar.set_label("code values", fontsize=13)
#     bar.ax.tick_params(labelsize=12)
#     for axis in axes:
#         axis.axis("off")
#     return figure, panels
# ```
#
# What does your figure say, in one sentence? Write that below it, with an alt text.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - Each figure of the README is one function of held-out pictures and the committed weights.
# - Check figures by their data, not by their pixels.
# - A figure of one scene is an illustration. Say which scene it is and how you chose it.
# - The network takes most of the time.
#
# Sources and further reading: [references](references.md).
#
# Next: [08. Let a computer look](08_let_a_computer_look.ipynb)
