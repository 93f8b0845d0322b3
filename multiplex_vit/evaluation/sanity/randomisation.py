"""Parameter randomisation: does a heatmap change while the model is taken apart?

One that stays as it is does not explain the model.
"""

from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.evaluation.sanity.question import Question
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.randomise import randomised
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.registry import Named
from multiplex_vit.saliency.agreement import rank_correlation


@checked
def parameter_randomisation(
    model: VisionModel,
    image: Any,
    method: Named = "mutex",
    *,
    label: int | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how like the original a heatmap stays while the model is randomised part by part.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, NeurIPS 2018, arXiv:1810.03292 (cascading
    randomisation): the head is randomised first, the embeddings last. With a method that explains
    the model, the correlation falls to about 0.

    The class explained is the same throughout. A method that ignores the class may change little
    with the head alone. One that draws keeps its draws, as the seed stays: what is left of its
    correlation may be that of the masks it drew (see `seed_agreement`).

    Parameters
    ----------
    model : VisionModel
        Left as it is; copies are randomised (see `multiplex_vit.models.randomise`).
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, with options such as "rise_tokens(budget=550)" where it has any, or
        a function of model, image and label. Default: "mutex".
    label : int or str, optional
        The class to explain. Default: the predicted class.
    seed : int
        Seed of the weights that are drawn, and of the method. Default: 0.

    Returns
    -------
    DataFrame
        One row for each stage:

        - method,
        - stage: the part randomised last ("none", "head", "block 5", ..., "block 0", "embeddings"),
        - randomised: how many parts,
        - correlation: Spearman's, with the original heatmap; NaN where a heatmap is flat,
        - correlation_absolute: of absolute values, which differs where some are negative,
        - probability: of the class by the randomised model,
        - score: what that number is.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> table = parameter_randomisation(model, cat, "centre_prior")
    >>> len(table), table["correlation"].round(6).unique().tolist()
    (9, [1.0])
    """
    question = Question.of(model, image, method, label=label, seed=seed)
    rows = [_row(question, "none", 0, model, question.heatmap)]
    for number, (part, copy) in enumerate(randomised(model, seed), start=1):
        rows.append(_row(question, part, number, copy, question.answer(model=copy)))
    return pd.DataFrame(rows)


def _row(
    question: Question,
    stage: str,
    n_randomised: int,
    model: Classifier,
    heatmap: np.ndarray,
) -> dict[str, Any]:
    original = question.heatmap
    # Signs may turn where sizes stay, which correlation of the values alone would call a change.
    return {
        "method": question.method,
        "stage": stage,
        "randomised": n_randomised,
        "correlation": rank_correlation(original, heatmap),
        "correlation_absolute": rank_correlation(np.abs(original), np.abs(heatmap)),
        "probability": float(model.classify(question.pixels)[0, question.label]),
        "score": model.score.quantity,
    }
