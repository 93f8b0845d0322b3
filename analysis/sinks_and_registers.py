"""Where do the sinks of attention sit, are they tokens of great norm, and what does removing them do?

    python analysis/sinks_and_registers.py --data FOLDER --images 300

Attention is pooled over heads by its mean, not pruned, with prefix tokens as nodes. A sink receives
more than 5 times the median of its layer. An artifact is a patch whose norm, after a block, is more
than 3 times the median of the patches there. Patches are removed as masks remove them (the model
runs without their tokens): those to which most attention goes over all layers, as many at random
(the mean of 20 draws), those to which least goes, and those of greatest norm after the last block
but one. Resumable. Written: one row an image and layer, one an image and removal (CSV), and means
with bootstrap 95 % intervals (Markdown).
"""

import functools

import numpy as np
import pandas as pd
from kept_rows import seed_of, table_of
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit.report import interval
from multiplex_vit.report.markdown import markdown_table
from multiplex_vit.report.statistics import paired

SHARE, DRAWS, GREAT = 0.05, 20, 3.0
load = functools.cache(functools.partial(mv.load, device="cpu"))


def of_layers(net: mv.Multiplex, norms: np.ndarray) -> list[dict]:
    """Return one row a layer: its sinks, its artifacts, and how far they are the same patches."""
    table, sinks = net.sink_table(), net.sinks()
    first = len(net.prefix)
    rows_, cols = net.grid
    place = np.arange(rows_ * cols)
    row, col = np.divmod(place, cols)
    border = (row == 0) | (row == rows_ - 1) | (col == 0) | (col == cols - 1)
    found = []
    for layer, facts in table.iterrows():
        patches = sinks[layer, first:]
        # What a block attends to is what the block before it left; of the first, what it leaves.
        norm = norms[max(0, layer - 1)]
        artifacts = norm > GREAT * np.median(norm)
        either = np.count_nonzero(patches | artifacts)
        found.append(
            {
                "kind": "layer",
                "layer": int(layer),
                "sinks_class": int(facts["sinks_class"]),
                "sinks_patch": int(facts["sinks_patch"]),
                "share_sinks": float(facts["share_sinks"]),
                "concentration": float(facts["concentration"]),
                "on_border": float(patches[border].sum() / patches.sum())
                if patches.any()
                else None,
                "artifacts": int(artifacts.sum()),
                "alike": float(np.count_nonzero(patches & artifacts) / either) if either else None,
                "norm_correlation": float(
                    pd.Series(norm).corr(
                        pd.Series(net.weights[layer, :, first:].sum(0)), "spearman"
                    )
                ),
            }
        )
    return found


def of_removals(model: mv.VisionModel, tokens, net: mv.Multiplex, norms, seed: int) -> list[dict]:
    """Return one row a removal: what of the predicted class's probability is left."""
    first = len(net.prefix)
    received = net.weights.sum(1)[:, first:]
    mean = (received / received.mean(1, keepdims=True)).mean(0)
    count = max(1, round(SHARE * len(mean)))
    rng = np.random.default_rng(seed)
    removed = {
        "most attention": [np.argsort(-mean)[:count]],
        "least attention": [np.argsort(mean)[:count]],
        "greatest norm": [np.argsort(-norms[-2])[:count]],
        "random": [rng.permutation(len(mean))[:count] for _ in range(DRAWS)],
    }
    kept = np.ones((2 + sum(map(len, removed.values())) - 1, len(mean)), dtype=bool)
    names = ["none"]
    for name, several in removed.items():
        for patches in several:
            kept[len(names), patches] = False
            names.append(name)
    scores = model.probabilities(tokens, kept).numpy()
    label = int(scores[0].argmax())
    rows = []
    for name in removed:
        mine = np.array(names) == name
        rows.append(
            {
                "kind": "removal",
                "removed": name,
                "patches": count,
                "change": float((scores[mine, label] - scores[0, label]).mean()),
                "flips": float((scores[mine].argmax(1) != label).mean()),
            }
        )
    return rows


def of_image(name: str, sample) -> list[dict]:
    """Return the rows of an image."""
    model = load(name)
    picture = model.picture(sample.image)
    net = mv.multiplex(model, picture, operator="mean", min_cut=0, prefix=True)
    tokens = model.embed(picture.pixels)
    states, _, _ = model.activations(tokens)
    norms = states.norm(dim=-1).float().cpu().numpy()
    return of_layers(net, norms) + of_removals(model, tokens, net, norms, seed_of(sample))


def with_intervals(table: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Return means with intervals over images."""
    rows = []
    for key, part in table.groupby(by, sort=False):
        row = dict(zip(by, key, strict=True))
        row["images"] = part["number"].nunique()
        for column in columns:
            values = part[column].dropna().to_numpy(dtype=float)
            row[column] = str(interval(values)) if len(values) > 1 else ""
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure every model and write the results."""
    args = arguments(__doc__, "sinks_and_registers").parse_args()
    table = table_of(args, args.model, drawn(args), of_image)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.6g")
    layers = table[table["kind"] == "layer"].astype({"layer": int})
    removals = table[table["kind"] == "removal"]
    text = head("Sinks and registers", args)
    text += "\n## Where they are\n\n"
    columns = ["sinks_class", "sinks_patch", "share_sinks", "concentration", "on_border"]
    columns += ["artifacts", "alike", "norm_correlation"]
    text += markdown_table(with_intervals(layers, ["model", "layer"], columns))
    text += "\n\n## What removing patches does\n\n"
    text += (
        "Changes of the probability of the predicted class, and how often another class wins.\n\n"
    )
    text += markdown_table(with_intervals(removals, ["model", "removed"], ["change", "flips"]))
    text += "\n\nAgainst as many patches at random, paired by image:\n\n"
    parts = []
    for model, part in removals.groupby("model", sort=False):
        values = part.pivot(index="number", columns="removed", values="change")
        parts.append(paired(values, "random").rename(columns={"explainer": "removed"}))
        parts[-1].insert(0, "model", model)
    text += markdown_table(pd.concat(parts)) + "\n"
    args.out.with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
