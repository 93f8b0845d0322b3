"""Settings: every choice of an explanation, hashable, and the provenance line of its result."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypedDict

from multiplex_vit.checks import share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.network.centrality import CENTRALITIES
from multiplex_vit.registry import Named as Named
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.statistics import STATISTICS


class Choices(TypedDict, total=False):
    """Settings as keyword arguments."""

    min_cut: float
    token_ratio: float
    starting_layer: int
    operators: tuple[Named, ...]
    centralities: tuple[Named, ...]
    statistics: tuple[Named, ...]


@dataclass(frozen=True)
class Settings:
    """How masks are made. The defaults are the published ones: 3 operators x 2 strengths x 9 statistics = 54 masks.

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

    def __post_init__(self) -> None:
        for name in ("min_cut", "token_ratio"):
            object.__setattr__(self, name, share(name, getattr(self, name)))
        object.__setattr__(self, "starting_layer", whole("starting_layer", self.starting_layer, at_least=0))
        for name in ("operators", "centralities", "statistics"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))

    def resolved(self) -> "Settings":
        """Return these settings after making sure that every name is registered.

        Raises
        ------
        InputError
            If a name is unknown; the message lists the known ones.
        """
        for registry, names in ((OPERATORS, self.operators), (CENTRALITIES, self.centralities), (STATISTICS, self.statistics)):
            for name in names:
                registry.resolve(name)
        return self

    def row(self) -> dict[str, str | int | float]:
        """Return the settings as a row of a table; lists of names are joined with "+"."""
        return {k: "+".join(map(name_of, v)) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them; `Settings(**record)` gives them back."""
        return {f.name: [name_of(v) for v in value] if isinstance(value := getattr(self, f.name), tuple) else value for f in fields(self)}


def _names(name: str, value: Any) -> tuple[Named, ...]:
    single = isinstance(value, str) or callable(value)
    names = (value,) if single else tuple(value) if isinstance(value, Iterable) else ()
    if not names or not all(isinstance(n, str) or callable(n) for n in names):
        raise InputError(f"{name} is {value!r}; give at least one name or function")
    if len({name_of(n) for n in names}) < len(names):
        raise InputError(f"{name} holds a name twice: {', '.join(map(name_of, names))}")
    return names
