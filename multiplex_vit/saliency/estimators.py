"""Estimators: masks and the confidences with them -> one value a node.

They weigh anew what is there, so that another one takes no forward pass. Each takes kept bool
[mask, node], confidence [mask] and the token graph [node, node] (None unless it says that it needs
one), and returns [node]; by name, one that needs the graph is given the settings' smoothness too,
and a prior [node] if it has an option of that name.
Values are high where a node speaks for the class.
"""

import inspect
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy.special import gammaln

from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, Registry, name_of
from multiplex_vit.spelling import called

Estimator = Callable[..., np.ndarray]
ESTIMATORS: Registry[Estimator] = Registry("estimator", data=3, traits={"needs": Literal["graph"]})

_TRUSTED = 0.5
"""A prior counts in full from this correlation with what masks say on; a good one has about .7."""

_ERRORS = 2.0
"""By so many standard errors the correlation may be more than masks show, since few show little."""


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
    prior: np.ndarray | None = None,
    prior_weight: float = 1.0,
) -> np.ndarray:
    """Return the least-squares effect of keeping a node, smooth over the token graph.

    h = p + (X'VX + s (L + e I) + w d I)^-1 X'V (y - X p), with X the masks and y the confidences,
    both centred over masks, L the graph's Laplacian, s the smoothness, e the shrinkage, p the prior
    and w its weight: kernel ridge regression with the regularised Laplacian (Smola, Kondor, COLT
    2003, doi:10.1007/978-3-540-45167-9_12), of what the prior does not tell. V weighs masks that
    keep k of n nodes by 1 / (k (n - k)), as the effects of many nodes vary more than those of few;
    d is the mean of the eigenvalues of X'VX that are not 0 by the number of masks. The prior [node]
    is scaled so that X p varies as y does; where they correlate by less than a half, two standard
    errors added, p and w are multiplied by twice that, and left out where it is below 0. A node in
    all masks or in none gets the prior and what its neighbours in the graph say, and 0 if it has
    neither.

    Examples
    --------
    >>> path = np.array([[0, 1.0, 0], [1.0, 0, 0], [0, 0, 0]])
    >>> kept = np.array([[True, True, False], [True, False, False]])
    >>> graph(kept, np.array([1.0, 0.0]), path, smoothness=0.1).round(3).tolist()
    [0.986, 0.996, 0.0]
    >>> graph(kept, np.array([1.0, 0.0]), path, prior=np.array([0, 3.0, 6.0])).round(3).tolist()
    [0.0, 1.0, 2.0]
    """
    if graph is None:
        raise ValueError("the graph estimator was given no token graph")
    links = graph.astype(float)
    weight = _weight_of_size(kept)
    masks = kept - np.average(kept, axis=0, weights=weight)
    values = confidence - np.average(confidence, weights=weight)
    weighted = weight[:, None] * masks
    normal = weighted.T @ masks
    n_told = max(1, min(len(masks) - 1, len(normal)))
    told = np.trace(normal) / n_told
    # The shrinkage makes the Laplacian invertible, whatever parts the graph falls into.
    normal += smoothness * (np.diag(links.sum(1) + shrinkage) - links)
    if prior is None:
        return np.linalg.solve(normal, weighted.T @ values)
    expected, trust = _expected_of(values, masks, weight, prior)
    normal += trust * prior_weight * told * np.eye(len(normal))
    not_expected = values - masks @ expected
    return expected + np.linalg.solve(normal, weighted.T @ not_expected)


def _weight_of_size(kept: np.ndarray) -> np.ndarray:
    """Return weights [mask] by how many nodes masks keep, with a mean of 1."""
    n_nodes, count = kept.shape[1], kept.sum(1)
    # The variance of the sum of so many effects; nothing and everything count as one node.
    variance = np.maximum(count * (n_nodes - count), max(1, n_nodes - 1))
    weight: np.ndarray = 1 / variance
    return weight / weight.mean()


def _expected_of(
    values: np.ndarray, masks: np.ndarray, weight: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return what a prior makes expect of nodes [node], in the unit of values, and its trust.

    What it tells of masks then varies as their values do, times the trust: 1, or less where the two
    can hardly correlate, down to 0 where they contradict each other.
    """
    if prior.shape != masks.shape[1:]:
        given, wanted = list(prior.shape), masks.shape[1]
        raise InputError(f"the prior has shape {given}; give a value for each of {wanted} nodes")
    prior = prior.astype(float)
    told = masks @ prior
    told_spread = np.sqrt(weight @ told**2)
    spread = np.sqrt(weight @ values**2)
    # A prior that tells no masks apart has no unit, and masks that are all alike have none.
    if not (told_spread > 0 and spread > 0):
        return np.zeros(len(prior)), 0.0
    correlation = weight @ (told * values) / (told_spread * spread)
    error = 1 / np.sqrt(max(1, len(values) - 1))
    trust = float(np.clip((correlation + _ERRORS * error) / _TRUSTED, 0, 1))
    return prior * (trust * spread / told_spread), trust


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
    **options: Any,
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
    **options
        Of those that the settings have ("smoothness", "prior_weight"), and "prior" [node], the
        ones that are not None; an estimator is given those that it takes.

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
    taken = _taken(estimator, options) if needs_graph else {}
    result = function(kept, confidence, graph, **taken)
    values = np.asarray(result, dtype=np.float32)
    if values.shape != kept.shape[1:] or not np.isfinite(values).all():
        given, wanted = list(values.shape), kept.shape[1]
        what = f"estimator {name} returned shape {given}"
        raise InputError(f"{what}; finite values [{wanted}] were wanted")
    return values


def _taken(estimator: Named, options: dict[str, Any]) -> dict[str, Any]:
    """Return those of the options that an estimator takes."""
    taken = {}
    for name, value in options.items():
        # A function, or a partial of one, has a smoothness of its own.
        is_own = name == "smoothness" and not isinstance(estimator, str)
        if value is not None and not is_own and ESTIMATORS.takes(estimator, name):
            taken[name] = value
    return taken


def takes_prior(estimator: Named) -> bool:
    """Tell whether an estimator starts from a prior where there is one.

    Examples
    --------
    >>> takes_prior("graph"), takes_prior("coverage")
    (True, False)
    """
    needs_graph = ESTIMATORS.trait(estimator, "needs") == "graph"
    return needs_graph and ESTIMATORS.takes(estimator, "prior")


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
