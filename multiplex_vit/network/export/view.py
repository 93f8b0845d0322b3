"""Export: a network as exporters see it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.accepts import signed_stack
from multiplex_vit.arguments import check_fields
from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import Links, links
from multiplex_vit.network.depth import checked_depth, ranks
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.network.export import looks
from multiplex_vit.network.export.text import visible
from multiplex_vit.network.export.weights import AT_ONCE, GREATEST, LEAST
from multiplex_vit.network.positions import positions
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, name_of

_PLACES = (
    "name",
    "layer",
    "layer_name",
    "block",
    "head",
    "node",
    "token",
    "row",
    "col",
    "x",
    "y",
    "z",
)
_LOOKS = ("size", "r", "g", "b")
_TAKEN = {
    *_PLACES,
    *_LOOKS,
    "id",
    "label",
    "nodelabel",
    "xpos",
    "ypos",
    "zpos",
    "color",
    "timeset",
    "weight",
    "attention",
    "kind",
}

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]

COLOURINGS = ("target", "measure", "community")
"""What colours show, beside the name of any measure that is written."""


@dataclass(frozen=True, eq=False)
class Export:
    """A network as exporters see it: rows of nodes, and edges as arrays, a layer at a time.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    tokens : Tokens
    layer_names : tuple of str
    provenance : mapping of str to str or number
        Names that are no text are written as text.
    coupling : str or callable
        A member of `COUPLINGS`, or a function: blocks [layer] -> bool [layer, layer].
        Default: "ordinal".
    omega : float or ndarray [layer, node]
        Weight of an inter-layer link. Default: 1.
    measures : mapping of str to ndarray [layer, node]
        Values beside each node, numbers or texts; the first gives size and colour (texts give
        colour alone, one for each text). Default: none.
    edges_before : tuple of int
        Edges of each layer before it was pruned, where known.
    direction : "attention" or "information"
        Which way edges run. Default: "attention".
    blocks, heads : tuple of int
        The transformer block and the head that each layer shows, as in `Multiplex`.
    layout : str or callable
        Where nodes lie, a member of `LAYOUTS`. Default: "grid".
    colour : str
        "target" and "measure" colour nodes by the first measure, the name of a measure by that
        one. Default: "target".
    readable : bool
        Whether edges have looks of their own, and links are thinned out; see `presets.gephi`.
        Default: False.
    signed : bool
        Whether weights may be below 0. Default: False.

    Raises
    ------
    InputError
        If a measure is not [layer, node], or has a name that readers take for something else, or
        that another has but for case; if `colour` is neither of these.

    Examples
    --------
    >>> export = Export(np.array([[[0, 0.5], [0.25, 1]]]), Tokens((1, 2)), ("L00",), {})
    >>> export.nodes()[["name", "x", "y"]].to_dict("list")
    {'name': ['L00:r0c0', 'L00:r0c1'], 'x': [0.0, 25.0], 'y': [0.0, 0.0]}
    >>> [[part.tolist() for part in layer] for layer in export.edges()]
    [[[0, 1, 1], [1, 0, 1], [0.5, 0.25, 1.0]]]
    """

    weights: np.ndarray
    tokens: Tokens
    layer_names: tuple[str, ...]
    provenance: Mapping[Any, Any]
    coupling: str | Callable[[np.ndarray], np.ndarray] = "ordinal"
    omega: float | np.ndarray = 1.0
    measures: Mapping[str, Any] = field(default_factory=dict)
    edges_before: tuple[int, ...] = ()
    direction: str = "attention"
    blocks: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()
    layout: Named = "grid"
    colour: str = "target"
    readable: bool = False
    signed: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        signed_stack("weights", self.weights)
        blocks, heads = checked_depth(self.blocks, self.heads, len(self.weights))
        provenance = {str(name): value for name, value in self.provenance.items()}
        # A frozen object gets its checked values by way of its own dictionary.
        vars(self).update(blocks=blocks, heads=heads, provenance=provenance)
        taken = set(_TAKEN)
        for name, values in self.measures.items():
            if not name or name.lower() in taken or name.startswith("graph-"):
                problem = "which is empty or taken (capitals or not); give it another name"
                raise InputError(f"a measure is named {name!r}, {problem}")
            if np.shape(values) != self.weights.shape[:2]:
                expected = f"expected [layer, node] = {list(self.weights.shape[:2])}"
                raise InputError(f"measure {name} is {list(np.shape(values))}; {expected}")
            taken.add(name.lower())
        if self.colour not in (*COLOURINGS, *self.measures):
            choices = ", ".join(repr(name) for name in (*COLOURINGS, *self.measures))
            raise InputError(f"colour is {self.colour!r}; give one of {choices}")

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return self.weights.shape[0]

    @property
    def n_nodes(self) -> int:
        """Number of nodes of a layer."""
        return self.weights.shape[1]

    @property
    def settings(self) -> dict[str, Any]:
        """What a reader should know of the edges: coupling, omega, edge_direction."""
        omega: float | str = "one value a layer and node"
        if np.ndim(self.omega) == 0:
            omega = float(self.omega)
        return {
            "coupling": name_of(self.coupling),
            "omega": omega,
            "edge_direction": DIRECTIONS[self.direction],
        }

    def nodes(self) -> pd.DataFrame:
        """Return one row a layer and node, in the order of the supra-adjacency.

        Returns
        -------
        pandas.DataFrame
            name ("L03:r1c4", "L03:class"), layer, layer_name, block, head (-1 for several
            together), node, token, row, col, x, y, z (see `positions`); where there is a measure
            also size (2 to 10), r, g and b, and each measure.

        Raises
        ------
        InputError
            If two nodes would have one name.
        """
        table = self._index()
        table[["x", "y", "z"]] = positions(self.tokens, self.blocks, self.layout)
        columns = {}
        for name, values in self.measures.items():
            columns[visible(name)] = np.ravel(values)
        if not columns:
            return table
        table["size"] = looks.sizes(self._sized_by())
        table[["r", "g", "b"]] = self._node_colours().astype(int)
        return pd.concat([table, pd.DataFrame(columns)], axis=1)

    def _sized_by(self) -> np.ndarray:
        """Return the values that give nodes their sizes; a partition gives none."""
        for name, values in self.measures.items():
            if name != self.colour or np.asarray(values).dtype.kind == "f":
                return np.ravel(values)
        return np.full(self.n_layers * self.n_nodes, "")

    def _node_colours(self) -> np.ndarray:
        if self.colour in self.measures:
            return looks.colours(np.ravel(self.measures[self.colour]), partition=True)
        first = next(iter(self.measures.values()))
        return looks.colours(np.ravel(first))

    def _index(self) -> pd.DataFrame:
        tokens = self.tokens.table
        layers = [visible(name) for name in self.layer_names]
        names = []
        for layer in layers:
            names += [f"{layer}:{visible(token)}" for token in tokens["name"]]
        if len(set(names)) < len(names):
            problem = "name the layers or prefix tokens otherwise"
            raise InputError(f"two nodes have one name, layer and token together; {problem}")
        by_layer = {
            "layer": np.arange(self.n_layers),
            "layer_name": np.array(layers, dtype=object),
            "block": np.array(self.blocks),
            "head": np.array(self.heads),
        }
        index: dict[str, Any] = {"name": names}
        for name, values in by_layer.items():
            index[name] = np.repeat(values, self.n_nodes)
        for name in ("node", "token", "row", "col"):
            index[name] = np.tile(tokens[name].to_numpy(), self.n_layers)
        index["token"] = [visible(token) for token in index["token"]]
        return pd.DataFrame(index)

    def edges(self) -> Iterator[Arrays]:
        """Yield source, target and weight of each layer's edges.

        Source and target are rows of `nodes`. Edges are ordered by source and target.
        """
        for layer, weights in enumerate(self.weights):
            source, target = weights.nonzero()
            weight = weights[source, target].astype(float)
            # Rows of nodes are ordered by layer.
            first = layer * self.n_nodes
            yield source + first, target + first, weight

    def edge_parts(self) -> Iterator[tuple[int, Arrays]]:
        """Yield each layer and its edges, as many at once as become Python objects together."""
        for layer, edges in enumerate(self.edges()):
            for part in parts_of(edges):
                yield layer, part

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of edges in the order of the file: programs draw what is last on top."""
        order = ("attention", "coupling")
        return order[::-1] if self.readable else order

    def link_parts(self) -> Iterator[Arrays]:
        """Yield the inter-layer links, as many at once as become Python objects together."""
        yield from parts_of(self.links())

    def links(self) -> Links:
        """Return the inter-layer links: source, target (rows of `nodes`) and weight.

        Of a readable file, those between layers that lie beside each other; one that runs both
        ways is there once.
        """
        edges = links(self.blocks, self.n_nodes, self.coupling, self.omega, edges=self.direction)
        if not self.readable:
            return edges
        source, target, weight = edges
        kept = looks.links_drawn(source, target, self.n_nodes, ranks(self.blocks))
        return source[kept], target[kept], weight[kept]

    @cached_property
    def link_weight(self) -> float:
        """Weight by which a readable file draws links: half of the least weight of an edge."""
        present = self.weights[self.weights > 0]
        return float(present.min()) / 2 if present.size else 1.0

    @cached_property
    def has_exact(self) -> bool:
        """Whether a weight lies beyond the range in which Gephi reads it, and is written twice."""
        present = np.abs(self.weights[self.weights != 0])
        return bool((present < LEAST).any() or (present > GREATEST).any())

    @property
    def has_omegas(self) -> bool:
        """Whether a readable file holds what each link weighs, since it is not one number."""
        return self.readable and np.ndim(self.omega) > 0

    def edge_looks(self, layer: int, edges: Arrays) -> looks.EdgeLooks:
        """Return the looks of edges of a layer, as a readable file draws them."""
        source, target, weight = edges
        greatest = float(self.weights[layer].max())
        if self.colour == "measure" or not self.measures:
            return looks.edge_looks(weight, greatest, None)
        colour = looks.colour_of_edges(self._colours, source, target, groups=self._groups)
        return looks.edge_looks(weight, greatest, colour)

    @cached_property
    def _colours(self) -> np.ndarray:
        return self._node_colours()

    @cached_property
    def _groups(self) -> np.ndarray | None:
        """The community of every node, where colours show communities."""
        groups = self.measures.get(self.colour)
        if groups is None or np.asarray(groups).dtype.kind == "f":
            return None
        return np.ravel(groups)


def parts_of(edges: Arrays) -> Iterator[Arrays]:
    """Yield edges in parts that are small enough to become Python objects.

    Examples
    --------
    >>> [len(part[2]) for part in parts_of((np.zeros(40_000),) * 3)]
    [32768, 7232]
    """
    source, target, weight = edges
    for start in range(0, len(weight), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        yield source[part], target[part], weight[part]
