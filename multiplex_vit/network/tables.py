"""Tidy tables of nodes and edges."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.layer import Layer
from multiplex_vit.registry import Named, chosen, name_of


def node_index(layers: Sequence[Layer]) -> pd.DataFrame:
    """Return one row a layer and node, in the order of the supra-adjacency.

    Parameters
    ----------
    layers : sequence of Layer

    Returns
    -------
    pandas.DataFrame
        name, layer, block, head (-1 for several together), node, token, row, col.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> node_index([Layer(one, name="L00H00", head=0), Layer(one, name="L01H00", block=1, head=0)])
              name  layer  block  head  node  token  row  col
    0  L00H00:r0c0      0      0     0     0  patch    0    0
    1  L01H00:r0c0      1      1     0     0  patch    0    0
    """
    tokens = layers[0].tokens
    n_nodes = len(tokens)
    names = []
    for layer in layers:
        names += [f"{layer.name}:{token}" for token in tokens.names]
    table = pd.concat([tokens.table] * len(layers), ignore_index=True)
    table["name"] = names
    table["layer"] = np.repeat(np.arange(len(layers)), n_nodes)
    table["block"] = np.repeat([layer.block for layer in layers], n_nodes)
    table["head"] = np.repeat([layer.head for layer in layers], n_nodes)
    return table[["name", "layer", "block", "head", "node", "token", "row", "col"]]


def node_table(layers: Sequence[Layer], measures: Named | Iterable[Named] | None = None) -> pd.DataFrame:
    """Return one row a layer and node, one column a centrality.

    Parameters
    ----------
    layers : sequence of Layer
    measures : str, callable or iterable of them, optional
        Members of `CENTRALITIES`, or functions of one layer's weights; Default: all
        members.

    Returns
    -------
    pandas.DataFrame
        The columns of `node_index` and one a measure.

    Raises
    ------
    InputError
        If a measure is unknown, or has the name of another column.
    """
    index = node_index(layers)
    values = centralities(layers, measures, taken=tuple(index))
    return index.assign(**{name: column.ravel() for name, column in values.items()})


def with_depth(table: pd.DataFrame, layers: Sequence[Layer]) -> pd.DataFrame:
    """Return a table of layers with their block and head after their name.

    Raises
    ------
    InputError
        If a measure has one of these names.
    """
    for place, column in enumerate(("block", "head"), start=2):
        if column in table:
            problem = f"the table has a column {column!r} already"
            raise InputError(f"{problem}; give the measure another name")
        numbers = [getattr(layer, column) for layer in layers]
        table.insert(place, column, numbers)
    return table


def centralities(
    layers: Sequence[Layer],
    measures: Named | Iterable[Named] | None,
    *,
    taken: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Return centralities [layer, node] by name.

    A name that is taken already, or given twice, is refused.
    """
    values: dict[str, np.ndarray] = {}
    for measure in chosen(CENTRALITIES, measures):
        name = name_of(measure)
        if name in values or name in taken:
            raise InputError(f"the table has a column {name!r} already; give the measure another name")
        values[name] = centrality(layers, measure)
    return values


def edges(supra: sparse.csr_array, n_nodes: int) -> pd.DataFrame:
    """Return every entry of a supra-adjacency as a row.

    Columns are source, target, weight and kind. Rows are ordered by source and target.

    Examples
    --------
    >>> edges(sparse.csr_array([[0.5, 2.0], [0, 0]]), n_nodes=1)
       source  target  weight       kind
    0       0       0     0.5  attention
    1       0       1     2.0   coupling
    """
    supra.sort_indices()
    entries = supra.tocoo()
    source, target = entries.coords
    # 0 is an edge within a layer, 1 a link between two.
    code = (source // n_nodes != target // n_nodes).astype(np.int8)
    kind = pd.Categorical.from_codes(code, categories=["attention", "coupling"])
    return pd.DataFrame(
        {
            "source": source,
            "target": target,
            "weight": entries.data,
            "kind": kind,
        }
    )
