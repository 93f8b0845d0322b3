"""LeGrad: the gradient of each block's own answer with respect to its attention."""

from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import Sizes
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


def _one_a_block(sizes: Sizes) -> int:
    return sizes.n_layers


@EXPLAINERS.register(kind="rival", forward=1, backward=_one_a_block)
def legrad(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return sum_l mean_heads,queries relu(ds_l / dA_l).

    A_l is a block's attention and s_l the class's logit from that block's output: what the model's
    own final norm and head make of the tokens that leave block l (so DeiT's two heads are averaged,
    and DINOv2's head reads class token and patches). All blocks count; the paper's rescaling to
    0..1 is left out, as it changes no order. Bousselham, Boggust, Chaybouti, Strobelt, Kuehne,
    ICCV 2025, arXiv:2404.03214. It takes one forward pass and a backward pass a block.
    """
    target = Target.of(model, picture, label)
    gradient, clean = model.block_gradients(target.tokens, target.index)
    # What lowers the class's logit does not count, as in the paper.
    by_block = gradient.relu().mean((1, 2))
    relevance = by_block.sum(0)
    patches = relevance[model.n_prefix :]
    return target.answer(patches, clean, backward_passes=model.n_layers)
