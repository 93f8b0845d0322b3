"""Score: what a classifier's output means, and how its logits become it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError

AUTO = "auto"
"""The score that the checkpoint asks for."""

_ROUNDING = 1e-3
"""How far the sum of probabilities may lie from 1, since the last bits of each are rounded."""


@dataclass(frozen=True)
class Score:
    """What the numbers mean that a model gives for its classes.

    Attributes
    ----------
    name : str
        "softmax", "sigmoid" or "raw".
    quantity : str
        What tables, files and pictures call it, such as "probability (softmax)".
    is_probability : bool
        Whether it lies between 0 and 1, and 0 means that nothing speaks for the class.
    exclusive : bool
        Whether the classes share one probability of 1. Only then does nothing change when all
        logits rise by as much.
    function : callable
        Takes a Tensor of logits [..., class], gives scores.
    """

    name: str
    quantity: str
    is_probability: bool
    exclusive: bool
    function: Callable[[Any], Any] = field(repr=False)

    def of(self, logits: Any) -> Any:
        """Return scores float32 [..., class] of a Tensor of logits [..., class]."""
        # In half precision the probabilities of many classes would not add up to 1.
        return self.function(logits.float())

    def decided(self, scores: np.ndarray, label: int) -> np.ndarray:
        """Return whether a model decides for a class: bool [image] of scores [image, class].

        With a softmax that is the most probable class; with a sigmoid every class of at least 0.5.

        Raises
        ------
        InputError
            If the score is a predicted value, from which no decision follows.

        Examples
        --------
        >>> scores = np.array([[0.6, 0.9]])
        >>> SCORES["softmax"].decided(scores, 0).tolist()
        [False]
        >>> SCORES["sigmoid"].decided(scores, 0).tolist()
        [True]
        """
        if not self.is_probability:
            raise InputError(f"a {self.quantity} decides for no class; follow the value itself")
        if self.exclusive:
            return np.asarray(scores.argmax(-1) == label)
        return np.asarray(scores[..., label] >= 0.5)

    def floor(self, values: np.ndarray) -> float:
        """Return the score that says nothing for a class.

        It is 0 of a probability, and else the least of these values. Sums and means that count what
        is missing as 0 are taken of scores less this, so that they are right also where predicted
        values are all negative, or all large.

        Examples
        --------
        >>> values = np.array([0.25, 0.5])
        >>> SCORES["sigmoid"].floor(values), SCORES["raw"].floor(values)
        (0.0, 0.25)
        """
        return 0.0 if self.is_probability else float(values.min())

    def unfit(self, scores: np.ndarray) -> str:
        """Return why finite numbers [..., class] cannot be such scores, or "" where they can.

        Examples
        --------
        >>> half = np.array([0.5, 0.25])
        >>> SCORES["softmax"].unfit(half), SCORES["sigmoid"].unfit(half)
        ('of all classes do not add up to 1', '')
        """
        if not self.is_probability:
            return ""
        outside = scores[(scores < 0) | (scores > 1)]
        if outside.size:
            return f"holds {outside[0]:g}; expected numbers from 0 to 1"
        # Explanations out of a study's folder hold the class explained alone: nothing to add up.
        if not self.exclusive or scores.shape[-1] == 1:
            return ""
        off = np.abs(scores.sum(-1, dtype=float) - 1) > _ROUNDING
        return "of all classes do not add up to 1" if off.any() else ""

    def text(self, value: float, digits: int = 3) -> str:
        """Return a score as results print it.

        Examples
        --------
        >>> [SCORES[name].text(0.5) for name in SCORES]
        ['p = 0.500', 'sigmoid p = 0.500', 'predicted value 0.5']
        """
        if not self.is_probability:
            return f"{self.quantity} {value:.4g}"
        # A softmax goes without saying, as every user expects it.
        kind = "" if self.exclusive else f"{self.name} "
        return f"{kind}p = {value:.{digits}f}"


def _softmax(logits: Any) -> Any:
    return logits.softmax(-1)


def _sigmoid(logits: Any) -> Any:
    return logits.sigmoid()


def _raw(logits: Any) -> Any:
    return logits


SCORES = {
    "softmax": Score(
        name="softmax",
        quantity="probability (softmax)",
        is_probability=True,
        exclusive=True,
        function=_softmax,
    ),
    "sigmoid": Score(
        name="sigmoid",
        quantity="probability (sigmoid)",
        is_probability=True,
        exclusive=False,
        function=_sigmoid,
    ),
    "raw": Score(
        name="raw",
        quantity="predicted value",
        is_probability=False,
        exclusive=False,
        function=_raw,
    ),
}
"""Scores by name: one class out of several, every class for itself, and no probability at all."""


def score_named(name: Any) -> Score:
    """Return a score by its name, or by what tables call it.

    Raises
    ------
    InputError
        If there is no such score.

    Examples
    --------
    >>> score_named("probability (sigmoid)").name
    'sigmoid'
    """
    for score in SCORES.values():
        if isinstance(name, str) and name in (score.name, score.quantity):
            return score
    raise InputError(f"unknown score {shown(name)}; give 'auto', {', '.join(map(repr, SCORES))}")


def checked_score(wanted: Any) -> str:
    """Return the name of a score, or "auto".

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> checked_score("auto")
    'auto'
    >>> checked_score(3)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown score 3; give 'auto', 'softmax', 'sigmoid', 'raw'
    """
    is_auto = isinstance(wanted, str) and wanted == AUTO
    return AUTO if is_auto else score_named(wanted).name


def score_of(wanted: str, problem_type: str | None, n_classes: int) -> Score:
    """Return the score of a model's logits.

    Parameters
    ----------
    wanted : str
        "auto" follows the checkpoint; a name of `SCORES` is taken as it is.
    problem_type : str, optional
        What the configuration says that the model was trained for: "regression" gives the raw
        value, "multi_label_classification" a sigmoid.
    n_classes : int
        How many logits there are; a single one without "regression" gets a sigmoid.

    Raises
    ------
    InputError
        If there is no such score, or it is a softmax of one logit.

    Examples
    --------
    >>> [score_of("auto", None, n).name for n in (1, 2)], score_of("auto", "regression", 1).name
    (['sigmoid', 'softmax'], 'raw')
    """
    if wanted != AUTO:
        score = score_named(wanted)
        # The softmax of one number is 1, whatever the number.
        if score.exclusive and n_classes == 1:
            raise InputError(
                "a softmax of one logit is 1 for every image; give score='sigmoid' or 'raw'"
            )
        return score
    if problem_type == "regression":
        return SCORES["raw"]
    if problem_type == "multi_label_classification" or n_classes == 1:
        return SCORES["sigmoid"]
    return SCORES["softmax"]
