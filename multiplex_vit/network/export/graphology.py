"""graphology's JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import json_text
from multiplex_vit.network.export.view import Arrays, Export


@EXPORTERS.register(suffix=".json")
@accepts()
def graphology(export: Export, path: Path) -> None:
    """Write the JSON of graphology.

    There is one node for each layer and token, and directed edges with weight and kind. Numbers
    are exact.

    Attributes of the graph are coupling, omega, edge_direction, layer_names and provenance; of
    nodes label, place, size and color, layer, block, head, token and each measure (what is NaN or
    infinite is left out, for JSON has neither).

    Read by Gephi Lite and by graphology (`Graph.from`).

    References
    ----------
    graphology, Serialization, https://graphology.github.io/serialization.html.
    """
    nodes = export.nodes()
    keys = np.array([json_text(name) for name in nodes["name"]], dtype=object)
    about = {
        **export.settings,
        "layer_names": export.layer_names,
        "provenance": dict(export.provenance),
    }
    options = {"type": "directed", "multi": True, "allowSelfLoops": True}
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f'{{"attributes":{json_text(about)},\n')
        file.write(f'"options":{json_text(options)},\n')
        file.write('"nodes":[\n')
        file.write(",\n".join(_node_lines(nodes, keys)))
        file.write('\n],\n"edges":[\n')
        separator = ""
        for lines in _edge_lines(export, keys):
            file.write(separator + ",\n".join(lines))
            separator = ",\n"
        file.write("\n]}\n")


def _node_lines(nodes: pd.DataFrame, keys: np.ndarray) -> Iterator[str]:
    for key, node in zip(keys, nodes.to_dict("records"), strict=True):
        attributes = json_text(_attributes(node))
        yield f'{{"key":{key},"attributes":{attributes}}}'


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    attributes = {"label": node["name"]}
    if "r" in node:
        attributes["color"] = f"#{node['r']:02x}{node['g']:02x}{node['b']:02x}"
    for name, value in node.items():
        # JSON has neither NaN nor infinity.
        missing = isinstance(value, float) and not np.isfinite(value)
        if not missing and name not in ("name", "r", "g", "b"):
            attributes[name] = value
    return attributes


def _edge_lines(export: Export, keys: np.ndarray) -> Iterator[list[str]]:
    """Yield lines of edges, some at a time and never none."""
    count = 0
    for _, part in export.edge_parts():
        yield _lines(part, keys, count, "attention")
        count += len(part[0])
    for part in export.link_parts():
        yield _lines(part, keys, count, "coupling")
        count += len(part[0])


def _lines(edges: Arrays, keys: np.ndarray, count: int, kind: str) -> list[str]:
    """Return edges of one kind, numbered from `count` on."""
    source, target, weight = edges
    sources, targets = keys[source].tolist(), keys[target].tolist()
    lines = []
    for edge, value in enumerate(weight.tolist()):
        ends = f'"source":{sources[edge]},"target":{targets[edge]}'
        attributes = f'{{"weight":{value!r},"kind":"{kind}"}}'
        lines.append(f'{{"key":"e{count + edge}",{ends},"attributes":{attributes}}}')
    return lines
