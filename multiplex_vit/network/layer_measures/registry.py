"""The registry of measures of one layer."""

from collections.abc import Callable

from multiplex_vit.network.layer import Layer
from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

LAYER_MEASURES: Registry[Callable[[Layer], float]] = Registry("layer measure", traits=OF_MEASURES)
"""A member takes a `Layer` and returns one number; NaN where the measure is not defined."""
