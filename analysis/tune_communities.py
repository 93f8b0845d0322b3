"""Which mask design, estimator and weight of the direct attribution make the best heatmap of 55 passes? Every combination, on images that no report uses.

    python analysis/tune_communities.py --model demo-vit --data FOLDER
    python analysis/tune_communities.py --model demo-deit --data FOLDER
    python analysis/tune_communities.py --model CHECKPOINT --data FOLDER --images 8 --designs occlusion orthogonal community --weights 0 0.3
    python analysis/tune_communities.py --summarise

CIFAR-10 test images kept for choosing settings (cifar_images.tuning), predicted class, protocols patch (true black) and token with 8 steps.
Written: one row an image, setting and protocol, after every image (tune_communities_MODEL.csv); how they were made (JSON); the summary (Markdown).
"""

import argparse
import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from cifar_images import read_images, tuning
from provenance import provenance

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.files import written_whole
from multiplex_vit.registry import name_of

warnings.filterwarnings("ignore", message=".*see masks.table")
OUT = Path("analysis/results/tune_communities")
ESTIMATORS = (
    "coverage",
    "contrast",
    *(partial(mv.saliency.ESTIMATORS["graph"], smoothness=s) for s in (0.03, 0.3, 3.0, 10.0)),
    "shapley",
)
WEIGHTS = (0.0, 0.15, 0.3, 0.5, 1.0)
PROTOCOLS = ("patch/black", "token")
SETTING = ["design", "estimator", "direct_weight"]
CHOSEN = ("occlusion", "graph(smoothness=0.03)", 0.3)
PUBLISHED = ("centrality", "coverage", 0.0)
EARLIER = """
Before this table, settings were tried in four lots, all on images that no report uses: 133 designs and estimators in three rounds on images 5000 to 5111,
which turned out to be of one class (the file is sorted by class); about 70 mixtures with other heatmaps (in-strength, Generic Attention, LeGrad; groups of
tokens by such a prior); 17 mixtures with the direct attribution; and sequential designs that choose the next masks where a posterior is least sure, all of which were
behind the designs that do not look. What they led to, and what they were up against, is measured again here.
"""


def heatmaps_of(
    model: mv.VisionModel, image: object, args: argparse.Namespace
) -> tuple[dict[tuple[str, str, float], np.ndarray], int]:
    """Return the heatmap of every design, estimator and weight, and the class."""
    found = {}
    for design in args.designs:
        explanation = mv.explain(
            model, image, design=design, estimator="graph", direct_weight=1.0, budget=args.budget
        )
        for estimator in ESTIMATORS:
            for weight in args.weights:
                found[design, name_of(estimator), weight] = explanation.with_estimator(
                    estimator, direct_weight=weight
                ).heatmap
    return found, explanation.label


def measure(args: argparse.Namespace) -> None:
    """Measure every setting on the images of one model that were not measured before."""
    model = mv.load(args.model)
    path = Path(f"{OUT}_{Path(args.model).name}.csv")
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {str(row["image"]) for row in rows}
    for number, image in read_images(args.data, tuning(args.first, args.images)).items():
        if number in done:
            continue
        heatmaps, label = heatmaps_of(model, image, args)
        measured = evaluate_many(
            model, image, heatmaps.values(), label=label, protocols=PROTOCOLS, steps=args.steps
        )
        for protocol, several in measured.items():
            rows += [
                {
                    "image": number,
                    **dict(zip(SETTING, key, strict=True)),
                    "protocol": protocol,
                    "difference": f.difference,
                }
                for key, f in zip(heatmaps, several, strict=True)
            ]
        with written_whole(path) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.5f")
        with written_whole(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(provenance(), indent=1) + "\n")
        print(f"{number}: {len(heatmaps)} heatmaps", flush=True)


def summarise() -> None:
    """Write the best settings of every model, and of every weight and design the best estimator."""
    lines = [
        "# Which design, estimator and weight of the direct attribution, at 55 passes?\n",
        "Insertion minus deletion, means over images and both protocols.",
        EARLIER,
    ]
    for path in sorted(OUT.parent.glob(f"{OUT.name}_*.csv")):
        table, facts = pd.read_csv(path), json.loads(path.with_suffix(".json").read_text())
        means = table.pivot_table(index=SETTING, columns="protocol", values="difference")
        means = means.assign(both=means.mean(axis=1)).sort_values("both", ascending=False)
        lines += [
            f"\n## {path.stem.removeprefix(OUT.name + '_')}: {table['image'].nunique()} images, {len(means)} settings\n"
        ]
        lines += [
            f"`{facts['command']}`; {facts['date']}, commit {facts['commit']}, {facts['device']}\n"
        ]
        lines += _shown(
            "The best ten, the setting of `communities`, and the published one",
            pd.concat(
                [means.head(10), means.loc[[s for s in (CHOSEN, PUBLISHED) if s in means.index]]]
            ),
        )
        best = means.groupby(["design", "direct_weight"])["both"].idxmax()
        lines += _shown("The best estimator of every design and weight", means.loc[best])
    with written_whole(OUT.with_suffix(".md")) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _shown(title: str, means: pd.DataFrame) -> list[str]:
    """Return a table in Markdown."""
    rows = [
        f"| {' | '.join(map(str, key))} | {' | '.join(f'{value:.3f}' for value in values)} |"
        for key, values in zip(means.index, means.to_numpy(), strict=True)
    ]
    return [
        f"{title}:\n",
        f"| {' | '.join([*SETTING, *means.columns])} |",
        f"|{'---|' * (len(SETTING) + len(means.columns))}",
        *rows,
        "",
    ]


def main() -> None:
    """Measure one model, then summarise what was measured; or only summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument(
        "--data", type=Path, help="folder with test.parquet; the hub's unless given"
    )
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument(
        "--designs",
        nargs="+",
        default=["centrality", "random", "orthogonal", "community", "mixed", "occlusion"],
    )
    parser.add_argument("--weights", nargs="+", type=float, default=WEIGHTS)
    parser.add_argument("--budget", type=int, default=55)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument(
        "--summarise", action="store_true", help="summarise what was measured, and measure nothing"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.summarise:
        measure(args)
    summarise()


if __name__ == "__main__":
    main()
