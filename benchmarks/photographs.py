"""What enhancing does to real photographs that have no reference: harm, counted.

    python benchmarks/photographs.py [FOLDER]      default: data/cameras/dark

Prints a table for the enhancer, one constant, gamma and CLAHE:

reversed   share of pixels (%) whose blurred gradient points against the input's: the median and the
           worst picture, and how many pictures have more than 0.5 and more than 2 %
frame      by how many codes the outer 16 pixels differ from the same pixels inside of a picture
           that was continued by mirror images, more than the rest of it does: mean and worst
gray       channel spread in codes (99th percentile) of pictures that were turned gray (worst)
bright     mean change in codes of pictures whose mean is 105 or more (worst)

and for each method, on pictures of the sample: how noise of 5 codes grows at 600 and at 2400
pixels, and what share of the stops that a backlit shade lacks it gets back (median).
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from tqdm.auto import tqdm

from lle_utils import camera, data, paths
from lle_utils.enhancer import enhance_picture
from lle_utils.evaluation import BASELINES
from lle_utils.images import read_image, shrink
from lle_utils.metrics import LONG_SIDE, harm
from lle_utils.photos import READABLE
from lle_utils.weights import load_model

RIM, BEYOND = 16, 64


def frame(method: Callable, image) -> float:
    """Return how much more the rim of a picture depends on where the picture ends than the rest."""
    beyond = [(min(BEYOND, side),) * 2 for side in image.shape[:2]]
    larger = method(np.pad(image, (*beyond, (0, 0)), "symmetric"))
    (top, _), (left, _) = beyond
    inside = larger[top : top + image.shape[0], left : left + image.shape[1]]
    difference = 255 * np.abs(method(image) - inside).mean(axis=-1)
    rim = np.ones(difference.shape, bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    return float(difference[rim].mean() - difference[~rim].mean())


def gray_spread(method: Callable, image) -> float:
    """Return the channel spread in codes of a picture that was turned gray (99th percentile)."""
    gray = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    return float(np.quantile(255 * np.ptp(method(gray), axis=-1), 0.99))


def noise_growth(method: Callable, reference, long_side: int) -> float:
    """Return by how much noise of 5 codes grows in a darkened picture of a size."""
    share = long_side / max(reference.shape[:2])
    dark = cv2.resize(reference, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC)
    dark = np.clip(0.2 * dark + 0.06, 0, 1)
    noise = np.random.default_rng(0).normal(0, 5 / 255, dark.shape).astype(np.float32)
    difference = method(np.clip(dark + noise, 0, 1)) - method(dark)
    return float(255 * difference.std() / 5)


def shade_recovered(method: Callable, reference, seed: int) -> float:
    """Return what share of the stops that a backlit shade lacks a method gets back."""
    rng = np.random.default_rng(seed)
    gray = ndimage.gaussian_filter(reference.mean(axis=-1), 2)
    shade = 3.0 * (gray < np.quantile(gray, 0.6))[..., None]
    low = camera.darken(reference, 0.0, rng, shade=shade)

    def stops(image):
        light = camera.srgb_to_linear(image[shade[..., 0] > 0]).mean()
        return np.log2(max(light, 1e-6))

    return float((stops(method(low)) - stops(low)) / (stops(reference) - stops(low)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What enhancing does to real photographs.")
    default = paths.data_dir() / "cameras" / "dark"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--weights", default="enhancer")
    args = parser.parse_args()
    files = [p for p in sorted(args.folder.rglob("*")) if p.suffix.lower() in READABLE]
    pictures = [shrink(read_image(path), LONG_SIDE) for path in files]
    references = [pair.high for pair in data.load("sample", "test")]
    methods = {
        "enhancer": partial(enhance_picture, load_model(args.weights)),
        **{name: BASELINES[name] for name in ("constant 0.386", "gamma 0.4", "CLAHE")},
    }
    print(f"{len(files)} pictures of {args.folder.name}")
    print(
        f"{'':15s} reversed: median  worst  >0.5%  >2%   frame: mean, worst   gray  bright"
        "   noise at 600, 2400   shade"
    )
    for name, method in methods.items():
        bar = tqdm(pictures, name, leave=False)
        shares = [harm(method(picture), picture)["reversed"] for picture in bar]
        frames = [frame(method, picture) for picture in pictures[::4]]
        grays = [gray_spread(method, picture) for picture in pictures[::4]]
        bright = [p for p in (*pictures, *references) if 255 * p.mean() >= 105]
        changes = [255 * np.abs(method(p) - p).mean() for p in bright]
        growth = [noise_growth(method, references[0], side) for side in (600, 2400)]
        shade = [shade_recovered(method, one, seed) for seed, one in enumerate(references)]
        counts = [sum(share > limit for share in shares) for limit in (0.5, 2)]
        print(
            f"{name:15s} {np.nanmedian(shares):15.2f} {np.nanmax(shares):6.2f}"
            f" {counts[0]:6d} {counts[1]:4d} {np.mean(frames):13.2f} {max(frames):7.2f}"
            f" {max(grays):6.1f} {max(changes):7.1f} {growth[0]:14.2f} {growth[1]:6.2f}"
            f" {np.median(shade):7.2f}"
        )
        if name == "enhancer":
            worst = sorted(zip(shares, files, strict=True), reverse=True)[:5]
            print("   most reversed: " + ", ".join(f"{path.name} {s:.2f}" for s, path in worst))


if __name__ == "__main__":
    main()
