"""Parameter randomisation: a heatmap that stays as it is while the model is taken apart does not explain the model."""

from typing import Any, Unpack

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.evaluation.sanity.question import Asked, Question
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.randomise import randomised
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.registry import Named
from multiplex_vit.saliency.agreement import rank_correlation


@checked
def parameter_randomisation(model: VisionModel, image: Any, method: Named = "mutex", **asked: Unpack[Asked]) -> pd.DataFrame:
    """Return how like the original a heatmap stays while the model is randomised from the head downwards, one part after the other.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, NeurIPS 2018, arXiv:1810.03292 (cascading randomisation). A method that explains the model
    falls to a correlation near 0. The class explained is the same throughout. One that ignores the class may change little with the head alone,
    and one that draws keeps its draws (the seed stays): what is left of its correlation may be that of the masks it drew (see `seed_agreement`).

    Parameters
    ----------
    model : VisionModel
        Left as it is; copies are randomised (see `multiplex_vit.models.randomise`).
    image : as for `explain`
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label.
    **asked
        label (the predicted class unless given), budget in passes (the method's own unless given), seed (of the weights and of the method).

    Returns
    -------
    DataFrame
        One row a stage: method, stage ("none", "head", "block 5", ..., "block 0", "embeddings": the part randomised last), randomised (how many
        parts), correlation (Spearman's, with the original heatmap), correlation_absolute (of absolute values; another one only where some are
        negative), probability (of the class by the randomised model), score (what that number is). NaN where a heatmap is flat.

    Raises
    ------
    InputError
        If the method, the image or the class is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> table = parameter_randomisation(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], "centre_prior")
    >>> len(table), table["correlation"].round(6).unique().tolist()
    (9, [1.0])
    """
    question = Question.of(model, image, method, **asked)
    rows = [_row(question, "none", model)]
    rows += [_row(question, part, copy) for part, copy in randomised(model, asked.get("seed", 0))]
    return pd.DataFrame([{"method": question.method, "stage": row.pop("stage"), "randomised": i, **row} for i, row in enumerate(rows)])


def _row(question: Question, stage: str, model: Classifier) -> dict[str, Any]:
    heatmap = question.heatmap if model is question.model else question.answer(model=model)
    return {
        "stage": stage,
        "correlation": rank_correlation(question.heatmap, heatmap),
        "correlation_absolute": rank_correlation(np.abs(question.heatmap), np.abs(heatmap)),
        "probability": float(model.classify(question.pixels)[0, question.label]),
        "score": model.score.quantity,
    }
