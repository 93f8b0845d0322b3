"""Locks: one writer a folder at a time, in whatever process or thread."""

import multiprocessing
import subprocess
import sys
import threading

import pytest

from multiplex_vit.errors import InputError
from multiplex_vit.files import locked

HOLDER = "import sys, time\nfrom multiplex_vit.files import locked\nwith locked(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(float(sys.argv[2]))"


def holding(folder, seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_folder_in_use_is_refused_in_one_line_that_names_the_process(tmp_path):
    process = holding(tmp_path, 60)
    try:
        with (
            pytest.raises(
                InputError, match=rf"is in use by process {process.pid} on \S+; wait for it"
            ),
            locked(tmp_path),
        ):
            pass
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir()), "the lock of a dead process is taken over, and goes"


def test_one_waits_for_a_short_writer(tmp_path):
    process = holding(tmp_path, 0.5)
    with locked(tmp_path, wait=20):
        assert process.wait(timeout=20) == 0
    process.stdout.close()


def test_blocks_of_one_thread_lie_in_each_other_and_those_of_two_do_not(tmp_path):
    refusals = []

    def other():
        try:
            with locked(tmp_path):
                pass
        except InputError as error:
            refusals.append(str(error))

    with locked(tmp_path), locked(tmp_path / "."):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refusals) == 1
    other()
    assert len(refusals) == 1


def count(folder, times):
    for _ in range(times):
        with locked(folder, wait=60):
            path = folder / "count"
            path.write_text(str(int(path.read_text()) + 1))


def test_processes_in_turn_lose_no_step(tmp_path):
    (tmp_path / "count").write_text("0")
    context = multiprocessing.get_context("spawn")
    several = [context.Process(target=count, args=(tmp_path, 40)) for _ in range(3)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert (tmp_path / "count").read_text() == "120"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    for place in (tmp_path / "missing", "/proc"):
        with pytest.raises(InputError, match="cannot write into"), locked(place):
            pass
