"""Precision: what the last bits of the numbers do to masks and heatmaps."""

from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.relay import Relay
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.saliency.agreement import rank_correlation
from multiplex_vit.saliency.batching import picture_of
from multiplex_vit.saliency.explain import Method, explain
from multiplex_vit.saliency.explainers import EXPLAINERS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.ranked import make_masks
from multiplex_vit.saliency.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@checked
def precision_flips(model: Classifier, image: Any, method: Method = "mutex") -> Masks:
    """Return the masks of every operator, centrality and statistic, and how many tokens flip.

    A token flips that float64 would keep and float32 does not, or the reverse. Everything after the
    attention is computed in both types: cut edges, centralities, statistics, the threshold. It
    takes one forward pass. Masks are made as by the design "centrality" without a budget, whatever
    the method's own.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str, Explainer or Settings
        An explainer that has settings. Default: "mutex".

    Returns
    -------
    Masks
        The float32 masks; their `table()` has the column `flips`.

    Raises
    ------
    InputError
        If the image or the method cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> table = precision_flips(model, cat).table()
    >>> int(table[table["statistic"].isin(["max", "min"])]["flips"].sum())
    0
    """
    settings = _settings_of(method)
    ranking = settings.ranking
    picture = picture_of(model, image)
    pixels = picture.pixels
    attention, _ = model.attend(model.embed(pixels), ranking.operators)
    nodes = Tokens(model.grid_of(pixels.shape[2:]))
    # The same attention, so that nothing but the arithmetic after it differs.
    single = dict(zip(ranking.operators, attention[0], strict=True))
    double = {}
    for operator, weights in single.items():
        double[operator] = weights.double()
    masks = make_masks(single, ranking, settings.token_ratio, nodes)
    exact = make_masks(double, ranking, settings.token_ratio, nodes)
    flips = (masks.kept != exact.kept).sum(1)
    return Masks(masks.kept, masks.labels, masks.designs, flips)


@checked
def precision_agreement(
    model: Classifier,
    image: Any,
    method: Method = "mutex",
    *,
    label: int | str | None = None,
    other: Classifier | None = None,
) -> "pd.DataFrame":
    """Compare a heatmap with that whose masks are made in float64, and with another device's.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str, Explainer or Settings
        An explainer that has settings. Default: "mutex".
    label : int or str, optional
        The class to explain. Default: the one that `model` predicts.
    other : VisionModel, optional
        The same model on another device.

    Returns
    -------
    DataFrame
        One row a comparison: compared ("float64", or the other's device), masks (how many),
        masks_differ, tokens_differ (over all masks; masks are compared by their place), correlation
        (Spearman's, of the heatmaps), max_difference, range (greatest less least value of the
        heatmap as it is, which the difference is to be seen against).

    Raises
    ------
    InputError
        If the image, the label or the method cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> table = precision_agreement(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])
    >>> table[["compared", "masks"]].values.tolist()
    [['float64', 54]]
    """
    import pandas as pd

    vision_model(model)
    models: dict[str, Classifier] = {"float64": _Doubled(model)}
    if other is not None:
        vision_model(other)
        models[str(other.device)] = other
    settings = _settings_of(method)
    # Read once, as a stream can be read but once.
    image = model.picture(image)
    reference = explain(model, image, label=label, method=settings)
    rows = []
    # The same class, also where another device predicts another one.
    for name, compared in models.items():
        again = explain(
            compared,
            image,
            label=reference.label,
            method=settings,
        )
        rows.append({"compared": name, **_differences(reference, again)})
    return pd.DataFrame(rows)


def _settings_of(method: Method) -> Settings:
    explainer = EXPLAINERS.resolve(method)
    if explainer.settings is None:
        what = f"{explainer} makes no masks by settings"
        raise InputError(f"{what}; give mutex or communities")
    return explainer.settings


def _differences(first: Explanation, second: Explanation) -> dict[str, Any]:
    assert first.masks is not None
    assert second.masks is not None
    # A budget keeps distinct masks, of which there may be another number.
    n_masks = min(len(first.masks), len(second.masks))
    n_missing = abs(len(first.masks) - len(second.masks))
    apart = np.abs(first.heatmap - second.heatmap)
    differ = first.masks.kept[:n_masks] != second.masks.kept[:n_masks]
    return {
        "masks": len(first.masks),
        "masks_differ": int(differ.any(1).sum()) + n_missing,
        "tokens_differ": int(differ.sum()),
        "correlation": rank_correlation(first.heatmap, second.heatmap),
        "max_difference": float(apart.max()),
        "range": float(np.ptp(first.heatmap)),
    }


class _Doubled(Relay):
    """A model whose attention is handed on as float64; its passes are as they were."""

    def attend(self, tokens: Any, operators: Any, *, prefix: bool = False) -> Any:
        attention, scores = self.model.attend(tokens, operators, prefix=prefix)
        return attention.double(), scores

    def attend_directly(self, tokens: Any, operators: Any) -> Any:
        attention, scores, direct = self.model.attend_directly(tokens, operators)
        return attention.double(), scores, direct

    def attend_relevance(self, tokens: Any, operators: Any, labels: Any, rules: Any) -> Any:
        results = self.model.attend_relevance(tokens, operators, labels, rules)
        attention, scores, relevance = results
        return attention.double(), scores, relevance
