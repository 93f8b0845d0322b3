"""Nonsense for every option of every command: one line, exit code 2, nothing written."""

import argparse
import shutil

import numpy as np
import pytest
from finished import finish_study
from PIL import Image

from multiplex_vit.cli import COMMANDS, main
from multiplex_vit.study.config import KEYS

NONSENSE = {
    "text": "x",
    "negative": "-1",
    "nearly a number": "0.5x",
    "huge": "9" * 400,
    "infinite": "1e999",
    "nan": "nan",
    "empty": "",
    "blank": " ",
    "NUL": "a\0b",
    "half a character": "\udcff",
    "formula": "=1+1",
}
FEW = ("text", "nan", "empty", "NUL")
MANY = tuple(kind for kind in NONSENSE if kind not in FEW)
"""What is tried always, and what only where slow tests are."""

NO_NAMES = ("huge", "empty", "blank", "NUL")
"""What no file can be called; all else is a name."""

NEW_FILES = {"--out", "--tables"}
COUNTS_FROM_THE_END = {("network", "--layer", "negative")}
SMALL = ["--model", "demo-vit", "--device", "cpu"]
QUICK = ["--steps", "2", *SMALL]
EXPLAINS = ["cat.png", "--statistics", "max", "--operators", "sum", *QUICK]
COMPARES = ["cat.png", "--explainers", "raw_attention", "--protocol", "token", *QUICK]
GIVEN = {
    "explain": [*EXPLAINS, "--out", "out"],
    "evaluate": [*EXPLAINS, "--out", "e.csv"],
    "network": ["cat.png", *SMALL, "--out", "n.graphml"],
    "compare": [*COMPARES, "--out", "out"],
    "explore": ["cat.png", *QUICK, "--out", "page.html"],
    "study": ["pictures", *QUICK, "--out", "out"],
    "ablate": ["study"],
    "report": ["study", "--out", "out"],
    "models": [],
}


def options_of(command):
    """Return the options of a command that take a value; positional ones by their names."""
    parser = argparse.ArgumentParser()
    COMMANDS[command].add_arguments(parser)
    return [action for action in parser._actions if action.nargs != 0]


pytestmark = pytest.mark.usefixtures("loaded_once")

OPTIONS = [
    (command, (action.option_strings or [action.dest])[0])
    for command in COMMANDS
    for action in options_of(command)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with images and a finished study."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "pictures").mkdir()
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    Image.fromarray(values).save(folder / "cat.png")
    shutil.copy(folder / "cat.png", folder / "pictures")
    finish_study(folder)
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def state(folder):
    """Return what there is, and when each file was written."""
    return {path: path.stat().st_mtime_ns if path.is_file() else None for path in folder.rglob("*")}


def check_refused(args, folder, capsys):
    before = state(folder)
    try:
        code = main(args)
    except SystemExit as stop:
        code = stop.code
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert code == 2, (args, said)
    assert len(said) == 1, (args, said)
    assert said[0].startswith("multiplex-vit: ")
    assert "please report it" not in said[0], args
    assert len(said[0]) < 1_200
    assert state(folder) == before, args


@pytest.mark.parametrize(("command", "option"), OPTIONS)
@pytest.mark.parametrize("kinds", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=len)
def test_nonsense_is_refused_in_one_line(command, option, kinds, here, capsys):
    for kind in kinds:
        value = NONSENSE[kind]
        if option in NEW_FILES and kind not in NO_NAMES:
            continue
        if (command, option, kind) in COUNTS_FROM_THE_END:
            continue
        args = [f"{option}={value}"] if option.startswith("-") else ["--", value]
        given = GIVEN[command] if option.startswith("-") else []
        check_refused([command, *given, *args], here, capsys)


WRONG = (
    *("5", "-1", "0.5", "nan", "inf", "true", '"x"', '""', '"a\\u0000b"', "2020-01-01"),
    *("[]", "[1]", '["x"]', "[[]]", "[{}]", "{}", "{x = 1}", "{min_cut = {}}", '{min_cut = "x"}'),
)
OF_USE = {
    **dict.fromkeys(("limit", "steps", "seed", "chunk", "workers"), ("5",)),
    "sweep": ("{}",),
    "target": ("5",),
    "save": ("[]",),
    "network_measures": ("[]",),
    "out": ('"x"',),
}


@pytest.mark.parametrize("key", KEYS)
def test_values_of_a_configuration_that_are_of_no_use(key, here, capsys, tmp_path):
    right = {
        "images": f'"{here}/pictures"',
        "out": '"out"',
        "steps": "2",
        "protocols": '"token"',
        "device": '"cpu"',
    }
    config = tmp_path / "study.toml"
    for value in WRONG:
        if value in OF_USE.get(key, ()):
            continue
        config.write_text(
            "\n".join(f"{name} = {given}" for name, given in {**right, key: value}.items())
        )
        check_refused(["study", "--config", str(config)], tmp_path, capsys)
