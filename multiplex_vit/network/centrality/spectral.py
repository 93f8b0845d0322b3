"""Centralities that a node inherits from those that attend to it.

They are fixed points of the layer's matrix.
"""

import numpy as np
from scipy.linalg import expm

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.checks import between_0_and_1
from multiplex_vit.network.centrality.registry import CENTRALITIES
from multiplex_vit.network.flow.chain import Chain
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.leading_eigenvector import leading_eigenvector
from multiplex_vit.network.matrices import relative


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="proportional")
@accepts()
def pagerank(layer: Layer, *, damping: float = 0.85) -> np.ndarray:
    """Return PageRank: where a walker is found who follows attention.

    With probability 1 - damping the walker starts anew at any node.

    pi = damping T^T pi + (1 - damping) / nodes, with T the weights divided by out-strength; a
    walker at a node that attends to nothing starts anew.

    Parameters
    ----------
    layer : Layer
    damping : float, 0 to 1 (exclusive)

    Returns
    -------
    ndarray [node]
        Above 0; sums to 1. A node that nothing attends to has the least value; so have isolates
        without a self-loop.

    References
    ----------
    Brin, Page, Computer Networks 30, 107 (1998), doi:10.1016/S0169-7552(98)00110-X; PRPACK in
    igraph.

    Examples
    --------
    >>> pagerank(Layer(np.array([[0, 0.5], [0, 1.0]]))).round(3).tolist()
    [0.075, 0.925]
    """
    damping = between_0_and_1("damping", damping)
    return np.array(layer.graph.pagerank(weights="weight", damping=damping))


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept")
@accepts()
def token_rank(layer: Layer, *, alpha: float = 0.99) -> np.ndarray:
    """Return TokenRank: where a walker is found in the long run who all but never starts anew.

    The stationary vector of alpha P + (1 - alpha) 1 1^T / n over the n nodes that have an edge,
    with P the weights divided by out-strength. It is PageRank with little damping, so that
    attention of many steps counts; see `flow.Chain`. The paper keeps prefix tokens as nodes.

    Parameters
    ----------
    layer : Layer
    alpha : float, 0 to 1 (exclusive)

    Returns
    -------
    ndarray [node]
        Sums to 1. Isolates have 0.

    References
    ----------
    Erel et al., Attention (as Discrete-Time Markov) Chains, arXiv:2507.17657 (2025).

    Examples
    --------
    >>> token_rank(Layer(np.array([[0.5, 0.5], [0.25, 0.75]]))).round(3).tolist()
    [0.336, 0.664]
    """
    return Chain(layer).token_rank(alpha)


@CENTRALITIES.register(scale="invariant", isolates="kept")
@accepts(weights=matrix)
def communicability(weights: np.ndarray) -> np.ndarray:
    """Return total communicability: all walks that end at a node, one of k steps worth 1 / k!.

    x = exp(W^T / s) 1, with s the greatest out-strength, so that values do not change with the
    unit of the weights.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        From 1 up, for the walk of no step. A node that nothing attends to has 1; so have isolates
        without a self-loop.

    References
    ----------
    Benzi, Klymko, Journal of Complex Networks 1, 124 (2013), doi:10.1093/comnet/cnt007; Estrada,
    Hatano, PRE 77, 036111 (2008), doi:10.1103/PhysRevE.77.036111.

    Examples
    --------
    >>> communicability(np.array([[0, 0.5], [0, 0.0]])).tolist()
    [1.0, 2.0]
    """
    return expm(_steps(weights)).sum(1)


@CENTRALITIES.register(scale="invariant", isolates="kept")
@accepts(weights=matrix)
def eigenvector(weights: np.ndarray) -> np.ndarray:
    """Return eigenvector centrality: W^T x = lambda x for the greatest lambda.

    A node matters if those that attend to it do.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1, the greatest being 1; all 0 in a layer without a cycle. Isolates without a
        self-loop have 0. Where the layer is not strongly connected, the part with the greatest
        eigenvalue gives the values and hands them on to what it reaches; a strong self-loop can
        be that part (`pagerank` and `katz` spread more evenly there). Equal parts add up: see
        `leading_eigenvector`.

    References
    ----------
    Bonacich, Journal of Mathematical Sociology 2, 113 (1972), doi:10.1080/0022250X.1972.9989806.

    Examples
    --------
    >>> eigenvector(np.array([[0, 4.0], [1.0, 0]])).round(6).tolist()
    [0.5, 1.0]
    """
    # W^T and not W: what matters is who attends to a node.
    return leading_eigenvector(weights)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="authority")
@accepts(weights=matrix)
def hub(weights: np.ndarray) -> np.ndarray:
    """Return hub scores: the leading eigenvector of W W^T; a hub attends to good authorities.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1, the greatest being 1 (all 0 in a layer without edges). Nodes that attend to
        nothing have 0. Where the layer falls apart, the part with the greatest eigenvalue has the
        values and the others have 0; equal parts add up (see `leading_eigenvector`).

    References
    ----------
    Kleinberg, Journal of the ACM 46, 604 (1999), doi:10.1145/324133.324140.

    Examples
    --------
    >>> hub(np.array([[0, 1.0, 1.0], [0, 0, 1.0], [0, 0, 0]])).round(4).tolist()
    [1.0, 0.618, 0.0]
    """
    # W W^T is symmetric, so that its own transpose makes no difference.
    scaled = relative(weights)
    return leading_eigenvector(scaled @ scaled.T)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="hub")
@accepts(weights=matrix)
def authority(weights: np.ndarray) -> np.ndarray:
    """Return authority scores: the leading eigenvector of W^T W; good hubs attend to an authority.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1, the greatest being 1 (all 0 in a layer without edges). Nodes that nothing attends
        to have 0. Where the layer falls apart, the part with the greatest eigenvalue has the
        values and the others have 0; equal parts add up (see `leading_eigenvector`).

    References
    ----------
    Kleinberg, Journal of the ACM 46, 604 (1999), doi:10.1145/324133.324140.

    Examples
    --------
    >>> authority(np.array([[0, 1.0, 1.0], [0, 0, 1.0], [0, 0, 0]])).round(4).tolist()
    [0.0, 0.618, 1.0]
    """
    scaled = relative(weights)
    return leading_eigenvector(scaled.T @ scaled)


@CENTRALITIES.register(scale="invariant", isolates="kept")
@accepts(weights=matrix)
def katz(weights: np.ndarray, *, attenuation: float = 0.85) -> np.ndarray:
    """Return Katz centrality: x = 1 + alpha W^T x.

    It counts all walks that end at a node, each step worth alpha.

    alpha = attenuation / (greatest out-strength) lies below 1 / (spectral radius), so the sum
    over walks always converges, and the values do not change with the unit of the weights.

    Parameters
    ----------
    weights : ndarray [source, target]
    attenuation : float, 0 to 1 (exclusive)

    Returns
    -------
    ndarray [node]
        From 1 up. A node that nothing attends to has 1; so have isolates without a self-loop.

    References
    ----------
    Katz, Psychometrika 18, 39 (1953), doi:10.1007/BF02289026.

    Examples
    --------
    >>> katz(np.array([[0, 0.5], [0, 0.0]])).tolist()
    [1.0, 1.85]
    """
    attenuation = between_0_and_1("attenuation", attenuation)
    n_nodes = len(weights)
    steps = _steps(weights, attenuation)
    return np.linalg.solve(np.eye(n_nodes) - steps, np.ones(n_nodes))


def _steps(weights: np.ndarray, worth: float = 1.0) -> np.ndarray:
    """Return W^T times worth / (greatest out-strength): what a step of a walk counts."""
    weights = np.asarray(weights, dtype=float)
    greatest = weights.sum(1).max(initial=0)
    # Below the least normal number the quotient would overflow.
    if greatest <= np.finfo(float).tiny:
        return np.zeros_like(weights)
    return weights.T * (worth / greatest)
