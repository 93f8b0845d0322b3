"""Schema: the tables of a study and their columns.

Tables of a chunk are the same for every explainer; tables of a unit are of a group of explainers
and a chunk of images.
"""

import pyarrow as pa

DONE = "work"
"""The table of a unit that is written last: a unit is done once it is there with all others."""

IMAGES = "images"

MANIFEST = "manifest.json"
"""The file that says which study a folder holds."""

_TEXT, _NUMBER, _REAL = pa.string(), pa.int64(), pa.float64()

OF_CHUNK = {
    IMAGES: pa.schema(
        {
            "number": _NUMBER,
            "name": _TEXT,
            "sha256": _TEXT,
            "label": _TEXT,
            "explained": _NUMBER,
            "explained_name": _TEXT,
            "probability": _REAL,
            "score": _TEXT,
            "correct": pa.bool_(),
            "grid_rows": _NUMBER,
            "grid_cols": _NUMBER,
        }
    ),
    "views": pa.schema({"number": _NUMBER, "png": pa.binary()}),
}
"""Tables that are the same for every explainer."""

OF_UNIT = {
    "scores": pa.schema(
        {
            "number": _NUMBER,
            "explainer": _TEXT,
            "protocol": _TEXT,
            "quantity": _TEXT,
            "measure": _TEXT,
            "value": _REAL,
        }
    ),
    "curves": pa.schema(
        {
            "number": _NUMBER,
            "explainer": _TEXT,
            "protocol": _TEXT,
            "curve": _TEXT,
            "fraction": _REAL,
            "confidence": _REAL,
        }
    ),
    "heatmaps": pa.schema(
        {"number": _NUMBER, "explainer": _TEXT, "heatmap": pa.list_(pa.float32())}
    ),
    "costs": pa.schema(
        {
            "number": _NUMBER,
            "explainer": _TEXT,
            "forward_passes": _NUMBER,
            "backward_passes": _NUMBER,
            "seconds": _REAL,
        }
    ),
    "failures": pa.schema({"number": _NUMBER, "name": _TEXT, "explainer": _TEXT, "reason": _TEXT}),
    DONE: pa.schema(
        {
            "number": _NUMBER,
            "forward_passes": _NUMBER,
            "naive_passes": _NUMBER,
            "evaluation_passes": _NUMBER,
            "naive_evaluation_passes": _NUMBER,
            "seconds": _REAL,
        }
    ),
}
"""Tables of a group of explainers."""

MASKS = pa.schema(
    {
        "number": _NUMBER,
        "explainer": _TEXT,
        "operator": _TEXT,
        "centrality": _TEXT,
        "statistic": _TEXT,
        "design": _TEXT,
        "kept": pa.binary(),
        "confidence": pa.float32(),
    }
)

SCHEMAS = {**OF_CHUNK, **OF_UNIT, "masks": MASKS}


def chunk_tables(save: tuple[str, ...]) -> list[str]:
    """Return the tables of a chunk that a study keeps."""
    return [*OF_CHUNK, *(name for name in ("layers", "multilayer") if name in save)]


def unit_tables(save: tuple[str, ...]) -> list[str]:
    """Return the tables of a unit that a study keeps, the one written last at the end."""
    others = [name for name in OF_UNIT if name != DONE]
    return [*others, *(["masks"] if "masks" in save else []), DONE]


def is_of_chunk(table: str) -> bool:
    """Tell whether a table is the same for every explainer.

    Examples
    --------
    >>> is_of_chunk("layers"), is_of_chunk("masks")
    (True, False)
    """
    return table not in unit_tables(save=("masks",))
