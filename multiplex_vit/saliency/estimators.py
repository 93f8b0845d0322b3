"""Estimators: masks and the confidences with them -> one value a node.

They weigh anew what is there, so that another one takes no forward pass. Each takes kept bool
[mask, node], confidence [mask] and the token graph [node, node] (None unless it says that it needs
one), and returns [node]; by name, one that needs the graph is given the settings' smoothness too.
Values are high where a node speaks for the class.
"""

import inspect
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import gammaln

from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, Registry, name_of
from multiplex_vit.spelling import called

Estimator = Callable[..., np.ndarray]
ESTIMATORS: Registry[Estimator] = Registry("estimator", data=3, traits={"needs": Literal["graph"]})


@ESTIMATORS.register
def coverage(
    kept: np.ndarray, confidence: np.ndarray, graph: np.ndarray | None = None
) -> np.ndarray:
    """Return the mean confidence of the masks that keep a node, as published.

    sum_m kept * conf / max(1, sum_m kept), which is 0 for a node in no mask (Marchetti et al.,
    doi:10.1007/s00521-025-11591-x; with random masks it is RISE, arXiv:1806.07421).

    Examples
    --------
    >>> kept = np.array([[True, True, False], [True, False, False]])
    >>> coverage(kept, np.array([0.75, 0.25])).tolist()
    [0.5, 0.75, 0.0]
    """
    # The published heatmaps are made in float32.
    kept = kept.astype(np.float32)
    times_kept = kept.sum(0)
    return kept.T @ confidence / np.maximum(1, times_kept)


@ESTIMATORS.register
def contrast(
    kept: np.ndarray, confidence: np.ndarray, graph: np.ndarray | None = None
) -> np.ndarray:
    """Return the mean confidence of the masks that keep a node minus that of those that remove it.

    It is 0 for a node in all masks or in none.

    Examples
    --------
    >>> kept = np.array([[True, True, False], [True, False, False]])
    >>> contrast(kept, np.array([0.75, 0.25])).tolist()
    [0.0, 0.5, 0.0]
    """
    kept = kept.astype(float)
    removed = 1 - kept
    times_kept, times_removed = kept.sum(0), removed.sum(0)
    with_node = kept.T @ confidence / np.maximum(1, times_kept)
    without_node = removed.T @ confidence / np.maximum(1, times_removed)
    # Where there is nothing to compare with, a node says nothing.
    comparable = (times_kept > 0) & (times_removed > 0)
    return np.where(comparable, with_node - without_node, 0)


@ESTIMATORS.register(needs="graph")
def graph(
    kept: np.ndarray,
    confidence: np.ndarray,
    graph: np.ndarray | None = None,
    *,
    smoothness: float = 10.0,
    shrinkage: float = 0.01,
) -> np.ndarray:
    """Return the least-squares effect of keeping a node, smooth over the token graph.

    h = (X'X + s (L + e I))^-1 X'y, with X the masks and y the confidences, both centred over masks,
    L the graph's Laplacian, s the smoothness and e the shrinkage: kernel ridge regression with the
    regularised Laplacian (Smola, Kondor, COLT 2003, doi:10.1007/978-3-540-45167-9_12). A node in
    all masks or in none gets what its neighbours in the graph say, and 0 if it has none.

    Examples
    --------
    >>> path = np.array([[0, 1.0, 0], [1.0, 0, 0], [0, 0, 0]])
    >>> kept = np.array([[True, True, False], [True, False, False]])
    >>> graph(kept, np.array([1.0, 0.0]), path, smoothness=0.1).round(3).tolist()
    [0.986, 0.996, 0.0]
    """
    if graph is None:
        raise ValueError("the graph estimator was given no token graph")
    weights = graph.astype(float)
    masks = kept - kept.mean(0)
    values = confidence - confidence.mean(dtype=float)
    # The shrinkage makes the Laplacian invertible, whatever parts the graph falls into.
    penalty = np.diag(weights.sum(1) + shrinkage) - weights
    normal = masks.T @ masks + smoothness * penalty
    return np.linalg.solve(normal, masks.T @ values)


@ESTIMATORS.register
def shapley(
    kept: np.ndarray,
    confidence: np.ndarray,
    graph: np.ndarray | None = None,
    *,
    ridge: float = 1.0,
) -> np.ndarray:
    """Return the effects that fit masks best, weighted by the Shapley kernel: KernelSHAP.

    A mask that keeps k of n nodes weighs (n - 1) / (C(n, k) k (n - k)). Weights are scaled to a
    mean of 1, an intercept is free, and where the masks do not determine the effects, `ridge` times
    the identity is added. Masks that keep nothing or everything would weigh infinitely much and are
    left out. A node in all masks or in none gets 0. (Lundberg, Lee, NeurIPS 2017,
    arXiv:1705.07874.)

    Examples
    --------
    >>> one = np.eye(3, dtype=bool)
    >>> kept = np.concatenate([one, ~one])
    >>> shapley(kept, kept @ np.array([0.5, 0.25, 0.125])).round(6).tolist()
    [0.5, 0.25, 0.125]
    """
    n_nodes, count = kept.shape[1], kept.sum(1)
    some = (count > 0) & (count < n_nodes)
    if not some.any():
        return np.zeros(n_nodes)
    kept, confidence, count = kept[some], confidence[some], count[some]
    # Of logarithms, since binomial coefficients of hundreds of nodes are beyond what floats hold.
    log_weight = gammaln(count) + gammaln(n_nodes - count)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.mean()
    masks = kept - np.average(kept, axis=0, weights=weight)
    values = confidence - np.average(confidence, weights=weight)
    normal = masks.T @ (weight[:, None] * masks)
    if np.linalg.matrix_rank(normal, hermitian=True) < n_nodes:
        normal = normal + ridge * np.eye(n_nodes)
    return np.linalg.solve(normal, masks.T @ (weight * values))


@ESTIMATORS.register
def shapley_sampled(
    kept: np.ndarray,
    confidence: np.ndarray,
    graph: np.ndarray | None = None,
    *,
    ridge: float = 1.0,
) -> np.ndarray:
    """Return the effects that fit masks drawn from the Shapley kernel best: they weigh alike.

    The masks that keep nothing and everything are the ends, and effects sum to what all tokens add
    to none. Without both ends the intercept is free, as in `shapley`, which weighs masks for an
    enumeration of all of them. Where masks do not determine the effects, `ridge` times the identity
    draws them towards equal shares. (Lundberg, Lee, NeurIPS 2017, arXiv:1705.07874.)

    Examples
    --------
    >>> kept = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0]], dtype=bool)
    >>> confidence = 0.125 + kept @ np.array([0.5, 0.25, 0.125])
    >>> shapley_sampled(kept, confidence).round(6).tolist()
    [0.5, 0.25, 0.125]
    """
    n_nodes, count = kept.shape[1], kept.sum(1)
    none, whole = count == 0, count == n_nodes
    some = ~(none | whole)
    if none.any() and whole.any():
        base = confidence[none].mean()
        share = (confidence[whole].mean() - base) / n_nodes
        # Effects are equal shares and what is left, which sums to 0; so one dimension is taken.
        masks = kept[some] - count[some, None] / n_nodes
        left = confidence[some] - base - count[some] * share
        effects = _fitted(masks, left, n_nodes - 1, ridge)
        return share + effects - effects.mean()
    if not some.any():
        return np.zeros(n_nodes)
    masks = kept[some] - kept[some].mean(0)
    values = confidence[some] - confidence[some].mean()
    return _fitted(masks, values, n_nodes, ridge)


def _fitted(masks: np.ndarray, values: np.ndarray, rank: int, ridge: float) -> np.ndarray:
    """Return least-squares effects [node], with a ridge where masks are of a lesser rank."""
    normal = masks.T @ masks
    # The identity draws the effects that no mask tells apart towards each other.
    if np.linalg.matrix_rank(normal, hermitian=True) < rank:
        normal = normal + ridge * np.eye(masks.shape[1])
    return np.linalg.lstsq(normal, masks.T @ values, rcond=None)[0]


def estimate(
    estimator: Named,
    kept: np.ndarray,
    confidence: np.ndarray,
    graph: np.ndarray | None = None,
    *,
    smoothness: float | None = None,
) -> np.ndarray:
    """Return what an estimator makes of masks and confidences, checked.

    Parameters
    ----------
    estimator : str or callable
        A member of `ESTIMATORS`, or a function in its place.
    kept : ndarray bool [mask, node]
    confidence : ndarray [mask]
    graph : ndarray [node, node], optional
        The token graph.
    smoothness : float, optional
        For estimators by name that need the graph. Default: their own.

    Returns
    -------
    ndarray float32 [node]

    Raises
    ------
    InputError
        If the estimator is unknown, needs a token graph that is not there, or gives anything but a
        finite value a node.
    """
    function = ESTIMATORS.resolve(estimator)
    name = name_of(estimator)
    needs_graph = ESTIMATORS.trait(estimator, "needs") == "graph"
    if needs_graph and graph is None:
        what = f"estimator {name} needs the token graph, which was not kept"
        raise InputError(f"{what}; explain with estimator='graph' to keep it")
    options = {}
    takes_smoothness = needs_graph and ESTIMATORS.takes(estimator, "smoothness")
    # A function, or a partial of one, has a smoothness of its own.
    if isinstance(estimator, str) and takes_smoothness and smoothness is not None:
        options["smoothness"] = smoothness
    result = function(kept, confidence, graph, **options)
    values = np.asarray(result, dtype=np.float32)
    if values.shape != kept.shape[1:] or not np.isfinite(values).all():
        given, wanted = list(values.shape), kept.shape[1]
        what = f"estimator {name} returned shape {given}"
        raise InputError(f"{what}; finite values [{wanted}] were wanted")
    return values


def standardised(values: np.ndarray) -> np.ndarray:
    """Return values less their mean, in standard deviations; zeros where all are the same.

    Examples
    --------
    >>> standardised(np.array([1.0, 3.0])).tolist(), standardised(np.array([2.0, 2.0])).tolist()
    ([-1.0, 1.0], [0.0, 0.0])
    """
    # Confidences that differ in their last digits alone would lose them in float32.
    spread = values.std(dtype=float)
    if not spread > 0:
        return np.zeros(values.shape)
    return (values - values.mean(dtype=float)) / spread


def read_only(values: np.ndarray) -> np.ndarray:
    """Return a heatmap as float32 that cannot be changed by accident."""
    heatmap = np.asarray(values, dtype=np.float32)
    heatmap.flags.writeable = False
    return heatmap


def written(estimator: Named) -> str:
    """Return the text by which a file names an estimator, so that the text gives the same heatmap.

    A name takes the smoothness of the settings, where a function in its place has its own; so the
    function's is written with it.

    Examples
    --------
    >>> written("graph"), written(graph)
    ('graph', 'graph(smoothness=10.0)')
    """
    needs_graph = ESTIMATORS.trait(estimator, "needs") == "graph"
    takes_smoothness = needs_graph and ESTIMATORS.takes(estimator, "smoothness")
    if isinstance(estimator, str) or not takes_smoothness:
        return ESTIMATORS.written(estimator)
    parameters = inspect.signature(estimator).parameters
    options = ESTIMATORS.options(estimator)
    options["smoothness"] = parameters["smoothness"].default
    return called(ESTIMATORS.own_name(estimator), options)
