"""Couplings: which layers an inter-layer link joins, and the supra-adjacency matrix."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

from multiplex_vit.checks import positive
from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, Registry, name_of

COUPLINGS: Registry[Callable[[int], np.ndarray]] = Registry("coupling")
"""A member takes the number of layers and returns bool [layer, layer], without a diagonal: True where links run from a to b."""


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


def links(n_layers: int, n_nodes: int, coupling: Named, omega: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the inter-layer links: from each node to itself in the layers that the coupling joins.

    Parameters
    ----------
    n_layers, n_nodes : int
    coupling : str or callable
        A member of `COUPLINGS`, or a function: number of layers -> bool [layer, layer].
    omega : float, or ndarray [layer, node]
        Weight of an inter-layer link: a finite number above 0, or, of the links that leave that node of that layer, a finite number of at
        least 0 (0 for none).

    Returns
    -------
    source, target : ndarray [link]
        Node i of layer a is a * n_nodes + i; ordered by source, then target.
    weight : ndarray [link]
        Above 0.

    Raises
    ------
    InputError
        If the coupling is unknown or does not return what it should, or omega is neither of the two.

    Examples
    --------
    >>> source, target, weight = links(2, 2, "ordinal", np.array([[0.5, 0.25], [0, 1]]))
    >>> list(zip(source.tolist(), target.tolist(), weight.tolist()))
    [(0, 2, 0.5), (1, 3, 0.25), (3, 1, 1.0)]
    """
    leaving = _leaving(omega, n_layers, n_nodes)
    there = _joins(coupling, n_layers)[:, None, :] & (leaving > 0)[:, :, None]
    layer, node, other = np.nonzero(there)
    return layer * n_nodes + node, other * n_nodes + node, leaving[layer, node]


def supra_adjacency(weights: np.ndarray, coupling: Named, omega: float | np.ndarray) -> sparse.csr_array:
    """Return the matrix of a whole multiplex network.

    Entry [a * N + i, b * N + j] is the weight of i -> j in layer a where a = b, omega (of node i in layer a, if it differs) where i = j
    and the coupling joins a to b, and 0 elsewhere (Kivela et al., J. Complex Netw. 2, 203 (2014), doi:10.1093/comnet/cnu016).

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    coupling, omega
        See `links`.

    Returns
    -------
    scipy.sparse.csr_array [layer * node, layer * node]
        float64, with sorted indices and no stored zero.

    Raises
    ------
    InputError
        See `links`.

    Examples
    --------
    >>> supra_adjacency(np.array([[[0, 0.5], [0, 0]], [[0, 0], [0.25, 1]]]), "temporal", 2.0).toarray().tolist()
    [[0.0, 0.5, 2.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.25, 1.0]]
    """
    n_layers, n_nodes = weights.shape[:2]
    size = n_layers * n_nodes
    blocks = [*_blocks(weights), links(n_layers, n_nodes, coupling, omega)]
    # 32-bit indices halve the memory of a network of many million edges.
    source, target = (np.concatenate([block[i] for block in blocks], dtype=np.int32, casting="unsafe") for i in (0, 1))
    matrix = sparse.csr_array((np.concatenate([block[2] for block in blocks], dtype=float), (source, target)), shape=(size, size))
    matrix.sort_indices()
    return matrix


def _blocks(weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield source, target and weight of every layer's edges in supra indices."""
    for place, layer in enumerate(weights):
        source, target = (index.astype(np.int32) for index in np.nonzero(layer))
        yield source + place * len(layer), target + place * len(layer), layer[source, target]


def _joins(coupling: Named, n_layers: int) -> np.ndarray:
    joined = np.asarray(COUPLINGS.resolve(coupling)(n_layers))
    if joined.shape != (n_layers, n_layers) or joined.dtype != bool or joined.diagonal().any():
        found = f"{joined.dtype} {list(joined.shape)}"
        raise InputError(f"coupling {name_of(coupling)} returned {found}; bool [{n_layers}, {n_layers}] without a diagonal was wanted")
    return joined


def _leaving(omega: Any, n_layers: int, n_nodes: int) -> np.ndarray:
    """Return the weight [layer, node] of the links that leave a node of a layer."""
    if not isinstance(omega, (list, tuple)) and np.ndim(omega) == 0:
        weight = positive("omega", omega, f", an array [{n_layers}, {n_nodes}] of one value a layer and node, or coupling='none'")
        return np.full((n_layers, n_nodes), weight)
    try:
        leaving = np.asarray(omega, dtype=float)
    except (TypeError, ValueError):
        leaving = np.zeros(0)
    if leaving.shape != (n_layers, n_nodes):
        found = f"an array {list(leaving.shape)}" if isinstance(omega, np.ndarray) else repr(omega)
        raise InputError(f"omega is {found}; give a finite number above 0, or an array [{n_layers}, {n_nodes}] of one value a layer and node")
    if not (np.isfinite(leaving).all() and (leaving >= 0).all()):
        raise InputError("omega is an array with NaN, infinity or a negative value; give finite values of at least 0")
    return leaving
