"""Does a heatmap point to where its class is? The grid pointing game of every method, on mosaics of 2 x 2 and 3 x 3 pictures.

    python analysis/localise.py --model demo-vit --data FOLDER
    python analysis/localise.py --model demo-deit --data FOLDER
    python analysis/localise.py --summarise

Mosaics are made of CIFAR-10 test images that the model classifies rightly with a probability of at least .8, the classes within one mosaic
distinct. Images are those to report on, in the order of cifar_images.py. A second run goes on where the first was stopped. Written under
analysis/results: one row a method, mosaic and cell (localise_MODEL.csv; `image` is the number in the file), how they were made
(localise_MODEL.json), and the summary (localise.md).
"""

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from cifar_images import read_labelled, reported
from provenance import provenance

import multiplex_vit as mv
from multiplex_vit.files import written_whole
from multiplex_vit.report.statistics import interval

warnings.filterwarnings("ignore", message=".*see masks.table")
OUT = Path("analysis/results/localise")
LEAST = 0.8
MOST_PASSES = 600
SHAPES = ((2, 2), (3, 3))


def too_dear(model: mv.VisionModel, mosaic: mv.evaluation.Mosaic, method: str) -> str:
    """Return why a rival is left out, or nothing: it takes too many passes for a heatmap, or cannot run here."""
    if mv.EXPLAINERS[method].settings is not None:
        return ""
    try:
        passes = mv.EXPLAINERS[method](
            model, model.picture(mosaic.pixels), label=mosaic.labels[0]
        ).forward_passes
    except (mv.InputError, ImportError) as error:
        return str(error)
    return f"{passes} passes a heatmap" if passes > MOST_PASSES else ""


def measure(args: argparse.Namespace) -> None:
    """Play the game with every method on one model, write the rows after every method, and leave out what was played before."""
    path = Path(f"{OUT}_{args.model}.csv")
    table = (
        pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["shape", "method", "mosaic"])
    )
    model = mv.load(args.model, device=args.device)
    left_out: dict[str, str] = {}
    for shape in SHAPES:
        mosaics = mv.evaluation.draw_mosaics(
            model,
            read_labelled(args.data, reported()),
            shape=shape,
            count=args.mosaics,
            least=LEAST,
        )
        for method in args.methods or list(mv.EXPLAINERS):
            earlier = (table["shape"] == f"{shape[0]}x{shape[1]}") & (table["method"] == method)
            if table.loc[earlier, "mosaic"].nunique() == len(mosaics):
                continue
            if not args.methods and method not in left_out:
                left_out[method] = too_dear(model, mosaics[0], method)
            if not left_out.get(method):
                found = played(model, mosaics, method)
                table = found if table.empty else pd.concat([table[~earlier], found])
                write(table, path)
            write_json(
                path.with_suffix(".json"),
                {
                    **provenance(args.device),
                    "left_out": {name: why for name, why in left_out.items() if why},
                },
            )


def played(model: mv.VisionModel, mosaics: list[mv.evaluation.Mosaic], method: str) -> pd.DataFrame:
    """Return the rows of one method, with the numbers of the images in the file and the seconds a mosaic."""
    start = time.perf_counter()
    found = mv.evaluation.grid_pointing_game(model, mosaics, method)
    seconds = (time.perf_counter() - start) / len(mosaics)
    shares = f"share {found['share'].mean():.3f}, centred {found['share_centred'].mean():.3f}"
    print(f"{found['shape'][0]} {method}: {shares}, {seconds:.2f} s a mosaic", flush=True)
    return found.assign(
        image=np.array(reported())[found["image"]], model=model.name, seconds=seconds
    )


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the rows, whole or not at all."""
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6f")


def write_json(path: Path, facts: dict[str, Any]) -> None:
    """Write facts, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n")


def summary(part: pd.DataFrame) -> pd.DataFrame:
    """Return one row a method, best centred share first: mean shares over mosaics with their intervals, passes and seconds a mosaic."""
    means = part.groupby(["method", "mosaic"])[["share", "share_centred"]].mean()
    order = means["share_centred"].groupby("method").mean().sort_values(ascending=False).index
    rows = []
    for method in order:
        own, shares = part[part["method"] == method], means.loc[method]
        passes = f"{own['forward_passes'].mean():.4g}" + (
            f" + {own['backward_passes'].mean():.4g} back" if own["backward_passes"].any() else ""
        )
        shown = {
            f"{name}": str(interval(shares[column].to_numpy()))
            for name, column in (("share, centred", "share_centred"), ("share, published", "share"))
        }
        rows.append(
            {
                "method": method,
                **shown,
                "passes a mosaic": passes,
                "seconds a mosaic": f"{own['seconds'].mean():.2f}",
            }
        )
    return pd.DataFrame(rows)


def summarise() -> None:
    """Write the summary of what was measured."""
    paths = sorted(OUT.parent.glob(f"{OUT.name}_*.csv"))
    if not paths:
        raise SystemExit(
            f"nothing was measured yet: there is no {OUT}_MODEL.csv; run with --model first"
        )
    table = pd.concat([pd.read_csv(path) for path in paths])
    lines = [
        "# Do heatmaps point to where their class is?\n",
        "The grid pointing game (`multiplex_vit.evaluation.grid_pointing_game`): the share of a class's positive attribution that lies in its own cell of a mosaic of",
        "pictures of distinct classes, each of which the model classifies rightly with a probability of at least .8 alone. Pictures are shrunk to their cells,",
        "which is hard on a model of 32 pixels: `probability` is the mean probability of a cell's class in the mosaic. *Published* takes the positive values of a heatmap as they",
        "are; an offset, as mean confidences have (mutex, RISE), draws it to chance. *Centred* takes what lies above the heatmap's median. Means over mosaics",
        "with bootstrap 95 % intervals; methods whose intervals overlap are not ranked by this. Methods that do not depend on the class are at chance by construction.\n",
    ]
    for path in paths:
        facts = json.loads(path.with_suffix(".json").read_text())
        left_out = "; ".join(f"{name} ({why})" for name, why in facts.pop("left_out").items())
        lines.append(
            f"- {path.stem.removeprefix(OUT.name + '_')}: {', '.join(f'{key} `{value}`' for key, value in facts.items())}. Left out: {left_out or 'nothing'}."
        )
    for (model, shape), part in table.groupby(["model", "shape"], sort=False):
        rows, one = summary(part), part[part["method"] == part["method"].iloc[0]]
        chance, probability = (
            one.groupby("mosaic")["chance"].mean().mean(),
            one["probability"].mean(),
        )
        lines += [
            f"\n## {model}, {shape}: {part['mosaic'].nunique()} mosaics, chance {chance:.3f}, probability {probability:.2f}\n"
        ]
        lines += [
            f"| {' | '.join(map(str, line))} |"
            for line in [rows.columns, ["---"] * len(rows.columns), *rows.to_numpy()]
        ]
    with written_whole(OUT.with_suffix(".md")) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure one model, or summarise what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--data", type=Path, help="folder with test.parquet")
    parser.add_argument(
        "--mosaics", type=int, default=50, help="how many of each shape (%(default)s)"
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        help=f"all of at most {MOST_PASSES} passes a heatmap unless given",
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--summarise", action="store_true", help="summarise what was measured, and measure nothing"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        summarise() if args.summarise else measure(args)
    except mv.InputError as error:
        raise SystemExit(f"localise: {error}") from error


if __name__ == "__main__":
    main()
