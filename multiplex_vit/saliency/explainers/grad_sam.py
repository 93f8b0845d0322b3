"""Grad-SAM: attention times its gradient, over all blocks and heads."""

from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def grad_sam(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return the mean over blocks, heads and keys of A * relu(dlogit / dA), in a token's own row.

    Barkan et al., CIKM 2021, doi:10.1145/3459637.3482126. It takes one forward and one backward
    pass.
    """
    target = Target.of(model, picture, label)
    attention, gradient, clean = model.attention_gradients(target.tokens, target.index)
    weighed = attention * gradient.relu()
    rows = weighed.mean((0, 1, 3))
    return target.answer(rows[model.n_prefix :], clean, backward_passes=1)
