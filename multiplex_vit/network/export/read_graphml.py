"""Reading a network back from the GraphML that `graphml` writes."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_WEIGHT_BYTES
from multiplex_vit.network.depth import checked_depth
from multiplex_vit.network.direction import direction_named
from multiplex_vit.network.export.graphml import FACTS
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
class Found:
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


def read_graphml(path: str | Path) -> Found:
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
        return reader.found()
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}; write it again with net.write") from error
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
        self.places: list[tuple[int, int]] = []
        self.cells: list[tuple[int, int]] = []
        self.sources, self.targets, self.weights = array("q"), array("q"), array("d")
        self._element: dict[str, str] = {}
        self._data = self.about
        self._key = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "data":
            self._key = attributes["key"]
        elif tag in ("node", "edge"):
            self._element, self._data = attributes, {}
        elif tag == "key":
            if attributes["id"] in self.kinds:
                raise ValueError
            self.kinds[attributes["id"]] = attributes["attr.type"]

    def end(self, tag: str, text: str) -> None:
        if tag == "data":
            if self._key in self._data:
                raise ValueError
            self._data[self._key] = text
        elif tag == "edge":
            self._add_edge()
        elif tag == "node":
            self.numbers[self._element["id"]] = len(self.places)
            self.places.append((int(self._data["layer"]), int(self._data["node"])))
            self.cells.append((int(self._data["row"]), int(self._data["col"])))
        if tag in ("edge", "node"):
            self._data = self.about

    def _add_edge(self) -> None:
        if self._data["kind"] == "attention":
            self.sources.append(self.numbers[self._element["source"]])
            self.targets.append(self.numbers[self._element["target"]])
            self.weights.append(float(self._data["attention"]))
        elif self._data["kind"] != "coupling":
            raise ValueError

    def found(self) -> Found:
        facts = {name: self.about[f"graph-{name}"] for name in FACTS}
        lists = {name: parsed_json(facts[name], what=name) for name in _LISTS}
        checked = {name: tuple(values) for name, values in checked_facts(lists, _LISTS).items()}
        grid, prefix, names, before, edges, blocks, heads = checked.values()
        n_nodes = grid[0] * grid[1] + len(prefix)
        if facts["dtype"] not in _DTYPES or not self._complete(len(names), n_nodes) or not self._placed(grid, prefix):
            raise ValueError
        # Few nodes without an edge, in a short file, could stand for weights that fill the memory.
        size = len(names) * n_nodes**2 * np.dtype(facts["dtype"]).itemsize
        if size > MOST_WEIGHT_BYTES:
            raise ValueError
        weights = self._filled(np.zeros((len(names), n_nodes, n_nodes), dtype=facts["dtype"]))
        if list(edges) != np.count_nonzero(weights, axis=(1, 2)).tolist() or len(before) not in (0, len(names)):
            raise ValueError
        blocks, heads = checked_depth(blocks, heads, len(names))
        direction = direction_named(facts["edge_direction"])
        about = self._provenance()
        return Found(weights, grid, prefix, names, about, before, direction, blocks, heads)

    def _complete(self, n_layers: int, n_nodes: int) -> bool:
        expected = n_layers > 0 and len(self.places) == len(self.numbers) == n_layers * n_nodes
        return expected and sorted(self.places) == [(layer, node) for layer in range(n_layers) for node in range(n_nodes)]

    def _placed(self, grid: tuple[int, int], prefix: tuple[str, ...]) -> bool:
        """Return whether nodes have the rows and columns of the grid.

        Call `_complete` first: the table of a grid of many more nodes would fill the memory.
        """
        try:
            wanted = Tokens(grid, prefix).places
        except InputError:
            return False
        return np.array_equal(self.cells, wanted[[node for _, node in self.places]])

    def _filled(self, weights: np.ndarray) -> np.ndarray:
        places = np.array(self.places)
        source, target = (
            places[np.frombuffer(self.sources, dtype=np.int64)],
            places[np.frombuffer(self.targets, dtype=np.int64)],
        )
        values = np.frombuffer(self.weights)
        if (source[:, 0] != target[:, 0]).any() or not (np.isfinite(values) & (values > 0)).all():
            raise ValueError
        with np.errstate(over="ignore"):
            stored = values.astype(weights.dtype)
        if not np.array_equal(stored, values):
            raise ValueError
        weights[source[:, 0], source[:, 1], target[:, 1]] = values
        if np.count_nonzero(weights) != len(values):
            raise ValueError
        return weights

    def _provenance(self) -> dict[str, Any]:
        ours = {f"graph-{name}" for name in FACTS}
        names = [key for key in self.about if key not in ours]
        found = {}
        for key in names:
            value = _READERS.get(self.kinds[key], str)(self.about[key])
            found[key.removeprefix("graph-").removeprefix("provenance:")] = value
        return found
