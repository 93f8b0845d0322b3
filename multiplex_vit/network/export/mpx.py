"""uunet's (multinet's) .mpx."""

from pathlib import Path

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import plain
from multiplex_vit.network.export.view import Export


@EXPORTERS.register(suffix=".mpx")
@accepts()
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
    actors = [plain(name) for name in export.tokens.names]
    layers = [plain(name) for name in export.layer_names]
    n_nodes = len(actors)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("#VERSION\n3.0\n\n#TYPE\nmultiplex\n\n#LAYERS\n")
        for layer in layers:
            file.write(f"{layer},DIRECTED,LOOPS\n")
        file.write("\n#EDGE ATTRIBUTES\nweight,NUMERIC\n\n#ACTORS\n")
        for actor in actors:
            file.write(f"{actor}\n")
        file.write("\n#VERTICES\n")
        # Isolates would be lost without a line of their own.
        for layer in layers:
            file.writelines(f"{actor},{layer}\n" for actor in actors)
        file.write("\n#EDGES\n")
        for number, (source, target, weight) in export.edge_parts():
            layer = layers[number]
            sources, targets = (source % n_nodes).tolist(), (target % n_nodes).tolist()
            for edge, value in enumerate(weight.tolist()):
                one = actors[sources[edge]]
                other = actors[targets[edge]]
                file.write(f"{one},{other},{layer},{value!r}\n")
