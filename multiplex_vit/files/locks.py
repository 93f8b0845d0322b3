"""Locks: one process at a time writes into a folder."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from multiplex_vit.errors import InputError
from multiplex_vit.files.scratch import clear_stale, scratch_in
from multiplex_vit.files.stopping import held_back

LOCK, OWNER = ".lock", ".lock-owner"
SHORT = 20.0
"""Seconds to wait for another process that writes a few files and is done."""

_mine = threading.local()


@contextmanager
def locked(folder: str | os.PathLike[str], *, wait: float = 0.0) -> Iterator[None]:
    """Keep other processes and threads out of a folder during a block.

    The lock of a dead process is taken over. Blocks of one thread may lie in each other. What dead
    processes left half written is cleared.

    Parameters
    ----------
    folder : path-like
        It must exist.
    wait : float
        Seconds to wait for another process that is at work there. Default: 0.

    Raises
    ------
    InputError
        If another process or thread is at work there, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(folder), locked(folder):
    ...     sorted(os.listdir(folder))
    ['.lock', '.lock-owner']
    """
    place = Path(folder).resolve()
    if place in _places():
        yield
        return
    lock = None
    try:
        # A signal between locking and knowing of it would keep the folder locked in this process.
        with held_back():
            lock = _acquired(place, Path(folder), wait)
        clear_stale(place)
        yield
    finally:
        if lock is not None:
            with held_back():
                _release(place, lock)


def _places() -> set[Path]:
    """Return the folders that this thread has locked."""
    if not hasattr(_mine, "places"):
        _mine.places = set()
    places: set[Path] = _mine.places
    return places


def _acquired(place: Path, given: Path, wait: float) -> FileLock:
    # The operating system frees the lock of a process that is dead.
    lock, owner = FileLock(place / LOCK, timeout=wait), place / OWNER
    try:
        if not place.is_dir():
            # The lock would make the folder, and nobody would take it away again.
            raise NotADirectoryError("there is no such folder")
        with scratch_in(place):
            # Where nothing can be written, waiting for a lock would not tell so.
            pass
        lock.acquire(poll_interval=0.05)
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
    except Timeout:
        raise InputError(
            f"{given} is in use by {_owner(owner)}; wait for it, or give another folder"
        ) from None
    except (OSError, NotImplementedError) as error:
        lock.release(force=True)
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write into {given}: {why}; choose another folder") from error
    _places().add(place)
    return lock


def _owner(owner: Path) -> str:
    unknown = "another process"
    try:
        text = owner.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # It is written after the lock is taken, and gone before it is given back.
        return unknown
    return text.strip()[:200] or unknown


def _release(place: Path, lock: FileLock) -> None:
    _places().discard(place)
    (place / OWNER).unlink(missing_ok=True)
    # Who waits for the file that is unlinked here finds that out, and makes a new one.
    with suppress(OSError):
        (place / LOCK).unlink()
    lock.release(force=True)
