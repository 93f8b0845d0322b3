"""Versatilities: centralities of a node of a layer in the whole network.

Inter-layer links are included.

With temporal coupling links run one way, so weight drifts to the layers where they end, the first
ones in a network of attention and the last in one of information: read the values of each layer too
(`versatility`).
"""

import igraph
import numpy as np
from scipy import sparse

from multiplex_vit.accepts import accepts, supra_matrix
from multiplex_vit.checks import between_0_and_1
from multiplex_vit.errors import InputError
from multiplex_vit.network.leading_eigenvector import leading_eigenvector
from multiplex_vit.network.matrices import relative
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES

_REST = 1e-14
"""Walks are summed until all longer ones together add less than this to any node."""


@MULTILAYER_MEASURES.register(takes="supra", scale="invariant", isolates="proportional")
@accepts(supra=supra_matrix)
def pagerank_versatility(
    supra: sparse.csr_array,
    n_layers: int,
    *,
    damping: float = 0.85,
) -> np.ndarray:
    """Return PageRank on the supra-adjacency S.

    It says where a walker is found who follows edges and inter-layer links.

    pi = damping T^T pi + (1 - damping) / (layers * nodes), with T the rows of S divided by their
    sums; a walker at a node without a way on starts anew anywhere.

    Parameters
    ----------
    supra : csr_array [layer * node, layer * node]
    n_layers : int
    damping : float, 0 to 1 (exclusive)

    Returns
    -------
    ndarray [layer, node]
        Above 0; sums to 1. Great where walks lead. Isolates share the least value. Some libraries
        divide by the greatest.

    References
    ----------
    De Domenico et al., Nat Commun 6, 6868 (2015), doi:10.1038/ncomms7868; PRPACK in igraph.

    Examples
    --------
    >>> supra = sparse.csr_array([[0, 1.0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1.0], [0, 0, 0, 0]])
    >>> pagerank_versatility(supra, 2).round(4).tolist()
    [[0.1754, 0.3246], [0.1754, 0.3246]]
    """
    damping = between_0_and_1("damping", damping)
    # PRPACK in igraph treats walkers without a way on as the formula does.
    graph, weights = _graph(supra)
    ranks = graph.pagerank(weights=weights, damping=damping)
    return _by_layer(np.array(ranks), n_layers)


@MULTILAYER_MEASURES.register(takes="supra", scale="invariant", isolates="kept")
@accepts(supra=supra_matrix)
def eigenvector_versatility(supra: sparse.csr_array, n_layers: int) -> np.ndarray:
    """Return eigenvector centrality on the supra-adjacency S.

    S^T x = lambda x for the greatest lambda.

    With temporal coupling S is not strongly connected (it is block triangular), nor is it without
    coupling: the layer with the greatest lambda gives the values and others may have 0. Use
    `pagerank_versatility` or `katz_versatility` there, which are always unique.

    Parameters
    ----------
    supra : csr_array [layer * node, layer * node]
    n_layers : int

    Returns
    -------
    ndarray [layer, node]
        0 to 1, the greatest being 1; all 0 in a network without a cycle. Great where those that
        attend to a node are great. Isolates without a self-loop have 0 where there is no
        coupling. See `leading_eigenvector` for networks that are not strongly connected.

    References
    ----------
    De Domenico et al., PRX 3, 041022 (2013), doi:10.1103/PhysRevX.3.041022.

    Examples
    --------
    >>> rows = [[0, 1.0, 1.0, 0], [1.0, 0, 0, 1.0], [1.0, 0, 0, 0], [0, 1.0, 0, 0]]
    >>> supra = sparse.csr_array(rows)
    >>> eigenvector_versatility(supra, 2).round(4).tolist()
    [[1.0, 1.0], [0.618, 0.618]]
    """
    return _by_layer(leading_eigenvector(supra), n_layers)


@MULTILAYER_MEASURES.register(takes="supra", scale="invariant", isolates="kept")
@accepts(supra=supra_matrix)
def katz_versatility(
    supra: sparse.csr_array,
    n_layers: int,
    *,
    attenuation: float = 0.85,
) -> np.ndarray:
    """Return Katz centrality on the supra-adjacency S: x = 1 + alpha S^T x.

    It counts all walks that end at a node, each step worth alpha.

    alpha = attenuation / (greatest row sum of S) lies below 1 / (spectral radius), so the sum
    over walks always converges, and the values do not change with the common unit of weights and
    omega.

    Parameters
    ----------
    supra : csr_array [layer * node, layer * node]
    n_layers : int
    attenuation : float, 0 to 1 (exclusive)

    Returns
    -------
    ndarray [layer, node]
        From 1 up; great where many strong walks end. Isolates have 1.

    References
    ----------
    Katz, Psychometrika 18, 39 (1953), doi:10.1007/BF02289026; De Domenico et al., PRX 3, 041022
    (2013), doi:10.1103/PhysRevX.3.041022.

    Examples
    --------
    >>> katz_versatility(sparse.csr_array([[0, 0.5], [0, 0]]), 2).tolist()
    [[1.0], [1.85]]
    """
    attenuation = between_0_and_1("attenuation", attenuation)
    scaled = _scaled(supra)
    # Without any edge there is no row sum to divide by.
    greatest = scaled.sum(1).max(initial=0) or 1
    alpha = attenuation / greatest
    # By rows again, as a transpose is stored by columns.
    steps = sparse.csr_array(scaled.T * alpha)
    # The walk of no step, which every node has.
    total = walks = np.ones(supra.shape[0])
    # Walks of one step more weigh at most `attenuation` times as much in all.
    while walks.sum() > _REST * (1 - attenuation):
        walks = steps @ walks
        total = total + walks
    return _by_layer(total, n_layers)


def _by_layer(values: np.ndarray, n_layers: int) -> np.ndarray:
    """Return values [layer, node]."""
    if n_layers < 1 or len(values) % n_layers:
        size = f"{len(values)}, the size of supra"
        raise InputError(f"n_layers is {n_layers}; give a divisor of {size}")
    return values.reshape(n_layers, -1)


def _scaled(supra: sparse.csr_array) -> sparse.csr_array:
    """Return a matrix whose greatest entry is 1, so that no sum overflows or vanishes."""
    data = relative(supra.data)
    parts = (data, supra.indices, supra.indptr)
    return sparse.csr_array(parts, shape=supra.shape)


def _graph(supra: sparse.csr_array) -> tuple[igraph.Graph, list[float] | None]:
    """Return a matrix as a directed graph, and its weights.

    igraph needs None, not an empty list, where there are no weights.
    """
    entries = _scaled(supra).tocoo()
    edges = np.column_stack(entries.coords)
    graph = igraph.Graph(n=supra.shape[0], edges=edges, directed=True)
    return graph, entries.data.tolist() or None
