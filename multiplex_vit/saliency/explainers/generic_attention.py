"""Generic Attention: attention weighed by its gradient, through all blocks."""

from typing import Any

import torch

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def generic_attention(
    model: Classifier, picture: Any, label: int | str | None = None, *, balanced: bool = False
) -> Explanation:
    """Return the class token's row of R, where R += mean_heads(relu(dlogit/dA * A)) R.

    R starts as the identity and goes block by block. Chefer, Gur, Wolf, ICCV 2021,
    doi:10.1109/ICCV48922.2021.00045. `balanced` takes the gradient of LibraGrad (see
    `libra_fullgrad`). It takes one forward and one backward pass.

    Threads change the order of sums, and with it the last bits: up to 2e-7 of the heatmap's range
    was seen. Nothing cancels, since no term is negative, and relu moves by no more than what it is
    given: an error e in the rows of each block's matrix B moves R by at most L e times the product
    of 1 + |B| over the L blocks.
    """
    target = Target.of(model, picture, label)
    tokens, label_index = target.tokens, target.index
    rules = "cp_lrp" if balanced else None
    attention, gradient, clean = model.attention_gradients(tokens, label_index, rules=rules)
    n_tokens = attention.shape[-1]
    relevance = torch.eye(n_tokens, device=attention.device)
    # Heads that speak against the class do not count.
    weighed = (attention * gradient).relu().mean(1)
    for block in weighed:
        relevance = relevance + block @ relevance
    patches = target.prefix_row(relevance)
    return target.answer(patches, clean, backward_passes=1)
