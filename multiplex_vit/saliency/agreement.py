"""Agreement: do two heatmaps put patches in the same order?"""

import numpy as np
from scipy import stats

from multiplex_vit.checks import numbers
from multiplex_vit.errors import InputError


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two heatmaps (Spearman, Am J Psychol 15, 72 (1904), doi:10.2307/1412159), ties by their mean rank.

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
    a, b = numbers("first heatmap", first), numbers("second heatmap", second)
    if a.shape != b.shape:
        raise InputError(
            f"heatmaps have shapes {list(a.shape)} and {list(b.shape)}; give two of one grid"
        )
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.spearmanr(a.ravel(), b.ravel()).statistic)
