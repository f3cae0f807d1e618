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
# - which pictures, weights and iterations stand behind each figure,
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
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from lle_utils import curve, figures

# %matplotlib inline
# %config InlineBackend.figure_formats = ["jpeg"]
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. What the figures are made of
#
# Every figure is a function: arrays in, a matplotlib `Figure` out. `Material` hands them their
# arrays: the held-out pairs of a data set, the trained weights, and what came of the recursion. It
# remembers what it has computed, so that two figures of one picture cost one run.

# %%
material = figures.Material(DATASET)
print(len(material.pairs), "pairs:", material.pairs.title)
for figure, chosen in material.pictures.items():
    print(f"{figure:12s}", chosen)

# %% [markdown]
# The pictures were named before the weights were final. No picture of the test split has been used
# for training or for any choice.

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
# Six held-out scenes, left of the line as the camera took them, right of it after eight iterations
# of `curve8`. Look for what went wrong, too: noise in the shadows, colors that drifted.

# %%
make("hero.jpg")

# %% [markdown]
# Nothing was painted in: what is on the right was in the dark picture, a few code values deep.
#
# ## 3. Iteration by iteration
#
# The founding document's first figure: the original, then each map and the picture it made.

# %%
make("iterations.jpg")

# %% [markdown]
# Read the values off the color bar; it is the same for all eight maps. Notebook 05 measures what
# these maps do.
#
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
# The numbers say what the eye may forgive: how far each result is from its reference.
#
# ## 5. A dial, or a rest
#
# Above `curve8`, which was trained for eight iterations, below `anydepth`, trained for any number:
# both stopped after 4, 8, 12 and 24.

# %%
make("dial.jpg")

# %% [markdown]
# Below each picture stands its mean code value. Above it grows from column to column: the number of
# iterations is an exposure dial. Below it grows little after eight. But look at the saucer: these
# weights also paint strong colors gray, which LOL's rooms have few of. So every other figure is of
# `curve8`. The last column is the reference.
#
# ## 6. Against simple methods
#
# One scene, seven ways. It is the scene on which the network's PSNR is the *median* of the hero
# picture's six: choosing its best would flatter it, choosing its worst would be unfair.

# %%
make("baselines.jpg")

# %% [markdown]
# Who wins here is one scene's verdict. The ranking by this one picture (`curve` is our network):

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
# ## 11. How long does a picture take?
#
# Eight iterations of one picture. First only the *curve*, with a constant in place of a map, value
# by value in a Python loop: we time 2000 values and scale up. Then the curve on whole arrays. Then
# everything, network included.

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
# `anydepth` at every pixel in two iterations only. That is why they differ: see `schedule` in
# notebook 03.

# %%
for title, key in (("curve8", "curve"), ("anydepth", "anydepth")):
    print(f"schedule of {title}:", material.models[key].schedule)

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
# pictures may not be passed on, so their folder is ignored by git. In Python it is one call. Here
# we write the fastest figure only, into a temporary folder.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "curves.png"
    path.write_bytes(figures.encode(figures.curve_family(), path.name))
    print(path.name, path.stat().st_size, "bytes")
print(inspect.signature(figures.make_figures))

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
