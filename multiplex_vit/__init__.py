"""multiplex_vit: Vision Transformers as multiplex networks, and the networks as explanations.

Importing this package does not import torch; each public name brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "load": "models.load",
    "VisionModel": "models.vision_model",
    "ADAPTERS": "models.adapters",
    "OPERATORS": "models.operators",
    "Multiplex": "network.multiplex",
    "Layer": "network.layer",
    "CENTRALITIES": "network.centrality",
    "LAYER_MEASURES": "network.layer_measures",
    "NULL_MODELS": "network.layer_measures",
    "MULTILAYER_MEASURES": "network.multilayer",
    "LAYER_SIMILARITIES": "network.multilayer",
    "COUPLINGS": "network.coupling",
    "AGGREGATIONS": "network.aggregate",
    "FILTERS": "network.filters",
    "EXPORTERS": "network.export",
    "exporter_of": "network.export",
    "lint_gephi": "network.export",
    "explain": "saliency.explain",
    "multiplex": "saliency.networks",
    "explain_many": "saliency.explain",
    "explain_each": "saliency.explain",
    "Explanation": "saliency.explanation",
    "Masks": "saliency.masks",
    "Settings": "saliency.settings",
    "Ranking": "saliency.ranking",
    "Target": "saliency.explainers",
    "DesignInput": "saliency.designs",
    "STATISTICS": "saliency.statistics",
    "DESIGNS": "saliency.designs",
    "ESTIMATORS": "saliency.estimators",
    "EXPLAINERS": "saliency.explainers",
    "Explainer": "saliency.explainers",
    "sweep": "saliency.explainers",
    "evaluate": "evaluation.evaluate",
    "Curve": "evaluation.curve",
    "Faithfulness": "evaluation.curve",
    "PROTOCOLS": "evaluation.protocols",
    "BASELINES": "evaluation.baselines",
    "mosaic": "evaluation.mosaics",
    "draw_mosaics": "evaluation.mosaics",
    "Mosaic": "evaluation.mosaics",
    "grid_pointing_game": "evaluation.grid_game",
    "grid_pointing": "evaluation.localisation",
    "pointing_game": "evaluation.localisation",
    "mask_mass": "evaluation.localisation",
    "precision_flips": "saliency.precision",
    "precision_agreement": "saliency.precision",
    "parameter_randomisation": "evaluation.sanity",
    "noise_stability": "evaluation.sanity",
    "flip_stability": "evaluation.sanity",
    "seed_agreement": "evaluation.sanity",
    "greedy_ceiling": "evaluation.sanity",
    "images": "study.images",
    "Study": "study.study",
    "ablations": "study.ablations",
    "samples": "pictures",
    "read_image": "pictures",
    "InputError": "errors",
}

ROOMS = ("evaluation", "models", "network", "plot", "report", "saliency", "study")
"""Packages whose names are there as `multiplex_vit.plot.overlay`, without importing them first."""

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from multiplex_vit.errors import InputError as InputError
    from multiplex_vit.evaluation.baselines import BASELINES as BASELINES
    from multiplex_vit.evaluation.curve import Curve as Curve
    from multiplex_vit.evaluation.curve import Faithfulness as Faithfulness
    from multiplex_vit.evaluation.evaluate import evaluate as evaluate
    from multiplex_vit.evaluation.grid_game import grid_pointing_game as grid_pointing_game
    from multiplex_vit.evaluation.localisation import grid_pointing as grid_pointing
    from multiplex_vit.evaluation.localisation import mask_mass as mask_mass
    from multiplex_vit.evaluation.localisation import pointing_game as pointing_game
    from multiplex_vit.evaluation.mosaics import Mosaic as Mosaic
    from multiplex_vit.evaluation.mosaics import draw_mosaics as draw_mosaics
    from multiplex_vit.evaluation.mosaics import mosaic as mosaic
    from multiplex_vit.evaluation.protocols import PROTOCOLS as PROTOCOLS
    from multiplex_vit.evaluation.sanity import flip_stability as flip_stability
    from multiplex_vit.evaluation.sanity import greedy_ceiling as greedy_ceiling
    from multiplex_vit.evaluation.sanity import noise_stability as noise_stability
    from multiplex_vit.evaluation.sanity import parameter_randomisation as parameter_randomisation
    from multiplex_vit.evaluation.sanity import seed_agreement as seed_agreement
    from multiplex_vit.models.adapters import ADAPTERS as ADAPTERS
    from multiplex_vit.models.load import load as load
    from multiplex_vit.models.operators import OPERATORS as OPERATORS
    from multiplex_vit.models.vision_model import VisionModel as VisionModel
    from multiplex_vit.network.aggregate import AGGREGATIONS as AGGREGATIONS
    from multiplex_vit.network.centrality import CENTRALITIES as CENTRALITIES
    from multiplex_vit.network.coupling import COUPLINGS as COUPLINGS
    from multiplex_vit.network.export import EXPORTERS as EXPORTERS
    from multiplex_vit.network.export import exporter_of as exporter_of
    from multiplex_vit.network.export import lint_gephi as lint_gephi
    from multiplex_vit.network.filters import FILTERS as FILTERS
    from multiplex_vit.network.layer import Layer as Layer
    from multiplex_vit.network.layer_measures import LAYER_MEASURES as LAYER_MEASURES
    from multiplex_vit.network.layer_measures import NULL_MODELS as NULL_MODELS
    from multiplex_vit.network.multilayer import LAYER_SIMILARITIES as LAYER_SIMILARITIES
    from multiplex_vit.network.multilayer import MULTILAYER_MEASURES as MULTILAYER_MEASURES
    from multiplex_vit.network.multiplex import Multiplex as Multiplex
    from multiplex_vit.pictures import read_image as read_image
    from multiplex_vit.pictures import samples as samples
    from multiplex_vit.saliency.designs import DESIGNS as DESIGNS
    from multiplex_vit.saliency.designs import DesignInput as DesignInput
    from multiplex_vit.saliency.estimators import ESTIMATORS as ESTIMATORS
    from multiplex_vit.saliency.explain import explain as explain
    from multiplex_vit.saliency.explain import explain_each as explain_each
    from multiplex_vit.saliency.explain import explain_many as explain_many
    from multiplex_vit.saliency.explainers import EXPLAINERS as EXPLAINERS
    from multiplex_vit.saliency.explainers import Explainer as Explainer
    from multiplex_vit.saliency.explainers import Target as Target
    from multiplex_vit.saliency.explainers import sweep as sweep
    from multiplex_vit.saliency.explanation import Explanation as Explanation
    from multiplex_vit.saliency.masks import Masks as Masks
    from multiplex_vit.saliency.networks import multiplex as multiplex
    from multiplex_vit.saliency.precision import precision_agreement as precision_agreement
    from multiplex_vit.saliency.precision import precision_flips as precision_flips
    from multiplex_vit.saliency.ranking import Ranking as Ranking
    from multiplex_vit.saliency.settings import Settings as Settings
    from multiplex_vit.saliency.statistics import STATISTICS as STATISTICS
    from multiplex_vit.study.ablations import ablations as ablations
    from multiplex_vit.study.images import images as images
    from multiplex_vit.study.study import Study as Study


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *ROOMS})
