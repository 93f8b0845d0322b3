"""Settings of Sphinx: `sphinx-build -W --keep-going docs build/site`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import multiplex_vit  # noqa: E402

project = "multiplex_vit"
author = "The multiplex_vit developers"
project_copyright = "2025-2026, the multiplex_vit developers"
version = release = multiplex_vit.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["results_intro.md"]

html_theme = "furo"
html_title = "multiplex_vit"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False

# Notebooks are run by the tests; the site shows the outputs that they are stored with.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Recorded results start their sections where their scripts do.
# Types in docstrings are words, such as "label", that several attributes have for a name.
suppress_warnings = ["myst.header", "ref.python"]

# Docstrings put code into single backticks.
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app):
    """Write the pages that are made from the package and from recorded results."""
    generate.write_pages(HERE)
    app.connect("autodoc-process-docstring", keep_formulas)


def keep_formulas(app, what, name, obj, options, lines):
    """Let formulas of docstrings be formulas."""
    lines[:] = [generate.as_formula(line) for line in lines]
