"""GEXF 1.3 with the depth of the network as its timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from multiplex_vit.network.depth import ranks
from multiplex_vit.network.export.gexf import HEAD, attributes, looks, meta
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import quoted, visible
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import weight_texts

_GRAPH = '<graph mode="dynamic" defaultedgetype="directed" timeformat="double" timerepresentation="timestamp">\n'


@dataclass(frozen=True)
class _Track:
    """Layers that follow each other in time: all of them, or one head of every block."""

    suffix: str
    kind: str
    layers: list[int]
    times: list[str]


@EXPORTERS.register(extension=".gexf")
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
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta(_about(export)))
        file.write(_GRAPH)
        file.writelines(_node_attributes(export, tracks))
        file.writelines(attributes("edge", {"weight": "double"}, "dynamic"))
        file.write("<nodes>\n")
        file.writelines(_node_lines(export, tracks, tokens))
        file.write("</nodes>\n<edges>\n")
        file.writelines(_edge_lines(export.weights, tracks, [quoted(token) for token in tokens]))
        file.write("</edges>\n</graph>\n</gexf>\n")


def _tracks(export: Export) -> list[_Track]:
    depth = ranks(export.blocks)
    times = [f"{time}.0" for time in depth.tolist()]
    if len(set(export.blocks)) == export.n_layers:
        order = np.argsort(depth, kind="stable").tolist()
        return [_Track("", "attention", order, [times[layer] for layer in order])]
    tracks = []
    for head in sorted(set(export.heads)):
        of_head = np.flatnonzero(np.array(export.heads) == head)
        layers = of_head[np.argsort(depth[of_head], kind="stable")].tolist()
        name = f"H{head:02d}" if head >= 0 else "heads"
        tracks.append(_Track(f"_{name}", name, layers, [times[layer] for layer in layers]))
    return tracks


def _about(export: Export) -> dict[str, Any]:
    """Return what the file says of itself.

    `timestamps` names the layer, or layers, of each time.
    """
    called: dict[int, list[str]] = {}
    for time, name in zip(ranks(export.blocks).tolist(), export.layer_names, strict=True):
        called.setdefault(time, []).append(name)
    return {
        "provenance": dict(export.provenance),
        "edge_direction": export.settings["edge_direction"],
        "timestamps": [", ".join(called[time]) for time in sorted(called)],
    }


def _node_attributes(export: Export, tracks: list[_Track]) -> Iterator[str]:
    if not export.measures:
        yield from attributes("node", {"token": "string", "row": "integer", "col": "integer"})
        return
    names = [visible(name) + track.suffix for track in tracks for name in export.measures]
    declared = "".join(attributes("node", dict.fromkeys(names, "double"), "dynamic"))
    yield declared.replace('mode="dynamic"', 'type="dynamic"', 1)


def _node_lines(export: Export, tracks: list[_Track], tokens: list[str]) -> Iterator[str]:
    times = range(len(set(export.blocks)))
    always = escape(_timestamps([f"{time}.0" for time in times]))
    first = export.nodes().head(len(tokens)).to_dict("records")
    for place, (node, token) in enumerate(zip(first, tokens, strict=True)):
        values = "".join(_values_of(export, tracks, place))
        if not export.measures:
            for name in ("token", "row", "col"):
                values += f'<attvalue for="{name}" value={quoted(node[name])}/>'
        label = quoted(token)
        opening = f'<node id={label} label={label} timestamps="{always}">'
        yield f"{opening}<attvalues>{values}</attvalues>{looks(node)}</node>\n"


def _values_of(export: Export, tracks: list[_Track], node: int) -> Iterator[str]:
    """Yield every measure of a node at every time; what is NaN is left out."""
    for track in tracks:
        for name, of_layers in export.measures.items():
            key = quoted(visible(name) + track.suffix)
            for layer, time in zip(track.layers, track.times, strict=True):
                value = float(of_layers[layer][node])
                if not np.isnan(value):
                    yield f'<attvalue for={key} value={quoted(value)} timestamp="{time}"/>'


def _timestamps(times: list[str]) -> str:
    return f"<[{', '.join(times)}]>"


def _edge_lines(weights: np.ndarray, tracks: list[_Track], names: list[str]) -> Iterator[str]:
    """Yield the edges, one source at a time, so that memory holds the text of one source only."""
    count = 0
    for track in tracks:
        for source in range(weights.shape[1]):
            of_source = weights[track.layers, source]
            target, place = of_source.T.nonzero()
            texts, _ = weight_texts(of_source[place, target].astype(float))
            times = [track.times[at] for at in place.tolist()]
            starts = np.unique(target, return_index=True)[1].tolist()
            for start, end in pairwise([*starts, len(target)]):
                ends = f"source={names[source]} target={names[target[start]]}"
                series = _series(texts[start:end], times[start:end])
                there = escape(_timestamps(times[start:end]))
                yield (f'<edge id="e{count}" {ends} type="directed" kind="{track.kind}" timestamps="{there}"><attvalues>{series}</attvalues></edge>\n')
                count += 1


def _series(texts: list[str], times: list[str]) -> str:
    """Return the weights of one edge, each at its time."""
    values = ""
    for text, time in zip(texts, times, strict=True):
        values += f'<attvalue for="weight" value="{text}" timestamp="{time}"/>'
    return values
