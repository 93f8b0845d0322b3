"""How well a layer hangs together, and how short its ways are."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="weak_components")
@accepts()
def weak_components(layer: Layer) -> int:
    """Return into how many parts the layer falls that no edge joins, whatever its direction.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        1 (all hangs together) to the number of nodes. An isolate is a part of its own.

    References
    ----------
    Tarjan, SIAM Journal on Computing 1, 146 (1972), doi:10.1137/0201010.

    Examples
    --------
    >>> weak_components(Layer(np.array([[0, 0.5, 0], [0, 0, 0], [0, 0, 1]])))
    2
    """
    # Weak: the direction of edges does not matter.
    return len(layer.graph.connected_components(mode="weak"))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="strong_components")
@accepts()
def strong_components(layer: Layer) -> int:
    """Return the number of strongly connected parts of the layer.

    Within such a part every node reaches every other along the direction of edges.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int
        1 (every node reaches every other) to the number of nodes (there is no cycle but
        self-loops). An isolate is a part of its own.

    References
    ----------
    Tarjan, SIAM Journal on Computing 1, 146 (1972), doi:10.1137/0201010.

    Examples
    --------
    >>> strong_components(Layer(np.array([[0, 0.5, 0], [0, 0, 0], [0, 0, 1]])))
    3
    """
    return len(layer.graph.connected_components(mode="strong"))


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="giant_component")
@accepts()
def giant_component(layer: Layer) -> float:
    """Return the share of nodes in the largest connected part.

    The direction of edges does not matter.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        1 / nodes (all are isolates) to 1 (all hangs together).

    References
    ----------
    Newman, Strogatz, Watts, PRE 64, 026118 (2001), doi:10.1103/PhysRevE.64.026118.

    Examples
    --------
    >>> weights = np.array([[0, 0.5, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    >>> giant_component(Layer(weights))
    0.75
    """
    parts = layer.graph.connected_components(mode="weak")
    return max(parts.sizes()) / len(layer.weights)


@LAYER_MEASURES.register(scale="linear", isolates="counted", transposed="efficiency")
@accepts()
def efficiency(layer: Layer) -> float:
    """Return global efficiency: the mean of 1 / d_ij over ordered pairs i != j.

    An edge of weight w is 1 / w long.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (no edge between nodes) to the greatest weight (every node attends to every other with
        it), in the weights' unit. A pair without a path counts as 0, so isolates lower it. NaN
        for a single node.

    References
    ----------
    Latora, Marchiori, PRL 87, 198701 (2001), doi:10.1103/PhysRevLett.87.198701.

    Examples
    --------
    >>> round(efficiency(Layer(np.array([[0, 0.5, 0], [0, 0, 0.5], [0, 0, 0]]))), 4)
    0.2083
    """
    n_nodes = len(layer.weights)
    pairs = n_nodes * (n_nodes - 1)
    if not pairs:
        return np.nan
    # A node is infinitely far from itself here, so that it counts nothing.
    is_loop = np.eye(n_nodes, dtype=bool)
    distances = np.where(is_loop, np.inf, layer.distances("inverse"))
    return float((1 / distances).sum() / pairs)
