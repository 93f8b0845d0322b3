import numpy as np
import pandas as pd
import pytest
from scipy import stats

from multiplex_vit.errors import InputError
from multiplex_vit.report.statistics import holm, interval, paired


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = [
        found.low <= 0.3 <= found.high
        for found in (interval(rng.normal(0.3, 0.1, 60)) for _ in range(200))
    ]
    assert 0.90 <= np.mean(covered) <= 0.985


def test_equal_values_have_no_width_and_no_value_is_an_error():
    assert (interval(np.array([0.5, 0.5])).low, interval(np.array([0.5])).high) == (0.5, 0.5)
    with pytest.raises(InputError, match="expected at least one value and finite ones"):
        interval(np.array([]))


def test_holm_is_never_below_the_plain_p_and_keeps_its_order():
    p = np.random.default_rng(0).uniform(size=20)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
    assert corrected.min() == pytest.approx(min(1, 20 * p.min()))
    assert np.isnan(holm(np.array([0.01, np.nan]))).tolist() == [False, True]
    assert holm(np.array([0.01, np.nan]))[0] == 0.01


def test_paired_differences_use_the_images_that_both_have():
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"mutex": rng.normal(size=30), "other": rng.normal(size=30)})
    values.loc[3, "other"] = np.nan
    row = paired(values, "mutex").iloc[0]
    difference = (values["other"] - values["mutex"]).drop(3)
    assert row["images"] == 29
    assert row["mean"] == pytest.approx(difference.mean())
    assert row["p"] == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert row["effect"] == pytest.approx(difference.mean() / difference.std())
    assert row["better"] == (difference > 0).mean()


def test_a_column_that_equals_the_other_differs_by_nothing():
    row = paired(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}), "a").iloc[0]
    assert (row["mean"], row["better"]) == (0, 0.5)
    assert np.isnan(row["p"])


def test_an_unknown_column_is_named():
    with pytest.raises(InputError, match="nothing was measured of 'c'; known: a, b"):
        paired(pd.DataFrame({"a": [1.0], "b": [2.0]}), "c")
