"""Options: how a protocol is run."""

from functools import partial
from typing import TypedDict

import attrs

from multiplex_vit.checks import one_of, whole
from multiplex_vit.evaluation.baselines import Baseline
from multiplex_vit.fields import described, option, or_none
from multiplex_vit.registry import name_of

OWN, LOGIT = "own", "logit"


class Choices(TypedDict, total=False):
    """The fields of `Options` as keyword arguments, each of which may be left out."""

    baseline: str | Baseline | None
    score: str
    steps: int | None
    seed: int
    batch_size: int | str


@described
@attrs.frozen(kw_only=True)
class Options:
    """How a protocol is run.

    Raises
    ------
    InputError
        If steps or seed is no whole number, or too small.

    Examples
    --------
    >>> Options(baseline="random", seed=3, steps=16).label
    'random 3, 16 steps'
    """

    baseline: str | Baseline | None = option(
        None,
        None,
        "str or callable, optional",
        'What patches are painted with: a member of `BASELINES`. Default: "black"; the token '
        "protocol has none, and others have their published ones.",
    )
    score: str = option(
        OWN,
        partial(one_of, choices=(OWN, LOGIT)),
        '"own" or "logit"',
        'What the curves follow: "own" is the model\'s own score, mostly a probability, and "logit" '
        "the number before its softmax or sigmoid.",
    )
    steps: int | None = option(
        None,
        or_none(partial(whole, at_least=1)),
        "int, optional",
        "Points of a curve after the first. Default: every patch, up to 100; published protocols "
        "have their own.",
    )
    seed: int = option(
        0,
        partial(whole, at_least=0),
        "int",
        'Seed of the baseline "random".',
    )
    batch_size: int | str = option(
        "auto",
        None,
        'int or "auto"',
        "Most images of a forward pass.",
    )

    @property
    def empty(self) -> str | Baseline:
        """The baseline that is used."""
        return "black" if self.baseline is None else self.baseline

    @property
    def label(self) -> str:
        """Name of the baseline, as part of a result's protocol.

        It has the seed of the random baseline, and the steps where they were given.
        """
        label = name_of(self.empty)
        if label == "random":
            label += f" {self.seed}"
        if self.steps is not None:
            label += f", {self.steps} steps"
        return label
