"""Similarities of all pairs of layers, as a table and as a matrix."""

from collections.abc import Iterable, Sequence
from itertools import combinations, combinations_with_replacement

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts, signed_stack
from multiplex_vit.errors import InputError
from multiplex_vit.network.multilayer.similarity import LAYER_SIMILARITIES
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.registry import Named, chosen, name_of

_TYPES = {"layer_a": int, "layer_b": int, "name_a": str, "name_b": str}
"""Columns of the table before those of measures."""


@accepts(weights=signed_stack)
def layer_pair_table(
    weights: np.ndarray,
    names: Sequence[str],
    measures: Named | Iterable[Named] | None = None,
) -> pd.DataFrame:
    """Return one row a pair of layers, the first before the second, and one column a similarity.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    names : sequence of str
        Of the layers.
    measures : str, callable or iterable of them, optional
        Members of `LAYER_SIMILARITIES`, or functions of the weights [source, target] of two
        layers; Default: all members.

    Returns
    -------
    pandas.DataFrame
        layer_a, layer_b, name_a, name_b, and one column a measure. One layer has no pair and
        gives no row.

    Raises
    ------
    InputError
        If a measure is unknown, has the name of another column, or does not return a number.

    Examples
    --------
    >>> weights = np.array([[[0, 0.5], [0.25, 0]], [[0, 0.25], [0, 1]]])
    >>> layer_pair_table(weights, ("L00", "L01"), ("common_edges", "edge_overlap"))
       layer_a  layer_b name_a name_b  common_edges  edge_overlap
    0        0        1    L00    L01             1          0.25
    """
    weights = np.asarray(weights, dtype=float)
    if len(names) != len(weights):
        raise InputError(f"{len(names)} names were given for {len(weights)} layers; give one each")
    pairs = list(combinations(range(len(weights)), 2))
    columns = []
    for one, other in pairs:
        columns.append((one, other, names[one], names[other]))
    table = pd.DataFrame(columns, columns=list(_TYPES)).astype(_TYPES)
    for measure in chosen(LAYER_SIMILARITIES, measures):
        name = name_of(measure)
        if name in table:
            problem = f"the table has a column {name!r} already"
            raise InputError(f"{problem}; give the measure another name")
        table[name] = [_value(weights[one], weights[other], measure) for one, other in pairs]
    return table


@accepts(weights=signed_stack)
def similarity_matrix(
    weights: np.ndarray,
    measure: Named = "weighted_jaccard",
) -> np.ndarray:
    """Return a similarity of every layer with every layer.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    measure : str or callable
        A member of `LAYER_SIMILARITIES`, or a function of the weights [source, target] of two
        layers, the same whichever comes first.

    Returns
    -------
    ndarray [layer, layer]
        Symmetric; on the diagonal each layer with itself.

    Raises
    ------
    InputError
        If the measure is unknown or does not return a number.

    Examples
    --------
    >>> weights = np.array([[[0, 0.5], [0.25, 0]], [[0, 0.25], [0, 1]]])
    >>> similarity_matrix(weights, "edge_overlap").tolist()
    [[1.0, 0.25], [0.25, 1.0]]
    """
    weights = np.asarray(weights, dtype=float)
    n_layers = len(weights)
    matrix = np.empty((n_layers, n_layers))
    for one, other in combinations_with_replacement(range(n_layers), 2):
        # Symmetric, so that each pair is computed once.
        value = _value(weights[one], weights[other], measure)
        matrix[one, other] = value
        matrix[other, one] = value
    return matrix


def _value(first: np.ndarray, second: np.ndarray, measure: Named) -> float:
    for weights in (first, second):
        refuse_signed(LAYER_SIMILARITIES, measure, weights)
    value = LAYER_SIMILARITIES.resolve(measure)(first, second)
    # A user's own function may return anything.
    is_number = np.issubdtype(np.asarray(value).dtype, np.number)
    if np.ndim(value) or not is_number:
        given = f"{LAYER_SIMILARITIES.kind} {name_of(measure)} returned {type(value).__name__}"
        raise InputError(f"{given}; expected one number")
    return value
