"""How much there is in a layer: nodes, edges, attention, and what pruning has left of them."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.matrices import linked_nodes


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="nodes", signed=True)
@accepts()
def nodes(layer: Layer) -> int:
    """Return the number of nodes, isolates too.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        From 1 up.

    Examples
    --------
    >>> nodes(Layer(np.zeros((3, 3))))
    3
    """
    return len(layer.weights)


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="edges", signed=True)
@accepts()
def edges(layer: Layer) -> int:
    """Return the number of edges, self-loops too.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        0 to nodes squared. Isolates add nothing but their self-loops.

    Examples
    --------
    >>> edges(Layer(np.array([[0.5, 0.25], [0, 0]])))
    2
    """
    return int(np.count_nonzero(layer.weights))


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="share_pruned", signed=True)
@accepts()
def share_pruned(layer: Layer) -> float:
    """Return the share of edges that pruning took away: 1 - edges / edges before.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (none) to 1 (all). 0 where the layer was not pruned, or had no edge before.

    Examples
    --------
    >>> share_pruned(Layer(np.array([[0.5, 0], [0, 0]]), edges_before=4))
    0.75
    """
    if not layer.edges_before:
        return 0.0
    return 1 - edges(layer) / layer.edges_before


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="density", signed=True)
@accepts()
def density(layer: Layer) -> float:
    """Return the share of possible edges that are there.

    edges / nodes^2, since a node may attend to itself.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (no edge) to 1 (every node attends to every node). Isolates lower it.

    References
    ----------
    Wasserman, Faust, Social Network Analysis (1994), section 4.3, doi:10.1017/CBO9780511815478,
    with self-loops allowed.

    Examples
    --------
    >>> density(Layer(np.array([[0.5, 0.25], [0, 0]])))
    0.5
    """
    # A node may attend to itself, so that n^2 edges are possible and not n (n - 1).
    return edges(layer) / nodes(layer) ** 2


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="self_loops", signed=True)
@accepts()
def self_loops(layer: Layer) -> int:
    """Return how many nodes attend to themselves.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        0 to the number of nodes.

    Examples
    --------
    >>> self_loops(Layer(np.array([[0.5, 0.25], [0, 0]])))
    1
    """
    return int(np.count_nonzero(layer.weights.diagonal()))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="isolates", signed=True)
@accepts()
def isolates(layer: Layer) -> int:
    """Return how many nodes have no edge to or from another node; a self-loop does not save them.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        0 to the number of nodes.

    Examples
    --------
    >>> isolates(Layer(np.array([[0, 0.5, 0], [0, 0, 0], [0, 0, 1]])))
    1
    """
    is_loop = np.eye(len(layer.weights), dtype=bool)
    edge = (layer.weights != 0) & ~is_loop
    return len(edge) - len(linked_nodes(edge))


@LAYER_MEASURES.register(scale="linear", isolates="kept", transposed="weight_sum", signed=True)
@accepts()
def weight_sum(layer: Layer) -> float:
    """Return the sum of all weights: sum_ij w_ij, self-loops too.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 (no edge) up, in the weights' unit. Attention rows that were not pruned sum to 1
        each, so to the number of nodes in all.

    Examples
    --------
    >>> weight_sum(Layer(np.array([[0.5, 0.25], [0, 0]])))
    0.75
    """
    # Summed in double precision, whatever the weights have.
    return float(layer.weights.sum(dtype=float))


@LAYER_MEASURES.register(scale="linear", isolates="kept", transposed="weight_max", signed=True)
@accepts()
def weight_max(layer: Layer) -> float:
    """Return the greatest weight: max_ij w_ij, self-loops too.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 (no edge) up, in the weights' unit.

    Examples
    --------
    >>> weight_max(Layer(np.array([[0.5, 0.25], [0, 0]])))
    0.5
    """
    return float(layer.weights.max())
