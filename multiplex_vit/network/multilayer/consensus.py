"""Consensus: what communities of several searches have in common, and how far they agree."""

from itertools import combinations

import igraph
import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import between_0_and_1, numbers, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import Links
from multiplex_vit.network.seeding import igraph_seed

_MOST_ROUNDS = 50
"""Rounds of consensus at most; it is reached after a few."""


@accepts()
def consensus(partitions: np.ndarray, *, threshold: float = 0.5, seed: int = 0) -> np.ndarray:
    """Return the communities on which several partitions agree.

    Two nodes are joined by the share of partitions in which they are together, where it is at
    least the threshold; a node that this leaves alone stays joined with those with which it is
    together most often. Communities of this network by modularity (Leiden), as many times as there
    are partitions, are the next partitions, until all of them are the same.

    Parameters
    ----------
    partitions : ndarray of int [partition, node]
        Numbers mean nothing beyond their own partition.
    threshold : float, 0 to 1 (exclusive)
        Default: 0.5.
    seed : int
        Default: 0.

    Returns
    -------
    ndarray of int [node]
        Numbered as they appear.

    Raises
    ------
    InputError
        If there is no partition, or the threshold is not between 0 and 1.

    References
    ----------
    Lancichinetti, Fortunato, Scientific Reports 2, 336 (2012), doi:10.1038/srep00336.

    Examples
    --------
    >>> consensus(np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])).tolist()
    [0, 0, 1, 1]
    """
    found = _checked(partitions)
    threshold = between_0_and_1("threshold", threshold)
    seed = whole("seed", seed, at_least=0)
    for round_ in range(_MOST_ROUNDS):
        # Nodes that are together in every partition stay together, and count as one.
        _, first, group, size = np.unique(
            found, axis=1, return_index=True, return_inverse=True, return_counts=True
        )
        together = _together(found[:, first])
        if np.isin(together, (0, 1)).all():
            break
        graph = _joined(_relied_on(together, size, threshold), size)
        searches = []
        for run in range(len(found)):
            with igraph_seed(seed + run + round_ * len(found)):
                searches.append(_leiden(graph)[group.ravel()])
        found = np.stack(searches)
    return pd.factorize(found[0])[0]


@accepts()
def agreement(partitions: np.ndarray) -> float:
    """Return how far partitions agree: the mean adjusted Rand index over pairs of them.

    Parameters
    ----------
    partitions : ndarray of int [partition, node]

    Returns
    -------
    float
        1 where all are the same, about 0 where they have no more in common than by chance. NaN
        for a single partition.

    References
    ----------
    Hubert, Arabie, Journal of Classification 2, 193 (1985), doi:10.1007/BF01908075.

    Examples
    --------
    >>> agreement(np.array([[0, 0, 1, 1], [5, 5, 2, 2]]))
    1.0
    """
    found = _checked(partitions)
    if len(found) < 2:
        return np.nan
    indices = []
    for one, other in combinations(found, 2):
        one = pd.factorize(one)[0].tolist()
        other = pd.factorize(other)[0].tolist()
        # The index of two trivial partitions is 0 / 0.
        index = 1.0
        if one != other:
            index = igraph.compare_communities(one, other, "adjusted_rand")
        indices.append(index)
    return float(np.mean(indices))


@accepts()
def share_changed(membership: np.ndarray, links: Links) -> float:
    """Return the share of inter-layer links whose ends lie in different communities.

    Parameters
    ----------
    membership : ndarray of int [layer, node]
    links : tuple of ndarray
        Source, target and weight, from `network.coupling.links`.

    Returns
    -------
    float
        0 (every node keeps its community) to 1. NaN without links.

    References
    ----------
    Bassett et al., PNAS 108, 7641 (2011), doi:10.1073/pnas.1018985108: flexibility.

    Examples
    --------
    >>> from multiplex_vit.network.coupling import links
    >>> share_changed(np.array([[0, 1], [0, 0]]), links(range(2), 2, "temporal", 1.0))
    0.5
    """
    source, target, _ = links
    if not len(source):
        return np.nan
    of_node = np.ravel(membership)
    last = max(source.max(), target.max())
    if last >= len(of_node):
        given = f"membership has {len(of_node)} nodes and links reach node {last}"
        raise InputError(f"{given}; give [layer, node] of the same network")
    return float((of_node[source] != of_node[target]).mean())


def _checked(partitions: np.ndarray) -> np.ndarray:
    found = numbers("partitions", partitions)
    if found.ndim != 2 or not found.size:
        shape = f"partitions have shape {list(found.shape)}"
        raise InputError(f"{shape}; give [partition, node], at least one of both")
    return found.astype(int)


def _together(partitions: np.ndarray) -> np.ndarray:
    """Return in which share of partitions two groups are together [group, group]."""
    together = np.zeros((partitions.shape[1],) * 2)
    for partition in partitions:
        together += partition[:, None] == partition
    return together / len(partitions)


def _relied_on(together: np.ndarray, size: np.ndarray, threshold: float) -> np.ndarray:
    """Return shares of at least the threshold, and of nodes that have none the greatest."""
    with_others = together - np.eye(len(together))
    alone = (size == 1) & (with_others < threshold).all(0)
    strongest = with_others == with_others.max(0)
    held = alone & strongest
    kept = (together >= threshold) | held | held.T
    return np.where(kept, together, 0)


def _joined(weights: np.ndarray, size: np.ndarray) -> igraph.Graph:
    """Return the network of groups, each standing for so many nodes."""
    pairs = weights * np.outer(size, size)
    # Each pair within a group counts once, as a self-loop does.
    np.fill_diagonal(pairs, size * (size - 1) / 2)
    one, other = np.triu(pairs).nonzero()
    graph = igraph.Graph(n=len(size), edges=np.column_stack([one, other]))
    graph.es["weight"] = pairs[one, other].tolist()
    return graph


def _leiden(graph: igraph.Graph) -> np.ndarray:
    found = graph.community_leiden("modularity", weights="weight", n_iterations=-1)
    return np.array(found.membership)
