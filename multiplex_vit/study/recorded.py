"""Reading a comparison's files back: facts, rows, curves and heatmaps are checked."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_SIDE
from multiplex_vit.models.score import SCORES
from multiplex_vit.reading import Field, checked_facts, opened_archive, read_json
from multiplex_vit.reading.facts import TEXT, Fact, constant, listed, maybe, whole
from multiplex_vit.tabular import read_table

FORMAT = "multiplex_vit comparison 1"
KEY = ["image", "method", "budget", "protocol"]
_GIVE = "a folder that compare wrote"
_MEASURED = ("insertion", "deletion", "difference", "negative", "positive", "confidence")
_COUNTED = ("forward_passes", "backward_passes", "seconds")
_NUMBERS = (*_MEASURED, *_COUNTED, "fraction")
_MOST_FRACTION = 100

_LABEL = Fact("a class's name or index", lambda value: TEXT.holds(value) or whole(0).holds(value))
_FACTS = {
    "format": constant(FORMAT),
    "model": TEXT,
    "score": Fact(f"one of {', '.join(SCORES)}", lambda value: value in list(SCORES)),
    "steps": maybe(whole(1)),
    "label": maybe(_LABEL),
    "seed": whole(0),
}


def _is_run(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2
    return pair and TEXT.holds(value[0]) and maybe(whole(1)).holds(value[1])


_RUN = Fact("a method and its budget", _is_run)
_SHOWN = {"image": TEXT, "runs": listed(_RUN)}


def read_facts(path: Path) -> dict[str, Any]:
    """Return what all rows of a comparison have in common.

    Raises
    ------
    InputError
        If the file is missing, or is no record of a comparison.
    """
    try:
        return checked_facts(read_json(path, give=_GIVE), _FACTS)
    except InputError as error:
        what = f"{path} is no record of a comparison"
        raise InputError(f"{what} ({error}); choose another folder") from error


def read_rows(path: Path) -> pd.DataFrame:
    """Read rows that a ledger wrote; names stay text, whatever they look like.

    Raises
    ------
    InputError
        If a column is missing, or a number is none, infinite or out of range.
    """
    types = {**dict.fromkeys(_NUMBERS, "float64"), "budget": "Int64"}
    table = read_table(path, numbers=types, give="a table of a comparison")
    _check_rows(table, path)
    return table


def _check_rows(table: pd.DataFrame, path: Path) -> None:
    missing = [name for name in KEY if name not in table]
    if missing:
        raise InputError(f"{path} has no column {missing[0]}; give a table of a comparison")
    if (table["budget"].dropna() < 1).any():
        raise InputError(f"{path} has a budget below 1; give a table of a comparison")
    for name in _NUMBERS:
        if name in table:
            _check_numbers(table[name], path)
    points = [name for name in ("curve", "fraction") if name in table]
    twice = table.duplicated([*KEY, *points])
    if twice.any():
        key = table.loc[twice, KEY].iloc[0].tolist()
        raise InputError(f"{path} has two rows of {key}; give a table of a comparison")


def _check_numbers(column: pd.Series, path: Path) -> None:
    if column.dtype.kind not in "iuf":
        raise InputError(f"{path}: {column.name} holds text; give a table of a comparison")
    values = column.dropna().to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise InputError(f"{path}: {column.name} is infinite; give a table of a comparison")
    below_zero = column.name in (*_COUNTED, "fraction") and (values < 0).any()
    if below_zero or (column.name == "fraction" and (values > _MOST_FRACTION).any()):
        raise InputError(f"{path}: {column.name} is out of range; give a table of a comparison")


def read_heatmaps(path: Path) -> list[tuple[str, np.ndarray, dict[Any, np.ndarray]]]:
    """Return image, view and the heatmaps by method and budget of every image that was kept.

    Raises
    ------
    InputError
        If the file is damaged, or arrays and names do not fit each other.
    """
    with opened_archive(path, what="a file of a comparison's heatmaps", give=_GIVE) as archive:
        facts = archive.facts()
        if not isinstance(facts, list):
            raise InputError("facts are no list of images")
        several = [checked_facts(fact, _SHOWN) for fact in facts]
        fields = {}
        for i, fact in enumerate(several):
            fields[f"view{i}"] = Field("uint8", (f"height {i}", f"width {i}", 3))
            for j, _ in enumerate(fact["runs"]):
                fields[f"heatmap{i}_{j}"] = Field("float32", (f"rows {i}", f"columns {i}"))
        arrays = archive.arrays(fields)
        if any(max(array.shape) > MOST_SIDE or not array.size for array in arrays.values()):
            raise InputError("a picture or heatmap is empty or too large")
        names = [fact["image"] for fact in several]
        if len(set(names)) < len(names):
            raise InputError("an image is there twice")
    found = []
    for i, fact in enumerate(several):
        runs = [tuple(run) for run in fact["runs"]]
        heatmaps = {run: arrays[f"heatmap{i}_{j}"] for j, run in enumerate(runs)}
        found.append((fact["image"], arrays[f"view{i}"], heatmaps))
    return found
