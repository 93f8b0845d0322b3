"""Checks of what a user gives.

Each returns the value in its proper type, or says in one line what came and what was wanted.
"""

import math
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_NUMBER, MOST_OF, MOST_WHOLE

Model = TypeVar("Model")

_SHOWN_CLASSES = 12
"""Classes that a message lists."""


def shown(value: Any) -> str:
    """Return a value as messages show it; one that cannot be written is told by its kind.

    Examples
    --------
    >>> shown("3"), shown(np.float32(0.5)), shown(np.zeros((2, 3))), shown(10**5000)
    ("'3'", '0.5', 'an array of float64 [2, 3]', 'int that cannot be shown')
    """
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {list(value.shape)}"
    try:
        return repr(value.item() if isinstance(value, np.generic) else value)
    except Exception:
        # Whole numbers of thousands of digits, and objects of other libraries that are half made.
        return f"{type(value).__name__} that cannot be shown"


def whole(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """Return a whole number.

    Parameters
    ----------
    name : str
        The argument. Default of `at_most`: what `limits.MOST_OF` says of the name.

    Examples
    --------
    >>> whole("steps", 3.0, at_least=1)
    3
    >>> whole("steps", 0, at_least=1)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: steps is 0; give a whole number of at least 1
    >>> whole("budget", 10**9, at_least=2)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: budget is 1000000000; give a whole number of at most 1,000,000
    """
    number = whole_or_none(value)
    if number is None or number < at_least:
        raise InputError(f"{name} is {shown(value)}; give a whole number of at least {at_least}")
    # An absurd number would fill the memory or run for days before anything fails.
    most = MOST_OF.get(name, MOST_WHOLE) if at_most is None else at_most
    if number > most:
        raise InputError(f"{name} is {shown(value)}; give a whole number of at most {most:,}")
    return number


def share(name: str, value: Any) -> float:
    """Return a number from 0 to 1.

    Examples
    --------
    >>> share("min_cut", 1.5)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: min_cut is 1.5; give a number from 0 to 1
    """
    number = _float(value)
    if not 0 <= number <= 1:
        raise InputError(f"{name} is {shown(value)}; give a number from 0 to 1")
    return number


def several(name: str, values: Any) -> np.ndarray:
    """Return one finite number or several, at least one, as an array [number].

    Examples
    --------
    >>> several("values", 0.5).tolist(), several("values", [0, 1]).tolist()
    ([0.5], [0.0, 1.0])
    """
    # NumPy takes an iterator for one object.
    given = list(values) if isinstance(values, Iterator) else values
    array = np.atleast_1d(numbers(name, given))
    if array.ndim != 1 or not len(array):
        shape = f"{name} has shape {list(array.shape)}"
        raise InputError(f"{shape}; give at least one number, in a flat list")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has NaN or infinity; give finite numbers")
    return array


def between_0_and_1(name: str, value: Any) -> float:
    """Return a number above 0 and below 1.

    Examples
    --------
    >>> between_0_and_1("damping", 1)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: damping is 1; give a number between 0 and 1, such as 0.85
    """
    number = _float(value)
    if not 0 < number < 1:
        raise InputError(f"{name} is {value!r}; give a number between 0 and 1, such as 0.85")
    return number


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a word that is one of the choices.

    Examples
    --------
    >>> one_of("how", "linked", ("linked", "multiplex"))
    'linked'
    """
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} is {shown(value)}; give one of {', '.join(map(repr, choices))}")
    return value


def positive(name: str, value: Any, hint: str = "") -> float:
    """Return a finite number above 0.

    Examples
    --------
    >>> positive("omega", 2)
    2.0
    """
    number = _float(value)
    # NaN fails every comparison, so conditions say what is right and not what is wrong.
    if not 0 < number < math.inf:
        raise InputError(f"{name} is {shown(value)}; give a finite number above 0{hint}")
    if number > MOST_NUMBER:
        raise InputError(
            f"{name} is {shown(value)}; give a number of at most {MOST_NUMBER:,}{hint}"
        )
    return number


def not_negative(name: str, value: Any) -> float:
    """Return a finite number of at least 0.

    Examples
    --------
    >>> not_negative("delta", 0)
    0.0
    >>> not_negative("delta", -1)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: delta is -1; give a finite number of at least 0
    """
    number = _float(value)
    if not 0 <= number <= MOST_NUMBER:
        limit = f", at most {MOST_NUMBER:,}" if number > MOST_NUMBER else ""
        raise InputError(f"{name} is {shown(value)}; give a finite number of at least 0{limit}")
    return number


def vision_model(model: Model) -> Model:
    """Return what is asked of as a model; every function that takes one checks it so.

    Examples
    --------
    >>> vision_model(None)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: model is NoneType; give what multiplex_vit.load returns, or VisionModel(module, processor)
    """
    # By what it can do: models of the user's own need not be of a class of this package.
    if isinstance(model, type) or not hasattr(model, "picture"):
        given = type(model).__name__
        if isinstance(model, str):
            given = f"the text {model!r}"
        give = "give what multiplex_vit.load returns, or VisionModel(module, processor)"
        raise InputError(f"model is {given}; {give}")
    return model


def numbers(name: str, values: Any) -> np.ndarray:
    """Return real numbers as an array of floats, from an array, a tensor or lists.

    Examples
    --------
    >>> numbers("heatmap", [[1, 2]]).tolist()
    [[1.0, 2.0]]
    >>> numbers("heatmap", [["a"]])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: heatmap is an array of <U1; give an array of real numbers
    """
    kind = type(values).__name__
    try:
        if hasattr(values, "detach"):
            # A tensor may need its gradient, or lie on a GPU.
            values = values.detach().cpu()
        array = np.asarray(values)
        if array.dtype.kind in "bfiu":
            return array.astype(float)
        kind = f"an array of {array.dtype}"
    except (TypeError, ValueError, RuntimeError):
        # Lists of unequal length, and tensors that hold no values, cannot become an array.
        pass
    raise InputError(f"{name} is {kind}; give an array of real numbers")


def label_index(label: Any, classes: Sequence[str], owner: str) -> int:
    """Return the index of a class given by name or by index.

    A name wins over an index written as text.

    Examples
    --------
    >>> [label_index(label, ["cat", "dog"], "the model") for label in ("dog", "0")]
    [1, 0]
    """
    if isinstance(label, str):
        matches = _classes_named(label, classes)
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise InputError(f"label {label!r} fits classes {matches}; give the index")
        # Digits of any length would be slow to read, and no model has so many classes.
        if not re.fullmatch(r"-?[0-9]{1,18}", label):
            names = ", ".join(classes[:_SHOWN_CLASSES])
            more = ", ..." if len(classes) > _SHOWN_CLASSES else ""
            raise InputError(f"label {label!r} is no class of {owner}; classes: {names}{more}")
        label = int(label)
    number = whole_or_none(label)
    if number is None or not 0 <= number < len(classes):
        there = f"{owner} has classes 0 to {len(classes) - 1}"
        raise InputError(f"label {label!r} is out of range; {there}; give an index or a name")
    return number


def _classes_named(label: str, classes: Sequence[str]) -> list[int]:
    """Return the classes of a name, as it is written, or else whatever its case.

    ImageNet's names list synonyms: "tench, Tinca tinca". Each of them will do.
    """
    exact = [place for place, name in enumerate(classes) if name == label]
    if exact:
        return exact
    wanted = label.lower()
    alike = []
    for place, name in enumerate(classes):
        synonyms = name.lower().split(", ")
        if wanted == name.lower() or wanted in synonyms:
            alike.append(place)
    return alike


def distinct_names(name: str, values: Any, count: int | None = None) -> tuple[str, ...]:
    """Return names as a tuple: distinct texts of printable characters, as many as wanted.

    Examples
    --------
    >>> distinct_names("prefix", ["class"])
    ('class',)
    >>> distinct_names("layer_names", ["a", "a"], 2)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: layer_names is ['a', 'a']; give 2 distinct names of printable characters
    """
    several = isinstance(values, Iterable) and not isinstance(values, str)
    names = list(values) if several else [None]
    texts = []
    for text in names:
        if isinstance(text, str) and text and text.isprintable():
            texts.append(text)
    distinct = len(set(texts)) == len(names)
    if not distinct or count not in (None, len(names)):
        given = names if several else shown(values)
        number = f"{count} " if count else ""
        raise InputError(f"{name} is {given}; give {number}distinct names of printable characters")
    return tuple(texts)


def layer_index(layer: Any, names: Sequence[str]) -> int:
    """Return the place of a layer given by name or by number, negative from the end.

    Examples
    --------
    >>> layer_index("L01", ["L00", "L01"]), layer_index(-1, ["L00", "L01"])
    (1, 1)
    """
    if isinstance(layer, str) and layer in names:
        return list(names).index(layer)
    number = whole_or_none(layer)
    if number is None or not -len(names) <= number < len(names):
        give = f"give 0 to {len(names) - 1}, or a name such as {names[-1]!r}"
        raise InputError(f"there is no layer {layer!r}; {give}")
    return number % len(names)


def whole_or_none(value: Any) -> int | None:
    """Return a value as an int if it is one, of Python or NumPy, or a float without a fraction.

    Examples
    --------
    >>> whole_or_none(np.int8(3)), whole_or_none(2.5), whole_or_none(True)
    (3, None, None)
    """
    # To Python True is 1, and "3" is no number though int("3") is.
    if isinstance(value, (bool, np.bool_, str, bytes)):
        return None
    try:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        # Tensors without values cannot become a number.
        return None


def _float(value: Any) -> float:
    """Return a number as a float, anything else as NaN."""
    if isinstance(value, (bool, str, bytes)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
