"""Check that what links and pictures in Markdown files and notebooks name exists.

    python tools/links.py README.md notebooks

names each broken one; `make lint` runs it. Only links inside the repository are looked at, with
their anchors (GitHub's: a heading in lower case, without punctuation, with dashes for spaces).
Nothing is asked of the network.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ("README.md", "CONTRIBUTING.md", "data", "notebooks")
SKIPPED = {".ipynb_checkpoints", "solved"}  # made from what is checked
CODE = re.compile(r"^ *(```+|~~~+).*?^ *\1 *$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
TARGETS = re.compile(r"""\]\(<?([^)\s>]+)|^ *\[[^\]]+\]: *(\S+)|(?:src|href)=["']([^"']+)""", re.M)
HEADING = re.compile(r"^ {0,3}#{1,6} +(.+?)[ #]*$", re.MULTILINE)
OWN_ANCHOR = re.compile(r"""<[^>]*\b(?:id|name)=["']([^"']+)""")


def words(path: Path) -> str:
    """Return a file's Markdown: all of it, or a notebook's text cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def anchors(path: Path) -> set[str]:
    """Return what can follow # in a link to this file."""
    text = CODE.sub(lambda found: found[0].strip("`") if "\n" not in found[0] else "", words(path))
    found = set(OWN_ANCHOR.findall(text))
    for heading in HEADING.findall(text):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found.add(slug)
    return found


def broken_links(path: Path, root: Path = ROOT) -> list[str]:
    """Return a complaint for each link of a file that leads nowhere."""
    complaints = []
    for match in TARGETS.finditer(CODE.sub("", words(path))):
        target = next(filter(None, match.groups()))
        if re.match(r"[a-zA-Z][\w+.-]*:|//", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        goal = (path.parent / name).resolve() if name else path.resolve()
        if goal != path.resolve() and not goal.is_relative_to(root.resolve()):
            complaints.append(f"{target} is outside the repository")
        elif not goal.exists():
            complaints.append(f"{target} does not exist")
        elif anchor and goal.suffix in (".md", ".ipynb") and anchor not in anchors(goal):
            complaints.append(f"{target}: there is no heading for #{anchor}")
    return complaints


def files(places) -> list[Path]:
    """Return the Markdown files and notebooks of some files and folders."""
    found = []
    for place in map(Path, places):
        inside = [place] if place.is_file() else sorted(place.rglob("*"))
        found += [path for path in inside if path.suffix in (".md", ".ipynb")]
    return [path for path in found if not SKIPPED & set(path.parts)]


def main(places) -> int:
    """Check all files, print what is wrong, and return 1 if anything is."""
    checked = files(places or [ROOT / place for place in DEFAULT])
    wrong = [(path, what) for path in checked for what in broken_links(path)]
    for path, what in wrong:
        print(f"{path}: {what}", file=sys.stderr)
    print(f"links: {len(checked)} files, {len(wrong)} broken links")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
