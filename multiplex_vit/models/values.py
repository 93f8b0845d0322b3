"""Values of a model's JSON files: what each may be, one line a kind, checked before it is used."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from multiplex_vit.reading.facts import Fact

_LONGEST = 60


def count(low: int, high: int) -> Fact:
    """Return the fact of a whole number from low to high."""

    def holds(value: Any) -> bool:
        return is_count(value, low, high)

    return Fact(f"a whole number from {low:,} to {high:,}", holds)


def number(low: float, high: float) -> Fact:
    """Return the fact of a finite number from low to high."""

    def holds(value: Any) -> bool:
        return is_number(value, low, high)

    return Fact(f"a number from {low:g} to {high:g}", holds)


def one_of(values: Iterable[Any]) -> Fact:
    """Return the fact of one of some texts or numbers."""
    choices = list(values)

    def holds(value: Any) -> bool:
        # To Python True is 1, and would pass for it.
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            return False
        return value in choices

    return Fact(f"one of {', '.join(map(str, choices))}", holds)


def pair(low: int, high: int) -> Fact:
    """Return the fact of one size for rows and columns, or of two."""

    def holds(value: Any) -> bool:
        sides = [value]
        if isinstance(value, list) and len(value) == 2:
            sides = value
        return all(is_count(side, low, high) for side in sides)

    return Fact(f"a whole number from {low:,} to {high:,}, or two of them", holds)


FLAG = Fact("true or false", lambda value: isinstance(value, bool))


def is_count(value: Any, low: int, high: int) -> bool:
    """Tell whether a value is a whole number from low to high; True and False are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return low <= value <= high


def is_number(value: Any, low: float, high: float) -> bool:
    """Tell whether a value is a number from low to high; True and False are none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    # Whole numbers are compared as such, since they may be too large for a float.
    return low <= value <= high


Refuse = Callable[[str], Exception]
"""What makes an error of a line of text."""


def check_values(values: Mapping[str, Any], facts: Mapping[str, Fact], refuse: Refuse) -> None:
    """Raise what `refuse` makes of a line, for the first value that is not as it should be.

    Parameters
    ----------
    values : mapping of str to any
        A key that is not there is right.
    facts : mapping of str to Fact
    refuse : callable
    """
    for name, fact in facts.items():
        if name in values and not fact.holds(values[name]):
            # A file may hold megabytes where a number should be.
            text = repr(values[name])
            shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
            raise refuse(f"{name} is {shown}; expected {fact.expected}")
