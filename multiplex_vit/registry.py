"""Registry: functions by name, so that a new measure is one decorated function."""

import ast
import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from multiplex_vit.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])
Named = str | Callable[..., Any]
"""A member of a registry by its name, or any function in its place."""


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
    >>> shapes["square(side=2)"]()
    4
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
        if name != getattr(function, "__name__", name):
            with suppress(AttributeError, TypeError):
                function.registered_name = name  # type: ignore[attr-defined]
        return function

    def __getitem__(self, name: str) -> F:
        """Return a member; a name with options, as `name_of` writes it, gives a partial."""
        own, options = _spelled(name)
        if options and own in self._functions:
            return partial(self._functions[own], **options)  # type: ignore[return-value]
        if name not in self._functions:
            close = difflib.get_close_matches(str(name), self._functions, 1, cutoff=0.7)
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

    def trait(self, name: Named, trait: str) -> Any:
        """Return what `register` was told about a member, given by name or as the function itself (also in a `partial`), or None."""
        if isinstance(name, partial):
            return self.trait(name.func, trait)
        known = _spelled(name)[0] if isinstance(name, str) else next((key for key, function in self._functions.items() if function is name), "")
        return self._traits.get(known, {}).get(trait)


def name_of(member: Named) -> str:
    """Return the name under which a registry member, or a callable in its place, is reported.

    Examples
    --------
    >>> name_of(sorted), name_of(partial(sorted, reverse=True))
    ('sorted', 'sorted(reverse=True)')
    """
    if isinstance(member, str):
        return member
    if isinstance(member, partial):
        given = [*map(repr, member.args), *(f"{name}={value!r}" for name, value in member.keywords.items())]
        return f"{name_of(member.func)}({', '.join(given)})"
    return str(getattr(member, "registered_name", getattr(member, "__name__", repr(member))))


def _spelled(name: Any) -> tuple[str, dict[str, Any]]:
    """Return name and options of "name(option=value)"; anything else is a name without.

    >>> _spelled("betweenness(length='log')"), _spelled("sum/std"), _spelled("f(x)")
    (('betweenness', {'length': 'log'}), ('sum/std', {}), ('f(x)', {}))
    """
    try:
        call = ast.parse(name, mode="eval").body
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args and all(word.arg for word in call.keywords):
            return call.func.id, {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, TypeError):
        pass
    return name, {}


def chosen(registry: Registry[F], members: Named | Iterable[Named] | None) -> list[Named]:
    """Return members as a list: one or several as they came, every one that the registry has for None; unknown names are refused.

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> _ = shapes.register("square", sides=4)(lambda side: side * side)
    >>> chosen(shapes, None), chosen(shapes, "square"), chosen(shapes, [])
    (['square'], ['square'], [])
    """
    if members is None:
        return list(registry)
    if not isinstance(members, Iterable) and not callable(members):
        raise InputError(f"{members!r} is no {registry.kind}; give a name, a function, or several of them")
    several = [members] if isinstance(members, str) or callable(members) else list(members)
    for member in several:
        registry.resolve(member)  # type: ignore[arg-type]
    return several


def _origin(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
