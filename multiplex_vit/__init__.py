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
    "CENTRALITIES": "network.centrality",
    "COUPLINGS": "network.coupling",
    "EXPORTERS": "network.export",
    "explain": "saliency.explain",
    "multiplex": "saliency.explain",
    "Explanation": "saliency.explanation",
    "Masks": "saliency.masks",
    "Settings": "saliency.settings",
    "STATISTICS": "saliency.statistics",
    "evaluate": "evaluation.evaluate",
    "Curve": "evaluation.curve",
    "Faithfulness": "evaluation.curve",
    "PROTOCOLS": "evaluation.protocols",
    "BASELINES": "evaluation.baselines",
    "samples": "images",
    "read_image": "images",
    "InputError": "errors",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from multiplex_vit.errors import InputError as InputError
    from multiplex_vit.evaluation.baselines import BASELINES as BASELINES
    from multiplex_vit.evaluation.curve import Curve as Curve
    from multiplex_vit.evaluation.curve import Faithfulness as Faithfulness
    from multiplex_vit.evaluation.evaluate import evaluate as evaluate
    from multiplex_vit.evaluation.protocols import PROTOCOLS as PROTOCOLS
    from multiplex_vit.images import read_image as read_image
    from multiplex_vit.images import samples as samples
    from multiplex_vit.models.adapters import ADAPTERS as ADAPTERS
    from multiplex_vit.models.load import load as load
    from multiplex_vit.models.operators import OPERATORS as OPERATORS
    from multiplex_vit.models.vision_model import VisionModel as VisionModel
    from multiplex_vit.network.centrality import CENTRALITIES as CENTRALITIES
    from multiplex_vit.network.coupling import COUPLINGS as COUPLINGS
    from multiplex_vit.network.export import EXPORTERS as EXPORTERS
    from multiplex_vit.network.multiplex import Multiplex as Multiplex
    from multiplex_vit.saliency.explain import explain as explain
    from multiplex_vit.saliency.explain import multiplex as multiplex
    from multiplex_vit.saliency.explanation import Explanation as Explanation
    from multiplex_vit.saliency.masks import Masks as Masks
    from multiplex_vit.saliency.settings import Settings as Settings
    from multiplex_vit.saliency.statistics import STATISTICS as STATISTICS


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
