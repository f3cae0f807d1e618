# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05. Iterate: watch the recursion work
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/05_iterate.ipynb)
#
# At the end you will have built the founding recursive function, seen every map and every picture
# on its way from dark to bright, and turned the number of iterations like the dial of a camera.
#
# **Minutes:** 1 on two CPU cores
#
# **What you'll learn**
#
# - how the founding project's recursive function works, and the two faults in it,
# - that the recursion is also a plain loop, and why the loop is handier,
# - what the maps do as the picture brightens, measured and not guessed,
# - what 4, 7, 8 and 12 iterations do to exposure and to noise.
#
# **What you'll need:** the equation of [notebook 02](02_bend_one_curve.ipynb) and the two ways of
# training of [notebook 04](04_train_it.ipynb). The trained weights come with the package.
#
# Previous: [04. Train it](04_train_it.ipynb) ·
# Next: [06. Measure honestly](06_measure_honestly.ipynb)

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
import base64
import inspect

import imageio.v3 as iio
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from lle_utils import camera, checks, curve, data, figures, founding, metrics, model

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# One dark picture from the test split will be with us all along. Neither network has seen it as a
# sample picture; for LOL, see the [scene leak](glossary.md#scene-leak) in notebook 01.

# %%
names = figures.PICTURES[DATASET]
pairs = data.load(DATASET, "test", lazy=True)
pair = pairs[names["iterations"]]
print(f"{pair.name}: {pair.low.shape}, mean code {255 * pair.low.mean():.1f}")

# %% [markdown]
# ## 1. The founding recursive function
#
# The founding project wrote one sentence about its heart:
#
# > We converted this steps of iterations into recursive function.
# > img: the low light image (I, E_old); index: no of iterations; flag: default = 1.
#
# Three arguments. Let us build that function from the inside out. First its network: seven layers,
# one [parameter map](glossary.md#parameter-map) for the three colors, trained as the founding
# project trained it. To save time we give it every second pixel.

# %%
founding_network = model.load_model("founding")
dark = pair.low[::2, ::2]
bright = pair.high[::2, ::2]


def predict(img):
    """Give the network one picture, get its parameter map."""
    return founding_network.predict_on_batch(np.asarray(img, np.float32)[None])[0]


# %% [markdown]
# Now one step, as in notebook 02. `E` is the picture so far and `M` its map.


# %%
def brighten(E, M):
    return E + M * E * (1 - E)


# %% [markdown]
# **The first call.** The picture comes as a file holds it, in 0..255. The founding project hands it
# to the network just so, and only then divides by 255.

# %%
img = 255 * dark
M = predict(img)
E_1 = brighten(img / 255, M)
print(f"map {M.shape} in [{M.min():.2f}, {M.max():.2f}], mean code {255 * E_1.mean():.1f}")

# %% [markdown]
# **Every later call.** The picture is in [0, 1] already. So nothing is divided, and the network is
# given the picture as it is.

# %%
E_2 = brighten(E_1, predict(E_1))
print(f"mean code {255 * E_2.mean():.1f}")

# %% [markdown]
# The two cases differ by one division. [`flag`](glossary.md#flag) says which it is: 1 on the first
# call, 0 afterwards. `index` counts how many [iterations](glossary.md#iteration) are left. When
# none is left, the picture is done: this is the line that stops the
# [recursion](glossary.md#recursion).


# %%
def enhance(img, index, flag=1, *, predict):
    if index == 0:
        return img
    if flag == 1:
        E = img / 255
        return enhance(brighten(E, predict(img)), index - 1, 0, predict=predict)
    return enhance(brighten(img, predict(img)), index - 1, 0, predict=predict)


# %% [markdown]
# **Predict, then run.** Three iterations. What is the largest value that the network is given in
# the first call, and what in the others?


# %%
def talk(img):
    print(f"  the network is given a picture with values up to {np.max(img):7.3f}")
    return predict(img)


result = enhance(255 * dark, 3, predict=talk)
print(f"after 3 iterations: mean code {255 * result.mean():.1f}")

# %% [markdown]
# Only the first call sees code values. Each call hands its result *down* to the next one. The last
# call, with `index` 0, returns it, and all the others just pass it up. Nothing is left to do on the
# way back: such a function is called *[tail recursive](glossary.md#tail-recursive)*, and it could
# as well be a loop.
#
# Does our function do what our two hand-made steps did? And is it the packaged one?

# %% tags=["claim"]
by_hand = enhance(255 * dark, 2, predict=predict)
np.testing.assert_allclose(by_hand, E_2, atol=1e-6)
packaged = founding.enhance(255 * dark, 2, predict=predict)
np.testing.assert_allclose(by_hand, packaged, atol=1e-6)
assert enhance(dark, 0, predict=predict) is dark

# %% [markdown]
# This is the packaged function, without its docstring. `founding.py` keeps it so that you can
# always find it.

# %%
source = inspect.getsource(founding.enhance)
print(source.split('"""')[0] + source.split('"""')[2])

# %% [markdown]
# ## 2. Its two faults
#
# **Fault one: 0..255 first, [0, 1] afterwards.** The network is asked about the same picture in two
# languages. A convolution does not know that 255 means white. Look at how the two maps of *one*
# picture differ.

# %%
maps = {"given 0..255": predict(255 * dark), "given [0, 1]": predict(dark)}
figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9))
for ax, (title, one) in zip(axes, maps.items(), strict=True):
    drawn = ax.imshow(one.mean(-1), cmap="viridis", vmin=0, vmax=1)
    ax.set(title=f"{title}: mean {one.mean():.2f}, spread {one.std():.2f}", xticks=[], yticks=[])
figure.colorbar(drawn, ax=axes, label="M")
plt.show()
# %% [markdown]
# The same picture twice. Given 0..255, the network draws what is in it. Given [0, 1], it answers
# with something close to one gray: it was never trained on such numbers.

# %% tags=["claim"]
spread = {title: float(one.std()) for title, one in maps.items()}
assert spread["given [0, 1]"] < spread["given 0..255"]

# %% [markdown]
# **Fault two: it was trained to *be* the bright picture.** The founding [loss](glossary.md#loss)
# compares the map with the well-lit picture. Suppose training had succeeded perfectly. Then `M`
# would be the well-lit picture itself, at every step. We can try that without any network.
#
# **Predict, then run.** Will more iterations with this "perfect" map bring us nearer?

# %%
perfect = {}
for n in (4, 7, 8, 12):
    result = curve.recurse(pair.low, lambda E, step: pair.high, n)
    perfect[n] = metrics.psnr(np.clip(result, 0, 1), pair.high)
    print(f"M = reference, {n:2d} iterations: {perfect[n]:5.2f} dB")

# %% [markdown]
# A perfectly trained founding network is far from a perfect picture: where the map is high the
# curve overshoots, and where it is low it hardly moves. (A perfect *picture* would have an infinite
# [PSNR](glossary.md#psnr).) The error lies in the question that training asked, and not in the
# network.

# %% tags=["claim"]
assert max(perfect.values()) < 30

# %% [markdown]
# <details><summary>Quiz: would ever more iterations with that map end at the reference?</summary>
#
# No, at white. With one and the same map above 0 in every step, a pixel comes to rest only at a
# [fixed point](glossary.md#fixed-point) of the curve, 0 or 1 (notebook 02), and the reference is
# neither. On its way to white a pixel may pass its goal; it does not stop there.
#
# </details>

# %% [markdown]
# The cure is to put the loss on the *result* of the recursion: notebook 04 trains through the
# curve. From here on we use the weights that were trained so, `curve8`.

# %% [markdown]
# ## 3. The loop

# %% [markdown]
# ### Exercise 5.1. The founding function as a loop
#
# A tail-recursive function can be written as a loop. Do it **before you read on**: the same
# arguments, the same questions to the network in the same order, the same result, faults included.
# But no call of itself. Leave the picture that you are given as it is.


# %% tags=["exercise"]
def enhance_in_a_loop(img, index, flag=1, *, predict):
    return ...


# %% tags=["check"]
checks.founding_loop(enhance_in_a_loop)

# %% [markdown]
# <details><summary>Hint</summary>
#
# What changes from call to call becomes a variable: `img`, and `flag`, which is 0 after the first
# round. `index` says how many rounds there are. What is returned if there is none? And on the first
# call, is the network asked before the division or after it?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def enhance_in_a_loop(img, index, flag=1, *, predict):
#     for _ in range(index):
#         M = predict(img)
#         E = img / 255 if flag == 1 else img
#         img, flag = E + M * E * (1 - E), 0
#     return img
# ```
#
# </details>

# %% [markdown]
# A loop that `yield`s is handier still: it hands out each map and each picture on the way, so we
# can look at them.


# %%
def my_iterate(image, predict_map, iterations):
    for step in range(iterations):
        parameter_map = predict_map(image, step)
        image = brighten(image, parameter_map)
        yield parameter_map, image


# %% [markdown]
# `step` counts from 0. Some networks look at a shrunk picture in the first steps, so they must know
# which step it is. Is it the packaged one, and does it agree with the recursive function?

# %% tags=["claim"]
last = [E for M, E in my_iterate(E_1, lambda E, step: predict(E), 2)][-1]
np.testing.assert_allclose(last, enhance(255 * dark, 3, predict=predict), atol=1e-5)
theirs = [step.image for step in curve.iterate(E_1, lambda E, step: predict(E), 2)][-1]
np.testing.assert_allclose(last, theirs, atol=1e-6)

# %%
source = inspect.getsource(curve.iterate)
print(source.split('"""')[0] + source.split('"""')[2])

# %% [markdown]
# ### Exercise 5.2. And back
#
# Turn the loop `my_iterate` into a recursive function that returns the last picture. It calls
# `predict_map(image, step)` with `step` counting up from 0, and it contains neither `for` nor
# `while`.


# %% tags=["exercise"]
def my_recurse(image, predict_map, iterations, step=0):
    return ...


# %% tags=["check"]
checks.recursion(my_recurse)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two cases. Either nothing is left to do: return the picture. Or do one step, and let the function
# itself do the rest. How many iterations are left after one step? Which `step` is the next?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_recurse(image, predict_map, iterations, step=0):
#     if iterations == 0:
#         return image
#     image = image + predict_map(image, step) * image * (1 - image)
#     return my_recurse(image, predict_map, iterations - 1, step + 1)
# ```
#
# </details>

# %% [markdown]
# <details><summary>Quiz: why does nobody use the recursive form for 10,000 steps?</summary>
#
# Each call waits for the next one, and Python keeps a frame for each. It gives up at about 1000
# frames (RecursionError). Some languages turn tail calls into loops by themselves; Python does not.
#
# </details>

# %% [markdown]
# ## 4. Map and picture, step by step
#
# `curve8` was trained to end after eight iterations. It starts from the picture in [0, 1], with
# exact black raised to half a code value, and predicts a new map from each result.

# %%
enhancer = model.load_model("curve8")
print("schedule:", enhancer.schedule, "iterations:", enhancer.iterations)


def run(image, iterations):
    """Return the list of (map, picture) of one run, as NumPy arrays."""
    sized = enhancer.scaled_to(max(image.shape[:2])).with_iterations(iterations)
    return [
        curve.Iteration(np.asarray(M[0]), np.asarray(E[0])) for M, E in sized.steps(image[None])
    ]


# %% [markdown]
# The package has the same few lines as `figures.trace`, and draws the founding document's figure
# from them. Look first at the pictures: where does the light come earliest? Then at the maps.

# %%
steps = run(pair.low, 12)
figure = figures.iteration_by_iteration(pair.low, steps[:8], pair.high)
figure.set_dpi(72)
figure

# %% [markdown]
# Top left what the camera saw, below it the well-lit picture. Each map stands above the picture
# that it made. All maps share one color scale, so yellow is strong and violet is weak in all.

# %% tags=["claim"]
theirs = figures.trace(enhancer, pair.low, 8)
np.testing.assert_allclose(theirs[-1].image, steps[7].image, atol=1e-5)
assert all(M.min() >= 0 and M.max() <= 1 for M, E in steps)

# %% [markdown]
# ## 5. What do the maps do?
#
# It looks as if the map falls where the picture is bright already. Do not trust the eye: measure.
# For each step we sort the pixels by the brightness the network *saw*, cut them into ten equal
# parts, and average the map in each.


# %%
def map_by_brightness(seen, parameter_map, parts=10):
    """Mean brightness and mean map in parts of equal size, from the darkest to the brightest."""
    order = np.argsort(seen.mean(-1).ravel())
    columns = seen.mean(-1).ravel()[order], parameter_map.mean(-1).ravel()[order]
    return [np.array([part.mean() for part in np.array_split(c, parts)]) for c in columns]


# %%
seen = [np.maximum(pair.low, curve.FLOOR)] + [E for M, E in steps[:-1]]
figure, ax = plt.subplots(figsize=(7.5, 4))
for n, color in zip((1, 2, 3, 5, 8), plt.cm.viridis(np.linspace(0, 0.85, 5)), strict=True):
    x, y = map_by_brightness(seen[n - 1], steps[n - 1].parameter_map)
    ax.plot(x, y, "o-", color=color, label=f"step {n}")
ax.set(xlabel="brightness that the network saw", ylabel="mean map M", ylim=(0, 1.05))
ax.legend()
plt.show()
# %% [markdown]
# Each line is one step, its points go from the darkest tenth of the pixels to the brightest. Lines
# that fall to the right say: less for what is bright already. Lines that sink from step to step
# say: less as the whole picture brightens. The last maps are nearly 0: little is left to do.
#
# How much does a pixel get over all eight steps?

# %%
total = sum(M for M, E in steps[:8])
_, given = map_by_brightness(pair.low, total)
print("sum of eight maps, from the darkest tenth to the brightest:", np.round(given, 2))

# %% tags=["claim"]
assert given[-1] < given[0], "the brightest tenth gets less than the darkest"
assert steps[7].parameter_map.mean() < steps[0].parameter_map.mean()

# %% [markdown]
# Nobody told the network to do that. It follows from training through the curve: a map that kept
# pushing would have burned the highlights, and the loss would have seen it.
#
# ### Follow single pixels
#
# We mark three places of the dark picture, dark, middling and bright, and follow each through all
# steps. **Look at** who starts to rise first, and whose map sinks first.

# %%
order = np.argsort(pair.low.mean(-1), axis=None, kind="stable")
places = {}
for title, share in (("dark", 0.05), ("middling", 0.5), ("bright", 0.95)):
    place = np.unravel_index(order[int(share * order.size)], pair.low.shape[:2])
    places[title] = tuple(map(int, place))
print("row and column:", places)


# %%
def follow(row, column):
    """Return a pixel's values before and after each step, and its maps: means of the colors."""
    values = [E[row, column].mean() for E in (seen[0], *(E for M, E in steps))]
    return values, [M[row, column].mean() for M, E in steps]


# %%
def draw_traces(places):
    """Draw where some pixels are, their values and their maps."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4))
    axes[0].imshow(np.clip(steps[7].image, 0, 1))
    for (title, (row, column)), mark in zip(places.items(), "os^", strict=False):
        values, maps = follow(row, column)
        (line,) = axes[1].plot(values, mark + "-", label=title)
        axes[2].plot(range(1, 13), maps, mark + "-", color=line.get_color())
        axes[0].plot(column, row, mark, color=line.get_color(), mec="white", ms=12)
    axes[0].set(title="after 8 iterations", xticks=[], yticks=[])
    axes[1].set(xlabel="iterations", title="value E", ylim=(0, 1.02))
    axes[2].set(xlabel="iteration", title="map M", ylim=(0, 1.02))
    axes[1].legend()
    plt.show()


draw_traces(places)

# %% [markdown]
# Left, where they are. In the middle their values, which can only rise, since no map is negative.
# Right, what the network gave them in each step. There is nothing in such a path but the curve of
# notebook 02, with a new $m$ in each step. We check that for one pixel, by hand.

# %% tags=["claim"]
row, column = places["middling"]
E = seen[0][row, column]
for M, image in steps:
    E = E + M[row, column] * E * (1 - E)
    np.testing.assert_allclose(E, image[row, column], atol=1e-5)

# %% [markdown]
# Now choose a pixel yourself (in a running notebook): by its row and column, or jump to a marked
# place. **Find** one whose map stays high to the end, and say why it does.


# %%
def trace_at(row, column):
    draw_traces({"yours": (row, column)})


rows, columns = (size - 1 for size in pair.low.shape[:2])
down = ipywidgets.IntSlider(value=row, max=rows, continuous_update=False)
right = ipywidgets.IntSlider(value=column, max=columns, continuous_update=False)
_ = ipywidgets.interact(trace_at, row=down, column=right)


# %%
def jump(change):
    down.value, right.value = change.new


marked = ipywidgets.Dropdown(options=list(places.items()), value=(row, column))
marked.description = "jump to"
marked.observe(jump, "value")
marked

# %% [markdown]
# <details><summary>Quiz: where the map has fallen to 0, is the picture a fixed point?</summary>
#
# Yes, and any picture can be one: E + 0 stays E, whatever E is. With a constant m there are only
# two fixed points, black and white. A network that looks can come to rest anywhere, if it learns
# to answer 0.
#
# </details>

# %% [markdown]
# ## 6. 4, 8, 12: an exposure dial
#
# `M` is never negative. So each iteration makes every pixel brighter or leaves it alone, and the
# number of iterations is a dial. **Predict, then run:** will the mean brightness grow by the same
# amount each time?

# %%
dial = {name: [pairs[name].low] for name in names["examples"]}
for name, images in dial.items():
    images += [step.image for step in run(pairs[name].low, 12)]
brightness = {name: [255 * E.mean() for E in images] for name, images in dial.items()}
figure, ax = plt.subplots(figsize=(7.5, 4))
for (name, means), marker in zip(brightness.items(), "os^", strict=True):
    ax.plot(means, marker + "-", label=f"picture {name}")
ax.axvline(8, color="gray", ls="--")
ax.text(8.1, 5, "trained for 8")
ax.set(xlabel="iterations", ylabel="mean code value", ylim=(0, 255))
ax.legend()
plt.show()
# %% [markdown]
# Near black a step can at most double the light, and twice next to nothing is next to nothing. In
# the middle it gives most. Then the line bends over, because of the factor `1 - E` and because the
# maps sink.

# %% tags=["claim"]
for means in brightness.values():
    assert (np.diff(means) > 0).all(), "every iteration brightens"

# %% [markdown]
# Now look at 4, 8 and 12 iterations of one picture. Four is underexposed. Which of the other two
# would you keep?

# %%
chosen = names["examples"][1]
figure, axes = plt.subplots(1, 4, figsize=(11, 2.4))
for ax, n in zip(axes, (0, 4, 8, 12), strict=True):
    ax.imshow(np.clip(dial[chosen][n], 0, 1))
    decibels = metrics.psnr(np.clip(dial[chosen][n], 0, 1), pairs[chosen].high)
    ax.set(title=f"{n} iterations: {decibels:.1f} dB", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The first four iterations carry the picture only part of the way. And beyond eight? A network that
# sees its own result can let the map fall toward 0, and then the dial turns without effect. Was it
# so here? We measure what the last four iterations add, next to the first eight.

# %%
for name, means in brightness.items():
    first, last = means[8] - means[0], means[12] - means[8]
    print(f"{name:8s} 0 to 8: {first:+6.1f} codes, 8 to 12: {last:+6.1f} codes")

# %% [markdown]
# Where the second number is small, the network has nearly learned to stop. Nobody demanded it:
# training asked for eight iterations and never looked at a ninth.

# %% tags=["claim"]
for means in brightness.values():
    assert means[12] - means[8] < means[8] - means[0]

# %% [markdown]
# ## 7. 12, 8 or 7: let darkness choose
#
# The founding project's desktop version turned the dial by itself: 12 iterations where the mean
# code value was below 10, and 8 otherwise. It also shows a picture after 7, and does not say when 7
# applies. We say: from 20 on. This rule for the brightest is ours.
#
# ### Exercise 5.3. When is 12 iterations right?
#
# Write the rule as a function. The picture is an array (height, width, 3) in [0, 1].


# %% tags=["exercise"]
def choose_iterations(image):
    return ...  # 12, 8 or 7


# %% tags=["check"]
checks.iterations_for(choose_iterations)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `image.mean()` is the mean over all pixels and colors. A *code value* is 255 times a value in [0,
# 1].
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def choose_iterations(image):
#     mean_code = 255 * image.mean()
#     return 12 if mean_code < 10 else 8 if mean_code < 20 else 7
# ```
#
# Is 12 *right*, then? The rule looks at one number. A night sky with a lamp is dark on average and
# should stay so. The end of this section measures where the rule helps and where it harms.
#
# </details>

# %% [markdown]
# Here is ours. Does it choose 12, 8 and 7 for the three examples?


# %%
def my_iterations_for(image):
    mean_code = 255 * image.mean()
    if mean_code < 10:
        return 12
    return 8 if mean_code < 20 else 7


# %%
for name in names["examples"]:
    mean_code = 255 * pairs[name].low.mean()
    print(
        f"{name:8s} mean code {mean_code:5.1f}: {my_iterations_for(pairs[name].low):2d} iterations"
    )

# %% tags=["claim"]
for one in pairs:
    assert my_iterations_for(one.low) == founding.iterations_for(one.low)
assert [founding.iterations_for(pairs[name].low) for name in names["examples"]] == [12, 8, 7]

# %% [markdown]
# Look at whether the three come out about equally bright, although they started far apart.

# %%
rows = [
    (n, pairs[name].low, dial[name][n], pairs[name].high)
    for name, n in zip(names["examples"], (12, 8, 7), strict=True)
]
figure = figures.examples(rows)
figure.set_dpi(64)
figure

# %% [markdown]
# Above the dark pictures, in the middle the enhanced ones, below the well-lit ones. The rule looks
# at the input alone. Our network looks at the picture too, in every step, and was trained for
# eight. So with these weights the rule may help or harm. Let us see:

# %%
for name, n in zip(names["examples"], (12, 8, 7), strict=True):
    decibels = [metrics.psnr(np.clip(dial[name][k], 0, 1), pairs[name].high) for k in (8, n)]
    print(
        f"{name:8s} after 8: {decibels[0]:5.2f} dB, after {n:2d} (the rule): {decibels[1]:5.2f} dB"
    )

# %% [markdown]
# ## 8. Noise grows along
#
# Brightening multiplies, and it multiplies the noise as well. We measure noise where the scene is
# flat: in blocks of 8 x 8 pixels whose well-lit partner is smooth. What remains there after fitting
# a plane is noise.

# %%
noise = []
for image in [pair.low] + [step.image for step in steps]:
    _, variance = camera.local_noise(np.clip(image, 0, 1), pair.high, flat=4)
    noise.append(float(np.sqrt(np.nanmedian(variance))))
print("noise in code values:", np.round(noise, 1))

# %% [markdown]
# What does theory say? Notebook 02: one step multiplies a small difference by the slope of the
# curve, `1 + M (1 - 2 E)`. Over several steps the slopes multiply, to the
# [noise gain](glossary.md#noise-gain). We take their product in the same blocks, and multiply the
# noise of the dark picture by it.


# %%
def block_means(image, side=8):
    rows, columns = (size // side for size in image.shape[:2])
    cut = image[: rows * side, : columns * side]
    return cut.reshape(rows, side, columns, side, 3).mean((1, 3)).reshape(-1, 3)


_, variance = camera.local_noise(pair.low, pair.high, flat=4)
gain, predicted = 1.0, [noise[0]]
for E, (M, _) in zip(seen, steps, strict=True):
    gain = gain * (1 + M * (1 - 2 * E))
    predicted.append(float(np.sqrt(np.nanmedian(variance * block_means(gain) ** 2))))

# %%
figure, ax = plt.subplots(figsize=(7.5, 4))
ax.plot(noise, "o-", label="measured in flat blocks")
ax.plot(predicted, "s--", label="predicted from the slopes")
ax.set(xlabel="iterations", ylabel="noise (code values)", ylim=(0, None))
ax.legend()
plt.show()

# %% [markdown]
# Noise grows fast while the picture is dark, and more slowly once it is bright, because above 1/2
# the slope of the curve is below 1. The prediction is for small differences; the noise of a dark
# picture is not small next to its brightness, so the two lines agree only roughly. This is the
# price of brightness. A curve that treats equal pixels equally cannot escape it.

# %% tags=["claim"]
assert noise[8] > 2 * noise[0], "eight iterations at least double the noise"
assert noise[12] - noise[8] < noise[8] - noise[0]
assert 0.4 < predicted[8] / noise[8] < 2.5

# %% [markdown]
# <details><summary>Quiz: after many iterations the noise grows no more. Is the picture clean
# then?</summary>
#
# No. Where the slope of the curve is below 1, it makes *all* differences smaller: those of the
# noise and those of the scene. The grain fades together with the contrast, and one is as visible
# beside the other as before.
#
# </details>

# %% [markdown]
# ## 9. Founding weights against ours
#
# Same recursion, same seven layers. One network was trained to be the bright picture, the other to
# make one. Look at the maps first: which resembles the picture, and which its negative?

# %%
theirs = figures.trace(founding_network, pair.low, 8)
runs = [("founding weights", theirs), ("curve8", steps)]
figure = figures.two_objectives(pair.low, pair.high, runs, (1, 2, 4, 8))
figure.set_dpi(72)
figure

# %% [markdown]
# Two rows each: maps, and the pictures they made, with the PSNR against the reference. We can put a
# number on "resembles": the correlation between each pixel's map and its brightness in the
# reference. +1 is the picture, -1 its negative.


# %%
def likeness(parameter_map):
    return np.corrcoef(parameter_map.mean(-1).ravel(), pair.high.mean(-1).ravel())[0, 1]


like = {title: [likeness(step.parameter_map) for step in run[:8]] for title, run in runs}
for title, values in like.items():
    print(f"{title:17s}", " ".join(f"{value:+.2f}" for value in values))

# %% tags=["claim"]
assert min(like["founding weights"]) > 0
assert np.mean(like["curve8"][:4]) < 0, "while most of the light is given"

# %% [markdown]
# The founding map says "bright" where the scene is bright: there it pushes most, and the dark
# corners, which need light, get the least. Training through the curve turned the map around, in
# the steps that do most of the work. Later its maps are small: what they look like matters little.
#
# One picture proves little about quality, and luck can favor either. Notebook 06 scores both on all
# test pictures.

# %% [markdown]
# ## 10. Make it move
#
# The recursion as a short film: the picture on the left, the map that comes next on the right. It
# runs a few times and then stands still. If you do not want things to move: the figure of section 4
# holds the same pictures and maps, one beside the other.

# %%
frames = []
for E, (M, _) in zip(seen[:9], steps[:9], strict=True):
    colored = plt.cm.viridis(M.mean(-1))[..., :3]
    both = np.concatenate([np.clip(E, 0, 1), colored], axis=1)[::3, ::3]
    frames.append((255 * both).astype(np.uint8))
film = iio.imwrite("<bytes>", frames, extension=".gif", duration=700, loop=3)
alt = "The picture brightens, iteration by iteration, while its map fades"
HTML(f'<img alt="{alt}" src="data:image/gif;base64,{base64.b64encode(film).decode()}">')

# %% [markdown]
# As the picture fills with light, its map fades.
#
# And a dial to turn yourself. First the picture after eight iterations, beside its reference. The
# list and the slider below need a running notebook. **Find** for each picture the number that comes
# nearest to its reference. Does the rule of section 7 agree with you?


# %%
def show(name, iterations):
    """Draw one of the three examples after so many iterations, and its reference."""
    image = np.clip(dial[name][iterations][::2, ::2], 0, 1)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    axes[0].imshow(image)
    axes[0].set(title=f"{iterations} iterations, mean code {255 * image.mean():.0f}")
    axes[1].imshow(pairs[name].high[::2, ::2])
    axes[1].set(title=f"reference, mean code {255 * pairs[name].high.mean():.0f}")
    for ax in axes:
        ax.axis("off")
    plt.show()


show(chosen, iterations=8)

# %%
choice = ipywidgets.Dropdown(options=list(dial), value=chosen)
turned = ipywidgets.IntSlider(value=8, max=12, continuous_update=False)
_ = ipywidgets.interact(show, name=choice, iterations=turned)

# %% [markdown]
# ## Exercises
#
# The other exercises of this notebook stand where their matter was taught.
#
# ### Exercise 5.4. Stop by itself
#
# Neither 7 nor 8 nor 12: go on until nothing changes any more. Write a function that returns the
# picture **and** the number of steps it took. It stops after the first step that changes *no value*
# by more than `tolerance`. That step counts. It never takes more than `most` steps.
#
# Then try it on a real network: `iterate_until(dark, lambda E, step: predict(E), 0.01, 30)`. Does
# that stop by itself?


# %% tags=["exercise"]
def iterate_until(image, predict_map, tolerance, most):
    steps = 0
    return ..., steps


# %% tags=["check"]
checks.stop_by_itself(iterate_until)

# %% [markdown]
# <details><summary>Hint</summary>
#
# "No value by more than" asks for the largest change, not for the mean. Keep the old picture until
# you have compared. A loop `for step in range(most)` cannot go on for ever; leave it with `break`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def iterate_until(image, predict_map, tolerance, most):
#     steps = 0
#     while steps < most:
#         before, image = image, brighten(image, predict_map(image, steps))
#         steps += 1
#         if np.abs(image - before).max() <= tolerance:
#             break
#     return image, steps
# ```
#
# With one constant $m$ it stops only where all is white. A network can do better: where its map
# falls to 0, nothing changes. The founding network's map does not: on the sample's picture some
# value still changes by 0.08 in the thirtieth step.
#
# </details>

# %% [markdown]
# ### Exercise 5.5. Denoise before or after the curve?
#
# This one takes an evening. A curve cannot remove noise, a filter can. Should it stand before the
# curve, or after it?
#
# **Predict first**, for two simple filters: a median of 3 x 3 pixels, and a Gaussian blur. Does the
# result depend on the order? Write `True` or `False` for each, and then try it.
#
# Then write `quiet`. It gets a dark, noisy picture and a function `bend` that brightens any
# picture. It returns a bright picture with less noise. The check darkens three photographs by 6.5
# stops, with noise and without, and compares your result with what `bend` makes of the one
# **without**. A plain 3 x 3 median must be beaten by 1 dB. Try both orders!

# %% tags=["exercise"]
order_matters = {"median": ..., "gaussian": ...}


def quiet(dark, bend):
    return ...


# %% tags=["check"]
checks.denoise(order_matters, quiet)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The median is the value in the middle. What does a rising curve do to the order of values? And a
# mean?
#
# A blur takes edges away with the noise. Look for a filter that averages only what is alike, such
# as `skimage.restoration.denoise_nl_means`. It wants to know how strong the noise is: what a median
# filter takes away is mostly noise. Mind that the noise differs before and after the curve.
# (Wavelet filters and `estimate_sigma` of skimage need PyWavelets, which is not among our
# packages.)
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# order_matters = {"median": False, "gaussian": True}
#
#
# def quiet(dark, bend):
#     from scipy import ndimage
#     from skimage.restoration import denoise_nl_means
#
#     sigma = np.std(dark - ndimage.median_filter(dark, (3, 3, 1)))
#     settings = {"patch_size": 5, "patch_distance": 6, "channel_axis": -1}
#     clean = denoise_nl_means(dark, h=0.6 * sigma, sigma=sigma, **settings)
#     return bend(clean)
# ```
#
# With this filter, before is mostly better: 29.8, 31.4 and 28.1 dB, against 28.6, 30.2 and 28.6
# after the curve. In the dark picture the noise is about equally strong everywhere (notebook 01),
# so one strength fits all of it. The curve then multiplies the noise of the darkest parts most.
#
# But the third picture is better the other way round, and so is the first one with a Gaussian.
# There is no law here. Measure.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - The founding function is tail recursive: `index` counts down to the case that stops it, and
#   `flag` marks the first call, on which the network sees 0..255.
# - That, and a loss on the map in place of the picture, are its two faults. A perfect answer to the
#   wrong question is still wrong.
# - As a loop that yields, the same recursion shows its maps: strong at first, weaker where and when
#   the picture is bright.
# - The number of iterations is an exposure dial. Each turn brightens, and while the picture is dark
#   each turn multiplies the noise.
#
# ## Further reading
#
# - C. Guo, C. Li, J. Guo, C. C. Loy, J. Hou, S. Kwong, R. Cong, "Zero-Reference Deep Curve
#   Estimation for Low-Light Image Enhancement", CVPR 2020: the curve, with eight maps at once.
#   [doi:10.1109/CVPR42600.2020.00185](https://doi.org/10.1109/CVPR42600.2020.00185)
# - H. Abelson, G. J. Sussman, "Structure and Interpretation of Computer Programs", section 1.2.1:
#   recursive functions that are loops.
# - J. Kim, J. K. Lee, K. M. Lee, "Deeply-Recursive Convolutional Network for Image
#   Super-Resolution", CVPR 2016: one network applied again and again, trained through all of it.
#   [doi:10.1109/CVPR.2016.181](https://doi.org/10.1109/CVPR.2016.181)
#
# Next: [06. Measure honestly](06_measure_honestly.ipynb)
