"""What every notebook must be: in step with its twin, executed on the sample, and honest.

The notebooks themselves are run by nbval (`make test`). Here they are read: each rule is a function
that takes a notebook and complains. Every rule is tried on all notebooks, which must pass, and on
copies that were spoiled on purpose, which must not.
"""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SCRIPTS = NOTEBOOKS / "py"
NAMES = sorted({path.stem for path in (*NOTEBOOKS.glob("*.ipynb"), *SCRIPTS.glob("*.py"))})

MOST_BYTES = 2_000_000
MOST_LINES = 15  # of a code cell, other than set-up and imports
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CHOICE = 'DATASET = os.environ.get("LLE_DATASET", "sample")  # @param ["sample", "lol"]'
CONFESSION = 'print("Data set:", DATASET)'
LOL_MARKS = ("Data set: lol", "pairs: LOL")
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:tmp|work|root|home|Users)/")
COLAB = re.compile(
    r"https://colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/[\w.-]+/notebooks/([\w.-]+)"
)
BLOCK = re.compile(r"\$\$.*?\$\$|```.*?```|`[^`\n]*`", re.DOTALL)
FORMULA = re.compile(r"\$([^$]+)\$")
LIST_MARK = re.compile(r"\n *(?:[-+*]|\d+[.)]) ")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def printed(cell, stream: str | None = None) -> str:
    """Return what a cell printed and showed as text, all of it or one stream."""
    texts = []
    for output in cell.get("outputs", []):
        if stream is None or output.get("name") == stream:
            texts += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
    return "".join(texts)


# The rules


def is_paired(name, notebook):
    twin = jupytext.read(SCRIPTS / f"{name}.py")
    ours, theirs = (
        [(cell.cell_type, cell.source, tags(cell)) for cell in document.cells]
        for document in (notebook, twin)
    )
    for index, (cell, twin_cell) in enumerate(zip(ours, theirs, strict=False)):
        assert cell == twin_cell, f"cell {index} differs from py/{name}.py: render it again"
    assert len(ours) == len(theirs), f"not as many cells as py/{name}.py: render it again"


def is_executed_in_one_run(name, notebook):
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source]
    assert counts == list(range(1, len(counts) + 1)), (
        f"execution counts are {counts}: execute it once, top to bottom"
    )


def has_no_errors(name, notebook):
    for cell in code_cells(notebook):
        kinds = [output.output_type for output in cell.outputs]
        assert "error" not in kinds, f"an error is stored: {cell.source[:60]!r}"
        assert "Traceback" not in printed(cell), f"a traceback is stored: {cell.source[:60]!r}"
        assert not re.search(r"\.cc:\d+\]", printed(cell, "stderr")), "TensorFlow's log lines"


def is_deterministic(name, notebook):
    nbformat.validate(notebook)
    assert notebook.metadata["kernelspec"] == KERNEL, "kernelspec must be python3, Python 3"
    extra = notebook.metadata.keys() - {"kernelspec", "language_info", "accelerator", "colab"}
    assert not extra, f"metadata to be dropped: {extra}"
    stem = name.lower().replace("_", "-")
    for index, cell in enumerate(notebook.cells):
        assert cell.id == f"{stem}-{index:03d}"[:64], f"cell id {cell.id!r} is not from render.py"
        extra = cell.metadata.keys() - {"tags"}
        assert not extra, f"metadata of cell {index} to be dropped (timings?): {extra}"


def was_run_on_the_sample(name, notebook):
    cell = code_cells(notebook)[1]
    lines = cell.source.splitlines()
    assert CHOICE in lines and lines[-1] == CONFESSION, "the imports cell must choose the data set"
    for other in code_cells(notebook):
        for mark in LOL_MARKS:
            assert mark not in printed(other), f"executed on LOL: {mark!r} is in an output"
    assert "Data set: sample" in printed(cell).splitlines(), "it does not say: Data set: sample"


def names_no_machine(name, notebook):
    for cell in notebook.cells:
        for text in (cell.source, printed(cell)):
            found = MACHINE_PATH.search(text)
            assert not found, f"a path of somebody's machine: {text[found.start() :][:60]!r}"


def begins_as_all_do(name, notebook):
    cells = code_cells(notebook)
    assert tags(cells[0]) == ["setup"], "the first code cell must be the set-up cell"
    first = code_cells(jupytext.read(SCRIPTS / f"{NAMES[0]}.py"))[0].source
    assert cells[0].source == first, f"the set-up cell is not that of {NAMES[0]}"
    opening = notebook.cells[0].source
    assert opening.startswith(f"# {name[:2]}. "), f"the title must begin with {name[:2]}."
    for part in (r"\*\*Minutes:\*\* \d+ ", r"\*\*What you'll learn\*\*", r"\*\*What you'll need"):
        assert re.search(part, opening), f"the opening lacks {part}"


def ends_as_all_do(name, notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.search(r"^## What you learned$", text, re.MULTILINE), "what was learned is missing"
    assert re.search(r"^## Further reading$", text, re.MULTILINE), "further reading is missing"
    assert any("claim" in tags(cell) for cell in code_cells(notebook)), "it claims nothing"


def has_its_own_badge(name, notebook):
    badges = COLAB.findall(notebook.cells[0].source)
    assert badges, "no Colab badge in the first cell"
    setup = code_cells(notebook)[0].source
    for repository, file in badges:
        assert file == f"{name}.ipynb", f"the badge opens {file}"
        assert f"https://github.com/{repository}" in setup, "badge and set-up name two repositories"


def links_resolve(name, notebook):
    targets = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source, "a picture without a text for those who cannot see it"
            targets += LINK.findall(cell.source)
    for target in targets:
        if not re.match(r"[a-z]+:|#", target):
            path = NOTEBOOKS / target.partition("#")[0]
            assert path.exists(), f"a link leads nowhere: {target}"
    place = NAMES.index(name)
    for neighbor in NAMES[max(0, place - 1) : place + 2]:
        assert neighbor == name or f"{neighbor}.ipynb" in targets, f"no link to {neighbor}"


def stores_no_widgets(name, notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            kinds = [kind for kind in output.get("data", {}) if "widget" in kind]
            assert not kinds, f"a widget is stored, dead without its kernel: {cell.source[:60]!r}"


def is_laid_out(name, notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    swallowed = [text for text in texts if "%%" in text]
    assert not swallowed, f"a text swallowed the cell below it: {swallowed[0][-80:]!r}"
    titles = [line for text in texts for line in text.splitlines() if line.startswith("# ")]
    assert len(titles) == 1, f"one title, and sections below it, not {titles}"
    for text in texts:
        for formula in FORMULA.findall(BLOCK.sub("", text)):
            assert not LIST_MARK.search(formula), f"${formula}$ becomes a list: break it elsewhere"


def has_short_cells(name, notebook):
    for cell in code_cells(notebook)[2:]:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= MOST_LINES, f"{len(lines)} lines in one cell: {lines[0]!r} ..."


RULES = (
    is_paired,
    is_executed_in_one_run,
    has_no_errors,
    is_deterministic,
    was_run_on_the_sample,
    names_no_machine,
    begins_as_all_do,
    ends_as_all_do,
    has_its_own_badge,
    links_resolve,
    stores_no_widgets,
    is_laid_out,
    has_short_cells,
)


# All notebooks keep them


def test_there_are_notebooks():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_exist(name):
    assert (SCRIPTS / f"{name}.py").is_file() and (NOTEBOOKS / f"{name}.ipynb").is_file()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_rule(name, rule):
    rule(name, read(name))


@pytest.mark.parametrize("name", NAMES)
def test_size(name):
    size = (NOTEBOOKS / f"{name}.ipynb").stat().st_size
    assert size <= MOST_BYTES, f"{size / 1e6:.1f} MB: fewer or smaller figures, or JPEG"


# Spoiled copies do not


def reword(notebook, old, new, *, outputs=False):
    """Replace text in all sources, or in all printed outputs; it must be there."""
    hits = 0
    for cell in notebook.cells:
        if not outputs:
            hits += cell.source.count(old)
            cell.source = cell.source.replace(old, new)
        for output in cell.get("outputs", []) if outputs else []:
            hits += output.get("text", "").count(old)
            if "text" in output:
                output.text = output.text.replace(old, new)
    assert hits, f"nothing to spoil: {old!r}"


def spoil_lol_run(notebook):
    reword(notebook, "Data set: sample", "Data set: lol", outputs=True)


def spoil_lol_pairs(notebook):
    code_cells(notebook)[-1].outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="<15 pairs: LOL, test>\n")
    ]


def spoil_choice(notebook):
    reword(notebook, '("LLE_DATASET", "sample")', '("LLE_DATASET", "lol")')


def spoil_silence(notebook):
    code_cells(notebook)[1].outputs = []


def spoil_partial_run(notebook):
    code_cells(notebook)[-1].execution_count = 99


def spoil_no_run(notebook):
    code_cells(notebook)[2].execution_count = None


def spoil_source(notebook):
    notebook.cells[3].source += "\n# edited in JupyterLab only"


def spoil_missing_cell(notebook):
    del notebook.cells[-1]


def spoil_tags(notebook):
    next(cell for cell in notebook.cells if "claim" in tags(cell)).metadata.tags = []


def spoil_error(notebook):
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    code_cells(notebook)[-1].outputs.append(error)


def spoil_id(notebook):
    notebook.cells[4].id = "1f2e3d4c"


def spoil_timing(notebook):
    notebook.cells[2].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}


def spoil_kernel(notebook):
    notebook.metadata["kernelspec"] = {**KERNEL, "name": "my-venv"}


def spoil_path(notebook):
    reword(notebook, "Data set: sample", "Data set: sample\nsee /home/me/x.py", outputs=True)


def spoil_setup(notebook):
    code_cells(notebook)[0].source += "\nprint('mine')"


def spoil_badge(notebook):
    own = COLAB.search(notebook.cells[0].source).group(2)
    reword(notebook, f"notebooks/{own}", "notebooks/99_another.ipynb")


def spoil_link(notebook):
    notebook.cells[-1].source += "\n[more](no_such_notebook.ipynb)"


def spoil_widget(notebook):
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "0"}, "text/plain": "Box()"}
    code_cells(notebook)[-1].outputs.append(nbformat.v4.new_output("display_data", data=data))


def spoil_title(notebook):
    notebook.cells[-1].source += "\n\n# Another title"


def spoil_cell_mark(notebook):
    notebook.cells[-1].source += ' %% tags=["claim"]\nassert True'


def spoil_formula(notebook):
    notebook.cells[-1].source += "\nIts slope is $1\n+ m$ there."


def spoil_length(notebook):
    code_cells(notebook)[3].source += MOST_LINES * "\nx = 1"


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        (was_run_on_the_sample, spoil_lol_run),
        (was_run_on_the_sample, spoil_lol_pairs),
        (was_run_on_the_sample, spoil_choice),
        (was_run_on_the_sample, spoil_silence),
        (is_executed_in_one_run, spoil_partial_run),
        (is_executed_in_one_run, spoil_no_run),
        (is_paired, spoil_source),
        (is_paired, spoil_missing_cell),
        (is_paired, spoil_tags),
        (has_no_errors, spoil_error),
        (is_deterministic, spoil_id),
        (is_deterministic, spoil_timing),
        (is_deterministic, spoil_kernel),
        (names_no_machine, spoil_path),
        (begins_as_all_do, spoil_setup),
        (has_its_own_badge, spoil_badge),
        (links_resolve, spoil_link),
        (stores_no_widgets, spoil_widget),
        (is_laid_out, spoil_title),
        (is_laid_out, spoil_cell_mark),
        (is_laid_out, spoil_formula),
        (has_short_cells, spoil_length),
    ],
    ids=lambda function: function.__name__,
)
def test_rule_refuses_a_spoiled_copy(rule, spoil):
    name = "02_bend_one_curve"
    notebook = read(name)
    rule(name, notebook)
    spoiled = copy.deepcopy(notebook)
    spoil(spoiled)
    with pytest.raises(AssertionError):
        rule(name, spoiled)


# nbval, as `make test` calls it, fails where a notebook is broken

HEALTHY = {
    "imports": "import numpy as np\n\nfrom lle_utils.curve import brighten",
    "shapes": "image = np.full((4, 6, 3), 0.25)\nmap_ = np.full((4, 6, 1), 0.5)",
    "claim": "assert np.allclose(brighten(image, map_), 0.34375)",
}
BROKEN = {
    "wrong_import": ("imports", HEALTHY["imports"].replace("brighten", "darken")),
    "wrong_shape": ("shapes", HEALTHY["shapes"].replace("(4, 6, 1)", "(4, 5, 1)")),
    "wrong_claim": ("claim", HEALTHY["claim"].replace("0.34375", "0.4")),
}


@pytest.fixture(scope="module")
def nbval_report(tmp_path_factory) -> dict[str, set[str]]:
    """Run one healthy and some broken notebooks; return the names that failed and all names."""
    folder = tmp_path_factory.mktemp("nbval")
    variants = {"healthy": HEALTHY}
    for name, (part, source) in BROKEN.items():
        variants[name] = {**HEALTHY, part: source}
    for name, parts in variants.items():
        cells = [new_markdown_cell("# A lesson")]
        cells += [
            new_code_cell(source, execution_count=count)
            for count, source in enumerate(parts.values(), start=1)
        ]
        notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--rootdir", ".", "--nbval-lax"]
    command += ["--nbval-current-env", "--nbval-cell-timeout=60", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, "--junitxml=report.xml", "."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=240,
    )
    report = {"all": set(), "failed": set()}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        name = next(name for name in variants if name in case.get("classname"))
        report["all"].add(name)
        if case.find("failure") is not None or case.find("error") is not None:
            report["failed"].add(name)
    return report


def test_nbval_passes_a_healthy_notebook(nbval_report):
    assert "healthy" in nbval_report["all"] and "healthy" not in nbval_report["failed"]


@pytest.mark.parametrize("name", BROKEN)
def test_nbval_fails_a_broken_notebook(nbval_report, name):
    assert name in nbval_report["failed"]
