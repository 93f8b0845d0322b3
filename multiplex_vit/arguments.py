"""Arguments of the kinds that a signature names, or one clear line.

Annotations are checked when a function is called.
"""

import dataclasses
import functools
import inspect
import os
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

from multiplex_vit.checks import numbers, shown, vision_model, whole_or_none
from multiplex_vit.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

_UNFIT = object()
"""What a check returns for a value of another kind, as None is a value itself."""

_MODELS = ("VisionModel", "Classifier")
"""Classes of models, which are not known on the ground floor.

What answers their questions stands in for them.
"""

_CHECKED_LATER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def checked(function: F) -> F:
    """Let a function refuse arguments of another kind than its parameters are annotated with.

    Whole numbers and arrays of any library become those of Python and NumPy. Parameters without
    an annotation, with `Any`, and those that take the place of `**options` are left to the function.

    Examples
    --------
    >>> @checked
    ... def repeated(text: str, *, times: int = 2) -> str:
    ...     return text * times
    >>> repeated("ab"), repeated("ab", times=3.0)
    ('abab', 'ababab')
    >>> repeated("ab", times="3")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: times is '3'; give a whole number
    """
    return checking(function)


def checked_but(*left: str) -> Callable[[F], F]:
    """Return `checked` for all parameters but some, about which the function itself says more.

    Examples
    --------
    >>> @checked_but("shape")
    ... def area(shape: tuple[int, int]) -> int:
    ...     if len(shape) != 2:
    ...         raise InputError(f"shape is {shape}; give rows and columns")
    ...     return shape[0] * shape[1]
    >>> area((2, 3, 4))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: shape is (2, 3, 4); give rows and columns
    """
    return functools.partial(checking, left=frozenset(left))


def checking(
    function: F,
    left: frozenset[str] = frozenset(),
    first: Mapping[str, Callable[[str, Any], Any]] = types.MappingProxyType({}),
) -> F:
    """Return a function whose arguments are checked before it is run.

    Parameters
    ----------
    function : callable
    left : frozenset of str
        Parameters whose annotation is no check. Default: none.
    first : mapping of str to callable
        For an argument's name, a function of the name and the value that returns the value to
        check by its annotation. Default: none.
    """
    # Read once, when the module is imported: reading a signature takes as long as many functions.
    signature = inspect.signature(function)
    kinds = {}
    for name, parameter in signature.parameters.items():
        is_one = parameter.kind not in _CHECKED_LATER
        is_annotated = parameter.annotation is not inspect.Parameter.empty
        if is_one and is_annotated and name not in left:
            kinds[name] = parameter.annotation

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*args, **options)
        except TypeError:
            # Python's own line names the function, and what it lacks or does not take.
            return function(*args, **options)
        # Defaults are not among the arguments, and are right.
        for name, check in first.items():
            if name in given.arguments:
                given.arguments[name] = check(name, given.arguments[name])
        for name, value in given.arguments.items():
            if name in kinds:
                kind = _known_to(function, kinds[name])
                given.arguments[name] = fitting(name, value, kind)
        return function(*given.args, **given.kwargs)

    return call  # type: ignore[return-value]


def check_fields(record: Any) -> None:
    """Refuse a dataclass whose fields hold values of other kinds than they are annotated with.

    Raises
    ------
    InputError
    """
    for field in dataclasses.fields(record):
        # An annotation in quotes names a class that is not imported there.
        if not isinstance(field.type, str):
            fitting(field.name, getattr(record, field.name), field.type)


def check_options(options: Mapping[str, Any], kinds: type) -> None:
    """Refuse keyword arguments that a TypedDict does not name, or annotates with other kinds.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from typing import TypedDict
    >>> class Asked(TypedDict, total=False):
    ...     seed: int
    >>> check_options({"sed": 3}, Asked)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown option 'sed'; known: seed
    """
    annotations = inspect.get_annotations(kinds)
    for name, value in options.items():
        if name not in annotations:
            raise InputError(f"unknown option {name!r}; known: {', '.join(annotations)}")
        fitting(name, value, annotations[name])


def fitting(name: str, value: Any, kind: Any) -> Any:
    """Return a value as one of the kind that an annotation names.

    Raises
    ------
    InputError
        If it is of another kind.

    Examples
    --------
    >>> fitting("label", np.int64(3), int | str | None)
    3
    >>> fitting("label", 2.5, int | str | None)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: label is 2.5; give a whole number, a text or None
    """
    fitted = _fitted(value, kind)
    if fitted is _UNFIT:
        raise InputError(f"{name} is {shown(value)}; give {_words(kind)}")
    return fitted


def _known_to(function: Callable[..., Any], kind: Any) -> Any:
    """Return an annotation; for one in quotes, the class of that name.

    It is Any where the class is not imported: what nobody has imported cannot be asked for.
    """
    if not isinstance(kind, str):
        return kind
    return getattr(function, "__globals__", {}).get(kind, Any)


def _fitted(value: Any, kind: Any) -> Any:
    """Return a value as one of a kind, or `_UNFIT`."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _as_one_of(value, get_args(kind))
    if origin is Literal:
        return _as_literal(value, get_args(kind))
    check = _CHECKS.get(origin or kind)
    if check is not None:
        return check(value, get_args(kind))
    if isinstance(kind, type):
        return _as_instance(value, kind)
    # Any, type variables, and whatever else is no class.
    return value


def _as_one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    """Return a value of one of several kinds."""
    # What it is already goes before what it can become: 3 is a whole number, and not 3.0.
    for kind in kinds:
        is_class = isinstance(kind, type) and get_origin(kind) is None
        if is_class and type(value) is kind:
            return value
    for kind in kinds:
        fitted = _fitted(value, kind)
        if fitted is not _UNFIT:
            return fitted
    return _UNFIT


def _as_literal(value: Any, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        # To Python 1 and True are equal.
        if type(value) is type(choice) and value == choice:
            return value
    return _UNFIT


def _as_instance(value: Any, kind: type) -> Any:
    if kind.__name__ in _MODELS:
        return vision_model(value)
    if kind in (Any, object):
        return value
    return value if isinstance(value, kind) else _UNFIT


def _as_bool(value: Any, _: Any) -> Any:
    return bool(value) if isinstance(value, (bool, np.bool_)) else _UNFIT


def _as_int(value: Any, _: Any) -> Any:
    number = whole_or_none(value)
    return _UNFIT if number is None else number


def _as_float(value: Any, _: Any) -> Any:
    if isinstance(value, (bool, np.bool_, str, bytes)):
        return _UNFIT
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return _UNFIT


def _as_text(value: Any, _: Any) -> Any:
    return value if isinstance(value, str) else _UNFIT


def _as_path(value: Any, _: Any) -> Any:
    return value if isinstance(value, os.PathLike) else _UNFIT


def _as_function(value: Any, _: Any) -> Any:
    return value if callable(value) else _UNFIT


def _as_none(value: Any, _: Any) -> Any:
    return value if value is None else _UNFIT


def _as_array(value: Any, _: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "bfiu" else _UNFIT
    # Tensors and series have a dtype, and lists are sequences; a mapping or a set has no order.
    is_listed = hasattr(value, "dtype") or isinstance(value, Sequence)
    if isinstance(value, (str, bytes)) or not is_listed:
        return _UNFIT
    try:
        return numbers("array", value)
    except InputError:
        return _UNFIT


def _as_tuple(value: Any, kinds: tuple[Any, ...]) -> Any:
    if not isinstance(value, (tuple, list)):
        return _UNFIT
    if kinds[-1:] == (...,):
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        return _UNFIT
    items = [_fitted(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return _UNFIT if any(item is _UNFIT for item in items) else tuple(items)


def _as_sequence(value: Any, kinds: tuple[Any, ...]) -> Any:
    if not isinstance(value, (Sequence, np.ndarray)):
        return _UNFIT
    return _as_iterable(value, kinds)


def _as_iterable(value: Any, kinds: tuple[Any, ...]) -> Any:
    # An array of no axes is of a class that can be gone through, but it cannot.
    is_single = getattr(value, "shape", None) == ()
    if isinstance(value, bytes) or not isinstance(value, Iterable) or is_single:
        return _UNFIT
    if not kinds:
        return value
    if not isinstance(value, (Collection, np.ndarray)):
        # What can be gone through once only is checked on the way.
        return _each_checked(value, kinds[0])
    # The quick way through long lists of plain values.
    if kinds[0] in (str, int) and set(map(type, value)) <= {kinds[0]}:
        return value
    for item in value:
        if _fitted(item, kinds[0]) is _UNFIT:
            return _UNFIT
    return value


def _each_checked(values: Iterable[Any], kind: Any) -> Iterator[Any]:
    for value in values:
        yield fitting("one of the values", value, kind)


def _as_mapping(value: Any, kinds: tuple[Any, ...]) -> Any:
    if not isinstance(value, Mapping):
        return _UNFIT
    if not kinds:
        return value
    keys = _as_iterable(list(value), kinds[:1])
    values = _as_iterable(list(value.values()), kinds[1:])
    return _UNFIT if keys is _UNFIT or values is _UNFIT else value


_CHECKS: dict[Any, Callable[[Any, Any], Any]] = {
    bool: _as_bool,
    int: _as_int,
    float: _as_float,
    str: _as_text,
    Path: _as_path,
    os.PathLike: _as_path,
    Callable: _as_function,
    types.NoneType: _as_none,
    None: _as_none,
    np.ndarray: _as_array,
    tuple: _as_tuple,
    list: _as_sequence,
    Sequence: _as_sequence,
    Iterable: _as_iterable,
    Collection: _as_iterable,
    Mapping: _as_mapping,
    dict: _as_mapping,
}

_NAMES: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
    os.PathLike: "a path",
    Callable: "a function",
    types.NoneType: "None",
    None: "None",
    np.ndarray: "an array of real numbers",
}


def _words(kind: Any) -> str:
    """Return what an annotation asks for, in words."""
    origin, kinds = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        # Several annotations may be the same words: a list and a tuple are both a list.
        *others, last = dict.fromkeys(_words(one) for one in kinds)
        return f"{', '.join(others)} or {last}" if others else last
    if origin is Literal:
        return "one of " + ", ".join(map(repr, kinds))
    if (origin or kind) in _NAMES:
        return _NAMES[origin or kind]
    if kind in (Mapping, dict):
        return "a table"
    if origin in (Mapping, dict):
        return f"a mapping of {_words(kinds[0])} to {_words(kinds[1])}"
    if origin is tuple and kinds[-1:] != (...,):
        return f"{len(kinds)} values, each {_words(kinds[0])}"
    if origin is not None and kinds:
        return f"a list, each {_words(kinds[0])}"
    if isinstance(kind, type):
        return f"an object of the class {kind.__name__}"
    return "something else"
