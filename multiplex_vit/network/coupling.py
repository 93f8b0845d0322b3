"""Couplings: which layers an inter-layer link joins, and the supra-adjacency matrix."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from multiplex_vit.checks import positive
from multiplex_vit.errors import InputError
from multiplex_vit.registry import Registry, name_of

COUPLINGS: Registry[Callable[[int], np.ndarray]] = Registry("coupling")


@COUPLINGS.register
def none(n_layers: int) -> np.ndarray:
    """Join no layers.

    Examples
    --------
    >>> none(2).astype(int).tolist()
    [[0, 0], [0, 0]]
    """
    return np.zeros((n_layers, n_layers), dtype=bool)


@COUPLINGS.register
def ordinal(n_layers: int) -> np.ndarray:
    """Join each layer with the next, in both directions.

    Examples
    --------
    >>> ordinal(3).astype(int).tolist()
    [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    """
    return np.eye(n_layers, k=1, dtype=bool) | np.eye(n_layers, k=-1, dtype=bool)


@COUPLINGS.register
def temporal(n_layers: int) -> np.ndarray:
    """Join each layer with the next, forward only, as information flows.

    Examples
    --------
    >>> temporal(3).astype(int).tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    """
    return np.eye(n_layers, k=1, dtype=bool)


@COUPLINGS.register
def categorical(n_layers: int) -> np.ndarray:
    """Join every layer with every other.

    Examples
    --------
    >>> categorical(2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    return ~np.eye(n_layers, dtype=bool)


def supra_adjacency(weights: np.ndarray, coupling: str | Callable[[int], np.ndarray], omega: float) -> sparse.csr_array:
    """Return the matrix of a whole multiplex network.

    Entry [a * N + i, b * N + j] is the weight of i -> j in layer a where a = b, `omega` where i = j and the coupling joins a
    to b, and 0 elsewhere (Kivela et al., J. Complex Netw. 2, 203 (2014), doi:10.1093/comnet/cnu016).

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    coupling : str or callable
        A member of `COUPLINGS`, or a function: number of layers -> bool [layer, layer].
    omega : float
        Weight of an inter-layer link, above 0 and finite.

    Returns
    -------
    scipy.sparse.csr_array [layer * node, layer * node]
        float64.

    Examples
    --------
    >>> supra_adjacency(np.array([[[0, 0.5], [0, 0]], [[0, 0], [0.25, 1]]]), "temporal", 2.0).toarray().tolist()
    [[0.0, 0.5, 2.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.25, 1.0]]
    """
    weight = positive("omega", omega, " (or coupling='none' for no inter-layer links)")
    n_layers, n_nodes = weights.shape[:2]
    joined = sparse.csr_array(_joins(coupling, n_layers).astype(float) * weight)
    intra = sparse.block_diag([sparse.csr_array(layer, dtype=float) for layer in weights], format="csr")
    return sparse.csr_array(intra + sparse.kron(joined, sparse.eye_array(n_nodes), format="csr"))


def _joins(coupling: str | Callable[[int], np.ndarray], n_layers: int) -> np.ndarray:
    joined = np.asarray(COUPLINGS.resolve(coupling)(n_layers))
    if joined.shape != (n_layers, n_layers) or joined.dtype != bool or joined.diagonal().any():
        found = f"{joined.dtype} {list(joined.shape)}"
        raise InputError(f"coupling {name_of(coupling)} returned {found}; bool [{n_layers}, {n_layers}] without a diagonal was wanted")
    return joined
