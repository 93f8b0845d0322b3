"""Similarities of two layers: how the strengths of their nodes go together."""

import numpy as np

from multiplex_vit.accepts import accepts_two_layers
from multiplex_vit.network.multilayer.correlation import pearson_of, spearman_of
from multiplex_vit.network.multilayer.similarity import LAYER_SIMILARITIES


@LAYER_SIMILARITIES.register(
    scale="invariant",
    isolates="counted",
    transposed="out_strength_pearson",
)
@accepts_two_layers
def in_strength_pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation over nodes of the attention received in two layers.

    This is inter-layer assortativity.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        -1 to 1 (the same nodes receive much). NaN if all nodes of a layer receive the same, to 1
        part in a million.

    References
    ----------
    Nicosia, Latora, PRE 92, 032805 (2015), doi:10.1103/PhysRevE.92.032805.

    Examples
    --------
    >>> round(in_strength_pearson(np.array([[0, 1.0], [0, 0]]), np.array([[0, 0], [0.5, 0]])), 6)
    -1.0
    """
    return pearson_of(first.sum(0, dtype=float), second.sum(0, dtype=float))


@LAYER_SIMILARITIES.register(
    scale="invariant",
    isolates="counted",
    transposed="in_strength_pearson",
)
@accepts_two_layers
def out_strength_pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation over nodes of the attention paid in two layers.

    This is inter-layer assortativity.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        -1 to 1 (the same nodes pay much). NaN if all nodes of a layer pay the same, to 1 part in
        a million, as after a softmax over the nodes.

    References
    ----------
    Nicosia, Latora, PRE 92, 032805 (2015), doi:10.1103/PhysRevE.92.032805.

    Examples
    --------
    >>> round(out_strength_pearson(np.array([[0, 1.0], [0, 0]]), np.array([[0.5, 0], [0, 0]])), 6)
    1.0
    """
    return pearson_of(first.sum(1, dtype=float), second.sum(1, dtype=float))


@LAYER_SIMILARITIES.register(
    scale="invariant",
    isolates="counted",
    transposed="out_strength_spearman",
)
@accepts_two_layers
def in_strength_spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation over nodes of the attention received in two layers.

    Equal values share their mean rank.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        -1 to 1 (the same order of nodes). NaN if all nodes of a layer receive the same, to 1 part
        in a million.

    References
    ----------
    Nicosia, Latora, PRE 92, 032805 (2015), doi:10.1103/PhysRevE.92.032805.

    Examples
    --------
    >>> round(in_strength_spearman(np.array([[0, 1.0], [0, 0]]), np.array([[0, 0], [0.5, 0]])), 6)
    -1.0
    """
    return spearman_of(first.sum(0, dtype=float), second.sum(0, dtype=float))


@LAYER_SIMILARITIES.register(
    scale="invariant",
    isolates="counted",
    transposed="in_strength_spearman",
)
@accepts_two_layers
def out_strength_spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation over nodes of the attention paid in two layers.

    Equal values share their mean rank.

    Parameters
    ----------
    first, second : ndarray [source, target]

    Returns
    -------
    float
        -1 to 1 (the same order of nodes). NaN if all nodes of a layer pay the same, to 1 part in
        a million.

    References
    ----------
    Nicosia, Latora, PRE 92, 032805 (2015), doi:10.1103/PhysRevE.92.032805.

    Examples
    --------
    >>> round(out_strength_spearman(np.array([[0, 1.0], [0, 0]]), np.array([[0.5, 0], [0, 0]])), 6)
    1.0
    """
    return spearman_of(first.sum(1, dtype=float), second.sum(1, dtype=float))
