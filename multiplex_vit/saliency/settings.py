"""Settings: every choice of an explanation by masks, hashable, and the provenance of its result."""

from collections.abc import Iterable
from functools import partial
from typing import Any, TypedDict

import attrs

from multiplex_vit.arguments import checked
from multiplex_vit.checks import one_of, positive, share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.fields import described, option, or_none
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.network.centrality import CENTRALITIES
from multiplex_vit.registry import Named as Named
from multiplex_vit.registry import Registry, name_of
from multiplex_vit.saliency.designs import DESIGNS
from multiplex_vit.saliency.estimators import ESTIMATORS, takes_prior, written
from multiplex_vit.saliency.prior import PRIORS, RELEVANCE
from multiplex_vit.saliency.ranking import Ranking
from multiplex_vit.saliency.statistics import STATISTICS
from multiplex_vit.spelling import called


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
    prior: str | None
    prior_weight: float


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    single = isinstance(values, str) or not isinstance(values, Iterable)
    numbers = (values,) if single else tuple(values)
    if not numbers:
        what = f"{name} is {values!r}"
        raise InputError(f"{what}; give at least one number")
    return tuple(positive(name, number) for number in numbers)


def _name_or_function(name: str, value: Any) -> Named:
    # Whether names are registered is checked later (`resolved`), when all modules are read.
    if not isinstance(value, str) and not callable(value):
        raise InputError(f"{name} is {value!r}; give a name or a function")
    return value


@described
@attrs.frozen(kw_only=True)
class Settings(Ranking):
    """How masks are made and weighed: a ranking of nodes, and what is made of it.

    The defaults are the published ones: 3 operators x 2 strengths x 9 statistics = 54 masks.

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

    token_ratio: float = option(
        0.5,
        share,
        "float, 0 to 1",
        "Share of the patch tokens that a mask removes.",
    )
    design: Named = option(
        "centrality",
        _name_or_function,
        "str or callable",
        "Which masks are made: a member of `DESIGNS`.",
    )
    budget: int | None = option(
        None,
        or_none(partial(whole, at_least=2)),
        "int, optional",
        "Most forward passes, that of the whole image included. Default: one more than operators x "
        "centralities x statistics.",
    )
    seed: int = option(
        0,
        partial(whole, at_least=0),
        "int",
        "Seed of designs that draw masks.",
    )
    resolutions: tuple[float, ...] = option(
        (3.0,),
        _numbers,
        "tuple of float",
        "Resolutions of the communities of which designs make masks, in turn; greater values give "
        "smaller communities.",
    )
    estimator: Named = option(
        "coverage",
        _name_or_function,
        "str or callable",
        "How the heatmap is made of masks and confidences: a member of `ESTIMATORS`.",
    )
    smoothness: float = option(
        10.0,
        positive,
        "float, above 0",
        'How much the estimator "graph" makes tokens alike that the token graph joins.',
    )
    graph_operator: Named = option(
        "mean",
        _name_or_function,
        "str or callable",
        "How heads are pooled for the token graph that some designs and estimators need.",
    )
    grid_weight: float = option(
        0.5,
        share,
        "float, 0 to 1",
        "The share of that graph that is the grid of patches; the rest is attention.",
    )
    prior: str | None = option(
        None,
        or_none(partial(one_of, choices=PRIORS)),
        '"relevance" or "direct", optional',
        "What the estimator starts from: the relevance of tokens by AttnLRP, which takes a "
        "backward pass for each class, or their direct logit attribution (`models.direct`), which "
        "takes none. Default: nothing.",
    )
    prior_weight: float = option(
        1.0,
        positive,
        "float, above 0",
        "How much the prior counts against what masks say, of which 1 is as much.",
    )

    # --- what they amount to

    @property
    def ranking(self) -> Ranking:
        """What orders the nodes."""
        chosen = {setting.name: getattr(self, setting.name) for setting in attrs.fields(Ranking)}
        return Ranking(**chosen)

    @property
    def n_masks(self) -> int:
        """Most masks: the budget less the pass of the whole image."""
        if self.budget is None:
            return self.ranking.n_orders
        return self.budget - 1

    @property
    def needs_graph(self) -> bool:
        """Whether the design or the estimator needs the token graph."""
        needs = (
            DESIGNS.trait(self.design, "needs"),
            ESTIMATORS.trait(self.estimator, "needs"),
        )
        return "graph" in needs

    @property
    def ranks(self) -> bool:
        """Whether the design is known to rank nodes."""
        return bool(DESIGNS.trait(self.design, "ranks"))

    @property
    def backward_passes(self) -> int:
        """How many backward passes an image takes, of one class."""
        return 1 if self.prior == RELEVANCE else 0

    def most_passes(self, n_tokens: int) -> int:
        """Return how many forward passes an image of so many patch tokens takes at most.

        Examples
        --------
        >>> limited = Settings(budget=550)
        >>> limited.most_passes(64), limited.at(design="random").most_passes(64)
        (55, 550)
        """
        # Most designs make as many masks as a budget allows; some have no more to make.
        most = DESIGNS.trait(self.design, "most")
        n_masks = self.n_masks
        if most is not None:
            n_masks = min(n_masks, most(self.ranking, n_tokens))
        return n_masks + 1

    def at(self, **options: Any) -> "Settings":
        """Return the settings with these options changed.

        Raises
        ------
        InputError
            If there is no such option, or it cannot have that value.

        Examples
        --------
        >>> Settings().at(budget=550).n_masks
        549
        """
        known = self.choices()
        for name in options:
            if name not in known:
                raise InputError(f"settings have no option {name!r}; known: {', '.join(known)}")
        return attrs.evolve(self, **options)

    # --- names

    def resolved(self) -> "Settings":
        """Return these settings after making sure that every name is registered.

        Raises
        ------
        InputError
            If a name is unknown, or a prior is set and the estimator takes none.
        """
        for field, registry in REGISTRIES.items():
            value = getattr(self, field)
            members = value if isinstance(value, tuple) else (value,)
            for member in members:
                registry.resolve(member)
        if self.prior is not None and not takes_prior(self.estimator):
            what = f"estimator {name_of(self.estimator)} takes no prior"
            raise InputError(f"{what}; give prior=None, or estimator='graph'")
        return self

    def by_name(self) -> "Settings":
        """Return the same settings with members of registries by their names, not as functions."""
        record = self.record()
        changed: dict[str, Any] = {}
        for field, registry in REGISTRIES.items():
            value, text = getattr(self, field), record[field]
            if isinstance(value, tuple):
                changed[field] = _names_or_functions(registry, value, text)
            elif registry.own_name(value):
                changed[field] = text
        return self.at(**changed)

    @checked
    def narrowed(self, labels: Iterable[tuple[str, str, str]]) -> "Settings":
        """Return the settings with the members that masks of these labels were made of alone."""
        labels = list(labels)
        changed: dict[str, Any] = {}
        for place, field in enumerate(("operators", "centralities", "statistics")):
            here = {label[place] for label in labels}
            left = [member for member in getattr(self, field) if name_of(member) in here]
            # Masks of other designs have no labels, and say nothing about the members.
            if left:
                changed[field] = tuple(left)
        return self.at(**changed)

    # --- as text and tables

    @property
    def text(self) -> str:
        """The settings as an explainer's text: that of `NAMED` from which the least differs.

        Examples
        --------
        >>> Settings(min_cut=0.05).text, COMMUNITIES.at(seed=3).text
        ('mutex(min_cut=0.05)', 'communities(seed=3)')
        """
        # By name, since a function and the name of the same member are one choice.
        settings = self.by_name()
        name, changed = "", settings.choices()
        for candidate, base in NAMED.items():
            different = differences(settings, base)
            if not name or len(different) < len(changed):
                name, changed = candidate, different
        texts = {field: plain(value) for field, value in changed.items()}
        return called(name, texts)

    def choices(self) -> dict[str, Any]:
        """Return the settings as keyword arguments."""
        return attrs.asdict(self, recurse=False)

    def row(self) -> dict[str, str | int | float]:
        """Return the settings as a row of a table; lists of names are joined with "+"."""
        row = self.record()
        for name, value in row.items():
            if isinstance(value, list):
                row[name] = "+".join(map(str, value))
        return row

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them; `Settings(**record)` gives them back.

        Members of registries are written by name, with the options that are set. A function of
        one's own is written by its name alone: register it before its heatmap is asked for again.
        """
        record: dict[str, Any] = {}
        for name, value in self.choices().items():
            registry = REGISTRIES.get(name)
            if name == "estimator":
                # Of a function the text must say its smoothness, which settings do not give it.
                record[name] = written(self.estimator)
            elif registry is None:
                record[name] = list(value) if isinstance(value, tuple) else value
            elif isinstance(value, tuple):
                record[name] = [registry.written(member) for member in value]
            else:
                record[name] = registry.written(value)
        return record


REGISTRIES: dict[str, Registry] = {
    "operators": OPERATORS,
    "centralities": CENTRALITIES,
    "statistics": STATISTICS,
    "design": DESIGNS,
    "estimator": ESTIMATORS,
    "graph_operator": OPERATORS,
}
"""The registries whose members the fields hold."""


def differences(settings: Settings, base: Settings) -> dict[str, Any]:
    """Return the fields of settings that differ from those of others.

    Examples
    --------
    >>> differences(Settings(min_cut=0.05), Settings())
    {'min_cut': 0.05}
    """
    given, others = settings.choices(), base.choices()
    changed = {}
    for name, value in given.items():
        if value != others[name]:
            changed[name] = value
    return changed


def plain(value: Any) -> Any:
    """Return a value of an option as its text has it: functions by their names.

    Examples
    --------
    >>> plain(("max", sorted))
    ('max', 'sorted')
    """
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    return name_of(value) if callable(value) else value


def _names_or_functions(
    registry: Registry, members: tuple[Named, ...], texts: list[str]
) -> tuple[Named, ...]:
    named: list[Named] = []
    for member, text in zip(members, texts, strict=True):
        named.append(text if registry.own_name(member) else member)
    return tuple(named)


PUBLISHED = Settings()
"""The published method, `mutex` (doi:10.1007/s00521-025-11591-x).

How far rounding reaches: float32 confidences differ by up to e = 1e-6 between batch sizes and
processors. A heatmap of "mutex" is a mean of them, and moves by at most e.
"""

COMMUNITIES = Settings(
    numerics="stable",
    design="multiscale",
    resolutions=(3.0, 8.0, 20.0),
    estimator="graph",
    smoothness=0.03,
    prior="relevance",
    prior_weight=1.25,
)
"""`communities`, the best heatmap found for as many passes (analysis/tune_communities.py).

What the model misses without each community of the token graph corrects what relevance says of
tokens; what a budget has left when every token was removed alone goes to unions of communities.

How far rounding reaches: a value moves by at most e g, where e is how far confidences differ (see
`PUBLISHED`) and g (about 2) the greatest sum of slopes of the estimate, with what the unit of the
prior and its trust change as confidences do.
"""

NAMED = {"mutex": PUBLISHED, "communities": COMMUNITIES}
"""Settings by the names of the explainers that have them."""
