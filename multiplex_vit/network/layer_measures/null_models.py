"""Null models: a layer dealt anew at random, but for what the model keeps."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import igraph
import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.matrices import linked_nodes
from multiplex_vit.network.seeding import igraph_seed
from multiplex_vit.registry import Registry

NullModel = Callable[[Layer, np.random.Generator], Layer]

_KEPT = Literal["edges", "in_degrees", "out_degrees", "rows", "loops", "weights"]

NULL_MODELS: Registry[NullModel] = Registry(
    "null model",
    data=2,
    traits={"keeps": tuple[_KEPT, ...], "rewires": bool, "places": bool, "signed": bool},
)
"""A member takes a `Layer` and a random generator, and returns a new `Layer`.

The new layer has the same nodes, and all chance comes from the generator. The trait `keeps` names
what it keeps of the layer, of "edges" (where they are), "in_degrees", "out_degrees", "rows" (the
weights that each node sends), "loops" and "weights" (as a whole); `rewires` is True where edges are
rewired, `places` where it matters where on the grid a node lies.
"""


@NULL_MODELS.register(keeps=("weights", "edges"))
@accepts()
def weights(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with its weights dealt anew at random over its edges, self-loops too.

    Keeps the edges, and so every degree, and the weights as a whole; loses which edge has which,
    and so strengths.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator

    Returns
    -------
    Layer

    References
    ----------
    Opsahl, Colizza, Panzarasa, Ramasco, PRL 101, 168702 (2008), doi:10.1103/PhysRevLett.101.168702.

    Examples
    --------
    >>> weights(Layer(np.array([[0, 0.5], [0.25, 1]])), np.random.default_rng(0)).weights.tolist()
    [[0.0, 1.0], [0.5, 0.25]]
    """
    edge = layer.weights.nonzero()
    # Of the layer's own type, so that no weight is rounded.
    shuffled = np.zeros_like(layer.weights)
    shuffled[edge] = rng.permutation(layer.weights[edge])
    return replace(layer, weights=shuffled)


@NULL_MODELS.register(rewires=True, keeps=("weights", "in_degrees", "rows", "loops"))
@accepts()
def degree(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with its edges between nodes rewired.

    Every node keeps its in-degree and its out-degree.

    Two edges a -> b and c -> d drawn at random become a -> d and c -> b unless that makes a
    self-loop or an edge that is there; 10 draws for every edge, and one more on the toss of a
    coin: where no draw is refused, an even number of them leads to half of the layers alone.
    Where more than half of all edges are there, those that are not are rewired instead, which
    comes to the same and is refused less often.

    A weight stays with its source: an edge that is still there keeps its weight, and the weights
    that a node loses are dealt at random over the edges that it gets. So every out-strength is
    kept, in-strengths are not, and nothing but rewiring changes a measure. Self-loops stay as
    they are.

    A layer of density p (self-loops left out) can move at most (1 - p) / p of its edges, so next to
    nothing before pruning, and less where degrees are far from equal: see `share_rewired` and
    `most_rewired`. `layer_table` shows the share and warns where it is below a half.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator

    Returns
    -------
    Layer

    References
    ----------
    Maslov, Sneppen, Science 296, 910 (2002), doi:10.1126/science.1065103.

    Examples
    --------
    >>> layer = Layer(np.array([[1, 0.5, 0], [0, 0, 0.5], [0, 0, 0]]))
    >>> degree(layer, np.random.default_rng(0)).weights.astype(bool).sum(0).tolist()
    [1, 1, 1]
    """
    weights = layer.weights
    before = _between(layer)
    after = _rewired(before, rng)
    shuffled = np.where(before & after, weights, 0)
    np.fill_diagonal(shuffled, weights.diagonal())
    lost = before & ~after
    gained = after & ~before
    for source in np.flatnonzero(lost.any(1)):
        freed = weights[source, lost[source]]
        shuffled[source, gained[source]] = rng.permutation(freed)
    return replace(layer, weights=shuffled.astype(weights.dtype))


@NULL_MODELS.register(rewires=True, keeps=("weights", "in_degrees", "out_degrees", "loops"))
@accepts()
def degree_and_weights(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer rewired as by `degree`, with its weights shuffled too.

    The weights between nodes are dealt anew as by `weights`.

    Keeps every degree and the weights as a whole; loses strengths. Self-loops stay as they are.
    Where few edges can be rewired, it differs from `weights` by little, and so do the scores
    against it.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator

    Returns
    -------
    Layer

    References
    ----------
    Maslov, Sneppen, Science 296, 910 (2002), doi:10.1126/science.1065103; Opsahl, Colizza,
    Panzarasa, Ramasco, PRL 101, 168702 (2008), doi:10.1103/PhysRevLett.101.168702.

    Examples
    --------
    >>> layer = Layer(np.array([[1, 0.5, 0], [0, 0, 0.25], [0, 0, 0]]))
    >>> np.unique(degree_and_weights(layer, np.random.default_rng(0)).weights).tolist()
    [0.0, 0.25, 0.5, 1.0]
    """
    before = _between(layer)
    after = _rewired(before, rng)
    # Self-loops stay as they are.
    shuffled = np.diag(layer.weights.diagonal())
    shuffled[after] = rng.permutation(layer.weights[before])
    return replace(layer, weights=shuffled)


@accepts()
def share_rewired(layer: Layer, sample: Layer) -> float:
    """Return the share of a layer's edges between nodes that are not in a sample of a null model.

    Parameters
    ----------
    layer, sample : Layer

    Returns
    -------
    float
        0 (all edges are where they were) to 1 (none is); NaN without an edge between two nodes.

    Examples
    --------
    >>> layer = Layer(np.array([[1, 0.5, 0], [0, 0, 0.5], [0, 0, 0]]))
    >>> share_rewired(layer, Layer(np.array([[1, 0.5, 0], [0, 0, 0], [0, 0.5, 0]])))
    0.5
    """
    before = _between(layer)
    if not before.any():
        return np.nan
    moved = before & ~_between(sample)
    return float(np.count_nonzero(moved) / np.count_nonzero(before))


@accepts()
def share_moved(layer: Layer, sample: Layer) -> float:
    """Return the share of the weight between nodes that lies elsewhere in a sample.

    1 - sum_(i != j) min(w_ij, w'_ij) / sum_(i != j) w_ij

    Parameters
    ----------
    layer, sample : Layer

    Returns
    -------
    float
        0 (all of it is where it was) to 1 (none is); NaN without an edge between two nodes.

    Examples
    --------
    >>> layer = Layer(np.array([[1, 0.5, 0], [0, 0, 0.5], [0, 0, 0]]))
    >>> share_moved(layer, Layer(np.array([[1, 0.25, 0.25], [0, 0, 0.5], [0, 0, 0]])))
    0.25
    """
    is_loop = np.eye(len(layer.weights), dtype=bool)
    before = np.where(is_loop, 0, layer.weights.astype(float))
    if not before.any():
        return np.nan
    stays = np.minimum(before, sample.weights)
    return float(1 - stays.sum() / before.sum())


@accepts()
def most_rewired(layer: Layer) -> float:
    """Return a share of edges between nodes that no rewiring of a layer exceeds.

    A node of degree k has edges to k of n - 1 others, and none to n - 1 - k: so at most as many
    of its edges can move as the less of both, at either end.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (every edge is there, or stays by the degrees of its ends) to 1; NaN without an edge
        between two nodes.

    Examples
    --------
    >>> most_rewired(Layer(np.array([[0, 1, 1], [1, 0, 1], [1, 0, 0]])))
    0.2
    """
    edge = _between(layer)
    if not edge.any():
        return np.nan
    movable = []
    for side in (0, 1):
        degree = edge.sum(side)
        absent = len(edge) - 1 - degree
        movable.append(np.minimum(degree, absent).sum())
    return float(min(movable) / edge.sum())


def _rewired(edge: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return edges [source, target] rewired, degrees kept; nodes without edges take no part."""
    linked = linked_nodes(edge)
    n_linked = len(linked)
    within = edge[np.ix_(linked, linked)]
    between = ~np.eye(n_linked, dtype=bool)
    absent = ~within & between
    # Rewiring the absent edges comes to the same, and fewer draws are refused.
    dense = np.count_nonzero(absent) < np.count_nonzero(within)
    fewer = absent if dense else within
    graph = igraph.Graph(n=n_linked, edges=np.column_stack(fewer.nonzero()), directed=True)
    with igraph_seed(int(rng.integers(2**62))):
        # One more draw on the toss of a coin: see `degree`.
        graph.rewire(10 * graph.ecount() + int(rng.integers(2)))
    source, target = np.array(graph.get_edgelist(), dtype=int).reshape(-1, 2).T
    moved = np.zeros_like(within)
    moved[source, target] = True
    if dense:
        moved = ~moved & between
    rewired = np.zeros_like(edge)
    rewired[np.ix_(linked, linked)] = moved
    return rewired


def _between(layer: Layer) -> np.ndarray:
    """Return bool [source, target]: whether there is an edge, self-loops left out."""
    is_loop = np.eye(len(layer.weights), dtype=bool)
    return (layer.weights > 0) & ~is_loop
