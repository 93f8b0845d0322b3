"""Store: a study's folder. Every table is one Parquet data set of a file a unit, each written whole or not at all, by the driver alone."""

import json
import os
import platform
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multiplex_vit.errors import InputError
from multiplex_vit.files import clear_stale, locked, written_whole
from multiplex_vit.reading import read_json
from multiplex_vit.study.parts import Seal, identity_of, read_part, sealed
from multiplex_vit.tabular import unicode_text

FORMAT = "multiplex_vit study 2"
DAMAGED = "damaged"
"""Folder for parts that are not what was written."""

MANIFEST = "manifest.json"
LAST = "images"
"""The table written last: a unit is done once it is there with all others."""

_ALWAYS = ("rows", "failures", LAST)
_UNIT = re.compile(r"unit-([0-9]{6,})\.parquet")

_PACKAGES = ("multiplex-vit", "torch", "transformers", "numpy", "scipy", "igraph", "pyarrow")
_TEXT, _NUMBER = pa.string(), pa.int64()
SCHEMAS = {
    "rows": pa.schema({"number": _NUMBER, "setting": _TEXT, "variant": _TEXT, "protocol": _TEXT, "measure": _TEXT, "value": pa.float64()}),
    "images": pa.schema(
        {
            "number": _NUMBER,
            "name": _TEXT,
            "sha256": _TEXT,
            "label": _TEXT,
            "explained": _NUMBER,
            "explained_name": _TEXT,
            "probability": pa.float64(),
            "score": _TEXT,
            "correct": pa.bool_(),
            "grid_rows": _NUMBER,
            "grid_cols": _NUMBER,
            "forward_passes": _NUMBER,
            "naive_passes": _NUMBER,
            "evaluation_passes": _NUMBER,
            "naive_evaluation_passes": _NUMBER,
            "seconds": pa.float64(),
        }
    ),
    "failures": pa.schema({"number": _NUMBER, "name": _TEXT, "reason": _TEXT}),
    "heatmaps": pa.schema({"number": _NUMBER, "setting": _TEXT, "variant": _TEXT, "heatmap": pa.list_(pa.float32())}),
    "masks": pa.schema(
        {
            **{name: _TEXT for name in ("setting", "operator", "centrality", "statistic", "design")},
            "number": _NUMBER,
            "kept": pa.binary(),
            "confidence": pa.float32(),
        }
    ),
}


@dataclass(frozen=True)
class Store:
    """A study's folder: manifest, and a data set a table."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether there is a study."""
        return (self.folder / MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; InputError if it is missing or damaged."""
        if not self.exists:
            raise InputError(f"{self.folder} holds no study ({MANIFEST} is missing); give a folder that a study wrote")
        try:
            found = read_json(self.folder / MANIFEST)
            if found["format"] != FORMAT or not {"versions", "origin", "study"} <= set(found):
                raise KeyError(found["format"])
            _ = found["study"]["plan"]["save"], found["study"]["images"]["images"], found["study"]["chunk"], found["study"]["model_sha256"]
            if found.pop("checksum", None) != identity_of(found):
                raise ValueError("it is not what was written")
        except (ValueError, KeyError, TypeError) as error:
            why = " ".join(str(error).split()) if isinstance(error, ValueError) else "something is missing"
            raise InputError(f"{self.folder / MANIFEST} is damaged or of another version ({why}); give another folder") from error
        return found

    def check(self, record: Mapping[str, Any]) -> None:
        """Make sure that the folder is empty or holds the same study; one of which nothing is done gives way.

        Raises
        ------
        InputError
            If the folder holds another study, or other files.
        """
        self.refuse_others()
        if self.exists and self.done():
            _same(self.folder, _identity(self.manifest()["study"]), _identity(json.loads(json.dumps(record))))

    def begin(self, record: Mapping[str, Any], origin: Mapping[str, Any] | None = None) -> None:
        """Write the manifest, unless something is done under the one there; see `check`."""
        if self.exists and self.done():
            return
        write_manifest(self.folder, {"format": FORMAT, "versions": versions(), "origin": origin, "study": record})

    def refuse_others(self) -> None:
        """Refuse a folder that holds files and no study."""
        others = [entry.name for entry in self.folder.iterdir() if not entry.name.startswith(".")] if self.folder.is_dir() and not self.exists else []
        if others:
            raise InputError(f"{self.folder} holds other files, such as {sorted(others)[0]}; give an empty folder, or one of a study")

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
        """Take away what a run that was killed left half written, and set aside parts that are not what was written: those units are computed again.

        Warns
        -----
        UserWarning
            If a part is set aside.
        """
        for leftover in self.folder.glob("*/.*.parquet"):
            leftover.unlink(missing_ok=True)
        if not self.exists:
            return
        aside = []
        study = self._study()
        for table in self._tables():
            clear_stale(self.folder / table)
            for unit in sorted(self._units(table)):
                try:
                    self._read(table, unit, study)
                except InputError as error:
                    aside.append(f"{self._set_aside(table, unit)} ({error.__cause__})")
        if aside:
            more = f" and {len(aside) - 3} others" if len(aside) > 3 else ""
            warnings.warn(f"damaged parts are set aside and computed again: {', '.join(aside[:3])}{more}", stacklevel=4)

    def _set_aside(self, table: str, unit: int) -> Path:
        """Move a part into the folder of damaged ones, and return its place there."""
        folder, path = self.folder / DAMAGED, self._path(table, unit)
        folder.mkdir(exist_ok=True)
        name, number = f"{table}-{path.name}.damaged", 1
        while (folder / name).exists():
            number += 1
            name = f"{table}-{path.name}.{number}.damaged"
        path.replace(folder / name)
        return folder / name

    def _tables(self) -> list[str]:
        """Return the tables that the study has."""
        return list(dict.fromkeys([*_ALWAYS, *self.manifest()["study"]["plan"]["save"]]))

    def _study(self) -> str:
        """Return what the study's parts know it by."""
        return identity_of(_identity(self.manifest()["study"]))

    def done(self) -> set[int]:
        """Return the units that are done: of which every table is there."""
        if not self.exists:
            return set()
        return set.intersection(*map(self._units, self._tables()))

    def _units(self, table: str) -> set[int]:
        folder = self.folder / table
        return {int(found[1]) for name in os.listdir(folder) if (found := _UNIT.fullmatch(name))} if folder.is_dir() else set()

    def failed(self) -> set[int]:
        """Return the units done with images that failed."""
        study = self._study() if self.exists else ""
        return {unit for unit in self.done() if self._read("failures", unit, study).num_rows}

    def forget(self, units: set[int]) -> None:
        """Let units count as not done, so that they are computed again."""
        for unit in units:
            self._path(LAST, unit).unlink(missing_ok=True)

    def write(self, unit: int, tables: Mapping[str, list[dict[str, Any]]]) -> None:
        """Write a unit's tables, the one that says it is done last.

        Raises
        ------
        InputError
            If they cannot be written; the unit is not done then, and those before it stay.
        """
        study = self._study()
        for name in sorted(tables, key=lambda name: (name == LAST, name)):
            path = self._path(name, unit)
            try:
                path.parent.mkdir(exist_ok=True)
                with written_whole(path) as temporary:
                    rows = list(map(_unicode, tables[name]))
                    part = pa.Table.from_pylist(rows, schema=SCHEMAS.get(name))
                    _write(temporary, sealed(part, Seal(study, unit, name)))
            except (OSError, InputError) as error:
                why = error if isinstance(error, OSError) else error.__cause__
                raise InputError(
                    f"cannot write {path}: {getattr(why, 'strerror', None) or why}; {len(self.done())} units are kept, run again to go on"
                ) from error

    def read(self, table: str, units: set[int] | None = None) -> pd.DataFrame:
        """Return a table of the units that are done, or of some of them, by unit."""
        return self.arrow(table, units).to_pandas()

    def arrow(self, table: str, units: set[int] | None = None) -> pa.Table:
        """Return a table as Arrow has it."""
        chosen = sorted(self.done() if units is None else units & self.done())
        study = self._study() if chosen else ""
        parts = []
        for unit in chosen:
            # A table that was not asked for has no part.
            part = self._read(table, unit, study) if self._path(table, unit).exists() else None
            if part is not None and (part.num_rows or table in SCHEMAS):
                parts.append(part)
        if not parts:
            return SCHEMAS[table].empty_table() if table in SCHEMAS else pa.table({})
        return pa.concat_tables(parts, promote_options="permissive")

    def _path(self, table: str, unit: int) -> Path:
        return self.folder / table / f"unit-{unit:06d}.parquet"

    def _read(self, table: str, unit: int, study: str) -> pa.Table:
        path = self._path(table, unit)
        try:
            return read_part(path, Seal(study, unit, table), SCHEMAS.get(table))
        except InputError as error:
            raise InputError(f"{path} is damaged ({error}); run the study again, which sets it aside and computes that unit anew") from error


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest with its checksum."""
    kept = json.loads(json.dumps(manifest))
    with written_whole(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps({**kept, "checksum": identity_of(kept)}, indent=1), encoding="utf-8")


def _unicode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose texts UTF-8 can hold, as Parquet wants it."""
    found = dict(row)
    for name, value in row.items():
        if isinstance(value, str):
            found[name] = unicode_text(value)
    return found


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _write(path: Path, table: pa.Table) -> None:
    """Write a table, and see to it that it is on the disk before it gets its name."""
    # Arrow takes no name that is not Unicode, so that it is given a file.
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a study the same: where its images lie is no part of it."""
    return {**record, "images": {key: value for key, value in record["images"].items() if key != "kind"}}


def _same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], under: str = "") -> None:
    """Refuse a study that differs from the one in a folder, and say in what."""
    for key in [*before, *(key for key in now if key not in before)]:
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new):
            _same(folder, old, new, f"{under}{key} ")
        elif old != new:
            raise InputError(f"{folder} holds a study with another {under}{key} ({_short(old)}, now {_short(new)}); give another folder, or the same study")


def _short(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, dict) else str(value)
    return text if len(text) <= 100 else f"{text[:60]} ... {text[-30:]}"
