"""Tidy tables of nodes and edges."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.accepts import accepts, not_empty
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.layer import Layer
from multiplex_vit.registry import Named, chosen, name_of

Measures = Named | Iterable[Named] | Mapping[str, Any] | None
"""Measures of nodes: by name, as functions, several of both, or by names of your own.

A mapping may also hold values of your own, [node] or [layer, node].
"""


@accepts(layers=not_empty)
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
    # All layers have the same nodes.
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


@accepts(layers=not_empty)
def node_table(layers: Sequence[Layer], measures: Measures = None) -> pd.DataFrame:
    """Return one row a layer and node, one column a measure.

    Parameters
    ----------
    layers : sequence of Layer
    measures : str, callable, iterable of them, or mapping of str to values, optional
        See `node_values`. Default: all members of `CENTRALITIES`.

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
    values = node_values(layers, measures, taken=tuple(index))
    return with_values(index, values)


def with_values(table: pd.DataFrame, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return a table of nodes with values [layer, node] as further columns."""
    columns = {name: array.ravel() for name, array in values.items()}
    return table.assign(**columns)


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


def node_values(
    layers: Sequence[Layer],
    measures: Measures,
    *,
    taken: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Return values [layer, node] by name.

    Parameters
    ----------
    layers : sequence of Layer
    measures : str, callable, iterable of them, or mapping of str to values
        Members of `CENTRALITIES`, or functions of one layer's weights. In a mapping also values
        of your own, numbers or texts [node] or [layer, node]. None for all members.
    taken : sequence of str
        Names that no measure may have.

    Raises
    ------
    InputError
        If a measure is unknown, a name is taken already or given twice, or values have another
        shape.

    Examples
    --------
    >>> layers = [Layer(np.array([[0, 0.5], [0.25, 1]]))]
    >>> values = node_values(layers, {"rank": "in_strength", "mine": ["a", "b"]})
    >>> values["rank"].tolist(), values["mine"].tolist()
    ([[0.25, 1.5]], [['a', 'b']])
    """
    named: Mapping[str, Any] = {}
    if isinstance(measures, Mapping):
        named = measures
    else:
        members = chosen(CENTRALITIES, measures)
        named = {name_of(member): member for member in members}
        if len(named) < len(members):
            names = [name_of(member) for member in members]
            raise InputError(f"measures are {names}; give each once")
    values: dict[str, np.ndarray] = {}
    for name, measure in named.items():
        if not isinstance(name, str):
            raise InputError(f"a measure is named {shown(name)}; give a text")
        if name in taken:
            problem = f"the table has a column {name!r} already"
            raise InputError(f"{problem}; give the measure another name")
        if isinstance(measure, str) or callable(measure):
            values[name] = centrality(layers, measure)
        else:
            values[name] = _own_values(name, measure, len(layers), len(layers[0].tokens))
    return values


def _own_values(name: str, values: Any, n_layers: int, n_nodes: int) -> np.ndarray:
    """Return the user's own values as an array [layer, node] of numbers or texts."""
    array = _numbers_or_texts(values)
    shape = (n_layers, n_nodes)
    if array is None or array.shape not in (shape, (n_nodes,)):
        expected = f"give numbers or texts [{n_nodes}] or {list(shape)}"
        raise InputError(f"measure {name} is {shown(values)}; {expected}")
    return np.broadcast_to(array, shape)


def _numbers_or_texts(values: Any) -> np.ndarray | None:
    """Return values as an array of floats, whole numbers or texts; None of anything else."""
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError):
        return None
    # Files know whole numbers better than booleans.
    if array.dtype.kind == "b":
        return array.astype(int)
    # Tables hold texts as objects.
    if array.dtype.kind == "U":
        return array.astype(object)
    is_text = array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat)
    if is_text or array.dtype.kind in "iuf":
        return array
    return None


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
    # Rows are promised in the order of source and target.
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
