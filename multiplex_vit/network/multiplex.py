"""Multiplex: a network with one layer a transformer block and the same tokens as nodes in all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import igraph
import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.checks import distinct_names, layer_index, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network import convert, export, filters, layer_measures, multilayer, tables
from multiplex_vit.network.aggregate import AGGREGATIONS
from multiplex_vit.network.centrality import centrality
from multiplex_vit.network.coupling import supra_adjacency
from multiplex_vit.network.layer import Graphs, Layer
from multiplex_vit.network.tokens import Tokens, checked_edges_before, checked_weights
from multiplex_vit.registry import Named, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measures = Named | Iterable[Named] | None


@dataclass(frozen=True, eq=False)
class Multiplex:
    """A directed, weighted multiplex network of tokens.

    Nodes are the patches of an image, row by row, after prefix tokens if there are any. An edge runs from the source (the token that
    attends) to the target (the token attended to); its weight is the attention paid. A weight of 0 is no edge.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        Finite and not negative.
    grid : tuple of int
        Rows and columns of patches; rows * cols nodes beside the prefix tokens.
    layer_names : tuple of str, optional
        "L00", "L01", ... unless given.
    provenance : mapping of str to str or number, optional
        Where the network comes from; written into exported files.
    prefix : tuple of str, optional
        Names of prefix tokens that are nodes too, before the patches.
    edges_before : tuple of int, optional
        Edges that each layer had before any filter, no fewer than now; as now unless given.

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
    prefix: tuple[str, ...] = ()
    edges_before: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        tokens = Tokens(self.grid, self.prefix)
        weights = checked_weights(self.weights, tokens)
        names = self.layer_names or tuple(f"L{i:02d}" for i in range(len(weights)))
        names = distinct_names("layer_names", names, len(weights))
        if not all(isinstance(name, str) and name for name in self.provenance):
            raise InputError(f"provenance has the keys {list(self.provenance)}; give names as text")
        weights.flags.writeable = False
        before = checked_edges_before(self.edges_before, weights)
        for name, value in (("weights", weights), ("grid", tokens.grid), ("prefix", tokens.prefix), ("layer_names", names), ("edges_before", before)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        nodes = f"{self.grid[0]} x {self.grid[1]}" + "".join(f" + {name}" for name in self.prefix)
        layers = "1 layer" if self.n_layers == 1 else f"{self.n_layers} layers"
        return f"<Multiplex: {layers} of {self.n_nodes} nodes ({nodes}), {np.count_nonzero(self.weights):,} edges>"

    def _repr_html_(self) -> str:
        table = self.layer_table(("nodes", "edges", "share_pruned", "density", "isolates", "weight_max"))
        return f"<p>{repr(self).strip('<>')}</p>" + table.to_html(index=False)

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
        return tuple(Layer(w, self.tokens, name, before) for w, name, before in zip(self.weights, self.layer_names, self.edges_before, strict=True))

    # --- other networks from this one ---------------------------------------------------------------------------------

    def prune(self, min_cut: float) -> "Multiplex":
        """Return the network without the edges below `min_cut` times their layer's greatest weight; see `filters.min_cut`."""
        return self._filtered(filters.min_cut(self.weights, min_cut), min_cut=float(min_cut))

    def top_k(self, k: int) -> "Multiplex":
        """Return the network of the `k` strongest edges that each node sends; see `filters.top_k`."""
        return self._filtered(filters.top_k(self.weights, k), top_k=int(k))

    def disparity(self, alpha: float) -> "Multiplex":
        """Return the network's backbone, the edges significant at `alpha`; see `filters.disparity`."""
        return self._filtered(filters.disparity(self.weights, alpha), disparity=float(alpha))

    def _filtered(self, weights: np.ndarray, **facts: float) -> "Multiplex":
        """Return the network of other weights; provenance has each filter's last value and, after several, all of them in order."""
        step = "; ".join(f"{name} {value:g}" for name, value in facts.items())
        before = self.provenance.get("filters") or "; ".join(f"{n} {self.provenance[n]:g}" for n in filters.FILTERS if n in self.provenance)
        chain = {"filters": f"{before}; {step}"} if before else {}
        return replace(self, weights=weights, provenance={**self.provenance, **facts, **chain})

    def since(self, starting_layer: int) -> "Multiplex":
        """Return the network of the layers from `starting_layer` on.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if whole("starting_layer", starting_layer, at_least=0) >= self.n_layers:
            raise InputError(f"starting_layer is {starting_layer}; give 0 to {self.n_layers - 1}")
        first = int(self.provenance.get("starting_layer", 0)) + starting_layer
        return replace(self.select(range(starting_layer, self.n_layers)), provenance={**self.provenance, "starting_layer": first})

    def select(self, layers: int | str | slice | Iterable[int | str]) -> "Multiplex":
        """Return the network of some layers, by number (negative from the end), name or slice, in the order given.

        Raises
        ------
        InputError
            If there is no such layer, or none is given.
        """
        layers = range(self.n_layers)[layers] if isinstance(layers, slice) else layers
        wanted = list(layers) if isinstance(layers, Iterable) and not isinstance(layers, str) else [layers]
        places = [layer_index(layer, self.layer_names) for layer in wanted]
        if not places:
            raise InputError("no layer was chosen; give at least one, by number or name")
        names, before = tuple(self.layer_names[i] for i in places), tuple(self.edges_before[i] for i in places)
        return replace(self, weights=self.weights[places], layer_names=names, edges_before=before)

    def aggregate(self, how: Named = "mean") -> "Multiplex":
        """Return a network of one layer: "sum", "mean", "max" or "count" of the layers' weights, edge by edge; nothing counts as pruned from it."""
        weights = np.asarray(AGGREGATIONS.resolve(how)(self.weights))
        return replace(self, weights=weights[None], layer_names=(name_of(how),), edges_before=(), provenance={**self.provenance, "aggregated": name_of(how)})

    # --- the whole network, for other tools ---------------------------------------------------------------------------

    def supra_adjacency(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> sparse.csr_array:
        """Return the matrix of the whole network with its inter-layer links; row and column a * n_nodes + i is node i of layer a.

        Parameters
        ----------
        coupling : str or callable
            "none", "ordinal", "temporal", "categorical", or a function: number of layers -> bool [layer, layer].
        omega : float, or ndarray [layer, node]
            Weight of an inter-layer link; with an array, of the links that leave that node of that layer (0 for none).

        Returns
        -------
        scipy.sparse.csr_array [layer * node, layer * node]
        """
        return supra_adjacency(self.weights, coupling, omega)

    def edges(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> pd.DataFrame:
        """Return every edge of `supra_adjacency` as a row: source, target, weight, kind ("attention" or "coupling"), ordered by source and target."""
        return tables.edges(self.supra_adjacency(coupling=coupling, omega=omega), self.n_nodes)

    def to_igraph(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> igraph.Graph:
        """Return all layers and their inter-layer links as one directed igraph graph.

        Vertices are ordered as in `supra_adjacency`, with `name` ("L03:r1c4"), `layer`, `node`, `token`, `row` and `col`; edges have
        `weight` and `kind` ("attention" or "coupling").
        """
        return convert.to_igraph(tables.node_index(self.tokens, self.layer_names), self.edges(coupling=coupling, omega=omega))

    def to_networkx(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> nx.DiGraph:
        """Return all layers and their inter-layer links as one networkx graph; nodes are named as in `to_igraph`."""
        index = tables.node_index(self.tokens, self.layer_names)
        return convert.to_networkx(index, self.edges(coupling=coupling, omega=omega), self.provenance)

    def to_pymnet(self, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> Any:
        """Return the network as a directed pymnet MultilayerNetwork (extra "pymnet"): nodes and layers by name."""
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
        """Write the network to a file, by its suffix or the format named, whole or not at all; return what was written.

        One layer is `net.select(3).write(path)`, the layers taken together `net.aggregate("sum").write(path)`.

        Parameters
        ----------
        path : path-like
        coupling, omega
            As for `supra_adjacency`.
        measures : str, callable, or iterable of them
            Centralities written beside each node where the format can hold them; the first gives size and colour. None for none.
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
        return export.Export(self.weights, self.tokens, self.layer_names, self.provenance, coupling, omega, values, self.edges_before)

    @classmethod
    def read(cls, path: str | Path) -> "Multiplex":
        """Read the network back from GraphML that `write` wrote: weights bit for bit, grid, names and provenance.

        Raises
        ------
        InputError
            If the file is missing, damaged, or was written by something else.
        """
        found = export.read_graphml(path)
        names, about = found.layer_names, found.provenance
        try:
            return cls(found.weights, found.grid, names, about, found.prefix, found.edges_before)
        except InputError as error:
            raise InputError(f"cannot read {path}: {error}") from error

    # --- tables -------------------------------------------------------------------------------------------------------

    def centrality(self, measure: Named) -> np.ndarray:
        """Return a centrality [layer, node], as pictures take it; see `CENTRALITIES`."""
        return centrality(self._layers, measure)

    def node_table(self, measures: Measures = None) -> pd.DataFrame:
        """Return one row a layer and node, one column a centrality (all registered ones unless told)."""
        return tables.node_table(self._layers, measures)

    def layer_table(self, measures: Measures = None, *, null_model: Named | None = None, samples: int = 20, seed: int = 0) -> pd.DataFrame:
        """Return one row a layer, one column a measure of `LAYER_MEASURES` (all unless told).

        With `null_model` "weights" or "degree" each measure has a z-score beside it; see `layer_measures.layer_table`.
        """
        return layer_measures.layer_table(self._layers, measures, null_model=null_model, samples=samples, seed=seed)

    def layer_pair_table(self, measures: Measures = None) -> pd.DataFrame:
        """Return one row a pair of layers, one column a measure of `LAYER_SIMILARITIES` (all unless told)."""
        return multilayer.layer_pair_table(self.weights, self.layer_names, measures)

    def multilayer_table(self, measures: Measures = None, *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> pd.DataFrame:
        """Return one row a node, one column a measure over all layers of `MULTILAYER_MEASURES` (all unless told)."""
        return multilayer.multilayer_table(self.weights, self.tokens, self.supra_adjacency(coupling=coupling, omega=omega), measures)

    def pruning_curve(self, min_cuts: float | Iterable[float], measures: Iterable[Named] = ("in_strength", "out_strength", "pagerank")) -> pd.DataFrame:
        """Return what pruning does to every layer, one row a layer and `min_cut`; see `filters.pruning_curve`."""
        return filters.pruning_curve(self.weights, np.atleast_1d(np.asarray(min_cuts)), self.tokens, names=self.layer_names, measures=measures)

    # --- layers together ----------------------------------------------------------------------------------------------

    def similarity(self, measure: Named = "weighted_jaccard") -> np.ndarray:
        """Return the similarity [layer, layer] of every pair of layers by a member of `LAYER_SIMILARITIES`."""
        return multilayer.similarity_matrix(self.weights, measure)

    def reducibility(self, **options: Any) -> multilayer.Reducibility:
        """Return which layers can be merged (De Domenico et al. 2015); see `multilayer.reducibility`."""
        return multilayer.reducibility(self.weights, self.layer_names, **options)

    def versatility(self, measure: Named = "pagerank_versatility", *, coupling: Named = "ordinal", omega: float | np.ndarray = 1.0) -> np.ndarray:
        """Return a versatility [layer, node]: what each node of each layer adds to its column of `multilayer_table`."""
        return multilayer.versatility(self.supra_adjacency(coupling=coupling, omega=omega), self.n_layers, measure)

    def communities(self, how: str = "linked", **options: Any) -> np.ndarray:
        """Return the community [layer, node] of every node by Leiden (extra "communities"); see `multilayer.communities`."""
        return multilayer.communities(self.weights, how=how, **options)

    def modularity(self, membership: np.ndarray, **options: Any) -> float:
        """Return the multilayer modularity of communities [layer, node]; see `multilayer.multilayer_modularity`."""
        return multilayer.multilayer_modularity(self.weights, membership, **options)

    def plot(self, measure: Named | None = None, **options: Any) -> "Axes":
        """Draw the layers stacked, with their inter-layer links; see `multiplex_vit.plot.stack`. A centrality gives size and colour."""
        from multiplex_vit import plot

        if measure is not None:
            options["values"] = tables.centralities(self._layers, [measure])
        return plot.stack(self.weights, self.grid, names=self.layer_names, **options)
