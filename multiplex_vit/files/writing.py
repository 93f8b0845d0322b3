"""Writing files whole or not at all, several together or none."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from multiplex_vit.errors import InputError
from multiplex_vit.files.scratch import Scratch, clear_stale, scratch_in
from multiplex_vit.files.stopping import held_back
from multiplex_vit.reading import named

_TRIES = 5


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path, moved to `path` when the block ends well and deleted otherwise.

    Parameters
    ----------
    path : path-like
        The file to write. Its folder must exist.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder, "a.txt")) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    target = writable(path)
    with _as_input_error(f"cannot write {target}", "place"), scratch_in(target.parent) as scratch:
        temporary = scratch.new / target.name
        # A name that the disk does not take is found out before anything is computed.
        temporary.touch()
        yield temporary
        temporary.replace(target)


@contextmanager
def written_together(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder whose files are moved into `folder` when the block ends well.

    Otherwise none of them appears. Links are followed; files that are there already are replaced,
    and put back should one of the others fail.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written, one of the files is a folder,
        write-protected or a pipe, or the disk is full.
    """
    with written_at_once([folder]) as (temporary,):
        yield temporary


@contextmanager
def written_at_once(folders: Sequence[str | os.PathLike[str]]) -> Iterator[list[Path]]:
    """Give a temporary folder for each of several; all their files appear, or none.

    Raises
    ------
    InputError
        As `written_together`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
    ...     with written_at_once([one, other]) as (first, second):
    ...         _ = (first / "a.txt").write_text("a"), (second / "b.txt").write_text("b")
    ...     os.listdir(one), os.listdir(other)
    (['a.txt'], ['b.txt'])
    """
    places = list(map(Path, folders))
    where = " and ".join(map(str, places))
    with _as_input_error(f"cannot write into {where}", "place"), ExitStack() as stack:
        scratches = [stack.enter_context(scratch_in(place)) for place in places]
        yield [scratch.new for scratch in scratches]
        moves: list[_Move] = []
        for place, scratch in zip(places, scratches, strict=True):
            moves += _moves(place, scratch)
        # A signal halfway would leave some of the files old and some new.
        with held_back():
            _replace_all(moves)


@contextmanager
def output_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to write in, made if it is missing.

    Folders that are made and end empty are taken away again. What dead processes left half written
    there is cleared.

    Raises
    ------
    InputError
        If it cannot be made, is a file, or nothing can be written there.
    """
    folder = named(path)
    new_folders: list[Path] = []
    try:
        with ExitStack() as stack:
            # A scratch folder keeps other processes from taking the folder away as empty.
            with _as_input_error(f"cannot write into {folder}", "folder"):
                stack.enter_context(_scratch_in_new(folder, new_folders))
            clear_stale(folder)
            yield folder
    finally:
        with held_back():
            _unmake(new_folders)


def writable(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path means, links followed, if it may be written.

    Raises
    ------
    InputError
        If it is a folder, write-protected or no regular file.
    """
    target = Path(os.path.realpath(named(path)))
    if target.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give a file name")
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        what = f"cannot write {path}: it is write-protected or no regular file"
        raise InputError(f"{what}; give another name")
    return target


@contextmanager
def _as_input_error(what: str, other: str) -> Iterator[None]:
    """Turn what a system says of a file into one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{what}: {error.strerror or error}; choose another {other}") from error


@contextmanager
def _scratch_in_new(folder: Path, new_folders: list[Path]) -> Iterator[Scratch]:
    """Give a scratch folder inside a folder that may be missing."""
    with ExitStack() as stack:
        for attempt in range(_TRIES):
            try:
                with held_back():
                    _make(folder, new_folders)
                scratch = stack.enter_context(scratch_in(folder))
                break
            except FileNotFoundError:
                # Another process that had made the folder took it away just now.
                if attempt == _TRIES - 1:
                    raise
        yield scratch


def _make(folder: Path, new_folders: list[Path]) -> None:
    """Make a folder and those above it, and note them, to be taken away if they end empty."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        if place.is_dir():
            # Another process made it just now, and will take it away if it ends empty.
            continue
        place.mkdir(exist_ok=True)
        new_folders.append(place)
    if not folder.is_dir():
        raise FileExistsError("it is a file")


def _unmake(new_folders: list[Path]) -> None:
    for place in reversed(new_folders):
        # What is not empty stays, also where another process writes there at this moment.
        with suppress(OSError):
            place.rmdir()


@dataclass(frozen=True)
class _Move:
    """A file that is ready, its target, and where what is there is kept meanwhile."""

    file: Path
    target: Path
    kept: Path


def _moves(folder: Path, scratch: Scratch) -> list[_Move]:
    moves = []
    for file in sorted(scratch.new.iterdir()):
        target = writable(folder / file.name)
        moves.append(_Move(file, target, scratch.before / file.name))
    return moves


def _replace_all(moves: Sequence[_Move]) -> None:
    """Move files to their targets; if one fails, put back what was there."""
    begun: list[_Move] = []
    try:
        for move in moves:
            if move.target.exists():
                _keep(move.target, move.kept)
            # Before it is moved: a move that fails halfway has to be undone too.
            begun.append(move)
            shutil.move(move.file, move.target)
    except BaseException:
        for move in begun:
            move.target.unlink(missing_ok=True)
            if move.kept.exists():
                shutil.move(move.kept, move.target)
        raise


def _keep(file: Path, name: Path) -> None:
    """Keep a file under a second name: a link where the disk is one, otherwise a copy."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copy2(file, name)
