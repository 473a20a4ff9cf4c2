"""Configuration of the documentation site: ``make docs`` builds it into ``build/site``; every warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sphinx.errors import SphinxError  # noqa: E402

import wengert  # noqa: E402
from docs.tools import mathml, reference  # noqa: E402
from docs.tools.pages import run_apart  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Wengert"
author = "The Wengert authors"
copyright = author
release = version = wengert.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["tools", "__pycache__"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]

add_module_names = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False

pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = "Wengert"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
html_theme_options = {"navigation_with_keys": True}


def add_explorer(app: Sphinx, exception: Exception | None) -> None:
    """The page that plays a graph, made by the code of the chapter that shows it."""
    if exception is None:
        failure = run_apart(ROOT / "docs" / "tutorial" / "12-seeing.md", folder=Path(app.outdir) / "tutorial")
        if failure:
            raise SphinxError(f"the explorer: {failure}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Formulas as MathML, which browsers draw without a script; the ``names`` directive of the reference."""
    app.add_html_math_renderer("mathml", (mathml.inline, None), (mathml.block, None))
    app.add_directive("names", reference.Names)
    app.connect("doctree-resolved", reference.link_names)
    app.connect("build-finished", add_explorer)
    app.connect("autodoc-process-docstring", reference.escape)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


html_math_renderer = "mathml"
