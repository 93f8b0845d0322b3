"""Filters that compare an edge with others of its layer, of its node, or with itself."""

from typing import Any

import numpy as np

from multiplex_vit.accepts import accepts, signed_stack, stack
from multiplex_vit.checks import share as checked_share
from multiplex_vit.checks import whole
from multiplex_vit.network.filters.registry import FILTERS

_TARGETS = 2
"""The axis of targets in weights [layer, source, target]."""


@FILTERS.register(scale="linear", isolates="kept", transposed="min_cut", signed=True)
@accepts(weights=signed_stack)
def min_cut(weights: np.ndarray, min_cut: float) -> np.ndarray:
    """Keep the edges of at least `min_cut` times the greatest weight of their layer.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    min_cut : float, 0 to 1
        0 keeps every edge, 1 the greatest alone.

    Returns
    -------
    ndarray [layer, source, target]
        Of the same type, in whose arithmetic the threshold is taken. An edge at the threshold
        stays. The greatest edge of a layer always stays, but nodes may end as isolates. Signed
        weights are compared by their magnitude.

    Raises
    ------
    InputError
        If `min_cut` is not within 0 and 1, or weights are no stack of square matrices.

    References
    ----------
    Marchetti, Traini, Ursino, Virgili, Neural Computing and Applications 37, 24385 (2025),
    doi:10.1007/s00521-025-11591-x.

    Examples
    --------
    >>> min_cut(np.array([[[0.5, 0.125], [0.25, 0.0]]]), 0.5).tolist()
    [[[0.5, 0.0], [0.25, 0.0]]]
    """
    least = checked_share("min_cut", min_cut)
    # The sign of a weight does not say how strong its edge is.
    strengths = np.abs(weights)
    stays = without_weak(strengths, least) != 0
    return np.where(stays, weights, 0)


def without_weak(weights: Any, min_cut: float) -> Any:
    """Return weights [..., source, target] of an array or a tensor without the weak edges.

    Edges below `min_cut` times the greatest weight of their layer become 0. The threshold is taken
    in the weights' own precision, as the published method takes it.

    Examples
    --------
    >>> without_weak(np.array([[0.5, 0.125], [0.25, 0.0]]), 0.5).tolist()
    [[0.5, 0.0], [0.25, 0.0]]
    """
    # A tensor's `max` takes one axis alone.
    greatest_of = weights.amax if hasattr(weights, "amax") else weights.max
    greatest = greatest_of((-2, -1))
    threshold = min_cut * greatest[..., None, None]
    # A copy, for arrays and tensors alike.
    kept = weights + 0
    # An edge at the threshold stays, so that the greatest always does; NaN goes.
    kept[~(weights >= threshold)] = 0
    return kept


@FILTERS.register(scale="linear", isolates="kept")
@accepts(weights=stack)
def top_k(weights: np.ndarray, k: int) -> np.ndarray:
    """Keep the `k` strongest edges that each node sends.

    In a network of attention these are the tokens that it attends to most, in one of information
    those that take most from it.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    k : int
        From 1 up.

    Returns
    -------
    ndarray [layer, source, target]
        Edges as strong as a node's k-th stay all, so a node may keep more than k; one that has
        fewer keeps what it has. A self-loop is an edge like others. A node that attends to
        another only less than to itself and k - 1 others may end as an isolate.

    Raises
    ------
    InputError
        If `k` is no whole number of at least 1, or weights are no stack of square matrices.

    References
    ----------
    The directed k-nearest-neighbour graph: von Luxburg, Statistics and Computing 17, 395 (2007),
    doi:10.1007/s11222-007-9033-z, section 2.2.

    Examples
    --------
    >>> top_k(np.array([[[0.5, 0.25, 0.25], [0.1, 0.0, 0.2], [0.0, 0.0, 0.0]]]), 1).tolist()
    [[[0.5, 0.0, 0.0], [0.0, 0.0, 0.2], [0.0, 0.0, 0.0]]]
    """
    k = whole("k", k, at_least=1)
    # A node has no more edges than there are targets.
    place = min(k, weights.shape[_TARGETS])
    # A partition finds the k-th greatest without sorting the rest.
    parted = np.partition(weights, -place, axis=_TARGETS)
    threshold = parted[:, :, [-place]]
    return np.where(weights < threshold, 0, weights)


@FILTERS.register(scale="linear", isolates="kept")
@accepts(weights=stack)
def row_relative(weights: np.ndarray, share: float) -> np.ndarray:
    """Keep the edges of at least `share` times the strongest that the same node sends.

    A threshold of the whole layer empties the rows of tokens that spread their attention; this
    one leaves every token that attends to something its strongest edge.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    share : float, 0 to 1
        0 keeps every edge, 1 the strongest of each node alone.

    Returns
    -------
    ndarray [layer, source, target]
        Of the same type, in whose arithmetic the threshold is taken. An edge at the threshold
        stays. A self-loop is an edge like others.

    Raises
    ------
    InputError
        If `share` is not within 0 and 1, or weights are no stack of square matrices.

    Examples
    --------
    >>> row_relative(np.array([[[0.5, 0.25], [0.04, 0.1]]]), 0.5).tolist()
    [[[0.5, 0.25], [0.0, 0.1]]]
    """
    least = checked_share("share", share)
    strongest = weights.max(axis=_TARGETS, keepdims=True)
    threshold = least * strongest
    return np.where(weights < threshold, 0, weights)


@FILTERS.register(scale="linear", isolates="counted", transposed="matched_density")
@accepts(weights=stack)
def matched_density(weights: np.ndarray, density: float) -> np.ndarray:
    """Keep the strongest edges of each layer, as many in every layer.

    Measures that count edges, and most others, change with density. At one density what differs
    between layers, heads or images is where edges lie.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    density : float, 0 to 1
        Edges that stay as a share of all pairs of nodes, self-loops included, as the measure
        `density` has it.

    Returns
    -------
    ndarray [layer, source, target]
        density * nodes^2 edges a layer, rounded. Edges as strong as the last stay all; a layer
        that has fewer keeps what it has.

    Raises
    ------
    InputError
        If `density` is not within 0 and 1, or weights are no stack of square matrices.

    References
    ----------
    van Wijk, Stam, Daffertshofer, PLoS ONE 5, e13701 (2010), doi:10.1371/journal.pone.0013701.

    Examples
    --------
    >>> matched_density(np.array([[[0.5, 0.2], [0.4, 0.0]], [[0, 0.1], [0, 0]]]), 0.5).tolist()
    [[[0.5, 0.0], [0.4, 0.0]], [[0.0, 0.1], [0.0, 0.0]]]
    """
    n_layers, n_nodes = weights.shape[:2]
    density = checked_share("density", density)
    n_edges = round(density * n_nodes**2)
    # A place of -0 would be the first one, the weakest edge.
    if not n_edges:
        return np.zeros_like(weights)
    flat = weights.reshape(n_layers, -1)
    # A partition finds the weakest edge that stays without sorting the rest.
    parted = np.partition(flat, -n_edges, axis=1)
    threshold = parted[:, -n_edges, None, None]
    return np.where(weights < threshold, 0, weights)


@FILTERS.register(scale="linear", isolates="kept", transposed="without_loops", signed=True)
@accepts(weights=signed_stack)
def without_loops(weights: np.ndarray) -> np.ndarray:
    """Keep the edges between different nodes.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [layer, source, target]

    Raises
    ------
    InputError
        If weights are no stack of square matrices.

    Examples
    --------
    >>> without_loops(np.array([[[0.5, 0.25], [0.25, 1.0]]])).tolist()
    [[[0.0, 0.25], [0.25, 0.0]]]
    """
    is_loop = np.eye(weights.shape[1], dtype=bool)
    return np.where(is_loop, 0, weights)
