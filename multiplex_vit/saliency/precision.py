"""Precision: what the last bits of the numbers do to masks and heatmaps."""

from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.saliency.agreement import rank_correlation
from multiplex_vit.saliency.each import picture_of
from multiplex_vit.saliency.explain import explain
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks, make_masks
from multiplex_vit.saliency.settings import Settings


@checked
def precision_flips(model: VisionModel, image: Any, settings: Settings | None = None) -> Masks:
    """Return the masks of every operator, centrality and statistic, with the number of tokens in each that float64 would keep and float32 does not, or the reverse.

    Everything after the attention is computed in both types: cut edges, centralities, statistics, the threshold. It takes one forward pass.
    Masks are made as by the design "centrality" without a budget, whatever the settings' own.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    settings : Settings, optional
        The published ones unless given.

    Returns
    -------
    Masks
        The float32 masks; their `table()` has the column `flips`.

    Raises
    ------
    InputError
        If the image or a setting cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> table = precision_flips(mv.load("demo-vit", device="cpu"), mv.samples()["cat"]).table()
    >>> table[table["statistic"].isin(["max", "min"])]["flips"].sum()
    np.int64(0)
    """
    chosen = (settings or Settings()).resolved()
    picture = picture_of(model, image)
    attention, _ = model.attend(model.embed(picture.pixels), chosen.operators)
    tokens = Tokens(model.grid_of(picture.pixels.shape[2:]))
    masks, exact = (make_masks(each, chosen, tokens) for each in (attention[0], attention[0].double()))
    return Masks(masks.kept, masks.labels, masks.designs, (masks.kept != exact.kept).sum(1))


@checked
def precision_agreement(
    model: VisionModel, image: Any, settings: Settings | None = None, *, label: int | str | None = None, other: VisionModel | None = None
) -> pd.DataFrame:
    """Compare the heatmap whose masks are made in float32 with that whose masks are made in float64, and with another device's.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    settings : Settings, optional
        The published ones unless given.
    label : int or str, optional
        The class to explain; the one that `model` predicts unless given.
    other : VisionModel, optional
        The same model on another device.

    Returns
    -------
    DataFrame
        One row a comparison: compared ("float64", or the other's device), masks (how many), masks_differ, tokens_differ (over all masks;
        masks are compared by their place), correlation (Spearman's, of the heatmaps), max_difference, range (greatest less least value of
        the heatmap as it is, which the difference is to be seen against).

    Raises
    ------
    InputError
        If the image, the label or a setting cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> precision_agreement(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])[["compared", "masks"]].values.tolist()
    [['float64', 54]]
    """
    for given in (model, model if other is None else other):
        vision_model(given)
    chosen = settings or Settings()
    image = model.picture(image)
    own = explain(model, image, label=label, method=chosen)
    doubled: Any = _Doubled(model)
    found = {"float64": explain(doubled, image, label=own.label, method=chosen)}
    if other is not None:
        found[str(other.device)] = explain(other, image, label=own.label, method=chosen)
    return pd.DataFrame([{"compared": name, **_compared(own, each)} for name, each in found.items()])


def _compared(own: Explanation, other: Explanation) -> dict[str, Any]:
    n_masks = min(len(own.masks), len(other.masks))
    differ = own.masks.kept[:n_masks] != other.masks.kept[:n_masks]
    return {
        "masks": len(own.masks),
        "masks_differ": int(differ.any(1).sum()) + abs(len(own.masks) - len(other.masks)),
        "tokens_differ": int(differ.sum()),
        "correlation": rank_correlation(own.heatmap, other.heatmap),
        "max_difference": float(np.abs(own.heatmap - other.heatmap).max()),
        "range": float(np.ptp(own.heatmap)),
    }


class _Doubled:
    """A model whose attention is handed on as float64; its passes are as they were."""

    def __init__(self, model: VisionModel):
        self.model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def attend(self, tokens: Any, operators: Any, **options: Any) -> Any:
        attention, probabilities = self.model.attend(tokens, operators, **options)
        return attention.double(), probabilities

    def attend_directly(self, tokens: Any, operators: Any) -> Any:
        attention, probabilities, direct = self.model.attend_directly(tokens, operators)
        return attention.double(), probabilities, direct
