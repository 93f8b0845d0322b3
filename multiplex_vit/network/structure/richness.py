"""Richness: whether strong nodes keep to each other, and which of them form the core of a layer."""

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.network.matrices import relative

_DIGITS = 10
"""Strengths that are alike to so many decimals of the greatest are equal."""


@accepts(weights=matrix)
def rich_club_curve(weights: np.ndarray) -> pd.DataFrame:
    """Return how densely nodes of more than k neighbours are joined with each other, for every k.

    Neighbours are nodes joined by an edge of any direction; self-loops do not count.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    pandas.DataFrame
        One row a degree k from 0 up, as long as two nodes have more neighbours: degree, nodes (how
        many have more), density (the share of their pairs that are joined, phi(k)) and weighted
        (the weight between them over that of as many of the layer's strongest edges; NaN where
        there is none).

    References
    ----------
    Colizza et al., Nature Physics 2, 110 (2006), doi:10.1038/nphys209; Opsahl et al., PRL 101,
    168702 (2008), doi:10.1103/PhysRevLett.101.168702.

    Examples
    --------
    >>> weights = np.array([[0, 1.0, 0.5], [1.0, 0, 0], [0, 0, 0]])
    >>> rich_club_curve(weights)
       degree  nodes   density  weighted
    0       0      3  0.666667       1.0
    """
    between = scaled_between(weights)
    joined = (between > 0) | (between.T > 0)
    degree = joined.sum(0)
    strongest = _strongest_sums(between)
    rows = []
    for least in range(len(degree)):
        rich = degree > least
        n_rich = int(rich.sum())
        if n_rich < 2:
            break
        pairs = joined[np.ix_(rich, rich)]
        density = pairs.sum() / (n_rich * (n_rich - 1))
        weighted = _club(between, rich, strongest)
        rows.append((least, n_rich, density, weighted))
    return pd.DataFrame(rows, columns=["degree", "nodes", "density", "weighted"])


def club_weight(between: np.ndarray, rich: np.ndarray) -> float:
    """Return the weight between some nodes over that of as many of the strongest edges.

    Parameters
    ----------
    between : ndarray [source, target]
        Without self-loops.
    rich : ndarray of bool [node]

    Returns
    -------
    float
        0 to 1; NaN where no edge joins the nodes.
    """
    return _club(between, rich, _strongest_sums(between))


def _club(between: np.ndarray, rich: np.ndarray, strongest: np.ndarray) -> float:
    inside = between[np.ix_(rich, rich)]
    n_edges = np.count_nonzero(inside)
    if not n_edges:
        return np.nan
    most = strongest[n_edges - 1]
    return float(inside.sum() / most)


def _strongest_sums(between: np.ndarray) -> np.ndarray:
    """Return what the strongest edge weighs, the two strongest together, and so on."""
    return np.cumsum(np.sort(between, axis=None)[::-1])


def strongest_nodes(weights: np.ndarray, share: float) -> np.ndarray:
    """Return which nodes are the strongest share of those that have edges, in and out together.

    Parameters
    ----------
    weights : ndarray [source, target]
        Self-loops do not count.
    share : float, 0 to 1
        At least two nodes; nodes as strong as the last one are among them.

    Returns
    -------
    ndarray of bool [node]

    Examples
    --------
    >>> strongest_nodes(np.array([[0, 3.0, 0], [2.0, 0, 1.0], [0, 0, 0]]), 0.1).tolist()
    [True, True, False]
    """
    strength = _strengths(scaled_between(weights))
    linked = np.sort(strength[strength > 0])
    if not len(linked):
        return strength > 0
    count = max(2, int(np.ceil(share * len(linked))))
    # One strong node alone cannot be: it has an edge to another.
    weakest = linked[-count]
    return strength >= weakest


def core_nodes(weights: np.ndarray) -> np.ndarray:
    """Return which nodes form the rich core; see `centrality.cohesion.rich_core`."""
    between = scaled_between(weights)
    both = between + between.T
    strength = _strengths(between)
    if not strength.any():
        return np.zeros(len(both), dtype=bool)
    at_least_as_strong = strength >= strength[:, None]
    greatest = both.sum(1).max()
    upwards = (both * at_least_as_strong).sum(1) / greatest
    to_stronger = np.round(upwards, _DIGITS)
    # Of nodes that reach up equally far, the strongest makes the smallest core.
    furthest = to_stronger == to_stronger.max()
    boundary = strength[furthest].max()
    return strength >= boundary


def scaled_between(weights: np.ndarray) -> np.ndarray:
    """Return weights without self-loops, the greatest being 1.

    Examples
    --------
    >>> scaled_between(np.array([[3.0, 1.0], [2.0, 0]])).tolist()
    [[0.0, 0.5], [1.0, 0.0]]
    """
    is_loop = np.eye(len(weights), dtype=bool)
    between = np.where(is_loop, 0, np.asarray(weights, dtype=float))
    return relative(between)


def _strengths(between: np.ndarray) -> np.ndarray:
    """Return strengths [node], in and out together, in parts of the greatest."""
    strength = (between + between.T).sum(1)
    return np.round(relative(strength), _DIGITS)
