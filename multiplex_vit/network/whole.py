"""Whole: a network with its inter-layer links, for matrices, other libraries and files."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.network import convert, export, tables
from multiplex_vit.network.coupling import supra_adjacency
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.network.layer import Graphs, Layer
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named

Measures = Named | Iterable[Named] | None


class Whole:
    """What a `Multiplex` gives to other tools: all its layers and the links between them."""

    weights: np.ndarray
    layer_names: tuple[str, ...]
    provenance: Mapping[str, str | int | float]
    edges_before: tuple[int, ...]
    edges: str
    blocks: tuple[int, ...]
    heads: tuple[int, ...]
    grid: tuple[int, int]
    prefix: tuple[str, ...]

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return self.weights.shape[0]

    @property
    def n_nodes(self) -> int:
        """Number of nodes of a layer."""
        return self.weights.shape[1]

    @cached_property
    def tokens(self) -> Tokens:
        """The nodes: their names and places."""
        return Tokens(self.grid, self.prefix)

    @cached_property
    def layers(self) -> Graphs:
        """The layers as igraph graphs, each built when first asked for: `net.layers[3]`."""
        return Graphs(self._layers)

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        columns = (self.layer_names, self.edges_before, self.blocks, self.heads)
        layers = []
        for weights, name, before, block, head in zip(self.weights, *columns, strict=True):
            depth: dict[str, Any] = {"block": block, "head": head}
            layers.append(Layer(weights, self.tokens, name, before, **depth))
        return tuple(layers)

    def supra_adjacency(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> sparse.csr_array:
        """Return the matrix of the whole network with its inter-layer links.

        Row and column a * n_nodes + i is node i of layer a.

        Parameters
        ----------
        coupling : str or callable
            "none", "ordinal", "temporal", "categorical", or a function: block [layer] of every
            layer -> bool [layer, layer], True where information passes; see `COUPLINGS`. Links
            follow the edges: in a network of attention, temporal links lead from a block back to
            the one before, in one of information to the next.
        omega : float, or ndarray [layer, node]
            Weight of an inter-layer link; with an array, of the links that leave that node of that
            layer (0 for none).

        Returns
        -------
        scipy.sparse.csr_array [layer * node, layer * node]
        """
        depth: dict[str, Any] = {"blocks": self.blocks, "edges": self.edges}
        return supra_adjacency(self.weights, coupling, omega, **depth)

    def edge_table(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> pd.DataFrame:
        """Return every edge of `supra_adjacency` as a row, ordered by source and target.

        Columns are source, target, weight and kind ("attention" or "coupling").
        """
        return tables.edges(self.supra_adjacency(coupling=coupling, omega=omega), self.n_nodes)

    def to_igraph(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> igraph.Graph:
        """Return all layers and their inter-layer links as one directed igraph graph.

        Vertices are ordered as in `supra_adjacency`, with `name` ("L03:r1c4"), `layer`, `block`,
        `head`, `node`, `token`, `row` and `col`; edges have `weight` and `kind` ("attention" or
        "coupling"). The graph has provenance and `edge_direction`.
        """
        edges = self.edge_table(coupling=coupling, omega=omega)
        return convert.to_igraph(tables.node_index(self._layers), edges, self._about)

    def to_networkx(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> nx.DiGraph:
        """Return all layers and their inter-layer links as one networkx graph.

        Nodes are named as in `to_igraph`, and have the same attributes.
        """
        edges = self.edge_table(coupling=coupling, omega=omega)
        return convert.to_networkx(tables.node_index(self._layers), edges, self._about)

    @property
    def _about(self) -> dict[str, str | int | float]:
        """What a graph of another library should say of itself."""
        return {**self.provenance, "edge_direction": DIRECTIONS[self.edges]}

    def to_pymnet(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> Any:
        """Return the network as a directed pymnet MultilayerNetwork (extra "pymnet").

        Nodes and layers bear their names.
        """
        return export.to_pymnet(self._export(coupling, omega))

    def write(
        self,
        path: str | Path,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
        measures: Measures = "in_strength",
        format: Named | None = None,
    ) -> list[Path]:
        """Write the network to a file, whole or not at all, and return what was written.

        The format is given by name or by the suffix of the path.

        One layer is `net.select(3).write(path)`, the layers taken together
        `net.aggregate("sum").write(path)`.

        Parameters
        ----------
        path : path-like
        coupling, omega
            As for `supra_adjacency`.
        measures : str, callable, or iterable of them
            Centralities written beside each node where the format can hold them; the first gives
            size and colour. None for none.
        format : str or callable, optional
            A member of `EXPORTERS`.

        Raises
        ------
        InputError
            If the format or a measure is unknown, or the file cannot be written.
        """
        return export.write(self._export(coupling, omega, measures), Path(path), format)

    def _export(self, coupling: Named, omega: float | np.ndarray, measures: Measures = None) -> export.Export:
        values = {} if measures is None else tables.centralities(self._layers, measures)
        return export.Export(
            self.weights,
            self.tokens,
            self.layer_names,
            self.provenance,
            coupling,
            omega,
            values,
            self.edges_before,
            self.edges,
            self.blocks,
            self.heads,
        )
