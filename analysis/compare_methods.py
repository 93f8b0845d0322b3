"""Which heatmap is the most faithful for its passes? Every method on the same images, with 95 % intervals and paired differences.

    python analysis/compare_methods.py --model demo-vit --data FOLDER
    python analysis/compare_methods.py --model demo-deit --data FOLDER
    python analysis/compare_methods.py --model CHECKPOINT --photos FOLDER --protocols token patch/black patch/blur
    python analysis/compare_methods.py --summarise

The first 300 CIFAR-10 test images of the order in cifar_images.py (settings were chosen on others, see tune_communities.py), predicted class,
16 steps; budgets of 500 passes and more on the first 60 alone. A second run goes on where the first was stopped, or adds to it. Written: a folder a model (rows, curves, provenance), and of all of
them the summary (Markdown), the difference against the passes and the curves (PNG); of photos a gallery of heatmaps too.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import torch
from cifar_images import read_images, reported
from provenance import provenance

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv
from multiplex_vit.cli.compare import SUFFIXES
from multiplex_vit.files import written_whole
from multiplex_vit.study.statistics import interval

OUT = Path("analysis/results/compare_methods")
HEAVY = 500


def images_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the images by name: photos of a folder, or CIFAR-10 test images by their number in the file."""
    if args.photos:
        files = sorted(file for file in args.photos.iterdir() if file.suffix.lower() in SUFFIXES)
        return {file.name: file for file in files[args.first : args.first + args.images]}
    return read_images(args.data, reported(args.first, args.images))


def measure(args: argparse.Namespace) -> None:
    """Measure one model: great budgets on fewer images, everything else on all."""
    model = mv.load(args.model, device=args.device)
    model.name = Path(args.model).name  # a folder's place on this machine is no part of the results
    folder = args.out / (model.name + ("-photos" if args.photos else ""))
    images = images_of(args)
    few = dict(list(images.items())[: args.heavy_images])
    for chosen, budgets in ((images, [b for b in args.budgets if b < HEAVY]), (few, [b for b in args.budgets if b >= HEAVY])):
        if budgets and chosen:
            choices = {"methods": args.methods, "budgets": budgets, "protocols": args.protocols, "steps": args.steps, "gallery": 4 if args.photos else 0}
            note(folder, model)
            found = mv.compare(model, chosen, out=folder, tell=lambda line: print(line, flush=True), **choices)
            for image, reason in found.failures:
                print(f"{image}: {reason}", file=sys.stderr)


def note(folder: Path, model: mv.VisionModel) -> None:
    """Write what the figures of a folder were measured with, one entry a command."""
    folder.mkdir(parents=True, exist_ok=True)
    own, path = provenance(model.device, dtype=str(model.dtype).removeprefix("torch.")), folder / "provenance.json"
    earlier = json.loads(path.read_text()) if path.exists() else []
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps([*(one for one in earlier if one["command"] != own["command"]), own], indent=1) + "\n")


def summarise(out: Path) -> None:
    """Write the summary and the figures of everything that was measured."""
    folders = [path.parent for path in sorted(out.glob("*/comparison.csv"))]
    measured = {folder: mv.Comparison.read(folder) for folder in folders}
    lines = [
        "# Every method on the same images\n",
        "CIFAR-10 test images in the order of cifar_images.py, or photos; settings were chosen on others (tune_communities.py). The random order is another one for every image.",
        f"Budgets of {HEAVY} passes and more were run on fewer images (see the column): their means do not compare with the others', the paired differences do.",
        "Passes are not all of one length: random and centrality masks keep half of the tokens, occlusion nearly all. Backward passes count for one each.\n",
        "In short, insertion minus deletion at 55 passes, and paired differences (in brackets on how many images, where on fewer):\n",
        *brief(measured),
    ]
    for folder, found in measured.items():
        facts = json.loads((folder / "provenance.json").read_text())
        lines += [
            f"\n# {folder.name}\n",
            *(f"- `{one['command']}`; {one['date']}, commit {one['commit']}, {one['device']}" for one in facts),
            "",
            found.markdown(against=_own(found)),
        ]
    out.with_suffix(".md").write_text("\n".join(lines))
    draw(measured, out)


def brief(measured: dict[Path, mv.Comparison]) -> list[str]:
    """Return the table of the README: `communities` on the same images as the published method, the strongest rivals, and itself with more passes."""
    lines = [
        "| model | protocol | images | `mutex` | `communities` | more than `mutex` | than RISE, 55 | than occlusion, a pass a token | than RISE, 550 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for folder, found in measured.items():
        for protocol, rows in found.table().groupby("protocol", sort=False):
            wide = rows.assign(entry=rows["method"] + rows["budget"].map(lambda b: "" if pd.isna(b) else f" {b}")).pivot(
                index="image", columns="entry", values="difference"
            )
            if not {"communities 55", "mutex 55"} <= set(wide):
                continue
            both = wide.dropna(subset=["communities 55", "mutex 55"])
            shares = f"{both['communities 55'].mean() / both['mutex 55'].mean() - 1:+.0%}"
            cells = [str(interval(both[name].to_numpy())) for name in ("mutex 55", "communities 55")]
            cells += [_more(wide, "mutex 55") + f", {shares}", *(_more(wide, name) for name in ("rise_tokens 55", "occlusion", "rise_tokens 550"))]
            lines.append(f"| {folder.name} | {protocol} | {len(both)} | {' | '.join(cells)} |")
    return lines


def _more(wide: pd.DataFrame, other: str) -> str:
    """Return by how much `communities` is ahead of another on the images of both, and on how many where these are fewer."""
    if other not in wide:
        return ""
    paired = (wide["communities 55"] - wide[other]).dropna().to_numpy()
    return f"{interval(paired)}" + (f" ({len(paired)})" if len(paired) < wide["communities 55"].count() else "")


def _own(found: mv.Comparison) -> list[str]:
    """Return what the others are held against, as far as it was measured."""
    return [name for name in ("mutex", "communities") if name in set(found.table()["method"])]


def draw(measured: dict[Path, mv.Comparison], out: Path) -> None:
    """Draw the difference against passes, a panel a model and protocol; curves, where they are here; and galleries of photos."""
    panels = [(folder.name, found, protocol) for folder, found in measured.items() for protocol in found.protocols]
    figure, axes = plt.subplots((len(panels) + 1) // 2, 2, figsize=(12, 4.4 * ((len(panels) + 1) // 2)), layout="constrained", squeeze=False)
    for ax, (name, found, protocol) in zip(axes.flat, panels, strict=False):
        found.plot(protocol, ax=ax)
        ax.set_title(f"{name}, {protocol}")
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.savefig(out.with_suffix(".png"), dpi=110)
    for folder, found in measured.items():
        for protocol in found.protocols if len(found.curves) else ():
            found.plot_curves(protocol).savefig(folder / f"curves_{protocol.replace('/', '-')}.png", dpi=110)
        if found.shown:
            found.plot_gallery().savefig(folder / "gallery.png", dpi=110)


def main() -> None:
    """Measure one model, then summarise what was measured; or only summarise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--data", type=Path, help="folder with test.parquet; the hub's unless given")
    parser.add_argument("--photos", type=Path, help="folder of images, in place of CIFAR-10")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--heavy-images", type=int, default=60, help=f"images on which budgets of {HEAVY} and more are run")
    parser.add_argument("--methods", nargs="+", help="all of at most 100 passes unless given")
    parser.add_argument("--budgets", nargs="+", type=int, default=[55, 550])
    parser.add_argument("--protocols", nargs="+", default=["token", "patch/black"])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--summarise", action="store_true", help="summarise what was measured, and measure nothing")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not args.summarise:
        measure(args)
    summarise(args.out)


if __name__ == "__main__":
    main()
