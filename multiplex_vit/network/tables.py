"""Tidy tables of a multiplex network."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.registry import name_of

if TYPE_CHECKING:
    from multiplex_vit.network.multiplex import Multiplex


def node_names(grid: tuple[int, int]) -> list[str]:
    """Return the names of the nodes of a grid, row by row.

    Examples
    --------
    >>> node_names((1, 2))
    ['r0c0', 'r0c1']
    """
    return [f"r{row}c{col}" for row in range(grid[0]) for col in range(grid[1])]


def node_index(net: "Multiplex") -> pd.DataFrame:
    """Return one row a layer and node, in the order of the supra-adjacency: name, layer, node, row, col."""
    nodes = np.tile(np.arange(net.n_nodes), net.n_layers)
    names = [f"{layer}:{node}" for layer in net.layer_names for node in node_names(net.grid)]
    layers = np.repeat(np.arange(net.n_layers), net.n_nodes)
    return pd.DataFrame({"name": names, "layer": layers, "node": nodes, "row": nodes // net.grid[1], "col": nodes % net.grid[1]})


def node_table(net: "Multiplex", measures: str | Callable | Iterable[str | Callable] | None = None) -> pd.DataFrame:
    """Return one row a layer and node, one column a centrality.

    Parameters
    ----------
    net : Multiplex
    measures : iterable of str or callable, optional
        Members of `CENTRALITIES`, or functions of one layer's weights; all members unless told.

    Returns
    -------
    pandas.DataFrame
        Columns name, layer, node, row, col and one a measure.
    """
    table = node_index(net)
    chosen = list(CENTRALITIES) if measures is None else [measures] if isinstance(measures, str) or callable(measures) else list(measures)
    for measure in chosen:
        if name_of(measure) in table:
            raise InputError(f"the table has a column {name_of(measure)!r} already; give the measure another name")
        table[name_of(measure)] = centrality(net.weights, measure).ravel()
    return table


def layer_table(net: "Multiplex") -> pd.DataFrame:
    """Return one row a layer.

    Returns
    -------
    pandas.DataFrame
        layer, name, nodes, edges (self-loops too), density (edges over nodes squared), self_loops, isolates (nodes without an
        edge to or from another node), weight_sum, weight_max.
    """
    edge = net.weights > 0
    loop = np.einsum("lii->li", edge)
    linked = (edge.sum(1) + edge.sum(2) - 2 * loop) > 0
    return pd.DataFrame(
        {
            "layer": np.arange(net.n_layers),
            "name": net.layer_names,
            "nodes": net.n_nodes,
            "edges": edge.sum((1, 2)),
            "density": edge.mean((1, 2)),
            "self_loops": loop.sum(1),
            "isolates": (~linked).sum(1),
            "weight_sum": net.weights.sum((1, 2), dtype=float),
            "weight_max": net.weights.max((1, 2)).astype(float),
        }
    )
