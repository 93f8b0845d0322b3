"""The registry of filters, and how one is applied by name."""

import inspect
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from multiplex_vit.accepts import accepts, signed_stack
from multiplex_vit.errors import InputError
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.registry import Named, Registry, name_of
from multiplex_vit.traits import OF_MEASURES

FILTERS: Registry[Callable[..., np.ndarray]] = Registry("filter", traits=OF_MEASURES)
"""A member takes weights [layer, source, target] and, most of them, one number.

It returns new weights of the same shape and type, in which a removed edge is 0. Each says how it
behaves as measures do, by `scale`, `isolates` and `transposed`; see `traits.BEHAVIOUR`.
"""


@accepts(weights=signed_stack)
def filtered(
    weights: np.ndarray,
    how: Named,
    value: float | None = None,
) -> tuple[np.ndarray, str, float | str]:
    """Return the weights that a filter keeps, its name, and its number ("yes" if it has none).

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    how : str or callable
        A member of `FILTERS`, with or without its number, or a function in its place.
    value : float, optional
        The number, where `how` does not set it.

    Raises
    ------
    InputError
        If the filter is unknown, its number is missing, given twice or no number, or it returns
        weights of another shape.

    Examples
    --------
    >>> kept, name, number = filtered(np.array([[[0.5, 0.125], [0.25, 0.0]]]), "min_cut", 0.5)
    >>> kept.tolist(), name, number
    ([[[0.5, 0.0], [0.25, 0.0]]], 'min_cut', 0.5)
    """
    function: Callable[..., np.ndarray] = FILTERS.resolve(how)
    refuse_signed(FILTERS, how, weights)
    member = FILTERS.own_name(how)
    name = member or name_of(how)
    options = list(FILTERS.options(how).values())
    if value is not None and options:
        given = f"filter {name_of(how)} was given {value!r} too"
        raise InputError(f"{given}; give its number once")
    parameters = inspect.signature(function).parameters if member else ()
    # A function of the user's own is taken at its word.
    takes_number = not member or len(parameters) > 1
    if value is not None and not takes_number:
        given = f"filter {name} was given {value!r}"
        raise InputError(f"{given}; it takes no number")
    if member and takes_number and value is None and not options:
        example = f"filter({name!r}, 2)"
        given = f"filter {name} was given no number"
        raise InputError(f"{given}; give one, as in {example}")
    numbers = () if value is None else (value,)
    kept = np.asarray(function(weights, *numbers))
    if kept.shape != weights.shape:
        shapes = f"{list(kept.shape)}; expected {list(weights.shape)}"
        raise InputError(f"filter {name} returned weights of shape {shapes}")
    if value is not None:
        return kept, name, _number(value)
    return kept, name, _number(options[0]) if options else "yes"


def _number(value: Any) -> float | str:
    """Return a filter's number as plain Python has it, whole where it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value)
