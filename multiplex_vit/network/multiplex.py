"""Multiplex: a network with one layer for each transformer block and tokens as nodes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, overload

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import distinct_names, layer_index, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network import export, filters
from multiplex_vit.network.aggregate import AGGREGATIONS
from multiplex_vit.network.depth import checked_depth, ranks, shared
from multiplex_vit.network.direction import checked_direction, opposite
from multiplex_vit.network.flowing import Flowing
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import NULL_MODELS
from multiplex_vit.network.provenance import after_step, checked_provenance
from multiplex_vit.network.tokens import Tokens, checked_edges_before, checked_weights
from multiplex_vit.registry import Named, name_of

_BY_LAYER = ("layer_names", "edges_before", "blocks", "heads")
"""Fields that hold one value a layer."""


@dataclass(frozen=True, eq=False)
class Multiplex(Flowing):
    """A directed, weighted multiplex network of tokens.

    Nodes are the patches of an image, row by row, after prefix tokens if there are any. Edges of
    attention run from the token that attends to the token attended to, edges of information the
    other way (`reverse`); the weight is the attention paid. A weight of 0 is no edge. Measures,
    filters and inter-layer links follow the edges as they run: with edges of information
    `in_strength` is what a token takes in, which is the attention that it pays.

    A network is a sequence of its layers: `len(net)`, `for layer in net`, `net[3]` and `net["L03"]`
    give `Layer` objects, and `net[2:5]` is the network of some layers. It cannot be changed:
    methods return new networks.

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
    signed : bool
        Whether weights may be below 0, as relevance is; see `part`. Default: False.

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
    >>> len(net), net.n_edges, [layer.name for layer in net]
    (2, 4, ['L00', 'L01'])
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
    signed: bool = False

    def __post_init__(self) -> None:
        tokens = Tokens(self.grid, self.prefix)
        weights = checked_weights(self.weights, tokens, signed=self.signed)
        # Results are computed once and kept, so that weights must not change.
        weights.flags.writeable = False
        n_layers = len(weights)
        given = self.layer_names
        unnamed = isinstance(given, (tuple, list)) and not given
        names = given if not unnamed else tuple(f"L{layer:02d}" for layer in range(n_layers))
        blocks, heads = checked_depth(self.blocks, self.heads, n_layers)
        # A frozen object gets its checked values by way of its own dictionary.
        vars(self).update(
            weights=weights,
            grid=tokens.grid,
            prefix=tokens.prefix,
            layer_names=distinct_names("layer_names", names, n_layers),
            provenance=checked_provenance(self.provenance),
            edges_before=checked_edges_before(self.edges_before, weights),
            edges=checked_direction(self.edges),
            blocks=blocks,
            heads=heads,
        )

    def __repr__(self) -> str:
        nodes = f"{self.grid[0]} x {self.grid[1]}"
        for name in self.prefix:
            nodes += f" + {name}"
        layers = "1 layer" if self.n_layers == 1 else f"{self.n_layers} layers"
        kind = " of information" if self.edges == "information" else ""
        edges = f"{self.n_edges:,} {'signed ' if self.signed else ''}edges{kind}"
        return f"<Multiplex: {layers} of {self.n_nodes} nodes ({nodes}), {edges}>"

    def _repr_html_(self) -> str:
        table = self.summary().to_html(index=False)
        return f"<p>{escape(repr(self)[1:-1])}</p>{table}"

    # --- as a sequence of layers ----------------------------------------------------------

    def __len__(self) -> int:
        return self.n_layers

    def __iter__(self) -> Iterator[Layer]:
        for place in range(self.n_layers):
            yield self._layer(place)

    @overload
    def __getitem__(self, layer: int | str) -> Layer: ...
    @overload
    def __getitem__(self, layer: slice | list[int | str]) -> "Multiplex": ...
    def __getitem__(self, layer: Any) -> "Layer | Multiplex":
        """Return a layer by number or name, or the network of several.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if isinstance(layer, (slice, list, tuple, range)) or np.ndim(layer) > 0:
            return self.select(layer)
        return self._layer(layer_index(layer, self.layer_names))

    # --- other networks from this one -----------------------------------------------------

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
        # Sources become targets.
        turned = self.weights.swapaxes(1, 2)
        return replace(self, weights=turned, edges=opposite(self.edges))

    def prune(self, min_cut: float) -> "Multiplex":
        """Return the network without edges below `min_cut` times their layer's greatest weight.

        Parameters
        ----------
        min_cut : float, 0 to 1
            See `filters.min_cut`.
        """
        return self.filter("min_cut", min_cut)

    def top_k(self, k: int) -> "Multiplex":
        """Return the network of the `k` strongest edges that each node sends.

        Parameters
        ----------
        k : int
            From 1 up; see `filters.top_k`.
        """
        return self.filter("top_k", k)

    def disparity(self, alpha: float) -> "Multiplex":
        """Return the network's backbone, the edges significant at `alpha`.

        Parameters
        ----------
        alpha : float, 0 to 1
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
            The filter's number, where it takes one and `how` does not set it.

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
        return self._filtered(kept, name, number)

    def without_loops(self) -> "Multiplex":
        """Return the network without its self-loops.

        Examples
        --------
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> net.without_loops().weights.tolist()
        [[[0.0, 0.5], [0.25, 0.0]]]
        """
        return self.filter("without_loops")

    def subgraph(self, nodes: Iterable[int | str]) -> "Multiplex":
        """Return the network of the edges between some nodes, in every layer.

        The other nodes stay, without edges, so that places, names and values of nodes compare with
        those of the whole network.

        Parameters
        ----------
        nodes : iterable of int or str, or ndarray of bool [node]
            Nodes by number (negative from the end) or name ("r1c4", "class").

        Raises
        ------
        InputError
            If there is no such node, or none is given.

        Examples
        --------
        >>> net = Multiplex(np.ones((1, 3, 3)), grid=(1, 3))
        >>> net.subgraph(["r0c0", 1]).weights.tolist()
        [[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]
        """
        # Nodes given twice count once.
        kept = np.zeros(self.n_nodes, dtype=bool)
        kept[self.tokens.numbers(nodes)] = True
        between = kept[:, None] & kept
        weights = np.where(between, self.weights, 0)
        return self._filtered(weights, "subgraph", int(kept.sum()))

    def shuffled(self, null_model: Named = "degree", *, seed: int = 0) -> "Multiplex":
        """Return the network with every layer dealt anew by a member of `NULL_MODELS`.

        Examples
        --------
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> net.shuffled("weights").weights.tolist()
        [[[0.0, 1.0], [0.5, 0.25]]]
        """
        deal = NULL_MODELS.resolve(null_model)
        rng = np.random.default_rng(whole("seed", seed, at_least=0))
        weights = np.stack([deal(layer, rng).weights for layer in self])
        return self._filtered(weights, "null_model", f"{name_of(null_model)}, seed {seed}")

    def _filtered(self, weights: np.ndarray, name: str, value: float | str) -> "Multiplex":
        """Return the network of other weights, whose provenance names the filter."""
        provenance = after_step(self.provenance, name, value)
        return replace(self, weights=weights, provenance=provenance)

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
        last = len(set(self.blocks)) - 1
        starting_layer = whole("starting_layer", starting_layer, at_least=0)
        if starting_layer > last:
            raise InputError(f"starting_layer is {starting_layer}; give 0 to {last}")
        # Layers may be heads, so that blocks are counted and not layers.
        places = np.flatnonzero(ranks(self.blocks) >= starting_layer)
        later = self.select(places.tolist())
        # Counted from the first layer of the model, also where layers were left out before.
        first = int(self.provenance.get("starting_layer", 0)) + starting_layer
        return replace(later, provenance={**self.provenance, "starting_layer": first})

    def select(self, layers: int | str | slice | Iterable[int | str]) -> "Multiplex":
        """Return the network of some layers, in the order given.

        Parameters
        ----------
        layers : int, str, slice, or iterable of int or str
            Layers by number (negative from the end) or name.

        Raises
        ------
        InputError
            If there is no such layer, or none is given.
        """
        if isinstance(layers, slice):
            layers = _places_of(layers, self.n_layers)
        if isinstance(layers, str) or not isinstance(layers, Iterable):
            layers = [layers]
        places = [layer_index(layer, self.layer_names) for layer in layers]
        if not places:
            raise InputError("no layer was chosen; give at least one, by number or name")
        fields: dict[str, Any] = {}
        for name in _BY_LAYER:
            values = getattr(self, name)
            fields[name] = tuple(values[place] for place in places)
        return replace(self, weights=self.weights[places], **fields)

    @accepts()
    def aggregate(self, how: Named = "mean") -> "Multiplex":
        """Return a network of one layer: "sum", "mean", "max" or "count" of the layers' weights.

        It is taken edge by edge, and nothing counts as pruned from it. Its block is that of the
        layers where they have one block, and -1 where they have several; so is its head.

        Parameters
        ----------
        how : str or callable
            A member of `AGGREGATIONS`, or a function of weights [layer, source, target] that
            returns [source, target]. Default: "mean".
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

    # --- from a file ----------------------------------------------------------------------

    @classmethod
    @accepts()
    def read(cls, path: str | Path) -> "Multiplex":
        """Read the network back from GraphML that `write` wrote, bit for bit.

        Weights, grid, names, blocks and heads, the direction of edges and provenance come back.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        InputError
            If the file is missing, damaged, or was written by something else.
        """
        stored = export.read_graphml(path)
        try:
            return cls(**vars(stored))
        except InputError as error:
            raise InputError(f"cannot read {path}: {error}") from error


def _places_of(layers: slice, n_layers: int) -> range:
    """Return the numbers of the layers of a slice."""
    try:
        return range(n_layers)[layers]
    except (TypeError, ValueError) as error:
        problem = f"there are no layers {layers.start}:{layers.stop}:{layers.step}"
        raise InputError(f"{problem}; give whole numbers, and no step of 0") from error
