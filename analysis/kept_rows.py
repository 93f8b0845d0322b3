"""Rows of results that are kept image by image, so that a script that was stopped goes on where it was."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

Rows = list[dict[str, Any]]


def rows_of_images(file: Path, samples: Iterable[Any], compute: Callable[[Any], Rows]) -> Rows:
    """Return the rows of all images; those in the file are not computed again.

    Parameters
    ----------
    file : Path
        One line of JSON an image.
    samples : iterable of Sample
    compute : callable
        Gives the rows of a sample.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Rows] = {}
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            # A line that was cut off when the script was stopped is computed again.
            if line.endswith("]}"):
                record = json.loads(line)
                kept[record["sha256"]] = record["rows"]
    rows: Rows = []
    for sample in samples:
        # By its content, as another number of images gives an image another place.
        if sample.sha256 not in kept:
            found = compute(sample)
            kept[sample.sha256] = found
            record = {"sha256": sample.sha256, "rows": found}
            with file.open("a", encoding="utf-8") as lines:
                lines.write("\n" + json.dumps(record))
            print(f"{file.stem}: {sample.number + 1} images", flush=True)
        rows += [{"number": sample.number, **row} for row in kept[sample.sha256]]
    return rows


def seed_of(sample: Any) -> int:
    """Return a seed that belongs to an image, whatever others are measured."""
    return int(sample.sha256[:8], 16)


def table_of(args: Any, models: Iterable[str], samples: Any, compute: Any) -> pd.DataFrame:
    """Return the rows of all models and images, with the model before them."""
    tables = []
    for name in models:
        file = args.study / f"{Path(name).name}.jsonl"
        rows = rows_of_images(file, samples, lambda sample, name=name: compute(name, sample))
        tables.append(pd.DataFrame(rows).assign(model=Path(name).name))
    return pd.concat(tables, ignore_index=True)
