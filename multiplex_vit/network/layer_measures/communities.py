"""Communities: parts of a layer whose nodes attend to one another more than to the rest. Both searches are seeded, so a layer has one answer.

A search goes through nodes in a random order, so the same layer with its nodes in another order may get another partition of much the
same quality.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import igraph
import numpy as np

from multiplex_vit.network.chance import igraph_seeded
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES

_SEED, _TRIALS = 0, 10


@LAYER_MEASURES.register
def communities(layer: Layer) -> int:
    """Return the number of communities that the Leiden algorithm finds on the undirected layer W + W^T, maximising modularity.

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


@LAYER_MEASURES.register
def modularity(layer: Layer) -> float:
    """Return the modularity of the communities that `communities` counts: Q = sum_c (a_c / A - (s_c / A)^2).

    On the undirected layer A_ij = w_ij + w_ji, with A the sum of all A_ij, a_c that within community c, and s_c that of its nodes with all.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        -0.5 to 1; from 0 up for a partition worth the name; high where attention stays within communities. Isolates do not count.
        NaN without an edge.

    References
    ----------
    Newman, PRE 70, 056131 (2004), doi:10.1103/PhysRevE.70.056131.

    Examples
    --------
    >>> modularity(Layer(np.array([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])))
    0.5
    """
    return float(layer.symmetric.modularity(leiden(layer).membership, weights=_scaled(layer.symmetric)))


@LAYER_MEASURES.register
def infomap_communities(layer: Layer) -> int:
    """Return the number of communities that Infomap finds on the directed layer: the best of 10 searches for the shortest map.

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
    >>> infomap_communities(Layer(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])))
    2
    """
    return len(infomap(layer))


@LAYER_MEASURES.register
def codelength(layer: Layer) -> float:
    """Return how many bits a step of a walker takes on the map by the communities that `infomap_communities` counts.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 up; low where a walker who follows attention stays long in a community, or visits few nodes. 0 without an edge between two
        nodes. Isolates cost next to nothing.

    References
    ----------
    Rosvall, Axelsson, Bergstrom, European Physical Journal Special Topics 178, 13 (2009), doi:10.1140/epjst/e2010-01179-1.

    Examples
    --------
    >>> codelength(Layer(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])))
    1.0
    """
    return float(infomap(layer).codelength)


def _once(search: Callable[[Layer], igraph.VertexClustering]) -> Callable[[Layer], igraph.VertexClustering]:
    """Let a search run once a layer, however many measures want its result."""
    found: WeakKeyDictionary[Layer, igraph.VertexClustering] = WeakKeyDictionary()

    def partition(layer: Layer) -> igraph.VertexClustering:
        if layer not in found:
            with igraph_seeded(_SEED):
                found[layer] = search(layer)
        return found[layer]

    partition.__doc__ = search.__doc__
    return partition


@_once
def leiden(layer: Layer) -> igraph.VertexClustering:
    """Return the communities by modularity of W + W^T (Leiden, until nothing improves)."""
    graph = layer.symmetric
    return graph.community_leiden(objective_function="modularity", weights=_scaled(graph), n_iterations=-1)


@_once
def infomap(layer: Layer) -> igraph.VertexClustering:
    """Return the communities by the map equation of the directed layer."""
    return layer.graph.community_infomap(edge_weights=_scaled(layer.graph), trials=_TRIALS)


def _scaled(graph: igraph.Graph) -> list[float]:
    """Return weights of at most 1: communities are the same, and the square of their sum neither vanishes nor overflows."""
    weights = np.array(graph.es["weight"], dtype=float)
    return (weights / weights.max(initial=np.finfo(float).smallest_subnormal)).tolist()
