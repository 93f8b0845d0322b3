"""Routes: the edges by which tokens are fed, from the last layer back to the first."""

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import share
from multiplex_vit.network.depth import ranks
from multiplex_vit.network.matrices import relative


@accepts(weights=stack)
def route(
    weights: np.ndarray,
    tokens: np.ndarray,
    threshold: float = 0.02,
    *,
    residual: float = 0.5,
    blocks: np.ndarray | None = None,
) -> np.ndarray:
    """Return the edges that feed some output tokens.

    From the last block to the first, of each token that is fed: an edge stays if it has at least a
    share of all that the token is made of there. The token at its end is fed in the block before;
    so is the token itself, if its residual connection has that share.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        The first block first; layers of one block are its heads, which share in each token.
    tokens : ndarray of bool [node]
        The output tokens.
    threshold : float, 0 to 1
        Default: 0.02.
    residual : float, 0 to 1
        The share of the residual connection in each token. Default: 0.5.
    blocks : sequence of int, optional
        The block of every layer. Default: 0, 1, ...

    Returns
    -------
    ndarray of bool [layer, source, target]

    Raises
    ------
    InputError
        If a share is not within 0 and 1.

    References
    ----------
    Ferrando, Voita, EMNLP 2024, doi:10.18653/v1/2024.emnlp-main.965 (arXiv:2403.00824).

    Examples
    --------
    >>> weights = np.array([[[0.1, 0.9], [0.5, 0.5]], [[0.8, 0.2], [0.5, 0.5]]])
    >>> route(weights, np.array([True, False]), 0.2).astype(int).tolist()
    [[[0, 1], [0, 0]], [[1, 0], [0, 0]]]
    """
    threshold, residual = share("threshold", threshold), share("residual", residual)
    depth = ranks(range(len(weights)) if blocks is None else blocks)
    fed = np.asarray(tokens, dtype=bool).copy()
    kept = np.zeros(weights.shape, dtype=bool)
    for block in np.unique(depth)[::-1]:
        layers = np.flatnonzero(depth == block)
        shares = (1 - residual) * _shares(weights[layers])
        stays = (shares >= threshold) & (shares > 0) & fed[:, None]
        kept[layers] = stays
        # A token that attends to nothing is what it was.
        lasts = fed & ((residual >= threshold) | ~weights[layers].any((0, 2)))
        fed = lasts | stays.any((0, 1))
    return kept


def _shares(weights: np.ndarray) -> np.ndarray:
    """Return the weights of the layers of a block as shares of all that each source attends to."""
    scaled = relative(weights)
    total = scaled.sum((0, 2))[:, None]
    return np.divide(scaled, total, out=np.zeros_like(scaled), where=total > 0)
