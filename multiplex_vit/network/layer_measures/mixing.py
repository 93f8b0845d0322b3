"""Which edges come together: there and back, in triangles, between the strong."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.layer_measures.rounding import is_constant


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="reciprocity")
@accepts()
def reciprocity(layer: Layer) -> float:
    """Return the share of edges that are answered.

    Of all edges i -> j with i != j, these are the ones for which j -> i exists too.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (none answered) to 1 (all). Self-loops and isolates do not count. NaN without an edge
        between two nodes.

    References
    ----------
    Newman, Forrest, Balthrop, PRE 66, 035101 (2002), doi:10.1103/PhysRevE.66.035101.

    Examples
    --------
    >>> round(reciprocity(Layer(np.array([[0, 0.5, 0], [0.1, 0, 0.2], [0, 0, 1]]))), 4)
    0.6667
    """
    # A self-loop would answer itself.
    return float(layer.without_loops.reciprocity())


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="weighted_reciprocity")
@accepts()
def weighted_reciprocity(layer: Layer) -> float:
    """Return the share of weight that is returned.

    r = sum_(i != j) min(w_ij, w_ji) / sum_(i != j) w_ij.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (nothing returned) to 1 (the weights are symmetric). Self-loops and isolates do not
        count. NaN without an edge between two nodes.

    References
    ----------
    Squartini, Picciolo, Ruzzenenti, Garlaschelli, Scientific Reports 3, 2729 (2013),
    doi:10.1038/srep02729.

    Examples
    --------
    >>> weighted_reciprocity(Layer(np.array([[0, 0.5, 0], [0.25, 0, 0.25], [0, 0, 1]])))
    0.5
    """
    is_loop = np.eye(len(layer.weights), dtype=bool)
    between = np.where(is_loop, 0, layer.weights).astype(float)
    if not between.any():
        return np.nan
    returned = np.minimum(between, between.T).sum()
    return float(returned / between.sum())


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="transitivity")
@accepts()
def transitivity(layer: Layer) -> float:
    """Return how often two neighbours of a node are neighbours themselves.

    3 triangles / connected triples, whatever the direction of edges.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (no triangle) to 1 (every triple is closed). Weights, self-loops and isolates do not
        count. NaN where no node has two neighbours.

    References
    ----------
    Newman, Watts, Strogatz, PNAS 99, 2566 (2002), doi:10.1073/pnas.012582999.

    Examples
    --------
    >>> weights = np.array([[0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    >>> round(transitivity(Layer(weights)), 4)
    0.6
    """
    undirected = layer.without_loops.as_undirected()
    return float(undirected.transitivity_undirected(mode="nan"))


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="strength_assortativity")
@accepts()
def strength_assortativity(layer: Layer) -> float:
    """Return whether nodes that give much attend to nodes that receive much.

    It is Pearson's correlation of s_i(out) and s_j(in) over edges i -> j.

    Self-loops are edges too; each edge counts once, whatever its weight.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        -1 to 1; above 0 where strong sources attend to strong targets. NaN where all sources have
        the same out-strength or all targets the same in-strength, up to rounding: so it is in
        attention before pruning, where each row sums to 1. Isolates do not count.

    References
    ----------
    Newman, PRE 67, 026126 (2003), doi:10.1103/PhysRevE.67.026126, eq. 26.

    Examples
    --------
    >>> round(strength_assortativity(Layer(np.array([[0, 0.5, 0.5], [0, 0, 0.25], [0, 0, 0]]))), 4)
    -0.5
    """
    weights = layer.weights
    source, target = weights.nonzero()
    paid = weights.sum(1, dtype=float)[source]
    received = weights.sum(0, dtype=float)[target]
    if is_constant(paid, weights) or is_constant(received, weights):
        return np.nan
    # Not by igraph: its formula, a difference of squares, loses all its digits where strengths
    # are nearly equal.
    correlations = np.corrcoef(paid / paid.max(), received / received.max())
    return float(correlations[0, 1])
