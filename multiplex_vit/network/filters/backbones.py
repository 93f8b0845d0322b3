"""Filters that keep a backbone: edges that stand out from chance, or that hold a layer together."""

from itertools import pairwise

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse.csgraph import connected_components

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import not_negative, positive, share
from multiplex_vit.network.filters.registry import FILTERS
from multiplex_vit.network.matrices import linked_nodes

_SOURCES, _TARGETS = 1, 2
"""Axes of weights [layer, source, target]."""

_ROUNDING = 1e-12
"""Scores that are nearer to each other are equal."""


@FILTERS.register(scale="linear", isolates="kept", transposed="disparity")
@accepts(weights=stack)
def disparity(weights: np.ndarray, alpha: float) -> np.ndarray:
    """Keep the edges of the disparity filter: those that stand out from chance.

    They carry significantly more of a node's strength than chance would give them.

    An edge of weight w has the share p = w / s of its source's out-strength s. Were s cut at
    random into as many pieces as the node has edges, k, a piece would be at least as large with
    probability (1 - p)^(k - 1). The edge stays where this is less than `alpha` for the
    out-strength and out-degree of its source, or the in-strength and in-degree of its target.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    alpha : float, 0 to 1
        The level of significance: 0 keeps nothing; the greater, the more stays.

    Returns
    -------
    ndarray [layer, source, target]
        The only edge of a node is never significant for that node, as in the paper: it stays if
        it is for the node at its other end. So an edge that is its source's only one and its
        target's only one goes, at any alpha. A self-loop is an edge like others, in degrees and
        strengths too, since a token divides its attention between itself and others. Nodes may
        end as isolates.

    Raises
    ------
    InputError
        If `alpha` is not within 0 and 1, or weights are no stack of square matrices.

    References
    ----------
    Serrano, Boguna, Vespignani, PNAS 106, 6483 (2009), doi:10.1073/pnas.0808904106.

    Examples
    --------
    >>> weights = np.zeros((1, 4, 4))
    >>> weights[0, 0] = [0.0, 0.8, 0.1, 0.1]
    >>> disparity(weights, 0.05)[0, 0].tolist()
    [0.0, 0.8, 0.0, 0.0]
    """
    level = share("alpha", alpha)
    # At a level of 0 nothing is significant: the logarithm is -infinity.
    with np.errstate(divide="ignore"):
        cut = np.log(level)
    # An edge stays if it is significant for either of its ends.
    for_source = _log_significance(weights, _TARGETS) < cut
    for_target = _log_significance(weights, _SOURCES) < cut
    return np.where(for_source | for_target, weights, 0)


@FILTERS.register(scale="linear", isolates="kept", transposed="noise_corrected")
@accepts(weights=stack)
def noise_corrected(weights: np.ndarray, delta: float) -> np.ndarray:
    """Keep the noise-corrected backbone: edges heavier than the strengths of both ends explain.

    With n_ij the weight of an edge, n_i. the out-strength of its source, n_.j the in-strength of
    its target and n.. the sum of all, the lift k n_ij with k = n.. / (n_i. n_.j) is 1 where
    strengths alone explain the edge. The edge stays where its score L = (k n_ij - 1) / (k n_ij +
    1) exceeds `delta` standard deviations of L. These follow by the delta method from the
    variance of n_ij = n.. P_ij, with P_ij binomial and its prior a beta distribution of the mean
    and variance that the strengths give.

    Unlike `disparity` it looks at both ends at once, and a sink whose strength explains what it
    receives keeps no edge for that. The paper's weights are counts, and attention has no unit:
    the mean weight of an edge of the layer is taken as one count.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    delta : float, from 0 up
        Standard deviations: 1.28, 1.64 and 2.32 stand for p-values of about 0.1, 0.05 and 0.01.

    Returns
    -------
    ndarray [layer, source, target]
        A self-loop is an edge like others. Nodes may end as isolates. A layer of a single edge
        keeps none: its strengths explain it.

    Raises
    ------
    InputError
        If `delta` is negative or no number, or weights are no stack of square matrices.

    References
    ----------
    Coscia, Neffke, IEEE ICDE 2017, 425, doi:10.1109/ICDE.2017.100.

    Examples
    --------
    >>> weights = np.array([[[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4]]])
    >>> noise_corrected(weights, 1.64)[0].tolist()
    [[0.8, 0.0, 0.0], [0.0, 0.4, 0.0], [0.0, 0.0, 0.4]]
    """
    delta = not_negative("delta", delta)
    kept = np.zeros_like(weights)
    for layer, matrix in enumerate(weights):
        edge = matrix.nonzero()
        if len(edge[0]) > 1:
            score, deviation = _lift(matrix.astype(float))
            # Edges that strengths explain exactly have a score of 0, but for rounding.
            stays = score > delta * deviation + _ROUNDING
            kept[layer][edge] = np.where(stays, matrix[edge], 0)
    return kept


def _lift(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of every edge of a layer and its standard deviation."""
    edge = matrix.nonzero()
    # One count is the mean weight, so all counts together are as many as there are edges.
    counts = matrix / matrix.max()
    counts *= len(edge[0]) / counts.sum()
    total = counts.sum()
    sources, targets = edge
    out = counts.sum(1)[sources]
    into = counts.sum(0)[targets]
    count = counts[edge]
    # Mean and variance that the strengths alone would give.
    expected = out * into / total**2
    prior = out * into * (total - out) * (total - into) / (total**4 * (total - 1))
    # A strength that is all there is leaves no doubt: its prior is a point.
    certain = np.full(prior.shape, np.inf)
    ratio = np.divide(
        expected * (1 - expected),
        prior,
        out=certain,
        where=prior > 0,
    )
    concentration = ratio - 1
    # The mean of a beta distribution after the counts were seen.
    seen = 1 / (1 + concentration / total)
    share = expected + seen * (count / total - expected)
    lift = total / (out * into)
    # Strengths hold the count itself, so that the lift changes with it.
    slope = 1 / (out * into) - total * (out + into) / (out * into) ** 2
    change = 2 * (lift + count * slope) / (lift * count + 1) ** 2
    # The delta method: a deviation times the slope of the score.
    spread = np.sqrt(total * share * (1 - share))
    deviation = spread * np.abs(change)
    score = (lift * count - 1) / (lift * count + 1)
    return score, deviation


@FILTERS.register(scale="linear", isolates="kept", transposed="spanning_tree_plus")
@accepts(weights=stack)
def spanning_tree_plus(weights: np.ndarray, degree: float) -> np.ndarray:
    """Keep a maximum spanning tree, which holds a layer together, and then its strongest edges.

    The tree is that of the undirected layer max(w_ij, w_ji), of which the stronger direction
    stays (both where they are equal). Edges of the layer are added, the strongest first, until
    there are `degree` for every node that has one. So no part falls off, as it does under a
    threshold, and strong edges stay.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    degree : float, above 0
        Edges a node, on average.

    Returns
    -------
    ndarray [layer, source, target]
        Where weights tie, the edges of all maximum spanning trees stay, and all edges as strong
        as the last that is added. There may be more edges than wanted for either reason, and
        because of the tree itself. A self-loop is never part of the tree, but an edge like others
        beyond it. A layer in several parts keeps a tree of each.

    Raises
    ------
    InputError
        If `degree` is no number above 0, or weights are no stack of square matrices.

    References
    ----------
    Hagmann et al., PLoS Biology 6, e159 (2008), doi:10.1371/journal.pbio.0060159.

    Examples
    --------
    >>> weights = np.array([[[0, 0.9, 0.8], [0.7, 0, 0], [0, 0.1, 0]]])
    >>> spanning_tree_plus(weights, 0.5).tolist()
    [[[0.0, 0.9, 0.8], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    >>> spanning_tree_plus(weights, 1).tolist()
    [[[0.0, 0.9, 0.8], [0.7, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    """
    degree = positive("degree", degree)
    kept = np.zeros_like(weights)
    for layer, matrix in enumerate(weights):
        stays = _spanning(matrix) | _strongest(matrix, degree)
        kept[layer] = np.where(stays, matrix, 0)
    return kept


def _spanning(matrix: np.ndarray) -> np.ndarray:
    """Return bool [source, target]: the edges of all maximum spanning trees."""
    both = np.maximum(matrix, matrix.T)
    one, other = np.triu(both, 1).nonzero()
    strength = both[one, other]
    order = np.argsort(-strength, kind="stable")
    strength = strength[order]
    ends = list(zip(one[order].tolist(), other[order].tolist(), strict=True))
    n_parts = connected_components(
        both > 0,
        directed=False,
        return_labels=False,
    )
    joined = DisjointSet(range(len(matrix)))
    in_tree = np.zeros(matrix.shape, dtype=bool)
    # Edges of one weight are looked at together, so that ties do not depend on numbers of nodes.
    falls = np.diff(strength, prepend=np.inf)
    starts = np.flatnonzero(falls).tolist()
    for start, end in pairwise([*starts, len(ends)]):
        pairs = ends[start:end]
        # All are asked for before the first joins two parts.
        apart = [pair for pair in pairs if not joined.connected(*pair)]
        for pair in apart:
            in_tree[pair] = True
            joined.merge(*pair)
        # What is left could only close cycles.
        if joined.n_subsets == n_parts:
            break
    in_tree |= in_tree.T
    return in_tree & (matrix > 0) & (matrix == both)


def _strongest(matrix: np.ndarray, degree: float) -> np.ndarray:
    """Return bool [source, target]: the strongest edges, so many for every node that has one."""
    n_linked = len(linked_nodes(matrix))
    n_edges = min(round(degree * n_linked), matrix.size)
    if not n_edges:
        return np.zeros(matrix.shape, dtype=bool)
    parted = np.partition(matrix, -n_edges, axis=None)
    threshold = parted[-n_edges]
    # The threshold is 0 where a layer has fewer edges than wanted.
    return (matrix >= threshold) & (matrix > 0)


def _log_significance(weights: np.ndarray, ends: int) -> np.ndarray:
    """Return (k - 1) ln(1 - p) of every edge, and 0 where there is none.

    k and p belong to the node whose edges lie along the axis `ends`. It is a logarithm, since
    1 - p is 1 for p below 1e-16.
    """
    degree = np.count_nonzero(weights, axis=ends, keepdims=True)
    strength = weights.sum(ends, dtype=float, keepdims=True)
    part = np.divide(
        weights,
        strength,
        out=np.zeros(weights.shape),
        where=strength > 0,
    )
    # A node's only edge has a share of 1, and so -infinity here.
    with np.errstate(divide="ignore"):
        logarithm = np.log1p(-part)
    # Left out below, as 0 times infinity would be NaN.
    return np.multiply(
        degree - 1,
        logarithm,
        out=np.zeros(weights.shape),
        where=degree > 1,
    )
