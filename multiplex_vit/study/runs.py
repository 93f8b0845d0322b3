"""Runs: what a comparison measures, every method at each of its budgets, checked before the first pass."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict
from zlib import crc32

import numpy as np

from multiplex_vit.checks import vision_model, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.many import protocol_of
from multiplex_vit.evaluation.protocols import full_name
from multiplex_vit.limits import MOST_NODES
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer

MOST_PASSES = 100
"""Methods that take a pass a token are left out by default where that is more."""


class Choices(TypedDict, total=False):
    """A plan as keyword arguments."""

    methods: Named | Iterable[Named] | None
    budgets: int | Iterable[int]
    protocols: str | Iterable[str]
    steps: int | None
    label: int | str | None
    seed: int
    batch_size: int | str
    gallery: int


@dataclass(frozen=True, eq=False)
class Run:
    """A method at a budget; the budget is None for a method that has none to choose."""

    member: Named
    budget: int | None

    @property
    def method(self) -> str:
        """Name of the method."""
        return name_of(self.member)

    def explainer(self, image: str, seed: int) -> Explainer:
        """Return the method as a function of model, image and label; a control draws anew for every image, whatever the order of images."""
        drawn = int(np.random.SeedSequence([seed, crc32(image.encode(errors="surrogateescape"))]).generate_state(1)[0])
        explainer = EXPLAINERS.resolve(self.member)
        options = {"seed": drawn if explainer.kind in ("baseline", "control") else seed}
        if self.budget is not None:
            options["budget"] = self.budget
        left_open = {name: value for name, value in options.items() if name not in explainer.options}
        return explainer.where_taken(**left_open)


@dataclass(frozen=True, eq=False)
class Plan:
    """What a comparison measures.

    Attributes
    ----------
    methods : tuple of str or callable
        Of `EXPLAINERS`, or functions in their place.
    budgets : tuple of int
        Passes for the methods that have a budget.
    protocols : tuple of str
        Spelled as results print them: "token", "patch/black".
    steps : int, optional
        Points of a curve after the first; every patch up to 100 unless given.
    label : int or str, optional
        The class explained and followed; each image's predicted class unless given.
    seed : int
    batch_size : int or "auto"
    gallery : int
        How many images' heatmaps are kept for the gallery.

    Raises
    ------
    InputError
        If a name is unknown, a number out of range, or nothing is left to do.
    """

    methods: Any = None
    budgets: Any = (55,)
    protocols: Any = ("token", "patch/black")
    steps: int | None = None
    label: int | str | None = None
    seed: int = 0
    batch_size: int | str = "auto"
    gallery: int = 4

    def __post_init__(self) -> None:
        methods = list(EXPLAINERS) if self.methods is None else _several(self.methods)
        budgets = [whole("budget", b, at_least=2) for b in _several(self.budgets)]
        protocols = [full_name(name) for name in _several(self.protocols)]
        for name, values in (("methods", methods), ("budgets", budgets), ("protocols", protocols)):
            if not values:
                raise InputError(f"{name} is empty; give at least one")
        for method in methods:
            EXPLAINERS.resolve(method)
        for name, values in (("methods", methods), ("budgets", budgets), ("protocols", protocols)):
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for protocol in self.protocols:
            protocol_of(protocol, self.options)  # type: ignore[arg-type]
        if len({name_of(method) for method in self.methods}) < len(self.methods):
            raise InputError(f"two methods have one name: {', '.join(map(name_of, self.methods))}; name your functions differently")
        object.__setattr__(self, "gallery", whole("gallery", self.gallery, at_least=0))

    @property
    def options(self) -> dict[str, Any]:
        """What every protocol is run with."""
        return {"steps": self.steps, "seed": self.seed, "batch_size": self.batch_size}

    def runs(self) -> list[Run]:
        """Return every method at each of its budgets, those that have none to choose once."""
        return [Run(method, budget) for method in self.methods for budget in _budgets(method, self.budgets)]


def planned(model: Any, choices: Choices) -> Plan:
    """Return the plan of keyword arguments for a model: by default every method of at most 100 passes at a budget of 55.

    Raises
    ------
    InputError
        If one of them is unknown or cannot be used with the model.
    """
    unknown = set(choices) - set(Plan.__dataclass_fields__)
    if unknown:
        raise InputError(f"unknown option {sorted(unknown)[0]!r}; known: {', '.join(Plan.__dataclass_fields__)}")
    vision_model(model)
    if choices.get("methods") is None:
        too_many = int(np.prod(model.grid_of(model.input_size))) + 1 > MOST_PASSES
        names = [name for name, explainer in EXPLAINERS.items() if not (too_many and explainer.each_token)]
        choices = {**choices, "methods": names}
    plan = Plan(**choices)
    model.label_of(plan.label, 0)
    return plan


def _budgets(method: Named, budgets: tuple[int, ...]) -> list[int | None]:
    """Return the budgets that make a difference to a method: all, those up to the most that it can use, or None for none."""
    explainer = EXPLAINERS.resolve(method)
    if not explainer.takes("budget") or "budget" in explainer.options:
        return [None]
    used: list[int | None] = []
    for budget in budgets:
        passes = explainer.at(budget=budget).passes(n_tokens=MOST_NODES)
        used.append(budget if passes is None else passes.forward)
    return list(dict.fromkeys(used))


def _several(values: Any) -> list[Any]:
    return list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
