"""Distance by the spectrum of the Laplacian."""

import numpy as np

from multiplex_vit.accepts import accepts_two_layers
from multiplex_vit.network.comparison.registry import LAYER_DISTANCES
from multiplex_vit.network.matrices import relative


@LAYER_DISTANCES.register(scale="invariant", isolates="counted", transposed="laplacian_distance")
@accepts_two_layers
def laplacian_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return how far the spectra of two layers' normalised Laplacians lie from each other.

    The root of the mean of (lambda_k - mu_k)^2 over the eigenvalues of I - D^-1/2 W D^-1/2 in
    ascending order, of the undirected layers (W + W^T) / 2, self-loops included. It does not know
    which node is which.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        0 (the same spectrum) to below 2. An isolate has the eigenvalue 0.

    References
    ----------
    Wilson, Zhu, Pattern Recognition 41, 2833 (2008), doi:10.1016/j.patcog.2008.03.011; Wills,
    Meyer, PLoS ONE 15, e0228728 (2020), doi:10.1371/journal.pone.0228728.

    Examples
    --------
    >>> pair = np.array([[0, 1.0], [1.0, 0]])
    >>> round(laplacian_distance(pair, np.zeros((2, 2))), 4)
    1.4142
    """
    difference = _spectrum(first) - _spectrum(second)
    return float(np.sqrt(np.mean(difference**2)))


def _spectrum(weights: np.ndarray) -> np.ndarray:
    """Return the eigenvalues [node] of the normalised Laplacian, in ascending order."""
    scaled = relative(weights)
    both = scaled + scaled.T
    strength = both.sum(1)
    linked = strength > 0
    root = np.sqrt(strength, where=linked, out=np.ones(len(both)))
    # An isolate has nothing to divide.
    laplacian = np.diag(linked.astype(float)) - both / np.outer(root, root)
    return np.linalg.eigvalsh(laplacian)
