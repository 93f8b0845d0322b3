"""Every number that a command takes is refused in one line where it is too great, and nothing is left of it."""

import argparse
import shutil

import pytest
from hostile import ending
from small import with_small_model

import multiplex_vit as mv
from multiplex_vit.cli import COMMANDS, main

NUMBERS = ("1000000000000", "9" * 5_000, "-5", "1e300", "nan", "inf")


def options():
    """Return every option of a command that takes a number, as (command, option)."""
    found = []
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        for action in parser._actions:
            if action.type in (int, float):
                found.append((name, action.option_strings[-1]))
    return found


OPTIONS = options()


def arguments_of(command, folder):
    """Return what a command needs besides its options."""
    image = folder / "images" / "cat.jpg"
    image.parent.mkdir()
    shutil.copy(mv.samples()["cat"], image)
    if command == "study":
        return [str(image.parent), "--out", str(folder / "out")]
    if command == "network":
        return [str(image), "--out", str(folder / "out.graphml")]
    if command == "explore":
        return [str(image), "--out", str(folder / "out.html")]
    if command == "evaluate":
        return [str(image)]
    return [str(image), "--out", str(folder / "out")]


def test_there_are_numbers_to_try():
    assert {command for command, _ in OPTIONS} >= {
        "explain",
        "evaluate",
        "network",
        "compare",
        "study",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("command", "option"), [pair for pair in OPTIONS if pair[0] != "ablate"])
def test_numbers_beyond_reason_are_refused_in_one_line(command, option, tmp_path, capsys):
    given = arguments_of(command, tmp_path)
    for number in NUMBERS:
        with ending():
            code = exit_code(with_small_model([command, *given, f"{option}={number}"]))
        lines = capsys.readouterr().err.strip().splitlines()
        assert code == 2
        assert len(lines) == 1
        assert "please report" not in lines[0]
        name = option.lstrip("-")
        assert name in lines[0] or name.replace("-", "_") in lines[0]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def exit_code(arguments):
    try:
        return main(arguments)
    except SystemExit as stopped:
        return stopped.code
