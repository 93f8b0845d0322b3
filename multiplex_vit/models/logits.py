"""Logits: how many classes a model has, what they are called, and what its logits mean."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.port import Port, part_at
from multiplex_vit.models.running import attending
from multiplex_vit.models.score import AUTO, Score, checked_score, score_of


class Logits:
    """What the logits of a model are.

    All of it is read off the model whenever it is asked for, so a classifier may be replaced.

    Parameters
    ----------
    port : Port
    score : str
        "softmax", "sigmoid", "raw" or "auto"; see `VisionModel`.

    Raises
    ------
    InputError
        If there is no such score, or it is a softmax of one logit.
    """

    def __init__(self, port: Port, score: str):
        self.port = port
        self.wanted_score = checked_score(score)
        self._last_width: int | None = None
        self._classes: tuple[str, ...] = ()
        if self.wanted_score != AUTO:
            _ = self.score  # refuses a softmax of one logit at once

    @property
    def n_classes(self) -> int:
        """How many logits the model gives, whatever its configuration says."""
        width = None
        if self.port.is_known:
            width = width_of(self.port.module, self.port.head.readers)
        # A pass is taken only where no layer shows the width, and none was seen before.
        return width or self._last_width or self._measured_width()

    @torch.no_grad()
    def _measured_width(self) -> int:
        """Return how many logits a pass of an empty image gives."""
        port = self.port
        grid = port.grid_of(port.trunk.image_size)
        with attending(port.module):
            logits = port.logits(port.blank(grid))
        self._last_width = int(logits.shape[-1])
        return self._last_width

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, one a logit."""
        n_classes = self.n_classes
        # Kept, since finding them warns where a configuration names others.
        if len(self._classes) != n_classes:
            # Most libraries' modules name no classes, which is nothing to warn of.
            names: Mapping[int, Any] = self.port.classes(self.port.module)
            names = names or dict(enumerate(range(n_classes)))
            self._classes = class_names(names, n_classes, self.port.name)
        return self._classes

    def take_names(self, classes: tuple[str, ...]) -> None:
        """Call the classes by these names, one a logit, whatever the configuration says."""
        self._classes = classes

    @property
    def score(self) -> Score:
        """What the numbers mean that passes give for every class."""
        problem = self.port.problem(self.port.module)
        return score_of(self.wanted_score, problem, self.n_classes)

    def scores(self, logits: Tensor) -> Tensor:
        """Return the scores float32 [image, class] of logits [image, class].

        Raises
        ------
        InputError
            If a logit is NaN or infinite.
        """
        if not logits.isfinite().all():
            raise InputError(
                f"{self.port.name} gives NaN or infinity in {logits.dtype}; "
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
        Paths of the layers that read the first tokens.

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
    for path in readers:
        head = part_at(model, path)
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
