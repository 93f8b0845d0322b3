"""Heads: how many classes a model has, what they are called, and what its logits mean."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.backbone import Backbone
from multiplex_vit.models.running import attending
from multiplex_vit.models.score import AUTO, Score, score_named, score_of


class Head:
    """What the logits of a model are.

    All of it is read off the model whenever it is asked for, so a classifier may be replaced.

    Parameters
    ----------
    backbone : Backbone
    score : str
        "softmax", "sigmoid", "raw" or "auto"; see `VisionModel`.

    Raises
    ------
    InputError
        If there is no such score, or it is a softmax of one logit.
    """

    def __init__(self, backbone: Backbone, score: str):
        self.backbone = backbone
        self.wanted_score = score if score == AUTO else score_named(score).name
        self._last_width: int | None = None
        self._classes: tuple[str, ...] = ()
        if score != AUTO:
            _ = self.score  # refuses a softmax of one logit at once

    @property
    def n_classes(self) -> int:
        """How many logits the model gives, whatever its configuration says."""
        backbone = self.backbone
        width = None
        if backbone.is_known:
            width = width_of(backbone.module, backbone.adapter.readers)
        # A pass is taken only where no layer shows the width, and none was seen before.
        return width or self._last_width or self._measured_width()

    @torch.no_grad()
    def _measured_width(self) -> int:
        """Return how many logits a pass of an empty image gives."""
        backbone = self.backbone
        shape = (1, backbone.n_channels, *backbone.image_size)
        empty = torch.zeros(shape, device=backbone.device, dtype=backbone.dtype)
        with attending(backbone.module, "sdpa"):
            logits = backbone.module(pixel_values=empty).logits
        self._last_width = int(logits.shape[-1])
        return self._last_width

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, one a logit."""
        n_classes = self.n_classes
        # Kept, since finding them warns where a configuration names others.
        if len(self._classes) != n_classes:
            names = self.backbone.config.id2label
            self._classes = class_names(names, n_classes, self.backbone.name)
        return self._classes

    def take_names(self, classes: tuple[str, ...]) -> None:
        """Call the classes by these names, one a logit, whatever the configuration says."""
        self._classes = classes

    @property
    def score(self) -> Score:
        """What the numbers mean that passes give for every class."""
        problem_type = getattr(self.backbone.config, "problem_type", None)
        return score_of(self.wanted_score, problem_type, self.n_classes)

    def scores(self, logits: Tensor) -> Tensor:
        """Return the scores float32 [image, class] of logits [image, class].

        Raises
        ------
        InputError
            If a logit is NaN or infinite.
        """
        if not logits.isfinite().all():
            raise InputError(
                f"{self.backbone.name} gives NaN or infinity in {logits.dtype}; "
                "load it with dtype='float32', and without mask_dtype"
            )
        self._last_width = int(logits.shape[-1])
        return self.score.of(logits)


def width_of(model: nn.Module, readers: Sequence[str]) -> int | None:
    """Return how many logits a model's linear classifiers give.

    Parameters
    ----------
    model : nn.Module
    readers : sequence of str
        Names of the layers that read the first tokens.

    Returns
    -------
    int or None
        None where only a pass can tell.

    Raises
    ------
    InputError
        If the model has no classifier: transformers puts an identity in its place.

    Examples
    --------
    >>> width_of(nn.ModuleDict({"classifier": nn.Linear(48, 3)}), ["classifier"])
    3
    """
    widths = set()
    for name in readers:
        head = getattr(model, name, None)
        if type(head) is nn.Identity:
            raise InputError(
                f"{type(model).__name__} has no classifier (its head is an identity); "
                "give one fine-tuned to classify"
            )
        # A class derived from a linear layer may give something else than its out_features.
        widths.add(head.out_features if type(head) is nn.Linear else None)
    return widths.pop() if len(widths) == 1 else None


def class_names(id2label: Mapping[Any, Any], n_classes: int, owner: str) -> tuple[str, ...]:
    """Return the names of as many classes as there are logits.

    Parameters
    ----------
    id2label : mapping of int to str
        The names in a configuration. If it names other classes than there are logits, the classes
        are called "0", "1", ...: the first names of a longer list need not be those of a head that
        was put in its place.
    n_classes : int
    owner : str
        What the warning calls the model.

    Warns
    -----
    UserWarning
        If the configuration names other classes than there are logits.

    Examples
    --------
    >>> class_names({0: "cat", 1: "dog"}, 2, "a model")
    ('cat', 'dog')
    """
    if set(id2label) == set(range(n_classes)):
        return tuple(str(id2label[label]) for label in range(n_classes))
    numbered = "'0'" if n_classes == 1 else f"'0' to '{n_classes - 1}'"
    warnings.warn(
        f"{owner} gives {n_classes} logits, but its configuration names {len(id2label)} classes; "
        f"they are called {numbered} (set config.id2label to name them)",
        stacklevel=5,
    )
    return tuple(map(str, range(n_classes)))
