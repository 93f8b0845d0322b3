"""images: whatever holds many pictures becomes an ImageSource, or one clear line."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multiplex_vit.arguments import checked
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.reading import named
from multiplex_vit.study.sources.folders import (
    from_csv,
    from_files,
    from_folder,
    parquet_of,
    pictures_of,
)
from multiplex_vit.study.sources.index import index_numbers, positions
from multiplex_vit.study.sources.memory import from_memory, is_image
from multiplex_vit.study.sources.source import ImageSource, Source
from multiplex_vit.study.sources.tables import from_data_set, from_parquet


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
        Classes of a folder's images: a CSV file (file, label) or {file: label}. Of Parquet and data
        sets the name of a column. Default: the column "label" where there is one.
    index : sequence of int, path-like or "published", optional
        Which images, by their place from 0, or a text file of these. Of files named
        ILSVRC2012_val_00000001 and so on the number in the name less one counts, so that a folder
        of some of them will do. "published" stands for the 5,000 of the published evaluation
        (doi:10.1007/s00521-025-11591-x). Default: all of them.
    limit : int, optional
        Most images, taken from the front. Default: all of them.

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
    >>> two = images(list(samples().values()), limit=2)
    >>> two, two.name(0)
    (<ImageSource: 2 images of files>, 'cat.jpg')
    """
    places: Sequence[int]
    if isinstance(source, ImageSource):
        opened, places = source.source, source.places
    else:
        opened = _opened(source, labels)
        places = range(len(opened))
    if not len(places):
        wanted = "a folder of images, a CSV (file, label), Parquet with a column of images"
        raise InputError(f"{opened.kind} holds no image; give {wanted}, or a data set")
    if index is not None:
        numbers = index_numbers(index)
        places = [places[position] for position in positions(opened, places, numbers)]
        if not isinstance(index, (str, os.PathLike)):
            # Numbers of another library are none that JSON can hold.
            index = numbers
    if limit is not None:
        places = places[: whole("limit", limit, at_least=1)]
    return ImageSource(opened, places, _origin(source, labels, index, limit))


# --- what the source is ---------------------------------------------------------------------------


def _opened(source: Any, labels: Any) -> Source:
    if isinstance(source, (str, os.PathLike)):
        return _from_path(named(source), labels)
    # Data sets come before mappings and lists, which they can look like.
    if hasattr(source, "column_names") or hasattr(source, "features"):
        return from_data_set(source, labels)
    if isinstance(source, Mapping):
        named_images = {str(name): image for name, image in source.items()}
        return from_memory(named_images, labels)
    # An array is one image, though it can be gone through too; so are bytes.
    is_one = is_image(source) or isinstance(source, bytes)
    if isinstance(source, Iterable) and not is_one:
        return _from_list(list(source), labels)
    wanted = "give a folder, a CSV, Parquet, a data set or image files"
    raise InputError(f"cannot read images from {type(source).__name__}; {wanted}")


def _from_path(path: Path, labels: Any) -> Source:
    if not path.exists():
        raise InputError(f"no such folder or file of images: {path}")
    if path.is_dir():
        names = pictures_of(path)
        parquet = parquet_of(path)
        if parquet and not names:
            return from_parquet(parquet, labels)
        return from_folder(path, names, labels)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return from_csv(path)
    if suffix == ".parquet":
        return from_parquet([path], labels)
    return from_files([path], labels)


def _from_list(several: list[Any], labels: Any) -> Source:
    if any(is_image(image) for image in several):
        numbered = {f"{place:06d}": image for place, image in enumerate(several)}
        return from_memory(numbered, labels)
    return from_files([named(path) for path in several], labels)


# --- where it came from ---------------------------------------------------------------------------


def _origin(source: Any, labels: Any, index: Any, limit: int | None) -> dict[str, Any] | None:
    """Return what gives the same images again; None where that is more than paths and numbers."""
    origin = {
        "source": _absolute(source),
        "labels": _absolute(labels),
        "index": _absolute(index),
        "limit": limit,
    }
    try:
        json.dumps(origin)
    except TypeError:
        # Images in memory and data sets cannot be found again by what they were given as.
        return None
    return origin


def _absolute(value: Any) -> Any:
    """Return paths that are there as they are found from anywhere, and anything else as it is."""
    if isinstance(value, (str, os.PathLike)):
        path = named(value)
        return str(path.resolve()) if path.exists() else str(value)
    if isinstance(value, Mapping):
        return {str(name): _absolute(path) for name, path in value.items()}
    if not isinstance(value, (list, tuple, range)):
        return value
    if all(isinstance(part, (str, os.PathLike)) for part in value):
        return [_absolute(part) for part in value]
    return list(value)
