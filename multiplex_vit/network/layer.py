"""Layer: one layer of a network, with all that its measures share computed once.

igraph is imported where a graph is first built, so that reading the names of measures stays quick.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from multiplex_vit.accepts import accepts, signed_matrix
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.network.shortest import Paths, lengths_of
from multiplex_vit.network.tokens import Tokens

if TYPE_CHECKING:
    import igraph


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: what a measure of a layer is given.

    Parameters
    ----------
    weights : ndarray [source, target]
        0 is no edge.
    tokens : Tokens, optional
        The nodes. Default: patches in one row.
    name : str
    edges_before : int, optional
        Edges before the layer was pruned, where it was.
    block : int
        The transformer block that the layer shows; -1 for several together.
    head : int
        The head of that block; -1 for several together.

    Examples
    --------
    >>> layer = Layer(np.array([[0, 0.5], [0.25, 1]]))
    >>> layer.graph.es["weight"]
    [0.5, 0.25, 1.0]
    >>> layer.distances("inverse").tolist()
    [[0.0, 2.0], [4.0, 0.0]]
    """

    weights: np.ndarray
    tokens: Tokens = None  # type: ignore[assignment]
    name: str = ""
    edges_before: int | None = None
    block: int = 0
    head: int = -1
    _paths: dict[str, Paths] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        weights = signed_matrix("weights", self.weights)
        tokens = self.tokens
        if tokens is None:
            tokens = Tokens((1, len(weights)))
        if not isinstance(tokens, Tokens) or len(tokens) != len(weights):
            raise InputError(f"tokens is {shown(tokens)}; give the Tokens of {len(weights)} nodes")
        # A frozen object gets its checked values by way of its own dictionary.
        vars(self).update(weights=weights, tokens=tokens)

    @cached_property
    def graph(self) -> "igraph.Graph":
        """The layer as a directed igraph graph.

        Vertices have name, token, row and col. Edges have weight, and are ordered by source and
        target. Measures use this graph, so change a copy of it.
        """
        import igraph

        # Ordered by source and target, on which `lengths` relies.
        source, target = self.weights.nonzero()
        edges = np.column_stack([source, target])
        graph = igraph.Graph(n=len(self.weights), edges=edges, directed=True)
        graph.es["weight"] = self.weights[source, target].astype(float).tolist()
        for name, values in self.tokens.table.drop(columns="node").items():
            graph.vs[name] = values.tolist()
        graph["layer"] = self.name
        return graph

    @cached_property
    def without_loops(self) -> "igraph.Graph":
        """`graph` without its self-loops."""
        graph = self.graph.copy()
        graph.delete_edges(np.flatnonzero(graph.is_loop()).tolist())
        return graph

    @cached_property
    def symmetric(self) -> "igraph.Graph":
        """The undirected graph of W + W^T, self-loops included.

        It serves measures that are defined for undirected networks only.
        """
        # Both directions of an edge become one edge of their total weight.
        sums = {"weight": "sum"}
        return self.graph.as_undirected(mode="collapse", combine_edges=sums)

    @accepts()
    def lengths(self, length: str = "inverse") -> list[float]:
        """Return the length of every edge of `graph`.

        Attention is a strength, so more of it is nearer.

        Parameters
        ----------
        length : "inverse" or "log"
            "inverse" is 1 / w (Newman, PRE 64, 016132 (2001), doi:10.1103/PhysRevE.64.016132).
            "log" is -ln w, so that a path is as long as the product of its attentions is small;
            it wants weights of at most 1. An edge of weight 1 is then 2^-52 long.

        Raises
        ------
        InputError
            If the length is unknown, or "log" meets a weight above 1.
        """
        weights = np.asarray(self.graph.es["weight"], dtype=float)
        return lengths_of(weights, length).tolist()

    @accepts()
    def paths(self, length: str = "inverse") -> Paths:
        """Return the shortest paths, each length's computed once; see `lengths`."""
        # Several measures need the same paths, which take longest of all.
        if length not in self._paths:
            self._paths[length] = Paths(self.weights, length)
        return self._paths[length]

    @accepts()
    def distances(self, length: str = "inverse") -> np.ndarray:
        """Return the lengths [source, target] of the shortest paths.

        The length is infinite where there is no path.
        """
        return self.paths(length).distances


class Graphs(Sequence["igraph.Graph"]):
    """Layers as directed igraph graphs.

    Each graph is built when it is first asked for, and is the caller's to change.
    """

    def __init__(self, layers: Sequence[Layer]):
        self._layers = layers
        self._built: dict[int, igraph.Graph] = {}

    def __len__(self) -> int:
        return len(self._layers)

    @overload
    def __getitem__(self, index: int) -> "igraph.Graph": ...
    @overload
    def __getitem__(self, index: slice) -> "list[igraph.Graph]": ...
    def __getitem__(self, index: int | slice) -> "igraph.Graph | list[igraph.Graph]":
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            return [self[place] for place in places]
        place = range(len(self))[index]
        if place not in self._built:
            # A copy, since measures use the graph of the layer itself.
            self._built[place] = self._layers[place].graph.copy()
        return self._built[place]
