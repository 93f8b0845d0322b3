"""Aggregations: all layers of a network to one, edge by edge."""

from collections.abc import Callable

import numpy as np

from multiplex_vit.accepts import accepts, signed_stack, stack
from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

AGGREGATIONS: Registry[Callable[[np.ndarray], np.ndarray]] = Registry(
    "aggregation", traits={"scale": OF_MEASURES["scale"], "signed": bool}
)
"""A member takes weights [layer, source, target] and returns [source, target]."""


@AGGREGATIONS.register("sum", scale="linear", signed=True)
@accepts(weights=signed_stack)
def total(weights: np.ndarray) -> np.ndarray:
    """Return the sum of each edge's weight over layers.

    Examples
    --------
    >>> total(np.array([[[0.5]], [[0.25]]])).tolist()
    [[0.75]]
    """
    # Half precision would overflow or lose digits in a sum.
    return weights.sum(0, dtype=np.result_type(weights, np.float32))


@AGGREGATIONS.register(scale="linear", signed=True)
@accepts(weights=signed_stack)
def mean(weights: np.ndarray) -> np.ndarray:
    """Return the mean of each edge's weight over layers; a layer without the edge counts as 0.

    Examples
    --------
    >>> mean(np.array([[[0.5]], [[0.25]]])).tolist()
    [[0.375]]
    """
    # Half precision would overflow or lose digits in a sum.
    return weights.mean(0, dtype=np.result_type(weights, np.float32))


@AGGREGATIONS.register("max", scale="linear")
@accepts(weights=stack)
def maximum(weights: np.ndarray) -> np.ndarray:
    """Return the greatest weight of each edge over layers.

    Examples
    --------
    >>> maximum(np.array([[[0.5]], [[0.25]]])).tolist()
    [[0.5]]
    """
    return weights.max(0)


@AGGREGATIONS.register(scale="invariant")
@accepts(weights=stack)
def count(weights: np.ndarray) -> np.ndarray:
    """Return in how many layers each edge is: its multiplicity.

    Battiston et al. 2014, doi:10.1103/PhysRevE.89.032804.

    Examples
    --------
    >>> count(np.array([[[0.5]], [[0.25]]])).tolist()
    [[2.0]]
    """
    # A network has weights, so that the counts are floats.
    return np.count_nonzero(weights, axis=0).astype(float)
