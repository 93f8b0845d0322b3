"""Attention alone: heatmaps of one forward pass that do not depend on the class."""

from typing import Any

import torch

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=1, backward=0, class_specific=False)
def raw_attention(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return what the class token attends to in the last block, mean over heads.

    Dosovitskiy et al., ICLR 2021, arXiv:2010.11929.
    """
    target = Target.of(model, picture, label)
    tokens = target.tokens
    attention, clean = model.attend(tokens, ("mean",), prefix=True)
    last = attention[0, 0, -1]
    return target.answer(target.prefix_row(last), clean)


@EXPLAINERS.register(kind="rival", forward=1, backward=0, class_specific=False)
def rollout(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return attention rolled out through all blocks.

    It is the class token's row of the product of (A + I) / 2 over blocks, mean over heads.
    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385.
    """
    target = Target.of(model, picture, label)
    tokens = target.tokens
    attention, clean = model.attend(tokens, ("mean",), prefix=True)
    n_tokens = attention.shape[-1]
    identity = torch.eye(n_tokens, device=attention.device)
    rolled = identity
    for block in attention[0, 0]:
        # The identity stands for the residual connection.
        mixed = block + identity
        rolled = (mixed / mixed.sum(-1, keepdim=True)) @ rolled
    return target.answer(target.prefix_row(rolled), clean)
