"""Store: the folder of a study. Only the process that runs the study writes into it.

Every table is a folder of Parquet files, each written whole or not at all. The manifest says which
study it is and which groups of explainers it has.
"""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multiplex_vit.errors import InputError
from multiplex_vit.files import clear_stale, locked, written_whole
from multiplex_vit.study.groups import Group
from multiplex_vit.study.layout import Layout, UnitId, unit_of
from multiplex_vit.study.manifest import Manifest, versions
from multiplex_vit.study.parts import Seal, read_part, sealed
from multiplex_vit.study.schema import DONE, MANIFEST, SCHEMAS, is_of_chunk
from multiplex_vit.tabular import unicode_text

DAMAGED = "damaged"
"""Folder for parts that are not what was written."""

Rows = list[dict[str, Any]]

_SHOWN_PARTS = 3


@dataclass(frozen=True)
class Store:
    """The folder of a study.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    # --- which study it is

    @property
    def exists(self) -> bool:
        """Whether there is a study."""
        return (self.folder / MANIFEST).is_file()

    def manifest(self) -> Manifest:
        """Return the manifest; InputError if it is missing or damaged."""
        return Manifest.read(self.folder)

    def groups(self) -> list[Group]:
        """Return the groups of explainers; none where there is no study yet."""
        return list(self.manifest().groups) if self.exists else []

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
            self.manifest().check_same(record, self.folder)

    def begin(
        self,
        record: Mapping[str, Any],
        groups: Sequence[Group],
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the manifest, where it does not have these groups yet; see `check`."""
        manifest = Manifest(record, tuple(groups), versions(), origin)
        if self.exists and self.done():
            # What is done says with which versions, and where the images were.
            before = self.manifest()
            if before.groups == manifest.groups:
                return
            manifest = replace(before, groups=manifest.groups)
        manifest.write(self.folder)

    def refuse_others(self) -> None:
        """Refuse a folder that holds files and no study."""
        if self.exists or not self.folder.is_dir():
            return
        names = sorted(entry.name for entry in self.folder.iterdir())
        # The lock of a run that was killed before it wrote anything is hidden, and no obstacle.
        others = [name for name in names if not name.startswith(".")]
        if others:
            what = f"{self.folder} holds other files, such as {others[0]}"
            raise InputError(f"{what}; give an empty folder, or one of a study")

    # --- one run at a time

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
        manifest = self.manifest()
        layout = self._layout(manifest)
        moved = []
        for table in layout.tables:
            clear_stale(self.folder / table)
            for path in layout.parts(table):
                try:
                    self._read(path, manifest)
                except InputError as error:
                    moved.append(f"{self._set_aside(path)} ({error.__cause__})")
        if moved:
            n_more = len(moved) - _SHOWN_PARTS
            more = f" and {n_more} others" if n_more > 0 else ""
            shown = ", ".join(moved[:_SHOWN_PARTS])
            line = f"damaged parts are set aside and computed again: {shown}{more}"
            warnings.warn(line, stacklevel=4)

    def _set_aside(self, path: Path) -> Path:
        """Move a part into the folder of damaged ones, and return its place there."""
        folder = self.folder / DAMAGED
        folder.mkdir(exist_ok=True)
        name = f"{path.parent.name}-{path.name}"
        target, number = folder / f"{name}.damaged", 1
        # A part may be damaged again, and the earlier one is kept.
        while target.exists():
            number += 1
            target = folder / f"{name}.{number}.damaged"
        path.replace(target)
        return target

    # --- what is done

    def done(self) -> set[UnitId]:
        """Return the units that are done: of which every table is there, and of their chunk too."""
        if not self.exists:
            return set()
        manifest = self.manifest()
        # Parts of a group that the manifest lacks are of another study, or of a killed run.
        n_groups = len(manifest.groups)
        whole = self._layout(manifest).whole_units()
        return {unit for unit in whole if unit.group < n_groups}

    def done_of(self, chunk: int) -> set[UnitId]:
        """Return the units of a chunk that are done, without a look at those of others."""
        n_groups = len(self.groups())
        return self._done_among(UnitId(group, chunk) for group in range(n_groups))

    def _done_among(self, units: Iterable[UnitId]) -> set[UnitId]:
        if not self.exists:
            return set()
        layout = self._layout(self.manifest())
        done = set()
        for unit in units:
            if all(path.exists() for path in layout.paths_of(unit)):
                done.add(unit)
        return done

    def failed(self) -> set[UnitId]:
        """Return the units that are done and in which something failed."""
        failed = set()
        for unit in self.done():
            if not self.read("failures", {unit}).empty:
                failed.add(unit)
        return failed

    def forget(self, units: Iterable[UnitId]) -> None:
        """Let units count as not done, so that they are computed again."""
        layout = self._layout(self.manifest())
        for unit in units:
            layout.path(DONE, unit).unlink(missing_ok=True)

    # --- writing

    def write(self, unit: UnitId, tables: Mapping[str, Rows]) -> None:
        """Write the tables of a unit and of its chunk, the one that says it is done last.

        What the chunk's tables hold already stays.

        Raises
        ------
        InputError
            If they cannot be written; the unit is not done then, and those before it stay.
        """
        manifest = self.manifest()
        layout = self._layout(manifest)
        parts: list[tuple[Path, Rows]] = []
        for table in layout.tables:
            path, rows = layout.path(table, unit), tables.get(table, [])
            if is_of_chunk(table):
                rows = self._merged(path, rows, manifest)
            parts.append((path, rows))
        # All are made before one is written, so that what cannot be read leaves nothing half done.
        for path, rows in parts:
            self._write_part(path, rows, manifest)

    def _merged(self, path: Path, rows: Rows, manifest: Manifest) -> Rows:
        """Return what a part of a chunk holds, and rows of images that it lacks."""
        if not path.exists():
            return rows
        there = self._read(path, manifest).to_pylist()
        numbers = {row["number"] for row in there}
        return [*there, *(row for row in rows if row["number"] not in numbers)]

    def _write_part(self, path: Path, rows: Rows, manifest: Manifest) -> None:
        schema = SCHEMAS.get(path.parent.name)
        try:
            path.parent.mkdir(exist_ok=True)
            with written_whole(path) as temporary:
                part = pa.Table.from_pylist([_unicode(row) for row in rows], schema)
                write_table(temporary, sealed(part, _seal(path, manifest)))
        except (OSError, InputError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            reason = getattr(cause, "strerror", None) or cause
            kept = f"{len(self.done())} units are kept"
            raise InputError(
                f"cannot write {path}: {reason}; {kept}, run again to go on"
            ) from error

    # --- reading

    def read(self, table: str, units: set[UnitId] | None = None) -> pd.DataFrame:
        """Return a table of the units that are done, or of some of them, in their order."""
        return self.arrow(table, units).to_pandas()

    def arrow(self, table: str, units: set[UnitId] | None = None) -> pa.Table:
        """Return a table as Arrow has it."""
        # Listing all units for each of many would take time by the square of their number.
        chosen = self.done() if units is None else self._done_among(units)
        parts = []
        if chosen:
            manifest = self.manifest()
            layout = self._layout(manifest)
            units_in_order = sorted(chosen)
            if is_of_chunk(table):
                units_in_order.sort(key=lambda unit: unit.chunk)
            # Units of one chunk share its part.
            paths = dict.fromkeys(layout.path(table, unit) for unit in units_in_order)
            # A table that was not asked for has no parts.
            parts = [self._read(path, manifest) for path in paths if path.exists()]
        # A table of measures has columns only where an image has a network.
        parts = [part for part in parts if part.num_rows or table in SCHEMAS]
        if not parts:
            return SCHEMAS[table].empty_table() if table in SCHEMAS else pa.table({})
        return pa.concat_tables(parts, promote_options="permissive")

    def _read(self, path: Path, manifest: Manifest) -> pa.Table:
        try:
            return read_part(path, _seal(path, manifest), SCHEMAS.get(path.parent.name))
        except InputError as error:
            remedy = "run the study again, which sets it aside and computes that unit anew"
            raise InputError(f"{path} is damaged ({error}); {remedy}") from error

    def _layout(self, manifest: Manifest) -> Layout:
        return Layout(self.folder, manifest.save)


def _seal(path: Path, manifest: Manifest) -> Seal:
    """Return the seal that a part must have.

    A part of a chunk follows from the study; a part of a unit from its group of explainers too.
    """
    unit = unit_of(path.name)
    identity = manifest.identity if unit is None else manifest.group_identity(unit.group)
    return Seal(identity, path.stem, path.parent.name)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table, and make sure that it is on the disk before it gets its name."""
    # Arrow takes no name that is not Unicode, so that it is given a file.
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def _unicode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose texts UTF-8 can hold, as Parquet wants it."""
    clean = dict(row)
    for name, value in row.items():
        if isinstance(value, str):
            clean[name] = unicode_text(value)
    return clean
