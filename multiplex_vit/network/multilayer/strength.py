"""What a node gets and gives in all layers together."""

import numpy as np

from multiplex_vit.accepts import accepts, signed_stack
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES


@MULTILAYER_MEASURES.register(
    scale="linear",
    isolates="kept",
    transposed="overlapping_out_strength",
    signed=True,
)
@accepts(weights=signed_stack)
def overlapping_in_strength(weights: np.ndarray) -> np.ndarray:
    """Return the attention each node receives in all layers.

    o_j = sum_a sum_i w_ij^a (self-loops count).

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        From 0 up; great where much attention arrives. Isolates have 0.

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> overlapping_in_strength(np.array([[[0, 0.5], [0, 0]], [[0, 0.25], [1, 0]]])).tolist()
    [1.0, 0.75]
    """
    return weights.sum((0, 1), dtype=float)


@MULTILAYER_MEASURES.register(
    scale="linear",
    isolates="kept",
    transposed="overlapping_in_strength",
    signed=True,
)
@accepts(weights=signed_stack)
def overlapping_out_strength(weights: np.ndarray) -> np.ndarray:
    """Return the attention each node pays in all layers.

    o_i = sum_a sum_j w_ij^a (self-loops count).

    Parameters
    ----------
    weights : ndarray [layer, source, target]

    Returns
    -------
    ndarray [node]
        From 0 up; great where much attention leaves. Isolates have 0.

    References
    ----------
    Battiston, Nicosia, Latora, PRE 89, 032804 (2014), doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> overlapping_out_strength(np.array([[[0, 0.5], [0, 0]], [[0, 0.25], [1, 0]]])).tolist()
    [0.75, 1.0]
    """
    return weights.sum((0, 2), dtype=float)
