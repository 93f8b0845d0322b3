"""Tables of images: Parquet files as Hugging Face writes them, and its data sets."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_PARQUET_BYTES
from multiplex_vit.reading import readable
from multiplex_vit.study.sources.columns import image_column, label_column
from multiplex_vit.study.sources.source import Label, Source, png_of


class RowGroup(NamedTuple):
    """A part of a Parquet file that is read at once."""

    first: int
    """Place of its first row among the rows of all files."""
    path: Path
    number: int
    n_rows: int


@dataclass(frozen=True, eq=False)
class Tables:
    """Rows of Parquet files with a column of images, as Hugging Face writes them."""

    files: tuple[Path, ...]
    column: str
    label_column: str | None
    kind: str
    fingerprint: None = None

    @cached_property
    def groups(self) -> list[RowGroup]:
        """The row groups of all files, in order."""
        groups = []
        first = 0
        for path in self.files:
            metadata = pq.ParquetFile(path).metadata
            for number in range(metadata.num_row_groups):
                n_rows = metadata.row_group(number).num_rows
                groups.append(RowGroup(first, path, number, n_rows))
                first += n_rows
        return groups

    def __len__(self) -> int:
        return sum(group.n_rows for group in self.groups)

    def _row(self, place: int) -> dict[str, Any]:
        columns = [self.column]
        # Other columns may be large, and are not read.
        if self.label_column:
            columns.append(self.label_column)
        # The last group that begins at the row or before it; those without rows come first.
        first = attrgetter("first")
        behind = bisect_right(self.groups, place, key=first)
        group = self.groups[behind - 1]
        # A tuple, as the cache needs what can be hashed.
        rows = _rows_of(group.path, group.number, tuple(columns))
        inside = place - group.first
        row: dict[str, Any] = rows.slice(inside, 1).to_pylist()[0]
        return row

    def name(self, place: int) -> str:
        """Return the row's number, and the name of its file where there is one."""
        image = self._row(place)[self.column]
        number = f"{place:06d}"
        path = image.get("path") if isinstance(image, dict) else None
        return f"{number} {path}" if path else number

    def data(self, place: int) -> bytes:
        """Return the content of the row's image."""
        image = self._row(place)[self.column]
        # Hugging Face writes {"bytes": ..., "path": ...}; others write the content alone.
        content = image
        if isinstance(image, dict):
            content = image.get("bytes")
        if not isinstance(content, bytes) or not content:
            problem = f"row {place} holds no image"
            raise InputError(f"{problem} (column {self.column!r})")
        return content

    def label(self, place: int) -> Label:
        """Return the row's class."""
        # Without labels no row need be read.
        if not self.label_column:
            return None
        return self._row(place)[self.label_column]

    def is_array(self, place: int) -> bool:
        """Return False: rows hold the content of image files."""
        return False

    def state(self) -> Sequence[Any]:
        """Return names and sizes of the files, and the columns."""
        # Sizes tell files apart without reading gigabytes.
        sizes = [(path.name, path.stat().st_size) for path in self.files]
        return [sizes, self.column, self.label_column]


@lru_cache(maxsize=1)
def _rows_of(path: Path, group: int, columns: tuple[str, ...]) -> Any:
    """Read a row group; the one read last is kept, so that reading in order reads each once."""
    file = pq.ParquetFile(path)
    return file.read_row_group(group, columns=list(columns))


@dataclass(frozen=True, eq=False)
class DataSet:
    """A Hugging Face data set, or anything that gives {"image": ..., "label": ...} by number.

    Its images are turned into PNG.
    """

    rows: Any
    column: str
    label_column: str | None
    kind: str = "a data set"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def fingerprint(self) -> Any:
        """The data set's own fingerprint, which Hugging Face's have."""
        return getattr(self.rows, "_fingerprint", None)

    def name(self, place: int) -> str:
        """Return the row's number."""
        return f"{place:06d}"

    def data(self, place: int) -> bytes:
        """Return the image as PNG, or as it is where the data set does not decode it."""
        image = self.rows[place][self.column]
        content = image
        if isinstance(image, dict):
            content = image.get("bytes")
        if isinstance(content, bytes):
            return content
        return png_of(content)

    def label(self, place: int) -> Label:
        """Return the row's class."""
        # Reading a row would decode its image too.
        if not self.label_column:
            return None
        return self.rows[place][self.label_column]

    def is_array(self, place: int) -> bool:
        """Return False: images are turned into PNG."""
        return False

    def state(self) -> Sequence[Any]:
        """Return the data set's own fingerprint where it has one, its length, and the columns."""
        return [self.fingerprint, len(self.rows), self.column, self.label_column]


def from_parquet(paths: list[Path], labels: Any) -> Source:
    """Return Parquet files of the same columns as a source; `labels` may name a column."""
    schemas = [_schema(path) for path in paths]
    names = schemas[0].names
    if any(set(schema.names) != set(names) for schema in schemas):
        what = f"the Parquet files of {paths[0].parent} have different columns"
        raise InputError(f"{what}; give one of them")
    kind = str(paths[0] if len(paths) == 1 else paths[0].parent)
    image = image_column(names, kind)
    label = label_column(names, labels, kind)
    return Tables(tuple(paths), image, label, kind)


def from_data_set(rows: Any, labels: Any) -> Source:
    """Return a data set as a source; `labels` may name the column of labels."""
    # Not all that acts as a data set lists its columns.
    has_names = hasattr(rows, "column_names")
    names = list(rows.column_names if has_names else rows.features)
    kind = "the data set"
    image = image_column(names, kind)
    label = label_column(names, labels, kind)
    return DataSet(rows, image, label)


def _schema(path: Path) -> Any:
    try:
        file = readable(
            path,
            give="a Parquet file",
            most=MOST_PARQUET_BYTES,
        )
        return pq.read_schema(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        # Arrow's lines are long, and end in places of its own source.
        reason = " ".join(str(error).split())[:120]
        what = f"{path}: cannot be read as Parquet ({reason})"
        raise InputError(f"{what}; fetch it again") from error
