"""Measures of a node in all layers, asked for by name.

One of them by layer, or many as a tidy table.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from multiplex_vit.accepts import accepts, signed_stack, supra_matrix
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, chosen, name_of


@accepts(supra=supra_matrix)
def versatility(
    supra: sparse.csr_array,
    n_layers: int,
    measure: Named = "pagerank_versatility",
) -> np.ndarray:
    """Return a versatility of every node of every layer.

    Parameters
    ----------
    supra : csr_array [layer * node, layer * node]
        See `supra_adjacency`.
    n_layers : int
    measure : str or callable
        A member of `MULTILAYER_MEASURES` that takes the supra-adjacency, or a function of it and
        the number of layers.

    Returns
    -------
    ndarray [layer, node]
        A node's versatility is the sum over layers.

    Raises
    ------
    InputError
        If the measure is unknown or has no values by layer, or does not return one number a layer
        and node.

    Examples
    --------
    >>> versatility(sparse.csr_array([[0, 0.5], [0, 0]]), 2, "katz_versatility").tolist()
    [[1.0], [1.85]]
    """
    function = MULTILAYER_MEASURES.resolve(measure)
    member = MULTILAYER_MEASURES.own_name(measure)
    # A function of the user's own is taken at its word.
    if member and not _takes_supra(measure):
        by_layer = filter(_takes_supra, MULTILAYER_MEASURES)
        label = f"{MULTILAYER_MEASURES.kind} {member}"
        choices = ", ".join(by_layer)
        raise InputError(f"{label} has no values by layer; give one of: {choices}")
    n_layers = whole("n_layers", n_layers, at_least=1)
    n_nodes = supra.shape[0] // n_layers
    values = function(supra, n_layers)
    shape = (n_layers, n_nodes)
    return _checked(values, shape, name_of(measure))


@accepts(weights=signed_stack)
def multilayer_table(
    weights: np.ndarray,
    tokens: Tokens,
    supra: sparse.csr_array,
    measures: Named | Iterable[Named] | None = None,
) -> pd.DataFrame:
    """Return one row a node, one column a measure of the node in all layers.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    tokens : Tokens
    supra : csr_array [layer * node, layer * node]
        The same network with its inter-layer links.
    measures : str, callable or iterable of them, optional
        Members of `MULTILAYER_MEASURES`, or functions of the weights; Default: all members.

    Returns
    -------
    pandas.DataFrame
        node, name, token, row, col, and one column a measure; versatilities are summed over layers.

    Raises
    ------
    InputError
        If a measure is unknown, has the name of another column, or does not return one number a
        node.

    Examples
    --------
    >>> weights = np.array([[[0, 0.5], [0, 0]], [[0, 0.25], [1, 0]]])
    >>> supra = sparse.csr_array((4, 4))
    >>> multilayer_table(weights, Tokens((1, 2)), supra, "overlapping_in_strength")
       node  name  token  row  col  overlapping_in_strength
    0     0  r0c0  patch    0    0                     1.00
    1     1  r0c1  patch    0    1                     0.75
    """
    table = tokens.table.copy()
    for measure in chosen(MULTILAYER_MEASURES, measures):
        name = name_of(measure)
        # One of two columns of a name would be lost.
        if name in table:
            problem = f"the table has a column {name!r} already"
            raise InputError(f"{problem}; give the measure another name")
        refuse_signed(MULTILAYER_MEASURES, measure, weights)
        table[name] = _by_node(weights, supra, measure)
    return table


def _by_node(weights: np.ndarray, supra: sparse.csr_array, measure: Named) -> np.ndarray:
    """Return a measure [node], summed over layers where it has values by layer."""
    function = MULTILAYER_MEASURES.resolve(measure)
    n_layers, n_nodes = weights.shape[:2]
    name = name_of(measure)
    if _takes_supra(measure):
        values = function(supra, n_layers)
        by_layer = _checked(values, (n_layers, n_nodes), name)
        # De Domenico et al.: a node's versatility is the sum over its layers.
        return by_layer.sum(0)
    return _checked(function(weights), (n_nodes,), name)


def _takes_supra(measure: Named) -> bool:
    return MULTILAYER_MEASURES.trait(measure, "takes") == "supra"


def _checked(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Return what a measure returned as an array of a shape."""
    meaning = "one value a layer and node"
    if len(shape) == 1:
        meaning = "one value a node"
    label = f"{MULTILAYER_MEASURES.kind} {name}"
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        given = f"{label} returned {type(values).__name__}"
        raise InputError(f"{given}; expected numbers, {meaning}") from error
    if array.shape != shape:
        given = f"{label} returned shape {list(array.shape)}"
        raise InputError(f"{given}; expected {list(shape)}, {meaning}")
    return array
