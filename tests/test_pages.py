"""The pages around the notebooks: all in the book, one address, links that lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import address  # noqa: E402
import links  # noqa: E402

PAGES = ROOT / "notebooks"
NOTEBOOKS = sorted(path.name for path in PAGES.glob("*.ipynb"))
LESSONS = sorted((PAGES / "instructor").glob("lesson_*.md"))
TREE = re.compile(r"```\{toctree\}\n((?::[^\n]*\n)*)\n(.*?)```", re.DOTALL)
NAME, BRANCH = address.setting()


def test_the_book_has_every_page():
    trees = TREE.findall((PAGES / "index.md").read_text(encoding="utf-8"))
    parts = {re.search(r":caption: (.*)", options)[1]: pages.split() for options, pages in trees}
    assert [f"{page}.ipynb" for page in parts["Lessons"]] == NOTEBOOKS
    assert {*parts["Reference"], "index"} == {path.stem for path in PAGES.glob("*.md")}
    guide = {f"instructor/{path.stem}" for path in (PAGES / "instructor").glob("*.md")}
    assert set(parts["For teachers"]) == guide


def test_links_of_the_repository_lead_somewhere_and_a_broken_one_is_found(tmp_path):
    assert links.main([]) == 0
    (tmp_path / "page.md").write_text("# Title\n[a](#title) [b](none.md) ![c](#nowhere)\n")
    assert len(links.broken_links(tmp_path / "page.md", tmp_path)) == 2


def test_there_are_five_lessons_over_all_notebooks():
    heads = [lesson.read_text(encoding="utf-8").split("\n## ")[0] for lesson in LESSONS]
    assert len(LESSONS) == 5
    assert re.findall(r"\(\.\./([\w]+\.ipynb)\)", "".join(heads)) == NOTEBOOKS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_times_of_a_lesson_add_up(lesson):
    rows = re.findall(r"^\|(.+)\|$", lesson.read_text(encoding="utf-8"), re.MULTILINE)[2:]
    columns = zip(*(row.split("|")[:2] for row in rows), strict=True)
    minutes = [sum(int(cell) for cell in column if cell.strip() != "-") for column in columns]
    assert minutes == [90, 45]


def addresses(text: str) -> set[tuple]:
    """Return (owner/name, branch) of each address; the branch is None for a set-up cell."""
    patterns = map(address.pattern, address.PLACES)
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    return {(match["name"], match.groupdict().get("branch")) for match in found}


@pytest.mark.parametrize("page", address.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_address_is_the_one_that_is_set_and_can_be_moved(page):
    text = page.read_text(encoding="utf-8")
    assert addresses(text) <= {(NAME, BRANCH), (NAME, None)}, "run `make address`"
    if page.suffix in (".ipynb", ".py"):
        assert len(addresses(text)) == 2, "a lesson has a badge and a set-up cell"
    moved = address.rewrite(text, "me/mine-2", "dev")
    assert NAME not in moved, f"an address that `make address` does not know: {page}"
    assert addresses(moved) <= {("me/mine-2", "dev"), ("me/mine-2", None)}
    assert address.rewrite(moved, NAME, BRANCH) == text


def test_the_readme_has_a_badge_for_each_notebook():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    opened = re.findall(r"colab\.research\.google\.com/\S+/notebooks/([\w.]+)\)", readme)
    assert sorted(opened) == NOTEBOOKS


def test_other_addresses_stay():
    other = "https://github.com/mwouts/jupytext and https://mybinder.org/"
    assert address.rewrite(other, "a/b", "c") == other
