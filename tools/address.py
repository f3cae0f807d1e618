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
NAME, BRANCH = r"(?P<name>[\w.-]+/[\w.-]+)", r"(?P<branch>[\w.-]+)"
PLACES = tuple(
    re.compile(place)
    for place in (
        rf"https://colab\.research\.google\.com/github/{NAME}/blob/{BRANCH}/notebooks/",
        rf"git clone {GITHUB}{NAME}",
        rf"https://mybinder\.org/v2/gh/{NAME}/{BRANCH}(?=[?)\s])",
        rf'LLE_REPOSITORY\\?", \\?"{GITHUB}{NAME}\\?"',  # in a notebook, quotes are escaped
    )
)


def setting() -> tuple[str, str]:
    """Return "owner/name" and the branch, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    url = project["project"]["urls"]["Repository"]
    if not re.fullmatch(rf"{GITHUB}[\w.-]+/[\w.-]+", url):
        raise SystemExit(f"address: {url!r} in pyproject.toml is not {GITHUB}OWNER/REPO")
    return url.removeprefix(GITHUB), project["tool"]["workbook"]["branch"]


def rewrite(text: str, name: str, branch: str) -> str:
    """Return a text with its addresses replaced."""
    for place in PLACES:
        text = place.sub(lambda found: _replace(found, {"name": name, "branch": branch}), text)
    return text


def _replace(found: re.Match, new: dict[str, str]) -> str:
    text = found[0]
    for group in reversed(found.groupdict()):  # from the back: what comes before keeps its place
        start, end = (place - found.start() for place in found.span(group))
        text = text[:start] + new[group] + text[end:]
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
