"""Scores of an observed value against samples of a null model."""

import numpy as np


def z_and_p(observed: float, samples: np.ndarray) -> tuple[float, float]:
    """Return the z-score and the empirical p-value of a value against samples of a null model.

    Parameters
    ----------
    observed : float
    samples : ndarray [sample]
        At least 2.

    Returns
    -------
    z : float
        (observed - mean) / standard deviation, with samples - 1 degrees of freedom; NaN where
        samples do not differ but for rounding.
    p : float
        (1 + samples at least as far from the mean, either way) / (1 + samples), so 1 / (1 +
        samples) at least. The mean is that of samples and observed value together.

    Both are NaN where the value or a sample is.

    References
    ----------
    Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010), doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> z, p = z_and_p(5.0, np.array([1.0, 2.0, 3.0]))
    >>> z, p
    (3.0, 0.25)
    >>> z_and_p(2.0, np.array([2.0, 2.0, 2.0]))
    (nan, 1.0)
    """
    # Under the null model the observed value is one of the samples.
    values = np.append(samples, observed)
    if np.isnan(values).any():
        return np.nan, np.nan
    # Values that are equal differ by rounding still: relative to their size, and about 1e-16
    # around 0.
    rounding = 1e-10 * np.abs(samples).max() + 1e-14
    deviation = samples.std(ddof=1)
    z = np.nan
    if deviation > rounding:
        z = (observed - samples.mean()) / deviation
    distance = np.abs(values - values.mean())
    # The observed value is the last one.
    as_far = np.count_nonzero(distance[:-1] >= distance[-1] - rounding)
    return float(z), float((1 + as_far) / len(values))
