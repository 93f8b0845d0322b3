"""Targets: what cannot or must not be written is refused before anything is made."""

import os

import pytest

from multiplex_vit.errors import InputError
from multiplex_vit.files import check_targets, targets


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"a picture")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    os.link("a.jpg", "hard.csv")
    os.symlink("a.jpg", "soft.csv")
    os.symlink("folder", "way")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["folder"], "cannot write folder: it is a folder"),
        (["file/n.csv"], "cannot write into file: it is a file"),
        (["file/below/n.csv"], "cannot write into file/below: file is a file"),
        (["/dev/full"], "no regular file"),
        (["a.jpg"], "cannot write a.jpg: it is a.jpg, which is read; give another name"),
        (["./folder/../a.jpg"], "it is a.jpg, which is read"),
        (["hard.csv"], "cannot write hard.csv: it is a.jpg, which is read"),
        (["soft.csv"], "cannot write soft.csv: it is a.jpg, which is read"),
        (["model/config.json"], "of the model, which is read"),
        (["n.csv", "folder/../n.csv"], "are one file"),
        (["way/new/n.csv", "folder/new/n.csv"], "are one file"),
        (["x" * 300], "too long"),
        (["new/" + "x" * 300 + "/n.csv"], "too long"),
    ],
)
def test_files_that_are_refused(here, files, message):
    before = sorted(here.rglob("*"))
    with pytest.raises(InputError, match=message) as told:
        check_targets(files, inputs=["a.jpg"], model="model")
    assert "\n" not in str(told.value)
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("folder", ["model", "model/.", "file", "file/below", "folder"])
def test_folders_that_are_refused(here, folder):
    with pytest.raises(InputError, match="cannot write"):
        check_targets([], folders=[folder], inputs=["folder"], model="model")


def test_what_may_be_written(here):
    check_targets(
        ["n.csv", "N.csv", "folder/n.csv", "new/n.csv", "model/n.graphml"],
        folders=["new"],
        inputs=["a.jpg"],
        model="demo-vit",
    )


def test_names_that_differ_in_case_are_one_file_where_the_disk_takes_them_for_one(
    here, monkeypatch
):
    monkeypatch.setattr(targets, "ignores_case", lambda folder: True)
    with pytest.raises(InputError, match="are one file"):
        check_targets(["n.csv", "N.csv"])
