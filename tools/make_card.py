"""The card of trained weights: what they were trained on and how, and how well they do.

python -m lle_utils.cards RUN_FOLDER NAME   (LOL must have been fetched; some ten minutes)

reads a run that ``python -m lle_utils train`` made, puts its best weights into the package as
``lle_utils/weights/NAME.keras``, scores them, and writes the card ``NAME.json`` and the log
``NAME.csv`` beside them. Scores of eval15 are for reading: nothing is chosen by them.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from lle_utils import camera, data, paths
from lle_utils.baselines import constant_map, fit_constant
from lle_utils.curve import recurse
from lle_utils.evaluation import evaluate, pictures_by_depth
from lle_utils.metrics import psnr
from lle_utils.model import RecursiveEnhancer, enhance_picture, load_model
from lle_utils.recipes import RECIPES, Recipe
from lle_utils.training import best_row, read_log

WEIGHTS = Path(__file__).with_name("weights")
DEPTHS = (7, 8, 12, 24)


def mean_maps(enhancer: RecursiveEnhancer, pairs) -> np.ndarray:
    """Average the map of each iteration over all pixels of all pictures.

    Parameters
    ----------
    enhancer : RecursiveEnhancer
    pairs : iterable of data.Pair

    Returns
    -------
    ndarray of float32, shape (iterations, channels)
        What is left of the maps when they may no longer depend on the picture.
    """
    sums = []
    for pair in pairs:
        scaled = enhancer.scaled_to(max(pair.low.shape[:2]))
        maps = [step.parameter_map for step in scaled.steps(pair.low[None])]
        # In double precision: single precision drifts over a quarter of a million pixels.
        maps = [keras.ops.convert_to_numpy(m).mean((0, 1, 2), dtype=np.float64) for m in maps]
        sums.append(maps)
    return np.mean(sums, axis=0).astype(np.float32)


def enhance_by_constants(image, constants: np.ndarray, floor: float) -> np.ndarray:
    """Run the recursion with one number a step and channel: ``constants[step]``."""
    start = np.maximum(image, np.float32(floor))
    return recurse(start, lambda _, step: constants[step], len(constants))


def score_everything(model: keras.Model, recipe: Recipe, progress=iter) -> dict:
    """Score weights, the constant, and for an enhancer its mean maps, on every split.

    Of the training split every 16th pair. The unseen scenes and eval15 are for reading: whoever
    chooses by them has none left to measure with.
    """
    constant = fit_constant(data.load("lol", "train", lazy=True)[::4], recipe.iterations)
    scores = {"constant": round(constant, 4)}
    sets = {split: data.load("lol", split, lazy=True) for split in data.LOL_SPLITS}
    sets["train"] = sets["train"][::16]
    sets["sample, another camera"] = phone_pairs()
    for split, pairs in sets.items():
        compared = {"constant": partial(constant_map, m=constant, iterations=recipe.iterations)}
        if isinstance(model, RecursiveEnhancer) and split == "validation":
            compared["mean maps"] = partial(
                enhance_by_constants, constants=mean_maps(model, pairs), floor=model.floor
            )
        report = evaluate(
            lambda low: enhance_picture(model, low, recipe.iterations),
            pairs,
            compared=compared,
            progress=progress,
        )
        scores[split] = _summary(report)
        if isinstance(model, RecursiveEnhancer) and split != "train":
            scores[split]["psnr after iterations"] = score_depths(model, pairs, progress)
        if split == "test":
            scores["images of eval15"] = report["images"]
    return scores


def phone_pairs(exposures: int = 4) -> list[data.Pair]:
    """Return the sample's held-out scenes as `camera.darken_as_phone` takes them, always alike."""
    pairs = []
    for pair in data.load("sample", "test"):
        for number in range(exposures):
            rng = np.random.default_rng([*pair.name.encode(), number])
            low = camera.darken_as_phone(pair.high, rng)
            pairs.append(data.Pair(f"{pair.name}#{number}", low, pair.high))
    return pairs


def _summary(report: dict) -> dict:
    """Return what a card keeps of a report of `evaluate`."""
    means = ("psnr", "ssim", "ciede2000", "seconds")
    others = report["compared"]
    gain = others["constant"]["gain"]["psnr"]
    return {
        "weights": {name: report[name] for name in (*means, "intervals", "worst")},
        **{name: {mean: other[mean] for mean in means} for name, other in others.items()},
        "gain over the constant, dB": {
            "mean": gain["mean"],
            "interval of 95 %": gain["interval"],
        },
    }


def score_depths(model: RecursiveEnhancer, pairs, progress=iter) -> dict[str, float]:
    """Return the mean PSNR in dB after each of `DEPTHS`, and the mean number of steps to rest.

    (``iterations="auto"`` stops at rest.)
    """
    found = {str(n): [] for n in DEPTHS}
    steps = []
    for pair in progress(pairs):
        for n, picture in pictures_by_depth(model, pair.low, DEPTHS).items():
            found[str(n)].append(psnr(picture, pair.high))
        scaled = model.scaled_to(max(pair.low.shape[:2]))
        steps.append(sum(1 for _ in scaled.until_still(pair.low[None])))
    means = {n: round(float(np.mean(values)), 3) for n, values in found.items()}
    return {**means, "steps of auto": round(float(np.mean(steps)), 2)}


def make_card(
    run: Path,
    name: str,
    minutes: float,
    machine: str,
    note: str,
    *,
    earlier: Sequence[Path] = (),
    last: bool = False,
) -> dict:
    """Put a run's best or last weights into the package, score them, write their card and log."""
    recorded = json.loads((run / "recipe.json").read_text())
    recipe = Recipe(**recorded)
    weights = load_model(run / ("last.keras" if last else "best.keras"))
    WEIGHTS.mkdir(exist_ok=True)
    weights.save(WEIGHTS / f"{name}.keras")
    shutil.copyfile(run / "log.csv", WEIGHTS / f"{name}.csv")
    log = read_log(run / "log.csv")
    chosen = log[-1] if last else best_row(log, recipe)

    names = json.loads((run / "pairs.json").read_text())
    training, validation = names["training"], names["validation"]
    lol_names = data.lol_split_names()["train"]
    added = sum(name.partition("#")[0] not in lol_names for name in training)
    steps_an_epoch = recipe.steps_per_epoch or -(-len(training) // recipe.batch_size)
    card = {
        "name": name,
        "parameters": weights.count_params(),
        "data": "LOL (Wei et al., BMVC 2018), our485 without 648. The references of the copy that "
        "was used had gone through AVIF at quality 90 without chroma subsampling (42.5 dB)"
        + (f"; and {added} pairs of the embedded sample's training scenes" if added else ""),
        "split": f"by scene (registry/lol_scenes.json): {len(training)} pairs to train on, "
        f"{len(validation)} to choose the epoch by",
        "seed": recipe.seed,
        "recipe": recorded,
        "differs from the named recipe": _differences(recipe, name),
        "epochs run": len(log),
        "epoch of these weights": chosen["epoch"] + 1,
        "chosen as": "the last" if last else "the best on validation",
        "steps": (chosen["epoch"] + 1) * steps_an_epoch,
        "minutes": round(minutes, 1),
        "machine": machine,
        "note": note,
        "earlier stages": [_stage(folder) for folder in earlier],
        "keras": f"{keras.__version__}, {keras.backend.backend()}",
        "log": f"{name}.csv",
        "scores": score_everything(
            weights, recipe, progress=lambda items: tqdm(list(items), leave=False)
        ),
        "scored by": f"python -m lle_utils.cards RUN_FOLDER {name}" + " --last" * last,
    }
    (WEIGHTS / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def _stage(run: Path) -> dict:
    """Return what a card says of a run that another one started from: its recipe and its log."""
    recorded = json.loads((run / "recipe.json").read_text())
    log = read_log(run / "log.csv")
    return {
        "recipe": recorded,
        "epochs run": len(log),
        "best epoch": best_row(log, Recipe(**recorded))["epoch"] + 1,
        "log": {
            field: [round(row[field], 4) for row in log] for field in log[0] if "psnr" in field
        },
    }


def _differences(recipe: Recipe, name: str) -> dict:
    """Return what a run's recipe has otherwise than the packaged recipe of that name."""
    if name not in RECIPES:
        return {}
    packaged = RECIPES[name]
    return {
        field: getattr(recipe, field)
        for field in vars(packaged)
        if getattr(packaged, field) != getattr(recipe, field)
    }


def main() -> int:
    """Make the card that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("name", help="what the weights are to be called")
    parser.add_argument("--minutes", type=float, required=True, help="how long training took")
    parser.add_argument("--machine", default="2 CPU cores", help="default: %(default)s")
    parser.add_argument("--note", default="", help="what else is to be known of the run")
    parser.add_argument(
        "--last", action="store_true", help="take the last weights, not the best on validation"
    )
    parser.add_argument(
        "--earlier", nargs="*", type=Path, default=[], help="folders of the runs it started from"
    )
    args = parser.parse_args()
    card = make_card(
        args.run,
        args.name,
        args.minutes,
        args.machine,
        args.note,
        earlier=args.earlier,
        last=args.last,
    )
    print(json.dumps(card, indent=1))
    print(f"LOL from {paths.lol_dir()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
