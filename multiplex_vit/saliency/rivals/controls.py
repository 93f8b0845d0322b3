"""Controls: heatmaps that know nothing, or turn what is known round."""

from typing import Any

import numpy as np

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explain import explain
from multiplex_vit.saliency.rivals.attribution import RIVALS, Asked, Attribution


@RIVALS.register(control=True)
def random_order(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return a random order of the patches, from the seed: what every method must beat. Its one pass finds the predicted class."""
    asked = Asked.of(model, image, label)
    return asked.answer("random_order", np.random.default_rng(seed).permutation(int(np.prod(asked.grid))), asked.clean())


@RIVALS.register(control=True)
def centre_prior(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return how near a patch is to the centre of the image, for which photographers are enough (Judd et al., ICCV 2009, doi:10.1109/ICCV.2009.5459462)."""
    asked = Asked.of(model, image, label)
    rows, cols = asked.grid
    row, col = np.indices((rows, cols))
    return asked.answer("centre_prior", -np.hypot((row + 0.5) / rows - 0.5, (col + 0.5) / cols - 0.5), asked.clean())


@RIVALS.register(control=True, budget=55)
def reversed_order(model: VisionModel, image: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Attribution:
    """Return the published heatmap with its sign turned: a measure that does not rank it last cannot be trusted."""
    asked = Asked.of(model, image, label)
    published = explain(model, asked.picture, label=label, budget=budget)
    return asked.answer("reversed_order", -published.heatmap, published.clean, forward_passes=published.forward_passes)
