"""The grid pointing game: does a method point to the cell of a mosaic that the class is in?"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.evaluation.localisation import cells, grid_pointing
from multiplex_vit.evaluation.mosaics import Mosaic
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.explainers import EXPLAINERS


@checked
def grid_pointing_game(model: Classifier, mosaics: Iterable[Mosaic], method: Named = "mutex") -> pd.DataFrame:
    """Return what share of its attribution a method has in the right cell, for each class of each mosaic.

    Böhle, Fritz, Schiele, CVPR 2021, arXiv:2104.00032; see `grid_pointing` for the shares. One run of passes serves all classes of a mosaic
    where a result is made of masks; other methods run once a class.

    Parameters
    ----------
    model : VisionModel
    mosaics : iterable of Mosaic
        From `draw_mosaics`.
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label= that returns something with a heatmap, such as `explain`.
        Rivals that draw have the number of the mosaic as their seed.

    Returns
    -------
    DataFrame
        One row a cell: method, shape ("2x2"), mosaic (its number), cell, image (its number), label, label_name, probability (of the class,
        in the mosaic), score (what that number is), share (published), share_centred (above the median), chance (the cell's share of the patches; 1 / n over a mosaic),
        forward_passes and backward_passes of all the mosaic's heatmaps.

    Raises
    ------
    InputError
        If the method is unknown, or a mosaic cannot be explained.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> one = Mosaic(mv.mosaic(model, [cat] * 4), (3, 4, 5, 6), (0, 0, 0, 0))
    >>> table = grid_pointing_game(model, [one], "centre_prior")
    >>> table[["cell", "label", "chance"]].values.tolist()
    [[0.0, 3.0, 0.25], [1.0, 4.0, 0.25], [2.0, 5.0, 0.25], [3.0, 6.0, 0.25]]
    """
    vision_model(model)
    name = name_of(method)
    rows = [row for number, drawn in enumerate(mosaics) for row in _rows(model, drawn, _explainer(method, number), number)]
    return pd.DataFrame([{"method": name, **row} for row in rows])


def _explainer(method: Named, seed: int) -> Callable[..., Any]:
    """Return a function of model, image and label; a function of one's own is called as it is."""
    explainer = EXPLAINERS.resolve(method)
    return explainer if callable(method) or "seed" in explainer.options else explainer.where_taken(seed=seed)


def _rows(model: Classifier, drawn: Mosaic, explain: Callable[..., Any], number: int) -> list[dict[str, Any]]:
    results, runs = _explained(model, drawn, explain)
    heatmaps = np.stack([np.asarray(result.heatmap) for result in results])
    shares, centred = (grid_pointing(heatmaps, drawn.shape, centred=centred) for centred in (False, True))
    sizes = np.bincount(cells(heatmaps.shape[1:], drawn.shape).ravel()) / heatmaps[0].size
    passes = {f"{way}_passes": sum(getattr(run, f"{way}_passes") for run in runs) for way in ("forward", "backward")}
    head = {"shape": f"{drawn.shape[0]}x{drawn.shape[1]}", "mosaic": number}
    return [
        {
            **head,
            "cell": cell,
            "image": drawn.images[cell],
            "label": label,
            "label_name": model.classes[label],
            "probability": float(results[cell].clean[label]),
            "score": model.score.quantity,
            "share": shares[cell],
            "share_centred": centred[cell],
            "chance": sizes[cell],
            **passes,
        }
        for cell, label in enumerate(drawn.labels)
    ]


def _explained(model: Classifier, drawn: Mosaic, explain: Callable[..., Any]) -> tuple[list[Any], list[Any]]:
    """Return a result a cell, and the runs that it took to get them."""
    picture = model.picture(drawn.pixels)
    first = explain(model, picture, label=drawn.labels[0])
    if first.masks is not None:
        return [first.for_class(label) for label in drawn.labels], [first]
    results = [first, *(explain(model, picture, label=label) for label in drawn.labels[1:])]
    return results, results
