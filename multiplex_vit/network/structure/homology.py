"""Homology: parts and holes of a layer while its weaker edges are left out, one after the other."""

from collections.abc import Iterable
from types import ModuleType

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.checks import several
from multiplex_vit.errors import InputError
from multiplex_vit.network.structure.richness import scaled_between


@accepts(weights=matrix)
def betti_curve(
    weights: np.ndarray,
    thresholds: float | Iterable[float],
    *,
    filled: bool = False,
) -> pd.DataFrame:
    """Return how many parts and holes a layer has at each threshold.

    Two nodes are joined at threshold t where the stronger of the edges between them has at least t
    times the greatest weight between two nodes: 1 - max(w_ij, w_ji) is their distance.

    Parameters
    ----------
    weights : ndarray [source, target]
        Self-loops do not count.
    thresholds : float or iterable of float, 0 to 1
    filled : bool
        Whether three nodes that are all joined fill the hole between them (the clique complex,
        which needs gudhi: extra "topology"). Default: False, the graph itself.

    Returns
    -------
    pandas.DataFrame
        One row a threshold: threshold, b0 (parts, isolates too) and b1 (independent cycles: edges
        - nodes + b0 of the graph; those that triangles do not fill, of the clique complex).

    Raises
    ------
    InputError
        If a threshold is not within 0 and 1, or gudhi is wanted and not installed.

    References
    ----------
    Kushnareva et al., EMNLP 2021, doi:10.18653/v1/2021.emnlp-main.50 (arXiv:2109.04825).

    Examples
    --------
    >>> ring = np.roll(np.eye(4), 1, axis=1)
    >>> betti_curve(ring, [0, 1])
       threshold  b0  b1
    0        0.0   1   1
    1        1.0   1   1
    """
    levels = several("thresholds", thresholds)
    least, most = levels.min(), levels.max()
    if least < 0 or most > 1:
        raise InputError(f"thresholds hold {least:g} to {most:g}; give 0 to 1")
    strength = _strength(weights)
    parts, cycles = _of_graph(strength, levels)
    if filled:
        cycles = _holes(strength, levels)
    return pd.DataFrame({"threshold": levels, "b0": parts, "b1": cycles})


def _strength(weights: np.ndarray) -> np.ndarray:
    """Return how strongly two nodes are joined [node, node], the greatest being 1."""
    between = scaled_between(weights)
    return np.maximum(between, between.T)


def _of_graph(strength: np.ndarray, levels: np.ndarray) -> tuple[list[int], list[int]]:
    parts, cycles = [], []
    for level in levels:
        joined = (strength >= level) & (strength > 0)
        n_parts = connected_components(joined, directed=False, return_labels=False)
        # Each edge is there twice. Euler: what a spanning forest does not need closes a cycle.
        n_edges = np.count_nonzero(joined) // 2
        parts.append(int(n_parts))
        cycles.append(int(n_edges - len(joined) + n_parts))
    return parts, cycles


def _holes(strength: np.ndarray, levels: np.ndarray) -> list[int]:
    """Return the first Betti number of the clique complex at each level."""
    complex = _gudhi().SimplexTree()
    n_nodes = len(strength)
    for node in range(n_nodes):
        complex.insert([node], filtration=-2.0)
    one, other = np.triu(strength, 1).nonzero()
    # Stronger edges come first, so that a hole is there from its birth down to its death.
    for edge in zip(one.tolist(), other.tolist(), strict=True):
        complex.insert(list(edge), filtration=-strength[edge])
    complex.expansion(2)
    complex.compute_persistence()
    bars = np.reshape(complex.persistence_intervals_in_dimension(1), (-1, 2))
    born, dead = bars.T
    level = -levels[:, None]
    there = (born <= level) & (level < dead)
    return there.sum(1).tolist()


def _gudhi() -> ModuleType:
    try:
        import gudhi
    except ImportError as error:
        install = 'pip install "multiplex-vit[topology]"'
        raise InputError(f"holes of the clique complex need gudhi; {install}") from error
    return gudhi
