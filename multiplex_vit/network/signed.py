"""Signed weights: which members of registries take weights below 0, and networks of one sign."""

from collections.abc import Callable

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, Registry, name_of

PARTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "positive": lambda weights: np.maximum(weights, 0),
    "negative": lambda weights: np.maximum(-weights, 0),
    "magnitude": np.abs,
}
"""What `Multiplex.part` makes of signed weights, by name."""

_TAKE = "take net.part('positive'), net.part('negative') or net.part('magnitude')"


def refuse_signed(registry: Registry, member: Named, weights: np.ndarray) -> None:
    """Refuse weights below 0 for a member that is not registered with the trait `signed`.

    Functions of the user's own are taken at their word.

    Raises
    ------
    InputError

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> _ = shapes.register("square")(lambda side: side * side)
    >>> refuse_signed(shapes, "square", np.array([-1.0]))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: shape square wants weights of at least 0, and some are below;
    take net.part('positive'), net.part('negative') or net.part('magnitude')
    """
    # A function of the user's own has no traits.
    is_member = bool(registry.own_name(member))
    takes_them = registry.trait(member, "signed")
    if not is_member or takes_them:
        return
    if (weights < 0).any():
        who = f"{registry.kind} {name_of(member)}"
        problem = "wants weights of at least 0"
        raise InputError(f"{who} {problem}, and some are below; {_TAKE}")
