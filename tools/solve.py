"""Make the solved notebooks, for the teacher: each exercise filled in by its own folded solution.

    python tools/solve.py                  all notebooks that have exercises
    python tools/solve.py 02 05            those whose names begin so

They are executed and written to notebooks/solved/, which git ignores. The exit code is 1 if a
check does not accept a solution.

An exercise is four cells in a row: the task, with a heading "### Exercise 2.1. ..."; the stub,
tagged "exercise"; the check, tagged "check"; and a text with hint and solution, both folded.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat
import render

OUTPUT = render.NOTEBOOKS / "solved"
TITLE = re.compile(r"^### (Exercise (\d\.\d)\. .+)$", re.MULTILINE)
FOLDED = re.compile(r"<details><summary>(\w+)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)\n```", re.DOTALL)


class Exercise(NamedTuple):
    """One exercise of a notebook, as text; `index` is the stub's cell."""

    number: str
    title: str
    index: int
    check: str
    solution: str


def exercises(document) -> list[Exercise]:
    """Find the exercises of a notebook, in order; refuse one that lacks a part, and name it."""
    cells, found = document.cells, []
    for index, cell in enumerate(cells):
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        heading = TITLE.search(cells[index - 1].source)
        if not heading:
            raise ValueError(f"no heading '### Exercise 0.0. ...' before {cell.source[:40]!r}")
        title, number = heading.groups()
        check, text = cells[index + 1 : index + 3]
        if "check" not in check.metadata.get("tags", []):
            raise ValueError(f"{title}: the cell after the stub is not tagged 'check'")
        folded = dict(FOLDED.findall(text.source))
        solution = CODE.search(folded.get("Solution", ""))
        if "Hint" not in folded or not solution:
            raise ValueError(f"{title}: the folded hint or the solution's code is missing")
        found.append(Exercise(number, title, index, check.source, solution[1]))
    return found


def solve(script: Path, notebook: Path) -> list[str]:
    """Write and execute the solved notebook; return what is not called correct in it."""
    document = jupytext.read(script)
    tasks = exercises(document)
    for task in tasks:
        document.cells[task.index].source = task.solution
    with tempfile.TemporaryDirectory() as folder:
        solved = Path(folder) / script.name
        jupytext.write(document, solved, fmt="py:percent")
        render.render(solved, notebook)
    cells = nbformat.read(notebook, as_version=4).cells
    verdicts = [(task.title, _shown(cells[task.index + 1])) for task in tasks]
    return [f"{title} {said}" for title, said in verdicts if not said.startswith("Correct.")]


def _shown(cell) -> str:
    return "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def main() -> int:
    """Solve the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description="Make the solved notebooks.")
    parser.add_argument("names", nargs="*", help="how the notebooks' names begin; default: all")
    OUTPUT.mkdir(exist_ok=True)
    failed = False
    for script in render.scripts(parser.parse_args().names):
        count = len(exercises(jupytext.read(script)))
        if not count:
            continue
        wrong = solve(script, OUTPUT / f"{script.stem}.ipynb")
        print(f"{script.stem}: {count - len(wrong)} of {count} solutions correct", flush=True)
        for line in wrong:
            print(f"    {line}", file=sys.stderr)
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
