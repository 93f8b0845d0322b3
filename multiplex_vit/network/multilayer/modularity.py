"""Multilayer modularity: how good communities are that may differ from layer to layer."""

from typing import Any

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import numbers, positive
from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import Links

_LEAST = 2.0**-1074


@accepts(weights=stack)
def multilayer_modularity(
    weights: np.ndarray,
    membership: Any,
    links: Links,
    *,
    resolution: float = 1.0,
    directed: bool = True,
) -> float:
    """Return the multilayer modularity of communities.

    Q = 1 / (2 mu) sum_ijab [(w_ij^a - gamma k_i^a k_j^a / m_a) d_ab + d_ij C_i^ab] d(g_i^a, g_j^b),
    where gamma is the resolution, k_i^a the out-strength of the source, k_j^a the in-strength
    of the target (Leicht and Newman's null model), m_a the sum of all weights of layer a,
    C_i^ab the weight of the link from node i of layer a to itself in layer b, g the
    communities, and 2 mu the sum of all weights and all links. Undirected, w is (W + W^T) / 2,
    in- and out-strength are one, and m_a is what is usually written 2 m_a; a self-loop stands
    once on the diagonal, where NetworkX counts it twice.

    A link counts once for each direction that it has: ordinal links twice, temporal ones once. The
    value is the same for a network and its reverse.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    membership : ndarray of int [layer, node], or [node]
        The community of every node in every layer; [node] for the same in all layers.
    links : tuple of ndarray
        Source, target and weight of the inter-layer links, from `network.coupling.links`.
    resolution : float, above 0
        Greater values favour smaller communities; gamma in the formula. Default: 1.
    directed : bool

    Returns
    -------
    float
        Below or equal to 1; high where weight lies inside communities beyond chance and nodes keep
        their community from layer to layer. An isolate adds only its links. NaN for a network
        without edges and links.

    Raises
    ------
    InputError
        If the membership has another shape, or the resolution is not above 0.

    References
    ----------
    Mucha et al., Science 328, 876 (2010), doi:10.1126/science.1184819; Leicht, Newman, PRL 100,
    118703 (2008), doi:10.1103/PhysRevLett.100.118703.

    Examples
    --------
    >>> from multiplex_vit.network.coupling import links
    >>> pairs = np.kron(np.eye(2), [[0, 1.0], [1.0, 0]])
    >>> both, groups = np.stack([pairs, pairs]), np.array([0, 0, 1, 1])
    >>> multilayer_modularity(both, groups, links(range(2), 4, "none", 1.0))
    0.5
    >>> multilayer_modularity(both, groups, links(range(2), 4, "ordinal", 1.0))
    0.75
    """
    groups = _groups(membership, *weights.shape[:2])
    resolution = positive("resolution", resolution)
    source, target, link = links
    # Links are in supra indices, layer by layer.
    of_node = groups.ravel()
    within_links = link[of_node[source] == of_node[target]].sum()
    layers = np.asarray(weights, dtype=float)
    within = 0.0
    for layer, of_layer in zip(layers, groups, strict=True):
        # In- and out-strengths become one, as undirected modularity has it.
        if not directed:
            layer = (layer + layer.T) / 2
        within += _within(layer, of_layer, resolution)
    total = layers.sum() + link.sum()
    if not total:
        return np.nan
    return float((within + within_links) / total)


@accepts(weights=stack)
def relative_omega(omega: float | np.ndarray, weights: np.ndarray) -> float | np.ndarray:
    """Return the weight of links that are `omega` times as strong as a node of a layer.

    weight = omega * mean strength, the mean over all nodes of all layers of what a node sends (or
    receives: the mean is the same). Only the ratio of the two matters for communities: a node
    that leaves the community of its copy in the next layer loses the weight of the links between
    them, and gains at most its strength within the other community. With fixed weights, as in
    Mucha et al. (2010), the same omega therefore holds everything together in a network of mean
    attention and little in one of attention summed over heads. Where communities begin to differ
    from layer to layer depends on the network (Weir et al. 2017; Pamfil et al. 2019): look at
    several values.

    Parameters
    ----------
    omega : float, or ndarray [layer, node]
    weights : ndarray [layer, source, target]

    Returns
    -------
    float, or ndarray [layer, node]
        `omega` itself for a network without edges.

    Raises
    ------
    InputError
        If omega is not a number, or an array of numbers.

    References
    ----------
    Mucha et al., Science 328, 876 (2010), doi:10.1126/science.1184819; Weir et al., Algorithms 10,
    93 (2017), doi:10.3390/a10030093; Pamfil et al., SIAM J. Math. Data Sci. 1, 667 (2019),
    doi:10.1137/18M1231304.

    Examples
    --------
    >>> relative_omega(0.1, np.array([[[0, 3.0], [1.0, 0]]]))
    0.2
    """
    n_layers, n_nodes = weights.shape[:2]
    strength = float(np.sum(weights, dtype=float)) / (n_layers * n_nodes)
    if strength == 0:
        return omega
    if not isinstance(omega, (list, tuple)) and np.ndim(omega) == 0:
        # The product of two small numbers may be 0, which no link can weigh.
        return max(positive("omega", omega) * strength, _LEAST)
    return numbers("omega", omega) * strength


def _groups(membership: np.ndarray, n_layers: int, n_nodes: int) -> np.ndarray:
    """Return communities [layer, node], numbered from 0."""
    given = np.asarray(membership)
    if given.shape not in ((n_layers, n_nodes), (n_nodes,)):
        expected = f"give [{n_layers}, {n_nodes}], or [{n_nodes}] for all layers"
        raise InputError(f"membership has shape {list(given.shape)}; {expected}")
    if given.dtype.kind not in "biufU":
        raise InputError(f"membership is an array of {given.dtype}; give a number or a name a node")
    _, numbers = np.unique(given, return_inverse=True)
    return np.broadcast_to(numbers.reshape(given.shape), (n_layers, n_nodes))


def _within(layer: np.ndarray, groups: np.ndarray, resolution: float) -> float:
    """Return the weight inside communities less what chance would put there."""
    total = layer.sum()
    if not total:
        return 0.0
    inside = layer[groups[:, None] == groups].sum()
    # Strengths of whole communities: the sum over pairs of nodes is their product.
    sent = np.bincount(groups, layer.sum(1))
    received = np.bincount(groups, layer.sum(0))
    by_chance = resolution * sent @ (received / total)
    return float(inside - by_chance)
