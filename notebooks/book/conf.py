"""Configuration of the web book that `make book` builds from the executed notebooks.

Sphinx reads notebooks/ and this file. No notebook is run: what the book shows are the committed
outputs. It needs no network, neither to build nor to read: formulas are written as MathML, which
browsers draw by themselves, and not by a script from a server.
"""

import json
import re
import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY = PROJECT["project"]["urls"]["Repository"]
BRANCH = PROJECT["tool"]["workbook"]["branch"]

project = "Low-Light Workbook"
author = "The Low-Light Workbook's authors"
project_copyright = author
root_doc = "index"
extensions = ["myst_nb"]
exclude_patterns = ["book", "py", "solved", "**.ipynb_checkpoints"]

# Pages and notebooks.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # a slider needs a running notebook: render.py stores a sentence instead
nb_code_prompt_show = "Show the set-up"
nb_code_prompt_hide = "Hide the set-up"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["book.css"]
html_math_renderer = "mathml"
html_copy_source = True
html_show_sourcelink = False
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": BRANCH,
    "path_to_docs": "notebooks",
    "use_repository_button": True,
    "use_source_button": True,
    "use_download_button": True,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "show_toc_level": 2,
    "navbar_persistent": [],  # one search field is enough: the one in the sidebar
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# The bars of |m| stand close to the m; the converter takes them for the sign of a relation.
BAR = '<mo stretchy="false">&#x0007C;</mo>'
CLOSE_BAR = BAR.replace("<mo", '<mo lspace="0" rspace="0"')
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OWN_BADGE = "book/static/open-in-colab.svg"


ALT = re.compile(r"^# Alt: (.+(?:\n# .+)*)\n", re.MULTILINE)
PICTURES = re.compile(r"(?<!plt\.)show\(|\.jpg\"")  # in cells that show pictures, not plots


def fold_setup(text):
    """Fold the code of a notebook's set-up cell: a reader of the book has nothing to set up."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if "setup" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
    return json.dumps(notebook)


def give_alt_texts(text):
    """Turn the comment `# Alt: ...` of a cell that draws a figure into the figure's alt text."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        code = "".join(cell["source"])
        found = ALT.search(code)
        if cell["cell_type"] == "code" and found:
            alt = found[1].replace("\n# ", " ")
            image = {"alt": alt, "classes": "together"} if PICTURES.search(code) else {"alt": alt}
            cell["metadata"]["mystnb"] = {"image": image}
            cell["source"] = code.replace(found[0], "")
    return json.dumps(notebook)


def make_self_contained(app, docname, source):
    """Prepare a page: set-up folded, alt texts, links to the repository, our own badge."""
    if app.env.doc2path(docname).suffix == ".ipynb":
        source[0] = give_alt_texts(fold_setup(source[0]))
    up = "../" * (docname.count("/") + 1)  # from the page's folder to the repository's top
    source[0] = source[0].replace(f"]({up}", f"]({REPOSITORY}/blob/{BRANCH}/")
    source[0] = source[0].replace(BADGE, OWN_BADGE)


def write_math(self, node, display):
    """Write a formula as MathML; a formula that cannot be converted is a warning."""
    try:
        mathml = convert(node.astext(), display=display).replace(BAR, CLOSE_BAR)
    except Exception as error:
        getLogger(__name__).warning("formula %r: %s", node.astext(), error, location=node)
        raise nodes.SkipNode from None
    self.body.append(mathml if display == "inline" else f'<div class="formula">{mathml}</div>')
    raise nodes.SkipNode


def setup(app):
    """Tell Sphinx about the functions above."""
    app.connect("source-read", make_self_contained)
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(lambda self, node: write_math(self, node, "inline"), None),
        block_renderers=(lambda self, node: write_math(self, node, "block"), None),
    )
