"""How far attention makes tokens alike: sinks, rank and the likeness of rows."""

from functools import lru_cache

import numpy as np
from scipy.special import entr

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.matrices import relative


@LAYER_MEASURES.register(scale="invariant", isolates="counted")
@accepts()
def sink_concentration(layer: Layer) -> float:
    """Return how much more the greatest in-strength is than the median.

    In a network of attention it is great where a token is a sink, to which most tokens attend.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 1 up. Isolates count as nodes that receive nothing. NaN where the median is 0 (below
        1e-307 of the greatest weight).

    References
    ----------
    Xiao et al., ICLR 2024, arXiv:2309.17453; Darcet et al., ICLR 2024, arXiv:2309.16588.

    Examples
    --------
    >>> sink_concentration(Layer(np.array([[0.25, 0.5, 0.25], [0, 0.75, 0.25], [0, 0.75, 0.25]])))
    2.6666666666666665
    """
    received = relative(layer.weights).sum(0)
    median = np.median(received)
    # Below the least normal number the quotient would overflow.
    if median <= np.finfo(float).tiny:
        return np.nan
    return float(received.max() / median)


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="effective_rank")
@accepts()
def effective_rank(layer: Layer) -> float:
    """Return the effective rank of W: exp(H) of its singular values as shares.

    H = -sum_k p_k ln p_k, p_k = s_k / sum_k s_k.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        1 (every token attends alike, up to strength) to the number of nodes (each to another, all
        as much). Isolates add nothing. NaN without an edge.

    References
    ----------
    Roy, Vetterli, EUSIPCO 2007, 606, doi:10.5281/zenodo.40440.

    Examples
    --------
    >>> round(effective_rank(Layer(np.eye(3))), 6), round(effective_rank(Layer(np.ones((3, 3)))), 6)
    (3.0, 1.0)
    """
    values = _singular_values(layer)
    if not values.sum():
        return np.nan
    return float(np.exp(entr(values / values.sum()).sum()))


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="singular_gap")
@accepts()
def singular_gap(layer: Layer) -> float:
    """Return the gap of the two greatest singular values of W, as a share of the greatest.

    (s_1 - s_2) / s_1. Where it is near 1 the layer maps all tokens onto one direction, and they
    become alike (rank collapse).

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 to 1. Isolates add nothing. NaN without an edge.

    References
    ----------
    Nait Saada, Naderi, Tanner, ICML 2025, arXiv:2410.07799.

    Examples
    --------
    >>> singular_gap(Layer(np.diag([1.0, 0.25])))
    0.75
    """
    values = np.append(_singular_values(layer), 0.0)
    if not values[0]:
        return np.nan
    return float((values[0] - values[1]) / values[0])


@LAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts()
def row_similarity(layer: Layer) -> float:
    """Return how alike nodes attend: the mean cosine of pairs of rows of W.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (no two nodes attend to one) to 1 (all divide their attention alike). Nodes that attend
        to nothing are left out. NaN where fewer than two attend to anything.

    References
    ----------
    Dong, Cordonnier, Loukas, ICML 2021, arXiv:2103.03404, on attention that makes tokens alike.

    Examples
    --------
    >>> round(row_similarity(Layer(np.array([[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0]]))), 4)
    0.3333
    """
    return mean_cosine(relative(layer.weights))


def mean_cosine(vectors: np.ndarray) -> float:
    """Return the mean cosine of pairs of vectors [vector, entry]; zero vectors are left out.

    Examples
    --------
    >>> mean_cosine(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
    0.0
    """
    length = np.linalg.norm(vectors, axis=1)
    units = vectors[length > 0] / length[length > 0, None]
    n = len(units)
    if n < 2:
        return np.nan
    # The square of the sum holds every pair twice, and each vector with itself.
    total = units.sum(0)
    return float((total @ total - (units**2).sum()) / (n * (n - 1)))


# A table asks for one measure of a layer after the other, so the last layer alone is kept.
@lru_cache(maxsize=1)
def _singular_values(layer: Layer) -> np.ndarray:
    """Return the singular values of a layer, the greatest first, without those of rounding."""
    values = np.linalg.svd(relative(layer.weights), compute_uv=False)
    rounding = len(values) * np.finfo(float).eps * values.max(initial=0)
    return np.where(values > rounding, values, 0)
