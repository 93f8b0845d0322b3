"""What a saved explanation holds, and reading it back: every fact and array is checked."""

from dataclasses import fields
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_NODES
from multiplex_vit.models.score import SCORES, Score
from multiplex_vit.reading import Field, checked_facts, opened_archive
from multiplex_vit.reading.facts import TABLE, TEXT, Fact, constant, listed, maybe, whole, without
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.settings import Settings

FORMAT = "multiplex_vit explanation 1"
_SCORE = Fact(f"one of {', '.join(SCORES)}", lambda value: value in list(SCORES))
_FACTS = {
    "format": constant(FORMAT),
    "label": whole(0),
    "against": maybe(whole(0)),
    "grid": listed(whole(1), 2),
    "classes": listed(TEXT),
    "settings": TABLE,
    "forward_passes": whole(0),
    "model": TEXT,
    "score": _SCORE,
    "labels": listed(listed(TEXT, 3)),
    "designs": without(listed(TEXT)),
}
_ARRAYS = {
    "kept": Field("bool", ("mask", "node")),
    "probabilities": Field("float32", ("mask", "class")),
    "clean": Field("float32", ("class",)),
    "view": Field("uint8", ("height", "width", 3)),
    "graph": Field("float32", ("node", "node"), low=0, optional=True),
    "direct": Field("float32", ("node", "class"), optional=True),
}
ATTRIBUTION_FORMAT = "multiplex_vit attribution 1"
_ATTRIBUTION_FACTS = {
    "format": constant(ATTRIBUTION_FORMAT),
    "label": whole(0),
    "classes": listed(TEXT),
    "model": TEXT,
    "method": TEXT,
    "score": _SCORE,
    "forward_passes": whole(0),
    "backward_passes": whole(0),
}
_ATTRIBUTION_ARRAYS = {
    "heatmap": Field("float32", ("row", "column")),
    "clean": Field("float32", ("class",)),
    "view": Field("uint8", ("height", "width", 3)),
}


def read_explanation(path: Any) -> dict[str, Any]:
    """Return the arguments of an `Explanation` that was saved.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    InputError
        If the file is missing or damaged, or anything in it has another type, shape or range than
        `Explanation.save` writes.
    """
    give = "a file that Explanation.save wrote"
    with opened_archive(path, what="a saved explanation", give=give) as archive:
        facts = checked_facts(archive.facts(), _FACTS)
        sizes = _sizes(facts)
        arrays = archive.arrays(_ARRAYS, sizes)
        _check_scores(arrays, SCORES[facts["score"]])
        return _put_together(facts, arrays)


def read_attribution(path: Any) -> dict[str, Any]:
    """Return the arguments of an `Attribution` that was saved.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    InputError
        If the file is missing or damaged, or anything in it has another type, shape or range than
        `Attribution.save` writes.
    """
    give = "a file that Attribution.save wrote"
    with opened_archive(path, what="a saved attribution", give=give) as archive:
        facts = checked_facts(archive.facts(), _ATTRIBUTION_FACTS)
        n_classes = len(facts["classes"])
        if facts["label"] >= n_classes:
            raise InputError(f"label is {facts['label']}; there are {n_classes} classes")
        arrays = archive.arrays(_ATTRIBUTION_ARRAYS, {"class": n_classes})
        for name, array in arrays.items():
            if not array.size:
                raise InputError(f"{name} is empty")
        score = SCORES[facts["score"]]
        _check_scores(arrays, score)
    arrays["heatmap"].flags.writeable = False
    del facts["format"]
    return {**facts, "classes": tuple(facts["classes"]), "score": score, **arrays}


def _sizes(facts: dict[str, Any]) -> dict[str, int]:
    """Return the sizes of the arrays' axes, as the facts have them, once these fit each other."""
    rows, columns = facts["grid"]
    if rows * columns > MOST_NODES:
        raise InputError(f"grid is {rows} x {columns}; at most {MOST_NODES:,} patches are wanted")
    n_classes, n_masks = len(facts["classes"]), len(facts["labels"])
    if not n_classes or not n_masks:
        raise InputError("it has no class, or no mask")
    for name in ("label", "against"):
        if facts[name] is not None and facts[name] >= n_classes:
            raise InputError(f"{name} is {facts[name]}; there are classes 0 to {n_classes - 1}")
    if len(facts.get("designs") or facts["labels"]) != n_masks:
        raise InputError(f"it has {len(facts['designs'])} designs for {n_masks} masks")
    return {"mask": n_masks, "node": rows * columns, "class": n_classes}


def _check_scores(arrays: dict[str, np.ndarray], score: Score) -> None:
    """Refuse numbers that cannot be the scores that the file says they are."""
    if not arrays["view"].size:
        raise InputError("view is empty; a picture is wanted")
    for name in ("probabilities", "clean"):
        wrong = score.unfit(arrays[name]) if name in arrays else ""
        if wrong:
            raise InputError(f"{name} {wrong}")


def _put_together(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    unknown = set(facts["settings"]) - {field.name for field in fields(Settings)}
    if unknown:
        raise InputError(f"{sorted(unknown)[0]!r} is no setting")
    labels: Any = tuple(tuple(label) for label in facts["labels"])
    found: dict[str, Any] = {
        "masks": Masks(arrays.pop("kept"), labels, tuple(facts.get("designs", ()))),
        "settings": Settings(**facts["settings"]),
        "grid": tuple(facts["grid"]),
        "classes": tuple(facts["classes"]),
        "score": SCORES[facts["score"]],
    }
    for name in ("label", "against", "forward_passes", "model"):
        found[name] = facts[name]
    return {**found, **arrays}
