"""Pajek's .net, one layer a file."""

from pathlib import Path

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import one_line
from multiplex_vit.network.export.view import Arrays, Export, parts_of
from multiplex_vit.network.positions import SPACING


@EXPORTERS.register(suffix=".net")
@accepts()
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
    for number, edges in enumerate(export.edges()):
        file = path
        # Pajek's own form for several relations is misread by igraph and networkx.
        if export.n_layers > 1:
            file = path.with_name(f"{path.stem}_layer{number:02d}{path.suffix}")
        _write_layer(export, edges, file)


def _write_layer(export: Export, edges: Arrays, path: Path) -> None:
    n_nodes = export.n_nodes
    places = _places(export).tolist()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"% edge_direction: {export.settings['edge_direction']}\n")
        file.write(f"*Vertices {n_nodes}\n")
        for number, name in enumerate(export.tokens.names, 1):
            x, y = places[number - 1]
            file.write(f'{number} "{one_line(name)}" {x:.6f} {y:.6f} 0.5\n')
        file.write("*Arcs\n")
        for source, target, weight in parts_of(edges):
            sources = (source % n_nodes + 1).tolist()
            targets = (target % n_nodes + 1).tolist()
            for one, other, value in zip(sources, targets, weight.tolist(), strict=True):
                file.write(f"{one} {other} {value!r}\n")


def _places(export: Export) -> np.ndarray:
    """Return x and y [node, 2] between 0 and 1, the first row at the top as Pajek draws it."""
    first_layer = export.nodes().head(export.n_nodes)
    places = first_layer[["x", "y"]].to_numpy() * (1, -1) / SPACING
    size = np.ptp(places, axis=0).max() + 0.2
    return (places - places.min(0) + 0.1) / size
