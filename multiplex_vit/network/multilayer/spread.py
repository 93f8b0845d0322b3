"""How a node's strength and edges are spread over the layers."""

import numpy as np
from scipy.special import entr

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="out_participation")
@accepts(weights=stack)
def in_participation(weights: np.ndarray) -> np.ndarray:
    """Return the participation coefficient of in-strength.

    P_j = L / (L - 1) * (1 - sum_a (s_j^a / o_j)^2), o_j = sum_a s_j^a.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        0 (all in one layer) to 1 (the same in every layer); 0 where there is no in-strength. NaN
        for a network of one layer. Some libraries leave out L / (L - 1).

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> in_participation(np.array([[[0, 0.5], [0, 0]], [[0, 0.5], [1, 0]]])).tolist()
    [0.0, 1.0]
    """
    return _participation(weights.sum(1, dtype=float))


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="in_participation")
@accepts(weights=stack)
def out_participation(weights: np.ndarray) -> np.ndarray:
    """Return the participation coefficient of out-strength.

    P_i = L / (L - 1) * (1 - sum_a (s_i^a / o_i)^2), o_i = sum_a s_i^a.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        0 (all in one layer) to 1 (the same in every layer); 0 where there is no out-strength. NaN
        for a network of one layer. Some libraries leave out L / (L - 1).

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> out_participation(np.array([[[0, 0.5], [0, 0]], [[0, 0.5], [1, 0]]])).tolist()
    [1.0, 0.0]
    """
    return _participation(weights.sum(2, dtype=float))


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="out_layer_entropy")
@accepts(weights=stack)
def in_layer_entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy over layers of in-strength.

    H_j = -sum_a p_a ln p_a with p_a = s_j^a / o_j, in nats.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        0 (all in one layer) to ln(layers) (the same in every layer); 0 where there is no
        in-strength.

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> in_layer_entropy(np.array([[[0, 0.5], [0, 0]], [[0, 0.5], [1, 0]]])).round(6).tolist()
    [0.0, 0.693147]
    """
    return _entropy(weights.sum(1, dtype=float))


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="in_layer_entropy")
@accepts(weights=stack)
def out_layer_entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy over layers of out-strength.

    H_i = -sum_a p_a ln p_a with p_a = s_i^a / o_i, in nats.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        0 (all in one layer) to ln(layers) (the same in every layer); 0 where there is no
        out-strength.

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> out_layer_entropy(np.array([[[0, 0.5], [0, 0]], [[0, 0.5], [1, 0]]])).round(6).tolist()
    [0.693147, 0.0]
    """
    return _entropy(weights.sum(2, dtype=float))


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="activity")
@accepts(weights=stack)
def activity(weights: np.ndarray) -> np.ndarray:
    """Return the share of layers in which a node has an edge to or from another node.

    A self-loop alone does not count.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        0 (an isolate in every layer) to 1 (linked in all of them).

    References
    ----------
    Nicosia, Latora, PRE 92, 032805 (2015), doi:10.1103/PhysRevE.92.032805 (there the number of
    layers).

    Examples
    --------
    >>> activity(np.array([[[1, 0.5], [0, 0]], [[1, 0], [0, 0]]])).tolist()
    [0.5, 0.5]
    """
    is_loop = np.eye(weights.shape[1], dtype=bool)
    edge = (weights > 0) & ~is_loop
    active = edge.any(1) | edge.any(2)
    return active.mean(0)


def _participation(strength: np.ndarray) -> np.ndarray:
    """Return 1 - sum of squared shares [node] of strengths [layer, node].

    The result is scaled so that equal shares give 1.
    """
    n_layers, n_nodes = strength.shape
    # With one layer there is nothing to spread over, and L - 1 is 0.
    if n_layers == 1:
        return np.full(n_nodes, np.nan)
    concentration = (_shares(strength) ** 2).sum(0)
    spread = np.where(strength.any(0), 1 - concentration, 0)
    return np.clip(n_layers / (n_layers - 1) * spread, 0, 1)


def _entropy(strength: np.ndarray) -> np.ndarray:
    # Adding 0.0 turns -0.0 into 0.0.
    return entr(_shares(strength)).sum(0) + 0.0


def _shares(strength: np.ndarray) -> np.ndarray:
    """Return each layer's share [layer, node] of a node's strength; 0 for a node without any."""
    # A node without strength has no shares.
    total = strength.sum(0)
    return np.divide(strength, total, out=np.zeros_like(strength), where=total > 0)
