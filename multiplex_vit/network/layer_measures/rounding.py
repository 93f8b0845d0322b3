"""When numbers that differ are the same but for rounding."""

import numpy as np


def constant(values: np.ndarray, weights: np.ndarray) -> bool:
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
    >>> constant(np.array([1.0, 1.000001]), np.ones(1, dtype=np.float32)), constant(np.array([1.0, 1.000001]), np.ones(1))
    (True, False)
    """
    fineness = np.finfo(weights.dtype).eps if weights.dtype.kind == "f" else 0.0
    return bool(values.size == 0 or np.ptp(values) <= max(1e-9, 16 * float(fineness)) * np.abs(values).max())
