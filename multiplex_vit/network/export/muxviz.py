"""muxViz's edge-coloured network."""

from pathlib import Path

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import plain
from multiplex_vit.network.export.view import Arrays, Export, parts_of


@EXPORTERS.register(suffix=".muxviz")
@accepts()
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
    layout = path.with_name(f"{path.stem}_layout.txt")
    configuration = ""
    labels = "layerID layerLabel\n"
    for number, edges in enumerate(export.edges(), 1):
        file = path.with_name(f"{path.stem}_layer{number:02d}.edges")
        _write_layer(file, edges, export.n_nodes)
        name = plain(export.layer_names[number - 1])
        labels += f"{number} {name}\n"
        configuration += f"{file.name};{name};{layout.name}\n"
    _write_text(path.with_name(f"{path.stem}_layers.txt"), labels)
    _write_text(layout, _layout(export))
    _write_text(path, configuration)


def _layout(export: Export) -> str:
    """Return the number, name and place of every node of a layer."""
    text = "nodeID nodeLabel nodeX nodeY\n"
    places = export.nodes().head(export.n_nodes)[["x", "y"]].to_numpy().tolist()
    for number, name in enumerate(export.tokens.names, 1):
        x, y = places[number - 1]
        text += f"{number} {plain(name)} {x!r} {y!r}\n"
    return text


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_layer(path: Path, edges: Arrays, n_nodes: int) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        if not len(edges[0]):
            # R reads no file without lines.
            file.write("1 1 0\n")
        for source, target, weight in parts_of(edges):
            sources = (source % n_nodes + 1).tolist()
            targets = (target % n_nodes + 1).tolist()
            for one, other, value in zip(sources, targets, weight.tolist(), strict=True):
                file.write(f"{one} {other} {value!r}\n")
