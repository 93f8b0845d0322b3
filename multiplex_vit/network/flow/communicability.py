"""Communicability: all walks from a token to another, long ones for less."""

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import between_0_and_1
from multiplex_vit.network.matrices import relative


@accepts(weights=stack)
def dynamic_communicability(weights: np.ndarray, *, attenuation: float = 0.85) -> np.ndarray:
    """Return the dynamic communicability from output tokens to input tokens.

    Q = (I - a W_L)^-1 ... (I - a W_1)^-1: all walks that take any number of edges in each layer,
    from the last layer to the first, each edge worth a times its weight. a = attenuation /
    (greatest out-strength of a node in a layer), so that the sums converge and the unit of
    weights does not matter.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        The first layer first.
    attenuation : float, 0 to 1 (exclusive)
        Default: 0.85.

    Returns
    -------
    ndarray [source, target]
        Row sums say how much an output token takes from all input tokens (broadcast, in the
        paper), column sums how much an input token gives. The walk of no edge counts, so the
        diagonal is at least 1.

    References
    ----------
    Grindrod, Parsons, Higham, Estrada, PRE 83, 046120 (2011), doi:10.1103/PhysRevE.83.046120.

    Examples
    --------
    >>> dynamic_communicability(np.array([[[0, 0.5], [0, 0]]])).tolist()
    [[1.0, 0.85], [0.0, 1.0]]
    """
    attenuation = between_0_and_1("attenuation", attenuation)
    scaled = relative(weights)
    n_nodes = weights.shape[1]
    walks = np.eye(n_nodes)
    greatest = scaled.sum(2).max()
    if not greatest:
        return walks
    per_edge = attenuation / greatest
    # The first layer is the last that a walk takes.
    for matrix in scaled:
        walks = np.linalg.solve(np.eye(n_nodes) - per_edge * matrix, walks)
    return walks
