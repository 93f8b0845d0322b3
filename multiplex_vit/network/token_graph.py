"""The token graph: which tokens belong together, by place and by attention; and its communities."""

import numpy as np

from multiplex_vit.accepts import accepts, matrix, stack
from multiplex_vit.network.seeding import igraph_seed
from multiplex_vit.network.tokens import Tokens

_NEAREST = 1.5
"""Patches nearer than this are neighbours, diagonal ones too."""

_DEGREE = 5.0
"""Mean degree to which place and attention are scaled each."""

_STRONGEST = 10
"""Links of attention that each token keeps."""

_GREATEST_SHARE, _FEWEST = 0.25, 8
"""Share of nodes that a community may have, and the least number of communities."""

_FINEST = 1e4
"""Resolution at which a graph that will not fall apart is given up."""

_DIGITS = 5
"""Significant digits of weights that are ranked, or in which communities are sought."""


@accepts(attention=stack)
def token_graph(
    attention: np.ndarray,
    grid: tuple[int, int],
    *,
    grid_weight: float = 0.5,
) -> np.ndarray:
    """Return a symmetric graph of patch tokens, by place and by attention.

    A share is the grid of 8 neighbours, and the rest the strongest links of attention.

    With A the mean attention over layers, S = A + A^T without its diagonal, and N the grid's
    adjacency: of S stay the 10 strongest links of each token (of either end); N and what stays of
    S are each scaled to a mean degree of 5, and G = w N + (1 - w) S.

    Parameters
    ----------
    attention : ndarray [layer, source, target]
    grid : tuple of int
        Rows and columns of patches.
    grid_weight : float, 0 to 1
        w, the share of the grid.

    Returns
    -------
    ndarray float32 [node, node]
        Symmetric, without loops, no weight below 0.

    Examples
    --------
    >>> token_graph(np.zeros((2, 3, 3)), (1, 3), grid_weight=1).round(2).tolist()
    [[0.0, 3.75, 0.0], [3.75, 0.0, 3.75], [0.0, 3.75, 0.0]]
    """
    # Patches that touch at a corner are neighbours too.
    distance = Tokens(grid).distances
    neighbours = ((distance > 0) & (distance < _NEAREST)).astype(float)
    mean = np.asarray(attention, dtype=float).mean(0)
    # Attention in either direction brings two tokens together.
    mutual = mean + mean.T
    np.fill_diagonal(mutual, 0)
    by_place = _scaled(neighbours)
    by_attention = _scaled(_strongest(mutual))
    graph = grid_weight * by_place + (1 - grid_weight) * by_attention
    return graph.astype(np.float32)


def _rounded(weights: np.ndarray) -> np.ndarray:
    """Return weights with five significant digits.

    Attention agrees in about six between processors: what is ranked, and where communities are
    sought, is rounded first, so that both come out alike.
    """
    exponent = np.floor(np.log10(weights, where=weights > 0, out=np.zeros_like(weights)))
    scale = 10.0 ** (_DIGITS - 1 - exponent)
    return np.round(weights * scale) / scale


def _strongest(weights: np.ndarray) -> np.ndarray:
    """Return a symmetric graph of the strongest links of each node.

    Of equally strong links those to the first nodes are taken.
    """
    order = np.argsort(-_rounded(weights), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    stay = rank < _STRONGEST
    return np.where(stay | stay.T, weights, 0)


def _scaled(weights: np.ndarray) -> np.ndarray:
    """Return weights with the mean degree wanted of each part of the graph."""
    degree = weights.sum(1).mean()
    if degree > 0:
        return weights * (_DEGREE / degree)
    return weights


@accepts(graph=matrix)
def graph_communities(
    graph: np.ndarray,
    *,
    resolution: float = 3.0,
    seed: int = 0,
) -> np.ndarray:
    """Return communities of a symmetric graph by the Leiden algorithm.

    None of them is too great to be put together to halves.

    Modularity with a resolution is maximised. Where fewer than 8 communities come out, or one
    with more than a quarter of the nodes, the resolution is doubled until this is no longer so; a
    graph that will not fall apart (without links, say) has each node for itself.

    Parameters
    ----------
    graph : ndarray [node, node]
    resolution : float, above 0
        Greater values give smaller communities.
    seed : int
        Of the order in which nodes are visited.

    Returns
    -------
    ndarray of int [node]
        Numbered from 0 in the order in which they appear.

    References
    ----------
    Traag, Waltman, van Eck, Sci Rep 9, 5233 (2019), doi:10.1038/s41598-019-41695-z.

    Examples
    --------
    >>> pairs = np.kron(np.eye(10), [[0, 1.0], [1.0, 0]])
    >>> graph_communities(pairs).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    """
    import igraph

    n_nodes = len(graph)
    # The graph is symmetric, so that its upper half has every link once.
    source, target = np.triu(graph, 1).nonzero()
    undirected = igraph.Graph(n=n_nodes, edges=np.column_stack([source, target]))
    weights = _rounded(graph[source, target].astype(float)).tolist()
    while weights and resolution < _FINEST:
        with igraph_seed(seed):
            clusters = undirected.community_leiden(
                objective_function="modularity",
                weights=weights,
                resolution=resolution,
                n_iterations=-1,
            )
        # Few great communities cannot be put together to halves of the image.
        if _are_fine(clusters.sizes(), n_nodes):
            return _numbered(np.array(clusters.membership))
        resolution *= 2
    return np.arange(n_nodes)


def _are_fine(sizes: list[int], n_nodes: int) -> bool:
    """Return whether there are enough communities, and none of them is too great."""
    enough = len(sizes) >= min(_FEWEST, n_nodes)
    return enough and max(sizes) <= max(1, _GREATEST_SHARE * n_nodes)


def _numbered(membership: np.ndarray) -> np.ndarray:
    """Return communities numbered from 0 in the order in which they appear."""
    _, first, inverse = np.unique(membership, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[inverse]
