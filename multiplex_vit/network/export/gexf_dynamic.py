"""GEXF 1.3 with the depth of the network as its timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.depth import ranks
from multiplex_vit.network.export.gexf import HEAD, attributes, looks, meta
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import quoted, visible
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import weight_texts

_TIME = 'timeformat="double" timerepresentation="timestamp">\n'
_GRAPH = '<graph mode="dynamic" defaultedgetype="directed" ' + _TIME


_WEIGHTS = {"weight": "double"}

_PLACES = {"token": "string", "row": "integer", "col": "integer"}


@dataclass(frozen=True)
class _Track:
    """Layers that follow each other in time: all of them, or one head of every block."""

    suffix: str
    kind: str
    layers: list[int]
    times: list[str]


@EXPORTERS.register(extension=".gexf", preset="gephi")
@accepts()
def gexf_dynamic(export: Export, path: Path) -> None:
    """Write dynamic GEXF 1.3: one node a token, and time is depth, so that Gephi plays it.

    Timestamp 0.0 is the first block that is there, 1.0 the next. An edge is there at the blocks
    where it has weight, and `weight` is a dynamic attribute; readers without dynamics take the last
    one. Heads of a block are there at the same time: each has edges of its own, of the kind "H00",
    "H01", ..., and measures of its own, which end in "_H00". Without heads edges are of the kind
    "attention".

    Measures are dynamic attributes of nodes; size, colour and place are those of the first layer.
    Without measures nodes have the attributes token, row and col instead: Gephi Lite's reader takes
    one declaration of node attributes only. Inter-layer links are not written, for a node is itself
    at all times. What each timestamp is called, which way edges run, and provenance, are JSON in
    the description of `<meta>`.

    Measures are declared by `type="dynamic"`, as GEXF 1.0 spells it and Gephi reads it: by GEXF
    1.3's `mode="dynamic"` networkx wants a start and an end of every value, which a timestamp has
    not, and stops with a TypeError (networkx 3.6).

    Read by Gephi (timeline), Gephi Lite (graphology-gexf) and networkx, the latter two with the
    last value of everything. Its suffix is .gexf too, so name this format.

    References
    ----------
    GEXF 1.3, https://gexf.net (schema https://github.com/gephi/gexf, specs/1.3, dynamics.xsd).
    """
    tracks = _tracks(export)
    tokens = [visible(name) for name in export.tokens.names]
    names = [quoted(token) for token in tokens]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta(_about(export)))
        file.write(_GRAPH)
        file.writelines(_node_attributes(export, tracks))
        file.writelines(attributes("edge", _WEIGHTS, "dynamic"))
        file.write("<nodes>\n")
        file.writelines(_node_lines(export, tracks, tokens))
        file.write("</nodes>\n<edges>\n")
        file.writelines(_edge_lines(export.weights, tracks, names))
        file.write("</edges>\n</graph>\n</gexf>\n")


def _tracks(export: Export) -> list[_Track]:
    depth = ranks(export.blocks)
    if len(set(export.blocks)) == export.n_layers:
        order = np.argsort(depth, kind="stable")
        return [_Track("", "attention", order.tolist(), _times(depth[order]))]
    tracks = []
    heads = np.array(export.heads)
    for head in sorted(set(export.heads)):
        layers = np.flatnonzero(heads == head)
        layers = layers[np.argsort(depth[layers], kind="stable")]
        name = f"H{head:02d}" if head >= 0 else "heads"
        tracks.append(_Track(f"_{name}", name, layers.tolist(), _times(depth[layers])))
    return tracks


def _times(depth: np.ndarray) -> list[str]:
    return [f"{time}.0" for time in depth.tolist()]


def _about(export: Export) -> dict[str, Any]:
    """Return what the file says of itself.

    `timestamps` names the layer, or layers, of each time.
    """
    by_time: dict[int, list[str]] = {}
    for time, name in zip(ranks(export.blocks).tolist(), export.layer_names, strict=True):
        by_time.setdefault(time, []).append(name)
    return {
        "provenance": dict(export.provenance),
        "edge_direction": export.settings["edge_direction"],
        "timestamps": [", ".join(by_time[time]) for time in sorted(by_time)],
    }


def _node_attributes(export: Export, tracks: list[_Track]) -> Iterator[str]:
    if not export.measures:
        yield from attributes("node", _PLACES)
        return
    types = {}
    for track in tracks:
        for name, values in export.measures.items():
            kind = "double" if values.dtype.kind in "fiu" else "string"
            types[visible(name) + track.suffix] = kind
    declared = "".join(attributes("node", types, "dynamic"))
    # See the docstring of `gexf_dynamic`: networkx stops at the spelling of GEXF 1.3.
    yield declared.replace('mode="dynamic"', 'type="dynamic"', 1)


def _node_lines(export: Export, tracks: list[_Track], tokens: list[str]) -> Iterator[str]:
    n_times = len(set(export.blocks))
    always = escape(_timestamps(_times(np.arange(n_times))))
    first_layer = export.nodes().head(len(tokens)).to_dict("records")
    for place, token in enumerate(tokens):
        node = first_layer[place]
        values = "".join(_values_of(export, tracks, place))
        if not export.measures:
            for name in _PLACES:
                values += f'<attvalue for="{name}" value={quoted(node[name])}/>'
        label = quoted(token)
        opening = f'<node id={label} label={label} timestamps="{always}">'
        yield f"{opening}<attvalues>{values}</attvalues>{looks(node)}</node>\n"


def _values_of(export: Export, tracks: list[_Track], node: int) -> Iterator[str]:
    """Yield every measure of a node at every time; what is NaN is left out."""
    for track in tracks:
        for name, by_layer in export.measures.items():
            key = quoted(visible(name) + track.suffix)
            for layer, time in zip(track.layers, track.times, strict=True):
                value = by_layer[layer][node]
                if by_layer.dtype.kind in "fiu":
                    value = float(value)
                # NaN alone differs from itself.
                if value == value:
                    yield f'<attvalue for={key} value={quoted(value)} timestamp="{time}"/>'


def _timestamps(times: list[str]) -> str:
    return f"<[{', '.join(times)}]>"


def _edge_lines(weights: np.ndarray, tracks: list[_Track], names: list[str]) -> Iterator[str]:
    """Yield the edges, one source at a time, so that memory holds the text of one source only."""
    count = 0
    for track in tracks:
        for source in range(weights.shape[1]):
            of_source = weights[track.layers, source].astype(float)
            target, place = of_source.T.nonzero()
            texts, _ = weight_texts(of_source[place, target])
            times = [track.times[at] for at in place.tolist()]
            # The weights of one target lie side by side.
            starts = np.unique(target, return_index=True)[1].tolist()
            for start, end in pairwise([*starts, len(target)]):
                ends = f"source={names[source]} target={names[target[start]]}"
                opening = f'id="e{count}" {ends} type="directed" kind="{track.kind}"'
                yield _edge_line(opening, texts[start:end], times[start:end])
                count += 1


def _edge_line(opening: str, texts: list[str], times: list[str]) -> str:
    """Return an edge with its weight at every time where it has one."""
    values = ""
    for text, time in zip(texts, times, strict=True):
        values += f'<attvalue for="weight" value="{text}" timestamp="{time}"/>'
    stamps = escape(_timestamps(times))
    return f'<edge {opening} timestamps="{stamps}"><attvalues>{values}</attvalues></edge>\n'
