"""The glossary and the references keep up with the notebooks."""

import re
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SCRIPTS = sorted((NOTEBOOKS / "py").glob("*.py"))
IDENTIFIER = re.compile(r"(doi:10\.\d+/[^\s\]]+|arXiv:\d{4}\.\d{4,5})\]\(https://([^)\s]+)\)")


def text_of(path: Path) -> str:
    """Return a text; of a notebook's script, its comments without the sign and joined."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\n# ?", "\n", text) if path.suffix == ".py" else text


def entries() -> list[str]:
    return re.findall(r"^- .+(?:\n  .+)*", text_of(NOTEBOOKS / "references.md"), re.MULTILINE)


def cited(text: str) -> set[str]:
    return {identifier for identifier, _ in IDENTIFIER.findall(text)}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_each_source_of_a_notebook_is_in_the_references(script):
    number, sources = script.stem[:2], cited(text_of(script))
    for source in sources:
        holding = [entry for entry in entries() if source in cited(entry)]
        assert holding, f"notebook {number} cites {source}; references.md does not have it"
        assert f"[{number}]({script.stem}.ipynb)" in holding[0], f"{source}: used in {number}, too"


def test_no_reference_is_said_to_be_used_where_it_is_not():
    for entry in entries():
        for number, name in re.findall(r"\[(\d\d)\]\(([\w]+)\.ipynb\)", entry):
            text = text_of(NOTEBOOKS / "py" / f"{name}.py")
            title = " ".join(re.search(r'"([^"]+)"', entry).group(1).split())
            known = (
                cited(entry) & cited(text) or title.lower()[:25] in " ".join(text.split()).lower()
            )
            assert known, f"notebook {number} does not cite {title}"


@pytest.mark.parametrize(
    "path", [*SCRIPTS, NOTEBOOKS / "references.md"], ids=lambda path: path.stem
)
def test_a_source_links_to_its_own_address(path):
    for identifier, address in IDENTIFIER.findall(text_of(path)):
        kind, _, number = identifier.partition(":")
        assert address == {"doi": "doi.org/", "arXiv": "arxiv.org/abs/"}[kind] + number


def test_what_cites_is_found():
    text = "see\n# [doi:10.1/a.b_c](https://doi.org/10.1/a.b_c), [arXiv:1234.56789](https://arxiv.org/abs/1)"
    assert cited(text) == {"doi:10.1/a.b_c", "arXiv:1234.56789"}
    assert any(cited(text_of(script)) for script in SCRIPTS)


def test_the_spell_checker_reads_lessons_and_pages():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["codespell"]
    patterns = settings["skip"].split(",")
    for path in [*SCRIPTS, *NOTEBOOKS.rglob("*.md"), ROOT / "README.md", ROOT / "data/README.md"]:
        name = path.relative_to(ROOT).as_posix()
        assert not [one for one in patterns if fnmatch(name, one) or fnmatch(path.name, one)], name


# The glossary


def glossary() -> dict[str, str]:
    """Return what each word is said to mean."""
    parts = re.split(r"^## ", text_of(NOTEBOOKS / "glossary.md"), flags=re.MULTILINE)[1:]
    return {part.split("\n")[0]: part.split("\n", 1)[1] for part in parts}


def test_the_glossary_is_in_alphabetical_order():
    assert list(glossary()) == sorted(glossary(), key=str.lower)


@pytest.mark.parametrize("word", glossary())
def test_a_word_is_taught_where_the_glossary_says(word):
    entry = glossary()[word]
    names = re.findall(r"\((\d\d_\w+)\.ipynb\)", entry)
    assert names or re.match(r"\s*See \[", entry), f"{word} links to no notebook"
    for name in names:
        text = text_of(NOTEBOOKS / "py" / f"{name}.py").lower()
        for part in re.findall(r"\w+", word.lower()):
            assert part[:5] in text, f"notebook {name[:2]} does not say {word!r}"


# In the notebook that teaches a word, its first use is a link to the glossary

NOT_PROSE = re.compile(
    r"""```.*?```|\$\$.*?\$\$          # code and formulas that stand alone
    |<summary>.*?</summary>         # a question is a heading
    |!?\[[^\]]*\]\([^)]*\)          # links, with their texts
    |^\#+\ [^\n]*|^>[^\n]*          # headings and quotations
    |\$[^$\n]+(?:\n[^$\n]+)?\$      # formulas in a line""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
INLINE_CODE = re.compile(r"`([^`\n]*)`")
TO_GLOSSARY = re.compile(r"\]\(glossary\.md#([\w-]+)\)")


def anchor(word: str) -> str:
    return word.lower().replace(" ", "-")


def taught() -> list[tuple[str, str]]:
    """Return each notebook's name with each word that it teaches, as the glossary has it."""
    return sorted(
        (name, word)
        for word, entry in glossary().items()
        for name in re.findall(r"\((\d\d_\w+)\.ipynb\)", entry)
    )


@cache
def texts(name: str) -> list[str]:
    cells = jupytext.read(NOTEBOOKS / "py" / f"{name}.py").cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def first_use(word: str, text: str) -> int | None:
    """Return where a text first uses a word in prose, in the singular or the plural, unlinked."""
    text = NOT_PROSE.sub(lambda found: re.sub(r"\S", "_", found[0]), text)
    # A word that is a name in the code, such as `flag`, is used by its name.
    text = INLINE_CODE.sub(
        lambda found: found[0] if found[1].lower() == word.lower() else len(found[0]) * "_", text
    )
    said = r"\s+".join(map(re.escape, word.split()))
    found = re.search(rf"(?<![\w-]){said}(?:e?s)?(?![\w-])", text, re.IGNORECASE)
    return found.start() if found else None


def complaint(word: str, cells: list[str]) -> str | None:
    """Say what is wrong with the links to a word; the opening may use words without a link."""
    links = [
        (index, link.start())
        for index, text in enumerate(cells)
        for link in TO_GLOSSARY.finditer(text)
        if link[1] == anchor(word)
    ]
    uses = [(index, first_use(word, text)) for index, text in enumerate(cells) if index]
    uses = [(index, place) for index, place in uses if place is not None]
    if not links:
        where = f"cell of the text {uses[0][0]}" if uses else "nowhere in prose"
        return f"has no link to glossary.md#{anchor(word)}; first use: {where}"
    if uses and uses[0] < links[0]:
        index, place = uses[0]
        return f"is used before its link: {cells[index][max(0, place - 30) : place + 30]!r}"
    return None


@pytest.mark.parametrize(("name", "word"), taught(), ids=lambda value: value)
def test_the_first_use_of_a_taught_word_is_linked(name, word):
    wrong = complaint(word, texts(name))
    assert not wrong, f"notebook {name[:2]}: {word!r} {wrong}"


@pytest.mark.parametrize("name", [script.stem for script in SCRIPTS])
def test_only_the_first_use_is_linked_and_every_link_has_its_word(name):
    links = TO_GLOSSARY.findall("\n".join(texts(name)))
    twice = sorted({link for link in links if links.count(link) > 1})
    assert not twice, f"notebook {name[:2]} links more than once to {', '.join(twice)}"
    unknown = set(links) - {anchor(word) for word in glossary()}
    assert not unknown, f"notebook {name[:2]}: the glossary has no {', '.join(sorted(unknown))}"


def test_first_uses_are_found():
    opening, link = "Stops, stops.", "A **[stop](glossary.md#stop)** is a factor of 2."
    assert complaint("stop", [opening, "## One stop", link, "two stops"]) is None
    assert complaint("stop", [opening, link]) is None
    assert "no link" in complaint("stop", [opening, "A stop."])
    assert "before its link" in complaint("stop", [opening, "Two\nstops.", link])
    assert "before its link" in complaint("stop", [opening, "Two stops. " + link])
    for text in ("```python\nstop\n```", "$stop$", "> stop", "unstoppable stop-gap", "`stop()`"):
        assert first_use("stop", text) is None
    assert first_use("code value", "two code\nvalues") == 4
    assert first_use("flag", "the `flag` says") == 5
