"""How long a picture takes, as a ratio to the founding project's loop.

    python benchmarks/enhancing.py

Prints a table: the founding loop (`predict` once an iteration, eight times), the enhancer, and its
exposure iterations only, on a picture of the sample at 600 x 400, and the largest resident memory.
"""

import resource
from functools import partial

import numpy as np
from timing import seconds_of

from lle_utils import data, metrics
from lle_utils.enhancer import EXPOSURE, Enhancer, enhance_picture
from lle_utils.founding import enhance
from lle_utils.weights import load_model


def main() -> None:
    """Print the table."""
    pair = data.load("sample", "test", lazy=True)["coffee"]
    founding, enhancer = load_model("founding"), load_model()
    exposure = Enhancer(enhancer.network, (EXPOSURE,))

    def predict(img):
        return founding.network.predict(np.asarray(img, np.float32)[None], verbose=0)[0]

    methods = {
        "founding loop of predict": lambda: enhance(255 * pair.low, 8, predict=predict),
        "enhancer": partial(enhance_picture, enhancer, pair.low),
        "exposure only": partial(enhance_picture, exposure, pair.low),
    }
    print(f"{'600 x 400, 8 iterations':26s}  seconds   ratio   PSNR dB")
    loop = None
    for name, method in methods.items():
        seconds = seconds_of(method)
        loop = loop or seconds
        decibels = metrics.psnr(np.clip(method(), 0, 1), pair.high)
        print(f"{name:26s}  {seconds:7.3f}  {loop / seconds:6.1f}  {decibels:8.2f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest resident memory: {memory:.0f} MiB")


if __name__ == "__main__":
    main()
