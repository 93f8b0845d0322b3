"""Transformer Input Sampling: masks from clusters of what the blocks' channels respond to."""

import warnings
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2

from multiplex_vit.checks import whole
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import budgeted
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation

KEPT, ITERATIONS = 0.5, 20


@EXPLAINERS.register(kind="rival", forward=budgeted, backward=0)
def tis(
    model: Classifier,
    picture: Any,
    label: int | str | None = None,
    *,
    budget: int = 55,
    seed: int = 0,
) -> Explanation:
    """Return the mean confidence of masks that keep what clusters of channels respond to most.

    Transformer Input Sampling: Englebert, Stassin, Nanfack, Mahmoudi, Siebert, Cornu, De
    Vleeschouwer, ICCV Workshops 2023, 806-815. Kept from the paper: each channel of each block's
    output is a point whose coordinates are its values at the patch tokens; k-means clusters these
    points; a mask keeps the half of the tokens that are greatest in a cluster's centre; the others
    leave the sequence; the sum of masks weighted by confidence is divided by how many masks keep a
    token. Ours: a mask a pass of the budget, less the pass of the whole image (the paper takes
    1,024 masks), and at most as many as there are channels; 20 rounds of k-means from points drawn
    with the seed; a token in no mask gets 0.
    """
    target = Target.of(model, picture, label)
    n_masks = whole("budget", budget, at_least=2) - 1
    activations, _, clean = model.activations(target.tokens)
    by_channel = activations.float().cpu().numpy().transpose(0, 2, 1)
    points = by_channel.reshape(-1, activations.shape[1])
    kept = _greater_half(centres(points, n_masks, seed))
    return target.explained(
        kept,
        clean,
        design="tis",
        estimator="coverage",
    )


def centres(points: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Return the centres [cluster, node] of points [point, node].

    A cluster that runs empty keeps the centre that it had.
    """
    order = np.random.default_rng(seed).permutation(len(points))
    drawn = points[order[:n_clusters]]
    # SciPy warns of clusters that run empty, which is no fault here.
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        found, _ = kmeans2(
            points,
            drawn,
            iter=ITERATIONS,
            minit="matrix",
            missing="warn",
        )
    return found


def _greater_half(responses: np.ndarray) -> np.ndarray:
    """Return masks bool [mask, node] of the greater half of each response [mask, node].

    Ties are broken by place.
    """
    order = np.argsort(-responses, axis=1, kind="stable")
    n_kept = int(KEPT * responses.shape[1])
    kept = np.zeros(responses.shape, dtype=bool)
    np.put_along_axis(kept, order[:, :n_kept], True, axis=1)
    return kept
