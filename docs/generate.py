"""Pages that are made rather than written: the reference, recorded results, and the notebooks.

`write_pages` is called before Sphinx reads its sources. What it writes is not under version control.
"""

import importlib
import inspect
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.ext.napoleon import Config, NumpyDocstring

import multiplex_vit as mv

ROOT = Path(__file__).parent.parent

ROOMS = {
    "saliency": "Explanations: masks of a network, the passes they need, and heatmaps.",
    "network": "Networks: multiplexes, their layers, couplings, filters and files.",
    "models": "Models: loading a Vision Transformer and running it.",
    "evaluation": "Evaluation: whether a heatmap is faithful, stable, and in the right place.",
    "study": "Studies: many images by many explainers, kept on disk.",
    "report": "Reports: what may be said of a study's tables.",
    "plot": "Pictures: arrays and tables in, axes out.",
    "explore": "The interactive page.",
}

REGISTRIES = {
    "saliency": ["EXPLAINERS", "STATISTICS", "DESIGNS", "ESTIMATORS", "EDGES"],
    "network": [
        "CENTRALITIES",
        "LAYER_MEASURES",
        "NULL_MODELS",
        "MULTILAYER_MEASURES",
        "LAYER_SIMILARITIES",
        "LAYER_DISTANCES",
        "DENSITIES",
        "FILTERS",
        "COUPLINGS",
        "AGGREGATIONS",
        "EXPORTERS",
    ],
    "models": ["OPERATORS"],
    "evaluation": ["PROTOCOLS", "BASELINES"],
}

TITLES = {
    "EXPLAINERS": "Explainers",
    "STATISTICS": "Statistics over layers",
    "DESIGNS": "Mask designs",
    "ESTIMATORS": "Estimators",
    "CENTRALITIES": "Centralities of nodes",
    "LAYER_MEASURES": "Measures of a layer",
    "NULL_MODELS": "Null models",
    "MULTILAYER_MEASURES": "Measures across layers",
    "LAYER_SIMILARITIES": "Similarities of layers",
    "LAYER_DISTANCES": "Distances of layers",
    "EDGES": "Kinds of edges",
    "DENSITIES": "Density matrices of layers",
    "FILTERS": "Filters of edges",
    "COUPLINGS": "Couplings between layers",
    "AGGREGATIONS": "Aggregations of layers",
    "EXPORTERS": "File formats",
    "OPERATORS": "Operators over heads",
    "PROTOCOLS": "Protocols of evaluation",
    "BASELINES": "Baselines of removed patches",
}

BY_SETTINGS = {
    "mutex": """Explain by the published method: masks of rankings of nodes, and the mean confidence of those that keep a patch.

    Its options are those of :class:`multiplex_vit.saliency.Settings`; :doc:`../concepts/method` has the formulas.

    References
    ----------
    Marchetti et al., Neural Computing & Applications 37, 24385 (2025), doi:10.1007/s00521-025-11591-x.
    """,
    "communities": """Explain by removing communities of the token graph one at a time, from relevance as a prior.

    It takes as many forward passes as ``mutex`` and one backward pass, and its options are those of :class:`multiplex_vit.saliency.Settings`;
    :doc:`../concepts/method` says what it does.
    """,
}
"""Docstrings of the explainers that share one function, and differ in its settings."""

RESULT_TITLES = {"compare_protocols": "Every method, under nine protocols"}
"""Titles in the list of results, where a page's own is that of another."""

NUMPY_STYLE = Config(napoleon_use_ivar=True, napoleon_use_param=False, napoleon_use_rtype=False)


def write_pages(docs: Path) -> None:
    """Write every generated page below the folder of the site's sources."""
    write_reference(docs / "reference")
    copy_results(docs / "results")
    copy_notebooks(docs / "tutorials")


# --- reference --------------------------------------------------------------------------------------


def write_reference(folder: Path) -> None:
    """Write a page a room with its functions and classes, and a page a registry."""
    folder.mkdir(exist_ok=True)
    pages = []
    for room, sentence in ROOMS.items():
        write(folder / f"{room}.rst", room_page(room, sentence))
        pages.append(room)
        for registry in REGISTRIES.get(room, []):
            name = registry.lower()
            write(folder / f"{name}.rst", registry_page(room, registry))
            pages.append(name)
    write(folder / "index.rst", index_page(pages))


def index_page(pages: Iterable[str]) -> str:
    """Return the first page of the reference."""
    top = sorted(name for name in dir(mv) if is_documented(getattr(mv, name)))
    lines = [
        *heading("Reference", "="),
        "Every public name, from its docstring. ``import multiplex_vit as mv`` gives those that most work needs:",
        "",
        ", ".join(f"``mv.{name}``" for name in top) + ".",
        "",
        "The rest is found by room, such as ``mv.network.lint_gephi``. A registry, such as ``mv.CENTRALITIES``, maps names to "
        "functions; its page has one section a member, with formula, range and paper.",
        "",
        ".. toctree::",
        "   :maxdepth: 1",
        "",
        *(f"   {page}" for page in pages),
    ]
    return "\n".join(lines)


def room_page(room: str, sentence: str) -> str:
    """Return the page of a room: its functions and classes, and where its registries are."""
    module = importlib.import_module(f"multiplex_vit.{room}")
    lines = [*heading(f"multiplex_vit.{room}", "="), sentence, ""]
    registries = REGISTRIES.get(room, [])
    if registries:
        links = (f":doc:`{TITLES[name]} <{name.lower()}>`" for name in registries)
        lines += ["Registries: " + ", ".join(links) + ".", ""]
    for name in sorted(dir(module), key=str.lower):
        member = getattr(module, name)
        if not is_documented(member):
            continue
        place = f"multiplex_vit.{room}.{name}"
        lines += heading(name, "-")
        if inspect.isclass(member):
            lines += [f".. autoclass:: {place}", "   :members:", ""]
        else:
            lines += [f".. autofunction:: {place}", ""]
    return "\n".join(lines)


def is_documented(member: Any) -> bool:
    """Tell whether a public member is a function or a class of the package."""
    if inspect.ismodule(member) or not callable(member):
        return False
    return str(getattr(member, "__module__", "")).startswith("multiplex_vit")


def registry_page(room: str, name: str) -> str:
    """Return the page of a registry: a table of its members, and a section on each."""
    registry = getattr(importlib.import_module(f"multiplex_vit.{room}"), name)
    lines = [
        *heading(TITLES[name], "="),
        f"``multiplex_vit.{room}.{name}`` has {len(registry)} members. A name with options, such as "
        '``"name(option=value)"``, works wherever a name does, and so does a function of your own.',
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - name",
        "     - what it is",
    ]
    for member in registry:
        lines += [f"   * - :ref:`{member} <{anchor(name, member)}>`"]
        lines += [f"     - {first_sentence(registry[member])}"]
    lines.append("")
    for member in registry:
        function = registry[member]
        lines += [f".. _{anchor(name, member)}:", ""]
        lines += heading(member, "-")
        lines += [f"``{signature(member, function)}``", ""]
        lines += docstring_lines(function)
    return "\n".join(lines)


def anchor(registry: str, member: str) -> str:
    """Return the label of a member's section."""
    return f"{registry}-{re.sub('[^a-z0-9]+', '-', member.lower())}".lower().replace("_", "-")


def documented(function: Any) -> str:
    """Return the docstring of a member, of an explainer that of its function."""
    name = getattr(function, "name", "")
    if getattr(function, "settings", None) is not None and name in BY_SETTINGS:
        return inspect.cleandoc(BY_SETTINGS[name])
    return inspect.getdoc(getattr(function, "function", function)) or ""


def first_sentence(function: Any) -> str:
    """Return the first paragraph of a docstring in one line."""
    return as_formula(" ".join(documented(function).split("\n\n")[0].split()))


def signature(member: str, function: Any) -> str:
    """Return how a member is called."""
    try:
        parameters = inspect.signature(getattr(function, "function", function)).parameters.values()
    except (TypeError, ValueError):
        return member
    shown = (str(parameter.replace(annotation=parameter.empty)) for parameter in parameters)
    return f"{member}({', '.join(shown)})"


def docstring_lines(function: Any) -> list[str]:
    """Return a docstring in NumPy's style as lines of reStructuredText."""
    lines = NumpyDocstring(documented(function), NUMPY_STYLE).lines()
    return [*map(as_formula, lines), ""]


def as_formula(line: str) -> str:
    """Escape what formulas hold and reStructuredText takes for its own: |x| and a name like n_."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    line = re.sub(r"\|([^|`]+)\|", r"\\|\1\\|", line)
    return re.sub(r"(?<![\w`_])([A-Za-z]\w*)_(?![\w`])", r"\1\\_", line)


def heading(text: str, line: str) -> list[str]:
    """Return the lines of a heading."""
    return [text, line * len(text), ""]


# --- recorded results and notebooks -----------------------------------------------------------------


def copy_results(folder: Path) -> None:
    """Copy the recorded tables and their pictures, each page under a heading of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "analysis" / "results", folder)
    pages = []
    for path in sorted(folder.glob("*.md")):
        title, text = under_one_heading(path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
        pages.append(f"{RESULT_TITLES.get(path.stem, title)} <{path.stem}>")
    lines = [
        "# Results",
        "",
        (ROOT / "docs" / "results_intro.md").read_text(encoding="utf-8"),
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *pages,
        "```",
    ]
    write(folder / "index.md", "\n".join(lines))


def under_one_heading(text: str) -> tuple[str, str]:
    """Return the title of a page, and the page with its later titles one level down."""
    first, rest = text.split("\n", 1)
    return first.removeprefix("# "), f"{first}\n" + re.sub(r"(?m)^(#+ )", r"#\1", rest)


def copy_notebooks(folder: Path) -> None:
    """Copy the notebooks, which the site shows with their stored outputs."""
    folder.mkdir(exist_ok=True)
    names = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8").replace("../analysis/results/", "../results/")
        write(folder / path.name, text)
        names.append(path.stem)
    lines = [
        "# Tutorials",
        "",
        "Each notebook asks one question and takes a minute or two to run. They are in `notebooks/` of the repository.",
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *names,
        "```",
    ]
    write(folder / "index.md", "\n".join(lines))


def write(path: Path, text: str) -> None:
    """Write a page, unless it is there already, so that Sphinx does not build it anew."""
    text = text.rstrip() + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
