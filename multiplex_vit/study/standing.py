"""Standing: how methods stand to one another by one protocol, and as much of it as may be said."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.saliency.explainers import EXPLAINERS
from multiplex_vit.study.statistics import interval, paired

AREAS = ("insertion", "deletion", "negative", "positive", "difference")
_TURNS = 200
OWN = "mutex"
"""The method that others are compared with unless another is named."""


def entries(table: pd.DataFrame) -> pd.Series:
    """Return the name of each row's method, with its budget where the table has the method at several.

    Examples
    --------
    >>> entries(pd.DataFrame({"method": ["a", "b", "b"], "budget": [None, 55, 550]}, dtype=object)).tolist()
    ['a', 'b 55', 'b 550']
    """
    several = table.groupby("method")["budget"].transform(lambda budgets: budgets.nunique(dropna=False)) > 1
    budgets = table["budget"].map(lambda budget: "" if pd.isna(budget) else f" {int(budget)}")
    return table["method"] + budgets.where(several, "")


def standing(table: pd.DataFrame, *, against: str | Iterable[str] | None = None) -> pd.DataFrame:
    """Return one row a method and budget, best first.

    Parameters
    ----------
    table : DataFrame
        Rows of one protocol, as `Comparison.table` gives them.
    against : str or iterable of str, optional
        Methods that every other is compared with, image by image (of several budgets the least, or named as an entry: "rise_tokens 550");
        "mutex" where it was measured.

    Returns
    -------
    DataFrame
        rank, entry (method, and its budget where there are several), method, budget, images, forward_passes (mean), backward_passes (mean),
        seconds (median), then for insertion, deletion and difference the mean and its ends (difference, difference_low, difference_high:
        bootstrap 95 % over images), adjusted (see `adjusted`; the order of the rows), then for each compared with the paired difference to it with its ends (to_mutex, to_mutex_low,
        to_mutex_high) and p_mutex (Wilcoxon's signed-rank test, two-sided, Holm-corrected over the table). The last is the rival of the best
        adjusted mean, whatever its passes; `best_rival` names it.
        Entries whose paired interval against the one above holds 0 share a rank, "1-3".

    Raises
    ------
    InputError
        If the rows are of several protocols, or `against` was not measured.
    """
    protocols = table["protocol"].unique()
    if len(protocols) != 1:
        raise InputError(f"rows of {' and '.join(protocols) or 'no protocol'} came; a table is of one protocol")
    table = table.assign(entry=entries(table))
    values = table.pivot(index="image", columns="entry", values="difference")
    fair = adjusted(values).sort_values(ascending=False, kind="stable")
    order = list(fair.index)
    rows = pd.DataFrame([_own(table[table["entry"] == entry]) for entry in order]).assign(adjusted=fair.to_numpy())
    rows.insert(0, "rank", ranked(values[order]))
    best = _best_rival(table, order)
    others = list(dict.fromkeys([*_against(table, against), *([best] if best else [])]))
    for other in others:
        rows = rows.merge(_differences(values, other), on="entry", how="left")
    return rows.assign(best_rival=best) if best else rows


def adjusted(values: pd.DataFrame) -> pd.Series:
    """Return the mean of each column of values [image, entry], as if every entry had been measured on every image.

    Least-squares means of value = entry + image, found by turns; where nothing is missing they are the plain means.

    Examples
    --------
    >>> adjusted(pd.DataFrame({"a": [0.2, 0.6], "b": [0.3, None]})).round(6).to_dict()
    {'a': 0.4, 'b': 0.5}
    """
    entry = values.mean()
    for _ in range(_TURNS if values.isna().any(axis=None) else 1):
        image = values.sub(entry).mean(axis=1)
        entry = values.sub(image, axis=0).mean()
    return entry + image.mean()


def ranked(values: pd.DataFrame) -> list[str]:
    """Return the rank of each column of values [image, entry], best first: "1-3" where the paired intervals do not tell neighbours apart.

    Examples
    --------
    >>> values = pd.DataFrame({"a": [0.9, 0.8, 0.9], "b": [0.8, 0.9, 0.9], "c": [0.1, 0.2, 0.1]})
    >>> ranked(values)
    ['1-2', '1-2', '3']
    """
    names = list(values.columns)
    groups = [[0]]
    for i in range(1, len(names)):
        apart = (values[names[i - 1]] - values[names[i]]).dropna().to_numpy()
        if len(apart) and interval(apart).low > 0:
            groups.append([i])
        else:
            groups[-1].append(i)
    texts = [f"{group[0] + 1}" if len(group) == 1 else f"{group[0] + 1}-{group[-1] + 1}" for group in groups]
    return [text for text, group in zip(texts, groups, strict=True) for _ in group]


def told(rows: pd.DataFrame, *, brief: bool = False) -> pd.DataFrame:
    """Return a standing as text for reading: means with their intervals; in brief without insertion and deletion."""
    told = pd.DataFrame({"rank": rows["rank"], "method": rows["entry"], "images": rows["images"].astype(str), "passes": _passes(rows)})
    told["seconds"] = rows["seconds"].map("{:.2f}".format)
    for area in AREAS if not brief else ("difference",):
        if area in rows:
            told[area] = _intervals(rows, area)
    if rows["images"].nunique() > 1:
        told["adjusted"] = rows["adjusted"].map("{:.3f}".format)
    for other in rows["entry"]:
        if f"to_{other}" in rows:
            told[f"minus {other}"] = _intervals(rows, f"to_{other}")
            told[f"p, {other}"] = rows[f"p_{other}"].map(lambda p: "" if pd.isna(p) else f"{p:.1e}")
    return told


def _own(part: pd.DataFrame) -> dict[str, object]:
    first = part.iloc[0]
    row = {"entry": first["entry"], "method": first["method"], "budget": first["budget"], "images": len(part)}
    row |= {name: part[name].mean() for name in ("forward_passes", "backward_passes")} | {"seconds": part["seconds"].median()}
    for area in AREAS:
        if area in part and part[area].notna().all():
            found = interval(part[area].to_numpy())
            row |= {area: found.mean, f"{area}_low": found.low, f"{area}_high": found.high}
    return row


def _against(table: pd.DataFrame, against: str | Iterable[str] | None) -> list[str]:
    """Return the entries of methods, or of entries' own names; of several budgets the least."""
    found = []
    for wanted in (OWN,) if against is None else (against,) if isinstance(against, str) else against:
        matching = table[(table["method"] == wanted) | (table["entry"] == wanted)]
        if matching.empty and against is not None:
            raise InputError(f"nothing was measured of {wanted!r}; here are {', '.join(table['entry'].unique())}")
        found += list(matching.sort_values("budget")["entry"][:1])
    return found


def _best_rival(table: pd.DataFrame, order: list[str]) -> str | None:
    methods = table.drop_duplicates("entry").set_index("entry")["method"]
    for entry in order:
        if methods[entry] in EXPLAINERS and EXPLAINERS[methods[entry]].kind == "rival":
            return entry
    return None


def _differences(values: pd.DataFrame, other: str) -> pd.DataFrame:
    shared = [entry for entry in values if (values[entry].notna() & values[other].notna()).any()]
    names = {"method": "entry", "mean": f"to_{other}", "low": f"to_{other}_low", "high": f"to_{other}_high", "p_holm": f"p_{other}"}
    if len(shared) < 2:
        return pd.DataFrame(columns=list(names.values()), dtype=float).astype({"entry": str})
    return paired(values[shared], other)[list(names)].rename(columns=names)


def _passes(rows: pd.DataFrame) -> pd.Series:
    back = rows["backward_passes"].map(lambda passes: f" + {passes:.4g} back" if passes else "")
    return rows["forward_passes"].map("{:.4g}".format) + back


def _intervals(rows: pd.DataFrame, name: str) -> pd.Series:
    def text(row: pd.Series) -> str:
        return "" if np.isnan(row[name]) else f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"

    return rows.apply(text, axis=1)
