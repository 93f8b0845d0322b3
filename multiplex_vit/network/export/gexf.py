"""GEXF 1.3 of a whole network, without a timeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import json_text, quoted, xml
from multiplex_vit.network.export.view import Arrays, Export
from multiplex_vit.network.export.weights import AT_ONCE, weight_texts

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">\n'

_NO_COLUMNS = ("name", "x", "y", "z", "size", "r", "g", "b")


@EXPORTERS.register(suffix=".gexf")
def gexf(export: Export, path: Path) -> None:
    """Write static GEXF 1.3.

    There is one node for each layer and token, with place, size and colour. Edges are directed
    and of kind "attention" or "coupling".

    `weight` is held within what Gephi's 32 bits can tell from 0 and infinity; the attribute
    `attention` is the weight itself. Provenance is JSON in the description of `<meta>`. Values
    that are NaN are left out; characters that XML forbids are written as text ("\\x01").

    Read by Gephi, Gephi Lite (graphology-gexf) and networkx.

    References
    ----------
    GEXF 1.3, https://gexf.net (schema https://github.com/gephi/gexf, specs/1.3).
    """
    nodes = export.nodes()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta({"provenance": dict(export.provenance), **export.settings}))
        file.write('<graph mode="static" defaultedgetype="directed">\n')
        columns = {str(name): values for name, values in nodes.items() if name not in _NO_COLUMNS}
        file.writelines(attributes("node", {name: _type_of(values) for name, values in columns.items()}))
        file.writelines(attributes("edge", {"attention": "double"}))
        file.write("<nodes>\n")
        file.writelines(_node_lines(nodes, columns))
        file.write("</nodes>\n<edges>\n")
        _write_edges(
            file,
            export,
            np.array([quoted(name) for name in nodes["name"]], dtype=object),
        )
        file.write("</edges>\n</graph>\n</gexf>\n")


def meta(about: dict[str, Any]) -> str:
    """Return the `<meta>` element, with all that is known in its description, as JSON."""
    return f"<meta><creator>multiplex_vit</creator><description>{xml(json_text(about))}</description></meta>\n"


def attributes(domain: str, types: dict[str, str], mode: str = "static") -> Iterator[str]:
    """Yield the declaration of attributes, whose ids are their names.

    Nothing is yielded where there are no attributes.
    """
    if types:
        yield f'<attributes class="{domain}" mode="{mode}">\n'
        yield from (f'<attribute id={quoted(name)} title={quoted(name)} type="{kind}"/>\n' for name, kind in types.items())
        yield "</attributes>\n"


def looks(node: dict[str, Any]) -> str:
    """Return place and, where the node has them, size and colour."""
    place = f'<viz:position x="{node["x"]!r}" y="{node["y"]!r}" z="{node["z"]!r}"/>'
    if "size" not in node:
        return place
    return f'<viz:size value="{node["size"]}.0"/><viz:color r="{node["r"]}" g="{node["g"]}" b="{node["b"]}"/>{place}'


def _type_of(values: pd.Series) -> str:
    return {"i": "integer", "f": "double"}.get(values.dtype.kind, "string")


def _node_lines(nodes: pd.DataFrame, columns: dict[str, pd.Series]) -> Iterator[str]:
    keys = {name: quoted(name) for name in columns}
    for node in nodes.to_dict("records"):
        known = (f"<attvalue for={key} value={quoted(node[name])}/>" for name, key in keys.items() if node[name] == node[name])
        name = quoted(node["name"])
        yield f"<node id={name} label={name}><attvalues>{''.join(known)}</attvalues>{looks(node)}</node>\n"


def _write_edges(file: TextIO, export: Export, names: np.ndarray) -> None:
    count = 0
    for layer in export.edges():
        for start in range(0, len(layer[0]), AT_ONCE):
            part: Arrays = tuple(values[start : start + AT_ONCE] for values in layer)  # type: ignore[assignment]
            file.write("".join(_attention_lines(part, names, count)))
            count += len(part[0])
    source, target, weight = export.links()
    ends = zip(
        range(count, count + len(weight)),
        names[source],
        names[target],
        weight_texts(weight)[0],
        strict=True,
    )
    file.writelines(f'<edge id="e{i}" source={s} target={t} type="directed" weight="{w}" kind="coupling"/>\n' for i, s, t, w in ends)


def _attention_lines(edges: Arrays, names: np.ndarray, count: int) -> list[str]:
    source, target, weight = edges
    columns = zip(
        range(count, count + len(weight)),
        names[source].tolist(),
        names[target].tolist(),
        *weight_texts(weight),
        strict=True,
    )
    return [
        f'<edge id="e{i}" source={s} target={t} type="directed" weight="{w}" kind="attention">'
        f'<attvalues><attvalue for="attention" value="{a}"/></attvalues></edge>\n'
        for i, s, t, w, a in columns
    ]
