"""Communities in which a walker stays long, by Infomap (infomap, an optional package)."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.accepts import accepts, supra_matrix
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError


@accepts(supra=supra_matrix)
def infomap(
    supra: sparse.csr_array,
    n_layers: int,
    *,
    trials: int = 10,
    seed: int = 0,
) -> np.ndarray:
    """Return communities of nodes of all layers by the map equation, for a walker along edges.

    The walker follows edges, and links to the same node of another layer, by their weights. The
    map that describes its way in the fewest bits has the communities; a node of several layers
    that lie in one community has one name there.

    Parameters
    ----------
    supra : csr_array [layer * node, layer * node]
        See `supra_adjacency`.
    n_layers : int
    trials : int
        Searches, of which the best counts. Default: 10.
    seed : int
        Default: 0.

    Returns
    -------
    ndarray of int [layer, node]
        Numbered as they appear. A node of a layer without edge or link is a community of its own.

    Raises
    ------
    InputError
        If infomap is not installed, or an argument cannot be used.

    References
    ----------
    De Domenico, Lancichinetti, Arenas, Rosvall, PRX 5, 011027 (2015),
    doi:10.1103/PhysRevX.5.011027; Edler, Bohlin, Rosvall, Algorithms 10, 112 (2017),
    doi:10.3390/a10040112.

    Examples
    --------
    >>> pairs = np.kron(np.eye(2), np.kron(np.eye(2), [[0, 1.0], [1.0, 0]]))
    >>> links = 0.1 * np.kron([[0, 1.0], [1.0, 0]], np.eye(4))
    >>> infomap(sparse.csr_array(pairs + links), 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    n_layers = whole("n_layers", n_layers, at_least=1, at_most=supra.shape[0])
    trials = whole("trials", trials, at_least=1)
    seed = whole("seed", seed, at_least=0)
    n_nodes, left = divmod(supra.shape[0], n_layers)
    if left:
        raise InputError(f"{supra.shape[0]} rows are not {n_layers} layers; give as many of each")
    # Its seeds begin with 1.
    search = _package().Infomap(
        directed=True,
        two_level=True,
        silent=True,
        num_trials=trials,
        seed=seed + 1,
    )
    membership = -1 - np.arange(supra.shape[0])
    if supra.nnz:
        for one, other, weight in _edges(supra):
            # A node of a layer is a pair of numbers to Infomap.
            source = divmod(one, n_nodes)
            target = divmod(other, n_nodes)
            search.add_multilayer_link(source, target, weight)
        result = search.run()
        for node in result.nodes(states=True):
            place = node.layer_id * n_nodes + node.node_id
            membership[place] = node.module_id
    numbered, _ = pd.factorize(membership)
    return numbered.reshape(n_layers, n_nodes)


def _edges(supra: sparse.csr_array) -> Iterator[tuple[int, int, float]]:
    """Yield source, target and weight of every entry."""
    entries = supra.tocoo()
    source, target = entries.coords
    columns = (source, target, entries.data)
    lists = [column.tolist() for column in columns]
    yield from zip(*lists, strict=True)


def _package() -> ModuleType:
    try:
        import infomap
    except ImportError as error:
        install = 'pip install "multiplex-vit[infomap]"'
        raise InputError(f"communities of a walker need infomap; {install}") from error
    return infomap
