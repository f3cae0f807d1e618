"""Put a finished run's weights into the package, with a card: what made them, and their scores.

    python tools/make_card.py NAME --run RUN_FOLDER --minutes 95
    python tools/make_card.py NAME

reads a run that ``python -m lle_utils train`` made, copies its weights to
``lle_utils/weights/NAME.keras``, its network to ``NAME.onnx`` and its log to ``NAME.csv``, scores
them on every set there is, and writes the card ``NAME.json``. Without a run it scores the packaged
weights again. It needs LOL, ``data/cameras`` and tf2onnx, and about fifteen minutes. Scores of
eval15 and of the unseen scenes are for reading: nothing may be chosen by them.
"""

import argparse
import dataclasses
import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from lle_utils import camera, data
from lle_utils.backend import keras
from lle_utils.baselines import constant_map, fit_constant
from lle_utils.enhancer import enhance_picture
from lle_utils.evaluation import GT_MEAN, evaluate, pictures_by_depth
from lle_utils.images import as_float
from lle_utils.metrics import mean_scores, psnr
from lle_utils.onnx import write_network
from lle_utils.recipes import RECIPES, Recipe
from lle_utils.training import read_log
from lle_utils.weights import WEIGHTS, load_card, load_model

DEPTHS = (7, 8, 12, 24)
LABELS = {
    "validation": "validation",
    "unseen": "unseen scenes",
    "test": "eval15",
    "other cameras": "other cameras",
    "sample, a phone camera": "sample, phone camera",
    "train": "every 16th training pair of LOL",
}
"""What the page about training calls the sets."""
MEANS = ("psnr", "ssim", "ciede2000", GT_MEAN, "seconds")


def scored_sets() -> dict:
    """Return the pairs that a card scores, by name. Of the training split every 16th pair."""
    sets = {split: data.load("lol", split, lazy=True) for split in data.LOL_SPLITS}
    sets["train"] = sets["train"][::16]
    sets["other cameras"] = data.load_source("pairs", "validation")
    sets["sample, a phone camera"] = phone_pairs()
    return sets


def phone_pairs(exposures: int = 4) -> list[data.Pair]:
    """Return the sample's held-out scenes as `darken_as_phone` takes them, always alike."""
    pairs = []
    for pair in data.load("sample", "test"):
        for number in range(exposures):
            rng = np.random.default_rng([*pair.name.encode(), number])
            low = darken_as_phone(pair.high, rng)
            pairs.append(data.Pair(f"{pair.name}#{number}", low, pair.high))
    return pairs


def darken_as_phone(image, rng: np.random.Generator) -> np.ndarray:
    """Darken a picture as one phone might, which no training sees.

    It has what `camera.darken_at_random` draws cameras from (a response, a toe, blotchy noise,
    JPEG), in its own way; it also sharpens, and white balance is off by up to 12 % per channel.
    """
    light = as_float(image) ** np.float32(2.2) * np.float32(2.0 ** -rng.uniform(2.5, 5.0))
    light = light * (1 + rng.uniform(-0.12, 0.12, size=3)).astype(np.float32)
    grain = rng.standard_normal(light.shape).astype(np.float32)
    blotches = cv2.GaussianBlur(grain, (0, 0), 1.2) * 2
    spread = np.sqrt(np.maximum(light, 0) * 4e-4 + 4e-6)
    light = np.clip(light + spread * (0.4 * grain + 0.6 * blotches), 0, 1)
    toe = light / (light + 0.004)  # the darkest tones are pressed down
    encoded = light ** np.float32(1 / 1.8) * toe
    soft = cv2.GaussianBlur(encoded, (0, 0), 1.5)
    sharp = np.clip(encoded + 0.4 * (encoded - soft), 0, 1)
    return camera.through_jpeg(sharp, 85)


def score_everything(model) -> dict:
    """Score weights and one constant, fitted on LOL's training pairs, on every set."""
    constant = fit_constant(data.load("lol", "train", lazy=True)[::4])
    scores = {"constant": round(constant, 4)}
    for name, pairs in scored_sets().items():
        report = evaluate(
            partial(enhance_picture, model),
            tqdm(pairs, desc=name, leave=False),
            compared={"constant": partial(constant_map, m=constant)},
            gt_mean=True,
        )
        found = report["compared"]["constant"]
        scores[name] = {
            "pairs": report["pairs"],
            "weights": {key: report[key] for key in (*MEANS, "intervals", "worst")},
            "constant": {key: found[key] for key in MEANS},
            "gain over the constant": found["gain"],
            "psnr after iterations": score_depths(model, pairs),
        }
        if name == "test":
            scores["images of eval15"] = report["images"]
    return scores


def score_depths(model, pairs) -> dict[str, float]:
    """Return the mean PSNR in dB after each of `DEPTHS` iterations."""
    found = []
    for pair in pairs:
        pictures = pictures_by_depth(model, pair.low, DEPTHS)
        found.append({str(n): psnr(picture, pair.high) for n, picture in pictures.items()})
    means = mean_scores(found, list(found[0]))
    return {depth: round(mean, 3) for depth, mean in means.items()}


def make_card(run: Path, name: str, minutes: float, machine: str, note: str) -> dict:
    """Copy a run's weights and log into the package, and return their card."""
    recipe = Recipe(**json.loads((run / "recipe.json").read_text()))
    names = json.loads((run / "pairs.json").read_text())
    model = load_model(run / "last.keras")
    log = read_log(run / "log.csv")
    sources = [source for source, _ in recipe.sources]
    trained_on = dict(zip(sources, names["training"], strict=True))
    card = {
        "name": name,
        "parameters": model.count_params(),
        "data": {
            source: f"{len(trained_on[source])} pairs, {share:.0%} of each epoch"
            for source, share in recipe.sources
        },
        "LOL": "Wei et al., BMVC 2018: our485 without 648, cut by scene (registry/lol_scenes.json)."
        " The references of the copy that was used had gone through AVIF at quality 90 without"
        " chroma subsampling (42.5 dB)",
        "photographs": sorted(
            {photo.split("/")[0] for photo in trained_on.get("photos", ()) if "/" in photo}
        ),
        "cameras for validation only": list(data.VALIDATION_CAMERAS),
        "seed": recipe.seed,
        "recipe": dataclasses.asdict(recipe),
        "is the packaged recipe": recipe in RECIPES.values(),
        "epochs run": len(log),
        "epoch of these weights": log[-1]["epoch"] + 1,
        "steps": len(log) * (recipe.steps_per_epoch or 0),
        "minutes": round(minutes, 1),
        "machine": machine,
        "note": note,
        "keras": f"{keras.__version__}, {keras.backend.backend()}",
        "log": f"{name}.csv",
        "scores": score_everything(model),
        "scored by": f"python tools/make_card.py {name}",
    }
    # Last: what fails before leaves the packaged weights and log as they were.
    shutil.copyfile(run / "last.keras", WEIGHTS / f"{name}.keras")
    shutil.copyfile(run / "log.csv", WEIGHTS / f"{name}.csv")
    write_network(model, WEIGHTS / f"{name}.onnx")
    return card


def table_rows(scores: dict) -> list[str]:
    """Return the rows of the table of scores in ``notebooks/method.md``."""
    rows = []
    for name, label in LABELS.items():
        score = scores[name]
        sides = (score["weights"], score["constant"])
        means = [f"{s['psnr']:.2f} / {s['ssim']:.3f} / {s['ciede2000']:.1f}" for s in sides]
        after_gt_mean = [f"{side[GT_MEAN]:.2f}" for side in sides]
        gains = []
        for metric in ("psnr", GT_MEAN):
            gain = score["gain over the constant"][metric]
            low, high = gain["interval"]
            gains.append(f"{gain['mean']:+.2f} dB ({low:+.2f} to {high:+.2f})")
        depths = " / ".join(f"{mean:.2f}" for mean in score["psnr after iterations"].values())
        in_gt_mean = ", ".join([*after_gt_mean, gains[1]])
        cells = [label, str(score["pairs"]), *means, gains[0], in_gt_mean, depths]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Make the card that the command line asks for."""
    parser = argparse.ArgumentParser(description="Put a finished run's weights into the package.")
    parser.add_argument("name", help="what the weights are called, or are to be called")
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="the run they come from")
    parser.add_argument("--minutes", type=float, help="how long training took; with --run")
    parser.add_argument("--machine", default="2 CPU cores", help="default: %(default)s")
    parser.add_argument("--note", default="", help="what else is to be known of the run")
    args = parser.parse_args()
    if args.run and args.minutes is None:
        parser.error("the card of a run says how long training took: --minutes M")
    if args.run:
        card = make_card(args.run, args.name, args.minutes, args.machine, args.note)
    else:
        card = load_card(args.name)
        card["scores"] = score_everything(load_model(args.name))
    text = json.dumps(card, indent=1) + "\n"
    (WEIGHTS / f"{args.name}.json").write_text(text, encoding="utf-8")
    print(*table_rows(card["scores"]), sep="\n")


if __name__ == "__main__":
    main()
