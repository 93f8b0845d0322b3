"""What a study found, in a table: each setting's worth with its interval, beside a random order."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.study.ablate import rank_correlation
from multiplex_vit.study.plan import FULL, RANDOM
from multiplex_vit.study.statistics import interval, paired

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study


def summarise(study: "Study", measure: str = "difference") -> pd.DataFrame:
    """Return each setting's worth over images.

    Parameters
    ----------
    study : Study
    measure : "difference" (insertion less deletion), "insertion" or "deletion"

    Returns
    -------
    DataFrame
        One row a protocol and setting, the random order last: protocol, setting, the fields that differ, images, value, low, high (bootstrap
        95 %), more, more_low, more_high (paired, than the random order), effect, better, p, p_holm (over the settings), agreement (mean rank
        correlation of the heatmap with the first setting's).

    Raises
    ------
    InputError
        If no unit is done yet.
    """
    table = study.table()
    table = table[(table["measure"] == measure) & table["variant"].isin([FULL, RANDOM])]
    if table.empty:
        raise InputError(f"{study.out} has no {measure} yet; run the study first")
    found = [_protocol(part).assign(protocol=protocol) for protocol, part in table.groupby("protocol", sort=False)]
    varied = table.drop_duplicates("setting").drop(columns=["number", "image", "label", "explained", "probability", "variant", "protocol", "measure", "value"])
    joined = pd.concat(found, ignore_index=True).merge(varied, on="setting", how="left").merge(_agreement(study), on="setting", how="left")
    first = ["protocol", *varied.columns]
    return joined[[*first, *(name for name in joined if name not in first)]]


def _protocol(rows: pd.DataFrame) -> pd.DataFrame:
    order = [*dict.fromkeys(rows["setting"][rows["setting"] != RANDOM]), RANDOM]
    values = rows.pivot(index="number", columns="setting", values="value")[order]
    means = [{"setting": name, **_mean(values[name])} for name in order]
    against = paired(values, RANDOM).rename(columns={"method": "setting", "mean": "more", "low": "more_low", "high": "more_high"})
    return pd.DataFrame(means).merge(against.drop(columns=["against", "images"]), on="setting", how="left")


def _mean(column: pd.Series) -> dict[str, Any]:
    values = column.dropna().to_numpy()
    found = interval(values)
    return {"images": len(values), "value": found.mean, "low": found.low, "high": found.high}


def _agreement(study: "Study") -> pd.DataFrame:
    """Return each setting's mean rank correlation with the first setting's heatmap."""
    names = [name for name, _ in study.plan.settings]
    if "heatmaps" not in study.plan.save:
        return pd.DataFrame({"setting": names, "agreement": np.nan})
    heatmaps = study.heatmaps()
    matrix = rank_correlation(heatmaps[heatmaps["variant"] == FULL], "setting")
    return pd.DataFrame({"setting": matrix.index, "agreement": matrix.iloc[0].to_numpy()})


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, floats with three places, p values with two digits.

    Examples
    --------
    >>> print(markdown(pd.DataFrame({"a|b": ["x"], "p": [0.00012], "value": [0.5]})))
    | a\\|b | p | value |
    |---|---|---|
    | x | 0.00012 | 0.500 |
    """
    lines = [[str(name) for name in table.columns]]
    lines += [[_cell(name, value) for name, value in zip(table.columns, row, strict=True)] for row in table.itertuples(index=False, name=None)]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    rows = [f"| {' | '.join(line)} |" for line in escaped]
    return "\n".join([rows[0], "|" + "---|" * len(table.columns), *rows[1:]])


def _cell(name: Any, value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:.2g}" if str(name).startswith("p") and len(str(name)) <= 6 else f"{value:.3f}"
    return str(value)
