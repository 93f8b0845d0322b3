"""Angle and correlation of two vectors, safe where they are constant, huge or tiny."""

import numpy as np
from scipy.stats import rankdata

_TIED = 1e-12
"""Values that lie nearer to the next than this share of the greatest share a rank."""

_EQUAL = 1e-6
"""Values whose range is below this share of the greatest are taken as equal.

Sums of attention lie so near that rounding alone tells them apart.
"""


def unit(values: np.ndarray) -> np.ndarray:
    """Return values as a vector whose greatest is 1 (or -1).

    So no square overflows or vanishes.

    Examples
    --------
    >>> unit(np.array([[2, 8]])).tolist()
    [0.25, 1.0]
    """
    # Vectors alone have an angle.
    flat = values.ravel().astype(float)
    greatest = np.abs(flat).max(initial=0)
    return flat / greatest if greatest else flat


def cosine_of(x: np.ndarray, y: np.ndarray) -> float:
    """Return the cosine of the angle between two arrays, taken as vectors; NaN if one is zero.

    Examples
    --------
    >>> round(cosine_of(np.array([3.0, 4.0]), np.array([1.0, 0])), 6)
    0.6
    """
    x, y = unit(x), unit(y)
    # Two roots and not one of the product, which could underflow.
    norms = np.sqrt(x @ x) * np.sqrt(y @ y)
    if not norms:
        return np.nan
    return float(np.clip(x @ y / norms, -1, 1))


def pearson_of(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation of two arrays.

    It is NaN if all values of one array are equal to 1 part in a million.

    Examples
    --------
    >>> round(pearson_of(np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 0.0])), 6)
    -1.0
    """
    if _is_constant(x) or _is_constant(y):
        return np.nan
    x, y = unit(x), unit(y)
    return cosine_of(x - x.mean(), y - y.mean())


def spearman_of(x: np.ndarray, y: np.ndarray) -> float:
    """Return Spearman's correlation of two arrays; NaN as for `pearson_of`.

    Equal values share their mean rank.

    Examples
    --------
    >>> round(spearman_of(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 100.0])), 6)
    1.0
    """
    if _is_constant(x) or _is_constant(y):
        return np.nan
    return pearson_of(ranks(x), ranks(y))


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1 up.

    Values that are equal but for rounding share their mean rank.

    Sums of the same numbers in another order differ in their last digits, which must not rank them.

    Examples
    --------
    >>> ranks(np.array([0.3, 0.1 + 0.2, 0.1])).tolist()
    [2.5, 2.5, 1.0]
    """
    scaled = unit(values)
    order = np.argsort(scaled, kind="stable")
    ordered = scaled[order]
    # A step is a value that is greater than the one before, beyond rounding.
    steps = np.diff(ordered, prepend=ordered[:1]) > _TIED
    place = np.empty(len(scaled))
    place[order] = np.cumsum(steps)
    return rankdata(place)


def _is_constant(x: np.ndarray) -> bool:
    return bool(np.ptp(unit(x)) <= _EQUAL)
