"""Groups of tokens: the finest communities that are at most so many."""

import numpy as np

from multiplex_vit.network.token_graph import graph_communities

_BISECTIONS = 10


def finest_communities(graph: np.ndarray, n_most: int) -> np.ndarray:
    """Return the finest communities [node] of a token graph that are at most so many.

    They are every token for itself, or else found by bisection of the resolution. Where even the
    coarsest communities are more, the coarsest are merged in turn.
    """
    if len(graph) <= n_most:
        return np.arange(len(graph))
    low, high = 0.0, 10.0
    finest = graph_communities(graph, resolution=1.0)
    # On the logarithm of the resolution, in which the number of communities grows evenly.
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        finer = graph_communities(graph, resolution=2**middle)
        if finer.max() + 1 <= n_most:
            low, finest = middle, finer
        else:
            high = middle
    return finest % n_most
