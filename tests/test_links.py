"""Every link inside the repository leads somewhere, and the checker notices where one does not."""

import json
import subprocess
import sys

import links
import pytest

GOAL = """# A title, with `code` & more

## Twice
## Twice

```
# not a heading
```
<a id="mark"></a>
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "goal.md").write_text(GOAL)
    (tmp_path / "a picture.png").write_bytes(b"")
    return tmp_path


def complaints(folder, text: str) -> list[str]:
    path = folder / "page.md"
    path.write_text(text)
    return links.broken_links(path, folder)


FILES = links.files(links.ROOT / place for place in links.DEFAULT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(links.ROOT)))
def test_links_of_the_repository(path):
    assert not links.broken_links(path)


@pytest.mark.parametrize(
    "text",
    [
        "[a](goal.md)",
        "[a](goal.md#a-title-with-code--more)",
        "[a](goal.md#twice) and [b](goal.md#twice-1)",
        "[a](goal.md#mark)",
        "[over\ntwo lines](goal.md)",
        "![picture](a%20picture.png)",
        "# Here\n\n[a](#here)",
        "[![badge](https://example.org/b.svg)](goal.md)",
        "[a]: goal.md",
        "[a](https://example.org/nothing) [b](mailto:me@example.org)",
        "`[code](nothing.md)`",
        "```\n[code](nothing.md)\n```",
    ],
)
def test_a_good_link(folder, text):
    assert complaints(folder, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a](nothing.md)", "nothing.md does not exist"),
        ("[a](goal.md#thrice)", "no heading for #thrice"),
        ("[a](goal.md#not-a-heading)", "no heading for #not-a-heading"),
        ("[a](goal.md#twice-2)", "no heading"),
        ("[a](#nowhere)", "no heading"),
        ("[a](../elsewhere.md)", "outside of the repository"),
        ("[over\ntwo lines](nothing.md)", "does not exist"),
        ("![picture](nothing.png)", "does not exist"),
        ("[![badge](nothing.svg)](goal.md)", "does not exist"),
        ("[a]: nothing.md", "does not exist"),
        ('<img alt="a" src="nothing.jpg">', "does not exist"),
        ("[a](goal.md) and [b](nothing.md)", "nothing.md"),
    ],
)
def test_a_broken_link(folder, text, said):
    (complaint,) = complaints(folder, text)
    assert said in complaint


def test_a_notebook(folder):
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "[good](goal.md), [bad](gone.ipynb)"]},
        {"cell_type": "code", "source": ["'](neither_a_link.md)'"]},
    ]
    path = folder / "lesson.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert links.broken_links(path, folder) == ["gone.ipynb does not exist"]
    assert links.anchors(path) == {"title"}


def test_the_command(tmp_path):
    page = tmp_path / "page.md"
    for text, status in (("# Fine\n\n[a](#fine)", 0), ("[a](#broken)", 1)):
        page.write_text(text)
        command = [sys.executable, links.__file__, str(page)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == status
        assert ("#broken" in done.stderr) == bool(status)


def test_what_is_made_from_notebooks_is_skipped(tmp_path):
    for folder in ("solved", ".ipynb_checkpoints", "lessons"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "page.md").write_text("")
    assert links.files([tmp_path]) == [tmp_path / "lessons" / "page.md"]


def test_checking_nothing_is_a_failure(tmp_path):
    assert links.main([tmp_path]) == 1


def test_make_lint_checks_spelling_and_links():
    makefile = (links.ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nlint:")[1].split("\n\n")[0]
    assert "codespell" in recipe and "tests/links.py" in recipe
