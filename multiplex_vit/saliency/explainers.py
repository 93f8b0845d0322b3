"""Explainers: a method or a rival by its name, or a function in its place, as one kind of function."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named
from multiplex_vit.saliency.explain import explain
from multiplex_vit.saliency.methods import METHODS
from multiplex_vit.saliency.rivals import RIVALS

Explainer = Callable[..., Any]
"""Takes model, image and label, and returns something with heatmap [row, col] and passes."""


def explainer_of(method: Named, *, budget: int | None = None, seed: int = 0) -> Explainer:
    """Return a method of `METHODS`, a rival of `RIVALS` or a function of one's own, with its budget and seed given.

    Parameters
    ----------
    method : str or callable
        A function takes model, image and label, and may have keyword parameters budget and seed.
    budget : int, optional
        Most forward passes; the method's own unless given.
    seed : int

    Raises
    ------
    InputError
        If there is no such method.

    Examples
    --------
    >>> explainer_of("mutx")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown method 'mutx'; known: mutex, multiplex, raw_attention, ...
    """
    given: dict[str, Any] = {"seed": seed, **({} if budget is None else {"budget": budget})}
    if isinstance(method, str) and method in METHODS:
        return partial(_by_settings, replace(METHODS[method], **given))
    if not callable(method) and method not in RIVALS:
        raise InputError(f"unknown method {method!r}; known: {', '.join([*METHODS, *RIVALS])}")
    function = RIVALS.resolve(method)
    taken = inspect.signature(function).parameters
    return partial(function, **{key: value for key, value in given.items() if key in taken})


def _by_settings(settings: Any, model: Any, image: Any, label: int | str | None = None) -> Any:
    return explain(model, image, label=label, settings=settings)


def takes_seed(method: Named) -> bool:
    """Return whether a seed reaches a method: one of `METHODS` and every rival takes one, a function of one's own may.

    Examples
    --------
    >>> takes_seed("mutex"), takes_seed(lambda model, image, label: None)
    (True, False)
    """
    return (isinstance(method, str) and method in METHODS) or "seed" in inspect.signature(RIVALS.resolve(method)).parameters
