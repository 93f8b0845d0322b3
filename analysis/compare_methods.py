"""Which heatmap is the most faithful for its passes? Every explainer on the same images.

    python analysis/compare_methods.py --model demo-vit --data FOLDER
    python analysis/compare_methods.py --model demo-deit --data FOLDER
    python analysis/compare_methods.py --model demo-vit --data FOLDER --images 100 --heavy-images 30 --budgets 8 55 --steps 8
    python analysis/compare_methods.py --model CHECKPOINT --photos FOLDER --protocols token patch/black patch/blur
    python analysis/compare_methods.py --summarise

The first 300 CIFAR-10 test images of the order in cifar_images.py (settings were chosen on others,
see tune_communities.py), predicted class, 16 steps; budgets of 500 passes and more on the first 60
alone, in a study of their own. A second run continues where the first was stopped, or adds to it.
Written: the summary with intervals and paired differences (Markdown), the scores (CSV), the
difference against the passes and the curves (PNG); of photos a gallery of heatmaps too.
"""

import argparse
import json
from pathlib import Path

import matplotlib
import pandas as pd
from cifar_images import read_images, reported
from provenance import provenance

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv
from multiplex_vit.cli.compare import MOST_PASSES, at_budget
from multiplex_vit.files import written_whole
from multiplex_vit.report import (
    interval,
    leaderboard,
    plot_curves,
    plot_gallery,
    plot_passes,
)
from multiplex_vit.report.leaderboard import readable
from multiplex_vit.report.markdown import markdown_table
from multiplex_vit.study.sources import SUFFIXES
from multiplex_vit.tabular import write_table

OUT = Path("analysis/results/compare_methods")
HEAVY = 500
"""Budgets from here on are run on fewer images."""

RIVALS = ("attn_lrp", "occlusion", "kernel_shap", "rise_tokens", "rise_tokens(budget=550)")
"""What `communities` is held against in short, beside `mutex`."""


def images_of(args: argparse.Namespace) -> dict[str, object]:
    """Return the images by name: photos, or CIFAR-10 test images by their number in the file."""
    if args.photos:
        files = sorted(f for f in args.photos.iterdir() if f.suffix.lower() in SUFFIXES)
        return {file.name: file for file in files[args.first : args.first + args.images]}
    return read_images(args.data, reported(args.first, args.images))


def explainers_at(budget: int, model: mv.VisionModel, names: list[str] | None) -> list:
    """Return explainers at a budget; of great budgets those alone that have one."""
    rows, columns = model.grid_of(model.input_size)
    n_tokens = rows * columns
    chosen = [mv.EXPLAINERS[name] for name in names or mv.EXPLAINERS]
    if names is None and n_tokens + 1 > MOST_PASSES:
        chosen = [explainer for explainer in chosen if not explainer.each_token]
    explainers = [at_budget(explainer, budget, n_tokens, model.n_layers) for explainer in chosen]
    if budget >= HEAVY:
        explainers = [explainer for explainer in explainers if "budget" in explainer.options]
    return list(dict.fromkeys(explainers))


def measure(args: argparse.Namespace) -> None:
    """Measure one model: great budgets on fewer images, everything else on all."""
    model = mv.load(args.model, device=args.device)
    name = Path(args.model).name + ("-photos" if args.photos else "")
    images = images_of(args)
    few = dict(list(images.items())[: args.heavy_images])
    light = [budget for budget in args.budgets if budget < HEAVY]
    heavy = [budget for budget in args.budgets if budget >= HEAVY]
    for folder, chosen, budgets in ((name, images, light), (f"{name}-heavy", few, heavy)):
        explainers = []
        for budget in budgets:
            explainers += explainers_at(budget, model, args.explainers)
        if not explainers:
            continue
        if folder.endswith("-heavy"):
            # Differences are paired, so the published method is there too.
            explainers = [mv.EXPLAINERS["mutex"], mv.EXPLAINERS["communities"], *explainers]
        study = mv.Study(
            args.study / folder,
            chosen,
            model=model,
            explainers=list(dict.fromkeys(explainers)),
            protocols=args.protocols,
            steps=args.steps,
            chunk=4,
        )
        study.run(progress=True)
        note(args.study / f"{folder}.json", model)


def note(path: Path, model: mv.VisionModel) -> None:
    """Write what a study was measured with, one entry a command."""
    dtype = str(model.dtype).removeprefix("torch.")
    now = provenance(model.device, dtype=dtype)
    earlier = json.loads(path.read_text()) if path.exists() else []
    others = [one for one in earlier if one["command"] != now["command"]]
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps([*others, now], indent=1) + "\n")


def summarise(args: argparse.Namespace) -> None:
    """Write the summary and the figures of everything that was measured."""
    studies = {}
    for path in sorted(args.study.glob("*/manifest.json")):
        studies[path.parent.name] = mv.Study.open(path.parent)
    lines = [
        "# Every explainer on the same images\n",
        "CIFAR-10 test images in the order of cifar_images.py, or photos; settings were chosen on"
        " others (tune_communities.py). The random order is another one for every image.",
        f"Budgets of {HEAVY} passes and more were run on fewer images, in studies of their own.",
        "Passes are not all of one length: random and centrality masks keep half of the tokens, occlusion nearly all. Backward passes count for one each.\n",
        "In short, insertion minus deletion, and paired differences:\n",
        markdown_table(pd.DataFrame(in_short(studies))),
    ]
    for name, study in studies.items():
        lines.append(f"\n# {name}\n")
        for one in json.loads((args.study / f"{name}.json").read_text()):
            about = f"{one['date']}, commit {one['commit']}, {one['device']}"
            lines.append(f"- `{one['command']}`; {about}")
        for protocol in study.protocols:
            lines.append(f"\n## {name}, {protocol}\n")
            lines.append(markdown_table(readable(leaderboard(study, protocol))))
    args.out.with_suffix(".md").write_text("\n".join(lines) + "\n")
    scores = [study.scores().assign(study=name) for name, study in studies.items()]
    write_table(pd.concat(scores), args.out.with_suffix(".csv"), digits=6)
    draw(studies, args.out)


def in_short(studies: dict[str, mv.Study]) -> list[dict[str, str]]:
    """Return rows of `communities` beside the published method and the strongest rivals."""
    rows = []
    for name, study in studies.items():
        for protocol, part in study.scores().groupby("protocol", sort=False):
            wide = part.pivot(index="number", columns="explainer", values="difference")
            if not {"communities", "mutex"} <= set(wide):
                continue
            both = wide.dropna(subset=["communities", "mutex"])
            row = {"model": name, "protocol": protocol, "images": str(len(both))}
            for text in ("mutex", "communities"):
                row[f"`{text}`"] = str(interval(both[text].to_numpy()))
            for other in ("mutex", *RIVALS):
                row[f"more than `{other}`"] = ""
                if other in wide:
                    difference = (wide["communities"] - wide[other]).dropna().to_numpy()
                    row[f"more than `{other}`"] = str(interval(difference))
            rows.append(row)
    return rows


def draw(studies: dict[str, mv.Study], out: Path) -> None:
    """Draw the difference against passes, curves, and galleries of photos."""
    panels = []
    for name, study in studies.items():
        panels += [(name, study, protocol) for protocol in study.protocols]
    n_rows = (len(panels) + 1) // 2
    options = {"figsize": (12, 4.4 * n_rows), "layout": "constrained", "squeeze": False}
    figure, axes = plt.subplots(n_rows, 2, **options)
    for ax, (name, study, protocol) in zip(axes.flat, panels, strict=False):
        plot_passes(study, protocol, ax=ax, title=f"{name}, {protocol}")
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.savefig(out.with_suffix(".png"), dpi=110)
    for name, study, protocol in panels:
        file = f"{out.name}_{name}_curves_{protocol.replace('/', '-')}.png"
        plot_curves(study, protocol).savefig(out.with_name(file), dpi=110)
    for name, study in studies.items():
        if name.endswith("-photos"):
            plot_gallery(study).savefig(out.with_name(f"{out.name}_{name}_gallery.png"), dpi=110)


def main() -> None:
    """Measure one model, then summarise what was measured; or only summarise."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style)
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--data", type=Path, help="folder with test.parquet; the hub's unless given"
    )
    parser.add_argument("--photos", type=Path, help="folder of images, in place of CIFAR-10")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--heavy-images", type=int, default=60)
    parser.add_argument("--explainers", nargs="+", help=f"all of at most {MOST_PASSES} passes")
    parser.add_argument("--budgets", nargs="+", type=int, default=[55, 550])
    parser.add_argument("--protocols", nargs="+", default=["token", "patch/black"])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--study", type=Path, default=Path("studies/compare_methods"))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--summarise", action="store_true", help="measure nothing")
    args = parser.parse_args()
    if not args.summarise:
        measure(args)
    summarise(args)


if __name__ == "__main__":
    main()
