"""Change one choice at a time, train, and score on validation: which choices matter.

    python tools/ablation.py [ROW ...]     (`make ablation` runs all)

trains the rows of ``lle_utils/registry/ablation.toml`` that have no result yet and writes a line
for each into ``ablation.csv`` of the output folder. An interrupted run resumes. The committed
results, ``lle_utils/registry/ablation.csv``, are a copy of that file. It needs LOL and
``data/cameras``.
"""

import argparse
import csv
import subprocess
import time
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lle_utils import data
from lle_utils.backend import keras
from lle_utils.evaluation import pictures_by_depth, scale_to_mean
from lle_utils.metrics import mean_scores, psnr, ssim
from lle_utils.paths import data_dir
from lle_utils.recipes import Recipe
from lle_utils.training import read_log, train

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "lle_utils" / "registry" / "ablation.toml"
DEPTHS = (7, 8, 12, 24)
SCORED = 3
"""Every third pair is scored: rows are compared on the same pairs."""
SCORES = (*(f"psnr_{n}" for n in DEPTHS), "ssim", "gt_mean", "other_gt_mean", "other_ssim")
FIELDS = ("row", "seed", *SCORES, "steps", "seconds", "commit")


def read_rows() -> tuple[dict[str, dict], list[int]]:
    """Return the settings of each row's recipe, by name, and the seeds."""
    content = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    rows = {name: {**content["recipe"], **changes} for name, changes in content["rows"].items()}
    return rows, content["seeds"]


load_source = cache(data.load_source)  # once for all rows


def score(model, pairs: Iterable) -> dict[str, float]:
    """Score weights on pairs: mean PSNR after each of `DEPTHS`, and SSIM and GT-mean after 8."""
    found = []
    for pair in pairs:
        pictures = pictures_by_depth(model, pair.low, DEPTHS)
        scores = {f"psnr_{n}": psnr(picture, pair.high) for n, picture in pictures.items()}
        scores["ssim"] = ssim(pictures[8], pair.high)
        scores["gt_mean"] = psnr(scale_to_mean(pictures[8], pair.high), pair.high)
        found.append(scores)
    return mean_scores(found, list(found[0]))


def run_row(name: str, seed: int, settings: dict, folder: Path) -> dict:
    """Train a row with a seed, or resume it, and score it on validation."""
    recipe = Recipe(**settings, seed=seed)
    run = folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    sources = [(load_source(source), share) for source, share in recipe.sources]
    validation = data.load("lol", "validation")
    keras.utils.clear_session()  # else each row leaves its graph behind
    begin = time.monotonic()
    model = train(recipe, sources, validation, run, verbose=0)
    seconds = time.monotonic() - begin
    scores = score(model, validation[::SCORED])
    other = score(model, data.load_source("pairs", "validation")[::SCORED])
    scores |= {f"other_{key}": other[key] for key in ("gt_mean", "ssim")}
    return {
        "row": name,
        "seed": seed,
        **{key: round(scores[key], 4) for key in SCORES},
        "steps": len(read_log(run / "log.csv")) * recipe.steps_per_epoch,
        "seconds": round(seconds),
        "commit": _commit(),
    }


def _commit() -> str:
    """Return the commit of the code that runs, with a "+" where files were changed since."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Run the rows that the command line names, or all that have no result."""
    rows, seeds = read_rows()
    output = data_dir() / "runs" / "ablation"
    parser = argparse.ArgumentParser(description="Train the ablation, and score it on validation.")
    parser.add_argument("row", nargs="*", help=f"of: {', '.join(rows)}; default: all")
    parser.add_argument("-o", "--output", type=Path, default=output, help="default: %(default)s")
    args = parser.parse_args()
    unknown = set(args.row) - set(rows)
    if unknown:
        parser.error(f"there is no row {unknown.pop()!r}; there are: {', '.join(rows)}")
    args.output.mkdir(parents=True, exist_ok=True)
    with (args.output / "ablation.csv").open("a+", newline="", encoding="utf-8") as table:
        is_new = table.tell() == 0
        table.seek(0)
        done = {(result["row"], int(result["seed"])) for result in csv.DictReader(table)}
        writer = csv.DictWriter(table, FIELDS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        # All rows once before any twice: a run that is cut short has seen each choice.
        for seed in seeds:
            for name in args.row or rows:
                if (name, seed) not in done:
                    result = run_row(name, seed, rows[name], args.output)
                    writer.writerow(result)
                    table.flush()
                    print(result, flush=True)


if __name__ == "__main__":
    main()
