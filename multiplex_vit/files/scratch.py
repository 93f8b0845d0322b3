"""Scratch folders: where files are written before they get their names.

They are known as left over once their process is dead.
"""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from multiplex_vit.files.stopping import held_back

PREFIX = ".writing-"
_LOCK = "lock"
_TRIES = 5
SECONDS_TO_BEGIN = 5.0
"""Time that a process has to lock the scratch folder that it made; later it counts as dead."""

_own: dict[Path, tuple[int, FileLock]] = {}
"""Scratch folders of this process, each with its process id, as a forked process has them too."""


@dataclass(frozen=True)
class Scratch:
    """A folder inside the one that is written into, locked as long as its process lives.

    Attributes
    ----------
    path : Path
    lock : FileLock
    """

    path: Path
    lock: FileLock

    @property
    def new(self) -> Path:
        """Where new files are written."""
        return self.path / "new"

    @property
    def before(self) -> Path:
        """Where files that are replaced are kept until all is done."""
        return self.path / "before"


@contextmanager
def scratch_in(folder: Path) -> Iterator[Scratch]:
    """Give a scratch folder inside a folder, taken away at the end whatever happens.

    Raises
    ------
    OSError
        If the folder is missing or cannot be written.
    """
    scratch = None
    try:
        # A signal between making the folder and knowing of it would leave it behind.
        with held_back():
            scratch = _made(folder)
        yield scratch
    finally:
        if scratch is not None:
            with held_back():
                _taken_away(scratch.path, scratch.lock)


def clear_stale(folder: Path) -> None:
    """Take away the scratch folders inside a folder whose processes are dead.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, scratch_in(Path(folder)) as alive:
    ...     dead = Path(folder, f"{PREFIX}dead")
    ...     dead.mkdir()
    ...     (dead / "lock").touch()
    ...     clear_stale(Path(folder))
    ...     dead.exists(), alive.new.exists()
    (False, True)
    """
    try:
        places = [place for place in folder.glob(f"{PREFIX}*") if place.is_dir()]
    except OSError:
        return
    for place in places:
        _clear(place)


def _made(folder: Path) -> Scratch:
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        lock = FileLock(path / _LOCK, timeout=0)
        try:
            lock.acquire()
            (path / "new").mkdir()
            (path / "before").mkdir()
        except (Timeout, FileNotFoundError):
            # Another process took it for a dead one's before it was locked.
            _taken_away(path, lock)
            continue
        except BaseException:
            _taken_away(path, lock)
            raise
        _own[path] = (os.getpid(), lock)
        return Scratch(path, lock)
    raise OSError("other processes take away what is written")


def _clear(place: Path) -> None:
    """Take away a scratch folder unless its process may be alive."""
    if not (place / _LOCK).exists():
        # It may have been made a moment ago, and its process is about to lock it.
        if _age(place) > SECONDS_TO_BEGIN:
            shutil.rmtree(place, ignore_errors=True)
        return
    lock = FileLock(place / _LOCK, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError, NotImplementedError):
        # Its process lives, or the disk knows no locks: then nobody can say that it is dead.
        return
    _taken_away(place, lock)


def _age(place: Path) -> float:
    try:
        return time.time() - place.stat().st_mtime
    except OSError:
        return 0.0


def _taken_away(path: Path, lock: FileLock) -> None:
    _own.pop(path, None)
    # The lock goes last, and after that what a system keeps that removes no locked file.
    shutil.rmtree(path, ignore_errors=True)
    lock.release(force=True)
    shutil.rmtree(path, ignore_errors=True)


@atexit.register
def _clear_own() -> None:
    """Take away what is left where a signal came in the moment before the signals are held back."""
    for path, (pid, lock) in list(_own.items()):
        if pid == os.getpid():
            _taken_away(path, lock)
