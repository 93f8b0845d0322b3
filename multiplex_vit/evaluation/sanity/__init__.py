"""Sanity: does a heatmap depend on the model, is it stable, and how good could it be at best?"""

from multiplex_vit.evaluation.sanity.ceiling import Ceiling, greedy_ceiling
from multiplex_vit.evaluation.sanity.randomisation import parameter_randomisation
from multiplex_vit.evaluation.sanity.stability import (
    flip_stability,
    noise_stability,
    seed_agreement,
)

__all__ = [
    "Ceiling",
    "flip_stability",
    "greedy_ceiling",
    "noise_stability",
    "parameter_randomisation",
    "seed_agreement",
]
