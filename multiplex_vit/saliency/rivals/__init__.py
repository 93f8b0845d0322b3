"""Rivals: other explainers, with the same kind of result and their passes counted. Importing this registers all of them."""

from multiplex_vit.saliency.rivals import attention as _attention
from multiplex_vit.saliency.rivals import controls as _controls
from multiplex_vit.saliency.rivals import generic_attention as _generic_attention
from multiplex_vit.saliency.rivals import grad_cam as _grad_cam
from multiplex_vit.saliency.rivals import perturbation as _perturbation
from multiplex_vit.saliency.rivals.attribution import RIVALS, Attribution

_registered = (_attention, _controls, _generic_attention, _grad_cam, _perturbation)
__all__ = ["RIVALS", "Attribution"]
