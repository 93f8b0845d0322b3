"""Null models for attention: each token keeps how much it attends, and loses to whom.

Attention is dense, so that its edges cannot be rewired; what can be dealt anew is which of its
weights a token gives to whom.
"""

from dataclasses import replace

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.null_models import NULL_MODELS
from multiplex_vit.network.matrices import linked_nodes
from multiplex_vit.network.tokens import Tokens

_LOOP, _TO_PREFIX, _FROM_PREFIX = -3, -2, -1
"""Classes of pairs of tokens that have no distance."""


@NULL_MODELS.register(keeps=("weights", "rows", "loops"))
@accepts()
def rows(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with the weights of each source dealt anew over the other nodes.

    Keeps how each token spreads its attention, and so out-strengths and out-degrees, and
    self-loops; loses whom it attends to, and so sinks, places and reciprocity.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator

    Returns
    -------
    Layer
        Isolates stay so.

    References
    ----------
    Maslov, Sneppen, Science 296, 910 (2002), doi:10.1126/science.1065103, here by rows; the
    general principle: Gotelli, Ecology 81, 2606 (2000),
    doi:10.1890/0012-9658(2000)081[2606:NMAOSC]2.0.CO;2.

    Examples
    --------
    >>> layer = Layer(np.array([[1, 0.5, 0.1], [0.2, 1, 0.4], [0.3, 0, 1]]))
    >>> rows(layer, np.random.default_rng(2)).weights.tolist()
    [[1.0, 0.5, 0.1], [0.2, 1.0, 0.4], [0.0, 0.3, 1.0]]
    """
    classes = np.zeros(layer.weights.shape, dtype=int)
    np.fill_diagonal(classes, _LOOP)
    return _dealt(layer, classes, rng)


@NULL_MODELS.register(keeps=("weights", "rows", "loops"), places=True)
@accepts()
def distances(layer: Layer, rng: np.random.Generator, *, width: float = 1.0) -> Layer:
    """Return the layer with the weights of each source dealt anew among nodes equally far away.

    Keeps how each token spreads its attention over distances on the grid, and so what `rows`
    keeps and the attention distance; loses in which direction it attends, and so sinks. What
    stands out from it is not explained by tokens that attend to their surroundings.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator
    width : float, above 0
        Patches are equally far if their distances round to the same multiple of it. Default: 1.

    Returns
    -------
    Layer
        Attention to prefix tokens stays among these; that of prefix tokens to patches, which have
        no distance from them, is dealt over all patches. Isolates stay so.

    References
    ----------
    Expert, Evans, Blondel, Lambiotte, PNAS 108, 7663 (2011), doi:10.1073/pnas.1018962108, whose
    null model keeps what distance explains.

    Examples
    --------
    >>> weights = np.array([[0, 0.5, 0.1], [0.3, 0, 0.4], [0.1, 0.6, 0]])
    >>> distances(Layer(weights), np.random.default_rng(1)).weights.tolist()
    [[0.0, 0.5, 0.1], [0.4, 0.0, 0.3], [0.1, 0.6, 0.0]]
    """
    return _dealt(layer, _distance_classes(layer.tokens, width), rng)


@NULL_MODELS.register(keeps=("weights",))
@accepts()
def identities(layer: Layer, rng: np.random.Generator) -> Layer:
    """Return the layer with its patches renumbered at random.

    Keeps the layer as a network, edge for edge; loses where on the image its nodes lie, and which
    nodes of other layers are the same. So it tells whether places matter, and whether layers are
    aligned; measures of one layer that know no places do not change.

    Parameters
    ----------
    layer : Layer
    rng : numpy.random.Generator

    Returns
    -------
    Layer
        Prefix tokens and isolates stay where they are.

    References
    ----------
    Krackhardt, Social Networks 10, 359 (1988), doi:10.1016/0378-8733(88)90004-4.

    Examples
    --------
    >>> layer = Layer(np.array([[0, 0.5, 0], [0, 0, 0.2], [0, 0, 0]]))
    >>> identities(layer, np.random.default_rng(0)).weights.tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.2, 0.0, 0.0]]
    """
    linked = linked_nodes(layer.weights)
    movable = linked[linked >= len(layer.tokens.prefix)]
    order = np.arange(len(layer.weights))
    order[movable] = rng.permutation(movable)
    return replace(layer, weights=layer.weights[np.ix_(order, order)])


def _dealt(layer: Layer, classes: np.ndarray, rng: np.random.Generator) -> Layer:
    """Return the layer with the weights of each row dealt anew among targets of one class."""
    # Nodes without edges take no part, so that chance does not depend on how many there are.
    linked = linked_nodes(layer.weights)
    inside = np.ix_(linked, linked)
    classes = classes[inside]
    draws = rng.random(classes.shape)
    before = np.argsort(classes, axis=1, kind="stable")
    after = np.argsort(classes + draws, axis=1, kind="stable")
    within = layer.weights[inside]
    dealt = np.empty_like(within)
    np.put_along_axis(dealt, after, np.take_along_axis(within, before, axis=1), axis=1)
    shuffled = np.zeros_like(layer.weights)
    shuffled[inside] = dealt
    return replace(layer, weights=shuffled)


def _distance_classes(tokens: Tokens, width: float) -> np.ndarray:
    """Return the class [source, target] of every pair by its distance."""
    apart = tokens.distances / width
    classes = np.rint(np.nan_to_num(apart)).astype(int)
    n_prefix = len(tokens.prefix)
    classes[:n_prefix] = _FROM_PREFIX
    classes[:, :n_prefix] = _TO_PREFIX
    np.fill_diagonal(classes, _LOOP)
    return classes
