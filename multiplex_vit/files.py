"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multiplex_vit.errors import InputError


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
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give a file name")
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        raise InputError(f"cannot write {path}: it is write-protected or no regular file; give another name")
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
    folder = Path(path)
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
    """Give a temporary folder whose files are moved into `folder` when the block ends well; otherwise none of them appears."""
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as temporary:
            yield Path(temporary)
            for file in sorted(Path(temporary).iterdir()):
                file.chmod(0o666 & ~_umask())
                file.replace(folder / file.name)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}; choose another place") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
