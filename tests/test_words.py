"""The glossary and the references keep up with the notebooks."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

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

OTHERWISE = {"receptive field": "how far does it see"}  # a textbook's word, and the notebook's


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
        said = OTHERWISE.get(word, word)
        for part in re.findall(r"\w+", said.lower()):
            assert part[:5] in text, f"notebook {name[:2]} does not say {word!r}"
