"""Multiplex: a network with one layer a transformer block and the same patch tokens as nodes in all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import igraph
import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.checks import share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network import coupling as coupling_room
from multiplex_vit.network import export, tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Multiplex:
    """A directed, weighted multiplex network of patch tokens.

    Node i lies at row i // cols and column i % cols of the patch grid. An edge runs from the source (the token that attends) to the
    target (the token attended to); its weight is the attention paid. A weight of 0 is no edge.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        Finite and not negative.
    grid : tuple of int
        Rows and columns of patches; rows * cols nodes.
    layer_names : tuple of str, optional
        "L00", "L01", ... unless given.
    provenance : mapping of str to str or number, optional
        Where the network comes from; written into exported files.

    Raises
    ------
    InputError
        If weights are not [layer, node, node] of that grid, or hold a negative value or NaN.

    Examples
    --------
    >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]], [[0, 0], [0.125, 0]]]), grid=(1, 2))
    >>> net
    <Multiplex: 2 layers of 2 nodes (1 x 2), 4 edges>
    >>> net.layers[1].es["weight"]
    [0.125]
    >>> net.prune(0.3).layers[0].es["weight"]
    [0.5, 1.0]
    """

    weights: np.ndarray
    grid: tuple[int, int]
    layer_names: tuple[str, ...] = ()
    provenance: Mapping[str, str | int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        weights, (rows, cols) = np.array(self.weights), self.grid
        if weights.dtype.kind in "bui":
            weights = weights.astype(float)
        if weights.dtype.kind != "f":
            raise InputError(f"weights are {weights.dtype}; give real numbers")
        if weights.ndim != 3 or weights.shape[1:] != (rows * cols, rows * cols) or not len(weights):
            raise InputError(f"weights have shape {list(weights.shape)}; a {rows} x {cols} grid wants [layer, {rows * cols}, {rows * cols}]")
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError("weights hold NaN, infinity or a negative value; attention is finite and at least 0")
        names = tuple(self.layer_names) or tuple(f"L{i:02d}" for i in range(len(weights)))
        if len(names) != len(weights) or len(set(names)) != len(names):
            raise InputError(f"{len(weights)} layers want as many distinct names; got {list(names)}")
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "layer_names", names)

    def __repr__(self) -> str:
        rows, cols = self.grid
        return f"<Multiplex: {self.n_layers} layers of {self.n_nodes} nodes ({rows} x {cols}), {np.count_nonzero(self.weights):,} edges>"

    def _repr_html_(self) -> str:
        return f"<p>{repr(self).strip('<>')}</p>" + self.layer_table().to_html(index=False)

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return self.weights.shape[0]

    @property
    def n_nodes(self) -> int:
        """Number of nodes of a layer."""
        return self.weights.shape[1]

    @cached_property
    def layers(self) -> "Layers":
        """The layers as igraph graphs, each built when first asked for: `net.layers[3]`."""
        return Layers(self)

    def prune(self, min_cut: float) -> "Multiplex":
        """Return the network without the edges below `min_cut` times their layer's greatest weight (equality stays).

        Raises
        ------
        InputError
            If `min_cut` is not within 0 and 1.
        """
        min_cut = share("min_cut", min_cut)
        threshold = self.weights.dtype.type(min_cut) * self.weights.max((1, 2), keepdims=True)
        kept = np.where(self.weights < threshold, 0, self.weights)
        return replace(self, weights=kept, provenance={**self.provenance, "min_cut": min_cut})

    def since(self, starting_layer: int) -> "Multiplex":
        """Return the network of the layers from `starting_layer` on.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if whole("starting_layer", starting_layer, at_least=0) >= self.n_layers:
            raise InputError(f"starting_layer is {starting_layer}; give 0 to {self.n_layers - 1}")
        names = self.layer_names[starting_layer:]
        return replace(self, weights=self.weights[starting_layer:], layer_names=names, provenance={**self.provenance, "starting_layer": starting_layer})

    def supra_adjacency(self, *, coupling: str | Callable[[int], np.ndarray] = "ordinal", omega: float = 1.0) -> sparse.csr_array:
        """Return the matrix of the whole network with its inter-layer links; row and column a * n_nodes + i is node i of layer a.

        Parameters
        ----------
        coupling : str or callable
            "none", "ordinal", "temporal", "categorical", or a function: number of layers -> bool [layer, layer].
        omega : float
            Weight of an inter-layer link.

        Returns
        -------
        scipy.sparse.csr_array [layer * node, layer * node]
        """
        return coupling_room.supra_adjacency(self.weights, coupling, omega)

    def to_igraph(self, *, coupling: str | Callable[[int], np.ndarray] = "ordinal", omega: float = 1.0) -> igraph.Graph:
        """Return all layers and their inter-layer links as one directed graph.

        Vertices are ordered as in `supra_adjacency`, with `name` ("L03:r1c4"), `layer`, `node`, `row` and `col`; edges have
        `weight` and `kind` ("attention" or "coupling").
        """
        edges = self.edges(coupling=coupling, omega=omega)
        graph = igraph.Graph(n=self.n_layers * self.n_nodes, edges=edges[["source", "target"]].to_numpy(), directed=True)
        for name, values in tables.node_index(self).items():
            graph.vs[name] = values.tolist()
        graph.es["weight"], graph.es["kind"] = edges["weight"].tolist(), edges["kind"].tolist()
        return graph

    def to_networkx(self, *, coupling: str | Callable[[int], np.ndarray] = "ordinal", omega: float = 1.0) -> nx.DiGraph:
        """Return all layers and their inter-layer links as one networkx graph; nodes are named as in `to_igraph`."""
        index = tables.node_index(self)
        names = index["name"].to_numpy()
        graph = nx.DiGraph(**self.provenance)
        graph.add_nodes_from(zip(names, index.drop(columns="name").to_dict("records"), strict=True))
        edges = self.edges(coupling=coupling, omega=omega)
        ends = zip(names[edges["source"]], names[edges["target"]], edges[["weight", "kind"]].to_dict("records"), strict=True)
        graph.add_edges_from(ends)
        return graph

    def edges(self, *, coupling: str | Callable[[int], np.ndarray] = "ordinal", omega: float = 1.0) -> pd.DataFrame:
        """Return every edge of `supra_adjacency` as a row: source, target, weight, kind, ordered by source and target."""
        matrix = self.supra_adjacency(coupling=coupling, omega=omega).tocoo()
        source, target = matrix.coords
        inside = source // self.n_nodes == target // self.n_nodes
        kinds = np.where(inside, "attention", "coupling")
        table = pd.DataFrame({"source": source, "target": target, "weight": matrix.data, "kind": kinds})
        return table.sort_values(["source", "target"], ignore_index=True)

    def node_table(self, measures: str | Callable | Iterable[str | Callable] | None = None) -> pd.DataFrame:
        """Return one row a layer and node, one column a centrality (all registered ones unless told)."""
        return tables.node_table(self, measures)

    def layer_table(self) -> pd.DataFrame:
        """Return one row a layer: nodes, edges, density, self-loops, isolates, weights."""
        return tables.layer_table(self)

    def write(self, path: str | Path, *, coupling: str | Callable = "ordinal", omega: float = 1.0, format: str | None = None) -> None:
        """Write the whole network to a file, by its suffix or the format named; the file is written whole or not at all.

        Raises
        ------
        InputError
            If the format is unknown or the file cannot be written.
        """
        export.write(self, Path(path), format or Path(path).suffix.removeprefix(".").lower(), coupling=coupling, omega=omega)

    def plot(self, **options: Any) -> "Axes":
        """Draw the layers stacked, with their inter-layer links; see `multiplex_vit.plot.stack`."""
        from multiplex_vit import plot

        return plot.stack(self.weights, self.grid, names=self.layer_names, **options)


class Layers(Sequence[igraph.Graph]):
    """The layers of a Multiplex as directed igraph graphs, built when first asked for.

    Each graph has the vertex attributes `name` ("r1c4"), `row` and `col` and the edge attribute `weight`.
    """

    def __init__(self, net: Multiplex):
        self._net = net
        self._built: dict[int, igraph.Graph] = {}

    def __len__(self) -> int:
        return self._net.n_layers

    @overload
    def __getitem__(self, index: int) -> igraph.Graph: ...
    @overload
    def __getitem__(self, index: slice) -> list[igraph.Graph]: ...
    def __getitem__(self, index: int | slice) -> igraph.Graph | list[igraph.Graph]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place not in self._built:
            self._built[place] = self._build(place)
        return self._built[place]

    def _build(self, place: int) -> igraph.Graph:
        weights = self._net.weights[place]
        source, target = weights.nonzero()
        graph = igraph.Graph(n=len(weights), edges=np.column_stack([source, target]), directed=True)
        graph.es["weight"] = weights[source, target].astype(float).tolist()
        row, col = np.divmod(np.arange(len(weights)), self._net.grid[1])
        graph.vs["name"] = tables.node_names(self._net.grid)
        graph.vs["row"], graph.vs["col"] = row.tolist(), col.tolist()
        graph["layer"] = self._net.layer_names[place]
        return graph
