"""Exercises: each has all its parts, and its check tells right answers from wrong ones, in words.

Stubs and folded solutions are read from the notebooks; many mistakes come from the exercises, which
must tell them apart. `answers` has the rest.
"""

import ast
import contextlib
import dataclasses
import re
import sys
import threading
from pathlib import Path

import answers
import jupytext
import nbformat
import numpy as np
import pytest

from lle_utils import checks
from lle_utils.checks import engine
from lle_utils.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import solve  # noqa: E402

SCRIPTS = sorted((ROOT / "notebooks" / "py").glob("*.py"))
DOCUMENTS = {script.stem: jupytext.read(script) for script in SCRIPTS}
TASKS = {
    task.number: (document, task)
    for document in DOCUMENTS.values()
    for task in solve.exercises(document)
}
CHECKS = {name: value for name, value in vars(checks).items() if isinstance(value, engine.Exercise)}


def definitions(document, before: int) -> dict:
    """Return what a notebook imports and defines above a cell: no data, so nothing takes long."""
    namespace = {}
    for cell in document.cells[:before]:
        if cell.cell_type != "code" or "setup" in cell.metadata.get("tags", []):
            continue
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
        for node in ast.parse(re.sub(r"(?m)^%.*", "", cell.source)).body:
            source = ast.unparse(node)
            if isinstance(node, kinds) or re.match(r"[A-Z]{2,} = [\d(\[]", source):
                exec(source, namespace)
    return namespace


def judge(number: str, answer: str) -> engine.Verdict:
    """Run an answer in place of the stub, and then the check cell; return the verdict."""
    document, task = TASKS[number]
    namespace = definitions(document, task.index)
    exec(answer, namespace)
    return eval(task.check, namespace)


# Right and wrong answers


def test_every_check_belongs_to_a_task_and_has_answers():
    tried = {task.check.split("(")[0] for _, task in TASKS.values()}
    assert tried == {f"checks.{name}" for name in (*CHECKS, *answers.ANSWERS)}


def cases():
    """Yield a check's name, what the verdict says, and what to hand in or what makes it."""
    for name, exercise in CHECKS.items():
        yield name, exercise.praise, (exercise.right,)
        yield from ((name, words, (mistake,)) for words, mistake in exercise.mistakes.items())
    for name, several in answers.ANSWERS.items():
        yield from ((name, words, answer) for words, answer in several.items())


@pytest.mark.parametrize(("name", "words", "answer"), cases())
def test_an_answer_gets_its_verdict(name, words, answer):
    verdict = getattr(checks, name)(*(answer() if callable(answer) else answer))
    assert words in verdict.message
    assert verdict.message.startswith("Correct. " if verdict.correct else "Not right yet: ")


@pytest.mark.parametrize("number", TASKS)
def test_the_stub_is_told_to_be_filled_in(number):
    document, task = TASKS[number]
    verdict = judge(number, document.cells[task.index].source)
    assert not verdict.correct and verdict.message.startswith("Not filled in yet: ")


@pytest.mark.parametrize("number", TASKS)
def test_the_folded_solution_is_correct(number, monkeypatch):
    # Two small steps will do: what is claimed of a training is judged, and not how good it is.
    short = dataclasses.replace(RECIPES["exposure"], epochs=1, steps_per_epoch=2, depths=(1, 1))
    monkeypatch.setitem(RECIPES, "exposure", short)
    verdict = judge(number, TASKS[number][1].solution)
    assert verdict.correct and verdict.message.startswith("Correct. "), verdict.message


NONSENSE = {
    "None": None,
    "a number": 3.7,
    "a string": "many",
    "a list": [1, [2, 3]],
    "an array": np.zeros((3, 2)),
    "returns None": lambda *arguments, **named: None,
    "returns nan": lambda *arguments, **named: np.nan,
    "returns an array": lambda *arguments, **named: np.full((2, 2), 9.0),
    "returns objects": lambda *arguments, **named: [object(), [object()]],
    "raises": lambda *arguments, **named: 1 / 0,
    "exits": lambda *arguments, **named: sys.exit(1),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("number", TASKS)
def test_no_check_raises_or_believes_nonsense(number, nonsense):
    """Put one thing in place of every answer of the check cell."""
    cell = TASKS[number][1].check
    verdict = eval(cell.split("(")[0])(*(cell.count(",") + 1) * [NONSENSE[nonsense]])
    assert isinstance(verdict, engine.Verdict) and not verdict.correct
    assert len(verdict.message) > 20
    told = re.search(r"array\(|<function| at 0x|(?<!\w)_[a-z]", verdict.message)
    assert not told, "a long or a raw value, or a name that no student knows"


# The tasks in the notebooks


@pytest.mark.parametrize("name", DOCUMENTS)
def test_exercises_are_whole_and_counted(name):
    cells, found = DOCUMENTS[name].cells, solve.exercises(DOCUMENTS[name])
    for tag in ("exercise", "check"):
        assert sum(tag in cell.metadata.get("tags", []) for cell in cells) == len(found)
    assert [task.number for task in found] == [f"{name[1]}.{n + 1}" for n in range(len(found))]
    assert 3 <= len(found) <= 4
    text = "\n".join(cell.source for cell in cells)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<details>") == text.count("</summary>\n\n"), "no empty line: not rendered"


def test_solving_fills_in_executes_and_tells_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel imports this package
    document, task = TASKS["2.1"]
    cells = document.cells[task.index - 1 : task.index + 3]
    right = jupytext.writes(nbformat.v4.new_notebook(cells=cells), fmt="py:percent")
    wrong = right.replace("Exercise 2.1. ", "Exercise 2.2. Not ").replace(">= 0\n", "> 0\n")
    script, notebook = tmp_path / "02_lesson.py", tmp_path / "02_lesson.ipynb"
    script.write_text(f"# %%\nfrom lle_utils import checks\n\n{right}\n{wrong}")
    (line,) = solve.solve(script, notebook)
    assert line.startswith("Exercise 2.2. Not Which m are safe? Not right yet: ")
    assert task.solution in [cell.source for cell in nbformat.read(notebook, 4).cells]


# The engine


def test_a_verdict_tells_a_grader_and_shows_itself_once(capsys):
    wrong = checks.is_safe(lambda m: True)
    assert capsys.readouterr().out == ""  # the cell shows its last line
    with pytest.raises(AssertionError):
        assert wrong
    assert capsys.readouterr().out == f"{wrong}\n"
    assert checks.is_safe(lambda m: abs(m) <= 1)
    assert repr(wrong).replace("\n", " ") == wrong.message


def test_a_network_keeps_its_weights():
    network = answers.OneNumber()
    before = network.get_weights()
    assert checks.one_number(network).correct
    np.testing.assert_array_equal(network.get_weights(), before)


def test_an_answer_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.2)

    def is_safe(m):
        while True:
            with contextlib.suppress(Exception):  # as a student might
                m += 1

    verdict = checks.is_safe(is_safe)
    assert not verdict.correct and "Does it end?" in verdict.message


def test_a_check_works_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(checks.is_safe(lambda m: abs(m) <= 1)))
    thread.start()
    thread.join()
    assert found[0].correct


def test_a_persons_interrupt_gets_through():
    def is_safe(m):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.is_safe(is_safe)
