"""Options of an explainer: checked, in order, and as text."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.saliency.settings import Settings

_LEAST = {"budget": 2, "seed": 0}
"""The least value of the options that all explainers mean alike."""


def in_order(
    options: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """Return the options that differ from the defaults, in the defaults' order.

    Examples
    --------
    >>> in_order({"seed": 3, "budget": 55}, {"budget": 55, "seed": 0})
    (('seed', 3),)
    """
    # Those that a signature does not name come last, whatever order they were given in.
    names = [*defaults, *sorted(set(options) - set(defaults))]
    ordered = []
    for name in names:
        if name not in options:
            continue
        value = _hashable(name, options[name])
        if not _is_default(name, value, defaults):
            ordered.append((name, value))
    return tuple(ordered)


def settings_at(base: Settings, options: Mapping[str, Any]) -> Settings:
    """Return settings with some changed, members of registries by their names."""
    return base.at(**options).resolved().by_name()


def of_partial(
    function: Callable[..., Any],
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function inside partials, and the options that they set.

    Examples
    --------
    >>> of_partial(functools.partial(sorted, reverse=True))
    (<built-in function sorted>, {'reverse': True})
    """
    options: dict[str, Any] = {}
    while isinstance(function, functools.partial) and not function.args:
        options = {**function.keywords, **options}
        function = function.func
    return function, options


def _hashable(name: str, value: Any) -> Any:
    if name in _LEAST and value is not None:
        return whole(name, value, at_least=_LEAST[name])
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(_hashable("", part) for part in value)
    try:
        hash(value)
    except TypeError as error:
        kind = type(value).__name__
        wanted = "give a number, a text, a function, or several of them"
        what = f"{name} is of type {kind}"
        raise InputError(f"{what}; {wanted}") from error
    return value


def _is_default(name: str, value: Any, defaults: Mapping[str, Any]) -> bool:
    if name not in defaults:
        return False
    default = defaults[name]
    # True is equal to 1, but is not what was asked for.
    return type(value) is type(default) and value == default
