"""Ledger: what a comparison has measured so far, in memory or in a folder, where a second run goes on."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.reading import named
from multiplex_vit.study.recorded import FORMAT, KEY, read_facts, read_heatmaps, read_rows
from multiplex_vit.tabular import write_table

ROWS, CURVES, HEATMAPS, FACTS = "comparison.csv", "curves.csv", "heatmaps.npz", "comparison.json"
COLUMNS = [*KEY, "insertion", "deletion", "difference", "quantity", "forward_passes", "backward_passes", "seconds"]
DIGITS = 6
"""Significant digits of figures in files."""
CURVE_COLUMNS = [*KEY, "curve", "fraction", "confidence", "quantity"]
Key = tuple[str, str, int | None, str]


@dataclass(frozen=True, eq=False)
class Shown:
    """An image as the model sees it, and a heatmap of every method."""

    image: str
    view: np.ndarray
    heatmaps: dict[tuple[str, int | None], np.ndarray]


@dataclass(eq=False)
class Ledger:
    """Rows, curves and heatmaps, written after every image if there is a folder.

    Attributes
    ----------
    facts : dict
        What must be alike for rows to belong together: model, score, steps, label, seed.
    folder : Path, optional
    """

    facts: dict[str, Any]
    folder: Path | None = None
    rows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS).astype({"budget": "Int64"}))
    curves: list[pd.DataFrame] = field(default_factory=list)
    shown: dict[str, Shown] = field(default_factory=dict)

    @classmethod
    def opened(cls, facts: dict[str, Any], folder: str | os.PathLike[str] | None) -> "Ledger":
        """Return what a folder holds already, or an empty ledger.

        Raises
        ------
        InputError
            If the folder holds a comparison of another model, score, steps, label or seed, or files that are none.
        """
        ledger = cls(facts, None if folder is None else named(folder))
        if ledger.folder is not None and (ledger.folder / FACTS).exists():
            _agree(facts, read_facts(ledger.folder / FACTS), ledger.folder)
            ledger._take(ledger.folder)
        return ledger

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> "Ledger":
        """Return what a folder holds, for looking at.

        Raises
        ------
        InputError
            If it holds no comparison.
        """
        ledger = cls(read_facts(named(folder) / FACTS))
        ledger._take(Path(folder))
        return ledger

    def all_curves(self) -> pd.DataFrame:
        """Return one row a point of a curve."""
        return pd.concat(self.curves, ignore_index=True) if self.curves else pd.DataFrame(columns=CURVE_COLUMNS)

    def _take(self, folder: Path) -> None:
        try:
            self._read(folder)
        except (OSError, ValueError) as error:
            raise InputError(f"{folder} holds a damaged comparison ({' '.join(str(error).split())}); choose another folder") from error

    def _read(self, folder: Path) -> None:
        if (folder / ROWS).exists():
            self.rows = read_rows(folder / ROWS)
        if (folder / CURVES).exists():
            curves, done = read_rows(folder / CURVES), self.done
            self.curves = [curves[np.array([key in done for key in keys_of(curves)], dtype=bool)]]
            if self.folder is not None and len(self.curves[0]) < len(curves):  # of an image that was being written when the run ended
                _write(self.curves[0], folder / CURVES)
        if (folder / HEATMAPS).exists():
            for image, view, heatmaps in read_heatmaps(folder / HEATMAPS):
                self.shown[image] = Shown(image, view, heatmaps)

    @property
    def done(self) -> set[Key]:
        """Image, method, budget and protocol of every row."""
        return set(keys_of(self.rows))

    def add(self, rows: list[dict[str, Any]], curves: list[pd.DataFrame], shown: Shown | None) -> None:
        """Add what was measured on an image, and write it."""
        new = pd.DataFrame(rows).astype({"budget": "Int64"})
        self.rows = new if self.rows.empty else pd.concat([self.rows, new], ignore_index=True)
        self.curves.append(pd.concat(curves, ignore_index=True)[CURVE_COLUMNS].astype({"budget": "Int64"}))
        if shown is not None:
            earlier = self.shown.get(shown.image)
            self.shown[shown.image] = Shown(shown.image, shown.view, {**(earlier.heatmaps if earlier else {}), **shown.heatmaps})
        if self.folder is not None:
            self._write(self.folder, shown is not None)

    def _write(self, folder: Path, shown: bool) -> None:
        """Write the rows last: what has no row is measured again."""
        if not (folder / FACTS).exists():
            with written_whole(folder / FACTS) as temporary:
                temporary.write_text(json.dumps({"format": FORMAT, **self.facts}, indent=1) + "\n", encoding="utf-8")
        _append(self.curves[-1], folder / CURVES)
        if shown:
            _write_shown(self.shown.values(), folder / HEATMAPS)
        _write(self.rows, folder / ROWS)


def keys_of(table: pd.DataFrame) -> list[Key]:
    """Return image, method, budget (None for none) and protocol of every row."""
    budgets = (None if pd.isna(budget) else int(budget) for budget in table["budget"])
    return list(zip(table["image"], table["method"], budgets, table["protocol"], strict=True))


def _agree(facts: dict[str, Any], found: dict[str, Any], folder: Path) -> None:
    for name, value in facts.items():
        if found.get(name) != value:
            raise InputError(f"{folder} holds a comparison with {name} {found.get(name)}, not {value}; choose another folder, or the same {name}")


def _write(table: pd.DataFrame, path: Path) -> None:
    with written_whole(path) as temporary:
        write_table(table, temporary, digits=DIGITS)


def _append(table: pd.DataFrame, path: Path) -> None:
    """Write a table behind what a file holds, whole or not at all."""
    with written_whole(path) as temporary:
        if path.exists():
            shutil.copyfile(path, temporary)
        write_table(table, temporary, digits=DIGITS, go_on=path.exists())


def _write_shown(several: Iterable[Shown], path: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    facts = []
    for i, shown in enumerate(several):
        arrays[f"view{i}"] = shown.view
        arrays.update({f"heatmap{i}_{j}": heatmap for j, heatmap in enumerate(shown.heatmaps.values())})
        facts.append({"image": shown.image, "runs": list(shown.heatmaps)})
    with written_whole(path) as temporary:
        np.savez_compressed(temporary, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
