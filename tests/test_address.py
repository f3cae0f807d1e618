"""One setting holds the repository's address; every badge and every set-up cell agrees with it."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import address  # noqa: E402

NAME, BRANCH = address.setting()


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
    assert sorted(opened) == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_what_is_around_an_address_stays():
    cell = '\\"LLE_REPOSITORY\\", \\"https://github.com/OWNER/REPO\\")\\n'
    assert address.rewrite(cell, "me/it", "x") == cell.replace("OWNER/REPO", "me/it")
    other = "https://github.com/mwouts/jupytext and https://mybinder.org/"
    assert address.rewrite(other, "a/b", "c") == other
