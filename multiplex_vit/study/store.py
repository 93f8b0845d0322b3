"""Store: the folder of a study. Only the process that runs the study writes into it.

Every table is a folder of Parquet files, each written whole or not at all. The manifest says which
study it is and which groups of explainers it has.
"""

import json
import os
import platform
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multiplex_vit.errors import InputError
from multiplex_vit.files import clear_stale, locked, written_whole
from multiplex_vit.reading import read_json
from multiplex_vit.study.groups import Group
from multiplex_vit.study.parts import Seal, identity_of, read_part, sealed
from multiplex_vit.study.schema import (
    DONE,
    IMAGES,
    MANIFEST,
    OF_CHUNK,
    SCHEMAS,
    chunk_tables,
    unit_tables,
)
from multiplex_vit.tabular import unicode_text

FORMAT = "multiplex_vit study 3"
DAMAGED = "damaged"
"""Folder for parts that are not what was written."""

Rows = list[dict[str, Any]]

_UNIT = re.compile(r"group-([0-9]{3,})-chunk-([0-9]{6,})\.parquet")
_CHUNK = re.compile(r"chunk-([0-9]{6,})\.parquet")
_PACKAGES = ("multiplex-vit", "torch", "transformers", "numpy", "scipy", "igraph", "pyarrow")
_SHOWN_CHARACTERS = 100


class UnitId(NamedTuple):
    """A group of explainers and a chunk of images, by their numbers."""

    group: int
    chunk: int


@dataclass(frozen=True)
class Store:
    """The folder of a study.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether there is a study."""
        return (self.folder / MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; InputError if it is missing or damaged."""
        if not self.exists:
            raise InputError(
                f"{self.folder} holds no study ({MANIFEST} is missing); give a folder that a study wrote"
            )
        try:
            return _checked_manifest(read_json(self.folder / MANIFEST))
        except (ValueError, KeyError, TypeError) as error:
            why = "something is missing"
            if isinstance(error, ValueError):
                why = " ".join(str(error).split())
            raise InputError(
                f"{self.folder / MANIFEST} is damaged or of another version ({why}); give another folder"
            ) from error

    def groups(self) -> list[Group]:
        """Return the groups of explainers; none where there is no study yet."""
        if not self.exists:
            return []
        return [Group.restored(record) for record in self.manifest()["groups"]]

    def check(self, record: Mapping[str, Any]) -> None:
        """Make sure that the folder is empty or holds the same study.

        A study of which nothing is done gives way to another one.

        Raises
        ------
        InputError
            If the folder holds another study, or other files.
        """
        self.refuse_others()
        if self.exists and self.done():
            before = _identity(self.manifest()["study"])
            _check_same(self.folder, before, _identity(json.loads(json.dumps(record))))

    def begin(
        self,
        record: Mapping[str, Any],
        groups: Sequence[Group],
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the manifest, where it does not have these groups yet; see `check`."""
        records = [group.record() for group in groups]
        manifest = {"format": FORMAT, "versions": versions(), "origin": origin, "study": record}
        if self.exists and self.done():
            manifest = self.manifest()
            if manifest["groups"] == records:
                return
        write_manifest(self.folder, {**manifest, "groups": records})

    def refuse_others(self) -> None:
        """Refuse a folder that holds files and no study."""
        if self.exists or not self.folder.is_dir():
            return
        names = sorted(entry.name for entry in self.folder.iterdir())
        others = [name for name in names if not name.startswith(".")]
        if others:
            raise InputError(
                f"{self.folder} holds other files, such as {others[0]}; give an empty folder, or one of a study"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder; the lock of a process that is dead is taken over.

        Raises
        ------
        InputError
            If another run is at work there.
        """
        with locked(self.folder):
            yield

    def sweep(self) -> None:
        """Remove what a killed run left half written, and set aside parts that are damaged.

        Units of damaged parts count as not done, so that they are computed again.

        Warns
        -----
        UserWarning
            If a part is set aside.
        """
        for leftover in self.folder.glob("*/.*.parquet"):
            leftover.unlink(missing_ok=True)
        if not self.exists:
            return
        seals = _Seals(self.manifest())
        moved = []
        for table in seals.tables:
            clear_stale(self.folder / table)
            for path in self._parts(table):
                try:
                    self._read(path, seals)
                except InputError as error:
                    moved.append(f"{self._set_aside(path)} ({error.__cause__})")
        if moved:
            more = f" and {len(moved) - 3} others" if len(moved) > 3 else ""
            shown = ", ".join(moved[:3])
            warnings.warn(
                f"damaged parts are set aside and computed again: {shown}{more}", stacklevel=4
            )

    def done(self) -> set[UnitId]:
        """Return the units that are done: of which every table is there, and of their chunk too."""
        if not self.exists:
            return set()
        manifest = self.manifest()
        save = tuple(manifest["study"]["plan"]["save"])
        chunks = [self._chunks(table) for table in chunk_tables(save)]
        units = [self._units(table) for table in unit_tables(save)]
        whole_chunks = set.intersection(*chunks)
        n_groups = len(manifest["groups"])
        done = set()
        for unit in set.intersection(*units):
            if unit.chunk in whole_chunks and unit.group < n_groups:
                done.add(unit)
        return done

    def done_of(self, chunk: int) -> set[UnitId]:
        """Return the units of a chunk that are done, without a look at those of others."""
        return self._done_among(UnitId(group, chunk) for group in range(len(self.groups())))

    def _done_among(self, units: Iterable[UnitId]) -> set[UnitId]:
        """Return which of some units are done."""
        if not self.exists:
            return set()
        save = tuple(self.manifest()["study"]["plan"]["save"])
        done = set()
        for unit in units:
            paths = [self._chunk_path(table, unit.chunk) for table in chunk_tables(save)]
            paths += [self._unit_path(table, unit) for table in unit_tables(save)]
            if all(path.exists() for path in paths):
                done.add(unit)
        return done

    def failed(self) -> set[UnitId]:
        """Return the units that are done and in which something failed."""
        return {unit for unit in self.done() if not self.read("failures", {unit}).empty}

    def forget(self, units: Iterable[UnitId]) -> None:
        """Let units count as not done, so that they are computed again."""
        for unit in units:
            self._unit_path(DONE, unit).unlink(missing_ok=True)

    def write(self, unit: UnitId, tables: Mapping[str, Rows]) -> None:
        """Write the tables of a unit and of its chunk, the one that says it is done last.

        What the chunk's tables hold already stays.

        Raises
        ------
        InputError
            If they cannot be written; the unit is not done then, and those before it stay.
        """
        manifest = self.manifest()
        seals = _Seals(manifest)
        save = tuple(manifest["study"]["plan"]["save"])
        parts: list[tuple[Path, Rows]] = []
        for table in chunk_tables(save):
            path = self._chunk_path(table, unit.chunk)
            parts.append((path, self._merged(path, tables.get(table, []), seals)))
        for table in unit_tables(save):
            parts.append((self._unit_path(table, unit), tables.get(table, [])))
        for path, rows in parts:
            self._write_part(path, rows, seals)

    def _merged(self, path: Path, rows: Rows, seals: "_Seals") -> Rows:
        """Return what a part of a chunk holds, and rows of images that it lacks."""
        if not path.exists():
            return rows
        there = self._read(path, seals).to_pylist()
        numbers = {row["number"] for row in there}
        return [*there, *(row for row in rows if row["number"] not in numbers)]

    def _write_part(self, path: Path, rows: Rows, seals: "_Seals") -> None:
        table = path.parent.name
        try:
            path.parent.mkdir(exist_ok=True)
            with written_whole(path) as temporary:
                part = pa.Table.from_pylist([_unicode(row) for row in rows], SCHEMAS.get(table))
                write_table(temporary, sealed(part, seals.of(path)))
        except (OSError, InputError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            why = getattr(cause, "strerror", None) or cause
            raise InputError(
                f"cannot write {path}: {why}; {len(self.done())} units are kept, run again to go on"
            ) from error

    def read(self, table: str, units: set[UnitId] | None = None) -> pd.DataFrame:
        """Return a table of the units that are done, or of some of them, in their order."""
        return self.arrow(table, units).to_pandas()

    def arrow(self, table: str, units: set[UnitId] | None = None) -> pa.Table:
        """Return a table as Arrow has it."""
        # Listing all units for each of many would take time by the square of their number.
        chosen = self.done() if units is None else self._done_among(units)
        paths = [self._unit_path(table, unit) for unit in sorted(chosen)]
        if table in OF_CHUNK or table not in SCHEMAS:
            chunks = sorted({unit.chunk for unit in chosen})
            paths = [self._chunk_path(table, chunk) for chunk in chunks]
        parts = []
        if paths:
            seals = _Seals(self.manifest())
            # A table that was not asked for has no parts.
            parts = [self._read(path, seals) for path in paths if path.exists()]
        parts = [part for part in parts if part.num_rows or table in SCHEMAS]
        if not parts:
            return SCHEMAS[table].empty_table() if table in SCHEMAS else pa.table({})
        return pa.concat_tables(parts, promote_options="permissive")

    def _read(self, path: Path, seals: "_Seals") -> pa.Table:
        try:
            return read_part(path, seals.of(path), SCHEMAS.get(path.parent.name))
        except InputError as error:
            raise InputError(
                f"{path} is damaged ({error}); run the study again, which sets it aside and computes that unit anew"
            ) from error

    def _set_aside(self, path: Path) -> Path:
        """Move a part into the folder of damaged ones, and return its place there."""
        folder = self.folder / DAMAGED
        folder.mkdir(exist_ok=True)
        target, number = folder / f"{path.parent.name}-{path.name}.damaged", 1
        while target.exists():
            number += 1
            target = folder / f"{path.parent.name}-{path.name}.{number}.damaged"
        path.replace(target)
        return target

    def _parts(self, table: str) -> list[Path]:
        """Return the parts of a table that have a name as parts have it."""
        pattern = _UNIT if table in unit_tables(("masks",)) else _CHUNK
        return [
            self.folder / table / name for name in self._names(table) if pattern.fullmatch(name)
        ]

    def _units(self, table: str) -> set[UnitId]:
        matches = [_UNIT.fullmatch(name) for name in self._names(table)]
        return {UnitId(int(match[1]), int(match[2])) for match in matches if match}

    def _chunks(self, table: str) -> set[int]:
        matches = [_CHUNK.fullmatch(name) for name in self._names(table)]
        return {int(match[1]) for match in matches if match}

    def _names(self, table: str) -> list[str]:
        folder = self.folder / table
        return sorted(os.listdir(folder)) if folder.is_dir() else []

    def _unit_path(self, table: str, unit: UnitId) -> Path:
        return self.folder / table / f"group-{unit.group:03d}-chunk-{unit.chunk:06d}.parquet"

    def _chunk_path(self, table: str, chunk: int) -> Path:
        return self.folder / table / f"chunk-{chunk:06d}.parquet"


class _Seals:
    """The seals of a study's parts.

    A part of a chunk follows from the study; a part of a unit from its group of explainers too.
    """

    def __init__(self, manifest: Mapping[str, Any]):
        self._study = identity_of(_identity(manifest["study"]))
        self._groups = [identity_of([self._study, record]) for record in manifest["groups"]]
        save = tuple(manifest["study"]["plan"]["save"])
        self.tables = [*chunk_tables(save), *unit_tables(save)]

    def of(self, path: Path) -> Seal:
        """Return the seal that a part must have."""
        unit = _UNIT.fullmatch(path.name)
        identity = self._study
        if unit:
            group = int(unit[1])
            identity = self._groups[group] if group < len(self._groups) else ""
        return Seal(identity, path.stem, path.parent.name)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest with its checksum."""
    plain = json.loads(json.dumps(manifest))
    with written_whole(folder / MANIFEST) as temporary:
        text = json.dumps({**plain, "checksum": identity_of(plain)}, indent=1)
        temporary.write_text(text, encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    numbers = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            numbers[name] = version(name)
        except PackageNotFoundError:
            continue
    return numbers


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table, and make sure that it is on the disk before it gets its name."""
    # Arrow takes no name that is not Unicode, so that it is given a file.
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def _checked_manifest(manifest: Any) -> dict[str, Any]:
    """Return a manifest without its checksum; ValueError, KeyError or TypeError if it is wrong."""
    if manifest["format"] != FORMAT:
        raise KeyError(manifest["format"])
    if not {"versions", "origin", "study", "groups"} <= set(manifest):
        raise KeyError("something is missing")
    study = manifest["study"]
    _ = study["plan"]["save"], study["images"][IMAGES], study["chunk"], study["model_sha256"]
    if manifest.pop("checksum", None) != identity_of(manifest):
        raise ValueError("it is not what was written")
    return dict(manifest)


def _unicode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose texts UTF-8 can hold, as Parquet wants it."""
    clean = dict(row)
    for name, value in row.items():
        if isinstance(value, str):
            clean[name] = unicode_text(value)
    return clean


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a study the same: where its images lie is no part of it."""
    images = {key: value for key, value in record["images"].items() if key != "kind"}
    return {**record, "images": images}


def _check_same(
    folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], under: str = ""
) -> None:
    """Refuse a study that differs from the one in a folder, and say in what."""
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            _check_same(folder, old, new, f"{under}{key} ")
        elif old != new:
            raise InputError(
                f"{folder} holds a study with another {under}{key} ({_short(old)}, now {_short(new)}); give another folder, or the same study"
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:60]} ... {text[-30:]}"
