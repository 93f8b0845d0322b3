"""graphology's JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import json_text
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import AT_ONCE


@EXPORTERS.register(suffix=".json")
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
        file.write(f'{{"attributes":{json_text(about)},\n"options":{json_text(options)},\n"nodes":[\n')
        file.write(",\n".join(f'{{"key":{key},"attributes":{json_text(_attributes(node))}}}' for key, node in zip(keys, nodes.to_dict("records"), strict=True)))
        file.write('\n],\n"edges":[\n')
        separator = ""
        for lines in _edge_lines(export, keys):
            file.write(separator + ",\n".join(lines))
            separator = ",\n"
        file.write("\n]}\n")


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    colour = {"color": f"#{node['r']:02x}{node['g']:02x}{node['b']:02x}"} if "r" in node else {}
    known = {name: value for name, value in node.items() if not isinstance(value, float) or np.isfinite(value)}
    return {
        "label": node["name"],
        **colour,
        **{name: value for name, value in known.items() if name not in ("name", "r", "g", "b")},
    }


def _edge_lines(export: Export, keys: np.ndarray) -> Iterator[list[str]]:
    """Yield lines of edges, some at a time and never none."""
    count = 0
    for kind, layer in _by_kind(export):
        for start in range(0, len(layer[0]), AT_ONCE):
            source, target, weight = (part[start : start + AT_ONCE] for part in layer)
            ends = zip(
                range(count, count + len(weight)),
                keys[source].tolist(),
                keys[target].tolist(),
                weight.tolist(),
                strict=True,
            )
            yield [f'{{"key":"e{i}","source":{s},"target":{t},"attributes":{{"weight":{w!r},"kind":"{kind}"}}}}' for i, s, t, w in ends]
            count += len(weight)


def _by_kind(export: Export) -> Iterator[tuple[str, Any]]:
    for layer in export.edges():
        yield "attention", layer
    yield "coupling", export.links()
