"""What a study found, in a table: each setting's worth with its interval, beside a random order."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.study.ablate import rank_correlation
from multiplex_vit.study.plan import FULL, RANDOM
from multiplex_vit.study.statistics import interval, paired
from multiplex_vit.tabular import markdown_cell

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study


def summarise(study: "Study", measure: str = "difference", agreement: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return each setting's worth over images.

    Parameters
    ----------
    study : Study
    measure : "difference" (insertion less deletion), "insertion" or "deletion"
    agreement : DataFrame, optional
        What `mean_agreement` gives, where it is at hand: it reads all heatmaps.

    Returns
    -------
    DataFrame
        One row a protocol and setting, the random order last: protocol, setting, the fields that differ, images, value, low, high (bootstrap
        95 %), more, more_low, more_high (paired, than the random order), effect, better, p, p_holm (over the settings), change, change_low,
        change_high, p_change (paired, than the first setting, Holm-corrected over the others), agreement, agreement_low, agreement_high (mean over
        images of the heatmap's rank correlation with the first setting's).

    Raises
    ------
    InputError
        If no unit is done yet.
    """
    table = study.table()
    if table[table["measure"] == measure].empty:
        raise InputError(f"{study.out} has no {measure} yet; run the study first")
    return summarised(table, mean_agreement(study) if agreement is None else agreement, measure)


def summarised(table: pd.DataFrame, agreement: pd.DataFrame, measure: str = "difference") -> pd.DataFrame:
    """Return what `summarise` does, of a study's table, and of each setting's agreement with the first (setting, agreement, ...)."""
    table = table[(table["measure"] == measure) & table["variant"].isin([FULL, RANDOM])]
    found = [_protocol(part).assign(protocol=protocol) for protocol, part in table.groupby("protocol", sort=False)]
    varied = table.drop_duplicates("setting").drop(
        columns=["number", "image", "label", "explained", "probability", "score", "variant", "protocol", "measure", "value"]
    )
    joined = pd.concat(found, ignore_index=True).merge(varied, on="setting", how="left").merge(agreement, on="setting", how="left")
    first = ["protocol", *varied.columns]
    return joined[[*first, *(name for name in joined if name not in first)]]


def _protocol(rows: pd.DataFrame) -> pd.DataFrame:
    order = [*dict.fromkeys(rows["setting"][rows["setting"] != RANDOM]), RANDOM]
    values = rows.pivot(index="number", columns="setting", values="value")[order]
    means = [{"setting": name, **_mean(values[name])} for name in order]
    against = paired(values, RANDOM).rename(columns={"method": "setting", "mean": "more", "low": "more_low", "high": "more_high"})
    first = paired(values[order[:-1]], order[0]) if len(order) > 2 else pd.DataFrame(columns=["method", "mean", "low", "high", "p_holm"])
    names = {"method": "setting", "mean": "change", "low": "change_low", "high": "change_high", "p_holm": "p_change"}
    changes = first[list(names)].rename(columns=names).astype({"setting": object})
    return pd.DataFrame(means).merge(against.drop(columns=["against", "images"]), on="setting", how="left").merge(changes, on="setting", how="left")


def _mean(column: pd.Series) -> dict[str, Any]:
    values = column.dropna().to_numpy()
    found = interval(values)
    return {"images": len(values), "value": found.mean, "low": found.low, "high": found.high}


def agreements(study: "Study") -> pd.DataFrame:
    """Return setting, number and agreement: the rank correlation of each image's heatmap with its heatmap by the first setting, a unit at a time.

    Heatmaps are read a unit at a time, so that memory does not grow with them.
    """
    names = [name for name, _ in study.plan.settings]
    parts = [pd.DataFrame({"setting": pd.Series(dtype=object), "number": pd.Series(dtype=int), "agreement": pd.Series(dtype=float)})]
    for unit in sorted(study.store.done()) if "heatmaps" in study.plan.save else ():
        heatmaps = study.store.read("heatmaps", {unit})
        for number, part in heatmaps[heatmaps["variant"] == FULL].groupby("number"):
            values = rank_correlation(part, "setting").reindex(index=names, columns=names).iloc[0]
            parts.append(pd.DataFrame({"setting": names, "number": number, "agreement": values.to_numpy()}))
    return pd.concat(parts, ignore_index=True)


def mean_agreement(study: "Study") -> pd.DataFrame:
    """Return each setting's mean agreement with the first, and its interval."""
    rows = []
    for name, part in agreements(study).dropna().groupby("setting", sort=False):
        found = interval(part["agreement"].to_numpy(dtype=float))
        rows.append({"setting": name, "agreement": found.mean, "agreement_low": found.low, "agreement_high": found.high})
    return pd.DataFrame(rows, columns=["setting", "agreement", "agreement_low", "agreement_high"])


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
    escaped = [[markdown_cell(cell) for cell in line] for line in lines]
    rows = [f"| {' | '.join(line)} |" for line in escaped]
    return "\n".join([rows[0], "|" + "---|" * len(table.columns), *rows[1:]])


def _cell(name: Any, value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:.2g}" if name == "p" or str(name).startswith("p_") else f"{value:.3f}"
    return str(value)
