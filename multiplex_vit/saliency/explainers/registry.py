"""EXPLAINERS: the registry of explainers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from multiplex_vit.arguments import checked_but
from multiplex_vit.checks import one_of
from multiplex_vit.errors import InputError
from multiplex_vit.saliency.explainers.explainer import Explainer, explainer_at
from multiplex_vit.saliency.explainers.member import (
    KINDS,
    MEMBERS,
    Count,
    Member,
    member_behind,
    member_of,
)
from multiplex_vit.saliency.explainers.options import of_partial
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.signatures import origin
from multiplex_vit.spelling import base_name, did_you_mean, spelled


class Explainers(Mapping[str, Explainer]):
    """The registry of explainers: name -> `Explainer`.

    There is one, `EXPLAINERS`. A name with options, "rise_tokens(budget=550)", an `Explainer`, and
    a function of one's own are taken wherever a name is.

    Examples
    --------
    >>> EXPLAINERS["rise_tokens(budget=550)"].options
    mappingproxy({'budget': 550})
    >>> "rise_tokens(budget=550)" in EXPLAINERS, "rise_tokens(budgt=550)" in EXPLAINERS
    (True, False)
    >>> EXPLAINERS["rolout"]
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown explainer 'rolout' (did you mean ...
    """

    @checked_but("function")
    def register(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        kind: str = "method",
        forward: Count | None = None,
        backward: Count | None = None,
        class_specific: bool = True,
        each_token: bool = False,
    ) -> Any:
        """Add a function under its own name; usable with and without parentheses.

        Parameters
        ----------
        function : callable
            Takes model, picture and label, and keyword-only options with defaults; returns an
            explanation (see `Target.answer`), or an array [row, col]. An option `budget` is the
            most forward passes, an option `seed` is that of all random numbers.
        kind : str
            One of `KINDS`. Default: "method".
        forward, backward : int or callable, optional
            How many passes an image takes at most: a number, or a function of `Sizes`.
        class_specific : bool
            Whether the heatmap depends on the class. Default: True.
        each_token : bool
            Whether it takes a pass for each token, whatever the budget. Default: False.

        Raises
        ------
        InputError
            If another function has that name, or a fact is of a wrong kind.
        """
        one_of("kind", kind, KINDS)
        traits: dict[str, Any] = {
            "kind": kind,
            "forward": forward,
            "backward": backward,
        }
        traits |= {"class_specific": class_specific, "each_token": each_token}

        # The function itself comes back, so that its module has it under its name.
        def added(function: Callable[..., Any]) -> Callable[..., Any]:
            self.add(member_of(function, function.__name__, **traits))
            return function

        return added if function is None else added(function)

    def add(self, member: Member) -> None:
        """Add a member; InputError if another one has its name."""
        taken = MEMBERS.get(member.name)
        # The same function comes again where its module is read again.
        if taken is not None and origin(taken.function) != origin(member.function):
            where = origin(taken.function)
            raise InputError(
                f"explainer {member.name!r} exists already ({where}); choose another name"
            )
        MEMBERS[member.name] = member

    def remove(self, name: str) -> None:
        """Take a member out; InputError if there is none of that name."""
        if name not in MEMBERS:
            raise InputError(self._unknown(name, name))
        del MEMBERS[name]

    def __getitem__(self, name: str) -> Explainer:
        """Return the explainer of a name, with or without options.

        Raises
        ------
        InputError
            If there is no such explainer, or it has no such option.
        """
        if not isinstance(name, str):
            shown = type(name).__name__
            what = f"an explainer is wanted, not {shown}"
            raise InputError(f"{what}; give a name or a function")
        base = base_name(name)
        if base not in MEMBERS:
            raise InputError(self._unknown(name, base))
        # A name may hold what a file or a command line says, so that nothing of it is run.
        _, options = spelled(name)
        return explainer_at(MEMBERS[base], {}).at(**options)

    def __contains__(self, explainer: object) -> bool:
        """Tell whether a name, with or without options, or a function is a member."""
        if isinstance(explainer, str):
            # What has a wrong option is none either.
            with suppress(InputError):
                return self[explainer] is not None
            return False
        if isinstance(explainer, Explainer):
            return MEMBERS.get(explainer.name) is explainer._member
        if not callable(explainer):
            return False
        function, _ = of_partial(explainer)
        return member_behind(function) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(MEMBERS)

    def __len__(self) -> int:
        return len(MEMBERS)

    def __repr__(self) -> str:
        return f"<Explainers: {', '.join(MEMBERS)}>"

    def resolve(self, explainer: "str | Explainer | Settings | Callable[..., Any]") -> Explainer:
        """Return an explainer from its name, settings of masks, or a function in its place.

        Raises
        ------
        InputError
            If there is no such explainer, or it has no such option.
        """
        if isinstance(explainer, Explainer):
            return explainer
        if isinstance(explainer, Settings):
            # The text is that of the nearest member; functions of one's own are in the choices.
            return self[base_name(explainer.text)].at(**explainer.choices())
        if not callable(explainer):
            return self[explainer]
        return Explainer.of(explainer)

    def _unknown(self, name: str, base: str) -> str:
        close = did_you_mean(base, MEMBERS)
        return f"unknown explainer {name!r}{close}; known: {', '.join(MEMBERS)}"


EXPLAINERS = Explainers()
