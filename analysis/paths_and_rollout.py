"""Do paths of the network exist in the transformer? Versatility along links beside attention rollout.

Information reaches the class token from the first block to the last, so edges of attention, which
run against it, lead from the last block to the first, and so must the links between them. PageRank
versatility is held against attention rollout (Abnar, Zuidema 2020) with links back ("temporal"),
forward, and both ways ("ordinal"): Spearman's correlation over the patches of one image. The last
column is rollout worked out from the supra-adjacency alone, along links back and at most one edge
a layer: its greatest difference, relative to the greatest value.

    python analysis/paths_and_rollout.py --out analysis/results/paths_and_rollout.md
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from provenance import provenance
from scipy.stats import spearmanr

import multiplex_vit as mv

SETTINGS = {
    "mean, uncut": {"operator": "mean", "min_cut": 0},
    "sum, min_cut 0.01": {"operator": "sum", "min_cut": 0.01},
}


def forward(blocks: np.ndarray) -> np.ndarray:
    """Join each block of a network of attention with the next, the order in which no path exists."""
    return mv.network.COUPLINGS["temporal"](blocks).T


COUPLED = {"back": "temporal", "forward": forward, "both ways": "ordinal"}


def from_paths(net: mv.Multiplex) -> np.ndarray:
    """Return the weight of the paths from the prefix tokens of the last layer to every patch."""
    supra = net.supra_adjacency(coupling="temporal", omega=1.0).toarray()
    parts = supra.reshape(net.n_layers, net.n_nodes, net.n_layers, net.n_nodes)
    n_prefix = len(net.prefix)
    walk = np.zeros(net.n_nodes)
    walk[:n_prefix] = 1 / n_prefix
    for layer in reversed(range(net.n_layers)):
        walk = walk + walk @ parts[layer, :, layer]
        if layer:
            walk = walk @ parts[layer, :, layer - 1]
    return walk[n_prefix:] / 2**net.n_layers


def row_of(net: mv.Multiplex, rollout: np.ndarray) -> dict[str, float]:
    """Return the correlation with rollout for each way of links."""
    found = {}
    for name, coupling in COUPLED.items():
        values = net.versatility(coupling=coupling).sum(0)[len(net.prefix) :]
        found[name] = float(spearmanr(values, rollout).statistic)
    return found


def measured() -> pd.DataFrame:
    """Return one row a model, image and network."""
    rows = []
    for name in ("demo-vit", "demo-deit"):
        model = mv.load(name, device="cpu")
        for sample, image in mv.samples().items():
            rollout = mv.EXPLAINERS["rollout"](model, image).heatmap.ravel()
            for label, options in SETTINGS.items():
                net = mv.multiplex(model, image, prefix=True, **options)
                row = {"model": name, "image": sample, "network": label, **row_of(net, rollout)}
                if label == "mean, uncut":
                    apart = np.abs(from_paths(net) - rollout).max() / rollout.max()
                    row["rollout from paths, difference"] = f"{apart:.0e}"
                rows.append(row)
    return pd.DataFrame(rows)


def in_markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers with two digits."""
    shown = table.round(2).fillna("").astype(str)
    lines = ["| " + " | ".join(shown.columns) + " |", "|---" * shown.shape[1] + "|"]
    for row in shown.itertuples(index=False):
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write the table, and how it came about."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="Markdown file to write")
    out = parser.parse_args().out
    about = "\n".join(f"- {name}: {value}" for name, value in provenance("cpu").items())
    title = "# PageRank versatility along links back, forward and both ways, beside rollout"
    out.write_text(f"{title}\n\n{about}\n\n{in_markdown(measured())}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
