"""Multilayer modularity: how good communities are that may differ from layer to layer."""

import numpy as np

from multiplex_vit.checks import positive
from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import links
from multiplex_vit.registry import Named


def multilayer_modularity(
    weights: np.ndarray,
    membership: np.ndarray,
    *,
    coupling: Named = "ordinal",
    omega: float | np.ndarray = 1.0,
    gamma: float = 1.0,
    directed: bool = True,
) -> float:
    """Return the multilayer modularity of communities.

    Q = 1 / (2 mu) sum_ijab [(w_ij^a - gamma k_i^a k_j^a / m_a) d_ab + d_ij C_i^ab] d(g_i^a, g_j^b), where k_i^a is the out-strength of the
    source, k_j^a the in-strength of the target (Leicht and Newman's null model), m_a the sum of all weights of layer a, C_i^ab the weight of
    the link from node i of layer a to itself in layer b, g the communities, and 2 mu the sum of all weights and all links. Undirected, w is
    (W + W^T) / 2, in- and out-strength are one, and m_a is what is usually written 2 m_a; a self-loop stands once on the diagonal, where
    NetworkX counts it twice. Links count in both directions as the coupling has them: ordinal ones twice, temporal ones once.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    membership : ndarray of int [layer, node], or [node]
        The community of every node in every layer; [node] for the same in all layers.
    coupling, omega
        See `links`.
    gamma : float, above 0
        Resolution: greater values favour smaller communities.
    directed : bool

    Returns
    -------
    float
        Below or equal to 1; high where weight lies inside communities beyond chance and nodes keep their community from layer to layer. An
        isolate adds only its links. NaN for a network without edges and links.

    Raises
    ------
    InputError
        If the membership has another shape, gamma is not above 0, or coupling or omega cannot be used.

    References
    ----------
    Mucha et al., Science 328, 876 (2010), doi:10.1126/science.1184819; Leicht, Newman, PRL 100, 118703 (2008),
    doi:10.1103/PhysRevLett.100.118703.

    Examples
    --------
    >>> pairs = np.kron(np.eye(2), [[0, 1.0], [1.0, 0]])
    >>> multilayer_modularity(np.stack([pairs, pairs]), np.array([0, 0, 1, 1]), coupling="none")
    0.5
    >>> multilayer_modularity(np.stack([pairs, pairs]), np.array([0, 0, 1, 1]), coupling="ordinal")
    0.75
    """
    n_layers, n_nodes = weights.shape[:2]
    groups = _groups(membership, n_layers, n_nodes)
    gamma = positive("gamma", gamma)
    source, target, link = links(n_layers, n_nodes, coupling, omega)
    kept = link[groups.ravel()[source] == groups.ravel()[target]].sum()
    layers = np.asarray(weights, dtype=float)
    inside = sum(_inside(layer if directed else (layer + layer.T) / 2, own, gamma) for layer, own in zip(layers, groups, strict=True))
    total = layers.sum() + link.sum()
    return float((inside + kept) / total) if total else np.nan


def _groups(membership: np.ndarray, n_layers: int, n_nodes: int) -> np.ndarray:
    """Return communities [layer, node], numbered from 0."""
    given = np.asarray(membership)
    if given.shape not in ((n_layers, n_nodes), (n_nodes,)):
        raise InputError(f"membership has shape {list(given.shape)}; give [{n_layers}, {n_nodes}], or [{n_nodes}] for all layers")
    groups = np.unique(given, return_inverse=True)[1].reshape(given.shape)
    return np.broadcast_to(groups, (n_layers, n_nodes))


def _inside(layer: np.ndarray, groups: np.ndarray, gamma: float) -> float:
    """Return the weight inside communities less what chance would put there."""
    total = layer.sum()
    if not total:
        return 0.0
    out, into = (np.bincount(groups, strength) for strength in (layer.sum(1), layer.sum(0)))
    return float(layer[groups[:, None] == groups].sum() - gamma * out @ (into / total))
