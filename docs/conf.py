"""How `make docs` turns these pages into a site, without asking the network for anything.

A link that leads nowhere is a warning of Sphinx, and `make docs` fails on any warning. The
documents at the repository's root are pages of the site, too: each has a stub in `project/`.
"""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent

project = "Sophiie"
copyright = "the Sophiie contributors"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]
exclude_patterns = ["_site"]
html_theme = "furo"
html_title = f"Sophiie {release}"
html_copy_source = False
html_show_sourcelink = False
myst_heading_anchors = 3
nitpicky = True

_STUBS = {path.stem.upper(): path.stem for path in (ROOT / "docs" / "project").glob("*.md")}
_TO_A_ROOT_DOCUMENT = re.compile(rf"\]\((?:\.\./)*({'|'.join(_STUBS)})\.md")
_TO_ANOTHER_FILE = re.compile(r"\]\((?!\w+:|/|#|\.\.)")


def show_root_documents(_app: Sphinx, page: str, source: list[str]) -> None:
    """Replaces a stub by its document, and leads links to such a document to its page."""
    folder, _, name = page.rpartition("/")
    if folder == "project":
        document = (ROOT / f"{name.upper()}.md").read_text().replace("](docs/", "](../")
        source[0] = _TO_ANOTHER_FILE.sub("](../../", document)
    source[0] = _TO_A_ROOT_DOCUMENT.sub(lambda to: f"](/project/{_STUBS[to[1]]}.md", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", show_root_documents)
