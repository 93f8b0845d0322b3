"""The documentation: its code runs, its links lead somewhere, and what it says of models is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import multiplex_vit as mv
from multiplex_vit.models.bundled import bundled

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MADE = ("reference", "results", "tutorials")
"""Folders that `docs/generate.py` writes."""

PAGES = sorted(path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in MADE)
SLOW_PAGES = (
    "getting_started",
    "networks",
    "method",
    "evaluate",
    "study",
    "own_explainer",
    "idea_transformers",
)


def blocks_of(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def with_code():
    """Return the pages that have code, the slower ones marked."""
    parameters = []
    for page in PAGES:
        if blocks_of(page):
            marks = [pytest.mark.slow] if page.stem in SLOW_PAGES else []
            parameters.append(pytest.param(page, id=page.stem, marks=marks))
    return parameters


@pytest.fixture
def registries():
    """Take out again what pages register."""
    before = set(mv.CENTRALITIES)
    yield
    for name in set(mv.CENTRALITIES) - before:
        mv.CENTRALITIES.remove(name)


@pytest.mark.parametrize("page", with_code())
@pytest.mark.usefixtures("registries")
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks_of(page):
        exec(compile(block, str(page), "exec"), names)
    plt.close("all")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if target.startswith("https://"):
            continue
        path = (page.parent / target).resolve()
        if page.stem == "results_intro":
            path = (DOCS / "results" / target).resolve()
        parts = path.relative_to(DOCS).parts if path.is_relative_to(DOCS) else ()
        if parts and parts[0] == "results" and parts[-1] != "index.md":
            path = ROOT / "analysis" / "results" / parts[-1]
        elif parts and parts[0] in MADE:
            continue
        assert path.exists(), target


def test_what_is_said_of_the_bundled_models():
    page = (DOCS / "how_to" / "own_model.md").read_text(encoding="utf-8")
    for name, folder in bundled().items():
        row = re.search(rf"\| `{name}` \|.*", page).group()
        (weights,) = folder.glob("*.safetensors")
        assert f"| {weights.stat().st_size / 1e6:.1f} MB |" in row
        if name == "demo-photo":
            facts = json.loads((folder / "measured.json").read_text())["cifar10"]
            share, images = facts["right_as_stored"] / facts["images"], f"{facts['images']:,}"
            assert f"{100 * share:.1f} % of {images}" in row
        else:
            share = json.loads((folder / "training.json").read_text())["test_accuracy"]
            assert f"{100 * share:.2f} %" in row


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="b.html">b</a>', "a.html: b.html leads nowhere"),
        ('<a href="#there">b</a>', "a.html: #there has no such anchor"),
        ('<img src="missing.png">', "a.html: missing.png leads nowhere"),
        ('<p id="here"><a href="#here">b</a><a href="https://example.org/x">c</a></p>', ""),
        ("<p>" + "x" * 2_000_000 + "</p>", "at most 2,000,000 are allowed"),
    ],
    ids=["page", "anchor", "picture", "fine", "large"],
)
def test_a_built_site_is_checked(tmp_path, page, problem):
    (tmp_path / "a.html").write_text(page)
    command = [sys.executable, str(DOCS / "check_site.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == bool(problem)
    assert problem in done.stdout
