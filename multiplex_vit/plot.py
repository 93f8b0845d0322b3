"""Pictures. Every function takes plain arrays or tables first, draws on `ax` (the current one unless given) and returns it.

Nothing is shown, saved or styled globally. Objects of the other rooms have a `.plot()` that calls these.
"""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon

from multiplex_vit.errors import InputError

HEAT = "inferno"
"""Colour map of heatmaps: perceptually uniform, dark is little."""

SIGNED = "coolwarm"
"""Colour map of heatmaps with negative values, such as contrasts: blue against, red for, grey in between."""

LINKS = "viridis"
"""Colour map of attention edges."""


def overlay(
    image: np.ndarray, heatmap: np.ndarray, *, alpha: float = 0.6, smooth: bool = False, cmap: str = HEAT, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a heatmap over an image.

    Parameters
    ----------
    image : ndarray uint8 [row, col, channel]
    heatmap : ndarray [row, col]
        On the patch grid; stretched over the image, from its least to its greatest value, or around 0 if it has negative ones.
    alpha : float
        Opacity of the heatmap.
    smooth : bool
        Interpolate between patches; otherwise each patch is one flat square.
    cmap : str
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or plt.gca()
    height, width = image.shape[:2]
    extent = (0.0, float(width), float(height), 0.0)
    ax.imshow(image, extent=extent, interpolation="antialiased")
    bound = float(np.abs(heatmap).max()) if heatmap.min() < 0 else None
    scale = {"cmap": cmap} if bound is None else {"cmap": SIGNED, "vmin": -bound, "vmax": bound}
    ax.imshow(heatmap, extent=extent, alpha=alpha, interpolation="bicubic" if smooth else "nearest", **scale)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, parse_math=False)
    return ax


def thumbnail(image: np.ndarray, heatmap: np.ndarray, *, title: str = "") -> bytes:
    """Return a small overlay as the bytes of a PNG, for notebooks."""
    figure = Figure(figsize=(3.2, 3.2), layout="constrained")
    overlay(image, heatmap, title=title, ax=figure.add_subplot())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()


def curves(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw insertion and deletion curves with their AUC; of several images the mean with its 95 % interval.

    Parameters
    ----------
    table : DataFrame
        curve, fraction, confidence, as `Faithfulness.table` gives it; rows of several images may be concatenated.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    protocols = table["protocol"].unique() if "protocol" in table else []
    if len(protocols) > 1:
        raise InputError(f"curves of {' and '.join(protocols)} do not compare; draw one protocol at a time")
    ax = ax or plt.gca()
    several = table.duplicated(["curve", "fraction"]).any()
    colours = dict(zip(("insertion", "deletion"), sns.color_palette("colorblind")[:2], strict=False))
    sns.lineplot(table, x="fraction", y="confidence", hue="curve", palette=colours, errorbar=("ci", 95) if several else None, ax=ax)
    means = table.groupby(["curve", "fraction"])["confidence"].mean()
    handles, names = ax.get_legend_handles_labels()
    areas = [np.trapezoid(means[name].to_numpy(), means[name].index.to_numpy()) for name in names]
    labels = [f"{name}, AUC {area:.3f}" for name, area in zip(names, areas, strict=True)]
    ax.legend(handles, labels, frameon=False, fontsize="small")
    ax.set(ylim=(0, 1.02), xlabel="share of the image" if table["fraction"].max() <= 1 else "percent of the image")
    sns.despine(ax=ax)
    return ax


def summary(explanations: Sequence[Any], evaluations: Sequence[Any]) -> Figure:
    """Draw one row an image: the image, its heatmap, its insertion and deletion curves.

    Parameters
    ----------
    explanations : sequence of Explanation
        Anything with view, heatmap, label_name, clean and label.
    evaluations : sequence of Faithfulness
        Anything with table() and protocol, in the same order.

    Returns
    -------
    Figure
    """
    n = len(explanations)
    figure, axes = plt.subplots(n, 4, figsize=(11.5, 2.9 * n), squeeze=False, layout="constrained", width_ratios=(1, 1, 1.15, 1.15))
    for row, explanation, evaluation in zip(axes, explanations, evaluations, strict=True):
        row[0].imshow(explanation.view)
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(shortened(f"{explanation.label_name} ({explanation.clean[explanation.label]:.2f})"), parse_math=False)
        overlay(explanation.view, explanation.heatmap, title=f"heatmap, {shortened(explanation.model.rstrip('/').split('/')[-1])}", ax=row[1])
        table = evaluation.table()
        for ax, name in zip(row[2:], ("insertion", "deletion"), strict=True):
            curves(table[table["curve"] == name], ax=ax)
            ax.set_title(f"{name}, {evaluation.protocol}")
    return figure


def attention(
    image: np.ndarray, weights: np.ndarray, grid: tuple[int, int], *, edges: int = 120, cmap: str = LINKS, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw one layer's strongest attention over the image: arrows from the token that attends to the one attended to.

    Self-loops are not drawn. A node's disc grows with the attention it receives from others.

    Parameters
    ----------
    image : ndarray uint8 [row, col, channel]
    weights : ndarray [source, target]
    grid : tuple of int
        Rows and columns of patches.
    edges : int
        How many edges to draw, strongest last.
    cmap : str
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or plt.gca()
    height, width = image.shape[:2]
    row, col = np.divmod(np.arange(len(weights)), grid[1])
    x, y = (col + 0.5) * width / grid[1], (row + 0.5) * height / grid[0]
    ax.imshow(image, alpha=0.75)
    source, target, weight = strongest(weights, edges)
    colours = plt.get_cmap(cmap)(_unit(weight))
    for i, j, colour, share in zip(source, target, colours, _unit(weight), strict=True):
        arrow = FancyArrowPatch(
            (x[i], y[i]), (x[j], y[j]), connectionstyle="arc3,rad=0.15", arrowstyle="-|>", mutation_scale=7, color=colour, lw=0.6 + 1.4 * share
        )
        ax.add_patch(arrow)
    received = _off_diagonal(weights).sum(0)
    ax.scatter(x, y, s=4 + 90 * _unit(received), color="white", edgecolors="black", linewidths=0.6, zorder=3)
    ax.set(xticks=[], yticks=[], title=title, xlim=(0, width), ylim=(height, 0))
    return ax


def stack(
    weights: np.ndarray, grid: tuple[int, int], *, names: Sequence[str] = (), edges: int = 60, links: int = 8, cmap: str = LINKS, ax: Axes | None = None
) -> Axes:
    """Draw a multiplex network as stacked layers, the first at the bottom, with inter-layer links of the same token.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    grid : tuple of int
        Rows and columns of patches.
    names : sequence of str
        Names of the layers.
    edges : int
        How many of each layer's strongest edges to draw (no self-loops).
    links : int
        For how many tokens the inter-layer links are drawn: those that receive most attention over all layers.
    cmap : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or plt.gca()
    places = np.stack([_sheet(grid, level) for level in range(len(weights))])
    received = np.stack([_off_diagonal(layer).sum(0) for layer in weights])
    chosen = np.argsort(-received.sum(0), kind="stable")[:links]
    between = [places[level : level + 2, node] for level in range(len(weights) - 1) for node in chosen]
    ax.add_collection(LineCollection(between, colors="0.35", linewidths=1.0, linestyles=(0, (1, 2)), zorder=2 * len(weights)))
    for level, (layer, place) in enumerate(zip(weights, places, strict=True)):
        corners = _sheet_corners(grid, level)
        ax.add_collection(PatchCollection([Polygon(corners)], facecolor="white", edgecolor="0.6", alpha=0.8, zorder=2 * level))
        source, target, weight = strongest(layer, edges)
        lines = np.stack([place[source], place[target]], 1)
        shades = plt.get_cmap(cmap)(_unit(weight))
        ax.add_collection(LineCollection(list(lines), colors=shades, linewidths=0.5 + _unit(weight), zorder=2 * level + 1))
        ax.scatter(place[:, 0], place[:, 1], s=1 + 26 * _unit(received[level]), color="0.15", linewidths=0, zorder=2 * level + 1)
        if names:
            ax.text(corners[2, 0] + 0.5, corners[2, 1], names[level], va="center", fontsize="small")
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def shortened(text: str, length: int = 28) -> str:
    """Return a text for a title, cut where it is too long.

    Examples
    --------
    >>> shortened("vit-base-patch16-224", 10)
    'vit-base-…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def strongest(weights: np.ndarray, edges: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return source, target and weight of the strongest edges between different nodes, weakest of them first.

    Examples
    --------
    >>> [part.tolist() for part in strongest(np.array([[9, 1, 2], [0, 9, 0], [3, 0, 9]]), 2)]
    [[0, 2], [2, 0], [2, 3]]
    """
    between = _off_diagonal(weights)
    order = np.argsort(between, axis=None, kind="stable")[-edges:] if edges > 0 else np.array([], dtype=int)
    source, target = np.unravel_index(order, between.shape)
    there = between[source, target] > 0
    return source[there], target[there], between[source, target][there]


def _off_diagonal(weights: np.ndarray) -> np.ndarray:
    return weights * (1 - np.eye(len(weights), dtype=weights.dtype))


def _unit(values: np.ndarray) -> np.ndarray:
    """Bring values to 0 .. 1; equal ones to 1."""
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.ones(len(values))


def _sheet(grid: tuple[int, int], level: int) -> np.ndarray:
    """Return drawing positions [node, 2] of one layer: a sheared, flattened grid, lifted by its level."""
    row, col = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    return _lifted(col, row, grid, level)


def _sheet_corners(grid: tuple[int, int], level: int) -> np.ndarray:
    bottom, right = grid[0] - 0.5, grid[1] - 0.5
    return _lifted(np.array([-0.5, right, right, -0.5]), np.array([bottom, bottom, -0.5, -0.5]), grid, level)


def _lifted(col: np.ndarray, row: np.ndarray, grid: tuple[int, int], level: int) -> np.ndarray:
    up = grid[0] - 1 - row
    return np.column_stack([1.7 * col + 0.6 * up, 0.32 * up + level * (0.32 * grid[0] + 0.8)])
