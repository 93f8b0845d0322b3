"""Shortest paths: distances, and how often a node lies between others.

Betweenness counts ties, so it must know which paths are equally long. Sums of doubles do not
tell: 1/3 + 1/6 is 1/2 on paper and may not be in a computer, and a length of 1e-16 is lost beside
one of 1. Here two paths are equally long if rounding alone could make them differ, and lengths are
taken to more digits where doubles have too few. No result depends on the unit of the weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from multiplex_vit.errors import InputError

_SHORTEST, _LONGEST = 2.0**-52, 1e300
"""Lengths of an edge of weight 1 as a logarithm, and of the weakest edges."""

_NEAR, _EQUAL = 2**40, 2**42
"""Paths that differ by less than this part of them may be, and are, equally long."""

_PART = 2**20
"""Paths are never equally long where they differ by more than this part of the shortest edge."""

_DIGITS = 60
"""Decimal digits of lengths for which doubles are too coarse."""

AT_ONCE = 2**22
"""Pairs of a source and an edge that are looked at together, to bound the memory."""


def lengths_of(weights: np.ndarray, length: str = "inverse") -> np.ndarray:
    """Return the lengths of edges: attention is a strength, so more of it is nearer.

    Parameters
    ----------
    weights : ndarray [edge]
        Above 0.
    length : "inverse" or "log"
        See `Layer.lengths`.

    Returns
    -------
    ndarray [edge]
        Finite and above 0.

    Raises
    ------
    InputError
        If the length is unknown, or "log" meets a weight above 1.

    Examples
    --------
    >>> lengths_of(np.array([0.5, 0.25])).tolist()
    [2.0, 4.0]
    """
    if length == "inverse":
        with np.errstate(over="ignore"):
            return np.minimum(1 / weights, _LONGEST)
    if length != "log":
        raise InputError(f"unknown length {length!r}; known: inverse, log")
    greatest = weights.max(initial=0)
    if greatest > 1:
        here = f"this layer has {greatest:.4g}; pool heads by mean, or use 'inverse'"
        raise InputError(f"length 'log' needs weights of at most 1, {here}")
    return np.maximum(-np.log(weights), _SHORTEST)


@dataclass(frozen=True, eq=False)
class Paths:
    """The shortest paths of a layer.

    Parameters
    ----------
    weights : ndarray [source, target]
        0 is no edge; self-loops are on no shortest path.
    length : "inverse" or "log"
        See `Layer.lengths`.

    Examples
    --------
    >>> paths = Paths(np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))
    >>> paths.distances.tolist()
    [[0.0, 2.0, 6.0], [inf, 0.0, 4.0], [inf, inf, 0.0]]
    >>> paths.betweenness().tolist()
    [0.0, 1.0, 0.0]
    """

    weights: np.ndarray
    length: str = "inverse"

    @cached_property
    def distances(self) -> np.ndarray:
        """Lengths [source, target] of the shortest paths; infinity where there is none."""
        with np.errstate(over="ignore"):
            unscaled = np.ldexp(self._reach, -self._exponent)
        connected = np.isfinite(self._reach)
        return np.where(connected, np.minimum(unscaled, _LONGEST), np.inf)

    def betweenness(self) -> np.ndarray:
        """Return how many shortest paths pass each node.

        Of k equally long ones each counts 1 / k.
        """
        n_nodes = len(self.weights)
        passed = np.zeros(n_nodes)
        # Some sources at a time, since each is held against every edge.
        rows = max(1, AT_ONCE // max(1, len(self._edges)))
        for first in range(0, n_nodes, rows):
            sources = np.arange(first, min(first + rows, n_nodes))
            start, end = self._tight(sources)
            passed += _passed(start, end, sources, n_nodes)
        return passed

    @cached_property
    def _exponent(self) -> int:
        """The power of two by which weights are divided.

        No digit is lost, and nothing overflows.
        """
        if self.length != "inverse":
            return 0
        return int(np.frexp(self.weights.max(initial=0))[1])

    @cached_property
    def _scaled(self) -> np.ndarray:
        """Weights [source, target] without self-loops."""
        is_loop = np.eye(len(self.weights), dtype=bool)
        between = np.asarray(self.weights, dtype=float) * ~is_loop
        return np.ldexp(between, -self._exponent)

    @cached_property
    def _reach(self) -> np.ndarray:
        """`distances` of the scaled weights."""
        source, target = self._scaled.nonzero()
        lengths = lengths_of(self._scaled[source, target], self.length)
        graph = sparse.csr_array((lengths, (source, target)), shape=self._scaled.shape)
        return csgraph.dijkstra(graph)

    @cached_property
    def _edges(self) -> np.ndarray:
        """Source and target [edge, 2] of edges that are a shortest path, ordered by target."""
        target, source = self._scaled.T.nonzero()
        lengths = lengths_of(self._scaled[source, target], self.length)
        longest = self._reach[source, target] * (1 + 1 / _NEAR)
        short = lengths <= longest
        return np.column_stack([source[short], target[short]])

    @cached_property
    def _edge_weights(self) -> np.ndarray:
        source, target = self._edges.T
        return self._scaled[source, target]

    @cached_property
    def _rulers(self) -> list[np.ndarray]:
        """Lengths [edge] that tell near ties apart, one after the other; none where doubles do."""
        lengths = lengths_of(self._edge_weights, self.length)
        if self._fine(lengths):
            return []
        # Edges of weight 1 have no length as logarithms; of equally long paths those with the
        # fewest of them are the shortest.
        no_length = (self._edge_weights == 1) & (self.length == "log")
        ruler = np.where(no_length, 0, lengths)
        if not self._fine(ruler):
            ruler = _exact(self._edge_weights, self.length)
        if no_length.any():
            return [ruler, no_length.astype(int)]
        return [ruler]

    def _fine(self, lengths: np.ndarray) -> bool:
        """Return whether the rounding of the longest path is far below the shortest edge."""
        if not lengths.any():
            return True
        longest = self._reach.max(initial=0, where=np.isfinite(self._reach))
        return bool(longest <= _PART * lengths[lengths > 0].min())

    def _tight(self, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the edges on shortest paths from some sources, as ends: row * nodes + node."""
        n_nodes = len(self.weights)
        reach = self._reach[sources]
        before = reach[:, self._edges[:, 0]]
        after = reach[:, self._edges[:, 1]]
        lengths = lengths_of(self._edge_weights, self.length)
        share = _NEAR if self._rulers else _EQUAL
        # Nodes that are not reached give infinity less infinity, which is no tight edge.
        with np.errstate(invalid="ignore"):
            row, edge = np.nonzero(before + lengths - after <= after / share)
        start = row * n_nodes + self._edges[edge, 0]
        end = row * n_nodes + self._edges[edge, 1]
        origins = np.arange(len(sources)) * n_nodes + sources
        for ruler in self._rulers:
            kept = _shortest(start, end, ruler[edge], origins)
            start, end, edge = start[kept], end[kept], edge[kept]
        return start, end


def _exact(weights: np.ndarray, length: str) -> np.ndarray:
    """Return lengths as whole numbers, as many digits as it takes to tell sums of them apart."""
    exact = []
    if length == "inverse":
        greatest = Fraction(float(weights.max())) * 10**_DIGITS
        for weight in weights.tolist():
            exact.append(int(greatest / Fraction(weight)))
        return np.array(exact, dtype=object)
    with localcontext() as context:
        context.prec = 2 * _DIGITS
        unit = Decimal(10) ** _DIGITS
        for weight in weights.tolist():
            exact.append(int(-Decimal(weight).ln() * unit))
    return np.array(exact, dtype=object)


def _shortest(
    start: np.ndarray,
    end: np.ndarray,
    lengths: np.ndarray,
    origins: np.ndarray,
) -> np.ndarray:
    """Return which edges, ordered by end, lie on shortest paths from origins, measured anew."""
    n_places = max(end.max(initial=0), origins.max(initial=0)) + 1
    reach = np.full(n_places, -1, dtype=lengths.dtype)
    reach[origins] = 0
    changed = np.zeros(n_places, dtype=bool)
    changed[origins] = True
    while changed.any():
        edges = np.flatnonzero(changed[start])
        changed[:] = False
        if not len(edges):
            break
        # Edges are ordered by end, so those of one node lie side by side.
        first = np.flatnonzero(np.diff(end[edges], prepend=-1))
        nodes = end[edges][first]
        offers = reach[start[edges]] + lengths[edges]
        best = np.minimum.reduceat(offers, first)
        better = ((reach[nodes] < 0) | (best < reach[nodes])).astype(bool)
        reach[nodes[better]] = best[better]
        changed[nodes[better]] = True
    gap = reach[start] + lengths - reach[end]
    return (gap <= _tolerance(reach[end], lengths)).astype(bool)


def _tolerance(reach: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return up to which difference two paths are equally long; 0 for numbers of edges."""
    if lengths.dtype == int:
        return np.zeros_like(reach)
    above = [length for length in lengths.tolist() if length > 0]
    least = min(above, default=0)
    # Exact lengths are whole numbers of any size, which true division would round.
    if lengths.dtype == object:
        return np.minimum(reach // _EQUAL, least // _PART)
    return np.minimum(reach / _EQUAL, least / _PART)


def _passed(start: np.ndarray, end: np.ndarray, sources: np.ndarray, n_nodes: int) -> np.ndarray:
    """Return the summed dependencies of some sources on every node (Brandes)."""
    size = len(sources) * n_nodes
    origins = np.arange(len(sources)) * n_nodes + sources
    # Forwards: how many shortest paths lead to each node.
    count = np.zeros(size)
    count[origins] = 1
    for wave in _waves(start, end, np.ones(len(start)), count):
        count = count + wave
    # Backwards: what each node hands to those before it.
    share = count[start] / count[end]
    dependencies = np.zeros(size)
    for wave in _waves(end, start, share, np.ones(size)):
        dependencies += wave
    dependencies[origins] = 0
    return dependencies.reshape(len(sources), n_nodes).sum(0)


def _waves(
    start: np.ndarray,
    end: np.ndarray,
    share: np.ndarray,
    wave: np.ndarray,
) -> Iterator[np.ndarray]:
    """Yield what arrives at every node after one step, two steps, ... until nothing does."""
    while True:
        edges = np.flatnonzero(wave[start])
        if not len(edges):
            return
        arriving = share[edges] * wave[start[edges]]
        wave = np.bincount(end[edges], arriving, minlength=len(wave))
        yield wave
