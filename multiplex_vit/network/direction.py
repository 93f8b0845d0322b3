"""Direction: which way the edges of a network run."""

from typing import Any

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
    multiplex_vit.errors.InputError: edges is 'up'; give 'attention' or 'information'
    """
    if not isinstance(edges, str) or edges not in DIRECTIONS:
        raise InputError(f"edges is {edges!r}; give 'attention' or 'information'")
    return edges


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
    for edges, known in DIRECTIONS.items():
        if sentence == known:
            return edges
    wanted = " or ".join(map(repr, DIRECTIONS.values()))
    raise InputError(f"edge_direction is {sentence!r}; {wanted} was wanted")
