"""muxViz's edge-coloured network."""

from pathlib import Path

import numpy as np

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import plain
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import AT_ONCE


@EXPORTERS.register(suffix=".muxviz")
def muxviz(export: Export, path: Path) -> None:
    """Write muxViz's edge-coloured format.

    `path` is the configuration. Beside it lie one file of edges for each layer, the names of the
    layers, and the layout.

    Of net.muxviz these are net_layer01.edges, ..., net_layers.txt and net_layout.txt. The
    configuration names the files without their folder, so set R's working directory there, and
    call `buildMultilayerNetworkFromMuxvizFiles("net.muxviz", isDirected=TRUE, isWeighted=TRUE,
    MultisliceType=..., LayerCouplingStrength=...)`: muxViz adds inter-layer links itself. Numbers
    count from 1. Names are one word of ASCII each: other characters become %XX
    (`urllib.parse.unquote` gives them back). R reads no file without lines, so a layer without
    edges holds one self-loop of weight 0. Files of edges that a network of more layers left at
    the same path stay, but the configuration no longer names them. Provenance has no place in
    this format.

    Read by muxViz 3 (R).

    References
    ----------
    De Domenico, Porter, Arenas, J. Complex Netw. 3, 159 (2015), doi:10.1093/comnet/cnu038;
    https://github.com/manlius/muxViz.
    """
    names = [plain(name) for name in export.layer_names]
    files = [path.with_name(f"{path.stem}_layer{i:02d}.edges") for i in range(1, export.n_layers + 1)]
    layout = path.with_name(f"{path.stem}_layout.txt")
    for file, edges in zip(files, export.edges(), strict=True):
        _write_layer(file, [part % export.n_nodes + 1 for part in edges[:2]], edges[2])
    path.with_name(f"{path.stem}_layers.txt").write_text(
        "layerID layerLabel\n" + "".join(f"{i} {name}\n" for i, name in enumerate(names, 1)),
        encoding="utf-8",
        newline="\n",
    )
    places = export.nodes().head(export.n_nodes)[["x", "y"]].itertuples(index=False)
    lines = (f"{i} {plain(name)} {x!r} {y!r}\n" for i, (name, (x, y)) in enumerate(zip(export.tokens.names, places, strict=True), 1))
    layout.write_text(
        "nodeID nodeLabel nodeX nodeY\n" + "".join(lines),
        encoding="utf-8",
        newline="\n",
    )
    path.write_text(
        "".join(f"{file.name};{name};{layout.name}\n" for file, name in zip(files, names, strict=True)),
        encoding="utf-8",
        newline="\n",
    )


def _write_layer(path: Path, ends: list[np.ndarray], weight: np.ndarray) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        if not len(weight):
            file.write("1 1 0\n")
        for start in range(0, len(weight), AT_ONCE):
            columns = (part[start : start + AT_ONCE].tolist() for part in (*ends, weight))
            file.writelines(f"{s} {t} {w!r}\n" for s, t, w in zip(*columns, strict=True))
