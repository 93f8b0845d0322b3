"""Options: how a protocol is run."""

from dataclasses import dataclass
from typing import TypedDict

from multiplex_vit.checks import whole
from multiplex_vit.evaluation.baselines import Baseline
from multiplex_vit.registry import name_of


class Choices(TypedDict, total=False):
    """The fields of `Options` as keyword arguments, each of which may be left out."""

    baseline: str | Baseline | None
    steps: int | None
    seed: int
    batch_size: int | str


@dataclass(frozen=True)
class Options:
    """How a protocol is run.

    Attributes
    ----------
    baseline : str or callable, optional
        A member of `BASELINES`. Default: "black". The token protocol has none, and others have
        their published ones.
    steps : int, optional
        Points of a curve after the first. Default: every patch, up to 100. Published protocols have
        their own.
    seed : int
        Seed of the baseline "random". Default: 0.
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".

    Raises
    ------
    InputError
        If steps or seed is no whole number, or too small.

    Examples
    --------
    >>> Options(baseline="random", seed=3, steps=16).label
    'random 3, 16 steps'
    """

    baseline: str | Baseline | None = None
    steps: int | None = None
    seed: int = 0
    batch_size: int | str = "auto"

    def __post_init__(self) -> None:
        if self.steps is not None:
            object.__setattr__(self, "steps", whole("steps", self.steps, at_least=1))
        object.__setattr__(self, "seed", whole("seed", self.seed, at_least=0))

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
