"""GEXF 1.3 with the depth of the network as its timeline."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from multiplex_vit.network.export.gexf import HEAD, attributes, looks, meta
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import quoted, visible
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import weight_texts


@EXPORTERS.register(extension=".gexf")
def gexf_dynamic(export: Export, path: Path) -> None:
    """Write dynamic GEXF 1.3: one node a token, and time is the layer (timestamps 0.0, 1.0, ...), so that Gephi plays the network's depth.

    An edge is there at the layers where it has weight, and `weight` is a dynamic attribute; readers without dynamics take the last one.
    Measures are dynamic attributes of nodes; size, colour and place are those of the first layer. Without measures nodes have the
    attributes token, row and col instead: Gephi Lite's reader takes one declaration of node attributes only. Inter-layer links are not
    written, for a node is itself at all times. What each timestamp is called, and provenance, are JSON in the description of `<meta>`.

    Read by Gephi (timeline), Gephi Lite (graphology-gexf) and networkx. Its suffix is .gexf too, so name this format.

    References
    ----------
    GEXF 1.3, https://gexf.net (schema https://github.com/gephi/gexf, specs/1.3, dynamics.xsd).
    """
    nodes = export.nodes()
    tokens = [visible(name) for name in export.tokens.names]
    about = {"provenance": dict(export.provenance), "edge_direction": export.settings["edge_direction"], "timestamps": list(export.layer_names)}
    measures = [visible(name) for name in export.measures]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta(about))
        file.write('<graph mode="dynamic" defaultedgetype="directed" timeformat="double" timerepresentation="timestamp">\n')
        static = {"token": "string", "row": "integer", "col": "integer"}
        file.writelines(attributes("node", dict.fromkeys(measures, "double"), "dynamic") if measures else attributes("node", static))
        file.writelines(attributes("edge", {"weight": "double"}, "dynamic"))
        file.write("<nodes>\n")
        file.writelines(_node_lines(nodes, tokens, export.n_layers, measures))
        file.write("</nodes>\n<edges>\n")
        file.writelines(_edge_lines(export.weights, [quoted(token) for token in tokens]))
        file.write("</edges>\n</graph>\n</gexf>\n")


def _node_lines(nodes: pd.DataFrame, tokens: list[str], n_layers: int, measures: list[str]) -> Iterator[str]:
    always = escape(_timestamps(map(str, map(float, range(n_layers)))))
    first = nodes.head(len(tokens)).to_dict("records")
    series = [(quoted(name), nodes[name].to_numpy().reshape(n_layers, -1).T.tolist()) for name in measures]
    for i, (node, token) in enumerate(zip(first, tokens, strict=True)):
        values = "".join(_over_time(key, of_nodes[i]) for key, of_nodes in series)
        if not measures:
            values = "".join(f'<attvalue for="{name}" value={quoted(node[name])}/>' for name in ("token", "row", "col"))
        label = quoted(token)
        yield f'<node id={label} label={label} timestamps="{always}"><attvalues>{values}</attvalues>{looks(node)}</node>\n'


def _over_time(key: str, values: list[float]) -> str:
    return "".join(f'<attvalue for={key} value={quoted(value)} timestamp="{layer}.0"/>' for layer, value in enumerate(values) if value == value)


def _timestamps(times: Iterator[str]) -> str:
    return f"<[{', '.join(times)}]>"


def _edge_lines(weights: np.ndarray, names: list[str]) -> Iterator[str]:
    """Yield the edges, one source at a time, so that memory holds the text of one source only."""
    count = 0
    for source in range(weights.shape[1]):
        target, layer = weights[:, source].T.nonzero()
        texts, _ = weight_texts(weights[layer, source, target].astype(float))
        times = [f"{i}.0" for i in layer.tolist()]
        starts = np.unique(target, return_index=True)[1].tolist()
        for start, end in pairwise([*starts, len(target)]):
            values = "".join(
                f'<attvalue for="weight" value="{text}" timestamp="{time}"/>' for text, time in zip(texts[start:end], times[start:end], strict=True)
            )
            there = escape(_timestamps(iter(times[start:end])))
            ends = f'source={names[source]} target={names[target[start]]} type="directed" kind="attention"'
            yield f'<edge id="e{count}" {ends} timestamps="{there}"><attvalues>{values}</attvalues></edge>\n'
            count += 1
