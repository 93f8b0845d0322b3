"""KernelSHAP with tokens that leave the sequence."""

from typing import Any

import numpy as np

from multiplex_vit.checks import whole
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import budgeted
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation


@EXPLAINERS.register(kind="rival", forward=budgeted, backward=0)
def kernel_shap(
    model: Classifier,
    picture: Any,
    label: int | str | None = None,
    *,
    budget: int = 55,
    seed: int = 0,
) -> Explanation:
    """Return estimates of the tokens' Shapley values.

    They are least squares on masks whose sizes are drawn from the Shapley kernel (Lundberg, Lee,
    NeurIPS 2017, arXiv:1705.07874). A mask of k of n tokens is drawn with probability proportional
    to 1 / (k (n - k)) for its size, and its complement after it; as masks come as often as the
    kernel weighs them, they weigh alike. Values sum to the confidence of the whole image minus that
    of no patch token. One pass of the budget is for the whole image, one for no token, and the rest
    for masks; one that was drawn before takes no pass.
    """
    target = Target.of(model, picture, label)
    n_drawn = whole("budget", budget, at_least=2) - 2
    ends = np.array([[False], [True]]).repeat(target.n_nodes, axis=1)
    rng = np.random.default_rng(seed)
    drawn = kernel_masks(target.n_nodes, n_drawn, rng)
    kept = np.concatenate([ends, drawn])
    return target.explained(
        kept,
        target.clean(),
        design="kernel_shap",
        estimator="shapley_sampled",
    )


def kernel_masks(n_nodes: int, n_masks: int, rng: np.random.Generator) -> np.ndarray:
    """Return masks bool [mask, node] with sizes drawn from the Shapley kernel.

    Each is followed by its complement. There is none of a single node.

    Examples
    --------
    >>> kernel_masks(4, 4, np.random.default_rng(0)).sum(1).tolist()
    [3, 1, 1, 3]
    """
    size = np.arange(1, n_nodes)
    if not len(size):
        return np.zeros((0, n_nodes), dtype=bool)
    weight = 1 / (size * (n_nodes - size))
    # One more where the number is odd; its complement is left out below.
    n_pairs = -(-n_masks // 2)
    sizes = rng.choice(size, n_pairs, p=weight / weight.sum())
    drawn = [rng.permutation(n_nodes) < count for count in sizes]
    kept = np.array(drawn, dtype=bool).reshape(-1, n_nodes)
    pairs = np.stack([kept, ~kept], axis=1)
    return pairs.reshape(-1, n_nodes)[:n_masks]
