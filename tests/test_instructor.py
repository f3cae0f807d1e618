"""The instructor's guide covers every notebook, and the times of its lessons add up."""

import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
GUIDE = NOTEBOOKS / "instructor"
LESSONS = sorted(GUIDE.glob("lesson_*.md"))


def notebooks_of(lesson: Path) -> list[str]:
    """Return the names of the notebooks that a lesson names above its first section."""
    head = lesson.read_text(encoding="utf-8").split("\n## ")[0]
    return re.findall(r"\(\.\./([\w]+\.ipynb)\)", head)


def rows(lesson: Path) -> list[list[str]]:
    """Return the rows of the table of times, without its head."""
    lines = re.findall(r"^\|(.+)\|$", lesson.read_text(encoding="utf-8"), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def test_there_are_five_lessons_over_all_notebooks():
    covered = [name for lesson in LESSONS for name in notebooks_of(lesson)]
    assert len(LESSONS) == 5
    assert covered == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_times_add_up(lesson):
    for column, total in ((0, 90), (1, 45)):
        minutes = [int(row[column]) for row in rows(lesson) if row[column] != "-"]
        assert sum(minutes) == total
