import errno

import pytest

from multiplex_vit.errors import InputError
from multiplex_vit.files import folder_for, written_whole


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
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: No space left on device"), written_whole(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="it is a folder"), written_whole(tmp_path):
        pass
    with pytest.raises(InputError, match="No such file or directory"), written_whole(tmp_path / "missing" / "a.txt"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write into"):
        folder_for(tmp_path / "file" / "below")
