"""Beyond Intuition: heads weighed through the blocks, and the integrated gradient of the last."""

from typing import Any

import torch
from torch import Tensor

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation

STEPS = 20
_LEFT_OUT = 0.25
"""Share of the blocks, from the first, that the published start at the fourth of 12 leaves out."""


@EXPLAINERS.register(kind="rival", forward=STEPS + 1, backward=STEPS + 1)
def beyond_intuition(
    model: Classifier, picture: Any, label: int | str | None = None
) -> Explanation:
    """Return R times the last block's integrated gradient, in the class token's row (head-wise).

    R starts as the identity and goes block by block, from the fourth of 12 on: R += (sum_h I_h A_h)
    R, where I_h is the mean of |A_h' dlogit/dA_h| over heads' sum. It is multiplied, number by
    number, by the mean over heads of relu of the mean gradient at the last block's attention over
    20 steps from pixel values of 0 to the image. Chen, Li, Yu, Dou, Xiong, TMLR 2023,
    openreview.net/forum?id=rm0zIzlhcX. It takes 21 forward and 21 backward passes.
    """
    target = Target.of(model, picture, label)
    attention, gradient, clean = model.attention_gradients(
        target.tokens,
        target.index,
    )
    through = _through_blocks(attention, gradient)
    # The class of the clean image, which a darkened one may not be.
    explained = target.explained_class(clean[0])
    pixels = target.picture.pixels
    feedback = _integrated(model, pixels, explained)
    relevance = feedback * through
    patches = target.prefix_row(relevance)
    # The steps, and the clean image itself.
    n_passes = STEPS + 1
    return target.answer(
        patches,
        clean,
        forward_passes=n_passes,
        backward_passes=n_passes,
    )


def _through_blocks(attention: Tensor, gradient: Tensor) -> Tensor:
    """Return R [query, key] of attention and its gradient [layer, head, query, key]."""
    first = round(_LEFT_OUT * len(attention))
    # Before any block a token is made of itself alone.
    relevance = torch.eye(
        attention.shape[-1],
        device=attention.device,
        dtype=attention.dtype,
    )
    blocks = zip(attention[first:], gradient[first:], strict=True)
    for heads, slopes in blocks:
        moved = (heads.mT @ slopes).abs().mean((-1, -2))
        # Where no head moves the logit, none weighs anything.
        least = torch.finfo(moved.dtype).tiny
        weight = moved / moved.sum().clamp(min=least)
        mixed = (weight[:, None, None] * heads).sum(0)
        relevance = relevance + mixed @ relevance
    return relevance


def _integrated(model: Classifier, pixels: Tensor, label: int) -> Tensor:
    """Return relu of the mean gradient at the last block's attention, mean over heads."""
    total: Any = 0.0
    for share in torch.linspace(0, 1, STEPS).tolist():
        tokens = model.embed(share * pixels)
        _, gradient, _ = model.attention_gradients(tokens, label)
        total = total + gradient[-1]
    # Cut at 0 after the mean over steps, and before that over heads.
    mean = total / STEPS
    return mean.relu().mean(0)
