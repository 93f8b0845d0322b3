"""Infomap's multilayer network."""

from pathlib import Path
from typing import Any, TextIO

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import one_line
from multiplex_vit.network.export.view import Export


@EXPORTERS.register(suffix=".net")
@accepts()
def infomap(export: Export, path: Path) -> None:
    """Write Infomap's multilayer format.

    Tokens are vertices. `*Intra` links are layer, source, target and weight; `*Inter` links are
    layer, node, layer and weight.

    Numbers count from 1. Names of layers and provenance are comments. A double quote in a token's
    name becomes a single one. Infomap's walker that takes an inter-layer link goes on at once to
    a target of the same token in the other layer. Read with directed links (`infomap --directed`,
    `Infomap(directed=True)`). Where there are no inter-layer links Infomap makes some of its own,
    unless its `multilayer_relax_rate` is 0, and divides weights by the strength of their source.
    Layers without edges are in no line; a network without any is refused by Infomap.

    Read by Infomap 1 and 2.

    References
    ----------
    Infomap, Network formats: multilayer, https://www.mapequation.org/infomap/#InputMultilayer.
    """
    n_nodes = export.n_nodes
    about: dict[str, Any] = {**export.provenance, **export.settings}
    # Infomap numbers layers and nodes from 1.
    for number, name in enumerate(export.layer_names, 1):
        about[f"layer {number}"] = name
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name, value in about.items():
            file.write(f"# {one_line(str(name))}: {one_line(str(value))}\n")
        file.write(f"*Vertices {n_nodes}\n")
        for number, name in enumerate(export.tokens.names, 1):
            file.write(f'{number} "{one_line(name)}"\n')
        file.write("*Intra\n# layer source target weight\n")
        for layer, (source, target, weight) in export.edge_parts():
            sources = (source % n_nodes + 1).tolist()
            targets = (target % n_nodes + 1).tolist()
            for one, other, value in zip(sources, targets, weight.tolist(), strict=True):
                file.write(f"{layer + 1} {one} {other} {value!r}\n")
        _write_links(file, export)


def _write_links(file: TextIO, export: Export) -> None:
    n_nodes = export.n_nodes
    heading = "*Inter\n# layer node layer weight\n"
    for source, target, weight in export.link_parts():
        # The heading is written once, and not at all where there are no links.
        file.write(heading)
        heading = ""
        layers = (source // n_nodes + 1).tolist()
        nodes = (source % n_nodes + 1).tolist()
        others = (target // n_nodes + 1).tolist()
        for link, value in enumerate(weight.tolist()):
            file.write(f"{layers[link]} {nodes[link]} {others[link]} {value!r}\n")
