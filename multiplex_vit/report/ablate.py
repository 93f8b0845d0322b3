"""ablate: what an explanation is without some of its measures, or by one of them alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from multiplex_vit import plot
from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.report.agreement import rank_correlation
from multiplex_vit.report.given import check_study
from multiplex_vit.report.statistics import column_means, paired, with_first
from multiplex_vit.saliency.explainers import Explainer
from multiplex_vit.study.ablations import (
    DIMENSIONS,
    can_be_ablated,
    values_of,
    variant_names,
    without_variants,
)
from multiplex_vit.study.plan import names_of
from multiplex_vit.study.study import CONTROL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multiplex_vit.study.study import Study

FULL = "full"
"""Name of the variant that leaves out nothing."""

_KEYS = ["number", "explainer", "variant"]
_SCORES = [*_KEYS, "protocol", "insertion", "deletion", "difference"]
_HEATMAPS = [*_KEYS, "heatmap"]


@dataclass(frozen=True, eq=False)
class Ablation:
    """What explainers are worth without some measures, or by some alone.

    Attributes
    ----------
    scores : DataFrame
        One row an image, explainer, variant ("full", "without statistic max", "only operator
        sum", ..., "random_order") and protocol: number, explainer (the full one), variant,
        protocol, insertion, deletion, difference.
    heatmaps : DataFrame
        number, explainer, variant, heatmap.
    """

    scores: pd.DataFrame
    heatmaps: pd.DataFrame

    def __repr__(self) -> str:
        n_images = self.scores["number"].nunique()
        n_variants = self.scores["variant"].nunique()
        return f"<Ablation: {n_images} images, {n_variants} variants>"

    def summary(self, measure: str = "difference") -> pd.DataFrame:
        """Return what each variant is worth, and its paired difference to the full explainer.

        Parameters
        ----------
        measure : "difference" (insertion less deletion), "insertion" or "deletion"
            Default: "difference".

        Returns
        -------
        DataFrame
            One row an explainer, protocol and variant: images, value, low, high (mean, bootstrap
            95 %), change, change_low, change_high (paired difference to the full explainer),
            effect, better, p (Wilcoxon), p_holm (corrected over the variants), agreement (mean
            Spearman rank correlation with the full heatmap).
        """
        if measure not in self.scores:
            # The first four columns say what was measured.
            known = ", ".join(self.scores.columns[4:])
            raise InputError(f"nothing was measured of {measure!r}; known: {known}")
        parts = []
        for (text, protocol), rows in self.scores.groupby(["explainer", "protocol"], sort=False):
            values = rows.pivot(index="number", columns="variant", values=measure)
            # A pivot sorts its columns; variants stay in the order of the measures.
            values = values[list(dict.fromkeys(rows["variant"]))]
            head = {"explainer": text, "protocol": protocol}
            parts.append(_compared(values).assign(**head))
        table = pd.concat(parts, ignore_index=True)
        table = table.merge(self._agreement(), on=["explainer", "variant"], how="left")
        return with_first(table, ["explainer", "protocol", "variant"])

    def correlation(self, explainer: str | None = None) -> pd.DataFrame:
        """Return how alike the heatmaps of the variants are, [variant, variant].

        The mean over images of Spearman's rank correlation; an image where one of the two is flat
        does not count.

        Parameters
        ----------
        explainer : str, optional
            Text of the full explainer. Default: the first.
        """
        texts = list(self.heatmaps["explainer"].unique())
        chosen = texts[0] if explainer is None else explainer
        if chosen not in texts:
            raise InputError(f"there is no explainer {chosen!r}; known: {'; '.join(texts)}")
        rows = self.heatmaps[self.heatmaps["explainer"] == chosen]
        return rank_correlation(rows.assign(explainer=rows["variant"]))

    def plot(self, **options: Any) -> "Axes":
        """Draw each variant's change by the first protocol; see `multiplex_vit.plot.changes`."""
        summary = self.summary()
        keys = ["explainer", "protocol"]
        first = summary.loc[0, keys]
        is_first = (summary[keys] == first).all(axis=1)
        is_variant = summary["variant"] != FULL
        return plot.changes(summary[is_first & is_variant], **options)

    def _agreement(self) -> pd.DataFrame:
        parts = []
        for text in self.heatmaps["explainer"].unique():
            row = self.correlation(text).loc[FULL]
            columns = {
                "explainer": text,
                "variant": row.index,
                "agreement": row.to_numpy(),
            }
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)


@checked
def ablate(
    study: "Study",
    *,
    leave_out: str | Iterable[str] = (),
    keep_only: str | Iterable[str] = (),
) -> Ablation:
    """Return what a study's explainers are worth without some measures, or by one of them alone.

    The study must have measured the variants; `ablations` gives them. Their heatmaps follow from
    masks that the full explainer ran.

    Parameters
    ----------
    study : Study
    leave_out, keep_only : str or iterable of str
        "operator", "direction", "centrality", "statistic". Default: every dimension of which the
        study has variants.

    Returns
    -------
    Ablation

    Raises
    ------
    InputError
        If the study has none of the variants.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> several = mv.ablations("mutex", leave_out="direction")
    >>> cat = [mv.samples()["cat"]]
    >>> study = mv.Study(images=cat, model="demo-vit", explainers=several, steps=4).run()
    >>> mv.report.ablate(study).scores["variant"].tolist()
    ['full', 'without direction in', 'without direction out', 'random_order']
    """
    check_study(study)
    ablation = ablation_of(
        study,
        names_of("leave_out", leave_out),
        names_of("keep_only", keep_only),
    )
    if ablation is None:
        remedy = "add them: study.extended(explainers=mv.ablations('mutex')).run()"
        raise InputError(f"{study.out} has no variants of its explainers; {remedy}")
    return ablation


def ablation_of(
    study: "Study", leave_out: Iterable[str] = (), keep_only: Iterable[str] = ()
) -> Ablation | None:
    """Return what `ablate` does, or None where the study has no variants of its explainers."""
    scores, heatmaps = study.scores(), study.heatmaps()
    score_parts, heatmap_parts = [], []
    for full in full_explainers(study):
        names = {str(full): FULL}
        for variant, name in _asked_variants(full, leave_out, keep_only).items():
            names.setdefault(str(variant), name)
        drawn = _of_variants(heatmaps, full, names)
        # Beside the variants, so that one sees what a measure is worth compared with nothing.
        names[CONTROL] = CONTROL
        measured = _of_variants(scores, full, names)
        # A study may have some explainers with variants, and others without.
        if measured["variant"].nunique() <= len({FULL, CONTROL}):
            continue
        score_parts.append(_by_variant(measured, list(names.values())))
        heatmap_parts.append(drawn)
    if not score_parts:
        return None
    return Ablation(
        pd.concat(score_parts, ignore_index=True)[_SCORES],
        pd.concat(heatmap_parts, ignore_index=True)[_HEATMAPS],
    )


def _of_variants(table: pd.DataFrame, full: Explainer, names: dict[str, str]) -> pd.DataFrame:
    """Return the rows of some explainers as variants, by their names, of a full one."""
    rows = table[table["explainer"].isin(list(names))]
    variants = rows["explainer"].map(names)
    return rows.assign(variant=variants, explainer=str(full))


def full_explainers(study: "Study") -> list[Explainer]:
    """Return the explainers of a study that are no variant of another one, and may have some."""
    return [full for full in without_variants(study.explainers) if can_be_ablated(full)]


def _asked_variants(full: Explainer, leave_out: Any, keep_only: Any) -> dict[Explainer, str]:
    if not leave_out and not keep_only:
        # Of a dimension with one value nothing can be left out.
        several = [name for name in DIMENSIONS if len(values_of(full, name)) > 1]
        if not several:
            return {}
        leave_out = keep_only = several
    return variant_names(full, leave_out=leave_out, keep_only=keep_only)


def _by_variant(part: pd.DataFrame, variants: list[str]) -> pd.DataFrame:
    """Return rows by image, then in the order of the variants."""
    place_of = dict(zip(variants, range(len(variants)), strict=True))
    placed = part.assign(place=part["variant"].map(place_of))
    return placed.sort_values(["protocol", "number", "place"], kind="stable")


def _compared(values: pd.DataFrame) -> pd.DataFrame:
    """Return each variant's mean, and its paired difference to the full explainer."""
    names = {
        "explainer": "variant",
        "mean": "change",
        "low": "change_low",
        "high": "change_high",
    }
    change = paired(values, FULL).rename(columns=names)
    change = change.drop(columns=["against", "images"])
    return column_means(values, "variant").merge(change, on="variant", how="left")
