"""Distance by the portraits of two layers: how many nodes each node reaches in so many steps."""

import numpy as np
from scipy.sparse.csgraph import shortest_path
from scipy.special import rel_entr

from multiplex_vit.accepts import accepts_two_layers
from multiplex_vit.network.comparison.registry import LAYER_DISTANCES


@LAYER_DISTANCES.register(scale="invariant", isolates="counted")
@accepts_two_layers
def portrait_divergence(first: np.ndarray, second: np.ndarray) -> float:
    """Return how different the ways through two layers are, step by step.

    The portrait B_lk is the number of nodes that reach k nodes along edges in l steps and no
    fewer. Two nodes drawn at random among those with a path lie l steps apart with probability
    P(l) = sum_k k B_lk / sum_lk k B_lk, and a node reaches k nodes in l steps with B_lk / n. The
    distance is the Jensen-Shannon divergence, in bits, of P(k, l) = P(l) B_lk / n of the two
    layers. It does not know which node is which. Weights do not count: filter layers first.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (the same portrait) to 1. A node lies 0 steps from itself; self-loops do not count.

    References
    ----------
    Bagrow, Bollt, Applied Network Science 4, 45 (2019), doi:10.1007/s41109-019-0156-x.

    Examples
    --------
    >>> path = np.array([[0, 1.0, 0], [0, 0, 1.0], [0, 0, 0]])
    >>> portrait_divergence(path, path.T), round(portrait_divergence(path, np.zeros((3, 3))), 4)
    (0.0, 0.3113)
    """
    one, other = _pairs(first), _pairs(second)
    mean = (one + other) / 2
    parts = rel_entr(one, mean) + rel_entr(other, mean)
    bits = parts.sum() / 2 / np.log(2)
    # Rounding can bring the divergence of equal portraits slightly below 0.
    return max(0.0, float(bits))


def _pairs(weights: np.ndarray) -> np.ndarray:
    """Return P [steps, nodes reached] of a layer's portrait."""
    n_nodes = len(weights)
    # SciPy reads dense graphs row by row, whatever the order of their memory.
    edge = np.ascontiguousarray(weights > 0)
    steps = shortest_path(edge, unweighted=True)
    portrait = np.zeros((n_nodes, n_nodes + 1))
    for length in range(n_nodes):
        reached = np.count_nonzero(steps == length, axis=1)
        portrait[length] = np.bincount(reached, minlength=n_nodes + 1)
    # A node that reaches k nodes in so many steps is the first of k pairs.
    pairs = portrait @ np.arange(n_nodes + 1)
    lengths = pairs / pairs.sum()
    return portrait / n_nodes * lengths[:, None]
