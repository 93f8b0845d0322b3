"""Random numbers of igraph, under a seed.

Leiden, Infomap and rewiring draw some, and so does ARPACK, below igraph's eigenvectors.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def igraph_seed(seed: int = 0) -> Iterator[None]:
    """Let igraph draw from a generator of its own for a while.

    Afterwards it has the generator that it starts with, Python's `random`.

    Examples
    --------
    >>> import igraph
    >>> with igraph_seed(0):
    ...     first = igraph.Graph.Erdos_Renyi(20, 0.5).get_edgelist()
    >>> with igraph_seed(0):
    ...     first == igraph.Graph.Erdos_Renyi(20, 0.5).get_edgelist()
    True
    """
    import igraph

    # Python's own generator is left alone, so that a user's seed stays good.
    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)
