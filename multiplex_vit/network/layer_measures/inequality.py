"""How unequally edges and attention are spread over nodes.

Gini's coefficient of degrees and strengths.

G = sum_ij |x_i - x_j| / (2 n sum_i x_i), over all n nodes (Gini 1912; Damgaard, Weiner, Ecology
81, 1139 (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2).
"""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="out_degree_gini")
@accepts()
def in_degree_gini(layer: Layer) -> float:
    """Return Gini's coefficient of in-degrees; self-loops count.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (every node is attended to by as many) to 1 - 1 / nodes (all edges go to one node).
        Isolates count as nodes of degree 0. NaN without an edge.

    References
    ----------
    Damgaard, Weiner, Ecology 81, 1139 (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2.

    Examples
    --------
    >>> in_degree_gini(Layer(np.array([[0, 0.5], [0, 0.5]])))
    0.5
    """
    # Axis 0 runs over sources, so that this counts the edges that arrive.
    return _gini(np.count_nonzero(layer.weights, axis=0))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="in_degree_gini")
@accepts()
def out_degree_gini(layer: Layer) -> float:
    """Return Gini's coefficient of out-degrees; self-loops count.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (every node attends to as many) to 1 - 1 / nodes (all edges come from one node).
        Isolates count as nodes of degree 0. NaN without an edge.

    References
    ----------
    Damgaard, Weiner, Ecology 81, 1139 (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2.

    Examples
    --------
    >>> out_degree_gini(Layer(np.array([[0, 0.5], [0, 0.5]])))
    0.0
    """
    return _gini(np.count_nonzero(layer.weights, axis=1))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="out_strength_gini")
@accepts()
def in_strength_gini(layer: Layer) -> float:
    """Return Gini's coefficient of in-strengths, the attention received; self-loops count.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (every node receives as much) to 1 - 1 / nodes (one node receives all). Isolates count
        as nodes of strength 0 (or of their self-loop). NaN without an edge.

    References
    ----------
    Damgaard, Weiner, Ecology 81, 1139 (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2.

    Examples
    --------
    >>> round(in_strength_gini(Layer(np.array([[0.25, 0.5], [0, 0.25]]))), 4)
    0.25
    """
    # Axis 0 runs over sources, so that this adds what arrives.
    return _gini(layer.weights.sum(0, dtype=float))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="in_strength_gini")
@accepts()
def out_strength_gini(layer: Layer) -> float:
    """Return Gini's coefficient of out-strengths, the attention given; self-loops count.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (every node gives as much) to 1 - 1 / nodes (one node gives all). Isolates count as
        nodes of strength 0 (or of their self-loop). NaN without an edge.

    References
    ----------
    Damgaard, Weiner, Ecology 81, 1139 (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2.

    Examples
    --------
    >>> round(out_strength_gini(Layer(np.array([[0.25, 0.5], [0, 0.25]]))), 4)
    0.25
    """
    return _gini(layer.weights.sum(1, dtype=float))


def _gini(values: np.ndarray) -> float:
    """Return sum_i (2 i - n - 1) x_i / (n sum_i x_i) over sorted values.

    Taking the mean off first changes nothing but rounding.
    """
    if not values.any():
        return np.nan
    ordered = np.sort(values / values.max())
    n_nodes = len(ordered)
    rank = 2.0 * np.arange(1, n_nodes + 1) - n_nodes - 1
    # Ranks sum to 0, so the mean may go; the sum then keeps its digits where values are alike.
    spread = rank @ (ordered - ordered.mean())
    return float(spread / (n_nodes * ordered.sum()))
