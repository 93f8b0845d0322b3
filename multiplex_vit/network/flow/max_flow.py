"""Attention flow: how much can pass from a token through all layers, and what limits it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.network.flow.residual import with_residual

if TYPE_CHECKING:
    import igraph

_SECONDS = 2.0
"""A progress bar is shown after so many seconds."""


@accepts(weights=stack)
def attention_flow(
    weights: np.ndarray,
    sources: Sequence[int],
    targets: Sequence[int],
    *,
    residual: float = 0.5,
) -> np.ndarray:
    """Return the maximum flow from output tokens through all layers to each input token.

    Every token of every layer is a node. An edge leads from a token after a layer to a token
    before it; its capacity is what `with_residual` gives.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        The first layer first.
    sources : sequence of int
        Output tokens; of several, all that they can send together.
    targets : sequence of int
        Input tokens, each for itself.
    residual : float, 0 to 1
        Default: 0.5.

    Returns
    -------
    ndarray [target]
        0 (nothing can pass) to the number of sources.

    References
    ----------
    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385; Goldberg, Tarjan, J. ACM 35, 921
    (1988), doi:10.1145/48014.61051 (igraph).

    Examples
    --------
    >>> attention_flow(np.array([[[0.0, 1.0], [0.0, 1.0]]]), [0], [0, 1]).tolist()
    [0.5, 0.5]
    """
    capacities = with_residual(weights, residual)
    graph, start = _layered(capacities, sources)
    capacity = graph.es["capacity"]
    watched = tqdm(
        targets,
        desc="attention flow",
        delay=_SECONDS,
        leave=False,
    )
    flows = []
    for target in watched:
        # Token i of the input is node i of the graph.
        flow = graph.maxflow_value(start, int(target), capacity)
        flows.append(flow)
    return np.array(flows)


@accepts(weights=stack)
def minimum_cut(
    weights: np.ndarray,
    sources: Sequence[int],
    target: int,
    *,
    residual: float = 0.5,
) -> pd.DataFrame:
    """Return the edges that limit the flow from output tokens to an input token.

    Their capacities sum to the maximum flow; see `attention_flow`.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        The first layer first.
    sources : sequence of int
    target : int
    residual : float, 0 to 1
        Default: 0.5.

    Returns
    -------
    pandas.DataFrame
        One row an edge: layer, source, target, capacity; ordered by these.

    References
    ----------
    Ford, Fulkerson, Canadian Journal of Mathematics 8, 399 (1956), doi:10.4153/CJM-1956-045-5.

    Examples
    --------
    >>> minimum_cut(np.array([[[0.0, 1.0], [0.0, 1.0]]]), [0], 1)
       layer  source  target  capacity
    0      0       0       1       0.5
    """
    capacities = with_residual(weights, residual)
    graph, start = _layered(capacities, sources)
    cut = graph.mincut(start, int(target), graph.es["capacity"])
    n_nodes = weights.shape[1]
    rows = []
    for edge in graph.es[cut.cut]:
        level, token = divmod(edge.source, n_nodes)
        before = edge.target % n_nodes
        # What joins the sources together has no limit, and so is never cut.
        rows.append((level - 1, token, before, edge["capacity"]))
    # Named here, as a table without rows has columns of objects.
    types = {
        "layer": int,
        "source": int,
        "target": int,
        "capacity": float,
    }
    table = pd.DataFrame(sorted(rows), columns=list(types))
    return table.astype(types)


def _layered(capacities: np.ndarray, sources: Sequence[int]) -> tuple["igraph.Graph", int]:
    """Return the graph of all tokens of all layers, and the node that the flow starts from.

    Token i after layer a is node (a + 1) * n_nodes + i, and token i of the input node i.
    """
    # igraph brings matplotlib, which the names of this room must not.
    import igraph

    n_layers, n_nodes = capacities.shape[:2]
    layer, source, target = np.nonzero(capacities)
    after = (layer + 1) * n_nodes + source
    before = layer * n_nodes + target
    edges = np.column_stack([after, before]).tolist()
    capacity = capacities[layer, source, target].tolist()
    # One node before all sources lets them send together.
    start = (n_layers + 1) * n_nodes
    for token in sources:
        edges.append([start, n_layers * n_nodes + int(token)])
        # More than any token can send.
        capacity.append(2.0)
    graph = igraph.Graph(
        n=start + 1,
        edges=edges,
        directed=True,
    )
    graph.es["capacity"] = capacity
    return graph, start
