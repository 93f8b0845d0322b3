"""GraphML as Gephi, Gephi Lite, igraph and networkx read it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import quoted, xml
from multiplex_vit.network.export.view import Arrays, Export
from multiplex_vit.network.export.weights import AT_ONCE, weight_texts

LISTS = ("grid", "prefix", "layer_names", "edges_before", "edges", "blocks", "heads")
"""Names of the graph data that are lists, one value a layer but for the first two."""

FACTS = ("coupling", "omega", "edge_direction", *LISTS, "dtype")
"""Names of the graph data that are the package's own.

Provenance of these names is written as "provenance:" and the name.
"""

_EDGE_KEYS = (("weight", "double"), ("attention", "double"), ("kind", "string"))


@EXPORTERS.register(suffix=".graphml")
def graphml(export: Export, path: Path) -> None:
    """Write GraphML, from which `read_graphml` gives the network back exactly.

    There is one node for each layer and token. Every edge is directed and has an id of its own.

    Key ids equal attribute names, but those of graph data, which begin with "graph-"; provenance
    comes first, with its types. `weight` is written in 17 digits, held within what Gephi's 32
    bits can tell from 0 and infinity; `attention` is the weight itself. `kind` is "attention" or
    "coupling". Graph data say which way edges run (edge_direction), and the block and head of
    every layer. Layers lie side by side through x and y; z is the block. Values that are NaN are
    left out; characters that XML forbids are written as text ("\\x01").

    Read by Gephi, Gephi Lite (graphology-graphml), igraph and networkx.

    References
    ----------
    Brandes et al., GraphML Progress Report, LNCS 2265, 501 (2002), doi:10.1007/3-540-45848-4_59;
    http://graphml.graphdrawing.org.
    """
    if export.weights.dtype.itemsize > 8:
        raise InputError(f"weights are {export.weights.dtype}; GraphML holds 64 bits: give float64")
    nodes = export.nodes()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        about = _graph_data(export)
        file.writelines(_key(f"graph-{name}", "graph", name, _type_of(value)) for name, value in about.items())
        file.writelines(_key(name, "node", name, _column_type(values)) for name, values in _with_label(nodes).items())
        file.writelines(_key(name, "edge", name, kind) for name, kind in _EDGE_KEYS)
        file.write('<graph id="multiplex" edgedefault="directed">\n')
        file.writelines(f"<data key={quoted(f'graph-{name}')}>{xml(value)}</data>\n" for name, value in about.items())
        file.writelines(_node_lines(nodes))
        _write_edges(
            file,
            export,
            np.array([quoted(name) for name in nodes["name"]], dtype=object),
        )
        file.write("</graph>\n</graphml>\n")


def _graph_data(export: Export) -> dict[str, Any]:
    provenance = {f"provenance:{name}" if name in FACTS or name.startswith("provenance:") else name: value for name, value in export.provenance.items()}
    tokens, edges = (
        export.tokens,
        np.count_nonzero(export.weights, axis=(1, 2)).tolist(),
    )
    lists: dict[str, Sequence[str | int]] = {
        "grid": tokens.grid,
        "prefix": tokens.prefix,
        "layer_names": export.layer_names,
    }
    lists |= {"edges_before": export.edges_before, "edges": edges}
    lists |= {"blocks": export.blocks, "heads": export.heads}
    written = {
        name: json.dumps(
            [int(v) if isinstance(v, np.integer) else v for v in values],
            ensure_ascii=False,
        )
        for name, values in lists.items()
    }
    return {
        **provenance,
        **export.settings,
        **written,
        "dtype": export.weights.dtype.name,
    }


def _key(identity: str, domain: str, name: str, kind: str) -> str:
    return f'<key id={quoted(identity)} for="{domain}" attr.name={quoted(name)} attr.type="{kind}"/>\n'


def _type_of(value: object) -> str:
    kinds = (
        ((bool, np.bool_), "boolean"),
        ((int, np.integer), "long"),
        ((float, np.floating), "double"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), "string")


def _column_type(values: pd.Series) -> str:
    return {"i": "int", "u": "int", "f": "double"}.get(values.dtype.kind, "string")


def _with_label(nodes: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "label": nodes["name"],
        **{str(name): values for name, values in nodes.items()},
    }


def _node_lines(nodes: pd.DataFrame) -> Iterator[str]:
    columns = [_data_column(name, values) for name, values in _with_label(nodes).items()]
    for name, *data in zip(nodes["name"], *columns, strict=True):
        yield f"<node id={quoted(name)}>{''.join(data)}</node>\n"


def _data_column(name: str, values: pd.Series) -> list[str]:
    key = quoted(name)
    return ["" if value != value else f"<data key={key}>{xml(value)}</data>" for value in values.tolist()]


def _write_edges(file: TextIO, export: Export, names: np.ndarray) -> None:
    count = 0
    for layer in export.edges():
        count = _write_lines(file, layer, names, count)
    source, target, weight = export.links()
    texts, _ = weight_texts(weight)
    ends = zip(
        range(count, count + len(weight)),
        names[source],
        names[target],
        texts,
        strict=True,
    )
    file.writelines(f'<edge id="e{i}" source={s} target={t}><data key="weight">{w}</data><data key="kind">coupling</data></edge>\n' for i, s, t, w in ends)


def _write_lines(file: TextIO, edges: Arrays, names: np.ndarray, count: int) -> int:
    """Write one layer's edges, numbered from `count` on, so many at once that memory stays small.

    Return the next number.
    """
    for start in range(0, len(edges[0]), AT_ONCE):
        source, target, weight = (part[start : start + AT_ONCE] for part in edges)
        texts, exact = weight_texts(weight)
        columns = zip(
            range(count, count + len(texts)),
            names[source].tolist(),
            names[target].tolist(),
            texts,
            exact,
            strict=True,
        )
        lines = [
            f'<edge id="e{i}" source={s} target={t}><data key="weight">{w}</data><data key="attention">{a}</data><data key="kind">attention</data></edge>\n'
            for i, s, t, w, a in columns
        ]
        file.write("".join(lines))
        count += len(texts)
    return count
