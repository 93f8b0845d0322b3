"""The spectrum of a layer's matrix."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES


@LAYER_MEASURES.register(scale="linear", isolates="kept", transposed="spectral_radius")
@accepts()
def spectral_radius(layer: Layer) -> float:
    """Return the greatest modulus of an eigenvalue of W.

    It says by how much attention grows along long walks.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 (there is no cycle) to the greatest out-strength or the greatest in-strength,
        whichever is less; 1 where every row sums to 1. Isolates do not count but for their
        self-loop.

    References
    ----------
    Restrepo, Ott, Hunt, PRE 76, 056119 (2007), doi:10.1103/PhysRevE.76.056119.

    Examples
    --------
    >>> round(spectral_radius(Layer(np.array([[0, 0.5, 0], [0.5, 0, 1], [0, 0, 0.25]]))), 4)
    0.5
    """
    weights = layer.weights.astype(float)
    greatest = weights.diagonal().max()
    # Strong component by strong component: that is exact where there is no cycle, where the
    # eigenvalues of the whole lose most of their digits.
    for part in layer.graph.connected_components(mode="strong"):
        if len(part) > 1:
            eigenvalues = np.linalg.eigvals(weights[np.ix_(part, part)])
            greatest = max(greatest, np.abs(eigenvalues).max())
    return float(greatest)
