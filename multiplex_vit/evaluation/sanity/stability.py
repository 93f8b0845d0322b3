"""Stability: does a heatmap stay the same where it should?"""

from itertools import combinations
from typing import Any, Unpack

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import positive, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.sanity.question import Asked, Question
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.agreement import rank_correlation
from multiplex_vit.saliency.explainers import EXPLAINERS


@checked
def noise_stability(model: Classifier, image: Any, method: Named = "mutex", *, sd: float = 0.02, draws: int = 3, **asked: Unpack[Asked]) -> pd.DataFrame:
    """Return how like the original a heatmap stays under Gaussian noise on the pixels, for the same class.

    Alvarez-Melis, Jaakkola, ICML 2018 Workshop on Human Interpretability, arXiv:1806.08049, ask for such robustness.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label.
    sd : float
        Standard deviation of the noise in pixel space, 0 to 1: 0.02 is 5 of 255 grey levels. Values are not clipped.
    draws : int
        How many noisy images.
    **asked
        label (the predicted class unless given), budget in passes (the method's own unless given), seed (of the noise and of the method).

    Returns
    -------
    DataFrame
        One row a draw: method, sd, draw, correlation (Spearman's, with the heatmap without noise; NaN where one is flat), same_class (whether
        the model decides for the class explained in the noisy image; None where it predicts values).

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or a number cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> noise_stability(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], "centre_prior", draws=1).round(6).values.tolist()
    [['centre_prior', 0.02, 0, 1.0, True]]
    """
    sd, draws = positive("sd", sd), whole("draws", draws, at_least=1)
    question = Question.of(model, image, method, **asked)
    spread = sd / np.asarray(model.normalisation[1])[:, None, None]
    rng = np.random.default_rng(asked.get("seed", 0))
    noisy = [(question.pixels + spread * rng.standard_normal(question.pixels.shape)).astype(np.float32) for _ in range(draws)]
    rows = [{"correlation": rank_correlation(question.heatmap, question.answer(pixels=each)), "same_class": question.still_predicted(each)} for each in noisy]
    return pd.DataFrame([{"method": question.method, "sd": sd, "draw": draw, **row} for draw, row in enumerate(rows)])


@checked
def flip_stability(model: Classifier, image: Any, method: Named = "mutex", **asked: Unpack[Asked]) -> pd.DataFrame:
    """Return how like the original the heatmap of the mirrored image is, mirrored back, for the same class.

    A model that was trained on mirrored images too should see little difference.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label.
    **asked
        label (the predicted class unless given), budget in passes (the method's own unless given), seed of the method.

    Returns
    -------
    DataFrame
        One row: method, correlation (Spearman's; NaN where a heatmap is flat), same_class (whether the model decides for the class explained in
        the mirrored image; None where it predicts values).

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or the image is not whole patches wide, as patches would not be mirrored into patches.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> flip_stability(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], "centre_prior").round(6).values.tolist()
    [['centre_prior', 1.0, True]]
    """
    question = Question.of(model, image, method, **asked)
    width, patch = question.pixels.shape[3], model.patch[1]
    if width % patch:
        raise InputError(f"the image is {width} pixels wide, which is not whole patches of {patch}; give one that is {width // patch * patch} wide")
    mirrored = np.ascontiguousarray(question.pixels[..., ::-1])
    correlation = rank_correlation(question.heatmap, question.answer(pixels=mirrored)[:, ::-1])
    return pd.DataFrame([{"method": question.method, "correlation": correlation, "same_class": question.still_predicted(mirrored)}])


@checked
def seed_agreement(model: Classifier, image: Any, method: Named = "mutex", *, seeds: int = 5, **asked: Unpack[Asked]) -> pd.DataFrame:
    """Return how like each other the heatmaps of several seeds are.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label, which may take a seed.
    seeds : int
        How many.
    **asked
        label (the predicted class unless given), budget in passes (the method's own unless given), seed (the first one).

    Returns
    -------
    DataFrame
        One row: method, seeds (runs made), deterministic, correlation (mean of Spearman's over all pairs; NaN where a heatmap is flat), lowest.
        A method that takes no seed is run once. One whose first two runs give the same heatmap to the last bit is run no more. Both are
        deterministic, with a correlation of 1.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or there are not two seeds at least.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> seed_agreement(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], "rollout").values.tolist()
    [['rollout', 1, True, 1.0, 1.0]]
    """
    seeds, first = whole("seeds", seeds, at_least=2), whole("seed", asked.get("seed", 0), at_least=0)
    question = Question.of(model, image, method, **asked)
    heatmaps = [question.heatmap]
    explainer = EXPLAINERS.resolve(method)
    seed_is_open = explainer.takes("seed") and "seed" not in explainer.options
    for seed in range(first + 1, first + seeds) if seed_is_open else ():
        again: Asked = {**asked, "label": question.label, "seed": seed}
        heatmaps.append(Question.of(model, question.pixels, method, **again).heatmap)
        if len(heatmaps) == 2 and np.array_equal(heatmaps[0], heatmaps[1]):
            break
    deterministic = all(np.array_equal(heatmaps[0], each) for each in heatmaps)
    found = [1.0] if deterministic else [rank_correlation(a, b) for a, b in combinations(heatmaps, 2)]
    row = {"method": name_of(method), "seeds": len(heatmaps), "deterministic": deterministic}
    return pd.DataFrame([{**row, "correlation": float(np.mean(found)), "lowest": float(np.min(found))}])
