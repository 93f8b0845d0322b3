"""Centralities of a node's neighbourhood: how tightly it is knit.

Self-loops are left out of all of them.
"""

import numpy as np

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.network.centrality.registry import CENTRALITIES
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.matrices import relative
from multiplex_vit.network.structure.richness import core_nodes


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept", transposed="coreness")
@accepts()
def coreness(layer: Layer) -> np.ndarray:
    """Return each node's core number.

    It is the greatest k such that the node lies in a part where all nodes have an in-degree +
    out-degree of at least k.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    ndarray [node]
        Whole numbers, 0 to 2 (n - 1). Isolates have 0. Weights do not count.

    References
    ----------
    Seidman, Social Networks 5, 269 (1983), doi:10.1016/0378-8733(83)90028-X.

    Examples
    --------
    >>> coreness(Layer(np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0.1, 0]]))).tolist()
    [2, 2, 1]
    """
    # In- and out-edges count together, as in the definition by Seidman.
    return np.array(layer.without_loops.coreness(mode="all"))


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept", transposed="out_coreness")
@accepts()
def in_coreness(layer: Layer) -> np.ndarray:
    """Return each node's core number by the attention that it receives.

    It is the greatest k such that the node lies in a part where every node is attended to by at
    least k others of the part.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    ndarray [node]
        Whole numbers, 0 to n - 1. Isolates have 0. Weights do not count.

    References
    ----------
    Giatsidis, Thilikos, Vazirgiannis, IEEE ICDM 2011, 201, doi:10.1109/ICDM.2011.144: the
    D-cores (k, 0).

    Examples
    --------
    >>> in_coreness(Layer(np.array([[0, 0.5, 0], [0.5, 0, 0.5], [0, 0, 0]]))).tolist()
    [1, 1, 1]
    """
    return np.array(layer.without_loops.coreness(mode="in"))


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept", transposed="in_coreness")
@accepts()
def out_coreness(layer: Layer) -> np.ndarray:
    """Return each node's core number by the attention that it pays.

    It is the greatest k such that the node lies in a part where every node attends to at least k
    others of the part.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    ndarray [node]
        Whole numbers, 0 to n - 1. Isolates have 0. Weights do not count.

    References
    ----------
    Giatsidis, Thilikos, Vazirgiannis, IEEE ICDM 2011, 201, doi:10.1109/ICDM.2011.144: the
    D-cores (0, k).

    Examples
    --------
    >>> out_coreness(Layer(np.array([[0, 0.5, 0], [0.5, 0, 0.5], [0, 0, 0]]))).tolist()
    [1, 1, 0]
    """
    return np.array(layer.without_loops.coreness(mode="out"))


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="rich_core")
@accepts(weights=matrix)
def rich_core(weights: np.ndarray) -> np.ndarray:
    """Return which nodes form the core of the layer, and which its periphery.

    Nodes are ranked by strength, in and out together. The core ends with the node that has most
    weight to nodes at least as strong as itself: those below it turn to the core less and less.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray of int [node]
        1 in the core, 0 in the periphery; all 0 without an edge between two nodes. Nodes of one
        strength are all in the core or none is. Isolates have 0.

    References
    ----------
    Ma, Mondragon, PLoS ONE 10, e0119678 (2015), doi:10.1371/journal.pone.0119678; there nodes of
    one strength are ranked at random.

    Examples
    --------
    >>> rich_core(np.array([[0, 1.0, 0.5], [1.0, 0, 0], [0, 0, 0]])).tolist()
    [1, 1, 0]
    """
    return core_nodes(weights).astype(int)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="clustering")
@accepts(weights=matrix)
def clustering(weights: np.ndarray) -> np.ndarray:
    """Return the weighted directed clustering coefficient.

    It says how closely a node's neighbours attend to one another.

    c_i = ((V + V^T)^3)_ii / (2 (k_i (k_i - 1) - 2 b_i)), with V_ij = (w_ij / max w)^(1/3), k_i =
    in-degree + out-degree and b_i the number of nodes joined with i in both directions; the
    maximum is taken over all edges but self-loops.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1. A node of fewer than two neighbours has 0; so have isolates.

    References
    ----------
    Fagiolo, PRE 76, 026107 (2007), doi:10.1103/PhysRevE.76.026107.

    Examples
    --------
    >>> clustering(np.array([[0, 1.0, 0], [0, 0, 1.0], [1.0, 0, 0]])).tolist()
    [0.5, 0.5, 0.5]
    """
    is_loop = np.eye(len(weights), dtype=bool)
    between = np.asarray(weights, dtype=float) * ~is_loop
    edge = between > 0
    roots = np.cbrt(relative(between))
    both = roots + roots.T
    # The diagonal of the third power, without computing the rest of it.
    triangles = np.einsum("ij,ji->i", both @ both, both)
    degree = edge.sum(0) + edge.sum(1)
    mutual = (edge & edge.T).sum(1)
    possible = 2.0 * (degree * (degree - 1) - 2 * mutual)
    nothing = np.zeros(len(between))
    return np.divide(triangles, possible, out=nothing, where=possible > 0)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="constraint")
@accepts(weights=matrix)
def constraint(weights: np.ndarray) -> np.ndarray:
    """Return Burt's constraint: how far a node depends on contacts that also attend to one another.

    c_i = sum_j (p_ij + sum_q p_iq p_qj)^2 over neighbours j, with p_ij = (w_ij + w_ji) / sum_(k
    != i) (w_ik + w_ki).

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        From 0 up (1 for a single contact; a little above 1 where two contacts attend mostly to
        one another). Here the least value is the broker between separate parts, so masks made of
        it keep nodes that are redundant. Isolates have 0.

    References
    ----------
    Burt, American Journal of Sociology 110, 349 (2004), doi:10.1086/421787.

    Examples
    --------
    >>> constraint(np.array([[0, 1.0, 1.0], [0, 0, 0], [0, 0, 0]])).tolist()
    [0.5, 1.0, 1.0]
    """
    is_loop = np.eye(len(weights), dtype=bool)
    between = relative(weights) * ~is_loop
    both = between + between.T
    total = both.sum(1, keepdims=True)
    share = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
    dependence = np.where(share > 0, share + share @ share, 0) ** 2
    return dependence.sum(1, where=~is_loop)
