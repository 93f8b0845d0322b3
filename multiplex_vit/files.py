"""Writing files whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multiplex_vit.errors import InputError
from multiplex_vit.reading import named


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`, moved into place when the block ends well and deleted otherwise.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder, "a.txt")) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    target = writable(path)
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}; choose another place") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def output_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to write in, made if it is missing; folders made are taken away again if they end empty.

    Raises
    ------
    InputError
        If it cannot be made, or is a file.
    """
    folder = named(path)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}; choose another folder") from error
    try:
        yield folder
    finally:
        for place in missing:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()


@contextmanager
def written_together(folder: Path) -> Iterator[Path]:
    """Give a temporary folder whose files are moved into `folder` when the block ends well; otherwise none of them appears.

    Links are followed; files that are there already are replaced, and put back should one of the others fail.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written, one of the files is a folder, write-protected or a pipe, or the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as temporary, tempfile.TemporaryDirectory(prefix=".before-", dir=folder) as before:
            yield Path(temporary)
            files = sorted(Path(temporary).iterdir())
            _replace_all([(file, writable(folder / file.name)) for file in files], Path(before))
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}; choose another place") from error


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
        raise InputError(f"cannot write {path}: it is write-protected or no regular file; give another name")
    return target


def _replace_all(moves: list[tuple[Path, Path]], before: Path) -> None:
    """Move files to their targets; if one fails, take the moved ones away and put back what was there."""
    done: list[tuple[Path, Path | None]] = []
    try:
        for i, (file, target) in enumerate(moves):
            file.chmod(0o666 & ~_umask())
            kept = _second_name(target, before / str(i)) if target.exists() else None
            shutil.move(file, target)
            done.append((target, kept))
    except OSError:
        for target, kept in done:
            target.unlink()
            if kept is not None:
                shutil.move(kept, target)
        raise


def _second_name(file: Path, name: Path) -> Path:
    """Keep a file under a second name: a link where the disk is one, otherwise a copy."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copy2(file, name)
    return name


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
