"""Measures: how values of nodes are distributed, run over depth, and change with pruning."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import MARK, by_depth, distinct
from multiplex_vit.plot.text import layer_names, layer_ticks, legend, shortened, spread

_LEGIBLE = 8
"""Up to so many layers have a legend; more have a colour bar."""

_RANK = "tau_"


def distribution(
    values: np.ndarray,
    *,
    names: Sequence[str] = (),
    label: str = "value",
    ax: Axes | None = None,
) -> Axes:
    """Draw the complementary cumulative distribution of each layer's values on logarithmic axes.

    A point (x, y) says that the share y of the layer's nodes has a value of at least x. Values of
    0 or below have no place on a logarithmic axis: they count as nodes, are not drawn, and the picture
    says how many they are. NaN does not count. A dot marks each layer's greatest value.

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
    lines, zeros = [], (values <= 0).sum(1)
    kind = "not above 0" if (values < 0).any() else "zeros"
    for row, colour in zip(values, by_depth(len(values)), strict=True):
        known = np.sort(row[np.isfinite(row)])
        steps, below = np.unique(known, return_index=True)
        share = (1 - below / max(1, len(known)))[steps > 0]
        lines += ax.step(
            steps[steps > 0],
            share,
            where="pre",
            color=colour,
            lw=1.3,
            marker="o",
            markersize=3.5,
            markevery=[-1] if len(share) else None,
        )
    if (values > 0).any():
        ax.set(xscale="log", yscale="log")
    else:
        ax.text(
            0.5,
            0.5,
            "no value above 0",
            transform=ax.transAxes,
            ha="center",
            va="center",
            color="0.4",
        )
        ax.set(xticks=[], yticks=[])
    ax.set_xlabel(label, parse_math=False)
    ax.set_ylabel("share of nodes with at least this")
    if len(values) <= _LEGIBLE:
        legend(
            ax,
            lines,
            [f"{name} ({zero} {kind})" if zero else name for name, zero in zip(names, zeros, strict=True)],
            loc="lower left",
        )
    else:
        _depth_bar(ax, names)
        if zeros.any():
            ax.set_title(
                f"not drawn: {zeros.sum():,} {kind} of {values.size:,} values",
                fontsize="small",
            )
    sns.despine(ax=ax)
    return ax


def trajectories(
    values: np.ndarray | pd.DataFrame,
    *,
    highlight: int | Sequence[int] = 5,
    nodes: Sequence[str] = (),
    names: Sequence[str] = (),
    label: str = "value",
    blocks: Sequence[int] = (),
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
    if isinstance(values, pd.DataFrame):
        names, nodes = (
            names or [str(name) for name in values.index],
            nodes or [str(name) for name in values.columns],
        )
    values = _layered(values)
    names = layer_names(names, len(values))
    if len(blocks):
        values, names = _pooled(values, names, blocks)
    n_layers, n_nodes = values.shape
    depth = np.arange(n_layers)
    if len(nodes) not in (0, n_nodes):
        raise InputError(f"{len(nodes)} names came for {n_nodes} nodes; give one a node, or none")
    chosen = _standing_out(values, highlight)
    ax = ax or plt.gca()
    marker = "o" if n_layers == 1 else ""
    ax.plot(
        depth,
        values,
        color="0.55",
        alpha=max(0.08, min(0.5, 20 / n_nodes)),
        lw=0.7,
        marker=marker,
        zorder=1,
    )
    known = values[:, np.isfinite(values).all(0)]
    if known.size:
        low, middle, high = np.quantile(known, (0.25, 0.5, 0.75), axis=1)
        ax.fill_between(depth, low, high, color="0.3", alpha=0.25, lw=0, zorder=2, label="quartiles")
        ax.plot(
            depth,
            middle,
            color="black",
            lw=1.6,
            ls=(0, (4, 1.5)),
            zorder=4,
            label="median",
        )
    _name_lines(
        ax,
        values[:, chosen],
        [shortened(str(nodes[i] if len(nodes) else i), 14) for i in chosen],
    )
    layer_ticks(ax.xaxis, names)
    ax.set_xlabel("layer" if max(map(len, names)) <= 4 else "")
    ax.set_ylabel(label, parse_math=False)
    if known.size:
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


def pruning(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw what pruning does to a network.

    Four panels show density, isolates, the giant component and the ranks of nodes against the
    share cut.

    The first three show the mean over layers and the range from the least to the greatest layer;
    the last shows for each measure the mean over layers of Kendall's tau between its values
    before and after. Without pruning there is no place on a logarithmic axis: a `min_cut` of 0
    stands at the left end, where the axis is linear.

    Parameters
    ----------
    table : DataFrame
        One row a layer and `min_cut`, with density, isolates, giant_component and a column
        tau_<measure> for each measure.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or there is no row.
    """
    wanted = ["min_cut", "density", "isolates", "giant_component"]
    if missing := [name for name in wanted if name not in table]:
        raise InputError(f"the table has no column {', '.join(missing)}; give one row a layer and min_cut with {', '.join(wanted)}")
    if table.empty:
        raise InputError("the table has no row; give one row a layer and min_cut")
    taus = [name for name in table if str(name).startswith(_RANK)]
    figure, axes = plt.subplots(2, 2, figsize=(9.5, 6), layout="constrained", sharex=True)
    for ax, name in zip(axes.flat, wanted[1:], strict=False):
        sns.lineplot(
            table,
            x="min_cut",
            y=name,
            errorbar=("pi", 100),
            color=MARK,
            marker="o",
            ms=4,
            mec="none",
            ax=ax,
        )
        ax.set(ylabel=name.replace("_", " "), ylim=(0, None))
    _draw_taus(axes[1, 1], table.groupby("min_cut")[taus].mean())
    cuts = np.unique(table["min_cut"])
    for ax in axes.flat:
        _cut_axis(ax, cuts)
        ax.set_xlabel("min_cut" if ax in axes[1] else "")
        sns.despine(ax=ax)
    figure.suptitle(title, parse_math=False)
    return figure


def _layered(values: np.ndarray | pd.DataFrame) -> np.ndarray:
    found = np.asarray(values, dtype=float)
    if found.ndim != 2 or not found.size:
        raise InputError(f"values have shape {list(found.shape)}; give [layer, node] with at least one of each")
    return found


def _pooled(
    values: np.ndarray,
    names: Sequence[str],
    blocks: Sequence[int],
) -> tuple[np.ndarray, list[str]]:
    """Return the mean over the layers of each block, in the order of blocks, and names."""
    if len(blocks) != len(values):
        raise InputError(f"{len(blocks)} blocks came for {len(values)} layers; give one a layer")
    numbers = np.asarray(blocks)
    means, called = [], []
    for block in np.unique(numbers):
        there = np.flatnonzero(numbers == block)
        means.append(values[there].mean(0))
        called.append(names[there[0]] if len(there) == 1 else f"L{block:02d}")
    return np.stack(means), called


def _depth_bar(ax: Axes, names: Sequence[str]) -> None:
    """Draw a colour bar with one step a layer."""
    steps = ScalarMappable(
        BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names)),
        ListedColormap(by_depth(len(names))),
    )
    bar = ax.figure.colorbar(steps, ax=ax)
    bar.minorticks_off()
    layer_ticks(bar.ax.yaxis, names)


def _standing_out(values: np.ndarray, highlight: int | Sequence[int]) -> list[int]:
    if isinstance(highlight, (int, np.integer)):
        peaks = np.where(np.isfinite(values), values, -np.inf).max(0)
        order = np.argsort(-peaks, kind="stable")[: max(0, int(highlight))]
        return [int(i) for i in order if peaks[i] > -np.inf]
    chosen = [int(i) for i in highlight]
    if not all(0 <= i < values.shape[1] for i in chosen):
        raise InputError(f"nodes {chosen} are to stand out; give indices of 0 to {values.shape[1] - 1}")
    return chosen


def _name_lines(ax: Axes, values: np.ndarray, names: Sequence[str]) -> None:
    """Draw lines in colour, each with its name right of its last point, the names moved apart."""
    last = len(values) - 1
    margin = 0.03 * max(1, last)
    room = (0.05 + 0.02 * max(map(len, names), default=0)) * max(1, last)
    ax.set_xlim(-margin, last + margin + (room if names else 0))
    low, high = ax.get_ylim()
    ends = np.nan_to_num((values[-1] - low) / (high - low))
    heights = low + (high - low) * spread(ends, 0.05)
    for row, name, (colour, dash), end, height in zip(values.T, names, distinct(len(names)), ends, heights, strict=True):
        ax.plot(
            np.arange(len(values)),
            row,
            color=colour,
            ls=dash,
            lw=1.6,
            zorder=3,
            marker="o",
            markersize=3,
        )
        at = low + (high - low) * end
        ax.plot(
            [last, last + 0.8 * margin + 0.03 * room, last + 2 * margin],
            [at, height, height],
            color=colour,
            lw=0.6,
            zorder=1,
        )
        ax.text(
            last + 2.3 * margin,
            height,
            name,
            color=colour,
            va="center",
            fontsize="small",
            parse_math=False,
        )
    ax.set_ylim(low, high)


def _draw_taus(ax: Axes, means: pd.DataFrame) -> None:
    shown = means.dropna(axis=1, how="all")
    ax.set(ylabel="Kendall's tau to unpruned")
    if shown.shape[1] == 0:
        ax.text(
            0.5,
            0.5,
            "no measure",
            transform=ax.transAxes,
            ha="center",
            va="center",
            color="0.4",
        )
        return
    lines = []
    for name, (colour, dash) in zip(shown, distinct(shown.shape[1]), strict=True):
        lines += ax.plot(shown.index, shown[name], color=colour, ls=dash, marker="o", ms=3.5, lw=1.5)
    legend(
        ax,
        lines,
        [shortened(str(name).removeprefix(_RANK), 24) for name in shown],
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )


def _cut_axis(ax: Axes, cuts: np.ndarray) -> None:
    above = cuts[cuts > 0]
    if not above.size:
        return
    ax.set_xscale("log") if cuts.min() > 0 else ax.set_xscale("symlog", linthresh=above.min(), linscale=0.4)
