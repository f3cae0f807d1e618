"""Change one choice at a time, train, and score on validation: which choices matter.

python -m lle_utils.ablation [ROW ...]     (LOL must have been fetched; `make ablation` runs all)

trains the rows of ``registry/ablation.toml`` that have no result yet and writes a line for each
into ``ablation.csv`` of the output folder. A run that was cut off goes on where it stopped. The
committed results, ``registry/ablation.csv``, are a copy of that file.
"""

import argparse
import csv
import shlex
import subprocess
import sys
import time
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np

from lle_utils import data
from lle_utils.evaluation import pictures_by_depth
from lle_utils.images import replace_file
from lle_utils.metrics import psnr, ssim
from lle_utils.model import load_model
from lle_utils.paths import data_dir
from lle_utils.recipes import Recipe
from lle_utils.training import read_log, train

REGISTRY = files("lle_utils") / "registry"
DEPTHS = (4, 7, 8, 12, 24)
SCORES = (*(f"psnr_{n}" for n in DEPTHS), "ssim")
FIELDS = ("section", "row", "seed", *SCORES, "steps", "seconds")
SOURCE = ("commit", "command")


def read_rows() -> dict[tuple[str, str], dict]:
    """Return what each row trains, by section and name: recipe, start, seeds, scored_pixel."""
    sections = tomllib.loads((REGISTRY / "ablation.toml").read_text(encoding="utf-8"))
    rows = {}
    for section, content in sections.items():
        for name, changes in content["rows"].items():
            settings = {**content["recipe"], **changes}
            start = settings.pop("start", None)
            settings["crop"] = settings.get("crop") or None  # TOML has no null
            rows[section, name] = {
                "recipe": settings,
                "start": start,
                "seeds": content["seeds"],
                "scored_pixel": content["scored_pixel"],
            }
    return rows


def read_results(path: Path | None = None) -> list[dict]:
    """Read results; by default the committed ones, from the package.

    Returns
    -------
    list of dict
        A row and seed each: ``section``, ``row``, ``seed`` (int), ``psnr_4`` to ``psnr_24`` (dB on
        validation after so many iterations; NaN where the founding weights were not run), ``ssim``
        (after as many iterations as the recipe says), ``steps`` and ``seconds`` of training,
        ``commit`` and ``command``.
    """
    text = (path or REGISTRY / "ablation.csv").read_text(encoding="utf-8")
    whole = ("seed", "steps", "seconds")
    results = []
    for line in csv.DictReader(text.splitlines()):
        numbers = {f: float(line[f]) for f in FIELDS[2:]}
        results.append({**line, **numbers, **{field: int(line[field]) for field in whole}})
    return results


@cache
def _load(split: str, exposures: int) -> data.PairedSet:
    return data.load("lol", split, exposures=exposures)


def score_row(model, pairs, iterations: int, scored_pixel: int) -> dict[str, float]:
    """Score weights on pairs: PSNR in dB after each of `DEPTHS`, SSIM after `iterations`."""
    found = []
    for pair in pairs:
        low, high = (side[::scored_pixel, ::scored_pixel] for side in (pair.low, pair.high))
        pictures = pictures_by_depth(model, low, {*DEPTHS, iterations})
        scores = {f"psnr_{n}": psnr(picture, high) for n, picture in pictures.items()}
        found.append({**scores, "ssim": ssim(pictures[iterations], high)})
    return {field: float(np.mean([one.get(field, np.nan) for one in found])) for field in SCORES}


def run_row(section: str, name: str, seed: int, row: dict, folder: Path) -> dict:
    """Train a row with a seed, or go on with it, and score it on validation."""

    def run_folder(row_name: str) -> Path:
        return folder / section / f"{row_name.replace(' ', '-').replace(':', '')}-{seed}"

    recipe = Recipe(**row["recipe"], seed=seed)
    run = run_folder(name)
    start = load_model(run_folder(row["start"]) / "last.keras") if row["start"] else None
    training, validation = _load("train", recipe.exposures), _load("validation", 1)
    keras.utils.clear_session()  # else each row leaves its graph behind
    begin = time.monotonic()
    model = train(recipe, training, validation, run, start=start, verbose=0)
    seconds = time.monotonic() - begin
    steps = len(read_log(run / "log.csv")) * -(-len(training) // recipe.batch_size)
    scores = score_row(model, validation, recipe.iterations, row["scored_pixel"])
    rounded = {field: round(value, 4) for field, value in scores.items()}
    return {
        "section": section,
        "row": name,
        "seed": seed,
        **rounded,
        "steps": steps,
        "seconds": round(seconds),
        "commit": _commit(),
        "command": "python -m lle_utils.ablation " + shlex.quote(name),
    }


def _commit() -> str:
    """Return the commit of the code that runs, with a "+" where files were changed since."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def main() -> int:
    """Run the rows that the command line names, or all that have no result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    rows = read_rows()
    parser.add_argument("row", nargs="*", help="rows to run; default: all without a result")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=data_dir() / "runs" / "ablation",
        help="where runs and results are kept (default: %(default)s)",
    )
    args = parser.parse_args()
    unknown = set(args.row) - {name for _, name in rows}
    if unknown:
        known = ", ".join(name for _, name in rows)
        parser.error(f"there is no row {unknown.pop()!r}; there are: {known}")

    results_file = args.output / "ablation.csv"
    results = read_results(results_file) if results_file.exists() else []
    committed = read_results()
    wanted = {key: row for key, row in rows.items() if not args.row or key[1] in args.row}
    runs = [(*key, seed, row) for key, row in wanted.items() for seed in row["seeds"]]
    # All rows once before any twice: a run that is cut short has seen each choice.
    for section, name, seed, row in sorted(runs, key=lambda run: run[2]):
        here = (section, name, seed)
        if any(_key(result) == here for result in results):
            continue
        results.append(run_row(section, name, seed, row, args.output))
        _write_results(results_file, results)
        _print_result(results[-1], *(before for before in committed if _key(before) == here))
    return 0


def _key(result: dict) -> tuple[str, str, int]:
    return result["section"], result["row"], result["seed"]


def _write_results(path: Path, results: list[dict]) -> None:
    def write(partial) -> None:
        with Path(partial).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, (*FIELDS, *SOURCE), lineterminator="\n")
            writer.writeheader()
            writer.writerows(results)

    replace_file(path, write)


def _print_result(result: dict, committed: dict | None = None) -> None:
    psnrs = " ".join(f"{n}: {result[f'psnr_{n}']:.2f}" for n in DEPTHS)
    text = f"{result['section']}, {result['row']}, seed {result['seed']}: dB after {psnrs}"
    text += f"; SSIM {result['ssim']:.3f}; {result['seconds']} s"
    if committed:
        text += f" (committed: {committed['psnr_8']:.2f} dB after 8, SSIM {committed['ssim']:.3f})"
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
