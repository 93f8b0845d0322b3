"""Direction: which way the edges of a network run."""

from typing import Any

from multiplex_vit.checks import one_of
from multiplex_vit.errors import InputError

DIRECTIONS = {
    "attention": "source attends to target",
    "information": "information flows from source to target",
}
"""What an edge says, by the name of its direction; files hold the sentence."""


def checked_direction(edges: Any) -> str:
    """Return the direction of edges, after making sure that there is such a one.

    Raises
    ------
    InputError
        If it is neither "attention" nor "information".

    Examples
    --------
    >>> checked_direction("information")
    'information'
    >>> checked_direction("up")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: edges is 'up'; give one of 'attention', 'information'
    """
    return one_of("edges", edges, tuple(DIRECTIONS))


def opposite(edges: str) -> str:
    """Return the other direction.

    Examples
    --------
    >>> opposite("attention")
    'information'
    """
    return "information" if edges == "attention" else "attention"


def direction_named(sentence: str) -> str:
    """Return the direction of which a file says `sentence`.

    Raises
    ------
    InputError
        If no direction is described so.

    Examples
    --------
    >>> direction_named("source attends to target")
    'attention'
    """
    # Files hold the sentence, since it says more to readers than the name.
    for edges, description in DIRECTIONS.items():
        if sentence == description:
            return edges
    expected = " or ".join(repr(description) for description in DIRECTIONS.values())
    raise InputError(f"edge_direction is {sentence!r}; expected {expected}")
