"""Centralities of one layer: how much a node matters in it (gamma in the paper).

A centrality takes `weights` [source, target], where weights[i, j] is the attention that i pays to j and 0 means no edge, and
returns one value a node. Registered with `stacked=True` it must also work on any stack [..., source, target], of NumPy or torch,
with the methods both have; such a one runs on all layers at once, on the model's device.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from multiplex_vit.registry import Registry

CENTRALITIES: Registry[Callable[[Any], Any]] = Registry("centrality")


@CENTRALITIES.register(stacked=True)
def in_strength(weights: Any) -> Any:
    """Return the attention each node receives: s_j = sum_i w_ij (a self-loop counts).

    Parameters
    ----------
    weights : ndarray or Tensor [..., source, target]

    Returns
    -------
    ndarray or Tensor [..., node]
        From 0 up. An isolate has 0.

    References
    ----------
    Barrat et al., PNAS 101, 3747 (2004), doi:10.1073/pnas.0400087101.

    Examples
    --------
    >>> in_strength(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [0.25, 1.5]
    """
    return weights.sum(-2)


@CENTRALITIES.register(stacked=True)
def out_strength(weights: Any) -> Any:
    """Return the attention each node gives: s_i = sum_j w_ij (a self-loop counts).

    Parameters
    ----------
    weights : ndarray or Tensor [..., source, target]

    Returns
    -------
    ndarray or Tensor [..., node]
        From 0 up. An isolate has 0.

    References
    ----------
    Barrat et al., PNAS 101, 3747 (2004), doi:10.1073/pnas.0400087101.

    Examples
    --------
    >>> out_strength(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [0.5, 1.25]
    """
    return weights.sum(-1)


def centrality(weights: np.ndarray, measure: str | Callable[[Any], Any]) -> np.ndarray:
    """Return a centrality of every layer.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    measure : str or callable
        A member of `CENTRALITIES`, or a function of one layer's weights.

    Returns
    -------
    ndarray [layer, node]

    Examples
    --------
    >>> centrality(np.array([[[0, 0.5], [0.25, 1]]]), "in_strength").tolist()
    [[0.25, 1.5]]
    """
    function = CENTRALITIES.resolve(measure)
    if CENTRALITIES.trait(measure, "stacked"):
        return np.asarray(function(weights))
    return np.stack([np.asarray(function(layer), dtype=float) for layer in weights])
