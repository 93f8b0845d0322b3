"""Agreement: how alike the heatmaps of explainers are."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from multiplex_vit.arguments import checked
from multiplex_vit.report.given import check_columns, check_study
from multiplex_vit.report.statistics import interval

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study


def rank_correlation(heatmaps: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over images of Spearman's rank correlation between heatmaps.

    An image where one of the two is flat does not count.

    Parameters
    ----------
    heatmaps : DataFrame
        number, explainer, heatmap; one row an image and explainer, as `Study.heatmaps` gives them.

    Returns
    -------
    DataFrame [explainer, explainer]

    Examples
    --------
    >>> rows = {"number": [0, 0], "explainer": ["a", "b"], "heatmap": [[1, 2, 3], [3, 2, 1]]}
    >>> rank_correlation(pd.DataFrame(rows)).to_numpy().round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    check_columns("heatmaps", heatmaps, ("number", "explainer", "heatmap"))
    names = list(dict.fromkeys(heatmaps["explainer"]))
    sums = np.zeros((len(names), len(names)))
    counts = np.zeros((len(names), len(names)))
    for _, part in heatmaps.groupby("number", sort=False):
        places = [names.index(name) for name in part["explainer"]]
        correlations = _correlations(part["heatmap"])
        here = np.ix_(places, places)
        # A flat heatmap has no order, and so no correlation.
        sums[here] += np.nan_to_num(correlations)
        counts[here] += np.isfinite(correlations)
    # Explainers that share no image have no agreement: 0 / 0 is NaN.
    with np.errstate(invalid="ignore"):
        means = sums / counts
    return pd.DataFrame(means, index=names, columns=names)


@checked
def agreement(study: "Study", first: str | None = None) -> pd.DataFrame:
    """Return how alike each explainer's heatmaps are to those of one of them.

    Parameters
    ----------
    study : Study
    first : str, optional
        Text of the explainer that the others are compared with. Default: the study's first.

    Returns
    -------
    DataFrame
        One row an explainer: explainer, agreement (mean over images of Spearman's rank
        correlation), agreement_low, agreement_high (bootstrap 95 %).
    """
    check_study(study)
    heatmaps = study.heatmaps()
    first = str(study.explainers[0]) if first is None else first
    by_explainer: dict[str, list[float]] = {}
    for _, part in heatmaps.groupby("number", sort=False):
        texts = list(part["explainer"])
        if first not in texts:
            # It failed for this image.
            continue
        correlations = _correlations(part["heatmap"])
        row = correlations[texts.index(first)]
        for text, value in zip(texts, row, strict=True):
            # A flat heatmap agrees with nothing, and disagrees with nothing.
            if np.isfinite(value):
                values = by_explainer.setdefault(text, [])
                values.append(float(value))
    rows = []
    for text, values in by_explainer.items():
        mean = interval(np.array(values))
        facts = {
            "explainer": text,
            "agreement": mean.mean,
            "agreement_low": mean.low,
            "agreement_high": mean.high,
        }
        rows.append(facts)
    # Named, as a table of no rows has columns too.
    columns = ["explainer", "agreement", "agreement_low", "agreement_high"]
    return pd.DataFrame(rows, columns=columns)


def _correlations(heatmaps: pd.Series) -> np.ndarray:
    """Return Spearman's correlation between heatmaps; NaN for a flat one."""
    rows = [np.ravel(heatmap) for heatmap in heatmaps]
    values = np.array(rows, dtype=float)
    # All pairs at once: the correlation of ranks is Spearman's, ties included.
    ranks = stats.rankdata(values, axis=1)
    # Ranks of a flat heatmap have no variance to divide by.
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.corrcoef(ranks)
    # Of a single heatmap NumPy gives a bare number.
    return np.atleast_2d(correlations)
