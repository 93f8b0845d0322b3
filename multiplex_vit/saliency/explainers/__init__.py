"""Explainers: every way to explain an image, by name. Importing this registers all of them."""

from multiplex_vit.saliency.explainers import from_settings as _from_settings  # isort: skip
from multiplex_vit.saliency.explainers import attention as _attention
from multiplex_vit.saliency.explainers import beyond_intuition as _beyond_intuition
from multiplex_vit.saliency.explainers import controls as _controls
from multiplex_vit.saliency.explainers import generic_attention as _generic_attention
from multiplex_vit.saliency.explainers import grad_cam as _grad_cam
from multiplex_vit.saliency.explainers import grad_sam as _grad_sam
from multiplex_vit.saliency.explainers import hires_cam as _hires_cam
from multiplex_vit.saliency.explainers import (
    integrated_gradients as _integrated_gradients,
)
from multiplex_vit.saliency.explainers import kernel_shap as _kernel_shap
from multiplex_vit.saliency.explainers import legrad as _legrad
from multiplex_vit.saliency.explainers import perturbation as _perturbation
from multiplex_vit.saliency.explainers import relevance as _relevance
from multiplex_vit.saliency.explainers import rise_pixels as _rise_pixels
from multiplex_vit.saliency.explainers import similarity_walks as _similarity_walks
from multiplex_vit.saliency.explainers import tis as _tis
from multiplex_vit.saliency.explainers.explainer import Explainer
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.sweeps import sweep
from multiplex_vit.saliency.explainers.target import Target

_registered = (
    _from_settings,
    _attention,
    _controls,
    _generic_attention,
    _grad_cam,
    _hires_cam,
    _grad_sam,
    _legrad,
    _relevance,
    _beyond_intuition,
    _integrated_gradients,
    _perturbation,
    _rise_pixels,
    _tis,
    _similarity_walks,
    _kernel_shap,
)
__all__ = ["EXPLAINERS", "Explainer", "Target", "sweep"]
