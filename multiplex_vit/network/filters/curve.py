"""What a filter does to every layer, number by number."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from multiplex_vit.accepts import accepts, signed_stack
from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.filters.registry import filtered
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import layer_table
from multiplex_vit.network.layer_measures.rounding import is_constant
from multiplex_vit.network.multilayer.correlation import ranks
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, chosen, name_of

_SHAPE = ["edges", "density", "isolates", "giant_component"]


@accepts(weights=signed_stack)
def pruning_curve(
    weights: np.ndarray,
    values: Iterable[float],
    tokens: Tokens,
    *,
    names: Sequence[str] = (),
    measures: Named | Iterable[Named] = ("in_strength", "out_strength", "pagerank"),
    filter: Named = "min_cut",
) -> pd.DataFrame:
    """Return what a filter leaves of every layer, one row a layer and number of the filter.

    The table also says how far the nodes keep their order.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    values : iterable of float
        Numbers of the filter, such as shares of `min_cut`.
    tokens : Tokens
    names : sequence of str, optional
        Names of the layers. Default: "0", "1", ...
    measures : str, callable or iterable of them
        Members of `CENTRALITIES`, or functions of one layer's weights.
    filter : str or callable
        A member of `FILTERS` that takes a number, or a function in its place.
        Default: "min_cut".

    Returns
    -------
    pandas.DataFrame
        One row a layer and number: layer, name, filter, value, edges, density, isolates,
        giant_component, and `tau_<measure>`: Kendall's tau-b of the centrality [node] before and
        after the filter, -1 to 1, 1 where no two nodes change places. It is NaN where either is
        the same for all nodes up to rounding, as out-strength is in attention before pruning:
        each row sums to 1.

    Raises
    ------
    InputError
        If the filter is unknown or does not take a number, a measure is unknown or given twice,
        or tokens or names do not fit the weights.

    References
    ----------
    Kendall, Biometrika 33, 239 (1945), doi:10.1093/biomet/33.3.239.

    Examples
    --------
    >>> weights = np.array([[[0.5, 0.25], [0.125, 0.0]]])
    >>> curve = pruning_curve(weights, [0, 0.5], Tokens((1, 2)), measures="in_strength")
    >>> curve[["filter", "value", "edges", "giant_component", "tau_in_strength"]]
        filter  value  edges  giant_component  tau_in_strength
    0  min_cut    0.0      3              1.0              1.0
    1  min_cut    0.5      2              1.0              1.0
    """
    members = chosen(CENTRALITIES, measures)
    member_names = [name_of(member) for member in members]
    if len(set(member_names)) < len(members):
        raise InputError(f"measures are {member_names}; give each once")
    layers = _layers(weights, tokens, names)
    before = {name_of(member): centrality(layers, member) for member in members}
    parts = []
    for value in values:
        kept, name, _ = filtered(weights, filter, value)
        left = _layers(kept, tokens, names)
        parts.append(_rows(layers, left, members, before).assign(filter=name, value=value))
    # An empty list of numbers gives an empty table with the same columns.
    columns = ["layer", "name", "filter", "value", *_SHAPE]
    columns += [f"tau_{name}" for name in member_names]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return table[columns].sort_values("layer", kind="stable", ignore_index=True)


def _layers(weights: np.ndarray, tokens: Tokens, names: Sequence[str]) -> list[Layer]:
    n_layers, n_nodes = weights.shape[:2]
    names = names or [str(number) for number in range(n_layers)]
    if len(names) != n_layers or len(tokens) != n_nodes:
        given = f"{len(names)} names and {len(tokens)} tokens"
        network = f"{n_layers} layers of {n_nodes} nodes"
        raise InputError(f"{given} were given for {network}; give one each")
    layers = []
    for matrix, name in zip(weights, names, strict=True):
        layers.append(Layer(matrix, tokens, name))
    return layers


def _rows(
    layers: list[Layer],
    left: list[Layer],
    members: list[Named],
    before: dict[str, np.ndarray],
) -> pd.DataFrame:
    """Return the rows of one number of a filter."""
    table: Any = layer_table(left, _SHAPE)
    for member in members:
        name = name_of(member)
        after = centrality(left, member)
        taus = []
        for place, layer in enumerate(layers):
            taus.append(_tau(before[name][place], after[place], layer.weights))
        table[f"tau_{name}"] = taus
    return table


def _tau(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> float:
    # The order of values that are equal but for rounding is noise.
    if is_constant(one, weights) or is_constant(other, weights):
        return np.nan
    return float(kendalltau(ranks(one), ranks(other)).statistic)
