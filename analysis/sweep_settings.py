"""What do min_cut, token_ratio and starting_layer do? The published study of hyper-parameters: the heatmap's worth, and how far it stays the same.

    python analysis/sweep_settings.py --data FOLDER --images 200

One study a model, resumable: 4 min_cut x 3 token_ratio x 3 starting_layer = 36 settings an image, whose masks are run once each. Written: one row
an image, setting, protocol and measure (Parquet), the summary with intervals and the mean rank correlation to the published settings (CSV),
figures (PNG), a Markdown summary.
"""

from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.report import rank_correlation, summarise
from multiplex_vit.report.markdown import markdown_table as markdown

SWEPT = {
    "min_cut": [0.01, 0.001, 0.05, 0.1],
    "token_ratio": [0.5, 0.3, 0.7],
    "starting_layer": [0, 2, 4],
}
"""The published values first: the rank correlation is to these."""

PROTOCOLS = ("patch/black", "token")


def agreements(study: mv.Study) -> pd.DataFrame:
    """Return explainer, number and agreement: the rank correlation with the first explainer."""
    rows = []
    for number, part in study.heatmaps().groupby("number"):
        matrix = rank_correlation(part)
        values = matrix.loc[str(study.explainers[0])]
        rows.append(
            pd.DataFrame(
                {"explainer": values.index, "number": number, "agreement": values.to_numpy()}
            )
        )
    return pd.concat(rows, ignore_index=True)


def draw(study: mv.Study, model: str, out: Path) -> list[str]:
    """Draw worth and stability over each setting; return the files' names."""
    table = study.scores().query("explainer != 'random_order'")
    first = table[table["protocol"] == study.protocols[0]]
    first = first.merge(agreements(study), on=["explainer", "number"])
    figure, axes = plt.subplots(2, 2, figsize=(9.5, 6.5), layout="constrained", sharex="col")
    for column, x in enumerate(("min_cut", "starting_layer")):
        for row, (y, label) in enumerate(
            (
                ("difference", "insertion - deletion"),
                ("agreement", "rank correlation to\nthe published settings"),
            )
        ):
            ax = plot.settings(first, x=x, hue="token_ratio", y=y, ax=axes[row, column])
            ax.set_ylabel(label if column == 0 else "")
            if x == "min_cut":
                ax.set_xscale("log")
    figure.suptitle(f"{model}, {first['protocol'].iloc[0]}", fontsize="medium")
    name = f"{out.name}_{model}.png"
    figure.savefig(out.with_name(name), dpi=110)
    plt.close(figure)
    return [name]


def main() -> None:
    """Run the sweep of every model and write the results."""
    args = arguments(__doc__, "sweep_settings").parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tables, summaries, text = [], [], head("min_cut, token_ratio and starting_layer", args)
    for model in args.model:
        study = mv.Study(
            args.study / model,
            drawn(args),
            model=model,
            explainers=mv.sweep(**SWEPT),
            protocols=PROTOCOLS,
            steps=args.steps,
        )
        study.run(workers=args.workers, progress=True)
        tables.append(study.scores().assign(model=model))
        summaries.append(
            pd.concat(
                [
                    summarise(study, measure).assign(measure=measure, model=model)
                    for measure in ("difference", "insertion", "deletion")
                ]
            )
        )
        passes, pictures = study.all_passes(), draw(study, model, args.out)
        summary = summarise(study)
        beyond = summary["p_holm"].dropna()
        text += f"\n## {model}\n\n{passes.run:,} forward passes; without sharing {passes.naive:,}. {(beyond < 0.05).sum()} of {len(beyond)} rows differ from a "
        text += "random order (p_holm < 0.05, in the CSV). Changes are paired, to the first row of the protocol.\n\n"
        shown = [
            "protocol",
            *SWEPT,
            "value",
            "low",
            "high",
            "change",
            "change_low",
            "change_high",
            "p_change",
            "agreement",
        ]
        exact = {name: summary[name].map("{:g}".format, na_action="ignore") for name in SWEPT}
        text += (
            markdown(summary.assign(**exact)[shown])
            + "\n"
            + "".join(f"\n![{picture}]({picture})\n" for picture in pictures)
        )
    pd.concat(tables).to_parquet(args.out.with_suffix(".parquet"), index=False)
    pd.concat(summaries).to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.6f")
    args.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
