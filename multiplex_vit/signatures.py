"""Signatures: what a function says of itself, inside whatever partials it is given in."""

import functools
import inspect
from collections.abc import Callable
from typing import Any


def bare(function: Any) -> Any:
    """Return the function inside partials.

    Examples
    --------
    >>> bare(functools.partial(sorted, reverse=True))
    <built-in function sorted>
    """
    while isinstance(function, functools.partial):
        function = function.func
    return function


def option_names(function: Callable[..., Any], data: int) -> list[str] | None:
    """Return the names of a function's options; None where it takes any, or does not say.

    Parameters
    ----------
    function : callable
    data : int
        How many arguments it is given first, which are no options.

    Examples
    --------
    >>> def rectangle(side, *, ratio=1): ...
    >>> option_names(rectangle, data=1)
    ['ratio']
    """
    try:
        parameters = list(inspect.signature(bare(function)).parameters.values())
    except (TypeError, ValueError):
        # Some functions that are written in C.
        return None
    names = []
    n_data = data
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return None
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and n_data:
            # The first are what it is computed from: a layer, masks, a heatmap.
            n_data -= 1
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            names.append(parameter.name)
    return names


def origin(function: Callable[..., Any]) -> str:
    """Return where a function is defined.

    Examples
    --------
    >>> origin(bare)
    'multiplex_vit.signatures.bare'
    """
    module = getattr(function, "__module__", "?")
    name = getattr(function, "__qualname__", repr(function))
    return f"{module}.{name}"
