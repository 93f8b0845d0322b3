"""Parts: one table of one unit as a Parquet file that says what it is.

It also says whether it is still what was written.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from multiplex_vit.errors import InputError

_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
_KEY = b"multiplex_vit"
"""Where a seal stands in a file's schema metadata."""


@dataclass(frozen=True)
class Seal:
    """What a part says of itself.

    Attributes
    ----------
    study : str
        Hash of what the part's content follows from; see `identity_of`.
    unit : str
        Name of its file without the ending, such as "group-000-chunk-000003".
    table : str
        "scores", "images", "failures", "heatmaps", "masks", ... .
    """

    study: str
    unit: str
    table: str


def sealed(part: pa.Table, seal: Seal) -> pa.Table:
    """Return a table that carries its seal and a checksum of its content."""
    facts = {**_facts(seal), "content": checksum(part)}
    return part.replace_schema_metadata({_KEY: json.dumps(facts)})


def read_part(path: Path, seal: Seal, schema: pa.Schema | None = None) -> pa.Table:
    """Return a table that `sealed` made and Parquet kept.

    Parameters
    ----------
    path : Path
    seal : Seal
        What it must be.
    schema : pyarrow.Schema, optional
        Columns that it must have; any where None.

    Raises
    ------
    InputError
        If it cannot be read, is a part of something else, lacks a column, or its content is not
        what was written.
    """
    try:
        # One file alone: the folder's name says nothing, whatever it looks like.
        with path.open("rb") as file:
            part = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(" ".join(str(error).split())[:120]) from error
    facts = _seal_of(part)
    for name, value in _facts(seal).items():
        if facts.get(name) != value:
            raise InputError(_difference(name, facts.get(name), value))
    plain = part.replace_schema_metadata(None)
    if schema is not None and not plain.schema.equals(schema):
        raise InputError("its columns are not those of a study")
    if facts.get("content") != checksum(plain):
        raise InputError("its content is not what was written")
    return plain


def checksum(part: pa.Table) -> str:
    """Return a hash of names, types and values, however they are laid out in memory.

    Examples
    --------
    >>> table = pa.table({"a": [1, None]})
    >>> chunked = pa.table({"a": pa.chunked_array([[1], [None]], pa.int64())})
    >>> checksum(table) == checksum(chunked), checksum(table) == checksum(pa.table({"a": [1, 0]}))
    (True, False)
    """
    digest = sha256()
    for field, column in zip(part.schema, part.columns, strict=True):
        digest.update(f"{field.name} {len(column)}".encode())
        _add(digest, column)
    return digest.hexdigest()


def identity_of(record: Any) -> str:
    """Return a hash of what makes a study the same.

    Examples
    --------
    >>> identity_of({"seed": 0, "chunk": 8}) == identity_of({"chunk": 8, "seed": 0})
    True
    """
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _add(digest: Any, column: pa.ChunkedArray) -> None:
    """Add a column to a hash: its type, which values are missing, then the others."""
    # The type of a list names its items, and Parquet names them otherwise.
    digest.update(b"list" if pa.types.is_list(column.type) else str(column.type).encode())
    digest.update(column.is_null().to_numpy().tobytes())
    values = column.drop_null()
    kind = values.type
    if pa.types.is_list(kind):
        digest.update(pc.list_value_length(values).to_numpy().tobytes())
        _add(digest, pc.list_flatten(values))
    elif any(is_kind(kind) for is_kind in _NUMERIC):
        digest.update(values.to_numpy().tobytes())
    else:
        # As bytes, since a flipped bit can leave text that is no UTF-8.
        for value in values.cast(pa.binary()).to_pylist():
            digest.update(len(value).to_bytes(8, "little") + value)


def _facts(seal: Seal) -> dict[str, Any]:
    return {"study": seal.study, "unit": seal.unit, "table": seal.table}


def _seal_of(part: pa.Table) -> dict[str, Any]:
    try:
        facts = json.loads((part.schema.metadata or {})[_KEY])
    except (KeyError, ValueError) as error:
        raise InputError("it says not of which study and unit it is") from error
    if not isinstance(facts, dict):
        raise InputError("it says not of which study and unit it is")
    return facts


def _difference(name: str, there: Any, wanted: Any) -> str:
    if name == "study":
        return "it is of another study"
    return f"it is of {name} {str(there)[:40]!r}, not {str(wanted)!r}"
