"""Reading a network back from the GraphML that `graphml` writes."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_WEIGHT_BYTES
from multiplex_vit.network.depth import checked_depth
from multiplex_vit.network.direction import direction_named
from multiplex_vit.network.export.graphml import FACTS, SIGNED
from multiplex_vit.network.export.xml_stream import XmlStream
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.reading import checked_facts, named, parsed_json
from multiplex_vit.reading.facts import TEXT, listed, whole

_READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "long": int,
    "double": float,
    "float": float,
    "boolean": "true".__eq__,
}
_DTYPES = ("float16", "float32", "float64")
_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_LISTS = {
    "grid": listed(whole(1), 2),
    "prefix": listed(TEXT),
    "layer_names": listed(TEXT),
    "edges_before": listed(whole(0)),
    "edges": listed(whole(0)),
    "blocks": listed(whole(-1)),
    "heads": listed(whole(-1)),
}
"""What the graph's own data hold as JSON."""


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """What a file holds of a network: enough to build it again, bit for bit.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    grid : tuple of int
    prefix : tuple of str
    layer_names : tuple of str
    provenance : dict of str to str or number
    edges_before : tuple of int
        Empty where it was not known.
    edges : "attention" or "information"
        Which way edges run.
    blocks, heads : tuple of int
        The transformer block and the head that each layer shows.
    signed : bool
        Whether weights may be below 0.
    """

    weights: np.ndarray
    grid: tuple[int, int]
    prefix: tuple[str, ...]
    layer_names: tuple[str, ...]
    provenance: Mapping[str, str | int | float]
    edges_before: tuple[int, ...]
    edges: str
    blocks: tuple[int, ...]
    heads: tuple[int, ...]
    signed: bool = False


def read_graphml(path: str | Path) -> StoredNetwork:
    """Read a network from GraphML written by `graphml`: weights exactly and in their type.

    Grid, prefix tokens, names, blocks, heads, the direction of edges and provenance are read too.
    Inter-layer links and measures are not read. The file is read as a stream; what it says of
    grid and edges must agree with its nodes and edges.

    Raises
    ------
    InputError
        If the file is missing, damaged, or some other tool's; if it has a DOCTYPE, which could
        stand for more text than there is.
    """
    reader = _Reader()
    try:
        reader.read(named(path))
    except InputError:
        raise
    except _DAMAGE as error:
        raise _foreign(path) from error
    try:
        return reader.network()
    except InputError as error:
        problem = f"cannot read {path}: {error}"
        raise InputError(f"{problem}; write it again with net.write") from error
    except _DAMAGE as error:
        raise _foreign(path) from error


def _foreign(path: Any) -> InputError:
    what = "no GraphML that multiplex_vit wrote, or changed since"
    return InputError(f"cannot read {path}: {what}; write it again with net.write")


class _Reader(XmlStream):
    """Collects graph data, nodes and edges as they pass by."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}
        self.about: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        # Of each node: layer and node, then row and column.
        self.places: list[tuple[int, int]] = []
        self.cells: list[tuple[int, int]] = []
        self.sources = array("q")
        self.targets = array("q")
        self.weights = array("d")
        self._element: dict[str, str] = {}
        # Data outside nodes and edges are those of the graph.
        self._data = self.about
        self._key = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "data":
            self._key = attributes["key"]
        elif tag in ("node", "edge"):
            self._element = attributes
            self._data = {}
        elif tag == "key":
            identity = attributes["id"]
            # A second key of one id could give its data another type.
            if identity in self.kinds:
                raise ValueError
            self.kinds[identity] = attributes["attr.type"]

    def end(self, tag: str, text: str) -> None:
        if tag == "data":
            if self._key in self._data:
                raise ValueError
            self._data[self._key] = text
        elif tag == "edge":
            self._add_edge()
            self._data = self.about
        elif tag == "node":
            self._add_node()
            self._data = self.about

    def _add_node(self) -> None:
        data = self._data
        self.numbers[self._element["id"]] = len(self.places)
        self.places.append((int(data["layer"]), int(data["node"])))
        self.cells.append((int(data["row"]), int(data["col"])))

    def _add_edge(self) -> None:
        kind = self._data["kind"]
        if kind == "attention":
            self.sources.append(self.numbers[self._element["source"]])
            self.targets.append(self.numbers[self._element["target"]])
            # What the weight itself would mean to Gephi is written beside it.
            text = self._data.get("attention", self._data["weight"])
            self.weights.append(float(text))
        elif kind != "coupling":
            raise ValueError

    def network(self) -> StoredNetwork:
        """Return what was read, after making sure that its parts agree."""
        facts = {name: self.about[f"graph-{name}"] for name in FACTS}
        lists = {name: parsed_json(facts[name], what=name) for name in _LISTS}
        checked = checked_facts(lists, _LISTS)
        grid = tuple(checked["grid"])
        prefix = tuple(checked["prefix"])
        names = tuple(checked["layer_names"])
        before = tuple(checked["edges_before"])
        blocks, heads = checked_depth(checked["blocks"], checked["heads"], len(names))
        shape = self._shape(grid, prefix, names, facts["dtype"])
        weights = self._filled(np.zeros(shape, dtype=facts["dtype"]))
        edges = np.count_nonzero(weights, axis=(1, 2)).tolist()
        if list(checked["edges"]) != edges or len(before) not in (0, len(names)):
            raise ValueError
        return StoredNetwork(
            weights=weights,
            grid=grid,
            prefix=prefix,
            layer_names=names,
            provenance=self._provenance(),
            edges_before=before,
            edges=direction_named(facts["edge_direction"]),
            blocks=blocks,
            heads=heads,
            signed=self._is_signed,
        )

    @property
    def _is_signed(self) -> bool:
        return f"graph-{SIGNED}" in self.about

    def _shape(
        self,
        grid: tuple[int, int],
        prefix: tuple[str, ...],
        names: tuple[str, ...],
        dtype: str,
    ) -> tuple[int, int, int]:
        """Return the shape of the weights, after making sure that nodes and memory allow it."""
        n_nodes = grid[0] * grid[1] + len(prefix)
        if dtype not in _DTYPES or not self._complete(len(names), n_nodes):
            raise ValueError
        if not self._placed(grid, prefix):
            raise ValueError
        # Few nodes without an edge, in a short file, could stand for weights that fill the memory.
        size = len(names) * n_nodes**2 * np.dtype(dtype).itemsize
        if size > MOST_WEIGHT_BYTES:
            raise ValueError
        return len(names), n_nodes, n_nodes

    def _complete(self, n_layers: int, n_nodes: int) -> bool:
        """Return whether every node of every layer is there, once."""
        if not n_layers or len(self.places) != n_layers * n_nodes:
            return False
        if len(self.numbers) != len(self.places):
            return False
        return sorted(self.places) == list(product(range(n_layers), range(n_nodes)))

    def _placed(self, grid: tuple[int, int], prefix: tuple[str, ...]) -> bool:
        """Return whether nodes have the rows and columns of the grid.

        Call `_complete` first: the table of a grid of many more nodes would fill the memory.
        """
        try:
            expected = Tokens(grid, prefix).places
        except InputError:
            return False
        nodes = [node for _, node in self.places]
        return np.array_equal(self.cells, expected[nodes])

    def _filled(self, weights: np.ndarray) -> np.ndarray:
        """Return the weights with all edges filled in."""
        places = np.array(self.places)
        source = places[np.frombuffer(self.sources, dtype=np.int64)]
        target = places[np.frombuffer(self.targets, dtype=np.int64)]
        values = np.frombuffer(self.weights)
        if (source[:, 0] != target[:, 0]).any():
            raise ValueError
        if not np.isfinite(values).all() or not values.all():
            raise ValueError
        if (values < 0).any() and not self._is_signed:
            raise ValueError
        with np.errstate(over="ignore"):
            stored = values.astype(weights.dtype)
        if not np.array_equal(stored, values):
            raise ValueError
        weights[source[:, 0], source[:, 1], target[:, 1]] = values
        # An edge that is there twice fills one place.
        if np.count_nonzero(weights) != len(values):
            raise ValueError
        return weights

    def _provenance(self) -> dict[str, Any]:
        facts = {f"graph-{name}" for name in (*FACTS, SIGNED)}
        provenance = {}
        for key, text in self.about.items():
            if key not in facts:
                name = key.removeprefix("graph-").removeprefix("provenance:")
                read = _READERS.get(self.kinds[key], str)
                provenance[name] = read(text)
        return provenance
