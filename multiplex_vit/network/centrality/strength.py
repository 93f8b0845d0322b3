"""Strength and degree: what a node sends and receives at one step."""

from typing import Any

import numpy as np

from multiplex_vit.accepts import accepts, signed_matrix, stack_or_tensor
from multiplex_vit.network.centrality.registry import CENTRALITIES


@CENTRALITIES.register(
    takes="stack", scale="linear", isolates="kept", transposed="out_strength", signed=True
)
@accepts(weights=stack_or_tensor)
def in_strength(weights: Any) -> Any:
    """Return the attention each node receives: s_j = sum_i w_ij (a self-loop counts).

    Parameters
    ----------
    weights : ndarray or Tensor [..., source, target]

    Returns
    -------
    ndarray or Tensor [..., node]
        From 0 up, in the weights' unit. An isolate has 0, or its self-loop.

    References
    ----------
    Barrat et al., PNAS 101, 3747 (2004), doi:10.1073/pnas.0400087101.

    Examples
    --------
    >>> in_strength(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [0.25, 1.5]
    """
    # Written with methods that arrays and tensors both have: it also runs on the device.
    return weights.sum(-2)


@CENTRALITIES.register(
    takes="stack", scale="linear", isolates="kept", transposed="in_strength", signed=True
)
@accepts(weights=stack_or_tensor)
def out_strength(weights: Any) -> Any:
    """Return the attention each node gives: s_i = sum_j w_ij (a self-loop counts).

    Parameters
    ----------
    weights : ndarray or Tensor [..., source, target]

    Returns
    -------
    ndarray or Tensor [..., node]
        From 0 up, in the weights' unit. An isolate has 0, or its self-loop.

    References
    ----------
    Barrat et al., PNAS 101, 3747 (2004), doi:10.1073/pnas.0400087101.

    Examples
    --------
    >>> out_strength(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [0.5, 1.25]
    """
    # Written with methods that arrays and tensors both have: it also runs on the device.
    return weights.sum(-1)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="out_degree", signed=True)
@accepts(weights=signed_matrix)
def in_degree(weights: np.ndarray) -> np.ndarray:
    """Return how many nodes attend to each node: k_j = sum_i [w_ij > 0] (a self-loop counts once).

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to the number of nodes. An isolate has 0, or 1 with a self-loop.

    References
    ----------
    Freeman, Social Networks 1, 215 (1978), doi:10.1016/0378-8733(78)90021-7.

    Examples
    --------
    >>> in_degree(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [1, 2]
    """
    return np.count_nonzero(weights, axis=0)


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="in_degree", signed=True)
@accepts(weights=signed_matrix)
def out_degree(weights: np.ndarray) -> np.ndarray:
    """Return how many nodes each node attends to: k_i = sum_j [w_ij > 0] (a self-loop counts once).

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 to the number of nodes. An isolate has 0, or 1 with a self-loop.

    References
    ----------
    Freeman, Social Networks 1, 215 (1978), doi:10.1016/0378-8733(78)90021-7.

    Examples
    --------
    >>> out_degree(np.array([[0, 0.5], [0, 1]])).tolist()
    [1, 1]
    """
    return np.count_nonzero(weights, axis=1)


@CENTRALITIES.register(scale="linear", isolates="kept", transposed="self_attention", signed=True)
@accepts(weights=signed_matrix)
def self_attention(weights: np.ndarray) -> np.ndarray:
    """Return the attention each node pays to itself: w_ii, the weight of its self-loop.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        From 0 up, in the weights' unit. A node without a self-loop has 0.

    References
    ----------
    Vaswani et al., NeurIPS 30 (2017), arXiv:1706.03762: the diagonal of softmax(QK^T / sqrt(d)).

    Examples
    --------
    >>> self_attention(np.array([[0, 0.5], [0.25, 1]])).tolist()
    [0.0, 1.0]
    """
    # A copy, since NumPy's diagonal is a view of the weights.
    return np.diagonal(weights).copy()
