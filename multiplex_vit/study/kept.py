"""Kept: what a study kept of its images, as work wants it, so that it takes no pass."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.models.score import score_named
from multiplex_vit.saliency.explainers import EXPLAINERS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.study.groups import HEATMAPS, MASKS, Group
from multiplex_vit.study.schema import IMAGES
from multiplex_vit.study.store import Store
from multiplex_vit.study.unit import Kept

_LABELS = ("operator", "centrality", "statistic")


def kept_of(store: Store, group: Group, chunk: int, model: str) -> dict[int, tuple[str, Kept]]:
    """Return what is kept of each image of a chunk, for a group of explainers.

    Parameters
    ----------
    store : Store
    group : Group
    chunk : int
    model : str
        Name of the model, for the explanations.

    Returns
    -------
    dict of int to (str, Kept)
        Hash of the image's content, and what is kept, by the image's number.
    """
    # Other chunks are not looked at: a study of many would take time by the square of their number.
    units = store.done_of(chunk)
    facts = store.read(IMAGES, units).to_dict("records")
    heatmaps: dict[int, dict[str, np.ndarray]] = {}
    bases: dict[int, Explanation] = {}
    if group.made_from == HEATMAPS:
        heatmaps = _heatmaps(store.read("heatmaps", units), facts)
    elif group.made_from == MASKS:
        masks = store.read("masks", units)
        masks = masks[masks["explainer"] == group.base]
        bases = _explanations(masks, facts, group.base, model)
    kept = {}
    for row in facts:
        number = int(row["number"])
        here = Kept(int(row["explained"]), heatmaps.get(number, {}), bases.get(number))
        kept[number] = (str(row["sha256"]), here)
    return kept


def _heatmaps(table: pd.DataFrame, facts: list[Any]) -> dict[int, dict[str, np.ndarray]]:
    grids = {}
    for row in facts:
        grids[row["number"]] = (int(row["grid_rows"]), int(row["grid_cols"]))
    heatmaps: dict[int, dict[str, np.ndarray]] = {}
    for row in table.itertuples():
        values = np.asarray(row.heatmap, dtype=np.float32).reshape(grids[row.number])
        heatmaps.setdefault(row.number, {})[row.explainer] = values
    return heatmaps


def _explanations(
    masks: pd.DataFrame, facts: list[Any], base: str, model: str
) -> dict[int, Explanation]:
    by_number = {int(row["number"]): row for row in facts}
    explanations = {}
    for number, rows in masks.groupby("number", sort=False):
        of_image = by_number[int(number)]
        explanations[int(number)] = _explanation(rows, of_image, base, model)
    return explanations


def _explanation(
    rows: pd.DataFrame, facts: Mapping[str, Any], base: str, model: str
) -> Explanation:
    """Return an explanation from the masks that were kept: of the class explained alone."""
    settings = EXPLAINERS[base].settings
    assert settings is not None, "a base makes masks"
    grid = (int(facts["grid_rows"]), int(facts["grid_cols"]))
    packed = np.stack([np.frombuffer(bits, dtype=np.uint8) for bits in rows["kept"]])
    # The count takes off the bits that fill the last byte.
    kept = np.unpackbits(packed, axis=1, count=grid[0] * grid[1]).astype(bool)
    labels = tuple(rows[list(_LABELS)].itertuples(index=False, name=None))
    # Of one class and with an empty view, since no more is kept and no more is needed.
    return Explanation(
        label=0,
        masks=Masks(kept, labels, tuple(rows["design"])),
        probabilities=rows["confidence"].to_numpy(dtype=np.float32)[:, None],
        clean=np.array([facts["probability"]], dtype=np.float32),
        grid=grid,
        classes=(str(facts["explained_name"]),),
        settings=settings,
        forward_passes=0,
        model=model,
        view=np.zeros((*grid, 3), dtype=np.uint8),
        score=score_named(facts["score"]),
    )
