"""Settings: every choice of an explanation, hashable, and the provenance line of its result."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

from multiplex_vit.checks import not_negative, one_of, positive, share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.network.centrality import CENTRALITIES
from multiplex_vit.registry import Named as Named
from multiplex_vit.registry import Registry, name_of
from multiplex_vit.saliency.designs import DESIGNS, RIVAL_DESIGNS
from multiplex_vit.saliency.estimators import ESTIMATORS, written
from multiplex_vit.saliency.statistics import STATISTICS


class Choices(TypedDict, total=False):
    """Settings as keyword arguments."""

    min_cut: float
    token_ratio: float
    starting_layer: int
    operators: tuple[Named, ...]
    centralities: tuple[Named, ...]
    statistics: tuple[Named, ...]
    numerics: str
    design: Named
    budget: int | None
    seed: int
    resolutions: tuple[float, ...]
    estimator: Named
    smoothness: float
    graph_operator: Named
    grid_weight: float
    direct_weight: float


@dataclass(frozen=True)
class Settings:
    """How masks are made and weighed. The defaults are the published ones: 3 operators x 2 strengths x 9 statistics = 54 masks.

    Attributes
    ----------
    min_cut : float, 0 to 1
        In each layer, edges below this share of the greatest weight are cut.
    token_ratio : float, 0 to 1
        Share of the patch tokens that a mask removes.
    starting_layer : int
        First layer (block) that counts.
    operators, centralities, statistics : tuple of str or callable
        Members of the registries, or functions in their place.
    numerics : "published" or "stable"
        How statistics are computed and ranked. "published" is float32, as published; "stable" is
        float64 with five digits, and gives the same masks on every processor. Default: "published".
    design : str or callable
        A member of `DESIGNS`: which masks are made.
    budget : int, optional
        Most forward passes, that of the whole image included; one more than operators x centralities x statistics unless given.
    seed : int
        Of designs that draw masks.
    resolutions : tuple of float
        Of the communities of which designs make masks, in turn; greater values give smaller communities.
    estimator : str or callable
        A member of `ESTIMATORS`: how the heatmap is made of masks and confidences.
    smoothness : float
        How much the estimator "graph" makes tokens alike that the token graph joins.
    graph_operator : str or callable
        How heads are pooled for the token graph that some designs and estimators need.
    grid_weight : float, 0 to 1
        The share of that graph that is the grid of patches; the rest is attention.
    direct_weight : float, at least 0
        How much the direct logit attribution of tokens (`models.direct`) counts beside the estimator, both in standard deviations; with 0 the heatmap
        is what the estimator gives. It comes from the pass of the whole image, and takes no other.

    Raises
    ------
    InputError
        If a number is out of range, or a name is no text.

    Examples
    --------
    >>> Settings(token_ratio=0.3).token_ratio
    0.3
    >>> Settings(min_cut=1.5)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: min_cut is 1.5; give a number from 0 to 1
    """

    min_cut: float = 0.01
    token_ratio: float = 0.5
    starting_layer: int = 0
    operators: tuple[Named, ...] = ("min", "max", "sum")
    centralities: tuple[Named, ...] = ("in_strength", "out_strength")
    statistics: tuple[Named, ...] = ("coherence", "max", "min", "sum", "std", "sum/std", "median", "skew", "kurtosis")
    numerics: str = "published"
    design: Named = "centrality"
    budget: int | None = None
    seed: int = 0
    resolutions: tuple[float, ...] = (3.0,)
    estimator: Named = "coverage"
    smoothness: float = 10.0
    graph_operator: Named = "mean"
    grid_weight: float = 0.5
    direct_weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("min_cut", "token_ratio", "grid_weight"):
            object.__setattr__(self, name, share(name, getattr(self, name)))
        object.__setattr__(self, "starting_layer", whole("starting_layer", self.starting_layer, at_least=0))
        for name in ("operators", "centralities", "statistics"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        one_of("numerics", self.numerics, ("published", "stable"))
        for name in ("design", "estimator", "graph_operator"):
            if not isinstance(member := getattr(self, name), str) and not callable(member):
                raise InputError(f"{name} is {member!r}; give a name or a function")
        object.__setattr__(self, "seed", whole("seed", self.seed, at_least=0))
        object.__setattr__(self, "budget", None if self.budget is None else whole("budget", self.budget, at_least=2))
        object.__setattr__(self, "smoothness", positive("smoothness", self.smoothness))
        object.__setattr__(self, "direct_weight", not_negative("direct_weight", self.direct_weight))
        object.__setattr__(self, "resolutions", _numbers("resolutions", self.resolutions))

    @property
    def n_masks(self) -> int:
        """Most masks: the budget less the pass of the whole image."""
        return self.n_combinations if self.budget is None else self.budget - 1

    @property
    def n_combinations(self) -> int:
        """Operators x centralities x statistics."""
        return len(self.operators) * len(self.centralities) * len(self.statistics)

    def most_passes(self, n_tokens: int) -> int:
        """Return how many forward passes an image of so many patch tokens takes at most.

        Examples
        --------
        >>> Settings(budget=550).most_passes(64), Settings(budget=550, design="random").most_passes(64)
        (55, 550)
        """
        most = DESIGNS.trait(self.design, "most")
        n_masks = self.n_masks if most is None else min(self.n_masks, most(self, n_tokens))
        return n_masks + 1

    @property
    def needs_graph(self) -> bool:
        """Whether the design or the estimator needs the token graph."""
        return "graph" in (DESIGNS.trait(self.design, "needs"), ESTIMATORS.trait(self.estimator, "needs"))

    def resolved(self) -> "Settings":
        """Return these settings after making sure that every name is registered.

        Raises
        ------
        InputError
            If a name is unknown; the message lists the known ones.
        """
        for field, registry in _REGISTRIES.items():
            value = getattr(self, field)
            for member in value if isinstance(value, tuple) else (value,):
                if field != "design" or member not in RIVAL_DESIGNS:
                    registry.resolve(member)
        return self

    def by_name(self) -> "Settings":
        """Return the same settings with members of registries by their names, not as functions."""
        names = self.record()
        changed: dict[str, Any] = {}
        for field, registry in _REGISTRIES.items():
            value, written_as = getattr(self, field), names[field]
            if not isinstance(value, tuple):
                changed[field] = written_as if registry.own_name(value) else value
                continue
            changed[field] = tuple(name if registry.own_name(member) else member for member, name in zip(value, written_as, strict=True))
        return replace(self, **changed)

    def choices(self) -> dict[str, Any]:
        """Return the settings as keyword arguments."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def row(self) -> dict[str, str | int | float]:
        """Return the settings as a row of a table; lists of names are joined with "+"."""
        row = {}
        for name, value in self.record().items():
            row[name] = "+".join(map(str, value)) if isinstance(value, list) else value
        return row

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them; `Settings(**record)` gives them back.

        Members of registries are written by name, with the options that are set. A function of
        one's own is written by its name alone: register it before its heatmap is asked for again.
        """
        found: dict[str, Any] = {}
        for each in fields(self):
            if each.name == "estimator":
                found[each.name] = written(self.estimator)
                continue
            value, registry = getattr(self, each.name), _REGISTRIES.get(each.name)
            if registry is None:
                found[each.name] = list(value) if isinstance(value, tuple) else value
            elif isinstance(value, tuple):
                found[each.name] = [registry.written(member) for member in value]
            else:
                found[each.name] = registry.written(value)
        return found


_REGISTRIES: dict[str, Registry] = {
    "operators": OPERATORS,
    "centralities": CENTRALITIES,
    "statistics": STATISTICS,
    "design": DESIGNS,
    "estimator": ESTIMATORS,
    "graph_operator": OPERATORS,
}
"""The registries whose members the fields hold."""


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    numbers = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else (values,)
    if not numbers:
        raise InputError(f"{name} is {values!r}; give at least one number")
    return tuple(positive(name, number) for number in numbers)


def _names(name: str, value: Any) -> tuple[Named, ...]:
    single = isinstance(value, str) or callable(value)
    names = (value,) if single else tuple(value) if isinstance(value, Iterable) else ()
    if not names or not all(isinstance(n, str) or callable(n) for n in names):
        raise InputError(f"{name} is {value!r}; give at least one name or function")
    if len({name_of(n) for n in names}) < len(names):
        raise InputError(f"{name} holds a name twice: {', '.join(map(name_of, names))}")
    return names
