"""Export: a network as exporters see it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import Links, links
from multiplex_vit.network.depth import checked_depth, ranks
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.network.export.text import visible
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import name_of

SPACING = 25.0
"""Distance of neighbouring patches in exported positions."""

_SMALLEST, _LARGEST, _GREY = 4, 20, 128
_PLACES = (
    "name", "layer", "layer_name", "block", "head", "node", "token", "row", "col", "x", "y", "z",
)  # fmt: skip
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
    omega : float or ndarray [layer, node]
        Weight of an inter-layer link.
    measures : mapping of str to ndarray [layer, node]
        Values beside each node; the first gives size and colour.
    edges_before : tuple of int
        Edges of each layer before it was pruned, where known.
    direction : "attention" or "information"
        Which way edges run.
    blocks, heads : tuple of int
        The transformer block and the head that each layer shows, as in `Multiplex`.

    Raises
    ------
    InputError
        If a measure is not [layer, node], or has a name that readers take for something else, or
        that another has but for case.

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
    provenance: Mapping[str, str | int | float]
    coupling: str | Callable[[np.ndarray], np.ndarray] = "ordinal"
    omega: float | np.ndarray = 1.0
    measures: Mapping[str, np.ndarray] = field(default_factory=dict)
    edges_before: tuple[int, ...] = ()
    direction: str = "attention"
    blocks: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        blocks, heads = checked_depth(self.blocks, self.heads, len(self.weights))
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "heads", heads)
        object.__setattr__(
            self,
            "provenance",
            {str(name): value for name, value in self.provenance.items()},
        )
        seen = set(_TAKEN)
        for name, values in self.measures.items():
            if not name or name.lower() in seen or name.startswith("graph-"):
                raise InputError(f"a measure is named {name!r}, which is empty or taken (capitals or not); give it another name")
            if np.shape(values) != self.weights.shape[:2]:
                raise InputError(f"measure {name} is {list(np.shape(values))}; [layer, node] = {list(self.weights.shape[:2])} was wanted")
            seen.add(name.lower())

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
        omega = float(self.omega) if np.ndim(self.omega) == 0 else "one value a layer and node"
        sentence = DIRECTIONS[self.direction]
        return {
            "coupling": name_of(self.coupling),
            "omega": omega,
            "edge_direction": sentence,
        }

    def nodes(self) -> pd.DataFrame:
        """Return one row a layer and node, in the order of the supra-adjacency.

        Returns
        -------
        pandas.DataFrame
            name ("L03:r1c4", "L03:class"), layer, layer_name, block, head (-1 for several
            together), node, token, row, col, x, y, z; where there is a measure also size (4 to 20),
            r, g and b, and each measure. Layers lie side by side through x and y, the heads of a
            block in one row; y is the row upside down and z the block, counted among those that are
            there. Prefix tokens lie just above their layer's patches.

        Raises
        ------
        InputError
            If two nodes would have one name.
        """
        table = self._index()
        table["x"], table["y"], table["z"] = self._positions(table)
        if self.measures:
            first = np.asarray(next(iter(self.measures.values())), dtype=float).ravel()
            table["size"] = _sizes(first)
            table["r"], table["g"], table["b"] = _colours(first).T.astype(int)
        values = {visible(name): np.asarray(values, dtype=float).ravel() for name, values in self.measures.items()}
        return pd.concat([table, pd.DataFrame(values)], axis=1) if values else table

    def _index(self) -> pd.DataFrame:
        tokens = self.tokens.table
        layers = [visible(name) for name in self.layer_names]
        names = [f"{layer}:{visible(token)}" for layer in layers for token in tokens["name"]]
        if len(set(names)) < len(names):
            raise InputError("two nodes have one name, layer and token together; name the layers or prefix tokens otherwise")
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

    def _positions(self, index: pd.DataFrame) -> Arrays:
        """Return x, y, z; the rows of prefix tokens above the patches count into the height of a layer."""
        (rows, cols), n_prefix = self.tokens.grid, len(self.tokens.prefix)
        above = -(-n_prefix // cols)
        node, layer = index["node"].to_numpy(), index["layer"].to_numpy()
        prefix = node < n_prefix
        row = np.where(prefix, -1 - node // cols, index["row"])
        col = np.where(prefix, node % cols, index["col"])
        down, right = self._panels()
        x = SPACING * (col + right[layer] * (cols + 2.0))
        y = -SPACING * (row + down[layer] * (rows + above + 2.0)) + 0.0
        return x, y, SPACING * ranks(self.blocks)[layer]

    def _panels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how far down and how far right each layer lies, in layers."""
        depth = ranks(self.blocks)
        if len(set(self.blocks)) == self.n_layers:
            down, right = np.divmod(np.arange(self.n_layers), int(np.ceil(np.sqrt(self.n_layers))))
            return down, right
        right = np.zeros(self.n_layers, dtype=int)
        for block in set(self.blocks):
            there = np.flatnonzero(np.array(self.blocks) == block)
            right[there] = np.arange(len(there))
        return depth, right

    def edges(self) -> Iterator[Arrays]:
        """Yield source, target and weight of each layer's edges.

        Source and target are rows of `nodes`. Edges are ordered by source and target.
        """
        for layer, weights in enumerate(self.weights):
            source, target = weights.nonzero()
            yield (
                source + layer * self.n_nodes,
                target + layer * self.n_nodes,
                weights[source, target].astype(float),
            )

    def links(self) -> Links:
        """Return the inter-layer links: source, target (rows of `nodes`) and weight."""
        return links(self.blocks, self.n_nodes, self.coupling, self.omega, edges=self.direction)


def _sizes(values: np.ndarray) -> np.ndarray:
    """Return sizes from the least value to the greatest.

    Equal values get the middle, and NaN the smallest.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return np.full(values.shape, _SMALLEST)
    low, high = known.min() / 2, known.max() / 2
    shares = (np.clip(values, known.min(), known.max()) / 2 - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.5)
    return np.rint(np.nan_to_num(_SMALLEST + (_LARGEST - _SMALLEST) * shares, nan=_SMALLEST)).astype(int)


def _colours(values: np.ndarray) -> np.ndarray:
    """Return colours [node, 3], grey for NaN; infinities get the colours of the ends."""
    from multiplex_vit.plot import colours

    known = values[np.isfinite(values)]
    if not known.size:
        return np.full((len(values), 3), _GREY)
    return np.where(
        np.isnan(values)[:, None],
        _GREY,
        colours(np.clip(np.nan_to_num(values, nan=known[0]), known.min(), known.max())),
    )
