"""Make the executed notebooks from their percent scripts.

    python tools/render.py                 all of them, in reading order
    python tools/render.py 02 05           those whose names begin so
    python tools/render.py --force         also those that match already

A notebook that matches its script (same cells, and executed) is not executed again. The kernel runs
in notebooks/, as in JupyterLab. Cell ids are the notebook's name and the cell's number, and no
timings are written, so that rendering twice changes nothing but the outputs. A widget does
nothing without its kernel: a sentence is stored in its place.

It prints how many seconds each took. The minutes at the top of a notebook and in the README's table
are these, on two cores, rounded up.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_SECONDS = 600
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTEAD = "Here a running notebook has something to turn. The figure above shows one setting of it."


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def scripts(beginnings) -> list[Path]:
    """Return the notebooks' scripts whose names begin so, or all."""
    found = sorted((NOTEBOOKS / "py").glob("*.py"))
    return [script for script in found if script.name.startswith(tuple(beginnings) or "")]


def in_step(script: Path, notebook: Path) -> bool:
    """Tell whether a notebook has its script's cells and was executed."""
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
        if "setup" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}  # JupyterLab folds it
    started = time.perf_counter()
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    options = {"record_timing": False, "coalesce_streams": True, "resources": place}
    NotebookClient(document, timeout=CELL_SECONDS, kernel_name="python3", **options).execute()
    _tidy_outputs(document)
    seconds = time.perf_counter() - started
    document.metadata.pop("widgets", None)
    partial = notebook.with_suffix(".partial")
    nbformat.write(document, partial)
    partial.replace(notebook)
    return seconds


def _tidy_outputs(document) -> None:
    """Put a sentence in place of widgets, which need a kernel, and leave out stderr.

    That is printed here: log lines that tell of this machine, or a warning to look into.
    """
    for cell in document.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                print(output.text, file=sys.stderr)
            if WIDGET in output.get("data", {}):
                output.data = {"text/markdown": f"*{INSTEAD}*", "text/plain": INSTEAD}
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]


def main() -> int:
    """Render what the command line asks for."""
    parser = argparse.ArgumentParser(description="Make the executed notebooks.")
    parser.add_argument("names", nargs="*", help="how the notebooks' names begin; default: all")
    parser.add_argument("--force", action="store_true", help="also render those that match")
    args = parser.parse_args()
    for script in scripts(args.names):
        notebook = NOTEBOOKS / f"{script.stem}.ipynb"
        if not args.force and in_step(script, notebook):
            print(f"{notebook.name}: up to date")
            continue
        try:
            seconds = render(script, notebook)
        except CellExecutionError as error:
            print(f"{notebook.name}: {error}", file=sys.stderr)
            return 1
        print(f"{notebook.name}: {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
