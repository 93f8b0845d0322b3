"""Does the structure of attention matter beyond strengths? Masks from networks that were shuffled.

    python analysis/rewired_networks.py --data FOLDER --images 200

Each image is explained by `mutex` four times: as published, from its own networks that are given
(which must change nothing), from networks whose edges are rewired and keep their degrees, and
from networks whose weights are dealt anew. Random images are drawn with a seed; the predicted class is
explained. Written: one row an image, model, network and protocol (CSV), and the means and paired
differences to the published heatmap with bootstrap 95 % intervals (Markdown).
"""

import io

import numpy as np
import pandas as pd
from PIL import Image
from studied import arguments, drawn, head

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.report import interval, paired
from multiplex_vit.report.markdown import markdown_table

PROTOCOLS = ("patch/black", "token")
NULL_MODELS = ("degree", "weights")
PUBLISHED, UNTOUCHED = "as published", "its own networks"


def heatmaps_of(model: mv.VisionModel, picture, seed: int) -> tuple[int, dict[str, np.ndarray]]:
    """Return the class explained, and the heatmaps by the networks that masks were made of."""
    published = mv.explain(model, picture)
    operators = published.settings.operators
    own = {name: mv.multiplex(model, picture, operator=name) for name in operators}
    heatmaps = {PUBLISHED: published.heatmap}
    untouched = mv.explain(model, picture, label=published.label, network=own)
    heatmaps[UNTOUCHED] = untouched.heatmap
    for null_model in NULL_MODELS:
        dealt = {name: net.shuffled(null_model, seed=seed) for name, net in own.items()}
        explained = mv.explain(model, picture, label=published.label, network=dealt)
        heatmaps[f"{null_model}, shuffled"] = explained.heatmap
    rng = np.random.default_rng(seed)
    heatmaps["random order"] = rng.permutation(published.heatmap.size).reshape(
        published.heatmap.shape
    )
    return published.label, heatmaps


def measure(name: str, args) -> pd.DataFrame:
    """Return one row an image, network and protocol."""
    model = mv.load(name, device="cpu")
    rows = []
    for sample in drawn(args):
        picture = model.picture(Image.open(io.BytesIO(sample.data)).convert("RGB"))
        label, heatmaps = heatmaps_of(model, picture, sample.number)
        curves = evaluate_many(
            model,
            picture,
            list(heatmaps.values()),
            label=label,
            protocols=PROTOCOLS,
            steps=args.steps,
        )
        equal = bool(np.array_equal(heatmaps[PUBLISHED], heatmaps[UNTOUCHED]))
        for protocol, several in curves.items():
            for network, faithfulness in zip(heatmaps, several, strict=True):
                facts = {"model": name, "number": sample.number, "network": network}
                value = faithfulness.difference
                rows.append({**facts, "protocol": protocol, "difference": value, "equal": equal})
        if sample.number % 20 == 19:
            print(f"{name}: {sample.number + 1} images", flush=True)
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return means, and paired differences to the published heatmap."""
    rows = []
    for (model, protocol), part in table.groupby(["model", "protocol"], sort=False):
        values = part.pivot(index="number", columns="network", values="difference")
        change = paired(values, PUBLISHED).set_index("explainer")
        for network in part["network"].unique():
            row = {"model": model, "protocol": protocol, "network": network}
            row["images"] = len(values)
            row["insertion - deletion"] = str(interval(values[network].to_numpy()))
            row["change"] = ""
            if network in change.index:
                one = change.loc[network]
                row["change"] = f"{one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
                row["p_holm"] = one["p_holm"]
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure every model and write the results."""
    args = arguments(__doc__, "rewired_networks").parse_args()
    table = pd.concat([measure(name, args) for name in args.model], ignore_index=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out.with_suffix(".csv"), index=False, float_format="%.6f")
    same = table.drop_duplicates(["model", "number"])["equal"]
    text = head("Masks from networks that were shuffled", args)
    text += f"\nHeatmaps from an image's own networks equal the published ones to the last bit on {int(same.sum())} of {len(same)} images.\n\n"
    args.out.with_suffix(".md").write_text(text + markdown_table(summary(table)) + "\n")


if __name__ == "__main__":
    main()
