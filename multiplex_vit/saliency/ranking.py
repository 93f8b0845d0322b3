"""Ranking: what orders the nodes of networks, and so decides which of them masks keep."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from multiplex_vit.checks import one_of, share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, name_of

OPERATORS = ("min", "max", "sum")
CENTRALITIES = ("in_strength", "out_strength")
STATISTICS = (
    "coherence",
    "max",
    "min",
    "sum",
    "std",
    "sum/std",
    "median",
    "skew",
    "kurtosis",
)
"""The published choices."""


@dataclass(frozen=True)
class Ranking:
    """What orders the nodes: for every operator a network, of it centralities, of these statistics.

    Attributes
    ----------
    operators : tuple of str or callable
        How attention is pooled over heads; each gives a network.
    centralities : tuple of str or callable
        Of every node in every layer.
    statistics : tuple of str or callable
        Of a node's centrality over layers.
    min_cut : float, 0 to 1
        In each layer, edges below this share of the greatest weight are cut. Default: 0.01.
    starting_layer : int
        First layer (block) that counts. Default: 0.
    numerics : "published" or "stable"
        How statistics are computed and ranked. "published" is float32, as published; "stable" is
        float64 with five digits, and gives the same order on every processor.

    Raises
    ------
    InputError
        If a number is out of range, or a name is no text.

    Examples
    --------
    >>> Ranking(centralities="katz", statistics=["max", "skew"]).n_orders
    6
    """

    operators: tuple[Named, ...] = OPERATORS
    centralities: tuple[Named, ...] = CENTRALITIES
    statistics: tuple[Named, ...] = STATISTICS
    min_cut: float = 0.01
    starting_layer: int = 0
    numerics: str = "published"

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "min_cut": share("min_cut", self.min_cut),
            "starting_layer": whole("starting_layer", self.starting_layer, at_least=0),
            "numerics": one_of("numerics", self.numerics, ("published", "stable")),
        }
        for name in ("operators", "centralities", "statistics"):
            checked[name] = names(name, getattr(self, name))
        for name, value in checked.items():
            # A frozen dataclass is filled so while it is made.
            object.__setattr__(self, name, value)

    @property
    def n_orders(self) -> int:
        """How many orders of nodes there are: operators x centralities x statistics."""
        n_measures = len(self.centralities) * len(self.statistics)
        return len(self.operators) * n_measures

    @property
    def labels(self) -> tuple[tuple[str, str, str], ...]:
        """Operator, centrality and statistic of each order, the operator slowest."""
        labels = []
        members = (self.operators, self.centralities, self.statistics)
        for operator, centrality, statistic in product(*members):
            label = (name_of(operator), name_of(centrality), name_of(statistic))
            labels.append(label)
        return tuple(labels)


def names(field: str, value: Any) -> tuple[Named, ...]:
    """Return one name or function, or several, as a tuple; each once.

    Examples
    --------
    >>> names("statistics", "max"), names("statistics", ["max", "min"])
    (('max',), ('max', 'min'))
    """
    single = isinstance(value, str) or callable(value)
    several: tuple[Any, ...] = ()
    if single:
        several = (value,)
    elif isinstance(value, Iterable):
        several = tuple(value)
    usable = [name for name in several if isinstance(name, str) or callable(name)]
    if not several or len(usable) < len(several):
        what = f"{field} is {value!r}"
        raise InputError(f"{what}; give at least one name or function")
    texts = [name_of(name) for name in several]
    # Masks are told apart by these texts, and a second one of a name could not be chosen.
    if len(set(texts)) < len(texts):
        raise InputError(f"{field} holds a name twice: {', '.join(texts)}")
    return several
