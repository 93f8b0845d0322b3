"""The grid pointing game: does a method point to the cell of a mosaic that the class is in?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.evaluation.localisation import cells, grid_pointing
from multiplex_vit.evaluation.mosaics import Mosaic
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.explanation import Explanation


@checked
def grid_pointing_game(
    model: Classifier,
    mosaics: Iterable[Mosaic],
    method: Named = "mutex",
) -> pd.DataFrame:
    """Return what share of its attribution a method has in the right cell, for each class.

    Böhle, Fritz, Schiele, CVPR 2021, arXiv:2104.00032; see `grid_pointing` for the shares. One run
    of passes serves all classes of a mosaic where a result is made of masks; other methods run once
    for every class.

    Parameters
    ----------
    model : VisionModel
    mosaics : iterable of Mosaic
        From `draw_mosaics`.
    method : str or callable
        A name in `EXPLAINERS`, or a function of model, image and label= that returns something with
        a heatmap, such as `explain`. A named method that draws gets the number of the mosaic as its
        seed. Default: "mutex".

    Returns
    -------
    DataFrame
        One row for each cell:

        - method, shape ("2x2"), mosaic (its number), cell, image (its number),
        - label, label_name, probability (of the class, in the mosaic), score (what that number is),
        - share (as published), share_centred (above the median), chance (the cell's share of the
          patches),
        - forward_passes and backward_passes of all heatmaps of the mosaic.

    Raises
    ------
    InputError
        If the method is unknown, or a mosaic cannot be explained.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> one = Mosaic(mv.evaluation.mosaic(model, [cat] * 4), (3, 4, 5, 6), (0, 0, 0, 0))
    >>> table = grid_pointing_game(model, [one], "centre_prior")
    >>> table[["cell", "label", "chance"]].values.tolist()
    [[0.0, 3.0, 0.25], [1.0, 4.0, 0.25], [2.0, 5.0, 0.25], [3.0, 6.0, 0.25]]
    """
    vision_model(model)
    rows = []
    for number, mosaic in enumerate(mosaics):
        n_rows, n_cols = mosaic.shape
        head = {
            "method": name_of(method),
            "shape": f"{n_rows}x{n_cols}",
            "mosaic": number,
        }
        explained = _explained(model, mosaic, _explainer(method, number))
        for row in _rows(model, mosaic, explained):
            rows.append({**head, **row})
    return pd.DataFrame(rows)


def _explainer(method: Named, seed: int) -> Explainer:
    """Return a method with a seed, where it is given by name and its name sets none."""
    explainer = EXPLAINERS.resolve(method)
    # A function of the user's own is called as it is, so that it keeps its own seed.
    if callable(method) or "seed" in explainer.options:
        return explainer
    return explainer.where_taken(seed=seed)


@dataclass(frozen=True)
class _Explained:
    """A mosaic explained.

    Attributes
    ----------
    results : list of Explanation
        One for each cell.
    runs : list of Explanation
        Those for which passes were run.
    """

    results: list[Explanation]
    runs: list[Explanation]


def _explained(model: Classifier, mosaic: Mosaic, explain: Explainer) -> _Explained:
    picture = model.picture(mosaic.pixels)
    first_label, *other_labels = mosaic.labels
    first = explain(model, picture, label=first_label)
    if first.masks is not None:
        # The same masks and their scores give the heatmap of any class; a prior may be of one.
        first = first.with_classes(model, picture, other_labels)
        results = [first]
        results += [first.for_class(label) for label in other_labels]
        return _Explained(results, [first])
    results = [first]
    for label in other_labels:
        results.append(explain(model, picture, label=label))
    return _Explained(results, results)


def _rows(model: Classifier, mosaic: Mosaic, explained: _Explained) -> list[dict[str, Any]]:
    heatmaps = np.stack([np.asarray(result.heatmap) for result in explained.results])
    shares = grid_pointing(heatmaps, mosaic.shape)
    centred = grid_pointing(heatmaps, mosaic.shape, centred=True)
    cell_of_patch = cells(heatmaps.shape[1:], mosaic.shape)
    # Cells are as even as whole patches allow, so that chance differs between them.
    chance = np.bincount(cell_of_patch.ravel()) / cell_of_patch.size
    rows = []
    for cell, label in enumerate(mosaic.labels):
        row = {
            "cell": cell,
            "image": mosaic.images[cell],
            "label": label,
            "label_name": model.classes[label],
            "probability": float(explained.results[cell].clean[label]),
            "score": model.score.quantity,
            "share": shares[cell],
            "share_centred": centred[cell],
            "chance": chance[cell],
            **_passes(explained.runs),
        }
        rows.append(row)
    return rows


def _passes(runs: Sequence[Explanation]) -> dict[str, int]:
    return {
        "forward_passes": sum(run.forward_passes for run in runs),
        "backward_passes": sum(run.backward_passes for run in runs),
    }
