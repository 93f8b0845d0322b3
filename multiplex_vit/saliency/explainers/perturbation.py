"""Perturbation: heatmaps from what the model says when tokens are left out; their results are Explanations."""

from typing import Any

import numpy as np

from multiplex_vit.checks import vision_model
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.from_settings import by_settings
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import Settings


@EXPLAINERS.register(kind="rival", forward=lambda sizes: sizes.budget, backward=0)
def rise_tokens(model: VisionModel, picture: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Explanation:
    """Return the mean confidence of random masks that keep a token and half of the others (RISE: Petsiuk et al., BMVC 2018, arXiv:1806.07421).

    Tokens leave the sequence, where RISE dims pixels under smooth masks.
    """
    settings = Settings(design="random", estimator="coverage", budget=budget, seed=seed)
    return by_settings(model, picture, label, settings)


@EXPLAINERS.register(kind="rival", forward=lambda sizes: sizes.n_tokens + 1, backward=0, each_token=True)
def occlusion(model: VisionModel, picture: Any, label: int | str | None = None) -> Explanation:
    """Return by how much the confidence falls when a token leaves alone, beside the mean of the others (Zeiler, Fergus, ECCV 2014, arXiv:1311.2901).

    It takes a pass a token and one for the whole image, whatever the budget.
    """
    picture = vision_model(model).picture(picture)
    n_nodes = int(np.prod(model.grid_of(picture.pixels.shape[2:])))
    settings = Settings(design="occlusion", estimator="contrast", budget=max(2, n_nodes + 1))
    return by_settings(model, picture, label, settings)
