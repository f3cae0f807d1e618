"""The instructor's guide is true of the notebooks: times add up, sections and numbers exist."""

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
GUIDE = NOTEBOOKS / "instructor"
LESSONS = sorted(GUIDE.glob("lesson_*.md"))
NUMBER = re.compile(r"(?<![\w.,])\d+(?:\.\d+|(?:,\d{3})+)(?![\w,]*\d)")  # 0.38 or 67,299

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@cache
def notebook(name: str):
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def notebooks_of(lesson: Path) -> list:
    """Return the notebooks that a lesson names above its first section."""
    head = lesson.read_text(encoding="utf-8").split("\n## ")[0]
    return [notebook(name) for name in re.findall(r"\(\.\./([\w]+\.ipynb)\)", head)]


def rows(lesson: Path) -> list[list[str]]:
    """Return the rows of the table of times, without its head."""
    lines = re.findall(r"^\|(.+)\|$", lesson.read_text(encoding="utf-8"), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def contents(document) -> str:
    """Return all that stands in a notebook, sources and printed outputs."""
    texts = []
    for cell in document.cells:
        texts.append(cell.source)
        for output in cell.get("outputs", []):
            texts += [output.get("text", ""), str(output.get("data", {}).get("text/plain", ""))]
    return "\n".join(texts)


def headings(document) -> list[str]:
    text = "\n".join(cell.source for cell in document.cells if cell.cell_type == "markdown")
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def test_there_are_five_lessons_over_all_notebooks():
    assert len(LESSONS) == 5
    covered = [document.cells[0].source[:5] for one in LESSONS for document in notebooks_of(one)]
    assert (
        covered
        == [f"# {path.name[:2]}." for path in sorted(NOTEBOOKS.glob("*.ipynb"))][: len(covered)]
    )
    assert len(covered) == len(list(NOTEBOOKS.glob("*.ipynb")))


@each_lesson
def test_the_times_add_up(lesson):
    for column, total in ((0, 90), (1, 45)):
        minutes = [int(row[column]) for row in rows(lesson) if row[column] != "-"]
        assert sum(minutes) == total


@each_lesson
def test_sections_that_are_named_exist(lesson):
    text = lesson.read_text(encoding="utf-8")
    known = [heading for document in notebooks_of(lesson) for heading in headings(document)]
    parts = re.split(r"\n## ", text)
    skip = next(part for part in parts if part.startswith("What to skip"))
    for title in re.findall(r'"([^"]+)"', " ".join((*(row[-1] for row in rows(lesson)), skip))):
        title = " ".join(title.split())
        assert any(title in heading for heading in known), f"no section is called {title!r}"


@each_lesson
def test_sections_that_are_numbered_exist(lesson):
    documents = notebooks_of(lesson)
    for row in rows(lesson):
        place = row[2]
        named = re.match(r"(\d\d), (?=\d)", place)
        if len(row) == 3 or not re.fullmatch(r"(\d\d, )?\d+( (to|and) \d+|, \d+)*", place):
            continue
        if named:
            (document,) = (one for one in documents if one.cells[0].source[2:4] == named[1])
        else:
            (document,) = documents
        numbers = re.findall(r"\d+", place.removeprefix(named[0]) if named else place)
        for number in numbers:
            assert any(one.startswith(f"{number}. ") for one in headings(document)), place


@each_lesson
def test_numbers_that_are_quoted_are_in_the_notebooks(lesson):
    known = "\n".join(contents(document) for document in notebooks_of(lesson))
    for number in NUMBER.findall(lesson.read_text(encoding="utf-8")):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", known), f"{number}: from where?"


def test_a_number_is_recognized():
    assert NUMBER.findall("m = 0.38, 67,299 maps; 7.75 to 19.10 dB, 15 of 500, 1, 2") == [
        "0.38",
        "67,299",
        "7.75",
        "19.10",
    ]
