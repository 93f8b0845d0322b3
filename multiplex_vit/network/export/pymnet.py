"""A network as pymnet's own object."""

from typing import Any

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError
from multiplex_vit.network.export.view import Export


@accepts()
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
        install = "pip install 'multiplex-vit[pymnet]'"
        raise InputError(f"to_pymnet needs pymnet; {install}") from error
    net = pymnet.MultilayerNetwork(aspects=1, directed=True, fullyInterconnected=True)
    tokens = export.tokens.names
    layers = export.layer_names
    for layer in layers:
        net.add_layer(layer)
    # Isolates are nodes too, so that all nodes are added before edges.
    for token in tokens:
        net.add_node(token)
    for source, target, weight in [*export.edges(), export.links()]:
        for edge, value in enumerate(weight.tolist()):
            layer_number, node = divmod(int(source[edge]), export.n_nodes)
            other_number, other = divmod(int(target[edge]), export.n_nodes)
            net[tokens[node], tokens[other], layers[layer_number], layers[other_number]] = value
    return net
