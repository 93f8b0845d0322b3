"""ablate: what an explanation is without some of its measures, or by one of them alone. No masked pass is run for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.many import Passes, shared_passes
from multiplex_vit.study.plan import FULL, RANDOM, Plan, variants
from multiplex_vit.study.statistics import interval, paired
from multiplex_vit.study.study import Study
from multiplex_vit.study.work import heatmaps_of, measured, random_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "ablations"
"""Where a study's ablations are, in its folder."""

_BY = ["setting", "protocol"]
_MEASURING = ("protocols", "steps", "seed")


@dataclass(frozen=True, eq=False)
class Ablation:
    """What explanations are worth without some measures, or by some alone.

    Attributes
    ----------
    table : DataFrame
        One row an image, setting, variant ("full", "without statistic max", "only operator sum", ..., "random order"), protocol and measure
        ("insertion", "deletion", "difference"): number, setting, variant, protocol, measure, value.
    heatmaps : DataFrame
        number, setting, variant, heatmap (a list over nodes).
    passes : Passes
        Masked and attention passes of all explanations, full ones included: those run, and those of explaining anew for each variant.
    """

    table: pd.DataFrame
    heatmaps: pd.DataFrame
    passes: Passes

    def __repr__(self) -> str:
        n_images, n_variants = self.table["number"].nunique(), self.table["variant"].nunique()
        return f"<Ablation: {n_images} images, {n_variants} variants, {self.passes.run} passes in place of {self.passes.naive}>"

    def summary(self, measure: str = "difference") -> pd.DataFrame:
        """Return what each variant is worth, and its paired difference against the full explanation.

        Parameters
        ----------
        measure : "difference" (insertion less deletion), "insertion" or "deletion"

        Returns
        -------
        DataFrame
            One row a setting, protocol and variant: images, value, low, high (mean with its bootstrap 95 % interval), change, change_low,
            change_high (paired difference against the full explanation), effect, better, p (Wilcoxon), p_holm (corrected over the
            variants), agreement (mean Spearman rank correlation with the full heatmap).
        """
        rows = self.table[self.table["measure"] == measure]
        if rows.empty:
            raise InputError(f"nothing was measured of {measure!r}; here are {', '.join(self.table['measure'].unique())}")
        found = []
        for key, part in _with_control(rows):
            values = part.pivot(index="number", columns="variant", values="value")[list(dict.fromkeys(part["variant"]))]
            found.append(_summed(values).assign(**dict(zip(_BY, key, strict=True))))
        table = pd.concat(found, ignore_index=True).merge(self.agreement(), on=["setting", "variant"], how="left")
        return table[[*_BY, *(name for name in table if name not in _BY)]]

    def agreement(self) -> pd.DataFrame:
        """Return setting, variant and the mean over images of Spearman's rank correlation with the full heatmap."""
        parts = []
        for setting in self.heatmaps["setting"].unique():
            row = self.correlation(setting).loc[FULL]
            parts.append(pd.DataFrame({"setting": setting, "variant": row.index, "agreement": row.to_numpy()}))
        return pd.concat(parts, ignore_index=True)

    def correlation(self, setting: str | None = None) -> pd.DataFrame:
        """Return the mean over images of Spearman's rank correlation between the variants' heatmaps, [variant, variant].

        An image where one of the two is flat does not count.
        """
        settings = list(self.heatmaps["setting"].unique())
        if setting is not None and setting not in settings:
            raise InputError(f"there is no setting {setting!r}; here are {'; '.join(settings)}")
        return rank_correlation(self.heatmaps[self.heatmaps["setting"] == (setting or settings[0])], "variant")

    def plot(self, **options: Any) -> "Axes":
        """Draw each variant's change; see `multiplex_vit.plot.changes`."""
        from multiplex_vit import plot

        summary = self.summary()
        first = summary[(summary[_BY] == summary.loc[0, _BY]).all(axis=1)]
        return plot.changes(first[first["variant"] != FULL], **options)


def rank_correlation(heatmaps: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the mean over images of Spearman's rank correlation between heatmaps, [by, by].

    Parameters
    ----------
    heatmaps : DataFrame
        number, heatmap and the column `by`; one row an image and value of it.
    by : str
        Such as "variant" or "setting".

    Examples
    --------
    >>> table = pd.DataFrame({"number": [0, 0], "variant": ["a", "b"], "heatmap": [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]})
    >>> rank_correlation(table, "variant").to_numpy().round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    names = list(dict.fromkeys(heatmaps[by]))
    sums, counts = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for _, part in heatmaps.groupby("number", sort=False):
        here = [names.index(name) for name in part[by]]
        found = _ranked(np.array(part["heatmap"].tolist(), dtype=float))
        at = np.ix_(here, here)
        sums[at] += np.nan_to_num(found)
        counts[at] += np.isfinite(found)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(sums / counts, index=names, columns=names)


def _ranked(values: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation between rows; NaN for a flat one."""
    ranks = stats.rankdata(values, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(ranks))


@checked
def ablate(
    source: Study | Explanation | Sequence[Explanation],
    *,
    leave_out: str | Iterable[str] = (),
    keep_only: str | Iterable[str] = (),
    workers: int = 1,
    model: VisionModel | None = None,
    images: Any = None,
    **measuring: Any,
) -> Ablation:
    """Measure explanations without each operator, direction, centrality or statistic in turn, or by each alone.

    The masks are those that the full explanation ran, so no masked pass is added; the new heatmaps are measured as the study measures them, or
    by "patch/black", always beside the full explanation and a random order of the patches.

    Parameters
    ----------
    source : Study, or Explanation, or sequence of Explanation
        A study that kept its masks, or explanations of images.
    leave_out : str or iterable of str
        "operator", "direction", "centrality", "statistic": without each value in turn; "statistic" unless keep_only is given.
    keep_only : str or iterable of str
        The same: by each value alone.
    workers : int
        Processes, for a study; what is done is kept in its folder under `ablations`.
    model : VisionModel, optional
        The model, for explanations.
    images : optional
        For explanations, the image of each.
    **measuring
        For explanations, fields of `Study`: protocols, steps, seed.

    Returns
    -------
    Ablation

    Raises
    ------
    InputError
        If there is nothing to leave out, masks were not kept, or a model or images are missing.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> found = ablate(mv.explain(model, cat), leave_out="direction", model=model, images=[cat], steps=4)
    >>> found.table["variant"].unique().tolist(), found.passes.naive
    (['full', 'without direction in', 'without direction out', 'random order'], 111)
    """
    keep_only = _listed(keep_only)
    leave_out = _listed(leave_out) or ([] if keep_only else ["statistic"])
    unknown = [name for name in measuring if name not in _MEASURING or isinstance(source, Study)]
    if unknown:
        known = f"known for explanations: {', '.join(_MEASURING)}"
        raise InputError(f"ablate takes no {unknown[0]!r}{' for a study, which has its own' if isinstance(source, Study) else ''}; {known}")
    if isinstance(source, Study):
        return _of_study(source, leave_out, keep_only, workers)
    several = [source] if isinstance(source, Explanation) else list(source)
    if model is None or images is None:
        raise InputError("to measure ablated explanations, give model= and images= (the image of each)")
    vision_model(model)
    pictures = list(images) if isinstance(images, (list, tuple)) else [images]
    if not several or len(pictures) != len(several):
        raise InputError(f"{len(several)} explanations came with {len(pictures)} images; give one image each")
    chosen = variants([each.settings for each in several], leave_out=leave_out, keep_only=keep_only)
    plan = Plan(model.name, tuple((f"{i}", each.settings) for i, each in enumerate(several)), chosen, **measuring)
    return _of_explanations(several, pictures, model, plan)


def _listed(dimensions: str | Iterable[str]) -> list[str]:
    """Return one dimension or several as a list."""
    return [dimensions] if isinstance(dimensions, str) else [str(name) for name in dimensions]


def ablation_name(leave_out: Any, keep_only: Any) -> str:
    """Return the name of an ablation's folder.

    Examples
    --------
    >>> ablation_name(("operator", "statistic"), "centrality")
    'without-operator-statistic_only-centrality'
    """
    parts = [(kind, [given] if isinstance(given, str) else list(given)) for kind, given in (("without", leave_out), ("only", keep_only))]
    return "_".join("-".join([kind, *dimensions]) for kind, dimensions in parts if dimensions)


def _of_study(study: Study, leave_out: Any, keep_only: Any, workers: int) -> Ablation:
    """Run a study of the variants in the study's folder, on its masks."""
    chosen = variants([settings for _, settings in study.plan.settings], leave_out=leave_out, keep_only=keep_only)
    plan, out = study.plan, study.store.folder / FOLDER / ablation_name(leave_out, keep_only)
    done = Study(
        images=study.source,
        out=out,
        model=study.model,
        settings=dict(plan.settings),
        variants=chosen,
        save=("heatmaps",),
        kept=study,
        **{name: getattr(plan, name) for name in ("protocols", "steps", "seed", "explained", "device", "dtype", "score")},
        chunk=study.chunk,
    )
    done.run(workers=workers)
    explained, passes = study.passes(), done.passes()
    return Ablation(done.store.read("rows"), done.heatmaps(), Passes(explained.run + passes.run, passes.naive))


def _of_explanations(explanations: Sequence[Explanation], images: Sequence[Any], model: VisionModel, common: Plan) -> Ablation:
    rows: list[dict[str, Any]] = []
    heat: list[dict[str, Any]] = []
    run = naive = 0
    for number, (explanation, image) in enumerate(zip(explanations, images, strict=True)):
        picture = model.picture(image)
        plan = replace(common, settings=(("settings", explanation.settings),))
        found = heatmaps_of(plan, [explanation])
        own = sha256(picture.pixels.cpu().numpy().tobytes()).hexdigest()
        control = (RANDOM, RANDOM, random_order(plan.seed, own, explanation.grid), None)
        rows += [{"number": number, **row} for row in measured(plan, model, picture, [*found, control], explanation.label)[0]]
        heat += [{"number": number, "setting": s, "variant": v, "heatmap": values.ravel().tolist()} for s, v, values, _ in found]
        passes = shared_passes([of for *_, of in found if of is not None])
        run, naive = run + passes.run, naive + passes.naive
    return Ablation(pd.DataFrame(rows), pd.DataFrame(heat), Passes(run, naive))


def _with_control(rows: pd.DataFrame) -> Iterable[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield the rows of each setting and protocol, the random order's with each."""
    control = rows["setting"] == RANDOM
    for key, part in rows[~control].groupby(_BY, sort=False):
        yield key, pd.concat([part, rows[control & (rows["protocol"] == key[1])]])


def _summed(values: pd.DataFrame) -> pd.DataFrame:
    """Return each variant's mean with its interval, and its paired difference against the full explanation."""
    means = [{"variant": name, "images": int(column.count()), **_mean(column)} for name, column in values.items()]
    against = paired(values, FULL).rename(columns={"method": "variant", "mean": "change", "low": "change_low", "high": "change_high"})
    return pd.DataFrame(means).merge(against.drop(columns=["against", "images"]), on="variant", how="left")


def _mean(column: pd.Series) -> dict[str, float]:
    found = interval(column.dropna().to_numpy())
    return {"value": found.mean, "low": found.low, "high": found.high}
