"""Pajek's .net, one layer a file."""

from pathlib import Path

import numpy as np

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import one_line
from multiplex_vit.network.export.view import SPACING, Arrays, Export
from multiplex_vit.network.export.weights import AT_ONCE


@EXPORTERS.register(suffix=".net")
def pajek(export: Export, path: Path) -> None:
    """Write Pajek's format: each layer a file of vertices and arcs.

    Vertices have places between 0 and 1, and arcs have weights.

    A network of one layer is `path`; of more, net.net becomes net_layer00.net, net_layer01.net,
    ... Pajek's own form for several relations is misread by igraph and networkx, so it is not
    used. Files that a network of more layers left at the same path stay: give a new folder or
    take them away. A double quote in a name becomes a single one. A comment says which way edges
    run. Inter-layer links, layer names and provenance have no place in this format.

    Read by Pajek, igraph, networkx and Gephi.

    References
    ----------
    Batagelj, Mrvar, Pajek, Connections 21, 47 (1998); http://mrvar.fdv.uni-lj.si/pajek/.
    """
    several = export.n_layers > 1
    for i, edges in enumerate(export.edges()):
        _write_layer(
            export,
            edges,
            path.with_name(f"{path.stem}_layer{i:02d}{path.suffix}") if several else path,
        )


def _write_layer(export: Export, edges: Arrays, path: Path) -> None:
    places = export.nodes().head(export.n_nodes)[["x", "y"]].to_numpy() * (1, -1) / SPACING
    x, y = ((places - places.min(0) + 0.1) / (np.ptp(places, axis=0).max() + 0.2)).T
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"% edge_direction: {export.settings['edge_direction']}\n")
        file.write(f"*Vertices {export.n_nodes}\n")
        names = map(one_line, export.tokens.names)
        file.writelines(f'{i} "{name}" {a:.6f} {b:.6f} 0.5\n' for i, (name, a, b) in enumerate(zip(names, x, y, strict=True), 1))
        file.write("*Arcs\n")
        for start in range(0, len(edges[0]), AT_ONCE):
            source, target, weight = (part[start : start + AT_ONCE] for part in edges)
            columns = (
                (source % export.n_nodes + 1).tolist(),
                (target % export.n_nodes + 1).tolist(),
                weight.tolist(),
            )
            file.writelines(f"{s} {t} {w!r}\n" for s, t, w in zip(*columns, strict=True))
