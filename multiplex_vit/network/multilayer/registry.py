"""The registry of measures of a node in all layers together."""

from collections.abc import Callable
from typing import Any, Literal

from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

MULTILAYER_MEASURES: Registry[Callable[..., Any]] = Registry(
    "multilayer measure",
    data=2,
    traits={"takes": Literal["weights", "supra"], **OF_MEASURES},
)
"""A member takes what its trait `takes` says:

- "weights" (default): weights [layer, source, target]; it returns one value a node;
- "supra": the supra-adjacency (csr_array [layer * node, layer * node]) and the number of layers;
  it returns values [layer, node], which tables sum over layers.
"""
