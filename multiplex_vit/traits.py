"""Traits: what members of registries say of themselves."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from multiplex_vit.arguments import fitting
from multiplex_vit.errors import InputError
from multiplex_vit.spelling import did_you_mean

Traits = Mapping[str, Any]
"""What may be said of a member, by the name of the trait: an annotation of its values."""

OF_MEASURES: Traits = {
    "scale": Literal["invariant", "linear", "none"],
    "isolates": Literal["kept", "proportional", "counted"],
    "transposed": str,
    "places": bool,
    "signed": bool,
}
"""Traits of measures.

Tests read them, so that a new member is tested by what it says of itself.

- scale: all weights times c leave values as they are ("invariant"), give c times the values
  ("linear"), or neither ("none"; its docstring says why).
- isolates: one more node without edges leaves the values of others as they are ("kept"), leaves
  their proportions, as the number of nodes is a common factor ("proportional"), or changes them,
  as they count nodes ("counted").
- transposed: the member that has these values where every edge is turned round; absent where no
  member has.
- places: True where it matters where on the grid a node lies, so that nodes may be renumbered by
  reflections alone.
- signed: True where weights may be below 0, as relevance is; others refuse them.
"""

BEHAVIOUR = {name: get_args(OF_MEASURES[name]) for name in ("scale", "isolates")}
"""What the traits may be that every measure has."""


def check_traits(member: str, given: Mapping[str, Any], known: Traits) -> None:
    """Refuse what no member can be said to be.

    Parameters
    ----------
    member : str
        How the message calls it.
    given : mapping of str to value
    known : mapping of str to annotation

    Raises
    ------
    InputError
        If there is no such trait, or it cannot have such a value.

    Examples
    --------
    >>> check_traits("centrality 'mine'", {"scale": "lineer"}, OF_MEASURES)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: trait scale of centrality 'mine' is 'lineer'; give one of ...
    """
    for trait, value in given.items():
        if trait not in known:
            hint = did_you_mean(trait, known)
            # Some registries have members of whom nothing is said.
            which = "it can have none"
            if known:
                which = f"known: {', '.join(known)}"
            raise InputError(f"{member} has no trait {trait!r}{hint}; {which}")
        fitting(f"trait {trait} of {member}", value, known[trait])
