"""KernelSHAP with tokens that leave the sequence."""

from typing import Any

import numpy as np

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import Settings


@EXPLAINERS.register(kind="rival", forward=lambda sizes: sizes.budget, backward=0)
def kernel_shap(model: VisionModel, picture: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Explanation:
    """Return estimates of the tokens' Shapley values: least squares on masks whose sizes are drawn from the Shapley kernel.

    Lundberg, Lee, NeurIPS 2017, arXiv:1705.07874. A mask of k of n tokens is drawn with probability proportional to 1 / (k (n - k)) for its
    size, and its complement after it; as masks come as often as the kernel weighs them, they weigh alike. Values sum to the confidence of
    the whole image minus that of no patch token. One pass of the budget is for the whole image, one for no token, and the rest for masks;
    one that was drawn before takes no pass.
    """
    target = Target.of(model, picture, label)
    settings = Settings(design="kernel_shap", estimator="shapley_sampled", budget=budget, seed=seed)
    n_nodes = int(np.prod(target.grid))
    ends = np.array([[False], [True]]).repeat(n_nodes, axis=1)
    drawn = kernel_masks(n_nodes, settings.n_masks - 1, np.random.default_rng(seed))
    return target.explained(np.concatenate([ends, drawn]), target.clean(), settings)


def kernel_masks(n_nodes: int, n_masks: int, rng: np.random.Generator) -> np.ndarray:
    """Return masks bool [mask, node] with sizes drawn from the Shapley kernel, each followed by its complement; none for a single node.

    Examples
    --------
    >>> kernel_masks(4, 4, np.random.default_rng(0)).sum(1).tolist()
    [3, 1, 1, 3]
    """
    size = np.arange(1, n_nodes)
    if not len(size):
        return np.zeros((0, n_nodes), dtype=bool)
    weight = 1 / (size * (n_nodes - size))
    sizes = rng.choice(size, -(-n_masks // 2), p=weight / weight.sum())
    kept = np.array([rng.permutation(n_nodes) < count for count in sizes], dtype=bool).reshape(-1, n_nodes)
    return np.stack([kept, ~kept], axis=1).reshape(-1, n_nodes)[:n_masks]
