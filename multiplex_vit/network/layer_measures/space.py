"""Attention on the grid of patches; prefix tokens have no place on it and are left out."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.layer_measures.rounding import is_constant
from multiplex_vit.network.matrices import relative


@LAYER_MEASURES.register(
    scale="invariant",
    isolates="kept",
    transposed="attention_distance",
    places=True,
)
@accepts()
def attention_distance(layer: Layer) -> float:
    """Return how far a patch looks on average.

    sum_ij w_ij d_ij / sum_ij w_ij over patches i and j, with d between their centres.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (patches attend to themselves alone) to the grid's diagonal, in patches. Isolates count
        by their self-loop, if any. NaN where no patch attends to a patch.

    References
    ----------
    Dosovitskiy et al., ICLR 2021, arXiv:2010.11929, figure 7; here of the whole layer.

    Examples
    --------
    >>> attention_distance(Layer(np.array([[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]])))
    1.0
    """
    first = len(layer.tokens.prefix)
    weights = relative(layer.weights[first:, first:])
    if not weights.any():
        return np.nan
    distances = layer.tokens.distances[first:, first:]
    return float((weights * distances).sum() / weights.sum())


@LAYER_MEASURES.register(scale="invariant", isolates="kept", places=True)
@accepts()
def moran(layer: Layer) -> float:
    """Return Moran's I of in-strength on the grid: whether neighbouring patches receive alike.

    I = (n / |N|) sum_((i, j) in N) z_i z_j / sum_i z_i^2, with z_i the in-strength of patch i
    (from all tokens) less the mean of the n patches, and N the ordered pairs of patches that
    share a side.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        About -1 (as a chessboard) to 1 (smooth); -1 / (n - 1) on average where places do not
        matter. Isolates count as patches that receive nothing. NaN where all patches receive the
        same up to rounding, as a single one does.

    References
    ----------
    Moran, Biometrika 37, 17 (1950), doi:10.1093/biomet/37.1-2.17.

    Examples
    --------
    >>> round(moran(Layer(np.array([[0.5, 0.5, 0], [0, 0, 0], [0.5, 0.5, 0]]))), 4)
    -0.25
    """
    n_prefix = len(layer.tokens.prefix)
    received = layer.weights.sum(0, dtype=float)[n_prefix:]
    if is_constant(received, layer.weights):
        return np.nan
    z = (received / received.max()).reshape(layer.tokens.grid)
    z = z - z.mean()
    # Each pair of neighbours counts once here, which halves both sums.
    above_below = (z[1:] * z[:-1]).ravel()
    left_right = (z[:, 1:] * z[:, :-1]).ravel()
    products = np.concatenate([above_below, left_right])
    return float(products.mean() / (z**2).mean())
