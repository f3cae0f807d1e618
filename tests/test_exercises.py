"""Exercises: each has all its parts, and its check tells right answers from wrong ones, in words.

An exercise holds a right answer and its typical mistakes: each mistake must get its own diagnosis.
Stubs and folded solutions are read from the notebooks. `answers` has the rest.
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

from lle_utils import checks, training
from lle_utils.checks import engine

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
sys.path.insert(0, str(ROOT / "tools"))
import solve  # noqa: E402

SCRIPTS = sorted((NOTEBOOKS / "py").glob("*.py"))
DOCUMENTS = {script.stem: jupytext.read(script) for script in SCRIPTS}
TASKS = {
    exercise.number: (name, exercise)
    for name, document in DOCUMENTS.items()
    for exercise in solve.exercises(document)
}
NAMES = {name for name, value in vars(checks).items() if callable(value)}
CHECKS = {name: value for name, value in vars(checks).items() if isinstance(value, engine.Exercise)}


def is_constant(node: ast.AST) -> bool:
    """Whether a name in capitals is set, such as `FLIPS`, which a default may use."""
    return (
        isinstance(node, ast.Assign)
        and all(isinstance(one, ast.Name) and one.id.isupper() for one in node.targets)
        and isinstance(node.value, ast.Tuple | ast.List | ast.Constant)
    )


def definitions(name: str, before: int) -> dict:
    """Return what a notebook imports and defines above a cell: no data, so nothing takes long."""
    namespace = {}
    for cell in DOCUMENTS[name].cells[:before]:
        if cell.cell_type != "code" or "setup" in cell.metadata.get("tags", []):
            continue
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
        kept = [n for n in ast.parse(source).body if isinstance(n, kinds) or is_constant(n)]
        exec(compile(ast.Module(kept, []), name, "exec"), namespace)
    return namespace


def judge(number: str, answer: str) -> engine.Verdict:
    """Run an answer in place of the stub, and then the check cell; return the verdict."""
    name, task = TASKS[number]
    namespace = definitions(name, task.index)
    exec(answer, namespace)
    return eval(task.check, namespace)


def called(check_cell: str) -> str:
    """Return the name of the check that a check cell calls."""
    return re.match(r"checks\.(\w+)\(", check_cell).group(1)


@pytest.fixture(autouse=True)
def no_haste(monkeypatch):
    """Let checks take longer than in a lesson, as many tests may run at once."""
    monkeypatch.setattr(engine, "SECONDS", 600)


# Right and wrong answers


def test_every_check_belongs_to_a_task_and_has_answers():
    assert {called(task.check) for _, task in TASKS.values()} == NAMES
    assert NAMES - set(CHECKS) <= set(answers.RIGHT) <= NAMES
    assert set(answers.WRONG) >= NAMES - set(CHECKS)


def cases():
    """Yield a check's name, what to hand in (or a function that makes it), and what it says."""
    for name, exercise in CHECKS.items():
        rights = [part.right for part in exercise.parts]
        yield name, rights, "Correct. "
        for place, part in enumerate(exercise.parts):
            for diagnosis, mistake in part.mistakes.items():
                yield name, [*rights[:place], mistake, *rights[place + 1 :]], diagnosis
    for name, several in answers.RIGHT.items():
        yield from ((name, answer, "Correct. ") for answer in several)
    for name, several in answers.WRONG.items():
        yield from ((name, answer, diagnosis) for diagnosis, answer in several.items())


@pytest.mark.parametrize(
    ("name", "answer", "words"), cases(), ids=[f"{name}-{words}" for name, _, words in cases()]
)
def test_an_answer_gets_its_verdict(name, answer, words):
    verdict = getattr(checks, name)(*(answer() if callable(answer) else answer))
    assert verdict.correct == (words == "Correct. "), verdict.message
    assert verdict.message.startswith(("Correct. ", "Not right yet: ")[not verdict.correct])
    assert words in verdict.message


@pytest.mark.parametrize("number", TASKS)
def test_the_stub_is_told_to_be_filled_in(number):
    name, task = TASKS[number]
    verdict = judge(number, DOCUMENTS[name].cells[task.index].source)
    assert not verdict.correct and verdict.message.startswith("Not filled in yet: ")


@pytest.fixture
def short_training(monkeypatch):
    """Let a training take two small steps: a check judges what is claimed of it, good or bad."""
    train = training.train
    small = {"epochs": 1, "steps_per_epoch": 2, "depths": (1, 1)}

    def stop_early(recipe, pairs, validation, *given, **options):
        recipe = dataclasses.replace(recipe, **small)
        return train(recipe, pairs, validation[:2], *given, **options)

    monkeypatch.setattr(training, "train", stop_early)


@pytest.mark.parametrize("number", TASKS)
def test_the_folded_solution_is_correct(number, short_training):
    verdict = judge(number, TASKS[number][1].solution)
    assert verdict.correct and verdict.message.startswith("Correct. "), verdict.message


def explode(*arguments, **named):
    raise RuntimeError("boom")


def leave(*arguments, **named):
    raise SystemExit(1)


NONSENSE = {
    "None": None,
    "dots": ...,
    "a number": 3.7,
    "a string": "many",
    "a list": [1, [2, 3]],
    "an object": object(),
    "an array": np.zeros((3, 2)),
    "returns None": lambda *arguments, **named: None,
    "returns a string": lambda *arguments, **named: "yes",
    "returns nan": lambda *arguments, **named: np.nan,
    "returns an array": lambda *arguments, **named: np.full((2, 2), 9.0),
    "returns objects": lambda *arguments, **named: [object(), [object()]],
    "raises": explode,
    "exits": leave,
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("number", TASKS)
def test_no_check_raises_or_believes_nonsense(number, nonsense):
    """Put one thing in place of every answer of the check cell."""
    cell = TASKS[number][1].check
    count = len(ast.parse(cell).body[0].value.args)
    verdict = getattr(checks, called(cell))(*count * [NONSENSE[nonsense]])
    assert isinstance(verdict, engine.Verdict) and not verdict.correct
    assert len(verdict.message) > 20
    for raw in ("array(", "<function", " at 0x"):
        assert raw not in verdict.message
    assert not re.search(r"(?<!\w)_[a-z]", verdict.message), "a name that no student knows"


# The tasks in the notebooks


@pytest.mark.parametrize("name", DOCUMENTS)
def test_exercises_are_whole_and_counted(name):
    found = solve.exercises(DOCUMENTS[name])
    stubs = [cell for cell in DOCUMENTS[name].cells if "exercise" in cell.metadata.get("tags", [])]
    tried = [cell for cell in DOCUMENTS[name].cells if "check" in cell.metadata.get("tags", [])]
    assert len(stubs) == len(tried) == len(found)
    chapter = int(name[:2])
    assert [task.number for task in found] == [f"{chapter}.{n}" for n in range(1, len(found) + 1)]
    assert 3 <= len(found) <= 4
    text = "\n".join(cell.source for cell in DOCUMENTS[name].cells)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<details>") == text.count("</summary>\n\n"), "no empty line: not rendered"


def test_solving_fills_in_executes_and_tells_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel imports this package
    name, task = TASKS["2.1"]
    lesson = nbformat.v4.new_notebook(cells=DOCUMENTS[name].cells[task.index - 1 : task.index + 3])
    right = jupytext.writes(lesson, fmt="py:percent")
    wrong = right.replace("Exercise 2.1. ", "Exercise 2.2. Not ").replace(">= 0\n", "> 0\n")
    script, notebook = tmp_path / "02_lesson.py", tmp_path / "02_lesson.ipynb"
    script.write_text(f"# %%\nfrom lle_utils import checks\n\n{right}\n{wrong}")
    (line,) = solve.solve(script, notebook)
    assert line.startswith("Exercise 2.2. Not Which m are safe? Not right yet: ")
    filled_in = [cell.source for cell in nbformat.read(notebook, 4).cells]
    assert task.solution in filled_in


# The engine


def test_a_verdict_tells_a_grader_and_shows_itself_once(capsys):
    wrong = checks.is_safe(lambda m: True)
    assert capsys.readouterr().out == ""  # the cell shows its last line
    with pytest.raises(AssertionError):
        assert wrong
    assert capsys.readouterr().out == f"{wrong}\n"
    assert checks.is_safe(lambda m: abs(m) <= 1)
    assert repr(wrong).replace("\n", " ") == wrong.message


def test_what_is_unknown_is_told_by_the_call_and_no_array_is_shown():
    verdict = checks.brighten_again(lambda E, predict, rounds: E + 1)
    assert "your function(E, predict, 3) is 1." in verdict.message
    verdict = checks.stop_by_itself(lambda image, predict_map, tolerance, most: (image, 3))
    assert "your function(image, predict_map, 0.001, 200)" in verdict.message


def test_none_in_some_cases_only_is_not_called_blank():
    verdict = checks.reach(lambda iterations, layers, kernel: None if iterations else 1)
    assert verdict.message.startswith("Not right yet: ")


def test_a_network_keeps_its_weights():
    network = answers.OneNumber()
    before = network.get_weights()
    assert checks.one_number(network).correct
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


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


def test_an_answer_cannot_spoil_what_the_check_compares_with():
    def brighten_again(E, predict, iterations):
        E[:] = 0
        return E

    assert not checks.brighten_again(brighten_again).correct


def test_a_persons_interrupt_gets_through():
    def is_safe(m):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.is_safe(is_safe)
