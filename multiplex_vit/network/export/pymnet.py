"""A network as pymnet's own object."""

from itertools import chain
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.network.export.view import Export


def to_pymnet(export: Export) -> Any:
    """Return the network as a directed pymnet MultilayerNetwork with one aspect.

    Nodes and layers bear their names. Self-loops and inter-layer links are included.

    Raises
    ------
    InputError
        If pymnet is missing (extra "pymnet").

    References
    ----------
    Nurmi, Badie-Modiri, Coupette, Kivela, J. Open Source Softw. 9(99), 6930 (2024),
    doi:10.21105/joss.06930.
    """
    try:
        import pymnet
    except ImportError as error:
        raise InputError("to_pymnet wants pymnet; pip install 'multiplex-vit[pymnet]'") from error
    net = pymnet.MultilayerNetwork(aspects=1, directed=True, fullyInterconnected=True)
    tokens, layers, number = export.tokens.names, export.layer_names, export.n_nodes
    for layer in layers:
        net.add_layer(layer)
    for token in tokens:
        net.add_node(token)
    for edges in chain(export.edges(), [export.links()]):
        for source, target, weight in zip(*(part.tolist() for part in edges), strict=True):
            (a, i), (b, j) = divmod(source, number), divmod(target, number)
            net[tokens[i], tokens[j], layers[a], layers[b]] = weight
    return net
