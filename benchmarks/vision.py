"""What every installed detector sees in the dark: the table that notebook 08 and a figure show.

    python benchmarks/vision.py [--seed 8]

Measures the methods of `lle_utils.vision` on scenes of the sample's held-out photographs and writes
lle_utils/registry/vision.csv: right answers, false alarms and how many there were to find, by
detector, method and stops. Run it again when the packaged weights have changed; `make vision`
installs the detectors of the extra. About two minutes on two cores.
"""

import argparse
import csv
import itertools
import logging
from pathlib import Path

from tqdm.auto import tqdm

from lle_utils import data, vision
from lle_utils.figures import fingerprint
from lle_utils.weights import load_model

TABLE = Path(__file__).resolve().parents[1] / "lle_utils" / "registry" / "vision.csv"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="Measure what detectors see in the dark.")
    parser.add_argument("--seed", type=int, default=8, help="of scenes and noise (default: 8)")
    seed = parser.parse_args().seed
    logging.disable(logging.WARNING)  # RapidOCR says which files it loads
    model = load_model()
    scenes = vision.make_scenes([pair.high for pair in data.load("sample", "test")], seed)
    methods = vision.methods(model)
    counts = vision.measure(scenes, methods, seeds=(seed,), progress=tqdm)
    keys = itertools.product(vision.detectors(), [*methods, vision.WELL_LIT], vision.STOPS)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["detector", "method", "stops", *vision.Count._fields, "weights"])
        for key in keys:
            writer.writerow([*key, *vision.add(counts[key]), fingerprint(model)])
    print(TABLE)


if __name__ == "__main__":
    main()
