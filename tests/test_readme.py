"""README's code runs, and its commands are the ones that continuous integration runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    code = blocks("python")
    assert len(code) == 2
    for block in code:
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "cat.graphml").exists()
    for name in ("strongest_tie", "reach"):
        assert name in names["mv"].CENTRALITIES
        names["mv"].CENTRALITIES.remove(name)


def test_the_commands_of_the_readme_are_those_of_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    for block in blocks("bash"):
        for command in block.strip().split(" && "):
            assert command in ci


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_rows_of_figures_are_those_of_the_results():
    results = {
        line
        for path in (ROOT / "analysis" / "results").rglob("*.md")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    rows = [line for line in README.splitlines() if re.match(r"\| (demo|vit)-[a-z0-9-]+ \|", line)]
    assert len(rows) > 16
    for row in rows:
        assert row in results


def test_no_figure_is_left_open():
    assert not re.search(r"\b[A-Z]+_ACCURACY\b|^MEASURED$|@[A-Z]+@|TODO", README, re.MULTILINE)
