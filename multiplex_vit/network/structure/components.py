"""Components: which nodes reach each other along edges, and how the others lie around them."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.checks import one_of

PARTS = ("core", "in", "out", "tube", "tendril", "apart")
"""Parts of a bow-tie."""


@accepts(weights=matrix)
def components(weights: np.ndarray, mode: str = "strong") -> np.ndarray:
    """Return the connected part of every node, as a map.

    Parameters
    ----------
    weights : ndarray [source, target]
    mode : "strong" or "weak"
        Whether nodes of a part reach each other along edges, or by edges of any direction.
        Default: "strong".

    Returns
    -------
    ndarray of int [node]
        Numbered from the largest part, 0; parts of one size as they appear. An isolate is a part
        of its own.

    Raises
    ------
    InputError
        If the mode is neither of the two.

    References
    ----------
    Tarjan, SIAM Journal on Computing 1, 146 (1972), doi:10.1137/0201010.

    Examples
    --------
    >>> components(np.array([[0, 0.5, 0], [0, 0, 0.5], [0, 0.5, 0]])).tolist()
    [1, 0, 0]
    >>> components(np.array([[0, 0.5, 0], [0, 0, 0.5], [0, 0.5, 0]]), "weak").tolist()
    [0, 0, 0]
    """
    one_of("mode", mode, ("strong", "weak"))
    _, found = connected_components(np.asarray(weights) > 0, connection=mode)
    _, first, part, sizes = np.unique(
        found, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -sizes))
    return np.argsort(order)[part]


@accepts(weights=matrix)
def bow_tie(weights: np.ndarray) -> np.ndarray:
    """Return the part of the bow-tie in which every node lies.

    The core is the largest strongly connected part. Along edges, nodes "in" reach the core,
    nodes "out" are reached from it; a "tube" leads from "in" to "out" past the core; a "tendril"
    is reached from "in" or reaches "out", and no more; what is left is "apart". In a network of
    attention, "in" holds tokens that look and are not looked at by the core.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray of str [node]
        Of `PARTS`. Where no node reaches another and is reached back there is no core, and all
        nodes are "apart". Of largest parts of one size the core is the one that appears first.

    References
    ----------
    Broder et al., Computer Networks 33, 309 (2000), doi:10.1016/S1389-1286(00)00083-9; Yang,
    Sugiyama, Onishi, WebSci 2011, doi:10.1145/2527031.2527058.

    Examples
    --------
    >>> weights = np.zeros((4, 4))
    >>> weights[[0, 1, 2, 2], [1, 2, 1, 3]] = 1
    >>> bow_tie(weights).tolist()
    ['in', 'core', 'core', 'out']
    """
    edge = np.asarray(weights) > 0
    core = components(weights) == 0
    parts = np.full(len(edge), "apart", dtype=object)
    if core.sum() < 2:
        return parts
    leads_in = _reached(edge.T, core) & ~core
    leads_out = _reached(edge, core) & ~core
    from_in = _reached(edge, leads_in)
    to_out = _reached(edge.T, leads_out)
    parts[from_in | to_out] = "tendril"
    parts[from_in & to_out] = "tube"
    parts[leads_in] = "in"
    parts[leads_out] = "out"
    parts[core] = "core"
    return parts


def _reached(edge: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return bool [node]: the nodes to which edges lead from some nodes, these included."""
    reached = start.copy()
    last = start
    while last.any():
        last = edge[last].any(0) & ~reached
        reached |= last
    return reached
