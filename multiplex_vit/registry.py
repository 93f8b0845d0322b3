"""Registry: functions by name, so that a new measure is one decorated function."""

import functools
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, Generic, TypeVar

from multiplex_vit.arguments import fitting
from multiplex_vit.checks import whole, whole_or_none
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_WHOLE
from multiplex_vit.signatures import bare, option_names, origin
from multiplex_vit.spelling import base_name, called, did_you_mean, spelled
from multiplex_vit.traits import Traits, check_traits

F = TypeVar("F", bound=Callable[..., Any])
Named = str | Callable[..., Any]
"""A member of a registry by its name, or any function in its place."""

_NAME = "registered_name"
"""Attribute of a function that holds the name under which it was registered."""


class Registry(Generic[F]):
    """Functions of one kind by name.

    A member is asked for by its name ("katz"), by its name with options
    ("katz(attenuation=0.5)"), by the function itself, or by a `functools.partial` of it. All four
    mean the same member, in every method.

    Parameters
    ----------
    kind : str
        What the members are, for messages: "centrality", "statistic".
    data : int
        How many arguments a member is given first, which are no options. Default: 1.
    traits : mapping of str to annotation, optional
        What may be said of a member where it is registered, such as {"places": bool}. Default:
        None, anything.

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> @shapes.register
    ... def rectangle(side, *, ratio=1):
    ...     return side * side * ratio
    >>> shapes["rectangle"](3), shapes["rectangle(ratio=2)"](3)
    (9, 18)
    >>> list(shapes), "rectangle(ratio=2)" in shapes, "rectangle(rato=2)" in shapes
    (['rectangle'], True, False)
    >>> shapes["rectangel"]
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown shape 'rectangel' (did you mean ...
    >>> shapes["rectangle(rato=2)"]
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: shape rectangle has no option 'rato' (did you mean ...
    >>> @shapes.register
    ... def square(side, *, unit: float = 1.0):
    ...     return side * side * unit
    >>> shapes["square(unit='cm')"]
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unit of shape square is 'cm'; give a number
    """

    def __init__(self, kind: str, *, data: int = 1, traits: Traits | None = None):
        self.kind = kind
        self.data = data
        self.traits = traits
        self._functions: dict[str, F] = {}
        self._traits: dict[str, dict[str, Any]] = {}

    def register(self, function: F | str | None = None, /, **traits: Any) -> Any:
        """Add a function under its own name, or under another one.

        It is a decorator, with and without parentheses.

        Parameters
        ----------
        function : callable or str, optional
            The function (plain decorator) or the name to give it (`@register("sum/std")`).
        **traits
            Facts about the function that its room reads with `trait`.

        Raises
        ------
        InputError
            If the name is taken, or there is no such trait, or it cannot have such a value.

        Examples
        --------
        >>> shapes = Registry("shape", traits={"corners": int})
        >>> @shapes.register(corner=4)
        ... def square(side):
        ...     return side * side
        Traceback (most recent call last):
        multiplex_vit.errors.InputError: shape 'square' has no trait 'corner' (did you mean 'corners'?); known: corners
        """
        if not callable(function):
            return lambda f: self._add(function or name_of(f), f, traits)
        return self._add(name_of(function), function, traits)

    def _add(self, name: str, function: F, traits: dict[str, Any]) -> F:
        if self.traits is not None:
            check_traits(f"{self.kind} {name!r}", traits, self.traits)
        taken = self._functions.get(name)
        if taken is not None:
            where = origin(taken)
            # The same function comes again where its module is read again, as in a notebook; two
            # lambdas of a module cannot be told apart.
            is_same = where == origin(function) and "<lambda>" not in where
            if not is_same:
                what = f"{self.kind} {name!r} exists already ({where})"
                raise InputError(f"{what}; choose another name")
        self._functions[name] = _under(name, function)
        self._traits[name] = traits
        return function

    def remove(self, name: str) -> None:
        """Take a member out.

        Raises
        ------
        InputError
            If there is none of that name.

        Examples
        --------
        >>> shapes = Registry("shape")
        >>> _ = shapes.register("square")(lambda side: side * side)
        >>> shapes.remove("square")
        >>> list(shapes)
        []
        """
        if name not in self._functions:
            raise InputError(self._unknown(name, name))
        del self._functions[name], self._traits[name]

    def __getitem__(self, name: str) -> F:
        """Return a member; a name with options gives a partial.

        Raises
        ------
        InputError
            If there is no such member, or it has no such option.
        """
        if not isinstance(name, str):
            shown = type(name).__name__
            raise InputError(f"a {self.kind} is wanted, not {shown}; give a name or a function")
        # A registered name may hold brackets itself, so that it comes before what is read as options.
        if name in self._functions:
            return self._functions[name]
        base = base_name(name)
        if base not in self._functions:
            raise InputError(self._unknown(name, base))
        function = self._functions[base]
        _, options = spelled(name)
        self._check_options(base, function, options)
        return functools.partial(function, **options)  # type: ignore[return-value]

    def __contains__(self, member: object) -> bool:
        """Tell whether a name, with or without options, is known, or a function is a member."""
        if not isinstance(member, str):
            return callable(member) and bool(self.own_name(member))
        with suppress(InputError):
            return callable(self[member])
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"<Registry of {self.kind}: {', '.join(self._functions)}>"

    def resolve(self, member: str | F) -> F:
        """Return the function of a name; a callable is returned as it is.

        Raises
        ------
        InputError
            If there is no such member, or it has no such option; also in a `partial` of a member.
        """
        if not callable(member):
            return self[member]
        registered = self.own_name(member)
        if registered and isinstance(member, functools.partial):
            self._check_options(registered, self._functions[registered], self.options(member))
        return member

    def own_name(self, member: Named) -> str:
        """Return the name under which a member was registered, however it is spelled; else "".

        Examples
        --------
        >>> shapes = Registry("shape")
        >>> @shapes.register
        ... def square(side, *, unit=1):
        ...     return side * side * unit
        >>> spellings = ["square", "square(unit=2)", square, functools.partial(square, unit=2), abs]
        >>> [shapes.own_name(member) for member in spellings]
        ['square', 'square', 'square', 'square', '']
        """
        if isinstance(member, str):
            return self._own_name_of_text(member)
        # What is registered may be a partial itself, so every link of the chain may be a member.
        link: Any = member
        while True:
            for name, function in self._functions.items():
                if function is link:
                    return name
            if not isinstance(link, functools.partial):
                break
            link = link.func
        # Or the function inside of one that was registered as a partial.
        for name, function in self._functions.items():
            if bare(function) is link:
                return name
        return ""

    def _own_name_of_text(self, text: str) -> str:
        if text in self._functions:
            return text
        # A text whose options cannot be read means no member.
        with suppress(InputError):
            base, _ = spelled(text)
            return base if base in self._functions else ""
        return ""

    def options(self, member: Named) -> dict[str, Any]:
        """Return the options that a spelling of a member sets.

        Examples
        --------
        >>> Registry("shape").options("square(unit=2)")
        {'unit': 2}
        """
        if isinstance(member, str):
            return {} if member in self._functions else spelled(member)[1]
        options: dict[str, Any] = {}
        functions = list(self._functions.values())
        # By identity: what is registered may be equal to another function without being it.
        while isinstance(member, functools.partial) and not any(f is member for f in functions):
            # Outer partials win, as Python has it.
            options = {**member.keywords, **options}
            member = member.func
        return options

    def takes(self, member: Named, option: str) -> bool:
        """Tell whether a member, or a function in its place, has an option that is not set yet."""
        if option in self.options(member):
            return False
        known = option_names(self.resolve(member), self.data)  # type: ignore[arg-type]
        return known is None or option in known

    def written(self, member: Named) -> str:
        """Return the text by which a file names a member, so that `registry[text]` gives it back.

        A function that is no member, but is named as one, is written with its module: it must not
        be taken for the member when the file is read.

        Examples
        --------
        >>> shapes = Registry("shape")
        >>> _ = shapes.register("sorted")(lambda side: side)
        >>> shapes.written("sorted"), shapes.written(sorted)
        ('sorted', 'builtins.sorted')
        """
        if isinstance(member, str):
            return member
        registered = self.own_name(member)
        if registered:
            return called(registered, self.options(member))
        name = name_of(member)
        return origin(bare(member)) if name in self else name

    def trait(self, member: Named, trait: str) -> Any:
        """Return what `register` was told about a member, however it is spelled, or None."""
        return self._traits.get(self.own_name(member), {}).get(trait)

    def _unknown(self, name: str, base: str) -> str:
        hint = did_you_mean(base, self._functions)
        return f"unknown {self.kind} {name!r}{hint}; known: {', '.join(self._functions)}"

    def _check_options(self, name: str, function: F, options: Mapping[str, Any]) -> None:
        known = option_names(function, self.data)
        if known is None:
            return
        for option in options:
            if option not in known:
                which = f"known: {', '.join(known)}" if known else "it has none"
                hint = did_you_mean(option, known)
                raise InputError(f"{self.kind} {name} has no option {option!r}{hint}; {which}")
        annotations = inspect.signature(bare(function)).parameters
        for option, value in options.items():
            kind = annotations[option].annotation
            # An annotation in quotes names a class that may not be imported.
            if kind is inspect.Parameter.empty or isinstance(kind, str):
                continue
            fitting(f"{option} of {self.kind} {name}", value, kind)
            if whole_or_none(value) is not None:
                whole(option, value, at_least=-MOST_WHOLE)


def name_of(member: Named) -> str:
    """Return the name under which a registry member, or a callable in its place, is reported.

    Examples
    --------
    >>> name_of(sorted), name_of(functools.partial(sorted, reverse=True))
    ('sorted', 'sorted(reverse=True)')
    """
    if isinstance(member, str):
        return member
    # In its own attributes alone: an object's class may have been registered too.
    registered = vars(member).get(_NAME) if hasattr(member, "__dict__") else None
    if registered is not None:
        return str(registered)
    if isinstance(member, functools.partial):
        return called(name_of(member.func), member.keywords, member.args)
    return str(getattr(member, "__name__", type(member).__name__))


def chosen(registry: Registry[F], members: Named | Iterable[Named] | None) -> list[Named]:
    """Return members as a list: one or several as they came; all of the registry for None.

    Raises
    ------
    InputError
        If one is unknown, or something else than a name or a function.

    Examples
    --------
    >>> shapes = Registry("shape")
    >>> _ = shapes.register("square", sides=4)(lambda side: side * side)
    >>> chosen(shapes, None), chosen(shapes, "square"), chosen(shapes, [])
    (['square'], ['square'], [])
    """
    if members is None:
        return list(registry)
    single = isinstance(members, str) or callable(members)
    # An array can be gone through, but holds no names.
    if not single and (not isinstance(members, Iterable) or hasattr(members, "dtype")):
        what = f"a {registry.kind} is wanted, not {type(members).__name__}"
        raise InputError(f"{what}; give a name, a function, or several of them")
    several: list[Any] = [members] if single else list(members)  # type: ignore[arg-type]
    for member in several:
        registry.resolve(member)
    return several


def import_members(package: str, first: Iterable[str] = ()) -> None:
    """Import every file of a package, so that what it registers is there.

    So a new member is one new file, and a line nowhere else.

    Parameters
    ----------
    package : str
        Its full name, `__name__` in its own `__init__.py`.
    first : iterable of str
        Files whose members come first in tables, in this order; the others follow by name.
        Default: none.
    """
    folder = sys.modules[package].__path__
    others = sorted(module.name for module in pkgutil.iter_modules(folder))
    for file in dict.fromkeys([*first, *others]):
        import_module(f"{package}.{file}")


def _under(name: str, function: F) -> F:
    """Return a function that `name_of` gives this name.

    A function that has a name already, as its own or from an earlier registration, keeps it: what
    is registered under a second name is a thin cover of it.
    """
    if name_of(function) == name:
        with suppress(AttributeError, TypeError):
            setattr(function, _NAME, name)
        return function
    if _NAME not in getattr(function, "__dict__", {_NAME: ""}):
        setattr(function, _NAME, name)
        return function
    cover = functools.partial(function)
    functools.update_wrapper(cover, function)
    setattr(cover, _NAME, name)
    return cover  # type: ignore[return-value]
