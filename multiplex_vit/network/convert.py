"""A whole network as a graph of another library."""

from collections.abc import Mapping
from typing import NamedTuple

import igraph
import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse


class NetworkArrays(NamedTuple):
    """A whole network as plain arrays.

    Parameters
    ----------
    adjacency : csr_matrix [source, target]
        As scikit-network takes it.
    names : ndarray of str [node]
        "L03:r1c4", in the order of the rows.
    edges : ndarray of int [edge, 2]
        Source and target, rows of the adjacency, as graph-tool and others take them.
    weights : ndarray [edge]
    """

    adjacency: sparse.csr_matrix
    names: np.ndarray
    edges: np.ndarray
    weights: np.ndarray


def to_arrays(index: pd.DataFrame, edges: pd.DataFrame) -> NetworkArrays:
    """Return a network as arrays; see `to_igraph` for the parameters."""
    ends = edges[["source", "target"]].to_numpy()
    weights = edges["weight"].to_numpy()
    size = len(index)
    # scikit-network takes matrices, and no sparse arrays.
    adjacency = sparse.csr_matrix((weights, ends.T), shape=(size, size))
    names = index["name"].to_numpy(dtype=str)
    return NetworkArrays(adjacency, names, ends, weights)


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
    ends = edges[["source", "target"]].to_numpy()
    graph = igraph.Graph(n=len(index), edges=ends, directed=True)
    # igraph takes values of Python, one list for each attribute.
    for name, values in index.items():
        graph.vs[name] = values.tolist()
    graph.es["weight"] = edges["weight"].tolist()
    graph.es["kind"] = edges["kind"].tolist()
    for name, value in about.items():
        graph[name] = value
    return graph


def to_networkx(
    index: pd.DataFrame,
    edges: pd.DataFrame,
    about: Mapping[str, str | int | float],
) -> nx.DiGraph:
    """Return one networkx graph, its nodes named by `index`; see `to_igraph`."""
    # networkx names nodes; rows of the index stand for them in the table of edges.
    names = index["name"].to_numpy()
    attributes = index.drop(columns="name").to_dict("records")
    graph = nx.DiGraph()
    graph.graph.update(about)
    graph.add_nodes_from(zip(names, attributes, strict=True))
    sources = names[edges["source"]]
    targets = names[edges["target"]]
    facts = edges[["weight", "kind"]].to_dict("records")
    graph.add_edges_from(zip(sources, targets, facts, strict=True))
    return graph
