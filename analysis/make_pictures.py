"""Make the pictures of README.md and of the documentation: python analysis/make_pictures.py [NAME...] [--out docs/pictures].

Each picture is one function below, which the documentation shows beside it.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import multiplex_vit as mv
from multiplex_vit import plot

SAMPLES = mv.samples()


def draw_hero(model: mv.VisionModel) -> Figure:
    """Draw a picture of two classes, its network, and what speaks for each class."""
    explanation = mv.explain(model, SAMPLES["deer_and_dog"], method="communities")
    explanation = explanation.with_classes(model, SAMPLES["deer_and_dog"], ["dog", "deer"])
    net = mv.multiplex(model, SAMPLES["deer_and_dog"], operator="mean", min_cut=0.05)
    ratios = {"width_ratios": (1, 1.3, 1.17, 1.17)}
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.5), layout="constrained", gridspec_kw=ratios)
    axes[0].imshow(explanation.view)
    axes[0].set(xticks=[], yticks=[], title="an image")
    net.plot(layers=[2, 5, 8, 11], ax=axes[1]).set_title("its attention as a multiplex network")
    for ax, label in zip(axes[2:], ("dog", "deer"), strict=True):
        explanation.for_class(label).plot(title=f"what speaks for {label}", ax=ax)
    return figure


def draw_idea_networks(model: mv.VisionModel) -> Figure:
    """Draw where nodes, edges and layers come from."""
    net = mv.multiplex(model, SAMPLES["dogs"], operator="mean", min_cut=0.05)
    view = model.picture(SAMPLES["dogs"]).view
    rows, cols = net.grid
    ratios = {"width_ratios": (1, 1, 1.3)}
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained", gridspec_kw=ratios)
    height, width = view.shape[:2]
    axes[0].imshow(view, extent=(0, width, height, 0))
    axes[0].vlines(np.arange(1, cols) * width / cols, 0, height, color="white", lw=0.6)
    axes[0].hlines(np.arange(1, rows) * height / rows, 0, width, color="white", lw=0.6)
    axes[0].set(xticks=[], yticks=[], title=f"nodes: {rows} x {cols} patches")
    title = "edges: attention in layer L08"
    plot.attention(view, net.weights[8], net.grid, edges=80, title=title, ax=axes[1])
    net.plot(layers=[0, 4, 8, 11], ax=axes[2]).set_title("layers: blocks of the transformer")
    return figure


def draw_idea_masks(model: mv.VisionModel) -> Figure:
    """Draw a photo, three of its masks with their confidences, and the heatmap of all masks."""
    explanation = mv.explain(model, SAMPLES["dogs"])
    grid = explanation.heatmap.shape
    confidence = explanation.confidence
    order = np.argsort(confidence)
    figure, axes = plt.subplots(1, 5, figsize=(14, 3.3), layout="constrained")
    axes[0].imshow(explanation.view)
    axes[0].set_title("photo")
    for ax, mask in zip(axes[1:4], order[[-1, len(order) // 2, 0]], strict=True):
        kept = explanation.masks.kept[mask].reshape(grid)
        # What a mask removes leaves the sequence; it is shown in white.
        removed = np.where(kept, np.nan, 1.0)
        height, width = explanation.view.shape[:2]
        extent = (0, width, height, 0)
        ax.imshow(explanation.view, extent=extent)
        ax.imshow(removed, cmap="gray", vmin=0, vmax=1, alpha=0.85, extent=extent)
        ax.set_title(f"{kept.sum()} patches kept: p = {confidence[mask]:.2f}")
    for ax in axes[:4]:
        ax.set(xticks=[], yticks=[])
    explanation.plot(title="heatmap of all 54 masks", ax=axes[4])
    return figure


def draw_contrast(model: mv.VisionModel) -> Figure:
    """Draw what speaks for a dog and what for a deer, in a picture of both."""
    explanation = mv.explain(model, SAMPLES["deer_and_dog"], method="communities")
    explanation = explanation.with_classes(model, SAMPLES["deer_and_dog"], ["dog", "deer"])
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.7), layout="constrained")
    axes[0].imshow(explanation.view)
    axes[0].set(xticks=[], yticks=[], title="photo")
    explanation.for_class("dog").plot(ax=axes[1])
    explanation.for_class("deer").plot(ax=axes[2])
    explanation.contrast("dog", "deer").plot(title="dog - deer", ax=axes[3])
    return figure


def draw_explainers(model: mv.VisionModel) -> Figure:
    """Draw the heatmaps of several explainers, each from its own least value to its greatest."""
    methods = ["mutex", "communities", "rollout", "generic_attention", "legrad", "grad_cam"]
    names = ["dogs", "deer", "grey_cat"]
    views, heatmaps = [], []
    for name in names:
        explanations = [mv.explain(model, SAMPLES[name], method=method) for method in methods]
        views.append(explanations[0].view)
        heatmaps.append([explanation.heatmap for explanation in explanations])
    return plot.gallery(views, heatmaps, methods=methods, images=names)


def draw_curves(model: mv.VisionModel) -> Figure:
    """Draw an explanation with its insertion and deletion curves."""
    explanation = mv.explain(model, SAMPLES["dogs"], method="communities")
    measured = mv.evaluate(model, SAMPLES["dogs"], explanation.heatmap, label="dog", steps=24)
    return plot.summary([explanation], [measured])


def draw_centralities(model: mv.VisionModel) -> Figure:
    """Draw PageRank in every layer, over the photo."""
    net = mv.multiplex(model, SAMPLES["deer"], operator="mean", min_cut=0.01)
    view = model.picture(SAMPLES["deer"]).view
    values = net.node_table(["pagerank"])["pagerank"].to_numpy().reshape(len(net), -1)
    names = [layer.name for layer in net]
    title = "PageRank, each layer on a scale of its own"
    return plot.small_multiples(
        view, values, net.grid, names=names, cols=6, shared=False, title=title
    )


def draw_trajectories(model: mv.VisionModel) -> Figure:
    """Draw how the attention that nodes receive changes with depth, after the first layer."""
    net = mv.multiplex(model, SAMPLES["deer"], operator="mean", min_cut=0.01)[1:]
    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    names = [layer.name for layer in net]
    values = net.weights.sum(1)
    plot.trajectories(
        values, names=names, nodes=net.tokens.names, label="attention received", ax=ax
    )
    return figure


def draw_similarity(model: mv.VisionModel) -> Figure:
    """Draw how alike layers are, and which of them could be merged."""
    net = mv.multiplex(model, SAMPLES["deer"], operator="mean", min_cut=0.01)
    names = [layer.name for layer in net]
    linkage = net.reducibility().linkage
    matrix = net.similarity("jensen_shannon")
    return plot.similarity(matrix, names=names, linkage=linkage, title="Jensen-Shannon divergence")


PICTURES = {
    name.removeprefix("draw_"): function
    for name, function in list(globals().items())
    if name.startswith("draw_")
}


def main() -> None:
    """Draw the pictures that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    model = mv.load("demo-photo", device="cpu")
    for name in args.names or PICTURES:
        figure = PICTURES[name](model)
        figure.savefig(args.out / f"{name}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main()
