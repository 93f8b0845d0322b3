"""Triads: in which of 16 ways each three nodes of a layer are joined."""

import warnings

from multiplex_vit.accepts import accepts
from multiplex_vit.network.layer import Layer

TRIADS = (
    "003",
    "012",
    "102",
    "021D",
    "021U",
    "021C",
    "111D",
    "111U",
    "030T",
    "030C",
    "201",
    "120D",
    "120U",
    "120C",
    "210",
    "300",
)
"""Kinds of triads: the number of pairs joined both ways, one way and not at all, and a letter.

D (down), U (up), C (cycle) and T (transitive) tell apart triads of the same numbers.
"""


@accepts()
def triad_census(layer: Layer) -> dict[str, int]:
    """Return how many sets of three nodes are joined in each of 16 ways, by igraph.

    Self-loops and weights do not count.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    dict of str to int
        By the names in `TRIADS`; they add up to n (n - 1) (n - 2) / 6.

    References
    ----------
    Holland, Leinhardt, American Journal of Sociology 76, 492 (1970), doi:10.1086/224954; Davis,
    Leinhardt, The Structure of Positive Interpersonal Relations in Small Groups (1972).

    Examples
    --------
    >>> import numpy as np
    >>> census = triad_census(Layer(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])))
    >>> census["030C"], sum(census.values())
    (1, 1)
    """
    if len(layer.weights) < 3:
        return dict.fromkeys(TRIADS, 0)
    with warnings.catch_warnings():
        # igraph warns of small graphs, of which its counts are right.
        warnings.simplefilter("ignore")
        counts = layer.without_loops.triad_census()
    census = {}
    for kind, count in zip(TRIADS, counts, strict=True):
        census[kind] = int(count)
    return census
