"""How the edges of a layer are arranged: around a core, among the strong, by threes."""

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import one_of, share
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.layer_measures.rounding import is_constant
from multiplex_vit.network.matrices import linked_nodes
from multiplex_vit.network.structure.components import PARTS, bow_tie
from multiplex_vit.network.structure.richness import (
    club_weight,
    core_nodes,
    scaled_between,
    strongest_nodes,
)
from multiplex_vit.network.structure.triads import TRIADS, triad_census


@LAYER_MEASURES.register(scale="invariant", isolates="counted", transposed="bow_tie_share")
@accepts()
def bow_tie_share(layer: Layer, *, part: str = "core") -> float:
    """Return the share of nodes in a part of the bow-tie.

    Parameters
    ----------
    layer : Layer
    part : str
        Of `structure.PARTS`: "core", "in", "out", "tube", "tendril" or "apart"; see
        `structure.bow_tie`. Default: "core", the largest strongly connected part.

    Returns
    -------
    float
        0 to 1. Isolates are "apart".

    References
    ----------
    Broder et al., Computer Networks 33, 309 (2000), doi:10.1016/S1389-1286(00)00083-9.

    Examples
    --------
    >>> layer = Layer(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    >>> bow_tie_share(layer), bow_tie_share(layer, part="out")
    (0.5, 0.25)
    """
    part = one_of("part", part, PARTS)
    lies_there = bow_tie(layer.weights) == part
    return float(lies_there.mean())


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="triads")
@accepts()
def triads(layer: Layer, *, kind: str = "300") -> int:
    """Return how many sets of three nodes are joined in one of 16 ways.

    Parameters
    ----------
    layer : Layer
    kind : str
        Of `structure.TRIADS`, such as "030C" (each attends to the next). Default: "300", each
        attends to both others.

    Returns
    -------
    int
        From 0 up. Weights, self-loops and, by default, isolates do not count.

    References
    ----------
    Holland, Leinhardt, American Journal of Sociology 76, 492 (1970), doi:10.1086/224954.

    Examples
    --------
    >>> triads(Layer(np.ones((4, 4))))
    4
    """
    kind = one_of("kind", kind, TRIADS)
    return triad_census(layer)[kind]


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="rich_club")
@accepts()
def rich_club(layer: Layer, *, fraction: float = 0.1) -> float:
    """Return how far the strongest edges lie between the strongest nodes.

    The weight between the strongest nodes (in and out together) over that of as many of the
    layer's strongest edges. Strong nodes have strong edges by chance too: hold it against a null
    model, as in `layer_table(null_model="degree")`.

    Parameters
    ----------
    layer : Layer
    fraction : float, 0 to 1
        Of the nodes that have edges; at least two. Default: 0.1.

    Returns
    -------
    float
        0 to 1. Self-loops and isolates do not count. NaN where no edge joins these nodes.

    References
    ----------
    Opsahl et al., PRL 101, 168702 (2008), doi:10.1103/PhysRevLett.101.168702.

    Examples
    --------
    >>> rich_club(Layer(np.array([[0, 0.5, 1.0], [0.5, 0, 0], [1.0, 0, 0]])))
    1.0
    """
    fraction = share("fraction", fraction)
    rich = strongest_nodes(layer.weights, fraction)
    # The unit of weights does not matter.
    between = scaled_between(layer.weights)
    return club_weight(between, rich)


@LAYER_MEASURES.register(scale="invariant", isolates="kept", transposed="core_periphery")
@accepts()
def core_periphery(layer: Layer) -> float:
    """Return how well the layer is a core whose nodes attend to each other, and a periphery.

    It is Pearson's correlation, over pairs of nodes i != j that have edges, of w_ij and of whether
    both are in the core (see the centrality `rich_core`).

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        -1 to 1 (all weight within the core, the same for all its pairs). Self-loops and isolates
        do not count. NaN where all nodes are in the core, or all weights are the same.

    References
    ----------
    Borgatti, Everett, Social Networks 21, 375 (2000), doi:10.1016/S0378-8733(99)00019-2.

    Examples
    --------
    >>> weights = np.zeros((4, 4))
    >>> weights[[0, 1, 0, 1], [1, 0, 2, 3]] = [1.0, 1.0, 0.5, 0.5]
    >>> round(core_periphery(Layer(weights)), 4)
    0.8783
    """
    between = scaled_between(layer.weights)
    linked = linked_nodes(between)
    core = core_nodes(layer.weights)[linked]
    # A node is no pair with itself.
    pairs = ~np.eye(len(core), dtype=bool)
    weights = between[np.ix_(linked, linked)][pairs]
    in_core = np.outer(core, core)[pairs]
    if in_core.all() or is_constant(weights, weights):
        return np.nan
    correlations = np.corrcoef(weights, in_core)
    return float(correlations[0, 1])
