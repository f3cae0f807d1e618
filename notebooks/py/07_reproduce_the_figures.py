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
# behind them are the ones that were published with them. Every figure of that page and the code
# that makes it is in this notebook.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - which pictures, weights and [iterations](glossary.md#iteration) each figure uses,
# - how to check a figure against its code: by its data, not by its pixels,
# - how long one picture takes, and where the time goes,
# - how to make the same figures from LOL.
#
# **What you'll need:** [notebook 05](05_iterate.ipynb). No training; the weights come with the
# package.
#
# Previous: [06. Measure honestly](06_measure_honestly.ipynb) ·
# Next: [08. Let a computer look](08_let_a_computer_look.ipynb)

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
# Three modules make the figures. `drawing` draws: arrays in, a matplotlib `Figure` out. `material`
# has the arrays: the held-out pairs of a data set, the trained weights, and the results of the
# [recursion](glossary.md#recursion). `figures` brings the two together and writes the files. A
# `Material` keeps what it has computed, so two figures of the same picture cost one run.
# %%
material = Material(DATASET)
print(len(material.pairs), "pairs:", material.pairs.title)
for figure, chosen in material.pictures.items():
    print(f"{figure:12s}", chosen)

# %% [markdown]
# The pictures were chosen before these weights were trained, and the weights were not trained on
# them. The function below makes a figure, keeps its data, and shows it at a reduced size.
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
# Six held-out scenes: left of the line the dark picture, right of it the result after eight
# iterations. Look for what went wrong as well: noise in the shadows, colors that drifted.
# %%
make("hero.jpg")

# %% [markdown]
# The dark pictures of the sample are called "darkened" and not "as taken", because a simulated
# camera computed them from daylight photographs (notebook 01).
#
# ## 3. Iteration by iteration
#
# The founding document's first figure, for our enhancer: the original, then each
# [map](glossary.md#parameter-map) and the picture it made. The second line of each title says what
# the map is. **Look for** the maps that are one flat color: they are one number per channel,
# written on them.
# %%
make("iterations.jpg")

# %% [markdown]
# *How much* light, three times; *where*; then three maps with more and more detail; then *how much*
# again. The color bar holds for all eight maps. Notebook 05 measures what these maps do.

# %% tags=["claim"]
steps = material.steps(material.pictures["iterations"], 8)
spread = [np.ptp(step.parameter_map, axis=(0, 1)).max() for step in steps]
assert [value == 0 for value in spread] == [True] * 3 + [False] * 4 + [True]

# %% [markdown]
# What if each map had its own color scale, as `imshow` chooses by default? **Look at** the map that
# says where and at the last detail map, drawn both ways.

# %%
figure, axes = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained")
for column, number in enumerate((4, 7)):
    one = steps[number - 1].parameter_map.mean(axis=-1)
    axes[0, column].imshow(one)
    axes[1, column].imshow(one, vmin=0, vmax=1)
    axes[0, column].set_title(f"map {number}, own limits", fontsize=13)
    axes[1, column].set_title(f"map {number}, shared limits", fontsize=13)
for axis in axes.flat:
    axis.axis("off")
plt.show()

# %% [markdown]
# In the upper row each map runs from violet to yellow, whatever its values. Yellow only means "the
# largest value in this map". Only the lower row shows which of the two maps brightens more.

# %% [markdown]
# ### Exercise 7.1. Maps that can be compared
#
# Draw parameter maps side by side, so that a reader can compare them. The function gets a list of
# arrays (height, width), each map's mean over its channels. It returns the Figure: one color scale
# for all maps, with a color bar, in colors whose lightness only rises or only falls.


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
# every value is inside, but small differences are hard to see. Limits taken from all maps show
# more.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: what would a rainbow of colors do to these maps?</summary>
#
# It would show edges that are not there. The lightness of a rainbow (`jet`) goes up and down, so it
# draws edges where the map is smooth. And some readers cannot tell its red from its green. In
# `viridis` lighter always means more, even printed in gray.
#
# </details>

# %% [markdown]
# ## 4. After 12, 8 and 7 iterations
#
# The founding document's examples. How many iterations a picture gets depends on its mean code
# value: 12 below 10, 7 from 20 on, and 8 in between. Our enhancer judges the exposure by itself, so
# **look at** how little it depends on this rule.

# %%
make("examples.jpg")

# %%
for panel in made["examples.jpg"]:
    print(f"{panel.picture:8s} {panel.method:9s} {panel.iterations or 0:3d} iterations,", end=" ")
    print(f"mean code {panel.mean_code:6.1f}, {panel.psnr:5.2f} dB")

# %% [markdown]
# The decibels say how far each result is from its [reference](glossary.md#reference).
#
# ## 5. The exposure dial
#
# How bright a picture should be is partly a matter of taste, so the user can say. Upper row: the
# dark picture, and the result darkened by one stop, as it is, and brightened by one stop. Lower
# row: the number of iterations, which used to be the dial. **Compare** the mean code values in each
# row.

# %%
make("dial.jpg")

# %% [markdown]
# One stop of exposure changes the picture more than four further iterations do. Exposure goes
# through the same [curve](glossary.md#curve), so nothing is clipped.

# %% tags=["claim"]
codes = [panel.mean_code for panel in made["dial.jpg"]]  # darkened; -1, 0, +1 EV; 7, 8, 12, 24
assert codes[1] < codes[2] < codes[3]
assert codes[3] - codes[2] > codes[6] - codes[5]

# %% [markdown]
# ## 6. Against simple methods
#
# One scene, seven ways. It is the scene on which the enhancer's [PSNR](glossary.md#psnr) is the
# *median* of the hero picture's six: the best scene would flatter the enhancer, and the worst would
# be unfair to it.
# %%
make("baselines.jpg")

# %% [markdown]
# The ranking by this one picture. It says nothing about other scenes.

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
# Left, one iteration: a larger m bends more. Middle, one m: more iterations bend more. Right, three
# pairs of m and n that do nearly the same: many small steps or few large ones.
#
# ## 8. What training through the curve cures
#
# The founding weights above, our enhancer below, on the same picture. **Look at** the maps: which
# of them look like the picture?

# %%
make("objectives.jpg")

# %% [markdown]
# Above, the maps look like the scene, because they were trained to. Below, they say how much light
# is missing, and they fall as the picture gets brighter.

# %% tags=["claim"]
ours = [panel for panel in made["objectives.jpg"] if panel.method == "enhancer"]
founding = [panel for panel in made["objectives.jpg"] if panel.method == "founding"]
assert ours[-1].mean_map < ours[0].mean_map
assert ours[-1].psnr > founding[-1].psnr

# %% [markdown]
# ## 9. The source of one figure
#
# These functions are short. The first one draws the exposure dial, as it draws every figure that is
# rows of pictures. The second one feeds it.

# %%
source = inspect.getsource(drawing.comparison)
print(source.split('"""')[2].strip("\n"))

# %%
print(inspect.getsource(figures.make_dial))

# %% [markdown]
# ## 10. Are these the README's figures?
#
# How would you check? Comparing pixels fails on the next version of matplotlib, where a letter sits
# half a pixel lower. So each figure's *data* is kept beside it, in `figures.json`: pictures,
# iterations, mean code values, PSNRs. The test compares those, with a tolerance, since a different
# processor rounds differently in the seventh digit.

# %%
record_file = figures.default_folder(DATASET) / "figures.json"
record = json.loads(record_file.read_text()) if record_file.exists() else None
if record:
    print(record["dataset"], record["split"], record["weights"])
    print(json.dumps(record["figures"]["dial.jpg"][1], indent=1))

# %% [markdown]
# `weights` holds a fingerprint of each network. It shows whether somebody trained new weights and
# forgot the figures. For the sample the record is committed. For LOL there is one only if you made
# the figures before, so there we only print what differs.

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
# And the files? Drawn twice on one machine, with the same libraries, they agree to the byte.

# %%
twice = [figures.encode(drawing.curve_family(), "curves.png") for _ in range(2)]
assert twice[0] == twice[1]
print(len(twice[0]), "bytes, sha256", hashlib.sha256(twice[0]).hexdigest()[:16])

# %% [markdown]
# ### Exercise 7.2. Do two files show the same picture?
#
# On a different machine the bytes may differ. Write a check that accepts differences that nobody
# can see. The function gets the bytes of two image files, PNG or JPEG. It returns True if both
# pictures have the same size and their PSNR is at least `decibels`. The stub opens them;
# `np.asarray` makes arrays of them.


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
# Which number of decibels is right? A letter that moves by half a pixel costs about as much as a
# shadow that is really different. That is why this workbook compares data and not pixels.
#
# </details>

# %% [markdown]
# <details><summary>Quiz: the record agrees in all numbers. Can a figure still be wrong?</summary>
#
# Yes. The numbers say which pictures were computed, and not that each has the right title. Somebody
# has to look. But nobody looks at every figure after each change, and the check does.
#
# </details>

# %% [markdown]
# ## 11. How long does a picture take?
#
# Eight iterations of one picture. First only the [curve](glossary.md#curve), with a constant in
# place of a map, value by value in a Python loop: we time 2000 values and scale up. Then the
# curve on whole arrays. Then everything, network included.
# %%
pair = material.pair(material.pictures["iterations"])
few = pair.low.ravel()[:2000].tolist()

started = time.perf_counter()
for value in few:
    curve.recurse(value, lambda E, step: 0.38, 8)
seconds = {"curve, value by value": (time.perf_counter() - started) * pair.low.size / len(few)}

# %%
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
# With NumPy the curve costs next to nothing. The time goes into the convolutions. The founding
# network looks at every pixel in every iteration. Ours does so in one iteration of eight; in most
# others it sees only a thumbnail of 24 x 24 pixels.

# %% tags=["claim"]
assert seconds["curve, whole arrays"] < seconds["curve, value by value"]
assert seconds["curve, whole arrays"] < seconds["enhancer, with its network"]

# %% [markdown]
# ### Exercise 7.3. Seconds, measured properly
#
# Each of the times above is a single run. That was careless: the first call of a network also
# prepares it, and other programs may interrupt. Write a function that first calls `work()` `warmup`
# times without counting, then times `runs` calls one by one, and returns their median in seconds.


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
# Try it: `median_seconds(lambda: trace(material.models["enhancer"], pair.low, 8))`, and compare
# with the number above. When you report a time, name the machine, the size of the picture and the
# number of runs.
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
# pictures may not be passed on, so git ignores their folder, and the program refuses to write them
# anywhere else in the repository. `make slides` makes large pictures for a projector, which the
# [guide for teachers](instructor/slides.md) shows.
#
# In Python it is one call. Here we write only the fastest figure, into a temporary folder.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "curves.png"
    path.write_bytes(figures.encode(drawing.curve_family(), path.name))
    print(path.name, path.stat().st_size, "bytes")
print(*inspect.signature(figures.make_figures).parameters, sep=", ")

# %% [markdown]
# ## Exercises
#
# The other exercises of this notebook appear in the sections they belong to.
#
# ### Exercise 7.4. A figure of your own
#
# This one takes an evening. Choose something that the README does not show: the worst of the six
# scenes, what the tenth iteration adds, what exposure does to a face. Make a figure of it that can
# be checked against its code. Your function takes the `material` and returns two
# things, like the functions in `figures.FIGURES`: a Figure, and the list of its panels, each from
# `material.panel(name, method, picture, iterations, parameter_map)`. A method is `"darkened"`, one
# of the weights (`"enhancer"`, `"founding"`), or a name of your own for anything else.
#
# What it shows is up to you, and whether it is beautiful your neighbor must say. The check looks at
# the rest, on the sample: the record is true, two runs agree to the byte, every word has 12 points
# or more, and the file has at most 300,000 bytes.


# %% tags=["exercise"]
def make_mine(material):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    return figure, ...


# %% tags=["check"]
checks.own_figure(make_mine)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Read `figures.make_dial` above: it asks `material.enhanced(name, iterations)` for pictures, and
# describes each picture that it draws. `material.steps(name, iterations, weights)` gives the maps
# as well. `material.pictures["hero"]` names the six scenes. Small letters mostly come from ticks:
# leave them off beside pictures. If you draw random numbers, use `np.random.default_rng(0)`.
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
# A good figure has one thing to say. What does yours say, in one sentence? Write that sentence
# below it, and two more for readers who cannot see it.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - Each figure of the README is one function, fed with held-out pictures and the committed weights.
# - Figures are checked by the data behind them; pixels are too brittle.
# - A figure of one scene is an illustration. Say which scene it is and how it was chosen.
# - The recursion itself is nearly free. The time goes into the network.
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
# Next: [08. Let a computer look](08_let_a_computer_look.ipynb)
