"""Facts: what a table of JSON must hold, written down as one line a key, and checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multiplex_vit.errors import InputError

_LONGEST = 80


@dataclass(frozen=True)
class Fact:
    """What may stand under a key.

    Attributes
    ----------
    expected : str
        Its description, for messages: "a whole number of at least 1".
    holds : callable
        Takes the value, tells whether it is right.
    optional : bool
        Whether the key may be missing. Default: False.
    """

    expected: str
    holds: Callable[[Any], bool]
    optional: bool = False


def whole(at_least: int = 0) -> Fact:
    """Return the fact of a whole number."""

    def holds(value: Any) -> bool:
        # To Python True is 1.
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return value >= at_least

    return Fact(f"a whole number of at least {at_least}", holds)


def constant(text: str) -> Fact:
    """Return the fact of one text and no other."""

    def holds(value: Any) -> bool:
        return isinstance(value, str) and value == text

    return Fact(repr(text), holds)


def maybe(fact: Fact) -> Fact:
    """Return a fact that may also be null."""

    def holds(value: Any) -> bool:
        return value is None or fact.holds(value)

    return Fact(f"{fact.expected}, or null", holds)


def listed(fact: Fact, count: int | None = None) -> Fact:
    """Return the fact of a list of values of one kind.

    Parameters
    ----------
    fact : Fact
        What holds of every value.
    count : int, optional
        How many there are. Default: None, any number.
    """

    def holds(value: Any) -> bool:
        if not isinstance(value, list) or count not in (None, len(value)):
            return False
        return all(map(fact.holds, value))

    number = "" if count is None else f"{count} of "
    return Fact(f"a list of {number}{fact.expected}", holds)


def without(fact: Fact) -> Fact:
    """Return a fact whose key may be missing."""
    return Fact(fact.expected, fact.holds, optional=True)


TEXT = Fact("a text", lambda value: isinstance(value, str))
TABLE = Fact("a table", lambda value: isinstance(value, dict))


def checked_facts(table: Any, facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Return a table of JSON after checking that it holds these facts and nothing else.

    Parameters
    ----------
    table : dict
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
    multiplex_vit.errors.InputError: masks is '3'; expected a whole number of at least 1
    """
    if not isinstance(table, dict):
        raise InputError(f"expected a table, not {type(table).__name__}")
    for name, fact in facts.items():
        if name not in table and not fact.optional:
            raise InputError(f"{name} is missing")
    for name, value in table.items():
        if name not in facts:
            raise InputError(f"{str(name)[:_LONGEST]!r} is unknown")
        if not facts[name].holds(value):
            raise InputError(f"{name} is {_short(value)}; expected {facts[name].expected}")
    return table


def _short(value: Any) -> str:
    """Return a value as Python writes it; of a long one the beginning."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
