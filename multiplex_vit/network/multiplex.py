"""Multiplex: a network with one layer for each transformer block and tokens as nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.checks import distinct_names, layer_index, shares, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network import export, filters, layer_measures, multilayer, tables
from multiplex_vit.network.aggregate import AGGREGATIONS
from multiplex_vit.network.centrality import centrality
from multiplex_vit.network.coupling import Links, links
from multiplex_vit.network.depth import checked_depth, ranks, shared
from multiplex_vit.network.direction import checked_direction, opposite
from multiplex_vit.network.tokens import Tokens, checked_edges_before, checked_weights
from multiplex_vit.network.whole import Measures, Whole
from multiplex_vit.registry import Named, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Multiplex(Whole):
    """A directed, weighted multiplex network of tokens.

    Nodes are the patches of an image, row by row, after prefix tokens if there are any. Edges of
    attention run from the token that attends to the token attended to, edges of information the
    other way (`reverse`); the weight is the attention paid. A weight of 0 is no edge. Measures,
    filters and inter-layer links follow the edges as they run: with edges of information
    `in_strength` is what a token takes in, which is the attention that it pays.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        Finite and not negative.
    grid : tuple of int
        Rows and columns of patches; rows * cols nodes beside the prefix tokens.
    layer_names : tuple of str, optional
        Default: "L00", "L01", ...
    provenance : mapping of str to str or number, optional
        Where the network comes from; written into exported files.
    prefix : tuple of str, optional
        Names of prefix tokens that are nodes too, before the patches.
    edges_before : tuple of int, optional
        Edges that each layer had before any filter, no fewer than now. Default: as now.
    edges : "attention" or "information"
        Which way edges run: source attends to target, or information flows from source to target.
    blocks : tuple of int, optional
        The transformer block that each layer shows; -1 for several together. Default: 0, 1, ...
    heads : tuple of int, optional
        The head of that block; -1 for several together. Default: layers of one block are numbered,
        others have -1.

    Raises
    ------
    InputError
        If weights are not [layer, node, node] of that grid, or hold a negative value or NaN; if
        edges is neither of the two; if two layers show the same head of the same block.

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
    edges: str = "attention"
    blocks: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        tokens = Tokens(self.grid, self.prefix)
        weights = checked_weights(self.weights, tokens)
        names = self.layer_names or tuple(f"L{i:02d}" for i in range(len(weights)))
        names = distinct_names("layer_names", names, len(weights))
        if not all(isinstance(name, str) and name for name in self.provenance):
            raise InputError(f"provenance has the keys {list(self.provenance)}; give names as text")
        weights.flags.writeable = False
        checked_direction(self.edges)
        blocks, heads = checked_depth(self.blocks, self.heads, len(weights))
        checked: dict[str, Any] = {
            "weights": weights,
            "grid": tokens.grid,
            "prefix": tokens.prefix,
            "layer_names": names,
            "edges_before": checked_edges_before(self.edges_before, weights),
            "blocks": blocks,
            "heads": heads,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        nodes = f"{self.grid[0]} x {self.grid[1]}" + "".join(f" + {name}" for name in self.prefix)
        layers = "1 layer" if self.n_layers == 1 else f"{self.n_layers} layers"
        kind = " of information" if self.edges == "information" else ""
        count = f"{np.count_nonzero(self.weights):,} edges{kind}"
        return f"<Multiplex: {layers} of {self.n_nodes} nodes ({nodes}), {count}>"

    def _repr_html_(self) -> str:
        shown = ("nodes", "edges", "share_pruned", "density", "isolates", "weight_max")
        table = layer_measures.layer_table(self._layers, shown)
        return f"<p>{escape(repr(self)[1:-1])}</p>" + table.to_html(index=False)

    # --- other networks from this one ---------------------------------------------------------------------------------

    def reverse(self) -> "Multiplex":
        """Return the network whose edges run the other way: attention as information, or back.

        Inter-layer links turn with the edges: the supra-adjacency of one network is the transpose
        of the other's, for any coupling and one omega.

        Examples
        --------
        >>> net = Multiplex(np.array([[[0, 0.5], [0, 0]]]), grid=(1, 2)).reverse()
        >>> net.edges, net.weights.tolist()
        ('information', [[[0.0, 0.0], [0.5, 0.0]]])
        """
        return replace(self, weights=self.weights.swapaxes(1, 2), edges=opposite(self.edges))

    def prune(self, min_cut: float) -> "Multiplex":
        """Return the network without the edges below `min_cut` times their layer's greatest weight.

        See `filters.min_cut`.
        """
        return self.filter("min_cut", min_cut)

    def top_k(self, k: int) -> "Multiplex":
        """Return the network of the `k` strongest edges that each node sends.

        See `filters.top_k`.
        """
        return self.filter("top_k", k)

    def disparity(self, alpha: float) -> "Multiplex":
        """Return the network's backbone, the edges significant at `alpha`.

        See `filters.disparity`.
        """
        return self.filter("disparity", alpha)

    def filter(self, how: Named, value: float | None = None) -> "Multiplex":
        """Return the network of the edges that a filter keeps.

        Parameters
        ----------
        how : str or callable
            A member of `FILTERS`, its number set or not ("top_k(k=5)", "top_k"), or a function of
            weights [layer, source, target] and perhaps one number that returns new weights.
        value : float, optional
            The filter's number, where `how` does not set it.

        Raises
        ------
        InputError
            If the filter is unknown, its number is missing, given twice or out of range, or it
            returns weights of another shape.

        Examples
        --------
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> net.filter("top_k", 1).weights.tolist()
        [[[0.0, 0.5], [0.0, 1.0]]]
        >>> net.filter("min_cut(min_cut=0.4)").provenance
        {'min_cut': 0.4}
        """
        kept, name, number = filters.filtered(self.weights, how, value)
        return self._filtered(kept, **{name: number})

    def _filtered(self, weights: np.ndarray, **facts: Any) -> "Multiplex":
        """Return the network of other weights.

        Provenance has each filter's last value and, after several, all of them in order.
        """
        step = "; ".join(f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}" for name, value in facts.items())
        before = self.provenance.get("filters") or "; ".join(f"{n} {self.provenance[n]:g}" for n in filters.FILTERS if n in self.provenance)
        chain = {"filters": f"{before}; {step}"} if before else {}
        return replace(self, weights=weights, provenance={**self.provenance, **facts, **chain})

    def since(self, starting_layer: int) -> "Multiplex":
        """Return the network of the layers from a block on: all heads of it, where there are heads.

        Parameters
        ----------
        starting_layer : int
            Place of that block among the blocks of this network, from 0.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        place, last = ranks(self.blocks), len(set(self.blocks)) - 1
        if whole("starting_layer", starting_layer, at_least=0) > last:
            raise InputError(f"starting_layer is {starting_layer}; give 0 to {last}")
        first = int(self.provenance.get("starting_layer", 0)) + starting_layer
        later = self.select(np.flatnonzero(place >= starting_layer).tolist())
        return replace(later, provenance={**self.provenance, "starting_layer": first})

    def select(self, layers: int | str | slice | Iterable[int | str]) -> "Multiplex":
        """Return the network of some layers, by number.

        (negative from the end), name or slice, in the order given.

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
        by_layer = ("layer_names", "edges_before", "blocks", "heads")
        kept: dict[str, Any] = {}
        for name in by_layer:
            values = getattr(self, name)
            kept[name] = tuple(values[place] for place in places)
        return replace(self, weights=self.weights[places], **kept)

    def aggregate(self, how: Named = "mean") -> "Multiplex":
        """Return a network of one layer: "sum", "mean", "max" or "count" of the layers' weights.

        It is taken edge by edge, and nothing counts as pruned from it. Its block is that of the
        layers where they have one block, and -1 where they have several; so is its head.
        """
        weights = np.asarray(AGGREGATIONS.resolve(how)(self.weights))
        name = name_of(how)
        return replace(
            self,
            weights=weights[None],
            layer_names=(name,),
            edges_before=(),
            blocks=(shared(self.blocks),),
            heads=(shared(self.heads),),
            provenance={**self.provenance, "aggregated": name},
        )

    # --- from a file ------------------------------------------------------------------------

    @classmethod
    def read(cls, path: str | Path) -> "Multiplex":
        """Read the network back from GraphML that `write` wrote, bit for bit.

        Weights, grid, names, blocks and heads, the direction of edges and provenance come back.

        Raises
        ------
        InputError
            If the file is missing, damaged, or was written by something else.
        """
        found = export.read_graphml(path)
        try:
            return cls(**vars(found))
        except InputError as error:
            raise InputError(f"cannot read {path}: {error}") from error

    # --- tables -------------------------------------------------------------------------------------------------------

    def centrality(self, measure: Named) -> np.ndarray:
        """Return a centrality [layer, node], as pictures take it; see `CENTRALITIES`."""
        return centrality(self._layers, measure)

    def node_table(self, measures: Measures = None) -> pd.DataFrame:
        """Return one row a layer and node, one column a centrality.

        All registered ones unless told.
        """
        return tables.node_table(self._layers, measures)

    def layer_table(
        self,
        measures: Measures = None,
        *,
        null_model: Named | None = None,
        samples: int = 20,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return one row a layer, one column a measure of `LAYER_MEASURES` (all unless told).

        Beside the name of a layer stand its block and head (-1 for several together). With
        `null_model` "weights" or "degree" each measure has z-score and p-value beside it; see
        `layer_measures.layer_table`.
        """
        table = layer_measures.layer_table(self._layers, measures, null_model=null_model, samples=samples, seed=seed)
        return tables.with_depth(table, self._layers)

    def layer_pair_table(self, measures: Measures = None) -> pd.DataFrame:
        """Return one row a pair of layers, one column a measure of `LAYER_SIMILARITIES`.

        All unless told.
        """
        return multilayer.layer_pair_table(self.weights, self.layer_names, measures)

    def multilayer_table(
        self,
        measures: Measures = None,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> pd.DataFrame:
        """Return one row a node, one column a measure over all layers of `MULTILAYER_MEASURES`.

        All unless told.
        """
        return multilayer.multilayer_table(
            self.weights,
            self.tokens,
            self.supra_adjacency(coupling=coupling, omega=omega),
            measures,
        )

    def pruning_curve(
        self,
        min_cuts: float | Iterable[float],
        measures: Iterable[Named] = ("in_strength", "out_strength", "pagerank"),
    ) -> pd.DataFrame:
        """Return what pruning does to every layer, one row a layer and `min_cut`.

        See `filters.pruning_curve`.
        """
        return filters.pruning_curve(
            self.weights,
            shares("min_cuts", min_cuts),
            self.tokens,
            names=self.layer_names,
            measures=measures,
        )

    # --- layers together ----------------------------------------------------------------------------------------------

    def similarity(self, measure: Named = "weighted_jaccard") -> np.ndarray:
        """Return the similarity [layer.

        Layer] of every pair of layers by a member of `LAYER_SIMILARITIES`.
        """
        return multilayer.similarity_matrix(self.weights, measure)

    def reducibility(self, **options: Any) -> multilayer.Reducibility:
        """Return which layers can be merged (De Domenico et al.

        2015); see `multilayer.reducibility`.
        """
        return multilayer.reducibility(self.weights, self.layer_names, **options)

    def versatility(
        self,
        measure: Named = "pagerank_versatility",
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> np.ndarray:
        """Return a versatility [layer, node].

        What each node of each layer adds to its column of `multilayer_table`.
        """
        return multilayer.versatility(self.supra_adjacency(coupling=coupling, omega=omega), self.n_layers, measure)

    def communities(
        self,
        how: str = "linked",
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        omega_scale: str = "strength",
        resolution: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """Return the community [layer, node] of every node by Leiden (extra "communities").

        Parameters
        ----------
        how : "linked" or "multiplex"
            A community for a node of a layer, or one for a node in all layers.
        coupling : str or callable
            As for `supra_adjacency`.
        omega : float, or ndarray [layer, node]
            How strongly a node is held to the community that it has in the layers linked.
        omega_scale : "strength" or "absolute"
            Whether a link weighs omega times the mean strength of a node of a layer (see
            `multilayer.relative_omega`), or omega.
        resolution, seed
            See `multilayer.communities`.

        Raises
        ------
        InputError
            If leidenalg is not installed, or an argument cannot be used.
        """
        links = self._links(coupling, omega, omega_scale)
        return multilayer.communities(self.weights, links, how=how, resolution=resolution, seed=seed)

    def modularity(
        self,
        membership: np.ndarray,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        omega_scale: str = "strength",
        resolution: float = 1.0,
        directed: bool = True,
    ) -> float:
        """Return the multilayer modularity of communities [layer, node], or [node].

        See `communities` for the links and `multilayer.multilayer_modularity` for the formula.
        """
        links = self._links(coupling, omega, omega_scale)
        options: dict[str, Any] = {"resolution": resolution, "directed": directed}
        return multilayer.multilayer_modularity(self.weights, membership, links, **options)

    def _links(self, coupling: Named, omega: float | np.ndarray, omega_scale: str) -> Links:
        if omega_scale not in ("strength", "absolute"):
            raise InputError(f"omega_scale is {omega_scale!r}; give 'strength' or 'absolute'")
        if omega_scale == "strength":
            omega = multilayer.relative_omega(omega, self.weights)
        return links(self.blocks, self.n_nodes, coupling, omega, edges=self.edges)

    def plot(self, measure: Named | None = None, **options: Any) -> "Axes":
        """Draw the layers stacked, with their inter-layer links; see `multiplex_vit.plot.stack`.

        A centrality gives size and colour.
        """
        from multiplex_vit import plot

        if measure is not None:
            options["values"] = tables.centralities(self._layers, [measure])
        return plot.stack(self.weights, self.grid, names=self.layer_names, **options)
