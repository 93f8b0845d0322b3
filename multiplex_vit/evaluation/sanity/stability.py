"""Stability: does a heatmap stay the same where it should?"""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import positive, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.sanity.question import Question
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.agreement import rank_correlation
from multiplex_vit.saliency.explainers import EXPLAINERS


@checked
def noise_stability(
    model: Classifier,
    image: Any,
    method: Named = "mutex",
    *,
    sd: float = 0.02,
    draws: int = 3,
    label: int | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how like the original a heatmap stays under Gaussian noise on the pixels.

    Alvarez-Melis, Jaakkola, ICML 2018 Workshop on Human Interpretability, arXiv:1806.08049, ask for
    such robustness. The class explained is the same throughout.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, with options such as "rise_tokens(budget=550)" where it has any, or
        a function of model, image and label. Default: "mutex".
    sd : float
        Standard deviation of the noise in pixel space, 0 to 1: 0.02 is 5 of 255 grey levels. Values
        are not clipped. Default: 0.02.
    draws : int
        How many noisy images. Default: 3.
    label : int or str, optional
        The class to explain. Default: the predicted class.
    seed : int
        Seed of the noise and of the method. Default: 0.

    Returns
    -------
    DataFrame
        One row for each draw:

        - method, sd, draw,
        - correlation: Spearman's, with the heatmap without noise; NaN where one is flat,
        - same_class: whether the model decides for the class explained in the noisy image; None
          where it predicts values.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or a number cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> noise_stability(model, cat, "centre_prior", draws=1).round(6).values.tolist()
    [['centre_prior', 0.02, 0, 1.0, True]]
    """
    sd = positive("sd", sd)
    draws = whole("draws", draws, at_least=1)
    question = Question.of(model, image, method, label=label, seed=seed)
    # Pixel values are normalised, so the noise is too.
    spread = sd / np.asarray(model.normalisation[1])[:, None, None]
    rng = np.random.default_rng(seed)
    original = question.heatmap
    rows = []
    for draw in range(draws):
        noise = spread * rng.standard_normal(question.pixels.shape)
        noisy = (question.pixels + noise).astype(np.float32)
        heatmap = question.answer(pixels=noisy)
        row = {
            "method": question.method,
            "sd": sd,
            "draw": draw,
            "correlation": rank_correlation(original, heatmap),
            "same_class": question.still_predicted(noisy),
        }
        rows.append(row)
    return pd.DataFrame(rows)


@checked
def flip_stability(
    model: Classifier,
    image: Any,
    method: Named = "mutex",
    *,
    label: int | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how like the original the heatmap of the mirrored image is, mirrored back.

    The class explained is the same. A model that was trained on mirrored images too should see
    little difference.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, with options such as "rise_tokens(budget=550)" where it has any, or
        a function of model, image and label. Default: "mutex".
    label : int or str, optional
        The class to explain. Default: the predicted class.
    seed : int
        Seed of the method. Default: 0.

    Returns
    -------
    DataFrame
        One row:

        - method,
        - correlation: Spearman's; NaN where a heatmap is flat,
        - same_class: whether the model decides for the class explained in the mirrored image; None
          where it predicts values.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or the image is not whole patches wide, as
        patches would not be mirrored into patches.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> flip_stability(model, cat, "centre_prior").round(6).values.tolist()
    [['centre_prior', 1.0, True]]
    """
    question = Question.of(model, image, method, label=label, seed=seed)
    width, patch = question.pixels.shape[3], model.patch[1]
    if width % patch:
        given = f"the image is {width} pixels wide, which is not whole patches of {patch}"
        raise InputError(f"{given}; give one that is {width // patch * patch} wide")
    original = question.heatmap
    # Torch takes no array that is read backwards.
    mirrored = np.ascontiguousarray(question.pixels[..., ::-1])
    mirrored_back = question.answer(pixels=mirrored)[:, ::-1]
    row = {
        "method": question.method,
        "correlation": rank_correlation(original, mirrored_back),
        "same_class": question.still_predicted(mirrored),
    }
    return pd.DataFrame([row])


@checked
def seed_agreement(
    model: Classifier,
    image: Any,
    method: Named = "mutex",
    *,
    seeds: int = 5,
    label: int | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how like each other the heatmaps of several seeds are.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, with options such as "rise_tokens(budget=550)" where it has any, or
        a function of model, image and label, which may take a seed. Default: "mutex".
    seeds : int
        How many. Default: 5.
    label : int or str, optional
        The class to explain. Default: the predicted class.
    seed : int
        The first seed. Default: 0.

    Returns
    -------
    DataFrame
        One row: method, seeds (runs made), deterministic, correlation (mean of Spearman's over all
        pairs; NaN where a heatmap is flat), lowest.

        A method that takes no seed is run once. One whose first two runs give the same heatmap to
        the last bit is run no more. Both are deterministic, with a correlation of 1.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown, or there are not two seeds at least.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> seed_agreement(model, cat, "rollout").values.tolist()
    [['rollout', 1, True, 1.0, 1.0]]
    """
    seeds = whole("seeds", seeds, at_least=2)
    seed = whole("seed", seed, at_least=0)
    question = Question.of(model, image, method, label=label, seed=seed)
    heatmaps = [question.heatmap]
    explainer = EXPLAINERS.resolve(method)
    is_open = explainer.takes("seed") and "seed" not in explainer.options
    n_seeds = seeds if is_open else 1
    for other in range(seed + 1, seed + n_seeds):
        again = Question.of(model, question.pixels, method, label=question.label, seed=other)
        heatmaps.append(again.heatmap)
        # What draws nothing need not be run again; two draws that are equal by chance are unlikely.
        if len(heatmaps) == 2 and np.array_equal(heatmaps[0], heatmaps[1]):
            break

    first, *others = heatmaps
    deterministic = all(np.array_equal(first, other) for other in others)
    correlations = [1.0]
    if not deterministic:
        pairs = combinations(heatmaps, 2)
        correlations = [rank_correlation(one, other) for one, other in pairs]
    row = {
        "method": name_of(method),
        "seeds": len(heatmaps),
        "deterministic": deterministic,
        "correlation": float(np.mean(correlations)),
        "lowest": float(np.min(correlations)),
    }
    return pd.DataFrame([row])
