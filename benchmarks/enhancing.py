"""How long a picture takes, and how much memory.

    python benchmarks/enhancing.py [SIZE ...]

Prints two tables. The first has the founding loop (`predict` once an iteration, eight times), the
enhancer by Keras and by onnxruntime, and its preview without details. Each runs in its own process,
so that its largest resident memory is known. The ratio is to the founding loop, "share" to a large
matrix product in 32 bits; PSNR is the mean of the sample's held-out scenes. The second has whole
processes: the command for one picture of 600 x 400, beside the import of TensorFlow.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial

import numpy as np
from timing import MACS, matrix_product, seconds_of, time_once

SIZES = ("600x400", "4000x3000", "6000x4000")
PRODUCT = "matrix product"
LOOP, KERAS, ONNX, PREVIEW = "founding loop", "enhancer", "onnxruntime", "preview"


def load(method: str) -> Callable:
    """Return what enhances a picture, float32 in [0, 1]."""
    if method in (ONNX, PREVIEW):
        from lle_utils import inference, onnx

        detail = "none" if method == PREVIEW else "native"
        return partial(inference.enhance_picture, onnx.load_onnx("enhancer"), detail=detail)
    from lle_utils import enhancer, founding, weights

    if method == LOOP:
        network = weights.load_model("founding").network

        def predict(img):
            return network.predict(np.asarray(img, np.float32)[None], verbose=0)[0]

        return lambda picture: founding.enhance(255 * picture, 8, predict=predict)
    return partial(enhancer.enhance_picture, weights.load_model())


def network_pixels(method: str, pixels: int) -> float:
    """Return how many pixels of a picture the network sees."""
    from lle_utils.inference import REACH, SIDE

    if method == LOOP:
        return 8 * pixels
    thumbnails = 8 * 4 * (SIDE + 2 * REACH) ** 2
    return thumbnails + (method != PREVIEW) * pixels * (1 / 4 + 1 + 1)


def measure(method: str, width: int, height: int) -> dict:
    """Measure a method on a picture of a size, in this process."""
    from lle_utils import data, metrics

    enhance, pairs = load(method), data.load("sample", "test", lazy=True)
    scores = [metrics.psnr(np.clip(enhance(pair.low), 0, 1), pair.high) for pair in pairs]
    low = pairs["coffee"].low
    tiles = (-(-height // low.shape[0]), -(-width // low.shape[1]), 1)
    picture = np.tile(low, tiles)[:height, :width]
    large = picture.size > 10**6
    seconds = (time_once if large else seconds_of)(lambda: enhance(picture))
    return {
        "seconds": seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "speed": 2 * MACS * network_pixels(method, width * height) / seconds / 1e9,
        "psnr": np.mean(scores),
    }


def in_process(method: str, size: str) -> dict:
    """Measure a method in a process of its own."""
    call = [sys.executable, __file__, size, "--method", method]
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_methods(sizes: list[str]) -> None:
    """Print the table of methods."""
    # Not here: a process counts the memory of the one that started it as its own.
    best = in_process(PRODUCT, SIZES[0])["speed"]
    print(f"matrix product: {best:.0f} GFLOP/s")
    print("picture        method          seconds   ratio      MiB  GFLOP/s   share   PSNR dB")
    for size in sizes:
        loop = None
        for method in (LOOP, KERAS, ONNX, PREVIEW):
            row = in_process(method, size)
            loop = loop or row["seconds"]
            print(
                f"{size:13s}  {method:14s} {row['seconds']:8.3f}"
                f" {loop / row['seconds']:7.1f} {row['memory']:8.0f} {row['speed']:8.0f}"
                f" {100 * row['speed'] / best:5.0f} % {row['psnr']:9.2f}",
                flush=True,
            )


def print_processes() -> None:
    """Print the table of whole processes."""
    from lle_utils import paths

    picture = str(paths.sample_dir() / "heldout" / "low" / "coffee.png")
    with tempfile.TemporaryDirectory() as folder:
        enhance = ["-m", "lle_utils", "enhance", picture, "--overwrite", "-o", f"{folder}/out.png"]
        calls = {
            "import tensorflow": ["-c", "import tensorflow"],
            "enhance, onnxruntime": enhance,
            "enhance, Keras": [*enhance, "--backend", "keras"],
        }
        found = {}
        for name, call in calls.items():
            run = partial(subprocess.run, [sys.executable, *call], check=True, capture_output=True)
            found[name] = seconds_of(run)
    print("\nprocess                seconds   of the import")
    for name, seconds in found.items():
        print(f"{name:22s} {seconds:7.2f} {seconds / found['import tensorflow']:15.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How long a picture takes, and how much memory.")
    parser.add_argument("sizes", nargs="*", default=SIZES, help=" ".join(SIZES))
    parser.add_argument("--method", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.method == PRODUCT:
        print(json.dumps({"speed": matrix_product()}))
    elif args.method:
        width, height = map(int, args.sizes[0].split("x"))
        print(json.dumps(measure(args.method, width, height)))
    else:
        print_methods(args.sizes)
        print_processes()


if __name__ == "__main__":
    main()
