"""Spelling: "name(option=value)", the text that stands for a function with some options set."""

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Any


def called(name: str, options: Mapping[str, Any], places: Iterable[Any] = ()) -> str:
    """Return the text of a function's name with options; without any, the name alone.

    Examples
    --------
    >>> called("blur", {"sigma": 3, "mode": "mirror"}), called("blur", {})
    ("blur(sigma=3, mode='mirror')", 'blur')
    """
    given = [_literal(value) for value in places]
    given += [f"{option}={_literal(value)}" for option, value in options.items()]
    return f"{name}({', '.join(given)})" if given else name


def spelled(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and options of a text that `called` wrote; any other text is a name without options.

    Examples
    --------
    >>> spelled("betweenness(length='log')"), spelled("sum/std"), spelled("f(x)")
    (('betweenness', {'length': 'log'}), ('sum/std', {}), ('f(x)', {}))
    """
    name, opening, _ = text.partition("(")
    if not opening or not text.endswith(")"):
        return text, {}
    try:
        # A name need not be one of Python's, as "sum/std" is none.
        call = ast.parse(f"f{text[len(name) :]}", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return text, {}
        options = {}
        for word in call.keywords:
            if word.arg is None:
                return text, {}
            options[word.arg] = ast.literal_eval(word.value)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return text, {}
    return name, options


def _literal(value: Any) -> str:
    """Return a value as Python writes it, so that it can be read back."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        # Python has no literal for infinity, but reads this one as it.
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
