"""Couplings: which layers an inter-layer link joins, and the supra-adjacency matrix.

In block b a token becomes a mixture of tokens as block b - 1 left them. So information that a layer
of block b - 1 brought to a token is handed on by that token in block b: links that follow
information lead from a block to the next. Edges of attention run against information, from the
token that asks to the token that answers, and links that follow them lead from a block back to the
one before: whoever follows attention from the answer to the image goes from the last block to the
first.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from multiplex_vit.accepts import accepts, signed_stack, vector
from multiplex_vit.checks import numbers, positive
from multiplex_vit.errors import InputError
from multiplex_vit.network.depth import ranks
from multiplex_vit.registry import Named, Registry, name_of

Links = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Source, target and weight [link] of inter-layer links; node i of layer a is a * n_nodes + i."""

COUPLINGS: Registry[Callable[[np.ndarray], np.ndarray]] = Registry("coupling", traits={})
"""A member takes the block [layer] of every layer and returns bool [layer, layer].

The diagonal is False.

True where information passes from layer a to layer b by way of the token that they share. In a
network of attention edges the links run the other way, as its edges do.
"""


@COUPLINGS.register
@accepts(blocks=vector)
def none(blocks: np.ndarray) -> np.ndarray:
    """Join no layers.

    Examples
    --------
    >>> none(np.arange(2)).astype(int).tolist()
    [[0, 0], [0, 0]]
    """
    return np.zeros((len(blocks), len(blocks)), dtype=bool)


@COUPLINGS.register
@accepts(blocks=vector)
def ordinal(blocks: np.ndarray) -> np.ndarray:
    """Join the layers of each block with those of the next, in both directions.

    Layers of the same block are joined with each other too.

    The next block is the next of those that are there. Heads of different blocks have nothing in
    common but their number, so every head of a block is joined with every head of the next; heads
    of one block, which have no order, are joined as in `categorical`.

    Examples
    --------
    >>> ordinal(np.arange(3)).astype(int).tolist()
    [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> ordinal(np.array([0, 0, 1, 2])).astype(int).tolist()
    [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]
    """
    place = ranks(blocks)
    # A distance of 0 joins the heads of one block.
    near = np.abs(place[:, None] - place) <= 1
    return near & ~np.eye(len(blocks), dtype=bool)


@COUPLINGS.register
@accepts(blocks=vector)
def temporal(blocks: np.ndarray) -> np.ndarray:
    """Join the layers of each block with those of the next, one way, as information flows.

    Links run from a block to the next in a network of information edges, and from a block back to
    the one before in a network of attention edges. Every head of a block is joined with every head
    of the next. Heads of one block work at the same time: what one of them brings reaches no other
    before the next block, so they are not joined.

    The weights of paths that take at most one edge a layer add up to attention rollout (Abnar,
    Zuidema 2020, doi:10.18653/v1/2020.acl-main.385), up to its division by row sums, if omega is 1
    and nothing was pruned. Paths of more edges in one layer have no counterpart in the transformer,
    which applies each block once; they are what makes the layer a network.

    Examples
    --------
    >>> temporal(np.arange(3)).astype(int).tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> temporal(np.array([0, 0, 1])).astype(int).tolist()
    [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    """
    place = ranks(blocks)
    return place[None, :] == place[:, None] + 1


@COUPLINGS.register
@accepts(blocks=vector)
def categorical(blocks: np.ndarray) -> np.ndarray:
    """Join every layer with every other.

    Examples
    --------
    >>> categorical(np.arange(2)).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    return ~np.eye(len(blocks), dtype=bool)


@accepts()
def links(
    blocks: Sequence[int] | np.ndarray,
    n_nodes: int,
    coupling: Named,
    omega: float | np.ndarray,
    *,
    edges: str = "attention",
) -> Links:
    """Return the inter-layer links: from each node to itself in the layers that the coupling joins.

    Parameters
    ----------
    blocks : sequence of int
        The block of every layer.
    n_nodes : int
    coupling : str or callable
        A member of `COUPLINGS`, or a function: blocks [layer] -> bool [layer, layer].
    omega : float, or ndarray [layer, node]
        Weight of each inter-layer link: a finite number above 0, or, of the links that leave that
        node of that layer, a finite number of at least 0 (0 for none).
    edges : "attention" or "information"
        Which way the edges of the network run: links follow them.

    Returns
    -------
    source, target : ndarray [link]
        Node i of layer a is a * n_nodes + i; ordered by source, then target.
    weight : ndarray [link]
        Above 0.

    Raises
    ------
    InputError
        If the coupling is unknown or does not return what it should, or omega is neither of the
        two.

    Examples
    --------
    >>> source, target, weight = links(range(2), 2, "ordinal", np.array([[0.5, 0.25], [0, 1]]))
    >>> list(zip(source.tolist(), target.tolist(), weight.tolist()))
    [(0, 2, 0.5), (1, 3, 0.25), (3, 1, 1.0)]
    >>> [part.tolist() for part in links(range(2), 1, "temporal", 1.0)]
    [[1], [0], [1.0]]
    """
    of_layers = numbers("blocks", list(blocks)).astype(int)
    leaving = _leaving(omega, len(of_layers), n_nodes)
    joined = _joins(coupling, of_layers)
    # Couplings say where information passes, and edges of attention run against it.
    if edges == "attention":
        joined = joined.T
    leaves = leaving > 0
    present = joined[:, None, :] & leaves[:, :, None]
    # Ordered by layer, then node, so that sources ascend.
    layer, node, other = np.nonzero(present)
    source = layer * n_nodes + node
    target = other * n_nodes + node
    return source, target, leaving[layer, node]


@accepts(weights=signed_stack)
def supra_adjacency(
    weights: np.ndarray,
    coupling: Named,
    omega: float | np.ndarray,
    *,
    blocks: Sequence[int] | np.ndarray | None = None,
    edges: str = "attention",
) -> sparse.csr_array:
    """Return the matrix of a whole multiplex network.

    Entry [a * N + i, b * N + j] is the weight of i -> j in layer a where a = b, omega (of node i
    in layer a, if it differs) where i = j and a link leads from a to b, and 0 elsewhere (Kivela
    et al., J. Complex Netw. 2, 203 (2014), doi:10.1093/comnet/cnu016).

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    coupling, omega, edges
        See `links`.
    blocks : sequence of int, optional
        The block of every layer. Default: 0, 1, ...

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
    >>> weights = np.array([[[0, 0.5], [0, 0]], [[0, 0], [0.25, 1]]])
    >>> supra_adjacency(weights, "temporal", 2.0).toarray().tolist()
    [[0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.25, 1.0]]
    """
    n_layers, n_nodes = weights.shape[:2]
    size = n_layers * n_nodes
    if blocks is None:
        blocks = range(n_layers)
    if len(blocks) != n_layers:
        given = f"{len(blocks)} blocks were given for {n_layers} layers"
        raise InputError(f"{given}; give one each")
    parts = list(_edges_of_layers(weights))
    parts.append(links(blocks, n_nodes, coupling, omega, edges=edges))
    sources, targets, values = zip(*parts, strict=True)
    # 32-bit indices halve the memory of a network of many million edges.
    source = np.concatenate(sources, dtype=np.int32, casting="unsafe")
    target = np.concatenate(targets, dtype=np.int32, casting="unsafe")
    value = np.concatenate(values, dtype=float)
    matrix = sparse.csr_array((value, (source, target)), shape=(size, size))
    matrix.sort_indices()
    return matrix


def _edges_of_layers(weights: np.ndarray) -> Iterator[Links]:
    """Yield source, target and weight of every layer's edges in supra indices."""
    for place, layer in enumerate(weights):
        source, target = np.nonzero(layer)
        values = layer[source, target]
        first = np.int32(place * len(layer))
        sources = source.astype(np.int32) + first
        targets = target.astype(np.int32) + first
        yield sources, targets, values


def _joins(coupling: Named, blocks: np.ndarray) -> np.ndarray:
    """Return bool [layer, layer] of a coupling, checked."""
    shape = (len(blocks), len(blocks))
    function = COUPLINGS.resolve(coupling)
    joined = np.asarray(function(blocks))
    # A user's own function may return anything.
    is_right = joined.shape == shape and joined.dtype == bool
    if not is_right or joined.diagonal().any():
        returned = f"{joined.dtype} {list(joined.shape)}"
        expected = f"expected bool {list(shape)} without a diagonal"
        label = f"coupling {name_of(coupling)}"
        raise InputError(f"{label} returned {returned}; {expected}")
    return joined


def _leaving(omega: Any, n_layers: int, n_nodes: int) -> np.ndarray:
    """Return the weight [layer, node] of the links that leave a node of a layer."""
    shape = (n_layers, n_nodes)
    per_node = f"an array {list(shape)} of one value a layer and node"
    if not isinstance(omega, (list, tuple)) and np.ndim(omega) == 0:
        weight = positive("omega", omega, f", {per_node}, or coupling='none'")
        return np.full(shape, weight)
    try:
        leaving = numbers("omega", omega)
    except InputError:
        leaving = np.zeros(0)
    if leaving.shape != shape:
        given = repr(omega)
        if isinstance(omega, np.ndarray):
            given = f"an array {list(leaving.shape)}"
        wanted = f"a finite number above 0, or {per_node}"
        raise InputError(f"omega is {given}; give {wanted}")
    # A link of weight 0 is none, so that 0 is allowed node by node.
    if not np.isfinite(leaving).all() or (leaving < 0).any():
        problem = "NaN, infinity or a negative value"
        wanted = "finite values of at least 0"
        raise InputError(f"omega is an array with {problem}; give {wanted}")
    return leaving
