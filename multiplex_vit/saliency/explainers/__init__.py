"""Explainers: every way to explain an image, by name. Importing this registers all of them."""

from multiplex_vit.registry import import_members
from multiplex_vit.saliency.explainers.explainer import Explainer
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.sweeps import sweep
from multiplex_vit.saliency.explainers.target import Target

# mutex leads the lists, as what the others are compared with.
import_members(__name__, first=("from_settings",))

__all__ = ["EXPLAINERS", "Explainer", "Target", "sweep"]
