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
    seed = whole("seed", seed, at_least=0)
    _refuse_groups(first, second)
    rng = np.random.default_rng(seed)
    groups = _Groups(first, second)
    t = groups.t(groups.is_first)
    component, table = _components(np.abs(t) >= threshold)
    largest = []
    for _ in range(permutations):
        dealt = rng.permutation(groups.is_first)
        beyond = np.abs(groups.t(dealt)) >= threshold
        _, by_chance = _components(beyond)
        # The largest comes first.
        largest.append(by_chance["edges"].max() if len(by_chance) else 0)
    sizes = table["edges"].to_numpy()
    as_large = np.array(largest)[:, None] >= sizes
    table["p"] = (1 + as_large.sum(0)) / (1 + permutations)
    return EdgeStatistic(t, component, table)


def _refuse_groups(first: np.ndarray, second: np.ndarray) -> None:
    """Refuse groups of different nodes, or of fewer images than have a variance."""
    fewest = min(len(first), len(second))
    if first.shape[1:] != second.shape[1:] or fewest < 2:
        shapes = f"{list(first.shape)} and {list(second.shape)}"
        give = "give [image, source, target], two images or more of each"
        raise InputError(f"groups have shapes {shapes}; {give}")


class _Groups:
    """Images of two groups, with what does not change when they are dealt anew."""

    def __init__(self, first: np.ndarray, second: np.ndarray):
        values = np.concatenate([first, second]).astype(float)
        self.shape = values.shape[1:]
        # Less the mean of all, so that squares of large numbers do not swallow their difference.
        centred = values - values.mean(0)
        self.values = centred.reshape(len(values), -1)
        self.squares = (self.values**2).sum(0)
        self.is_first = np.arange(len(values)) < len(first)

    def t(self, is_first: np.ndarray) -> np.ndarray:
        """Return Student's t [source, target] of two groups of these images."""
        n_first = is_first.sum()
        n_second = len(is_first) - n_first
        mean = is_first @ self.values / n_first
        # All means are 0 together.
        other = -n_first * mean / n_second
        between = n_first * mean**2 + n_second * other**2
        within = np.clip(self.squares - between, 0, None)
        variance = within / (len(is_first) - 2)
        error = np.sqrt(variance * (1 / n_first + 1 / n_second))
        return _ratio(mean - other, error).reshape(self.shape)


def _ratio(difference: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return difference / error; infinite where there is no error but rounding."""
    size = np.abs(difference)
    certain = np.where(size > 1e-12, np.copysign(np.inf, difference), 0.0)
    varies = (error > 0) & (error > 1e-12 * size)
    return np.divide(difference, error, out=certain, where=varies)


def _components(beyond: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the component of every edge [source, target], and a table of them from the largest."""
    source, target = beyond.nonzero()
    _, part = connected_components(csr_array(beyond), directed=False)
    of_edge = part[source]
    found, edges = np.unique(of_edge, return_counts=True)
    component = np.full(beyond.shape, -1)
    rows = []
    for number, place in enumerate(np.argsort(-edges, kind="stable")):
        inside = of_edge == found[place]
        ends = source[inside], target[inside]
        component[ends] = number
        n_nodes = len(np.union1d(*ends))
        rows.append((number, int(edges[place]), n_nodes))
    return component, pd.DataFrame(rows, columns=["component", "edges", "nodes"])
