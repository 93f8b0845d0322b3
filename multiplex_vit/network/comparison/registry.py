"""The registry of distances of two layers."""

from collections.abc import Callable

import numpy as np

from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

LAYER_DISTANCES: Registry[Callable[[np.ndarray, np.ndarray], float]] = Registry(
    "layer distance",
    data=2,
    traits=OF_MEASURES,
)
"""A member takes the weights [source, target] of two layers of as many nodes, and returns one number.

It is 0 for a layer and itself, and the same whichever layer comes first. Unlike a similarity of
layers it looks at how edges are arranged, and not only at which edges both have.
"""
