"""Generic Attention: attention weighed by its gradient, through all blocks."""

from typing import Any

import torch

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.rivals.attribution import RIVALS, Asked, Attribution


@RIVALS.register
def generic_attention(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return the class token's row of R, where block by block R += mean_heads(relu(dlogit/dA * A)) R, from the identity on.

    Chefer, Gur, Wolf, ICCV 2021, doi:10.1109/ICCV48922.2021.00045. One forward and one backward pass.

    Threads change the order of sums, and with it the last bits: up to 2e-7 of the heatmap's range was
    seen. Nothing cancels, since no term is negative, and relu moves by no more than what it is given:
    an error e in the rows of each block's matrix B moves R by at most L e times the product of
    1 + |B| over the L blocks.
    """
    asked = Asked.of(model, image, label)
    attention, gradient, clean = model.attention_gradients(asked.tokens, asked.wanted)
    relevance = torch.eye(attention.shape[-1], device=attention.device)
    for block in (attention * gradient).relu().mean(1):
        relevance = relevance + block @ relevance
    return asked.answer("generic_attention", asked.prefix_row(relevance), clean, backward_passes=1)
