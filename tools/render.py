"""Make the executed notebooks from their percent-script twins.

    python notebooks/render.py                 all of them, in reading order
    python notebooks/render.py 02 05           those whose names begin so
    python notebooks/render.py --force         also those that are in step already

A notebook that is in step with its twin (same cells, and executed) is left alone. The kernel runs
in notebooks/, as in JupyterLab. Cell ids are the notebook's name and the cell's number, and no
timings are written, so that rendering twice changes nothing but the outputs. A widget is dead
without its kernel: a sentence is stored in its place.

How long a notebook took on two cores goes into minutes.csv, and from there, rounded up, into the
notebook's head and the README's table.
"""

import argparse
import csv
import math
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_SECONDS = 600
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTEAD = "Here a running notebook has something to turn. The figure above shows one setting of it."
README = HERE.parent / "README.md"
TIMES = HERE / "minutes.csv"
CORES = 2  # what the times are told for
LOG_LINE = re.compile(
    r"WARNING: All log messages before absl|[IWE]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\]"
)


def in_step(script: Path, notebook: Path) -> bool:
    """Tell whether a notebook has its twin's cells and was executed."""
    if not notebook.exists():
        return False
    ours, theirs = jupytext.read(script).cells, nbformat.read(notebook, as_version=4).cells
    executed = all(
        cell.get("execution_count") for cell in theirs if cell.cell_type == "code" and cell.source
    )
    return executed and [_content(cell) for cell in ours] == [_content(cell) for cell in theirs]


def _content(cell) -> tuple:
    return cell.cell_type, cell.source, cell.metadata.get("tags", [])


def render(script: Path, notebook: Path) -> float:
    """Execute a script's cells and write the notebook; return the seconds it took."""
    document = jupytext.read(script)
    document.nbformat, document.nbformat_minor = 4, 5
    document.metadata["kernelspec"] = KERNEL
    document.metadata.pop("jupytext", None)
    for index, cell in enumerate(document.cells):
        cell["id"] = f"{script.stem.lower().replace('_', '-')}-{index:03d}"[:64]
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note about the script
    started = time.perf_counter()
    client = NotebookClient(
        document,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(HERE)}},
    )
    client.execute()
    _drop_log_lines(document)
    _replace_widgets(document)
    seconds = time.perf_counter() - started
    document.metadata.pop("widgets", None)
    partial = notebook.with_suffix(".partial")
    nbformat.write(document, partial)
    partial.replace(notebook)
    return seconds


def _drop_log_lines(document) -> None:
    """Drop what TensorFlow logs before it can be silenced; it tells of the machine only."""
    for cell in document.cells:
        kept = []
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                lines = output.text.splitlines(keepends=True)
                output.text = "".join(line for line in lines if not LOG_LINE.match(line))
                if not output.text.strip():
                    continue
            kept.append(output)
        if cell.cell_type == "code":
            cell.outputs = kept


def _replace_widgets(document) -> None:
    """Put a sentence in the place of each widget, which no page can show without a kernel."""
    for cell in document.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = {"text/markdown": f"*{INSTEAD}*", "text/plain": INSTEAD}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def read_times(table: Path = TIMES) -> dict[str, float]:
    """Return the seconds that each notebook's last render on two cores took, by its name."""
    with table.open(encoding="utf-8", newline="") as file:
        return {row["notebook"]: float(row["seconds"]) for row in csv.DictReader(file)}


def write_time(name: str, seconds: float, table: Path = TIMES) -> None:
    """Put one notebook's seconds into the table."""
    times = {**read_times(table), name: seconds}
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("notebook", "seconds"))
        writer.writerows((one, f"{times[one]:.0f}") for one in sorted(times))


def minutes(seconds: float) -> int:
    """Round up to whole minutes, as the words tell it."""
    return max(1, math.ceil(round(seconds) / 60))


def reword_head(text: str, number: int) -> str:
    """Put the minutes into a notebook's head; the text is its script or its JSON."""
    return re.sub(
        r"(\*\*Minutes:\*\* )\d+( on two CPU cores)", rf"\g<1>{number}\g<2>", text, count=1
    )


def reword_table(text: str, name: str, number: int) -> str:
    """Put the minutes into a notebook's row of the README's table."""
    row = rf"^(\|[^|]*\|[^|]*\(notebooks/{name}\.ipynb\) *\|[^|]*\| *)\d+( *\|)"
    return re.sub(row, rf"\g<1>{number}\g<2>", text, count=1, flags=re.MULTILINE)


def reword(name: str, number: int) -> None:
    """Put a notebook's minutes wherever they are told."""
    for path in (HERE / "py" / f"{name}.py", HERE / f"{name}.ipynb"):
        path.write_text(reword_head(path.read_text(encoding="utf-8"), number), encoding="utf-8")
    README.write_text(
        reword_table(README.read_text(encoding="utf-8"), name, number), encoding="utf-8"
    )


def main() -> int:
    """Render what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="how the notebooks' names begin; default: all")
    parser.add_argument("--force", action="store_true", help="render those in step as well")
    parser.add_argument(
        "--output", type=Path, default=HERE, help="folder for the notebooks (default: notebooks/)"
    )
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for script in sorted((HERE / "py").glob("*.py")):
        if args.names and not script.name.startswith(tuple(args.names)):
            continue
        notebook = args.output / f"{script.stem}.ipynb"
        if not args.force and in_step(script, notebook):
            print(f"{notebook.name}: in step")
            continue
        try:
            seconds = render(script, notebook)
        except CellExecutionError as error:
            print(f"{notebook.name}: {error}", file=sys.stderr)
            return 1
        counts = args.output == HERE and os.environ.get("LLE_DATASET", "sample") == "sample"
        if counts and cores() == CORES:
            write_time(script.stem, seconds)
            reword(script.stem, minutes(seconds))
        elif counts:
            print(f"(not written into {TIMES.name}: it is for {CORES} cores, these are {cores()})")
        print(f"{notebook.name}: {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
