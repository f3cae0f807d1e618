"""What every notebook must be: the same as its script, executed once on the sample, and laid out.

The notebooks themselves are run by nbval (`make test`). Here they are read: each rule is a function
that takes a notebook and complains.
"""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = NOTEBOOKS / "py"
NAMES = sorted({path.stem for path in (*NOTEBOOKS.glob("*.ipynb"), *SCRIPTS.glob("*.py"))})

MOST_LINES = 15  # of a code cell, other than set-up and imports
CHOICE = 'DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]'
LOL_MARKS = ("Data set: lol", "pairs: LOL")
BADGE = re.compile(r"https://colab\.research\.google\.com/github/[^)]+/notebooks/([\w.]+)\)")


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def printed(cell) -> str:
    """Return what a cell printed and showed as text."""
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def is_paired(name, notebook):
    twin = jupytext.read(SCRIPTS / f"{name}.py")
    ours, theirs = (
        [(cell.cell_type, cell.source, tags(cell)) for cell in document.cells]
        for document in (notebook, twin)
    )
    assert ours == theirs, f"other cells than in py/{name}.py: render it again"


def was_executed_in_one_run(name, notebook):
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source]
    assert counts == list(range(1, len(counts) + 1)), "execute it once, top to bottom"
    for cell in code_cells(notebook):
        kinds = [kind for output in cell.outputs for kind in output.get("data", {})]
        assert not any("widget" in kind for kind in kinds), "a widget is stored, without its kernel"
        assert "error" not in [one.output_type for one in cell.outputs], "an error is stored"
        noise = re.search(r"Traceback|\.cc:\d+\]", printed(cell))
        assert not noise, "a traceback or TensorFlow's log lines are stored"


def is_deterministic(name, notebook):
    nbformat.validate(notebook)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata["kernelspec"] == kernel, "kernelspec must be python3, Python 3"
    extra = notebook.metadata.keys() - {"kernelspec", "language_info", "accelerator", "colab"}
    assert not extra, f"metadata to be dropped: {extra}"
    stem = name.lower().replace("_", "-")
    for index, cell in enumerate(notebook.cells):
        assert cell.id == f"{stem}-{index:03d}"[:64], f"cell id {cell.id!r} is not from render.py"
        extra = cell.metadata.keys() - ({"tags", "jupyter"} if "setup" in tags(cell) else {"tags"})
        assert not extra, f"metadata of cell {index} to be dropped (timings?): {extra}"


def was_run_on_the_sample(name, notebook):
    cell = code_cells(notebook)[1]
    assert CHOICE in cell.source.splitlines(), "the imports cell must choose the data set"
    assert "Data set: sample" in printed(cell).splitlines(), "it does not say: Data set: sample"
    for mark in LOL_MARKS:
        shown = [printed(other) for other in code_cells(notebook)]
        assert mark not in "".join(shown), f"executed on LOL: {mark!r} is in an output"


def begins_as_all_do(name, notebook):
    cells = code_cells(notebook)
    first = code_cells(jupytext.read(SCRIPTS / f"{NAMES[0]}.py"))[0].source
    assert tags(cells[0]) == ["setup"] and cells[0].source == first, "a different set-up cell"
    title, _, guide = (cell.source for cell in notebook.cells[:3])
    assert title.startswith(f"# {name[:2]}. "), f"the title must begin with {name[:2]}."
    assert BADGE.findall(title) == [f"{name}.ipynb"], "the badge opens a different notebook"
    place = NAMES.index(name)
    for neighbor in NAMES[max(0, place - 1) : place + 2]:
        assert neighbor == name or f"({neighbor}.ipynb)" in guide, f"no link to {neighbor}"


def is_laid_out(name, notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert "![](" not in "".join(texts), "a picture without a text for those who cannot see it"
    assert any("claim" in tags(cell) for cell in code_cells(notebook)), "it claims nothing"
    for cell in code_cells(notebook)[2:]:
        drawn = any("image" in kind for out in cell.outputs for kind in out.get("data", {}))
        assert not drawn or "# Alt: " in cell.source, f"no alt text: {cell.source[:60]!r}"
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= MOST_LINES, f"{len(lines)} lines in one cell: {lines[0]!r} ..."


RULES = (
    is_paired,
    was_executed_in_one_run,
    is_deterministic,
    was_run_on_the_sample,
    begins_as_all_do,
    is_laid_out,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_rule(name, rule):
    rule(name, read(name))


@pytest.mark.parametrize("mark", LOL_MARKS)
def test_a_notebook_that_was_run_on_lol_is_refused(mark):
    spoiled = read(NAMES[2])
    code_cells(spoiled)[-1].outputs.append(nbformat.v4.new_output("stream", text=mark))
    with pytest.raises(AssertionError, match="executed on LOL"):
        was_run_on_the_sample(NAMES[2], spoiled)
