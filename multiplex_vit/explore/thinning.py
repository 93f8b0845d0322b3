"""Thinning: the strongest edges of every node, which is all of a network that a page can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError

EDGE_BYTES = 1_500_000
"""Bytes that the edges of all networks of a page take at most, before they are written as text."""

MOST_EDGES = 16
"""Edges of a node, in each direction, that a page holds at most."""

WEAKEST = 1e-4
"""The weakest edge that a page holds, as a share of the strongest of its layer."""

_BYTES_OF_WEIGHT = 1


@dataclass(frozen=True, eq=False)
class Strongest:
    """The strongest edges of every node of every layer in one direction, self-loops left out.

    Attributes
    ----------
    nodes : ndarray int [layer, node, k]
        The other end of each edge, strongest first.
    shares : ndarray float [layer, node, k]
        Weights as shares of the greatest weight of the layer, self-loops left out too; 0 where a
        node has fewer edges.
    """

    nodes: np.ndarray
    shares: np.ndarray


def strongest(weights: np.ndarray, k: int) -> Strongest:
    """Return the `k` strongest edges that each node sends.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        Finite and not negative; 0 is no edge.
    k : int
        From 1 up; a node has at most as many as there are other nodes.

    Raises
    ------
    InputError
        If `k` is no whole number of at least 1.

    Examples
    --------
    >>> weights = np.array([[[9, 1, 2], [0, 9, 4], [0, 0, 9]]])
    >>> edges = strongest(weights, 1)
    >>> edges.nodes[..., 0].tolist(), edges.shares[..., 0].tolist()
    ([[2, 2, 0]], [[0.5, 1.0, 0.0]])
    """
    k = whole("k", k, at_least=1)
    shares = _shares(weights)
    # Of equal weights, the target of the smaller number comes first.
    order = np.argsort(-shares, axis=2, kind="stable")
    nodes = order[..., :k]
    of_nodes = np.take_along_axis(shares, nodes, axis=2)
    return Strongest(nodes, of_nodes)


def greatest(weights: np.ndarray) -> np.ndarray:
    """Return the greatest weight [layer] of an edge between two nodes; 0 where there is none.

    Examples
    --------
    >>> greatest(np.array([[[9, 1], [2, 9]]])).tolist()
    [2.0]
    """
    return _without_loops(weights).max(axis=(1, 2))


def edges_that_fit(shapes: Sequence[tuple[int, int]], room: int = EDGE_BYTES) -> int:
    """Return how many edges a node may have in each direction, so that networks fit into a page.

    Parameters
    ----------
    shapes : sequence of (int, int)
        Layers and nodes of each network.
    room : int
        Bytes for all of them. Default: `EDGE_BYTES`.

    Returns
    -------
    int
        1 to `MOST_EDGES`.

    Raises
    ------
    InputError
        If not even one edge a node fits.

    Examples
    --------
    >>> edges_that_fit([(12, 196)]), edges_that_fit([(24, 576)] * 4)
    (16, 4)
    """
    bytes_of_one = 0
    for n_layers, n_nodes in shapes:
        bytes_of_edge = bytes_of_number(n_nodes) + _BYTES_OF_WEIGHT
        # Each node has edges that it sends, and edges that it receives.
        bytes_of_one += 2 * n_layers * n_nodes * bytes_of_edge
    # Without any network there is nothing to divide by.
    fitting = room // max(1, bytes_of_one)
    if fitting < 1:
        n_layers = sum(layers for layers, _ in shapes)
        size = f"{n_layers} layers of {shapes[0][1]:,} nodes"
        remedy = "give fewer layers or networks"
        raise InputError(f"{size} do not fit into a page; {remedy}")
    return min(fitting, MOST_EDGES)


def bytes_of_number(count: int) -> int:
    """Return how many bytes the number of one of `count` nodes takes: 1, 2 or 4.

    Examples
    --------
    >>> bytes_of_number(256), bytes_of_number(257)
    (1, 2)
    """
    # Numbers are from 0, so the last one is less by 1.
    last = max(0, count - 1)
    return np.min_scalar_type(last).itemsize


def _shares(weights: np.ndarray) -> np.ndarray:
    between = _without_loops(weights)
    top = between.max(axis=(1, 2), keepdims=True)
    # A layer without an edge has no greatest weight to divide by.
    return between / np.where(top > 0, top, 1)


def _without_loops(weights: np.ndarray) -> np.ndarray:
    # A loop has no other end to draw a line to.
    is_loop = np.eye(weights.shape[1], dtype=bool)
    return np.where(is_loop, 0, weights).astype(float)
