"""Leaderboard: explainers in the order of their faithfulness, and as much of it as may be said."""

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.report.given import check_study
from multiplex_vit.report.names import display_names
from multiplex_vit.report.statistics import interval, paired

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

AREAS = ("insertion", "deletion", "negative", "positive", "difference")

_ROUNDS = 200
"""Rounds of `adjusted_means`: enough to the last digit where four of five values are missing."""

_PUBLISHED = "mutex"
"""What others are compared with wherever it was measured."""


@checked
def leaderboard(
    study: "Study", protocol: str | None = None, *, against: str | Iterable[str] | None = None
) -> pd.DataFrame:
    """Return one row an explainer, the best first, by one protocol.

    Parameters
    ----------
    study : Study
    protocol : str, optional
        Default: the study's first.
    against : str or iterable of str, optional
        Explainers that every other is compared with, image by image. Default: the published
        method where it was measured, and the best rival.

    Returns
    -------
    DataFrame
        rank, name (short), explainer (text), images, forward_passes, backward_passes (means),
        seconds (median), then for insertion, deletion and difference the mean with the ends of
        its interval (difference, difference_low, difference_high: bootstrap 95 % over images),
        adjusted (see `adjusted_means`; the order of the rows), then for each explainer that the
        others are compared with the paired difference and its ends (to_mutex, to_mutex_low,
        to_mutex_high) and p_mutex (Wilcoxon's signed-rank test, two-sided, Holm-corrected).
        Explainers whose paired interval against the one above holds 0 share a rank, "1-3".

    Raises
    ------
    InputError
        If nothing was measured by the protocol, or one of `against` was not measured.
    """
    check_study(study)
    protocol = study.protocols[0] if protocol is None else protocol
    scores = study.scores()
    table = scores[scores["protocol"] == protocol]
    if table.empty:
        measured = ", ".join(scores["protocol"].unique())
        raise InputError(f"nothing was measured by {protocol!r}; known: {measured}")
    table = table.merge(study.costs(), on=["number", "image", "explainer"], how="left")
    # Short names may change with what a study holds; texts say which explainer it is.
    names = display_names(study.explainers)
    values = table.pivot(index="number", columns="explainer", values="difference")
    adjusted = adjusted_means(values).sort_values(ascending=False, kind="stable")
    order = list(adjusted.index)
    rows = []
    for text in order:
        of_explainer = table[table["explainer"] == text]
        rows.append(_described(of_explainer, names[text]))
    board = pd.DataFrame(rows).assign(adjusted=adjusted.to_numpy())
    board.insert(0, "rank", ranks(values[order]))
    for other in _others(study.explainers, order, against):
        differences = _differences(values, other, names[other])
        board = board.merge(differences, on="explainer", how="left")
    return board


def adjusted_means(values: pd.DataFrame) -> pd.Series:
    """Return the mean of each column, as if every column had been measured on every image.

    These are least-squares means of value = column + image, computed in rounds. Where nothing is
    missing they are the plain means.

    Parameters
    ----------
    values : DataFrame [image, explainer]

    Examples
    --------
    >>> adjusted_means(pd.DataFrame({"a": [0.2, 0.6], "b": [0.3, None]})).round(6).to_dict()
    {'a': 0.4, 'b': 0.5}
    """
    column = values.mean()
    image = values.sub(column).mean(axis=1)
    # An explainer that failed for hard images would look better by its plain mean.
    rounds = _ROUNDS if values.isna().any(axis=None) else 1
    for _ in range(rounds):
        image = values.sub(column).mean(axis=1)
        column = values.sub(image, axis=0).mean()
    return column + image.mean()


def ranks(values: pd.DataFrame) -> list[str]:
    """Return the rank of each column, the best first.

    Neighbours that paired intervals do not tell apart share a rank, "1-3".

    Parameters
    ----------
    values : DataFrame [image, explainer]

    Examples
    --------
    >>> ranks(pd.DataFrame({"a": [0.9, 0.8, 0.9], "b": [0.8, 0.9, 0.9], "c": [0.1, 0.2, 0.1]}))
    ['1-2', '1-2', '3']
    """
    names = list(values.columns)
    # Neighbours alone are compared: a rank says who is ahead of the next one.
    sizes = [1]
    for above, below in itertools.pairwise(names):
        difference = (values[above] - values[below]).dropna().to_numpy()
        if len(difference) and interval(difference).low > 0:
            sizes.append(1)
        else:
            sizes[-1] += 1
    texts = []
    first = 1
    for size in sizes:
        last = first + size - 1
        text = f"{first}" if size == 1 else f"{first}-{last}"
        texts += [text] * size
        first = last + 1
    return texts


def readable(board: pd.DataFrame, *, brief: bool = False) -> pd.DataFrame:
    """Return a leaderboard as texts for reading: means with their intervals.

    Parameters
    ----------
    board : DataFrame
        From `leaderboard`.
    brief : bool
        Whether insertion and deletion are left out. Default: False.
    """
    texts = pd.DataFrame({"rank": board["rank"], "explainer": board["name"]})
    texts["images"] = board["images"].astype(str)
    texts["passes"] = _passes(board)
    texts["seconds"] = board["seconds"].map("{:.2f}".format)
    for area in ("difference",) if brief else AREAS:
        if area in board:
            texts[area] = _intervals(board, area)
    # Where all were measured on the same images, adjusted means are the means.
    if board["images"].nunique() > 1:
        texts["adjusted"] = board["adjusted"].map("{:.3f}".format)
    for name in board["name"]:
        if f"to_{name}" in board:
            texts[f"minus {name}"] = _intervals(board, f"to_{name}")
            texts[f"p, {name}"] = board[f"p_{name}"].map(_p_text)
    return texts


def _described(part: pd.DataFrame, name: str) -> dict[str, Any]:
    """Return the row of an explainer without its rank."""
    row = {"name": name, "explainer": part["explainer"].iloc[0], "images": len(part)}
    for cost in ("forward_passes", "backward_passes"):
        row[cost] = part[cost].mean()
    row["seconds"] = part["seconds"].median()
    for area in AREAS:
        # Protocols without insertion have other areas.
        if area in part and part[area].notna().all():
            mean = interval(part[area].to_numpy())
            row[area] = mean.mean
            row[f"{area}_low"] = mean.low
            row[f"{area}_high"] = mean.high
    return row


def _others(
    explainers: Iterable[Any], order: list[str], against: str | Iterable[str] | None
) -> list[str]:
    """Return the texts of the explainers that the others are compared with."""
    by_text = {str(explainer): explainer for explainer in explainers}
    if against is None:
        published = [text for text in order if text == _PUBLISHED]
        rivals = [text for text in order if by_text[text].kind == "rival"]
        return [*published, *rivals[:1]]
    wanted = [against] if isinstance(against, str) else list(map(str, against))
    texts = [_text_of(name, by_text, order) for name in wanted]
    return list(dict.fromkeys(texts))


def _text_of(name: str, by_text: dict[str, Any], order: list[str]) -> str:
    """Return the text of an explainer that is named by it, or by its name without options."""
    if name in order:
        return name
    for text in order:
        if by_text[text].name == name:
            return text
    raise InputError(f"nothing was measured of {name!r}; known: {', '.join(order)}")


def _differences(values: pd.DataFrame, other: str, name: str) -> pd.DataFrame:
    """Return the paired difference of each explainer to one of them, where they share images."""
    columns = {
        "explainer": "explainer",
        "mean": f"to_{name}",
        "low": f"to_{name}_low",
        "high": f"to_{name}_high",
        "p_holm": f"p_{name}",
    }
    shared = []
    for text in values:
        has_both = values[text].notna() & values[other].notna()
        if has_both.any():
            shared.append(text)
    # One alone is the explainer itself, with which nothing can be compared.
    if len(shared) < 2:
        empty = pd.DataFrame(columns=list(columns.values()), dtype=float)
        return empty.astype({"explainer": str})
    return paired(values[shared], other)[list(columns)].rename(columns=columns)


def _passes(board: pd.DataFrame) -> pd.Series:
    forward = board["forward_passes"].map("{:.4g}".format)
    backward = board["backward_passes"].map(lambda n: f" + {n:.4g} back" if n else "")
    return forward + backward


def _intervals(board: pd.DataFrame, name: str) -> pd.Series:
    texts = []
    ends = board[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
    for mean, low, high in ends:
        texts.append("" if np.isnan(mean) else f"{mean:.3f} [{low:.3f}, {high:.3f}]")
    return pd.Series(texts, index=board.index)


def _p_text(p: float) -> str:
    return "" if pd.isna(p) else f"{p:.1e}"
