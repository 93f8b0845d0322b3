"""Plan: what is the same for every explanation of a study. Plain values, sent to workers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multiplex_vit.checks import shown, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.many import protocol_of
from multiplex_vit.evaluation.protocols import full_name
from multiplex_vit.registry import name_of

EXTRAS = ("masks", "layers", "multilayer")
"""Tables that a study may keep besides those that it always keeps."""

DIMENSIONS = ("operator", "direction", "centrality", "statistic")
"""What an ablation may leave out or keep alone."""

PREDICTED, TRUE = "predicted", "true"
"""Targets that depend on the image: the predicted class, and the class of its label."""


@dataclass(frozen=True)
class Plan:
    """What is the same for every explanation of a study.

    Attributes
    ----------
    model : str
        Name, as `load` takes it.
    steps : int, optional
        Points of a curve. Default: every patch, up to 100.
    seed : int
        Of explainers that draw something, and of the controls.
    target : str or int
        "predicted", "true", or the index or name of one class for all images.
    save : tuple of str
        Of `EXTRAS`.
    device, dtype, score : str
        As `load` takes them.
    network_measures : tuple of str
        Members of `LAYER_MEASURES` that the table "layers" has; all of them if there is none.
    """

    model: str
    steps: int | None = None
    seed: int = 0
    target: str | int = PREDICTED
    save: tuple[str, ...] = ("masks",)
    # Where it runs changes nothing, so that a study may go on elsewhere.
    device: str = field(default="auto", compare=False)
    dtype: str = "auto"
    score: str = "auto"
    network_measures: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it; where it runs is no part of it."""
        record = {
            "model": self.model,
            "dtype": self.dtype,
            "score": self.score,
            "steps": self.steps,
            "seed": self.seed,
            "target": self.target,
            # The order in which tables were asked for makes no other study.
            "save": sorted(self.save),
        }
        # Left out where nobody chose measures, as before they could be chosen.
        if self.network_measures:
            record["network_measures"] = list(self.network_measures)
        return record

    @classmethod
    def restored(cls, record: Mapping[str, Any]) -> "Plan":
        """Return a plan from its record."""
        values = dict(record)
        # JSON has lists where a plan has tuples.
        values["save"] = tuple(record["save"])
        chosen = record.get("network_measures", ())
        values["network_measures"] = tuple(chosen)
        return cls(**values)


def checked_plan(
    model: str,
    *,
    save: Any,
    target: Any,
    network_measures: Any = (),
    **options: Any,
) -> Plan:
    """Return a plan whose values were checked.

    Raises
    ------
    InputError
        If a value is out of range, or a table to save or a measure is unknown.

    Examples
    --------
    >>> checked_plan("demo-vit", save="layers", target="predicted").save
    ('layers',)
    >>> checked_plan("demo-vit", save="pictures", target="predicted")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: cannot save 'pictures'; known: masks, layers, multilayer
    """
    tables = names_of("save", save)
    for name in tables:
        if not isinstance(name, str) or name not in EXTRAS:
            raise InputError(f"cannot save {shown(name)}; known: {', '.join(EXTRAS)}")
    measures = _measures(network_measures)
    if measures and "layers" not in tables:
        tables = (*tables, "layers")
    if not isinstance(target, str):
        target = whole("target", target, at_least=0)
    options["seed"] = whole("seed", options.get("seed", 0), at_least=0)
    if options.get("steps") is not None:
        options["steps"] = whole("steps", options["steps"], at_least=1)
    return Plan(model, save=tables, target=target, network_measures=measures, **options)


def _measures(given: Any) -> tuple[str, ...]:
    """Return measures of layers as text, by which workers find them."""
    # With measures comes igraph, and matplotlib with it, for which help need not wait.
    from multiplex_vit.network.layer_measures import LAYER_MEASURES

    measures = []
    for member in names_of("network_measures", given):
        LAYER_MEASURES.resolve(member)
        if not LAYER_MEASURES.own_name(member):
            name = name_of(member)
            problem = "which is not registered"
            give = "register it in LAYER_MEASURES"
            raise InputError(f"network_measures holds {name}, {problem}; {give}")
        text = LAYER_MEASURES.written(member)
        measures.append(text)
    return tuple(measures)


def checked_protocols(protocols: Any, steps: int | None) -> tuple[str, ...]:
    """Return protocols by their full names.

    Raises
    ------
    InputError
        If there is none, one is unknown or given twice, or it cannot have so many steps.

    Examples
    --------
    >>> checked_protocols(["token", "patch"], None)
    ('token', 'patch/black')
    """
    names = names_of("protocols", protocols)
    full = tuple(full_name(name) for name in names)
    if not full or len(set(full)) < len(full):
        raise InputError(f"protocols is {list(full)}; give at least one, each once")
    for protocol in full:
        # For its checks alone: a protocol of fixed steps takes no others.
        protocol_of(protocol, {"steps": steps})
    return full


def names_of(parameter: str, value: Any) -> tuple[Any, ...]:
    """Return one name or several as a tuple; InputError where it is neither."""
    if isinstance(value, str) or callable(value):
        return (value,)
    # A mapping or an array can be gone through, but is no list of names.
    is_list = isinstance(value, Iterable) and not isinstance(value, (Mapping, bytes))
    if not is_list or hasattr(value, "dtype"):
        raise InputError(f"{parameter} is {shown(value)}; give a name, or a list of names")
    return tuple(value)
