"""README's code runs, its commands are the ones that continuous integration runs, and it stays short."""

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
    (block,) = blocks("python")
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["explanation"].label_name == "dog"
    assert (tmp_path / "dogs.graphml").exists()


def test_the_commands_of_the_readme_are_those_of_ci():
    ci = {line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()}
    all_tests = 'pytest -m "slow or not slow"'
    assert f"`{all_tests}`" in README
    commands = [command for block in blocks("bash") for command in block.strip().split(" && ")]
    assert commands.count("pytest") == 1
    for command in commands:
        # Continuous integration runs the slow tests too.
        assert (all_tests if command == "pytest" else command) in ci


def test_every_test_that_contributors_are_told_of_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and "`tests/" in line]
    assert rows
    for row in rows:
        named = re.findall(r"`((?:tests/)?[\w/]+\.py)`", row)
        folder = None
        for name in named:
            # A second file of a folder goes by its name alone.
            path = ROOT / name if "/" in name else folder / name
            folder = path.parent
            assert path.is_file(), name
    for names, file in re.findall(r"((?:`[A-Z_]+`(?: and )?)+) of `(tests/[\w/]+\.py)`", text):
        for name in re.findall(r"`(\w+)`", names):
            assert f"\n{name} = " in (ROOT / file).read_text(encoding="utf-8"), name


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_it_is_read_in_a_minute():
    assert len(README.splitlines()) <= 120
    assert len(README.encode()) <= 7000
