"""Attention beside the residual stream: what a block mixes in, and what passes it by."""

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import share


@accepts(weights=stack)
def with_residual(weights: np.ndarray, residual: float = 0.5) -> np.ndarray:
    """Return what each token is made of after each layer: attention, and what it was before.

    (1 - residual) P + residual I, with P the weights divided by the strength of their source. A
    token that attends to nothing stays what it was.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    residual : float, 0 to 1
        The share that the residual connection has. Default: 0.5.

    Returns
    -------
    ndarray [layer, source, target]
        Rows sum to 1.

    References
    ----------
    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385, section 3.

    Examples
    --------
    >>> with_residual(np.array([[[1.0, 3.0], [0.0, 0.0]]])).tolist()
    [[[0.625, 0.375], [0.0, 1.0]]]
    """
    residual = share("residual", residual)
    weights = weights.astype(float)
    greatest = weights.max(axis=(1, 2), keepdims=True, initial=0)
    scaled = np.divide(weights, greatest, out=np.zeros_like(weights), where=greatest > 0)
    strength = scaled.sum(2, keepdims=True)
    itself = np.broadcast_to(np.eye(weights.shape[1]), weights.shape).copy()
    attention = np.divide(scaled, strength, out=itself, where=strength > 0)
    return (1 - residual) * attention + residual * np.eye(weights.shape[1])


@accepts(weights=stack)
def rollout(weights: np.ndarray, residual: float = 0.5) -> np.ndarray:
    """Return attention rollout: what share each input token has in each output token.

    R = M_L ... M_2 M_1, with M = (1 - residual) P + residual I of each layer, the first layer
    first; see `with_residual`.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    residual : float, 0 to 1
        Default: 0.5.

    Returns
    -------
    ndarray [source, target]
        Row i: the shares of the input tokens in output token i. Rows sum to 1.

    References
    ----------
    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385.

    Examples
    --------
    >>> rollout(np.array([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [[0.5, 0.5], [0.25, 0.75]]
    """
    return _product(with_residual(weights, residual))


@accepts(weights=stack)
def layer_contributions(weights: np.ndarray, residual: float = 0.5) -> np.ndarray:
    """Return how much each layer changes where output tokens come from.

    The total variation distance between rows of rollout with and without the layer (which then
    leaves every token what it was), averaged over output tokens.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    residual : float, 0 to 1
        Default: 0.5.

    Returns
    -------
    ndarray [layer, source]
        0 (the layer changes nothing for that output token) to 1 - residual. Average over sources
        for one number a layer.

    References
    ----------
    Levin, Peres, Markov Chains and Mixing Times (2017), section 4.1, doi:10.1090/mbk/107.

    Examples
    --------
    >>> layer_contributions(np.array([[[0.0, 1.0], [0.0, 1.0]], np.eye(2)])).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    mixing = with_residual(weights, residual)
    whole = _product(mixing)
    distances = []
    for place in range(len(mixing)):
        without = _product(np.delete(mixing, place, axis=0))
        distances.append(np.abs(whole - without).sum(1) / 2)
    return np.stack(distances)


def _product(mixing: np.ndarray) -> np.ndarray:
    """Return the product of matrices [layer, source, target], the first applied first."""
    shares = np.eye(mixing.shape[1])
    for matrix in mixing:
        shares = matrix @ shares
    return shares
