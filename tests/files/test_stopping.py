"""Signals: what is being written is cleared up, and what must be finished is."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest
from children import start

from multiplex_vit.files import Stopped, clear_stale, held_back, scratch, stopping, written_together

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

ASKING = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
WRITER = """
import sys, time
from pathlib import Path
from multiplex_vit.files import stopping, written_together
folder = Path(sys.argv[1])
print("ready", flush=True)
try:
    with stopping():
        for number in range(10**9):
            with written_together(folder) as temporary:
                for name in ("a", "b", "c"):
                    (temporary / name).write_text(str(number))
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.fixture(autouse=True)
def handlers_as_from_a_terminal():
    """Where the tests themselves were started by nohup, SIGHUP and SIGINT are ignored."""
    before = {number: signal.getsignal(number) for number in ASKING}
    for number in ASKING:
        signal.signal(
            number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        )
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ASKING)
def test_a_signal_is_raised_and_handlers_come_back(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stopping():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping(), held_back():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


class Dying:
    """An object that a signal reaches while it is taken away, where Python swallows what is raised."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)
        for _ in range(10):
            # The signal is met here, in one of these steps.
            pass


def dies(number):
    Dying(number)


def dies_by_reference(number):
    class Target:
        pass

    target = Target()
    reference = weakref.ref(target, lambda _: signal.raise_signal(number))
    del target
    assert reference() is None


@pytest.mark.parametrize("number", ASKING)
@pytest.mark.parametrize("way", [dies, dies_by_reference])
def test_a_signal_is_not_lost_where_python_swallows_what_it_raises(number, way):
    hook, begun = sys.unraisablehook, time.monotonic()

    def work():
        with stopping():
            way(number)
            while time.monotonic() - begun < 10:
                time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert time.monotonic() - begun < 5
    assert sys.unraisablehook is hook


def test_a_signal_that_was_swallowed_last_is_raised_at_the_end():
    with pytest.raises(Stopped, match="SIGTERM"), stopping():
        dies(signal.SIGTERM)


def test_other_exceptions_that_are_swallowed_are_shown_as_ever(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)

    class Failing:
        def __del__(self):
            raise ValueError("shown")

    def fail():
        Failing()

    with stopping():
        fail()
    assert [str(unraisable.exc_value) for unraisable in shown] == ["shown"]


def test_the_exit_code_is_the_one_that_shells_expect():
    with pytest.raises(Stopped) as told, stopping():
        signal.raise_signal(signal.SIGTERM)
    assert told.value.code == 128 + 15


@pytest.mark.parametrize("number", ASKING)
def test_a_step_is_finished_before_the_signal_is_raised(number):
    steps = []

    def step():
        with stopping(), held_back(), held_back():
            signal.raise_signal(number)
            steps.append("finished")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert steps == ["finished"]


def test_other_threads_have_no_signals_to_hold_back():
    done = []

    def work():
        with stopping(), held_back():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.parametrize("number", ASKING)
def test_a_block_that_is_stopped_leaves_nothing(tmp_path, number):
    def write():
        with stopping(), written_together(tmp_path) as temporary:
            (temporary / "a").write_text("half")
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        write()
    assert not list(tmp_path.iterdir())


def started(folder):
    process = start([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
@pytest.mark.parametrize("number", [*ASKING, signal.SIGKILL])
def test_processes_killed_at_random_moments(tmp_path, number, monkeypatch):
    monkeypatch.setattr(scratch, "SECONDS_TO_BEGIN", 0.0)
    chance = random.Random(0)
    for _ in range(12):
        process = started(tmp_path)
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(number)
        code = process.wait(timeout=20)
        process.stdout.close()
        names = {path.name for path in tmp_path.iterdir()}
        if number == signal.SIGKILL:
            assert code == -number
        else:
            assert code == 7
            assert names <= {"a", "b", "c"}, "nothing is left of what was being written"
            assert len({path.read_text() for path in tmp_path.iterdir()}) <= 1, (
                "all are new or all are old"
            )
        clear_stale(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} <= {"a", "b", "c"}


def test_a_living_process_keeps_its_scratch_folder_and_a_dead_one_loses_it(tmp_path):
    waits = "import sys, time\nfrom multiplex_vit.files import written_together\nwith written_together(sys.argv[1]):\n    print('ready', flush=True)\n    time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", waits, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        clear_stale(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert len(list(tmp_path.iterdir())) == 1
    clear_stale(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_scratch_folder_without_a_lock_goes_after_a_while(tmp_path):
    young, old = tmp_path / ".writing-young", tmp_path / ".writing-old"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 120, time.time() - 120))
    clear_stale(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".writing-young"]
