"""Exercises: each has all its parts, and its check tells right answers from wrong ones, in words.

The tasks, stubs, checks and solutions are read from the notebooks. The check cells are run as they
stand, on the stub, on the folded solution, on right answers written differently, and on typical
mistakes, each of which must get its own diagnosis.
"""

import ast
import contextlib
import copy
import importlib
import importlib.util
import sys
import threading
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest

from lle_utils import checks
from lle_utils.checks import verdicts

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted((NOTEBOOKS / "py").glob("*.py"))


def load_solve():
    sys.path.insert(0, str(NOTEBOOKS))  # solve.py imports render.py, beside it
    try:
        spec = importlib.util.spec_from_file_location("solve", NOTEBOOKS / "solve.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(NOTEBOOKS))
    return module


solve = load_solve()
DOCUMENTS = {script.stem: jupytext.read(script) for script in SCRIPTS}
EXERCISES = {
    exercise.number: (name, exercise)
    for name, document in DOCUMENTS.items()
    for exercise in solve.exercises(document)
}


def definitions(name: str, before: int) -> dict:
    """Return what a notebook imports and defines above a cell: no data, so nothing takes long."""
    namespace = {}
    for cell in DOCUMENTS[name].cells[:before]:
        if cell.cell_type != "code" or "setup" in cell.metadata.get("tags", []):
            continue
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
        kept = [node for node in ast.parse(source).body if isinstance(node, kinds)]
        exec(compile(ast.Module(kept, []), name, "exec"), namespace)
    return namespace


def judge(number: str, answer: str) -> verdicts.Verdict:
    """Run an answer in place of the stub, and then the check cell; return the verdict."""
    name, exercise = EXERCISES[number]
    namespace = definitions(name, exercise.index)
    exec(answer, namespace)
    return eval(exercise.check, namespace)


# Of each exercise a second right answer, written in another way than the folded one, and typical
# mistakes, each with a part of its diagnosis.

ANSWERS = [
    importlib.import_module(f"answers.{file.stem}")
    for file in sorted((Path(__file__).parent / "answers").glob("[a-z]*.py"))
]
RIGHT = {number: answer for module in ANSWERS for number, answer in module.RIGHT.items()}
WRONG = {number: answers for module in ANSWERS for number, answers in module.WRONG.items()}
MORE_RIGHT = [
    (number, answer)
    for module in ANSWERS
    for number, answers in getattr(module, "MORE_RIGHT", {}).items()
    for answer in answers
]


def test_every_exercise_is_tried():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_exercises_are_whole_and_counted(name):
    found = solve.exercises(DOCUMENTS[name])
    stubs = [cell for cell in DOCUMENTS[name].cells if "exercise" in cell.metadata.get("tags", [])]
    tried = [cell for cell in DOCUMENTS[name].cells if "check" in cell.metadata.get("tags", [])]
    assert len(stubs) == len(tried) == len(found)
    chapter = int(name[:2])
    assert [task.number for task in found] == [f"{chapter}.{n}" for n in range(1, len(found) + 1)]
    if found:
        assert 3 <= len(found) <= 5
    text = "\n".join(cell.source for cell in DOCUMENTS[name].cells)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<details>") == text.count("</summary>\n\n"), "no empty line: not rendered"


@pytest.mark.parametrize("part", ["heading", "check", "hint", "solution"])
def test_an_exercise_without_a_part_is_refused(part):
    document = copy.deepcopy(DOCUMENTS["02_bend_one_curve"])
    index = solve.exercises(document)[0].index
    cells = document.cells
    if part == "heading":
        cells[index - 1].source = cells[index - 1].source.replace("### Exercise", "### Task")
    elif part == "check":
        cells[index + 1].metadata["tags"] = []
    elif part == "hint":
        cells[index + 2].source = cells[index + 2].source.replace("Hint", "Help")
    else:
        cells[index + 2].source = cells[index + 2].source.replace("```python", "```")
    with pytest.raises(ValueError, match="Exercise 2.1|no heading"):
        solve.exercises(document)


LESSON = """# %%
from lle_utils import checks

# %% [markdown]
# ### Exercise 2.1. Right

# %% tags=["exercise"]
is_safe = ...

# %% tags=["check"]
checks.is_safe(is_safe)

# %% [markdown]
# <details><summary>Hint</summary>
#
# None.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# is_safe = lambda m: abs(m) <= 1
# ```
#
# </details>
"""


def test_solving_fills_in_executes_and_tells_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))  # the kernel imports this package
    second = LESSON.replace("2.1. Right", "2.2. Wrong").replace("abs(m)", "m")
    script, notebook = tmp_path / "02_lesson.py", tmp_path / "02_lesson.ipynb"
    script.write_text(LESSON + "\n" + second)
    (line,) = solve.solve(script, notebook)
    assert line.startswith("Exercise 2.2. Wrong Not right yet: ")
    stubs = [cell.source for cell in nbformat.read(notebook, 4).cells if "lambda" in cell.source]
    assert "is_safe = lambda m: abs(m) <= 1" in stubs


@pytest.mark.parametrize("number", EXERCISES)
def test_the_stub_is_told_to_be_filled_in(number):
    verdict = judge(number, EXERCISES[number][1].stub)
    assert not verdict.correct and verdict.message.startswith("Not filled in yet: ")


@pytest.mark.parametrize("number", EXERCISES)
def test_the_committed_notebook_shows_the_stubs_verdict(number):
    name, task = EXERCISES[number]
    cell = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells[task.index + 1]
    shown = cell.outputs[0].data["text/plain"]
    assert shown.startswith("Not filled in yet: ")


@pytest.mark.parametrize("number", EXERCISES)
def test_the_folded_solution_is_correct(number):
    verdict = judge(number, EXERCISES[number][1].solution)
    assert verdict.correct and verdict.message.startswith("Correct. "), verdict.message


@pytest.mark.parametrize("number", RIGHT)
def test_a_right_answer_written_differently_is_correct(number):
    verdict = judge(number, RIGHT[number])
    assert verdict.correct, verdict.message


@pytest.mark.parametrize(("number", "answer"), MORE_RIGHT)
def test_another_right_answer_is_correct(number, answer):
    solution = EXERCISES[number][1].solution
    verdict = judge(number, answer.replace("{cost}", solution.split("\n\n\n")[0]))
    assert verdict.correct, verdict.message


@pytest.mark.parametrize(
    ("number", "answer", "diagnosis"),
    [
        pytest.param(number, answer, diagnosis, id=f"{number}-{diagnosis}")
        for number, answers in WRONG.items()
        for answer, diagnosis in answers
    ],
)
def test_a_typical_mistake_gets_its_diagnosis(number, answer, diagnosis):
    solution = EXERCISES[number][1].solution
    verdict = judge(number, answer.replace("{cost}", solution.split("\n\n\n")[0]))
    assert not verdict.correct and verdict.message.startswith("Not right yet: ")
    assert diagnosis in verdict.message, verdict.message


def explode(*arguments, **named):
    raise RuntimeError("boom")


def leave(*arguments, **named):
    raise SystemExit(1)


NONSENSE = {
    "None": None,
    "dots": ...,
    "a number": 3.7,
    "nan": float("nan"),
    "a string": "many",
    "a list": [1, [2, 3]],
    "an object": object(),
    "an array": np.zeros((3, 2)),
    "returns None": lambda *arguments, **named: None,
    "returns dots": lambda *arguments, **named: ...,
    "returns a string": lambda *arguments, **named: "yes",
    "returns a number": lambda *arguments, **named: -17.3,
    "returns nan": lambda *arguments, **named: np.nan,
    "returns an array": lambda *arguments, **named: np.full((2, 2), 9.0),
    "returns objects": lambda *arguments, **named: [object(), [object()]],
    "takes nothing": lambda: 1,
    "raises": explode,
    "exits": leave,
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("number", EXERCISES)
def test_no_check_raises_or_believes_nonsense(number, nonsense):
    """Put one thing in place of every name that the stub assigns or defines."""
    name, task = EXERCISES[number]
    answer = NONSENSE[nonsense]
    namespace = definitions(name, task.index)
    for node in ast.walk(ast.parse(task.check)):
        if isinstance(node, ast.Name) and node.id != "checks":
            namespace[node.id] = answer
    verdict = eval(task.check, namespace)
    assert isinstance(verdict, verdicts.Verdict) and not verdict.correct
    assert not bool(verdict) and len(verdict.message) > 20
    assert repr(verdict).replace("\n", " ") == verdict.message


def test_a_network_written_as_a_class_is_judged_and_keeps_its_weights():
    import keras

    class Wide(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Conv2D(8, 3, dilation_rate=15, padding="same")
            self.last = keras.layers.Conv2D(3, 1, activation="sigmoid")

        def call(self, images):
            return self.last(self.first(images))

    network = Wide()
    network(np.zeros((1, 4, 4, 3), np.float32))
    before = network.get_weights()
    verdict = checks.far_seeing_network(network)
    assert verdict.correct and "31 pixels" in verdict.message
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_single_precision_is_as_right():
    def in_a_loop(img, index, flag=1, *, predict):
        img = np.float32(img)
        for _ in range(index):
            M = np.float32(predict(img))
            img, flag = img / np.float32(255 if flag else 1), 0
            img = img + M * img * (1 - img)
        return img

    assert checks.founding_loop(in_a_loop).correct
    assert checks.odds_factor(lambda x, m: np.float32(1) + m / (1 - m * np.float32(x))).correct
    assert checks.first_values(lambda c: np.maximum(np.float32(c) / 255, np.float32(0.5 / 255)))


# The machinery


def test_an_answer_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(verdicts, "SECONDS", 0.2)

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
    def first_values(codes):
        codes[:] = 0
        return np.full(codes.shape, 0.5 / 255)

    assert not checks.first_values(first_values).correct


def test_a_persons_interrupt_gets_through():
    def is_safe(m):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.is_safe(is_safe)
