"""Whatever reads a file reads regular files alone, under names that files can have."""

import os

import numpy as np
import pytest
from hostile import FILES, NAMES, ending, refused
from PIL import Image
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.files import output_folder, written_whole
from multiplex_vit.pictures import read_image
from multiplex_vit.reading import content_of, read_json, read_text, read_toml
from multiplex_vit.study.config import read_config
from multiplex_vit.study.sources import images

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")


def labels_of(path):
    return images(PHOTOS, labels=path)


def first_image(path):
    return images([path]).sample(0)


READERS = {
    "content_of": content_of,
    "read_text": read_text,
    "read_json": read_json,
    "read_toml": read_toml,
    "read_image": read_image,
    "Explanation.load": mv.Explanation.load,
    "Multiplex.read": mv.Multiplex.read,
    "lint_gephi": mv.network.lint_gephi,
    "read_config": read_config,
    "images of a CSV": lambda path: images(path.with_suffix(".csv")),
    "images of Parquet": lambda path: images(path.with_suffix(".parquet")),
    "one of some images": first_image,
    "index of images": lambda path: images(PHOTOS, index=path),
    "labels of images": labels_of,
}
SUFFIXES = {"images of a CSV": ".csv", "images of Parquet": ".parquet"}
TAKE_ANY_BYTES = {
    ("content_of", "binary"),
    ("content_of", "empty"),
    ("read_text", "empty"),
    ("read_toml", "empty"),
    ("read_config", "empty"),
    ("one of some images", "binary"),
    ("lint_gephi", "binary"),
    ("lint_gephi", "empty"),
}
"""What is no error: a reader of bytes may read any, and an empty TOML file is one without keys."""


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("reader", READERS)
def test_only_regular_files_are_read(tmp_path, reader, kind):
    path = tmp_path / f"given{SUFFIXES.get(reader, '')}"
    FILES[kind](path)
    if (reader, kind) in TAKE_ANY_BYTES:
        with ending():
            READERS[reader](path)
        return
    with refused():
        READERS[reader](path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_names_that_no_file_can_have(tmp_path, reader, name):
    class Given(type(tmp_path)):
        """A path whose suffix cannot be changed, as that could mend it."""

        def with_suffix(self, suffix):
            return Given(f"{self}{suffix}")

    with refused("no usable file name"):
        READERS[reader](Given(tmp_path / NAMES[name]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("writer", [written_whole, output_folder])
def test_names_that_cannot_be_written(tmp_path, writer, name):
    with refused("no usable file name"), writer(tmp_path / NAMES[name]):
        pass


COMMANDS = {
    "explain": ["explain", "GIVEN"],
    "explain out": ["explain", "--out", "GIVEN"],
    "evaluate": ["evaluate", "GIVEN"],
    "evaluate out": ["evaluate", "--out", "GIVEN"],
    "network": ["network", "GIVEN"],
    "network out": ["network", "--out", "GIVEN"],
    "network tables": ["network", "--tables", "GIVEN"],
    "compare": ["compare", "GIVEN"],
    "compare out": ["compare", "--out", "GIVEN"],
    "study": ["study", "GIVEN", "--out", "study"],
    "study out": ["study", "pictures", "--out", "GIVEN"],
    "study config": ["study", "--config", "GIVEN"],
    "study labels": ["study", "pictures", "--out", "study", "--labels", "GIVEN"],
    "study index": ["study", "pictures", "--out", "study", "--index", "GIVEN"],
    "study model": ["study", "pictures", "--out", "study", "--model", "GIVEN"],
    "ablate": ["ablate", "GIVEN"],
    "report": ["report", "GIVEN"],
    "model": ["explain", "--model", "GIVEN"],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", COMMANDS)
def test_names_at_the_command_line(tmp_path, monkeypatch, capsys, command, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(tmp_path / "pictures" / "a.png")
    before = sorted(tmp_path.rglob("*"))
    given = [NAMES[name] if part == "GIVEN" else part for part in COMMANDS[command]]
    with ending():
        assert main(given) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("multiplex-vit: ")
    assert "please report" not in lines[0]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "socket_file", "endless", "folder", "loop"])
@pytest.mark.parametrize("command", ["explain", "evaluate", "network", "compare", "study config"])
def test_odd_files_at_the_command_line(tmp_path, monkeypatch, capsys, command, kind):
    monkeypatch.chdir(tmp_path)
    FILES[kind](tmp_path / "given")
    given = [str(tmp_path / "given") if part == "GIVEN" else part for part in COMMANDS[command]]
    with ending():
        assert main(given) == 2
    assert "please report" not in capsys.readouterr().err


def test_a_folder_with_odd_files_is_read_without_them(tmp_path):
    for kind, make in FILES.items():
        make(tmp_path / f"{kind}.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "whole.png")
    with ending():
        found = images(tmp_path)
    names = sorted(found.name(i) for i in range(len(found)))
    assert names == ["binary.png", "empty.png", "whole.png"]


def test_names_that_are_not_utf_8_are_read(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.new("RGB", (8, 8)).save(path, "PNG")
    assert read_image(path).size == (8, 8)
    assert images([path]).sample(0).data == path.read_bytes()
