"""Values of a model's JSON files: what each may be, one line a kind, checked before it is used."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from multiplex_vit.reading.facts import Fact


def count(low: int, high: int) -> Fact:
    """Return the fact of a whole number from low to high."""
    wanted = f"a whole number from {low:,} to {high:,}"
    return Fact(wanted, lambda value: is_count(value, low, high))


def number(low: float, high: float) -> Fact:
    """Return the fact of a finite number from low to high."""
    return Fact(f"a number from {low:g} to {high:g}", lambda value: is_number(value, low, high))


def one_of(values: Iterable[Any]) -> Fact:
    """Return the fact of one of some texts or numbers."""
    known = list(values)
    wanted = f"one of {', '.join(map(str, known))}"

    def holds(value: Any) -> bool:
        # To Python true is 1.
        return isinstance(value, (str, int)) and not isinstance(value, bool) and value in known

    return Fact(wanted, holds)


def pair(low: int, high: int) -> Fact:
    """Return the fact of one size for rows and columns, or of both."""

    def holds(value: Any) -> bool:
        both = value if isinstance(value, list) and len(value) == 2 else [value]
        return all(is_count(each, low, high) for each in both)

    return Fact(f"a whole number from {low:,} to {high:,}, or two of them", holds)


FLAG = Fact("true or false", lambda value: isinstance(value, bool))


def is_count(value: Any, low: int, high: int) -> bool:
    """Tell whether a value is a whole number, and no truth value, from low to high."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any, low: float, high: float) -> bool:
    """Tell whether a value is a number, and no truth value, from low to high."""
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Whole numbers are compared as such: they may be too large for a float.
    return is_real and low <= value <= high


Refuse = Callable[[str], Exception]
"""What makes an error of a line."""


def check_values(found: Mapping[str, Any], facts: Mapping[str, Fact], refuse: Refuse) -> None:
    """Raise what `refuse` makes of a line, for the first value that is not as it should be."""
    for name, fact in facts.items():
        if name in found and not fact.holds(found[name]):
            given = repr(found[name])
            shown = given if len(given) <= 60 else f"{given[:60]}..."
            raise refuse(f"{name} is {shown}; {fact.wanted} is wanted")
