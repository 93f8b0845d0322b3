"""graphology's JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.looks import LINK_THICKNESS, link_colour
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
    for kind in export.kinds():
        for edges, attributes in _parts(export, kind):
            yield _lines(edges, keys, count, attributes)
            count += len(attributes)


def _parts(export: Export, kind: str) -> Iterator[tuple[Arrays, list[dict[str, Any]]]]:
    """Yield edges of a kind, some at a time, and the attributes of each."""
    if kind == "coupling":
        for part in export.link_parts():
            yield part, _link_attributes(export, part[2])
        return
    for layer, part in export.edge_parts():
        yield part, _edge_attributes(export, layer, part)


def _edge_attributes(export: Export, layer: int, edges: Arrays) -> list[dict[str, Any]]:
    attributes = [{"weight": weight, "kind": "attention"} for weight in edges[2].tolist()]
    if export.readable:
        looks = export.edge_looks(layer, edges)
        for facts, colour, thickness in zip(
            attributes, looks.colours, looks.thicknesses, strict=True
        ):
            facts.update(color=colour, thickness=thickness)
    return attributes


def _link_attributes(export: Export, omegas: np.ndarray) -> list[dict[str, Any]]:
    """Return the attributes of inter-layer links; a readable file has them thin."""
    attributes: list[dict[str, Any]] = []
    for omega in omegas.tolist():
        facts: dict[str, Any] = {"weight": omega, "kind": "coupling"}
        if export.readable:
            facts["weight"] = export.link_weight
            facts["color"] = link_colour(export.n_nodes)
            facts["thickness"] = LINK_THICKNESS
        if export.has_omegas:
            facts["omega"] = omega
        attributes.append(facts)
    return attributes


def _lines(
    edges: Arrays,
    keys: np.ndarray,
    count: int,
    attributes: list[dict[str, Any]],
) -> list[str]:
    """Return edges, numbered from `count` on."""
    source, target, _ = edges
    sources, targets = keys[source].tolist(), keys[target].tolist()
    lines = []
    for edge, facts in enumerate(attributes):
        ends = f'"source":{sources[edge]},"target":{targets[edge]}'
        lines.append(f'{{"key":"e{count + edge}",{ends},"attributes":{json_text(facts)}}}')
    return lines
