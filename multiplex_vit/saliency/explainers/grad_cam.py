"""Grad-CAM on the tokens of the last block."""

from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def grad_cam(
    model: Classifier, picture: Any, label: int | str | None = None, *, balanced: bool = False
) -> Explanation:
    """Return relu(sum_c w_c token_c), with w the mean over patches of the logit's gradient.

    Tokens are those after the last block's first layer norm, the layer that pytorch-grad-cam
    advises for ViTs. Selvaraju et al., ICCV 2017, doi:10.1109/ICCV.2017.74. `balanced` takes the
    gradient of LibraGrad (see `libra_fullgrad`). It takes one forward and one backward pass.
    """
    target = Target.of(model, picture, label)
    rules = "cp_lrp" if balanced else None
    tokens, gradient, clean = model.token_gradients(target.tokens, target.index, rules=rules)
    weights = gradient.mean(0)
    # Tokens that speak against the class do not count, as in the paper.
    values = (tokens @ weights).relu()
    return target.answer(values, clean, backward_passes=1)
