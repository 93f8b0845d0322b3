"""Rivals: other explainers, with the same kind of result and their passes counted. Importing this registers all of them."""

from multiplex_vit.saliency.rivals import attention as _attention
from multiplex_vit.saliency.rivals import controls as _controls
from multiplex_vit.saliency.rivals import generic_attention as _generic_attention
from multiplex_vit.saliency.rivals import grad_cam as _grad_cam
from multiplex_vit.saliency.rivals import integrated_gradients as _integrated_gradients
from multiplex_vit.saliency.rivals import kernel_shap as _kernel_shap
from multiplex_vit.saliency.rivals import legrad as _legrad
from multiplex_vit.saliency.rivals import perturbation as _perturbation
from multiplex_vit.saliency.rivals import rise_pixels as _rise_pixels
from multiplex_vit.saliency.rivals import similarity_walks as _similarity_walks
from multiplex_vit.saliency.rivals import tis as _tis
from multiplex_vit.saliency.rivals.attribution import RIVALS, Attribution

_registered = (
    _attention,
    _controls,
    _generic_attention,
    _grad_cam,
    _legrad,
    _integrated_gradients,
    _perturbation,
    _rise_pixels,
    _tis,
    _similarity_walks,
    _kernel_shap,
)
__all__ = ["RIVALS", "Attribution"]
