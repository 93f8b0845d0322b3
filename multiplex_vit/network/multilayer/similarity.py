"""Similarities of two layers: what their edges share."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import xlogy

from multiplex_vit.accepts import accepts_two_layers, signed_matrix
from multiplex_vit.network.multilayer.correlation import cosine_of, pearson_of
from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

Similarity = Callable[[np.ndarray, np.ndarray], float]

LAYER_SIMILARITIES: Registry[Similarity] = Registry("layer similarity", data=2, traits=OF_MEASURES)
"""A member takes the weights [source, target] of two layers and returns one number.

The number is the same whichever layer comes first.
"""


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept", transposed="common_edges")
@accepts_two_layers
def common_edges(first: np.ndarray, second: np.ndarray) -> int:
    """Return how many edges are in both layers (self-loops count): sum_ij A_ij B_ij.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    int
        From 0 up; great if the layers are alike.

    References
    ----------
    Bianconi, PRE 87, 062806 (2013), doi:10.1103/PhysRevE.87.062806.

    Examples
    --------
    >>> common_edges(np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 0.25], [0, 1]]))
    1
    """
    # Self-loops are edges like others here.
    return int(np.count_nonzero((first > 0) & (second > 0)))


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept", transposed="edge_overlap")
@accepts_two_layers
def edge_overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the weight that two layers share: 2 sum_ij min(a_ij, b_ij) / sum_ij (a_ij + b_ij).

    It is `global_overlap` of the two layers alone, as in muxViz's matrix of overlapping layers.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (no common edge) to 1 (the same weights). NaN if both layers are empty.

    References
    ----------
    De Domenico, Nicosia, Arenas, Latora, Nat Commun 6, 6864 (2015), doi:10.1038/ncomms7864.

    Examples
    --------
    >>> edge_overlap(np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 0.25], [0, 1]]))
    0.25
    """
    shared = np.minimum(first, second).sum(dtype=float)
    total = first.sum(dtype=float) + second.sum(dtype=float)
    return _ratio(2 * shared, total)


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept", transposed="jaccard")
@accepts_two_layers
def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of common edges among all edges (self-loops count).

    |E_a and E_b| / |E_a or E_b|.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (no common edge) to 1 (the same edges). NaN if both layers are empty.

    References
    ----------
    Brodka et al., Royal Society Open Science 5, 171747 (2018), doi:10.1098/rsos.171747.

    Examples
    --------
    >>> round(jaccard(np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 0.25], [0, 1]])), 6)
    0.333333
    """
    either = (first > 0) | (second > 0)
    return _ratio(common_edges(first, second), int(np.count_nonzero(either)))


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept", transposed="weighted_jaccard")
@accepts_two_layers
def weighted_jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Return the weighted Jaccard index (Ruzicka's).

    sum_ij min(a_ij, b_ij) / sum_ij max(a_ij, b_ij).

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (no common edge) to 1 (the same weights). NaN if both layers are empty.

    References
    ----------
    Ioffe, IEEE ICDM, 246 (2010), doi:10.1109/ICDM.2010.80.

    Examples
    --------
    >>> round(weighted_jaccard(np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 0.25], [0, 1]])), 6)
    0.142857
    """
    least = np.minimum(first, second).sum(dtype=float)
    most = np.maximum(first, second).sum(dtype=float)
    return _ratio(least, most)


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept", transposed="cosine", signed=True)
@partial(accepts_two_layers, check=signed_matrix)
def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the cosine of the angle between the layers' weights: sum_ij a_ij b_ij / (|a| |b|).

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (no common edge) to 1 (proportional weights). NaN if a layer is empty.

    References
    ----------
    Brodka et al., Royal Society Open Science 5, 171747 (2018), doi:10.1098/rsos.171747.

    Examples
    --------
    >>> round(cosine(np.array([[0, 3.0], [4.0, 0]]), np.array([[0, 1.0], [0, 0]])), 6)
    0.6
    """
    return cosine_of(first, second)


@LAYER_SIMILARITIES.register(
    scale="invariant", isolates="counted", transposed="pearson", signed=True
)
@partial(accepts_two_layers, check=signed_matrix)
def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation of the layers' weights over all pairs of nodes.

    Pairs without an edge count as 0.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        -1 to 1 (weights go together). NaN if a layer has the same weight everywhere, to 1 part in
        a million, as an empty one has.

    References
    ----------
    Brodka et al., Royal Society Open Science 5, 171747 (2018), doi:10.1098/rsos.171747.

    Examples
    --------
    >>> round(pearson(np.array([[0, 1.0], [0, 0]]), np.array([[0, 0], [1.0, 0]])), 6)
    -0.333333
    """
    return pearson_of(first, second)


@LAYER_SIMILARITIES.register(scale="invariant", isolates="kept")
@accepts_two_layers
def jensen_shannon(first: np.ndarray, second: np.ndarray) -> float:
    """Return how differently nodes distribute their attention in two layers.

    It is the mean Jensen-Shannon divergence of rows, in nats.

    JSD_i = H((p_i + q_i) / 2) - (H(p_i) + H(q_i)) / 2, with p_i and q_i the rows of node i
    divided by their sums; the mean is over the nodes that attend to something in both layers.
    This is a distance: low if the layers are alike.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (the same distributions) to ln 2 (nothing in common). NaN if no node attends to
        something in both layers.

    References
    ----------
    Lin, IEEE Transactions on Information Theory 37, 145 (1991), doi:10.1109/18.61115.

    Examples
    --------
    >>> round(jensen_shannon(np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 0.25], [0, 1]])), 6)
    0.346574
    """
    # Only nodes that attend in both layers have two distributions to compare.
    both = first.any(1) & second.any(1)
    if not both.any():
        return np.nan
    p = _shares(first[both])
    q = _shares(second[both])
    terms = xlogy(p, p) + xlogy(q, q) - xlogy(p + q, (p + q) / 2)
    # Rounding can bring the divergence of equal rows slightly below 0.
    return float(max(0.0, terms.sum(1).mean() / 2))


def _ratio(part: float, whole: float) -> float:
    if not whole:
        return np.nan
    return float(part / whole)


def _shares(weights: np.ndarray) -> np.ndarray:
    """Return rows divided by their sums, by way of their greatest, so that none vanishes."""
    # By way of the greatest, so that the sum of tiny weights does not vanish.
    shares = weights / weights.max(1, keepdims=True).astype(float)
    return shares / shares.sum(1, keepdims=True)
