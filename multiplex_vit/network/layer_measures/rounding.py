"""When numbers that differ are the same but for rounding."""

import numpy as np


def is_constant(values: np.ndarray, weights: np.ndarray) -> bool:
    """Return whether values made of a layer's weights are all the same but for rounding.

    The rows of attention before pruning all sum to 1, but for the rounding of the model's
    arithmetic; a correlation with these sums would be one with noise.

    Parameters
    ----------
    values : ndarray
        Finite.
    weights : ndarray
        What they were computed from; its type says how finely.

    Returns
    -------
    bool
        True where the range of `values` is within 1e-9, and 16 roundings of a weight, of the
        greatest.

    Examples
    --------
    >>> is_constant(np.array([1.0, 1.000001]), np.ones(1, dtype=np.float32))
    True
    >>> is_constant(np.array([1.0, 1.000001]), np.ones(1))
    False
    """
    if not values.size:
        return True
    rounding = 0.0
    if weights.dtype.kind == "f":
        rounding = float(np.finfo(weights.dtype).eps)
    tolerance = max(1e-9, 16 * rounding) * np.abs(values).max()
    return bool(np.ptp(values) <= tolerance)
