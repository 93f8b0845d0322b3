"""GEXF 1.3 of a whole network, without a timeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.looks import LINK_THICKNESS, link_colour
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import json_text, quoted, value_text, xml
from multiplex_vit.network.export.view import Arrays, Export
from multiplex_vit.network.export.weights import weight_texts

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACES = 'xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz"'
HEAD = f'{_XML}<gexf {_SPACES} version="1.3">\n'

_NO_COLUMNS = ("name", "x", "y", "z", "size", "r", "g", "b")


@EXPORTERS.register(suffix=".gexf", preset="gephi")
@accepts()
def gexf(export: Export, path: Path) -> None:
    """Write static GEXF 1.3.

    There is one node for each layer and token, with place, size and colour. Edges are directed
    and of kind "attention" or "coupling".

    `weight` is held within what Gephi's 32 bits can tell from 0 and infinity; where that changes
    it, the attribute `attention` is the weight itself. Provenance is JSON in the description of `<meta>`. Values
    that are NaN are left out; characters that XML forbids are written as text ("\\x01").

    Read by Gephi, Gephi Lite (graphology-gexf) and networkx.

    References
    ----------
    GEXF 1.3, https://gexf.net (schema https://github.com/gephi/gexf, specs/1.3).
    """
    nodes = export.nodes()
    columns = {}
    for name, values in nodes.items():
        if name not in _NO_COLUMNS:
            columns[str(name)] = values
    types = {name: type_of(values) for name, values in columns.items()}
    about = {"provenance": dict(export.provenance), **export.settings}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta(about))
        file.write('<graph mode="static" defaultedgetype="directed">\n')
        file.writelines(attributes("node", types))
        file.writelines(attributes("edge", _edge_types(export)))
        file.write("<nodes>\n")
        file.writelines(_node_lines(nodes, columns))
        file.write("</nodes>\n<edges>\n")
        names = np.array([quoted(name) for name in nodes["name"]], dtype=object)
        _write_edges(file, export, names)
        file.write("</edges>\n</graph>\n</gexf>\n")


def meta(about: dict[str, Any]) -> str:
    """Return the `<meta>` element, with all that is known in its description, as JSON."""
    description = xml(json_text(about))
    creator = "<creator>multiplex_vit</creator>"
    return f"<meta>{creator}<description>{description}</description></meta>\n"


def attributes(domain: str, types: dict[str, str], mode: str = "static") -> Iterator[str]:
    """Yield the declaration of attributes, whose ids are their names.

    Nothing is yielded where there are no attributes.
    """
    if not types:
        return
    yield f'<attributes class="{domain}" mode="{mode}">\n'
    for name, kind in types.items():
        key = quoted(name)
        yield f'<attribute id={key} title={key} type="{kind}"/>\n'
    yield "</attributes>\n"


def looks(node: dict[str, Any]) -> str:
    """Return place and, where the node has them, size and colour."""
    place = f'<viz:position x="{node["x"]!r}" y="{node["y"]!r}" z="{node["z"]!r}"/>'
    if "size" not in node:
        return place
    size = f'<viz:size value="{node["size"]}.0"/>'
    colour = f'<viz:color r="{node["r"]}" g="{node["g"]}" b="{node["b"]}"/>'
    return size + colour + place


def type_of(values: pd.Series | np.ndarray) -> str:
    """Return the type of a column as GEXF names it.

    Examples
    --------
    >>> type_of(np.arange(2)), type_of(np.array(["a"]))
    ('integer', 'string')
    """
    return {"i": "integer", "f": "double"}.get(values.dtype.kind, "string")


def _node_lines(nodes: pd.DataFrame, columns: dict[str, pd.Series]) -> Iterator[str]:
    keys = {name: quoted(name) for name in columns}
    for node in nodes.to_dict("records"):
        values = ""
        for name, key in keys.items():
            value = node[name]
            # NaN alone differs from itself.
            if value == value:
                values += f"<attvalue for={key} value={quoted(value)}/>"
        name = quoted(node["name"])
        opening = f"<node id={name} label={name}>"
        yield f"{opening}<attvalues>{values}</attvalues>{looks(node)}</node>\n"


def _edge_types(export: Export) -> dict[str, str]:
    types = {}
    if export.has_exact:
        types["attention"] = "double"
    if export.has_omegas:
        types["omega"] = "double"
    return types


def _write_edges(file: TextIO, export: Export, names: np.ndarray) -> None:
    count = 0
    for kind in export.kinds():
        for edges, rests in _parts(export, kind):
            file.writelines(_lines(edges, names, count, rests))
            count += len(rests)


def _parts(export: Export, kind: str) -> Iterator[tuple[Arrays, list[str]]]:
    """Yield edges of a kind, some at a time, and what is said of each."""
    if kind == "coupling":
        for part in export.link_parts():
            yield part, _link_rests(export, part[2])
        return
    for layer, part in export.edge_parts():
        yield part, _edge_rests(export, layer, part)


def _lines(edges: Arrays, names: np.ndarray, count: int, rests: list[str]) -> Iterator[str]:
    """Yield edges, numbered from `count` on; `rests` is what follows the ends of each."""
    source, target, _ = edges
    sources, targets = names[source].tolist(), names[target].tolist()
    for edge, rest in enumerate(rests):
        ends = f"source={sources[edge]} target={targets[edge]}"
        yield f'<edge id="e{count + edge}" {ends} type="directed" {rest}\n'


def _edge_rests(export: Export, layer: int, edges: Arrays) -> list[str]:
    texts, exact = weight_texts(edges[2])
    looks = [""] * len(texts)
    if export.readable:
        drawn = export.edge_looks(layer, edges)
        styles = zip(drawn.colours, drawn.thicknesses, strict=True)
        looks = [_look(colour, thickness) for colour, thickness in styles]
    rests = []
    for held, weight, look in zip(texts, exact, looks, strict=True):
        values = _value("attention", weight) if held != weight else ""
        rests.append(_rest(held, "attention", values + look))
    return rests


def _link_rests(export: Export, omegas: np.ndarray) -> list[str]:
    """Return what follows the ends of inter-layer links; a readable file has them thin."""
    texts, exact = weight_texts(omegas)
    if not export.readable:
        return [_rest(text, "coupling", "") for text in texts]
    look = _look(link_colour(export.n_nodes), LINK_THICKNESS)
    weight = value_text(export.link_weight)
    rests = []
    for omega in exact:
        value = _value("omega", omega) if export.has_omegas else ""
        rests.append(_rest(weight, "coupling", value + look))
    return rests


def _rest(weight: str, kind: str, inside: str) -> str:
    opening = f'weight="{weight}" kind="{kind}"'
    return f"{opening}>{inside}</edge>" if inside else f"{opening}/>"


def _value(name: str, text: str) -> str:
    return f'<attvalues><attvalue for="{name}" value="{text}"/></attvalues>'


def _look(colour: str, thickness: float) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    shade = f'<viz:color r="{red}" g="{green}" b="{blue}"/>'
    return f'{shade}<viz:thickness value="{thickness}"/>'
