"""Spelling: "name(option=value)", the text that stands for a function with some options set."""

import ast
import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from multiplex_vit.errors import InputError


def called(name: str, options: Mapping[str, Any], places: Iterable[Any] = ()) -> str:
    """Return the text of a function's name with options; without any, the name alone.

    Examples
    --------
    >>> called("blur", {"sigma": 3, "mode": "mirror"}), called("blur", {})
    ("blur(sigma=3, mode='mirror')", 'blur')
    """
    given = [_literal(value) for value in places]
    for option, value in options.items():
        given.append(f"{option}={_literal(value)}")
    if not given:
        return name
    inside = ", ".join(given)
    return f"{name}({inside})"


def base_name(text: str) -> str:
    """Return what stands before the options of a text.

    Examples
    --------
    >>> base_name("betweenness(length='log')"), base_name("sum/std"), base_name("katz(")
    ('betweenness', 'sum/std', 'katz')
    """
    return text.partition("(")[0]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" where a known name is close, else "".

    Examples
    --------
    >>> did_you_mean("budgt", ["budget", "seed"])
    " (did you mean 'budget'?)"
    """
    close = difflib.get_close_matches(
        name,
        list(known),
        n=1,
        cutoff=0.7,
    )
    if not close:
        return ""
    return f" (did you mean {close[0]!r}?)"


def spelled(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and options of a text that `called` wrote; one without brackets is a name alone.

    Raises
    ------
    InputError
        If what stands in the brackets are no options, or the value of one cannot be read.

    Examples
    --------
    >>> spelled("betweenness(length='log')"), spelled("sum/std")
    (('betweenness', {'length': 'log'}), ('sum/std', {}))
    >>> spelled("mutex(min_cut=nan)")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: min_cut of mutex is nan, which is no value; give a number, ...
    """
    name = base_name(text)
    if name == text:
        return text, {}
    # Read as Python's grammar and never run: a text may come from a file or a command line.
    try:
        # A name need not be one of Python's, as "sum/std" is none.
        brackets = text[len(name) :]
        call = ast.parse(f"f{brackets}", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = getattr(error, "msg", None) or str(error)
        raise _no_options(text, reason) from error
    # "f(a=1)(b=2)" is a call too, of what a call returned.
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise _no_options(text, "more than one pair of brackets")
    if call.args:
        first = ast.unparse(call.args[0])
        raise _no_options(text, f"{first} is without a name")
    options = {}
    for word in call.keywords:
        if word.arg is None:
            several = ast.unparse(word.value)
            raise _no_options(text, f"**{several} is without a name")
        # The last of the two would win without a word.
        if word.arg in options:
            raise _no_options(text, f"{word.arg} is there twice")
        options[word.arg] = _value(name, word.arg, word.value)
    return name, options


def _value(name: str, option: str, written: ast.expr) -> Any:
    """Return the value of an option; only literals are read, and nothing is run."""
    try:
        return ast.literal_eval(written)
    except (ValueError, TypeError, MemoryError, RecursionError) as error:
        given = ast.unparse(written)
        what = f"{option} of {name} is {given}, which is no value"
        kinds = "a number, a text in quotes, True, False, None"
        kinds += ", or a list of these"
        raise InputError(f"{what}; give {kinds}") from error


def _no_options(text: str, reason: str) -> InputError:
    what = f"the options in {text!r} cannot be read ({reason})"
    form = "name(option=value, option=value)"
    return InputError(f"{what}; write them as {form}")


def _literal(value: Any) -> str:
    """Return a value as Python writes it, so that it can be read back."""
    # NumPy's numbers would show their type, as np.float64(1.0) does.
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        # Python has no literal for infinity, but reads this one as it.
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
