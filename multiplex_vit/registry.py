"""Registry: functions by name, so that a new measure is one decorated function."""

import difflib
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from multiplex_vit.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


class Registry(Generic[F]):
    """Functions of one kind by name.

    Parameters
    ----------
    kind : str
        What the members are, for messages: "centrality", "statistic".

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> @shapes.register
    ... def square(side):
    ...     return side * side
    >>> shapes["square"](3)
    9
    >>> list(shapes)
    ['square']
    >>> shapes["sqare"]
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown shape 'sqare' (did you mean 'square'?); known: square
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._functions: dict[str, F] = {}
        self._traits: dict[str, dict[str, Any]] = {}

    def register(self, function: F | str | None = None, /, **traits: Any) -> Any:
        """Add a function under its own name, or under a name given; usable with and without parentheses.

        Parameters
        ----------
        function : callable or str, optional
            The function (plain decorator) or the name to give it (`@register("sum/std")`).
        **traits
            Facts about the function that its room reads with `trait`.

        Raises
        ------
        InputError
            If the name is taken.
        """
        if not callable(function):
            return lambda f: self._add(function or name_of(f), f, traits)
        return self._add(name_of(function), function, traits)

    def _add(self, name: str, function: F, traits: dict[str, Any]) -> F:
        known = self._functions.get(name)
        if known is not None and (_origin(known) != _origin(function) or "<lambda>" in _origin(function)):
            raise InputError(f"{self.kind} {name!r} exists already ({_origin(known)}); choose another name")
        self._functions[name], self._traits[name] = function, traits
        return function

    def __getitem__(self, name: str) -> F:
        if name not in self._functions:
            close = difflib.get_close_matches(str(name), self._functions, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InputError(f"unknown {self.kind} {name!r}{hint}; known: {', '.join(self._functions)}")
        return self._functions[name]

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"<Registry of {self.kind}: {', '.join(self._functions)}>"

    def resolve(self, name: str | F) -> F:
        """Return the function of a name; a callable is returned as it is."""
        return name if callable(name) else self[name]

    def trait(self, name: str | F, trait: str) -> Any:
        """Return what `register` was told about a member, or None; callables outside the registry have no traits."""
        return self._traits.get(name, {}).get(trait) if isinstance(name, str) else None


def name_of(member: str | Callable[..., Any]) -> str:
    """Return the name under which a registry member, or a callable in its place, is reported."""
    return member if isinstance(member, str) else getattr(member, "__name__", repr(member))


def _origin(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
