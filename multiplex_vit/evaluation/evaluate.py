"""evaluate: how faithful is a heatmap to the model?"""

from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import numbers, vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Curve, Faithfulness
from multiplex_vit.evaluation.protocols import PROTOCOLS, Choices, Protocol, Subject, curve_names, options_of, parted
from multiplex_vit.models.classifier import Classifier


@checked
def evaluate(
    model: Classifier, image: Any, heatmap: np.ndarray, *, label: int | str | None = None, protocol: str | Protocol = "patch", **choices: Unpack[Choices]
) -> Faithfulness:
    """Measure a heatmap by insertion and deletion (Petsiuk et al., BMVC 2018, arXiv:1806.07421).

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmap : ndarray [row, col]
        On the patch grid; greater is more important.
    label : int or str, optional
        The class whose confidence is followed; the predicted class unless given.
    protocol : str or callable
        "patch/black" (whole patches replaced by a baseline: "patch/blur" and so on; "patch" is
        "patch/black" unless a baseline is given), "token" (tokens leave the sequence), or one as published: "mutex2025",
        "tis2023", "rise2018", "chefer2021" (each says what it does: `PROTOCOLS["tis2023"]`).
    **choices
        baseline ("black", "zero", "mean", "blur", "random"), steps, seed, batch_size. Published protocols fix some of them.

    Returns
    -------
    Faithfulness
        insertion and deletion curves with their AUC; of "chefer2021" its negative and positive curves.

    Raises
    ------
    InputError
        If the heatmap does not fit the grid or holds NaN, a name is unknown, an option is one that the protocol fixes, or the protocol asks for a
        probability and the model gives predicted values.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> fid = mv.evaluate(model, mv.samples()["cat"], np.arange(64.0).reshape(8, 8), steps=4)
    >>> fid.insertion.fraction.tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    name, baseline = parted(protocol)
    if baseline is not None:
        if choices.get("baseline") not in (None, baseline):
            other = choices["baseline"]
            raise InputError(f"protocol {protocol!r} came with baseline {other!r}; give one of them")
        choices["baseline"] = baseline
    run = PROTOCOLS.resolve(name)
    options = options_of(name, **choices)
    picture = vision_model(model).picture(image)
    grid = model.grid_of(picture.pixels.shape[2:])
    values = numbers("heatmap", heatmap)
    if values.shape != grid or not np.isfinite(values).all():
        raise InputError(
            f"heatmap of shape {list(values.shape)}{'' if values.shape != grid else ' holds NaN or infinity'}; finite values [{grid[0]}, {grid[1]}] are wanted"
        )
    pixels = picture.pixels.cpu().numpy()
    predicted = int(model.classify(pixels)[0].argmax()) if label is None else -1
    subject = Subject(model, pixels, model.label_of(label, predicted), options.batch_size)
    higher, lower = (_scored(curve, model.score.quantity) for curve in run(subject, values, options))
    return Faithfulness(higher, lower, subject.label, curve_names(name))


def _scored(curve: Curve, quantity: str) -> Curve:
    """Return a curve that says what it follows; the score of the class, unless its protocol said otherwise."""
    return curve if curve.quantity else replace(curve, quantity=quantity)
