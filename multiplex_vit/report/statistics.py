"""Statistics: intervals, paired differences and corrected p values of figures of many images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError

_RESAMPLES = 5000
"""The ends of a 95 % interval are then uncertain by about 1 % of its length."""


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; printed "0.123 [0.101, 0.145]".

    Attributes
    ----------
    mean, low, high : float
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@checked
def interval(values: np.ndarray, *, level: float = 0.95, seed: int = 0) -> Interval:
    """Return the mean of values with its percentile bootstrap interval.

    See Efron and Tibshirani (1993), chapter 13. Of one value, or of equal ones, both ends are the
    mean.

    Parameters
    ----------
    values : array of float [image]
    level : float
        Confidence level. Default: 0.95.
    seed : int
        Of the resampling. Default: 0.

    Raises
    ------
    InputError
        If there is no value, or one is not finite.

    Examples
    --------
    >>> print(interval(np.array([0.1, 0.2, 0.3, 0.4])))
    0.250 [0.150, 0.350]
    """
    values = np.asarray(values, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        n_bad = np.count_nonzero(~np.isfinite(values))
        wanted = "expected at least one value and finite ones for an interval"
        raise InputError(f"{wanted}, got {values.size} values, {n_bad} of them not finite")
    mean = float(values.mean())
    # Resampling equal values gives their mean, which SciPy warns of.
    if np.ptp(values) == 0:
        return Interval(mean, mean, mean)
    resampled = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    ends = resampled.confidence_interval
    return Interval(mean, float(ends.low), float(ends.high))


def column_means(values: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the mean of each column with its interval, over the rows that have a value.

    Parameters
    ----------
    values : DataFrame [image, column]
    name : str
        What the columns are called in the result.

    Returns
    -------
    DataFrame
        One row a column: the name, images, value, low, high (bootstrap 95 %).

    Examples
    --------
    >>> column_means(pd.DataFrame({"a": [0.5, None]}), "explainer").to_numpy().tolist()
    [['a', 1, 0.5, 0.5, 0.5]]
    """
    rows = []
    for column in values:
        measured = values[column].dropna().to_numpy()
        mean = interval(measured)
        ends = {"value": mean.mean, "low": mean.low, "high": mean.high}
        rows.append({name: column, "images": len(measured), **ends})
    return pd.DataFrame(rows)


def with_first(table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Return a table with some columns before the others.

    Examples
    --------
    >>> with_first(pd.DataFrame({"a": [1], "b": [2]}), ["b"]).columns.tolist()
    ['b', 'a']
    """
    others = [name for name in table if name not in first]
    return table[[*first, *others]]


@checked
def holm(p: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number (Holm, Scand J Stat 6, 65 (1979)).

    NaN stays NaN and does not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    if p.ndim != 1:
        raise InputError(f"expected p values in one dimension, got an array of shape {p.shape}")
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    # The smallest p is multiplied by their number, the next by one less, and so on; none may come
    # out smaller than the one before.
    factors = np.arange(len(order), 0, -1)
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.maximum.accumulate(p[order] * factors).clip(max=1)
    return corrected


@checked
def paired(values: pd.DataFrame, against: str) -> pd.DataFrame:
    """Return the paired difference of every column to one column, over the images that have both.

    Parameters
    ----------
    values : DataFrame [image, explainer]
    against : str
        The column that is subtracted.

    Returns
    -------
    DataFrame
        One row a column but `against`: explainer, against, images, mean, low, high (bootstrap
        95 %), effect (mean over sample standard deviation, Cohen's d_z), better (share of images
        above it, ties half), p (Wilcoxon's signed-rank test, two-sided; NaN where no image
        differs), p_holm.

    Raises
    ------
    InputError
        If there is no such column, or a column shares no image with it.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [0.0, 0.0, 0.0], "b": [0.1, 0.2, 0.3]})
    >>> paired(table, "a")[["explainer", "mean", "better"]].round(3).values.tolist()
    [['b', 0.2, 1.0]]
    """
    if against not in values:
        known = ", ".join(map(str, values))
        raise InputError(f"nothing was measured of {against!r}; known: {known}")
    rows = []
    for name in values.columns.drop(against):
        difference = (values[name] - values[against]).dropna().to_numpy()
        if not len(difference):
            raise InputError(f"{name} and {against} were measured on no image together")
        facts = {"explainer": name, "against": against, "images": len(difference)}
        rows.append({**facts, **_described(difference)})
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"].to_numpy())) if rows else table


def _described(difference: np.ndarray) -> dict[str, float]:
    """Return what may be said of differences [image]."""
    mean = interval(difference)
    spread = difference.std(ddof=1) if len(difference) > 1 else np.nan
    # The test drops what is equal, and has nothing left where all is.
    p = stats.wilcoxon(difference).pvalue if difference.any() else np.nan
    better = (difference > 0).mean() + (difference == 0).mean() / 2
    return {
        "mean": mean.mean,
        "low": mean.low,
        "high": mean.high,
        "effect": mean.mean / spread if spread else np.nan,
        "better": float(better),
        "p": float(p),
    }
