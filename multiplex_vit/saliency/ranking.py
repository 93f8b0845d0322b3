"""Ranking: what orders the nodes of networks, and so decides which of them masks keep."""

from collections.abc import Iterable
from functools import partial
from itertools import product
from typing import Any

import attrs

from multiplex_vit.checks import one_of, share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.fields import described, option
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


@described
@attrs.frozen(kw_only=True)
class Ranking:
    """What orders the nodes: for every operator a network, of it centralities, of these statistics.

    Raises
    ------
    InputError
        If a number is out of range, or a name is no text.

    Examples
    --------
    >>> Ranking(centralities="katz", statistics=["max", "skew"]).n_orders
    6
    """

    min_cut: float = option(
        0.01,
        share,
        "float, 0 to 1",
        "In each layer, edges below this share of the greatest weight are cut.",
    )
    starting_layer: int = option(
        0,
        partial(whole, at_least=0),
        "int",
        "First layer (block) that counts.",
    )
    operators: tuple[Named, ...] = option(
        OPERATORS,
        names,
        "tuple of str or callable",
        "How attention is pooled over heads; each operator gives a network.",
    )
    centralities: tuple[Named, ...] = option(
        CENTRALITIES,
        names,
        "tuple of str or callable",
        "Centralities of every node in every layer.",
    )
    statistics: tuple[Named, ...] = option(
        STATISTICS,
        names,
        "tuple of str or callable",
        "Statistics of a node's centrality over layers.",
    )
    numerics: str = option(
        "published",
        partial(one_of, choices=("published", "stable")),
        '"published" or "stable"',
        "How statistics are computed and ranked. As published is in float32; stable is in float64 "
        "with five digits, and gives the same order on every processor.",
    )

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
