"""Member: what the registry of explainers knows of a method, whatever its options are."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from multiplex_vit.registry import name_of
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.signatures import origin

KINDS = ("published", "method", "rival", "baseline", "control")
"""What an explainer is in a comparison.

- published: the method of the paper, as it was published.
- method: a method that is put forward, such as `communities` or a function of one's own.
- rival: a method of other authors.
- baseline: knows nothing of the model, so that every method must beat it.
- control: must rank last, or else the measure that ranks it cannot be trusted.
"""


class Passes(NamedTuple):
    """How many sequences go through a model, at most."""

    forward: int
    backward: int


class Sizes(NamedTuple):
    """What a number of passes may depend on; `budget` is 0 for a method that takes none."""

    n_tokens: int
    n_layers: int
    budget: int


Count = int | Callable[[Sizes], int]


def budgeted(sizes: Sizes) -> int:
    """Return the forward passes of a method that uses up its budget."""
    return sizes.budget


@dataclass(frozen=True, eq=False)
class Member:
    """A method of the registry.

    Attributes
    ----------
    name : str
    function : callable
        Takes model, picture, label and the options; with settings it takes model, picture, label,
        settings, batch_size and given networks.
    kind : str
        One of `KINDS`.
    defaults : mapping
        The options and their defaults, in order.
    settings : Settings, optional
        The defaults of a member whose options are the fields of `Settings`, which say how many
        passes it takes.
    forward, backward : int or callable, optional
        Passes at most: a number, or a function of `Sizes`. None where nothing is known of them.
    class_specific : bool
        Whether the heatmap depends on the class.
    each_token : bool
        Whether it takes a pass for each token, whatever the budget.
    any_option : bool
        Whether the function takes options that its signature does not name.
    """

    name: str
    function: Callable[..., Any]
    kind: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings | None = None
    forward: Count | None = None
    backward: Count | None = None
    class_specific: bool = True
    each_token: bool = False
    any_option: bool = False

    def passes(self, sizes: Sizes) -> Passes | None:
        """Return how many passes an image takes at most; None where nothing is known of them."""
        if self.forward is None or self.backward is None:
            return None
        forward = _counted(self.forward, sizes)
        backward = _counted(self.backward, sizes)
        return Passes(forward, backward)


MEMBERS: dict[str, Member] = {}
"""What is registered, by name."""


def member_behind(function: Any) -> Member | None:
    """Return the member that a function was registered as, or None."""
    for member in MEMBERS.values():
        # Members made by settings share their function, which is none of its own.
        if member.function is function and member.settings is None:
            return member
    return None


def own_member(function: Callable[..., Any]) -> Member:
    """Return a function that is not registered as a member."""
    name = name_of(function)
    if name in MEMBERS:
        # It must not be taken for the member where its text is read.
        name = origin(function)
    return member_of(function, name, kind="method")


def member_of(function: Callable[..., Any], name: str, **traits: Any) -> Member:
    """Return a function as a member; its options are its keyword-only parameters.

    Examples
    --------
    >>> def corner(model, picture, label=None, *, size=1): ...
    >>> member_of(corner, "corner", kind="method").defaults
    {'size': 1}
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # Some built-in functions do not say what they take.
        parameters = []
    defaults = {}
    for place, parameter in enumerate(parameters):
        # Model and picture are told by their place, since a function may call them as it likes.
        is_data = place < 2 or parameter.name == "label"
        named = parameter.kind in (
            parameter.KEYWORD_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        )
        if named and not is_data:
            defaults[parameter.name] = parameter.default
    kinds = [parameter.kind for parameter in parameters]
    return Member(
        name,
        function,
        defaults=defaults,
        any_option=inspect.Parameter.VAR_KEYWORD in kinds,
        **traits,
    )


def _counted(count: Count, sizes: Sizes) -> int:
    return count(sizes) if callable(count) else count
