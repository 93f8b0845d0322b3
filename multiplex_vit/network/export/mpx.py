"""uunet's (multinet's) .mpx."""

from pathlib import Path

import numpy as np

from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import plain
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.weights import AT_ONCE


@EXPORTERS.register(suffix=".mpx")
def mpx(export: Export, path: Path) -> None:
    """Write a multiplex network for uunet.

    Tokens are actors, with a vertex in every layer. Edges are directed and have their weight;
    self-loops are included.

    The format keeps no weights of inter-layer links, and its readers trip over comments, so links
    and provenance are left out. Names are one word of ASCII each: other characters, spaces,
    commas and quotes become %XX (`urllib.parse.unquote` gives them back).

    Read by uunet and by multinet (R).

    References
    ----------
    Magnani, Rossi, Vega, J. Stat. Softw. 98(8) (2021), doi:10.18637/jss.v098.i08;
    uunet.multinet.read, format 3.0.
    """
    actors, layers = (
        [plain(name) for name in export.tokens.names],
        [plain(name) for name in export.layer_names],
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("#VERSION\n3.0\n\n#TYPE\nmultiplex\n\n#LAYERS\n")
        file.writelines(f"{layer},DIRECTED,LOOPS\n" for layer in layers)
        file.write("\n#EDGE ATTRIBUTES\nweight,NUMERIC\n\n#ACTORS\n")
        file.writelines(f"{actor}\n" for actor in actors)
        file.write("\n#VERTICES\n")
        file.writelines(f"{actor},{layer}\n" for layer in layers for actor in actors)
        file.write("\n#EDGES\n")
        names = np.array(actors, dtype=object)
        for layer, edges in zip(layers, export.edges(), strict=True):
            for start in range(0, len(edges[0]), AT_ONCE):
                source, target, weight = (part[start : start + AT_ONCE] for part in edges)
                ends = zip(
                    names[source % len(names)].tolist(),
                    names[target % len(names)].tolist(),
                    weight.tolist(),
                    strict=True,
                )
                file.writelines(f"{s},{t},{layer},{w!r}\n" for s, t, w in ends)
