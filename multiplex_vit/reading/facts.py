"""Facts: what a table of JSON must hold, written down as one line a key, and checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multiplex_vit.errors import InputError


@dataclass(frozen=True)
class Fact:
    """What stands under a key.

    Attributes
    ----------
    wanted : str
        Its description, for messages: "a whole number of at least 1".
    holds : callable
        Value -> whether it is right.
    optional : bool
        Whether the key may be missing.
    """

    wanted: str
    holds: Callable[[Any], bool]
    optional: bool = False


def whole(at_least: int = 0) -> Fact:
    """Return the fact of a whole number."""
    return Fact(f"a whole number of at least {at_least}", lambda value: _is_whole(value, at_least))


def constant(text: str) -> Fact:
    """Return the fact of one text and no other."""
    return Fact(repr(text), lambda value: isinstance(value, str) and value == text)


def maybe(fact: Fact) -> Fact:
    """Return a fact that may also be null."""
    return Fact(f"{fact.wanted}, or null", lambda value: value is None or fact.holds(value))


def listed(fact: Fact, count: int | None = None) -> Fact:
    """Return the fact of a list of so many values of one kind."""

    def holds(value: Any) -> bool:
        fits = isinstance(value, list) and count in (None, len(value))
        return fits and all(fact.holds(each) for each in value)

    return Fact(f"a list of {'' if count is None else f'{count} of '}{fact.wanted}", holds)


def without(fact: Fact) -> Fact:
    """Return a fact whose key may be missing."""
    return Fact(fact.wanted, fact.holds, optional=True)


TEXT = Fact("a text", lambda value: isinstance(value, str))
TABLE = Fact("a table", lambda value: isinstance(value, dict))


def checked_facts(found: Any, facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Return a table of JSON after making sure that it holds these facts and nothing else.

    Parameters
    ----------
    found : dict
        As JSON gives it.
    facts : mapping of str to Fact

    Raises
    ------
    InputError
        If it is no table, or a key is missing, unknown, or holds something else.

    Examples
    --------
    >>> checked_facts({"masks": 3}, {"masks": whole(at_least=1)})
    {'masks': 3}
    >>> checked_facts({"masks": "3"}, {"masks": whole(at_least=1)})
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: masks is '3'; a whole number of at least 1 is wanted
    """
    if not isinstance(found, dict):
        raise InputError(f"a table is wanted, not {type(found).__name__}")
    for name, fact in facts.items():
        if name not in found and not fact.optional:
            raise InputError(f"{name} is missing")
    for name, value in found.items():
        if name not in facts:
            raise InputError(f"{str(name)[:80]!r} is unknown")
        if not facts[name].holds(value):
            raise InputError(f"{name} is {_short(value)}; {facts[name].wanted} is wanted")
    return found


def _is_whole(value: Any, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
