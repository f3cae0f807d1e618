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
# You will build the founding recursive function and the enhancer that replaced it, and look at
# every map on the way from dark to bright.

# %% [markdown]
# ![A darkened raccoon, and for each of eight iterations the map above the picture that it made:
# three flat maps, a blurred one, three detailed ones, and a flat one](figures/iterations.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 60 to read and do the quick exercises. Per
# exercise: 5.1: 10, 5.2: 10, 5.3: 5.
#
# **What you'll need:** notebooks [02](02_bend_one_curve.ipynb) and [04](04_train_it.ipynb).
#
# **Contents:** 1 the founding function · 2 its faults · 3 the loop · 4 our enhancer · 5 maps and
# pictures · 6 how much, where, noise · 7 when to stop · 8 the dial · 9 a film · exercises
#
# Previous: [04. Train it](04_train_it.ipynb) · Next: [06. Measure
# honestly](06_measure_honestly.ipynb)

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
import base64
import inspect

import cv2
import imageio.v3 as iio
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from keras import ops
from scipy import ndimage

from lle_utils import camera, checks, curve, data, enhancer, founding, metrics, resample, weights
from lle_utils.inference import enhance_lazily

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)


# %% [markdown]
# Here is a dark picture from the test split, and what our enhancer makes of it. To save time we
# mostly use every second pixel.


# %%
def show(pictures):
    """Draw pictures side by side: a dict from titles to arrays."""
    figure, axes = plt.subplots(1, len(pictures), figsize=(12, 36 / len(pictures) ** 1.35))
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        ax.imshow(np.clip(picture, 0, 1))
        ax.set_title(title)
        ax.axis("off")
    plt.show()


# %%
# Alt: The same mountains dark, enhanced, and well lit.
names = ["room", "peaks", "coffee"]  # from the darkest to the least dark
if DATASET == "lol":
    names = ["493", "22", "1"]
pairs = data.load(DATASET, "test", lazy=True)
pair = pairs[names[1]]
dark, bright = pair.low[::2, ::2], pair.high[::2, ::2]
ours = weights.load_model()
show({"dark": dark, "enhanced": enhancer.enhance_picture(ours, dark), "well lit": bright})

# %% [markdown]
# ## 1. The founding recursive function
#
# The founding project describes its method in these words:
#
# > We converted this steps of iterations into recursive function.
# > img: the low light image (I, E_old); index: no of iterations; flag: default = 1.
#
# We build it from the inside out: first its network, with one [parameter
# map](glossary.md#parameter-map) for all three colors, and one iteration. `E` is the picture so far
# and `M` its map.

# %%
founding_network = weights.load_model("founding").network


def predict(img):
    """Return the founding network's parameter map of one picture."""
    return founding_network.predict_on_batch(np.asarray(img, np.float32)[None])[0]


def brighten(E, M):
    return E + M * E * (1 - E)


# %% [markdown]
# **The first call:** the picture has values 0 to 255, as in a file. The founding project gives
# these to the network, and only then divides by 255. **Every later call:** the picture is in [0, 1]
# already.

# %%
img = 255 * dark
M = predict(img)
E_1 = brighten(img / 255, M)
print(f"map {M.shape} in [{M.min():.2f}, {M.max():.2f}], mean code {255 * E_1.mean():.1f}")
E_2 = brighten(E_1, predict(E_1))
print(f"after the second call: mean code {255 * E_2.mean():.1f}")


# %% [markdown]
# [`flag`](glossary.md#flag) is 1 on the first call and 0 afterwards. `index` is the number of
# [iterations](glossary.md#iteration) left. When it reaches 0, the
# [recursion](glossary.md#recursion) ends.


# %%
def enhance(img, index, flag=1, *, predict):
    if index == 0:
        return img
    if flag == 1:
        E = img / 255
        return enhance(brighten(E, predict(img)), index - 1, 0, predict=predict)
    return enhance(brighten(img, predict(img)), index - 1, 0, predict=predict)


# %% [markdown]
# **Predict, then run.** What is the largest value that the network sees in the first of three
# calls? And in the others?


# %%
def talk(img):
    print(f"  the network sees values up to {np.max(img):7.3f}")
    return predict(img)


result = enhance(255 * dark, 3, predict=talk)
print(f"after 3 iterations: mean code {255 * result.mean():.1f}")

# %% [markdown]
# Only the first call sees code values. Each call passes its result *down* to the next; nothing is
# left to do on the way back up. Such a function is *[tail recursive](glossary.md#tail-recursive)*:
# it could just as well be a loop.

# %% [markdown]
# ## 2. Its two faults
#
# **Fault one: 0 to 255 first, [0, 1] afterwards.** A [convolution](glossary.md#convolution) does
# not know that 255 means white. Compare the two maps of *one* picture.

# %%
# Alt: Two maps of one picture. Given 0..255 the map shows the mountains; given [0, 1] it is
# close to 0.
maps = {"given 0..255": predict(255 * dark), "given [0, 1]": predict(dark)}
figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9))
for ax, (title, one) in zip(axes, maps.items(), strict=True):
    drawn = ax.imshow(one.mean(-1), cmap="viridis", vmin=0, vmax=1)
    ax.set(title=f"{title}: mean {one.mean():.2f}, spread {one.std():.2f}", xticks=[], yticks=[])
figure.colorbar(drawn, ax=axes, label="M")
plt.show()

# %% [markdown]
# Given [0, 1], its map is close to 0 almost everywhere: the network was never trained on such
# numbers.
#
# **Fault two: its map was trained to *be* the bright picture.** Even a perfect fit brightens badly,
# as notebook 04 showed. The cure is a loss on the *result* of the recursion.
#
# ## 3. The loop
#
# ### Exercise 5.1. The founding function as a loop
#
# Write the function as a loop **before you read on**: the same arguments, inputs to the network and
# result, faults included, but no call to itself. Do not change the picture that you are given.


# %% tags=["exercise"]
def enhance_in_a_loop(img, index, flag=1, *, predict):
    return ...


# %% tags=["check"]
checks.founding_loop(enhance_in_a_loop)


# %% [markdown]
# <details><summary>Hint</summary>
#
# What changes from call to call becomes a variable: `img` and `flag`. `index` is the number of
# iterations. Does the network see the first picture before the division or after it?
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
# A loop that `yield`s gives us each map and each picture on the way. `step` counts from 0.


# %%
def my_iterate(image, predict_map, iterations):
    for step in range(iterations):
        parameter_map = predict_map(image, step)
        image = brighten(image, parameter_map)
        yield parameter_map, image


# %% [markdown]
# The package has the same function and loop. All must agree.

# %% tags=["claim"]
recursive = enhance(255 * dark, 3, predict=predict)
np.testing.assert_allclose(founding.enhance(255 * dark, 3, predict=predict), recursive, atol=1e-6)
for loop in (my_iterate, curve.iterate):
    pictures = [E for M, E in loop(E_1, lambda E, step: predict(E), 2)]
    np.testing.assert_allclose(pictures[-1], recursive, atol=1e-5)

# %% [markdown]
# ## 4. Our enhancer: three questions, one network
#
# Our enhancer keeps the curve and the recursion and changes what the network looks at:
#
# 1. ***How much* light?** The network looks at a **[thumbnail](glossary.md#thumbnail)** of 24 x 24
#    pixels. Only the *mean* of its map is used: one number per channel, the
#    **[exposure](glossary.md#exposure)**.
# 2. ***Where?*** The thumbnail's map itself, enlarged to the picture.
# 3. ***What is noise?*** The network looks at the picture, once downsampled by 2 and twice at full
#    size. We subtract its map's local mean, and add the fine structure that remains to the
#    exposure. These are the **[detail iterations](glossary.md#detail-iteration)**.
#
# The [schedule](glossary.md#schedule) lists what each iteration looks at. All later iterations are
# exposure iterations.

# %%
# Alt: The dark picture, its square thumbnail, and the thumbnail's map.
print(ours.schedule)
E = np.maximum(dark, curve.FLOOR)[None]
thumb = ops.convert_to_numpy(resample.make_thumbnail(E, 24))
where = ops.convert_to_numpy(ours.thumbnail_map(thumb))
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
axes[0].imshow(np.clip(4 * E[0], 0, 1))
axes[1].imshow(np.clip(4 * thumb[0], 0, 1))
drawn = axes[2].imshow(where[0].mean(-1), vmin=0, vmax=1)
for ax, title in zip(axes, ("dark picture x 4", "thumbnail x 4", "its map"), strict=True):
    ax.set(title=title, xticks=[], yticks=[])
figure.colorbar(drawn, ax=axes, label="M")
plt.show()

# %% [markdown]
# Averaging has removed the thumbnail's noise. The mean of its map brightens the picture **and** the
# thumbnail, so they stay equally bright.

# %%
exposure = where.mean(axis=(1, 2), keepdims=True)
print("exposure of red, green and blue:", np.round(exposure.ravel(), 2))
for title, picture in (("picture", E), ("thumbnail", thumb)):
    mean_code = 255 * brighten(picture, exposure).mean()
    print(f"mean code of the {title} after one iteration: {mean_code:.1f}")


# %% [markdown]
# `thumbnail_map` averages over four flips ([flip averaging](glossary.md#flip-averaging)), because
# the network's maps of a mirrored picture differ a little. It also moves the map's colors halfway
# to gray: exposure should brighten a picture and hardly tint it.
#
# Even a map of 0.01 adds up over many iterations, and a sigmoid never returns exactly 0. The
# **[soft threshold](glossary.md#soft-threshold)** reduces maps well below the
# [tolerance](glossary.md#tolerance), 0.08, to nearly 0 and hardly changes larger ones. After the
# schedule the tolerance is 1, so that later iterations change little.


# %%
def soft_threshold(M, tolerance=0.08):
    return M * M**2 / (M**2 + tolerance**2)


for m in (0.01, 0.03, 0.08, 0.2, 0.5):
    print(f"map {m:5.3f} becomes {soft_threshold(m):.4f}")


# %% [markdown]
# Now the maps: one for the picture, and one for the thumbnail. `detail_map` downsamples the
# picture, runs the network, applies the soft threshold, subtracts the mean over 15 x 15 pixels and
# enlarges the rest.


# %%
def my_maps(E, thumb, source, tolerance):
    where = ops.convert_to_numpy(ours.thumbnail_map(thumb))
    exposure = soft_threshold(where.mean(axis=(1, 2), keepdims=True), tolerance)
    where = soft_threshold(where)
    if source == "exposure":
        return exposure, exposure
    if source == "thumbnail":
        height, width = E.shape[1:3]
        return ops.convert_to_numpy(resample.enlarge_thumbnail(where, height, width)), where
    details = ops.convert_to_numpy(ours.detail_map(E, source))
    return np.clip(exposure + details, 0, 1), exposure


# %%
def my_enhancer(image, iterations):
    E = np.maximum(image, curve.FLOOR)[None]
    thumb = ops.convert_to_numpy(resample.make_thumbnail(E, 24))
    for step in range(iterations):
        late = step >= len(ours.schedule)
        source = "exposure" if late else ours.schedule[step]
        M, m = my_maps(E, thumb, source, curve.LATE_TOLERANCE if late else 0.08)
        E, thumb = brighten(E, M), brighten(thumb, m)
        yield M[0], E[0]


# %% [markdown]
# It must agree with the package, whose `enhancer.trace` returns a list of maps and pictures.

# %% tags=["claim"]
steps = enhancer.trace(ours, dark, 12)
for (M, E), (their_map, their_picture) in zip(my_enhancer(dark, 9), steps, strict=False):
    np.testing.assert_allclose(np.broadcast_to(M, their_map.shape), their_map, atol=1e-4)
    np.testing.assert_allclose(E, their_picture, atol=1e-4)

# %%
print(inspect.getsource(enhancer.Maps.__call__))

# %% [markdown]
# ## 5. Map and picture, iteration by iteration
#
# Each map is drawn above the picture that it made. **Look for** the three kinds of map: one flat
# color, a blurred picture, a sharp one.

# %%
# Alt: Eight maps, each above the picture that it made. Maps 1 to 3 and 8 are flat, map 4 is
# blurred, maps 5 to 7 show details.
kinds = ["exposure"] * 3 + ["thumbnail", "detail, by 2", "detail", "detail", "exposure"]
figure, axes = plt.subplots(4, 4, figsize=(12, 8))
for k, kind in enumerate(kinds):
    M, E = steps[k]
    row, column = 2 * (k // 4), k % 4
    drawn = axes[row, column].imshow(M.mean(-1), vmin=0, vmax=1)
    axes[row, column].set_title(f"{k + 1}: {kind}, M = {M.mean():.2f}")
    axes[row + 1, column].imshow(np.clip(E, 0, 1))
for ax in axes.ravel():
    ax.axis("off")
figure.colorbar(drawn, ax=axes, label="M", shrink=0.5)
plt.show()


# %% [markdown]
# The first three maps are one flat color each, and the strongest on average. Map 4 resembles a
# *negative* of the scene: what is still dark gets more. Maps 5 to 7 are an exposure with fine
# structure: edges and grain.
#
# ### Follow single pixels
#
# **Look at** iterations 1 to 3, where a dark, a medium and a bright pixel get the same map, and at
# what follows.


# %%
def draw_traces(places):
    """Draw where some pixels are, their values and their maps: means of the colors."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4))
    axes[0].imshow(np.clip(steps[7].image, 0, 1))
    for (title, (row, column)), mark in zip(places.items(), "os^", strict=False):
        values = [dark[row, column].mean()] + [E[row, column].mean() for M, E in steps]
        (line,) = axes[1].plot(values, mark + "-", label=title)
        maps = [M[row, column].mean() for M, E in steps]
        axes[2].plot(range(1, 13), maps, mark + "-", color=line.get_color())
        axes[0].plot(column, row, mark, color=line.get_color(), mec="white", ms=12)
    axes[0].set(title="after 8 iterations", xticks=[], yticks=[])
    axes[1].set(xlabel="iterations", title="value E", ylim=(0, 1.02))
    axes[2].set(xlabel="iteration", title="map M", ylim=(0, 1.02))
    axes[1].legend()
    plt.show()


# %%
# Alt: Left: the picture with three marked pixels. Middle: their values, which rise. Right: their
# maps, equal in iterations 1 to 3 and different in 4 to 7.
order = np.argsort(dark.mean(-1), axis=None)
places = {}
for title, share in (("dark", 0.05), ("medium", 0.5), ("bright", 0.95)):
    places[title] = np.unravel_index(order[int(share * order.size)], dark.shape[:2])
draw_traces(places)

# %% [markdown]
# The values never fall, because no map is negative. In iterations 4 to 7 each pixel has its own
# map. Choose a pixel with `draw_traces({"mine": (100, 150)})`: row, then column.
#
# ## 6. What each kind of iteration does
#
# ### How much
#
# Three test pictures, from very dark to less dark. **Predict, then run:** which one gets the
# largest exposure?

# %%
dial = {}
for name in names:
    low = pairs[name].low[::2, ::2]
    traced = enhancer.trace(ours, low, 24)
    dial[name] = [low] + [E for M, E in traced]
    three = sum(M.mean() for M, E in traced[:3])
    print(f"{name:8s} mean code {255 * low.mean():4.1f}: first three exposures sum to {three:.2f}")

# %%
# Alt: Mean code value against iterations for three pictures: it rises up to 7, then hardly.
figure, ax = plt.subplots(figsize=(7.5, 4))
for name, mark in zip(names, "os^", strict=True):
    ax.plot([255 * E.mean() for E in dial[name][:13]], mark + "-", label=f"picture {name}")
ax.axvspan(3, 7, color="gray", alpha=0.2, label="thumbnail and detail")
ax.set(xlabel="iterations", ylabel="mean code value", ylim=(0, 255))
ax.legend()
plt.show()

# %% [markdown]
# The darker the picture, the larger its exposure. The lines flatten, because both the factor
# $1 - E$ and the maps get smaller.
#
# ### Where
#
# One exposure cannot suit a picture with one half in the shade. We darken a photograph by three
# stops, and its left half by 2.5 more, and run the same network with two schedules.

# %%
# Alt: A picture with its left half in the shade, enhanced by exposure only, and by our schedule.
# The left half stays darker in both.
shade = np.zeros((1, bright.shape[1], 1))
shade[:, : bright.shape[1] // 2] = 2.5
shaded = camera.darken(bright, 3.0, np.random.default_rng(3), shade=shade)
exposure_only = enhancer.Enhancer(ours.network, schedule=8 * ("exposure",))
results = {
    "half in the shade": shaded,
    "exposure only": enhancer.enhance_picture(exposure_only, shaded),
    "our schedule": enhancer.enhance_picture(ours, shaded),
}
show(results)
for title, picture in results.items():
    left, right = np.array_split(picture.mean((0, 2)) / bright.mean((0, 2)), 2)
    print(f"{title:18s} right half brighter by a factor of {right.mean() / left.mean():.2f}")


# %% [markdown]
# Exposure by itself evens out part of it, because the curve lifts dark values more. Our schedule
# does hardly better here: only map 4 can tell the halves apart, and one iteration changes little.
#
# ### What is noise
#
# A map that treats a pixel and its neighbor alike amplifies noise (notebook 02). One that varies
# from pixel to pixel can do better. But it can only *brighten*: what can it do about a pixel that
# noise made too bright? We try the best possible map on a noisy gray wall of 0.40. **Predict, then
# run:** for which goal will the noise vanish?


# %%
def best_map(E, goal):
    return np.clip((goal - E) / (E * (1 - E)), 0, 1)


wall = 0.40 + 0.04 * np.random.default_rng(0).standard_normal(10_000)
for goal in (0.35, 0.40, 0.45, 0.50):
    after = brighten(wall, best_map(wall, goal))
    print(f"goal {goal:.2f}: noise {wall.std():.3f} before, {after.std():.3f} after")

# %% [markdown]
# At 0.35 nearly every pixel is too bright already, and no map can help. At 0.50 nearly every pixel
# can be lifted exactly to the goal. So **the picture must reach the detail iterations a little too
# dark**: they add the rest of the light unevenly, and so remove noise.
#
# Does the network do that? From the picture before iteration 7, and from its map, we subtract a
# blurred version. What remains of the picture is noise where the scene is smooth. **Predict:** will
# the map be larger or smaller where noise made a pixel brighter?

# %%
# Alt: A cloud of dots that falls to the right: where noise made a pixel brighter, the map is
# smaller.
full = enhancer.trace(ours, pair.low, 8)
E, M = full[5].image.mean(-1), full[6].parameter_map.mean(-1)
fine_E = E - ndimage.gaussian_filter(E, 2)
fine_M = M - ndimage.gaussian_filter(M, 2)
smooth = ndimage.gaussian_gradient_magnitude(255 * pair.high.mean(-1), 2) < 1
likeness = np.corrcoef(fine_E[smooth], fine_M[smooth])[0, 1]
figure, ax = plt.subplots(figsize=(7.5, 4))
ax.plot(255 * fine_E[smooth][::10], fine_M[smooth][::10], "k.", ms=3, alpha=0.3)
ax.set(xlabel="brighter than the surroundings (code values)", ylabel="map above its surroundings")
ax.set(xlim=(-20, 20), ylim=(-0.3, 0.3), title=f"iteration 7, correlation {likeness:+.2f}")
plt.show()


# %% [markdown]
# The cloud falls to the right: the map is a negative of the grain. How much noise does this remove?
# We compare one constant, our schedule without detail iterations, and our schedule, where the
# *reference* is flat. Compare the lines **at the same brightness**.


# %%
def noise(image):
    _, variance = camera.local_noise(np.clip(image, 0, 1), pair.high)
    return float(np.sqrt(np.nanmedian(variance)))


no_detail = enhancer.Enhancer(ours.network, schedule=ours.schedule[:4])
ways = {
    "one constant": curve.iterate(pair.low, lambda E, step: 0.4, 8),
    "without detail": enhancer.trace(no_detail, pair.low, 8),
    "our schedule": full,
}
ways = {title: [pair.low] + [E for M, E in run] for title, run in ways.items()}

# %%
# Alt: Noise against mean code value. One constant and the schedule without detail keep rising;
# our schedule ends below them.
figure, ax = plt.subplots(figsize=(7.5, 4))
grain = {}
for (title, images), mark in zip(ways.items(), "s^o", strict=True):
    grain[title] = [noise(image) for image in images]
    ax.plot([255 * image.mean() for image in images], grain[title], mark + "-", label=title)
ax.set(xlabel="mean code value", ylabel="noise (code values)", ylim=(0, None))
ax.legend()
plt.show()

# %% [markdown]
# Only our schedule ends below the others. **Which** iteration removes
# the most?

# %% tags=["claim"]
relative = {title: grain[title][8] / ways[title][8].mean() for title in ways}
print("noise per brightness:", {title: round(float(value), 1) for title, value in relative.items()})
assert relative["our schedule"] < relative["without detail"]
assert likeness < 0, "the map is a negative of the noise"

# %%
# Alt: A crop after one constant, without detail, with our schedule, which has the least grain,
# and well lit.
crop = np.s_[20:80, 30:120]
crops = {title: images[8][crop] for title, images in ways.items()}
crops["well lit"] = pair.high[crop]
show(crops)

# %% [markdown]
# ### In large pictures
#
# In training a picture had 600 pixels, a camera has 4000. Where should the network look for noise
# in a large picture? At the picture's own size (`native`, the default), or in the picture shrunk to
# about 1000 pixels (`fitted`, which is faster)? We enlarge a scene to 2400 pixels, let a camera
# darken it, and enhance a part. **Look for** grain, and for lost edges.

# %%
# Alt: A part of a large picture: with grain after fitted, smooth after native, and as sharp.
large = cv2.resize(pairs[names[0]].high, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).clip(0, 1)
noisy = camera.darken(large, 6.0, np.random.default_rng(5))
part = np.s_[900:1020, 800:980]
parts = {"dark": noisy[part]}
for detail in ("fitted", "native"):
    parts[detail] = enhance_lazily(ours, noisy, detail=detail)[part]
show(parts | {"well lit": large[part]})

# %%
for detail in ("fitted", "native"):
    _, variance = camera.local_noise(parts[detail].clip(0, 1), large[part])
    print(f"{detail}: noise of {np.sqrt(np.nanmedian(variance)):.1f} codes")

# %% [markdown]
# Noise of single pixels is gone in the shrunk picture, so a map from there cannot remove it.

# %% [markdown]
# ## 7. 7, 8, 12: when is it done?
#
# With one constant each iteration brightens, until everything is white. Ours has seven iterations
# in its schedule; the soft threshold turns all later exposures into nearly 0. **Look for** the line
# that bends first.

# %%
middle = names[1]
few = dark[::2, ::2]  # enough for a mean
founding_run = enhancer.trace(weights.load_model("founding"), few, 24)
lines = {
    "one constant": [dark] + [E for M, E in curve.iterate(dark, lambda E, step: 0.4, 24)],
    "founding": [few] + [E for M, E in founding_run],
    "ours": dial[middle],
}
for title, images in lines.items():
    codes = 255 * (images[24].mean() - images[8].mean())
    print(f"{title:14s} iterations 9 to 24 add {codes:5.1f} codes")

# %%
# Alt: Mean code value against iterations: one constant rises to white, the founding line rises
# more slowly to the end, and ours bends first.
figure, ax = plt.subplots(figsize=(7.5, 4))
for (title, images), style in zip(lines.items(), ("--", ":", "-"), strict=True):
    ax.plot([255 * E.mean() for E in images], "k" + style, label=title)
ax.set(xlabel="iterations", ylabel="mean code value", ylim=(0, 260))
ax.legend()
plt.show()

# %% [markdown]
# And the quality?

# %%
for name in names:
    high = pairs[name].high[::2, ::2]
    scores = {n: metrics.psnr(np.clip(dial[name][n], 0, 1), high) for n in (4, 7, 8, 12, 24)}
    print(f"{name:8s}", ", ".join(f"{n}: {score:.1f} dB" for n, score in scores.items()))


# %% [markdown]
# An enhancer that has stopped scores the same after 8, 12 and 24. Ours comes close. So use the
# default of 8, and change the brightness as in section 8.

# %% [markdown]
# ## 8. A dial in stops
#
# With more iterations you cannot say how much brighter the picture gets. With
# [stops](glossary.md#stop) (EV) you can. Near black, $n$ iterations with a constant $m$ multiply by
# $(1 + m)^n$. For $s$ stops that must be $2^s$, so $m = 2^{s/n} - 1$. A negative $s$ darkens. The
# dial is applied *after* the enhancer, through the same curve, so nothing is clipped. **Look at**
# the brightest parts at +2 EV.


# %%
# Alt: The enhanced picture at -1, 0, +1 and +2 EV, from darker to brighter.
def my_adjust_exposure(image, stops, iterations=8):
    m = 2 ** (stops / iterations) - 1
    for _ in range(iterations):
        image = brighten(image, m)
    return image


enhanced = enhancer.enhance_picture(ours, dark)
show({f"{s:+d} EV": my_adjust_exposure(enhanced, s) for s in (-1, 0, 1, 2)})


# %% [markdown]
# In the package this is `curve.adjust_exposure`, and the option `--exposure` of
# `python -m lle_utils enhance`. In a running notebook, **find** the exposure that comes closest to
# the reference, for each picture. Is it always 0?


# %%
def show_dial(name, stops):
    """Draw one of the three pictures with the dial at a number of stops, beside its reference."""
    image = my_adjust_exposure(np.clip(dial[name][8], 0, 1), stops)
    high = pairs[name].high[::2, ::2]
    decibels = metrics.psnr(image, high)
    show({f"{stops:+.2f} EV: {decibels:.1f} dB": image, "reference": high})


# Alt: One picture with the dial at 0, and its reference.
choice = ipywidgets.Dropdown(options=names, value=middle)
turned = ipywidgets.FloatSlider(value=0, min=-2, max=2, step=0.25, continuous_update=False)
_ = ipywidgets.interact(show_dial, name=choice, stops=turned)

# %% [markdown]
# ## 9. Make it move
#
# The recursion as a short film: the picture on the left, the next map on the right.

# %%
frames = []
for E, (M, _) in zip([dark] + [E for M, E in steps[:8]], steps[:9], strict=True):
    colored = plt.cm.viridis(M.mean(-1))[..., :3]
    both = np.concatenate([np.clip(E, 0, 1), colored], axis=1)
    frames.append((255 * both).astype(np.uint8))
film = iio.imwrite("<bytes>", frames, extension=".gif", duration=700, loop=3)
alt = "The picture brightens, iteration by iteration, and its maps get weaker"
HTML(f'<img alt="{alt}" src="data:image/gif;base64,{base64.b64encode(film).decode()}">')

# %% [markdown]
# ## Exercises
#
# ### Exercise 5.2. Stop when nothing changes
#
# Write a function that returns the picture **and** the number of iterations it took. It stops after
# the first iteration that changes *no value* by more than `tolerance` (that iteration counts), or
# after `most` iterations.
#
# Does the founding network stop by itself? Try
# `iterate_until(dark, lambda E, step: predict(E), 0.01, 30)`.


# %% tags=["exercise"]
def iterate_until(image, predict_map, tolerance, most):
    steps = 0
    return ..., steps


# %% tags=["check"]
checks.stop_by_itself(iterate_until)

# %% [markdown]
# <details><summary>Hint</summary>
#
# "No value by more than" means the largest change, not the mean. Keep the old picture until you
# have compared.
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
# With one constant $m$ it stops only when everything is white. A network can stop by itself, if its
# map falls to 0. The founding network's map does not.
#
# </details>

# %% [markdown]
# ### Exercise 5.3. Denoise before or after the curve?
#
# Ordinary filters also remove noise. Should they run before the curve, or after it?
#
# **Predict** for a median of 3 x 3 pixels and for a Gaussian blur: does the result depend on the
# order? Write `True` or `False` for each. Then try it.

# %% tags=["exercise"]
median_matters, gaussian_matters = ..., ...

# %% tags=["check"]
checks.denoise_order(median_matters, gaussian_matters)

# %% [markdown]
# <details><summary>Hint</summary>
#
# What does a rising curve do to the order of values? And to a mean?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# median_matters, gaussian_matters = False, True
# ```
#
# A blur removes edges along with the noise. `skimage.restoration.denoise_nl_means` averages only
# similar pixels. On three photographs, darkened by 6.5 stops, it reached 29.8, 31.4 and 28.1 dB
# before the curve, against 28.6, 30.2 and 28.6 after it. In the dark picture the noise is about
# equally strong everywhere (notebook 01), so one strength suits all of it. The third picture is
# better the other way round: measure.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - The founding function is tail recursive. Its network sees 0 to 255 first and [0, 1] afterwards,
#   and its loss compares the map with the picture.
# - Our enhancer asks one network three questions: *how much* light, *where*, and *what is noise*.
# - A map that varies with the noise can remove it, if the picture arrives a little too dark.
# - Further iterations change little. Choose the brightness in stops.
#
# Sources and further reading: [references](references.md).
#
# Next: [06. Measure honestly](06_measure_honestly.ipynb)
