"""Summary: what each explainer is worth, against a random order and against the first."""

from typing import TYPE_CHECKING

import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.report.agreement import agreement
from multiplex_vit.report.given import check_study
from multiplex_vit.report.names import display_names
from multiplex_vit.report.statistics import column_means, paired
from multiplex_vit.study.study import CONTROL
from multiplex_vit.study.tables import differing_options

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

MEASURES = ("difference", "insertion", "deletion")


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
        values = part.pivot(index="number", columns="explainer", values=measure)
        # A pivot sorts its columns; explainers stay in the order of the study.
        values = values[_control_last(list(dict.fromkeys(part["explainer"])))]
        parts.append(_of_protocol(values).assign(protocol=protocol))
    table = pd.concat(parts, ignore_index=True)
    table["name"] = table["explainer"].map(display_names(study.explainers))
    options = differing_options(study.explainers)
    table = table.merge(options, on="explainer", how="left")
    agreements = agreement(study) if agreements is None else agreements
    table = table.merge(agreements, on="explainer", how="left")
    first = ["protocol", "name", *options.columns]
    return table[[*first, *(name for name in table if name not in first)]]


def _control_last(texts: list[str]) -> list[str]:
    # A stable sort: False comes before True.
    return sorted(texts, key=lambda text: text == CONTROL)


def _of_protocol(values: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a protocol from values [image, explainer]."""
    texts = list(values.columns)
    table = column_means(values, "explainer")
    more = {"mean": "more", "low": "more_low", "high": "more_high"}
    if CONTROL in texts and len(texts) > 1:
        beyond = paired(values, CONTROL).rename(columns=more)
        table = table.merge(beyond.drop(columns=["against", "images"]), on="explainer", how="left")
    change = {"mean": "change", "low": "change_low", "high": "change_high", "p_holm": "p_change"}
    others = [text for text in texts if text != CONTROL]
    # With one explainer there is no other to compare, but tables keep their columns.
    if len(others) > 1:
        to_first = paired(values[others], others[0])[["explainer", *change]]
        return table.merge(to_first.rename(columns=change), on="explainer", how="left")
    return table.assign(**dict.fromkeys(change.values(), float("nan")))
