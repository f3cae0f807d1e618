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
# At the end you will have scored the network against six simple methods, with intervals, and you
# will know five ways to make the same pictures score whatever one likes.
#
# **Minutes:** 2 on two CPU cores
#
# **What you'll learn**
#
# - what [PSNR](glossary.md#psnr), [SSIM](glossary.md#ssim) and [CIEDE2000](glossary.md#ciede2000)
#   measure, each built by hand in a few lines
# - how the same pictures can score 48 dB more, and why some published gaps mean nothing
# - how sure a mean over a few pictures is: [bootstrap intervals](glossary.md#bootstrap-interval)
#   and [paired differences](glossary.md#paired-difference)
# - whether the [map](glossary.md#parameter-map) matters, what [scene
#   leak](glossary.md#scene-leak) does to a score, and how to look at failures
#
# **What you'll need:** notebooks 02 and 05. No network and no GPU.
#
# Before: [05. Iterate](05_iterate.ipynb) · Next: [07. Reproduce the
# figures](07_reproduce_the_figures.ipynb)

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
import inspect
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lle_utils import baselines, checks, curve, data, metrics, model, scaling
from lle_utils.images import to_uint8

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 80, "figure.constrained_layout.use": True})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## The protocol
#
# A score means something only with the rules under which it was taken, its
# [protocol](glossary.md#protocol). Ours, for every number in this workbook:
#
# 1. The enhanced picture is clipped to [0, 1] and **rounded to 8 bits**, as a file would be.
# 2. It is compared with the [reference](glossary.md#reference) in **RGB, at its own size**.
#    Nobody resizes the reference.
# 3. Each figure is computed **per picture**, then averaged over pictures.
# 4. Nothing is fitted to the reference: no matching of brightness afterwards.
# 5. Methods and settings are chosen on the [validation](glossary.md#validation)
#    [split](glossary.md#split). The test split is scored once.
#
# The test pictures, and the network with its trained weights:

# %%
test = list(data.load(DATASET, "test", lazy=True)[:6])
enhancer = model.load_model("anydepth")
print(len(test), "test pictures:", ", ".join(pair.name for pair in test))
print("depth", enhancer.iterations, "schedule", enhancer.schedule)


# %%
def enhance_with_maps(low):
    """Return the enhanced picture, on 8-bit levels, and the list of its parameter maps."""
    fitting = enhancer.scaled_to(max(low.shape[:2]))
    steps = list(fitting.steps(low[None]))
    enhanced = np.clip(np.asarray(steps[-1].image)[0], 0, 1)
    maps = [np.asarray(step.parameter_map)[0] for step in steps]
    return to_uint8(enhanced) / np.float32(255), maps


network_runs = [enhance_with_maps(pair.low) for pair in test]
network = [enhanced for enhanced, _ in network_runs]


# %%
def show(pictures, titles, height=2.6, **options):
    """Draw pictures side by side."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures]
    size = (height * sum(widths) + 0.3, height + 0.6)
    figure, axes = plt.subplots(1, len(pictures), figsize=size, width_ratios=widths, squeeze=False)
    for axis, picture, title in zip(axes[0], pictures, titles, strict=True):
        axis.imshow(np.clip(picture, 0, 1), **options)
        axis.set_title(title)
        axis.axis("off")
    plt.show()


chosen = next(i for i, pair in enumerate(test) if pair.low.shape[0] < pair.low.shape[1])
first, enhanced = test[chosen], network[chosen]  # the first one in landscape format
show([first.low, enhanced, first.high], ["input", "network", "reference"])

# %% [markdown]
# Left what goes in, in the middle what comes out, right what it is compared with. How close are the
# last two?
#
# ## PSNR: how large is the error?
#
# Subtract, square, average: the [mean squared error](glossary.md#mean-squared-error). Its
# logarithm, times minus ten, is the **peak signal-to-noise ratio** in decibels. Ten decibels more
# is a tenth of the squared error. The "peak" is the largest possible value; ours is 1.
# %%
error = np.mean((enhanced.astype(np.float64) - first.high) ** 2)
by_hand = -10 * np.log10(error)
print(f"mean squared error {error:.5f}, PSNR {by_hand:.2f} dB")

# %% tags=["claim"]
np.testing.assert_allclose(by_hand, metrics.psnr(enhanced, first.high), rtol=1e-6)

# %% [markdown]
# ### A number too good to be true
#
# An example on keras.io trains a network for dark pictures and prints 67 dB. Nobody could see an
# error that small. The next cell does what that example does, on our own picture: it hands values
# in [0, 1] to a function that is told `max_val=255`.


# %%
def example_psnr(image, reference, max_val=255.0):
    """The logarithm of the squared peak over the mean squared error."""
    return 10 * np.log10(max_val**2 / np.mean((image - reference) ** 2))


print(f"the example's way {example_psnr(enhanced, first.high):.2f} dB, ours {by_hand:.2f} dB")

# %% [markdown]
# ### Exercise 6.1. Find why a PSNR reads 67 dB
#
# No pixel has changed. What went wrong? Write a function that repairs such a number afterwards,
# from what was *printed* alone. It gets the printed decibels, the `max_val` that the call was told,
# and the `peak` that the data really has. It must work the other way round, too: for pictures in
# codes, 0 to 255, and `max_val=1`.


# %% tags=["exercise"]
def true_psnr(printed, max_val, peak):
    return ...


# %% tags=["check"]
checks.true_psnr(true_psnr)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Write the formula down twice, once with `max_val` and once with `peak`, and subtract. The mean
# squared error drops out. A logarithm of a square is twice the logarithm.
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
# So 67 dB were 19, about what one constant in place of a network scores. A good first question to
# ask of any PSNR above 40: which peak was it told?
#
# </details>

# %% [markdown]
# ## SSIM: is the structure there?
#
# **Predict, then run.** We spoil a reference in two ways: everything 10 % brighter, or noise with a
# spread of 10 %. The mean squared error is about the same. Which one will *look* worse?

# %%
rng = np.random.default_rng(0)
calm = 0.2 + 0.6 * first.high  # away from black and white, so that nothing is clipped
brighter = calm + 0.1
noisy = np.clip(calm + 0.1 * rng.standard_normal(calm.shape), 0, 1)
titles = [f"{metrics.psnr(spoiled, calm):.1f} dB" for spoiled in (brighter, noisy)]
show([calm, brighter, noisy], ["reference", *titles])

# %% [markdown]
# PSNR calls them equal. The eye does not. **Structural similarity** compares small windows: do the
# means agree, do the spreads agree, do the two go up and down together?
#
# $$\mathrm{SSIM} = \frac{2\mu_x\mu_y + c_1}{\mu_x^2 + \mu_y^2 + c_1} \cdot
# \frac{2\sigma_{xy} + c_2}{\sigma_x^2 + \sigma_y^2 + c_2}$$
#
# A window is a Gaussian of spread 1.5 pixels, so each mean $\mu$ is one Gaussian filter.


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
    print(f"{name:9s} PSNR {metrics.psnr(spoiled, calm):5.2f} dB   SSIM {ssim(spoiled, calm):.3f}")

# %% tags=["claim"]
np.testing.assert_allclose(ssim(noisy, calm), metrics.ssim(noisy, calm), rtol=1e-6)
assert abs(metrics.psnr(brighter, calm) - metrics.psnr(noisy, calm)) < 0.3
assert ssim(brighter, calm) > ssim(noisy, calm) + 0.1

# %%
print(inspect.getsource(metrics.ssim))

# %% [markdown]
# ## CIEDE2000: is the color right?
#
# The third figure asks how different two colors *look*. It goes through a space built on
# experiments with observers (CIELAB). About 1 to 2 can just be seen side by side. Its formula is
# long; examples teach more. Each column below is a color and the same color changed by **20 [code
# values](glossary.md#code-value)**.


# %%
def patch(color):
    """Return a small picture of one color, given in code values."""
    return np.full((40, 60, 3), color, np.uint8) / np.float32(255)


changes = {
    "gray\n+20 all": ((100, 100, 100), (120, 120, 120)),
    "gray\n+20 red": ((100, 100, 100), (120, 100, 100)),
    "gray\n+20 green": ((100, 100, 100), (100, 120, 100)),
    "blue\n+20 all": ((20, 20, 200), (40, 40, 220)),
    "yellow\n-20 blue": ((220, 220, 40), (220, 220, 20)),
    "black\n+20 all": ((0, 0, 0), (20, 20, 20)),
}
columns = [np.vstack([patch(before), patch(after)]) for before, after in changes.values()]
distances = [metrics.ciede2000(patch(after), patch(before)) for before, after in changes.values()]
titles = [f"{name}\n{value:.1f}" for name, value in zip(changes, distances, strict=True)]
show(columns, titles, height=1.7)

# %% [markdown]
# Above the color, below the changed one, in the title the difference. The same 20 codes count
# several times as much as a tint of gray as they do in a strong yellow. PSNR weighs them by code
# values alone.

# %% tags=["claim"]
assert metrics.ciede2000(first.high, first.high) == 0
assert max(distances) > 3 * min(distances)

# %% [markdown]
# ## Our PSNR and five others, of the same pictures
#
# Now the network's pictures are fixed. Only the *ruler* changes. Each of these rulers has been used
# in print. **Predict, then run:** how far apart will the lowest and the highest lie?

# %%
clean = [pair.high for pair in test]
squared = [np.mean((e - h.astype(np.float64)) ** 2) for e, h in zip(network, clean, strict=True)]


def decibels(error):
    """Turn a mean squared error into a PSNR."""
    return -10 * np.log10(error)


rulers = {"per picture, RGB (our protocol)": np.mean(decibels(np.array(squared)))}
rulers["pooled: one error over all pictures"] = decibels(np.mean(squared))


# %%
def on_one_channel(weights):
    """Average the PSNR of weighted sums of the channels."""
    pairs = zip(network, clean, strict=True)
    return np.mean([decibels(np.mean(((e - h) @ np.array(weights)) ** 2)) for e, h in pairs])


rulers["on luma (0.299, 0.587, 0.114)"] = on_one_channel([0.299, 0.587, 0.114])
rulers["on gray (mean of RGB)"] = on_one_channel([1 / 3, 1 / 3, 1 / 3])


# %%
def gt_mean(image, reference):
    """Scale a picture to the reference's mean brightness. This looks at the answer!"""
    return np.clip(image * (reference.mean() / image.mean()), 0, 1)


matched = [metrics.psnr(gt_mean(e, h), h) for e, h in zip(network, clean, strict=True)]
rulers["after GT-mean (uses the reference)"] = np.mean(matched)
rulers["max_val=255 on data in [0, 1] (a bug)"] = np.mean(10 * np.log10(255**2 / np.array(squared)))
for name, value in rulers.items():
    print(f"{value:6.2f} dB  {name}")

# %% [markdown]
# Same pictures, same references.
#
# - **Pooled** lets the worst picture weigh most. It is never above the mean of the PSNRs.
# - **Luma** and **gray** do not see errors that cancel between channels, so a
#   [cast](glossary.md#cast) costs less. Gray is never below RGB.
# - **[GT-mean](glossary.md#gt-mean)** ("ground-truth mean") multiplies by a number that is
#   computed *from the reference*.
# - **max_val=255** on data in [0, 1] adds 20 log10 255 = 48.13 dB: the number of exercise 6.1.
#
# A table that mixes rulers compares nothing.

# %% tags=["claim"]
protocol, pooled, luma, gray, after_gt_mean, bug = rulers.values()
assert pooled <= protocol and gray >= protocol
assert abs(bug - protocol - 20 * np.log10(255)) < 1e-6
own = np.mean([metrics.psnr(e, h) for e, h in zip(network, clean, strict=True)])
assert abs(protocol - own) < 1e-3

# %% [markdown]
# ### Exercise 6.2. PSNR by the protocol
#
# Write our ruler yourself, all of it. The function gets two lists: outputs of a method, as floats
# that may lie outside [0, 1], and their references, on 8-bit levels in [0, 1]. Pictures may differ
# in size from one to the next. It returns one number. Do not use `metrics` here; read the
# protocol's points 1 to 3 again.


# %% tags=["exercise"]
def my_mean_psnr(outputs, references):
    return ...


# %% tags=["check"]
checks.mean_psnr(my_mean_psnr)

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each pair: clip, round to whole codes with `np.rint`, and go back to [0, 1]. Then the error,
# its square, the mean, the logarithm. The mean over pictures comes last. If you stay in codes, use
# floats before you subtract, and 255 as the peak.
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
# On the network's pictures, which are on 8-bit levels already, it must give what the table of
# rulers says in its first line: `my_mean_psnr(network, clean)`.
#
# </details>

# %% [markdown]
# ### GT-mean enhances without enhancing
#
# **Predict, then run.** Take the **untouched dark input**. Score it. Then apply GT-mean and score
# it again. No method is involved at all. What will the second score be?

# %%
untouched = np.mean([metrics.psnr(pair.low, pair.high) for pair in test])
lifted = np.mean([metrics.psnr(gt_mean(pair.low, pair.high), pair.high) for pair in test])
print(f"untouched input {untouched:.2f} dB, after GT-mean {lifted:.2f} dB")
show([first.low, gt_mean(first.low, first.high), first.high], ["input", "GT-mean", "reference"])

# %% [markdown]
# The middle picture is the input, multiplied by one number that was taken from the right one.
# Most of PSNR is [exposure](glossary.md#exposure), and GT-mean gives the exposure away. It can
# answer one honest question: how good is a method *apart from* exposure? Then it needs a column
# of its own, and a heading that says so.
# %% tags=["claim"]
assert lifted > untouched + 5

# %% [markdown]
# <details><summary>Quiz: 25.2 dB after GT-mean, or 22.5 dB without: which is better?</summary>
#
# Nobody can tell. The first number was given the mean brightness of each reference, the second was
# not. The two may even be of the same pictures. Score both methods by both rulers, in two columns,
# and compare within a column only.
#
# </details>

# %% [markdown]
# ## What must be beaten
#
# A network earns its keep only if it beats simple methods, its [baselines](glossary.md#baseline).
# Here are six, one by one.
#
# - **untouched**: the input as it is
# - **[gamma](glossary.md#gamma)**: every value to the power 0.4
# - **equalize**: spread the brightness evenly over all codes (histogram equalization)
# - **CLAHE**: the same tile by tile, with limited contrast
# - **LIME-like**: divide by a smooth estimate of the illumination
# - **[constant map](glossary.md#constant-map)**: our own [recursion](glossary.md#recursion), with
#   *one number* in place of the network
#
# The constant is fitted on the training split, as the network was. Fitted on the test pictures it
# would be flattered; exercise 6.4 measures by how much.

# %%
training = data.load(DATASET, "train", lazy=True)
training = training[:: max(1, len(training) // 24)][:24]
constant = baselines.fit_constant(training)
print(f"the constant: m = {constant:.3f} in all of 8 iterations, from {len(training)} pictures")

# %%
founding = model.load_model("founding")
methods = {
    "untouched": lambda low: low,
    "gamma 0.4": baselines.gamma,
    "equalize": baselines.equalize,
    "CLAHE": baselines.clahe,
    "LIME-like": baselines.lime_like,
    "constant map": lambda low: baselines.constant_map(low, constant),
    "founding": lambda low: model.enhance_picture(founding, low),
}
results = {name: [method(pair.low) for pair in test] for name, method in methods.items()}
results["network"] = network

# %% [markdown]
# "founding" is the network as this project first trained it: its *map* was compared with the bright
# picture (notebook 04 tells that story). Look at one picture by all methods:

# %%
names = [*results, "reference"]
for row in (names[:3], names[3:6], names[6:]):
    pictures = [first.high if name == "reference" else results[name][chosen] for name in row]
    show(pictures, row, height=2.5)

# %% [markdown]
# Gamma and the constant brighten by rule. Equalization always fills the range, wanted or not, and
# washes the colors out. CLAHE is built for contrast, not for exposure, so it stays dark. LIME-like
# lifts the shadows most, and their noise with them.
#
# ## The table
#
# Every method, every picture, all three figures. "worst" is the picture with the lowest PSNR: a
# mean hides it, and your users will find it.

# %%
with ThreadPoolExecutor(2) as pool:  # two cores, two pictures at a time
    scores = {
        name: list(pool.map(lambda pair, e: metrics.score(pair.name, e, pair.high), test, pictures))
        for name, pictures in results.items()
    }
ordered = sorted(scores, key=lambda name: -metrics.mean_score(scores[name]).psnr)
print(
    f"{DATASET}, {len(test)} test pictures:    PSNR      95 % interval     SSIM   CIEDE2000   worst"
)
for name in ordered:
    mean, psnrs = metrics.mean_score(scores[name]), [one.psnr for one in scores[name]]
    low, high = metrics.bootstrap_interval(psnrs)
    print(f"{name:28s} {mean.psnr:7.2f}   ({low:5.2f} to {high:5.2f})   {mean.ssim:6.3f}"
          f"   {mean.ciede2000:6.1f}   {min(psnrs):8.2f}")  # fmt: skip

# %%
place = 1 + ordered.index("network")
print(f"By PSNR the network is number {place} of {len(ordered)} here; number 1 is {ordered[0]}.")
if DATASET == "sample":
    print("It was trained on LOL: other cameras, other rooms. The sample is new to it.")
else:
    print("It was trained on LOL, and most of these scenes occur in its training pictures.")

# %% [markdown]
# Do not skip that sentence. On the sample the network meets pictures of a kind that it never saw,
# and if a simple rule beats it there, that is a result. On LOL it plays at home.

# %% tags=["claim"]
mean_psnr = {name: metrics.mean_score(scores[name]).psnr for name in scores}
mean_ssim = {name: metrics.mean_score(scores[name]).ssim for name in scores}
assert mean_psnr["network"] > mean_psnr["untouched"]
assert mean_ssim["network"] > mean_ssim["untouched"]
assert mean_psnr["constant map"] > mean_psnr["untouched"]

# %% [markdown]
# ## How sure is a mean of six?
#
# With other test pictures the mean would differ. By how much? The **bootstrap** plays this through
# with the pictures that we have: draw as many as there are, *with replacement*, take the mean, and
# repeat ten thousand times. Where 95 % of the means fall is the interval.

# %%
psnrs = np.array([one.psnr for one in scores["network"]])
rng = np.random.default_rng(0)
means = rng.choice(psnrs, size=(10_000, psnrs.size)).mean(axis=1)
interval = np.quantile(means, [0.025, 0.975])
print(f"mean {psnrs.mean():.2f} dB, 95 % interval {interval[0]:.2f} to {interval[1]:.2f} dB")

# %% tags=["claim"]
np.testing.assert_allclose(interval, metrics.bootstrap_interval(psnrs), rtol=1e-9)
assert interval[0] <= psnrs.mean() <= interval[1]

# %% [markdown]
# <details><summary>Quiz: how long is the interval with four times as many pictures?</summary>
#
# About half as long: a mean of n values scatters by their spread divided by the square root of n.
# To see a tenth of a decibel where six pictures see one, you would need six hundred.
#
# </details>

# %% [markdown]
# Look at the length of the bars before you look at the order of the dots.

# %%
plt.figure(figsize=(9, 4.6))
for height, name in enumerate(reversed(ordered)):
    values = np.array([one.psnr for one in scores[name]])
    plt.plot(metrics.bootstrap_interval(values), [height, height], "-", color="0.6", linewidth=6)
    plt.plot(values, np.full(values.size, height), "o", color="C0", markersize=5)
    plt.plot(values.mean(), height, "k|", markersize=18, markeredgewidth=3)
plt.yticks(range(len(ordered)), ordered[::-1])
plt.xlabel("PSNR (dB)")
plt.title("dot: a picture; black mark: mean; gray bar: 95 % interval of the mean")
plt.show()

# %% [markdown]
# Many bars overlap. Some pictures are easy and some hard, for every method, and that spreads the
# dots. But we do not ask how hard the pictures are. We ask which method is better **on the same
# picture**. So subtract first, picture by picture, and put the interval around the *difference*.

# %%
against = {
    name: np.array([one.psnr for one in scores[name]]) for name in ordered if name != "network"
}
for name, values in against.items():
    difference = psnrs - values
    low, high = metrics.bootstrap_interval(difference)
    verdict = "better" if low > 0 else "worse" if high < 0 else "not decided"
    ahead = f"ahead on {np.sum(difference > 0)} of {len(test)}"
    print(f"network - {name:13s} {difference.mean():+6.2f} dB ({low:+6.2f} to {high:+6.2f})",
          f"{ahead}: {verdict}")  # fmt: skip

# %% [markdown]
# "Not decided", where you meet it, is a result too: the pictures cannot tell the two apart. With
# six pictures even an interval is a rough guess. LOL's test has fifteen, which is not many either;
# gaps of a few tenths of a decibel between published methods mostly lie inside such bars.

# %% tags=["claim"]
low, high = metrics.bootstrap_interval(psnrs - against["untouched"])
assert low > 0

# %% [markdown]
# ### Exercise 6.3. An interval of your own
#
# Write the paired comparison. The function gets the PSNRs of two methods on the same pictures, in
# the same order, and returns `low, high`: where 95 % of the means of *ours minus theirs* fall, in
# ten thousand drawings with replacement.


# %% tags=["exercise"]
def my_interval(ours, theirs):
    return ...


# %% tags=["check"]
checks.paired_interval(my_interval)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Subtract first, then draw: a picture must be drawn for both methods at once. `rng.choice(values,
# size=(10_000, values.size))` draws ten thousand rows; each row has one mean.
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
# Try it: `my_interval(psnrs, against["constant map"])`. And draw the two methods apart from each
# other, to see how long the interval becomes when one forgets that the pictures are the same.
#
# </details>

# %% [markdown]
# ## Does the map matter?
#
# A network that ends near the constant scores like the constant. So a good score alone does not
# prove that it *looks* at the picture. Take its maps away, a little at a time:
#
# 1. each map as it was predicted;
# 2. each map replaced by its **mean over the picture**: one number a step and channel;
# 3. each map replaced by its **mean over the data set**: the same numbers for every picture. (The
#    mean over these very test pictures, which favors the numbers.)


# %%
def with_maps(low, maps):
    """Run the recursion with given maps; return the picture on 8-bit levels."""
    start = np.maximum(low, curve.FLOOR)
    result = curve.recurse(start, lambda image, step: maps[step], len(maps))
    return to_uint8(result) / np.float32(255)


per_picture = [[one.mean(axis=(0, 1)) for one in maps] for _, maps in network_runs]
per_data_set = np.mean(per_picture, axis=0)
runs = [(pair.low, maps) for pair, (_, maps) in zip(test, network_runs, strict=True)]
thinned = {
    "maps as predicted": [with_maps(low, maps) for low, maps in runs],
    "mean over the picture": [
        with_maps(low, means) for (low, _), means in zip(runs, per_picture, strict=True)
    ],
    "mean over the data set": [with_maps(low, per_data_set) for low, _ in runs],
}

# %%
kept = {name: np.array([metrics.psnr(e, p.high) for e, p in zip(pictures, test, strict=True)])
        for name, pictures in thinned.items()}  # fmt: skip
for name, values in kept.items():
    lost = kept["maps as predicted"] - values
    low, high = metrics.bootstrap_interval(lost)
    interval = f"({low:+5.2f} to {high:+5.2f})"
    print(f"{name:24s} {values.mean():6.2f} dB   lost {lost.mean():+5.2f} {interval}")
spread = np.std([np.mean(numbers) for numbers in per_picture])
print(f"the pictures' mean maps differ: standard deviation {spread:.3f}")

# %%
last = [maps[6].mean(axis=-1) for _, maps in network_runs]
titles = [f"{p.name}: mean {m.mean():.2f}" for p, m in zip(test[:3], last[:3], strict=True)]
show(last[:3], titles, vmin=0, vmax=1, cmap="viridis")

# %% [markdown]
# The maps of the seventh step, the last that sees every pixel, dark blue (0) to yellow (1), all on
# one scale. The fine grain in them is there for a purpose: a pixel that noise made too dark is
# lifted more than its neighbors. The step from line 3 to line 2 is what the network knows about
# *each picture's exposure*. The step from line 2 to line 1 is what it knows about *places*, most of
# it grain. If an interval of what is lost contains 0, these pictures do not show that the map
# helps. If it lies below 0, the map did harm here.

# %% tags=["claim"]
for again, enhanced in zip(thinned["maps as predicted"], network, strict=True):
    assert np.abs(again - enhanced).max() < 1.5 / 255
assert spread > 0
assert np.ptp(last[0]) > 0

# %% [markdown]
# ## Scene leak: a score for memory
#
# Notebook 01 found that 14 of LOL's 15 test scenes also occur in its training pictures. How much
# can that be worth? Let us build a "method" that brightens **nothing**. It remembers the training
# pairs. Given a dark picture, it looks for the most similar dark picture and hands out *that one's*
# reference.


# %%
def thumbnail(picture, rows=8, columns=12):
    """Return the ranks of a small gray version: alike for all exposures of a scene."""
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    gray = picture[: rows * height, : columns * width].mean(axis=-1)
    small = gray.reshape(rows, height, columns, width).mean(axis=(1, 3)).ravel()
    return small.argsort().argsort() / small.size


def look_up(low, memory):
    """Return the reference of the remembered pair whose dark picture is most alike."""
    fitting = [pair for pair in memory if pair.low.shape == low.shape]
    mine = thumbnail(low)
    return min(fitting, key=lambda pair: np.sum((thumbnail(pair.low) - mine) ** 2)).high


# %% [markdown]
# We need several exposures of each scene. LOL has them. For the sample, `exposures=2` lets the
# camera of notebook 01 take every scene twice.

# %%
if DATASET == "lol":
    pool = list(data.load("lol", "train", lazy=True)[:24])
    groups = enumerate(data.lol_scenes()["groups"])
    number = {file: scene for scene, group in groups for file in group}
    scenes = [number[f"our485/{pair.name}.png"] for pair in pool]
else:
    pool = [p for p in data.load("sample", "train", exposures=2) if p.low.shape == (400, 600, 3)]
    scenes = [pair.name.split("#")[0] for pair in pool]
print(len(pool), "pairs of", len(set(scenes)), "scenes")

# %% [markdown]
# Now we hold out a quarter of the pairs, in two ways: by **picture**, drawn at random, or by
# **scene**, so that all exposures of a scene go to one side.
#
# **Predict, then run.** The method knows nothing about light. What will it score?


# %%
def look_up_score(held_out):
    """Score the look-up on held-out pairs, with all others as its memory."""
    memory = [pair for pair, out in zip(pool, held_out, strict=True) if not out]
    asked = [pair for pair, out in zip(pool, held_out, strict=True) if out]
    return np.mean([min(metrics.psnr(look_up(p.low, memory), p.high), 60) for p in asked])


kinds = sorted(set(scenes))
rng = np.random.default_rng(0)
some_scenes = rng.choice(len(kinds), max(2, len(kinds) // 4), replace=False)
by_scene = np.isin(scenes, [kinds[index] for index in some_scenes])
by_picture = np.isin(np.arange(len(pool)), rng.choice(len(pool), by_scene.sum(), replace=False))
memory_score = {"picture": look_up_score(by_picture), "scene": look_up_score(by_scene)}
for way, value in memory_score.items():
    print(f"held out by {way:8s} {value:6.2f} dB")

# %% [markdown]
# Cut by picture, the look-up shines: it has seen the scenes. (An exact copy would be infinite; we
# count it as 60 dB.) Cut by scene, it fails, as it should. A network is not a look-up, but it can
# learn to be one, and a leaking test rewards it. So this workbook cuts by scene.
#
# How bad would a random cut of LOL be? The committed list of scenes answers without a picture:

# %%
groups = [[f for f in group if f.startswith("our485/")] for group in data.lol_scenes()["groups"]]
scene_of = np.array([number for number, group in enumerate(groups) for _ in group])
rng = np.random.default_rng(0)
shares = []
for _ in range(200):
    chosen = rng.permutation(scene_of.size) < 50
    shares.append(np.isin(scene_of[chosen], scene_of[~chosen]).mean())
share = 100 * np.mean(shares)
print(f"50 of {scene_of.size} pictures drawn at random: {share:.0f} % have a twin in training")

# %% tags=["claim"]
assert memory_score["picture"] > memory_score["scene"] + 3
assert np.mean(shares) > 0.5
splits = data.lol_split_names()
for group in groups:
    members = {file[7:-4] for file in group}
    assert sum(bool(members & splits[part]) for part in ("train", "validation", "unseen")) <= 1

# %% [markdown]
# ## Where does the error come from?
#
# A number does not say *what* is wrong. But the mean squared error splits exactly into three parts:
#
# - **exposure**: the whole picture is too bright or too dark (the mean error, squared);
# - **cast**: one channel is off against the others (how the channels' mean errors spread);
# - **detail**: everything that differs from place to place: noise, blur, wrong contrast, clipped
#   lights.


# %%
def split_error(enhanced, reference):
    """Return the shares of the squared error: exposure, cast, detail. Their sum is the error."""
    error = enhanced.astype(np.float64) - reference
    channels = error.mean(axis=(0, 1))
    return np.array([error.mean() ** 2, channels.var(), (error - channels).var(axis=(0, 1)).mean()])


print("                PSNR   exposure    cast   detail   mean error   at white: output, reference")
for score, e, pair in zip(scores["network"], network, test, strict=True):
    parts = split_error(e, pair.high)
    shares = "  ".join(f"{100 * share:5.0f} %" for share in parts / parts.sum())
    white = [100 * np.mean(picture > 0.99) for picture in (e, pair.high)]
    codes = 255 * (e - pair.high).mean()
    print(f"{pair.name:12s} {score.psnr:7.2f}    {shares}   {codes:+6.1f} codes"
          f"       {white[0]:4.1f} %  {white[1]:4.1f} %")  # fmt: skip

# %% tags=["claim"]
for e, h, error in zip(network, clean, squared, strict=True):
    np.testing.assert_allclose(split_error(e, h).sum(), error, rtol=1e-4)

# %% [markdown]
# "detail" cannot be removed by any change of brightness or white balance; exercise 6.5 takes it
# apart. Where "exposure" leads,
# the network has misjudged how bright the scene was meant to be. It cannot know: the same dark
# picture could come from a dim room or from a bright one.
#
# ## The worst picture, in full view
#
# Everybody shows the best picture. Here is the worst one by PSNR, with the size of its error.

# %%
worst = int(np.argmin(psnrs))
pair, output = test[worst], network[worst]
show([pair.low, output, pair.high], ["input", f"network, {psnrs[worst]:.1f} dB", "reference"])
plt.figure(figsize=(6.5, 4))
plt.imshow(255 * np.abs(output - pair.high).mean(axis=-1), cmap="cividis", vmin=0, vmax=128)
plt.colorbar(label="mean error of the channels (codes)")
plt.title(f"{pair.name}: where the error is")
plt.axis("off")
plt.show()

# %% [markdown]
# Compare the error picture with the table above: an even glow is exposure; patches are wrong
# contrast; fine grain is noise. To see the grain, take the smoothest part of the pictures and
# enlarge it.

# %%
gray = pair.high.mean(axis=-1)
rough = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(gray, 2), 100)
rough[ndimage.uniform_filter(gray, 100) < 0.1] = np.inf
top, side = np.unravel_index(rough[50:-50, 50:-50].argmin(), (len(gray) - 100, len(gray[0]) - 100))
crop = np.s_[top : top + 100, side : side + 100]
parts = {"input x 5": 5 * pair.low[crop], "constant map": results["constant map"][worst][crop],
         "network": output[crop], "reference": pair.high[crop]}  # fmt: skip
show(list(parts.values()), list(parts), height=2.4)

# %%
grain = {}
for name in ("constant map", "network", "reference"):
    rest = parts[name] - ndimage.gaussian_filter(parts[name], (2, 2, 0))
    grain[name] = 255 * rest.std()
    print(f"{name:13s} grain in this part: {grain[name]:5.2f} codes")

# %% [markdown]
# A curve brightens the noise with the signal (notebook 02 counts by how much), and one number for
# all pixels cannot do otherwise. A map that varies *with* the noise can: lift the pixels that came
# out too dark, and leave their neighbors. It can only lift, so the picture must come to it a little
# too dark. That is what the fine iterations of `anydepth` learned.

# %% tags=["claim"]
assert grain["network"] < grain["constant map"]

# %% [markdown]
# ## All six, from best to worst
#
# A gallery that one may not choose from. Above, each picture as the network leaves it; below, its
# reference. **Look for** casts, for blotches where the noise was, and for lights without detail.

# %%
order = np.argsort(-psnrs)
for part in (order[:3], order[-3:]):
    titles = [f"{test[i].name}, {psnrs[i]:.1f} dB" for i in part]
    show([network[i] for i in part], titles)
    show([test[i].high for i in part], ["reference"] * 3)

# %% [markdown]
# What goes wrong has three reasons, and none is a secret. *Exposure*: nobody can know how bright
# the scene was meant to be. *Cast*: a dark picture's colors are a few code values, so a wrong white
# balance is hard to tell from a colored wall. *Noise*: where it is stronger than the detail, the
# detail is gone, and smooth blotches are left.
#
# ### One tint a picture
#
# LOL's rooms have few strong colors. Earlier weights of ours learned that too well: they painted a
# red saucer brown and laid patches of pink and green on walls. `anydepth` cannot:
#
# - Its coarse maps come from a small **companion**: the picture, shrunk 32 times at the start and
#   brightened beside it. Their three channels differ by the same numbers everywhere, as white
#   balance does. So a cast can be mended as a whole, but nothing can be painted.
# - Its fine maps may differ between channels in their grain only, where noise differs.
#
# Both are a few lines without parameters. **Look at** what is left of the second rule in a map.

# %%
for rule in (model.one_tint, model.no_tint):
    source = inspect.getsource(rule)
    print(source.split('"""')[0].rstrip() + source.split('"""')[2].rstrip(), "\n")

# %%
tints = {}
for number, name in ((4, "coarse, step 4"), (6, "fine, step 6")):
    one = network_runs[worst][1][number - 1]
    tints[name] = (one - one.mean(axis=-1, keepdims=True))[..., 0]
show(list(tints.values()), list(tints), vmin=-0.3, vmax=0.3, cmap="cividis")

# %% [markdown]
# How much more red gets than the mean of the channels, blue for less and yellow for more. Left it
# is one number for all pixels, but for traces where a map ends at 0 or 1. Right it is grain: no
# shape of the scene that is wider than a few pixels may be tinted.

# %% tags=["claim"]
coarse, fine = tints.values()
assert np.ptp(coarse) < 0.03 < np.ptp(fine)
wide = ndimage.uniform_filter(fine, 64)
assert np.abs(wide).max() < 0.2 * np.abs(fine).max()

# %% [markdown]
# ### Nearly one number a picture
#
# "Does the map matter?" took the places out of all maps, and the grain came back. But the *coarse*
# maps never see grain, and what they say about places is mostly error: too much light here, too
# little there. Their *mean* takes the judgments of all places together, as a vote does. So
# `anydepth` draws its coarse maps to their mean, by 0.85 of the way (`evenness`), and asks four
# mirror images of the companion, too (`mirrored`). For the same reason it trusts only a part of
# the *tint* of a map, which it learned in a few rooms: it draws the channels together
# (`grayness`). **Look at** the map of the first step, before and after.

# %%
anydepth = model.load_model("anydepth")
companion = np.maximum(scaling.shrink(test[worst].low[None], anydepth.companion), curve.FLOOR)
votes = {
    "as predicted": model.predict_whole(anydepth.network, companion),
    "mirrored": model.predict_whole(anydepth.network, companion, mirrored=True),
    "and drawn to its mean": model.predict_whole(
        anydepth.network, companion, mirrored=True, evenness=anydepth.evenness
    ),
}
votes = {name: np.asarray(maps)[0].mean(axis=-1) for name, maps in votes.items()}
titles = [f"{name}: spread {vote.std():.3f}" for name, vote in votes.items()]
show(list(votes.values()), titles, vmin=0, vmax=1, cmap="viridis")

# %% [markdown]
# **Predict, then run:** which of these costs most: no mirrors, no evenness, the whole tint, or no
# places at all?

# %%
for settings in ({}, {"mirrored": False}, {"evenness": 0}, {"grayness": 0}, {"evenness": 1}):
    other = anydepth.with_settings(**settings)
    found = [metrics.psnr(model.enhance_picture(other, pair.low), pair.high) for pair in test]
    print(f"{settings or 'as it is'!s:20s} {np.mean(found):6.2f} dB")

# %% [markdown]
# Evenness is what matters. We chose it on LOL's validation pictures, shrunk: by weights that were
# trained without, 0.5 and 0.75 scored alike, and the mirrors brought 0.4 dB; later, 0.85 scored 0.1
# dB more than 0.7. Drawing channels together by a quarter brought 0.35 dB there. The six pictures
# above need not agree, for they are few.
#
# And no places at all? The sample's pictures are evenly lit, so one number can even score best. A
# picture with a dark half and a bright one needs places: we keep a seventh of them.
#
# One line more belongs to it. A mean is hardly ever 0, so bright places would be lifted forever.
# Coarse maps well below 0.09 therefore become 0 (`settle`). The next section shows what for.

# %% tags=["claim"]
assert votes["and drawn to its mean"].std() < 0.5 * votes["as predicted"].std()

# %% [markdown]
# ## How many iterations?
#
# `curve8` was trained for eight iterations; `anydepth` for a number that was drawn anew for every
# picture. **Predict, then run:** what do 4, 7, 8, 12 and 24 [iterations](glossary.md#iteration)
# score with each?
# %%
from lle_utils.evaluation import pictures_by_depth

depths = (4, 7, 8, 12, 24)


def score_by_depth(weights, pair):
    """Return the PSNR and the mean code value after each number of iterations."""
    pictures = pictures_by_depth(weights, pair.low, depths)
    psnrs = [metrics.psnr(pictures[n], pair.high) for n in depths]
    return psnrs, [255 * pictures[n].mean() for n in depths]


# %%
by_depth, codes = {}, {}
weighed = {"curve8": model.load_model("curve8"), "anydepth": anydepth,
           "unsettled": anydepth.with_settings(settle=0)}  # fmt: skip
for name, weights in weighed.items():
    scores = [score_by_depth(weights, pair) for pair in test]
    by_depth[name], codes[name] = np.mean(scores, axis=0)
    print(name)
    for n, decibels, code in zip(depths, by_depth[name], codes[name], strict=True):
        print(f"   {n:2d} iterations: {decibels:5.2f} dB, mean code {code:5.1f}")

# %%
for name, style in (("curve8", "s--"), ("anydepth", "o-"), ("unsettled", "x:")):
    plt.plot(depths, by_depth[name], style, label=name)
plt.xticks(depths)
plt.xlabel("iterations")
plt.ylabel("mean PSNR (dB)")
plt.legend()
plt.show()

# %% [markdown]
# For `curve8` the number of iterations is an exposure dial: each further one brightens. `anydepth`
# has learned to hold back: once the picture is bright its maps fall towards 0, and further
# iterations change little. Unsettled it holds back less: what is left of its maps adds up, and the
# mean code goes on rising. (That helps where a picture is still too dark, and harms where not.) So
# one can iterate until nothing changes any more (`enhance_picture(..., iterations="auto")`).

# %% tags=["claim"]
lost = {name: values[2] - values[-1] for name, values in by_depth.items()}  # from 8 to 24
assert lost["anydepth"] < lost["curve8"] - 1
rise = {name: values[-1] - values[2] for name, values in codes.items()}
assert rise["anydepth"] < rise["unsettled"] < rise["curve8"]

# %% [markdown]
# ## Which choices matter?
#
# A [recipe](glossary.md#recipe) is a list of choices. An **ablation** changes one at a time and
# trains again, with the same budget. The committed table was made by `make ablation` on LOL:
# whole pictures shrunk 32 times, 588 steps, scored on validation scenes, with two seeds a row.
# **Look at** the distance to the base, and at what the two seeds of a row say about chance.
# %%
from lle_utils.ablation import read_results

results = [row for row in read_results() if row["section"] == "exposure"]
rows = list(dict.fromkeys(row["row"] for row in results))
plt.figure(figsize=(9, 0.36 * len(rows) + 1))
for height, name in enumerate(reversed(rows)):
    values = [row["psnr_8"] for row in results if row["row"] == name]
    plt.plot(values, [height] * len(values), "o", color="C0")
    deeper = [row["psnr_24"] for row in results if row["row"] == name]
    plt.plot(deeper, [height] * len(deeper), "x", color="C1")
base = np.mean([row["psnr_8"] for row in results if row["row"] == "base"])
plt.axvline(base, color="0.6")
plt.yticks(range(len(rows)), rows[::-1])
plt.xlabel("PSNR on validation (dB); dot: 8 iterations, cross: 24; line: base after 8")
plt.show()

# %%
for row in results:
    name = f"{row['row']}, seed {row['seed']}"
    print(f"{name:52s} 7: {row['psnr_7']:5.2f}  8: {row['psnr_8']:5.2f}  12: {row['psnr_12']:5.2f}"
          f"  24: {row['psnr_24']:5.2f} dB")  # fmt: skip
print("by:", results[-1]["command"], "at", results[-1]["commit"])

# %% [markdown]
# The [founding objective](glossary.md#founding-objective) is far behind all others: what the loss
# asks for matters more than any detail of the network. Next comes [depth](glossary.md#depth):
# trained for a *fixed* number of iterations the pictures wash out beyond it (the crosses),
# trained for a random number they do not. The floor, three channels and the conditioned input bring
# 0.3 to 0.5 dB each, more than the two seeds of a row differ by. Second exposures made by the
# camera model cost as much here: LOL's own darkness says something that they do not. Maps drawn to
# their mean gain 0.25 dB, and take no time. The rest lies about as close to the base as chance
# would put it. That is a result, too.

# %% tags=["claim"]
eight = {name: np.mean([r["psnr_8"] for r in results if r["row"] == name]) for name in rows}
later = {name: np.mean([r["psnr_24"] for r in results if r["row"] == name]) for name in rows}
assert eight["founding objective: map against reference"] < base - 3
assert later["base"] > later["depth 8"] > later["depth 4"]
for choice in ("no floor", "map of 1 channel", "input not conditioned",
               "camera-made second exposures"):  # fmt: skip
    assert eight[choice] < base - 0.25
assert eight["maps drawn to their mean by 0.7"] > base + 0.2

# %% [markdown]
# ### What do fine iterations bring?
#
# A second table, of full-size pictures, again with two seeds a row. The first row judges exposure
# from afar. The others start from its weights and train four epochs more, with three fine
# iterations on crops of 96 pixels. The loss of the crops is the mean squared error (MSE), or the
# same with a share of 1 - SSIM. **Predict, then run:** which figure gains, PSNR or SSIM?

# %%
fine = [row for row in read_results() if row["section"] == "fine"]
for row in fine:
    name = f"{row['row']}, seed {row['seed']}"
    print(f"{name:40s} {row['psnr_8']:5.2f} dB, SSIM {row['ssim']:.3f}")

# %% [markdown]
# Neither gains: four epochs of noise are too few, and meanwhile the network forgets some of what it
# knew of exposure. The share of SSIM costs no PSNR and helps structure a little. Patience does the
# rest. The committed weights trained on crops for a hundred times as many epochs: see their SSIM on
# validation below, beside 0.53 of the constant.

# %% tags=["claim"]
reached = {(row["row"], row["seed"]): row["ssim"] for row in fine}
for seed in (0, 1):
    assert reached["fine iterations, MSE + SSIM", seed] > reached["fine iterations, MSE", seed]
patient = model.load_card("anydepth")["scores"]["validation"]["weights"]["ssim"]
assert patient > max(reached.values()) + 0.1

# %% [markdown]
# ## What is committed about LOL
#
# Weights without a record are a rumor. Each file of weights in this workbook has a
# **[card](glossary.md#card)**: data, split, recipe and scores, with the commands that made them.
# %%
card = model.load_card("anydepth")
for key, value in card.items():
    if key != "scores":
        print(f"{key}: {value if len(str(value)) < 300 else str(value)[:300] + ' ...'}")

# %% [markdown]
# And its scores, on every split, beside the constant's: PSNR and SSIM, the gain with its interval,
# and the PSNR after 7, 8, 12 and 24 iterations.

# %%
for split, found in card["scores"].items():
    if split in ("constant", "images of eval15"):
        continue
    ours, constants = found["weights"], found["constant"]
    gain = found["gain over the constant, dB"]
    low, high = gain["interval of 95 %"]
    later = found.get("psnr after iterations", {})
    after = " ".join(f"{later[n]:6.2f}" for n in ("7", "8", "12", "24") if n in later)
    print(f"{split:23s} {ours['psnr']:6.2f} / {ours['ssim']:.3f}"
          f"   constant {constants['psnr']:6.2f}"
          f"   gain {gain['mean']:+5.2f} ({low:+5.2f} to {high:+5.2f})   {after}")  # fmt: skip

# %% [markdown]
# "test" is eval15, whose scenes training has seen at other exposures; "unseen" are scenes that it
# has not. A method that remembers scores far better on the first than on the second.

# %% [markdown]
# ## Exercises
#
# The other exercises of this notebook stand where their matter was taught.
#
# ### One constant, with hindsight
#
# Whoever fits a constant on the test pictures scores better than one should. By how much? Here is a
# table of PSNRs: a row for each test picture (thinned out, to be quick), a column for each
# constant.

# %%
constants = np.arange(0.10, 0.75, 0.05)
thin = [(pair.low[::5, ::5], pair.high[::5, ::5]) for pair in test]
table = np.array(
    [[metrics.psnr(baselines.constant_map(low, m), high) for m in constants] for low, high in thin]
)
print(f"one constant, fitted on these pictures: {table.mean(axis=0).max():.2f} dB")
print(f"to each picture its own, the ceiling:   {table.max(axis=1).mean():.2f} dB")

# %% tags=["claim"]
assert table.max(axis=1).mean() >= table.mean(axis=0).max()

# %% [markdown]
# ### Exercise 6.4. Leave one out
#
# Where there is no training split one can still be honest: fit the constant on all pictures *but
# one*, score that one, and take turns. Write it for any such table, `table[i, k]` being the PSNR of
# picture i with constant k. The best constant is the one with the highest mean PSNR over the other
# pictures. Return the mean PSNR of the pictures, each scored while it was left out.
#
# **Predict first:** will it be below the first number above, between the two, or above both?


# %% tags=["exercise"]
def leave_one_out(table):
    return ...


# %% tags=["check"]
checks.leave_one_out(leave_one_out)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.delete(table, i, axis=0)` is the table without row i. `argmax` says which column is best.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def leave_one_out(table):
#     scores = []
#     for i in range(len(table)):
#         means = np.delete(table, i, axis=0).mean(axis=0)
#         scores.append(table[i, means.argmax()])
#     return np.mean(scores)
# ```
#
# It is never above the first number. Say that k is best for all pictures, and j for all but picture
# i. On the others j does at least as well as k. Over all pictures it does not do better. So on
# picture i it cannot do better, either.
#
# </details>

# %% [markdown]
# ### Exercise 6.5. Name the fault
#
# This one takes an evening. "Where does the error come from?" split an error into exposure, cast
# and detail. Go on: is the detail *noise*, or is it *blur*? Write a function that looks at a
# picture and its reference and names the fault that makes most of the squared error: `"exposure"`,
# `"cast"`, `"noise"` or `"blur"`.
#
# The check spoils photographs, each by one strong fault and a trace of the three others. Nine in
# ten must be named rightly. There are many ways; `split_error` is a start. Then ask it about the
# network: `[main_fault(e, h) for e, h in zip(network, clean)]`. Do you agree with it when you look
# at the gallery?


# %% tags=["exercise"]
def main_fault(enhanced, reference):
    return ...


# %% tags=["check"]
checks.main_fault(main_fault)

# %% [markdown]
# <details><summary>Hint</summary>
#
# What does an error look like that comes from blur? Blur the reference yourself, and subtract the
# reference. Noise knows nothing of the reference, so it is not like that picture at all.
# `np.corrcoef` measures likeness. Or compare how much grain the two pictures have: noise adds to
# it, blur takes it away.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def main_fault(enhanced, reference):
#     exposure, cast, detail = split_error(enhanced, reference)
#     error = enhanced - reference
#     detailed = error - error.mean(axis=(0, 1))
#     blurred = ndimage.gaussian_filter(reference, (2, 2, 0)) - reference
#     likeness = np.corrcoef(detailed.ravel(), blurred.ravel())[0, 1]
#     blur = detail * max(likeness, 0) ** 2  # the share that blur explains
#     shares = {"exposure": exposure, "cast": cast, "noise": detail - blur, "blur": blur}
#     return max(shares, key=shares.get)
# ```
#
# The square of a correlation is the share of the spread that one picture explains of another. What
# is left over is called noise here, whatever it is. In a true picture that is often wrong contrast:
# a fifth word, if you want to go on. Fit `error = a + b * reference` and see what it explains.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - A score needs its protocol: per picture, RGB, 8 bits, nothing fitted to the reference.
# - PSNR weighs errors, SSIM structure, CIEDE2000 color. PSNR is mostly exposure.
# - Pooling, luma, GT-mean or a wrong peak shift a score by decibels and change no picture. GT-mean
#   lifts even the untouched input.
# - Compare with simple methods, on the same pictures, by paired differences with an interval.
# - Take the map away to see whether it matters. Cut by scene. Show the worst picture.
#
# ## Further reading
#
# - Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error
#   visibility to structural similarity", IEEE Transactions on Image Processing 13, 2004.
#   [doi:10.1109/TIP.2003.819861](https://doi.org/10.1109/TIP.2003.819861)
# - G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula", Color Research and
#   Application 30, 2005. [doi:10.1002/col.20070](https://doi.org/10.1002/col.20070)
# - B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.
#   [doi:10.1214/aos/1176344552](https://doi.org/10.1214/aos/1176344552)
# - X. Guo, Y. Li, H. Ling, "LIME: low-light image enhancement via illumination map estimation",
#   IEEE Transactions on Image Processing 26, 2017.
#   [doi:10.1109/TIP.2016.2639450](https://doi.org/10.1109/TIP.2016.2639450)
#
# Next: [07. Reproduce the figures](07_reproduce_the_figures.ipynb)
