"""Opening files: names that a file can have, regular files alone, no more bytes than a limit."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_NAME_BYTES, MOST_PATH_BYTES, MOST_TABLE_BYTES

# A pipe that takes the file's place after it was looked at must not be waited for.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def named(path: Any) -> Path:
    """Return a path after making sure that a file can have that name.

    Parameters
    ----------
    path : str, bytes or path-like

    Raises
    ------
    InputError
        If it is no path, holds a NUL byte, or is longer than file systems allow.

    Examples
    --------
    >>> named("cat.jpg").name
    'cat.jpg'
    >>> named("cat" + chr(0))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: 'cat\\x00' is no usable file name: it holds a NUL byte
    """
    try:
        text = os.fsdecode(path)
        content = os.fsencode(text)
    except TypeError as error:
        kind = type(path).__name__
        raise InputError(f"expected a path, not {kind}; give a file's name") from error
    except UnicodeError as error:
        raise _unusable(repr(text[:80]), "it is not Unicode") from error
    if b"\0" in content:
        raise _unusable(repr(text[:80]), "it holds a NUL byte")
    # File systems count bytes, and a letter may take several of them.
    n_bytes = [len(os.fsencode(part)) for part in Path(text).parts]
    longest = max(n_bytes, default=0)
    if longest > MOST_NAME_BYTES or len(content) > MOST_PATH_BYTES:
        raise _unusable(f"{text[:80]!r}...", "it is too long")
    return Path(text)


def _unusable(name: str, reason: str) -> InputError:
    return InputError(f"{name} is no usable file name: {reason}")


def readable(path: Any, *, give: str = "a file", most: int = MOST_TABLE_BYTES) -> Path:
    """Return the path of a regular file of a bounded size; links are followed.

    Parameters
    ----------
    path : path-like
    give : str
        What to give instead, for the message. Default: "a file".
    most : int
        Most bytes. Default: `MOST_TABLE_BYTES`.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder, a pipe, a socket or a device, or too large.

    Examples
    --------
    >>> readable("nowhere.csv", give="a CSV file")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: cannot read nowhere.csv: no such file; give a CSV file
    """
    place = named(path)
    try:
        status = place.stat()
    except OSError as error:
        raise _unreadable(place, error, give) from error
    _check_kind(place, status, give, most)
    return place


@contextmanager
def opened(path: Any, *, give: str = "a file", most: int = MOST_TABLE_BYTES) -> Iterator[BinaryIO]:
    """Open a regular file for reading bytes; parameters and errors are those of `readable`.

    Examples
    --------
    >>> with opened(__file__) as file:
    ...     file.read(10)[3:]
    b'Opening'
    """
    place = readable(path, give=give, most=most)
    try:
        file = os.fdopen(os.open(place, _FLAGS), "rb")
    except OSError as error:
        raise _unreadable(place, error, give) from error
    with file:
        # Checked again, as another file may have taken its place.
        _check_kind(place, os.fstat(file.fileno()), give, most)
        yield file


def content_of(path: Any, *, give: str = "a file", most: int = MOST_TABLE_BYTES) -> bytes:
    """Return the bytes of a regular file; parameters and errors are those of `readable`.

    Examples
    --------
    >>> content_of(__file__)[3:10]
    b'Opening'
    """
    with opened(path, give=give, most=most) as file:
        try:
            # Some files, such as those of /proc, say that they hold 0 bytes and hold more.
            content = file.read(most + 1)
        except OSError as error:
            raise _unreadable(Path(path), error, give) from error
    if len(content) > most:
        raise _too_large(path, f"more than {most:,}", most, give)
    return content


def _check_kind(place: Path, status: os.stat_result, give: str, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"cannot read {place}: it is a folder; give {give}")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"cannot read {place}: no regular file; give {give}")
    if status.st_size > most:
        raise _too_large(place, f"{status.st_size:,}", most, give)


def _too_large(place: Any, size: str, most: int, give: str) -> InputError:
    return InputError(f"cannot read {place}: it has {size} bytes (limit {most:,}); give {give}")


def _unreadable(place: Path, error: OSError, give: str) -> InputError:
    reason = error.strerror or str(error)
    # A file in the place of a folder is a missing file too.
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = "no such file"
    return InputError(f"cannot read {place}: {reason}; give {give}")
