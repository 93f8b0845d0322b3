"""Plan: what a study computes of every image. Plain values, so that it can be sent to workers and kept in a manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import product
from typing import Any

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.many import protocol_of
from multiplex_vit.evaluation.protocols import full_name
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.designs import DESIGNS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import direction_of
from multiplex_vit.saliency.settings import Settings

FULL, RANDOM = "full", "random order"
"""Names of the variant that leaves out nothing, and of the control."""

DIMENSIONS = ("operator", "direction", "centrality", "statistic")
"""What an ablation may leave out or keep alone."""

EXTRAS = ("heatmaps", "masks", "layers", "multilayer")
"""Tables that a study may write besides its rows."""


@dataclass(frozen=True)
class Variant:
    """Some of the masks of an explanation.

    Attributes
    ----------
    kind : "full", "without" or "only"
    dimension : "operator", "direction", "centrality" or "statistic"; "" of all masks
    value : str

    Examples
    --------
    >>> Variant("without", "statistic", "max").name
    'without statistic max'
    """

    kind: str = FULL
    dimension: str = ""
    value: str = ""

    @property
    def name(self) -> str:
        """Name in tables."""
        return FULL if self.kind == FULL else f"{self.kind} {self.dimension} {self.value}"

    def of(self, explanation: Explanation) -> Explanation:
        """Return the explanation from these masks, without a forward pass."""
        if self.kind == FULL:
            return explanation
        kept = [self.value] if self.kind == "only" else [value for value in values_of(explanation.settings, self.dimension) if value != self.value]
        return explanation.subset(**{self.dimension: kept})

    def fits(self, settings: Settings) -> bool:
        """Tell whether it says something other than the full explanation does."""
        here = values_of(settings, self.dimension) if self.kind != FULL else []
        return self.kind == FULL or (self.value in here and len(here) > 1)


def values_of(settings: Settings, dimension: str) -> list[str]:
    """Return the values of a dimension in settings.

    Examples
    --------
    >>> values_of(Settings(), "direction"), values_of(Settings(), "operator")
    (['in', 'out'], ['min', 'max', 'sum'])
    """
    if dimension not in DIMENSIONS:
        raise InputError(f"unknown dimension {dimension!r}; known: {', '.join(DIMENSIONS)}")
    if dimension == "direction":
        return list(dict.fromkeys(direction_of(name_of(measure)) for measure in settings.centralities))
    plural = {"operator": settings.operators, "centrality": settings.centralities, "statistic": settings.statistics}
    return [name_of(member) for member in plural[dimension]]


def variants(settings: Iterable[Settings], *, leave_out: Any = (), keep_only: Any = ()) -> tuple[Variant, ...]:
    """Return the full explanation and, for each dimension asked for, one variant a value.

    Raises
    ------
    InputError
        If a dimension is unknown, has one value only, or the masks of a setting have none.

    Examples
    --------
    >>> [variant.name for variant in variants([Settings()], leave_out="direction")]
    ['full', 'without direction in', 'without direction out']
    """
    chosen = list(settings)
    asked = [("without", leave_out), ("only", keep_only)]
    wanted = [(kind, dimension) for kind, given in asked for dimension in ([given] if isinstance(given, str) else () if given is None else given)]
    found = {Variant(): None}
    for kind, dimension in wanted:
        several = [each for each in chosen if len(values_of(each, dimension)) > 1 and DESIGNS.own_name(each.design) == "centrality"]
        if not several:
            raise InputError(f"no setting has masks of more than one {dimension}; there is nothing to leave out or to keep alone")
        found |= dict.fromkeys(Variant(kind, dimension, value) for each in several for value in values_of(each, dimension))
    return tuple(found)


def varied(base: Settings, vary: Mapping[str, Any]) -> dict[str, Settings]:
    """Return settings by name: every combination of the values given.

    Raises
    ------
    InputError
        If a field or a value is unknown.

    Examples
    --------
    >>> list(varied(Settings(), {"min_cut": [0.01, 0.05], "statistics": [("max",), ("max", "min")]}))[1:3]
    ['min_cut=0.01, statistics=max+min', 'min_cut=0.05, statistics=max']
    """
    if not isinstance(vary, Mapping):
        raise InputError(f"vary is {vary!r}; give a mapping of settings to their values, such as {{'min_cut': [0.01, 0.1]}}")
    known = [each.name for each in fields(Settings)]
    for name in vary:
        if name not in known:
            raise InputError(f"unknown setting {name!r} in vary; known: {', '.join(known)}")
    values = [list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value] for value in vary.values()]
    if not all(values):
        raise InputError("vary has a setting without values; give at least one each")
    found: dict[str, Settings] = {}
    for chosen in product(*values):
        changed = replace(base, **dict(zip(vary, chosen, strict=True))).resolved()
        found[setting_name(changed, vary) if vary else "settings"] = changed
    if len(found) < len(list(product(*values))):
        raise InputError("vary gives the same settings twice; give each value once")
    return found


def setting_name(settings: Settings, names: Iterable[str]) -> str:
    """Return a name that tells the fields that vary."""
    row = settings.row()
    return ", ".join(f"{name}={row[name]}" for name in names)


@dataclass(frozen=True)
class Plan:
    """What is computed of every image.

    Attributes
    ----------
    model : str
        Name, as `load` takes it.
    settings : tuple of (str, Settings)
    variants : tuple of Variant
    protocols : tuple of str
        As `evaluate_many` takes them.
    steps : int, optional
    seed : int
        Of the random order.
    explained : "predicted" or "true"
        Which class is explained.
    save : tuple of str
        Of `EXTRAS`.
    device, dtype, score : str
        As `load` takes them.
    """

    model: str
    settings: tuple[tuple[str, Settings], ...]
    variants: tuple[Variant, ...] = (Variant(),)
    protocols: tuple[str, ...] = ("patch/black",)
    steps: int | None = None
    seed: int = 0
    explained: str = "predicted"
    save: tuple[str, ...] = ("heatmaps", "masks")
    device: str = field(default="auto", compare=False)
    dtype: str = "auto"
    score: str = "auto"

    def __post_init__(self) -> None:
        for name in ("protocols", "save"):
            value = getattr(self, name)
            if not isinstance(value, Iterable):
                raise InputError(f"{name} is {value!r}; give names")
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        spelled = tuple(map(full_name, self.protocols))
        if not spelled or len(set(spelled)) < len(spelled):
            raise InputError(f"protocols is {list(self.protocols)}; give at least one, each once")
        object.__setattr__(self, "protocols", spelled)
        for protocol in spelled:
            protocol_of(protocol, {"steps": self.steps})
        whole("seed", self.seed, at_least=0)
        unknown = [name for name in self.save if name not in EXTRAS]
        if unknown:
            raise InputError(f"cannot save {unknown[0]!r}; known: {', '.join(EXTRAS)}")
        if self.explained not in ("predicted", "true"):
            raise InputError(f"explained is {self.explained!r}; give 'predicted' or 'true'")

    def record(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it; where it runs is no part of it."""
        return {
            "model": self.model,
            "dtype": self.dtype,
            "score": self.score,
            "settings": {name: settings.record() for name, settings in self.settings},
            "variants": [[each.kind, each.dimension, each.value] for each in self.variants],
            "protocols": list(self.protocols),
            "steps": self.steps,
            "seed": self.seed,
            "explained": self.explained,
            "save": sorted(self.save),
        }

    @classmethod
    def restored(cls, record: Mapping[str, Any]) -> "Plan":
        """Return a plan from its record."""
        settings = tuple((name, Settings(**fields)) for name, fields in record["settings"].items())
        listed: dict[str, Any] = {"variants": tuple(Variant(*each) for each in record["variants"]), "settings": settings}
        return cls(**{**{key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}, **listed})
