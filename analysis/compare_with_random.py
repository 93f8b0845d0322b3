"""Do heatmaps beat a random order? Insertion and deletion on CIFAR-10 test images, both bundled models, with 95 % intervals.

    python analysis/compare_with_random.py --data FOLDER --images 200 --out analysis/results/compare_with_random

FOLDER holds test.parquet with columns `img.bytes` and `label` (without --data the file of the hub's `uoft-cs/cifar10` is fetched). Images are
drawn without looking at them, from a seed; the class followed is the predicted one; a random order is a permutation of the patches
drawn for each image. Written: one row an image, model, protocol and order (CSV), the summary (Markdown), and the mean curves (PNG).
"""

import argparse
import io
import platform
from datetime import date
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from PIL import Image
from scipy import stats

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv
from multiplex_vit import plot

MODELS = ("demo-vit", "demo-deit")
PROTOCOLS = ("patch", "token")


def read_images(folder: Path | None, n: int, seed: int) -> tuple[list[Image.Image], list[int]]:
    """Return n test images and their labels, drawn from a seed."""
    if folder is None:
        from huggingface_hub import hf_hub_download

        path = hf_hub_download(
            "uoft-cs/cifar10", "plain_text/test-00000-of-00001.parquet", repo_type="dataset"
        )
    else:
        path = folder / "test.parquet"
    table = pq.read_table(path)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(table))[:n])
    rows = table.take(chosen)
    return [
        Image.open(io.BytesIO(row["bytes"])).convert("RGB") for row in rows["img"].to_pylist()
    ], rows["label"].to_pylist()


def measure(
    name: str, images: list[Image.Image], labels: list[int], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row an image, protocol and order, and the points of the curves."""
    model, rng = mv.load(name), np.random.default_rng(seed)
    rows, points = [], []
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        explanation = mv.explain(model, image)
        orders = {
            "heatmap": explanation.heatmap,
            "random": rng.permutation(explanation.heatmap.size).reshape(explanation.grid),
        }
        for protocol in PROTOCOLS:
            for order, heatmap in orders.items():
                fid = mv.evaluate(model, image, heatmap, label=explanation.label, protocol=protocol)
                facts = {
                    "model": name,
                    "image": number,
                    "correct": explanation.label == label,
                    "order": order,
                }
                rows.append({**facts, **fid.row(), "forward_passes": explanation.forward_passes})
                points.append(fid.table().assign(**facts))
        if number % 20 == 19:
            print(f"{name}: {number + 1} images", flush=True)
    return pd.DataFrame(rows), pd.concat(points)


def interval(values: np.ndarray) -> str:
    """Return the mean with its bootstrap 95 % interval over images."""
    low, high = stats.bootstrap(
        (values,), np.mean, rng=np.random.default_rng(0)
    ).confidence_interval
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a model and protocol: means with intervals, paired differences to the random order, Wilcoxon's p."""
    rows = []
    for (model, protocol), part in table.groupby(["model", "protocol"], sort=False):
        own, chance = (
            part[part["order"] == order].set_index("image") for order in ("heatmap", "random")
        )
        row = {"model": model, "protocol": protocol, "images": len(own)}
        for measure in ("insertion", "deletion"):
            row[measure] = interval(own[measure].to_numpy())
            row[f"{measure}, random"] = interval(chance[measure].to_numpy())
        gain = (own["difference"] - chance["difference"]).to_numpy()
        row["ins - del, more than random"] = interval(gain)
        row["images better"] = f"{100 * (gain > 0).mean():.0f} %"
        row["Wilcoxon p"] = f"{stats.wilcoxon(gain, alternative='greater').pvalue:.1e}"
        rows.append(row)
    return pd.DataFrame(rows)


def draw(points: pd.DataFrame, path: Path) -> None:
    """Draw the mean curves of both orders, one panel a model and protocol."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 5.6), layout="constrained", sharey=True)
    panels = [(m, p, o) for o in ("heatmap", "random") for m in MODELS for p in PROTOCOLS]
    for ax, (model, protocol, order) in zip(axes.flat, panels, strict=True):
        chosen = points[
            (points["model"] == model)
            & (points["order"] == order)
            & points["protocol"].str.startswith(protocol)
        ]
        plot.curves(chosen, ax=ax).set_title(f"{model}, {protocol}, {order}", fontsize="medium")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure both models and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with test.parquet")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("analysis/results/compare_with_random"))
    args = parser.parse_args()
    images, labels = read_images(args.data, args.images, args.seed)
    parts = [measure(name, images, labels, args.seed) for name in MODELS]
    table, points = (pd.concat(part) for part in zip(*parts, strict=True))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.6f")
    draw(points, args.out.with_suffix(".png"))
    summary = summarise(table)
    head = f"# Heatmap against random order, {args.images} CIFAR-10 test images\n\n"
    how = f"`python analysis/compare_with_random.py --images {args.images} --seed {args.seed}`, {date.today()}, {platform.machine()} CPU, torch {torch.__version__}. Means with bootstrap 95 % intervals over images; fractions 0 to 1; baseline of the patch protocol: true black.\n\n"
    lines = [summary.columns, ["---"] * len(summary.columns), *summary.to_numpy()]
    args.out.with_suffix(".md").write_text(
        head + how + "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
    )
    print(summary.T.to_string())


if __name__ == "__main__":
    main()
