"""Which heatmap is the most faithful for its passes? Every method on the same images, with 95 % intervals and paired differences.

    python analysis/compare_methods.py --model demo-vit --data FOLDER
    python analysis/compare_methods.py --model demo-deit --data FOLDER
    python analysis/compare_methods.py --summarise

CIFAR-10 test images 0 to 299 (settings were chosen on others, see tune_multiplex.py), predicted class, protocols patch (true black) and
token, 16 steps. RISE with 550 passes runs on the first 120 images, the reversed order on the first 60: two cores need it. A second run goes on where the first was stopped. Written beside one another: one row an image, method and protocol (CSV, a model each), the summary (Markdown),
and the mean difference against the passes (PNG). The random control has another seed for every image; all other seeds are 0.
"""

import argparse
import platform
import subprocess
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from many_heatmaps import measure, read_images
from scipy import stats

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv

warnings.filterwarnings("ignore", message=".*see masks.table")
OUT = Path("analysis/results/compare_methods")
STEPS = 16
FEWER_IMAGES = {"rise_tokens 550": 120, "reversed_order": 60}
PLAIN = ("random_order", "reversed_order", "centre_prior", "raw_attention", "rollout", "generic_attention", "grad_cam", "occlusion")


def methods(number: int) -> dict[str, Callable[[mv.VisionModel, Any], Any]]:
    """Return every method as a function of model and image; `number` seeds the random control."""
    own = {name: lambda model, image, name=name: mv.explain(model, image, method=name) for name in mv.METHODS}
    rivals = {name: lambda model, image, name=name: mv.RIVALS[name](model, image, seed=number) for name in PLAIN}
    rise = {f"rise_tokens {budget}": lambda model, image, budget=budget: mv.RIVALS["rise_tokens"](model, image, budget=budget) for budget in (55, 550)}
    return {**own, **rivals, **rise}


def compare(name: str, folder: Path | None, n_images: int) -> None:
    """Measure every method on the images of one model, write the rows after every image, and leave out what was measured before."""
    path = Path(f"{OUT}_{name}.csv")
    earlier = [pd.read_csv(path)] if path.exists() else []
    done = {(row.image, row.method) for table in earlier for row in table.itertuples()}
    model, rows = mv.load(name), []
    for number, image in enumerate(read_images(folder, 0, n_images - 1)):
        results, seconds = {}, {}
        for method, function in methods(number).items():
            if (number, method) not in done and number < FEWER_IMAGES.get(method, n_images):
                start = time.perf_counter()
                results[method] = function(model, image)
                seconds[method] = time.perf_counter() - start
        if results:
            rows += [{"model": name, "image": number, **row} for row in measured(model, image, results, seconds)]
            pd.concat([*earlier, pd.DataFrame(rows)]).to_csv(path, index=False, float_format="%.5f")


def measured(model: mv.VisionModel, image: Any, results: dict[str, Any], seconds: dict[str, float]) -> list[dict[str, Any]]:
    """Return one row a method and protocol."""
    names, rows = list(results), []
    for row in measure(model, image, [result.heatmap for result in results.values()], results[names[0]].label, STEPS):
        method = names[row.pop("heatmap")]
        passes = {"forward_passes": results[method].forward_passes, "backward_passes": getattr(results[method], "backward_passes", 0)}
        rows.append({"method": method, **row, **passes, "seconds": seconds[method]})
    return rows


def interval(values: np.ndarray) -> str:
    """Return the mean with its bootstrap 95 % interval over images."""
    if np.ptp(values) == 0:
        return f"{values.mean():.3f}"
    low, high = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number by Holm's step-down procedure."""
    order = np.argsort(p)
    corrected = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return corrected[np.argsort(order)]


def summary(part: pd.DataFrame) -> pd.DataFrame:
    """Return one row a method, best first: means, paired differences to mutex and of multiplex to it, p by Wilcoxon and Holm, passes, seconds."""
    difference = part.pivot(index="image", columns="method", values="difference")
    order = difference.mean().sort_values(ascending=False).index
    rows = []
    for method in order:
        own = part[part["method"] == method]
        row = {"method": method, "passes": f"{own['forward_passes'].mean():.4g}" + (" + 1 back" if own["backward_passes"].any() else "")}
        row["seconds, median"] = f"{own['seconds'].median():.2f}"
        row |= {measured: interval(own[measured].to_numpy()) for measured in ("insertion", "deletion", "difference")}
        row["it minus mutex"] = interval((difference[method] - difference["mutex"]).to_numpy())
        row["multiplex minus it"] = interval((difference["multiplex"] - difference[method]).to_numpy())
        rows.append(row)
    for column, against in (("p, mutex", "mutex"), ("p, multiplex", "multiplex")):
        others = [method for method in order if method != against]
        p = holm(np.array([stats.wilcoxon(difference[method], difference[against]).pvalue for method in others]))
        for row in rows:
            row[column] = "" if row["method"] == against else f"{p[others.index(row['method'])]:.1e}"
    return pd.DataFrame(rows)


def spread(values: np.ndarray, apart: float) -> np.ndarray:
    """Return ascending values moved so that neighbours are at least so far apart, about their mean."""
    moved = values.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    return moved - (moved - values).mean()


def draw(table: pd.DataFrame) -> None:
    """Draw the mean difference against the passes, a panel a model and protocol."""
    groups = list(table.groupby(["model", "protocol"]))
    figure, axes = plt.subplots(1, len(groups), figsize=(4 * len(groups), 4), layout="constrained", sharey=True, squeeze=False)
    for ax, ((model, protocol), part) in zip(axes.flat, groups, strict=True):
        means = part.groupby("method")[["forward_passes", "difference"]].mean().sort_values("difference")
        for method, own in part.groupby("method"):
            values = own["difference"].to_numpy()
            error = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
            colour = {"multiplex": "C3", "mutex": "C0"}.get(str(method), "0.5")
            ax.errorbar(own["forward_passes"].mean(), values.mean(), yerr=error, fmt="o", color=colour, markersize=4)
        for _, near in means.groupby(np.log10(means["forward_passes"]).round()):
            places = spread(near["difference"].to_numpy(), 0.045)
            for (method, (passes, mean)), place in zip(near.iterrows(), places, strict=True):
                line = {"arrowstyle": "-", "color": "0.7", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
                ax.annotate(str(method), (passes, mean), xytext=(1.5 * near["forward_passes"].max(), place), fontsize=7, va="center", arrowprops=line)
        ax.set(xscale="log", xlabel="forward passes", title=f"{model}, {protocol}", xlim=(0.7, 9000))
        ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes[0, 0].set_ylabel("insertion AUC - deletion AUC")
    figure.savefig(OUT.with_suffix(".png"), dpi=110)


def summarise() -> None:
    """Write the summary and the figure of what was measured."""
    table = pd.concat([pd.read_csv(path) for path in sorted(OUT.parent.glob(f"{OUT.name}_*.csv"))])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        "# Every method on the same images\n",
        f"Commands: see `analysis/compare_methods.py`; {date.today()}, commit {commit}, {platform.machine()} CPU, one thread beside other work,",
    ]
    lines += [
        f"torch {torch.__version__}. CIFAR-10 test images from number 0 on (the run was stopped before all 300; a second run goes on); settings were chosen on images from 5000 on. Means with bootstrap 95 % intervals over images;"
    ]
    lines += [
        "differences are paired; p by Wilcoxon's signed-rank test, two-sided, Holm-corrected within a table. Methods whose intervals overlap are not ranked by this.",
        "Passes are not all of one length: random and centrality masks keep half of the tokens, occlusion nearly all, so that a pass takes about twice the time.",
        "That communities should be removed one at a time was tried after the rival occlusion had been seen ahead on images 0 to 16; it was chosen on others.\n",
    ]
    for (model, protocol), part in table.groupby(["model", "protocol"]):
        rows = summary(part)
        lines += [f"\n## {model}, {protocol}, {part['image'].nunique()} images\n"]
        lines += [f"| {' | '.join(map(str, line))} |" for line in [rows.columns, ["---"] * len(rows.columns), *rows.to_numpy()]]
    OUT.with_suffix(".md").write_text("\n".join(lines) + "\n")
    draw(table)


def main() -> None:
    """Measure one model, or summarise what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--data", type=Path, help="folder with test.parquet")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--summarise", action="store_true", help="summarise what was measured, and measure nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.summarise:
        compare(args.model, args.data, args.images)
    else:
        summarise()


if __name__ == "__main__":
    main()
