# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02. Bend one curve
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/02_bend_one_curve.ipynb)
#
# You will learn what one equation can do, what it cannot, and how far a single number gets you.

# %% [markdown]
# ![A coffee cup: darkened, and enhanced at -1, 0 and +1 EV, from darker to brighter; below, after
# more and more iterations](figures/dial.jpg)

# %% [markdown]
# **Minutes:** 1 to run all cells on two CPU cores; 45 to read and do the quick exercises. Per
# exercise: 2.1: 10, 2.2: 15, 2.3: 30.
#
# **What you'll need:** NumPy, and the derivative of a parabola. No network yet.
#
# **Contents:** 1 to 5 the curve, iterated · 6 to 9 closed form, odds, depth, chaos · 10 noise · 11
# one constant · 12 the package · 13 color · 14 the best possible map · exercises
#
# Previous: [01. Look at the dark](01_look_at_the_dark.ipynb) · Next: [03. Build the
# network](03_build_the_network.ipynb)

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

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize_scalar

from lle_utils import checks, data

# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 12, "figure.dpi": 90})
DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]
print("Data set:", DATASET)

# %% [markdown]
# ## 1. One iteration
#
# A pixel is a number $x$ between 0 (black) and 1 (white). One iteration is
#
# $$f(x) = x + m\,x\,(1 - x)$$
#
# The parameter $m$ says how much to brighten. The product $x(1-x)$ says *where*: it is 0 at black
# and at white, and largest in the middle.


# %%
def brighten(x, m):
    return x + m * x * (1 - x)


print(brighten(0.5, m=1.0), brighten(0.0, m=1.0), brighten(1.0, m=1.0))

# %% [markdown]
# **Look for** the two ends that never move, and where the curve bends most.

# %%
# Alt: Five curves from (0, 0) to (1, 1), for m from 0 to 1; the larger m, the higher the curve.
x = np.linspace(0, 1, 256)
fig, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
for m in (0, 0.25, 0.5, 0.75, 1):
    ax.plot(x, brighten(x, m), color=plt.cm.viridis(0.9 * m), label=f"m = {m}")
ax.set(xlabel="x, before", ylabel="f(x), after", title="One iteration")
ax.legend(reverse=True)
plt.show()

# %% [markdown]
# Every [curve](glossary.md#curve) rises above the straight line by at most $m/4$, at $x = 1/2$.
#
# ## 2. When m is too large
#
# **Predict, then run:** what goes wrong at $m = 1.5$?

# %%
# Alt: Left, curves for m = -1 and 1 stay in [0, 1]. Right, those for -1.5 and 1.5 leave it.
fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for ax, values in zip(axes, [(-1, 1), (-1.5, 1.5)], strict=True):
    for m, style in zip(values, ("--", "-"), strict=True):
        ax.plot(x, brighten(x, m), style, color="black", label=f"m = {m}")
    ax.axhspan(0, 1, color="tab:blue", alpha=0.12, label="allowed")
    ax.set(xlabel="x, before", ylabel="f(x), after", ylim=(-0.2, 1.2), title=f"|m| = {values[1]}")
    ax.legend(loc="lower right")
plt.show()


# %% [markdown]
# ### Exercise 2.1. Which m are safe?
#
# With $|m| = 1.5$ (right) the curves leave the band and come back: some pixels go beyond white or
# black, and the order is lost.
#
# So which $m$, positive or negative, keep values in [0, 1] and never swap two pixels? Work it out
# **before you read on**. Write a function that answers for one $m$.


# %% tags=["exercise"]
def is_safe(m):
    return ...  # True or False


# %% tags=["check"]
checks.is_safe(is_safe)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Take the derivative of $f$. It is a straight line in $x$. Where on [0, 1] is a straight line
# smallest? An iteration keeps the order if its slope is nowhere negative.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def is_safe(m):
#     at_black, at_white = 1 + m, 1 - m  # the slope is a straight line between these two
#     return min(at_black, at_white) >= 0
# ```
#
# The slope is $f'(x) = 1 + m(1 - 2x)$. It runs from $1 + m$ at black to $1 - m$ at white, so it is
# nowhere negative exactly when $|m| \le 1$. An increasing curve from (0, 0) to (1, 1) cannot leave
# the square.
#
# </details>

# %% tags=["claim"]
broken = brighten(x, 1.5)
assert broken.max() > 1 and np.any(np.diff(broken) < 0)
print("beyond white at m = 1.5: every x above", round(float(x[broken > 1].min()), 2))

# %% [markdown]
# So the network of notebook 03 ends in a **[sigmoid](glossary.md#sigmoid)**: its output is between
# 0 and 1, and no weights can break a picture, or darken it.
#
# ## 3. At most one stop
#
# Photographers count light in **[stops](glossary.md#stop)**, or exposure values (EV): +1 EV is
# twice the light. We also call one doubling of a pixel value a stop. One iteration multiplies $x$
# by $1 + m(1 - x)$. **Look for** the largest gain.

# %%
# Alt: Gain in stops against x for four m: constant for dark x, at most 1, and 0 at white.
tones = np.geomspace(1 / 255, 1, 200)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for m in (0.25, 0.5, 0.75, 1):
    ax.semilogx(tones, np.log2(brighten(tones, m) / tones), color=plt.cm.viridis(0.9 * m))
    ax.annotate(f"m = {m}", (tones[5], np.log2(1 + m)), fontsize=12, va="bottom")
ax.set(xlabel="x, before (log scale)", ylabel="gain of one iteration (stops)", ylim=(0, 1.15))
plt.show()


# %% [markdown]
# Dark pixels gain the most, and none gains more than one stop. Our pictures are 4 to 6 stops too
# dark, so one iteration is not enough.
#
# ## 4. So do it again
#
# Apply it $n$ times: that is the [recursion](glossary.md#recursion).


# %%
def iterate(x, m, n):
    for _ in range(n):
        x = brighten(x, m)
    return x


m = 0.38
print([round(float(iterate(0.03, m, n)), 3) for n in (0, 1, 4, 8, 12)])

# %% [markdown]
# **Look for** how a dark pixel (right) brightens: slowly, then fast, then slowly again.

# %%
# Alt: Left, curves after 1 to 12 iterations. Right, S-shaped paths of dark pixels; exact 0 stays.
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
for n in (1, 2, 4, 8, 12):
    left.plot(x, iterate(x, m, n), color=plt.cm.viridis(n / 13), label=f"n = {n}")
left.set(xlabel="x, before", ylabel="after n iterations", title=f"The curve, m = {m}")
left.legend()
for start in (0.1, 0.03, 0.01, 0.002, 0.0):
    right.plot([iterate(start, m, n) for n in range(25)], ".-", label=f"from {start}")
right.set(xlabel="number of iterations n", ylabel="value", title="Five pixels")
right.legend()
plt.show()

# %% [markdown]
# Values that an iteration does not change are **[fixed points](glossary.md#fixed-point)**: here 0
# and 1. The slope at 0 is $1 + m$, more than 1: 0 repels. The slope at 1 is $1 - m$, less than 1: 1
# attracts. So every other pixel approaches white.
#
# So **with one constant, the number of iterations is an exposure dial**. Here it is on a picture.

# %%
# Alt: One dark picture after 0, 4, 8 and 12 iterations, brighter each time.
test = data.load(DATASET, "test", lazy=True)
pair = test[1]
fig, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
for ax, n in zip(axes, (0, 4, 8, 12), strict=True):
    ax.imshow(iterate(pair.low, m, n))
    ax.set(title=f"n = {n}", xticks=[], yticks=[])
plt.show()


# %% [markdown]
# The dot is the mean of the dark picture. In a running notebook, use both sliders. **Predict** what
# $n = 4$ with $m = 0.76$ gives: the product is the same.


# %%
# Alt: Left, the curve for m = 0.38 and n = 8 with a dot at the picture's mean. Right, the picture.
def bend(m, n):
    """Draw the curve of n iterations with one m, and the picture that it makes."""
    before, after = pair.low.mean(), iterate(pair.low[::2, ::2], m, n)
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
    left.plot(x, iterate(x, m, n), color="black")
    left.plot(before, iterate(before, m, n), "o", color="tab:orange", markersize=10)
    left.set(xlabel="x, before", ylabel="after", title=f"m = {m:g}, n = {n}")
    right.imshow(after)
    right.set(title=f"mean {after.mean():.2f}", xticks=[], yticks=[])
    plt.show()


bend(m=0.38, n=8)
strength = ipywidgets.FloatSlider(value=0.38, max=1, step=0.02, continuous_update=False)
depth = ipywidgets.IntSlider(value=8, max=24, continuous_update=False)
_ = ipywidgets.interact(bend, m=strength, n=depth)

# %% [markdown]
# <details><summary>Quiz: which brightens a dark pixel more, four iterations with m = 0.76 or eight
# with m = 0.38?</summary>
#
# Eight small ones. Near black an iteration multiplies by 1 + m, and (1 + m)(1 + m) = 1 + 2m + m² is
# more than 1 + 2m, as with compound interest.
#
# </details>

# %% [markdown]
# ## 5. Exact black stays black
#
# $f(0) = 0$ for any $m$, and dark pictures have many exact zeros. But a stored 0 only means "less
# than half a [code value](glossary.md#code-value)". So we first raise all values to a
# **[floor](glossary.md#floor)** of half a code value, $0.5/255$.

# %%
FLOOR = 0.5 / 255
zeros = np.mean([np.mean(dark == 0) for _, dark, _ in test[:6]])
print(f"exact zeros in dark pictures: {zeros:.1%} of all values")
codes = np.array([0, 1, 2, 3]) / 255
print("without floor:", np.round(iterate(codes, m, 8) * 255, 1))
print("with floor:   ", np.round(iterate(np.maximum(codes, FLOOR), m, 8) * 255, 1))

# %% [markdown]
# Without the floor the first stays at 0 while its neighbors rise: a black speck in a gray shadow.

# %% [markdown]
# ## 6. A closed form: m = 1
#
# With $m = 1$ one iteration **squares** the distance to white:
# $1 - f(x) = 1 - x - x(1-x) = (1-x)^2$. After $n$ iterations:
#
# $$x_n = 1 - (1 - x_0)^{2^n}$$

# %% [markdown]
# ## 7. Odds
#
# For other $m$ there is no such formula, but the recursion is simple for the
# **[odds](glossary.md#odds)** of a pixel, $x / (1 - x)$: 0 for black, 1 for middle gray, infinite
# for white.
#
# ### Exercise 2.2. Derive the odds form
#
# By what factor does one iteration multiply the odds? Derive it on paper **before you read on**.
# Your function must work for every $x$ in [0, 1], including black and white, for $0 \le m < 1$, and
# for arrays.


# %% tags=["exercise"]
def odds_factor(x, m):
    return ...  # (odds after the iteration) / (odds before it)


# %% tags=["check"]
checks.odds_factor(odds_factor)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Factor out $x$ from $f$, and $1 - x$ from $1 - f$. Then divide $f / (1 - f)$ by $x / (1 - x)$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def odds_factor(x, m):
#     return (1 + m * (1 - x)) / (1 - m * x)
# ```
#
# $f = x\,(1 + m(1 - x))$ and $1 - f = (1 - x)(1 - m x)$. Their ratio is the odds times
#
# $$\frac{1 + m(1 - x)}{1 - m\,x}$$
#
# </details>

# %% [markdown]
# **Look for** how little this factor depends on $x$.


# %%
# Alt: The factor on the odds against x for three m: nearly flat for 0.1, steeper for 0.6.
def odds(x):
    return x / (1 - x)


inside = np.linspace(0.01, 0.99, 99)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for m, color in ((0.1, 0.1), (0.38, 0.45), (0.6, 0.8)):
    factor = odds(brighten(inside, m)) / odds(inside)
    ax.plot(inside, factor, color=plt.cm.viridis(color), label=f"m = {m}")
    ax.axhline(np.exp(m), color=plt.cm.viridis(color), linestyle=":")
ax.set(xlabel="x", ylabel="factor on the odds", title="Dotted: $e^m$")
ax.legend()
plt.show()


# %% [markdown]
# For small $m$ the factor is nearly $e^m$ everywhere. In general it runs from $1 + m$ at black to
# $1/(1-m)$ at white.
#
# ## 8. Depth is a step size
#
# Use more iterations with a smaller $m$, and keep $n\,m$ fixed. The factor approaches $e^{m}$ per
# iteration, so the log odds (the *[logit](glossary.md#logit)*) simply grow by $n\,m$:
#
# $$x_n \to \mathrm{sigmoid}\big(\mathrm{logit}(x_0) + n\,m\big)$$


# %%
def flow(x, total):
    return 1 / (1 + np.exp(-total) * (1 - x) / x)


total = 3.0
depths = np.array([4, 8, 16, 32, 64, 128])
gaps = [np.abs(iterate(inside, total / n, n) - flow(inside, total)).max() for n in depths]

# %%
# Alt: Left, curves for 4, 8 and 64 iterations approach the limit. Right, their distance from it.
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for n, style in ((4, ":"), (8, "--"), (64, "-")):
    m = total / n
    left.plot(inside, iterate(inside, m, n), "k" + style, label=f"n = {n}, m = {m:.3g}")
left.plot(inside, flow(inside, total), color="tab:orange", linewidth=5, alpha=0.5, label="limit")
left.set(xlabel="x, before", ylabel="after all iterations", title=f"n m = {total}")
left.legend()
right.loglog(depths, gaps, "o-")
right.set(xlabel="number of iterations n", ylabel="largest difference", title="Distance from limit")
plt.show()

# %% [markdown]
# The curves approach the orange one (left), and doubling the [depth](glossary.md#depth) about
# halves the remaining difference (right). **Depth is not the secret ingredient: it is a step
# size.**
#
# ## 9. An aside: chaos
#
# With $y = \frac{m}{1+m}\,x$ and $r = 1 + m$ an iteration becomes $y \mapsto r\,y\,(1-y)$: the
# **logistic map**, the best-known example of chaos.

# %%
# Alt: Values after 500 iterations against m: one value up to 2, then two, four, then chaos.
ms = np.linspace(0, 3, 1200)
state = np.full_like(ms, 0.1)
fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
for n in range(700):
    state = brighten(state, ms)
    if n >= 500:
        ax.plot(ms, state, ",", color="black", alpha=0.4)
ax.axvspan(0, 1, color="tab:blue", alpha=0.2)
ax.text(0.5, 0.4, "our range", ha="center")
ax.set(xlabel="m", ylabel="x after many iterations", title="The same equation with larger m")
plt.show()


# %% [markdown]
# In our range, $m \le 1$, everything ends at white. Beyond $m = 2$ the recursion jumps between two
# values, then four, and from about 2.57 on it is chaotic.
#
# ## 10. What happens to noise
#
# By the chain rule, $n$ iterations multiply a small change of $x_0$ by the product of the slopes,
# $\prod_k \big(1 + m(1 - 2x_k)\big)$. This is the **[noise gain](glossary.md#noise-gain)**. We lift
# a dark tone, 0.05, to middle gray, 0.5, in different ways.


# %%
def noise_gain(x, m, n):
    gain = 1.0
    for _ in range(n):
        gain = gain * (1 + m * (1 - 2 * x))
        x = brighten(x, m)
    return gain


def m_that_lifts(start, end, n):
    return minimize_scalar(lambda m: (iterate(start, m, n) - end) ** 2, bounds=(0, 1)).x


# %%
# Alt: Bars of noise gain: 10 for scaling, less for the curve, least for gamma.
gains = {"plain scaling": 0.5 / 0.05}
for n in (5, 8, 12, 100):
    m = m_that_lifts(0.05, 0.5, n)
    gains[f"n = {n}, m = {m:.2f}"] = noise_gain(0.05, m, n)
exponent = np.log(0.5) / np.log(0.05)
gains[f"gamma {exponent:.2f}"] = exponent * 0.5 / 0.05
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
ax.bar_label(ax.barh(list(gains), list(gains.values()), color="tab:gray"), fmt=" %.1f")
ax.invert_yaxis()
ax.set(xlabel="noise is multiplied by", xlim=(0, 11.5), title="From 0.05 to 0.5")
plt.show()

# %% [markdown]
# The curve amplifies noise less than scaling, and gamma less still (but its slope at black is
# infinite). None gets below 1: a curve that treats equal pixels alike **cannot remove noise**. Only
# a map that varies with the noise can ([notebook 05](05_iterate.ipynb)).

# %% tags=["claim"]
curve_gains = [gain for name, gain in gains.items() if name.startswith("n =")]
assert gains["plain scaling"] > max(curve_gains) and min(curve_gains) > 1
noisy = 0.05 + 0.002 * np.random.default_rng(0).standard_normal(20_000)
m = m_that_lifts(0.05, 0.5, 8)
measured = iterate(noisy, m, 8).std() / noisy.std()
print(f"n = 8: the product says {noise_gain(0.05, m, 8):.2f}, random noise says {measured:.2f}")
assert abs(measured / noise_gain(0.05, m, 8) - 1) < 0.05


# %% [markdown]
# ## 11. One constant against everything
#
# How good is *one number*, the same $m$ for every pixel of every picture, a **[constant
# map](glossary.md#constant-map)**? We fit it on the training pictures (every tenth pixel of every
# tenth row) and score it on the test pictures. The metric is [PSNR](glossary.md#psnr) in decibels,
# $-10 \log_{10}$ of the [mean squared error](glossary.md#mean-squared-error). Higher is better; +3
# dB is half the error.


# %%
def constant_map(image, m, n):
    return iterate(np.maximum(image, np.float32(FLOOR)), np.float32(m), n)


def constant_psnr(pairs, m, n):
    errors = [np.mean((constant_map(low, m, n) - high) ** 2) for _, low, high in pairs]
    return float(np.mean(-10 * np.log10(errors)))


step = 12 if DATASET == "lol" else 1
training = data.load(DATASET, "train", lazy=True)[::step]
thinned = [(name, low[::10, ::10], high[::10, ::10]) for name, low, high in training]
pictures = list(test[:8])
print(len(thinned), "training pictures,", len(pictures), "test pictures")

# %% [markdown]
# **Predict, then run:** which depth will do best: 4, 7, 8 or 12?


# %%
# Alt: PSNR against the constant m for four depths: peaks of nearly the same height.
def fit_constant(pairs, n):
    def loss(m):
        return -constant_psnr(pairs, m, n)

    return minimize_scalar(loss, bounds=(0.001, 0.999), method="bounded").x


best = {n: fit_constant(thinned, n) for n in (4, 7, 8, 12)}
grid = np.linspace(0.02, 1, 50)
fig, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
for n, style in zip(best, (":", "-.", "--", "-"), strict=True):
    scores = [constant_psnr(thinned, m, n) for m in grid]
    ax.plot(grid, scores, style, color="black", label=f"n = {n}")
ax.set(xlabel="the constant m", ylabel="mean PSNR, training (dB)")
ax.legend()
plt.show()

# %% [markdown]
# Deeper recursions need a smaller $m$: as section 8 said, nearly only $n\,m$ counts.

# %% tags=["claim"]
untouched = constant_psnr(pictures, 0, 1)  # m = 0 changes nothing
print(f"untouched test pictures: {untouched:.2f} dB")
test_scores = {}
for n, m in best.items():
    test_scores[n] = constant_psnr(pictures, m, n)
    print(f"n = {n:2d}: best m = {m:.3f}, n m = {n * m:.2f}, test {test_scores[n]:.2f} dB")
usual = [test_scores[n] for n in (7, 8, 12)]
spread, gain = max(usual) - min(usual), min(test_scores.values()) - untouched
print(f"7, 8 or 12 iterations: {spread:.2f} dB apart; the constant itself gains {gain:.1f} dB")
assert spread < 0.1 * gain

# %% [markdown]
# Remember the number for $n = 8$: **a network that does not beat it has learned nothing but an
# exposure setting.** Notebook 06 keeps it in every table.
#
# ## 12. The packaged versions
#
# The package has both functions; this `iterate` yields every iteration.

# %%
from lle_utils import curve

steps = list(curve.iterate(pair.low, lambda image, step: 0.38, 8))
print(np.allclose(steps[-1].image, iterate(pair.low, 0.38, 8)))
print(inspect.getsource(curve.brighten))
print(inspect.getsource(curve.iterate))

# %% [markdown]
# From the next notebook on `predict_map` is a network, and $m$ becomes a **[parameter
# map](glossary.md#parameter-map)** $M$ with a number for every pixel.
#
# ## 13. Color
#
# With *one shared* $m$ for three colors, every iteration multiplies their odds by nearly the same
# factor, so the **ratios of the odds** hardly change. With three different $m$ they do.

# %%
brown = np.array([0.060, 0.040, 0.020])
shared_m, three_m = 0.38, np.array([0.36, 0.38, 0.46])
tones = {
    "before": brown,
    "shared": iterate(brown, shared_m, 8),
    "three": iterate(brown, three_m, 8),
}
for label, color in tones.items():
    red, _, blue = odds(color)
    print(f"{label:6s} {np.round(color, 2)}, odds red : blue = {red / blue:.2f}")

# %% [markdown]
# So one shared map cannot correct a **color [cast](glossary.md#cast)**. We remove 40 percent of a
# picture's blue, and fit both kinds of map to it.

# %%
cast = pair.low * np.float32([1, 1, 0.6])


def fit_to(low, high, n=8):
    def loss(m):
        return np.mean((constant_map(low, m, n) - high) ** 2)

    return minimize_scalar(loss, bounds=(0, 1), method="bounded").x


shared = fit_to(cast[::5, ::5], pair.high[::5, ::5])
three = [fit_to(cast[::5, ::5, c], pair.high[::5, ::5, c]) for c in range(3)]
print(f"shared m = {shared:.2f}; red, green, blue m = {np.round(three, 2)}")

# %%
# Alt: The picture with one shared m is too yellow; with three m it looks like the reference.
views = {
    "one shared m": constant_map(cast, shared, 8),
    "three m": constant_map(cast, np.array(three), 8),
    "reference": pair.high,
}
fig, axes = plt.subplots(1, 3, figsize=(13, 3.9), layout="constrained")
for ax, (title, view) in zip(axes, views.items(), strict=True):
    ax.imshow(view)
    ax.set(title=title, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# With three numbers blue comes back. So our network predicts a map with **three channels**. (The
# founding project used one.)

# %% [markdown]
# ## 14. How good could a map get?
#
# Now we cheat: we *know* the bright picture and look for the best possible $m$, with more and more
# freedom. No network can beat these **[ceilings](glossary.md#ceiling)**. A table of all 256 codes
# and 512 values of $m$ has every answer.

# %%
STRENGTHS = np.linspace(0, 1, 512)


def table(floor):
    codes = np.maximum(np.arange(256) / 255, floor)
    return iterate(codes[:, None], STRENGTHS[None, :], 8)


def per_pixel(low, high, floor, shared):
    reachable = table(floor)[np.round(255 * low).astype(int)]
    error = (reachable - high[..., None]) ** 2
    if shared:
        error = error.mean(axis=2, keepdims=True)
    return float(-10 * np.log10(error.min(axis=-1).mean()))


# %%
def one_number(low, high):
    best_map = constant_map(low, fit_to(low, high), 8)
    return float(-10 * np.log10(np.mean((best_map - high) ** 2)))


thin = [(low[::8, ::8], high[::8, ::8]) for _, low, high in pictures]
ceilings = {
    "untouched": untouched,
    "one number, from training": test_scores[8],
    "one number per picture": np.mean([one_number(*p) for p in thin]),
    "one per pixel": np.mean([per_pixel(*p, FLOOR, shared=True) for p in thin]),
    "three per pixel, no floor": np.mean([per_pixel(*p, 0, shared=False) for p in thin]),
    "three per pixel": np.mean([per_pixel(*p, FLOOR, shared=False) for p in thin]),
}

# %% [markdown]
# **Look for** the two largest jumps.

# %%
# Alt: Bars of the best PSNR, rising from untouched through one number to three per pixel.
fig, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
ax.bar_label(ax.barh(list(ceilings), list(ceilings.values()), color="tab:gray"), fmt=" %.1f")
ax.invert_yaxis()
ax.set(xlabel="PSNR on the test pictures (dB)", xlim=(0, 1.15 * max(ceilings.values())))
ax.set_title("The best that a map could do, n = 8")
plt.show()

# %% [markdown]
# The first jump is exposure. The last is the floor: three numbers per pixel can correct nearly
# everything, once black pixels can move.

# %% [markdown]
# ## Exercises
#
# ### Exercise 2.3. Find the constant
#
# Section 8 has the $m$ that takes `x` to `target` in the limit of infinitely many small iterations:
# the difference of their log-odds, divided by $n$. Now find the exact one. `m_for` returns the $m$
# in [0, 1] with which `n` iterations lead from `x` to `target`, or `None` if no such $m$ exists.
# How far is the limit from it?


# %% tags=["exercise"]
def m_for(x, target, n):
    return ...


# %% tags=["check"]
checks.constant_for(m_for)

# %% [markdown]
# <details><summary>Hint</summary>
#
# For finite $n$ there is no formula, but the result grows with $m$, so **bisect**: try the middle
# of [0, 1], and keep the half that contains the target. First check whether $m = 0$ is too much or
# $m = 1$ too little.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def m_for(x, target, n):
#     if not x <= target <= iterate(x, 1.0, n):
#         return None
#     low, high = 0.0, 1.0
#     for _ in range(50):
#         middle = (low + high) / 2
#         if iterate(x, middle, n) < target:
#             low = middle
#         else:
#             high = middle
#     return high
# ```
#
# From 0.05 to 0.5 the log-odds grow by 2.94. Eight iterations of 2.94 / 8 = 0.368 end at 0.43. The
# exact constant is 0.410.
#
# </details>

# %% [markdown]
# ## What you learned
#
# - $f(x) = x + m x(1-x)$ keeps values in [0, 1] and the order of pixels exactly when $|m| \le 1$.
# - One iteration gains at most one stop. Repeating it is an exposure dial.
# - Exact 0 is a fixed point: raise it to half a code value first.
# - One shared $m$ nearly keeps the ratios of odds, so it cannot correct a cast.
# - No curve removes noise.
# - One constant, fitted on training pictures, is the bar. The ceiling is far above it.
#
# Sources and further reading: [references](references.md).
#
# Next: [03. Build the network](03_build_the_network.ipynb)
