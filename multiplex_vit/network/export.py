"""Exporters: a multiplex network to a file, one function a format, named as the file's suffix."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from multiplex_vit.files import written_whole
from multiplex_vit.network import tables
from multiplex_vit.registry import Registry, name_of

if TYPE_CHECKING:
    from multiplex_vit.network.multiplex import Multiplex

EXPORTERS: Registry[Callable[..., None]] = Registry("format")

_SPACING = 10.0
"""Distance of neighbouring patches in exported positions."""

_KEYS = (
    ("node", "label", "string"),
    ("node", "name", "string"),
    ("node", "layer", "int"),
    ("node", "node", "int"),
    ("node", "row", "int"),
    ("node", "col", "int"),
    ("node", "x", "double"),
    ("node", "y", "double"),
    ("node", "z", "double"),
    ("edge", "weight", "double"),
    ("edge", "attention", "double"),
    ("edge", "kind", "string"),
)


def write(net: "Multiplex", path: Path, format: str, *, coupling: str | Callable = "ordinal", omega: float = 1.0) -> None:
    """Write a network in a format of `EXPORTERS`, whole or not at all.

    Raises
    ------
    InputError
        If the format is unknown, or the file cannot be written.
    """
    exporter = EXPORTERS[format]
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        exporter(net, file, coupling=coupling, omega=omega)


@EXPORTERS.register
def graphml(net: "Multiplex", file: TextIO, *, coupling: str | Callable = "ordinal", omega: float = 1.0) -> None:
    """Write GraphML as Gephi reads it: one node a layer and token, every edge directed and with an id of its own.

    Key ids of nodes and edges equal attribute names; `weight` has 17 digits (Gephi reads it in 32 bits, `attention` in 64); layers lie side by
    side through x and y, and z is the layer; provenance comes first, as data of the graph.

    References
    ----------
    Brandes et al., GraphML Progress Report, LNCS 2265, 501 (2002), doi:10.1007/3-540-45848-4_59.
    """
    provenance = {**net.provenance, "coupling": name_of(coupling), "omega": omega, "edge_direction": "source attends to target"}
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
    for name in provenance:
        file.write(f'<key id={_quoted(f"graph-{name}")} for="graph" attr.name={_quoted(name)} attr.type="string"/>\n')
    for domain, name, kind in _KEYS:
        file.write(f'<key id="{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>\n')
    file.write('<graph id="multiplex" edgedefault="directed">\n')
    file.writelines(_data(f"graph-{name}", value) + "\n" for name, value in provenance.items())
    file.writelines(_nodes(net))
    file.writelines(_edges(net, coupling, omega))
    file.write("</graph>\n</graphml>\n")


def _nodes(net: "Multiplex") -> Iterator[str]:
    rows, cols = net.grid
    across = int(np.ceil(np.sqrt(net.n_layers)))
    for entry in tables.node_index(net).itertuples():
        down, right = divmod(entry.layer, across)
        x = _SPACING * (entry.col + right * (cols + 2))
        y = -_SPACING * (entry.row + down * (rows + 2))
        values = {"label": entry.name, "name": entry.name, "layer": entry.layer, "node": entry.node, "row": entry.row, "col": entry.col}
        data = "".join(_data(name, value) for name, value in {**values, "x": x, "y": y, "z": _SPACING * entry.layer}.items())
        yield f"<node id={_quoted(entry.name)}>{data}</node>\n"


def _edges(net: "Multiplex", coupling: str | Callable, omega: float) -> Iterator[str]:
    names = [_quoted(name) for name in tables.node_index(net)["name"]]
    for i, (source, target, weight, kind) in enumerate(net.edges(coupling=coupling, omega=omega).itertuples(index=False)):
        attention = _data("attention", weight) if kind == "attention" else ""
        data = _data("weight", weight) + attention + _data("kind", kind)
        yield f'<edge id="e{i}" source={names[source]} target={names[target]}>{data}</edge>\n'


def _data(name: str, value: object) -> str:
    return f"<data key={_quoted(name)}>{escape(_clean(value))}</data>"


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(value: object) -> str:
    """Return a value as XML text: floats in 17 digits where needed, characters that XML forbids left out."""
    text = repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not 0xD800 <= ord(c) <= 0xDFFF))
