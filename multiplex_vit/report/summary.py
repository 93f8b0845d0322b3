"""Summary: what each explainer is worth, against a random order and against the first."""

from typing import TYPE_CHECKING

import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.report.agreement import agreement
from multiplex_vit.report.given import check_study
from multiplex_vit.report.names import display_names
from multiplex_vit.report.statistics import column_means, paired, with_first
from multiplex_vit.study.study import CONTROL
from multiplex_vit.study.tables import differing_options

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

MEASURES = ("difference", "insertion", "deletion")

_MORE = {"mean": "more", "low": "more_low", "high": "more_high"}
_CHANGE = {"mean": "change", "low": "change_low", "high": "change_high", "p_holm": "p_change"}
"""Columns of `paired` by what they are of: a random order, and the first explainer."""


@checked
def summarise(
    study: "Study", measure: str = "difference", *, agreements: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what each explainer is worth over images, by every protocol.

    Parameters
    ----------
    study : Study
    measure : "difference" (insertion less deletion), "insertion" or "deletion"
        Default: "difference".
    agreements : DataFrame, optional
        What `agreement` gives, where it is at hand: it compares all heatmaps. Default: computed.

    Returns
    -------
    DataFrame
        One row a protocol and explainer, the random order last: protocol, name (short),
        explainer (text), the options that differ, images, value, low, high (mean, bootstrap
        95 %), more, more_low, more_high (paired, than the random order), effect, better, p,
        p_holm (over the explainers), change, change_low, change_high, p_change (paired, than the
        first explainer, Holm-corrected over the others), agreement, agreement_low,
        agreement_high (mean rank correlation with the first explainer's heatmaps).

    Raises
    ------
    InputError
        If no unit is done yet.
    """
    check_study(study)
    scores = study.scores()
    if measure not in scores or scores[measure].isna().all():
        raise InputError(f"{study.out} has no {measure} yet; run the study first")
    parts = []
    for protocol, part in scores.groupby("protocol", sort=False):
        values = part.pivot(
            index="number",
            columns="explainer",
            values=measure,
        )
        # A pivot sorts its columns; explainers stay in the order of the study.
        texts = list(dict.fromkeys(part["explainer"]))
        ordered = values[_control_last(texts)]
        rows = _of_protocol(ordered)
        parts.append(rows.assign(protocol=protocol))
    table = pd.concat(parts, ignore_index=True)
    names = display_names(study.explainers)
    table["name"] = table["explainer"].map(names)
    options = differing_options(study.explainers)
    # It compares all heatmaps, which takes long.
    if agreements is None:
        agreements = agreement(study)
    for facts in (options, agreements):
        table = table.merge(facts, on="explainer", how="left")
    first = ["protocol", "name", *options.columns]
    return with_first(table, first)


def _control_last(texts: list[str]) -> list[str]:
    # A stable sort: False comes before True.
    return sorted(texts, key=lambda text: text == CONTROL)


def _of_protocol(values: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a protocol from values [image, explainer]."""
    texts = list(values.columns)
    others = [text for text in texts if text != CONTROL]
    table = column_means(values, "explainer")
    if CONTROL in texts and others:
        more = paired(values, CONTROL)
        more = more.rename(columns=_MORE)
        # The table has its own number of images already.
        more = more.drop(columns=["against", "images"])
        table = table.merge(more, on="explainer", how="left")
    if len(others) > 1:
        # Without the random order, which would be one test more.
        change = paired(values[others], others[0])
        change = change[["explainer", *_CHANGE]]
        change = change.rename(columns=_CHANGE)
        return table.merge(change, on="explainer", how="left")
    # With one explainer there is no other to compare, but tables keep their columns.
    nothing = dict.fromkeys(_CHANGE.values(), float("nan"))
    return table.assign(**nothing)
