"""Baselines and controls: heatmaps that know nothing, or turn what is known round."""

from typing import Any

import numpy as np

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.from_settings import by_settings
from multiplex_vit.saliency.explainers.member import Sizes
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import PUBLISHED


@EXPLAINERS.register(kind="baseline", forward=1, backward=0, class_specific=False)
def random_order(
    model: Classifier, picture: Any, label: int | str | None = None, *, seed: int = 0
) -> Explanation:
    """Return a random order of the patches, from the seed: what every method must beat.

    Its one pass finds the predicted class.
    """
    target = Target.of(model, picture, label)
    order = np.random.default_rng(seed).permutation(target.n_nodes)
    clean = target.clean()
    return target.answer(order, clean)


@EXPLAINERS.register(kind="baseline", forward=1, backward=0, class_specific=False)
def centre_prior(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return how near a patch is to the centre of the image, for which photographers are enough.

    Judd et al., ICCV 2009, doi:10.1109/ICCV.2009.5459462.
    """
    target = Target.of(model, picture, label)
    rows, cols = target.grid
    row, col = np.indices((rows, cols))
    # From the middle of a patch to the middle of the image, in shares of its sides.
    down = (row + 0.5) / rows - 0.5
    right = (col + 0.5) / cols - 0.5
    distance = np.hypot(down, right)
    return target.answer(-distance, target.clean())


def _published_passes(sizes: Sizes) -> int:
    return min(sizes.budget, PUBLISHED.n_masks + 1)


@EXPLAINERS.register(kind="control", forward=_published_passes, backward=0)
def reversed_order(
    model: Classifier, picture: Any, label: int | str | None = None, *, budget: int = 55
) -> Explanation:
    """Return the published heatmap with its sign turned.

    A measure that does not rank it last cannot be trusted.
    """
    target = Target.of(model, picture, label)
    settings = PUBLISHED.at(budget=budget)
    published = by_settings(model, target.picture, label, settings)
    passes = published.forward_passes
    values = -published.heatmap
    return target.answer(values, published.clean, forward_passes=passes)
