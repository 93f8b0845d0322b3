"""What do layers look like, by depth, by class, and in ViT against DeiT? Measures of every layer's network over many images, with intervals.

    python analysis/layer_structure.py --data FOLDER --images 300

One study a model, resumable. Written: one row an image, layer and measure (Parquet), means with intervals by depth and by class, in what the first
two models differ (paired by image, Wilcoxon) and what separates the classes (Kruskal-Wallis with epsilon squared), both corrected by Holm (CSV),
figures (PNG), a Markdown summary.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from scipy import stats
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.report.markdown import markdown_table as markdown
from multiplex_vit.report.statistics import holm, interval, paired

FEW = mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("sum",))
RESAMPLES = 500
"""Bootstrap samples of images for the interval of an epsilon squared."""

DRAWN = (
    "density",
    "modularity",
    "weighted_reciprocity",
    "in_strength_gini",
    "attention_distance",
    "moran",
)


def measured(study: mv.Study, model: str) -> pd.DataFrame:
    """Return one row an image, layer and measure: model, number, label, depth, measure, value; measures over all layers have depth -1."""
    labels = study.image_table()[["number", "label"]]
    layers = study.layers().drop(columns=["name", "block", "head"], errors="ignore")
    layers = layers.rename(columns={"layer": "depth"})
    whole = study.multilayer().assign(depth=-1)
    parts = [
        part.melt(["number", "depth"], var_name="measure", value_name="value")
        for part in (layers, whole)
    ]
    table = pd.concat(parts).dropna(subset="value").merge(labels, on="number")
    return table[np.isfinite(table["value"].astype(float))].assign(model=model)


def typical(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the mean with its interval of each group."""
    rows = []
    for key, part in table.groupby(by, sort=False):
        found = interval(part["value"].to_numpy(dtype=float))
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "images": len(part),
                "mean": found.mean,
                "low": found.low,
                "high": found.high,
            }
        )
    return pd.DataFrame(rows)


def separating(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each model, depth and measure how far classes differ: Kruskal-Wallis' H, epsilon squared, p, p_holm."""
    rows = []
    for (model, depth, measure), part in table.groupby(["model", "depth", "measure"], sort=False):
        groups = [values.to_numpy(dtype=float) for _, values in part.groupby("label")["value"]]
        if len(groups) < 2 or np.ptp(part["value"].to_numpy(dtype=float)) == 0:
            continue
        found = stats.kruskal(*groups)
        rows.append(
            {
                "model": model,
                "depth": depth,
                "measure": measure,
                "H": found.statistic,
                "epsilon2": found.statistic / (len(part) - 1),
                "p": found.pvalue,
            }
        )
    ranked = pd.DataFrame(rows, columns=["model", "depth", "measure", "H", "epsilon2", "p"])
    return ranked.assign(p_holm=holm(ranked["p"].to_numpy(dtype=float))).sort_values(
        "epsilon2", ascending=False
    )


def with_intervals(apart: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `separating` with the bootstrap 95 % interval of epsilon squared, over images drawn within their classes."""
    rng, ends = np.random.default_rng(0), []
    for row in apart.itertuples():
        part = table[
            (table["model"] == row.model)
            & (table["depth"] == row.depth)
            & (table["measure"] == row.measure)
        ]
        groups = [values.to_numpy(dtype=float) for _, values in part.groupby("label")["value"]]
        drawn = [
            stats.kruskal(*(rng.choice(group, len(group)) for group in groups)).statistic
            / (len(part) - 1)
            for _ in range(RESAMPLES)
        ]
        ends.append(np.quantile(drawn, [0.025, 0.975]))
    low, high = np.transpose(ends)
    return apart.assign(low=low, high=high)


def differing(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each depth and measure how the second model differs from the first on the same images, p corrected over all of them."""
    first, second, *_ = table["model"].unique()
    rows = []
    for (depth, measure), part in table[table["model"].isin([first, second])].groupby(
        ["depth", "measure"], sort=False
    ):
        values = (
            part.astype({"value": float})
            .pivot(index="number", columns="model", values="value")
            .reindex(columns=[first, second])
            .dropna()
        )
        if len(values):
            rows.append(
                {"depth": depth, "measure": measure, **paired(values, first).iloc[0].to_dict()}
            )
    found = pd.DataFrame(rows)
    return found.assign(p_holm=holm(found["p"].to_numpy(dtype=float)))


def draw(table: pd.DataFrame, hue: str, path: Path) -> str:
    """Draw measures over depth, a line a model or class."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), layout="constrained", sharex=True)
    for ax, measure in zip(axes.flat, DRAWN, strict=True):
        part = table[(table["measure"] == measure) & (table["depth"] >= 0)]
        plot.settings(part.astype({"value": float}), x="depth", hue=hue, ax=ax).set_ylabel(measure)
        ax.get_legend().remove()
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(),
        title=hue,
        loc="outside right center",
        frameon=False,
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path.name


def main() -> None:
    """Measure every model's networks and write the results."""
    args = arguments(__doc__, "layer_structure").parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    parts = []
    for model in args.model:
        study = mv.Study(
            args.study / model,
            drawn(args),
            model=model,
            explainers=FEW,
            protocols="token",
            steps=args.steps or 1,
            save=("layers", "multilayer"),
        )
        parts.append(measured(study.run(workers=args.workers, progress=True), model))
    table = pd.concat(parts, ignore_index=True)
    depth, classes, apart = (
        typical(table, ["model", "depth", "measure"]),
        typical(table, ["model", "label", "depth", "measure"]),
        separating(table),
    )
    pictures = [draw(table, "model", args.out.with_name(f"{args.out.name}_models.png"))]
    pictures += [
        draw(
            table[table["model"] == model],
            "label",
            args.out.with_name(f"{args.out.name}_{model}.png"),
        )
        for model in args.model
    ]
    table.to_parquet(args.out.with_suffix(".parquet"), index=False)
    pd.concat([depth, classes]).to_csv(
        args.out.with_suffix(".csv"), index=False, float_format="%.6g"
    )
    apart.to_csv(
        args.out.with_name(f"{args.out.name}_classes.csv"), index=False, float_format="%.6g"
    )
    shown = depth[depth["measure"].isin(DRAWN)]
    tests = (
        "models paired by image, p by Wilcoxon; classes by Kruskal-Wallis; both corrected by Holm"
    )
    text = head("What layers look like", args, tests=tests)
    text += "\n## By depth\n\n" + markdown(shown)
    if table["model"].nunique() > 1:
        between = differing(table)
        between.to_csv(
            args.out.with_name(f"{args.out.name}_models.csv"), index=False, float_format="%.6g"
        )
        few = between[between["measure"].isin(DRAWN)].drop(columns=["explainer", "against", "p"])
        text += f"\n\n## {args.model[1]} less {args.model[0]}, on the same images\n\n" + markdown(
            few
        )
    text += "\n\n## What separates the classes most\n\nepsilon2 is H / (n - 1), with its interval over images drawn within classes (which lies high, as drawing "
    text += "adds differences); depth -1 is a measure across layers.\n\n"
    text += (
        markdown(with_intervals(apart.head(20), table))
        + "\n"
        + "".join(f"\n![{picture}]({picture})\n" for picture in pictures)
    )
    args.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
