"""Where a study's images come from: files, Parquet tables, data sets. Each gives one image's file content at a time."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.parquet as pq

from multiplex_vit.checks import numbers
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_IMAGE_BYTES
from multiplex_vit.pictures import read_image
from multiplex_vit.reading import content_of

Label = int | str | None
COLUMNS = ("img", "image")
"""Names that a column of images may have, in Parquet files and data sets."""


@dataclass(frozen=True)
class Sample:
    """One image of a study.

    Attributes
    ----------
    number : int
        Its place among the study's images.
    name : str
    data : bytes
        Content of the image's file.
    label : int, str or None
        Its class, as the source has it.
    is_array : bool
        Whether the data are pixel values, as NumPy writes arrays.
    """

    number: int
    name: str
    data: bytes
    label: Label = None
    is_array: bool = False

    @property
    def image(self) -> Any:
        """The image as models take it: a file's content, or pixel values."""
        if not self.is_array:
            return self.data
        return np.load(BytesIO(self.data), allow_pickle=False)

    @cached_property
    def sha256(self) -> str:
        """Hash of the content."""
        return sha256(self.data).hexdigest()


class Source(Protocol):
    """What `ImageSource` reads from: a length, and name, content and label of the image at a place."""

    @property
    def kind(self) -> str:
        """Return what it is, for messages."""

    def __len__(self) -> int: ...
    def name(self, place: int) -> str:
        """Return a name."""

    def data(self, place: int) -> bytes:
        """Return the content of the image's file; InputError or OSError if there is none."""

    def label(self, place: int) -> Label:
        """Return the class, or None."""

    def state(self) -> Sequence[Any]:
        """Return what tells this source from one that has changed, without reading the images."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images, read one at a time; from `images`.

    Attributes
    ----------
    source : Source
    places : sequence of int
        Which of the source's images, in order.
    origin : dict, optional
        What `images` was given, where it is plain text and numbers, to find them again.
    """

    source: Source
    places: Sequence[int]
    origin: dict[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"<ImageSource: {len(self)} images of {self.source.kind}>"

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(number) for number in range(len(self)))

    def name(self, number: int) -> str:
        """Return the name of an image; its place where not even the name can be read."""
        try:
            return self.source.name(self.places[number])
        except Exception:
            return f"{self.places[number]:06d}"

    def sample(self, number: int) -> Sample:
        """Return an image by its number; InputError if it cannot be read."""
        place = self.places[number]
        try:
            return Sample(
                number,
                self.source.name(place),
                self.source.data(place),
                self.source.label(place),
                isinstance(self.source, Pictures) and self.source.is_array(place),
            )
        except InputError:
            raise
        except Exception as error:  # whatever a data set of one's own raises
            raise InputError(
                f"cannot be read ({type(error).__name__}: {' '.join(str(error).split())})"
            ) from error

    def record(self) -> dict[str, Any]:
        """Return what a study's manifest keeps: kind, how many, and a fingerprint of names, sizes, labels and choice."""
        state = json.dumps([list(self.source.state()), list(self.places)], default=str)
        return {
            "kind": self.source.kind,
            "images": len(self),
            "fingerprint": sha256(state.encode()).hexdigest(),
        }


@dataclass(frozen=True, eq=False)
class Files:
    """Image files under a folder."""

    root: Path
    names: tuple[str, ...]
    labels: tuple[Label, ...]
    kind: str

    def __len__(self) -> int:
        return len(self.names)

    def name(self, place: int) -> str:
        """Return the file's path under the folder."""
        return self.names[place]

    def data(self, place: int) -> bytes:
        """Return the file's content."""
        path = self.root / self.names[place]
        content = content_of(path, give="an image file", most=MOST_IMAGE_BYTES)
        if not content:
            raise InputError(f"{path} is empty (0 bytes); give an image file")
        return content

    def label(self, place: int) -> Label:
        """Return the file's class."""
        return self.labels[place]

    def state(self) -> Sequence[Any]:
        """Return names, sizes and labels."""
        sizes = [
            (self.root / name).stat().st_size if (self.root / name).exists() else -1
            for name in self.names
        ]
        return [self.names, sizes, self.labels]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images in memory, each by a name of its own; they are turned into PNG.

    Attributes
    ----------
    names : tuple of str
    images : tuple
        Paths, PIL images, uint8 arrays [row, col, channel], or pixel values as models take them
        (float arrays or tensors), which are kept as they are.
    """

    names: tuple[str, ...]
    images: tuple[Any, ...]
    kind: str = "images"

    def __len__(self) -> int:
        return len(self.names)

    def name(self, place: int) -> str:
        """Return the image's name."""
        return self.names[place]

    def is_array(self, place: int) -> bool:
        """Return whether an image is given by its pixel values."""
        return hasattr(self.images[place], "dtype") and str(self.images[place].dtype) != "uint8"

    def data(self, place: int) -> bytes:
        """Return the image as PNG, a file's content as it is, or pixel values as NumPy writes them."""
        image = self.images[place]
        if isinstance(image, (str, os.PathLike)):
            return content_of(Path(image), give="an image file", most=MOST_IMAGE_BYTES)
        if not self.is_array(place):
            return png_of(image)
        written = BytesIO()
        np.save(written, numbers("image", image).astype(np.float32), allow_pickle=False)
        return written.getvalue()

    def label(self, place: int) -> Label:
        """Return None: nothing is known of classes."""
        return None

    def state(self) -> Sequence[Any]:
        """Return names and hashes of the images."""
        hashes = []
        for place in range(len(self)):
            try:
                hashes.append(sha256(self.data(place)).hexdigest())
            except (InputError, OSError) as error:
                # It fails again where it is to be explained, and is told there.
                hashes.append(str(error))
        return [self.names, hashes]


def png_of(image: Any) -> bytes:
    """Return an image as the content of a PNG file."""
    written = BytesIO()
    read_image(image).save(written, "PNG")
    return written.getvalue()


@dataclass(frozen=True, eq=False)
class Tables:
    """Rows of Parquet files with a column of images, as Hugging Face writes them."""

    files: tuple[Path, ...]
    column: str
    label_column: str | None
    kind: str

    @cached_property
    def groups(self) -> list[tuple[int, int, int]]:
        """First place, file and row group of each row group, in order."""
        found, first = [], 0
        for number, path in enumerate(self.files):
            metadata = pq.ParquetFile(path).metadata
            for group in range(metadata.num_row_groups):
                found.append((first, number, group))
                first += metadata.row_group(group).num_rows
        return [*found, (first, -1, -1)]

    def __len__(self) -> int:
        return self.groups[-1][0]

    def _row(self, place: int) -> dict[str, Any]:
        at = max(i for i, (first, _, _) in enumerate(self.groups) if first <= place)
        first, file, group = self.groups[at]
        columns = (self.column, *([self.label_column] if self.label_column else []))
        return _group(self.files[file], group, columns).slice(place - first, 1).to_pylist()[0]

    def name(self, place: int) -> str:
        """Return the row's number, and the name of its file where there is one."""
        image = self._row(place)[self.column]
        named = image.get("path") if isinstance(image, dict) else None
        return f"{place:06d}{f' {named}' if named else ''}"

    def data(self, place: int) -> bytes:
        """Return the content of the row's image."""
        image = self._row(place)[self.column]
        content = image.get("bytes") if isinstance(image, dict) else image
        if not isinstance(content, bytes) or not content:
            raise InputError(f"row {place} holds no image (column {self.column!r})")
        return content

    def label(self, place: int) -> Label:
        """Return the row's class."""
        return self._row(place)[self.label_column] if self.label_column else None

    def state(self) -> Sequence[Any]:
        """Return names and sizes of the files, and the columns."""
        return [
            [(path.name, path.stat().st_size) for path in self.files],
            self.column,
            self.label_column,
        ]


@lru_cache(maxsize=1)
def _group(path: Path, group: int, columns: tuple[str, ...]) -> Any:
    """Read a row group; the one read last is kept, so that reading in order reads each once."""
    return pq.ParquetFile(path).read_row_group(group, columns=list(columns))


@dataclass(frozen=True, eq=False)
class DataSet:
    """A Hugging Face data set, or anything that gives {"image": ..., "label": ...} by number; images are turned into PNG."""

    rows: Any
    column: str
    label_column: str | None
    kind: str = "a data set"

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, place: int) -> str:
        """Return the row's number."""
        return f"{place:06d}"

    def data(self, place: int) -> bytes:
        """Return the image as PNG, or as it is where the data set does not decode it."""
        image = self.rows[place][self.column]
        content = image.get("bytes") if isinstance(image, dict) else image
        if isinstance(content, bytes):
            return content
        return png_of(content)

    def label(self, place: int) -> Label:
        """Return the row's class."""
        return self.rows[place][self.label_column] if self.label_column else None

    def state(self) -> Sequence[Any]:
        """Return the data set's own fingerprint where it has one, and its length."""
        return [
            getattr(self.rows, "_fingerprint", None),
            len(self.rows),
            self.column,
            self.label_column,
        ]
