"""LeGrad: the gradient of each block's own answer with respect to its attention."""

from typing import Any

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Attribution, Target


@EXPLAINERS.register(kind="rival", forward=1, backward=lambda sizes: sizes.n_layers)
def legrad(model: VisionModel, picture: Any, label: int | str | None = None) -> Attribution:
    """Return sum_l mean_heads,queries relu(ds_l / dA_l), with A_l a block's attention and s_l the class's logit from that block's output.

    Bousselham, Boggust, Chaybouti, Strobelt, Kuehne, ICCV 2025, arXiv:2404.03214. s_l is what the model's own final norm and head make of
    the tokens that leave block l (so DeiT's two heads are averaged, and DINOv2's head reads class token and patches). All blocks count; the
    paper's rescaling to 0..1 is left out, as it changes no order. One forward pass and a backward pass a block.
    """
    target = Target.of(model, picture, label)
    gradient, clean = model.block_gradients(target.tokens, target.wanted)
    relevance = gradient.relu().mean((1, 2)).sum(0)[model.n_prefix :]
    return target.answer("legrad", relevance, clean, backward_passes=model.n_layers)
