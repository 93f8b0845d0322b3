"""A whole network as a graph of another library."""

from collections.abc import Mapping

import igraph
import networkx as nx
import pandas as pd


def to_igraph(
    index: pd.DataFrame,
    edges: pd.DataFrame,
    about: Mapping[str, str | int | float],
) -> igraph.Graph:
    """Return one directed igraph graph.

    Parameters
    ----------
    index : DataFrame
        One row a layer and node, in the order of the supra-adjacency; every column becomes a
        vertex attribute.
    edges : DataFrame
        source, target (rows of `index`), weight, kind.
    about : mapping of str to str or number
        Attributes of the graph.
    """
    graph = igraph.Graph(n=len(index), edges=edges[["source", "target"]].to_numpy(), directed=True)
    for name, values in index.items():
        graph.vs[name] = values.tolist()
    graph.es["weight"], graph.es["kind"] = (
        edges["weight"].tolist(),
        edges["kind"].tolist(),
    )
    for name, value in about.items():
        graph[name] = value
    return graph


def to_networkx(
    index: pd.DataFrame,
    edges: pd.DataFrame,
    about: Mapping[str, str | int | float],
) -> nx.DiGraph:
    """Return one networkx graph, its nodes named by `index`; see `to_igraph`."""
    names = index["name"].to_numpy()
    graph = nx.DiGraph()
    graph.graph.update(about)
    graph.add_nodes_from(zip(names, index.drop(columns="name").to_dict("records"), strict=True))
    ends = zip(
        names[edges["source"]],
        names[edges["target"]],
        edges[["weight", "kind"]].to_dict("records"),
        strict=True,
    )
    graph.add_edges_from(ends)
    return graph
