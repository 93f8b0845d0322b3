"""Which measures carry the heatmap? Leave one out and keep one alone, over operators, directions, statistics and ten centralities and more.

    python analysis/ablate_centralities.py --data FOLDER --images 200

Two studies a model, resumable: the published explanation (3 operators x 2 directions x 9 statistics), and one whose masks come from many
centralities (2 statistics of each). No masked pass is run for a variant. Written: one row an image, variant, protocol and measure
(Parquet), the summary of paired differences (CSV), figures (PNG), a Markdown summary.
"""

import argparse
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.report import Ablation, ablate
from multiplex_vit.report.markdown import markdown_table as markdown
from multiplex_vit.saliency.shared import SharedPasses
from multiplex_vit.study.study import CONTROL

CENTRALITIES = (
    "in_strength", "out_strength", "in_degree", "pagerank", "eigenvector", "katz",
    "betweenness", "in_closeness", "coreness", "clustering", "in_entropy", "hub",
)  # fmt: skip
PROTOCOLS = ("patch/black", "token")


def known(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the centralities that are registered, filled up with others to at least ten."""
    here = [name for name in names if name in mv.CENTRALITIES]
    return tuple(
        [*here, *(name for name in mv.CENTRALITIES if name not in here)][: max(10, len(here))]
    )


def ablations(model: str, args: argparse.Namespace) -> dict[str, tuple[Ablation, SharedPasses]]:
    """Return both ablations of a model, and the passes that they took."""
    mutex = mv.EXPLAINERS["mutex"]
    many = mutex.at(operators=("sum",), centralities=known(CENTRALITIES), statistics=("sum", "max"))
    asked = {
        "published": (mutex, ("operator", "direction", "statistic")),
        "centralities": (many, ("centrality",)),
    }
    found = {}
    for name, (full, dimensions) in asked.items():
        chosen = {"leave_out": dimensions, "keep_only": dimensions}
        study = mv.Study(
            args.study / f"{model}_{name}",
            drawn(args),
            model=model,
            explainers=mv.ablations(full, **chosen),
            protocols=PROTOCOLS,
            steps=args.steps,
        )
        study.run(workers=args.workers, progress=True)
        found[name] = (ablate(study, **chosen), study.passes())
    return found


def in_short(summary: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return one row a protocol and what is varied: the value missed most and least when left out, and the best and worst alone, by their changes."""
    parts = summary["variant"].str.extract(
        r"^(?P<kind>without|only) (?P<what>[a-z]+) (?P<name>.+)$"
    )
    rows = []
    for (protocol, what), part in (
        summary.join(parts).dropna(subset="kind").groupby(["protocol", "what"], sort=False)
    ):
        row = {
            "model": model,
            "protocol": protocol,
            "of": f"{part['name'].nunique()} {what if what != 'centrality' else 'centralitie'}s",
        }
        for kind, most, least in (
            ("without", "missed most", "missed least"),
            ("only", "worst alone", "best alone"),
        ):
            ordered = part[part["kind"] == kind].sort_values("change")
            row |= {most: _change(ordered.iloc[0]), least: _change(ordered.iloc[-1])}
        control = summary[(summary["protocol"] == protocol) & (summary["variant"] == CONTROL)]
        rows.append({**row, "random order": _change(control.iloc[0], named=False)})
    return pd.DataFrame(rows)


def _change(row: pd.Series, *, named: bool = True) -> str:
    change = f"{row['change']:.3f} [{row['change_low']:.3f}, {row['change_high']:.3f}]"
    return f"{row['name']} {change}" if named else change


def draw(found: dict[str, tuple[Ablation, SharedPasses]], model: str, out: Path) -> list[str]:
    """Draw changes and the rank correlation between what single measures give; return the files' names."""
    names = []
    for name, (ablation, _) in found.items():
        summary = ablation.summary()
        protocol = summary["protocol"].iloc[0]
        part = summary[(summary["protocol"] == protocol) & (summary["variant"] != "full")]
        figure, ax = plt.subplots(figsize=(7, 1 + 0.24 * len(part)), layout="constrained")
        plot.changes(part, label=f"change of insertion - deletion ({protocol})", ax=ax).set_title(
            f"{model}, {name}", fontsize="medium"
        )
        names.append(f"{out.name}_{model}_{name}.png")
        figure.savefig(out.with_name(names[-1]), dpi=110)
        alone = [variant for variant in ablation.correlation().index if variant.startswith("only")]
        figure, ax = plt.subplots(
            figsize=(3.5 + 0.34 * len(alone), 2.5 + 0.34 * len(alone)), layout="constrained"
        )
        matrix = ablation.correlation().loc[alone, alone]
        plot.correlation(
            matrix.rename(
                index=lambda v: v.removeprefix("only "), columns=lambda v: v.removeprefix("only ")
            ),
            ax=ax,
        )
        names.append(f"{out.name}_{model}_{name}_agreement.png")
        figure.savefig(out.with_name(names[-1]), dpi=110)
        plt.close("all")
    return names


def with_in_short(text: str, summaries: pd.DataFrame) -> str:
    """Return a summary's Markdown with the table in short before its sections, in place of one that is there."""
    first, *sections = text.split("\n## ")
    difference = summaries[summaries["measure"] == "difference"]
    short = pd.concat(
        [
            in_short(part.drop(columns="model"), model)
            for (model, _), part in difference.groupby(["model", "ablation"], sort=False)
        ]
    )
    told = (
        "In short, paired changes of insertion minus deletion when one is left out, or stands alone:\n\n"
        + markdown(short)
    )
    return "\n## ".join([f"{first.split(chr(10) + 'In short')[0].rstrip()}\n\n{told}\n", *sections])


def main() -> None:
    """Run the ablations of every model and write the results; or only put those that were written in short."""
    parser = arguments(__doc__, "ablate_centralities")
    parser.add_argument(
        "--summarise", action="store_true", help="run nothing, put the results written in short"
    )
    args = parser.parse_args()
    written = args.out.with_suffix(".md")
    if args.summarise:
        written.write_text(
            with_in_short(written.read_text(), pd.read_csv(args.out.with_suffix(".csv")))
        )
        return
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tables, summaries, text = [], [], head("Which measures carry the heatmap?", args)
    for model in args.model:
        found = ablations(model, args)
        pictures = draw(found, model, args.out)
        for name, (ablation, passes) in found.items():
            facts = {"model": model, "ablation": name}
            tables.append(ablation.scores.assign(**facts))
            summaries.append(
                pd.concat(
                    [
                        ablation.summary(measure).assign(measure=measure, **facts)
                        for measure in ("difference", "insertion", "deletion")
                    ]
                )
            )
            text += f"\n## {model}, {name}\n\n{passes.run:,} passes explained; without sharing {passes.naive:,}.\n\n"
            shown = [
                "protocol",
                "variant",
                "value",
                "low",
                "high",
                "change",
                "change_low",
                "change_high",
                "effect",
                "p_holm",
                "agreement",
            ]
            text += markdown(ablation.summary()[shown]) + "\n"
        text += "".join(f"\n![{picture}]({picture})\n" for picture in pictures)
    everything = pd.concat(summaries)
    pd.concat(tables).to_parquet(args.out.with_suffix(".parquet"), index=False)
    everything.to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.6f")
    written.write_text(with_in_short(text, everything))


if __name__ == "__main__":
    main()
