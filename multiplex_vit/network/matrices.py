"""What several measures first make of the weights of a layer."""

import numpy as np
from numpy.typing import ArrayLike


def relative(weights: ArrayLike) -> np.ndarray:
    """Return weights divided by the greatest, so that sums and products of tiny ones do not vanish.

    Parameters
    ----------
    weights : array of any shape
        From 0 up.

    Returns
    -------
    ndarray of float, of the same shape
        0 to 1; weights that are all 0 stay so.

    Examples
    --------
    >>> relative([[0, 0.5], [0.25, 0]]).tolist()
    [[0.0, 1.0], [0.5, 0.0]]
    """
    weights = np.asarray(weights, dtype=float)
    greatest = weights.max(initial=0)
    # Not times 1 / greatest, which overflows for the least numbers.
    return weights / (greatest or 1)


def linked_nodes(weights: np.ndarray) -> np.ndarray:
    """Return the numbers of the nodes that have an edge in or out.

    Parameters
    ----------
    weights : ndarray [source, target]
        Weights, or bool for whether there is an edge.

    Returns
    -------
    ndarray of int
        In ascending order.

    Examples
    --------
    >>> linked_nodes(np.array([[0, 0.5, 0], [0, 0, 0], [0, 0, 0]])).tolist()
    [0, 1]
    """
    return np.flatnonzero(weights.any(0) | weights.any(1))
