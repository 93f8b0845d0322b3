"""HiResCAM on the tokens of the last block."""

from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def hires_cam(
    model: Classifier, picture: Any, label: int | str | None = None, *, balanced: bool = False
) -> Explanation:
    """Return each token times its own gradient of the logit, summed over channels.

    Grad-CAM's layer (see `grad_cam`), without its mean of gradients over patches, and signed.
    `balanced` takes the gradient of LibraGrad (see `libra_fullgrad`). Draelos, Carin, 2020,
    arXiv:2011.08891. It takes one forward and one backward pass.
    """
    target = Target.of(model, picture, label)
    rules = "cp_lrp" if balanced else None
    tokens, gradient, clean = model.token_gradients(target.tokens, target.index, rules=rules)
    values = (tokens * gradient).sum(-1)
    return target.answer(values, clean, backward_passes=1)
