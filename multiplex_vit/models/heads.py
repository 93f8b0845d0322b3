"""Heads: how many classes a model has, and what they are called."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from multiplex_vit.errors import InputError


def width_of(model: nn.Module, readers: Sequence[str]) -> int | None:
    """Return how many logits a model's linear classifiers give, or None where only a pass can tell.

    Parameters
    ----------
    model : nn.Module
    readers : sequence of str
        Names of the layers that read the first tokens.

    Raises
    ------
    InputError
        If the model has no classifier: transformers puts an identity in its place.

    Examples
    --------
    >>> width_of(nn.ModuleDict({"classifier": nn.Linear(48, 3)}), ["classifier"])
    3
    """
    heads = [getattr(model, name, None) for name in readers]
    if any(type(head) is nn.Identity for head in heads):
        kind = type(model).__name__
        raise InputError(
            f"{kind} has no classifier (its head is an identity); give one fine-tuned to classify"
        )
    # A subclass of a linear layer may give something else than its out_features.
    widths = {head.out_features if type(head) is nn.Linear else None for head in heads}
    return widths.pop() if len(widths) == 1 else None


def class_names(id2label: Mapping[Any, Any], n_classes: int, owner: str) -> tuple[str, ...]:
    """Return names of as many classes as there are logits: those of a configuration, or else "0", "1", ...

    Warns
    -----
    UserWarning
        If the configuration names other classes than there are logits. The first ones of a longer list
        need not be those of a head that was put in its place.

    Examples
    --------
    >>> class_names({0: "cat", 1: "dog"}, 2, "a model")
    ('cat', 'dog')
    """
    if set(id2label) == set(range(n_classes)):
        return tuple(str(id2label[label]) for label in range(n_classes))
    warnings.warn(
        f"{owner} gives {n_classes} logits, but its configuration names {len(id2label)} classes; "
        f"they are called {_numbered(n_classes)} (set config.id2label to name them)",
        stacklevel=4,
    )
    return tuple(map(str, range(n_classes)))


def _numbered(n_classes: int) -> str:
    return "'0'" if n_classes == 1 else f"'0' to '{n_classes - 1}'"
