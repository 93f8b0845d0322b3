"""The registry of centralities, and how a member is asked for its values."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.registry import Registry, name_of

CENTRALITIES: Registry[Callable[[Any], Any]] = Registry("centrality")
"""A member takes what its trait `takes` says and returns one value a node.

Values are greater where there is more of what the measure is named for. The trait is one of:

- "weights" (default): an array [source, target], one layer's weights;
- "layer": a `Layer`, with `weights`, `graph` (igraph), `distances()`, `tokens`;
- "stack": weights [..., source, target] of NumPy or torch, by the methods both have; it runs on
  all layers at once, on the model's device.

Other traits say how values behave, and the package's tests hold its own members to them (see
`BEHAVIOUR`).
"""


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
        If the measure is unknown, or does not return one number a node.

    Examples
    --------
    >>> layers = [Layer(np.array([[0, 0.5], [0.25, 1]]))]
    >>> centrality(layers, "in_strength").tolist()
    [[0.25, 1.5]]
    >>> centrality(layers, np.diag).tolist()
    [[0.0, 1.0]]
    """
    function, takes = (
        CENTRALITIES.resolve(measure),
        CENTRALITIES.trait(measure, "takes"),
    )
    if takes == "stack":
        return np.asarray(function(np.stack([layer.weights for layer in layers], dtype=float)))
    return np.stack(
        [
            _values(
                function,
                layer if takes == "layer" else layer.weights,
                len(layer.tokens),
                name_of(measure),
            )
            for layer in layers
        ]
    )


def _values(function: Callable[[Any], Any], given: Any, n_nodes: int, name: str) -> np.ndarray:
    values = function(given)
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"centrality {name} returned {type(values).__name__}; {n_nodes} numbers were wanted, one a node") from error
    if values.shape != (n_nodes,):
        raise InputError(f"centrality {name} returned shape {list(values.shape)} where [{n_nodes}] was wanted: one value a node")
    return values
