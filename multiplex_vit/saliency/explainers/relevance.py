"""Relevance: a logit shared out among tokens, in one backward pass by rules.

Layer-wise relevance propagation is patented in some countries; commercial use may need a licence of
its authors (their notice: github.com/rachtibat/LRP-eXplains-Transformers).
"""

from typing import Any

from torch import Tensor

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.spelling import called


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def attn_lrp(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return the relevance of tokens by AttnLRP.

    It is input times gradient at the tokens that enter the first block, positions included, by the
    rules of Achtibat et al., ICML 2024, arXiv:2402.05602: layer norms and activations count as
    linear, products share by halves, the softmax by its Taylor expansion. Linear layers have the
    rule LRP-0; the paper's gamma rule for those of ViTs, with a gamma to be tuned for each model,
    is left out. Values are logits, and below 0 where a token speaks against the class. Without
    biases they sum, with those of the prefix tokens and with what each softmax absorbs, to the
    logit. It takes one forward and one backward pass.
    """
    return _of_rules(model, picture, label, "attn_lrp")


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def cp_lrp(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return the relevance of tokens by CP-LRP: as `attn_lrp`, with attention held fixed.

    All relevance goes through values, so that without biases tokens have all of the logit. Ali et
    al., ICML 2022, arXiv:2202.07304. It takes one forward and one backward pass.
    """
    return _of_rules(model, picture, label, "cp_lrp")


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def res_lrp(
    model: Classifier, picture: Any, label: int | str | None = None, *, gamma: float = 1.0
) -> Explanation:
    """Return the relevance of tokens by ResLRP: as `attn_lrp`, with residual sums shared by sign.

    In a sum of what a block adds and what goes past it, number by number, a summand that has the
    sum's sign counts 1 + gamma; with 0 it is AttnLRP. Fraunhofer HHI and BIFOLD, preprint 2026. It
    takes one forward and one backward pass.
    """
    return _of_rules(model, picture, label, called("res_lrp", {"gamma": gamma}))


@EXPLAINERS.register(kind="rival", forward=1, backward=1)
def libra_fullgrad(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return token times balanced gradient, summed over the inputs of all blocks: Libra FullGrad+.

    The balanced gradient holds attention, layer norms' deviations and activations' shares fixed.
    The part of biases is left out. Mehri, Soleymani Baghshah, Pilehvar, CVPR 2025,
    arXiv:2411.16760. It takes one forward and one backward pass.
    """
    return _of_rules(model, picture, label, "cp_lrp", all_layers=True)


@EXPLAINERS.register(kind="method", forward=1, backward=1)
def layered_lrp(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return the relevance of tokens by AttnLRP, summed over the inputs of all blocks.

    A token's relevance at a deeper block counts what it has gathered there of others. The sum is
    ours: that of FullGrad+ (see `libra_fullgrad`), by the rules of `attn_lrp`.
    `communities` starts from that of the first half of blocks. It takes one forward and one
    backward pass.
    """
    return _of_rules(model, picture, label, "attn_lrp", all_layers=True)


def _of_rules(
    model: Classifier,
    picture: Any,
    label: int | str | None,
    rules: str,
    *,
    all_layers: bool = False,
) -> Explanation:
    target = Target.of(model, picture, label)
    by_layer, clean = model.relevance(target.tokens, [target.index], rules)
    layers: Tensor = by_layer[0] if all_layers else by_layer[0, :1]
    patches = layers.sum(0)[model.n_prefix :]
    return target.answer(patches, clean, backward_passes=1)
