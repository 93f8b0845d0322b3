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
from multiplex_vit.spelling import spelled

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
    function = _function(method)
    taken = {key: value for key, value in given.items() if takes(method, key)}
    return partial(function, **taken)


def takes(method: Named, option: str) -> bool:
    """Tell whether a rival, or a function of one's own, has an option that its spelling leaves open.

    Examples
    --------
    >>> takes("rise_tokens", "seed"), takes("rise_tokens(seed=3)", "seed")
    (True, False)
    """
    if option in RIVALS.options(method):
        return False
    try:
        return option in inspect.signature(_function(method)).parameters
    except ValueError:
        return False


def _function(method: Named) -> Explainer:
    """Return a rival's function, or a function of one's own as it is."""
    if not callable(method):
        own = spelled(method)[0] if isinstance(method, str) else method
        if not isinstance(own, str) or own not in RIVALS:
            known = ", ".join([*METHODS, *RIVALS])
            raise InputError(f"unknown method {method!r}; known: {known}")
    return RIVALS.resolve(method)


def _by_settings(settings: Any, model: Any, image: Any, label: int | str | None = None) -> Any:
    return explain(model, image, label=label, settings=settings)


def takes_seed(method: Named) -> bool:
    """Return whether a seed reaches a method: one of `METHODS` and every rival takes one, a function of one's own may.

    Examples
    --------
    >>> takes_seed("mutex"), takes_seed(lambda model, image, label: None)
    (True, False)
    """
    return (isinstance(method, str) and method in METHODS) or takes(method, "seed")
