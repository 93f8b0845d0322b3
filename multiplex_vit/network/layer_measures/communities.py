"""Communities: parts of a layer whose nodes attend to one another more than to the rest.

Both searches are seeded, so a layer has one answer. A search goes through nodes in a random
order, and so would find another partition of much the same quality if the nodes had other
numbers. Therefore nodes are put in an order first that their edges alone decide; only nodes that
cannot be told apart by their surroundings keep the order of their numbers.
"""

from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

import igraph
import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.matrices import linked_nodes, relative
from multiplex_vit.network.seeding import igraph_seed

_SEED, _TRIALS = 0, 10

_Search = Callable[[Layer], igraph.VertexClustering]

_ROUNDS, _DIGITS = 6, 10
"""Rounds in which nodes are marked by their neighbours' marks, and decimals of a mark."""


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="communities")
@accepts()
def communities(layer: Layer) -> int:
    """Return the number of communities by the Leiden algorithm.

    It maximises modularity on the undirected layer W + W^T.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        1 to the number of nodes. An isolate is a community of its own.

    References
    ----------
    Traag, Waltman, van Eck, Scientific Reports 9, 5233 (2019), doi:10.1038/s41598-019-41695-z.

    Examples
    --------
    >>> communities(Layer(np.array([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])))
    2
    """
    return len(leiden(layer))


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="modularity")
@accepts()
def modularity(layer: Layer) -> float:
    """Return the modularity of the communities that `communities` counts.

    Q = sum_c (a_c / A - (s_c / A)^2) on the undirected layer A_ij = w_ij + w_ji, with A the sum of
    all A_ij, a_c that within community c, and s_c that of its nodes with all.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        -0.5 to 1; from 0 up for a partition worth the name; high where attention stays within
        communities. Isolates do not count. NaN without an edge.

    References
    ----------
    Newman, PRE 70, 056131 (2004), doi:10.1103/PhysRevE.70.056131.

    Examples
    --------
    >>> modularity(Layer(np.array([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])))
    0.5
    """
    graph = layer.symmetric
    membership = leiden(layer).membership
    return float(graph.modularity(membership, weights=_scaled(graph)))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="infomap_communities")
@accepts()
def infomap_communities(layer: Layer) -> int:
    """Return the number of communities that Infomap finds on the undirected layer W + W^T.

    It is the best of 10 searches for the shortest map.

    igraph's Infomap does not see the direction of edges (in version 1.0 a layer and its transpose
    have the same map), so none is given.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        1 to the number of nodes. An isolate is a community of its own.

    References
    ----------
    Rosvall, Bergstrom, PNAS 105, 1118 (2008), doi:10.1073/pnas.0706851105.

    Examples
    --------
    >>> weights = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    >>> infomap_communities(Layer(weights))
    2
    """
    return len(infomap(layer))


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="codelength")
@accepts()
def codelength(layer: Layer) -> float:
    """Return how many bits a walker's step takes on the map of `infomap_communities`.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 up; low where a walker who follows edges either way stays long in a community, or
        visits few nodes. 0 without an edge between two nodes. Isolates cost nothing.

    References
    ----------
    Rosvall, Axelsson, Bergstrom, European Physical Journal Special Topics 178, 13 (2009),
    doi:10.1140/epjst/e2010-01179-1.

    Examples
    --------
    >>> codelength(Layer(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])))
    1.0
    """
    return float(infomap(layer).codelength)


def _once(search: _Search) -> _Search:
    """Let a search run once a layer, however many measures want its result."""
    partitions: WeakKeyDictionary[Layer, igraph.VertexClustering] = WeakKeyDictionary()

    @wraps(search)
    def partition(layer: Layer) -> igraph.VertexClustering:
        if layer not in partitions:
            with igraph_seed(_SEED):
                partitions[layer] = search(layer)
        return partitions[layer]

    return partition


@_once
def leiden(layer: Layer) -> igraph.VertexClustering:
    """Return the communities by modularity of W + W^T (Leiden, until nothing improves)."""
    if not layer.weights.any():
        return _each_alone(layer)
    graph, order = _ordered(layer)
    # A negative number of rounds means: until nothing improves.
    communities = graph.community_leiden(
        objective_function="modularity",
        weights=_scaled(graph),
        n_iterations=-1,
    )
    return _by_number(layer, communities.membership, order)


@_once
def infomap(layer: Layer) -> igraph.VertexClustering:
    """Return the communities by the map equation of W + W^T."""
    if not layer.weights.any():
        return _each_alone(layer, codelength=0.0)
    graph, order = _ordered(layer)
    communities = graph.community_infomap(edge_weights=_scaled(graph), trials=_TRIALS)
    codelength = communities.codelength
    return _by_number(layer, communities.membership, order, codelength=codelength)


def _each_alone(layer: Layer, **facts: float) -> igraph.VertexClustering:
    nodes = range(len(layer.weights))
    return igraph.VertexClustering(layer.symmetric, nodes, params=facts)


def _by_number(
    layer: Layer,
    membership: list[int],
    order: np.ndarray,
    **facts: float,
) -> igraph.VertexClustering:
    """Return communities of all nodes by their numbers, from those of linked nodes in an order.

    Communities are numbered as they appear; a node without edges is one of its own.
    """
    by_number = len(order) + np.arange(len(layer.weights))
    by_number[order] = membership
    _, first, inverse = np.unique(by_number, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    numbered = rank[inverse].tolist()
    return igraph.VertexClustering(layer.symmetric, numbered, params=facts)


def _ordered(layer: Layer) -> tuple[igraph.Graph, np.ndarray]:
    """Return the undirected graph of W + W^T with its nodes in an order, and that order.

    Nodes without edges are left out: a search must not draw other random numbers for their sake.
    """
    weights = np.asarray(layer.weights, dtype=float)
    # An isolate is a community of its own, whatever the search finds.
    linked = linked_nodes(weights)
    within = weights[np.ix_(linked, linked)]
    order = linked[_order(relative(within))]
    return Layer(weights[np.ix_(order, order)]).symmetric, order


def _order(weights: np.ndarray) -> np.ndarray:
    """Return the nodes in an order that their edges decide, whatever their numbers.

    Each round a node is marked by the marks of its neighbours, as in the test of isomorphism by
    Weisfeiler and Leman.
    """
    # The search does not see the direction of edges, and neither must the order.
    both = weights + weights.T
    loops = np.sqrt(2) * both.diagonal()
    marks = np.zeros(len(both))
    for _ in range(_ROUNDS):
        marks = both @ np.cos(marks + 1) + loops
        # Sums of the same numbers in another order differ in their last digits.
        greatest = np.abs(marks).max(initial=0) or 1
        marks = np.round(marks / greatest, _DIGITS)
    return np.argsort(marks, kind="stable")


def _scaled(graph: igraph.Graph) -> list[float]:
    """Return weights of at most 1.

    Communities are the same, and the square of their sum neither vanishes nor overflows.
    """
    return relative(graph.es["weight"]).tolist()
