"""Make the pictures of README.md: python analysis/make_pictures.py [--out analysis/pictures]."""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import multiplex_vit as mv
from multiplex_vit import plot


def main() -> None:
    """Draw every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analysis/pictures"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    vit, deit, samples = mv.load("demo-vit"), mv.load("demo-deit"), mv.samples()
    shown = [(vit, samples["horse"]), (deit, samples["cat"])]
    explanations = [mv.explain(model, image) for model, image in shown]
    evaluations = [
        mv.evaluate(model, image, ex.heatmap, label=ex.label)
        for (model, image), ex in zip(shown, explanations, strict=True)
    ]
    plot.summary(explanations, evaluations).savefig(out / "summary.png", dpi=90)

    net = mv.multiplex(vit, samples["horse"], operator="mean")
    figure, axes = plt.subplots(
        1, 3, figsize=(12.5, 4.2), layout="constrained", width_ratios=(1, 1, 1.3)
    )
    plot.overlay(
        explanations[0].view,
        explanations[0].heatmap,
        smooth=True,
        title="heatmap, smooth",
        ax=axes[0],
    )
    plot.attention(
        explanations[0].view,
        net.weights[3],
        net.grid,
        title="layer L03: strongest attention",
        ax=axes[1],
    )
    net.plot("pagerank", ax=axes[2]).set_title("the multiplex")
    figure.savefig(out / "network.png", dpi=90)


if __name__ == "__main__":
    main()
