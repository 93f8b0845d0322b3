import errno
import os
import shutil
from pathlib import Path

import pytest

from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, writable, written_together, written_whole


def test_a_file_appears_whole(tmp_path):
    with written_whole(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_keeps_the_old_file_and_leaves_no_crumbs(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def fail_halfway():
        with written_whole(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_told_in_one_line(tmp_path):
    with (
        pytest.raises(InputError, match=r"cannot write .*a\.txt: No space left on device"),
        written_whole(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="it is a folder"), written_whole(tmp_path):
        pass
    with (
        pytest.raises(InputError, match="No such file or directory"),
        written_whole(tmp_path / "missing" / "a.txt"),
    ):
        pass
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot write into"),
        output_folder(tmp_path / "file" / "below"),
    ):
        pass


def test_links_are_followed_and_modes_kept_safe(tmp_path):
    (tmp_path / "target.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "target.txt")
    with written_whole(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target.txt").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no regular file"), written_whole(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_files_appear_together_or_not_at_all(tmp_path):
    def fail_halfway():
        with written_together(tmp_path) as temporary:
            (temporary / "a.txt").write_text("a")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="No space left on device; choose another place"):
        fail_halfway()
    assert not list(tmp_path.iterdir())
    with written_together(tmp_path) as temporary:
        (temporary / "a.txt").write_text("a")
        (temporary / "b.txt").write_text("b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_files_that_cannot_all_be_written_leave_the_old_ones(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")
    moved = shutil.move

    def full(source, target):
        if Path(target).name == "c.txt":
            raise OSError(errno.ENOSPC, "No space left on device")
        return moved(source, target)

    monkeypatch.setattr(shutil, "move", full)

    def write():
        with written_together(tmp_path) as temporary:
            for name in "abc":
                (temporary / f"{name}.txt").write_text("new")

    with pytest.raises(InputError, match="cannot write into .*No space left on device"):
        write()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a.txt": "old"}


@pytest.mark.parametrize("links", [True, False])
def test_files_together_replace_and_follow_links(tmp_path, links, monkeypatch):
    if not links:
        monkeypatch.setattr(
            os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no hard links"))
        )
    (tmp_path / "target.txt").write_text("old")
    (tmp_path / "a.txt").symlink_to(tmp_path / "target.txt")
    with written_together(tmp_path) as temporary:
        (temporary / "a.txt").write_text("new")
    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "target.txt").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 2


def test_files_together_refuse_folders_and_pipes(tmp_path):
    (tmp_path / "b.txt").mkdir()
    os.mkfifo(tmp_path / "c.txt")

    def write(name):
        with written_together(tmp_path) as temporary:
            (temporary / "a.txt").write_text("a")
            (temporary / name).write_text("b")

    with pytest.raises(InputError, match=r"cannot write .*b\.txt: it is a folder"):
        write("b.txt")
    with pytest.raises(
        InputError, match=r"cannot write .*c\.txt: it is write-protected or no regular file"
    ):
        write("c.txt")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.txt", "c.txt"]
    assert writable(tmp_path / "a.txt") == tmp_path.resolve() / "a.txt"


def test_folders_that_stay_empty_go_away(tmp_path):
    with output_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not list(tmp_path.iterdir())
    with output_folder(tmp_path / "a") as folder:
        (folder / "file").touch()
    assert (tmp_path / "a" / "file").exists()
