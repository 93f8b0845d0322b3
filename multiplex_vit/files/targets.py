"""Targets: the places that a command is going to write, checked before it begins."""

import os
from collections.abc import Iterable
from pathlib import Path

from multiplex_vit.errors import InputError
from multiplex_vit.files.writing import writable
from multiplex_vit.reading import named

_OF_MODELS = (".json", ".safetensors", ".bin", ".txt")
"""Suffixes of the files that a model's folder holds."""

Place = tuple[str, ...] | tuple[int, int]


def check_targets(
    files: Iterable[str | os.PathLike[str]],
    *,
    inputs: Iterable[str | os.PathLike[str]] = (),
    folders: Iterable[str | os.PathLike[str]] = (),
    model: str = "",
) -> None:
    """Refuse places that cannot be written, that are two names of one file, or that are read from.

    Nothing is written or made.

    Parameters
    ----------
    files : iterable of path-like
        Files that will be written.
    inputs : iterable of path-like
        Files and folders that are read.
    folders : iterable of path-like
        Folders that files will be written into.
    model : str
        As `load` takes it; its folder is an input where it is one.

    Raises
    ------
    InputError
        If a target is a folder where a file is wanted or the other way round, lies below a file, is
        named twice, or is one of the inputs under whatever name (links, upper and lower case).

    Examples
    --------
    >>> check_targets(["cat.csv"], inputs=["cat.jpg"])
    >>> check_targets(["cat.csv", "./cat.csv"])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: cat.csv and ./cat.csv are one file; give each its own name
    """
    read: dict[Place, str] = {}
    for path in inputs:
        read.setdefault(_place(named(path)), f"{path}, which is read")
    # A model by name is no folder, and nothing can be written over it.
    if model and _is_folder(model):
        for path in (Path(model), *_files_of(Path(model))):
            read.setdefault(_place(path), f"{path} of the model, which is read")
    for path in folders:
        _check_folder(named(path))
        _check_not_read(path, read, "folder")
    written: dict[Place, str] = {}
    for path in files:
        writable(path)
        _check_folder(named(path).parent)
        _check_not_read(path, read, "name")
        place = _place(named(path))
        if place in written:
            raise InputError(f"{written[place]} and {path} are one file; give each its own name")
        written[place] = str(path)


def _check_not_read(path: str | os.PathLike[str], read: dict[Place, str], what: str) -> None:
    description = read.get(_place(named(path)))
    if description is not None:
        raise InputError(f"cannot write {path}: it is {description}; give another {what}")


def _check_folder(folder: Path) -> None:
    """Refuse a folder that is something else, or below something else."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            if not os.access(place, os.W_OK | os.X_OK):
                what = f"cannot write into {folder}: {place} is write-protected"
                raise InputError(f"{what}; choose another folder")
            return
        if os.path.lexists(place):
            why = "it is a file" if place == folder else f"{place} is a file"
            raise InputError(f"cannot write into {folder}: {why}; give a folder")


def _place(path: Path) -> Place:
    """Return what two names of one file or folder share, also of one that is not there yet."""
    # Of a file that is there, its number on the disk, which all its names share.
    try:
        about = path.stat()
    except OSError:
        # Of one that is not, the place of its folder and its name as that folder tells names apart.
        real = Path(os.path.realpath(path))
        if real.parent == real:
            return (str(real),)
        name = real.name.casefold() if ignores_case(real.parent) else real.name
        return (*map(str, _place(real.parent)), name)
    return (about.st_dev, about.st_ino)


def ignores_case(folder: Path) -> bool:
    """Tell whether the disk of a folder takes upper and lower case for the same."""
    # It is seen in a folder whose name has letters: the same folder by the other case.
    for place in (folder, *folder.parents):
        other = place.with_name(place.name.swapcase()) if place.name else place
        if other != place and place.exists():
            return other.exists() and place.samefile(other)
    return False


def _is_folder(name: str) -> bool:
    try:
        return os.path.isdir(name)
    except (OSError, ValueError):
        return False


def _files_of(folder: Path) -> list[Path]:
    """Return the files of a model's folder."""
    return [path for path in folder.iterdir() if path.suffix.lower() in _OF_MODELS]
