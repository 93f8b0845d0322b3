"""Fields of a value, each declared once: its default, its check, and what it is.

The class's docstring, the options of the command line and the checks are made of these.
"""

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

Check = Callable[[str, Any], Any]
"""Takes a field's name and a value, and returns the value to hold; InputError if it cannot be."""

Value = TypeVar("Value", bound=attrs.AttrsInstance)

_WIDTH = 96
_KIND, _TEXT = "kind", "text"


def option(default: Any, check: Check | None, kind: str, text: str) -> Any:
    """Return a field of an `attrs` class.

    Parameters
    ----------
    default : object
    check : callable, optional
        Is given the field's name and the value, and returns the value to hold. None: any value is
        taken as it is.
    kind : str
        What values there are, as a docstring has it: "float, 0 to 1".
    text : str
        What the field is, in whole sentences. A default that can be written is added to it.
    """

    def converted(value: Any, field: "attrs.Attribute[Any]") -> Any:
        return value if check is None else check(field.name, value)

    return attrs.field(
        default=default,
        converter=attrs.Converter(converted, takes_field=True),
        metadata={_KIND: kind, _TEXT: f"{text}{_default_text(default)}"},
    )


def or_none(check: Check) -> Check:
    """Return a check that leaves None as it is.

    Examples
    --------
    >>> from multiplex_vit.checks import share
    >>> or_none(share)("min_cut", None) is None
    True
    """

    def checked(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return checked


def descriptions(cls: type[attrs.AttrsInstance]) -> dict[str, str]:
    """Return what each field of a class is, with its default.

    Examples
    --------
    >>> @attrs.frozen
    ... class Box:
    ...     side: int = option(3, None, "int", "Pixels a side.")
    >>> descriptions(Box)
    {'side': 'Pixels a side. Default: 3.'}
    """
    return {one.name: one.metadata[_TEXT] for one in attrs.fields(cls)}


def described(cls: type[Value]) -> type[Value]:
    """Return a class with its fields in its docstring, before what it raises and its examples."""
    # Python -OO leaves docstrings out.
    docstring = inspect.getdoc(cls) or ""
    opening, *later = re.split(r"(?m)^(?=(?:Raises|Examples)\n-)", docstring)
    attributes = "Attributes\n----------\n"
    for one in attrs.fields(cls):
        text = textwrap.fill(
            one.metadata[_TEXT],
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
        )
        attributes += f"{one.name} : {one.metadata[_KIND]}\n{text}\n"
    cls.__doc__ = "\n\n".join(
        part.rstrip() for part in [opening, attributes, *later] if part.strip()
    )
    return cls


def _default_text(default: Any) -> str:
    """Return a sentence of a default; without one where None stands for what the text says."""
    if default is None:
        return ""
    if isinstance(default, tuple):
        return f" Default: {', '.join(map(str, default))}."
    if isinstance(default, str):
        return f' Default: "{default}".'
    return f" Default: {default}."
