"""Write the repository's address, set once in pyproject.toml, wherever a reader clicks or clones.

    python tools/address.py      `make address` runs it

Set `Repository` under [project.urls] and `branch` under [tool.workbook], and run this. It rewrites
the badges for Colab and Binder and the set-up cells: in the README, in the pages, in the notebooks
and their scripts. Outputs stay as they are, so that no notebook must be run again.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GITHUB = "https://github.com/"
PLACES = (
    "https://colab.research.google.com/github/{name}/blob/{branch}/notebooks/",
    "git clone https://github.com/{name}",
    "https://mybinder.org/v2/gh/{name}/{branch}",
    'LLE_REPOSITORY", "https://github.com/{name}"',
    r"LLE_REPOSITORY\", \"https://github.com/{name}\"",  # in a notebook, quotes are escaped
)


def setting() -> tuple[str, str]:
    """Return "owner/name" and the branch, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    url = project["project"]["urls"]["Repository"]
    if not re.fullmatch(rf"{GITHUB}[\w.-]+/[\w.-]+", url):
        raise SystemExit(f"address: {url!r} in pyproject.toml is not {GITHUB}OWNER/REPO")
    return url.removeprefix(GITHUB), project["tool"]["workbook"]["branch"]


def pattern(place: str) -> re.Pattern:
    """Return what finds a place of `PLACES` with any name and branch."""
    escaped = re.escape(place).replace(r"\{name\}", r"(?P<name>[\w.-]+/[\w.-]+)")
    return re.compile(escaped.replace(r"\{branch\}", r"(?P<branch>[\w.-]+)"))


def rewrite(text: str, name: str, branch: str) -> str:
    """Return a text with its addresses replaced."""
    for place in PLACES:
        address = place.format(name=name, branch=branch)
        text = pattern(place).sub(lambda found, address=address: address, text)
    return text


def pages() -> list[Path]:
    """Return the files that hold addresses."""
    notebooks = ROOT / "notebooks"
    found = [*notebooks.glob("*.ipynb"), *notebooks.glob("py/*.py"), *notebooks.rglob("*.md")]
    return [ROOT / "README.md", *sorted(found)]


def main() -> int:
    """Rewrite all pages; say which have changed."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        rewritten = rewrite(text, *setting())
        if rewritten != text:
            page.write_text(rewritten, encoding="utf-8", newline="")
            print(page.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
