"""images: whatever holds many pictures becomes an ImageSource, or one clear line."""

import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multiplex_vit.arguments import checked
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_PARQUET_BYTES
from multiplex_vit.reading import named, read_text, readable
from multiplex_vit.study.images.sources import (
    COLUMNS,
    DataSet,
    Files,
    ImageSource,
    Label,
    Pictures,
    Source,
    Tables,
)
from multiplex_vit.tabular import read_table, unicode_text

SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".webp",
        ".tif",
        ".tiff",
        ".gif",
        ".bmp",
        ".ppm",
        ".pgm",
        ".pnm",
        ".mpo",
        ".jp2",
        ".avif",
        ".tga",
        ".ico",
        ".pcx",
    ]
)
"""File names that count as images."""

PUBLISHED = "published"
"""Name of the index of 5,000 ImageNet validation images of the published evaluation."""

_MEANT = {
    "label": ("class", "category", "target", "truth", "y"),
    "file": ("path", "image", "name", "picture"),
}
"""Other names under which people have these columns."""

_VALIDATION = re.compile(r"ILSVRC2012_val_([0-9]{8})\.")


@checked
def images(
    source: Any,
    *,
    labels: str | os.PathLike[str] | Mapping[Any, Any] | None = None,
    index: Any = None,
    limit: int | None = None,
) -> ImageSource:
    """Return images that a study can go through, one at a time.

    Parameters
    ----------
    source : path-like, sequence, mapping, data set or ImageSource
        A folder of images; a folder of one folder a class (ImageFolder); a CSV file with a column
        `file`, relative to it, and perhaps `label`; Parquet, a file or a folder of files, with a
        column of images named `img` or `image`; a Hugging Face data set; image files; PIL images
        or uint8 arrays [row, col, channel], or pixel values as a model takes them (floats); or
        {name: image} of any of the last ones.
    labels : path-like, mapping or str, optional
        Classes of a folder's images: a CSV file (file, label) or {file: label}. Of Parquet and data sets the name of a column ("label" unless given).
    index : sequence of int, path-like or "published", optional
        Which images, by their place from 0, or a text file of these. Of files named ILSVRC2012_val_00000001 and so on the number in the name
        less one counts, so that a folder of some of them will do. "published" stands for the 5,000 of the published evaluation
        (doi:10.1007/s00521-025-11591-x).
    limit : int, optional
        At most so many, from the front.

    Returns
    -------
    ImageSource

    Raises
    ------
    InputError
        If there is no image, or labels or index do not fit.

    Examples
    --------
    >>> from multiplex_vit.pictures import samples
    >>> found = images(list(samples().values()), limit=2)
    >>> found, found.name(0)
    (<ImageSource: 2 images of files>, 'cat.jpg')
    """
    opened = source.source if isinstance(source, ImageSource) else _opened(source, labels)
    places = source.places if isinstance(source, ImageSource) else range(len(opened))
    if not len(places):
        raise InputError(
            f"{opened.kind} holds no image; give a folder of images, a CSV (file, label), Parquet with a column of images, or a data set"
        )
    if index is not None:
        places = [places[i] for i in _positions(opened, places, _numbers(index))]
    places = places[: None if limit is None else whole("limit", limit, at_least=1)]
    return ImageSource(opened, places, _origin(source, labels, index, limit))


def _origin(source: Any, labels: Any, index: Any, limit: int | None) -> dict[str, Any] | None:
    """Return what will give the same images again, or None where it holds more than paths, names and numbers."""
    given = {
        "source": _absolute(source),
        "labels": _absolute(labels),
        "index": _absolute(index),
        "limit": limit,
    }
    if given["index"] is not None and not isinstance(given["index"], (str, list)):
        given["index"] = [int(number) for number in index]
    try:
        json.dumps(given)
    except TypeError:
        return None
    return given


def _absolute(value: Any) -> Any:
    """Return a path that is there as it is found from anywhere, several of them likewise, anything else as it is."""
    if isinstance(value, (str, os.PathLike)):
        return str(named(value).resolve()) if named(value).exists() else str(value)
    if isinstance(value, (list, tuple)) and all(
        isinstance(each, (str, os.PathLike)) for each in value
    ):
        return [_absolute(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _absolute(path) for name, path in value.items()}
    return list(value) if isinstance(value, (tuple, range)) else value


def _opened(source: Any, labels: Any) -> Source:
    if isinstance(source, (str, os.PathLike)):
        return _from_path(named(source), labels)
    if hasattr(source, "column_names") or hasattr(source, "features"):
        return _from_data_set(source, labels)
    if isinstance(source, Mapping):
        return _from_pictures({str(name): image for name, image in source.items()}, labels)
    if isinstance(source, Iterable) and not isinstance(source, bytes) and not _is_image(source):
        several = list(source)
        if any(_is_image(image) for image in several):
            numbered = {f"{place:06d}": image for place, image in enumerate(several)}
            return _from_pictures(numbered, labels)
        return _from_files([named(path) for path in several], labels)
    raise InputError(
        f"cannot read images from {type(source).__name__}; give a folder, a CSV, Parquet, a data set or image files"
    )


def _is_image(value: Any) -> bool:
    """Tell whether something is an image in memory: a PIL image, an array or a tensor."""
    return hasattr(value, "__array_interface__") or hasattr(value, "dtype")


def _from_pictures(pictures: Mapping[str, Any], labels: Any) -> Source:
    if labels is not None:
        raise InputError("labels came with images in memory; give files, or a data set")
    names = tuple(unicode_text(name) for name in pictures)
    if len(set(names)) < len(names):
        raise InputError("two images have one name; give each its own")
    return Pictures(names, tuple(pictures.values()))


def _from_path(path: Path, labels: Any) -> Source:
    if not path.exists():
        raise InputError(f"no such folder or file of images: {path}")
    if path.is_dir():
        return _from_folder(path, labels)
    if path.suffix.lower() == ".csv":
        return _from_csv(path)
    if path.suffix.lower() == ".parquet":
        return _from_parquet([path], labels)
    return _from_files([path], labels)


def _from_folder(folder: Path, labels: Any) -> Source:
    names = pictures_of(folder)
    if not names:
        parquet = _parquet_of(folder)
        return _from_parquet(parquet, labels) if parquet else Files(folder, (), (), str(folder))
    in_folders = "/" in names[0]
    if in_folders and labels is None:
        known: tuple[Label, ...] = tuple(name.split("/")[0] for name in names)
    else:
        known = _labels(names, labels)
    return Files(folder, tuple(names), known, str(folder))


def pictures_of(folder: Path) -> list[str]:
    """Return the names of a folder's pictures, or else of those in its folders ("cat/1.png").

    Raises
    ------
    InputError
        If there are pictures at both levels, or beside Parquet files: either would hide the other.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    names = [entry.name for entry in entries if _is_picture(entry)]
    below = []
    for part in entries:
        if part.is_dir():
            inside = sorted(file for file in part.iterdir() if _is_picture(file))
            below += [f"{part.name}/{file.name}" for file in inside]
    parquet = _parquet_of(folder)
    found: dict[str, list[Any]] = {"pictures": names, "Parquet files": parquet}
    found["pictures in folders"] = below
    several = [f"{len(part)} {kind}" for kind, part in found.items() if part]
    if len(several) > 1:
        what = " beside ".join(several)
        raise InputError(f"{folder} holds {what}; move one of them elsewhere, or give the files")
    return names or below


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _parquet_of(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() == ".parquet" and not entry.name.startswith(".")
    )


def column_named(wanted: str, names: Iterable[Any], where: str) -> str | None:
    """Return the column of a name, whatever its case and the blanks around it; None if there is none.

    Parameters
    ----------
    wanted : str
    names : iterable of str
    where : str
        What has the columns, for messages.

    Raises
    ------
    InputError
        If several columns have the name.

    Warns
    -----
    UserWarning
        If a column that is left out is named almost so.

    Examples
    --------
    >>> column_named("label", ["file", " Label"], "a table")
    ' Label'
    """
    known = [str(name) for name in names]
    if wanted in known:
        return wanted
    found = [name for name in known if name.strip().casefold() == wanted]
    if len(found) > 1:
        raise InputError(f"{where} has the columns {', '.join(map(repr, found))}; keep one of them")
    if found:
        return found[0]
    for name in known:
        alike = name.strip().casefold()
        if wanted in alike or alike in _MEANT[wanted] or get_close_matches(alike, [wanted]):
            line = f"{where} has no column {wanted!r}; {name!r} is not read: name it {wanted!r}"
            warnings.warn(line, stacklevel=2)
    return None


def _from_files(paths: list[Path], labels: Any) -> Source:
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise InputError(
            f"no such image: {missing[0]}"
            + (f", nor {len(missing) - 1} others" if missing[1:] else "")
        )
    names = [path.name for path in paths]
    if len(set(names)) == len(names) and len({path.parent for path in paths}) == 1:
        return Files(paths[0].parent, tuple(names), _labels(names, labels), "files")
    whole_names = [str(path.resolve()) for path in paths]
    return Files(Path("/"), tuple(whole_names), _labels(whole_names, labels), "files")


def _from_csv(path: Path) -> Source:
    table = _named_files(path)
    names = [str(name) for name in table["file"]]
    missing = [name for name in names if not named(path.parent / name).is_file()]
    if missing:
        raise InputError(
            f"{path} names {len(missing)} of {len(names)} files that are not there, such as {missing[0]!r}; paths are relative to the CSV's folder"
        )
    labels: tuple[Label, ...] = (
        tuple(map(_label, table["label"])) if "label" in table else (None,) * len(names)
    )
    return Files(path.parent, tuple(names), labels, str(path))


def _named_files(path: Path) -> pd.DataFrame:
    table = read_table(path, give="a CSV with columns file and label")
    found = {}
    for wanted in ("file", "label"):
        name = column_named(wanted, table.columns, str(path))
        if name is not None:
            found[name] = wanted
    table = table.rename(columns=found)
    if "file" not in table:
        raise InputError(
            f"{path} has columns {', '.join(map(str, table))}; file (and label) are wanted"
        )
    twice = table["file"][table["file"].duplicated()]
    if len(twice):
        raise InputError(f"{path} names {twice.iloc[0]!r} twice; give each file once")
    return table


def _label(text: Any) -> Label:
    return None if text in ("", None) else text


def _labels(names: list[str], labels: Any) -> tuple[Label, ...]:
    """Return a label a file; every file must have one, and every label a file."""
    if labels is None:
        return (None,) * len(names)
    if isinstance(labels, Mapping):
        known = {str(name): label for name, label in labels.items()}
    else:
        table = _named_files(Path(labels))
        if "label" not in table:
            raise InputError(f"{labels} has no column label")
        known = dict(zip(table["file"], map(_label, table["label"]), strict=True))
    without, beyond = [name for name in names if name not in known], sorted(set(known) - set(names))
    if without or beyond:
        parts = [
            f"{len(part)} {what}, such as {part[0]!r}"
            for part, what in (
                (without, "images without a label"),
                (beyond, "labels without an image"),
            )
            if part
        ]
        raise InputError(f"the labels do not match the images: {'; '.join(parts)}")
    return tuple(known[name] for name in names)


def _from_parquet(paths: list[Path], labels: Any) -> Source:
    schemas = [_schema(path) for path in paths]
    names = schemas[0].names
    if any(set(schema.names) != set(names) for schema in schemas):
        raise InputError(
            f"the Parquet files of {paths[0].parent} have different columns; give one of them"
        )
    kind = str(paths[0] if len(paths) == 1 else paths[0].parent)
    return Tables(tuple(paths), _column(names, kind), _label_column(names, labels, kind), kind)


def _schema(path: Path) -> Any:
    try:
        return pq.read_schema(readable(path, give="a Parquet file", most=MOST_PARQUET_BYTES))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as Parquet ({' '.join(str(error).split())[:120]}); fetch it again"
        ) from error


def _from_data_set(rows: Any, labels: Any) -> Source:
    names = list(rows.column_names if hasattr(rows, "column_names") else rows.features)
    return DataSet(
        rows, _column(names, "the data set"), _label_column(names, labels, "the data set")
    )


def _column(names: list[str], kind: str) -> str:
    found = [name for name in COLUMNS if name in names]
    if not found:
        raise InputError(
            f"{kind} has columns {', '.join(names)}; a column of images is named {' or '.join(COLUMNS)}"
        )
    return found[0]


def _label_column(names: list[str], labels: Any, kind: str) -> str | None:
    if labels is None:
        return column_named("label", names, kind)
    if labels not in names:
        raise InputError(f"{kind} has no column {labels!r}; columns: {', '.join(names)}")
    return str(labels)


def _numbers(index: Any) -> list[int]:
    if isinstance(index, (str, os.PathLike)):
        path = (
            files("multiplex_vit.study.images") / "imagenet_5000.txt"
            if index == PUBLISHED
            else named(index)
        )
        try:
            index = [int(number) for number in read_text(path).split()]
        except ValueError as error:
            raise InputError(
                f"cannot read the index {path}: {error}; give a text file of whole numbers, or {PUBLISHED!r}"
            ) from error
    if not isinstance(index, Iterable):
        raise InputError(
            f"index is {index!r}; give a list of whole numbers, a file or {PUBLISHED!r}"
        )
    numbers = [whole("index", number, at_least=0) for number in index]
    if not numbers:
        raise InputError("the index is empty; give at least one whole number")
    return numbers


def _positions(source: Source, places: Sequence[int], numbers: list[int]) -> list[int]:
    """Return positions among places of numbers: by the number in the names of ImageNet's validation files, otherwise as they are."""
    if len(set(numbers)) < len(numbers):
        raise InputError("the index holds a number twice; give each once")
    names = getattr(source, "names", ())
    named = [_VALIDATION.search(names[place]) for place in places] if names else []
    if named and all(named):
        known = {int(match[1]) - 1: position for position, match in enumerate(named) if match}
        missing = [number for number in numbers if number not in known]
        if missing:
            name = f"ILSVRC2012_val_{missing[0] + 1:08d}"
            raise InputError(
                f"{source.kind} lacks {len(missing)} of the {len(numbers)} images of the index, such as {name}"
            )
        return [known[number] for number in numbers]
    beyond = [number for number in numbers if number >= len(places)]
    if beyond:
        raise InputError(
            f"the index asks for image {beyond[0]}, but {source.kind} has {len(places)} (0 to {len(places) - 1})"
        )
    return numbers
