"""What a saved explanation holds, writing it, and reading it back, where all is checked."""

import json
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.limits import MOST_NODES
from multiplex_vit.models.score import SCORES, Score
from multiplex_vit.reading import Field, checked_facts, named, opened_archive
from multiplex_vit.reading.facts import (
    TABLE,
    TEXT,
    Fact,
    constant,
    listed,
    maybe,
    whole,
    without,
)
from multiplex_vit.saliency.estimators import written
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.prior import Prior
from multiplex_vit.saliency.settings import Settings

FORMAT = "multiplex_vit explanation 3"
_NETWORK = Fact("a table of facts by network", lambda value: _is_record(value))
_FACTS = {
    "format": constant(FORMAT),
    "label": whole(0),
    "against": maybe(whole(0)),
    "grid": listed(whole(1), 2),
    "classes": listed(TEXT),
    "model": TEXT,
    "score": Fact(f"one of {', '.join(SCORES)}", lambda value: value in list(SCORES)),
    "explainer": TEXT,
    "forward_passes": whole(0),
    "backward_passes": whole(0),
    "labels": without(listed(listed(TEXT, 3))),
    "designs": without(listed(TEXT)),
    "settings": without(TABLE),
    "estimator": without(TEXT),
    "network": without(_NETWORK),
    "prior_labels": without(listed(whole(0))),
}
ARRAYS = {
    "clean": Field("float32", ("class",)),
    "view": Field("uint8", ("height", "width", 3)),
    "values": Field("float32", ("row", "column"), optional=True),
    "kept": Field("bool", ("mask", "node"), optional=True),
    "probabilities": Field("float32", ("mask", "class"), optional=True),
    "graph": Field("float32", ("node", "node"), low=0, optional=True),
    "prior": Field("float32", ("node", "known class"), optional=True),
}
"""The arrays of an explanation; `kept` is that of its masks, `prior` the values of its prior."""


_PLAIN = (
    "label",
    "against",
    "grid",
    "classes",
    "model",
    "explainer",
    "forward_passes",
    "backward_passes",
)
"""Facts that an explanation has under the same name, as JSON holds them."""


def write_explanation(explanation: Any, path: Any) -> None:
    """Write an `Explanation` as a NumPy archive, whole or not at all.

    Parameters
    ----------
    explanation : Explanation
    path : path-like
        A name that ends in .npz.

    Raises
    ------
    InputError
        If it has another name, or cannot be written there.
    """
    if named(path).suffix != ".npz":
        raise InputError(f"cannot save {path}: give a name that ends in .npz")
    arrays: dict[str, Any] = {}
    for name in ARRAYS:
        # What an explanation does not have is left out, so that a file says what it has.
        array = _array_of(explanation, name)
        if array is not None:
            arrays[name] = array
    facts = np.array(json.dumps(_facts_of(explanation)))
    with written_whole(path) as temporary:
        np.savez_compressed(temporary, facts=facts, **arrays)


def _array_of(explanation: Any, name: str) -> np.ndarray | None:
    if name == "kept":
        return getattr(explanation.masks, "kept", None)
    if name == "prior":
        return getattr(explanation.prior, "values", None)
    array: np.ndarray | None = getattr(explanation, name)
    return array


def _facts_of(explanation: Any) -> dict[str, Any]:
    """Return all but the arrays, as JSON can hold it."""
    facts: dict[str, Any] = {"format": FORMAT}
    facts["score"] = explanation.score.name
    for name in _PLAIN:
        facts[name] = getattr(explanation, name)
    if explanation.masks is not None:
        facts["labels"] = explanation.masks.labels
        facts["designs"] = explanation.masks.designs
    if explanation.settings is not None:
        facts["settings"] = explanation.settings.record()
    if explanation.network is not None:
        facts["network"] = explanation.network
    if explanation.prior is not None:
        facts["prior_labels"] = explanation.prior.labels
    if explanation.estimator is not None:
        facts["estimator"] = written(explanation.estimator)
    return facts


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
        arrays = archive.arrays(ARRAYS, _sizes(facts))
        _check_together(facts, arrays)
        _check_scores(arrays, SCORES[facts["score"]])
        return _put_together(facts, arrays)


def _sizes(facts: dict[str, Any]) -> dict[str, int]:
    """Return the sizes of the arrays' axes, as the facts have them, once these fit each other."""
    rows, columns = facts["grid"]
    # Before any array is read: its size follows from the grid.
    if rows * columns > MOST_NODES:
        what = f"grid is {rows} x {columns}"
        raise InputError(f"{what}; at most {MOST_NODES:,} patches are wanted")
    n_classes = len(facts["classes"])
    if not n_classes:
        raise InputError("it has no class")
    known = facts.get("prior_labels", [])
    # An index beyond the classes would fail far away from here.
    for name, labels in (
        ("label", [facts["label"]]),
        ("against", [facts["against"]]),
        ("prior_labels", known),
    ):
        for label in labels:
            if label is not None and label >= n_classes:
                what = f"{name} is {label}"
                raise InputError(f"{what}; there are classes 0 to {n_classes - 1}")
    sizes = {
        "row": rows,
        "column": columns,
        "node": rows * columns,
        "class": n_classes,
        "known class": len(known),
    }
    if "labels" in facts:
        sizes["mask"] = len(facts["labels"])
    return sizes


def _check_together(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Refuse a file that has a heatmap beside masks, or neither, or masks in part.

    How masks are weighed stands in the settings, or in an estimator without them.
    """
    # A heatmap beside masks could be another than theirs.
    if ("values" in arrays) == ("kept" in arrays):
        raise InputError("either a heatmap or masks are wanted")
    parts = [
        "labels" in facts,
        "designs" in facts,
        "kept" in arrays,
        "probabilities" in arrays,
    ]
    if len(set(parts)) > 1:
        raise InputError("masks, their labels, designs and probabilities are wanted together")
    if ("prior" in arrays) != ("prior_labels" in facts):
        raise InputError("a prior and its classes are wanted together")
    n_weighings = ("settings" in facts) + ("estimator" in facts)
    if "network" in facts and "settings" not in facts:
        raise InputError("masks of networks have settings")
    if n_weighings != ("labels" in facts):
        raise InputError("settings or an estimator are wanted with masks, and with masks alone")
    if "labels" not in facts:
        return
    n_masks = len(facts["labels"])
    if not n_masks:
        raise InputError("it has no mask")
    if len(facts["designs"]) != n_masks:
        raise InputError(f"it has {len(facts['designs'])} designs for {n_masks} masks")


def _check_scores(arrays: dict[str, np.ndarray], score: Score) -> None:
    """Refuse numbers that cannot be the scores that the file says they are."""
    if not arrays["view"].size:
        raise InputError("view is empty; a picture is wanted")
    for name in ("probabilities", "clean"):
        wrong = score.unfit(arrays[name]) if name in arrays else ""
        if wrong:
            raise InputError(f"{name} {wrong}")


def _put_together(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "grid": tuple(facts["grid"]),
        "classes": tuple(facts["classes"]),
        "score": SCORES[facts["score"]],
    }
    for name in (*_PLAIN, "estimator", "network"):
        # Tuples come out of JSON as lists, and were put in above.
        arguments.setdefault(name, facts.get(name))
    if "settings" in facts:
        arguments["settings"] = _settings(facts["settings"])
    if "kept" in arrays:
        labels: Any = tuple(tuple(label) for label in facts["labels"])
        designs = tuple(facts["designs"])
        arguments["masks"] = Masks(arrays.pop("kept"), labels, designs)
    if "prior" in arrays:
        labels = tuple(facts["prior_labels"])
        arguments["prior"] = Prior(arrays.pop("prior"), labels)
    return arguments | arrays


def _is_record(value: Any) -> bool:
    """Tell whether a value is plain facts by the names of given networks."""
    if not isinstance(value, dict) or not value:
        return False
    for facts in value.values():
        if not isinstance(facts, dict):
            return False
        if not all(isinstance(fact, (str, int, float)) for fact in facts.values()):
            return False
    return True


def _settings(record: dict[str, Any]) -> Settings:
    # Checked here, since a wrong name would be Python's error of a call.
    unknown = set(record) - set(Settings().choices())
    if unknown:
        raise InputError(f"{sorted(unknown)[0]!r} is no setting")
    return Settings(**record)
