"""Cores of all layers at once."""

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="multiplex_coreness")
@accepts(weights=stack)
def multiplex_coreness(weights: np.ndarray) -> np.ndarray:
    """Return each node's core number in all layers at once.

    It is the greatest k such that the node lies in a set whose nodes have, in every layer, an
    in-degree + out-degree of at least k within the set: the (k, k, ..., k)-core.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray of int [node]
        0 to 2 (n - 1), no more than `coreness` in any layer. Weights and self-loops do not count.
        A node that is an isolate in one layer has 0.

    References
    ----------
    Azimi-Tafreshi, Gomez-Gardenes, Dorogovtsev, PRE 90, 032816 (2014),
    doi:10.1103/PhysRevE.90.032816.

    Examples
    --------
    >>> ring = np.roll(np.eye(3), 1, axis=1)
    >>> multiplex_coreness(np.stack([ring, ring + ring.T])).tolist()
    [2, 2, 2]
    """
    is_loop = np.eye(weights.shape[1], dtype=bool)
    edge = ((np.asarray(weights) > 0) & ~is_loop).astype(int)
    joined = edge + edge.swapaxes(1, 2)
    # Degrees within what is left count down while nodes are taken out.
    degree = joined.sum(2)
    left = np.ones(weights.shape[1], dtype=bool)
    number = np.zeros(len(left), dtype=int)
    while left.any():
        least = degree.min(0)
        core = max(number.max(), least[left].min())
        leaving = left & (least <= core)
        number[leaving] = core
        degree = degree - joined[:, :, leaving].sum(2)
        left &= ~leaving
    return number
