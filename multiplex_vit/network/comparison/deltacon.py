"""Distance by what nodes know of each other: DeltaCon."""

import numpy as np

from multiplex_vit.accepts import accepts_two_layers
from multiplex_vit.network.comparison.registry import LAYER_DISTANCES
from multiplex_vit.network.matrices import relative


@LAYER_DISTANCES.register(scale="invariant", isolates="kept", transposed="deltacon_distance")
@accepts_two_layers
def deltacon_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return how far two layers differ in how strongly nodes influence each other, node by node.

    d = sqrt(sum_ij (sqrt(s_ij) - sqrt(t_ij))^2), where S = (I + e^2 D - e A)^-1 sums up influence
    over walks of any length in the undirected layer A = (W + W^T) / 2 (without self-loops, its
    greatest weight being 1), D holds strengths and e = 1 / (1 + the greatest strength); T is that
    of the second layer. The paper's similarity is 1 / (1 + d).

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        From 0 (the same layer) up. Isolates of both layers do not count.

    References
    ----------
    Koutra, Vogelstein, Faloutsos, SDM 2013, doi:10.1137/1.9781611972832.18.

    Examples
    --------
    >>> pair = np.array([[0, 1.0], [1.0, 0]])
    >>> round(deltacon_distance(pair, np.zeros((2, 2))), 4)
    0.8735
    """
    roots = np.sqrt(_influence(first)) - np.sqrt(_influence(second))
    return float(np.sqrt((roots**2).sum()))


def _influence(weights: np.ndarray) -> np.ndarray:
    """Return the influence [node, node] of each node on each, over walks of any length."""
    is_loop = np.eye(len(weights), dtype=bool)
    between = np.where(is_loop, 0, weights)
    joined = relative(between + between.T)
    strength = joined.sum(1)
    step = 1 / (1 + strength.max())
    system = np.eye(len(joined)) + step**2 * np.diag(strength) - step * joined
    influence = np.linalg.inv(system)
    # Never below 0 but for rounding.
    return np.clip(influence, 0, None)
