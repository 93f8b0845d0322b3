"""What functions accept: arrays of a shape and objects of a class, or one clear line."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from multiplex_vit.arguments import checking
from multiplex_vit.checks import numbers, shown, whole
from multiplex_vit.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])
Check = Callable[[str, Any], Any]

_CHECKED_INSIDE = (
    "measures",
    "measure",
    "coupling",
    "omega",
    "omega_scale",
    "null_model",
    "density",
    "how",
    "format",
    "value",
)
"""Arguments about which registries and couplings say more than an annotation can."""


def accepts(**checks: Check) -> Callable[[F], F]:
    """Let a function refuse arguments that it cannot use, before it is run.

    Parameters
    ----------
    **checks
        For an argument's name, a function of the name and the value that returns the value to use.
        All arguments are then checked by their annotations (see `multiplex_vit.arguments`).

    Examples
    --------
    >>> @accepts(weights=matrix)
    ... def heaviest(weights: np.ndarray, *, share: float = 1) -> float:
    ...     return float(weights.max() * share)
    >>> heaviest([[0, 0.5], [0, 0]])
    0.5
    >>> heaviest("many")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: weights is an array of <U4; give an array of real numbers
    """

    return functools.partial(checking, left=frozenset(_CHECKED_INSIDE), first=checks)


def matrix(name: str, value: Any) -> np.ndarray:
    """Return one layer's weights [source, target], none below 0.

    Examples
    --------
    >>> matrix("weights", np.zeros(3))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: weights has shape [3]; give [source, target], as many of both
    >>> matrix("weights", [[-1.0]])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: weights holds values below 0; give those of one sign, as net.part('positive') has them
    """
    return _not_signed(name, signed_matrix(name, value))


def signed_matrix(name: str, value: Any) -> np.ndarray:
    """Return a matrix [source, target] whose values may be of either sign.

    Examples
    --------
    >>> signed_matrix("weights", [[-1.0]]).tolist()
    [[-1.0]]
    """
    array = _real(name, value)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        shape = f"{name} has shape {list(array.shape)}"
        raise InputError(f"{shape}; give [source, target], as many of both")
    return array


def stack(name: str, value: Any) -> np.ndarray:
    """Return the weights [layer, source, target] of several layers, none below 0.

    Examples
    --------
    >>> stack("weights", np.zeros((1, 2, 2))).shape
    (1, 2, 2)
    """
    return _not_signed(name, signed_stack(name, value))


def signed_stack(name: str, value: Any) -> np.ndarray:
    """Return matrices [layer, source, target] whose values may be of either sign.

    Examples
    --------
    >>> signed_stack("weights", -np.ones((1, 1, 1))).tolist()
    [[[-1.0]]]
    """
    array = _real(name, value)
    if array.ndim != 3 or array.shape[1] != array.shape[2] or not array.size:
        shape = f"{name} has shape {list(array.shape)}"
        raise InputError(f"{shape}; give [layer, source, target] with as many sources as targets")
    return array


def stack_or_tensor(name: str, value: Any) -> Any:
    """Return weights [..., source, target], tensors as they are, on whatever device."""
    # The ground floor does without torch, so a tensor is known by what it can do.
    if hasattr(value, "detach"):
        return value
    array = _real(name, value)
    if array.ndim < 2:
        shape = f"{name} has shape {list(array.shape)}"
        raise InputError(f"{shape}; give [..., source, target]")
    return array


def vector(name: str, value: Any) -> np.ndarray:
    """Return numbers in a row.

    Examples
    --------
    >>> vector("blocks", range(2)).tolist()
    [0.0, 1.0]
    """
    array = _real(name, value)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {list(array.shape)}; give numbers in one row")
    return array


def plane(name: str, value: Any) -> np.ndarray:
    """Return numbers [row, col], such as a heatmap.

    Examples
    --------
    >>> plane("heatmap", [[1, 2]]).shape
    (1, 2)
    """
    array = _real(name, value)
    if array.ndim != 2 or not array.size:
        raise InputError(f"{name} has shape {list(array.shape)}; give [row, col]")
    return array


def picture(name: str, value: Any) -> np.ndarray:
    """Return an image [row, col] or [row, col, channel].

    Examples
    --------
    >>> picture("image", np.zeros((2, 2, 2)))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: image has shape [2, 2, 2]; give [row, col, 3 or 4]
    """
    array = _real(name, value)
    is_grey = array.ndim == 2
    is_coloured = array.ndim == 3 and array.shape[2] in (3, 4)
    if not (is_grey or is_coloured) or not array.size:
        shape = f"{name} has shape {list(array.shape)}"
        raise InputError(f"{shape}; give [row, col, 3 or 4]")
    return array


def grid_size(name: str, value: Any) -> tuple[int, int]:
    """Return rows and columns of patches.

    Examples
    --------
    >>> grid_size("grid", [2, 3])
    (2, 3)
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise InputError(f"{name} is {shown(value)}; give rows and columns of patches")
    rows, cols = value
    return whole(name, rows, at_least=1), whole(name, cols, at_least=1)


def supra_matrix(name: str, value: Any) -> sparse.csr_array:
    """Return the sparse matrix [layer * node, layer * node] of a whole network.

    Examples
    --------
    >>> supra_matrix("supra", np.eye(2)).nnz
    2
    """
    if sparse.issparse(value):
        # A whole network is much larger than its layers, so that a right one is not copied.
        if value.format == "csr" and value.dtype.kind == "f":
            _not_signed(name, value.data)
            return value
        value = value.toarray()
    return sparse.csr_array(matrix(name, value).astype(float))


def not_empty(name: str, value: Any) -> Any:
    """Return a sequence of at least one thing.

    Examples
    --------
    >>> not_empty("layers", [])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: layers is []; give at least one
    """
    # A text has a length too, and so has an array of no axes until it is asked for it.
    is_list = hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict))
    if not is_list or np.ndim(value) == 0:
        raise InputError(f"{name} is {shown(value)}; give a list")
    if not len(value):
        raise InputError(f"{name} is {shown(value)}; give at least one")
    return value


def accepts_two_layers(function: F, check: Check = matrix) -> F:
    """Let a function of the weights `first` and `second` of two layers refuse what are not such.

    `check` is `matrix`, or `signed_matrix` where weights may be below 0.

    Examples
    --------
    >>> @accepts_two_layers
    ... def common(first: np.ndarray, second: np.ndarray) -> int:
    ...     return int((first * second > 0).sum())
    >>> common(np.eye(2), np.eye(3))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: the layers have shapes [2, 2] and [3, 3]; give equal ones
    """

    @functools.wraps(function)
    def call(first: Any, second: Any, **options: Any) -> Any:
        first, second = check("first", first), check("second", second)
        if first.shape != second.shape:
            given = f"the layers have shapes {list(first.shape)} and {list(second.shape)}"
            raise InputError(f"{given}; give equal ones")
        return function(first, second, **options)

    return call  # type: ignore[return-value]


def _not_signed(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "if" and (array < 0).any():
        give = "give those of one sign, as net.part('positive') has them"
        raise InputError(f"{name} holds values below 0; {give}")
    return array


def _real(name: str, value: Any) -> np.ndarray:
    """Return an array of real numbers, of its own type where it is one already."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "bfiu":
        return value
    return numbers(name, value)
