"""Perturbation: heatmaps from what the model says when tokens are left out."""

from dataclasses import replace
from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.from_settings import by_settings
from multiplex_vit.saliency.explainers.member import Sizes, budgeted
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import Settings


@EXPLAINERS.register(kind="rival", forward=budgeted, backward=0)
def rise_tokens(
    model: Classifier,
    picture: Any,
    label: int | str | None = None,
    *,
    budget: int = 55,
    seed: int = 0,
) -> Explanation:
    """Return the mean confidence of random masks that keep a token and half of the others.

    RISE: Petsiuk et al., BMVC 2018, arXiv:1806.07421. Tokens leave the sequence, where RISE dims
    pixels under smooth masks.
    """
    settings = Settings(design="random", budget=budget, seed=seed)
    explanation = by_settings(model, picture, label, settings)
    # What it is made by is told by its name; settings are those of mutex and communities.
    return replace(explanation, settings=None, estimator="coverage")


def _one_a_token(sizes: Sizes) -> int:
    return sizes.n_tokens + 1


@EXPLAINERS.register(kind="rival", forward=_one_a_token, backward=0, each_token=True)
def occlusion(model: Classifier, picture: Any, label: int | str | None = None) -> Explanation:
    """Return by how much the confidence falls when a token leaves alone.

    The mean of the others is taken off (Zeiler, Fergus, ECCV 2014, arXiv:1311.2901). It takes a
    pass a token and one for the whole image.
    """
    target = Target.of(model, picture, label)
    budget = max(2, target.n_nodes + 1)
    settings = Settings(design="occlusion", budget=budget)
    explanation = by_settings(model, target.picture, label, settings)
    # As many masks as tokens, so that each is a community of its own, whatever the graph.
    return replace(
        explanation,
        settings=None,
        estimator="contrast",
        graph=None,
    )
