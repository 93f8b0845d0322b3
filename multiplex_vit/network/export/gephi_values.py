"""Values as Gephi's importers, that is Java, read them."""

import math
import re

import numpy as np

_NUMBER = re.compile(
    r"\s*([+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[fFdD]?\s*",
    re.ASCII,
)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_COLOUR = re.compile(r"(#|0x)[0-9a-fA-F]{6}|[a-zA-Z_]+")

_SURELY_HELD = (1e-37, 1e38)
"""Weights between these need no closer look in 32 bits."""

_BITS = {"byte": 8, "short": 16, "int": 32, "integer": 32, "long": 64}
_FLOATS = ("float", "double", "bigdecimal")
_TEXTS = ("string", "char", "anyuri")


def known_type(kind: str) -> bool:
    """Return whether Gephi has a column of a type, capitals or not.

    Examples
    --------
    >>> known_type("Integer"), known_type("liststring"), known_type("date")
    (True, True, False)
    """
    kind = kind.lower()
    if kind.startswith("list"):
        return True
    return kind in (*_BITS, *_FLOATS, *_TEXTS, "boolean", "biginteger")


def java_float(text: str) -> float | None:
    """Return a number as Java reads it, None where it does not.

    Examples
    --------
    >>> java_float("1e3"), java_float("Infinity"), java_float("inf")
    (1000.0, inf, None)
    """
    match = _NUMBER.fullmatch(text)
    return float(match[1]) if match else None


def weight_fault(text: str) -> str | None:
    """Return what is wrong with the weight of an edge, and what Gephi does about it.

    Examples
    --------
    >>> weight_fault("0.5"), weight_fault("1e-60")
    (None, 'is 0 in 32 bits; Gephi deletes the edge')
    """
    # Gephi takes a comma for the decimal point here.
    number = java_float(text.replace(",", "."))
    if number is None:
        return "is no number to Java; Gephi takes 1.0"
    low, high = _SURELY_HELD
    if low < number < high:
        return None
    # Gephi holds weights in 32 bits.
    with np.errstate(over="ignore", under="ignore"):
        narrow = float(np.float32(number))
    if not math.isfinite(narrow):
        return "is not finite in 32 bits; Gephi keeps it and its statistics fail"
    if narrow == 0:
        return "is 0 in 32 bits; Gephi deletes the edge"
    if narrow < 0:
        return "is negative; Gephi warns, and its layouts and statistics may fail"
    return None


def value_fault(kind: str, text: str) -> str | None:
    """Return what is wrong with a value of a column's type.

    Examples
    --------
    >>> value_fault("int", "255.0")
    'is no int to Java; Gephi leaves the cell empty'
    """
    if _is_of(kind.lower(), text):
        return None
    return f"is no {kind.lower()} to Java; Gephi leaves the cell empty"


def _is_of(kind: str, text: str) -> bool:
    """Return whether Java reads a text as a value of a type."""
    if kind in _BITS or kind == "biginteger":
        number = _whole(text.strip())
        # A BigInteger has no limit; this one is far beyond any text that is read.
        limit = 2 ** (_BITS.get(kind, 10**4) - 1)
        return number is not None and -limit <= number < limit
    if kind in _FLOATS:
        return java_float(text) is not None or text in ("INF", "-INF")
    if kind == "boolean":
        return text.strip().lower() in ("true", "false")
    return True


def place_fault(text: str) -> str | None:
    """Return what is wrong with a coordinate."""
    number = java_float(text)
    if number is None or not math.isfinite(number):
        return "is no finite number to Java; Gephi takes 0 or its default"
    return None


def size_fault(text: str) -> str | None:
    """Return what is wrong with a size or thickness.

    Examples
    --------
    >>> size_fault("4.0"), size_fault("-4.0")
    (None, 'is negative; give at least 0')
    """
    number = java_float(text)
    if number is not None and -math.inf < number < 0:
        return "is negative; give at least 0"
    return place_fault(text)


def channel_fault(text: str) -> str | None:
    """Return what is wrong with a colour channel.

    Examples
    --------
    >>> channel_fault("255.0")
    'is no whole number from 0 to 255; Gephi leaves the colour out'
    """
    number = _whole(text)
    if number is not None and 0 <= number <= 255:
        return None
    return "is no whole number from 0 to 255; Gephi leaves the colour out"


def _whole(text: str) -> int | None:
    """Return a whole number, or None.

    Of very many digits only the first are read: Python reads no more than 4,300, and no bounded
    type has as many as 100.
    """
    return int(text[:100]) if _WHOLE.fullmatch(text) else None


def colour_fault(text: str) -> str | None:
    """Return what is wrong with a colour by name or number."""
    if _COLOUR.fullmatch(text.strip()):
        return None
    return "is neither #rrggbb nor a name; Gephi leaves the colour out"
