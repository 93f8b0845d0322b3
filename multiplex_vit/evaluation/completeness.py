"""Completeness: does a heatmap sum to the number that it explains?"""

from typing import Any

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.evaluation.localisation import finite_values
from multiplex_vit.models.classifier import Classifier


@checked
def completeness(
    model: Classifier, image: Any, heatmap: np.ndarray, *, label: int | str | None = None
) -> dict[str, float]:
    """Return the sum of a heatmap beside the logit.

    Relevance promises to sum to the logit, less what goes to the prefix tokens, to biases and to
    softmaxes. So of a real model the error says how much that is, and of a model whose relevance is
    known it is a test. It means nothing of heatmaps in other units.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmap : ndarray [row, col]
    label : int or str, optional
        The class whose logit it is. Default: the predicted class.

    Returns
    -------
    dict of str to float
        "sum" of the heatmap, "logit", and "error": their distance as a share of the logit.

    Raises
    ------
    InputError
        If the heatmap does not fit the grid or holds NaN, or there is no such class.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> sorted(completeness(model, cat, mv.explain(model, cat, method="cp_lrp").heatmap))
    ['error', 'logit', 'sum']
    """
    raw = vision_model(model).with_score("raw")
    picture = raw.picture(image)
    values = finite_values(heatmap, raw.grid_of(picture.pixels.shape[2:]))
    logits = raw.classify(picture.pixels)[0].cpu().numpy()
    logit = float(logits[raw.label_of(label, int(logits.argmax()))])
    total = float(values.sum(dtype=float))
    distance = abs(total - logit)
    error = distance / abs(logit) if logit else float("inf" if distance else 0)
    return {"sum": total, "logit": logit, "error": error}
