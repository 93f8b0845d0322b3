"""Comparing two networks, layer by layer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError
from multiplex_vit.network.comparison.registry import LAYER_DISTANCES
from multiplex_vit.network.multilayer.similarity import LAYER_SIMILARITIES
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, chosen, name_of


@accepts()
def compare(
    first: Multiplex,
    second: Multiplex,
    measures: Named | Iterable[Named] | None = None,
) -> pd.DataFrame:
    """Return how far two networks differ, layer by layer.

    Parameters
    ----------
    first, second : Multiplex
        As many layers and nodes of both: of two images, two models, or before and after a change.
    measures : str, callable or iterable of them, optional
        Members of `LAYER_DISTANCES` or `LAYER_SIMILARITIES`, or functions of the weights [source,
        target] of two layers. Default: all distances.

    Returns
    -------
    pandas.DataFrame
        One row a layer: layer, name (of the first network) and one column a measure.

    Raises
    ------
    InputError
        If the networks have different numbers of layers or nodes, or a measure is unknown.

    Examples
    --------
    >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 0]]]), grid=(1, 2))
    >>> compare(net, net.prune(0.6), ["portrait_divergence", "jaccard"]).round(4)
       layer name  portrait_divergence  jaccard
    0      0  L00               0.1549      0.5
    """
    if first.weights.shape != second.weights.shape:
        given = f"{list(first.weights.shape)} and {list(second.weights.shape)}"
        raise InputError(f"weights have shapes {given}; give networks of as many layers and nodes")
    members = _members(measures)
    rows = []
    for layer, name in enumerate(first.layer_names):
        pair = first.weights[layer], second.weights[layer]
        row = {"layer": layer, "name": name}
        for measure, function in members.items():
            row[measure] = _number(function(*pair), measure)
        rows.append(row)
    return pd.DataFrame(rows)


def _members(measures: Any) -> dict[str, Callable[..., Any]]:
    """Return functions of two layers by their names."""
    is_similarity = isinstance(measures, str) and measures in LAYER_SIMILARITIES
    if measures is None or isinstance(measures, str) or callable(measures):
        registry = LAYER_SIMILARITIES if is_similarity else LAYER_DISTANCES
        listed = chosen(registry, measures)
        return {name_of(member): registry.resolve(member) for member in listed}
    members: dict[str, Callable[..., Any]] = {}
    several = measures if isinstance(measures, (list, tuple)) else chosen(LAYER_DISTANCES, measures)
    for member in several:
        members.update(_members(member))
    return members


def _number(value: Any, name: str) -> float:
    if np.ndim(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        raise InputError(f"measure {name} returned {type(value).__name__}; expected one number")
    return float(value)
