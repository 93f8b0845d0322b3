"""Controls: heatmaps that know nothing, or turn what is known round."""

from dataclasses import replace
from typing import Any

import numpy as np

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.from_settings import PUBLISHED, by_settings
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Attribution, Target


@EXPLAINERS.register(kind="baseline", forward=1, backward=0, class_specific=False)
def random_order(model: VisionModel, picture: Any, label: int | str | None = None, *, seed: int = 0) -> Attribution:
    """Return a random order of the patches, from the seed: what every method must beat. Its one pass finds the predicted class."""
    target = Target.of(model, picture, label)
    return target.answer("random_order", np.random.default_rng(seed).permutation(int(np.prod(target.grid))), target.clean())


@EXPLAINERS.register(kind="baseline", forward=1, backward=0, class_specific=False)
def centre_prior(model: VisionModel, picture: Any, label: int | str | None = None) -> Attribution:
    """Return how near a patch is to the centre of the image, for which photographers are enough (Judd et al., ICCV 2009, doi:10.1109/ICCV.2009.5459462)."""
    target = Target.of(model, picture, label)
    rows, cols = target.grid
    row, col = np.indices((rows, cols))
    return target.answer("centre_prior", -np.hypot((row + 0.5) / rows - 0.5, (col + 0.5) / cols - 0.5), target.clean())


@EXPLAINERS.register(kind="control", forward=lambda sizes: min(sizes.budget, PUBLISHED.n_masks + 1), backward=0)
def reversed_order(model: VisionModel, picture: Any, label: int | str | None = None, *, budget: int = 55) -> Attribution:
    """Return the published heatmap with its sign turned: a measure that does not rank it last cannot be trusted."""
    target = Target.of(model, picture, label)
    published = by_settings(model, target.picture, label, replace(PUBLISHED, budget=budget))
    return target.answer("reversed_order", -published.heatmap, published.clean, forward_passes=published.forward_passes)
