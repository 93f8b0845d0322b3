"""Infomap's multilayer network."""

from pathlib import Path

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import one_line
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import AT_ONCE


@EXPORTERS.register(suffix=".net")
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
    number = export.n_nodes
    with path.open("w", encoding="utf-8", newline="\n") as file:
        about = {
            **export.provenance,
            **export.settings,
            **{f"layer {i}": name for i, name in enumerate(export.layer_names, 1)},
        }
        file.writelines(f"# {one_line(str(name))}: {one_line(str(value))}\n" for name, value in about.items())
        file.write(f"*Vertices {number}\n")
        file.writelines(f'{i} "{one_line(name)}"\n' for i, name in enumerate(export.tokens.names, 1))
        file.write("*Intra\n# layer source target weight\n")
        for layer, edges in enumerate(export.edges(), 1):
            for start in range(0, len(edges[0]), AT_ONCE):
                source, target, weight = (part[start : start + AT_ONCE].tolist() for part in edges)
                file.writelines(f"{layer} {s % number + 1} {t % number + 1} {w!r}\n" for s, t, w in zip(source, target, weight, strict=True))
        source, target, weight = (part.tolist() for part in export.links())
        file.write("*Inter\n# layer node layer weight\n" if source else "")
        file.writelines(f"{s // number + 1} {s % number + 1} {t // number + 1} {w!r}\n" for s, t, w in zip(source, target, weight, strict=True))
