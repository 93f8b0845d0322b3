"""evaluate: how faithful is a heatmap to the model?"""

from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Curve, Faithfulness
from multiplex_vit.evaluation.localisation import finite_values
from multiplex_vit.evaluation.protocols import (
    LOGIT,
    PROTOCOLS,
    Choices,
    Protocol,
    Subject,
    curve_names,
    options_of,
    parted,
)
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import name_of


@checked
def evaluate(
    model: Classifier,
    image: Any,
    heatmap: np.ndarray,
    *,
    label: int | str | None = None,
    protocol: str | Protocol = "patch",
    **choices: Unpack[Choices],
) -> Faithfulness:
    """Measure a heatmap by insertion and deletion (Petsiuk et al., BMVC 2018, arXiv:1806.07421).

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmap : ndarray [row, col]
        On the patch grid; greater is more important.
    label : int or str, optional
        The class whose confidence is followed. Default: the predicted class.
    protocol : str or callable
        "patch/black" and so on (whole patches are replaced by a baseline), "token" (tokens leave
        the sequence), or one as published: "mutex2025", "tis2023", "rise2018", "chefer2021";
        `help(PROTOCOLS["tis2023"])` says what it does. Default: "patch".
    baseline : str or callable
        A member of `BASELINES`, where `protocol` does not name one. Default: "black".
    score : "own" or "logit"
        What the curves follow: the model's own score, mostly a probability, or the number before
        its softmax or sigmoid, as "token/logit" and "patch/black/logit" do. Default: "own".
    steps : int
        Points of a curve after the first. Default: every patch, up to 100.
    seed : int
        Seed of the baseline "random". Default: 0.
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".

    Returns
    -------
    Faithfulness
        Insertion and deletion curves with their AUC; of "chefer2021" its negative and positive
        ones.

    Raises
    ------
    InputError
        If the heatmap does not fit the grid or holds NaN, a name is unknown, an option is one that
        the protocol fixes, or the protocol asks for a probability and the model predicts values.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> heatmap = np.arange(64.0).reshape(8, 8)
    >>> faithfulness = mv.evaluate(model, mv.samples()["cat"], heatmap, steps=4)
    >>> faithfulness.insertion.fraction.tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    name, baseline, score = parted(protocol)
    if score == LOGIT:
        choices["score"] = LOGIT
    if baseline is not None:
        # It may be given twice, as long as it is the same one.
        other = choices.get("baseline")
        if other not in (None, baseline):
            given = f"protocol {protocol!r} came with baseline {other!r}"
            raise InputError(f"{given}; give one of them")
        choices["baseline"] = baseline
    # Whatever can be refused is refused before the model is asked anything.
    run = PROTOCOLS.resolve(name)
    options = options_of(name, **choices)
    model = vision_model(model)
    if options.score == LOGIT:
        model = model.with_score("raw")
    picture = model.picture(image)
    grid = model.grid_of(picture.pixels.shape[2:])
    values = finite_values(heatmap, grid)

    pixels = picture.pixels.cpu().numpy()
    subject = Subject.of(model, pixels, label, options.batch_size)
    why = PROTOCOLS.trait(name, "probability")
    if why:
        subject.refuse_values(name_of(name), why)
    higher, lower = run(subject, values, options)
    quantity = LOGIT if options.score == LOGIT else model.score.quantity
    # "chefer2021" counts decisions, whatever the model's score is.
    quantity = PROTOCOLS.trait(name, "quantity") or quantity
    return Faithfulness(
        _following(higher, quantity),
        _following(lower, quantity),
        subject.label,
        curve_names(name),
    )


def _following(curve: Curve, quantity: str) -> Curve:
    """Return a curve that says what it follows, unless it does already."""
    if curve.quantity:
        return curve
    return replace(curve, quantity=quantity)
