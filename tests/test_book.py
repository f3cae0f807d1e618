"""The web book holds every page there is, and the links of the repository lead somewhere."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TREE = re.compile(r"```\{toctree\}\n((?::[^\n]*\n)*)\n(.*?)```", re.DOTALL)
sys.path.insert(0, str(ROOT / "tools"))
import links  # noqa: E402


def pages_of(part: str) -> list[str]:
    """Return the pages that a part of the book's first page lists."""
    trees = TREE.findall((NOTEBOOKS / "index.md").read_text(encoding="utf-8"))
    return next(pages.split() for options, pages in trees if f":caption: {part}\n" in options)


def test_the_book_has_each_notebook_in_order():
    assert pages_of("Lessons") == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_the_book_has_each_page_of_text():
    texts = {path.stem for path in NOTEBOOKS.glob("*.md")} - {"index"}
    assert set(pages_of("Reference")) == texts
    guide = {f"instructor/{path.stem}" for path in (NOTEBOOKS / "instructor").glob("*.md")}
    assert set(pages_of("For teachers")) == guide


def test_links_of_the_repository_lead_somewhere():
    assert links.main([]) == 0


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "page.md").write_text("# Title\n[a](#title) [b](none.md) ![c](#nowhere)\n")
    assert len(links.broken_links(tmp_path / "page.md", tmp_path)) == 2
