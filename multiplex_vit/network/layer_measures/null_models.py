"""Null models: a layer dealt anew at random, but for what the model keeps."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from multiplex_vit.network.chance import igraph_seeded
from multiplex_vit.network.layer import Layer
from multiplex_vit.registry import Registry

NULL_MODELS: Registry[Callable[[Layer, np.random.Generator], Layer]] = Registry("null model", data=2)
"""A member takes a `Layer` and a random generator, from which all its chance comes, and returns a new `Layer` of the same nodes."""


@NULL_MODELS.register
def weights(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with its weights dealt anew at random over its edges, self-loops too.

    Keeps the edges, and so every degree, and the weights as a whole; loses which edge has which, and so strengths.

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
    dealt = np.zeros_like(layer.weights)
    dealt[edge] = rng.permutation(layer.weights[edge])
    return replace(layer, weights=dealt)


@NULL_MODELS.register
def degree(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with its edges between nodes rewired, every node keeping its in-degree and its out-degree.

    Two edges a -> b and c -> d drawn at random become a -> d and c -> b unless that makes a self-loop or an edge that is there; 10
    draws for every edge, and one more on the toss of a coin: where no draw is refused, an even number of them leads to half of the
    layers alone. Self-loops stay as they are; the weights of the other edges are dealt anew over the rewired ones. Where nearly every
    edge is there, as before pruning, next to nothing can be rewired.

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
    graph = layer.without_loops.copy()
    with igraph_seeded(int(rng.integers(2**62))):
        graph.rewire(10 * graph.ecount() + int(rng.integers(2)))
    dealt = np.diag(layer.weights.diagonal())
    source, target = np.array(graph.get_edgelist(), dtype=int).reshape(-1, 2).T
    dealt[source, target] = rng.permutation(layer.weights[_between(layer)])
    return replace(layer, weights=dealt)


def _between(layer: Layer) -> np.ndarray:
    return (layer.weights > 0) & ~np.eye(len(layer.weights), dtype=bool)
