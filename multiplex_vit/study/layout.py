"""Layout: where in a study's folder each part lies.

A table is a folder. It has one file for each chunk of images, or one for each unit: a group of
explainers and a chunk.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from multiplex_vit.study.schema import IMAGES, chunk_tables, is_of_chunk, unit_tables

_UNIT = re.compile(r"group-([0-9]{3,})-chunk-([0-9]{6,})\.parquet")
_CHUNK = re.compile(r"chunk-([0-9]{6,})\.parquet")


class UnitId(NamedTuple):
    """A group of explainers and a chunk of images, by their numbers."""

    group: int
    chunk: int


def unit_of(name: str) -> UnitId | None:
    """Return the unit that a file's name says; None for the name of a part of a chunk.

    Examples
    --------
    >>> unit_of("group-001-chunk-000003.parquet"), unit_of("chunk-000003.parquet")
    (UnitId(group=1, chunk=3), None)
    """
    match = _UNIT.fullmatch(name)
    if not match:
        return None
    return UnitId(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Layout:
    """The parts of a study that saves these tables.

    Attributes
    ----------
    folder : Path
    save : tuple of str
        Tables that are kept beside those that every study has.
    """

    folder: Path
    save: tuple[str, ...]

    @property
    def tables(self) -> list[str]:
        """All tables that the study has."""
        return [*chunk_tables(self.save), *unit_tables(self.save)]

    def path(self, table: str, unit: UnitId) -> Path:
        """Return where the part of a table lies that has what belongs to a unit."""
        name = f"chunk-{unit.chunk:06d}.parquet"
        if not is_of_chunk(table):
            name = f"group-{unit.group:03d}-{name}"
        return self.folder / table / name

    def paths_of(self, unit: UnitId) -> list[Path]:
        """Return all parts of a unit in the order in which they are written."""
        return [self.path(table, unit) for table in self.tables]

    def parts(self, table: str) -> list[Path]:
        """Return the parts of a table that are there; other files are left out."""
        folder = self.folder / table
        pattern = _CHUNK if is_of_chunk(table) else _UNIT
        # One listing of a folder is much quicker than a question for each of its files.
        names = os.listdir(folder) if folder.is_dir() else []
        return [folder / name for name in sorted(names) if pattern.fullmatch(name)]

    def whole_units(self) -> set[UnitId]:
        """Return the units of which every part is there."""
        names = {}
        for table in self.tables:
            names[table] = {path.name for path in self.parts(table)}
        # A part of a unit has the same name in every table.
        of_units = [names[table] for table in unit_tables(self.save)]
        of_chunks = [names[table] for table in chunk_tables(self.save)]
        everywhere = set.intersection(*of_units)
        whole = set()
        for unit in filter(None, map(unit_of, everywhere)):
            # Units of one chunk share what is kept once a chunk.
            chunk = self.path(IMAGES, unit).name
            if all(chunk in there for there in of_chunks):
                whole.add(unit)
        return whole
