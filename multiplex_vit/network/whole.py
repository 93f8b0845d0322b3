"""Whole: a network with its inter-layer links, for matrices, other libraries, files and pages."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.explore import Explorer
from multiplex_vit.network import convert, export, tables, thinned
from multiplex_vit.network.coupling import supra_adjacency
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.network.layer import Graphs, Layer
from multiplex_vit.network.positions import positions
from multiplex_vit.network.tables import Measures
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.pictures import read_image
from multiplex_vit.registry import Named


class Whole:
    """What a `Multiplex` gives to other tools: all its layers and the links between them."""

    weights: np.ndarray
    layer_names: tuple[str, ...]
    provenance: Mapping[str, str | int | float]
    edges_before: tuple[int, ...]
    edges: str
    blocks: tuple[int, ...]
    heads: tuple[int, ...]
    signed: bool
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

    @property
    def n_edges(self) -> int:
        """Number of edges of all layers, self-loops included and inter-layer links left out."""
        return int(np.count_nonzero(self.weights))

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
        return tuple(self._layer(place) for place in range(self.n_layers))

    def _layer(self, place: int) -> Layer:
        """Return a layer of its own, so that what is done to its graph reaches no measure."""
        return Layer(
            self.weights[place],
            self.tokens,
            self.layer_names[place],
            self.edges_before[place],
            block=self.blocks[place],
            head=self.heads[place],
        )

    @accepts()
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
            the one before, in one of information to the next. Default: "ordinal".
        omega : float, or ndarray [layer, node]
            Weight of an inter-layer link; with an array, of the links that leave that node of that
            layer (0 for none). Default: 1.

        Returns
        -------
        scipy.sparse.csr_array [layer * node, layer * node]

        Raises
        ------
        InputError
            If the coupling is unknown, or omega is no such weight.
        """
        return supra_adjacency(
            self.weights,
            coupling,
            omega,
            blocks=self.blocks,
            edges=self.edges,
        )

    @accepts()
    def edge_table(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> pd.DataFrame:
        """Return every edge of `supra_adjacency` as a row, ordered by source and target.

        Columns are source, target, weight and kind ("attention" or "coupling").

        Parameters
        ----------
        coupling, omega
            As for `supra_adjacency`.
        """
        supra = self.supra_adjacency(coupling=coupling, omega=omega)
        return tables.edges(supra, self.n_nodes)

    @accepts()
    def to_igraph(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
        measures: Measures = None,
    ) -> igraph.Graph:
        """Return all layers and their inter-layer links as one directed igraph graph.

        Vertices are ordered as in `supra_adjacency`, with `name` ("L03:r1c4"), `layer`, `block`,
        `head`, `node`, `token`, `row`, `col`, their place `x`, `y` and `z` as in files, and each
        measure. Edges have `weight` and `kind` ("attention" or "coupling"). The graph has
        provenance and `edge_direction`.

        Parameters
        ----------
        coupling, omega
            As for `supra_adjacency`.
        measures : str, callable, iterable of them, or mapping of str to values
            As for `node_table`. Default: none.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> graph = net.to_igraph(measures={"community": ["a", "b"]})
        >>> graph.vs["x"], graph.vs["community"]
        ([0.0, 25.0], ['a', 'b'])
        """
        edges = self.edge_table(coupling=coupling, omega=omega)
        return convert.to_igraph(self._node_attributes(measures), edges, self._about)

    @accepts()
    def to_networkx(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
        measures: Measures = None,
    ) -> nx.DiGraph:
        """Return all layers and their inter-layer links as one networkx graph.

        Nodes are named as in `to_igraph`, and have the same attributes.

        Parameters
        ----------
        coupling, omega, measures
            As for `to_igraph`.
        """
        edges = self.edge_table(coupling=coupling, omega=omega)
        return convert.to_networkx(self._node_attributes(measures), edges, self._about)

    @accepts()
    def to_arrays(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> convert.NetworkArrays:
        """Return all layers and their inter-layer links as plain arrays.

        They are what scikit-network (`PageRank().fit_predict(arrays.adjacency)`) and graph-tool
        (`Graph(np.column_stack([arrays.edges, arrays.weights]), eprops=[("weight", "double")])`)
        begin with.

        Parameters
        ----------
        coupling, omega
            As for `supra_adjacency`.

        Returns
        -------
        NetworkArrays
            adjacency, names, edges and weights.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> arrays = net.to_arrays()
        >>> arrays.names.tolist(), arrays.edges.tolist(), arrays.weights.tolist()
        (['L00:r0c0', 'L00:r0c1'], [[0, 1], [1, 0], [1, 1]], [0.5, 0.25, 1.0])
        """
        edges = self.edge_table(coupling=coupling, omega=omega)
        return convert.to_arrays(tables.node_index(self._layers), edges)

    def _node_attributes(self, measures: Measures) -> pd.DataFrame:
        """Return what a graph of another library should know of each node."""
        index = tables.node_index(self._layers)
        # The places of files, so that pictures of all tools look alike.
        index[["x", "y", "z"]] = positions(self.tokens, self.blocks)
        values = tables.node_values(self._layers, measures, taken=tuple(index))
        return tables.with_values(index, values)

    @property
    def _about(self) -> dict[str, str | int | float]:
        """What a graph of another library should say of itself."""
        return {**self.provenance, "edge_direction": DIRECTIONS[self.edges]}

    @accepts()
    def to_pymnet(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> Any:
        """Return the network as a directed pymnet MultilayerNetwork (extra "pymnet").

        Nodes and layers bear their names.

        Parameters
        ----------
        coupling, omega
            As for `supra_adjacency`.

        Raises
        ------
        InputError
            If pymnet is not installed.
        """
        return export.to_pymnet(self._export(coupling, omega, None))

    @accepts()
    def write(
        self,
        path: str | Path,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
        measures: Measures = "in_strength",
        format: Named | None = None,
        preset: Named | None = None,
        layout: Named = "grid",
        colour: str = "target",
    ) -> list[Path]:
        """Write the network to a file, whole or not at all, and return what was written.

        One layer is `net.select(3).write(path)`, the layers taken together
        `net.aggregate("sum").write(path)`. What is to be read back by `Multiplex.read`, edge for
        edge, is written with `preset="full"`.

        Parameters
        ----------
        path : path-like
        coupling, omega
            As for `supra_adjacency`.
        measures : str, callable, iterable of them, or mapping of str to values
            As for `node_table`: values written beside each node where the format can hold them;
            the first gives size and colour. None for none. Default: "in_strength".
        format : str or callable, optional
            A member of `EXPORTERS`. Default: by the suffix of the path.
        preset : "gephi", "full" or callable, optional
            "gephi" writes a backbone of few edges a node that can be read at first sight (see
            `export.presets`; "gephi(degree=6)" a denser one), "full" all edges. Default: "gephi"
            for GraphML and GEXF, "full" for other formats and for signed weights.
        layout : str or callable
            Where nodes lie: "grid", "stack" or "isometric", a member of `LAYOUTS`.
            Default: "grid".
        colour : str
            What the colours of nodes and edges show. "target": nodes by the first measure, edges
            as their target; "measure": nodes by the first measure, edges grey; "community": by
            the communities that `communities` finds in what is written; or the name of a measure
            that is written, where texts and whole numbers are a partition. Default: "target".

        Raises
        ------
        InputError
            If the format, a measure, the preset, the layout or the colour is unknown, the format
            does not hold signed weights, or the file cannot be written.
        """
        view = replace(self._export(coupling, omega, measures), layout=layout, colour=colour)
        drawn = export.in_preset(view, path, format, preset)
        return export.write(drawn, Path(path), format)

    @accepts()
    def explore(
        self,
        image: Any = None,
        *,
        measures: Measures = None,
        title: str | None = None,
    ) -> Explorer:
        """Return the network as an interactive page, which also is a widget.

        Parameters
        ----------
        image : path-like, PIL image or array, optional
            The photo to show beside it, as the model saw it (square, if the model saw a square).
            Default: none, and the page shows an empty grid.
        measures : as for `node_table`
            Values by which nodes can be coloured and sized. Default: all centralities; of heads and
            of networks of over two million weights the quick ones alone.
        title : str, optional
            Heading of the page. Default: the model and the prediction where they are known.

        Returns
        -------
        Explorer
            `write("network.html")` writes the page, `widget()` shows it in a notebook.

        Raises
        ------
        InputError
            If the image or a measure cannot be used, or the network is too large for a page.
        """
        stack("weights", self.weights)
        view = None if image is None else np.asarray(read_image(image))
        return Explorer(
            title=thinned.title_of(self) if title is None else title,
            networks=thinned.thinned(self, measures),
            view=view,
        )

    def _export(
        self,
        coupling: Named,
        omega: float | np.ndarray,
        measures: Measures,
    ) -> export.Export:
        # None means no measure here; in tables it means every centrality.
        values = {}
        if measures is not None:
            values = tables.node_values(self._layers, measures)
        return export.Export(
            self.weights,
            self.tokens,
            self.layer_names,
            self.provenance,
            coupling=coupling,
            omega=omega,
            measures=values,
            edges_before=self.edges_before,
            direction=self.edges,
            blocks=self.blocks,
            heads=self.heads,
            signed=self.signed,
        )
