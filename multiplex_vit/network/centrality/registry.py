"""The registry of centralities, and how a member is asked for its values."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from multiplex_vit.accepts import accepts, not_empty
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.registry import Registry, name_of
from multiplex_vit.traits import OF_MEASURES

CENTRALITIES: Registry[Callable[[Any], Any]] = Registry(
    "centrality",
    traits={"takes": Literal["weights", "layer", "stack"], **OF_MEASURES},
)
"""A member takes what its trait `takes` says and returns one value a node.

Values are greater where there is more of what the measure is named for. The trait is one of:

- "weights" (default): an array [source, target], one layer's weights;
- "layer": a `Layer`, with `weights`, `graph` (igraph), `distances()`, `tokens`;
- "stack": weights [..., source, target] of NumPy or torch, by the methods both have; it runs on
  all layers at once, on the model's device.

Other traits say how values behave, and the package's tests hold its own members to them (see
`BEHAVIOUR`).
"""


@accepts(layers=not_empty)
def centrality(layers: Sequence[Layer], measure: str | Callable[[Any], Any]) -> np.ndarray:
    """Return a centrality of every layer.

    Parameters
    ----------
    layers : sequence of Layer
    measure : str or callable
        A member of `CENTRALITIES`, or a function of one layer's weights.

    Returns
    -------
    ndarray [layer, node]

    Raises
    ------
    InputError
        If the measure is unknown, does not return one number a node, or does not take weights
        below 0 and some are.

    Examples
    --------
    >>> layers = [Layer(np.array([[0, 0.5], [0.25, 1]]))]
    >>> centrality(layers, "in_strength").tolist()
    [[0.25, 1.5]]
    >>> centrality(layers, np.diag).tolist()
    [[0.0, 1.0]]
    """
    function = CENTRALITIES.resolve(measure)
    for layer in layers:
        refuse_signed(CENTRALITIES, measure, layer.weights)
    takes = CENTRALITIES.trait(measure, "takes")
    # One call for all layers is quicker than one for each.
    if takes == "stack":
        stack = np.stack([layer.weights for layer in layers], dtype=float)
        return _checked(function(stack), stack.shape[:2], name_of(measure))
    values = []
    for layer in layers:
        returned = function(layer if takes == "layer" else layer.weights)
        values.append(_checked(returned, (len(layer.tokens),), name_of(measure)))
    return np.stack(values)


def _checked(returned: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Return what a measure returned as numbers of a shape, of which the last axis is nodes."""
    try:
        values = np.asarray(returned, dtype=float)
    except (TypeError, ValueError) as error:
        given = f"centrality {name} returned {type(returned).__name__}"
        raise InputError(f"{given}; expected {shape[-1]} numbers, one a node") from error
    if values.shape != shape:
        given = f"centrality {name} returned shape {list(values.shape)}"
        raise InputError(f"{given}; expected {list(shape)}, one value a node")
    return values
