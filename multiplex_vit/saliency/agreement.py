"""Agreement: do two heatmaps put patches in the same order?"""

import numpy as np
from scipy import stats

from multiplex_vit.checks import numbers
from multiplex_vit.errors import InputError


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two heatmaps, ties by their mean rank.

    Spearman, Am J Psychol 15, 72 (1904), doi:10.2307/1412159.

    Parameters
    ----------
    first, second : ndarray [row, col]

    Returns
    -------
    float
        -1 to 1; NaN where a heatmap is flat, as it then puts patches in no order.

    Raises
    ------
    InputError
        If their shapes differ.

    Examples
    --------
    >>> rank_correlation(np.array([[1, 2, 3]]), np.array([[10, 30, 20]]))
    0.5
    >>> rank_correlation(np.array([[1, 2, 3]]), np.array([[4, 4, 4]]))
    nan
    """
    one = numbers("first heatmap", first)
    other = numbers("second heatmap", second)
    if one.shape != other.shape:
        shapes = f"{list(one.shape)} and {list(other.shape)}"
        what = f"heatmaps have shapes {shapes}"
        raise InputError(f"{what}; give two of one grid")
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        # SciPy would warn that no correlation is defined, and return the same.
        return float("nan")
    result = stats.spearmanr(one.ravel(), other.ravel())
    return float(result.statistic)
