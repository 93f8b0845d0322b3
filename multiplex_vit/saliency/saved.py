"""What a saved explanation holds, and reading it back: every fact and array is checked."""

from dataclasses import fields
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_NODES
from multiplex_vit.reading import Field, checked_facts, opened_archive
from multiplex_vit.reading.facts import TABLE, TEXT, constant, listed, maybe, whole, without
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.settings import Settings

FORMAT = "multiplex_vit explanation 1"
_FACTS = {
    "format": constant(FORMAT),
    "label": whole(0),
    "against": maybe(whole(0)),
    "grid": listed(whole(1), 2),
    "classes": listed(TEXT),
    "settings": TABLE,
    "forward_passes": whole(0),
    "model": TEXT,
    "labels": listed(listed(TEXT, 3)),
    "designs": without(listed(TEXT)),
}
_ARRAYS = {
    "kept": Field("bool", ("mask", "node")),
    "probabilities": Field("float32", ("mask", "class"), low=0, high=1),
    "clean": Field("float32", ("class",), low=0, high=1),
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
    "forward_passes": whole(0),
    "backward_passes": whole(0),
}
_ATTRIBUTION_ARRAYS = {
    "heatmap": Field("float32", ("row", "column")),
    "clean": Field("float32", ("class",)),
    "view": Field("uint8", ("height", "width", 3)),
}
_ROUNDED = 1e-3
"""How far from 1 probabilities may add up, as they are rounded."""


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
        _check_sums(arrays)
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
    arrays["heatmap"].flags.writeable = False
    del facts["format"]
    return {**facts, "classes": tuple(facts["classes"]), **arrays}


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


def _check_sums(arrays: dict[str, np.ndarray]) -> None:
    """Refuse probabilities of all classes that do not add up to 1."""
    if not arrays["view"].size:
        raise InputError("view is empty; a picture is wanted")
    # Studies keep the class explained alone.
    if len(arrays["clean"]) == 1:
        return
    for name in ("probabilities", "clean"):
        sums = arrays[name].sum(-1, dtype=float)
        if (np.abs(sums - 1) > _ROUNDED).any():
            raise InputError(f"{name} of all classes do not add up to 1")


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
    }
    for name in ("label", "against", "forward_passes", "model"):
        found[name] = facts[name]
    return {**found, **arrays}
