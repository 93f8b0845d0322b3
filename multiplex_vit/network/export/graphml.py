"""GraphML as Gephi, Gephi Lite, igraph and networkx read it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError
from multiplex_vit.network.export.looks import LINK_THICKNESS, link_colour
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import quoted, value_text, xml
from multiplex_vit.network.export.view import Arrays, Export
from multiplex_vit.network.export.weights import weight_texts

LISTS = ("grid", "prefix", "layer_names", "edges_before", "edges", "blocks", "heads")
"""Names of the graph data that are lists, one value a layer but for the first two."""

SIGNED = "signed"
"""Name of the graph data that are there where weights may be below 0, and nowhere else."""

FACTS = ("coupling", "omega", "edge_direction", *LISTS, "dtype")
"""Names of the graph data that are the package's own, beside `SIGNED`.

Provenance of these names is written as "provenance:" and the name.
"""

_EDGE_KEYS = {"weight": "double", "kind": "string"}
_LOOKS = {"color": "string", "thickness": "double"}

_TYPES = (
    ((bool, np.bool_), "boolean"),
    ((int, np.integer), "long"),
    ((float, np.floating), "double"),
)
"""Types of graph data as GraphML names them; a bool is an int to Python, so it comes first."""


@EXPORTERS.register(suffix=".graphml", preset="gephi", signed=True)
@accepts()
def graphml(export: Export, path: Path) -> None:
    """Write GraphML, from which `read_graphml` gives the network back exactly.

    There is one node for each layer and token. Every edge is directed and has an id of its own.

    Key ids equal attribute names, but those of graph data, which begin with "graph-"; provenance
    comes first, with its types. `weight` is written in 17 digits, held within what Gephi's 32
    bits can tell from 0 and infinity; where that changes it, `attention` is the weight itself.
    `kind` is "attention" or "coupling". Graph data say which way edges run (edge_direction), and the block and head of
    every layer. Layers lie side by side through x and y; z is the block. Values that are NaN are
    left out; characters that XML forbids are written as text ("\\x01").

    Read by Gephi, Gephi Lite (graphology-graphml), igraph and networkx.

    References
    ----------
    Brandes et al., GraphML Progress Report, LNCS 2265, 501 (2002), doi:10.1007/3-540-45848-4_59;
    http://graphml.graphdrawing.org.
    """
    if export.weights.dtype.itemsize > 8:
        precision = export.weights.dtype
        raise InputError(f"weights are {precision}; GraphML holds 64 bits: give float64")
    nodes = export.nodes()
    about = _graph_data(export)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for name, value in about.items():
            file.write(_key(f"graph-{name}", "graph", name, _type_of(value)))
        for name, values in _with_label(nodes).items():
            file.write(_key(name, "node", name, _column_type(values)))
        for name, kind in _edge_keys(export).items():
            file.write(_key(name, "edge", name, kind))
        file.write('<graph id="multiplex" edgedefault="directed">\n')
        for name, value in about.items():
            key = quoted(f"graph-{name}")
            file.write(f"<data key={key}>{xml(value)}</data>\n")
        file.writelines(_node_lines(nodes))
        names = np.array([quoted(name) for name in nodes["name"]], dtype=object)
        _write_edges(file, export, names)
        file.write("</graph>\n</graphml>\n")


def _graph_data(export: Export) -> dict[str, Any]:
    about: dict[str, Any] = {}
    for name, value in export.provenance.items():
        # Provenance must not be taken for a fact of the same name when the file is read.
        taken = name in (*FACTS, SIGNED) or name.startswith("provenance:")
        about[f"provenance:{name}" if taken else name] = value
    about.update(export.settings)
    lists = {
        "grid": export.tokens.grid,
        "prefix": export.tokens.prefix,
        "layer_names": export.layer_names,
        "edges_before": export.edges_before,
        "edges": np.count_nonzero(export.weights, axis=(1, 2)).tolist(),
        "blocks": export.blocks,
        "heads": export.heads,
    }
    for name, values in lists.items():
        about[name] = json.dumps(values, default=int, ensure_ascii=False)
    about["dtype"] = export.weights.dtype.name
    if export.signed:
        about[SIGNED] = "yes"
    return about


def _key(identity: str, domain: str, name: str, kind: str) -> str:
    names = f'id={quoted(identity)} for="{domain}" attr.name={quoted(name)}'
    return f'<key {names} attr.type="{kind}"/>\n'


def _type_of(value: object) -> str:
    for types, name in _TYPES:
        if isinstance(value, types):
            return name
    return "string"


def _column_type(values: pd.Series) -> str:
    return {"i": "int", "u": "int", "f": "double"}.get(values.dtype.kind, "string")


def _with_label(nodes: pd.DataFrame) -> dict[str, pd.Series]:
    columns = {"label": nodes["name"]}
    for name, values in nodes.items():
        columns[str(name)] = values
    return columns


def _node_lines(nodes: pd.DataFrame) -> Iterator[str]:
    columns = []
    for name, values in _with_label(nodes).items():
        columns.append(_data_column(name, values))
    for name, *data in zip(nodes["name"], *columns, strict=True):
        yield f"<node id={quoted(name)}>{''.join(data)}</node>\n"


def _data_column(name: str, values: pd.Series) -> list[str]:
    """Return the data of a column, one text a node, which is empty where a value is NaN."""
    key = quoted(name)
    texts = []
    for value in values.tolist():
        # NaN alone differs from itself.
        is_nan = value != value
        texts.append("" if is_nan else f"<data key={key}>{xml(value)}</data>")
    return texts


def _edge_keys(export: Export) -> dict[str, str]:
    keys = dict(_EDGE_KEYS)
    if export.has_exact:
        keys["attention"] = "double"
    if export.readable:
        keys.update(_LOOKS)
    if export.has_omegas:
        keys["omega"] = "double"
    return keys


def _write_edges(file: TextIO, export: Export, names: np.ndarray) -> None:
    count = 0
    for kind in export.kinds():
        for edges, data in _parts(export, kind):
            file.writelines(_lines(edges, names, count, data))
            count += len(data)


def _parts(export: Export, kind: str) -> Iterator[tuple[Arrays, list[str]]]:
    """Yield edges of a kind, some at a time, and what is said of each."""
    if kind == "coupling":
        for part in export.link_parts():
            yield part, _link_data(export, part[2])
        return
    for layer, part in export.edge_parts():
        yield part, _edge_data(export, layer, part)


def _lines(edges: Arrays, names: np.ndarray, count: int, data: list[str]) -> Iterator[str]:
    """Yield edges and their data, numbered from `count` on."""
    source, target, _ = edges
    sources, targets = names[source].tolist(), names[target].tolist()
    for edge, text in enumerate(data):
        ends = f"source={sources[edge]} target={targets[edge]}"
        yield f'<edge id="e{count + edge}" {ends}>{text}</edge>\n'


def _edge_data(export: Export, layer: int, edges: Arrays) -> list[str]:
    """Return the data of edges of a layer."""
    texts, exact = weight_texts(edges[2])
    data = []
    for held, weight in zip(texts, exact, strict=True):
        text = _datum("weight", held)
        if held != weight:
            text += _datum("attention", weight)
        data.append(text + _datum("kind", "attention"))
    if not export.readable:
        return data
    looks = export.edge_looks(layer, edges)
    styled = zip(data, looks.colours, looks.thicknesses, strict=True)
    return [text + _look_data(colour, thickness) for text, colour, thickness in styled]


def _link_data(export: Export, omega: np.ndarray) -> list[str]:
    """Return the data of inter-layer links; a readable file has them thin."""
    texts, exact = weight_texts(omega)
    kind = _datum("kind", "coupling")
    if not export.readable:
        return [_datum("weight", text) + kind for text in texts]
    look = _look_data(link_colour(export.n_nodes), LINK_THICKNESS)
    drawn = _datum("weight", value_text(export.link_weight)) + kind + look
    if not export.has_omegas:
        return [drawn] * len(exact)
    return [drawn + _datum("omega", weight) for weight in exact]


def _look_data(colour: str, thickness: float) -> str:
    return _datum("color", colour) + _datum("thickness", value_text(thickness))


def _datum(key: str, text: str) -> str:
    return f'<data key="{key}">{text}</data>'
