"""What every installed detector sees in the dark: the table that notebook 08 and a figure show.

    python benchmarks/vision.py                  writes the table, about ten minutes on two cores
    python benchmarks/vision.py --lol            prints another, for the dark pictures of LOL
    python benchmarks/vision.py --faces FOLDER   prints another, for faces in photographs of yours

The first measures the methods of `lle_utils.vision` on scenes of the sample's held-out photographs
and writes lle_utils/registry/vision.csv. Run it again when the packaged weights have changed; `make
vision` installs the detectors of the extra.

The second takes LOL's validation scenes. What a detector sees in the reference is the truth: a
homography that moves nothing, and words. The third darkens photographs of people; the truth is the
faces that both detectors find before that. The pictures of both may not be passed on, so only
numbers are printed; notebooks/method.md has them.
"""

import argparse
import csv
import itertools
import logging
from collections import defaultdict
from pathlib import Path

from tqdm.auto import tqdm

from lle_utils import data, vision
from lle_utils.figures import fingerprint
from lle_utils.images import read_image, shrink
from lle_utils.metrics import bootstrap_interval
from lle_utils.photos import READABLE
from lle_utils.weights import load_model

TABLE = Path(__file__).resolve().parents[1] / "lle_utils" / "registry" / "vision.csv"
SIMPLE = ("gain", "gamma 0.4", "CLAHE", "equalized", "one constant")
SEEDS = (8, 9, 10, 11)
"""Each makes a scene, and noise, of each photograph."""

LOL_TASKS = ("SIFT homographies", "words")
FACE_STOPS = (7, 8)


def main() -> None:
    """Measure, and write the table or print one of the others."""
    parser = argparse.ArgumentParser(description="Measure what detectors see in the dark.")
    parser.add_argument("--lol", action="store_true", help="look at LOL's validation scenes")
    parser.add_argument("--faces", type=Path, help="look for faces in the photographs of a folder")
    parser.add_argument("--every", type=int, default=1, help="of LOL and faces: take every Nth")
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # RapidOCR says which files it loads
    model = load_model()
    if args.lol:
        measure_lol(model, args.every)
    elif args.faces:
        measure_faces(model, args.faces, args.every)
    else:
        measure_scenes(model)


def measure_scenes(model) -> None:
    """Write the table, and print how the enhancer compares where it is darkest."""
    photos = [pair.high for pair in data.load("sample", "test")]
    methods, counts = vision.methods(model), defaultdict(list)
    for seed in SEEDS:
        scenes = vision.make_scenes(photos, seed)
        found = vision.measure(scenes, methods, seeds=(seed,), progress=tqdm)
        for key, some in found.items():
            counts[key] += some
    keys = itertools.product(vision.detectors(), [*methods, vision.WELL_LIT], vision.STOPS)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["detector", "method", "stops", *vision.Count._fields, "weights"])
        for key in keys:
            writer.writerow([*key, *vision.add(counts[key]), fingerprint(model)])
    print(TABLE)
    for task in vision.detectors():
        compare_darkest(task, counts)


def compare_darkest(task: str, counts: dict, ours: str = "ours, for vision") -> None:
    """Compare ours with the best simple method, at the darkest two exposures where that works."""

    def share(method: str, stops: float) -> float:
        total = vision.add(counts[task, method, stops])
        return total.right / total.total

    best = {stops: max(SIMPLE, key=lambda name: share(name, stops)) for stops in vision.STOPS}
    for stops in [stops for stops in vision.STOPS if share(best[stops], stops) >= 0.5][-2:]:
        pairs = zip(counts[task, ours, stops], counts[task, best[stops], stops], strict=True)
        gains = [100 * (one.right - other.right) / one.total for one, other in pairs]
        low, high = bootstrap_interval(gains)
        print(
            f"{task:18s} {stops} stops: {100 * share(ours, stops):5.1f} %,"
            f" {best[stops]:12s} {100 * share(best[stops], stops):5.1f} %,"
            f" difference {sum(gains) / len(gains):5.1f} ({low:.1f} to {high:.1f})"
        )


def measure_lol(model, every: int) -> None:
    """Print what is seen in LOL's dark pictures of what is seen in their references."""
    pairs = data.load("lol", "validation", lazy=True)[::every]
    methods, installed = vision.methods(model), vision.detectors()
    look_for = {name: installed[name] for name in LOL_TASKS if name in installed}
    counts = defaultdict(list)
    for pair in tqdm(pairs):
        scene = vision.pair_scene(pair)
        for key, count in vision.look(pair.low, scene, methods, look_for).items():
            counts[key].append(count)
    if len(look_for) < len(LOL_TASKS):
        print("Words are left out: `make vision` installs what reads them")
    print_shares(f"{len(pairs)} pairs of LOL's validation scenes", counts)


def measure_faces(model, folder: Path, every: int) -> None:
    """Print how many faces are found in darkened photographs of people."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in READABLE]
    photos = (shrink(read_image(path), vision.WIDTH) for path in paths[::every])
    scenes = [vision.make_face_scene(photo) for photo in photos]
    scenes = [scene for scene in scenes if scene.truth["face"]]
    if not scenes:
        raise SystemExit(f"{folder}: no picture shows a face that both detectors find")
    look_for = vision.detectors(vision.FACES)
    counts = vision.measure(
        scenes, vision.methods(model), FACE_STOPS, look_for=look_for, progress=tqdm
    )
    for stops in FACE_STOPS:
        chosen = {key[:2]: found for key, found in counts.items() if key[2] == stops}
        print_shares(f"{len(scenes)} photographs of people, {stops} stops too dark", chosen)


def print_shares(title: str, counts: dict) -> None:
    """Print right answers in percent with their intervals, and false alarms."""
    tasks, methods = (dict.fromkeys(names) for names in zip(*counts, strict=True))
    print("\n" + title)
    print(" " * 16, *(f"{task:>29s}" for task in tasks))
    for method in methods:
        cells = []
        for task in tasks:
            right, wrong, total = vision.add(counts[task, method])
            low, high = (100 * end for end in vision.wilson(right, total))
            share = 100 * right / total
            cells.append(f"{share:3.0f} % ({low:3.0f} to {high:3.0f}) {wrong:3d} false")
        print(f"{method:16s}", *(f"{cell:>29s}" for cell in cells))
    print("of", ", ".join(f"{vision.add(counts[task, method]).total} {task}" for task in tasks))


if __name__ == "__main__":
    main()
