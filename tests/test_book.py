"""The web book holds every page there is. (`make book` builds it; here its contents are read.)"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TREE = re.compile(r"```\{toctree\}\n((?::[^\n]*\n)*)\n(.*?)```", re.DOTALL)


def contents(index: str) -> dict[str, list[str]]:
    """Return the pages that the book's first page lists, by the part's caption."""
    found = {}
    for options, pages in TREE.findall(index):
        caption = re.search(r":caption: (.+)", options).group(1)
        found[caption] = pages.split()
    return found


def pages_of(part: str) -> list[str]:
    return contents((NOTEBOOKS / "index.md").read_text(encoding="utf-8"))[part]


def test_the_book_has_each_notebook_in_order():
    assert pages_of("Lessons") == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_the_book_has_each_page_of_words():
    words = {path.stem for path in NOTEBOOKS.glob("*.md")} - {"index"}
    assert set(pages_of("To look things up")) == words


def test_the_book_has_each_page_for_teachers():
    guide = {f"instructor/{path.stem}" for path in (NOTEBOOKS / "instructor").glob("*.md")}
    assert set(pages_of("For teachers")) == guide
    assert pages_of("For teachers")[0] == "instructor/README"


def test_contents_are_read():
    tree = "```{toctree}\n:caption: Part\n:maxdepth: 1\n\na_page\nb/c\n```\n"
    assert contents(f"# Book\n\n{tree}") == {"Part": ["a_page", "b/c"]}


def test_the_book_is_built_without_running_anything_and_without_warnings():
    configuration = (NOTEBOOKS / "book" / "conf.py").read_text(encoding="utf-8")
    assert 'nb_execution_mode = "off"' in configuration
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nbook:")[1].split("\n\n")[0]
    assert "--fail-on-warning" in recipe
    folder = re.search(r"notebooks (\S+)\n", recipe).group(1)
    assert f"{folder.split('/')[0]}/" in (ROOT / ".gitignore").read_text().splitlines()
