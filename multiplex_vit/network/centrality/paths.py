"""Centralities of shortest paths.

Attention is a strength, so an edge of weight w is 1 / w long, or -ln w where asked for.

To take -ln w in tables and masks: `functools.partial(betweenness, length="log")`; its name is
then "betweenness(length='log')".
"""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.centrality.registry import CENTRALITIES
from multiplex_vit.network.layer import Layer


@CENTRALITIES.register(
    takes="layer",
    scale="linear",
    isolates="proportional",
    transposed="out_closeness",
)
@accepts()
def in_closeness(layer: Layer, *, length: str = "inverse") -> np.ndarray:
    """Return how near each node is to those that reach it.

    (r / (n - 1)) (r / sum_i d_ij) over the r nodes i that reach it.

    The first factor is Wasserman and Faust's for layers that are not strongly connected.

    Parameters
    ----------
    layer : Layer
    length : "inverse" or "log"
        See `Layer.lengths`.

    Returns
    -------
    ndarray [node]
        From 0 up, in the weights' unit for "inverse". A node that none reaches has 0; so have
        isolates.

    Raises
    ------
    InputError
        If the length is unknown, or "log" meets a weight above 1.

    References
    ----------
    Wasserman, Faust, Social Network Analysis (1994), eq. 5.22, doi:10.1017/CBO9780511815478.

    Examples
    --------
    >>> in_closeness(Layer(np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))).tolist()
    [0.0, 0.25, 0.2]
    """
    # Columns are targets: how far it is to each node.
    return _closeness(layer.distances(length))


@CENTRALITIES.register(
    takes="layer",
    scale="linear",
    isolates="proportional",
    transposed="in_closeness",
)
@accepts()
def out_closeness(layer: Layer, *, length: str = "inverse") -> np.ndarray:
    """Return how near each node is to those that it reaches.

    (r / (n - 1)) (r / sum_j d_ij) over the r nodes j that it reaches.

    Parameters
    ----------
    layer : Layer
    length : "inverse" or "log"
        See `Layer.lengths`.

    Returns
    -------
    ndarray [node]
        From 0 up, in the weights' unit for "inverse". A node that reaches none has 0; so have
        isolates.

    Raises
    ------
    InputError
        If the length is unknown, or "log" meets a weight above 1.

    References
    ----------
    Wasserman, Faust, Social Network Analysis (1994), eq. 5.22, doi:10.1017/CBO9780511815478.

    Examples
    --------
    >>> out_closeness(Layer(np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))).tolist()
    [0.25, 0.125, 0.0]
    """
    # Transposed, columns are sources: how far it is from each node.
    return _closeness(layer.distances(length).T)


@CENTRALITIES.register(takes="layer", scale="linear", isolates="kept")
@accepts()
def harmonic(layer: Layer, *, length: str = "inverse") -> np.ndarray:
    """Return harmonic centrality: how near each node is to those that reach it.

    sum_(i != j) 1 / d_ij, where a pair without a path counts 0.

    Parameters
    ----------
    layer : Layer
    length : "inverse" or "log"
        See `Layer.lengths`.

    Returns
    -------
    ndarray [node]
        From 0 up, in the weights' unit for "inverse". A node that none reaches has 0; so have
        isolates.

    Raises
    ------
    InputError
        If the length is unknown, or "log" meets a weight above 1.

    References
    ----------
    Boldi, Vigna, Internet Mathematics 10, 222 (2014), doi:10.1080/15427951.2013.865686.

    Examples
    --------
    >>> harmonic(Layer(np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))).round(4).tolist()
    [0.0, 0.5, 0.4167]
    """
    distances = _between(layer.distances(length))
    return (1 / distances).sum(0)


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept", transposed="betweenness")
@accepts()
def betweenness(layer: Layer, *, length: str = "inverse") -> np.ndarray:
    """Return betweenness: how many shortest paths pass through each node.

    sum over s != v != t of sigma_st(v) / sigma_st, not normalised.

    Parameters
    ----------
    layer : Layer
    length : "inverse" or "log"
        See `Layer.lengths`.

    Returns
    -------
    ndarray [node]
        0 to (n - 1)(n - 2). Isolates have 0. Paths whose lengths differ by less than rounding are
        equally long: by less than 2^-42 of their length, and always by less than 2^-20 of the
        shortest edge, so that short edges count beside long ones.

    Raises
    ------
    InputError
        If the length is unknown, or "log" meets a weight above 1.

    References
    ----------
    Brandes, Journal of Mathematical Sociology 25, 163 (2001), doi:10.1080/0022250X.2001.9990249.

    Examples
    --------
    >>> betweenness(Layer(np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))).tolist()
    [0.0, 1.0, 0.0]
    """
    # Not by igraph, which compares lengths exactly and so misses ties.
    return layer.paths(length).betweenness()


def _between(distances: np.ndarray) -> np.ndarray:
    """Return distances with infinity from a node to itself.

    So no node counts as its own neighbour.
    """
    is_loop = np.eye(len(distances), dtype=bool)
    return np.where(is_loop, np.inf, distances)


def _closeness(distances: np.ndarray) -> np.ndarray:
    """Return the closeness of every column's node."""
    between = _between(distances)
    n_nodes = len(between)
    reached = np.isfinite(between)
    count = reached.sum(0)
    total = between.sum(0, where=reached)
    # Wasserman and Faust: the share of nodes that reach it, over their mean distance.
    scaled = count * (count / max(1, n_nodes - 1))
    return np.divide(scaled, total, out=np.zeros(n_nodes), where=count > 0)
