"""Which structure of attention is more than chance, once strengths and distances are kept?

    python analysis/what_survives_nulls.py --data FOLDER --images 300

Each layer (heads summed, edges below 1 % of the greatest cut, patches alone) is held against layers
dealt anew: "rows" keeps how each token spreads its attention, "distances" also how far away it
attends, "degree" rewires edges and keeps how many each token has either way. A measure survives a
null model in a layer of an image where no more than 5 % of samples are as far from their mean (two-sided,
39 samples, so that p = 0.025 is the least; by chance 5 % survive). None of these keeps how much
attention each token receives. So the unpruned layer is also held against the weights that have its
margins and are else as even as can be (iterative proportional fitting): what tokens pay, what they
receive, and what goes over each distance. Told is the share of the weight that lies where the
margins put it, beyond what lies there by an even spread. Resumable. Written: one row an image,
layer, null model and measure (CSV), means with bootstrap 95 % intervals over images (Markdown).
"""

import functools

import numpy as np
import pandas as pd
from kept_rows import seed_of, table_of
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit.report import interval
from multiplex_vit.report.markdown import markdown_table

NULLS = ("rows", "distances", "degree")
SAMPLES = 39
MEASURES = (
    "weighted_reciprocity",
    "transitivity",
    "in_strength_gini",
    "moran",
    "attention_distance",
    "second_eigenvalue",
    "rich_club",
    "core_periphery",
    "modularity",
)
MARGINS = {
    "paid": ("paid",),
    "paid, distance": ("paid", "distance"),
    "paid, received": ("paid", "received"),
    "paid, received, distance": ("paid", "received", "distance"),
}
ROUNDS = 200
load = functools.cache(functools.partial(mv.load, device="cpu"))


def of_image(name: str, sample) -> list[dict]:
    """Return one row a layer, null model and measure."""
    net = mv.multiplex(load(name), sample.image)
    rows = []
    for null in NULLS:
        table = net.layer_table(MEASURES, null_model=null, samples=SAMPLES, seed=seed_of(sample))
        for _, layer in table.iterrows():
            for measure in MEASURES:
                row = {"layer": int(layer["layer"]), "null": null, "measure": measure}
                row |= {"value": layer[measure], "moved": layer["moved"]}
                row |= {"z": layer[f"{measure}_z"], "p": layer[f"{measure}_p"]}
                rows.append(row)
    whole = mv.multiplex(load(name), sample.image, operator="mean", min_cut=0)
    return rows + of_margins(whole)


def fitted(weights: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Return the most even weights whose sums over each group of pairs are those of a layer."""
    sums = [np.bincount(group, weights.ravel()) for group in groups]
    fit = np.full(weights.size, weights.mean())
    for _ in range(ROUNDS):
        for group, wanted in zip(groups, sums, strict=True):
            now = np.bincount(group, fit)
            factor = np.divide(wanted, now, out=np.zeros_like(wanted), where=now > 0)
            fit *= factor[group]
    return fit.reshape(weights.shape)


def of_margins(net: mv.Multiplex) -> list[dict]:
    """Return one row a layer and set of margins: the share of weight that they explain."""
    source, target = np.indices(net.weights.shape[1:])
    # Rings a patch wide, as the null model has them; loops are a ring of their own.
    distance = np.ceil(net.tokens.distances).astype(int)
    groups = {"paid": source.ravel(), "received": target.ravel(), "distance": distance.ravel()}
    rows = []
    for layer, weights in enumerate(net.weights.astype(float)):
        away = np.abs(weights - weights.mean()).sum()
        for name, margins in MARGINS.items():
            fit = fitted(weights, [groups[margin] for margin in margins])
            explained = 1 - np.abs(weights - fit).sum() / away
            rows.append({"layer": layer, "null": name, "measure": "explained", "value": explained})
    return rows


def survival(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return how often a measure survives and its z-score, with intervals over images."""
    rows = []
    for key, part in table.dropna(subset="p").groupby(by, sort=False):
        by_image = part.assign(survives=part["p"] <= 0.05).groupby("number")
        z = by_image["z"].mean().dropna()
        row = dict(zip(by, key, strict=True))
        row["images"] = len(by_image)
        row["survives"] = str(interval(by_image["survives"].mean().to_numpy()))
        row["z"] = str(interval(z.to_numpy())) if len(z) > 1 else ""
        rows.append(row)
    return pd.DataFrame(rows)


def explained(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share of weight that margins explain, one row a model and layer."""
    rows = []
    part = table[table["measure"] == "explained"]
    for (model, layer), of_layer in part.groupby(["model", "layer"], sort=False):
        row = {"model": model, "layer": layer, "images": of_layer["number"].nunique()}
        for name in MARGINS:
            values = of_layer[of_layer["null"] == name]["value"].to_numpy()
            row[name] = str(interval(values))
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure every model and write the results."""
    args = arguments(__doc__, "what_survives_nulls").parse_args()
    table = table_of(args, args.model, drawn(args), of_image)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.5g")
    text = head("What survives the nulls", args, tests="z-scores and shares over all layers")
    wide = survival(table, ["model", "measure", "null"])
    text += "\n" + markdown_table(wide)
    text += "\n\n## By layer\n\n" + markdown_table(survival(table, ["model", "layer", "null"]))
    text += "\n\n## What margins explain of the weights\n\n" + markdown_table(explained(table))
    args.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
