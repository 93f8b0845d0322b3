"""Attention alone: heatmaps of one forward pass that do not depend on the class."""

from typing import Any

import torch

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.rivals.attribution import RIVALS, Asked, Attribution


@RIVALS.register
def raw_attention(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return what the class token attends to in the last block, mean over heads (Dosovitskiy et al., ICLR 2021, arXiv:2010.11929)."""
    asked = Asked.of(model, image, label)
    attention, clean = model.attend(asked.tokens, ("mean",), prefix=True)
    return asked.answer("raw_attention", asked.prefix_row(attention[0, 0, -1]), clean)


@RIVALS.register
def rollout(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return attention rolled out through all blocks: the class token's row of the product of (A + I) / 2, mean over heads.

    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385.
    """
    asked = Asked.of(model, image, label)
    attention, clean = model.attend(asked.tokens, ("mean",), prefix=True)
    rolled = torch.eye(attention.shape[-1], device=attention.device)
    for block in attention[0, 0]:
        mixed = block + torch.eye(len(block), device=block.device)
        rolled = (mixed / mixed.sum(-1, keepdim=True)) @ rolled
    return asked.answer("rollout", asked.prefix_row(rolled), clean)
