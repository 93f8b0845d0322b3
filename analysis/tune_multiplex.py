"""Which design and estimator make the best heatmap of 55 passes? Every combination, on images that no report uses.

    python analysis/tune_multiplex.py --round 1 --model demo-vit --data FOLDER
    (and so for rounds 2 and 3, and for demo-deit)

CIFAR-10 test images from 5000 on in the first round, 5040 in the second, 5080 in the third, predicted class, protocols patch (true black)
and token with 8 steps; reports use images 0 to 299. Written: one row an image, setting and protocol (CSV); printed: means over images.
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from cifar_images import read_images

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.registry import name_of

warnings.filterwarnings("ignore", message=".*see masks.table")
GRAPH, SHAPLEY = mv.ESTIMATORS["graph"], mv.ESTIMATORS["shapley"]
FINE = (2, 4, 8)


def spread(ground: object, ratios: tuple[float, ...]) -> mv.Masks:
    """Return random masks that remove one share of the tokens after the other."""
    rng, n_nodes = np.random.default_rng(0), len(ground.tokens)
    kept = [rng.permutation(n_nodes) >= round(ratios[i % len(ratios)] * n_nodes) for i in range(ground.n_masks)]
    return mv.Masks(np.array(kept), (("", "", ""),) * len(kept), ("spread",) * len(kept))


def groups_and_halves(ground: object, n_groups: int) -> mv.Masks:
    """Return masks that each remove one of so many communities, and orthogonal masks for the rest."""
    removed = mv.DESIGNS["occlusion"](replace(ground, settings=replace(ground.settings, budget=n_groups + 1)))
    return removed + mv.DESIGNS["orthogonal"](replace(ground, settings=replace(ground.settings, budget=ground.n_masks - len(removed) + 1)))


def few_removed(ground: object, size: int) -> mv.Masks:
    """Return masks that remove a few random tokens, each token about equally often."""
    rng, n_nodes, n_masks = np.random.default_rng(0), len(ground.tokens), ground.n_masks
    order = np.concatenate([rng.permutation(n_nodes) for _ in range(n_masks * size // n_nodes + 1)])
    kept = np.ones((n_masks, n_nodes), dtype=bool)
    kept[np.repeat(np.arange(n_masks), size), order[: n_masks * size]] = False
    return mv.Masks(kept, (("", "", ""),) * n_masks, ("few_removed",) * n_masks)


def log_odds(kept: np.ndarray, confidence: np.ndarray, graph: np.ndarray) -> np.ndarray:
    """Return the graph estimate from log odds in place of probabilities."""
    p = np.clip(confidence.astype(float), 1e-6, 1 - 1e-6)
    return GRAPH(kept, np.log(p / (1 - p)), graph, smoothness=0.1)


def ridge(kept: np.ndarray, confidence: np.ndarray, graph: np.ndarray, *, penalty: float) -> np.ndarray:
    """Return ridge regression without weights and without a graph."""
    centred = kept - kept.mean(0)
    return np.linalg.solve(centred.T @ centred + penalty * np.eye(kept.shape[1]), centred.T @ (confidence - confidence.mean()))


ROUNDS = {
    1: {
        "images": (5000, 5039),
        "designs": {
            "centrality": {"design": "centrality"},
            "random": {"design": "random"},
            "community 3": {"design": "community"},
            "community 2 4 8": {"design": "community", "resolutions": FINE},
            "mixed 3": {"design": "mixed"},
            "mixed 2 4 8": {"design": "mixed", "resolutions": FINE},
        },
        "estimators": ("coverage", "contrast", *(partial(GRAPH, smoothness=s) for s in (3.0, 10.0, 30.0)), "shapley"),
    },
    2: {
        "images": (5040, 5079),
        "designs": {
            **{f"random {ratio}": {"design": "random", "token_ratio": ratio} for ratio in (0.5, 0.25, 0.1)},
            **{f"spread {r[0]} to {r[-1]}": {"design": partial(spread, ratios=r)} for r in ((0.25, 0.5), (0.1, 0.3, 0.5, 0.7, 0.9), (0.2, 0.4, 0.55, 0.7))},
            **{f"random 0.5, grid {weight}": {"design": "random", "grid_weight": weight} for weight in (0.0, 1.0)},
            "orthogonal": {"design": "orthogonal"},
        },
        "estimators": (
            *(partial(GRAPH, smoothness=s) for s in (0.3, 1.0, 3.0)),
            *(partial(SHAPLEY, ridge=r) for r in (1.0, 3.0)),
            *(partial(ridge, penalty=p) for p in (1.0, 3.0)),
            "contrast",
        ),
    },
    3: {
        "images": (5080, 5111),
        "designs": {
            "occlusion": {"design": "occlusion"},
            **{f"{n} communities removed, then orthogonal": {"design": partial(groups_and_halves, n_groups=n)} for n in (27, 40)},
            **{f"{size} tokens removed": {"design": partial(few_removed, size=size)} for size in (2, 3, 6)},
        },
        "estimators": (*(partial(GRAPH, smoothness=s) for s in (0.03, 0.1, 0.5)), *(partial(ridge, penalty=p) for p in (0.1, 1.0)), log_odds),
    },
}


def heatmaps_of(model: mv.VisionModel, image: object, designs: dict[str, dict], estimators: tuple[str | Callable, ...]) -> tuple[dict, int]:
    """Return the heatmap of every design and estimator, and the class."""
    found = {}
    for design, choices in designs.items():
        explanation = mv.explain(model, image, **{"estimator": "graph", **choices})
        found.update({(design, name_of(estimator)): explanation.estimate(estimator) for estimator in estimators})
    return found, explanation.label


def main() -> None:
    """Measure every setting of a round on its images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with test.parquet")
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--round", type=int, choices=list(ROUNDS), default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    chosen, model, rows = ROUNDS[args.round], mv.load(args.model), []
    first, last = chosen["images"]
    for number, image in enumerate(read_images(args.data, first, last), first):
        found, label = heatmaps_of(model, image, chosen["designs"], chosen["estimators"])
        measured = evaluate_many(model, image, found.values(), label=label, protocols=("patch/black", "token"), steps=8)
        for protocol, several in measured.items():
            for (design, estimator), fid in zip(found, several, strict=True):
                rows.append({"model": args.model, "image": number, "design": design, "estimator": estimator, **fid.row(), "protocol": protocol})
        pd.DataFrame(rows).to_csv(f"analysis/results/tune_multiplex_{args.round}_{args.model}.csv", index=False, float_format="%.5f")
    table = pd.DataFrame(rows).pivot_table(index=["design", "estimator"], columns="protocol", values="difference")
    print(table.assign(both=table.mean(axis=1)).sort_values("both").round(4).to_string())


if __name__ == "__main__":
    main()
