"""How a node spreads its attention: over how many nodes, and how far."""

import numpy as np
from scipy.special import entr

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.network.centrality.registry import CENTRALITIES
from multiplex_vit.network.layer import Layer


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="in_entropy")
@accepts(weights=matrix)
def out_entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy of the attention each node gives.

    -sum_j p_ij ln p_ij, with p_ij = w_ij / sum_j w_ij.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 (all to one node, or none at all: isolates) to ln(nodes) (equally to all), in nats.

    References
    ----------
    Eagle, Macy, Claxton, Science 328, 1029 (2010), doi:10.1126/science.1186605, without its
    division by ln k.

    Examples
    --------
    >>> out_entropy(np.array([[0.5, 0.5], [0, 1]])).round(4).tolist()
    [0.6931, 0.0]
    """
    return _entropy(np.asarray(weights, dtype=float))


@CENTRALITIES.register(scale="invariant", isolates="kept", transposed="out_entropy")
@accepts(weights=matrix)
def in_entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy of the attention each node receives.

    -sum_i p_ij ln p_ij, with p_ij = w_ij / sum_i w_ij.

    Parameters
    ----------
    weights : ndarray [source, target]

    Returns
    -------
    ndarray [node]
        0 (all from one node, or none at all: isolates) to ln(nodes) (equally from all), in nats.

    References
    ----------
    Eagle, Macy, Claxton, Science 328, 1029 (2010), doi:10.1126/science.1186605, without its
    division by ln k.

    Examples
    --------
    >>> in_entropy(np.array([[0.5, 1], [0.5, 0]])).round(4).tolist()
    [0.6931, 0.0]
    """
    # Transposed, rows hold what each node receives.
    return _entropy(np.asarray(weights, dtype=float).T)


@CENTRALITIES.register(takes="layer", scale="invariant", isolates="kept", places=True)
@accepts()
def attention_distance(layer: Layer) -> np.ndarray:
    """Return how far each patch looks.

    It is the mean distance to the patches it attends to, sum_j w_ij d_ij / sum_j w_ij.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    ndarray [node]
        0 to the grid's diagonal, in patches (Euclidean, between centres). A patch that attends to
        no patch has 0; so have prefix tokens, which have no place; attention paid to them does
        not count.

    References
    ----------
    Dosovitskiy et al., ICLR 2021, arXiv:2010.11929, figure 7.

    Examples
    --------
    >>> attention_distance(Layer(np.array([[0.5, 0, 0.5], [0, 1, 0], [0, 0, 0]]))).tolist()
    [1.0, 0.0, 0.0]
    """
    distances = layer.tokens.distances
    # Prefix tokens have no place: attention to and from them does not count.
    placed = ~np.isnan(distances)
    weights = np.where(placed, layer.weights, 0)
    total = weights.sum(1, dtype=float)
    looked = (weights * np.nan_to_num(distances)).sum(1)
    return np.divide(looked, total, out=np.zeros(len(total)), where=total > 0)


def _entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy [node] of rows.

    Each row is divided by its greatest value first, so that tiny weights do not underflow.
    """
    greatest = np.where(weights.any(1), weights.max(1, initial=0), 1)
    scaled = weights / greatest[:, None]
    shares = scaled / np.maximum(scaled.sum(1), 1)[:, None]
    return entr(shares).sum(1)
