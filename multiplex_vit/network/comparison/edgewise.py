"""Edge by edge: which parts of a layer's network differ between two groups of images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from multiplex_vit.accepts import accepts, signed_stack
from multiplex_vit.checks import positive, whole
from multiplex_vit.errors import InputError


@dataclass(frozen=True, eq=False)
class EdgeStatistic:
    """Where two groups of networks differ.

    Parameters
    ----------
    t : ndarray [source, target]
        Student's t of every edge, above 0 where the first group has more; 0 where no image has the
        edge.
    component : ndarray of int [source, target]
        The number of the component to which an edge beyond the threshold belongs, from the
        largest, 0; -1 for other edges.
    table : DataFrame
        One row a component: component, edges, nodes, p.
    """

    t: np.ndarray
    component: np.ndarray
    table: pd.DataFrame


@accepts(first=signed_stack, second=signed_stack)
def network_based_statistic(
    first: np.ndarray,
    second: np.ndarray,
    *,
    threshold: float = 3.0,
    permutations: int = 999,
    seed: int = 0,
) -> EdgeStatistic:
    """Return the connected parts of a layer in which two groups of images differ.

    Every edge has Student's t of the groups. Edges with |t| of at least the threshold form
    components, whatever their direction; a component has a p-value by its number of edges: how
    often the largest component has as many where images are dealt to the groups anew. So the
    thousands of edges are no thousands of tests; what is told is that a part differs, not which of
    its edges does.

    Parameters
    ----------
    first, second : ndarray [image, source, target]
        One layer of each image's network, as `Networks.weights` returns it; at least two images.
    threshold : float, above 0
        Of |t|. Default: 3.
    permutations : int
        From 1 up. Default: 999.
    seed : int
        Default: 0.

    Returns
    -------
    EdgeStatistic
        p = (1 + permutations with as large a component) / (1 + permutations).

    Raises
    ------
    InputError
        If the groups have different numbers of nodes, or one has fewer than two images.

    References
    ----------
    Zalesky, Fornito, Bullmore, NeuroImage 53, 1197 (2010), doi:10.1016/j.neuroimage.2010.06.041.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.random((10, 4, 4)), rng.random((10, 4, 4))
    >>> first[:, [0, 1], [1, 2]] += 2
    >>> network_based_statistic(first, second, permutations=99).table
       component  edges  nodes     p
    0          0      2      3  0.02
    """
    threshold = positive("threshold", threshold)
    permutations = whole("permutations", permutations, at_least=1)
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    if first.shape[1:] != second.shape[1:] or min(len(first), len(second)) < 2:
        shapes = f"{list(first.shape)} and {list(second.shape)}"
        problem = f"groups have shapes {shapes}"
        raise InputError(f"{problem}; give [image, source, target], two images or more of each")
    groups = _Groups(first, second)
    t = groups.t(groups.is_first)
    component, table = _components(np.abs(t) >= threshold)
    largest = []
    for _ in range(permutations):
        dealt = np.abs(groups.t(rng.permutation(groups.is_first))) >= threshold
        sizes = _components(dealt)[1]["edges"]
        largest.append(sizes.max() if len(sizes) else 0)
    as_large = np.array(largest)[:, None] >= table["edges"].to_numpy()
    table["p"] = (1 + as_large.sum(0)) / (1 + permutations)
    return EdgeStatistic(t, component, table)


class _Groups:
    """Images of two groups, with what does not change when they are dealt anew."""

    def __init__(self, first: np.ndarray, second: np.ndarray):
        values = np.concatenate([first, second]).astype(float)
        self.shape = values.shape[1:]
        # Less the mean of all, so that squares of large numbers do not swallow their difference.
        self.values = (values - values.mean(0)).reshape(len(values), -1)
        self.squares = (self.values**2).sum(0)
        self.is_first = np.arange(len(values)) < len(first)

    def t(self, is_first: np.ndarray) -> np.ndarray:
        """Return Student's t [source, target] of two groups of these images."""
        n_first, n_second = is_first.sum(), (~is_first).sum()
        mean = is_first @ self.values / n_first
        other = -n_first * mean / n_second
        within = self.squares - n_first * mean**2 - n_second * other**2
        freedom = n_first + n_second - 2
        error = np.sqrt(np.clip(within, 0, None) / freedom * (1 / n_first + 1 / n_second))
        # What does not vary within groups differs beyond all measure, or not at all.
        certain = np.where(np.abs(mean) > 1e-12, np.copysign(np.inf, mean), 0.0)
        varies = error > 1e-12 * np.abs(mean - other)
        t = np.divide(mean - other, error, out=certain, where=varies & (error > 0))
        return t.reshape(self.shape)


def _components(beyond: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the component of every edge [source, target], and a table of them from the largest."""
    source, target = beyond.nonzero()
    _, part = connected_components(csr_array(beyond), directed=False)
    found, edges = np.unique(part[source], return_counts=True)
    order = np.argsort(-edges, kind="stable")
    component = np.full(beyond.shape, -1)
    rows = []
    for number, place in enumerate(order):
        inside = part[source] == found[place]
        component[source[inside], target[inside]] = number
        ends = np.union1d(source[inside], target[inside])
        rows.append((number, int(edges[place]), len(ends)))
    return component, pd.DataFrame(rows, columns=["component", "edges", "nodes"])
