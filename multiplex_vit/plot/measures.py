"""Measures: how values of nodes are distributed, and run over depth."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import numbers, whole
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import by_depth, distinct
from multiplex_vit.plot.text import (
    layer_names,
    layer_ticks,
    legend,
    say,
    shortened,
    spread,
)

_LEGIBLE = 8
"""Up to so many layers have a legend; more have a colour bar."""


@accepts()
def distribution(
    values: np.ndarray,
    *,
    names: Sequence[str] = (),
    label: str = "value",
    ax: Axes | None = None,
) -> Axes:
    """Draw the complementary cumulative distribution of each layer's values on logarithmic axes.

    A point (x, y) says that the share y of the layer's nodes has a value of at least x. Values of
    0 or below have no place on a logarithmic axis: they count as nodes, are not drawn, and the
    picture says how many they are. NaN does not count. A dot marks each layer's greatest value.

    Parameters
    ----------
    values : ndarray [layer, node]
        Such as a strength.
    names : sequence of str
        Names of the layers.
    label : str
        What the values are.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    values = _layered(values)
    names = [shortened(name, 20) for name in layer_names(names, len(values))]
    ax = ax or plt.gca()
    lines = []
    for row, colour in zip(values, by_depth(len(values)), strict=True):
        lines += _steps(ax, row, colour)
    if (values > 0).any():
        ax.set(xscale="log", yscale="log")
    else:
        say(ax, "no value above 0")
        ax.set(xticks=[], yticks=[])
    ax.set_xlabel(label, parse_math=False)
    ax.set_ylabel("share of nodes with at least this")
    kind = "not above 0" if (values < 0).any() else "zeros"
    left_out = (values <= 0).sum(1)
    if len(values) <= _LEGIBLE:
        labels = []
        for name, count in zip(names, left_out, strict=True):
            labels.append(f"{name} ({count} {kind})" if count else name)
        legend(ax, lines, labels, loc="lower left")
    else:
        _depth_bar(ax, names)
        if left_out.any():
            counts = f"{left_out.sum():,} {kind} of {values.size:,} values"
            ax.set_title(f"not drawn: {counts}", fontsize="small")
    sns.despine(ax=ax)
    return ax


def _steps(ax: Axes, values: np.ndarray, colour: tuple[float, ...]) -> list[Line2D]:
    """Draw the share of values that are at least as great as each."""
    finite = np.sort(values[np.isfinite(values)])
    steps, below = np.unique(finite, return_index=True)
    share = 1 - below / max(1, len(finite))
    drawn = steps > 0
    # The dot marks the greatest value.
    marked = [-1] if drawn.any() else None
    return ax.step(
        steps[drawn],
        share[drawn],
        where="pre",
        color=colour,
        lw=1.3,
        marker="o",
        markersize=3.5,
        markevery=marked,
    )


@accepts()
def trajectories(
    values: np.ndarray | pd.DataFrame,
    *,
    highlight: int | Sequence[int] = 5,
    nodes: Sequence[str] = (),
    names: Sequence[str] = (),
    label: str = "value",
    blocks: Sequence[int] | np.ndarray = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure of every node over depth.

    All nodes are faint lines and some stand out in colour, with median and quartiles over the
    nodes.

    Where several layers show heads of one block, give `blocks`: heads are not depth, so the mean
    over the heads of each block is drawn, in the order of the blocks.

    Parameters
    ----------
    values : ndarray or DataFrame [layer, node]
        A DataFrame's index and columns name layers and nodes unless `names` and `nodes` do.
    highlight : int or sequence of int
        How many nodes stand out, those with the greatest value at any depth; or which nodes.
    nodes : sequence of str
        Names of the nodes.
    names : sequence of str
        Names of the layers.
    label : str
        What the values are.
    blocks : sequence of int
        The transformer block of every layer, `net.blocks`; default: each
        layer is a block of its own.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If a node to stand out is not there, or names or blocks do not fit.
    """
    # A table brings names of its own.
    if isinstance(values, pd.DataFrame):
        names = names or [str(name) for name in values.index]
        nodes = nodes or [str(name) for name in values.columns]
    values = _layered(values)
    names = layer_names(names, len(values))
    if len(blocks):
        values, names = _pooled(values, names, blocks)
    n_nodes = values.shape[1]
    if len(nodes) not in (0, n_nodes):
        given = f"{len(nodes)} names were given for {n_nodes} nodes"
        raise InputError(f"{given}; give one a node, or none")
    chosen = _standing_out(values, highlight)
    ax = ax or plt.gca()
    _draw_all(ax, values)
    labels = []
    for node in chosen:
        labels.append(shortened(str(nodes[node] if len(nodes) else node), 14))
    _name_lines(ax, values[:, chosen], labels)
    layer_ticks(ax.xaxis, names)
    # Long names say themselves that they are layers.
    longest = max(len(name) for name in names)
    ax.set_xlabel("layer" if longest <= 4 else "")
    ax.set_ylabel(label, parse_math=False)
    if np.isfinite(values).all(0).any():
        ax.legend(
            frameon=False,
            fontsize="small",
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            borderaxespad=0.2,
        )
    sns.despine(ax=ax)
    return ax


def _draw_all(ax: Axes, values: np.ndarray) -> None:
    """Draw every node as a faint line, and median and quartiles over the nodes."""
    n_layers, n_nodes = values.shape
    depth = np.arange(n_layers)
    ax.plot(
        depth,
        values,
        color="0.55",
        alpha=max(0.08, min(0.5, 20 / n_nodes)),
        lw=0.7,
        # One layer makes no line.
        marker="o" if n_layers == 1 else "",
        zorder=1,
    )
    finite = values[:, np.isfinite(values).all(0)]
    if finite.size:
        low, middle, high = np.quantile(finite, (0.25, 0.5, 0.75), axis=1)
        shade: dict[str, Any] = {"color": "0.3", "alpha": 0.25, "lw": 0, "zorder": 2}
        ax.fill_between(depth, low, high, label="quartiles", **shade)
        dashes = (0, (4, 1.5))
        ax.plot(depth, middle, color="black", lw=1.6, ls=dashes, zorder=4, label="median")


def _layered(values: np.ndarray | pd.DataFrame) -> np.ndarray:
    """Return values [layer, node] as floats."""
    if isinstance(values, pd.DataFrame):
        values = values.to_numpy()
    array = numbers("values", values)
    if array.ndim != 2 or not array.size:
        shape = f"values have shape {list(array.shape)}"
        raise InputError(f"{shape}; give [layer, node] with at least one of each")
    return array


def _pooled(
    values: np.ndarray,
    names: Sequence[str],
    blocks: Sequence[int] | np.ndarray,
) -> tuple[np.ndarray, list[str]]:
    """Return the mean over the layers of each block, in the order of blocks, and names."""
    if len(blocks) != len(values):
        given = f"{len(blocks)} blocks were given for {len(values)} layers"
        raise InputError(f"{given}; give one a layer")
    of_layers = np.array([whole("blocks", block, at_least=-1) for block in blocks])
    means, labels = [], []
    for block in np.unique(of_layers):
        heads = np.flatnonzero(of_layers == block)
        means.append(values[heads].mean(0))
        labels.append(names[heads[0]] if len(heads) == 1 else f"L{block:02d}")
    return np.stack(means), labels


def _depth_bar(ax: Axes, names: Sequence[str]) -> None:
    """Draw a colour bar with one step a layer."""
    # Bounds lie between layers, so that every step has one colour.
    n_layers = len(names)
    bounds = np.arange(n_layers + 1) - 0.5
    steps = ScalarMappable(BoundaryNorm(bounds, n_layers), ListedColormap(by_depth(n_layers)))
    bar = ax.figure.colorbar(steps, ax=ax)
    bar.minorticks_off()
    layer_ticks(bar.ax.yaxis, names)


def _standing_out(values: np.ndarray, highlight: int | Sequence[int]) -> list[int]:
    """Return the nodes to draw in colour."""
    n_nodes = values.shape[1]
    if not isinstance(highlight, (int, np.integer)):
        chosen = [whole("highlight", node, at_least=0) for node in highlight]
        if any(node >= n_nodes for node in chosen):
            problem = f"nodes {chosen} are to stand out"
            raise InputError(f"{problem}; give indices of 0 to {n_nodes - 1}")
        return chosen
    # A node stands out by its greatest value at any depth.
    peaks = np.where(np.isfinite(values), values, -np.inf).max(0)
    order = np.argsort(-peaks, kind="stable")[: max(0, int(highlight))]
    # A node without a finite value has no peak.
    return [int(node) for node in order if peaks[node] > -np.inf]


def _name_lines(ax: Axes, values: np.ndarray, names: Sequence[str]) -> None:
    """Draw lines in colour, each with its name right of its last point, the names moved apart."""
    last = len(values) - 1
    longest = max((len(name) for name in names), default=0)
    margin = 0.03 * max(1, last)
    # Names stand to the right of the lines, so that the axis goes on for them.
    room = (0.05 + 0.02 * longest) * max(1, last)
    ax.set_xlim(-margin, last + margin + (room if names else 0))
    low, high = ax.get_ylim()
    ends = np.nan_to_num((values[-1] - low) / (high - low))
    heights = low + (high - low) * spread(ends, 0.05)
    styles = distinct(len(names))
    for line, name in enumerate(names):
        colour, dash = styles[line]
        ax.plot(
            np.arange(len(values)),
            values[:, line],
            color=colour,
            ls=dash,
            lw=1.6,
            zorder=3,
            marker="o",
            markersize=3,
        )
        # A thin line leads from the last point to the name, which may have been moved.
        end = low + (high - low) * ends[line]
        height = heights[line]
        x = [last, last + 0.8 * margin + 0.03 * room, last + 2 * margin]
        ax.plot(x, [end, height, height], color=colour, lw=0.6, zorder=1)
        style: dict[str, Any] = {
            "color": colour,
            "va": "center",
            "fontsize": "small",
            "parse_math": False,
        }
        ax.text(last + 2.3 * margin, height, name, **style)
    ax.set_ylim(low, high)
