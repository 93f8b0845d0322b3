"""Options: how a protocol is run."""

from dataclasses import dataclass
from typing import TypedDict

from multiplex_vit.checks import whole
from multiplex_vit.evaluation.baselines import Baseline
from multiplex_vit.registry import name_of


class Choices(TypedDict, total=False):
    """Options as keyword arguments."""

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
        A member of `BASELINES`; "black" unless given. The token protocol has none, and others have their published ones.
    steps : int, optional
        Points of a curve after the first; every patch up to 100 unless given. Published protocols have their own.
    seed : int
        Of the random baseline.
    batch_size : int or "auto"
        Most images a forward pass.
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
        """The baseline, "black" unless another was given."""
        return "black" if self.baseline is None else self.baseline

    @property
    def label(self) -> str:
        """Name of the baseline, with the seed where it is random and the steps where they were asked for; part of a result's protocol."""
        name, steps = name_of(self.empty), "" if self.steps is None else f", {self.steps} steps"
        return f"{name}{f' {self.seed}' if name == 'random' else ''}{steps}"
