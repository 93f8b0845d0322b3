"""What may be said of figures measured on many images: intervals, paired differences, corrected p values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from multiplex_vit.errors import InputError

_RESAMPLES = 5000


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; printed "0.123 [0.101, 0.145]"."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(values: np.ndarray, *, level: float = 0.95, seed: int = 0) -> Interval:
    """Return the mean of values [image] with its percentile bootstrap interval (Efron, Tibshirani, 1993, chapter 13).

    Of one value, or of equal ones, both ends are the mean.

    Examples
    --------
    >>> print(interval(np.array([0.1, 0.2, 0.3, 0.4])))
    0.250 [0.150, 0.350]
    """
    values = np.asarray(values, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise InputError(f"an interval was asked of {values.size} values, some of them perhaps not finite; give at least one finite value")
    mean = float(values.mean())
    if np.ptp(values) == 0:
        return Interval(mean, mean, mean)
    found = stats.bootstrap((values,), np.mean, confidence_level=level, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(seed))
    return Interval(mean, float(found.confidence_interval.low), float(found.confidence_interval.high))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number (Holm, Scand J Stat 6, 65 (1979)); NaN stays and does not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return corrected


def paired(values: pd.DataFrame, against: str) -> pd.DataFrame:
    """Return every column's paired difference to one column, over the rows (images) that have both.

    Parameters
    ----------
    values : DataFrame [image, method]
    against : str
        The column that is subtracted.

    Returns
    -------
    DataFrame
        One row a method but `against`: method, against, images, mean, low, high (bootstrap 95 %), effect (mean over sample standard
        deviation, Cohen's d_z), better (share of images above it, ties half), p (Wilcoxon's signed-rank test, two-sided; NaN where no
        image differs), p_holm.

    Raises
    ------
    InputError
        If there is no such column, or a method shares no image with it.

    Examples
    --------
    >>> paired(pd.DataFrame({"a": [0.0, 0.0, 0.0], "b": [0.1, 0.2, 0.3]}), "a")[["method", "mean", "better"]].round(3).values.tolist()
    [['b', 0.2, 1.0]]
    """
    if against not in values:
        raise InputError(f"nothing was measured of {against!r}; here are {', '.join(map(str, values))}")
    rows = []
    for method in values.columns.drop(against):
        difference = (values[method] - values[against]).dropna().to_numpy()
        if not len(difference):
            raise InputError(f"{method} and {against} were measured on no image together")
        rows.append({"method": method, "against": against, "images": len(difference), **_told(difference)})
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"].to_numpy())) if rows else table


def _told(difference: np.ndarray) -> dict[str, float]:
    between = interval(difference)
    spread = difference.std(ddof=1) if len(difference) > 1 else np.nan
    p = stats.wilcoxon(difference).pvalue if difference.any() else np.nan
    better = float((difference > 0).mean() + (difference == 0).mean() / 2)
    return {
        "mean": between.mean,
        "low": between.low,
        "high": between.high,
        "effect": between.mean / spread if spread else np.nan,
        "better": better,
        "p": float(p),
    }
