"""Overlap of all layers at once."""

import numpy as np

from multiplex_vit.accepts import accepts, stack


@accepts(weights=stack)
def global_overlap(weights: np.ndarray) -> float:
    """Return the weight that all layers share: O = L sum_ij min_a w_ij^a / sum_a sum_ij w_ij^a.

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    float
        0 (no edge is in every layer) to 1 (all layers are the same; also one layer alone). NaN
        for a network without edges.

    References
    ----------
    De Domenico, Nicosia, Arenas, Latora, Nat Commun 6, 6864 (2015), doi:10.1038/ncomms7864.

    Examples
    --------
    >>> global_overlap(np.array([[[0, 0.5], [0.25, 0]], [[0, 0.25], [0, 1]]]))
    0.25
    """
    total = weights.sum(dtype=float)
    if not total:
        return np.nan
    # An edge that a layer lacks has a least weight of 0.
    shared = weights.min(0).sum(dtype=float)
    return float(len(weights) * shared / total)


@accepts(weights=stack)
def edge_multiplicity(weights: np.ndarray) -> np.ndarray:
    """Return in how many layers each edge is.

    o_ij = sum_a A_ij^a, the overlapping edges of Battiston et al. (2014).

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray of int [source, target]
        0 (no edge) to the number of layers.

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> edge_multiplicity(np.array([[[0, 0.5], [0.25, 0]], [[0, 0.25], [0, 1]]])).tolist()
    [[0, 2], [1, 1]]
    """
    return np.count_nonzero(weights, axis=0)
