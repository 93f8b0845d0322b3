"""Are heatmaps to be believed? Randomised models, noise, mirrors, seeds, rounding, and how far from the best order that search finds.

    python analysis/check_sanity.py --model demo-vit --data FOLDER
    python analysis/check_sanity.py --model demo-deit --data FOLDER
    python analysis/check_sanity.py --summarise

The first CIFAR-10 test images of the order in cifar_images.py, predicted class, every method at a budget of 55 passes; the ceiling on fewer of them.
Written after every image, so that a second run goes on where the first was stopped: one row an image, check, method and condition
(sanity_MODEL.csv), and how they were made (sanity_MODEL.json); of all of them the summary (sanity.md) and a picture (sanity.png).
"""

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from cifar_images import read_images, reported
from provenance import provenance

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.files import written_whole
from multiplex_vit.plot import SIGNED
from multiplex_vit.report.statistics import interval

warnings.filterwarnings("ignore", message=".*see masks.table")
COLUMNS = ["image", "check", "method", "condition", "value"]
PROTOCOLS = ("token", "patch/black")
SD, DRAWS, SEEDS, STEPS = 0.02, 3, 5, 16
LAST = "ceiling patch/black"


def agreement(
    model: mv.VisionModel, image: Any, method: str, budget: int
) -> Iterator[tuple[str, str, float]]:
    """Yield check, condition and value of one method."""
    explainer = mv.EXPLAINERS[method].where_taken(budget=budget)
    random = mv.evaluation.parameter_randomisation(model, image, explainer)
    for row in random[random["randomised"] > 0].itertuples():
        yield "randomised", row.stage, row.correlation
        yield "randomised, absolute", row.stage, row.correlation_absolute
    noise = mv.evaluation.noise_stability(model, image, explainer, sd=SD, draws=DRAWS)
    yield "noise", f"sd {SD}", noise["correlation"].mean(skipna=False)
    yield "noise, same class", f"sd {SD}", noise["same_class"].mean()
    mirror = mv.evaluation.flip_stability(model, image, explainer).iloc[0]
    yield "mirror", "", mirror["correlation"]
    yield "mirror, same class", "", mirror["same_class"]
    seeds = mv.evaluation.seed_agreement(model, image, explainer, seeds=SEEDS).iloc[0]
    yield "seeds", f"{SEEDS} seeds", seeds["correlation"]


def rounding(
    model: mv.VisionModel, image: Any, method: str, other: mv.VisionModel | None
) -> Iterator[tuple[str, str, float]]:
    """Yield check, condition and value of one of our own methods, with masks made in float64, and by another device."""
    for row in mv.saliency.precision_agreement(
        model, image, mv.EXPLAINERS[method].settings, other=other
    ).to_dict("records"):
        where = row.pop("compared").split(":")[0]
        yield from (("rounding", f"{where}, {name}", value) for name, value in row.items())


def against_ceiling(
    model: mv.VisionModel, image: Any, methods: list[str], budget: int
) -> Iterator[tuple[str, str, str, float]]:
    """Yield check, method, condition and value: areas of the curves of orders that were searched for, and of every method."""
    heatmaps = [
        mv.EXPLAINERS[method].where_taken(budget=budget)(model, image).heatmap for method in methods
    ]
    for protocol in PROTOCOLS:
        found = mv.evaluation.greedy_ceiling(model, image, protocol, steps=STEPS)
        for row in found.table().to_dict("records"):
            yield from (
                (f"ceiling {protocol}", f"search: {row['order']}", name, row[name])
                for name in ("insertion", "deletion", "difference")
            )
        measured = evaluate_many(model, image, heatmaps, protocols=[protocol], steps=STEPS)[
            protocol
        ]
        for method, fid in zip(methods, measured, strict=True):
            row = fid.row()
            yield from (
                (f"ceiling {protocol}", method, name, row[name])
                for name in ("insertion", "deletion", "difference")
            )


def rows_of(
    model: mv.VisionModel, image: Any, methods: list[str], budget: int, other: mv.VisionModel | None
) -> Iterator[tuple[str, str, str, float]]:
    """Yield check, method, condition and value of everything but the ceiling."""
    for method in methods:
        yield from (
            (check, method, condition, value)
            for check, condition, value in agreement(model, image, method, budget)
        )
        if mv.EXPLAINERS[method].settings is not None:
            yield from (
                (check, method, condition, value)
                for check, condition, value in rounding(model, image, method, other)
            )


def measure(args: argparse.Namespace) -> None:
    """Check one model on images that were not checked before, the ceiling on the first of them."""
    model = mv.load(args.model, device=args.device)
    other = (
        mv.load(args.model, device="cuda")
        if model.device.type == "cpu" and torch.cuda.is_available()
        else None
    )
    model.name = Path(args.model).name
    path, methods = Path(f"{args.out}_{model.name}.csv"), args.methods or list(mv.EXPLAINERS)
    table = (
        pd.read_csv(path, keep_default_na=False, na_values={"value": [""]})
        if path.exists()
        else pd.DataFrame(columns=COLUMNS)
    )
    record(path, provenance(model.device))
    for place, (name, image) in enumerate(read_images(args.data, reported(0, args.images)).items()):
        start, found = time.perf_counter(), []
        done = table[table["image"].astype(str) == name]
        missing = [
            method
            for method in methods
            if method not in set(done.loc[done["check"] == "mirror", "method"])
        ]
        found += [(name, *row) for row in rows_of(model, image, missing, args.budget, other)]
        if place < args.ceiling_images and LAST not in set(done["check"]):
            found += [(name, *row) for row in against_ceiling(model, image, methods, args.budget)]
        if found:
            new = pd.DataFrame(found, columns=COLUMNS).astype({"value": float})
            table = new if table.empty else pd.concat([table, new])
            with written_whole(path) as temporary:
                table.to_csv(temporary, index=False, float_format="%.6g")
            print(
                f"{model.name}, image {name} ({place + 1} of {args.images}): {time.perf_counter() - start:.0f} s",
                flush=True,
            )


def record(path: Path, facts: dict[str, str]) -> None:
    """Add how rows were made to what is known of earlier runs."""
    beside = path.with_suffix(".json")
    runs = json.loads(beside.read_text()) if beside.exists() else []
    if facts not in runs:
        with written_whole(beside) as temporary:
            temporary.write_text(json.dumps([*runs, facts], indent=1) + "\n")


def told(values: pd.Series) -> str:
    """Return the mean with its interval, and how many heatmaps were flat if any."""
    known = values.dropna().to_numpy(dtype=float)
    flat = f" ({len(values) - len(known)} flat)" if len(known) < len(values) else ""
    return f"{interval(known)}{flat}" if len(known) else "flat"


def grid(part: pd.DataFrame, columns: str) -> pd.DataFrame:
    """Return one row a method of means with intervals, one column a condition or check, both in the order of the rows."""
    found = part.groupby(["method", columns], sort=False)["value"].apply(told).unstack()
    return found.loc[part["method"].unique(), part[columns].unique()].reset_index()


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def sections(name: str, table: pd.DataFrame) -> Iterator[str]:
    """Yield the summary of one model."""
    images = {check: part["image"].nunique() for check, part in table.groupby("check")}
    yield f"\n## {name}: parameters randomised from the head down to ..., correlation with the original heatmap ({images['randomised']} images)\n\n"
    yield markdown(grid(table[table["check"] == "randomised"], "condition"))
    yield f"\n## {name}: stability ({images['mirror']} images)\n\n"
    stable = table[
        table["check"].isin(["noise", "noise, same class", "mirror", "mirror, same class", "seeds"])
    ]
    yield markdown(grid(stable, "check"))
    if "rounding" in images:
        yield f"\n## {name}: masks made in float64, or by another device ({images['rounding']} images)\n\n"
        yield markdown(grid(table[table["check"] == "rounding"], "condition"))
    for protocol in PROTOCOLS:
        part = table[table["check"] == f"ceiling {protocol}"]
        if len(part):
            best = (
                part[part["condition"] == "difference"]
                .groupby("method")["value"]
                .mean()
                .sort_values(ascending=False)
                .index
            )
            yield f"\n## {name}: the ceiling, {protocol}, {STEPS} steps ({part['image'].nunique()} images)\n\n"
            yield markdown(grid(part, "condition").set_index("method").loc[best].reset_index())


def summarise(out: Path) -> None:
    """Write the summary and the picture of all that was measured."""
    paths = sorted(out.parent.glob(f"{out.name}_*.csv"))
    if not paths:
        raise SystemExit(
            f"nothing was measured yet: there is no {out}_MODEL.csv; run with --model first"
        )
    tables = {
        path.stem.removeprefix(out.name + "_"): pd.read_csv(
            path, keep_default_na=False, na_values={"value": [""]}
        )
        for path in paths
    }
    lines = [
        "# Are heatmaps to be believed?\n\n",
        "Spearman's correlations with the heatmap as it is; means over images with bootstrap 95 % intervals. *Randomised* (arXiv:1810.03292): low is right, for a heatmap "
        "that stays as it is does not explain the model; the class explained stays the same, and so do the draws of methods that draw: what stays of theirs may be the masks' own. *Noise* "
        f"(sd {SD} of pixel values from 0 to 1, {DRAWS} draws), *mirror* (mirrored back) and *seeds* ({SEEDS}; 1 where a method is deterministic): high is right. "
        "*Same class*: the share of changed images that are still classified as the class explained. *Flat*: heatmaps without any order, left out of the mean. "
        '*Search*: orders found greedily, a lower bound of what the best order does; "insertion, deletion" joins two different orders, which no heatmap does.\n\n',
    ]
    for path in paths:
        runs = json.loads(path.with_suffix(".json").read_text())
        lines += [
            f"- {path.stem.removeprefix(out.name + '_')}: `{run['command']}`; {run['date']}, commit {run['commit']}, {run['device']}.\n"
            for run in runs
        ]
    for name, table in tables.items():
        lines += sections(name, table)
    with written_whole(out.with_suffix(".md")) as temporary:
        temporary.write_text("".join(lines))
    draw(tables, out.with_suffix(".png"))


def draw(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """Draw mean correlations, a row a method and a column a check, one panel a model."""
    figure, axes = plt.subplots(
        1, len(tables), figsize=(8.5 * len(tables), 7), layout="constrained", squeeze=False
    )
    for ax, (name, table) in zip(axes.flat, tables.items(), strict=True):
        chosen = table[table["check"].isin(["randomised", "noise", "mirror", "seeds"])]
        columns = chosen["condition"].where(chosen["check"] == "randomised", chosen["check"])
        means = chosen.assign(column=columns).pivot_table(
            index="method", columns="column", values="value", sort=False, dropna=False
        )
        means = means.loc[chosen["method"].unique(), columns.unique()]
        ax.imshow(means, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
        ax.set_xticks(range(means.shape[1]), means.columns, rotation=45, ha="right")
        ax.set_yticks(range(len(means)), means.index)
        ax.axvline(
            chosen.loc[chosen["check"] == "randomised", "condition"].nunique() - 0.5, color="black"
        )
        for (row, col), value in np.ndenumerate(means.to_numpy()):
            ax.text(
                col,
                row,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if abs(value) < 0.6 else "white",
            )
        ax.set_title(
            f"{name}: correlation with the heatmap as it is\nrandomised down to ... (low is right) | stability (high is right)",
            fontsize="medium",
        )
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=110)


def main() -> None:
    """Check one model, then summarise what was measured; or only summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument(
        "--device",
        default="cpu",
        help="of the checks; rounding is compared with CUDA too where there is one (%(default)s)",
    )
    parser.add_argument(
        "--data", type=Path, help="folder with test.parquet; the hub's unless given"
    )
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument(
        "--ceiling-images",
        type=int,
        default=10,
        help="on how many of them the ceiling is searched for (%(default)s)",
    )
    parser.add_argument("--methods", nargs="+", help="all unless given")
    parser.add_argument("--budget", type=int, default=55)
    parser.add_argument("--out", type=Path, default=Path("analysis/results/sanity"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--summarise", action="store_true", help="summarise what was measured, and measure nothing"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        if not args.summarise:
            measure(args)
        summarise(args.out)
    except mv.InputError as error:
        raise SystemExit(f"check_sanity: {error}") from error


if __name__ == "__main__":
    main()
