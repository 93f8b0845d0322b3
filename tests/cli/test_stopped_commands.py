"""Commands that are stopped, or whose reader goes away: how they end and what they say."""

import os
import signal
import subprocess
import sys

import pytest
from children import start

import multiplex_vit as mv
from multiplex_vit.cli import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

COMMAND = [sys.executable, "-m", "multiplex_vit"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_stopped_says_so_and_has_the_exit_code_of_the_signal(
    number, tmp_path, capsys, monkeypatch
):
    before = signal.getsignal(number)
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    monkeypatch.setattr(mv, "load", lambda *_, **__: signal.raise_signal(number))
    try:
        code = main(["explain", "--out", str(tmp_path / "out")])
    finally:
        signal.signal(number, before)
    out, err = capsys.readouterr()
    assert (code, out) == (128 + number, "")
    assert err.startswith("multiplex-vit: stopped")
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("args", [["models"], ["--version"], ["explain", "--help"], ["nonsense"]])
def test_a_pipe_that_nobody_reads_ends_a_command_quietly(args, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    said = tmp_path / "said"
    with said.open("w") as errors:
        # A wrong command is told on stderr alone.
        streams = {"stdout": writing, "stderr": writing if args == ["nonsense"] else errors}
        process = start([*COMMAND, *args], cwd=tmp_path, **streams)
        os.close(writing)
        assert process.wait(timeout=60) == 141
    assert said.read_text() == ""


@pytest.mark.slow
def test_who_reads_the_first_line_alone_gets_it(tmp_path):
    process = start([*COMMAND, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    process.stdout.close()
    assert first.startswith("demo-deit: ")
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 141)
