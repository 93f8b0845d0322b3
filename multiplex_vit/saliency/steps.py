"""Steps: an explanation as the interactive page takes it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from multiplex_vit import explore
from multiplex_vit.checks import label_index, shown
from multiplex_vit.errors import InputError

MOST_CLASSES = 10
"""Classes whose heatmaps the page holds unless others are asked for."""

MOST_STEPS = 64
"""Numbers of masks after which the page holds the heatmap."""

MOST_MASKS = 2_000
"""Masks that the page can step through."""

_APPEARING = "insertion"
"""The curve along which patches appear; along the others they disappear."""

_LEAST_FIRST = "negative"
"""The curve along which the least relevant patches change first."""


def classes_of(explanation: Any, labels: Sequence[int | str] | None) -> list[int]:
    """Return the classes to show: the one explained first, then others by falling score.

    Parameters
    ----------
    explanation : Explanation
    labels : sequence of int or str, optional
        Classes beside the one explained. Default: those of the greatest scores, `MOST_CLASSES`
        in all, of which there is a prior where the explanation has one.

    Raises
    ------
    InputError
        If there is no such class, or the heatmap is not made of masks, so that it is of one class.
    """
    first = explanation.label
    # A difference of two classes, and what is not made of masks, has one heatmap.
    has_all = explanation.probabilities is not None and explanation.against is None
    if labels is None:
        others = likeliest(explanation) if has_all else []
        if explanation.prior is not None:
            # Heatmaps with a prior and without do not compare.
            others = [label for label in others if label in explanation.prior.labels]
    else:
        if isinstance(labels, str) or not isinstance(labels, Sequence):
            raise InputError(f"classes is {shown(labels)}; give a list of indices or names")
        others = [label_index(label, explanation.classes, explanation.model) for label in labels]
        if others and not has_all:
            what = f"the explanation is of {explanation.label_name!r} alone"
            raise InputError(f"{what}; leave classes out")
    chosen = list(dict.fromkeys([first, *others]))
    return chosen if labels is not None else chosen[:MOST_CLASSES]


def likeliest(explanation: Any) -> list[int]:
    """Return the classes of the greatest scores, `MOST_CLASSES` of them at most."""
    by_score: list[int] = np.argsort(-explanation.clean, kind="stable").tolist()
    return by_score[:MOST_CLASSES]


def shown_classes(explanation: Any, labels: Sequence[int]) -> explore.ShownClasses:
    """Return the heatmaps of classes, the first of which is the one explained."""
    explanations = [explanation, *(explanation.for_class(label) for label in labels[1:])]
    heatmaps = [of_class.heatmap.ravel() for of_class in explanations]
    return explore.ShownClasses(
        names=tuple(of_class.label_name for of_class in explanations),
        scores=_scores(explanation, labels),
        quantity=explanation.score.quantity,
        explainer=explanation.explainer,
        heatmaps=np.stack(heatmaps),
    )


def mask_steps(explanation: Any, labels: Sequence[int]) -> explore.MaskSteps | None:
    """Return masks, their confidence and how the heatmap grows; None where there are no masks.

    Raises
    ------
    InputError
        If there are more than `MOST_MASKS`.
    """
    masks, probabilities = explanation.masks, explanation.probabilities
    if masks is None or probabilities is None:
        return None
    n_masks = len(masks)
    if n_masks > MOST_MASKS:
        raise InputError(f"{n_masks:,} masks do not fit into a page; give at most {MOST_MASKS:,}")
    counts = np.unique(np.linspace(1, n_masks, min(n_masks, MOST_STEPS)).round().astype(int))
    explanations = [explanation, *(explanation.for_class(label) for label in labels[1:])]
    confidence = [of_class.confidence for of_class in explanations]
    growth = [_growth(of_class, counts) for of_class in explanations]
    return explore.MaskSteps(
        kept=masks.kept,
        labels=_label_texts(masks),
        confidence=np.stack(confidence, axis=1),
        counts=tuple(counts.tolist()),
        growth=np.stack(growth),
    )


def shown_curves(explanation: Any, faithfulness: Any) -> explore.ShownCurves:
    """Return the curves of an explanation's heatmap.

    Parameters
    ----------
    explanation : Explanation
    faithfulness : Faithfulness
        What `evaluate` says of the explanation's heatmap.

    Raises
    ------
    InputError
        If it is something else.
    """
    if not hasattr(faithfulness, "curves"):
        given = f"faithfulness is {shown(faithfulness)}"
        raise InputError(f"{given}; give what evaluate returns for this heatmap")
    curves = []
    for name, curve in faithfulness.curves.items():
        fraction = np.asarray(curve.fraction, dtype=float)
        # One published protocol counts in percent.
        whole = 100 if fraction.max() > 1 else 1
        drawn = explore.ShownCurve(
            name=name,
            appears=name == _APPEARING,
            greatest_first=name != _LEAST_FIRST,
            fraction=fraction / whole,
            confidence=np.asarray(curve.confidence, dtype=float),
            auc=curve.auc,
        )
        curves.append(drawn)
    # Ties go by the number of the patch, as in every protocol.
    order = np.argsort(-explanation.heatmap.astype(float), axis=None, kind="stable")
    return explore.ShownCurves(
        protocol=faithfulness.protocol,
        label=explanation.classes[faithfulness.label],
        quantity=faithfulness.quantity,
        order=order,
        curves=tuple(curves),
    )


def _scores(explanation: Any, labels: Sequence[int]) -> np.ndarray:
    scores = explanation.clean[list(labels)].astype(float)
    if explanation.against is not None:
        scores[0] -= explanation.clean[explanation.against]
    return scores


def _growth(explanation: Any, counts: np.ndarray) -> np.ndarray:
    """Return the heatmaps [count, patch] of the first masks."""
    masks, probabilities = explanation.masks, explanation.probabilities
    heatmaps = []
    for count in counts:
        is_first = np.arange(len(masks)) < count
        first = replace(
            explanation,
            masks=masks.select(is_first),
            probabilities=probabilities[is_first],
        )
        heatmaps.append(first.heatmap.ravel())
    return np.stack(heatmaps)


def _label_texts(masks: Any) -> tuple[str, ...]:
    texts = []
    for label, design in zip(masks.labels, masks.designs, strict=True):
        text = ", ".join(part for part in label if part)
        texts.append(text or design)
    return tuple(texts)
