"""Hostile input: odd files, names that no file can have, and a watch on readers that hang."""

import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from multiplex_vit.errors import InputError

LONG = "x" * 300
NAMES = {
    "a NUL byte": "a\0b",
    "a long name": LONG,
    "a long path": "/".join(["x" * 200] * 30),
    "half a character": "\ud800",
}
"""Names that no file can have."""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def socket_file(path: Path) -> None:
    # The name of a socket may be only so long, so that it is made from within its folder.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to(path.name + "-nowhere")


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 4)


def empty(path: Path) -> None:
    path.touch()


_MAKERS = (pipe, socket_file, endless, folder, loop, dangling, binary, empty)
FILES = {make.__name__: make for make in _MAKERS}
"""Things that may stand where a file is wanted, by name: each is called with the path."""


HANGS_AFTER = 120
"""Seconds that no reader takes, however busy the machine is."""


@contextmanager
def ending():
    """Fail where the block hangs, as a reader does that waits for a pipe."""

    def stop(*_):
        pytest.fail(f"it took more than {HANGS_AFTER} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS_AFTER)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def refused(match: str | None = None):
    """Fail unless the block raises InputError with one line, and ends."""
    with ending(), pytest.raises(InputError, match=match) as caught:
        yield caught
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
