"""Grad-CAM on the tokens of the last block."""

from typing import Any

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Attribution, Target


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def grad_cam(model: VisionModel, picture: Any, label: int | str | None = None) -> Attribution:
    """Return relu(sum_c w_c token_c), w the mean over patches of the logit's gradient, after the last block's first layer norm.

    Selvaraju et al., ICCV 2017, doi:10.1109/ICCV.2017.74; the layer is that which pytorch-grad-cam advises for ViTs. One forward and one
    backward pass.
    """
    target = Target.of(model, picture, label)
    tokens, gradient, clean = model.token_gradients(target.tokens, target.wanted)
    return target.answer("grad_cam", (tokens @ gradient.mean(0)).relu(), clean, backward_passes=1)
