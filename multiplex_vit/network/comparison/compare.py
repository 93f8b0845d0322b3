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
from multiplex_vit.registry import Named, name_of


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
    one, other = first.weights, second.weights
    if one.shape != other.shape:
        shapes = f"{list(one.shape)} and {list(other.shape)}"
        give = "give networks of as many layers and nodes"
        raise InputError(f"weights have shapes {shapes}; {give}")
    members = _members(measures)
    rows = []
    for layer, name in enumerate(first.layer_names):
        row: dict[str, Any] = {"layer": layer, "name": name}
        for measure, function in members.items():
            value = function(one[layer], other[layer])
            row[measure] = _number(value, measure)
        rows.append(row)
    return pd.DataFrame(rows)


def _members(measures: Any) -> dict[str, Callable[..., Any]]:
    """Return functions of two layers by their names."""
    single = isinstance(measures, str) or callable(measures)
    if measures is None:
        listed = list(LAYER_DISTANCES)
    elif single or not isinstance(measures, Iterable):
        listed = [measures]
    else:
        listed = list(measures)
    members = {}
    for member in listed:
        # Names of similarities mean those; all others are distances, or unknown.
        registry = LAYER_DISTANCES
        if isinstance(member, str) and member in LAYER_SIMILARITIES:
            registry = LAYER_SIMILARITIES
        members[name_of(member)] = registry.resolve(member)
    return members


def _number(value: Any, name: str) -> float:
    kind = np.asarray(value).dtype
    if np.ndim(value) or not np.issubdtype(kind, np.number):
        given = f"measure {name} returned {type(value).__name__}"
        raise InputError(f"{given}; expected one number")
    return float(value)
